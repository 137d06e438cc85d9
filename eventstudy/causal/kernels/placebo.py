"""Placebo effects in space: donors treated as if the event were theirs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.causal.kernels.simplex import simplex_from_gram
from eventstudy.distributions import counted_p_value

__all__ = [
    "Fit",
    "common_volatility",
    "draw_groups",
    "pooled_control_gaps",
    "refitted_gaps",
    "sampled_control_gaps",
    "single_control_gaps",
    "tail_p_value",
]

#: (donors (T, J), treated (T, N), days before the event) -> fit.
Fit = Callable[[FloatArray, FloatArray, int], CohortFit]


def draw_groups(n_donors: int, size: int, n_draws: int, rng: np.random.Generator) -> IntArray:
    """Draw groups of `size` different donors, shape (n_draws, size)."""
    order = np.argsort(rng.random((n_draws, n_donors)), axis=1)
    return np.ascontiguousarray(order[:, :size])


def refitted_gaps(fit: Fit, donors: FloatArray, n_pre: int, groups: IntArray) -> FloatArray:
    """Mean gap path of each group of donors to its counterfactual from all others.

    Parameters
    ----------
    fit : callable
    donors : array, shape (T, J)
    n_pre : int
    groups : array of int, shape (B, N)

    Returns
    -------
    array, shape (B, T)
    """
    out = np.empty((len(groups), len(donors)))
    rest = np.ones(donors.shape[1], dtype=bool)
    for b, group in enumerate(groups):
        rest[group] = False
        treated = donors[:, group]
        out[b] = (treated - fit(donors[:, rest], treated, n_pre).counterfactual).mean(axis=1)
        rest[group] = True
    return out


def pooled_control_gaps(donors: FloatArray, n_pre: int, groups: IntArray) -> FloatArray:
    """Do what `refitted_gaps` does for the synthetic control of a group's mean, from one Gram matrix."""
    before = donors[:n_pre]
    gram = before.T @ before
    out = np.empty((len(groups), len(donors)))
    rest = np.ones(donors.shape[1], dtype=bool)
    for b, group in enumerate(groups):
        rest[group] = False
        others = np.flatnonzero(rest)
        found = simplex_from_gram(
            gram[others[:, None], others],
            gram[others[:, None], group].mean(axis=1),
            full_rank=n_pre > len(others),
        )
        out[b] = donors[:, group].mean(axis=1) - donors[:, others] @ found.weights
        rest[group] = True
    return out


def single_control_gaps(donors: FloatArray, n_pre: int) -> FloatArray:
    """Gap path of every donor to its synthetic control from all others, shape (J, T)."""
    return pooled_control_gaps(donors, n_pre, np.arange(donors.shape[1])[:, None])


def sampled_control_gaps(donors: FloatArray, n_pre: int, most: int) -> FloatArray:
    """Gap paths of donors to synthetic controls of each other, of at most `most` evenly spaced ones."""
    if donors.shape[1] > most:
        donors = donors[:, np.linspace(0, donors.shape[1] - 1, most).astype(int)]
    return single_control_gaps(donors, n_pre)


def common_volatility(gaps: FloatArray) -> FloatArray:
    r"""How large the errors of the donors are on each day, against their own size, with mean one.

    .. math:: d_t = \tfrac{1}{J} \textstyle\sum_j |\hat e_{jt}| / \hat s_j, \qquad
        \hat s_j = \sqrt{\tfrac{1}{T} \textstyle\sum_t \hat e_{jt}^2}

    Parameters
    ----------
    gaps : array, shape (J, T)
        Of fits to all these days.

    Returns
    -------
    array, shape (T,)
    """
    own = np.sqrt((gaps**2).mean(axis=1, keepdims=True))
    size = (np.abs(gaps) / np.maximum(own, np.finfo(float).tiny)).mean(axis=0)
    return np.asarray(size / size.mean())


def tail_p_value(observed: float, drawn: FloatArray) -> float:
    """Two-sided p-value (1 + b) / (B + 1), b counting draws at least as large in absolute value.

    Draws that are NaN are left out of b and of B.
    """
    known = drawn[~np.isnan(drawn)]
    as_large = np.abs(known) >= abs(observed) * (1 - 1e-12)
    return float(counted_p_value(observed, as_large))
