"""Tests of a counterfactual's effect: what each assumes, when it applies, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import scipy

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.causal.draws import (
    Draws,
    bootstrap_draws,
    day_scales,
    fold_effects,
    null_residuals,
    space_placebos,
    time_placebos,
)
from eventstudy.causal.estimators import SyntheticDiD
from eventstudy.causal.fitted import FittedCohort, MeanPath, mean_path, on_axis
from eventstudy.causal.kernels.conformal import cross_fit_t, iid_p_value, invert, moving_block_p_value
from eventstudy.causal.kernels.placebo import tail_p_value
from eventstudy.causal.kernels.resampling import jackknife_effects, jackknife_se
from eventstudy.causal.kernels.weighting import without_each_unit
from eventstudy.causal.spec import CausalSpec
from eventstudy.inference.base import Options
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["CAUSAL_TESTS", "CausalInput", "CausalTest", "Outcome", "by_cluster"]

#: Folds of the cross-fit.
FOLDS = 5
#: Fewest placebos with which a test at 5% can reject.
FEWEST_PLACEBOS = 19
#: Fewest dates of a t over dates, and pre-event days of a conformal test.
FEWEST_DATES, FEWEST_DAYS = 2, 19


@dataclass(frozen=True, eq=False)
class CausalInput:
    """Fitted cohorts and how tests of them are run; what is drawn once serves every window.

    Attributes
    ----------
    spec : CausalSpec
    cohorts : sequence of FittedCohort
    path : MeanPath
        Mean gap of all events.
    options : Options
        Number of draws and seed.
    """

    spec: CausalSpec
    cohorts: Sequence[FittedCohort]
    path: MeanPath
    options: Options
    _kept: dict[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, spec: CausalSpec, cohorts: Sequence[FittedCohort], options: Options) -> CausalInput:
        """Gather the input of tests."""
        return cls(spec, cohorts, mean_path(spec, cohorts), options)

    @property
    def placebos(self) -> Draws | str:
        """Placebos in space, or the reason why there are none."""
        if "placebos" not in self._kept:
            rng = self.options.generator("placebo")
            self._kept["placebos"] = space_placebos(self.spec, self.cohorts, self.options.n_resamples, rng)
        return self._kept["placebos"]  # type: ignore[return-value]

    @property
    def bootstrap(self) -> FloatArray | str:
        """Paths of the parametric bootstrap, or the reason why there are none."""
        if "bootstrap" not in self._kept:
            rng = self.options.generator("parametric_bootstrap")
            self._kept["bootstrap"] = bootstrap_draws(self.spec, self.cohorts, self.options.n_resamples, rng)
        return self._kept["bootstrap"]  # type: ignore[return-value]

    def scales(self, window: Window) -> tuple[FloatArray, BoolArray] | str:
        """Typical size of the gap by day, from the donors, or the reason why there is none."""
        key = f"scales {window}"
        if key not in self._kept:
            self._kept[key] = day_scales(self.spec, self.cohorts, window)
        return self._kept[key]  # type: ignore[return-value]

    def columns(self, window: Window) -> IntArray:
        """Positions of a window's days with an effect on the axis of both windows."""
        days = self.path.days
        return np.flatnonzero((days >= window.start) & (days <= window.end) & ~np.isnan(self.path.gap))

    @property
    def without_error(self) -> str:
        """Why there is no inference, if a counterfactual equals the treated; empty otherwise."""
        if not all(each.exact for each in self.cohorts):
            return ""
        return "the counterfactual equals the treated on every day before the event, so it has no error"

    def lumped(self, window: Window) -> str:
        """Why earlier days are unlike those of the window, if it holds a halt; empty otherwise."""
        for each in self.cohorts:
            for lump in each.cohort.lumps:
                day = int(each.cohort.days[lump.at])
                if day in window:
                    return (
                        f"on day {day:+d} of {each.cohort.date:%Y-%m-%d} a return is over {lump.span} "
                        "sessions, and those before the event are over one"
                    )
        return ""

    @property
    def dates(self) -> list[int]:
        """The different dates, as rows of the market's sessions."""
        return sorted({each.cohort.day0 for each in self.cohorts})

    @property
    def n_events(self) -> int:
        """Number of treated units."""
        return sum(len(each.cohort.events) for each in self.cohorts)


@dataclass(frozen=True)
class Outcome:
    """What a test says of the sum of the effects over a window.

    `estimate` is NaN where it is that of the study; `se`, `low` and `high` are NaN where there are none.
    """

    statistic: float
    p_value: float
    distribution: str
    dof: float | None = None
    se: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    estimate: float = float("nan")
    note: str = ""


@dataclass(frozen=True)
class CausalTest:
    """A test: its declaration, and how it is computed.

    Where `level` is None the p-value is all that is wanted, and no interval is computed.
    """

    key: str
    title: str
    null: str
    robust_to: frozenset[str]
    reference: str
    how: Callable[[CausalInput, Window, float | None], Outcome | str]

    def compute(self, data: CausalInput, window: Window, level: float | None) -> Outcome | str:
        """Test the sum of the effects over a window, or say why the test does not apply."""
        return data.without_error or self.how(data, window, level)


def _sum(data: CausalInput, window: Window) -> float:
    return float(data.path.gap[data.columns(window)].sum())


def _placebo(data: CausalInput, window: Window, level: float | None, *, ratio: bool = False) -> Outcome | str:
    drawn = data.placebos
    if isinstance(drawn, str):
        return drawn
    if len(drawn.gap) < FEWEST_PLACEBOS:
        return (
            f"{plural(len(drawn.gap), 'placebo')} can give no p-value below {1 / (len(drawn.gap) + 1):.2f}; "
            f"{FEWEST_PLACEBOS} are needed"
        )
    columns = data.columns(window)
    own, others = data.path.gap[columns], drawn.gap[:, columns]
    scale = data.path.rmse
    note = f"{len(drawn.gap)} placebos" + (", one for each donor" if drawn.enumerated else "")
    if ratio:
        statistic = float(np.sqrt((own**2).mean()) / scale)
        p = tail_p_value(statistic, np.sqrt((others**2).mean(axis=1)) / drawn.rmse)
        return Outcome(statistic, p, "placebo", note=note)
    statistic = float(own.sum() / scale)
    null = others.sum(axis=1) / drawn.rmse
    reach = float(_upper_quantile(np.abs(null), level)) * scale
    return Outcome(
        statistic,
        tail_p_value(statistic, null),
        "placebo",
        se=float(null.std(ddof=1) * scale),
        low=float(own.sum() - reach),
        high=float(own.sum() + reach),
        note=note,
    )


def _upper_quantile(size: FloatArray, level: float | None) -> float:
    """Smallest value whose rank among the draws and itself leaves at most 1 - level above."""
    if level is None:
        return float("nan")
    rank = int(np.ceil(level * (len(size) + 1)))
    return float(np.inf if rank > len(size) else np.sort(size)[rank - 1])


def _time_placebo(data: CausalInput, window: Window, level: float | None) -> Outcome | str:
    found = data.lumped(window) or time_placebos(data.spec, data.cohorts, window)
    if isinstance(found, str):
        return found
    effects, errors, _ = found
    shares = np.array([each.total_weight for each in data.cohorts])
    shares = shares / shares.sum()
    own = [np.nanmean(each.mean_gap[: each.cohort.n_pre] ** 2) for each in data.cohorts]
    scale = float(np.sqrt(np.array(own) @ shares**2))
    statistic = _sum(data, window) / scale
    null = effects / errors
    reach = _upper_quantile(np.abs(null), level) * scale
    estimate = _sum(data, window)
    return Outcome(
        statistic,
        tail_p_value(statistic, null),
        "pseudo-dates",
        se=float(null.std(ddof=1) * scale) if len(null) > 1 else float("nan"),
        low=estimate - reach,
        high=estimate + reach,
        note=f"{plural(len(null), 'pseudo-window')} before the event",
    )


def _conformal(
    data: CausalInput, window: Window, level: float | None, *, blocks: bool, scaled: bool = False
) -> Outcome | str:
    found = data.lumped(window) or null_residuals(data.spec, data.cohorts, window, 0.0)
    if isinstance(found, str):
        return found
    residuals, post = found
    scales: FloatArray | float = 1.0
    if scaled:
        shown = data.scales(window)
        if isinstance(shown, str):
            return shown
        scales = shown[0]

    def p_value(effect: float) -> float:
        found = null_residuals(data.spec, data.cohorts, window, effect)
        assert not isinstance(found, str)
        errors = found[0] / scales
        if blocks:
            return moving_block_p_value(errors, post)
        # The same permutations for every effect, so that the interval is one.
        return iid_p_value(errors, post, data.options.n_resamples, data.options.generator("conformal_iid"))

    if (~post).sum() < FEWEST_DAYS:
        return f"only {plural(int((~post).sum()), 'day')} before the event"
    n = len(data.columns(window))
    estimate = _sum(data, window)
    low = high = float("nan")
    if level is not None:
        low, high = invert(p_value, estimate / n, max(data.path.rmse, 1e-12), 1 - level)
    return Outcome(
        float(np.abs(residuals / scales)[post].sum()),
        p_value(0.0),
        "cyclic shifts" if blocks else "permutations",
        low=low * n,
        high=high * n,
        note=(
            "no constant daily effect is consistent with the days before, so there is no interval"
            if level is not None and np.isnan(low)
            else "interval of a constant daily effect, summed"
        )
        + _days_tested(int(post.sum()), n),
    )


def _days_tested(tested: int, wanted: int) -> str:
    if tested == wanted:
        return ""
    return f"; of {tested} of {wanted} days, those on which every treated firm of a date has a return"


def _cross_fit(
    data: CausalInput, window: Window, level: float | None, *, scaled: bool = False
) -> Outcome | str:
    found = data.lumped(window) or fold_effects(data.spec, data.cohorts, window, FOLDS)
    if isinstance(found, str):
        return found
    effects, n_pre, n_post = found
    if n_pre < 2 * FOLDS:
        return f"{plural(n_pre, 'day')} before the event cannot be cut into {FOLDS} folds"
    ratio = 1.0
    if scaled:
        shown = data.scales(window)
        if isinstance(shown, str):
            return shown
        scales, within = shown
        left_out = scales[~within][-FOLDS * min(n_pre // FOLDS, n_post) :]
        ratio = float((scales[within] ** 2).mean() / (left_out**2).mean())
    each = cross_fit_t(effects, n_pre, n_post, ratio)
    n = len(data.columns(window))
    estimate, se = each.effect * n, each.se * n
    told = f"{FOLDS} folds; bias-corrected estimate" + _days_tested(n_post, n)
    return _by_t(estimate, se, each.dof, level, note=told, own=True)


def _by_t(
    estimate: float, se: float, dof: float | None, level: float | None, note: str = "", own: bool = False
) -> Outcome | str:
    if not se > 0:
        return "its standard error is zero"
    law = scipy.stats.norm() if dof is None else scipy.stats.t(dof)
    reach = float("nan") if level is None else float(law.ppf((1 + level) / 2)) * se
    statistic = estimate / se
    return Outcome(
        statistic,
        float(2 * law.sf(abs(statistic))),
        "normal" if dof is None else "t",
        dof,
        se,
        estimate - reach,
        estimate + reach,
        estimate if own else float("nan"),
        note,
    )


def by_cluster(data: CausalInput, window: Window) -> tuple[FloatArray, FloatArray]:
    """Effect of each cluster of dates summed over a window, and its share of the weights.

    Dates whose windows overlap share trading days, and are one cluster.
    """
    effects, weights = [], []
    cluster = np.cumsum(np.diff(data.dates, prepend=data.dates[0]) >= len(window))
    for number in np.unique(cluster):
        dates = {day0 for day0, own in zip(data.dates, cluster, strict=True) if own == number}
        some = [each for each in data.cohorts if each.cohort.day0 in dates]
        gap = mean_path(data.spec, some).gap[data.columns(window)]
        effects.append(np.nansum(gap) if (~np.isnan(gap)).any() else np.nan)
        weights.append(sum(each.total_weight for each in some))
    found, share = np.array(effects), np.array(weights)
    seen = ~np.isnan(found)
    return found[seen], share[seen] / share[seen].sum()


def _date_t(data: CausalInput, window: Window, level: float | None) -> Outcome | str:
    effects, share = by_cluster(data, window)
    q = len(effects)
    if q < FEWEST_DATES:
        return (
            "it compares dates, and there is one"
            if len(data.dates) < FEWEST_DATES
            else f"the windows of all {len(data.dates)} dates overlap"
        )
    estimate = float(share @ effects)
    se = float(np.sqrt(q / (q - 1) * (share**2 @ (effects - estimate) ** 2)))
    return _by_t(
        _sum(data, window),
        se,
        q - 1,
        level,
        note=plural(q, "cluster") + " of dates whose windows do not overlap",
    )


def _jackknife(data: CausalInput, window: Window, level: float | None) -> Outcome | str:
    if len(data.cohorts) > 1:
        return "it leaves out units of one date; with several dates use date_t"
    each = data.cohorts[0]
    cohort, n = each.cohort, len(each.cohort.events)
    if n < 2:
        return "it leaves out a treated unit, and there is one"
    if len(cohort.donor_names) < 3:
        return "it needs three donors"
    if isinstance(data.spec.estimator, SyntheticDiD):
        paths = without_each_unit(cohort.donors, cohort.treated, cohort.n_pre, each.fit)
    else:
        fit = data.spec.estimator.fixed(each.fit).fit
        paths = jackknife_effects(fit, cohort.donors, cohort.treated, cohort.n_pre)
    placed = on_axis(data.spec, cohort, paths.T)[data.columns(window)].sum(axis=0)
    if np.isnan(placed).any():
        return "an effect without one of the units is not defined"
    se = float(jackknife_se(placed))
    return _by_t(_sum(data, window), se, None, level, note="takes the treated as independent")


def _bootstrap(data: CausalInput, window: Window, level: float | None) -> Outcome | str:
    drawn = data.bootstrap
    if isinstance(drawn, str):
        return drawn
    se = float(drawn[:, data.columns(window)].sum(axis=1).std(ddof=1))
    return _by_t(_sum(data, window), se, None, level, note=f"{len(drawn)} draws, number of factors held")


_SHARED, _VARIANCE = "cross-correlation", "event-induced variance"
_NORMAL, _SERIAL, _VOLATILE = "non-normality", "serial dependence", "volatile days"

CAUSAL_TESTS: dict[str, CausalTest] = {
    test.key: test
    for test in (
        CausalTest(
            "placebo",
            "Placebos in space",
            "no effect; donors are exchangeable with the treated but for their pre-event error",
            frozenset({_SHARED, _VARIANCE, _NORMAL, _SERIAL}),
            "Abadie, Diamond and Hainmueller (2010); Acemoglu et al. (2016)",
            _placebo,
        ),
        CausalTest(
            "placebo_ratio",
            "Placebos in space, post/pre error",
            "no effect on any day; as placebo, of the root mean square over the days",
            frozenset({_SHARED, _VARIANCE, _NORMAL, _SERIAL}),
            "Abadie, Diamond and Hainmueller (2010)",
            partial(_placebo, ratio=True),
        ),
        CausalTest(
            "conformal_block",
            "Conformal, moving block",
            "no effect; errors are stationary and weakly dependent",
            frozenset({_SHARED, _NORMAL, _SERIAL}),
            "Chernozhukov, Wüthrich and Zhu (2021)",
            partial(_conformal, blocks=True),
        ),
        CausalTest(
            "conformal_iid",
            "Conformal, permutations",
            "no effect; errors are exchangeable over days",
            frozenset({_SHARED, _NORMAL}),
            "Chernozhukov, Wüthrich and Zhu (2021)",
            partial(_conformal, blocks=False),
        ),
        CausalTest(
            "conformal_block_scaled",
            "Conformal, moving block, errors scaled by the donors' of the day",
            "no effect; errors over the day's volatility are stationary and weakly dependent",
            frozenset({_SHARED, _VOLATILE, _NORMAL, _SERIAL}),
            "Chernozhukov, Wüthrich and Zhu (2021); Herskovic et al. (2016)",
            partial(_conformal, blocks=True, scaled=True),
        ),
        CausalTest(
            "conformal_iid_scaled",
            "Conformal, permutations, errors scaled by the donors' of the day",
            "no effect; errors over the day's volatility are exchangeable over days",
            frozenset({_SHARED, _VOLATILE, _NORMAL}),
            "Chernozhukov, Wüthrich and Zhu (2021); Herskovic et al. (2016)",
            partial(_conformal, blocks=False, scaled=True),
        ),
        CausalTest(
            "cross_fit_t",
            "Cross-fit t",
            "mean effect of zero; errors are stationary and weakly dependent",
            frozenset({_SHARED, _SERIAL}),
            "Chernozhukov, Wüthrich and Zhu (2024)",
            _cross_fit,
        ),
        CausalTest(
            "cross_fit_t_scaled",
            "Cross-fit t, variances scaled by the donors' of the days",
            "mean effect of zero; errors over the day's volatility are stationary and weakly dependent",
            frozenset({_SHARED, _VOLATILE, _SERIAL}),
            "Chernozhukov, Wüthrich and Zhu (2024); Herskovic et al. (2016)",
            partial(_cross_fit, scaled=True),
        ),
        CausalTest(
            "placebo_time",
            "Placebos in time",
            "no effect; errors are stationary",
            frozenset({_SHARED, _NORMAL, _SERIAL}),
            "Abadie, Diamond and Hainmueller (2015)",
            _time_placebo,
        ),
        CausalTest(
            "date_t",
            "t over dates",
            "mean effect of zero; dates are independent",
            frozenset({_SHARED, _VARIANCE, _SERIAL}),
            "Ibragimov and Müller (2010)",
            _date_t,
        ),
        CausalTest(
            "parametric_bootstrap",
            "Parametric bootstrap",
            "mean effect of zero; errors are independent across units",
            frozenset({_SERIAL}),
            "Xu (2017)",
            _bootstrap,
        ),
        CausalTest(
            "jackknife",
            "Jackknife over units",
            "mean effect of zero; units are independent",
            frozenset({_SERIAL}),
            "Arkhangelsky et al. (2021)",
            _jackknife,
        ),
    )
}
