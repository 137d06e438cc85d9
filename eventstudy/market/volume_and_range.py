"""Markets of trading volume and range-based volatility."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.arguments import check_mapping, check_number
from eventstudy.calendars import Exchange
from eventstudy.column_names import field_of, may_be_ticker
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.interop import to_pandas
from eventstudy.market.alignment import check_choice, timezone_of
from eventstudy.market.compounding import ReturnKind
from eventstudy.market.date_columns import Benchmark
from eventstudy.market.market import Market
from eventstudy.market.wide_and_long import check_prices, price_table, wide_frame
from eventstudy.tabular.frames import Options, read_frame
from eventstudy.text import plural

__all__ = ["ZERO_VOLUME", "Range", "log_turnover", "range_market", "range_variance", "volume_market"]

#: So many sessions of volume zero in a row are most often a suspension.
SUSPENDED = 5
#: From this share of zeros of a security on, t statistics of few events reject too often.
OFTEN_ZERO = 0.01
#: Added to turnover in percent, so that a day without trade has a logarithm.
ZERO_VOLUME = 0.000255
#: A variance below is rounding noise.
SMALLEST = 1e-16
Range = Literal["parkinson", "garman_klass", "rogers_satchell"]
NEEDED: dict[str, tuple[str, ...]] = {
    "parkinson": ("high", "low"),
    "garman_klass": ("open", "high", "low", "close"),
    "rogers_satchell": ("open", "high", "low", "close"),
}


def volume_market(
    volume: pd.DataFrame | Market,
    shares: pd.DataFrame | pd.Series | Mapping[str, float] | None = None,
    *,
    benchmark: Benchmark | Literal["mean", "others"] | None = "mean",
    zero: Literal["missing", "constant"] = "missing",
    calendar: str | Exchange | None = None,
    sessions: Literal["calendar", "data"] = "calendar",
) -> Market:
    r"""Make a market of log turnover, on which a study finds abnormal trading volume.

    .. math:: V_{it} = \ln\left(100\, \frac{n_{it}}{S_{it}} + 0.000255\right)

    for n shares traded of S outstanding: the constant is added to the percentage (Ajinkya and Jain 1989;
    Campbell and Wasley 1996). Models, tests and figures are those of returns; nothing is compounded, and an
    abnormal value of 0.69 is a doubled turnover.

    Parameters
    ----------
    volume : DataFrame or Market
        Shares traded, dates × securities; or prices with a field volume, in the forms that
        `Market.from_prices` takes; or a market made of such.
    shares : DataFrame, Series or mapping, optional
        Shares outstanding, in the same unit: by date (a value holds until the next) and security, or by
        security. Without it values are ln(1 + n), of kind ``"log volume"``: fine where the number of shares
        does not change, but thin and thick days of different shares are not comparable.
    benchmark : str, Series, mapping, "mean", "others" or None, default "mean"
        What the market model regresses on: ``"mean"``, the mean value of all securities, or ``"others"``,
        for each security that of all others (better where they are few); else as for `Market`.
    zero : {"missing", "constant"}, default "missing"
        What a day of volume zero is: without value, so that the study is of days with trade, and sums of
        several days are of those among them; or a day of least turnover, ln 0.000255 = −8.27, some eight log
        points below the others. Few such days lower what a security's volume is compared with, so that
        samples without one look busy: t statistics of few events then reject too often.
    calendar, sessions
        As for `Market`.

    Returns
    -------
    Market

    Raises
    ------
    DataError
        On negative volume, on shares that are not positive or are unknown for a security.

    Warns
    -----
    DataWarning
        On how many days of volume zero are missing; or, if they are days of least turnover, where a security
        has them on 1% of its sessions or more, or on five in a row, which most often is a suspension.

    See Also
    --------
    AutocorrelatedErrors : a model whose standard errors allow for the autocorrelation of volume.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> days = pd.bdate_range("2019-05-20", periods=3)
    >>> volume = pd.DataFrame({"A": [100.0, 10.0, 300.0], "B": [50.0, 60.0, 70.0]}, index=days)
    >>> es.volume_market(volume, {"A": 10_000, "B": 5_000}).returns.rename_axis(None).round(3)
                    A      B
    2019-05-20  0.000  0.000
    2019-05-21 -2.300  0.183
    2019-05-22  1.099  0.337
    """
    check_choice("zero", zero, ("missing", "constant"))
    calendar = _calendar_of(volume, calendar)
    traded = _volume(volume, timezone_of(calendar))
    values = log_turnover(traded, shares)
    if zero == "missing":
        values = values.mask(traded == 0)
        _warn_of_missing(traded)
    else:
        _warn_of_zeros(traded.drop(columns=_warn_of_suspensions(traded)))
    kind: ReturnKind = "log volume" if shares is None else "log turnover"
    return _level_market(values, kind, benchmark, calendar, sessions)


def log_turnover(
    volume: pd.DataFrame, shares: pd.DataFrame | pd.Series | Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Log turnover of shares traded; see `volume_market`.

    Parameters
    ----------
    volume : DataFrame, dates × securities
    shares : DataFrame, Series or mapping, optional

    Returns
    -------
    DataFrame
        ``ln(100 n / S + 0.000255)``, or ``ln(1 + n)`` where `shares` is None; NaN where `volume` is.

    References
    ----------
    docs/methods/volume_and_volatility.md, eq. (log-turnover).
    """
    bad = (volume < 0) | np.isinf(volume)
    if bad.to_numpy().any():
        row, column = np.argwhere(bad.to_numpy())[0]
        raise DataError(
            f"Volume must be zero or positive: {volume.columns[column]} is {volume.iloc[row, column]:g} on "
            f"{volume.index[row]:%Y-%m-%d}."
        )
    if shares is None:
        return _log(1.0 + volume)
    shares = to_pandas(shares, "Shares outstanding")
    if isinstance(shares, pd.DataFrame):
        wide = wide_frame(shares, "Shares outstanding")
        days = wide.index.union(volume.index)
        outstanding = wide.reindex(days).ffill().reindex(index=volume.index, columns=volume.columns)
    else:
        given = check_mapping("shares", shares, "shares outstanding by security")
        for name, count in given.items():
            if isinstance(count, Decimal) or (pd.api.types.is_scalar(count) and pd.isna(count)):
                continue  # the message on unknown counts follows
            check_number(f"Shares outstanding of {name}", count, error=DataError)
        held = pd.Series(
            {name: np.nan if count is pd.NA else count for name, count in given.items()}, dtype=float
        ).reindex(volume.columns)
        outstanding = pd.DataFrame(
            np.broadcast_to(held.to_numpy(), volume.shape), volume.index, volume.columns
        )
    unknown = outstanding.isna().all()
    if unknown.any():
        names = ", ".join(map(str, volume.columns[unknown][:5]))
        raise DataError(
            f"Shares outstanding are not known for {names}. Leave these out, or give no shares: values are "
            "then ln(1 + volume)."
        )
    if (outstanding <= 0).to_numpy().any():
        raise DataError("Shares outstanding must be positive.")
    return _log(100.0 * volume / outstanding + ZERO_VOLUME)


def range_market(
    prices: pd.DataFrame | Market,
    measure: Range = "parkinson",
    *,
    log: bool = True,
    benchmark: Benchmark | Literal["mean", "others"] | None = "mean",
    calendar: str | Exchange | None = None,
    sessions: Literal["calendar", "data"] = "calendar",
) -> Market:
    """Make a market of volatility by the range of prices: abnormal volatility without a variance model.

    Parameters
    ----------
    prices : DataFrame or Market
        Prices with fields high and low (and open and close), or a market made of such.
    measure : {"parkinson", "garman_klass", "rogers_satchell"}, default "parkinson"
        As in `range_variance`.
    log : bool, default True
        Values are the logarithm of the session's volatility (the root of the variance), which is nearer to
        normal; an abnormal 0.69 is a doubled volatility. Else the volatility itself, as a decimal.
    benchmark : str, Series, mapping, "mean", "others" or None, default "mean"
        As for `volume_market`.
    calendar, sessions
        As for `Market`.

    Returns
    -------
    Market

    Warns
    -----
    DataWarning
        If a session has an estimate of zero (locked at its price limit, one trade, or, by Rogers and
        Satchell, no turn on the way from low to high): it has no logarithm and is missing.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.datasets.surveillance_prices()[["open", "high", "low", "close"]]
    >>> firms = prices.loc[:, prices.columns.isin(["002415.SZ", "002236.SZ"], level="security")]
    >>> market = es.range_market(firms.dropna(), calendar=None, benchmark=None)
    >>> market.kind, round(float(market.returns.loc["2019-05-22", "002415.SZ"]), 3)
    ('log volatility', -2.999)
    """
    check_choice("measure", measure, get_args(Range))
    calendar = _calendar_of(prices, calendar)
    if isinstance(prices, Market):
        fields = {name: prices.prices(name) for name in prices.price_fields}
    else:
        fields = price_table(prices, timezone_of(calendar)).fields
    lacking = [name for name in NEEDED[measure] if name not in fields]
    if lacking:
        raise DataError(f"{measure} needs prices with {', '.join(lacking)}.")
    used = {name: check_prices(fields[name], "raise") for name in NEEDED[measure]}
    variance = range_variance(used, measure)
    flat = variance < SMALLEST
    if log:
        if flat.to_numpy().any():
            row, column = np.argwhere(flat.to_numpy())[0]
            warn(
                f"{plural(int(flat.to_numpy().sum()), 'session')} of variance zero taken for missing, "
                "such as "
                f"{variance.columns[column]} on {variance.index[row]:%Y-%m-%d}. An event on such a session "
                "has its day 0 on the next that has a value.",
                DataWarning,
            )
        values = 0.5 * _log(variance.mask(flat))
    else:
        values = variance**0.5
    return _level_market(values, "log volatility" if log else "volatility", benchmark, calendar, sessions)


def range_variance(prices: Mapping[str, pd.DataFrame], measure: Range = "parkinson") -> pd.DataFrame:
    r"""Variance of a session's log price, from its range.

    .. math:: \hat\sigma^2_P = \frac{(\ln H/L)^2}{4 \ln 2}, \qquad
              \hat\sigma^2_{GK} = \tfrac12 (\ln H/L)^2 - (2 \ln 2 - 1)(\ln C/O)^2, \qquad
              \hat\sigma^2_{RS} = \ln\tfrac HC \ln\tfrac HO + \ln\tfrac LC \ln\tfrac LO

    Parkinson (1980); Garman and Klass (1980); Rogers and Satchell (1991), which allows for a drift. All are
    of the trading hours: what happens overnight is not in them.

    Parameters
    ----------
    prices : mapping of field to DataFrame
        high and low, for the last two also open and close.
    measure : {"parkinson", "garman_klass", "rogers_satchell"}

    Returns
    -------
    DataFrame
        Decimals squared, a session.

    Raises
    ------
    DataError
        If a high lies below another price of its session, or a low above one.

    References
    ----------
    docs/methods/volume_and_volatility.md, eq. (range-variance).
    """
    high, low = _log(prices["high"]), _log(prices["low"])
    others = [_log(prices[name]) for name in ("open", "close") if name in prices]
    for other in [low, *others]:
        wrong = (high < other) | (low > other)
        if wrong.to_numpy().any():
            row, column = np.argwhere(wrong.to_numpy())[0]
            raise DataError(
                f"{high.columns[column]} on {high.index[row]:%Y-%m-%d} has a price above its high or below "
                "its low. Mend the row or drop it."
            )
    spread = high - low
    if measure == "parkinson":
        variance = spread**2 / (4.0 * np.log(2.0))
    elif measure == "garman_klass":
        variance = 0.5 * spread**2 - (2.0 * np.log(2.0) - 1.0) * (others[1] - others[0]) ** 2
    else:
        variance = (high - others[1]) * (high - others[0]) + (low - others[1]) * (low - others[0])
    return pd.DataFrame(variance)


def _log(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(frame.to_numpy(dtype=np.float64)), frame.index, frame.columns)


def _calendar_of(given: pd.DataFrame | Market, calendar: str | Exchange | None) -> str | Exchange | None:
    if calendar is None and isinstance(given, Market) and given.exchange is not None:
        return given.exchange
    return calendar


def _warn_of_suspensions(traded: pd.DataFrame) -> pd.Index:
    """Warn of long runs of zeros that count as values; return the columns that have them."""
    still = traded.eq(0).to_numpy()
    runs = np.zeros(still.shape[1], dtype=np.int64)
    longest, last = runs.copy(), runs.copy()
    for row, zeros in enumerate(still):
        runs = np.where(zeros, runs + 1, 0)
        last = np.where(runs > longest, row, last)
        longest = np.maximum(longest, runs)
    held = np.flatnonzero(longest >= SUSPENDED)
    if len(held):
        column = held[np.argmax(longest[held])]
        n = int(longest[column])
        first = traded.index[int(last[column]) - n + 1]
        warn(
            f"{plural(len(held), 'column')} with volume zero on {SUSPENDED} sessions or more in a row, such "
            f"as {traded.columns[column]} on {n} from {first:%Y-%m-%d} on. They count as days of least "
            "turnover, in the mean of all too; zero='missing' takes them for suspensions.",
            DataWarning,
        )
    return traded.columns[held]


def _warn_of_missing(traded: pd.DataFrame) -> None:
    """Say how many zeros have no value."""
    still = traded.eq(0).to_numpy()
    if still.any():
        row, column = np.argwhere(still)[0]
        share = still.sum() / traded.notna().to_numpy().sum()
        warn(
            f"{plural(int(still.sum()), 'day')} of volume zero ({share:.1%} of the values) taken for "
            f"missing, such as {traded.columns[column]} on {traded.index[row]:%Y-%m-%d}: the study is of "
            "days with trade, and an event on such a day has its day 0 on the next with trade.",
            DataWarning,
        )


def _warn_of_zeros(traded: pd.DataFrame) -> None:
    """Warn of single zeros that count as values, which are far from all others."""
    zeros, known = traded.eq(0).sum().to_numpy(), traded.notna().sum().to_numpy()
    share = zeros / np.maximum(known, 1)
    often = np.flatnonzero(share >= OFTEN_ZERO)
    if len(often):
        column = often[np.argmax(share[often])]
        such = f"{traded.columns[column]} on {share[column]:.1%} ({zeros[column]} of {known[column]})"
        warn(
            f"{plural(len(often), 'column')} with volume zero on {OFTEN_ZERO:.0%} of the sessions or more, "
            f"such as {such}. As days of least turnover they lie so far below the others that events without "
            "one look busy: the interval and t tests of few events may reject a third of true nulls, while "
            "filtered_sq holds. With zero='missing', the default, all do.",
            DataWarning,
        )


def _volume(volume: pd.DataFrame | Market, timezone: str | None) -> pd.DataFrame:
    if isinstance(volume, Market):
        return volume.prices("volume").drop(columns=volume.benchmarks, errors="ignore")
    given = to_pandas(volume, "Volume")
    names = [c for c in given.columns if field_of(c)] if isinstance(given, pd.DataFrame) else []
    prices = bool({"close", "adj_close"} & set(map(field_of, names)))
    if prices and not all(map(may_be_ticker, names)):
        fields = price_table(given, timezone).fields
    else:
        fields = read_frame(given, Options("Volume", "values", timezone=timezone)).fields
    if "value" in fields:
        return fields["value"]
    if "volume" not in fields:
        raise DataError(f"The prices have no field volume; they have {', '.join(fields)}.")
    return fields["volume"]


def _level_market(
    values: pd.DataFrame,
    kind: ReturnKind,
    benchmark: Benchmark | Literal["mean", "others"] | None,
    calendar: str | Exchange | None,
    sessions: Literal["calendar", "data"],
) -> Market:
    if isinstance(benchmark, str) and benchmark == "mean" and "mean" not in values:
        benchmark = values.mean(axis=1).rename(f"mean {kind}")
    elif isinstance(benchmark, str) and benchmark == "others" and "others" not in values:
        if values.shape[1] < 2:
            raise DataError("benchmark='others' needs two securities or more.")
        count, total = values.notna().sum(axis=1), values.sum(axis=1, min_count=1)
        own = values.notna()
        benchmark = {
            str(name): ((total - values[name].fillna(0.0)) / (count - own[name]).replace(0, np.nan)).rename(
                f"mean {kind} but of {name}"
            )
            for name in values
        }
    return Market(values, benchmark=benchmark, calendar=calendar, sessions=sessions, kind=kind)
