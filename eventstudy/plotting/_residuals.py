"""What the figures of estimation residuals share."""

from __future__ import annotations

import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.plotting._base import need

__all__ = ["LEVEL", "estimation_residuals"]

#: Coverage of the bands.
LEVEL = 0.95


def estimation_residuals(frame: pd.DataFrame, function: str) -> pd.DataFrame:
    """Return the rows of estimation days that have a residual; `function` is named in errors."""
    need(frame, function, ["value", "role", "day"])
    past = frame[frame["role"] == "estimation"].dropna(subset=["value"])
    if len(past) < 3:
        raise RequestError(
            f"{function} needs at least three residuals: {len(past)} rows of role 'estimation' have a value."
        )
    return past
