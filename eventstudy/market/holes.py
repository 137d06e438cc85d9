"""What a return after missing ones is: that of its session, or that over the whole hole."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray

__all__ = ["meaning_of_holes", "unsaid_holes"]

#: Holes from which on the benchmark may decide, and how many standard errors the other meaning must be away.
ENOUGH, SURE = 20, 4.0
#: Returns from which a slope on the benchmark is taken.
FOR_SLOPE = 30


def unsaid_holes(returns: FloatArray, spans: IntArray) -> BoolArray:
    """Which returns follow missing ones of their own security, while others had some; shape (S, T)."""
    any_seen = ~np.isnan(returns).all(axis=0)
    # Sessions on which nothing has data are none for the benchmark either.
    kept = np.cumsum(any_seen)
    row, at = np.nonzero(spans > 1)
    inside = kept[at] - kept[at - spans[row, at]]
    out = np.zeros(returns.shape, dtype=bool)
    out[row, at] = inside > 1
    return out


def meaning_of_holes(
    returns: FloatArray, holes: BoolArray, spans: IntArray, benchmark: FloatArray, of: IntArray
) -> str | None:
    r"""Let the benchmark decide: a return over the hole moves with the benchmark's over it.

    Regresses the returns after holes, less β times the benchmark's of the session, on β times the benchmark's
    of the sessions before it in the hole. A slope near one says that returns are lumped, near zero that they
    are single.

    Parameters
    ----------
    returns : array, shape (S, T)
    holes : array of bool, shape (S, T)
        Returns after missing ones.
    spans : array of int, shape (S, T)
        Sessions they would span.
    benchmark : array, shape (K, T)
        One-session returns of the benchmarks.
    of : array of int, shape (S,)
        Each security's benchmark, -1 where it has none.

    Returns
    -------
    {"lumped", "single"} or None
        None where it cannot be told.
    """
    total = np.cumsum(np.nan_to_num(benchmark), axis=1)
    left, before = [], []
    for i in np.flatnonzero(holes.any(axis=1) & (of >= 0)).tolist():
        x, y = benchmark[of[i]], returns[i]
        plain = np.isfinite(x) & np.isfinite(y) & (spans[i] == 1)
        if plain.sum() < FOR_SLOPE:
            continue
        dx = x[plain] - x[plain].mean()
        if not (dx @ dx) > 0:
            continue
        beta = float(dx @ y[plain] / (dx @ dx))
        at = np.flatnonzero(holes[i] & np.isfinite(x))
        left.append(y[at] - beta * x[at])
        before.append(beta * (total[of[i], at - 1] - total[of[i], at - spans[i, at]]))
    if not left:
        return None
    u, m = np.concatenate(left), np.concatenate(before)
    if len(u) < ENOUGH or not (m @ m) > 0:
        return None
    slope = float(m @ u / (m @ m))
    resid = u - slope * m
    error = float(np.sqrt((resid * resid) @ (m * m)) / (m @ m))
    if abs(slope - 1.0) < 0.5 and slope > SURE * error:
        return "lumped"
    if abs(slope) < 0.5 and 1.0 - slope > SURE * error:
        return "single"
    return None
