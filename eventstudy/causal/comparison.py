"""Factor models and counterfactuals of one study side by side, and when the factor model is safe."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import plotting
from eventstudy._typing import FloatArray
from eventstudy.causal.balance import factor_series
from eventstudy.causal.cohorts import Cohort, complete_days
from eventstudy.causal.estimators import (
    CounterfactualEstimator,
    InteractiveFixedEffects,
    MatrixCompletion,
    SyntheticControl,
    SyntheticDiD,
)
from eventstudy.causal.fitted import FittedCohort, fit_cohort, on_axis, weighted_mean
from eventstudy.causal.results import CausalResults
from eventstudy.causal.spec import CausalSpec
from eventstudy.causal.tables import MANY_DATES, VOLATILE
from eventstudy.errors import EventStudyWarning, ModelError, RequestError
from eventstudy.immutable import FrozenRecord, hand_out_copies
from eventstudy.market import Market
from eventstudy.models import CAPM, FamaFrench3, FamaFrench5, MarketModel, NormalReturnModel
from eventstudy.results.fitted import WindowLike
from eventstudy.study import EventStudy
from eventstudy.tables import Section, Table
from eventstudy.text import plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CounterfactualComparison", "compare_counterfactuals"]

#: A factor's move over this many of its standard deviations makes a day volatile.
LARGE_MOVE = 2.0
#: Days from which on a horizon is long: a gap in expected returns then adds up.
LONG = 60


@hand_out_copies("frame", "balance")
@dataclass(frozen=True, eq=False)
class CounterfactualComparison(FrozenRecord):
    """Factor models and counterfactual estimators of one study, with the balance behind each.

    Attributes
    ----------
    frame : DataFrame
        By method: catt, se, ci_low, ci_high, p_value, test, pre_rmse (mean gap before the event),
        bias (what the imbalance of the loadings, times what the factors did, adds to the sum).
    balance : DataFrame
        By (method, factor): imbalance (loading of the treated less that of the counterfactual, mean over
        the dates), shock (move of the factor over the window), shock_sd (the same in standard deviations of
        as many days), bias. The factor alpha is the mean gap before the event, times the days.
    verdict : str
        When the factor model is safe, by the rules of Goldsmith-Pinkham and Lyu (2025), for this study.
    window : Window

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> results = es.CausalStudy(market, events, window=(0, 2)).fit()
    >>> compared = es.compare_counterfactuals(results, 0, 0, n_draws=9)
    >>> compared.frame.index[:2].tolist()
    ['Market model (OLS)', 'Synthetic control by date']
    """

    frame: pd.DataFrame
    balance: pd.DataFrame
    verdict: str
    window: Window

    def summary(self) -> Table:
        """Compare the methods in one table, with the verdict below."""
        shown = dict.fromkeys(("catt", "se", "ci_low", "ci_high", "pre_rmse", "bias"), "{:.2%}")
        sections = (
            Section(self.frame, f"Sum of effects, {self.window}", shown),
            Section(
                self.balance.reset_index(),
                "Balance before the event, and what the factors did",
                {"imbalance": "{:.3f}", "shock": "{:.3f}", "shock_sd": "{:.2f}", "bias": "{:.2%}"},
                index=False,
            ),
        )
        return Table("Counterfactuals side by side", sections, (self.verdict,))

    def plot(self, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Effect of each method with its interval; further keyword arguments are those of `plot_forest`."""
        frame = self.frame.rename(columns={"catt": "car"}).rename_axis("event").reset_index()
        title = f"Sum of effects, {self.window}"
        defaults: dict[str, Any] = {"title": title, "sort": False, "label": "Effect and 95% interval"}
        ax = plotting.plot_forest(frame[["event", "car", "ci_low", "ci_high"]], ax=ax, **(defaults | kwargs))
        ax.set_xlabel("Sum of effects")
        return ax

    def __repr__(self) -> str:
        return f"{self.frame.to_string()}\n{self.verdict}"

    def _repr_html_(self) -> str:
        return self.summary().to_html()


def compare_counterfactuals(
    results: CausalResults,
    start: WindowLike = None,
    end: int | None = None,
    *,
    estimators: Sequence[CounterfactualEstimator] | None = None,
    models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel] | None = None,
    n_draws: int = 99,
    seed: int | None = 0,
) -> CounterfactualComparison:
    r"""Measure one study with factor models and with counterfactuals from donors, side by side.

    A factor model compares the treated with the factors it knows. What it leaves out stays in its abnormal
    return: the loading on an omitted factor times what the factor did,

    .. math:: \mathrm{bias} = n\,(\alpha_s - \tilde\alpha) + (\beta_s - \tilde\beta)' \sum_{t} F_t ,

    which does not average out over events whose dates the factor chose. Here the gap before the event is
    regressed on factors, of every method alike, and the slopes meet the factors of the event days.

    Parameters
    ----------
    results : CausalResults
        A study whose events, donors and windows all methods take.
    start, end : int, optional
        First and last relative day; the headline window, (0, +1), by default.
    estimators : sequence of CounterfactualEstimator, optional
        By default synthetic control, synthetic difference-in-differences, interactive fixed effects
        and matrix completion.
    models : sequence of models, or mapping of name to model, optional
        By default the market model (on the mean donor where the market has no benchmark), and CAPM and
        Fama-French models where the market has their factors.
    n_draws, seed : int
        As for `CausalResults.test`.

    Returns
    -------
    CounterfactualComparison
        ``.frame`` is the table, ``.balance`` what lies behind `bias`, ``.verdict`` a sentence.

    Notes
    -----
    Goldsmith-Pinkham and Lyu (2025, arXiv 2511.15123). The factors are those of the market where it has any,
    else the benchmark and principal components of what it leaves of the donors. `bias` is an estimate from
    loadings that are estimated themselves: it says how large the trouble may be, not what to subtract.
    Loadings fitted by positive weights lean towards the mean donor's, so that of the synthetic control's
    imbalance a part does not show.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> results = es.CausalStudy(market, events, window=(0, 1)).fit()
    >>> found = es.compare_counterfactuals(results, estimators=[es.causal.SyntheticControl()])
    >>> list(found.frame.index)
    ['Market model (OLS)', 'Synthetic control by date']
    """
    if not isinstance(results, CausalResults):
        raise RequestError(
            f"compare_counterfactuals takes the results of a CausalStudy, got {type(results).__name__}: "
            "CausalStudy(market, events).fit()."
        )
    window = results.window(start, end)
    chosen = (
        [SyntheticControl(), SyntheticDiD(), InteractiveFixedEffects(), MatrixCompletion()]
        if estimators is None
        else list(estimators)
    )
    wrong = [each for each in chosen if not isinstance(each, CounterfactualEstimator)]
    if wrong:
        raise RequestError(f"estimators are those of eventstudy.causal; got {wrong[0]!r}.")
    rows: dict[str, dict[str, object]] = {}
    parts: dict[str, pd.DataFrame] = {}
    for name, model in _models(results, models).items():
        rows[name], gap = _factor_model(results, model, window)
        parts[name] = _balance(results, gap, window)
    for estimator in chosen:
        found = results
        if estimator != results.spec.estimator:
            spec = replace(results.spec, estimator=estimator)
            cohorts = tuple(fit_cohort(spec, _cohort_for(spec, each)) for each in results.cohorts)
            found = CausalResults(spec, results.sample, cohorts)
        total = found.catt(window, n_draws=n_draws, seed=seed).iloc[0]
        names = ["catt", "se", "ci_low", "ci_high", "p_value", "test"]
        rows[estimator.label] = dict(total[names]) | {"pre_rmse": found.path.rmse}
        gaps = np.full((len(results.sample), len(found.path.days)), np.nan)
        for each in found.cohorts:
            gaps[each.cohort.events] = on_axis(found.spec, each.cohort, each.gaps).T
        parts[estimator.label] = _balance(results, gaps, window)
    frame = pd.DataFrame(rows).T.rename_axis("method")
    balance = pd.concat(parts, names=["method"])
    frame["bias"] = balance["bias"].groupby(level="method").sum()
    numbers = [name for name in frame if name != "test"]
    frame = frame.astype(dict.fromkeys(numbers, float))
    return CounterfactualComparison(frame, balance, _verdict(results, frame, balance, window), window)


def _cohort_for(spec: CausalSpec, each: FittedCohort) -> Cohort:
    """Cohort of the study as another estimator can take it."""
    if spec.estimator.completes:
        return each.cohort
    cohort = complete_days(each.cohort)
    if cohort.n_pre < spec.min_observations:
        raise ModelError(
            f"On {cohort.date:%Y-%m-%d} the treated trade together on {cohort.n_pre} estimation days, fewer "
            f"than min_observations={spec.min_observations}, so {spec.estimator.label.lower()} cannot be "
            "compared. Leave out the firm that was halted, or name estimators=[...] without it."
        )
    return cohort


def _models(
    results: CausalResults, models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel] | None
) -> dict[str, NormalReturnModel]:
    if isinstance(models, Mapping):
        return dict(models)
    if models is not None:
        return {model.label: model for model in models}
    found: list[NormalReturnModel] = [MarketModel()]
    given = results.spec.market.factors
    known = set() if given is None or given.columns.nlevels > 1 else set(given.columns)
    found += [
        model
        for model in (CAPM(), FamaFrench3(), FamaFrench5())
        if {regressor.source for regressor in model.regressors} | {"rf"} <= known
    ]
    return {model.label: model for model in found}


def _with_benchmark(results: CausalResults) -> Market:
    """Return the market of the study, with the mean donor as the benchmark where it has none."""
    market = results.spec.market
    if market.benchmarks:
        return market
    names = sorted({name for each in results.cohorts for name in each.cohort.donor_names})
    mean = market.returns[names].mean(axis=1).rename("mean donor")
    return Market(
        market.returns,
        benchmark=mean,
        factors=market.factors,
        gaps="single" if market.arrays.gaps == "single" else "lumped",
    )


def _factor_model(
    results: CausalResults, model: NormalReturnModel, window: Window
) -> tuple[dict[str, object], FloatArray]:
    """Measure with a normal-return model; gaps of the events by relative day of both windows."""
    spec = results.spec
    ids = results.sample.events.index
    events = spec.events.take(np.flatnonzero(spec.events.frame.index.isin(ids)).tolist())
    with warnings.catch_warnings():  # what concerns the events was said when the study was fitted
        warnings.simplefilter("ignore", EventStudyWarning)
        study = EventStudy(
            _with_benchmark(results), events, model, spec.estimation, spec.window, spec.min_observations
        ).fit()
    lost = ids.difference(study.abnormal_returns.index)
    if len(lost):
        raise ModelError(
            f"{model.label} cannot be fitted to event {lost[0]}; compare without it, or name other models."
        )
    total = study.caar(window).iloc[0]
    past = study.fitted.abnormal.past.residuals()
    after = study.abnormal_returns.loc[ids].to_numpy(float)
    order = study.abnormal_returns.index.get_indexer(ids)
    gaps = np.concatenate([np.asarray(past)[order], after], axis=1)
    weights = np.ones(len(gaps))
    before = weighted_mean(gaps[:, : len(spec.estimation)], weights)
    row: dict[str, object] = {
        "catt": total["caar"],
        "se": total["se"],
        "ci_low": total["ci_low"],
        "ci_high": total["ci_high"],
        "p_value": total["p_value"],
        "test": total["test"],
        "pre_rmse": float(np.sqrt(np.nanmean(before**2))),
    }
    return row, gaps


def _balance(results: CausalResults, gaps: FloatArray, window: Window) -> pd.DataFrame:
    """Slopes of the mean gap of each date on the factors, and what the factors did; mean over the dates."""
    found, weights = [], []
    for each in results.cohorts:
        found.append(_of_cohort(results, each, gaps, window))
        weights.append(len(each.cohort.events))
    share = np.array(weights) / np.sum(weights)
    names = list(dict.fromkeys(name for frame in found for name in frame.index))
    stacked = np.stack([frame.reindex(names).to_numpy(float) for frame in found])
    mean = weighted_mean(stacked, share)
    return pd.DataFrame(mean, index=pd.Index(names, name="factor"), columns=found[0].columns)


def _of_cohort(results: CausalResults, each: FittedCohort, gaps: FloatArray, window: Window) -> pd.DataFrame:
    cohort = each.cohort
    factors, names = factor_series(results.spec, cohort, 3)
    at = np.searchsorted(results.path.days, cohort.days)
    own = weighted_mean(gaps[cohort.events][:, at], np.ones(len(cohort.events)))
    before = (np.arange(len(cohort.days)) < cohort.n_pre) & ~np.isnan(own)
    inside = (cohort.days >= window.start) & (cohort.days <= window.end)
    n = int(inside.sum())
    centre = factors[before].mean(axis=0)
    design = np.column_stack([np.ones(int(before.sum())), factors[before] - centre])
    slopes = np.linalg.lstsq(design, own[before], rcond=None)[0]
    moves = (factors[inside] - centre).sum(axis=0)
    spread = factors[before].std(axis=0, ddof=1) * np.sqrt(max(n, 1))
    return pd.DataFrame(
        {
            "imbalance": slopes,
            "shock": [float(n), *moves],
            "shock_sd": [np.nan, *moves / np.where(spread > 0, spread, np.nan)],
            "bias": slopes * np.array([float(n), *moves]),
        },
        index=pd.Index(["alpha", *names], name="factor"),
    )


def _verdict(results: CausalResults, frame: pd.DataFrame, balance: pd.DataFrame, window: Window) -> str:
    """Put timing, horizon and volatility of the days against the rules of the paper."""
    n = len(results.path.days[(results.path.days >= window.start) & (results.path.days <= window.end)])
    name = frame.index[0]
    shocks = balance.loc[name, "shock_sd"].drop("alpha").abs()
    move, factor = float(shocks.max()), str(shocks.idxmax())
    ratio = float(results.diagnostics(window)["donor_ratio"].mean())
    volatile = move > LARGE_MOVE or ratio > VOLATILE
    dates = results.n_dates
    horizon = "long" if n > LONG else "short"
    days = (
        f"the days are volatile ({factor} moved by {move:.1f} of its standard deviations, the donors' errors "
        f"are {ratio:.1f} times those before)"
        if volatile
        else f"the days are calm (no factor moved by more than {move:.1f} of its standard deviations)"
    )
    timing = (
        "one date cannot show whether its timing had to do with the factors"
        if dates == 1
        else f"the mean move of {factor} over {plural(dates, 'date')} is {move:.1f} standard deviations"
        + (", more than chance allows if dates were random" if move * np.sqrt(dates) > LARGE_MOVE else "")
    )
    chosen = dates >= MANY_DATES and move * np.sqrt(dates) > LARGE_MOVE
    bias = float(frame["bias"].iloc[0])
    other = frame.index[-1] if "Synthetic control by date" not in frame.index else "Synthetic control by date"
    apart = float(frame["catt"].iloc[0] - frame.loc[other, "catt"])
    advice = (
        "take a counterfactual from donors"
        if volatile or horizon == "long" or chosen
        else "a factor model will do if the timing is as good as random"
    )
    return (
        f"The window is {horizon} ({plural(n, 'day')}), {days}, and {timing}: by the rules of "
        f"Goldsmith-Pinkham and Lyu (2025) {advice}. {name} finds {frame['catt'].iloc[0]:+.2%}, "
        f"{apart * 100:+.2f} points from {other.lower()}; its imbalance in the factors may account for "
        f"{bias * 100:+.2f} points."
    )
