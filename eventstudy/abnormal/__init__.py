"""Abnormal returns and their sums: AR, CAR, AAR, CAAR, BHAR and their variances."""

from eventstudy.abnormal.cumulative import CumulativeReturns, covered, cumulate
from eventstudy.abnormal.estimation import Estimates, estimate, gap_windows
from eventstudy.abnormal.estimation_windows import (
    EstimationWindows,
    HeldWindows,
    RefittedWindows,
    estimation_design,
)
from eventstudy.abnormal.event_windows import EventWindows, HeldEventWindows, SampledEventWindows
from eventstudy.abnormal.returns import AbnormalReturns, abnormal_returns

__all__ = [
    "AbnormalReturns",
    "CumulativeReturns",
    "Estimates",
    "EstimationWindows",
    "EventWindows",
    "HeldEventWindows",
    "HeldWindows",
    "RefittedWindows",
    "SampledEventWindows",
    "abnormal_returns",
    "covered",
    "cumulate",
    "estimate",
    "estimation_design",
    "gap_windows",
]
