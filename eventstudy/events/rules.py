"""Days on which a value meets a rule, as events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import EventError
from eventstudy.tabular.frames import Options, read_frame

__all__ = ["crossing_days"]


def crossing_days(
    frame: Any,
    size: float | None,
    above: float | None,
    below: float | None,
    crosses: float | None,
    spacing: int,
) -> pd.DataFrame:
    """Return a row for each day and security whose value meets the rule; see `Events.from_rule`."""
    rules = {"size": size, "above": above, "below": below, "crosses": crosses}
    given = {name: float(value) for name, value in rules.items() if value is not None}
    if len(given) != 1:
        raise EventError(
            f"from_rule takes one of size, above, below and crosses; got {', '.join(given) or 'none'}."
        )
    if isinstance(spacing, bool) or not isinstance(spacing, int | np.integer) or spacing < 0:
        raise EventError(f"spacing is a number of rows, 0 or more, got {spacing!r}.")
    values = next(iter(read_frame(frame, Options("Events.from_rule", "values")).fields.values()))
    (name, bound), array = next(iter(given.items())), values.to_numpy()
    with np.errstate(invalid="ignore"):
        if name == "size":
            met = np.abs(array) >= bound
        elif name == "above":
            met = array >= bound
        elif name == "below":
            met = array <= bound
        else:
            met = (array >= bound) & (values.ffill().shift().to_numpy() < bound)
    rows = []
    for column in np.flatnonzero(met.any(axis=0)).tolist():
        last = -spacing - 1
        for row in np.flatnonzero(met[:, column]).tolist():
            if row - last > spacing:
                rows.append((values.columns[column], values.index[row], array[row, column]))
                last = row
    if not rows:
        raise EventError(
            f"from_rule: no value meets {name}={bound:g}; they run from {np.nanmin(array):g} to "
            f"{np.nanmax(array):g}."
        )
    out = pd.DataFrame(rows, columns=["security", "date", "value"])
    return out.sort_values(["date", "security"], ignore_index=True)
