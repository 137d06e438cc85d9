"""Rank tests: Corrado, Corrado-Zivney, generalised ranks and cumulated ranks (METHODS D3-D7)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput, p_value
from eventstudy.inference.correlation import dependence
from eventstudy.inference.ranking import RankProfile, profile_of, rank_profile, scaled_ranks
from eventstudy.inference.support import (
    NEGLIGIBLE,
    across_dates,
    counted,
    memo,
    scaled_events,
    shortage,
    spread,
    undefined,
)
from eventstudy.models.deferred import hold, parts_of
from eventstudy.sample import Rows

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

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Fewer events than this make the cross-sectional standard deviation a chancy scale (size table of the docs).
FEW_EVENTS = 15


def rank_z(profile: RankProfile) -> float:
    r"""Rank test of L tested days with the without-replacement correction, N(0, 1).

    .. math:: Z = \frac{\sum_{t \in W} \bar U_t}{\sqrt L\, S} \sqrt{\frac{T - 1}{T - L}}

    Corrado (1989) for one day, Cowan (1992) for several. Ranks are drawn without replacement, so
    their sum over L of T days has variance ``L (T - L) / (T - 1) S^2`` rather than ``L S^2``.
    Tested days on which no event is ranked do not count.
    """
    means = profile.tested_means
    days, total = len(means), profile.n_days
    return float(means.sum() / (np.sqrt(days) * profile.spread) * np.sqrt((total - 1) / (total - days)))


def t_of_rank_z(z: float, n_days: int) -> float:
    r"""Turn a rank Z into the t of its day against the others: ``Z sqrt((T - 2) / (T - 1 - Z^2))``.

    Exactly the two-sample t of one observation against the T - 1 others, because the tested day
    is part of S (Kolari and Pynnonen 2011, eq. 12); t(T - 2). NaN if ``Z^2 >= T - 1``.
    """
    inside = n_days - 1.0 - z * z
    return float(z * np.sqrt((n_days - 2.0) / inside)) if inside > NEGLIGIBLE * n_days else float("nan")


def independent_ranks_z(profile: RankProfile) -> float:
    r"""Sum of the ranks of the tested days over its exact standard deviation, N(0, 1).

    .. math:: Z = \sum_i \sum_{t \in W} U_{it} \Big/ \sqrt{\textstyle\sum_i
              \frac{\tau_i (T_i - \tau_i)}{12 (T_i + 1)}}

    for events independent of each other with tau_i tested days. On `grank_profile` this is
    GRANK-Z, on ranks of all days CUMRANK-Z.
    """
    tested = ~np.isnan(profile.tested)
    tau, sizes = tested.sum(axis=1), profile.sizes
    variance = (tau * (sizes - tau) / (12.0 * (sizes + 1.0))).sum()
    return float(np.where(tested, profile.tested, 0.0).sum() / np.sqrt(variance))


def cumulated_rank_z(profile: RankProfile) -> float:
    r"""Mean cumulated rank of L tested days over its time-series standard deviation.

    .. math:: Z = \frac1N \sum_i U_i(W) \Big/ \left( S \sqrt{L (T - L) / (T - 1)} \right)

    Luoma and Pynnonen (2010). A missing day adds nothing to U_i(W), so with missing days this is
    slightly nearer to zero than `rank_z`.
    """
    total = np.where(np.isnan(profile.tested), 0.0, profile.tested).sum() / len(profile.tested)
    days, n = len(profile.tested_means), profile.n_days
    return float(total / (profile.spread * np.sqrt(days * (n - days) / (n - 1.0))))


def grank_profile(est_sar: FloatArray, scar: FloatArray, r: float = 0.0) -> RankProfile:
    r"""Rank profile of the generalised rank test: T - 1 estimation days and the cumulated event day.

    The event day's value is ``SCAR* = SCAR sqrt(1 - r) / sd(SCAR)``. Under mean correlation r
    the cross-sectional standard deviation estimates ``sigma sqrt(1 - r)``, so that SCAR* would
    be too dispersed without the factor (Kolari and Pynnonen 2011, footnote 6).

    Parameters
    ----------
    est_sar : array, shape (N, W)
        Estimation residuals over the residual standard deviation.
    scar : array, shape (N,)
    r : float
        Mean correlation; 0 leaves the standard deviation as it is.
    """
    return rank_profile(est_sar, _star(scar, r), slice(0, 1))


def _star(scar: FloatArray, r: float) -> FloatArray:
    """Value of the cumulated event day of each event, shape (N, 1)."""
    star: FloatArray = scar * np.sqrt(1.0 - r) / np.std(scar, ddof=1)
    return star[:, None]


def _scaled_past(data: TestInput) -> Iterator[tuple[Rows, FloatArray]]:
    """Estimation residuals over their standard deviation, in chunks of events."""
    s = np.sqrt(data.abnormal.s2)[:, None]
    hold(data.abnormal, "residuals")
    for rows, residuals in parts_of(data.abnormal, "residuals", order=data.abnormal.by_day):
        yield rows, residuals / s[rows]


def _flat(profile: RankProfile) -> str | None:
    if profile.spread == 0:
        return "average ranks do not vary over the days"
    if profile.n_days - len(profile.tested_means) < 2:
        return f"only {profile.n_days - len(profile.tested_means)} days outside of the window to rank among"
    return None


def _corrado_profile(data: TestInput) -> RankProfile:
    used = scaled_events(data)
    fit = used.abnormal
    # A return that lumps d sessions has the noise of d days.
    daily = fit.ar / np.sqrt(np.maximum(fit.span, 1))
    hold(fit, "residuals")
    return profile_of(parts_of(fit, "residuals", order=fit.by_day), daily, used.cols)


def _rank(data: TestInput, options: Options) -> Statistic:
    profile = memo(data, "rank", lambda: _corrado_profile(data))
    reason = _flat(profile)
    if reason:
        return undefined(reason)
    z = rank_z(profile)
    p = p_value(z, options.alternative)
    found = Statistic(z, p, "normal", None, float(profile.tested_means.mean()))
    return counted(data, found, across_dates(data))


def _few(data: TestInput) -> str:
    """Warn of a cross-sectional standard deviation of few events; nothing where there are enough."""
    n = scaled_events(data).n_events
    if n >= FEW_EVENTS:
        return ""
    return f"scaled by the spread of {n} events, as if that were known: with so few it rejects too readily"


def _grank(data: TestInput, r: float) -> RankProfile | str:
    """Profile of GRANK un-shrunk by r, or the reason why there is none."""
    used = scaled_events(data)
    if spread(used.scar) == 0:
        return "all standardised CARs are equal, so the cross-section has no variance"

    def compute() -> RankProfile:
        return profile_of(_scaled_past(used), _star(used.scar, r), slice(0, 1))

    profile = memo(used, f"grank_{r!r}", compute)
    return _flat(profile) or profile


def _grank_t(data: TestInput, options: Options) -> Statistic:
    r = dependence(scaled_events(data)).mean_correlation
    if r > 1.0 - NEGLIGIBLE:
        return undefined("the estimation residuals of all events are identical")
    profile = _grank(data, max(r, 0.0))
    if isinstance(profile, str):
        return undefined(profile)
    t = t_of_rank_z(rank_z(profile), profile.n_days)
    if np.isnan(t):
        return undefined("average ranks do not vary outside of the event day")
    dof = profile.n_days - 2
    found = Statistic(
        t, p_value(t, options.alternative, dof), "t", dof, float(profile.mean[-1]),
        extra={"mean_correlation": r},
    )  # fmt: skip
    note = f"cross-sectional s.d. un-shrunk for mean correlation {r:.4g}" if r > 0 else ""
    return counted(data, found, note, _few(data), across_dates(data))


def _grank_z(data: TestInput, options: Options) -> Statistic:
    profile = _grank(data, 0.0)
    if isinstance(profile, str):
        return undefined(profile)
    z = independent_ranks_z(profile)
    p = p_value(z, options.alternative)
    return counted(data, Statistic(z, p, "normal", None, float(profile.mean[-1])), _few(data))


def _cumrank_profile(data: TestInput) -> RankProfile:
    used = scaled_events(data)
    return profile_of(_scaled_past(used), used.abnormal.sar, used.cols)


def _cumrank_t(data: TestInput, options: Options) -> Statistic:
    profile = memo(data, "cumrank", lambda: _cumrank_profile(data))
    reason = _flat(profile)
    if reason:
        return undefined(reason)
    t = t_of_rank_z(cumulated_rank_z(profile), profile.n_days)
    if np.isnan(t):
        return undefined("average ranks do not vary outside of the tested days")
    dof = profile.n_days - 2
    p = p_value(t, options.alternative, dof)
    found = Statistic(t, p, "t", dof, float(profile.tested_means.mean()))
    return counted(data, found, across_dates(data))


def _cumrank_z(data: TestInput, options: Options) -> Statistic:
    profile = memo(data, "cumrank", lambda: _cumrank_profile(data))
    reason = _flat(profile)
    if reason:
        return undefined(reason)
    z = independent_ranks_z(profile)
    p = p_value(z, options.alternative)
    return counted(data, Statistic(z, p, "normal", None, float(profile.tested_means.mean())))


def _rank_zivney(data: TestInput, options: Options) -> Statistic:
    used = scaled_events(data)
    sar = used.abnormal.ar[:, used.cols] / np.sqrt(used.abnormal.variance(used.cols))
    for day in range(sar.shape[1]):
        values = sar[~np.isnan(sar[:, day]), day]
        if len(values) == 0:
            continue
        if len(values) == 1 or spread(values) == 0:
            where = f"day {data.window.start + day:+d}"
            return undefined(f"abnormal returns of {where} have no cross-sectional variance")
        sar[:, day] /= spread(values)
    profile = profile_of(_scaled_past(used), sar, slice(0, sar.shape[1]))
    reason = _flat(profile)
    if reason:
        return undefined(reason)
    z = rank_z(profile)
    p = p_value(z, options.alternative)
    found = Statistic(z, p, "normal", None, float(profile.tested_means.mean()))
    return counted(data, found, _few(data), across_dates(data))


VARIANCE, CORRELATION, NORMALITY = "event-induced variance", "cross-correlation", "non-normality"
TAILS = "fat tails"  # a skewed SCAR over the events' own standard deviation ranks unlike a day over its own
NULL = "the tested days rank like the estimation days"

RANK_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "rank", "Corrado rank Z", NULL, "N(0,1)", frozenset({CORRELATION, NORMALITY}),
        "Corrado (1989); Corrado and Zivney (1992); Cowan (1992)", lambda d: shortage(d, scaled=True), _rank,
    ),
    SignificanceTest(
        "grank_t", "GRANK-T", "the CAR ranks like an estimation day", "t(T-2)",
        frozenset({VARIANCE, CORRELATION, TAILS}),
        "Kolari and Pynnonen (2011)", lambda d: shortage(d, scaled=True), _grank_t,
    ),
    SignificanceTest(
        "rank_zivney", "Corrado-Zivney rank Z", NULL, "N(0,1)",
        frozenset({VARIANCE, CORRELATION, TAILS}),
        "Corrado and Zivney (1992)", lambda d: shortage(d, scaled=True), _rank_zivney,
    ),
    SignificanceTest(
        "grank_z", "GRANK-Z", "the CAR ranks like an estimation day", "N(0,1)",
        frozenset({VARIANCE, TAILS}),
        "Kolari and Pynnonen (2011)", lambda d: shortage(d, scaled=True), _grank_z,
    ),
    SignificanceTest(
        "cumrank_t", "CUMRANK-T", NULL, "t(T-2)", frozenset({CORRELATION, NORMALITY}),
        "Luoma and Pynnonen (2010)", lambda d: shortage(d, scaled=True), _cumrank_t,
    ),
    SignificanceTest(
        "cumrank_z", "CUMRANK-Z", NULL, "N(0,1)", frozenset({NORMALITY}),
        "Luoma and Pynnonen (2010)", lambda d: shortage(d, scaled=True), _cumrank_z,
    ),
)  # fmt: skip
