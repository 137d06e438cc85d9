"""Rank tests: Corrado, Corrado-Zivney, generalised ranks and cumulated ranks.

Formulas and sources: docs/methods/ranks.md, eqs. (rank-zivney) and (grank-star) for the event days.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.engine.moments import NEGLIGIBLE, sample_sd
from eventstudy.inference.engine.rank_kernel import RankProfile, rank_profile, scaled_ranks
from eventstudy.inference.past_windows import misled_by_past, size_of_generalized_rank
from eventstudy.inference.rank_sets import profile, sample_profiles, scar_star
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.significance_test import SignificanceTest

__all__ = [
    "RANK_TESTS",
    "RankProfile",
    "cumulated_rank_z",
    "grank_profile",
    "independent_ranks_z",
    "rank_profile",
    "rank_z",
    "scaled_ranks",
    "t_of_rank_z",
]


def rank_z(profile: RankProfile) -> FloatArray:
    r"""Rank test of L tested days with the without-replacement correction, N(0, 1).

    .. math:: Z = \frac{\sum_{t \in W} \bar U_t}{\sqrt L\, S} \sqrt{\frac{T - 1}{T - L}}

    Corrado (1989) for one day, Cowan (1992) for several. Ranks are drawn without replacement, so
    their sum over L of T days has variance ``L (T - L) / (T - 1) S^2`` rather than ``L S^2``.
    Tested days on which no event is ranked do not count.

    References
    ----------
    Corrado (1989), Journal of Financial Economics 23, 385-395; Cowan (1992), Review of Quantitative Finance
    and Accounting 2, 343-358; docs/methods/ranks.md, eq. (rank-z).
    """
    days, total = profile.n_tested, profile.n_days
    scale = np.sqrt(days) * profile.spread * np.sqrt((total - days) / (total - 1))
    z: FloatArray = profile.tested_sum / scale
    return z


def t_of_rank_z(z: FloatArray | float, n_days: IntArray | int) -> FloatArray:
    r"""Turn a rank Z into the t of its day against the others: ``Z sqrt((T - 2) / (T - 1 - Z^2))``.

    Exactly the two-sample t of one observation against the T - 1 others, because the tested day
    is part of S (Kolari and Pynnonen 2011, eq. 12); t(T - 2). NaN if ``Z^2 >= T - 1``.

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18, 953-971, eq. 12; docs/methods/ranks.md,
    eq. (grank-t).
    """
    inside = np.asarray(n_days - 1.0 - z * z)
    varies = inside > NEGLIGIBLE * n_days
    return np.where(varies, z * np.sqrt((n_days - 2.0) / np.where(varies, inside, 1.0)), np.nan)[()]


def independent_ranks_z(profile: RankProfile) -> FloatArray:
    r"""Sum of the ranks of the tested days over its exact standard deviation, N(0, 1).

    .. math:: Z = \sum_i \sum_{t \in W} U_{it} \Big/ \sqrt{\textstyle\sum_i
              c_i \frac{\tau_i (T_i - \tau_i)}{12 (T_i + 1)}}

    for events independent of each other with tau_i tested days; c_i is one without ties.
    On `grank_profile` this is GRANK-Z, on ranks of all days CUMRANK-Z.

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18, 953-971; docs/methods/ranks.md,
    eqs. (grank-z) and (cumrank-z).
    """
    tested = ~np.isnan(profile.tested)
    tau, sizes = tested.sum(axis=-1), profile.sizes
    variance = (profile.tied * (tau * (sizes - tau) / (12.0 * (sizes + 1.0)))).sum(axis=-1)
    z: FloatArray = np.where(tested, profile.tested, 0.0).sum(axis=(-2, -1)) / np.sqrt(variance)
    return z


def cumulated_rank_z(profile: RankProfile) -> FloatArray:
    r"""Mean cumulated rank of L tested days over its time-series standard deviation.

    .. math:: Z = \frac1N \sum_i U_i(W) \Big/ \left( S \sqrt{L (T - L) / (T - 1)} \right)

    Luoma and Pynnonen (2010). A missing day adds nothing to U_i(W), so with missing days this is
    slightly nearer to zero than `rank_z`.

    References
    ----------
    Luoma and Pynnonen (2010), working paper, University of Vaasa; docs/methods/ranks.md, eq. (cumrank-t).
    """
    total = np.where(np.isnan(profile.tested), 0.0, profile.tested).sum(axis=(-2, -1))
    days, n = profile.n_tested, profile.n_days
    scale = profile.spread * np.sqrt(days * (n - days) / (n - 1.0))
    z: FloatArray = total / profile.sizes.shape[-1] / scale
    return z


def grank_profile(est_sar: FloatArray, scar: FloatArray, r: float = 0.0) -> RankProfile:
    r"""Rank profile of the generalised rank test: T - 1 estimation days and the cumulated event day.

    Parameters
    ----------
    est_sar : array, shape (N, W)
        Estimation residuals over the residual standard deviation.
    scar : array, shape (N,)
        The event day's value is `scar_star` of them.
    r : float
        Mean correlation; 0 leaves the standard deviation as it is.

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18, 953-971; docs/methods/ranks.md,
    eq. (grank-star).
    """
    return rank_profile(est_sar, scar_star(scar, r), slice(0, 1))


def _rank(data: TestInput, options: Options) -> Statistic:
    ranks = profile(data, "rank")
    if not isinstance(ranks, RankProfile):
        return not_applicable(str(ranks))
    z = float(rank_z(ranks))
    return Statistic(z, p_value(z, options.alternative), "normal", None, _estimate(ranks))


def _estimate(ranks: RankProfile) -> float:
    return float(ranks.tested_sum / ranks.n_tested)


def _scars_differ(data: TestInput) -> str | None:
    if sample_sd(data.scar) == 0:
        return "all standardised CARs are equal, so the cross-section has no variance"
    return None


def _grank_t(data: TestInput, options: Options) -> Statistic:
    r = dependence(data).mean_correlation
    ranks = profile(data, "grank_t")
    if not isinstance(ranks, RankProfile):
        return not_applicable(str(ranks))
    # For one tested day, this is the rank Z.
    t = float(t_of_rank_z(ranks.mean[-1] / ranks.spread, ranks.n_days))
    if np.isnan(t):
        return not_applicable("average ranks do not vary outside of the event day")
    dof = int(ranks.n_days - 2)
    note = f"cross-sectional s.d. corrected for the mean correlation {r:.4g}" if r > 0 else ""
    extra = {"mean_correlation": r}
    p = p_value(t, options.alternative, dof)
    return Statistic(t, p, "t", dof, float(ranks.mean[-1]), note, extra)


def _grank_z(data: TestInput, options: Options) -> Statistic:
    ranks = profile(data, "grank_z")
    if not isinstance(ranks, RankProfile):
        return not_applicable(str(ranks))
    z = float(independent_ranks_z(ranks))
    return Statistic(z, p_value(z, options.alternative), "normal", None, float(ranks.mean[-1]))


def _cumrank_t(data: TestInput, options: Options) -> Statistic:
    ranks = profile(data, "cumrank")
    if not isinstance(ranks, RankProfile):
        return not_applicable(str(ranks))
    t = float(t_of_rank_z(cumulated_rank_z(ranks), ranks.n_days))
    if np.isnan(t):
        return not_applicable("average ranks do not vary outside of the tested days")
    dof = int(ranks.n_days - 2)
    p = p_value(t, options.alternative, dof)
    return Statistic(t, p, "t", dof, _estimate(ranks))


def _cumrank_z(data: TestInput, options: Options) -> Statistic:
    ranks = profile(data, "cumrank")
    if not isinstance(ranks, RankProfile):
        return not_applicable(str(ranks))
    z = float(independent_ranks_z(ranks))
    return Statistic(z, p_value(z, options.alternative), "normal", None, _estimate(ranks))


def _rank_zivney(data: TestInput, options: Options) -> Statistic:
    ranks = profile(data, "rank_zivney")
    if not isinstance(ranks, RankProfile):
        return not_applicable(str(ranks))
    z = float(rank_z(ranks))
    return Statistic(z, p_value(z, options.alternative), "normal", None, _estimate(ranks))


def _z_of(
    name: str, z: Callable[[RankProfile], FloatArray], samples: Samples, options: Options
) -> Statistics:
    """Compute a standard normal statistic of the rank profiles `name` of samples."""
    ranks, sound = sample_profiles(samples)[name]
    assert isinstance(ranks, RankProfile)
    return Statistics.of(z(ranks), options, ranks.tested_sum / ranks.n_tested, where=sound)


def _t_of(
    name: str, z: Callable[[RankProfile], FloatArray], samples: Samples, options: Options
) -> Statistics:
    """Compute a t(T - 2) of the rank profiles `name` of samples."""
    ranks, sound = sample_profiles(samples)[name]
    assert isinstance(ranks, RankProfile)
    t = t_of_rank_z(z(ranks), ranks.n_days)
    return Statistics.of(t, options, ranks.tested_sum / ranks.n_tested, ranks.n_days - 2, where=sound)


def _last_z(ranks: RankProfile) -> FloatArray:
    z: FloatArray = ranks.mean[..., -1] / ranks.spread
    return z


VARIANCE, CORRELATION, NORMALITY = "event-induced variance", "cross-correlation", "non-normality"
TAILS = "fat tails"  # a skewed SCAR over the events' spread is not comparable with a day over its own
NULL = "the tested days rank like the estimation days"

RANK_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "rank", "Corrado rank Z", NULL, "N(0,1)", frozenset({CORRELATION, NORMALITY}),
        "Corrado (1989); Corrado and Zivney (1992); Cowan (1992)", _rank,
        needs_variance=True, rows_alike=True,
        reads=("rank",), by_relative_day=True, batch=partial(_z_of, "rank", rank_z),
    ),
    SignificanceTest(
        "rank_zivney", "Corrado-Zivney rank Z", NULL, "N(0,1)",
        frozenset({VARIANCE, CORRELATION, TAILS}),
        "Corrado and Zivney (1992)", _rank_zivney, needs_variance=True, rows_alike=True,
        reads=("rank_zivney",), by_relative_day=True, scaled_by_events=True,
        batch=partial(_z_of, "rank_zivney", rank_z),
    ),
    SignificanceTest(
        "grank_t", "GRANK-T", "the CAR ranks like an estimation day", "t(T-2)",
        frozenset({VARIANCE, CORRELATION, TAILS}),
        "Kolari and Pynnonen (2011)", _grank_t, condition=_scars_differ, needs_variance=True, rows_alike=True,
        reads=("correlation", "grank_t"), by_relative_day=True, scaled_by_events=True,
        misled=partial(misled_by_past, size_of_generalized_rank),
        batch=partial(_t_of, "grank_t", _last_z),
    ),
    SignificanceTest(
        "grank_z", "GRANK-Z", "the CAR ranks like an estimation day", "N(0,1)",
        frozenset({VARIANCE, TAILS}),
        "Kolari and Pynnonen (2011)", _grank_z, condition=_scars_differ, needs_variance=True, rows_alike=True,
        reads=("grank_z",), scaled_by_events=True,
        misled=partial(misled_by_past, size_of_generalized_rank),
        batch=partial(_z_of, "grank_z", independent_ranks_z),
    ),
    SignificanceTest(
        "cumrank_t", "CUMRANK-T", NULL, "t(T-2)", frozenset({CORRELATION, NORMALITY}),
        "Luoma and Pynnonen (2010)", _cumrank_t, needs_variance=True, rows_alike=True,
        reads=("cumrank",), by_relative_day=True, batch=partial(_t_of, "cumrank", cumulated_rank_z),
    ),
    SignificanceTest(
        "cumrank_z", "CUMRANK-Z", NULL, "N(0,1)", frozenset({NORMALITY}),
        "Luoma and Pynnonen (2010)", _cumrank_z, needs_variance=True, rows_alike=True, reads=("cumrank",),
        batch=partial(_z_of, "cumrank", independent_ranks_z),
    ),
)  # fmt: skip
