"""Which event days the rank and sign tests rank among the estimation days, and their profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from eventstudy.inference.base import TestInput
from eventstudy.inference.correlation import dependence
from eventstudy.inference.past import read_residuals
from eventstudy.inference.ranked_past import Ranked, RankedPast, SignProfile
from eventstudy.inference.ranking import RankProfile
from eventstudy.inference.support import NEGLIGIBLE, memo, recall, remember, spread

__all__ = ["RANK_SETS", "profile", "profiles", "sign_profile_of", "star"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
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
        Events with a CAR and a residual variance (`scaled_events`).
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
        reduction = RankedPast(sets, np.sqrt(used.abnormal.s2))
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
