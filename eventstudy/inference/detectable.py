"""What an insignificant test could have found (METHODS F)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eventstudy.inference.base import Alternative, Declaration, Options, Statistic, TestInput
from eventstudy.inference.power import NORMAL, minimum_detectable_effect
from eventstudy.inference.support import scaled_events

__all__ = ["least_shift", "with_detectable"]

FloatArray = npt.NDArray[np.float64]
#: Beyond this p-value a result is insignificant, and the note says what could have been found.
LEVEL = 0.05
POWER = 0.8
#: Counts of draws are whole numbers, up to rounding.
ROUNDING = 1e-9


def least_shift(
    null: FloatArray, alternative: Alternative = "two-sided", level: float = LEVEL, power: float = POWER
) -> float:
    """Smallest shift that a test by rank among null draws finds with the given power.

    A statistic is rejected where ``(1 + b) / (B + 1) <= level``, b of the B draws being as extreme. Shifted
    draws of the null serve as its distribution under an effect; the other tail is left out of account.

    Parameters
    ----------
    null : array, shape (B,)
        Draws of the statistic under the null, which need not be symmetric.
    alternative : {"two-sided", "less", "greater"}
    level, power : float

    Returns
    -------
    float
        Of a two-sided test the larger of the two directions; infinite where no rank reaches the level.

    Examples
    --------
    >>> least_shift(np.arange(-99.0, 100.0), "greater")
    150.0
    """
    beaten = int(np.floor(level * (len(null) + 1) + ROUNDING)) - 1
    if beaten < 0:
        return np.inf
    shifts = []
    for side in (1.0, -1.0):
        if alternative == {1.0: "less", -1.0: "greater"}[side]:
            continue
        values = np.abs(null) if alternative == "two-sided" else side * null
        critical = np.sort(values)[-(beaten + 1)]
        missed = np.sort(side * null)[int(np.ceil((1.0 - power) * len(null) - ROUNDING)) - 1]
        shifts.append(float(critical - missed))
    return max(shifts)


def with_detectable(
    test: Declaration, found: Statistic, data: TestInput | None, options: Options
) -> Statistic:
    """Add to an insignificant result the effect that would have been found with probability 0.8.

    The standard error is the estimate over the statistic, where `test` says that it is. A mean standardised
    CAR is told as the CAR that, common to all events, would have that mean.
    """
    if not test.unit or not found.p_value > LEVEL or found.statistic == 0 or found.estimate == 0:
        return found
    se = abs(found.estimate / found.statistic)
    null = found.extra.get("null")
    if null is not None:
        least = se * least_shift(null, options.alternative)
    else:
        # One tail of 5 % is a two-sided test of 10 %, whose other tail adds next to nothing.
        level = LEVEL if options.alternative == "two-sided" else 2 * LEVEL
        dof = float(found.dof) if isinstance(found.dof, (int, float, np.floating)) else NORMAL
        least = minimum_detectable_effect(se, dof, level, POWER)
    if not np.isfinite(least):
        return found
    if test.unit == "SCAR":
        if data is None:
            return found
        least /= float((1.0 / np.sqrt(scaled_events(data).cumulative.variance)).mean())
    what = "a difference" if data is None else "a CAR" if data.n_events == 1 else "a mean CAR"
    note = f"{what} of {least:.2%} would be found with probability {POWER:g}"
    return replace(found, note=f"{found.note}; {note}" if found.note else note)
