"""Several announcements about one security: estimation windows that skip them, effects told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import OverlapWarning, RequestError
from eventstudy.results.overlapping_events import stacked_effects

DAYS = pd.bdate_range("2018-01-01", periods=420)


@pytest.fixture(scope="module")
def market() -> es.Market:
    rng = np.random.default_rng(1)
    index = rng.normal(0, 0.01, 420)
    frame = pd.DataFrame(rng.normal(0, 0.02, (420, 2)) + index[:, None], DAYS, ["A", "B"])
    return es.Market(frame.assign(index=index), benchmark="index")


def study(market: es.Market, rows: list[int], **options: object) -> es.EventStudy:
    events = {"security": ["A"] * len(rows), "date": DAYS[rows]}
    return es.EventStudy(market, events, estimation=(-200, -11), window=(-2, 4), **options)


def regression(market: es.Market, rows: np.ndarray) -> object:
    returns = market.returns.iloc[rows]
    return sm.OLS(returns["A"].to_numpy(), sm.add_constant(returns["index"].to_numpy())).fit()


def test_estimation_skips_other_announcements(market):
    """Against statsmodels on the days that remain; the later event's window lies behind the earlier one."""
    results = study(market, [300, 350, 260], exclude_events=True).fit()
    for i, day0 in enumerate([300, 350, 260]):
        rows = np.arange(day0 - 200, day0 - 10)
        others = [d for d in (300, 350, 260) if d != day0]
        rows = rows[~np.any([(rows >= d - 2) & (rows <= d + 4) for d in others], axis=0)]
        fit = regression(market, rows)
        found = results.parameters.iloc[i]
        assert found["n_obs"] == len(rows)
        np.testing.assert_allclose(found[["alpha", "beta"]].astype(float), fit.params, rtol=1e-10)
        assert found["sigma"] == pytest.approx(np.sqrt(fit.mse_resid), rel=1e-10)
    assert results.parameters["n_obs"].tolist() == [183, 176, 190]
    told = results.summary().sections[0].frame.loc["other announcements"].item()
    assert told == "their event windows are left out of 2 estimation windows, 7 to 14 days each"
    assert results.diagnostics()["missing_returns"].tolist() == [0, 0, 0]


def test_other_securities_and_dates_do_not_matter(market):
    events = pd.DataFrame({"security": ["A", "B"], "date": DAYS[[300, 250]]})
    make = {"estimation": (-200, -11), "window": (-2, 4)}
    plain = es.EventStudy(market, events, **make).fit()
    skipping = es.EventStudy(market, events, exclude_events=True, **make).fit()
    pd.testing.assert_frame_equal(plain.car(), skipping.car())
    told = skipping.summary().sections[0].frame.loc["other announcements"].item()
    assert told == "their event windows are left out of 0 estimation windows"


def test_events_that_cannot_be_used_are_skipped_too(market):
    """The first announcement has too little history to be studied, yet it is news."""
    with pytest.warns(es.errors.ExcludedEventsWarning):
        results = study(market, [100, 280], exclude_events=True, min_observations=150).fit()
    assert results.timeline.index.tolist() == [1]
    assert results.parameters["n_obs"].tolist() == [183]


def test_a_warning_names_the_ways_out(market):
    with pytest.warns(OverlapWarning, match="exclude_events=True keeps such days"):
        study(market, [300, 350]).fit()
    with pytest.warns(OverlapWarning, match=r"has event 1 in its event window; event 1 has event 0"):
        study(market, [300, 302], exclude_events=True).fit()


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_trade_to_trade_returns_that_reach_into_a_window(market):
    """A return over three sessions whose first lies in the other's event window is skipped as well."""
    frame = market.returns
    frame.loc[DAYS[305:307], "A"] = np.nan  # the return of row 307 spans 305 to 307
    halted = es.Market(frame, benchmark="index", gaps="lumped")
    model = es.MarketModel(missing="trade_to_trade")
    rows = {}
    for day in (300, 301, 250):
        results = study(halted, [day, 380], model=model, exclude_events=True).fit()
        dates = results.fitted.abnormal.past.dates()[1]
        rows[day] = set(
            dates[~np.isnan(results.fitted.abnormal.past.residuals()[1])].astype("datetime64[D]").tolist()
        )
    lumped = DAYS[307].date()
    assert lumped in rows[250]
    assert lumped in rows[300]  # its window ends on row 304
    assert lumped not in rows[301]


def test_recipe_tells_it(market):
    results = study(market, [300, 350], exclude_events=True).fit()
    assert results.spec.exclude_events
    pooled = es.pool(
        [results, es.EventStudy(market, {"security": ["B"], "date": [DAYS[350]]}, window=(-2, 4)).fit()]
    )
    assert "their event windows are left out" in str(pooled.summary())


def test_windows_that_overlap_are_listed(market):
    with pytest.warns(OverlapWarning):
        results = study(market, [300, 303, 350]).fit()
    assert results.overlaps(0, 4).to_dict("records") == [
        {"security": "A", "event_id": 1, "earlier_event_id": 0, "sessions": 2}
    ]
    assert results.overlaps(0, 2).empty


def test_stacked_equals_separate_cars_without_overlap(market):
    """A dummy a day gives the ARs, here of one regression with the dummies of both events."""
    results = study(market, [300, 350], exclude_events=True).fit()
    found = results.stacked(0, 2)
    rows = np.unique(np.r_[np.arange(100, 290), np.arange(150, 340)])
    rows = rows[((rows < 298) | (rows > 304)) & ((rows < 348) | (rows > 354))]
    tested = np.r_[300:303, 350:353]
    everything = np.r_[rows, tested]
    returns = market.returns.iloc[everything]
    dummies = (everything[:, None] == tested).astype(float)
    x = np.column_stack([np.ones(len(everything)), returns["index"], dummies])
    fit = sm.OLS(returns["A"].to_numpy(), x).fit()
    for k, (event, line) in enumerate(found.iterrows()):
        pick = np.zeros(8)
        pick[2 + 3 * k : 5 + 3 * k] = 1.0
        t = fit.t_test(pick)
        assert line["car"] == pytest.approx(t.effect[0], rel=1e-9), event
        assert line["se"] == pytest.approx(t.sd.item(), rel=1e-9)
        assert line["dof"] == fit.df_resid
        assert line["p_value"] == pytest.approx(t.pvalue.item(), rel=1e-8)
    assert found["shared_days"].tolist() == [0, 0]


def test_one_announcement_is_its_own_car(market):
    results = study(market, [300]).fit()
    found, car = results.stacked(0, 3).iloc[0], results.car(0, 3).iloc[0]
    for name in ("car", "se", "t", "dof", "p_value", "ci_low", "ci_high", "n_days"):
        assert found[name] == pytest.approx(car[name], rel=1e-10), name


def test_stacked_intervals_of_one_side(market):
    results = study(market, [300, 350], exclude_events=True).fit()
    both, below = results.stacked(0, 2, level=0.9), results.stacked(0, 2, level=0.95, alternative="less")
    assert np.isneginf(below["ci_low"]).all()
    pd.testing.assert_series_equal(below["ci_high"], both["ci_high"])
    np.testing.assert_allclose(below["p_value"], stats.t.cdf(below["t"], below["dof"]))
    own = below["own_car"] / below["own_se"]
    np.testing.assert_allclose(below["own_p_value"], stats.t.cdf(own, below["dof"]))
    with pytest.raises(RequestError, match="alternative"):
        results.stacked(0, 2, alternative="down")


def test_stacked_shares_out_days_of_two_windows(market):
    """Two windows of four days that share two, by generalised algebra with statsmodels' covariance."""
    with pytest.warns(OverlapWarning):
        results = study(market, [300, 302]).fit()
    found = results.stacked(0, 3)
    rows = np.r_[100:298]
    rows = rows[rows < 292]
    tested = np.arange(300, 306)
    everything = np.r_[rows, tested]
    returns = market.returns.iloc[everything]
    x = np.column_stack(
        [np.ones(len(everything)), returns["index"], (everything[:, None] == tested).astype(float)]
    )
    fit = sm.OLS(returns["A"].to_numpy(), x).fit()
    d = np.array([[1, 0], [1, 0], [1, 1], [1, 1], [0, 1], [0, 1]], dtype=float)
    a = np.linalg.inv(d.T @ d) @ d.T
    np.testing.assert_allclose(found["car"], 4 * a @ fit.params[2:], rtol=1e-9)
    cov = a @ fit.cov_params()[2:, 2:] @ a.T
    np.testing.assert_allclose(found["se"], 4 * np.sqrt(np.diag(cov)), rtol=1e-9)
    assert found["shared_days"].tolist() == [2, 2]
    # Two separate CARs count the shared days twice.
    separate = results.car(0, 3)["car"].sum()
    assert abs(found["car"].sum() - separate) > 1e-4


def test_effects_are_found_again():
    d = np.array([[1, 0], [1, 1], [0, 1]], dtype=float)
    effects, cov = stacked_effects(d @ np.array([0.02, -0.05]), np.eye(3), d)
    np.testing.assert_allclose(effects, [0.02, -0.05])
    np.testing.assert_allclose(cov, np.linalg.inv(d.T @ d))


def test_what_cannot_be_told_apart(market):
    events = pd.DataFrame({"event_id": [0, 1], "security": "A", "date": DAYS[[300, 302]]})
    with pytest.warns(OverlapWarning):
        results = es.EventStudy(
            market, events, es.MarketAdjusted(), estimation=(-200, -11), window=(-2, 4)
        ).fit()
    with pytest.raises(RequestError, match="Market adjusted is not one"):
        results.stacked()
    sunday = pd.DataFrame({"security": "A", "date": ["2019-03-02", "2019-03-03"]})
    with pytest.warns(OverlapWarning):
        same = es.EventStudy(market, sunday, estimation=(-200, -11), window=(-2, 4)).fit()
    with pytest.raises(RequestError, match="announcements 0, 1 about A cannot be separated"):
        same.stacked(0, 1)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_what_a_reaction_of_one_day_to_a_neighbour_costs(market):
    """A fall of 10% on day 0 of A, nothing two days later: windows (0, 3) hand 6.7% to the second."""
    returns = market.returns.copy()
    fallen = returns.copy()
    fallen.iloc[300, fallen.columns.get_loc("A")] -= 0.1
    index = pd.Series(market.bank.single[0], DAYS, name="index")
    plain, moved = (
        study(es.Market(frame[["A", "B"]], benchmark=index), [300, 302], exclude_events=True).fit()
        for frame in (returns, fallen)
    )
    for window, spill in (((0, 2), -0.375), ((0, 3), -2 / 3)):
        before, after = plain.stacked(*window), moved.stacked(*window)
        change = after["car"] - before["car"]
        assert after.loc[1, "spill"] == pytest.approx(spill)
        assert change[1] == pytest.approx(-0.1 * spill, abs=1e-10)
        assert change[0] == pytest.approx(-0.1 * (1 + 1 / 8) if window == (0, 2) else -0.1 * 4 / 3, abs=1e-10)
        assert after.loc[1, "own_car"] == pytest.approx(before.loc[1, "own_car"], abs=1e-12)
        assert f"lands here with {spill:+.0%} of it" in after.loc[1, "note"]
    # The own days are days 1 and 2 beyond the shared one: their ARs, and the standard error of their sum.
    row = plain.stacked(0, 2).loc[1]
    rows = np.arange(100, 290)
    fit = regression(market, rows)
    days = market.returns.iloc[[303, 304]]
    x = np.column_stack([np.ones(2), days["index"] if "index" in days else index.iloc[[303, 304]]])
    ar = days["A"].to_numpy() - x @ fit.params
    assert row["own_car"] == pytest.approx(ar.sum(), abs=5e-3)
    assert row["own_p_value"] == pytest.approx(
        2 * stats.t.sf(abs(row["own_car"] / row["own_se"]), row["dof"])
    )


def test_without_overlap_nothing_spills(market):
    found = study(market, [300, 350], exclude_events=True).fit().stacked(0, 2)
    assert (found["spill"] == 0).all()
    assert (found["note"] == "").all()
    np.testing.assert_allclose(found["own_car"], found["car"])
    np.testing.assert_allclose(found["own_se"], found["se"])
    np.testing.assert_allclose(found["own_p_value"], found["p_value"])
