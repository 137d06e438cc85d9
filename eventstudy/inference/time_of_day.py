"""Tests of bars among the same times of earlier days: nights with nights, openings with openings.

Formulas and sources: docs/methods/single_event.md, eqs. (time-of-day-t) and (time-of-day-rank).
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.distributions import counted_p_value
from eventstudy.inference.base import Options, Statistic, TestInput, p_value
from eventstudy.inference.engine.moments import NEGLIGIBLE, average, known
from eventstudy.inference.selection import n_windows
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.lazy import memo

__all__ = ["ENOUGH_DAYS", "TIME_OF_DAY_TESTS", "same_times", "time_of_day_t"]

#: Fewest earlier days for a variance.
FEWEST_DAYS = 3
#: Days from which on a rank reaches 5%.
ENOUGH_DAYS = 19


def time_of_day_t(car: float, past: FloatArray) -> tuple[float, int]:
    r"""Mean CAR over the root mean square of the same sums on D earlier days, t(D).

    .. math:: t = \mathrm{CAAR} \Big/ \sqrt{\textstyle\frac1D \sum_d S_d^2}

    Parameters
    ----------
    car : float
    past : array, shape (D,)
        Sums of the mean prediction errors of the same times of day.

    Returns
    -------
    statistic, dof

    References
    ----------
    Rinaudo and Saha (2014), Journal of Financial Perspectives 2(2), 161-172 (our reading: known by its
    abstract);
    docs/methods/single_event.md, eq. (time-of-day-t).

    Examples
    --------
    >>> t, dof = time_of_day_t(0.03, np.array([0.01, -0.02, 0.01, -0.02]))
    >>> round(t, 4), dof
    (1.8974, 4)
    """
    return float(car / np.sqrt((past**2).mean())), len(past)


def same_times(data: TestInput) -> FloatArray:
    """Mean over events of their sums at the tested times of earlier days, shape (D,)."""
    bars = data.abnormal.bars
    assert bars is not None  # the condition of both tests
    return memo(data, "time_of_day", lambda: known(average(bars.same_times(data.cols))))


def _has_days(data: TestInput) -> str | None:
    if data.abnormal.bars is None:
        return "a test of bars within a day"
    windows = n_windows(data)
    if windows > 1:
        return f"needs one common window, the {data.n_events} events have {windows}"
    past = same_times(data)
    if len(past) < FEWEST_DAYS:
        return f"the estimation window holds the tested times of only {len(past)} days"
    if not (past**2).mean() > NEGLIGIBLE**2 * float(data.car.mean()) ** 2:
        return "the tested times of earlier days do not vary"
    return None


def _t(data: TestInput, options: Options) -> Statistic:
    t, dof = time_of_day_t(float(data.car.mean()), same_times(data))
    note = f"the same times of {dof} earlier days"
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.car.mean()), note)


def _rank(data: TestInput, options: Options) -> Statistic:
    past, car = same_times(data), float(data.car.mean())
    extreme = {"less": past <= car, "greater": past >= car, "two-sided": np.abs(past) >= abs(car)}
    p = float(counted_p_value(car, extreme[options.alternative]))
    note = f"rank among the same times of {len(past)} earlier days"
    if len(past) < ENOUGH_DAYS:
        note += f"; p cannot fall below {1 / (len(past) + 1):.3f}: use {ENOUGH_DAYS} days"
    t, _ = time_of_day_t(car, past)
    null = past / np.sqrt((past**2).mean())
    return Statistic(t, p, "rank", None, car, note, {"null": null})


NULL = "the mean CAR is drawn like the same times of earlier days"
SOURCE = "Rinaudo and Saha (2014)"

TIME_OF_DAY_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "time_of_day_t", "t among the same times of earlier days", NULL, "t(D)",
        frozenset({"cross-correlation"}), SOURCE, _t, condition=_has_days, needs_variance=True, least=1,
        unit="CAR",
    ),
    SignificanceTest(
        "time_of_day_rank", "Rank among the same times of earlier days", NULL, "rank among earlier days",
        frozenset({"cross-correlation", "non-normality"}), SOURCE, _rank, condition=_has_days,
        needs_variance=True, least=1, unit="CAR",
    ),
)  # fmt: skip
