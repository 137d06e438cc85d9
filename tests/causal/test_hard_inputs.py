"""Inputs at the edge of a causal study: exact matches, halts among placebos, single donors, odd arguments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.causal.kernels.simplex import simplex_least_squares
from eventstudy.errors import (
    DataWarning,
    IncompleteWindowWarning,
    LumpedReturnWarning,
    ModelError,
    RequestError,
)

DAYS, DONORS = 140, 22
DATES = pd.bdate_range("2015-01-01", periods=DAYS)


@pytest.fixture
def returns() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    market = rng.normal(0, 0.01, DAYS)
    values = np.outer(market, rng.normal(1, 0.2, DONORS + 2)) + rng.normal(0, 0.01, (DAYS, DONORS + 2))
    return pd.DataFrame(values, DATES, [f"D{i}" for i in range(DONORS)] + ["F", "G"])


def fit(
    returns: pd.DataFrame,
    *firms: str,
    estimator: es.causal.CounterfactualEstimator | None = None,
    **options: int,
) -> es.CausalResults:
    events = [{"security": firm, "date": DATES[120]} for firm in firms or ("F",)]
    market = es.Market(returns, gaps="lumped")
    donors = [name for name in returns if str(name)[0] in "DT"]
    return es.CausalStudy(
        market, events, estimator, donors, estimation=(-100, -11), window=(0, 5), **options
    ).fit()


@pytest.mark.parametrize("estimator", [es.causal.SyntheticControl(), es.causal.SyntheticMatching()])
def test_a_donor_that_is_the_treated_itself_is_warned_of_and_leaves_no_inference(
    returns: pd.DataFrame, estimator: es.causal.CounterfactualEstimator
) -> None:
    with pytest.warns(DataWarning, match="same share under another name"):
        results = fit(returns.assign(D0=returns["F"]), estimator=estimator)
    table = results.test(0, 1)
    assert not table["applicable"].any()
    assert table["note"].str.contains("equals the treated").all()
    assert results.recommended().empty
    assert np.isnan(results.catt(0, 1)["p_value"].iloc[0])


def test_placebos_span_the_sessions_of_a_halt(returns: pd.DataFrame) -> None:
    """The treated returns after eight sessions, three of them before the event window."""
    frame = returns.copy()
    frame.loc[DATES[117] : DATES[121], "F"] = np.nan
    with pytest.warns(LumpedReturnWarning, match="over 6 sessions"):
        results = fit(frame)
    day0 = 122
    assert results.sample.day0[0] == day0
    drawn = results.placebos()
    wide = drawn.pivot(index="placebo", columns="day", values="gap")
    donors = [f"D{i}" for i in range(DONORS)]
    before = frame[donors].to_numpy()[day0 - 100 : day0 - 10]
    for name in ("D0", "D7"):
        j = donors.index(name)
        others = [other for other in donors if other != name]
        weights = simplex_least_squares(np.delete(before, j, axis=1), before[:, j]).weights
        gap = (frame[name] - frame[others] @ weights).to_numpy()
        assert wide.loc[name, 1] == pytest.approx(gap[day0 + 1], abs=1e-10)
        assert wide.loc[name, 0] == pytest.approx(gap[day0 - 5 : day0 + 1].sum(), abs=1e-10)
    table = results.test(0, 1)
    assert table.loc["placebo", "applicable"]
    for key in ("conformal_block", "conformal_block_scaled", "cross_fit_t", "placebo_time"):
        assert "over 6 sessions" in table.loc[key, "note"]
    assert results.test(1, 2).loc["conformal_block", "applicable"]
    assert set(results.recommended(0, 1)["test"]) == {"placebo"}


def test_in_a_group_of_placebos_one_firm_has_the_halt(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.loc[DATES[117] : DATES[119], "F"] = np.nan
    with pytest.warns(LumpedReturnWarning, match="over 4 sessions"):
        halted = fit(frame, "F", "G").placebos()
    traded = fit(returns, "F", "G").placebos()
    spread = [each[each["day"] == 0]["gap"].std() for each in (halted, traded)]
    # The variance of the mean of two firms, one of which has the error of four sessions: (1 + 4) / 2.
    assert (spread[0] / spread[1]) ** 2 == pytest.approx(2.5, rel=0.35)


def test_days_that_one_of_the_treated_lacks_are_said_to_be_untested(returns: pd.DataFrame) -> None:
    frame = returns.copy()
    frame.loc[DATES[122] :, "G"] = np.nan
    with pytest.warns(IncompleteWindowWarning, match=r"has days \+0 to \+1"):
        table = fit(frame, "F", "G").test(0, 4)
    for key in ("conformal_block", "conformal_block_scaled", "cross_fit_t"):
        assert "of 2 of 5 days" in table.loc[key, "note"]
    assert "days" not in fit(returns, "F", "G").test(0, 4).loc["cross_fit_t", "note"]


def test_one_donor_cannot_be_resampled(returns: pd.DataFrame) -> None:
    frame = returns[["D0", "F"]]
    results = fit(frame, estimator=es.causal.InteractiveFixedEffects(), min_donors=1)
    assert "cannot be resampled" in results.test(0, 1).loc["parametric_bootstrap", "note"]


def test_duplicate_donors_change_nothing_but_the_warning(returns: pd.DataFrame) -> None:
    plain = fit(returns)
    used = plain.weights.iloc[:, 0].idxmax()
    with pytest.warns(DataWarning, match="several sets of weights"):
        twins = fit(returns.assign(T1=returns[used], T2=returns[used]))
    np.testing.assert_allclose(twins.by_event, plain.by_event, atol=1e-9)


def test_a_donor_named_twice_counts_once(returns: pd.DataFrame) -> None:
    names = [f"D{i}" for i in range(12)]
    events = [{"security": "F", "date": DATES[120]}]
    asked = {"estimation": (-100, -11), "window": (0, 5)}
    once = es.CausalStudy(es.Market(returns), events, donors=names, **asked).fit()  # type: ignore[arg-type]
    twice = es.CausalStudy(es.Market(returns), events, donors=["D0", *names, "F"], **asked).fit()  # type: ignore[arg-type]
    np.testing.assert_array_equal(once.by_event, twice.by_event)


def test_event_on_the_last_day(returns: pd.DataFrame) -> None:
    with pytest.warns(IncompleteWindowWarning, match=r"has days \+0 only.*catt\(0, 0\)"):
        results = fit(returns.iloc[:121])
    total = results.catt(0, 5)
    assert total["n_days"].iloc[0] == 1
    assert total["p_value"].between(0, 1).all()


@pytest.mark.parametrize("exposure", [{"D0": "x"}, {"D0": np.nan, "D1": 1.0}])
def test_exposures_are_numbers(returns: pd.DataFrame, exposure: dict[str, float]) -> None:
    with pytest.raises(RequestError, match="exposure of D0"):
        fit(returns).spillover(exposure)


@pytest.mark.parametrize("penalty", ["a", True, float("nan"), -1.0, float("inf")])
def test_penalty_is_a_number(penalty: float) -> None:
    with pytest.raises(ModelError, match="penalty"):
        es.causal.MatrixCompletion(penalty)
