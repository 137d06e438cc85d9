r"""Mean correlation of events of one market that miss no estimation day: sums over sessions, no pairs.

Events i of session s and j of session s + k have the last W - k estimation days of i and the first W - k of
j in common, whoever they are. With residuals centred and scaled to length 1 on these days,

.. math:: \sum_{i \in s} \sum_{j \in s + k} \operatorname{corr}(e_i, e_j)
          = \Big(\sum_{i \in s} z_i\Big)' \Big(\sum_{j \in s + k} z_j\Big),

so that all pairs of two sessions cost one product of vectors. The sums are weighted sums of the residuals
themselves, with weights that depend on i and k alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.pairs import MIN_COMMON_DAYS, NO_COMMON_VARIANCE, NO_VARIANCE
from eventstudy.models.deferred import CHUNK, rows_of
from eventstudy.windows import Window

__all__ = ["session_correlation"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def session_correlation(abnormal: AbnormalReturns, window: Window) -> tuple[float, int] | None:
    """Sum over pairs of overlap share times residual correlation, and the number of overlapping pairs.

    As `eventstudy.inference.mean_correlation` defines them; None where the events are not of one market,
    miss an estimation day, or have tested days beyond the data.
    """
    session = abnormal.session
    if session is None or len(session) < 2:
        return None
    columns = abnormal.event_dates[:, abnormal.columns(window)]
    if np.isnat(columns).any():
        return None
    length = len(window)
    total, pairs = 0.0, 0
    tail: _Sums | None = None
    for sessions, sizes, residuals in _whole_sessions(abnormal, session):
        if np.isnan(residuals).any():
            return None
        here = _sums(residuals, sizes, sessions, length)
        total += float(here.within.sum())
        pairs += int((sizes * (sizes - 1) // 2).sum())
        # Of the sessions before, the last are near enough to share tested days with these.
        known = here if tail is None else tail.followed_by(here)
        for k in range(1, length):
            at = np.searchsorted(known.session, here.session - k)
            met = known.session[np.minimum(at, len(known.session) - 1)] == here.session - k
            pairs += int((here.size[met] * known.size[at[met]]).sum())
            early, late = here.early[met, k], known.late[at[met], k]
            total += (1.0 - k / length) * float(np.vecdot(early, late).sum())
        tail = known.since(int(here.session[-1]) - length + 1)
    return total, pairs


def _whole_sessions(
    abnormal: AbnormalReturns, session: IntArray
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Sessions in order, the number of their events, and the residuals of these, some sessions at a time."""
    order = np.argsort(session, kind="stable")
    numbers, sizes = np.unique(session, return_counts=True)
    ends = np.cumsum(sizes)
    first = 0
    while first < len(numbers):
        begin = int(ends[first] - sizes[first])
        stop = max(first + 1, int(np.searchsorted(ends, begin + CHUNK, side="right")))
        part = rows_of(abnormal, order[begin : int(ends[stop - 1])], len(session))
        yield numbers[first:stop], sizes[first:stop], part.residuals
        first = stop


@dataclass(frozen=True)
class _Sums:
    """Sums of scaled residuals over the events of g sessions.

    Attributes
    ----------
    session, size : arrays of int, shape (g,)
    early, late : arrays, shape (g, L, W)
        Of lag k: residuals scaled on the first, and on the last, W - k days, in the first W - k places.
    within : array, shape (g,)
        Sum of the correlations of the pairs of one session.
    """

    session: IntArray
    size: IntArray
    early: FloatArray
    late: FloatArray
    within: FloatArray

    def since(self, session: int) -> _Sums:
        """Return the sums of the sessions from one on."""
        keep = self.session >= session
        return _Sums(
            self.session[keep], self.size[keep], self.early[keep], self.late[keep], self.within[keep]
        )

    def followed_by(self, later: _Sums) -> _Sums:
        """Return both."""
        return _Sums(
            *(
                np.concatenate([getattr(self, name), getattr(later, name)])
                for name in ("session", "size", "early", "late", "within")
            )
        )


def _sums(residuals: FloatArray, sizes: IntArray, sessions: IntArray, length: int) -> _Sums:
    width = residuals.shape[1]
    whole = residuals.mean(axis=1)
    z = residuals - whole[:, None]
    norm = np.sqrt(np.vecdot(z, z))
    flat = norm <= NO_VARIANCE * np.sqrt(width) * np.abs(residuals).max(axis=1, initial=0.0)
    z /= np.where(flat, np.inf, norm)[:, None]
    early, late = _weights(z, length), _weights(z[:, ::-1], length)
    out = np.zeros((2, len(sizes), length, width))
    ends = np.cumsum(sizes).tolist()
    for g, (end, size) in enumerate(zip(ends, sizes.tolist(), strict=True)):
        part = slice(end - size, end)
        for side, (weight, mean) in enumerate((early, late)):
            out[side, g] = weight[part].T @ z[part]
            out[side, g] -= (weight[part] * mean[part]).sum(axis=0)[:, None]
    for k in range(1, min(length, width)):
        out[0, :, k, width - k :] = 0.0
        # The last W - k days come first, to meet the first W - k of the later session.
        out[1, :, k, : width - k] = out[1, :, k, k:].copy()
        out[1, :, k, width - k :] = 0.0
    own = np.add.reduceat(early[0][:, 0] > 0, np.cumsum(sizes) - sizes, dtype=np.int64)
    same = out[0, :, 0]
    return _Sums(sessions, sizes, out[0], out[1], (np.vecdot(same, same) - own) / 2)


def _weights(z: FloatArray, length: int) -> tuple[FloatArray, FloatArray]:
    """Inverse length, and mean, of each row without its last k days, for k < L; both of shape (n, L)."""
    n, width = z.shape
    weight, mean = np.zeros((n, length)), np.zeros((n, length))
    total, squares = z.sum(axis=1), np.vecdot(z, z)
    for k in range(min(length, width - MIN_COMMON_DAYS + 1)):
        if k:
            total = total - z[:, width - k]
            squares = squares - z[:, width - k] ** 2
        mean[:, k] = total / (width - k)
        variance = squares - total * mean[:, k]
        valid = variance > NO_COMMON_VARIANCE
        weight[valid, k] = 1.0 / np.sqrt(variance[valid])
    return weight, mean
