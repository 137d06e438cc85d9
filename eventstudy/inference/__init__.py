"""Significance tests of abnormal returns, how events depend on each other, and which test to use."""

from __future__ import annotations

from eventstudy.abnormal import EstimationWindows
from eventstudy.inference.base import (
    Alternative,
    Options,
    SignificanceTest,
    Statistic,
    TestInput,
    p_value,
)
from eventstudy.inference.dependence.mean_correlation import Clustering, clustering, mean_correlation
from eventstudy.inference.power_and_detectable_effect import minimum_detectable_effect, power_normal, power_t
from eventstudy.inference.procedures.multiple_testing import adjust, romano_wolf
from eventstudy.inference.procedures.multivariate import JointTest, joint_test
from eventstudy.inference.procedures.recommendation import recommend
from eventstudy.inference.registry import TESTS, run_tests

__all__ = [
    "TESTS",
    "Alternative",
    "Clustering",
    "EstimationWindows",
    "JointTest",
    "Options",
    "SignificanceTest",
    "Statistic",
    "TestInput",
    "adjust",
    "clustering",
    "joint_test",
    "mean_correlation",
    "minimum_detectable_effect",
    "p_value",
    "power_normal",
    "power_t",
    "recommend",
    "romano_wolf",
    "run_tests",
]
