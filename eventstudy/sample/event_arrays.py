"""Event time: regressors a model asks for, and the arrays it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.column_names import factor_name
from eventstudy.errors import ModelError
from eventstudy.market import Market
from eventstudy.market.intraday import Gap

__all__ = [
    "EventArrays",
    "Missing",
    "Regressor",
    "Rows",
    "check_missing",
    "factor_row",
    "gap_kinds",
    "take_windows",
]

Missing = Literal["drop", "trade_to_trade"]
#: Some of the events of a sample, by position.
Rows = slice | IntArray


@dataclass(frozen=True)
class Regressor:
    """A benchmark or factor to lay out in event time, `lag` sessions earlier.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.models.Regressor("smb", lag=1).name
    'smb[-1]'
    """

    source: str
    lag: int = 0

    @property
    def name(self) -> str:
        """Source and shift, such as ``"benchmark[-1]"`` for the session before."""
        return self.source if self.lag == 0 else f"{self.source}[{-self.lag:+d}]"


@dataclass(frozen=True)
class EventArrays:
    """Returns and regressors of n events, laid out in event time.

    W is the length of the estimation window, L that of the event window, p the number of
    regressors (without the constant).

    Attributes
    ----------
    y_est, y_evt : arrays, shape (n, W) and (n, L)
        Returns, NaN where missing. In the estimation window returns that span several sessions
        are missing too, unless they were asked for (``missing="trade_to_trade"``).
    x_est, x_evt : arrays, shape (n, W, p) and (n, L, p)
        Regressors over the sessions each return spans; NaN where unknown.
    span_evt : array of int, shape (n, L)
        Sessions each event-window return spans, 0 where missing.
    dates_est, dates_evt : arrays of datetime64[D]
        Calendar dates; NaT beyond the data.
    rf_evt : array, shape (n, L), or 0.0
        Risk-free return over the same sessions, where `y_evt` is in excess of it.
    span_est : array of int, shape (n, W), optional
        Sessions each estimation return spans, 0 where missing; None if all span one session.
    after : array of bool, shape (n,), optional
        Which estimation windows lie after their event windows; None if none does.

    Examples
    --------
    >>> import numpy as np
    >>> import eventstudy as es
    >>> rng, day = np.random.default_rng(0), np.datetime64("2020-01-01")
    >>> arrays = es.models.EventArrays(
    ...     y_est=rng.normal(0, 0.01, (2, 60)), x_est=rng.normal(0, 0.01, (2, 60, 1)),
    ...     y_evt=rng.normal(0, 0.01, (2, 3)), x_evt=rng.normal(0, 0.01, (2, 3, 1)),
    ...     span_evt=np.ones((2, 3), int),
    ...     dates_est=np.tile(day + np.arange(60), (2, 1)),
    ...     dates_evt=np.tile(day + 60 + np.arange(3), (2, 1)),
    ... )
    >>> es.MarketModel().fit(arrays).params.shape
    (2, 2)
    """

    y_est: FloatArray
    x_est: FloatArray
    y_evt: FloatArray
    x_evt: FloatArray
    span_evt: IntArray
    dates_est: DateArray
    dates_evt: DateArray
    span_est: IntArray | None = None
    rf_evt: FloatArray | float = 0.0
    after: BoolArray | None = None


def check_missing(missing: str) -> None:
    """Raise ModelError unless `missing` says what becomes of returns over several sessions."""
    if missing not in get_args(Missing):
        raise ModelError(f"missing must be one of {', '.join(get_args(Missing))}; got {missing!r}.")


def gap_kinds(gap: npt.NDArray[np.int8], rows: IntArray, spans: IntArray) -> npt.NDArray[np.int8]:
    """Say which returns of an intraday market reach over a night or a break, as a `Gap`.

    Parameters
    ----------
    gap : array of int8, shape (T,)
        As in ``Market.arrays``.
    rows, spans : arrays of int, broadcast shape
        Rows of the returns and how many each spans, 0 where there is none.
    """
    kinds = np.zeros(np.broadcast_shapes(rows.shape, spans.shape), dtype=np.int8)
    for kind in (Gap.BREAK, Gap.NIGHT):  # of both, the night counts
        before = np.concatenate([[0], np.cumsum(gap == kind)])
        last, first = np.clip(rows + 1, 0, len(gap)), np.clip(rows + 1 - spans, 0, len(gap))
        kinds[(spans > 0) & (before[last] > before[first])] = kind
    return kinds


def factor_row(market: Market, factor: str, of: str = "") -> int | None:
    """Row in ``market.bank`` of a factor of the set `of`, or None; the set without a name is called "".

    One factor goes by several names: momentum is mom in its authors' files, umd or wml in others.
    """
    rows = market.arrays.factor_rows.get(of, {})
    for same in (str, factor_name):
        wanted = same(factor)
        for name, row in rows.items():
            if same(name) == wanted:
                return row
    return None


def take_windows(panel: FloatArray, series: IntArray, first: IntArray, length: int) -> FloatArray:
    """Copy windows of `length` sessions out of a panel, contiguous memory where they lie inside of it.

    Parameters
    ----------
    panel : array, shape (S, T)
    series, first : arrays of int, of one shape
        Row of the panel and first column of each window; a window may reach beyond the panel.
    length : int

    Returns
    -------
    array, shape (..., length)
        NaN beyond the panel.
    """
    n_sessions = panel.shape[1]
    inside = (first >= 0) & (first + length <= n_sessions)
    if length <= n_sessions:
        row, step = panel.strides
        shape = (len(panel), n_sessions - length + 1, length)
        view = np.lib.stride_tricks.as_strided(panel, shape, (row, step, step))
        out: FloatArray = view[series, first if inside.all() else np.clip(first, 0, n_sessions - length)]
    else:
        out = np.empty((*first.shape, length))
    if not inside.all():
        part = ~inside
        rows = first[part][:, None] + np.arange(length)
        known = (rows >= 0) & (rows < n_sessions)
        values = panel[series[part][:, None], np.clip(rows, 0, n_sessions - 1)]
        out[part] = np.where(known, values, np.nan)
    return out
