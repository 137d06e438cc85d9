"""Ibragimov and Muller's t, against stored values of independent code."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from eventstudy.inference.few_dates import ibragimov_muller_t, ibragimov_muller_two_sample_t


@pytest.fixture(scope="module")
def stored(shared_reference):
    return json.loads((shared_reference / "causal/fewcluster/robust_eventstudy_010.json").read_text())


def test_one_sample(stored):
    expected = stored["ibragimov_mueller_2010_one_sample"]
    t, se, dof = ibragimov_muller_t(np.array(stored["group_a"]))
    assert (t, dof) == (pytest.approx(expected["t"], rel=1e-12), expected["df"])
    half = stats.t.ppf(0.975, dof) * se
    mean = np.mean(stored["group_a"])
    assert [mean - half, mean + half] == pytest.approx([expected["ci_low"], expected["ci_high"]], rel=1e-10)


def test_two_samples_have_the_fewer_degrees_of_freedom(stored):
    expected = stored["ibragimov_mueller_2016_two_sample"]
    t, _, dof = ibragimov_muller_two_sample_t(np.array(stored["group_a"]), np.array(stored["group_b"]))
    assert (t, dof) == (pytest.approx(expected["t"], rel=1e-12), expected["df"])
    assert 2 * stats.t.sf(t, dof) == pytest.approx(expected["p"], rel=1e-10)


def test_unequal_variances_reject_no_more_than_the_size():
    rng = np.random.default_rng(11)
    sd = np.array([1.0, 1.0, 1.0, 6.0])
    t, _, dof = np.transpose([ibragimov_muller_t(rng.normal(0, sd)) for _ in range(4000)])
    assert np.mean(2 * stats.t.sf(np.abs(t), dof) <= 0.05) < 0.05
