"""Frames as data sets of Stata: names, types and numbers that it has, or a reason why not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError

__all__ = ["write_stata"]

#: Longest name of a variable, longest label, and bytes of the longest text, in files that any version reads.
LONGEST_NAME, LONGEST_LABEL, LONGEST_TEXT = 32, 80, 2045
#: Largest whole number up to which all are doubles.
EXACT = 2**53
#: Words that no variable of Stata may be named by.
RESERVED = frozenset([
    "aggregate", "array", "boolean", "break", "byte", "case", "catch", "class", "colvector", "complex",
    "const", "continue", "default", "delegate", "delete", "do", "double", "else", "eltypedef", "end",
    "enum", "explicit", "export", "external", "float", "for", "friend", "function", "global", "goto",
    "if", "in", "inline", "int", "local", "long", "NULL", "pragma", "protected", "quad", "rowvector",
    "short", "strL", "typedef", "typename", "using", "virtual", "with", "_all", "_b", "_coef", "_cons",
    "_n", "_N", "_pi", "_pred", "_rc", "_se", "_skip", "_weight",
])  # fmt: skip


def write_stata(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as a data set of Stata; see `Onward.to_stata`.

    Raises
    ------
    RequestError
        If two columns would have one name, a column holds what Stata has no number or text for, or the file
        cannot be written.
    """
    names = [_name(column) for column in frame]
    if len(set(names)) < len(names):
        again = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"Two columns would both be named {again!r} in Stata; rename one of the events'.")
    labels = {name: str(column)[:LONGEST_LABEL] for name, column in zip(names, frame, strict=True)}
    columns = {
        name: _column(frame.iloc[:, at], labels[name]).reset_index(drop=True) for at, name in enumerate(names)
    }
    try:
        pd.DataFrame(columns).to_stata(path, write_index=False, version=118, variable_labels=labels)
    except (OSError, ValueError, TypeError, NotImplementedError, OverflowError) as problem:
        raise RequestError(f"The Stata file cannot be written to {str(path)!r}: {problem}.") from problem


def _column(column: pd.Series, label: str) -> pd.Series:
    """Return a column in a type that Stata has."""
    kind = column.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        return pd.Series(column.dt.tz_convert(None))
    if pd.api.types.is_datetime64_any_dtype(kind):
        return column
    if pd.api.types.is_bool_dtype(kind):
        return column.astype("int8" if column.notna().all() else "float64")
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        return _texts(column, label)
    whole = pd.api.types.is_integer_dtype(kind)
    if whole and column.notna().any() and int(column.abs().max()) > EXACT:
        raise RequestError(f"Column {label!r} holds whole numbers beyond 2**53, which Stata would round.")
    numbers = column.astype("float64") if kind not in (np.int8, np.int16, np.int32, np.int64) else column
    if np.isinf(numbers.to_numpy(dtype=float)).any():
        raise RequestError(f"Column {label!r} holds an infinity, which Stata has no number for.")
    return numbers


def _texts(column: pd.Series, label: str) -> pd.Series:
    texts = ["" if pd.isna(value) else str(value) for value in column.astype(object)]
    if max((len(text.encode("utf-8", "replace")) for text in texts), default=0) > LONGEST_TEXT:
        raise RequestError(f"A text of column {label!r} is longer than {LONGEST_TEXT} bytes.")
    return pd.Series(texts, dtype=object)


def _name(column: object) -> str:
    text = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in str(column))
    text = text if text[:1].isalpha() or text[:1] == "_" else f"_{text}"
    reserved = text in RESERVED or re.fullmatch(r"str\d+", text)
    return f"{text}_" if reserved else text[:LONGEST_NAME]
