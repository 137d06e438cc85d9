"""Which indices count dividends: a price index falls on the ex-days of its members, total returns do not."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources

__all__ = ["price_index"]


@lru_cache(maxsize=1)
def _kinds() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("index_kinds.csv").read_text(encoding="utf-8")
    return {row["symbol"]: row for row in csv.DictReader(text.splitlines())}


def price_index(symbol: str) -> str | None:
    """Say which price index a symbol is, and its sibling with dividends; None if it is none that is known.

    Examples
    --------
    >>> price_index("^GSPC")
    'S&P 500 (with dividends: ^SP500TR)'
    >>> price_index("^GDAXI") is None  # the DAX as quoted counts dividends
    True
    """
    row = _kinds().get(symbol.strip().upper().replace(".SH", ".SS"))
    if row is None or row["kind"] != "price":
        return None
    return row["name"] + (
        f" (with dividends: {row['total_return_sibling']})" if row["total_return_sibling"] else ""
    )
