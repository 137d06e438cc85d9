"""Each event on its own: announcements about one firm, shrunk CARs, and how far to trust them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference.dependence.mean_correlation import correlation_matrix
from eventstudy.inference.procedures.shrinkage import exaggeration, shrink
from eventstudy.inference.procedures.unforeseen import unforeseen

DAYS = [180, 330, 480, 630]


@pytest.fixture(scope="module")
def firm():
    """Four announcements about one firm, of which the second moved it by -12%."""
    rng = np.random.default_rng(2)
    dates, market = pd.bdate_range("2018-01-01", periods=660), rng.normal(0, 0.01, 660)
    returns = market + rng.normal(0, 0.015, 660)
    returns[330] -= 0.12
    table = es.Market(pd.DataFrame({"A": returns}, dates), benchmark=pd.Series(market, dates, name="i"))
    events = pd.DataFrame({"security": "A", "date": dates[DAYS], "label": list("wxyz")})
    return es.EventStudy(table, events, estimation=(-140, -11), window=(-1, 1)).fit()


def test_each_announcement_has_a_row_of_its_own(firm):
    frame = firm.by_event(0, 0)
    assert frame["label"].tolist() == list("wxyz")
    cars = firm.car(0, 0)
    for name in ("car", "se", "t", "dof", "ci_low", "ci_high"):
        np.testing.assert_array_equal(frame[name], cars[name])
    np.testing.assert_array_equal(frame["p_t"], cars["p_value"])
    for row in range(4):
        alone = es.EventStudy(
            firm.spec.market, firm.spec.events.frame.iloc[[row]], estimation=(-140, -11), window=(-1, 1)
        ).fit()
        p = alone.test(0, 0, tests=["sq", "filtered_sq"])["p_value"].tolist()
        assert frame[["p_sq", "p_filtered_sq"]].iloc[row].tolist() == p
    assert (frame["p_adjusted"] >= frame["p_t"]).all()
    assert (frame["p_adjusted"] < 0.01).tolist() == [False, True, False, False]


@pytest.mark.parametrize("adjust", ["romano-wolf", "holm", "bh"])
def test_adjusted_p_values_are_never_below_raw_ones(firm, adjust):
    for side in ("two-sided", "less", "greater"):
        frame = firm.by_event(0, 1, adjust=adjust, alternative=side)
        assert (frame["p_adjusted"] >= frame["p_t"]).all()


def test_one_side(firm):
    less = firm.by_event(0, 0, alternative="less")
    assert less["p_t"].iloc[1] == pytest.approx(firm.by_event(0, 0)["p_t"].iloc[1] / 2)
    assert np.isinf(less["ci_low"]).all()
    with pytest.raises(RequestError, match="alternative must be one of"):
        firm.by_event(0, 0, alternative="down")


def test_summary_leads_with_the_events_of_one_firm(firm):
    captions = [section.caption for section in firm.summary(0, 0).sections]
    assert captions.index("Each announcement on its own") < captions.index("Averages over events")
    shown = firm.summary(0, 0).sections[captions.index("Each announcement on its own")].frame
    assert shown["p adjusted"].tolist() == firm.by_event(0, 0)["p_adjusted"].tolist()
    reason = firm.recommended(0, 0)["reason"].iloc[0]
    assert reason.startswith("all 4 events are of one security: results.by_event() tests each on its own")


@pytest.mark.usefixtures("no_pictures")
def test_the_report_leads_with_the_events_of_one_firm(firm, tmp_path):
    firm.report(tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "1 of the 4 announcements" in page


def test_shrunk_is_the_posterior_of_the_cars(firm):
    frame = firm.shrunk(0, 0)
    data = firm.fitted.test_input(firm.fitted.checked_window(0, 0))
    fit, se = data.abnormal, np.sqrt(data.cumulative.variance)
    related = correlation_matrix(fit.past.residuals(), fit.past.dates(), data.tested_dates)
    found = shrink(data.car, np.outer(se, se) * related)
    np.testing.assert_array_equal(frame["mean"], found.mean)
    np.testing.assert_array_equal(frame["prob_negative"], found.prob_negative)
    assert frame["rank"].idxmin() == 1
    assert frame.attrs["common_sd"] == found.common_sd
    with pytest.raises(RequestError, match="at least 3 events"):
        es.EventStudy(
            firm.spec.market, firm.spec.events.frame.iloc[:2], estimation=(-140, -11), window=(-1, 1)
        ).fit().shrunk()


def test_credibility_of_a_plausible_effect(firm):
    frame = firm.credibility(0.02, 0, 0)
    cars = firm.car(0, 0)
    expected = exaggeration(0.02, cars["se"].iloc[2], cars["dof"].iloc[2])
    assert tuple(frame.iloc[2][["power", "type_s", "type_m"]]) == pytest.approx(expected)
    assert frame["bayes_factor"].idxmax() == 1
    with pytest.raises(RequestError, match="it cannot be 0"):
        firm.credibility(0.0)
    for alpha in (0, 1, 5, "0.05"):
        with pytest.raises(RequestError, match="alpha"):
            firm.credibility(0.02, alpha=alpha)


@pytest.mark.parametrize(("rho", "rise", "end"), [(0.4, 1.0, 4), (0.0, 2.0, 0), (0.0, 1.0, 4)])
def test_single_events_in_autocorrelated_and_in_volatile_times(rho, rise, end):
    """Neither is in the standard error of a CAR: p_adjusted allows for it, and the note says it."""
    rng, n = np.random.default_rng(7), 60
    days, names = pd.bdate_range("2015-01-01", periods=260), [f"F{i}" for i in range(n)]
    errors = rng.normal(0, 0.015, (260, n))
    for t in range(1, 260):
        errors[t] += rho * errors[t - 1]
    errors[190:] *= rise
    news = {"security": names, "date": days[rng.integers(212, 250, n)]}
    results = es.EventStudy(
        es.Market(pd.DataFrame(errors, days, names)), news, es.ConstantMean(), (-180, -23)
    ).fit()
    found = results.by_event(0, end)
    t = found["t"] / unforeseen(results.fitted.test_input(es.Window(0, end)))
    assert 0.7 < t.var() < 1.6
    assert (found["t"].var() > 1.7) == (rho > 0 or rise > 1)
    assert found["p_adjusted"].min() > 0.05
    assert (found["note"] != "").mean() > 0.2 or (rho == 0 and rise == 1)
    assert ("which p_t does not know" in str(found)) == (found["note"] != "").any()


def test_holm_says_where_tails_are_fat():
    rng = np.random.default_rng(3)
    days, names = pd.bdate_range("2015-01-01", periods=260), [f"F{i}" for i in range(4)]
    news = {"security": names, "date": days[[200, 210, 220, 230]]}
    for draw, told in ((rng.standard_normal, False), (lambda size: rng.standard_t(4, size), True)):
        market = es.Market(pd.DataFrame(0.01 * draw((260, 4)), days, names))
        results = es.EventStudy(market, news, es.ConstantMean(), (-150, -11)).fit()
        holm = results.firm_tests(0, 0, adjust="holm")["note"].str.contains("residuals have a kurtosis of")
        assert holm.all() == holm.any() == told
        assert not results.firm_tests(0, 0)["note"].str.contains("kurtosis").any()
