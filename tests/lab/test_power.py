"""Power: the formulas of docs/methods/power.md, and simulation that agrees with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative
from eventstudy.lab import SimulatedMarket


def test_one_event_has_the_noncentral_t(world: SimulatedMarket) -> None:
    events = world.truth.events.iloc[:1]
    results = es.EventStudy(world.market, events, estimation=(-150, -11), window=(-5, 5)).fit()
    curve = es.lab.power(results, effects=[0.0, 0.01, 0.03])
    car = results.car(0, 1).iloc[0]
    c = stats.t.ppf(0.975, car["dof"])
    for _, row in curve.frame.iterrows():
        d = row["effect"] / car["se"]
        assert row["analytic"] == pytest.approx(
            stats.nct.sf(c, car["dof"], d) + stats.nct.cdf(-c, car["dof"], d)
        )
    assert curve.frame["analytic"].iloc[0] == pytest.approx(0.05)
    assert curve.at(curve.mde()) == pytest.approx(0.8)
    assert curve.mde() == pytest.approx(2.8 * car["se"], rel=0.02)


def test_several_events_have_the_normal_formula_and_the_sample_size_is_the_smallest() -> None:
    market, _ = es.lab.simulate_market(40, 500, sigma=(0.02, 0.02), tick=1e-6, seed=4)
    curve = es.lab.power(market, 0, 0, effects=[0.005], n_events=50, estimation=(-200, -11))
    se = 0.02 / np.sqrt(50)
    expected = stats.norm.sf(1.96 - 0.005 / se) + stats.norm.cdf(-1.96 - 0.005 / se)
    # docs/methods/power.md, eq. (power-normal)
    assert curve.frame["analytic"].iloc[0] == pytest.approx(expected, abs=0.02)
    n = curve.needed(0.005)
    assert curve.at(0.005, int(n)) >= 0.8 > curve.at(0.005, int(n) - 1)
    assert n == pytest.approx((2.8016 * 0.02 / 0.005) ** 2, rel=0.06)
    assert curve.needed(0.0) == np.inf


def test_events_that_share_a_shock_do_not_average_it_away(study: es.EventStudyResults) -> None:
    curve = es.lab.power(study)
    r = study.clustering(0, 1).mean_correlation
    assert curve.correlation == pytest.approx([r])
    assert curve.se[0] == pytest.approx(curve.sd[0] * np.sqrt((1 + 11 * r) / 12))
    floor = curve.sd[0] * np.sqrt(r)
    assert curve.needed(2 * floor) == np.inf
    assert curve.needed(4 * floor) < np.inf


@pytest.mark.quick(every=3)
@pytest.mark.parametrize(("n_events", "common"), [(1, False), (10, False), (10, True)])
def test_simulated_power_is_the_analytic_one(n_events: int, common: bool) -> None:
    market, _ = es.lab.simulate_market(60, 900, sigma=(0.02, 0.02), correlation=0.1, tick=1e-6, seed=9)
    curve = es.lab.power(
        market, 0, 0, effects=[0.0, 0.01, 0.03], n_events=n_events, common_date=common,
        estimation=(-150, -11), n_samples=400,
    )  # fmt: skip
    frame = curve.frame
    error = np.sqrt(frame["analytic"] * (1 - frame["analytic"]) / 400)
    # On a common date there are 750 dates to draw from, so samples are not all different ones.
    width = 5.0 if common else 3.5
    assert (np.abs(frame["simulated"] - frame["analytic"]) < width * error + 0.005).all(), frame
    assert (frame["ci_low"] < frame["simulated"]).all()


def test_results_are_simulated_in_their_own_design(study: es.EventStudyResults) -> None:
    curve = es.lab.power(study, effects=[0.0, 0.1], n_samples=20)
    assert curve.frame["simulated"].iloc[1] == 1.0
    assert (curve.frame["n_events"] == 12).all()
    lines = curve.plot().lines
    shift, rate = lines[0].get_data()
    np.testing.assert_allclose(rate, [curve.at(effect) for effect in shift])
    assert shift[-1] == max(curve.frame["effect"].max(), curve.mde(0.99))
    assert f"80% at {curve.mde():.1%}" in lines[0].get_label()
    np.testing.assert_allclose(lines[1].get_ydata(), curve.frame["simulated"])
    assert repr(curve).startswith("PowerCurve: 12 events, standard error")


def test_what_makes_no_sense_is_refused(study: es.EventStudyResults) -> None:
    with pytest.raises(RequestError, match="alpha"):
        es.lab.power(study, alpha=1.5)
    with pytest.raises(RequestError, match="or a Market"):
        es.lab.power("market")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match=r"power must be a number between 0\.05 and 1; got 0\.01"):
        es.lab.power(study).mde(0.01)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_events": 10}, r"n_events=10 is for a market; a study has its own.*at\(effect, n_events\)"),
        ({"common_date": True}, "common_date=True is for a design of your own; a study has its own"),
        ({"model": es.ConstantMean()}, "model=ConstantMean.* a study has its own"),
        ({"estimation": (-100, -11)}, "estimation=.* a study has its own"),
        ({"test": "bmp"}, "test='bmp' is for the simulated power of a study.*n_samples=1000"),
        (
            {"effects": [1, 5]},
            r"effects holds 5, .* of 500%.* Are these percent\? Divide by 100",
        ),
        ({"effects": 0.01}, r"effects must be a list of numbers, such as \[0, 0.01\]; got 0.01"),
        ({"effects": [float("nan")]}, "Each number of effects must be a number"),
    ],
)
def test_what_a_study_settles_is_not_ignored(
    study: es.EventStudyResults, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(RequestError, match=told):
        es.lab.power(study, **options)


@pytest.mark.parametrize(("alternative", "sign"), [("less", -1), ("greater", 1)])
def test_one_sided_power_is_that_of_its_side(
    study: es.EventStudyResults, alternative: Alternative, sign: int
) -> None:
    curve = es.lab.power(study, alternative=alternative)
    other = es.lab.power(study)
    assert (sign * curve.frame["effect"] >= 0).all()
    z = sign * 0.02 / curve.se[0]
    assert curve.at(sign * 0.02) == pytest.approx(stats.norm.sf(stats.norm.ppf(0.95) - abs(z)))
    assert curve.at(0.0) == pytest.approx(0.05)
    assert curve.at(-sign * 0.02) < 0.05
    assert curve.mde() == pytest.approx(curve.se[0] * (stats.norm.ppf(0.95) + stats.norm.ppf(0.8)))
    assert 0 < curve.mde() < other.mde()
    assert curve.at(sign * curve.mde()) == pytest.approx(0.8)
    assert curve.needed(-sign * 0.02) == np.inf
    assert curve.needed(sign * 0.05) <= other.needed(sign * 0.05)
    assert f"{sign * curve.mde():.2%} (power 80% at 5%, one-sided)" in repr(curve)
    line = curve.plot().lines[0]
    assert f"80% at {sign * curve.mde():.1%}" in line.get_label()
    assert max(sign * line.get_xdata()) > 0.04


def test_simulated_one_sided_power_rejects_on_its_side_alone(study: es.EventStudyResults) -> None:
    curve = es.lab.power(study, effects=[-0.1, 0.1], n_samples=20, alternative="less")
    assert curve.frame["simulated"].tolist() == [1.0, 0.0]
    market = study.spec.market
    found = es.lab.calibrate(
        market, n_events=5, n_samples=20, tests=["bmp"], shift=[-0.1, 0.1], variance=[1.0],
        alternative="greater", seed=1,
    )  # fmt: skip
    assert found.rates().set_index("shift")["rate"].to_dict() == {-0.1: 0.0, 0.1: 1.0}
    with pytest.raises(RequestError, match="alternative"):
        es.lab.calibrate(market, n_events=5, alternative="up")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="alternative"):
        es.lab.power(study, alternative="up")  # type: ignore[arg-type]
