"""Counterfactuals that are portfolios of peers: given or equal weights, and synthetic peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from eventstudy._typing import FloatArray
from eventstudy.errors import ModelError
from eventstudy.immutable import FrozenMapping
from eventstudy.models.least_squares import divide
from eventstudy.models.peer_base import (
    PeerArrays,
    PeerModel,
    Prediction,
    complete_peers,
    rolling_origin_errors,
)

__all__ = ["MatchedPortfolio", "SyntheticPeers", "simplex_weights"]


@dataclass(frozen=True)
class MatchedPortfolio(PeerModel):
    r"""Return of a portfolio of peer securities, with equal or given weights.

    .. math:: E[R_{it}] = \sum_j w_j R_{jt} \Big/ \sum_j w_j, \qquad V_i = s_d^2 I, \qquad
              s_d^2 = \frac{1}{M_i} \sum_\tau d_{i\tau}^2, \qquad d_{i\tau} = R_{i\tau} - E[R_{i\tau}]

    Sums run over the peers that have a return that day (in the event window: over the same sessions).
    Nothing is estimated but the variance, which is taken about zero.

    Parameters
    ----------
    peers : sequence of str, or mapping of security to sequence, optional
        Peers of all events, or of each security (a matched firm is a list of one); every other
        security of the market by default. Those hit by the same news are left out.
    weights : mapping of security to float, optional
        Positive weights of the peers; equal by default.

    Raises
    ------
    ModelError
        If peers are unknown, or weights are missing or not positive.

    Notes
    -----
    Matched by size, book-to-market or momentum: Daniel, Grinblatt, Titman and Wermers (1997); Barber and
    Lyon (1997); Ahern (2009).

    References
    ----------
    docs/methods/peer_models.md, eq. (matched-portfolio).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.MatchedPortfolio(peers=["002230.SZ", "300188.SZ"]).label
    'Matched portfolio (equal weights)'
    """

    weights: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights is None:
            return
        weights = {str(name): float(w) for name, w in self.weights.items()}
        bad = [name for name, w in weights.items() if not 0 < w < np.inf]
        if bad:
            raise ModelError(f"weights must be positive; {bad[0]} has {weights[bad[0]]!r}.")
        object.__setattr__(self, "weights", FrozenMapping(weights))

    @property
    def label(self) -> str:
        return f"Matched portfolio ({'equal' if self.weights is None else 'given'} weights)"

    @property
    def se_source(self) -> str:
        return "estimation-window variance, about zero, of the difference to the portfolio"

    def predict(self, arrays: PeerArrays, row: int) -> Prediction | str:
        past, ahead = arrays.peer_returns(row)
        names = [arrays.bank.names[j] for j in np.flatnonzero(arrays.candidates[row])]
        if self.weights is None:
            weights = np.ones(len(names))
        else:
            lacking = [name for name in names if name not in self.weights]
            if lacking:
                raise ModelError(f"weights has none for {', '.join(lacking[:5])}.")
            weights = np.array([self.weights[name] for name in names])
        return Prediction(
            expected=_portfolio(ahead, weights),
            errors=arrays.y_est[row] - _portfolio(past, weights),
            weights=weights / weights.sum(),
        )


def _portfolio(returns: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted mean of the returns known on each day, (days, q) to (days,)."""
    seen = ~np.isnan(returns)
    return divide(np.where(seen, returns, 0.0) @ weights, seen @ weights)


@dataclass(frozen=True)
class SyntheticPeers(PeerModel):
    r"""Synthetic control of each event as its normal return: weights of zero or more that add up to one.

    .. math:: \hat w = \arg\min_{w \ge 0,\; \sum w = 1} \sum_\tau \Big(R_{i\tau} - \sum_j w_j R_{j\tau}\Big)^2

    Estimated on the days of the estimation window on which all peers traded. Peers that miss more than
    5% of these days, or a day of the event window, are left out and listed.

    Parameters
    ----------
    peers : sequence of str, or mapping of security to sequence, optional
        Donors of all events, or of each security; every other security of the market by default. Those
        hit by the same news are left out.

    See Also
    --------
    eventstudy.CausalStudy : synthetic controls by date, with inference of their own.

    Notes
    -----
    In-sample residuals would flatter the fit: `residuals` are rolling-origin prediction errors. The second
    half of the estimation days is cut into ten blocks, each predicted with weights of all days before it;
    their mean square is the variance. Multi-day standard errors assume errors uncorrelated from day to day:
    prefer the sample-quantile and rank tests, which draw on these errors themselves. Abadie, Diamond and
    Hainmueller (2010); Acemoglu, Johnson, Kermani, Kwak and Mitton (2016); Baker and Gelbach (2020).

    References
    ----------
    docs/methods/peer_models.md, eq. (synthetic-control).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.SyntheticPeers().label
    'Synthetic peers'
    """

    @property
    def label(self) -> str:
        return "Synthetic peers"

    @property
    def se_source(self) -> str:
        return "rolling-origin prediction errors (approximation); prefer sq and rank tests"

    def predict(self, arrays: PeerArrays, row: int) -> Prediction | str:
        kept, days, past, ahead, left_out = complete_peers(arrays, row)
        if past.shape[1] == 0 or len(past) < 2:
            return f"no peer has the returns needed ({left_out})"
        y = arrays.y_est[row, days]
        try:
            found = simplex_weights(y, past)
            errors = rolling_origin_errors(y, past, lambda y0, x0, x1: x1 @ simplex_weights(y0, x0))
        except RuntimeError as error:
            return f"the weights of the peers could not be found: {error}"
        weights, all_errors = np.full(len(kept), np.nan), np.full(len(days), np.nan)
        weights[kept], all_errors[days] = found, errors
        return Prediction(ahead @ found, all_errors, weights, left_out=left_out)


def simplex_weights(y: FloatArray, x: FloatArray) -> FloatArray:
    r"""Weights of zero or more that add up to one and minimise :math:`|y - Xw|^2`.

    Parameters
    ----------
    y, x : arrays, shape (M,) and (M, q)

    Returns
    -------
    array, shape (q,)

    Raises
    ------
    RuntimeError
        If the active-set search does not end.

    Notes
    -----
    With D = X - y1', the sum is :math:`|Dw|^2`. Non-negative least squares of (0, 1) on the rows of D and a
    row of ones minimises :math:`u^2|Dw|^2 + (u - 1)^2` over :math:`u w`, which for the best u is
    :math:`f/(1+f)` with :math:`f = |Dw|^2`: smallest where f is, so scaling its solution to add up to one
    is exact.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> simplex_weights(x @ [0.25, 0.75], x).round(6).tolist()
    [0.25, 0.75]
    """
    gaps = x - y[:, None]
    scale = np.sqrt((gaps**2).sum(axis=0).mean())
    if not scale > 0:
        return np.full(x.shape[1], 1.0 / x.shape[1])
    stacked = np.vstack([gaps / scale, np.ones(x.shape[1])])
    solution, _ = scipy.optimize.nnls(stacked, np.append(np.zeros(len(y)), 1.0))
    return np.asarray(solution / solution.sum(), dtype=np.float64)
