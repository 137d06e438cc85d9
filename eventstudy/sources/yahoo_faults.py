"""What went wrong at Yahoo's: yfinance's errors → one word and one sentence a ticker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Fault", "NoPricesError", "fault_of", "worth_retrying"]

# Faults that may be gone a moment later; the others are answers.
TRANSIENT = frozenset({"rate limited", "timeout", "unreachable", "unavailable", "malformed"})

# How Yahoo says that it knows a symbol but has no prices of it in the span.
NO_PRICES = ("may be delisted", "data doesn't exist")


@dataclass(frozen=True)
class Fault:
    """Why a ticker has no prices.

    Attributes
    ----------
    status : str
        ``missing`` (unknown symbol), ``delisted?`` (known, but without prices in the span),
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
    if "YFTzMissingError" in names:
        return Fault("missing", "Yahoo gives no time zone for it, as with symbols that it does not know")
    if "YFPricesMissingError" in names:
        return _no_prices(error)
    if "YFDataException" in names:
        return Fault("unavailable", f"Yahoo is down or changed its answers ({_first_line(error)})")
    if isinstance(error, json.JSONDecodeError):
        return Fault("malformed", f"the answer is not JSON; it begins {error.doc[:40]!r}")
    if names & {"Timeout", "TimeoutError"}:
        return Fault("timeout", "Yahoo did not answer in time")
    # curl reports a body that breaks off as an HTTPError too, so the status decides.
    if "HTTPError" in names and status == 404:
        return Fault("missing", "Yahoo does not know this symbol (HTTP 404)")
    if "HTTPError" in names and status >= 400:
        return Fault("unavailable", f"Yahoo answered with an error (HTTP {status})")
    if names & {"HTTPError", "IncompleteRead", "ChunkedEncodingError"}:
        return Fault("malformed", f"the answer breaks off ({_first_line(error)})")
    if names & {"ConnectionError", "DNSError", "ProxyError", "SSLError"}:
        return Fault("unreachable", f"no connection to Yahoo ({_first_line(error)})")
    if isinstance(error, TypeError | KeyError | IndexError | ValueError | AttributeError):
        return Fault("malformed", f"the answer lacks what prices are made of ({_first_line(error)})")
    return Fault("failed", _first_line(error))


def _no_prices(error: Any) -> Fault:
    reason = getattr(error, "yahoo_reason", None)
    if reason is None:
        return Fault("delisted?", "Yahoo knows the symbol but sent no prices for the span")
    if any(words in reason.lower() for words in NO_PRICES):
        return Fault("delisted?", f"Yahoo says: {reason}")
    return Fault("unavailable", f"Yahoo says: {reason}")


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:160]}" if text else type(error).__name__
