"""Base of the peer-based models: peer selection and prediction-error variance."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.errors import ModelError
from eventstudy.immutable import FrozenMapping
from eventstudy.market import Market
from eventstudy.market.compounding import CompoundedSeries
from eventstudy.models.base import EstimationWindowsUsed, ModelFit, NormalReturnModel
from eventstudy.models.least_squares import divide
from eventstudy.progress import followed
from eventstudy.sample import EventArrays, EventSample, Regressor, Rows
from eventstudy.windows import Window

__all__ = [
    "PeerArrays",
    "PeerModel",
    "Prediction",
    "complete_peers",
    "forward_splits",
    "rolling_origin_errors",
    "rolling_origins",
]

Peers = Sequence[str] | Mapping[str, Sequence[str]] | None
#: A peer that misses more of the estimation days than this is left out of regressions.
MOST_MISSING = 0.05
#: Blocks of days that rolling-origin errors are made of, each predicted from all days before it.
ORIGINS = 10


@dataclass(frozen=True, kw_only=True)
class PeerArrays(EventArrays):
    """Event arrays, and for each event the securities that may serve as its peers.

    Attributes
    ----------
    bank : CompoundedSeries
        Returns of all candidates.
    candidates : array of bool, shape (n, q)
        Rows of `bank` that are peers of each event.
    left_out : array of str, shape (n,)
        Securities left out of each event's peers, and why.
    day0 : array of int, shape (n,)
    estimation, window : Window
    """

    bank: CompoundedSeries
    candidates: BoolArray
    left_out: npt.NDArray[np.str_]
    day0: IntArray
    estimation: Window
    window: Window

    def peer_returns(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Lay out the peers of event `row`: single sessions (W, peers), and over its spans (L, peers)."""
        peers = np.flatnonzero(self.candidates[row])
        single = self.day0[row] + self.estimation.offsets
        inside = (single >= 0) & (single < self.bank.single.shape[1])
        past = np.where(inside[:, None], self.bank.single[peers][:, np.where(inside, single, 0)].T, np.nan)
        days = (self.day0[row] + self.window.offsets)[:, None]
        spans = np.maximum(self.span_evt[row], 1)[:, None]
        return past, self.bank.compound(*np.broadcast_arrays(peers[None, :], days, spans))


class Prediction(NamedTuple):
    """Counterfactual of one event.

    Attributes
    ----------
    expected : array, shape (L,)
    errors : array, shape (W,)
        Prediction errors of estimation days; NaN where there is none.
    weights : array, shape (peers,)
        NaN where a peer was not used.
    params : tuple of float
    left_out : str
        Peers that could not be used, and why.
    """

    expected: FloatArray
    errors: FloatArray
    weights: FloatArray
    params: tuple[float, ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class PeerModel(NormalReturnModel):
    """Base of the models whose normal return is made of other securities' returns.

    Peers that the news may have hit are left out automatically: securities named in an event of the
    same label, and securities with an event whose day 0 lies in the event window. `results.peers()`
    lists them, with the weights of the others.

    Parameters
    ----------
    peers : sequence of str, or mapping of security to sequence, optional
        Peers of all events, or of each security; every other security of the market by default.
    """

    estimation_windows: ClassVar[EstimationWindowsUsed] = "common"

    peers: Peers = field(default=None)

    def __post_init__(self) -> None:
        if isinstance(self.peers, str):
            raise ModelError(f"peers is a list of securities: peers=[{self.peers!r}].")
        if isinstance(self.peers, Mapping):
            named = {str(k): _names(v) for k, v in self.peers.items()}
            object.__setattr__(self, "peers", FrozenMapping(named))
        elif self.peers is not None:
            object.__setattr__(self, "peers", _names(self.peers))

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return ()

    @property
    def n_params(self) -> int:
        return 0

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of what is reported beside the weights."""
        return ()

    @property
    @abstractmethod
    def se_source(self) -> str:
        """Where the standard error comes from."""

    @abstractmethod
    def predict(self, arrays: PeerArrays, row: int) -> Prediction | str:
        """Counterfactual of one event, or the reason why there is none."""

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> PeerArrays:
        market = sample.market
        names, chosen = self._chosen(market, sample.timeline["security"].iloc[part].tolist())
        rows = market.positions(names)
        returns, spans = market.arrays.returns, market.arrays.spans
        candidates, left_out = _without_hit(sample, part, names, chosen)
        return PeerArrays(
            **vars(sample.arrays(self.regressors, part=part)),
            bank=CompoundedSeries.of(names, returns[rows], spans[rows], market.kind),
            candidates=candidates,
            left_out=left_out,
            day0=sample.day0[part],
            estimation=sample.estimation,
            window=sample.window,
        )

    def fit(self, arrays: EventArrays) -> ModelFit:
        if not isinstance(arrays, PeerArrays):
            raise ModelError(f"{type(self).__name__} fits the arrays that its own `arrays(sample)` lays out.")
        n, length = arrays.y_evt.shape
        k = len(self.param_names)
        params = np.full((n, k), np.nan)
        expected = np.full((n, length), np.nan)
        errors = np.full(arrays.y_est.shape, np.nan)
        weights = np.full(arrays.candidates.shape, np.nan)
        left_out = arrays.left_out.astype(object)
        failure = np.full(n, "", dtype=object)
        for i in followed(range(n), self.label, "event"):
            found: Prediction | str = "it has no peer"
            if arrays.candidates[i].any():
                found = self.predict(arrays, i)
            if isinstance(found, str):
                failure[i] = found + (f" (left out: {left_out[i]})" if left_out[i] else "")
                continue
            params[i], expected[i], errors[i] = found.params, found.expected, found.errors
            weights[i, arrays.candidates[i]] = found.weights
            left_out[i] = "; ".join(told for told in (left_out[i], found.left_out) if told)
        seen = ~np.isnan(errors)
        n_obs = seen.sum(axis=1)
        dof = n_obs.astype(np.float64)
        squares = np.where(seen, errors**2, 0.0).sum(axis=1)
        s2 = divide(squares, dof)
        y = np.where(seen, arrays.y_est, 0.0)
        mean = y.sum(axis=1) / np.maximum(n_obs, 1)
        total = np.where(seen, (y - mean[:, None]) ** 2, 0.0).sum(axis=1)
        known = ~np.isnan(arrays.y_evt) & ~np.isnan(expected)
        return ModelFit(
            param_names=self.param_names,
            params=params,
            param_cov=np.zeros((n, k, k)),
            s2=s2,
            n_obs=n_obs.astype(np.int64),
            dof=dof,
            r_squared=1.0 - divide(squares, total),
            residuals=errors,
            leverage=np.where(seen, 0.0, np.nan),
            expected=np.where(known, expected, np.nan),
            noise=np.where(known, s2[:, None] * arrays.span_evt, np.nan),
            design=np.zeros((n, length, k)),
            se_source=self.se_source,
            exact=False,
            failure=failure.astype(np.str_),
            peer_names=arrays.bank.names,
            peer_weights=weights,
            left_out=left_out.astype(np.str_),
        )

    def _chosen(self, market: Market, securities: Sequence[str]) -> tuple[tuple[str, ...], BoolArray]:
        """Names of all candidates, and which of them each security of an event takes."""
        if self.peers is None:
            names = tuple(market.securities)
            wanted = [names] * len(securities)
        elif isinstance(self.peers, Mapping):
            lists = [self.peers.get(str(s), ()) for s in securities]
            names = tuple(dict.fromkeys(name for each in lists for name in each))
            wanted = [tuple(each) for each in lists]
        else:
            names = tuple(self.peers)
            wanted = [names] * len(securities)
        for name in names:
            if market.positions([name])[0] < 0:
                close = difflib.get_close_matches(name, market.securities, n=3)
                hint = f"; did you mean {' or '.join(close)}?" if close else "."
                raise ModelError(f"The peer {name!r} is not a security of the market{hint}")
        column = {name: j for j, name in enumerate(names)}
        chosen = np.zeros((len(securities), len(names)), dtype=bool)
        for i, (security, each) in enumerate(zip(securities, wanted, strict=True)):
            chosen[i, [column[name] for name in each]] = True
            if security in column:
                chosen[i, column[security]] = False
        return names, chosen


def _names(peers: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, peers)))


def _without_hit(
    sample: EventSample, part: Rows, names: tuple[str, ...], chosen: BoolArray
) -> tuple[BoolArray, npt.NDArray[np.str_]]:
    """Take securities that the same news may have hit out of the candidates, and say which."""
    candidates, told = chosen.copy(), []
    column = {name: j for j, name in enumerate(names)}
    timeline, excluded = sample.timeline, sample.excluded
    same_label: dict[str, set[str]] = {}
    for security, label in [
        *zip(timeline["security"], timeline["label"], strict=True),
        *zip(excluded["security"], excluded["label"], strict=True),
    ]:
        if isinstance(label, str) and label:
            same_label.setdefault(label, set()).add(str(security))
    order = np.argsort(sample.day0, kind="stable")
    days, securities = sample.day0[order], timeline["security"].to_numpy()[order]
    dates = timeline["day_0"].to_numpy()[order]
    labels = timeline["label"].to_numpy()[part]
    for i, day0 in enumerate(sample.day0[part]):
        hit = dict.fromkeys(same_label.get(labels[i], ()), "same announcement")
        first, last = np.searchsorted(days, (day0 + sample.window.start, day0 + sample.window.end + 1))
        for j in range(first, last):
            hit.setdefault(str(securities[j]), f"event on {np.datetime_as_string(dates[j], unit='D')}")
        reasons = []
        for name in sorted(hit):
            if name in column and candidates[i, column[name]]:
                candidates[i, column[name]] = False
                reasons.append(f"{name} ({hit[name]})")
        told.append(", ".join(reasons))
    return candidates, np.array(told, dtype=np.str_)


def complete_peers(arrays: PeerArrays, row: int) -> tuple[BoolArray, BoolArray, FloatArray, FloatArray, str]:
    """Peers and days of one event on which nothing is missing.

    Returns
    -------
    kept : array of bool, shape (peers,)
    days : array of bool, shape (W,)
        Estimation days with a return of the security and of every kept peer.
    past, ahead : arrays, shape (days, kept) and (L, kept)
    left_out : str
    """
    past, ahead = arrays.peer_returns(row)
    traded = ~np.isnan(arrays.y_est[row])
    needed = ~np.isnan(arrays.y_evt[row])
    gaps = np.isnan(past[traded]).sum(axis=0) > MOST_MISSING * max(int(traded.sum()), 1)
    kept = ~gaps & ~np.isnan(ahead[needed]).any(axis=0)
    days = traded & ~np.isnan(past[:, kept]).any(axis=1)
    lost = [arrays.bank.names[j] for j in np.flatnonzero(arrays.candidates[row])[~kept]]
    left_out = f"{', '.join(lost[:10])}{', ...' * (len(lost) > 10)} ({len(lost)} with missing returns)"
    return kept, days, past[days][:, kept], ahead[:, kept], left_out if lost else ""


def forward_splits(n: int, folds: int, first: int) -> list[tuple[IntArray, IntArray]]:
    """Cut days `first` to `n` - 1 into `folds` blocks; train on all days before each block.

    Returns
    -------
    list of (train, test)
        Row numbers; training days always precede the days tested.

    Examples
    --------
    >>> [(len(train), test.tolist()) for train, test in forward_splits(6, 2, 2)]
    [(2, [2, 3]), (4, [4, 5])]
    """
    blocks = [block for block in np.array_split(np.arange(first, n), folds) if len(block)]
    return [(np.arange(block[0]), block) for block in blocks]


def rolling_origins(n: int) -> list[tuple[IntArray, IntArray]]:
    """Cut the second half of n days into ten blocks, each to be predicted from all days before it."""
    return forward_splits(n, ORIGINS, n // 2)


def rolling_origin_errors(
    y: FloatArray, x: FloatArray, predict: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
) -> FloatArray:
    """Out-of-sample errors of the second half of the days, in blocks, each predicted from all days before it.

    Parameters
    ----------
    y, x : arrays, shape (M,) and (M, q)
    predict : callable
        (y_train, x_train, x_test) -> prediction.

    Returns
    -------
    array, shape (M,)
        NaN in the first half.

    References
    ----------
    docs/methods/peer_models.md, eq. (rolling-origin).
    """
    errors = np.full(len(y), np.nan)
    for train, test in rolling_origins(len(y)):
        errors[test] = y[test] - predict(y[train], x[train], x[test])
    return errors
