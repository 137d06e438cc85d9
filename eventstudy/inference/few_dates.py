"""Tests that take each date, or cluster of dates, as one observation."""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray

__all__ = ["ibragimov_muller_t", "ibragimov_muller_two_sample_t"]


def ibragimov_muller_t(means: FloatArray) -> tuple[float, float, int]:
    r"""T of the means of q independent clusters, t(q - 1).

    .. math:: t = \sqrt q\; \bar b / s_b

    Conservative where the means are independent and normally distributed with different variances, for
    two-sided sizes up to 8.3 % (Bakirov and Szekely's inequality).

    Parameters
    ----------
    means : array, shape (q,)
        The estimate of each cluster, such as the mean CAR of each date.

    Returns
    -------
    statistic, standard_error, dof
        The standard error is that of the mean of the clusters.

    References
    ----------
    Ibragimov and Muller (2010), Journal of Business and Economic Statistics 28, 453-468.

    Examples
    --------
    >>> t, se, dof = ibragimov_muller_t(np.array([0.031, 0.012, 0.045, -0.008, 0.027, 0.019]))
    >>> round(t, 4), dof
    (2.842, 5)
    """
    q = len(means)
    se = float(means.std(ddof=1) / np.sqrt(q))
    return float(means.mean()) / se, se, q - 1


def ibragimov_muller_two_sample_t(a: FloatArray, b: FloatArray) -> tuple[float, float, int]:
    """T of the difference of two sets of independent clusters, with min(q_a, q_b) - 1 degrees of freedom.

    Parameters
    ----------
    a, b : arrays, shapes (q_a,) and (q_b,)
        The estimates of the clusters of each set.

    Returns
    -------
    statistic, standard_error, dof

    References
    ----------
    Ibragimov and Muller (2016), Review of Economics and Statistics 98, 83-96.
    """
    se = float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    return float(a.mean() - b.mean()) / se, se, min(len(a), len(b)) - 1
