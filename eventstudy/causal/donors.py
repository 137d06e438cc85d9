"""Who may be a donor on a date: what the news reaches or what does not trade is left out, with reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy._typing import IntArray
from eventstudy.causal.spec import CausalSpec
from eventstudy.errors import ModelError
from eventstudy.sample import EventSample

__all__ = ["DonorRules"]


@dataclass(frozen=True)
class DonorRules:
    """Candidates of a study, and what rules them out on a date.

    Attributes
    ----------
    names : tuple of str, length C
    rows : array of int, shape (C,)
        Rows of the candidates in ``market.arrays``.
    """

    spec: CausalSpec
    sample: EventSample
    names: tuple[str, ...]
    rows: IntArray

    @classmethod
    def of(cls, spec: CausalSpec, sample: EventSample) -> DonorRules:
        """Find the candidates.

        Raises
        ------
        ModelError
            If a donor is not a security of the market.
        """
        names = tuple(spec.market.securities) if spec.donors is None else spec.donors
        rows = spec.market.positions(names)
        unknown = [name for name, row in zip(names, rows, strict=True) if row < 0]
        if unknown:
            raise ModelError(
                f"The donor{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown[:5]))} "
                f"{'are' if len(unknown) > 1 else 'is'} not in the market; see market.securities."
            )
        return cls(spec, sample, names, rows)

    def reached(self, day0: int, events: IntArray) -> dict[str, str]:
        """Securities that may not be donors of a date whatever they trade, each with the reason.

        Parameters
        ----------
        day0 : int
            Row of the date in ``market.sessions``.
        events : array of int
            Positions of the date's events in the sample.
        """
        spec, sample = self.spec, self.sample
        timeline = sample.timeline
        securities = timeline["security"].to_numpy(dtype=object)
        found = {str(securities[i]): "treated on this date" for i in events}
        labels = {str(label) for label in timeline["label"].to_numpy()[events] if _named(label)}
        announced = [
            *zip(securities, timeline["label"], strict=True),
            *zip(sample.excluded["security"], sample.excluded["label"], strict=True),
        ]
        for security, label in announced:
            if _named(label) and str(label) in labels:
                found.setdefault(str(security), "named in the same announcement")
        # Its event window touches a day of these two windows, or between them.
        first = day0 + spec.estimation.start - spec.window.end
        last = day0 + spec.window.end - spec.window.start
        dates = timeline["day_0"].dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
        for i in np.flatnonzero((sample.day0 >= first) & (sample.day0 <= last)):
            found.setdefault(str(securities[i]), f"has an event of its own on {dates[i]}")
        for security in sample.excluded["security"]:
            found.setdefault(str(security), "has an event that cannot be placed or used")
        for name, reason in spec.exclude:
            found.setdefault(name, reason)
        return found


def _named(label: object) -> bool:
    return isinstance(label, str) and bool(label)
