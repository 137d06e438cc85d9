"""Abnormal changes in market value, by event, by group and in total."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.arguments import check_text
from eventstudy.errors import DataWarning, RequestError, warn
from eventstudy.inference import dependence
from eventstudy.inference.base import Alternative, check_alternative, t_bounds, t_p_values
from eventstudy.market import Market
from eventstudy.results.data_warnings import shared_days
from eventstudy.results.fitted import FittedEvents, MethodGroup, WindowLike, checked_level
from eventstudy.results.views import value_view
from eventstudy.tables import printed
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["ByEvent", "MarketValue", "money_of", "prices_before", "value_change"]

#: Events that a note names.
MOST_NAMED = 5
ByEvent = float | pd.Series | Mapping[object, float]
#: Growth of a count, or fall of a close that no return shows, from which on it is taken for a split.
LEAST = 1.15
#: Growth from which on a count is taken for split where the closes do not fall; below, shares may be issued.
LIKE_SPLIT = 1.45
#: Count of shares below which a fraction is none that an adjustment for splits leaves.
WHOLE = 1e6
#: Count that few listed firms stay below, and market value that these have, in any currency.
FEW, VALUE_OF_FEW = 1e5, 1e7
#: Market value that every listed firm has, in any currency.
LEAST_VALUE = 1e5


class MarketValue(MethodGroup):
    """Abnormal changes in market value of fitted events."""

    def value_change(
        self,
        market_cap: pd.DataFrame | ByEvent | None,
        start: WindowLike = None,
        end: int | None = None,
        *,
        shares: pd.DataFrame | ByEvent | None = None,
        rate: ByEvent = 1.0,
        by: str | None = None,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        r"""Abnormal change in market value: by event, and in total with the correlation of the events.

        .. math:: \Delta W_i = \mathrm{CAR}_i\, C_i, \qquad
                  \operatorname{Var}\Bigl(\sum_i \Delta W_i\Bigr) =
                  \sum_{i,j} C_i C_j\, \tau_{ij} \rho_{ij} \sqrt{\gamma'V_i\gamma\; \gamma'V_j\gamma}

        Parameters
        ----------
        market_cap : DataFrame, Series, mapping or float, or None
            Market value C at the close before the window. A frame is dates × securities, and the value is
            that of the session before the window's first; a Series or mapping goes by event id or security,
            a Series of days is that of the one security.
        start, end : int
            First and last relative day of the CAR; the headline window by default.
        shares : DataFrame, Series, mapping or float, optional
            In place of `market_cap`, which is then None: shares outstanding, which times the last close
            before the window are the market value. Laid out as `market_cap`; of days, the last count known
            then. Prices adjusted for later splits need a count adjusted for them, such as `share_counts`
            fetches. With 1 the changes are those of one share.
        rate : float, Series or mapping, default 1.0
            Units of the wanted currency for one unit of `market_cap`; by event id, security or (of pooled
            studies) study, unless it is one number.
        by : str, optional
            Column of the events, such as ``"firm"``, or ``"security"``: totals of groups instead of events.
        level : float, default 0.95
            Coverage of the intervals.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-values; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            By event_id (or group), and a last row ``total``: car (of groups, weighted by value), market_cap
            (both missing where a security has several events) and change in the wanted currency, se, t, dof,
            p_value, ci_low, ci_high, n_events, shared_days, how often a day of a security counts again
            because windows of several of its events hold it, and note. With `shares` also shares and counted,
            the day of the count, where counts have days. An event without a CAR, or without a close that
            its shares could be multiplied by, is a row without numbers, whose note says why; it is not in
            the total, whose note names it.

        Raises
        ------
        RequestError
            If an event with a CAR has no market value, count or rate (the message names it), a count, other
            than 1, can be none of shares, as it is of millions or billions, returns are not simple, both or
            neither of market_cap and shares are given, or a split lies between a count and the close.

        Warns
        -----
        DataWarning
            If counts of shares grow like a split at which the closes do not fall: these are adjusted for it.

        Notes
        -----
        rho is the correlation of estimation residuals on common calendar days and tau the share of days that
        two windows have in common, the terms of r-bar. On one common date this is the variance of the
        value-weighted portfolio of the events. Uncertainty of the market value itself plays no part. A total
        is t with the fewest degrees of freedom of its events.

        References
        ----------
        docs/methods/regressions.md, eq. (value-change).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> nyt = {"security": ["002415.SZ", "002236.SZ"], "date": "2019-05-22"}
        >>> results = es.EventStudy(market, nyt, estimation=(-270, -21), window=(-5, 5)).fit()
        >>> cap = {"002415.SZ": 255e9, "002236.SZ": 46e9}  # yuan, round numbers
        >>> found = results.value_change(cap, 0, 0)
        >>> (found[["change", "se"]] / 1e9).round(1).rename_axis(None)
               change   se
        0       -12.5  4.7
        1        -2.3  1.0
        total   -14.8  5.3
        """
        data = self.fitted
        window = data.checked_window(start, end)
        check_alternative(alternative)
        frame = value_change(data, window, market_cap, shares, rate, by, checked_level(level), alternative)
        return printed(frame, value_view)


def value_change(
    data: FittedEvents,
    tested: Window,
    market_cap: pd.DataFrame | ByEvent | None = None,
    shares: pd.DataFrame | ByEvent | None = None,
    rate: ByEvent = 1.0,
    by: str | None = None,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> pd.DataFrame:
    """Abnormal change in market value over a window; see `MarketValue.value_change`."""
    if (market_cap is None) == (shares is None):
        raise RequestError(
            "Give either market_cap, or shares to be multiplied by the price before the window."
        )
    if data.kind != "simple":
        raise RequestError(
            f"Value changes are of simple returns; these are {data.kind}. Make the market with kind='simple'."
        )
    left = _without_car(data, tested)
    if shares is not None:
        price, _ = prices_before(data, np.arange(len(data.index)), tested)
        without = f"no close before the window {tested}, so its shares have no value; give market_cap"
        unpriced = [row for row in np.flatnonzero(np.isnan(price)).tolist() if row not in left]
        if unpriced and len(unpriced) + len(left) == len(data.index):
            raise RequestError(f"{_named(data, unpriced[0])}: the market has {without}.")
        left |= dict.fromkeys(unpriced, without)
    kept = np.array([row not in left for row in range(len(data.index))])
    rows = np.flatnonzero(kept)
    counted = np.full(len(data.index), np.datetime64("NaT"), "datetime64[ns]")
    if shares is None:
        value, _ = _values(data, rows, market_cap, tested, "market value")
    else:
        count, counted[rows] = _values(data, rows, shares, tested, "number of shares")
        _refuse_units(data, rows, count, price[rows])
        value = count * price[rows]
    value = value * _looked_up(data, rows, rate, "exchange rate")
    bad = ~(np.isfinite(value) & (value > 0))
    if bad.any():
        raise RequestError(
            f"{_named(data, int(rows[np.argmax(bad)]))}: market value times rate is "
            f"{value[np.argmax(bad)]:g}, not a positive number."
        )
    frame = _changes(data, tested, kept, value, by)
    frame = _with_interval(frame, level, alternative)
    frame["note"] = ""
    if by is None:
        frame = frame.reindex([*data.index, "total"]).rename_axis("event_id")
        frame["n_events"] = frame["n_events"].fillna(0).astype(int)
        frame["shared_days"] = frame["shared_days"].fillna(0).astype(int)
        frame["note"] = [*(left.get(row, "") for row in range(len(data.index))), ""]
    if left:
        frame.loc["total", "note"] = _left_out(data, left)
    if shares is not None and by is None:
        held = np.full(len(data.index), np.nan)
        held[rows] = count
        frame["shares"], frame["counted"] = [*held, np.nan], pd.DatetimeIndex([*counted, pd.NaT])
    return frame


def _refuse_units(data: FittedEvents, rows: IntArray, count: FloatArray, price: FloatArray) -> None:
    """Refuse counts that are of millions or billions: those of shares are whole, and worth something."""
    value = count * price
    few = (count < FEW) & (value < VALUE_OF_FEW)
    odd = (count != 1.0) & ((count < WHOLE) & (count % 1.0 != 0) | few | (value < LEAST_VALUE))
    if odd.any():
        at = int(np.argmax(odd))
        raise RequestError(
            f"{_named(data, int(rows[at]))}: with {count[at]:,.6g} shares of {price[at]:,.2f} the "
            f"firm would be worth {value[at]:,.0f}. Is the count in millions or billions? Give it in single "
            "shares, such as shares=9.35e9; with shares=1 the changes are those of one share."
        )


def money_of(
    data: FittedEvents,
    window: Window,
    market_cap: pd.DataFrame | ByEvent | None,
    shares: pd.DataFrame | ByEvent | None,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> pd.DataFrame:
    """Return `value_change` for pages that show it in millions, and so need market values in single units.

    Raises
    ------
    RequestError
        If a market value is less than any listed firm's, as it is in millions or billions.
    """
    frame = value_change(data, window, market_cap, shares, level=level, alternative=alternative)
    small = (frame["market_cap"].iloc[:-1] < LEAST_VALUE).to_numpy()
    if small.any():
        row = int(np.argmax(small))
        raise RequestError(
            f"{_named(data, row)}: a market value of {frame['market_cap'].iloc[row]:,.6g} is that of no "
            "listed firm, and is shown in millions. Give market_cap in single units of money, such as 258e9, "
            "or the number of all shares; what the move is worth per share is shown in any case."
        )
    return frame


def _without_car(data: FittedEvents, window: Window) -> dict[int, str]:
    """Say by row which events have no CAR."""
    lost = np.flatnonzero(~data.test_input(window).usable).tolist()
    return dict.fromkeys(lost, f"no CAR over {window}")


def _left_out(data: FittedEvents, left: Mapping[int, str]) -> str:
    """Name the events that a total leaves out, by reason."""
    named: dict[str, list[str]] = {}
    for row, why in left.items():
        named.setdefault(why, []).append(f"event {data.index[row]} ({data.timeline['security'].iloc[row]})")
    told = [
        f"{', '.join(events[:MOST_NAMED])}{', ...' * (len(events) > MOST_NAMED)}: {why}"
        for why, events in named.items()
    ]
    return f"{plural(len(left), 'event')} left out, {'; '.join(told)}"


def _changes(
    data: FittedEvents, tested: Window, kept: BoolArray, value: FloatArray, by: str | None
) -> pd.DataFrame:
    """Change in value with its standard error, of each event or group that is kept, and in total."""
    if not kept.any():
        columns = ["car", "market_cap", "change", "se", "dof", "n_events", "shared_days"]
        empty = pd.DataFrame(np.nan, ["total"], columns).rename_axis(by or "event_id")
        return empty.assign(n_events=0, shared_days=0)
    usable, rows = data.test_input(tested).take(kept), np.flatnonzero(kept)
    fit = usable.abnormal
    related = dependence.correlation_matrix(fit.past.residuals(), fit.past.dates(), usable.covered_dates)
    se = value * np.sqrt(usable.cumulative.variance)
    change = value * usable.car
    everyone, security = np.arange(len(rows)), data.timeline["security"].to_numpy(dtype=object)[rows]
    names = data.index[rows] if by is None else _groups(data, by).iloc[rows]
    groups = {}
    for name in pd.unique(pd.Series(list(names), dtype=object)):
        groups[name] = everyone[np.asarray(names == name)]
    lines = [*groups.items(), ("total", everyone)]
    # The value of one security on several dates adds up to nothing.
    once = [len(set(security[at])) == len(at) for _, at in lines]
    held = [value[at].sum() if each else np.nan for each, (_, at) in zip(once, lines, strict=True)]
    return pd.DataFrame(
        {
            "car": [change[at].sum() / held[i] for i, (_, at) in enumerate(lines)],
            "market_cap": held,
            "change": [change[at].sum() for _, at in lines],
            "se": [_total_se(se[at], related[np.ix_(at, at)]) for _, at in lines],
            "dof": [usable.cumulative.dof[at].min() for _, at in lines],
            "n_events": [len(at) for _, at in lines],
            "shared_days": [shared_days(usable.tested_dates[at], security[at]) for _, at in lines],
        },
        index=pd.Index([name for name, _ in lines], name=by or "event_id", dtype=object),
    )


def _with_interval(frame: pd.DataFrame, level: float, alternative: Alternative) -> pd.DataFrame:
    dof, t = frame["dof"].to_numpy(), frame["change"] / frame["se"]
    low, high = t_bounds(frame["change"].to_numpy(), frame["se"].to_numpy(), dof, level, alternative)
    frame = frame.assign(t=t, p_value=t_p_values(t.to_numpy(), dof, alternative), ci_low=low, ci_high=high)
    order = ["car", "market_cap", "change", "se", "t", "dof", "p_value", "ci_low", "ci_high", "n_events"]
    return frame[[*order, "shared_days"]]


def _total_se(se: FloatArray, related: FloatArray) -> float:
    variance = float(se @ related @ se)
    return float(np.sqrt(variance)) if variance > 0 else float("nan")


def _groups(data: FittedEvents, by: str) -> pd.Series:
    check_text("by", by)
    return data.timeline["security"] if by == "security" else data.groups(by)


def _named(data: FittedEvents, row: int) -> str:
    return f"Event {data.index[row]} ({data.timeline['security'].iloc[row]})"


def prices_before(data: FittedEvents, rows: IntArray, window: Window) -> tuple[FloatArray, DateArray]:
    """Last close before a window, and its day, by event; NaN and NaT where the market has none.

    Parameters
    ----------
    rows : array of int
        Events.
    """
    price, day = np.full(len(rows), np.nan), np.full(len(rows), np.datetime64("NaT"), "datetime64[ns]")
    for i, row in enumerate(rows.tolist()):
        study, at = data.part(row)
        before = int(study.sample.day0[at]) + window.start
        market = study.spec.market
        if "close" not in market.price_fields or before < 1:
            continue
        close = market.prices("close")[study.timeline["security"].iloc[at]].iloc[:before].dropna()
        if len(close):
            price[i], day[i] = close.iloc[-1], close.index[-1].to_datetime64()
    return price, day


def _values(
    data: FittedEvents, rows: IntArray, given: pd.DataFrame | ByEvent | None, window: Window, what: str
) -> tuple[FloatArray, DateArray]:
    """Look up market values, or counts of shares, which hold until the next is known; and their days."""
    frame = _by_day(data, given, what)
    days = np.full(len(rows), np.datetime64("NaT"), "datetime64[ns]")
    if frame is None:
        return _looked_up(data, rows, given, what), days
    if frame.index.has_duplicates or not frame.columns.is_unique:
        raise RequestError(f"The {what} must be dates × securities, each date and each security once.")
    found = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        study, at = data.part(row)
        security, sessions = study.timeline["security"].iloc[at], study.sessions
        before = int(study.sample.day0[at]) + window.start - 1
        if before < 0:
            raise RequestError(f"{_named(data, row)}: the market has no session before the window {window}.")
        day = sessions[before]
        column = frame[security] if security in frame else pd.Series(dtype=float)
        if what == "market value":
            value, days[i] = column.get(day), day.to_datetime64()
        else:
            counts = column.sort_index().dropna()
            known = counts.loc[:day]
            value = known.iloc[-1] if len(known) else None
            if len(known):
                days[i] = known.index[-1].to_datetime64()
                check_splits(study.spec.market, str(security), counts, known.index[-1], day)
        if value is None or np.isnan(value):
            told = (
                f"market_cap has no value of {security} on {day:%Y-%m-%d}"
                if what == "market value"
                else f"shares have no count of {security} by {day:%Y-%m-%d}"
            )
            raise RequestError(
                f"{_named(data, row)}: {told}, the session before the window {window}. Give it, or a "
                "mapping by event."
            )
        found[i] = float(value)
    return found, days


def _by_day(data: FittedEvents, given: object, what: str) -> pd.DataFrame | None:
    """Return values by day as a frame of dates × securities; None if they are given in another way."""
    if isinstance(given, pd.Series) and isinstance(given.index, pd.DatetimeIndex):
        names = data.timeline["security"].unique()
        if len(names) > 1:
            raise RequestError(
                f"The {what} is a Series of days, and there are {len(names)} securities: give a frame of "
                "dates × securities."
            )
        given = given.to_frame(names[0])
    if not isinstance(given, pd.DataFrame):
        return None
    return given.set_axis(pd.DatetimeIndex(pd.to_datetime(given.index)).as_unit("ns"))


def _looked_up(data: FittedEvents, rows: IntArray, given: object, what: str) -> FloatArray:
    """Values by event out of a number, or by event id, by security or by study."""
    if isinstance(given, int | float | np.number):
        return np.full(len(rows), float(given))
    try:
        values = dict(given)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise RequestError(
            f"The {what} must be a number, a Series or a mapping; got {type(given).__name__}."
        ) from None
    securities = data.timeline["security"].tolist()
    studies = data.timeline["study"].tolist() if "study" in data.timeline else [None] * len(securities)
    found = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        keys = (data.index[row], securities[row], studies[row])
        known = [
            values[key] for key in keys if key is not None and key in values and not pd.isna(values[key])
        ]
        if not known:
            raise RequestError(f"{_named(data, row)} has no {what}; give one by its id or by its security.")
        found[i] = float(known[0])
    return found


def check_splits(
    market: Market, security: str, counts: pd.Series, counted: pd.Timestamp, day: pd.Timestamp
) -> None:
    """Refuse a count of before a split beside a close of after it, and warn of the reverse.

    Parameters
    ----------
    counts : Series
        Counts of the security by day, in order.
    counted, day : Timestamp
        Day of the count in use, and of the close it is multiplied by.

    Raises
    ------
    RequestError
        If the closes fall by a split between the two.

    Warns
    -----
    DataWarning
        If a later count has grown as by a split, and the closes have not fallen by it.
    """
    if "close" not in market.price_fields:
        return
    apart = _fallen(market, security)
    between = apart[(apart.index > counted) & (apart.index <= day)]
    steps = between[between.abs() > np.log(LEAST)]
    if len(steps):
        on, by = steps.index[-1], float(np.exp(steps.iloc[-1]))
        raise RequestError(
            f"{security}: on {on:%Y-%m-%d} its closes change by a factor of {by:.3g} that its returns do not "
            f"show, as by a split, and the last count of shares is of {counted:%Y-%m-%d}, before it. Give a "
            f"count of {on:%Y-%m-%d} or later, or market_cap."
        )
    later = counts[counts.index >= counted]
    growth = np.log(later.to_numpy(dtype=float)[1:] / later.to_numpy(dtype=float)[:-1])
    for at in np.flatnonzero(np.abs(growth) > np.log(LIKE_SPLIT)).tolist():
        before, on, step = later.index[at], later.index[at + 1], float(growth[at])
        span = apart[(apart.index > before) & (apart.index <= on)]
        if len(span) and abs(float(span.sum()) - step) > abs(step) / 2:
            warn(
                f"{security}: its count of shares changes by a factor of {np.exp(step):.3g} from "
                f"{before:%Y-%m-%d} to {on:%Y-%m-%d}, as by a split, and its closes do not, so these are "
                f"adjusted for it and the count of {counted:%Y-%m-%d} may not be: give counts that are "
                "adjusted for later splits as well, or closes as traded.",
                DataWarning,
            )
            return


def _fallen(market: Market, security: str) -> pd.Series:
    """Log change by which each close is below what the returns make of the last one, as after a split."""
    close = market.prices("close")[security].dropna()
    returns = market.returns[security].reindex(close.index)
    growth = returns if market.kind == "log" else np.log1p(returns)
    return (growth - np.log(close / close.shift())).dropna()
