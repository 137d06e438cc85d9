"""Options that a market was made with, written as code, so a report can say how to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["PLAIN", "Making", "given_options"]

#: Longer lists and mappings are the user's own, and named only.
MOST_ENTRIES = 30


@dataclass(frozen=True)
class Making:
    """How a market was made, beside what it holds.

    Attributes
    ----------
    said : tuple of str
        Options, as code; see `given_options`.
    scanned : bool
        Whether it was read from a panel in Parquet.
    converted : int
        How many times `in_currency` converted its returns.
    before_benchmark : int
        How many of these conversions came before its benchmark was given.
    """

    said: tuple[str, ...] = ()
    scanned: bool = False
    converted: int = 0
    before_benchmark: int = 0


#: A market read with no option, in its own currency.
PLAIN = Making()


def given_options(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[str, ...]:
    """Write the options that are not the default, as in ``unit='percent'``.

    What is not plain, such as a DataFrame, is the user's, so the name of the option stands for it.

    Examples
    --------
    >>> given_options(
    ...     {"unit": "percent", "gaps": None, "price_limit": {"A": 0.1}, "tick": pd.DataFrame()},
    ...     {"unit": None, "gaps": None},
    ... )
    ("unit='percent'", "price_limit={'A': 0.1}", 'tick=tick')
    """
    said = []
    for name, value in options.items():
        default = defaults.get(name)
        if value is default or (isinstance(value, str) and value == default):
            continue
        written = _written(value)
        said.append(f"{name}={name if written is None else written}")
    return tuple(said)


def _written(value: Any) -> str | None:
    """Write a value as code; None if it is too long, or not plain."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
        value = value.item()
    if value is None or isinstance(value, str | Real):
        return repr(value)
    if isinstance(value, date | np.datetime64) and not pd.isna(value):
        return repr(f"{pd.Timestamp(value):%Y-%m-%d}")
    if isinstance(value, Mapping):
        keys, cells = [_written(key) for key in value], [_written(cell) for cell in value.values()]
        if len(cells) > MOST_ENTRIES or None in keys or None in cells:
            return None
        return "{" + ", ".join(f"{key}: {cell}" for key, cell in zip(keys, cells, strict=True)) + "}"
    if isinstance(value, list | tuple):
        cells = [_written(cell) for cell in value]
        if len(cells) > MOST_ENTRIES or None in cells:
            return None
        inside = ", ".join(map(str, cells))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(cells) == 1 else f"({inside})"
    return None
