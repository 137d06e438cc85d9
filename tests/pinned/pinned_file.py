"""The stored results: how tables are written into `results.json`, and what differs from them.

One line per design, so that a change is seen where it is. A table is the number of its list of columns, and
one text per column: numbers to ten digits, "-" where missing; dates and notes of tests by a checksum.
Reasons, warnings and errors are stored in full.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

FILE = Path(__file__).with_name("results.json")
#: Columns of texts that are stored in full.
IN_FULL = {"reason", "message", "category", "kind"}
#: What rounding leaves of zero where numbers have nine digits; more where they have fewer.
NOTHING = 1e-13

Stored = Mapping[str, Mapping[str, Mapping[str, list[str]]]]


def cells(values: pd.Series, name: str) -> list[str]:
    """Return a column as texts."""
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return ["-" if np.isnan(x) else f"{x:.10g}" for x in values.astype(float)]
    return [str(x) if name in IN_FULL else short(x) for x in values]


def short(value: object) -> str:
    """Return a checksum of a text, a day or a pair; a number as it is."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)) or value == "":
        return "-"
    if isinstance(value, int | float):
        return f"{value:.10g}"
    if isinstance(value, tuple):
        return "/".join(short(each) for each in value)
    return f"#{zlib.crc32(str(value).encode()) & 0xFFFF:04x}"


def as_texts(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, list[str]]]:
    """Return tables as they are stored, by table and column."""
    found = {}
    for name, frame in tables.items():
        columns = {str(column): cells(frame.iloc[:, i], str(column)) for i, column in enumerate(frame)}
        if not isinstance(frame.index, pd.RangeIndex) and len(frame):
            rows = ["/".join(map(str, row)) if isinstance(row, tuple) else str(row) for row in frame.index]
            columns = {"rows": [short(" ".join(rows))], **columns}
        found[name] = columns
    return found


def write(stored: Stored) -> None:
    """Write all designs into the file."""
    heads: dict[tuple[str, ...], int] = {}
    texts: dict[str, int] = {}
    lines = []
    for design, tables in stored.items():
        row = {}
        for name, columns in tables.items():
            head = heads.setdefault(tuple(columns), len(heads))
            packed: list[object] = [
                [texts.setdefault(cell, len(texts)) for cell in each] if column in IN_FULL else " ".join(each)
                for column, each in columns.items()
            ]
            row[name] = [head, *packed]
        lines.append(f"{json.dumps(design)}: {json.dumps(row, separators=(',', ':'))}")
    body = ",\n".join(lines)
    FILE.write_text(
        f'{{"columns": {json.dumps(list(heads))},\n"texts": {json.dumps(list(texts), indent=0)},\n'
        f'"designs": {{\n{body}\n}}}}\n',
        encoding="utf-8",
    )


def read() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Read all designs from the file."""
    if not FILE.exists():
        return {}
    found = json.loads(FILE.read_text(encoding="utf-8"))
    heads, texts = found["columns"], found["texts"]
    return {
        design: {
            name: {
                column: [texts[i] for i in cell] if isinstance(cell, list) else cell.split()
                for column, cell in zip(heads[head], packed, strict=True)
            }
            for name, (head, *packed) in tables.items()
        }
        for design, tables in found["designs"].items()
    }


def differences(
    old: Mapping[str, Mapping[str, list[str]]], new: Mapping[str, Mapping[str, list[str]]], digits: int
) -> Iterator[str]:
    """Say what is not the same to so many digits, by table, column and row."""
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield f"{name}: {'no longer there' if after is None else 'not there before'}"
            continue
        for column in dict.fromkeys([*before, *after]):
            was, is_ = before.get(column, []), after.get(column, [])
            if len(was) != len(is_):
                yield f"{name}, {column}: {len(was)} rows, now {len(is_)}"
            for row, (x, y) in enumerate(zip(was, is_, strict=False)):
                if x != y and not alike(x, y, digits):
                    yield f"{name}, {column}, row {row}: {x}, now {y}"


def alike(x: str, y: str, digits: int) -> bool:
    """Whether two texts are the same number, or pairs of them, to so many digits."""
    if "/" in x and x.count("/") == y.count("/"):
        return all(alike(a, b, digits) for a, b in zip(x.split("/"), y.split("/"), strict=True))
    try:
        a, b = float(x), float(y)
    except ValueError:
        return x == y
    return abs(a - b) <= 10.0**-digits * max(abs(a), abs(b)) + NOTHING * 10.0 ** (9 - digits)
