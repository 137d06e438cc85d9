"""What went wrong at Yahoo's: yfinance's errors → one word and one sentence a ticker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Fault", "NoPricesError", "chart_of", "fault_of", "worth_retrying"]

# Faults that may be gone a moment later; the others are answers.
TRANSIENT = frozenset({"rate limited", "timeout", "unreachable", "unavailable", "malformed"})


@dataclass(frozen=True)
class Fault:
    """Why a ticker has no prices.

    Attributes
    ----------
    status : str
        ``missing`` (Yahoo says that it does not know the symbol, or answers for another one), ``delisted?``
        (known, but without prices in the span),
        ``not yet listed``, ``rate limited``, ``timeout``, ``unreachable``, ``unavailable``, ``malformed``,
        ``not cached`` or ``failed``.
    detail : str
        The same in a sentence.
    """

    status: str
    detail: str


class NoPricesError(Exception):
    """An answer that was read, and holds no usable prices."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(status, detail)


def worth_retrying(error: Exception) -> bool:
    """Say whether asking again may help."""
    return fault_of(error).status in TRANSIENT


def fault_of(error: Exception) -> Fault:
    """Name what an error of yfinance, or of the HTTP library below it, means.

    Errors are told apart by the names of their classes: yfinance speaks through curl_cffi or, where that
    cannot be built, through requests, and both name their errors alike.
    """
    if isinstance(error, NoPricesError):
        return error.fault
    names = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None) or 0
    if "YFRateLimitError" in names or status == 429:
        return Fault("rate limited", "Yahoo refuses requests for now (HTTP 429)")
    if "YFPricesMissingError" in names:
        return Fault("delisted?", "Yahoo knows the symbol but sent no prices for the span")
    if "YFDataException" in names:
        return Fault("unavailable", f"Yahoo is down or changed its answers ({_first_line(error)})")
    if isinstance(error, json.JSONDecodeError):
        return Fault("malformed", f"the answer is not JSON; it begins {error.doc[:40]!r}")
    if names & {"Timeout", "TimeoutError"}:
        return Fault("timeout", "Yahoo did not answer in time")
    # curl reports a body that breaks off as an HTTPError too, so the status decides.
    if "HTTPError" in names and status >= 400:
        return Fault("unavailable", f"Yahoo answered with an error (HTTP {status})")
    if names & {"HTTPError", "IncompleteRead", "ChunkedEncodingError"}:
        return Fault("malformed", f"the answer breaks off ({_first_line(error)})")
    if "DatabaseError" in names:
        return Fault("failed", f"a file of yfinance in its cache folder is damaged ({_first_line(error)})")
    if names & {"ConnectionError", "DNSError", "ProxyError", "SSLError"}:
        return Fault("unreachable", f"no connection to Yahoo ({_first_line(error)})")
    if isinstance(error, TypeError | KeyError | IndexError | ValueError | AttributeError):
        return Fault("malformed", f"the answer lacks what prices are made of ({_first_line(error)})")
    return Fault("failed", _first_line(error))


def chart_of(answer: Any, name: str, known: bool) -> dict[str, Any]:
    """Return the chart in an answer of Yahoo's, after checking that it is one, and one of this symbol.

    Parameters
    ----------
    answer : Response
        Of curl_cffi or requests.
    name : str
        Symbol that was asked for.
    known : bool
        Whether Yahoo has just answered for the symbol, so that it cannot be unknown.

    Raises
    ------
    NoPricesError
        If there is none. A symbol is called unknown, or without prices, only where Yahoo says so.
    """
    status, text = int(answer.status_code), str(answer.text)
    if status == 429:
        raise NoPricesError("rate limited", "Yahoo refuses requests for now (HTTP 429)")
    if "Will be right back" in text:
        raise NoPricesError("unavailable", "Yahoo is down")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as problem:
        if status >= 400:
            raise NoPricesError("unavailable", f"Yahoo answered with an error (HTTP {status})") from problem
        raise NoPricesError("malformed", f"the answer is not JSON; it begins {text[:40]!r}") from problem
    chart = content.get("chart") if isinstance(content, dict) else None
    if not isinstance(chart, dict):
        raise NoPricesError("unavailable", f"Yahoo answered without a chart (HTTP {status}): {text[:80]!r}")
    error = chart.get("error")
    if error:
        raise _said(error if isinstance(error, dict) else {"description": error}, known)
    results = chart.get("result")
    result = results[0] if isinstance(results, list) and results else None
    meta = result.get("meta") if isinstance(result, dict) else None
    if status >= 400 or not isinstance(result, dict) or not isinstance(meta, dict):
        raise NoPricesError("unavailable", f"Yahoo answered with an empty chart (HTTP {status})")
    return _checked(result, meta, name)


def _said(error: dict[str, Any], known: bool) -> NoPricesError:
    """Translate Yahoo's own words."""
    reason = str(error.get("description") or error.get("code"))
    told = f"Yahoo says: {reason}"
    absent = error.get("code") == "Not Found"
    if "data doesn't exist" in reason.lower() or (absent and known):
        return NoPricesError("delisted?", told)
    return NoPricesError("missing" if absent else "unavailable", told)


def _checked(result: dict[str, Any], meta: dict[str, Any], name: str) -> dict[str, Any]:
    symbol, zone = meta.get("symbol"), meta.get("exchangeTimezoneName")
    if not isinstance(symbol, str) or not symbol:
        raise NoPricesError("malformed", "the answer does not say which symbol it is of")
    if symbol.upper() != name.upper():
        raise NoPricesError(
            "missing", f"Yahoo answers for {symbol}; if that is the same security, ask for {symbol}"
        )
    try:
        ZoneInfo(zone)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError, OSError, ZoneInfoNotFoundError) as problem:
        raise NoPricesError("malformed", f"the answer is in a time zone {zone!r}") from problem
    return result


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:160]}" if text else type(error).__name__
