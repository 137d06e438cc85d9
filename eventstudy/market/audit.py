"""What looks wrong in a market's data, listed rather than repaired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.market.suspects import ALL, Suspects

__all__ = ["EVERY_SECURITY", "audit", "series_names"]

#: Stands for a security where a suspect concerns all of them.
EVERY_SECURITY = "(all)"


def audit(found: Sequence[Suspects], columns: Sequence[str], benchmarks: Sequence[str]) -> pd.DataFrame:
    """List suspects by security and date; see `Market.audit`.

    Parameters
    ----------
    found : sequence of Suspects
    columns, benchmarks : sequences of str
        Names of the securities and of the benchmarks, by position.
    """
    parts = [
        pd.DataFrame(
            {
                "security": series_names(one, columns, benchmarks),
                "date": one.day,
                "kind": one.kind,
                "detail": [one.told(i) for i in range(len(one.column))],
            }
        )
        for one in found
    ]
    names = ["security", "date", "kind", "detail"]
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=names).astype({"date": "datetime64[ns]"})
    return frame.sort_values(["security", "date", "kind"], ignore_index=True)


def series_names(
    found: Suspects, columns: Sequence[str], benchmarks: Sequence[str]
) -> npt.NDArray[np.object_]:
    """Names of the series that suspects are of."""
    names = np.array([*(benchmarks if found.kind == "benchmark gap" else columns), EVERY_SECURITY], object)
    return np.asarray(names[np.where(found.column == ALL, len(names) - 1, found.column)])
