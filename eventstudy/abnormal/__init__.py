"""Abnormal returns and what is summed of them: AR, CAR, AAR, CAAR, BHAR and their variances."""

from eventstudy.abnormal.cumulative import CumulativeReturns, cumulate
from eventstudy.abnormal.estimation import Estimates, measure
from eventstudy.abnormal.returns import AbnormalReturns, abnormal_returns, estimation_design

__all__ = [
    "AbnormalReturns",
    "CumulativeReturns",
    "Estimates",
    "abnormal_returns",
    "cumulate",
    "estimation_design",
    "measure",
]
