"""Significance tests of abnormal returns, how events depend on each other, and which test to use."""

from __future__ import annotations

from eventstudy.inference.base import Alternative, Options, SignificanceTest, Statistic, TestInput
from eventstudy.inference.correlation import Clustering, clustering, mean_correlation
from eventstudy.inference.registry import TESTS, run_tests

__all__ = [
    "TESTS",
    "Alternative",
    "Clustering",
    "Options",
    "SignificanceTest",
    "Statistic",
    "TestInput",
    "clustering",
    "mean_correlation",
    "run_tests",
]
