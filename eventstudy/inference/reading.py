"""What tests read of the estimation windows, in two passes for all of them.

A test says what it `reads`. One that is computed by itself reads alone what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eventstudy.inference.base import SignificanceTest, TestInput
from eventstudy.inference.correlation import keep_dependence
from eventstudy.inference.past import PAST_SUMS, Reduction, SumsOfPast, read_residuals
from eventstudy.inference.rank_sets import RANK_SETS, profiles
from eventstudy.inference.sessions import SumOfCorrelations
from eventstudy.inference.support import recall, remember, scaled_events, shortage

__all__ = ["read_for"]


def read_for(tests: Iterable[SignificanceTest], data: TestInput) -> None:
    """Read for several tests what they need of the estimation windows, and remember it.

    Sums and the mean correlation come first, for ranks may depend on them.
    """
    wanted = {name for test in tests for name in test.reads}
    if not wanted or shortage(data, scaled=True):
        return
    used = scaled_events(data)
    reductions: dict[str, Reduction[Any]] = {}
    if "sums" in wanted and recall(used.abnormal, PAST_SUMS) is None:
        reductions["sums"] = SumsOfPast(used.abnormal)
    if "correlation" in wanted and recall(used, "dependence") is None:
        correlations = SumOfCorrelations.of(used.abnormal, used.window)
        if correlations is not None:
            reductions["correlation"] = correlations
    if reductions:
        found = dict(zip(reductions, read_residuals(used.abnormal, list(reductions.values())), strict=True))
        if "sums" in found:
            remember(used.abnormal, PAST_SUMS, found["sums"])
        keep_dependence(used, found.get("correlation"))
    profiles(used, [name for name in RANK_SETS if name in wanted])
