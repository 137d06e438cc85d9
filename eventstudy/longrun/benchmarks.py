"""What a buy-and-hold return is compared with: a matched firm, or a portfolio of like firms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenRecord, hand_out_copies
from eventstudy.longrun.panel import Panel, compounded, laid_on_sessions
from eventstudy.text import plural

__all__ = ["MatchedFirms", "Reference", "ReferencePortfolios", "portfolio_wealth"]


@dataclass(frozen=True)
class Reference(FrozenRecord):
    """The benchmark of one event: returns of its H periods, its wealth, and what it is.

    Attributes
    ----------
    returns, wealth : arrays, shape (H,)
        Period returns, and the value of one unit at the end of each period.
    name : str
        Where a firm's proceeds went into others, all of them in turn.
    n_firms : int
    """

    returns: FloatArray
    wealth: FloatArray
    name: str
    n_firms: int


def portfolio_wealth(
    returns: FloatArray, weights: FloatArray, rebalanced: bool
) -> tuple[FloatArray, FloatArray]:
    r"""Wealth of a portfolio formed at the start, and its period returns.

    Without rebalancing, of weights w,

    .. math:: W_t = \sum_s w_s \prod_{u \le t} (1 + R_{su}), \qquad
              \text{rebalanced:}\quad
              W_t = \prod_{u \le t} \left(1 + \frac{\sum_s w_s R_{su}}{\sum_s w_s}\right)

    with the second sum over the securities that have a return. A security that is gone (NaN) earns, without
    rebalancing, the mean return of the others from then on: its proceeds are put into them in equal parts.

    Parameters
    ----------
    returns : array, shape (S, H)
    weights : array, shape (S,)
        Positive; they need not sum to one.
    rebalanced : bool

    Returns
    -------
    wealth, returns : arrays, shape (H,)
        NaN from the period on in which no security is left.

    References
    ----------
    docs/methods/long_horizon.md, eq. (reference-wealth).
    """
    seen = ~np.isnan(returns)
    filled = np.where(seen, returns, 0.0)
    some = seen.any(axis=0)
    if rebalanced:
        held = np.where(seen, weights[:, None], 0.0)
        mean = np.where(some, (held * filled).sum(axis=0) / np.where(some, held.sum(axis=0), 1.0), np.nan)
        wealth = compounded(mean)
        return wealth, mean
    count = seen.sum(axis=0)
    others = np.where(some, filled.sum(axis=0) / np.maximum(count, 1), np.nan)
    growth = compounded(np.where(seen, returns, others))
    wealth = weights @ growth / weights.sum()
    return wealth, np.diff(wealth, prepend=1.0) / np.concatenate([[1.0], wealth[:-1]])


@hand_out_copies("groups", "weights")
@dataclass(frozen=True)
class ReferencePortfolios:
    """Portfolios of like firms, such as those of one size decile and book-to-market quintile.

    Parameters
    ----------
    groups : DataFrame
        Dates × securities: the group of each security (any label; missing if none). The labels of a date hold
        until the next one; a security without a label there has no group, whatever it had before. An event's
        portfolio is the group of its own security at formation, the session before the horizon starts,
        without that security.
    rebalanced : bool, default False
        Whether the portfolio goes back to its weights each period. A rebalanced one buys what has fallen,
        and bid-ask bounce makes it look better than anyone's investment.
    constituents : {"formation", "current"}, default "formation"
        Firms of the group at formation, or, rebalanced only, those of each period: these hold newly listed
        firms, which an investor at formation could not have bought (listing bias).
    weights : DataFrame, optional
        Dates × securities, such as market values at formation; equal weights by default.
    exclude : tuple of str, optional
        Securities that are never constituents, such as all firms with events.

    Notes
    -----
    A firm without a return up to the session of formation is not listed yet and no constituent, whatever its
    label.
    Barber and Lyon (1997); Lyon, Barber and Tsai (1999). A constituent that disappears leaves its proceeds to
    the others in equal parts.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> months = es.lab.simulate_market(40, 120, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    >>> dates = months.sessions[20:100:2]
    >>> events = [{"security": s, "date": d} for s, d in zip(months.securities, dates)]
    >>> halves = ["small" if i % 2 else "large" for i in range(len(months.securities))]
    >>> groups = pd.DataFrame([halves], months.sessions[:1], months.securities)
    >>> es.BuyAndHold(months, events, (1, 12), es.ReferencePortfolios(groups)).fit()
    BuyAndHoldResults: 40 events, horizon (+1, +12), against 2 references
    """

    groups: pd.DataFrame
    rebalanced: bool = False
    constituents: Literal["formation", "current"] = "formation"
    weights: pd.DataFrame | None = None
    exclude: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.constituents not in ("formation", "current"):
            raise RequestError(f"constituents must be 'formation' or 'current', got {self.constituents!r}.")
        if self.constituents == "current" and not self.rebalanced:
            raise RequestError(
                "A portfolio of current constituents changes each period: pass rebalanced=True."
            )
        object.__setattr__(self, "exclude", tuple(self.exclude))

    def of(self, panel: Panel, security: IntArray, first: IntArray, length: int) -> list[Reference | str]:
        """Form the portfolio of each event, or say why it has none."""
        labels = laid_on_sessions(self.groups, panel.market, "groups").to_numpy(dtype=object)
        size = (
            np.ones(labels.shape)
            if self.weights is None
            else laid_on_sessions(self.weights, panel.market, "weights").to_numpy(dtype=np.float64)
        )
        banned = panel.market.positions([*self.exclude, *panel.market.benchmarks])
        return [
            self._one(panel, labels, size, banned, int(s), int(f), length)
            for s, f in zip(security, first, strict=True)
        ]

    def _one(
        self,
        panel: Panel,
        labels: np.ndarray,
        size: FloatArray,
        banned: IntArray,
        own: int,
        first: int,
        length: int,
    ) -> Reference | str:
        formed = first - 1
        if formed < 0:
            return "the horizon starts with the data, so there is no session at which its portfolio is formed"
        label = labels[formed, own]
        if pd.isna(label):
            return (
                f"it has no group on {panel.market.sessions[formed]:%Y-%m-%d}, when its portfolio is formed"
            )

        def members(row: int) -> BoolArray:
            inside = np.array([bool(value == label) for value in labels[row]])
            inside &= (size[row] > 0) & (panel.first <= row) & (panel.last >= first)
            inside[[own, *banned[banned >= 0]]] = False
            return inside

        if self.constituents == "formation":
            chosen = np.flatnonzero(members(formed))
            if not len(chosen):
                return f"group {label} has no other firm on {panel.market.sessions[formed]:%Y-%m-%d}"
            returns, _ = panel.held(chosen, first, length)
            wealth, period = portfolio_wealth(returns, size[formed, chosen], self.rebalanced)
            n = len(chosen)
        else:
            period, counts = np.full(length, np.nan), []
            for t in range(length):
                now = np.flatnonzero(members(first + t - 1))
                r, w = panel.returns[now, first + t], size[first + t - 1, now]
                seen = ~np.isnan(r)
                counts.append(int(seen.sum()))
                if seen.any():
                    period[t] = (w[seen] @ r[seen]) / w[seen].sum()
            wealth, n = compounded(period), min(counts)
        if np.isnan(wealth).any():
            return f"no firm of group {label} is left before the horizon ends"
        return Reference(period, wealth, f"group {label}", n)


@hand_out_copies("size", "ratio")
@dataclass(frozen=True)
class MatchedFirms:
    """One like firm for each event.

    Parameters
    ----------
    size : DataFrame, optional
        Dates × securities, such as market values.
    ratio : DataFrame, optional
        Dates × securities, such as book-to-market ratios. Of the firms whose size at formation is within
        `band` of the event firm's, the one of nearest ratio is taken (Barber and Lyon 1997); without ratio
        the one of nearest size.
    band : (float, float), default (0.7, 1.3)
    column : str, optional
        Instead of these, the column of the events that names each one's matched security.
    exclude : tuple of str, optional
        Securities that match no one, such as all firms with events.

    Notes
    -----
    The proceeds of a matched firm that disappears within the horizon go into the next nearest of the firms
    that fitted at formation, and if none is left (or `column` names the firm) into the market's benchmark
    (Barber and Lyon 1997; Lyon, Barber and Tsai 1999). Without a benchmark the event is excluded.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> months = es.lab.simulate_market(40, 120, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    >>> events = [{"security": s, "date": months.sessions[20]} for s in months.securities[:20]]
    >>> size = pd.DataFrame([np.linspace(10, 12, 40)], months.sessions[:1], months.securities)
    >>> matched = es.MatchedFirms(size=size, exclude=tuple(months.securities[:20]))
    >>> es.BuyAndHold(months, events, (1, 12), matched).fit()
    BuyAndHoldResults: 20 events, horizon (+1, +12), against S21
    """

    size: pd.DataFrame | None = None
    ratio: pd.DataFrame | None = None
    band: tuple[float, float] = (0.7, 1.3)
    column: str | None = None
    exclude: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if (self.size is None) == (self.column is None):
            raise RequestError(
                "Give MatchedFirms a frame of sizes, or the column of the events that names them."
            )
        object.__setattr__(self, "exclude", tuple(self.exclude))

    def of(
        self,
        panel: Panel,
        security: IntArray,
        first: IntArray,
        length: int,
        events: pd.DataFrame,
        indices: list[Reference | str],
    ) -> list[Reference | str]:
        """Find the matched firm of each event, or why it has none.

        `indices` are the benchmarks that proceeds go into, or why there is none.
        """
        chosen = (
            self._named(panel, events) if self.column is not None else self._nearest(panel, security, first)
        )
        return [
            "it is matched with itself"
            if match == [own]
            else match
            if isinstance(match, str)
            else _in_turn(panel, match, int(start), length, index)
            for own, start, match, index in zip(
                security.tolist(), first.tolist(), chosen, indices, strict=True
            )
        ]

    def _named(self, panel: Panel, events: pd.DataFrame) -> list[list[int] | str]:
        if self.column not in events:
            raise RequestError(f"The events have no column {self.column!r} that names matched firms.")
        found: list[list[int] | str] = []
        for name, row in zip(
            events[self.column], panel.market.positions(events[self.column].astype(str)), strict=True
        ):
            found.append(
                [int(row)]
                if row >= 0
                else f"column {self.column!r} names no matched firm"
                if pd.isna(name)
                else f"its matched firm {name!r} is not in the market"
            )
        return found

    def _nearest(self, panel: Panel, security: IntArray, first: IntArray) -> list[list[int] | str]:
        """Firms that fit each event, the nearest first, or why none does."""
        assert self.size is not None
        size = laid_on_sessions(self.size, panel.market, "size").to_numpy(dtype=np.float64)
        ratio = None
        if self.ratio is not None:
            ratio = laid_on_sessions(self.ratio, panel.market, "ratio").to_numpy(dtype=np.float64)
        banned = panel.market.positions([*self.exclude, *panel.market.benchmarks])
        found: list[list[int] | str] = []
        for own, start in zip(security, first, strict=True):
            formed = int(start) - 1
            own_size = size[formed, own] if formed >= 0 else np.nan
            own_ratio = own_size if ratio is None or formed < 0 else ratio[formed, own]
            if np.isnan(own_size) or np.isnan(own_ratio):
                found.append("its size or ratio is not known before the horizon starts")
                continue
            relative = size[formed] / own_size
            distance = np.abs((size if ratio is None else ratio)[formed] - own_ratio)
            fits = (relative >= self.band[0]) & (relative <= self.band[1]) & ~np.isnan(distance)
            fits &= (panel.first <= formed) & panel.begins(int(start))
            fits[[own, *banned[banned >= 0]]] = False
            if not fits.any():
                found.append(
                    f"no firm is within {self.band} times its size on the session before the horizon"
                )
                continue
            rows = np.flatnonzero(fits)
            found.append(rows[np.argsort(distance[rows], kind="stable")].tolist())
        return found


def _in_turn(
    panel: Panel, matches: list[int], start: int, length: int, index: Reference | str
) -> Reference | str:
    """Hold the first of some firms, and after each that disappears the next that is left, or an index."""
    names = list(panel.market.returns.columns)
    returns = np.empty(0)
    held: list[str] = []
    for match in matches:
        at, left = start + len(returns), length - len(returns)
        own, gone = (a[0] for a in panel.held(np.array([match]), at, left))
        own = own[~gone]
        lacking = ""
        if not len(own):
            lacking = "has no return from the start of the horizon on"
        elif np.isnan(own).any():
            lacking = f"lacks {plural(int(np.isnan(own).sum()), 'return')} within the horizon"
        elif panel.reaches_back(match, at, len(own)):
            lacking = "has a first return in the horizon that spans sessions from before it"
        if lacking and not held:
            return f"its matched firm {names[match]} {lacking}"
        if not lacking:
            returns = np.concatenate([returns, own])
            held.append(names[match])
        if len(returns) == length:
            break
    if len(returns) < length:
        if isinstance(index, str):
            last = panel.market.sessions[start + len(returns) - 1]
            return f"its matched firm {held[-1]} is gone after {last:%Y-%m-%d}, and {index}"
        returns = np.concatenate([returns, index.returns[len(returns) :]])
        held.append(index.name)
    return Reference(returns, compounded(returns), ", then ".join(held), 1)
