"""Shrunk CARs: the closed form of equal variances, brute force, and the coverage of their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eventstudy.errors import RequestError
from eventstudy.inference.procedures.shrinkage import bayes_factor, exaggeration, shrink


def brute_force(car, covariance, n_grid=1001):
    """Posterior by dense algebra at each tau, with the prior of mu flat: N(0, 1e6)."""
    n = len(car)
    taus = np.linspace(0.0, 5.0 * car.std(ddof=1), n_grid)
    weights, means, variances = [], [], []
    for tau in taus:
        prior = 1e6 * np.ones((n, n)) + tau**2 * np.eye(n)
        total = covariance + prior
        weights.append(stats.multivariate_normal(np.zeros(n), total).logpdf(car))
        gain = prior @ np.linalg.inv(total)
        means.append(gain @ car)
        variances.append(np.diag(prior - gain @ prior))
    w = np.exp(np.array(weights) - max(weights))
    w /= w.sum()
    mean = w @ np.array(means)
    return mean, np.sqrt(w @ (np.array(variances) + np.array(means) ** 2) - mean**2)


def test_against_brute_force_with_correlated_errors():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(6, 6))
    covariance = 0.01**2 * (root @ root.T / 6 + np.eye(6))
    car = rng.normal(-0.02, 0.03, 6)
    found = shrink(car, covariance)
    mean, sd = brute_force(car * 100, covariance * 100**2)
    assert found.mean * 100 == pytest.approx(mean, abs=0.01)
    assert found.sd * 100 == pytest.approx(sd, rel=0.01)


def test_equal_variances_shrink_by_one_factor():
    """All effects keep the same share of their distance to the mean, which is the plain mean."""
    car = np.array([-0.08, -0.02, 0.0, 0.01, 0.04, -0.03])
    found = shrink(car, 0.02**2 * np.eye(6))
    share = (found.mean - car.mean()) / (car - car.mean())
    assert np.ptp(share) < 1e-9
    assert 0 < share[0] < 1
    assert found.common_mean == pytest.approx(car.mean(), rel=1e-9)


@pytest.mark.quick("0.04-3")
@pytest.mark.parametrize("n", [3, 6, 30])
@pytest.mark.parametrize("tau", [0.0, 0.01, 0.04])
def test_the_intervals_cover(n, tau):
    rng = np.random.default_rng(n)
    covered = []
    sd = rng.uniform(0.01, 0.03, n)
    covariance = np.diag(sd**2) * 0.7 + 0.3 * np.outer(sd, sd)
    root = np.linalg.cholesky(covariance)
    for _ in range(120):
        theta = -0.01 + tau * rng.normal(size=n)
        found = shrink(theta + root @ rng.normal(size=n), covariance)
        covered.append(((found.low <= theta) & (theta <= found.high)).mean())
    assert np.mean(covered) > 0.93


@pytest.mark.slow
def test_probabilities_of_sign_are_calibrated():
    rng = np.random.default_rng(8)
    said, true = [], []
    # Over means and spreads of the effects as the prior has them.
    for _ in range(500):
        theta = rng.normal(rng.uniform(-0.1, 0.1), rng.uniform(0.0, 0.1), 10)
        found = shrink(theta + 0.02 * rng.normal(size=10), 0.02**2 * np.eye(10))
        said.append(found.prob_negative)
        true.append(theta < 0)
    said, true = np.concatenate(said), np.concatenate(true)
    # Four standard errors or more: some 400 to 700 events lie in each band.
    for low in (0.05, 0.35, 0.65):
        band = (said > low) & (said < low + 0.3)
        assert true[band].mean() == pytest.approx(said[band].mean(), abs=0.08)


@pytest.mark.parametrize(("t", "prior_sd"), [(-2.9, 1.9), (0.3, 0.5), (6.0, 3.0), (0.0, 20.0)])
def test_bayes_factor_of_a_known_variance_in_closed_form(t, prior_sd):
    """With infinite degrees of freedom both densities of the CAR are normal."""
    expected = stats.norm.pdf(t, 0, np.sqrt(1 + prior_sd**2)) / stats.norm.pdf(t)
    assert bayes_factor(0.02 * t, 0.02, 1e8, 0.02 * prior_sd) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_bayes_factor_by_simulation():
    draws = np.random.default_rng(3).normal(0, 1.5, 2_000_000)
    expected = stats.t.pdf(-2.5 - draws, 20).mean() / stats.t.pdf(2.5, 20)
    assert bayes_factor(-2.5, 1.0, 20, 1.5) == pytest.approx(expected, rel=0.005)


def test_two_events_have_no_spread_to_learn():
    with pytest.raises(RequestError, match="at least 3 events"):
        shrink(np.array([0.1, 0.2]), np.eye(2))


@pytest.mark.parametrize(("shift", "dof"), [(0.5, 10), (1.0, 60), (3.0, 248)])
def test_exaggeration_by_simulation(shift, dof):
    rng = np.random.default_rng(4)
    t = rng.standard_t(dof, size=1_000_000) + shift
    beyond = np.abs(t) > stats.t.ppf(0.975, dof)
    power, wrong, size = exaggeration(shift, 1.0, dof)
    assert power == pytest.approx(beyond.mean(), abs=0.002)
    assert wrong == pytest.approx((t[beyond] < 0).mean(), abs=0.005)
    assert size == pytest.approx(np.abs(t[beyond]).mean() / shift, rel=0.01)


def test_many_effects_far_apart_keep_a_posterior():
    """The likelihoods of the grid of spreads differ by hundreds of powers of ten."""
    car = np.where(np.arange(400) % 2, 0.5, -0.5)
    found = shrink(car, 0.01**2 * np.eye(400))
    np.testing.assert_allclose(found.mean, car, atol=0.001)
    assert found.common_sd == pytest.approx(0.5, rel=0.05)
    assert np.isfinite(found.low).all()
