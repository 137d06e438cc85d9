"""Parquet files of one row a security-day, read by columns, securities and days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.column_names import DATE_NAMES, SECURITY_NAMES, TOTAL_RETURN_NAMES, find_column
from eventstudy.errors import DataError
from eventstudy.immutable import FrozenMapping
from eventstudy.optional import import_optional

__all__ = ["LongFiles"]

#: Rows taken up at a time.
ROWS = 2**19


@dataclass(frozen=True)
class LongFiles:
    """Parquet files of which nothing but the columns is known before something is asked.

    Attributes
    ----------
    path : str
        A file, or a folder of files.
    security, date, value : str
        Columns.

    Raises
    ------
    DataError
        If the files cannot be read, lack a column, or hold something else in it.
    MissingExtraError
        If pyarrow is not installed.
    """

    path: str
    security: str
    date: str
    value: str

    @classmethod
    def of(cls, path: str, security: str | None, date: str | None, value: str | None) -> LongFiles:
        """Open files; columns that are not said are found by their names, the usual ones if none is.

        Raises
        ------
        DataError
            As for the class.
        """
        names = _dataset(path).schema.names
        simple = ("ret", *sorted(TOTAL_RETURN_NAMES))
        return cls(
            path,
            security or str(find_column(names, SECURITY_NAMES) or "permno"),
            date or str(find_column(names, DATE_NAMES) or "date"),
            value or str(find_column(names, simple) or "ret"),
        )

    def __post_init__(self) -> None:
        names = self._source.schema.names
        for name in (self.security, self.date, self.value):
            if name not in names:
                raise DataError(
                    f"{self.path} has no column {name!r}; its columns are {', '.join(names[:20])}. "
                    "Name yours: Market.scan_parquet(path, security=..., date=..., ret=...)."
                )
        types = _pyarrow("types")
        kind = self._kind(self.date)
        if not (types.is_date(kind) or types.is_timestamp(kind) or _is_text(kind)):
            raise DataError(
                f"{self.path}: column {self.date!r} holds {kind}, not dates. Write it as dates, e.g. with "
                f"pd.to_datetime(frame[{self.date!r}], format='%Y%m%d')."
            )
        kind = self._kind(self.value)
        if not (types.is_floating(kind) or types.is_integer(kind)):
            raise DataError(
                f"{self.path}: column {self.value!r} holds {kind}, not numbers. Convert it, e.g. with "
                "pd.to_numeric(column, errors='coerce'): CRSP writes letters where a return is missing."
            )
        kind = self._kind(self.security)
        if not (types.is_integer(kind) or _is_text(kind)):
            raise DataError(
                f"{self.path}: column {self.security!r} holds {kind}; securities are texts or whole numbers."
            )

    def __reduce__(self) -> tuple[type[LongFiles], tuple[str, str, str, str]]:
        # Another process opens the files itself.
        return LongFiles, (self.path, self.security, self.date, self.value)

    @cached_property
    def _source(self) -> Any:
        return _dataset(self.path)

    @cached_property
    def securities(self) -> FrozenMapping[str, Any]:
        """Every security of the files by its name, in order; the column is read once."""
        return FrozenMapping({str(one): one for one in sorted(self._distinct(self.security).to_pylist())})

    @cached_property
    def dates(self) -> Any:
        """Every date of the files as it stands there, each once; the column is read once."""
        return self._distinct(self.date)

    def fill(
        self,
        values: FloatArray,
        seen: BoolArray,
        names: Sequence[str],
        session: IntArray,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        only: BoolArray | None = None,
    ) -> None:
        """Write the values of some securities into a panel.

        Parameters
        ----------
        values : array, shape (S, T)
            Written where the files have a row, NaN where that row has no value.
        seen : array of bool, shape (S, T)
            Made true where the files have a row.
        names : sequence of str, length S
            Securities of the files.
        session : array of int
            Column of `values` of each of `dates`, -1 for those to be left out.
        since, until : Timestamp, optional
            Days to read, the last exclusive; all by default. Dates kept as texts are always all read.
        only : array of bool, shape (S,), optional
            The securities to read; all of `names` by default.

        Raises
        ------
        DataError
            If a security has more than one row for a session; names the first.
        """
        ids = self._ids(names)
        mask = np.ones(len(names), dtype=bool) if only is None else only
        if not mask.any():
            return
        where = self._column(self.security).isin(
            self._ids([n for n, use in zip(names, mask, strict=True) if use])
        )
        for day, is_first in ((since, True), (until, False)):
            if day is not None and self.ordered:
                bound = _pyarrow().scalar(day.to_pydatetime()).cast(self._kind(self.date))
                column = _pyarrow("dataset").field(self.date)
                where = where & (column >= bound if is_first else column < bound)
        compute, n_sessions = _pyarrow("compute"), values.shape[1]
        for table in self._tables((self.security, self.date, self.value), where):
            row = compute.index_in(table[self.security], value_set=ids).to_numpy()
            column = session[compute.index_in(table[self.date], value_set=self.dates).to_numpy()]
            given = table[self.value].cast("float64").to_numpy()
            kept = column >= 0
            cell = (row.astype(np.int64) * n_sessions + column)[kept]
            twice = seen.reshape(-1)[cell]
            if (np.diff(cell) <= 0).any():
                order = np.argsort(cell, kind="stable")
                twice[order[1:]] |= np.diff(cell[order]) == 0
            if twice.any():
                who, when = divmod(int(cell[twice].min()), n_sessions)
                day = pd.Timestamp(self.dates[int(np.flatnonzero(session == when)[0])].as_py())
                raise DataError(
                    f"{self.path}: {names[who]} has more than one row for {day:%Y-%m-%d}. Keep one row a "
                    f"security and day, e.g. frame.drop_duplicates([{self.date!r}, {self.security!r}])."
                )
            seen.reshape(-1)[cell] = True
            values.reshape(-1)[cell] = given[kept]

    @property
    def ordered(self) -> bool:
        """Whether days can be chosen while reading: not of texts, nor of moments in another zone."""
        types, kind = _pyarrow("types"), self._kind(self.date)
        return bool(types.is_date(kind) or (types.is_timestamp(kind) and kind.tz is None))

    def _ids(self, names: Sequence[str]) -> Any:
        return _pyarrow().array([self.securities[name] for name in names], self._kind(self.security))

    def _kind(self, name: str) -> Any:
        kind = self._source.schema.field(name).type
        return kind.value_type if _pyarrow("types").is_dictionary(kind) else kind

    def _column(self, name: str) -> Any:
        """Expression of a column; categories are what they stand for."""
        column, stored = _pyarrow("dataset").field(name), self._source.schema.field(name).type
        return column.cast(self._kind(name)) if _pyarrow("types").is_dictionary(stored) else column

    def _tables(self, names: Sequence[str], where: Any = None) -> Iterator[Any]:
        """Columns of the rows that `where` selects, about `ROWS` rows at a time."""
        table, held = _pyarrow().Table, []
        for batch in self._source.to_batches(columns={n: self._column(n) for n in names}, filter=where):
            held.append(batch)
            if sum(one.num_rows for one in held) >= ROWS:
                yield table.from_batches(held)
                held = []
        if held:
            yield table.from_batches(held)

    def _distinct(self, name: str) -> Any:
        arrow = _pyarrow()
        found = arrow.array([], self._kind(name))
        for table in self._tables([name]):
            found = arrow.concat_arrays([found, table[name].unique()]).unique()
        if not len(found):
            raise DataError(f"{self.path} has no rows.")
        if found.null_count:
            raise DataError(f"{self.path}: some rows have no {name!r}. Give them one, or leave them out.")
        return found


def _dataset(path: str) -> Any:
    dataset, lib = _pyarrow("dataset"), _pyarrow("lib")
    try:
        return dataset.dataset(path, format="parquet")
    except FileNotFoundError:
        raise DataError(f"There is no file or folder {path}.") from None
    except (OSError, lib.ArrowException) as problem:
        raise DataError(f"{path} cannot be read as Parquet: {problem}") from problem


def _pyarrow(module: str = "") -> Any:
    name = f"pyarrow.{module}" if module else "pyarrow"
    return import_optional(name, "pyarrow", "scale", "Reading Parquet")


def _is_text(kind: Any) -> bool:
    types = _pyarrow("types")
    return bool(types.is_string(kind) or types.is_large_string(kind))
