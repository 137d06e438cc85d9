"""What a significance test takes for granted, beyond its normal-return model."""

from __future__ import annotations

from eventstudy.inference.significance_test import CONDITIONS, Declaration

__all__ = ["assumptions"]

#: Tests that forecast the variance of the event from the days before it.
FORECASTS = frozenset({"filtered_sq", "filtered_t", "filtered_rank", "garch_t"})
#: From so many events on, a mean is close to normally distributed.
MANY = 30


def assumptions(test: Declaration, n_events: int, n_days: int) -> list[str]:
    """Say under which conditions a test keeps its size: those it is not robust to.

    Parameters
    ----------
    test : Declaration
        A test of `eventstudy.inference.TESTS`, or one of a difference.
    n_events, n_days : int
        Events, and days of the tested window.

    Examples
    --------
    >>> from eventstudy.inference import TESTS
    >>> assumptions(TESTS["t"], 1, 1)
    ['the days are no more volatile than the estimation window', 'returns are normally distributed']
    >>> assumptions(TESTS["adjusted_bmp"], 6, 1)
    ['CARs are normally distributed']
    """
    missing = CONDITIONS - test.robust_to
    found = []
    if "cross-correlation" in missing and n_events > 1:
        found.append("events do not move together")
    if test.key == "filtered_bmp":
        found.append("events move together no more than in the weeks before")
    if "event-induced variance" in missing:
        before = "forecast the day before" if test.key in FORECASTS else "the estimation window"
        found.append(f"the days are no more volatile than {before}")
    if "fat tails" in test.robust_to:
        found.append("the two tails of the distribution are alike")
    elif "non-normality" in missing:
        many = "CARs are" if n_events < MANY else "the mean CAR is close to being"
        what = "returns are" if n_events == 1 else many
        found.append(f"{what} normally distributed")
    if "serial dependence" in missing and n_days > 1:
        found.append("returns of different days are unrelated")
    return found
