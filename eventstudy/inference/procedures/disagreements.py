"""What it means where tests by the spread of the events and tests by their past disagree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.mean_correlation import dependence

__all__ = ["disagreement", "spread_rose"]

#: Tests that take the variance of CARs from their spread over the events.
BY_SPREAD = ("bmp", "adjusted_bmp", "filtered_bmp")
#: Tests that take it from the past of the events.
BY_PAST = (
    "filtered_t", "filtered_sq", "filtered_rank", "portfolio", "rank", "cumrank_z", "independence",
)  # fmt: skip


def disagreement(
    p_values: Mapping[str, float], data: TestInput | None = None, alpha: float = 0.05
) -> dict[str, str]:
    """Say what it means where tests by the spread of the events and by their past disagree; by test key.

    Parameters
    ----------
    p_values : mapping of float
        By test key.
    data : TestInput, optional
        The events, whose spread tells whether the event was more volatile.
    alpha : float, default 0.05

    Examples
    --------
    >>> list(disagreement({"adjusted_bmp": 0.3, "portfolio": 0.01}))
    ['portfolio']
    """
    known = [key for key, p in p_values.items() if key in BY_SPREAD and not np.isnan(p)]
    spread = next((key for key in known if key != "bmp"), next(iter(known), None))
    if spread is None:
        return {}
    by_spread, told = p_values[spread], {}
    for past in BY_PAST:
        by_past = p_values.get(past, np.nan)
        if by_past <= alpha < by_spread:
            told[past] = f"rejects where {spread} does not: {_why_more(data, spread)}"
        elif by_spread <= alpha < by_past:
            told[spread] = f"rejects where {past} does not: {_why_less(data)}"
    if spread == "filtered_bmp" and p_values.get("adjusted_bmp", np.nan) <= alpha < by_spread:
        told["adjusted_bmp"] = (
            f"rejects where {spread} does not: it takes the correlation of the estimation window for that of "
            "the day, and rejects too often where firms moved together more in the weeks before"
        )
    return told


def _why_less(data: TestInput | None) -> str:
    """Why a test by the spread may reject alone: a calmer event, or how the two weigh the events."""
    if data is None or _spread(data)[0] < _spread(data)[1]:
        return (
            "the CARs vary less than their estimation windows imply, a sign of a calmer event, or chance "
            "where events are few"
        )
    return (
        "the CARs spread as their estimation windows imply, so the two differ by how they weigh the events, "
        "by the volatility of the days before, or by chance"
    )


def _why_more(data: TestInput | None, spread: str) -> str:
    """Why a test by the past may reject alone: a more volatile event, or a spread of too few events."""
    if data is not None and not spread_rose(data):
        n = data.with_variance.n_events
        few = "" if spread == "filtered_bmp" else f", with {n - 1} degree{'s' * (n > 2)} of freedom,"
        return f"the CARs spread no more than before the event, so {spread}{few} lacks the power"
    return (
        "the event was more volatile than the estimation window, which this test takes for an effect; "
        "compare with test(..., against=controls)"
    )


def spread_rose(data: TestInput) -> bool:
    """Whether CARs spread about their mean more than their prediction errors allow, at 5%."""
    total, _, most = _spread(data)
    return total > most


def _spread(data: TestInput) -> tuple[float, float, float]:
    r"""Measure how CARs spread about their mean, between what their prediction errors allow at 5%.

    .. math:: \sum_i (CAR_i - \bar m)^2 / v_i \Big/ (1 - \bar r) \sim \chi^2_{N-1}, \qquad
              \bar m = \sum_i (CAR_i / v_i) \Big/ \sum_i (1 / v_i)

    A CAR that all events have in common leaves it as it is. Returns the sum and the 5 and 95% quantiles;
    NaN for one event.
    """
    used = data.with_variance
    n, car, variance = used.n_events, used.car, used.cumulative.variance
    if n < 2:
        return np.nan, np.nan, np.nan
    left = car - (car / variance).sum() / (1.0 / variance).sum()
    shared = min(max(dependence(used).mean_correlation, 0.0), 0.99)
    total = float((left**2 / variance).sum() / (1.0 - shared))
    return total, float(special.chdtri(n - 1, 0.95)), float(special.chdtri(n - 1, 0.05))
