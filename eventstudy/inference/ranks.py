"""Rank tests: Corrado, Corrado-Zivney, generalised ranks and cumulated ranks.

Formulas and sources: docs/methods/ranks.md, eqs. (rank-zivney) and (grank-star) for the event days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.base import Options, SignificanceTest, Statistic, TestInput, p_value
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.engine.rank_kernel import RankProfile, scaled_ranks
from eventstudy.inference.engine.rank_pass import Ranked, RankReducer, SignProfile, rank_profile
from eventstudy.inference.engine.residual_pass import read_residuals
from eventstudy.inference.selection import (
    NEGLIGIBLE,
    memo,
    not_applicable,
    overlap_note,
    recall,
    remember,
    spread,
    too_few_events,
    with_counts,
    with_variance,
)

__all__ = [
    "RANK_SETS",
    "RANK_TESTS",
    "RankProfile",
    "cumulated_rank_z",
    "grank_profile",
    "independent_ranks_z",
    "profile",
    "profiles",
    "rank_profile",
    "rank_z",
    "scaled_ranks",
    "sign_profile_of",
    "star",
    "t_of_rank_z",
]

#: A profile, or the reason why there is none.
Found = RankProfile | SignProfile | str


def star(scar: FloatArray, r: float) -> FloatArray:
    """Value of the cumulated event day of each event, shape (N, 1)."""
    value: FloatArray = scar * np.sqrt(1.0 - r) / np.std(scar, ddof=1)
    return value[:, None]


def _daily(used: TestInput) -> Callable[[IntArray], FloatArray]:
    """Abnormal returns of all days of the event window; the same function each time."""
    fit = used.abnormal

    def values(rows: IntArray) -> FloatArray:
        # A return that lumps d sessions has the noise of d days.
        return fit.ar[rows] / np.sqrt(fit.s2[rows, None] * np.maximum(fit.span[rows], 1))

    return memo(used, "daily", lambda: values)


def _corrado(used: TestInput) -> Ranked:
    return Ranked(used.abnormal.ar.shape, _daily(used), used.cols)


def _signs(used: TestInput) -> Ranked:
    fit, shape = used.abnormal, (used.abnormal.n_events, len(used.window))
    if shape == fit.ar.shape and fit.span.max(initial=0) <= 1:
        return Ranked(shape, _daily(used), signs=True)
    return Ranked(shape, lambda rows: fit.ar[rows, used.cols] / np.sqrt(fit.s2[rows, None]), signs=True)


def _cumulated(used: TestInput) -> Ranked:
    fit = used.abnormal
    return Ranked(fit.ar.shape, lambda rows: fit.ar[rows] / np.sqrt(fit.variance_of(rows)), used.cols)


def _zivney(used: TestInput) -> Ranked | str:
    sar = used.abnormal.ar[:, used.cols] / np.sqrt(used.abnormal.variance(used.cols))
    count = np.count_nonzero(sar == sar, axis=0)
    some = np.flatnonzero(count)
    held = sar if (count == len(sar)).all() else np.where(np.isnan(sar), 0.0, sar)
    apart = held - held.sum(axis=0) / np.maximum(count, 1)
    if held is not sar:
        apart[np.isnan(sar)] = 0.0
    sd = np.sqrt(np.einsum("nl,nl->l", apart, apart) / np.maximum(count - 1, 1))
    # What is left of equal values is rounding noise; of one value nothing is left.
    flat = sd[some] <= NEGLIGIBLE * np.maximum(held.max(axis=0), -held.min(axis=0))[some]
    if flat.any():
        day = used.window.start + int(some[flat][0])
        return f"abnormal returns of day {day:+d} have no cross-sectional variance"
    sar /= np.where(count > 0, sd, 1.0)
    return Ranked(sar.shape, sar.__getitem__)


def _generalised(used: TestInput) -> Ranked | str:
    return _unshrunk(used, 0.0)


def _generalised_correlated(used: TestInput) -> Ranked | str:
    return _unshrunk(used, max(dependence(used).mean_correlation, 0.0))


def _unshrunk(used: TestInput, r: float) -> Ranked | str:
    if r > 1.0 - NEGLIGIBLE:
        return "the estimation residuals of all events are identical"
    if spread(used.scar) == 0:
        return "all standardised CARs are equal, so the cross-section has no variance"
    stars = star(used.scar, r)
    return Ranked(stars.shape, stars.__getitem__)


#: Event days of each test, in units of the residual standard deviation of each event.
RANK_SETS: dict[str, Callable[[TestInput], Ranked | str]] = {
    "rank": _corrado,
    "rank_zivney": _zivney,
    "sign_zivney": _signs,
    "grank_t": _generalised_correlated,
    "grank_z": _generalised,
    "cumrank": _cumulated,
}


def profiles(used: TestInput, names: Iterable[str]) -> list[Found]:
    """Profiles of several of `RANK_SETS`, or the reasons why there are none; each is computed once.

    Parameters
    ----------
    used : TestInput
        Events with a CAR and a residual variance (`with_variance`).
    names : iterable of str
    """
    names = list(dict.fromkeys(names))
    sets: dict[str, Ranked] = {}
    for name in names:
        if recall(used, f"ranks_{name}") is None:
            ranked = RANK_SETS[name](used)
            if isinstance(ranked, str):
                remember(used, f"ranks_{name}", ranked)
            else:
                sets[name] = ranked
    if sets:
        reduction = RankReducer(sets, np.sqrt(used.abnormal.s2))
        for name, found in read_residuals(used.abnormal, [reduction])[0].items():
            remember(used, f"ranks_{name}", found)
    return [recall(used, f"ranks_{name}") for name in names]


def profile(used: TestInput, name: str) -> RankProfile | str:
    """Rank profile of one of `RANK_SETS`, or the reason why there is none."""
    found = profiles(used, [name])[0]
    assert not isinstance(found, SignProfile)
    return found


def sign_profile_of(used: TestInput) -> SignProfile:
    """Signs of the tested and the estimation days about their median."""
    found = profiles(used, ["sign_zivney"])[0]
    assert isinstance(found, SignProfile)
    return found


#: Fewer events than this make the cross-sectional standard deviation a chancy scale (size table of the docs).
FEW_EVENTS = 15


def rank_z(profile: RankProfile) -> float:
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
    means = profile.tested_means
    days, total = len(means), profile.n_days
    return float(means.sum() / (np.sqrt(days) * profile.spread) * np.sqrt((total - 1) / (total - days)))


def t_of_rank_z(z: float, n_days: int) -> float:
    r"""Turn a rank Z into the t of its day against the others: ``Z sqrt((T - 2) / (T - 1 - Z^2))``.

    Exactly the two-sample t of one observation against the T - 1 others, because the tested day
    is part of S (Kolari and Pynnonen 2011, eq. 12); t(T - 2). NaN if ``Z^2 >= T - 1``.

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18, 953-971, eq. 12; docs/methods/ranks.md,
    eq. (grank-t).
    """
    inside = n_days - 1.0 - z * z
    return float(z * np.sqrt((n_days - 2.0) / inside)) if inside > NEGLIGIBLE * n_days else float("nan")


def independent_ranks_z(profile: RankProfile) -> float:
    r"""Sum of the ranks of the tested days over its exact standard deviation, N(0, 1).

    .. math:: Z = \sum_i \sum_{t \in W} U_{it} \Big/ \sqrt{\textstyle\sum_i
              \frac{\tau_i (T_i - \tau_i)}{12 (T_i + 1)}}

    for events independent of each other with tau_i tested days. On `grank_profile` this is
    GRANK-Z, on ranks of all days CUMRANK-Z.

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18, 953-971; docs/methods/ranks.md,
    eqs. (grank-z) and (cumrank-z).
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

    References
    ----------
    Luoma and Pynnonen (2010), working paper, University of Vaasa; docs/methods/ranks.md, eq. (cumrank-t).
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

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18, 953-971; docs/methods/ranks.md,
    eq. (grank-star).
    """
    return rank_profile(est_sar, star(scar, r), slice(0, 1))


def _flat(profile: RankProfile) -> str | None:
    if profile.spread == 0:
        return "average ranks do not vary over the days"
    if profile.n_days - len(profile.tested_means) < 2:
        return f"only {profile.n_days - len(profile.tested_means)} days outside of the window to rank among"
    return None


def _rank(data: TestInput, options: Options) -> Statistic:
    ranks = _profile(data, "rank")
    if isinstance(ranks, str):
        return not_applicable(ranks)
    z = rank_z(ranks)
    p = p_value(z, options.alternative)
    found = Statistic(z, p, "normal", None, float(ranks.tested_means.mean()))
    return with_counts(data, found, overlap_note(data))


def _few(data: TestInput) -> str:
    """Warn of a cross-sectional standard deviation of few events; nothing where there are enough."""
    n = with_variance(data).n_events
    if n >= FEW_EVENTS:
        return ""
    return f"scaled by the spread of {n} events, as if that were known: with so few it rejects too readily"


def _profile(data: TestInput, name: str) -> RankProfile | str:
    """Profile of one of `RANK_SETS`, or the reason why the test is undefined."""
    found = profile(with_variance(data), name)
    return found if isinstance(found, str) else _flat(found) or found


def _grank_t(data: TestInput, options: Options) -> Statistic:
    r = dependence(with_variance(data)).mean_correlation
    ranks = _profile(data, "grank_t")
    if isinstance(ranks, str):
        return not_applicable(ranks)
    t = t_of_rank_z(rank_z(ranks), ranks.n_days)
    if np.isnan(t):
        return not_applicable("average ranks do not vary outside of the event day")
    dof = ranks.n_days - 2
    found = Statistic(
        t, p_value(t, options.alternative, dof), "t", dof, float(ranks.mean[-1]),
        extra={"mean_correlation": r},
    )  # fmt: skip
    note = f"cross-sectional s.d. un-shrunk for mean correlation {r:.4g}" if r > 0 else ""
    return with_counts(data, found, note, _few(data), overlap_note(data))


def _grank_z(data: TestInput, options: Options) -> Statistic:
    ranks = _profile(data, "grank_z")
    if isinstance(ranks, str):
        return not_applicable(ranks)
    z = independent_ranks_z(ranks)
    p = p_value(z, options.alternative)
    return with_counts(data, Statistic(z, p, "normal", None, float(ranks.mean[-1])), _few(data))


def _cumrank_t(data: TestInput, options: Options) -> Statistic:
    ranks = _profile(data, "cumrank")
    if isinstance(ranks, str):
        return not_applicable(ranks)
    t = t_of_rank_z(cumulated_rank_z(ranks), ranks.n_days)
    if np.isnan(t):
        return not_applicable("average ranks do not vary outside of the tested days")
    dof = ranks.n_days - 2
    p = p_value(t, options.alternative, dof)
    found = Statistic(t, p, "t", dof, float(ranks.tested_means.mean()))
    return with_counts(data, found, overlap_note(data))


def _cumrank_z(data: TestInput, options: Options) -> Statistic:
    ranks = _profile(data, "cumrank")
    if isinstance(ranks, str):
        return not_applicable(ranks)
    z = independent_ranks_z(ranks)
    p = p_value(z, options.alternative)
    return with_counts(data, Statistic(z, p, "normal", None, float(ranks.tested_means.mean())))


def _rank_zivney(data: TestInput, options: Options) -> Statistic:
    ranks = _profile(data, "rank_zivney")
    if isinstance(ranks, str):
        return not_applicable(ranks)
    z = rank_z(ranks)
    p = p_value(z, options.alternative)
    found = Statistic(z, p, "normal", None, float(ranks.tested_means.mean()))
    return with_counts(data, found, _few(data), overlap_note(data))


VARIANCE, CORRELATION, NORMALITY = "event-induced variance", "cross-correlation", "non-normality"
TAILS = "fat tails"  # a skewed SCAR over the events' own standard deviation ranks unlike a day over its own
NULL = "the tested days rank like the estimation days"

RANK_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "rank", "Corrado rank Z", NULL, "N(0,1)", frozenset({CORRELATION, NORMALITY}),
        "Corrado (1989); Corrado and Zivney (1992); Cowan (1992)",
        lambda d: too_few_events(d, scaled=True), _rank,
        reads=("rank",),
    ),
    SignificanceTest(
        "grank_t", "GRANK-T", "the CAR ranks like an estimation day", "t(T-2)",
        frozenset({VARIANCE, CORRELATION, TAILS}),
        "Kolari and Pynnonen (2011)", lambda d: too_few_events(d, scaled=True), _grank_t,
        reads=("correlation", "grank_t"),
    ),
    SignificanceTest(
        "rank_zivney", "Corrado-Zivney rank Z", NULL, "N(0,1)",
        frozenset({VARIANCE, CORRELATION, TAILS}),
        "Corrado and Zivney (1992)",
        lambda d: too_few_events(d, scaled=True), _rank_zivney, reads=("rank_zivney",),
    ),
    SignificanceTest(
        "grank_z", "GRANK-Z", "the CAR ranks like an estimation day", "N(0,1)",
        frozenset({VARIANCE, TAILS}),
        "Kolari and Pynnonen (2011)", lambda d: too_few_events(d, scaled=True), _grank_z, reads=("grank_z",),
    ),
    SignificanceTest(
        "cumrank_t", "CUMRANK-T", NULL, "t(T-2)", frozenset({CORRELATION, NORMALITY}),
        "Luoma and Pynnonen (2010)", lambda d: too_few_events(d, scaled=True), _cumrank_t, reads=("cumrank",),
    ),
    SignificanceTest(
        "cumrank_z", "CUMRANK-Z", NULL, "N(0,1)", frozenset({NORMALITY}),
        "Luoma and Pynnonen (2010)", lambda d: too_few_events(d, scaled=True), _cumrank_z, reads=("cumrank",),
    ),
)  # fmt: skip
