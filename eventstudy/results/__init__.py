"""Results: what ``EventStudy(...).fit()`` and `pool` return, and the fitted events behind them."""

from eventstudy.results.event_table import event_table
from eventstudy.results.fitted import FittedEvents, FittedStudy, StudySpec, window_of
from eventstudy.results.plot import ResultsPlotter
from eventstudy.results.pool.pool import pool
from eventstudy.results.pool.results import FittedPool, PooledResults
from eventstudy.results.results_base import ResultsBase
from eventstudy.results.study_results import EventStudyResults
from eventstudy.results.verdict.text import Verdict

__all__ = [
    "EventStudyResults",
    "FittedEvents",
    "FittedPool",
    "FittedStudy",
    "PooledResults",
    "ResultsBase",
    "ResultsPlotter",
    "StudySpec",
    "Verdict",
    "event_table",
    "pool",
    "window_of",
]
