"""Daily prices from Yahoo Finance, through yfinance: every ticker arrives whole or with a reason."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TypeVar, get_args

import pandas as pd
import stamina

from eventstudy.arguments import check_number, check_whole
from eventstudy.errors import DataError, DataWarning, RequestError, warn
from eventstudy.progress import progress_bar
from eventstudy.sources.cache import Entry, find_prices, store_prices
from eventstudy.sources.yahoo_faults import Fault, fault_of, worth_retrying
from eventstudy.sources.yahoo_history import Adjustment, counts, history

__all__ = ["outcome", "prices", "share_counts"]

T = TypeVar("T")
# So many tickers in a row after which nothing else will come either. One refusal for too many requests
# tells; one connection may break for reasons of its own.
HOPELESS = {"rate limited": 1, "unreachable": 2}
#: Without a connection a ticker is asked for again once, after so many seconds.
TRIES, PAUSE = 2, 0.5
#: Tickers named in an error.
MOST_NAMED = 5
# What is part of an address would ask for something else: A#B for A.
SYMBOL = re.compile(r"[!-~]*[A-Z0-9][!-~]*")
ADDRESS_SIGNS = frozenset("#?/\\%")
ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")

# A program that has not set up logging need not hear of retries.
logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Outcome:
    """What became of one ticker."""

    ticker: str
    status: str
    detail: str
    rows: int = 0
    first: str | None = None
    last: str | None = None
    currency: str | None = None
    dividend_currency: str | None = None
    retrieved: str | None = None
    cached: bool = False


class _Patience:
    """Says whether asking for a ticker again may help, and how soon: of a refused connection, once."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, error: Exception) -> bool | float:
        if fault_of(error).status != "unreachable":
            return worth_retrying(error)
        self.failed += 1
        if any(kind.__name__ == "DNSError" for kind in type(error).__mro__):
            return False
        return PAUSE if self.failed < TRIES else False


def prices(
    tickers: str | Iterable[str],
    start: str | date,
    end: str | date | None = None,
    *,
    adjustment: Adjustment = "none",
    offline: bool = False,
    max_age: float | None = None,
    progress: bool | None = None,
    attempts: int = 5,
    timeout: float = 15.0,
) -> pd.DataFrame:
    """Fetch daily prices of one or many tickers from Yahoo Finance, or from what was kept of earlier calls.

    Parameters
    ----------
    tickers : str or iterable of str
        Yahoo's symbols, such as ``"002415.SZ"``, ``"0763.HK"``, ``"AAPL"`` or ``"^HSI"``.
    start, end : str or date
        First and last day, **both included**. Default `end`: yesterday (UTC), the last day that is over
        everywhere.
    adjustment : {"none", "splits"}, default "none"
        Of open, high, low, close, volume and dividends: as traded on the day, or adjusted for all splits
        since, as Yahoo shows them.
    offline : bool, default False
        Take prices from the cache only.
    max_age : float, optional
        Fetch anew what was fetched more than so many days ago; 0 fetches everything. Default: never.
    progress : bool, optional
        Show a progress bar; by default as `show_progress` says, with several tickers to fetch.
    attempts : int, default 5
        How often to ask for a ticker, with growing pauses, while Yahoo refuses or fails; twice where there is
        no connection.
    timeout : float, default 15
        Seconds to wait for an answer.

    Returns
    -------
    DataFrame
        Indexed by ``date``: days of the exchange, naive, datetime64[ns]. Column levels ``field`` and
        ``security``, as `Market.from_prices` takes them:

        close, open, high, low, volume
            See `adjustment`; in the currency of the exchange (London quotes pence).
        adj_close
            Close adjusted for splits and dividends; its ratios are total returns.
        dividends, splits
            Cash per share on the ex-day, and new shares for an old one; 0 on other days. Those of a day
            without a row are put on the next row. Dividends stated in pounds of a share quoted in pence are
            given in pence; of other currencies there is a warning.
        capital_gains
            Only where a fund paid some.

        Days of one exchange on which another is closed are missing there. The record of what became of
        each ticker is kept in the frame; `outcome` shows it.

    Raises
    ------
    DataError
        If nothing came; the message gives the reason of each ticker.
    RequestError
        If tickers, days or options make no sense.

    Warns
    -----
    DataWarning
        If some tickers failed; names each, with its reason.

    See Also
    --------
    outcome : What became of each ticker.
    snapshot : Keep the frame beside a paper.

    Notes
    -----
    What came is kept in `cache_folder`, by ticker, span and adjustment, and is used again, for shorter spans
    too; so a call that Yahoo cut short can be repeated and goes on where it stopped. Failures, days that are
    not over and spans that reach today are never kept. What was fetched before the last days of its span
    were published is fetched again.

    Yahoo adjusts all prices for splits up to today. To give prices as traded, everything from `start` until
    today is fetched and the splits are taken back; where Yahoo's list of splits is wrong, so are the prices
    as traded, but not ``adj_close``.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.prices(["002415.SZ", "399001.SZ"], "2018-01-01", "2019-12-31")  # doctest: +SKIP
    >>> market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")  # doctest: +SKIP
    """
    names = _symbols(tickers)
    first, last = _span(start, end)
    _check_options(adjustment, attempts, timeout)
    entries: dict[str, Entry] = {}
    faults: dict[str, Fault] = {}
    for name in names:
        found = find_prices(name, first, last, adjustment, None if offline else max_age, offline)
        if found is not None and found.frame["close"].notna().any():
            entries[name] = found
        elif found is not None and offline:
            faults[name] = Fault("delisted?", "the cache covers the span, without a price in it")
        elif offline:
            faults[name] = Fault("not cached", "the cache holds no prices of it that cover the span")
    kept = set(entries)
    wanted = [name for name in names if name not in kept]
    if wanted and not offline:

        def fetch(name: str) -> Entry:
            entry = history(name, first, last, adjustment, timeout)
            if last < _today():
                store_prices(name, first, last, adjustment, entry)
            return entry

        got, faults = _fetch_all(wanted, fetch, progress, attempts)
        entries |= got
    record = [_outcome(name, entries.get(name), faults.get(name), name in kept) for name in names]
    if faults:
        told = _tell(faults)
        if not entries:
            span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
            if {fault.status for fault in faults.values()} == {"unreachable"}:
                some = ", ".join(names[:MOST_NAMED]) + ", ..." * (len(names) > MOST_NAMED)
                raise DataError(
                    f"There is no connection to Yahoo, so there are no prices of {some} for {span}: read a "
                    "file that you have with eventstudy.sources.read_prices(path)."
                )
            raise DataError(f"No prices came for {span}:\n{told}{_advice(faults)}")
        warn(
            f"{len(faults)} of {len(names)} tickers have no prices and are not columns of the result:\n{told}"
            f"{_advice(faults)}",
            DataWarning,
        )
    _tell_currencies(entries)
    frame = pd.concat(
        {name: entries[name].frame for name in names if name in entries}, axis=1, names=["security", "field"]
    )
    frame = frame.swaplevel(axis=1).sort_index(axis=1).sort_index()
    frame.index = pd.DatetimeIndex(frame.index.to_numpy(), name="date")
    frame.attrs = {
        "source": "Yahoo Finance",
        "adjustment": adjustment,
        # As text: pandas copies attrs, element by element, at every operation on the frame.
        "outcome": json.dumps([asdict(one) for one in record]),
    }
    return frame


def share_counts(
    tickers: str | Iterable[str],
    start: str | date,
    end: str | date | None = None,
    *,
    adjustment: Adjustment = "none",
    progress: bool | None = None,
    attempts: int = 5,
    timeout: float = 15.0,
) -> pd.DataFrame:
    """Fetch how many shares one or many tickers had outstanding, by day, from Yahoo Finance.

    Parameters
    ----------
    tickers : str or iterable of str
        Yahoo's symbols.
    start, end : str or date
        First and last day, both included, as for `prices`; the last count before `start` is given as well,
        where Yahoo has one of the year and a half before it.
    adjustment : {"none", "splits"}, default "none"
        As of the prices that the counts are multiplied by: as they were, or adjusted for all splits since.
    progress, attempts, timeout
        As for `prices`.

    Returns
    -------
    DataFrame
        Days × securities, as `shares` of `value_change`, `exhibit` and `report` takes it: the count of each
        day that Yahoo has one of, and NaN elsewhere. Counts that are not adjusted have a row on each split,
        so the last count before a day is always in the shares of that day.

    Raises
    ------
    DataError
        If no counts came; the message gives the reason of each ticker.
    RequestError
        If tickers, days or options make no sense.

    Warns
    -----
    DataWarning
        If some tickers failed; names each, with its reason.

    Notes
    -----
    Yahoo's counts are those of filings, dated when Yahoo took them over, and of one class of shares. Check
    the one that matters against the filing. Nothing is kept in the cache.

    Examples
    --------
    >>> import eventstudy as es
    >>> counts = es.share_counts("AAPL", "2020-01-01", "2020-12-31")  # doctest: +SKIP
    >>> results.value_change(None, 0, 1, shares=counts)  # doctest: +SKIP
    """
    names = _symbols(tickers)
    first, last = _span(start, end)
    _check_options(adjustment, attempts, timeout)

    def fetch(name: str) -> pd.Series:
        return counts(name, first, last, adjustment, timeout)

    found, faults = _fetch_all(names, fetch, progress, attempts)
    if faults:
        told = f"{_tell(faults)}{_advice(faults)}"
        if not found:
            raise DataError(f"No counts of shares came for {first:%Y-%m-%d} to {last:%Y-%m-%d}:\n{told}")
        warn(
            f"{len(faults)} of {len(names)} tickers have no counts of shares and are not columns of the "
            f"result:\n{told}",
            DataWarning,
        )
    frame = pd.DataFrame({name: found[name] for name in names if name in found}).sort_index()
    frame = frame.set_axis(pd.DatetimeIndex(frame.index).as_unit("ns"), axis=0)
    frame = frame.rename_axis(index="date", columns="security")
    retrieved = datetime.now(UTC).isoformat(timespec="seconds")
    frame.attrs = {"source": "Yahoo Finance", "adjustment": adjustment, "retrieved": retrieved}
    return frame


def _check_options(adjustment: Adjustment, attempts: int, timeout: float) -> None:
    if adjustment not in get_args(Adjustment):
        raise RequestError(f"adjustment must be one of {get_args(Adjustment)}, got {adjustment!r}.")
    check_whole("attempts", attempts)
    check_number("timeout", timeout)
    if attempts < 1 or not timeout > 0:
        raise RequestError(f"attempts={attempts} and timeout={timeout} must be positive.")


def outcome(prices: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each ticker that `prices` was asked for.

    Parameters
    ----------
    prices : DataFrame
        What `prices` returned, or a snapshot of it.

    Returns
    -------
    DataFrame
        Index ``ticker``; columns status (``ok`` or why there are none: ``missing``, ``delisted?``,
        ``not yet listed``, ``rate limited``, ``timeout``, ``unreachable``, ``unavailable``, ``malformed``,
        ``not cached``, ``failed``), detail, rows, first, last, currency, dividend_currency, retrieved (UTC)
        and cached.

    Raises
    ------
    RequestError
        If the frame carries no such record.
    """
    if "outcome" not in prices.attrs:
        raise RequestError(
            "This frame carries no record of its tickers. Pass what es.prices(...) returned, before it is "
            "joined with other frames."
        )
    return pd.DataFrame(json.loads(prices.attrs["outcome"])).set_index("ticker")


def _symbols(tickers: str | Iterable[str]) -> list[str]:
    given = [tickers] if isinstance(tickers, str) else list(tickers)
    for name in given:
        if not isinstance(name, str) or not name.strip():
            raise RequestError(f"A ticker is a text such as '002415.SZ', got {name!r}.")
    if not given:
        raise RequestError("No tickers were given.")
    names = list(dict.fromkeys(name.strip().upper() for name in given))
    for name in names:
        if ADDRESS_SIGNS & set(name) or not SYMBOL.fullmatch(name):
            raise RequestError(
                f"{name!r} is not a symbol of Yahoo's, which have no blanks and none of # ? / \\ %. Yahoo "
                "writes share classes and preferred shares with a hyphen: BRK-B, BAC-PL."
            )
        if ISIN.fullmatch(name):
            raise RequestError(
                f"{name} is an ISIN, which may stand for listings on several exchanges. Ask for the symbol "
                "of one, such as AAPL or APC.DE."
            )
    return names


def _today() -> pd.Timestamp:
    return pd.Timestamp(datetime.now(UTC).date())


def _span(start: str | date, end: str | date | None) -> tuple[pd.Timestamp, pd.Timestamp]:
    days = []
    for name, given in (("start", start), ("end", _today() - pd.Timedelta(days=1) if end is None else end)):
        try:
            day = pd.Timestamp(given).as_unit("ns")
        except (ValueError, TypeError, AttributeError) as problem:
            raise RequestError(f"{name}={given!r} is not a day; write it as '2019-05-22'.") from problem
        if pd.isna(day) or day.tz is not None or day != day.normalize():
            raise RequestError(f"{name}={given!r} is not a day of an exchange; write it as '2019-05-22'.")
        days.append(day)
    if days[0] > days[1]:
        raise RequestError(f"start={days[0]:%Y-%m-%d} lies after end={days[1]:%Y-%m-%d}.")
    if days[0] > _today():
        raise RequestError(f"start={days[0]:%Y-%m-%d} lies in the future.")
    return days[0], days[1]


def _fetch_all(
    names: list[str], fetch: Callable[[str], T], progress: bool | None, attempts: int
) -> tuple[dict[str, T], dict[str, Fault]]:
    """Fetch one ticker after the other, and stop asking where Yahoo refuses to answer."""
    ask = stamina.RetryingCaller(attempts=attempts, timeout=None, wait_initial=2.0, wait_max=60.0)
    entries: dict[str, T] = {}
    faults: dict[str, Fault] = {}
    refused: list[tuple[str, Fault]] = []
    shown = False if progress is None and len(names) == 1 else progress
    with progress_bar(len(names), "Yahoo", "ticker", shown=shown) as bar:
        for name in names:
            if refused and len(refused) >= HOPELESS[refused[-1][1].status]:
                before = " and ".join(one for one, _ in refused)
                faults[name] = Fault(refused[-1][1].status, f"not asked for, after {before} failed so")
                bar.update()
                continue
            try:
                entry = ask(_Patience(), fetch, name)
            except Exception as error:  # one ticker of many: told below, with its name
                faults[name] = fault_of(error)
                if faults[name].status not in HOPELESS:
                    refused = []
                elif refused and refused[-1][1].status != faults[name].status:
                    refused = [(name, faults[name])]
                else:
                    refused.append((name, faults[name]))
            else:
                refused = []
                entries[name] = entry
            bar.update()
    return entries, faults


def _outcome(name: str, entry: Entry | None, fault: Fault | None, cached: bool) -> Outcome:
    if entry is None:
        assert fault is not None
        return Outcome(name, fault.status, fault.detail)
    closes = entry.frame["close"].dropna()
    first, last = closes.index[0], closes.index[-1]
    return Outcome(
        name,
        "ok",
        "",
        len(entry.frame),
        f"{first:%Y-%m-%d}",
        f"{last:%Y-%m-%d}",
        entry.about.get("currency"),
        entry.about.get("dividend_currency"),
        entry.about.get("retrieved"),
        cached,
    )


def _tell_currencies(entries: dict[str, Entry]) -> None:
    """Warn of dividends in another currency than the closes beside them."""
    told = []
    for name, entry in entries.items():
        quoted, paid = entry.about.get("currency"), entry.about.get("dividend_currency")
        if paid and paid != quoted and entry.frame["dividends"].any():
            told.append(f"  {name}: dividends in {paid}, prices in {quoted}")
    if told:
        warn(
            "Dividends are not in the currency of the prices, and are kept as Yahoo states them; adj_close "
            "and total returns rest on Yahoo's own conversion:\n" + "\n".join(told),
            DataWarning,
        )


def _tell(faults: dict[str, Fault]) -> str:
    """One line a ticker; those with one reason share a line."""
    together: dict[Fault, list[str]] = {}
    for name, fault in faults.items():
        together.setdefault(fault, []).append(name)
    return "\n".join(
        f"  {', '.join(names)}: {fault.status} ({fault.detail})" for fault, names in together.items()
    )


def _advice(faults: dict[str, Fault]) -> str:
    statuses = {fault.status for fault in faults.values()}
    advice = []
    if "rate limited" in statuses:
        advice.append(
            "Wait some minutes and repeat the call: what came is cached, only the rest is asked for."
        )
    if "missing" in statuses:
        advice.append(
            "Symbols are Yahoo's, with the exchange as suffix: 002415.SZ, 600519.SS, 0763.HK, VOD.L."
        )
    if "not cached" in statuses:
        advice.append("Without offline=True they would be fetched.")
    return "".join(f"\n{line}" for line in advice)
