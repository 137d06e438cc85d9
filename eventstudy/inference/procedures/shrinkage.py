"""Which events were hit: CARs shrunk towards their mean, with what each still can say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from eventstudy._typing import FloatArray
from eventstudy.errors import RequestError

__all__ = ["Shrunk", "bayes_factor", "exaggeration", "shrink"]

#: Values of the effects' standard deviation over which the posterior is averaged.
GRID = 200
#: Nodes of the integral over a narrow prior, and the grid about the estimate for a broad one.
NODES, WIDE, FINE = 80, 60.0, 24001
#: A share of the posterior that no quantile notices.
NEGLIGIBLE = 1e-10
#: Events without which the spread of the effects has no proper posterior.
FEWEST = 3


@dataclass(frozen=True)
class Shrunk:
    """Posterior of N effects.

    Attributes
    ----------
    mean, sd, low, high : arrays, shape (N,)
        Posterior mean and standard deviation of each effect, and its interval.
    prob_negative : array, shape (N,)
        Posterior probability that the effect is below zero.
    common_mean, common_sd : float
        Posterior mean of the mean effect, and of the standard deviation of the effects.
    """

    mean: FloatArray
    sd: FloatArray
    low: FloatArray
    high: FloatArray
    prob_negative: FloatArray
    common_mean: float
    common_sd: float


def shrink(car: FloatArray, covariance: FloatArray, level: float = 0.95) -> Shrunk:
    r"""Shrink N CARs towards their mean, by as much as their errors explain their spread.

    .. math:: CAR \mid \theta \sim N(\theta, \Sigma), \quad \theta_i \sim N(\mu, \tau^2)

    Given tau, mu has the generalised least-squares posterior and theta a normal one:

    .. math:: E(\theta \mid \tau) = \hat\mu 1 + \tau^2 V^{-1} (CAR - \hat\mu 1), \quad V = \Sigma + \tau^2 I

    The posterior is averaged over tau, whose prior is flat, so that its uncertainty widens the intervals of
    few events.

    Parameters
    ----------
    car : array, shape (N,)
    covariance : array, shape (N, N)
        Covariance of the prediction errors of the CARs; off the diagonal that of events that share days.
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    Shrunk

    Raises
    ------
    RequestError
        If there are fewer than three events.

    References
    ----------
    Efron and Morris (1973), Journal of the American Statistical Association 68, 117-130. Flat prior of tau:
    Gelman (2006), Bayesian Analysis 1, 515-534.

    Examples
    --------
    >>> found = shrink(np.array([-0.2, -0.01, 0.0, 0.01, 0.02]), 0.02**2 * np.eye(5))
    >>> bool(found.prob_negative[0] > 0.99), bool(found.mean[0] > -0.2)
    (True, True)
    """
    n = len(car)
    if n < FEWEST:
        raise RequestError(f"Shrinkage needs at least {FEWEST} events with a CAR; there are {n}.")
    scale, rotation = np.linalg.eigh(covariance)
    y, one = rotation.T @ car, rotation.T @ np.ones(n)
    tau = np.linspace(0.0, 5.0 * float(car.std(ddof=1)), GRID)
    # A variance of zero would leave the likelihood undefined at tau = 0.
    scale = np.maximum(scale, 1e-12 * float(scale.max()))
    inverse = 1.0 / (scale + tau[:, None] ** 2)
    information = (inverse * one**2).sum(axis=1)
    mu = (inverse * one * y).sum(axis=1) / information
    left = y - mu[:, None] * one
    log_density = 0.5 * (np.log(inverse).sum(axis=1) - np.log(information) - (inverse * left**2).sum(axis=1))
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()

    kept = tau[:, None] ** 2 * inverse
    means = mu[:, None] + (kept * left) @ rotation.T
    # The error of the estimated mean enters each effect with the weight that its own CAR lacks.
    reach = 1.0 - (kept * one) @ rotation.T
    own = (kept * scale) @ (rotation.T**2)
    sds = np.sqrt(own + reach**2 / information[:, None])
    mean = weight @ means
    sd = np.sqrt(np.maximum(weight @ (sds**2 + means**2) - mean**2, 0.0))
    low, high = (_quantile(q, weight, means, sds) for q in (0.5 - level / 2.0, 0.5 + level / 2.0))
    return Shrunk(
        mean, sd, low, high, weight @ special.ndtr(-means / sds), float(weight @ mu), float(weight @ tau)
    )


def _quantile(q: float, weight: FloatArray, means: FloatArray, sds: FloatArray) -> FloatArray:
    """Quantile of a mixture of normal distributions, by bisection; shapes (K,), (K, N), (K, N) -> (N,)."""
    counts = weight > NEGLIGIBLE
    weight, means, sds = weight[counts] / weight[counts].sum(), means[counts], sds[counts]
    low, high = (means - 12.0 * sds).min(axis=0), (means + 12.0 * sds).max(axis=0)
    for _ in range(45):
        middle = 0.5 * (low + high)
        below = weight @ special.ndtr((middle - means) / sds) < q
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))


def exaggeration(effect: float, se: float, dof: float, alpha: float = 0.05) -> tuple[float, float, float]:
    r"""Say what a significant estimate of a true effect would be: power, wrong sign, exaggeration.

    Parameters
    ----------
    effect : float
        An effect that is plausible before the data, not the estimate.
    se, dof : float
        Standard error of the estimate and its degrees of freedom.
    alpha : float, default 0.05

    Returns
    -------
    power, type_s, type_m
        Probability that the two-sided test rejects; that a rejecting estimate has the wrong sign; and the
        expected size of a rejecting estimate over the size of the effect.

    References
    ----------
    Gelman and Carlin (2014), Perspectives on Psychological Science 9, 641-651.

    Examples
    --------
    >>> power, wrong, size = exaggeration(0.02, 0.0263, 248)
    >>> round(power, 2), round(wrong, 3), round(size, 1)
    (0.12, 0.029, 3.2)
    """
    c = float(special.stdtrit(dof, 1.0 - alpha / 2.0))
    shift = abs(effect) / se
    upper, lower = float(special.stdtr(dof, shift - c)), float(special.stdtr(dof, -shift - c))
    power = upper + lower
    # E|T + shift| over both tails of a t: its partial mean is in closed form.
    sizes = shift * (upper - lower) + _partial_mean(c - shift, dof) + _partial_mean(c + shift, dof)
    return power, lower / power, sizes / power / shift if shift > 0 else float("inf")


def bayes_factor(estimate: float, se: float, dof: float, prior_sd: float) -> float:
    r"""Weigh an effect that is normally distributed about zero against none.

    .. math:: BF = \int f_\nu\!\left(\frac{CAR - \theta}{se}\right) N(\theta; 0, \tau^2)\, d\theta
              \Big/ f_\nu\!\left(\frac{CAR}{se}\right)

    with f the density of t(dof). Above one the data speak for an effect, by that factor.

    Parameters
    ----------
    estimate, se, dof : float
        CAR, its standard error and its degrees of freedom.
    prior_sd : float
        tau: the size that an effect is likely to have.

    References
    ----------
    Gelbach and Hawkins (2020) propose Bayes factors for single-firm event studies; the paper is known by its
    title, and the prior is our choice.

    Examples
    --------
    >>> round(bayes_factor(-0.0751, 0.0263, 248, 0.05), 1)
    10.8
    """
    t, tau = estimate / se, prior_sd / se

    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    if tau > 1.0:
        # A broad prior is integrated about the estimate, where the likelihood is.
        effect = t + np.linspace(-WIDE, WIDE, FINE)
        prior = np.exp(-0.5 * (effect / tau) ** 2) / (tau * np.sqrt(2.0 * np.pi))
        return float(np.trapezoid(prior * _relative_density(t - effect, t, dof), effect))
    return float(weights @ _relative_density(t - tau * nodes, t, dof) / np.sqrt(2.0 * np.pi))


def _relative_density(x: FloatArray, at: float, dof: float) -> FloatArray:
    """Density of t(dof) at x over that at another place."""
    return np.asarray(np.exp(-0.5 * (dof + 1.0) * (np.log1p(x**2 / dof) - np.log1p(at**2 / dof))))


def _partial_mean(bound: float, dof: float) -> float:
    """Return the integral of x f(x) from `bound` on, f the density of t(dof)."""
    log_constant = special.gammaln((dof + 1) / 2) - special.gammaln(dof / 2) - 0.5 * np.log(dof * np.pi)
    return float(np.exp(log_constant) * dof / (dof - 1) * (1 + bound**2 / dof) ** ((1 - dof) / 2))
