"""Columns of a long frame: the names of its rows, and the one column of numbers that it may have."""

from __future__ import annotations

from typing import Any

import pandas as pd

from eventstudy.column_names import NO_PRICES_OR_RETURNS, find_column, plain_name, says_log
from eventstudy.errors import DataError
from eventstudy.tabular.columns import Options, names_of

__all__ = ["long_names", "only_numbers"]


def long_names(body: pd.DataFrame, who: Any, options: Options) -> tuple[pd.Series, str]:
    """Names of the rows of a long frame; Compustat's issues of one firm are told apart."""
    names = names_of(body[who], options)
    issue = find_column(body.columns, ("iid",))
    if plain_name(who) == "gvkey" and issue is not None:
        issues = body[issue].astype(str).str.strip()
        if (pd.DataFrame({"k": names, "i": issues}).drop_duplicates()["k"].duplicated()).any():
            return names + "." + issues, f"{who} and {issue}"
    return names, str(who)


def only_numbers(
    body: pd.DataFrame, who: Any, fields: dict[Any, str], options: Options
) -> tuple[dict[Any, str], str]:
    """Take the one column of numbers of a long frame for what is wanted."""
    rest = [
        c
        for c in body.columns
        if c != who
        and c not in fields
        and plain_name(c) not in NO_PRICES_OR_RETURNS
        and not (options.want == "prices" and says_log(c))
        and pd.api.types.is_numeric_dtype(body[c])
    ]
    fld = {"prices": "close", "returns": "return", "values": "value"}[options.want]
    if len(rest) == 1 and not fields and not pd.api.types.is_bool_dtype(body[rest[0]]):
        fld = "log_return" if fld == "return" and says_log(rest[0]) else fld
        return {rest[0]: fld}, "the only column of numbers"
    shown = [str(c) for c in body.columns][:30]
    if options.want == "prices":
        raise DataError(
            f"{options.what}: a long price frame needs a column 'close' (or 'price'); the columns are "
            f"{shown}. Pass "
            "columns={'name': 'close'}."
        )
    if options.want == "values":
        raise DataError(
            f"{options.what}: no one column holds the values; the columns are {shown}. Pivot the frame to "
            f"days × names."
        )
    if {"close", "adj_close"} & set(fields.values()):
        raise DataError(
            f"{options.what}: a long frame of returns needs a column 'ret'; the columns are {shown}, which "
            f"are prices: "
            "make the market with Market.from_prices."
        )
    raise DataError(
        f"{options.what}: a long frame of returns needs a column 'ret'; the columns are {shown}. Pass "
        "columns={'name': 'return'}."
    )
