"""The standard error of a mean CAR: which test it is taken from, and the interval it gives."""

from __future__ import annotations

from collections.abc import Sequence

from eventstudy.errors import RequestError
from eventstudy.inference.base import Statistic, TestInput
from eventstudy.inference.dependence.mean_correlation import LOSS, clustering, unknown_correlation
from eventstudy.inference.registry import TESTS

__all__ = ["FEWEST", "INTERVAL_TESTS", "checked_interval_test", "interval_test", "standard_error"]

#: Tests whose statistic is the mean CAR over its standard error.
INTERVAL_TESTS = (
    "t",
    "filtered_t",
    "cross_sectional",
    "adjusted_cross_sectional",
    "portfolio",
    "ibragimov_muller",
    "independence",
)
#: With fewer events than this their own spread says next to nothing of the variance of their mean.
FEWEST = 5


def interval_test(inputs: Sequence[TestInput]) -> str:
    """Choose the test whose standard error serves all of several windows.

    One event has its t with prediction error. Events that depend on each other, by the measure of
    `clustering`, and fewer than five events have the portfolio of each date over its updated volatility;
    independent events the spread of their CARs. Where that does not apply to most of the windows, the spread
    of the CARs corrected for their mean correlation, and then what else does. Where nothing tells how
    events move together (`unknown_correlation`), only that of the portfolio serves; where it does not
    apply either, there is no standard error.

    Parameters
    ----------
    inputs : sequence of TestInput
        The same events over one or more windows.

    Returns
    -------
    str
        One of `INTERVAL_TESTS`.
    """
    longest = max(inputs, key=lambda data: (data.n_events, len(data.window)))
    order: tuple[str, ...] = INTERVAL_TESTS
    unknown = bool(unknown_correlation(longest))
    if unknown:  # the last says why there is none
        order = ("portfolio", "adjusted_cross_sectional")
    elif longest.n_events > 1:
        n = longest.n_events
        own = ("cross_sectional", "adjusted_cross_sectional")
        past = ("filtered_t", *own[::-1])
        independent = n >= FEWEST and clustering(longest).effective_n >= (1.0 - LOSS) * n
        order = (*(own if independent else past), "portfolio", "independence")
    applies = {key: sum(TESTS[key].applies(data) is None for data in inputs) for key in order}
    return order[-1] if unknown and not any(applies.values()) else max(applies, key=lambda key: applies[key])


def standard_error(found: Statistic) -> float:
    """Return the estimate over the statistic; NaN where there is none."""
    return abs(found.estimate / found.statistic) if found.statistic else float("nan")


def checked_interval_test(key: str) -> str:
    """Return the key of a test that gives a standard error, checked."""
    known = str(key).lower()
    if known not in INTERVAL_TESTS:
        raise RequestError(
            f"Test {key!r} gives no standard error of the mean; choose one of {', '.join(INTERVAL_TESTS)}."
        )
    return known
