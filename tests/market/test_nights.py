"""Events whose windows hold nights or breaks of bars: degrees of freedom, and what they are compared with."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.abnormal.gap_windows import GapWindows
from eventstudy.errors import RequestError
from eventstudy.inference import TESTS, TestInput, run_tests
from eventstudy.inference.engine.filtered_past import ewma_volatility
from eventstudy.inference.engine.moments import scaled_residuals
from eventstudy.market.intraday import Gap
from eventstudy.models.night_variance import GapVariance

ALIKE = [key for key, test in TESTS.items() if test.rows_alike]


def laid(sessions: int, seed: int, n: int = 2, **options: float) -> tuple[es.Market, es.lab.SimulatedBars]:
    made = es.lab.simulate_bars(n, sessions, freq="30min", seed=seed, **options)
    return es.Market.from_prices(made.prices, benchmark="market", calendar="XSHG", freq="30min"), made


def in_the_night(
    market: es.Market, n: int = 1, time: str = "19:00:00", window: tuple[int, int] = (-3, 6)
) -> es.EventStudyResults:
    day = market.sessions[-15].date() if time == "19:00:00" else market.sessions[-5].date()
    events = pd.DataFrame({"security": market.securities[:n], "announced_at": f"{day} {time}+08:00"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        study = es.EventStudy(market, events, estimation=(-(len(market.sessions) - 30), -4), window=window)
        return study.fit()


@pytest.fixture(scope="module")
def night() -> tuple[es.EventStudyResults, es.lab.SimulatedBars]:
    market, made = laid(12, 3)
    return in_the_night(market), made


def past_of(found: es.EventStudyResults, made: es.lab.SimulatedBars) -> tuple[np.ndarray, np.ndarray, int]:
    """Prediction errors of all rows of the estimation window, what the rows are, and the row of day 0."""
    simple, params = np.expm1(made.returns), found.parameters.iloc[0]
    errors = simple["S1"] - params["alpha"] - params["beta"] * simple["market"]
    day0 = simple.index.get_loc(found.timeline["day_0"].iloc[0])
    return errors.to_numpy(), made.gap.to_numpy(), day0


def test_the_t_of_a_night_has_as_many_degrees_of_freedom_as_there_are_nights(
    night: tuple[es.EventStudyResults, es.lab.SimulatedBars],
) -> None:
    found, made = night
    errors, gap, day0 = past_of(found, made)
    past = np.arange(day0 + found.spec.estimation.start, day0 - 3)
    nights, breaks = past[gap[past] == Gap.NIGHT], past[gap[past] == Gap.BREAK]
    row = found.car(0, 0).iloc[0]
    own, dof = (errors[nights] ** 2).mean(), found.fitted.abnormal.dof[0]
    line = row["se"] ** 2 - own  # the error of the line, which is known from bars
    assert row["dof"] == pytest.approx(row["se"] ** 4 / (own**2 / len(nights) + line**2 / dof), rel=1e-9)
    assert len(nights) < row["dof"] < 1.1 * len(nights)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["t"]), row["dof"]))
    assert found.test(0, 0, tests=["t"])["dof"].iloc[0] == row["dof"]
    # Six rows after the night hold the break: two kinds of gaps, and bars.
    row = found.car(0, 6).iloc[0]
    parts = np.array([(errors[nights] ** 2).mean(), (errors[breaks] ** 2).mean()])
    rest = row["se"] ** 2 - parts.sum()
    counts = np.array([len(nights), len(breaks)])
    want = row["se"] ** 4 / ((parts**2 / counts).sum() + rest**2 / dof)
    assert row["dof"] == pytest.approx(want, rel=1e-9)
    assert found.car(1, 3)["dof"].iloc[0] == dof
    interval = found.intervals(0, 0, methods=["t"]).iloc[0]
    half = stats.t.ppf(0.975, found.car(0, 0)["dof"].iloc[0]) * found.car(0, 0)["se"].iloc[0]
    assert interval["ci_high"] - interval["car"] == pytest.approx(half)


def test_a_night_is_compared_with_nights(night: tuple[es.EventStudyResults, es.lab.SimulatedBars]) -> None:
    found, made = night
    errors, gap, day0 = past_of(found, made)
    past = np.arange(day0 + found.spec.estimation.start, day0 - 3)
    nights = errors[past[gap[past] == Gap.NIGHT]]
    table = found.test(0, 0).set_index("test")
    row = table.loc["time_of_day_t"]
    assert row["dof"] == len(nights)
    assert row["statistic"] == pytest.approx(found.car(0, 0)["car"].iloc[0] / np.sqrt((nights**2).mean()))
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), len(nights)))
    extreme = np.abs(nights) >= abs(found.car(0, 0)["car"].iloc[0])
    p = (1 + extreme.sum()) / (len(nights) + 1)
    assert table.loc["time_of_day_rank", "p_value"] == pytest.approx(p)


def test_times_of_day_are_compared_with_the_same_times() -> None:
    """Two rows of the morning of each earlier day, however volatile; of several events the mean."""
    market, made = laid(12, 5)
    found = in_the_night(market, 2, "10:15:00")
    simple = np.expm1(made.returns)
    day0 = simple.index.get_loc(found.timeline["day_0"].iloc[0])
    errors = np.array(
        [
            (simple[name] - row["alpha"] - row["beta"] * simple["market"]).to_numpy()
            for name, (_, row) in zip(("S1", "S2"), found.parameters.iterrows(), strict=True)
        ]
    ).mean(axis=0)
    past = np.arange(day0 + found.spec.estimation.start, day0 - 3)
    tested = simple.index[[day0, day0 + 1]].strftime("%H:%M")
    sums = pd.Series(errors, simple.index).iloc[past]
    sums = sums[np.isin(sums.index.strftime("%H:%M"), tested)]
    by_day = sums.groupby(sums.index.date).agg(["sum", "size"])
    by_day = by_day.loc[by_day["size"] == 2, "sum"]
    row = found.test(0, 1, tests=["time_of_day_t"]).iloc[0]
    assert row["dof"] == len(by_day)
    assert row["statistic"] == pytest.approx(
        found.car(0, 1)["car"].mean() / np.sqrt((by_day**2).mean()), rel=1e-9
    )


@pytest.mark.quick("sq", every=3)
@pytest.mark.parametrize("key", ALIKE)
def test_what_compares_rows_is_not_applicable_across_a_night(
    night: tuple[es.EventStudyResults, es.lab.SimulatedBars], key: str
) -> None:
    market, _ = laid(12, 3, n=16)
    found = night[0] if TESTS[key].most == 1 else in_the_night(market, 16 if key != "nguyen_wolf" else 4)
    held, free = (found.test(*window, tests=[key], n_resamples=99).iloc[0] for window in ((0, 2), (1, 2)))
    assert not held["applicable"]
    assert "holds a night or break" in held["note"]
    assert free["applicable"], free["note"]


def test_procedures_that_draw_bars_refuse_a_night() -> None:
    market, _ = laid(14, 4, n=4)
    found = in_the_night(market, 4)
    with pytest.raises(RequestError, match="night or break"):
        found.firm_tests(0, 2, adjust="romano-wolf")
    assert found.firm_tests(0, 2, adjust="holm")["dof"].max() < 20
    with pytest.raises(RequestError, match="night or break"):
        found.joint_test(0, 2)
    with pytest.raises(RequestError, match="night or break"):
        found.cross_section("car ~ 1", 0, 2, covariance="past")


def test_recommended_of_a_night_names_what_knows_it(
    night: tuple[es.EventStudyResults, es.lab.SimulatedBars],
) -> None:
    names = night[0].recommended(0, 0)["test"].tolist()
    assert names[0] == "time_of_day_t"
    assert set(names) <= {"time_of_day_t", "time_of_day_rank", "t"}
    assert "time_of_day_rank" not in names  # eight nights cannot give p below 0.1
    reason = night[0].recommended(0, 0).set_index("test")["reason"]
    assert "nights and breaks with nights and breaks" in reason["time_of_day_t"]
    assert f"exact with {night[0].car(0, 0)['dof'].iloc[0]:.4g} degrees of freedom" in reason["t"]


def test_days_have_no_times_of_day() -> None:
    market, _ = es.lab.simulate_market(3, 200, seed=1)
    events = [{"security": "S1", "date": market.sessions[150]}]
    found = es.EventStudy(market, events, estimation=(-100, -11), window=(-1, 1)).fit()
    note = found.test(0, 0, tests=["time_of_day_t"])["note"].iloc[0]
    assert "a test of bars" in note


def test_the_night_before_says_nothing_of_the_volatility_of_bars() -> None:
    """Forecasts of the volatility of bars pass over nights, which vary fifteen times as much."""
    market, _ = laid(23, 5)
    openings = market.sessions[np.flatnonzero(market.arrays.gap == Gap.NIGHT)]
    moment = openings[-1] + pd.Timedelta(minutes=40)
    event = {"security": market.securities[0], "announced_at": f"{moment:%Y-%m-%d %H:%M:%S}+08:00"}
    study = es.EventStudy(market, [event], estimation=(-202, -3), window=(-2, 6)).fit()
    data = study.fitted.test_input(es.Window(0, 0))
    at_night = data.abnormal.bars.gaps(slice(0, 2))
    assert at_night.sum() == 1
    ar = data.abnormal.ar.copy()
    ar[:, :2] = np.where(at_night, 20 * ar[:, :2], ar[:, :2])
    wild = TestInput(replace(data.abnormal, ar=ar), data.window)
    plain, other = (run_tests(x, ["filtered_sq"]).iloc[0] for x in (data, wild))
    assert other["statistic"] == plain["statistic"]
    # The forecast is of the bars before: those of the estimation window and the one after the night.
    e = np.append(
        scaled_residuals(data.abnormal.past.residuals(), data.abnormal.past.leverage())[0],
        np.where(at_night, np.nan, data.abnormal.ar[:, :2])[0],
    )
    sigma = ewma_volatility(e[:, None])[-1, 0]
    assert plain["statistic"] == pytest.approx(data.car[0] / sigma / np.sqrt(data.scale_of_sums[0]), rel=1e-9)


def test_degrees_of_freedom_of_sums_of_nights_and_bars() -> None:
    """Satterthwaite's by hand; a break whose variance is not taken from breaks counts as a bar."""
    night, bar = 4e-4, 1e-4
    kinds = np.array([[0, 2, 0, 0], [0, 2, 1, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 2, 2, 0]], dtype=np.int8)
    known = GapVariance(kinds, np.tile([np.nan, np.nan, night], (5, 1)), np.tile([0, 0, 30], (5, 1)))
    history = in_the_night(laid(23, 5)[0])
    study = history.fitted.test_input(es.Window(0, 0)).abnormal.bars
    windows = GapWindows(study.model, study.sample, np.arange(5), known)
    variance = np.array([night + 3 * bar, night + 3 * bar, night, 4 * bar, 2 * night + bar])
    seen = np.array([[True] * 4] * 4 + [[True, True, False, True]])
    mixed = (night + 3 * bar) ** 2 / (night**2 / 30 + (3 * bar) ** 2 / 100)
    rest = 2 * night + bar - night  # of the second night no return is seen
    wanted = [mixed, mixed, 30.0, 100.0, (2 * night + bar) ** 2 / (night**2 / 30 + rest**2 / 100)]
    dof = np.array([100.0, 100.0, 0.0, 100.0, 100.0])
    np.testing.assert_allclose(windows.dof(slice(0, 4), variance, dof, seen), wanted, rtol=1e-12)


def test_only_windows_with_a_night_span_one() -> None:
    results = in_the_night(laid(23, 5)[0])
    spans = {w: results.fitted.test_input(es.Window(*w)).spans_gap for w in ((0, 0), (-1, 1), (1, 3))}
    assert spans == {(0, 0): True, (-1, 1): True, (1, 3): False}
