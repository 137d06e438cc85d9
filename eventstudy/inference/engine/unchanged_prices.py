"""Days without a price change, which under a constant prediction repeat one abnormal return."""

from __future__ import annotations

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.engine.moments import NEGLIGIBLE, rounding_noise
from eventstudy.sample import Rows

__all__ = ["tie_with_past", "unchanged_days", "unchanged_return", "unchanged_share"]

#: Events whose past is looked at for a share.
MOST_READ = 2000


def unchanged_days(fit: AbnormalReturns, cols: slice = slice(None)) -> BoolArray | None:
    """Which returns are of one session without a price change, shape (N, columns); None where none is."""
    still = fit.actual[:, cols] == 0.0
    if not still.any():
        return None
    still &= fit.span[:, cols] == 1
    return still if still.any() else None


def unchanged_return(
    fit: AbnormalReturns, cols: slice, rows: Rows = slice(None), unit: FloatArray | float = 1.0
) -> FloatArray:
    """Abnormal return of each of some events if its price does not change on a day, shape (n,).

    That of its first tested return over one session, NaN where it has none. It is the same on other days, as
    in the past, only where the prediction is constant.

    Parameters
    ----------
    fit : AbnormalReturns
    cols : slice
        The tested days.
    rows : index
        The events.
    unit : float, or array, shape (n, columns)
        What abnormal returns are divided by.
    """
    ar = fit.ar[rows, cols]
    values = np.where(fit.span[rows, cols] == 1, (ar - fit.actual[rows, cols]) / unit, np.nan)
    first = (~np.isnan(values)).argmax(axis=1)
    found: FloatArray = values[np.arange(len(values)), first]
    return found


def tie_with_past(past: FloatArray, event: FloatArray, unscaled: FloatArray) -> None:
    """Give event days the value of the past days that they repeat, in place.

    A scale of its own would move an event day off the past days that have its very return, and all such days
    to the same side.

    Parameters
    ----------
    past : array, shape (n, W)
        Estimation residuals over their standard deviation; NaN where missing.
    event : array, shape (n, L)
        Values to be ranked among them, in a scale of their own.
    unscaled : array, shape (n, L)
        The same abnormal returns in the scale of the past, where the price did not change; NaN elsewhere.

    Examples
    --------
    >>> event = np.array([[-0.09, 1.8]])
    >>> tie_with_past(np.array([[-0.1, 1.0, -0.1]]), event, np.array([[-0.1, np.nan]]))
    >>> event.tolist()
    [[-0.1, 1.8]]
    """
    for column, values in enumerate(unscaled.T):
        rows = np.flatnonzero(~np.isnan(values))
        near = np.abs(past[rows] - values[rows, None]) <= NEGLIGIBLE
        found = near.any(axis=1)
        rows = rows[found]
        event[rows, column] = past[rows, near[found].argmax(axis=1)]


def unchanged_share(fit: AbnormalReturns, cols: slice) -> float:
    """Mean share of the estimation days of an event that repeat the abnormal return of an unchanged price.

    Zero unless the prediction is constant and this abnormal return is not zero. Of many events,
    some thousands are looked at, and none without a residual variance.
    """
    rows = np.arange(0, fit.n_events, max(fit.n_events // MOST_READ, 1))
    rows = rows[fit.s2[rows] > 0]
    shares = np.zeros(len(rows))
    for part in lazy.chunks(len(rows)):
        value, noise = unchanged_return(fit, cols, rows[part]), rounding_noise(fit.s2[rows[part]])
        past = fit.past.residuals(rows[part])
        same = np.count_nonzero(np.abs(past - value[:, None]) <= noise[:, None], axis=1)
        known = np.count_nonzero(~np.isnan(past), axis=1)
        shares[part] = np.where(np.abs(value) > noise, same / np.maximum(known, 1), 0.0)
    return float(shares.sum() / max(len(rows), 1))
