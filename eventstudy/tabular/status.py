"""Whether a security traded, in the words of vendors."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray
from eventstudy.column_names import plain_name
from eventstudy.errors import DataError

__all__ = ["halted_rows"]

#: Columns in which 1 or true says that there was no trade.
_NEGATED = ("paused", "suspended", "halted")
_NO_TRADE = re.compile(
    r"0|false|n|no|h|s|halt|halted|(trading )?halt|trading halted|suspend|suspended|suspension|n/?t|not "
    r"traded|"
    r"no trade|not trading|closed|停牌|停牌一天|连续停牌|全天停牌|停止交易|暂停交易"
)
_TRADE = re.compile(
    r"1|true|y|yes|a|r|t|active|trades?|traded|trading|normal|open|ok|regular|listed|resumed?|resumption|"
    r"交易|正常|正常交易|复牌|停牌半天|盘中停牌|上午停牌|下午停牌|临时停牌|新股上市"
)
#: CSMAR's Trdsta tells of special treatment; days without trade have no row there.
_TRDSTA = re.compile(r"1[0-6]|[1-9]")


def halted_rows(column: pd.Series, name: object, what: str) -> BoolArray:
    """Return the rows whose status says that there was no trade.

    Raises
    ------
    DataError
        If a value of the column is not understood.
    """
    word = plain_name(str(name))
    code, values = pd.factorize(column.astype(object))
    texts = [str(v).strip().lower().removesuffix(".0") for v in values]
    halted = np.zeros(len(values) + 1, dtype=bool)
    if word == "trdsta":
        unknown = [v for v, text in zip(values, texts, strict=True) if not _TRDSTA.fullmatch(text)]
    elif word in _NEGATED and all(text in ("0", "1", "true", "false") for text in texts):
        halted[:-1] = [text in ("1", "true") for text in texts]
        unknown = []
    else:
        halted[:-1] = [_NO_TRADE.fullmatch(text) is not None for text in texts]
        unknown = [
            v
            for v, text, no in zip(values, texts, halted, strict=False)
            if not no and text not in ("", "nan", "none") and not _TRADE.fullmatch(text)
        ]
    if unknown:
        shown = ", ".join(repr(v) for v in unknown[:5])
        raise DataError(
            f"{what}: the column {str(name)!r} says whether a security traded, and {shown} is not understood "
            f"there. "
            f"Write 1 for trade and 0 for none, or pass columns={{{str(name)!r}: 'ignore'}}."
        )
    return np.asarray(halted[code], dtype=bool)
