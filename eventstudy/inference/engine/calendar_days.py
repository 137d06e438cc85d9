"""Calendar days as numbers."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import DateArray, IntArray

__all__ = ["NOT_A_DATE", "date_numbers"]

#: Number of NaT.
NOT_A_DATE = np.iinfo(np.int64).min


def date_numbers(dates: DateArray) -> IntArray:
    """Give calendar days a number, or the times of bars where `dates` are in minutes or seconds."""
    unit = np.datetime_data(dates.dtype)[0]
    unit = unit if unit in ("m", "s") else "D"
    return dates.astype(f"datetime64[{unit}]").astype(np.int64)
