"""The tests of a study: which apply, what they say, and which survive its design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy.inference import Clustering, clustering, recommend, run_tests
from eventstudy.inference.base import Alternative, Options
from eventstudy.results.data import StudyData, WindowLike

__all__ = ["StudyTests"]


class StudyTests:
    """Significance tests of a fitted study."""

    _data: StudyData

    def test(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        tests: str | Sequence[str] | None = None,
        alternative: Alternative = "two-sided",
        seed: int | np.random.Generator | None = None,
        n_resamples: int = 999,
    ) -> pd.DataFrame:
        """Significance tests of the abnormal returns in a window, one row a test.

        Parameters
        ----------
        start, end : int
            First and last relative day; the whole event window by default.
        tests : str or list of str, optional
            Test keys; all by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        seed : int or Generator, optional
            Randomness of resampling tests.
        n_resamples : int, default 999

        Returns
        -------
        DataFrame
            test, statistic, distribution, dof, p_value, estimate, n_events, null, robust_to, reference,
            applicable, note. A test that does not apply is a row which says why.

        See Also
        --------
        recommended : the tests that survive this design.
        """
        keys = [tests] if isinstance(tests, str) else tests
        options = Options(alternative, n_resamples, seed)
        return run_tests(self._data.test_input(self._data.window(start, end)), keys, options)

    def recommended(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        """List the tests that survive this design (number of events, clustering, window), and why.

        Returns
        -------
        DataFrame
            test, reason, statistic, p_value (two-sided), note; the headline test first.
        """
        data = self._data.test_input(self._data.window(start, end))
        chosen = recommend(data)
        done = run_tests(data, list(chosen["test"]), Options()).set_index("test")
        return chosen.join(done[["statistic", "p_value", "note"]], on="test")

    def clustering(self, start: WindowLike = None, end: int | None = None) -> Clustering:
        """How strongly the events depend on each other: dates, overlaps, mean correlation, effective N."""
        return clustering(self._data.test_input(self._data.window(start, end)))
