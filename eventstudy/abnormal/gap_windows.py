"""Nights and breaks of the windows of events of bars, and the same times of earlier days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.immutable import FrozenRecord
from eventstudy.models import NormalReturnModel
from eventstudy.models.night_variance import GapVariance, past_errors
from eventstudy.sample import EventSample

__all__ = ["GapWindows"]


@dataclass(frozen=True, eq=False)
class GapWindows(FrozenRecord):
    """Windows of N events of bars.

    Attributes
    ----------
    model : NormalReturnModel
    sample : EventSample
    events : array of int, shape (N,)
        The events, by position in the sample.
    known : GapVariance
        Of all events of the sample.
    """

    model: NormalReturnModel
    sample: EventSample
    events: IntArray
    known: GapVariance

    def take(self, which: Any) -> GapWindows:
        """Windows of the events that an index or a mask of shape (N,) picks."""
        return replace(self, events=self.events[which])

    def gaps(self, cols: slice) -> BoolArray:
        """Whether the return of each row spans a gap, shape (N, rows)."""
        return np.asarray(self.known.kinds[self.events, cols] != 0)

    def dof(self, cols: slice, variance: FloatArray, dof: FloatArray, seen: BoolArray) -> FloatArray:
        r"""Degrees of freedom of the variance of sums over some rows, shape (N,).

        .. math:: \nu = \frac{V^2}{\sum_k V_k^2 / \nu_k}

        for the parts of V that are known from :math:`\nu_k = G` gaps of a kind, and the rest with `dof`
        (Satterthwaite 1946, Biometrics Bulletin 2, 110-114). Where all of V is of nights it is G.

        Parameters
        ----------
        cols : slice
        variance, dof : arrays, shape (N,)
            V, and the degrees of freedom of the residual variance of bars.
        seen : array of bool, shape (N, rows)
            Rows with a return.

        References
        ----------
        docs/methods/abnormal_returns.md, eq. (gap-dof).
        """
        kinds, rest = self.known.kinds[self.events, cols], variance.copy()
        below = np.zeros(len(rest))
        for kind in (1, 2):
            one, count = self.known.variance[self.events, kind], self.known.count[self.events, kind]
            n = ((kinds == kind) & seen).sum(axis=1)
            part = np.where((n > 0) & ~np.isnan(one), n * one, 0.0)
            rest, below = rest - part, below + part**2 / np.maximum(count, 1)
        bars = np.divide(np.maximum(rest, 0.0) ** 2, dof, out=np.zeros(len(rest)), where=dof > 0)
        mixed = (rest < variance) & (below + bars > 0)
        return np.asarray(np.divide(variance**2, below + bars, out=dof.astype(float), where=mixed))

    def same_times(self, cols: slice) -> FloatArray:
        """Sum prediction errors at the same times of earlier days, shape (N, D); NaN where there is none.

        Days are those of the estimation window on which the exchange trades at all times of the rows; a sum
        is of what errors there are.
        """
        sample = self.sample
        errors = past_errors(self.model, sample, self.events)
        closes = sample.market.sessions
        times = (closes - closes.normalize()).to_numpy()
        days = np.unique(closes.normalize(), return_inverse=True)[1]
        place = {(int(day), time): row for row, (day, time) in enumerate(zip(days, times, strict=True))}
        offsets = sample.window.offsets[cols]
        found: list[list[float]] = []
        for own, day0 in zip(errors, sample.day0[self.events].tolist(), strict=True):
            rows = day0 + offsets
            rows = rows[(rows >= 0) & (rows < len(days))]
            if not len(rows):
                found.append([])
                continue
            first, sums = day0 + sample.estimation.start, []
            for back in range(1, int(days[rows[0]] - days[max(first, 0)]) + 1):
                past = [place.get((int(days[row]) - back, times[row]), -1) - first for row in rows.tolist()]
                if min(past) < 0 or max(past) >= len(own):
                    continue
                values = own[past]
                if not np.isnan(values).all():
                    sums.append(float(np.nansum(values)))
            found.append(sums)
        out = np.full((len(found), max(map(len, found), default=0)), np.nan)
        for row, sums in zip(out, found, strict=True):
            row[: len(sums)] = sums
        return out
