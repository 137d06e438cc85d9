"""Abnormal changes in market value, by event, by group and in total."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import t_ppf, t_sf
from eventstudy.errors import RequestError
from eventstudy.inference.dependence.mean_correlation import correlation_matrix
from eventstudy.results.data_warnings import shared_days
from eventstudy.results.fitted import FittedEvents, MethodGroup, WindowLike, checked_level
from eventstudy.results.views import value_view
from eventstudy.tables import printed
from eventstudy.windows import Window

__all__ = ["MarketValue"]

ByEvent = float | pd.Series | Mapping[object, float]


class MarketValue(MethodGroup):
    """Abnormal changes in market value of fitted events."""

    def value_change(
        self,
        market_cap: pd.DataFrame | ByEvent,
        start: WindowLike = None,
        end: int | None = None,
        *,
        rate: ByEvent = 1.0,
        by: str | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        r"""Abnormal change in market value: by event, and in total with the correlation of the events.

        .. math:: \Delta W_i = \mathrm{CAR}_i\, C_i, \qquad
                  \operatorname{Var}\Bigl(\sum_i \Delta W_i\Bigr) =
                  \sum_{i,j} C_i C_j\, \tau_{ij} \rho_{ij} \sqrt{\gamma'V_i\gamma\; \gamma'V_j\gamma}

        Parameters
        ----------
        market_cap : DataFrame, Series, mapping or float
            Market value C at the close before the window. A frame is dates × securities, and the value is
            that of the session before the window's first; a Series or mapping goes by event id or security.
        start, end : int
            First and last relative day of the CAR; the headline window by default.
        rate : float, Series or mapping, default 1.0
            Units of the wanted currency for one unit of `market_cap`; by event id, security or (of pooled
            studies) study, unless it is one number.
        by : str, optional
            Column of the events, such as ``"firm"``, or ``"security"``: totals of groups instead of events.
        level : float, default 0.95
            Coverage of the intervals.

        Returns
        -------
        DataFrame
            By event_id (or group), and a last row ``total``: car (of groups, weighted by value), market_cap
            and change in the wanted currency, se, t, dof, p_value, ci_low, ci_high, n_events, and
            shared_days, how often a day of a security counts again because windows of several of its events
            hold it.

        Raises
        ------
        RequestError
            If an event has no market value or rate (the message names it), returns are not simple, or no
            event has a CAR.

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
        tested = data.checked_window(start, end)
        if data.kind != "simple":
            raise RequestError(f"Value changes are of simple returns; these are {data.kind}.")
        usable = data.test_input(tested).with_car
        rows = np.flatnonzero(data.test_input(tested).usable)
        if not len(rows):
            raise RequestError(f"No event has a CAR over {tested}, so no value changed.")
        value = _market_values(data, rows, market_cap, tested) * _looked_up(data, rows, rate, "exchange rate")
        bad = ~(np.isfinite(value) & (value > 0))
        if bad.any():
            raise RequestError(
                f"{_named(data, int(rows[np.argmax(bad)]))}: market value times rate is "
                f"{value[np.argmax(bad)]:g}, not a positive number."
            )
        fit = usable.abnormal
        related = correlation_matrix(fit.past.residuals(), fit.past.dates(), usable.tested_dates)
        se = value * np.sqrt(usable.cumulative.variance)
        change = value * usable.car
        everyone, security = np.arange(len(rows)), data.timeline["security"].to_numpy(dtype=object)[rows]
        names = data.index[rows] if by is None else _groups(data, by).iloc[rows]
        groups = {}
        for name in pd.unique(pd.Series(list(names), dtype=object)):
            groups[name] = everyone[np.asarray(names == name)]
        lines = [*groups.items(), ("total", everyone)]
        frame = pd.DataFrame(
            {
                "car": [change[at].sum() / value[at].sum() for _, at in lines],
                "market_cap": [value[at].sum() for _, at in lines],
                "change": [change[at].sum() for _, at in lines],
                "se": [_total_se(se[at], related[np.ix_(at, at)]) for _, at in lines],
                "dof": [fit.dof[at].min() for _, at in lines],
                "n_events": [len(at) for _, at in lines],
                "shared_days": [shared_days(usable.tested_dates[at], security[at]) for _, at in lines],
            },
            index=pd.Index([name for name, _ in lines], name=by or "event_id", dtype=object),
        )
        half = t_ppf(0.5 + checked_level(level) / 2, frame["dof"]) * frame["se"]
        t = frame["change"] / frame["se"]
        frame = frame.assign(
            t=t,
            p_value=2 * t_sf(t.abs(), frame["dof"]),
            ci_low=frame["change"] - half,
            ci_high=frame["change"] + half,
        )
        order = ["car", "market_cap", "change", "se", "t", "dof", "p_value", "ci_low", "ci_high", "n_events"]
        order.append("shared_days")
        return printed(frame[order], value_view)


def _total_se(se: FloatArray, related: FloatArray) -> float:
    variance = float(se @ related @ se)
    return float(np.sqrt(variance)) if variance > 0 else float("nan")


def _groups(data: FittedEvents, by: str) -> pd.Series:
    return data.timeline["security"] if by == "security" else data.groups(by)


def _named(data: FittedEvents, row: int) -> str:
    return f"Event {data.index[row]} ({data.timeline['security'].iloc[row]})"


def _market_values(
    data: FittedEvents, rows: IntArray, given: pd.DataFrame | ByEvent, window: Window
) -> FloatArray:
    if not isinstance(given, pd.DataFrame):
        return _looked_up(data, rows, given, "market value")
    dated = given.set_axis(pd.DatetimeIndex(pd.to_datetime(given.index)).as_unit("ns"))
    if dated.index.has_duplicates or not dated.columns.is_unique:
        raise RequestError("market_cap must be dates × securities, each date and each security once.")
    found = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        study, at = data.part(row)
        security, sessions = study.timeline["security"].iloc[at], study.sessions
        before = int(study.sample.day0[at]) + window.start - 1
        if before < 0:
            raise RequestError(f"{_named(data, row)}: the market has no session before the window {window}.")
        day = sessions[before]
        value = dated[security].get(day) if security in dated else None
        if value is None or np.isnan(value):
            raise RequestError(
                f"{_named(data, row)}: market_cap has no value of {security} on {day:%Y-%m-%d}, the session "
                f"before the window {window}. Give it, or a mapping by event."
            )
        found[i] = float(value)
    return found


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
