"""Tables of polars and pyarrow → pandas, without importing either."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from eventstudy.errors import DataError, EventStudyError
from eventstudy.optional import import_optional

__all__ = ["ForeignTable", "is_foreign", "to_pandas"]

TABLES = {"polars": ("DataFrame",), "pyarrow": ("Table", "RecordBatch")}


class ForeignTable(Protocol):
    """A polars DataFrame, a pyarrow Table or RecordBatch."""

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas frame."""


def _kind(given: object) -> tuple[str, str] | None:
    """Package and class of an object of polars or pyarrow, None for any other."""
    for cls in type(given).__mro__:
        package = cls.__module__.partition(".")[0]
        if package in TABLES:
            return package, cls.__name__
    return None


def is_foreign(given: object) -> bool:
    """Whether something comes from polars or pyarrow, be it a table or not."""
    return _kind(given) is not None


def to_pandas(given: Any, what: str, error: type[EventStudyError] = DataError) -> Any:
    """Return a table of polars or pyarrow as a pandas frame, and anything else as it is.

    Nulls become NaN or NaT, days ``datetime64``.

    Parameters
    ----------
    given : object
    what : str
        What it holds, for messages.
    error : type
        Error to raise.

    Raises
    ------
    error
        If it is something of polars or pyarrow other than a table: a lazy frame, a series, an array.
    MissingExtraError
        If polars needs pyarrow, which is not installed.
    """
    kind = _kind(given)
    if kind is None:
        return given
    package, name = kind
    if name not in TABLES[package]:
        raise error(
            f"{what}: {'an' if name[0] in 'AEIOU' else 'a'} {name} of {package} is not a table. Give a "
            "polars DataFrame (lazy.collect() of a lazy frame; the series with its dates) or a pyarrow Table."
        )
    import_optional("pyarrow", "pyarrow", "scale", f"{what}: reading a table of {package}")
    return given.to_pandas(date_as_object=False) if package == "pyarrow" else given.to_pandas()
