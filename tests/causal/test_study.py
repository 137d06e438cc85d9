"""CausalStudy from market to results: donors, cohorts, halts, inference and what is refused."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.causal.cohorts import lay_cohorts
from eventstudy.causal.kernels.completion import complete_matrix
from eventstudy.errors import (
    DataError,
    DataWarning,
    ExcludedEventsWarning,
    IncompleteWindowWarning,
    LumpedReturnWarning,
    ModelError,
    NoUsableEventsError,
    OverlapWarning,
    RequestError,
    SuspectDataWarning,
    WindowError,
)

DAYS, DONORS, FIRMS = 420, 30, 6
DATES = pd.bdate_range("2015-01-01", periods=DAYS)
ESTIMATORS = (
    es.causal.SyntheticControl(),
    es.causal.SyntheticControl(by="event"),
    es.causal.SyntheticMatching(),
    es.causal.SyntheticDiD(),
    es.causal.DifferenceInDifferences(),
    es.causal.InteractiveFixedEffects(),
    es.causal.InteractiveFixedEffects(2, "two-way"),
    es.causal.MatrixCompletion(1e-5),
)
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.label)


def simulated(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.01, (DAYS, 2))
    n = DONORS + FIRMS
    values = factors @ rng.normal(0.8, 0.3, (2, n)) + rng.normal(0, 0.012, (DAYS, n))
    names = [f"D{i}" for i in range(DONORS)] + [f"F{i}" for i in range(FIRMS)]
    return pd.DataFrame(values, index=DATES, columns=names)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    return simulated()


def events(*firms: int, at: int = 320, step: int = 0) -> list[dict[str, object]]:
    return [{"security": f"F{firm}", "date": DATES[at + step * k]} for k, firm in enumerate(firms)]


def fit(returns: pd.DataFrame, *firms: int, step: int = 0, **options: object) -> es.CausalResults:
    market = es.Market(returns, gaps="lumped")
    return es.CausalStudy(market, events(*firms, step=step), **options).fit()  # type: ignore[arg-type]


@pytest.mark.quick(every=4)
@every_estimator
def test_effect_of_a_simulated_event_is_found(
    returns: pd.DataFrame, estimator: es.causal.CounterfactualEstimator
) -> None:
    moved = returns.copy()
    moved.iloc[320, DONORS : DONORS + 3] += 0.08
    with_effect, without = (fit(frame, 0, 1, 2, estimator=estimator) for frame in (moved, returns))
    change = with_effect.by_event - without.by_event
    np.testing.assert_allclose(change[0], 0.08, atol=1e-9)
    np.testing.assert_allclose(change.drop(columns=0), 0.0, atol=1e-9)
    assert with_effect.path.gap[with_effect.path.days == 0][0] == pytest.approx(
        without.path.gap[without.path.days == 0][0] + 0.08, abs=1e-9
    )


@pytest.mark.quick(every=4)
@every_estimator
def test_staggered_events_equal_cohorts_one_by_one(
    returns: pd.DataFrame, estimator: es.causal.CounterfactualEstimator
) -> None:
    together = fit(returns, 0, 1, 2, 3, step=9, estimator=estimator, donors=[f"D{i}" for i in range(DONORS)])
    market = es.Market(returns)
    for k in range(4):
        alone = es.CausalStudy(
            market, [events(0, 1, 2, 3, step=9)[k]], estimator, donors=[f"D{i}" for i in range(DONORS)]
        ).fit()
        np.testing.assert_allclose(together.by_event.iloc[k], alone.by_event.iloc[0], rtol=0, atol=1e-12)
    if not isinstance(estimator, es.causal.SyntheticMatching):
        mean = together.by_event.mean()
        np.testing.assert_allclose(together.path.gap[-11:], mean, rtol=0, atol=1e-12)


@pytest.mark.quick(every=4)
@every_estimator
def test_order_and_unit_of_securities_do_not_matter(
    returns: pd.DataFrame, estimator: es.causal.CounterfactualEstimator
) -> None:
    plain = fit(returns, 0, 1, 2, estimator=estimator)
    order = np.random.default_rng(1).permutation(returns.shape[1])
    shuffled = fit(returns.iloc[:, order], 2, 0, 1, estimator=estimator)
    np.testing.assert_allclose(
        plain.by_event.to_numpy(), shuffled.by_event.iloc[[1, 2, 0]].to_numpy(), rtol=0, atol=1e-9
    )


def test_results_hang_together(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, 1, 2)
    effects = results.day_effects("placebo")
    catt = results.catt(0, 3, test="placebo")
    average = results.average(0, 3, test="placebo")
    assert catt["catt"].iloc[0] == pytest.approx(effects["effect"].loc[0:3].sum())
    assert average["average"].iloc[0] == pytest.approx(catt["catt"].iloc[0] / 4)
    assert average["se"].iloc[0] == pytest.approx(catt["se"].iloc[0] / 4)
    assert average["p_value"].iloc[0] == catt["p_value"].iloc[0]
    np.testing.assert_allclose(results.weights.sum(), 1.0, atol=1e-12)
    both = results.counterfactual.loc[:, 0:] + results.by_event
    actual = returns[["F0", "F1", "F2"]].iloc[320:331].T.to_numpy()
    np.testing.assert_allclose(both.to_numpy(), actual, atol=1e-12)


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("figure", ["path", "gap", "placebos", "weights", "balance"])
def test_figures_hand_keywords_on(figure: str, returns: pd.DataFrame) -> None:
    ax = getattr(fit(returns, 0).plot, figure)(title="Mine", zorder=7.25)
    assert ax.get_title() == "Mine"
    assert any(artist.get_zorder() == 7.25 for artist in ax.get_children())


def test_diagnostics_show_optimal_weights(returns: pd.DataFrame) -> None:
    found = fit(returns, 0, 1).diagnostics()
    assert (found["kkt"] <= 1e-9).all()
    assert found["unique"].all()
    assert found["inside"].all()
    assert found["n_donors"].iloc[0] == DONORS + FIRMS - 2


def test_donors_are_left_out_with_reasons(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.loc[DATES[322], "D1"] = np.nan
    frame["D2"] = 0.0
    asked = [
        {"security": "F0", "date": DATES[320], "label": "ban"},
        {"security": "F1", "date": DATES[330], "label": "other"},
        {"security": "D3", "date": DATES[30], "label": "ban"},
    ]
    market = es.Market(frame)
    with pytest.warns(ExcludedEventsWarning, match="D3"):
        results = es.CausalStudy(market, asked, exclude={"D4": "sells to F0"}).fit()
    donors = results.donors.query("date == @DATES[320]").set_index("security")["reason"]
    assert donors["F0"] == "treated on this date"
    assert donors["D3"] == "named in the same announcement"
    assert donors["D4"] == "sells to F0"
    assert "event of its own on 2016-04-07" in donors["F1"]
    assert "lacks 2 of 231 days" in donors["D1"]  # the day, and the next return spans it
    assert "do not vary" in donors["D2"]
    assert donors["D5"] == ""


def test_a_return_over_a_halt_meets_that_of_the_donors_over_the_same_sessions(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[310:320, frame.columns.get_loc("F0")] = np.nan
    with pytest.warns(LumpedReturnWarning, match="over 11 sessions"):
        results = fit(frame, 0)
    weights = results.weights.iloc[:, 0]
    held = frame[weights.index].iloc[310:321]
    expected = ((1 + held).prod() - 1) @ weights
    assert results.by_event.loc[0, 0] == pytest.approx(frame["F0"].iloc[320] - expected, abs=1e-12)


def test_matrix_completion_completes_the_sessions_of_a_halt(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    f0 = frame.columns.get_loc("F0")
    frame.iloc[310:320, f0] = np.nan
    estimator = es.causal.MatrixCompletion(2e-5)
    with pytest.warns(LumpedReturnWarning, match="their completed returns, compounded"):
        results = fit(frame, 0, estimator=estimator)
    rows = np.r_[70:290, 320:331, 310:320]  # estimation, window, and the halt, which lies between them
    values = frame.iloc[rows].to_numpy()[:, [*range(DONORS + FIRMS)]].copy()
    seen = np.ones(values.shape, dtype=bool)
    seen[220:, f0] = False
    completed = complete_matrix(np.where(seen, values, 0.0), seen, 2e-5).fitted[:, f0]
    expected = np.prod(1 + completed[[*range(231, 241), 220]]) - 1
    assert results.by_event.loc[0, 0] == pytest.approx(frame["F0"].iloc[320] - expected, abs=1e-9)


def test_matrix_completion_loses_no_day_to_the_halt_of_one_firm(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[80:200, frame.columns.get_loc("F1")] = np.nan
    results = fit(frame, 0, 1, estimator=es.causal.MatrixCompletion(1e-4))
    assert results.diagnostics()["n_days"].iloc[0] == 220
    assert np.isfinite(results.by_event.to_numpy()).all()
    assert np.isfinite(results.test(0, 1, tests=["placebo"], n_draws=19)["p_value"].iloc[0])
    assert np.isfinite(results.spillover(start=0, end=1)["catt"]).all()
    compared = es.compare_counterfactuals(
        results, 0, 0, estimators=[es.causal.SyntheticControl()], n_draws=19
    )
    with pytest.warns(DataWarning, match="trade together"):
        alone = fit(frame, 0, 1).catt(0, 0)["catt"].iloc[0]
    assert compared.frame.loc["Synthetic control by date", "catt"] == pytest.approx(alone, abs=1e-12)


@pytest.mark.slow
def test_no_counterfactual_of_a_halt_over_a_session_that_no_donor_traded(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[310:320, frame.columns.get_loc("F0")] = np.nan
    frame.iloc[315] = np.nan
    frame["index"] = 0.0
    market = es.Market(frame, gaps="lumped")
    donors = [f"D{i}" for i in range(DONORS)]
    with (
        pytest.warns(LumpedReturnWarning, match="the effect is missing"),
        pytest.warns(IncompleteWindowWarning, match=r"has days \+1 to \+10"),
    ):
        results = es.CausalStudy(market, events(0), es.causal.MatrixCompletion(2e-5), donors).fit()
    assert np.isnan(results.by_event.loc[0, 0])


def test_missing_days_are_never_zero(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[200, :] = np.nan  # the exchange was shut
    frame.iloc[321:, frame.columns.get_loc("F1")] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        warnings.simplefilter("ignore", IncompleteWindowWarning)
        kept = es.CausalStudy(es.Market(frame, gaps="lumped", sessions="data"), events(0, 1)).fit()
        results = fit(frame, 0, 1)
    assert kept.diagnostics()["n_days"].iloc[0] == 218  # and the next returns span two sessions
    assert results.diagnostics()["n_days"].iloc[0] == 220  # a row on which nothing trades is not a session
    for each in (kept, results):
        assert each.effects["n_events"].tolist() == [2] + [1] * 10


def test_a_hole_that_nobody_explained_is_refused_of_treated_and_not_of_donors(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[310:320, frame.columns.get_loc("D0")] = np.nan
    assert len(es.CausalStudy(es.Market(frame), events(0)).fit().by_event) == 1
    frame.iloc[310:320, frame.columns.get_loc("F0")] = np.nan
    with pytest.raises(DataError, match="gaps='lumped'"):
        es.CausalStudy(es.Market(frame), events(0)).fit()


def test_halts_of_one_firm_that_cost_the_others_their_days_are_told(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[80:200, frame.columns.get_loc("F1")] = np.nan
    with pytest.warns(DataWarning, match="trade together on 99 of 220"):
        fit(frame, 0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(frame, 0, 1, estimator=es.causal.SyntheticControl(by="event")).n_dates == 1


def test_window_that_ends_after_the_data(returns: pd.DataFrame) -> None:
    market = es.Market(returns)
    with pytest.warns(IncompleteWindowWarning, match=r"event 0 \(F0\) has days \+0 to \+4.*catt\(0, 4\)"):
        results = es.CausalStudy(market, events(0, at=415)).fit()
    assert results.catt(0, 10)["n_days"].iloc[0] == 5
    assert "outside of the data" in str(results.summary())
    with pytest.raises(WindowError, match="no effect on any day"):
        results.catt(6, 10)


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (0, 322, r"\+0 to \+1.*catt\(0, 1\)"),
        (319, 420, r"-1 to \+10.*catt\(-1, 10\)"),
        (0, 321, r"-5 to \+0"),
    ],
)
def test_a_firm_whose_returns_do_not_cover_the_window_is_named(
    begins: int, ends: int, told: str, returns: pd.DataFrame
) -> None:
    frame = returns.copy()
    hidden = frame.columns.get_loc("F0")
    frame.iloc[ends:, hidden] = np.nan
    frame.iloc[310:begins, hidden] = np.nan
    window = (0, 10) if told.startswith(r"\+") else (-5, 10)
    with pytest.warns() as heard:
        fit(frame, 0, 1, window=window)
    said = [str(each.message) for each in heard if each.category is IncompleteWindowWarning]
    assert len(said) == 1
    assert re.search(rf"The returns of 1 event .* has days {told}", said[0])


def test_a_window_on_which_the_market_was_shut_is_covered(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.iloc[330] = np.nan
    market = es.Market(frame, gaps="lumped", sessions="data")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        es.CausalStudy(market, events(0, 1), window=(0, 10)).fit()


def test_more_donors_than_days_is_solved_exactly(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, estimation=(-50, -31), min_observations=15)
    assert results.diagnostics()["kkt"].iloc[0] <= 1e-9


def test_twin_donors_are_warned_of(returns: pd.DataFrame) -> None:
    leader = fit(returns, 0).weights.iloc[:, 0].idxmax()
    with pytest.warns(DataWarning, match="several sets of weights"):
        results = fit(returns.assign(twin=returns[leader]), 0)
    assert not results.diagnostics()["unique"].iloc[0]


def test_two_events_of_one_firm_are_warned_of(returns: pd.DataFrame) -> None:
    with pytest.warns(OverlapWarning, match="F0"):
        fit(returns, 0, 0, step=20)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda r: es.Market(r * 100), DataError, "Divide by 100"),
        (lambda r: es.CausalStudy(r, events(0)), RequestError, "Market.from_prices"),
        (lambda r: es.CausalStudy(es.Market(r), events(0), es.MarketModel()), ModelError, "EventStudy"),
        (lambda r: es.CausalStudy(es.Market(r), events(0), es.causal.SyntheticDiD), ModelError, "instance"),
        (lambda r: es.CausalStudy(es.Market(r, kind="log"), events(0)), ModelError, "kind='simple'"),
        (lambda r: fit(r, 0, donors=["D0", "X"]), ModelError, "'X'"),
        (lambda r: fit(r, 0, donors="D0"), RequestError, "a list"),
        (lambda r: fit(r, 0, donors=[]), RequestError, "empty"),
        (lambda r: fit(r, 0, donors=["D0"]), NoUsableEventsError, "min_donors=10"),
        (lambda r: fit(r, 0, donors=["F0"]), NoUsableEventsError, "no security is left"),
        (lambda r: fit(r, 0, exclude=["Z"]), RequestError, "'Z'"),
        (lambda r: fit(r, 0, window=(-40, 5)), WindowError, "overlaps"),
        (lambda r: fit(r, 0, min_observations=5), RequestError, "min_observations"),
        (lambda r: fit(r, 0, estimator=es.causal.InteractiveFixedEffects(60)), ModelError, "donors"),
        (lambda r: fit(r, 0).catt(0, 20), RequestError, "(0, +20)"),
        (lambda r: fit(r, 0).catt(level=95), RequestError, "between 0 and 1"),
        (lambda r: fit(r, 0).test(tests=["t"]), RequestError, "placebo"),
        (lambda r: fit(r, 0).time_weights, RequestError, "SyntheticDiD"),
        (lambda r: fit(r, 0).factors, RequestError, "InteractiveFixedEffects"),
        (lambda r: fit(r, 0, 1, step=20).plot.weights(), RequestError, "name one"),
        (lambda r: es.causal.SyntheticControl(by="month"), ModelError, "by"),  # type: ignore[arg-type]
        (lambda r: es.causal.MatrixCompletion(-1.0), ModelError, "penalty"),
        (lambda r: es.compare_counterfactuals(r), RequestError, "CausalStudy"),
    ],
)
def test_what_is_refused_says_what_to_do(returns: pd.DataFrame, make, error, told: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=re.escape(told)):
        make(returns)


def test_one_donor_has_an_effect_and_no_placebo(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, donors=["D0"], min_donors=1)
    table = results.test(0, 5)
    assert not table.loc["placebo", "applicable"]
    assert table.loc["conformal_block", "applicable"]
    assert results.recommended()["test"].tolist() == ["conformal_block"]


def test_every_test_has_a_row_and_draws_follow_the_seed(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, 1, 2, estimator=es.causal.InteractiveFixedEffects(2))
    table = results.test(0, 2, seed=3, n_draws=49)
    assert list(table.index) == list(es.causal.CAUSAL_TESTS)
    assert table.loc["parametric_bootstrap", "applicable"]
    assert table.loc["jackknife", "applicable"]
    again = fit(returns, 0, 1, 2, estimator=es.causal.InteractiveFixedEffects(2))
    again = again.test(0, 2, seed=3, n_draws=49)
    pd.testing.assert_frame_equal(table, again)
    some = results.test(0, 2, tests=["conformal_iid"], seed=3, n_draws=49)
    assert some["p_value"].iloc[0] == table.loc["conformal_iid", "p_value"]
    other = results.test(0, 2, tests=["placebo"], seed=4, n_draws=49)
    assert other["statistic"].iloc[0] == table.loc["placebo", "statistic"]


def test_interval_of_the_placebo_test_is_its_inversion(returns: pd.DataFrame) -> None:
    """An effect at the end of the interval is not rejected, one beyond it is."""
    results = fit(returns, 0, 1, 2)
    row = results.test(0, 0, tests=["placebo"], level=0.9).iloc[0]
    for end, beyond in ((row["ci_low"], -1e-6), (row["ci_high"], 1e-6)):
        for shift, rejected in ((0.0, False), (beyond, True)):
            moved = returns.copy()
            moved.iloc[320, DONORS : DONORS + 3] -= end + shift
            p = fit(moved, 0, 1, 2).test(0, 0, tests=["placebo"])["p_value"].iloc[0]
            assert (p <= 0.1) == rejected


def test_dates_whose_windows_overlap_are_one_cluster(returns: pd.DataFrame) -> None:
    apart = fit(returns, 0, 1, 2, 3, step=4).test(0, 3, tests=["date_t"]).iloc[0]
    close = fit(returns, 0, 1, 2, 3, step=4).test(0, 4, tests=["date_t"]).iloc[0]
    assert apart["dof"] == 3
    assert not close["applicable"]
    assert "overlap" in close["note"]


def test_t_over_dates_is_that_of_the_mean(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, 1, 2, 3, step=15)
    sums = results.by_event.loc[:, 0:2].sum(axis=1)
    row = results.test(0, 2, tests=["date_t"]).iloc[0]
    assert row["statistic"] == pytest.approx(2 * sums.mean() / sums.std(ddof=1))


def test_recommended_follows_the_design(returns: pd.DataFrame) -> None:
    one = fit(returns, 0, 1, 2)
    assert one.recommended()["test"].iloc[0] == "placebo"
    assert "one observation" in str(one.summary())
    volatile = returns.copy()
    volatile.iloc[320:331] += np.random.default_rng(5).normal(0, 0.06, (11, returns.shape[1]))
    advised = set(fit(volatile, 0, 1, 2).recommended(0, 10)["test"])
    assert "conformal_block" not in advised
    assert "conformal_block_scaled" in advised
    names = [{"security": f"F{k % FIRMS}", "date": DATES[k]} for k in range(270, 402, 12)]
    many = es.CausalStudy(es.Market(returns), names, donors=[f"D{i}" for i in range(DONORS)])
    with pytest.warns(OverlapWarning):
        assert many.fit().recommended()["test"].iloc[0] == "date_t"


def test_robustness_frames(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, 1)
    left = results.leave_one_out(0, 1)
    whole = results.catt(0, 1)["catt"].iloc[0]
    first = str(left.index[0])
    alone = fit(returns.drop(columns=first), 0, 1).catt(0, 1)["catt"].iloc[0]
    assert left["catt"].iloc[0] == pytest.approx(alone, abs=1e-12)
    assert left["change"].iloc[0] == pytest.approx(alone - whole, abs=1e-12)
    halves = results.spillover(start=0, end=1)
    assert halves.loc["all", "catt"] == pytest.approx(whole)
    assert halves.loc["more exposed", "donors_move"] == -halves.loc["less exposed", "donors_move"]
    assert len(results.pseudo_dates(0, 1)) > 19


def test_spillover_shows_in_the_exposed_half(returns: pd.DataFrame) -> None:
    hit = returns.copy()
    exposed = [f"D{i}" for i in range(DONORS // 2)]
    hit.iloc[320, hit.columns.get_indexer(["F0", *exposed])] -= 0.10
    results = fit(hit, 0, donors=[f"D{i}" for i in range(DONORS)])
    halves = results.spillover(dict.fromkeys(exposed, 1.0), 0, 0)
    assert halves.loc["more exposed", "catt"] > halves.loc["less exposed", "catt"] + 0.08
    assert halves.loc["more exposed", "donors_move"] < -0.08


def test_comparison_finds_the_bias_of_a_market_model() -> None:
    """An omitted factor moves on the day; firms that load on it more are treated."""
    rng = np.random.default_rng(2)
    n, days = 80, 380
    market, size = rng.normal(0, 0.01, days), rng.normal(0, 0.006, days)
    size[320] = 0.03
    load = np.r_[np.full(10, 1.5), rng.normal(1, 0.4, n - 10)]
    values = np.outer(market, rng.normal(1, 0.2, n)) + np.outer(size, load) + rng.normal(0, 0.01, (days, n))
    dates = pd.bdate_range("2015-01-01", periods=days)
    frame = pd.DataFrame(values, index=dates, columns=[f"S{i}" for i in range(n)])
    world = es.Market(frame, benchmark=pd.Series(market, dates, name="index"))
    asked = [{"security": f"S{i}", "date": dates[320]} for i in range(10)]
    results = es.CausalStudy(world, asked, window=(0, 1)).fit()
    found = es.compare_counterfactuals(
        results, 0, 0, estimators=[es.causal.SyntheticControl(), es.causal.InteractiveFixedEffects()]
    )
    model = found.frame.iloc[0]
    assert model["catt"] > 0.035  # without any effect
    assert model["bias"] == pytest.approx(model["catt"], abs=0.01)
    assert found.frame["bias"].iloc[1:].abs().max() < 0.01
    assert "volatile" in found.verdict
    assert "counterfactual from donors" in found.verdict
    assert str(found.summary())


@pytest.mark.slow
def test_calibration_copies_the_design_of_a_study(returns: pd.DataFrame) -> None:
    market = es.Market(returns)
    study = es.CausalStudy(market, events(0, 1), window=(0, 1))
    found = es.lab.calibrate(study, n_samples=40, n_resamples=39, seed=1)
    again = es.lab.calibrate(study, n_samples=40, n_resamples=39, seed=1, n_jobs=2)
    np.testing.assert_array_equal(found.p_values, again.p_values)
    frame = found.frame
    whole = frame[frame["days"] == "all"].set_index("test")
    assert whole.loc["placebo", "n_samples"] == 40
    assert whole.loc["date_t", "n_samples"] == 0
    assert whole["rate"].drop("date_t").max() < 0.3
    calm, volatile = (frame[frame["days"] == kind]["n_samples"].iloc[0] for kind in ("calm", "volatile"))
    assert calm + volatile == 40
    assert found.plot().get_title() == "Size, all days"
    assert found.plot(title="Mine").get_title() == "Mine"
    with pytest.raises(RequestError, match="day 0"):
        es.lab.calibrate(study, 1, 1, n_samples=1)


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_report_is_one_page(returns: pd.DataFrame, tmp_path: Path) -> None:
    page = fit(returns, 0, 1).report(tmp_path / "report.html", 0, 1, question="Did <it> move?")
    text = page.read_text(encoding="utf-8")
    assert "Did &lt;it&gt; move?" in text
    assert text.count("<img") == 5
    assert "add up to" in text


def test_cohorts_hold_complete_arrays(returns: pd.DataFrame) -> None:
    results = fit(returns, 0, 1, step=3)
    cohorts, reasons = lay_cohorts(results.spec, results.sample)
    assert not reasons
    for cohort in cohorts:
        assert not np.isnan(cohort.donors).any()
        assert not np.isnan(cohort.treated[: cohort.n_pre]).any()
        assert cohort.donors.shape == (231, len(cohort.donor_names))


def test_data_that_looks_wrong_is_told_of_treated_and_donors(returns: pd.DataFrame) -> None:
    def study(firm: str, **options: object) -> es.CausalStudy:
        prices = 50 * (1 + returns).cumprod()
        prices.loc[DATES[320] :, firm] /= 5
        return es.CausalStudy(es.Market.from_prices(prices), events(0), **options)  # type: ignore[arg-type]

    with pytest.warns(SuspectDataWarning, match=r"Data of 1 donor in the event .*D3: large return .*5 to 1"):
        found = study("D3").fit()
    assert found.suspects.empty
    study("D3", exclude=["D3"]).fit()
    with pytest.warns(SuspectDataWarning, match="windows of 1 of 1 event looks wrong.* of F0 on"):
        found = study("F0").fit()
    assert found.suspects["kind"].tolist() == ["large return"]


def test_a_number_of_draws_is_refused_under_its_own_name(returns: pd.DataFrame) -> None:
    with pytest.raises(RequestError, match="n_draws must be a whole number from 1 on"):
        fit(returns, 0).catt(0, 1, n_draws=0)
