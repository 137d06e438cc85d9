"""Abnormal returns and what is summed of them: AR, CAR, AAR, CAAR, BHAR and their variances."""

from eventstudy.abnormal.cumulative import CumulativeReturns, cumulate
from eventstudy.abnormal.measuring import Measured, measure
from eventstudy.abnormal.returns import AbnormalReturns, abnormal_returns, estimation_design

__all__ = [
    "AbnormalReturns",
    "CumulativeReturns",
    "Measured",
    "abnormal_returns",
    "cumulate",
    "estimation_design",
    "measure",
]
