"""Significance tests of abnormal returns, how events depend on each other, and which test to use."""

from __future__ import annotations

from eventstudy.inference.base import Alternative, Options, SignificanceTest, Statistic, TestInput
from eventstudy.inference.correlation import Clustering, clustering, mean_correlation
from eventstudy.inference.joint import JointTest, joint_test
from eventstudy.inference.recommend import recommend
from eventstudy.inference.registry import TESTS, run_tests

__all__ = [
    "TESTS",
    "Alternative",
    "Clustering",
    "JointTest",
    "Options",
    "SignificanceTest",
    "Statistic",
    "TestInput",
    "clustering",
    "joint_test",
    "mean_correlation",
    "recommend",
    "run_tests",
]
