"""Cells → numbers, by what the whole column says of its decimal sign, thousands and units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.errors import DataError, EventStudyError
from eventstudy.tabular.currencies import CURRENCY_SIGNS, two_currencies
from eventstudy.text import regex

__all__ = [
    "MISSING",
    "Decimals",
    "Numbers",
    "blank_cells",
    "decimal_shown",
    "first_list",
    "is_text",
    "numbers_of",
]

Decimals = Literal[".", ","]
#: Texts that stand for an empty cell, in lower case.
MISSING = frozenset(
    [
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "none",
        "-",
        "--",
        ".",
        "nat",
        "<na>",
        "#value!",
        "#error",
        "#div/0!",
        "#ref!",
        "n.a.",
        "nm",
        "停牌",
    ]
) | {"", "#n/a n/a"}
_UNITS = {
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "mio": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "mrd": 1e9,
    "t": 1e12,
    "万": 1e4,
    "亿": 1e8,
}
#: Standard deviation of the log of the size of a normal return.
LOG_SIZE = 1.11
#: Cells that hold several values.
_SEVERAL = (list, tuple, set, dict, np.ndarray, pd.Series)
_STARTS_AS_NUMBER = re.compile(r"^[^a-zA-Z]*\d")
_UNIT = regex(r"(?i)(?<=[\d.,])\s*(mio|mrd|mn|bn|[kmbt万亿])\.?$")
#: Shapes of unsigned numbers with one kind of separator, and what they prove of it.
_POINT = regex(
    r"\d*\.(\d{1,2}|\d{4,})|\d{4,}\.\d+|0\.\d+|\.\d+|\d{1,3}(,\d{3})+\.\d*|\d{1,3}(,\d{2})*,\d{3}\.\d*"
    r"|\d{1,3}(,\d{3}){2,}"
)
_COMMA = regex(r"\d*,(\d{1,2}|\d{4,})|\d{4,},\d+|0,\d+|,\d+|\d{1,3}(\.\d{3})+,\d*|\d{1,3}(\.\d{3}){2,}")
_POINT_GROUPS = regex(r"\d{1,3}(\.\d{3})+")
_ANY_NUMBER = regex(r"\d+([.,]\d*)*(e[+-]?\d+)?|[.,]\d+(e[+-]?\d+)?", re.IGNORECASE)


class Numbers(NamedTuple):
    """Numbers of a column.

    Attributes
    ----------
    values : array
        NaN where there is none.
    percent : bool
        Whether the numbers are percent, as cells bear a percent sign.
    dress : str
        How they were written, for the reader; empty where plainly.
    mixed : bool
        Whether cells with a percent sign stood among decimals; they are decimals now too.
    """

    values: FloatArray
    percent: bool = False
    dress: str = ""
    mixed: bool = False


def blank_cells(column: pd.Series) -> BoolArray:
    """Whether cells are empty, or hold a sign for that."""
    missing = column.isna().to_numpy()
    if column.dtype.kind not in "fiuMmb":
        text = column.astype(str).str.strip().str.lower()
        missing = missing | text.isin(MISSING).to_numpy()
    return np.asarray(missing, dtype=bool)


def is_text(column: pd.Series) -> bool:
    """Whether a column holds texts and not one number."""
    if column.dtype.kind in "fiubMmc" or pd.api.types.is_numeric_dtype(column):
        return False
    if any(_STARTS_AS_NUMBER.match(str(cell)) for cell in column.dropna().iloc[:20]):
        return False  # most columns are known for numbers by their first cells
    known = column[~blank_cells(column)]
    cells = known.drop_duplicates() if known.map(lambda cell: isinstance(cell, str)).all() else known[:0]
    return bool(len(cells)) and not cells.str.contains(_STARTS_AS_NUMBER).any()


def first_list(column: pd.Series) -> int | None:
    """Row of the first cell that is a list, an array or a mapping; None if there is none."""
    kinds = [i for i, kind in enumerate(map(type, column)) if issubclass(kind, _SEVERAL)]
    return kinds[0] if kinds else None


def _bare(text: str) -> str:
    """Return a number without sign, currency, percent, unit and gaps between digits."""
    bare = CURRENCY_SIGNS.sub("", text.replace("−", "-").replace("–", "-")).strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    bare = bare.removesuffix("%").strip()
    bare = _UNIT.sub("", bare)
    bare = re.sub(r"(?<=\d)[\s'’  ](?=\d{3})", "", bare)
    return bare.strip().lstrip("+-").removesuffix("-").strip()


def decimal_shown(
    texts: Iterable[str], where: str, error: type[EventStudyError] = DataError
) -> Decimals | None:
    """Return the decimal sign that texts prove, None where none does.

    Raises
    ------
    error
        If one cell proves the point and another the comma.
    """
    proof: dict[Decimals, str] = {}
    for text in texts:
        bare = _bare(text)
        if _POINT.fullmatch(bare):
            proof.setdefault(".", text)
        elif _COMMA.fullmatch(bare):
            proof.setdefault(",", text)
    if len(proof) == 2:
        raise error(
            f"{where}: the decimal sign is a point in {proof['.']!r} and a comma in {proof[',']!r}. Mend the "
            f"column, "
            "or pass decimal='.' or decimal=','."
        )
    return next(iter(proof), None)


def numbers_of(
    column: pd.Series,
    where: str,
    *,
    decimal: Decimals | None = None,
    likely: Decimals | None = None,
    missing: Iterable[str] = (),
    in_file: bool = False,
    doubtful: bool = False,
    who: pd.Series | None = None,
    error: type[EventStudyError] = DataError,
) -> Numbers:
    """Read a column as numbers; what is neither a number nor a sign for a missing one is an error.

    Parameters
    ----------
    column : Series
    where : str
        What it is, for messages.
    decimal : {".", ","}, optional
        Decimal sign; found from the whole column by default.
    likely : {".", ","}, optional
        Decimal sign of the other columns, for one that does not show its own.
    missing : iterable of str
        Further signs for a missing number.
    in_file : bool
        Whether the column is of a file, for which `missing` can be passed.
    doubtful : bool
        Whether a point may stand for thousands where nothing shows the decimal sign.
    who : Series, optional
        Security of each cell, each of which may have a currency of its own.
    error : type
        Error to raise.

    Raises
    ------
    error
        Names the first cell that is not a number, or says that the decimal sign cannot be told.
    """
    missing = tuple(missing)
    if column.dtype == object and (several := first_list(column)) is not None:
        raise error(
            f"{where} holds {column.iloc[several]!r} in row {several + 1}, where one number is expected. "
            "Take the number out of it, or leave the column out: columns={name: 'ignore'}."
        )
    if pd.api.types.is_bool_dtype(column):
        raise error(
            f"{where} holds {bool(column.iloc[0])}, not numbers. Drop it, or pass columns={{name: 'ignore'}}."
        )
    if pd.api.types.is_numeric_dtype(column):
        return Numbers(_without(column.to_numpy(dtype=float, na_value=np.nan), missing))
    if pd.api.types.is_datetime64_any_dtype(column):
        raise error(f"{where} holds dates, not numbers.")
    if decimal != "," and likely != "," and not doubtful:
        plain = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        left = column[np.isnan(plain)]
        signs = MISSING | {sign.strip().lower() for sign in missing}
        if all(str(cell).strip().lower() in signs for cell in left.dropna().unique()):
            return Numbers(_without(plain, missing))
    code, cells = pd.factorize(column.astype(object), use_na_sentinel=True)
    values = np.full(len(cells) + 1, np.nan)
    codes = {sign.strip().lower() for sign in missing}
    texts: dict[int, str] = {}
    for i, cell in enumerate(cells):
        if isinstance(cell, (int, float, Decimal, np.number)) and not isinstance(cell, (bool, np.bool_)):
            values[i] = float(cell)
            continue
        text = str(cell).strip()
        if text.lower() in MISSING or text.lower() in codes:
            continue
        if isinstance(cell, (bool, np.bool_)):
            raise error(f"{where} holds {cell!r}, not numbers.")
        texts[i] = text
    percent, mixed, dress = False, False, ""
    if texts:
        plain = pd.to_numeric(pd.Series(list(texts.values())), errors="coerce").to_numpy()
        dressed = bool(np.isnan(plain).any())
        grouped = decimal is None and any(_POINT_GROUPS.fullmatch(_bare(text)) for text in texts.values())
        if (
            doubtful
            and grouped
            and likely is None
            and not any(_POINT.fullmatch(_bare(t)) for t in texts.values())
        ):
            raise error(
                f"{where}: the point of {next(t for t in texts.values() if '.' in t)!r} may stand for "
                f"decimals or "
                "for thousands. Pass decimal='.' or decimal=','."
            )
        if decimal == "," or dressed or (likely == "," and grouped):
            plain, dress = _dressed(texts, where, decimal, likely, error, code, in_file, who)
        values[list(texts)] = plain
        signed = np.array([i in texts and "%" in texts[i] for i in range(len(values))])
        if signed.any():
            percent = _all_percent(values, signed, code, texts, where, error)
            mixed = not percent
            values[signed] /= 100.0 if mixed else 1.0
    return Numbers(_without(values, missing)[code], percent, dress, mixed)


def _without(values: FloatArray, missing: Iterable[str]) -> FloatArray:
    """Make numbers missing that are said to stand for that, such as -99; a volume of zero is a volume."""
    codes = pd.to_numeric(pd.Series(list(missing), dtype=object), errors="coerce").dropna()
    codes = codes[codes != 0]
    return np.where(np.isin(values, codes), np.nan, values) if len(codes) else values


def _all_percent(
    values: FloatArray,
    signed: BoolArray,
    code: IntArray,
    texts: dict[int, str],
    where: str,
    error: type[EventStudyError],
) -> bool:
    """Whether cells without a percent sign are percent too, as those with one are; else they are decimals.

    A spreadsheet keeps cells formatted as percent as decimals, and those typed as text with their sign. Means
    of log sizes tell: decimals are a hundredth of percent.
    """
    count = np.bincount(code[code >= 0], minlength=len(values))
    told = np.isfinite(values) & (values != 0) & (count > 0)
    if not (told & ~signed).any():
        return True
    n, m = count[told & signed].sum(), count[told & ~signed].sum()
    if n:
        size = np.log(np.abs(np.where(told, values, 1.0)))
        apart, here = (float(np.average(size[told & s], weights=count[told & s])) for s in (~signed, signed))
        hundred = float(np.log(100.0))
        spread = max(LOG_SIZE**2 * (1 / n + 1 / m), 0.5)
        evidence = hundred / spread * (apart - here + hundred / 2)
        if m >= 5 and apart > np.log(0.2):
            return True  # decimals would be 20% and more
        if abs(evidence) > hundred:
            return bool(evidence > 0)
    bare, with_sign = (int(np.flatnonzero(s)[0]) for s in (told & ~signed, signed))
    shown = texts.get(bare, f"{values[bare]:g}")
    raise error(
        f"{where} holds {texts[with_sign]!r} in row {int(np.argmax(code == with_sign)) + 1} and {shown!r}, "
        f"without a percent sign, in row {int(np.argmax(code == bare)) + 1}: whether the latter is percent "
        "too cannot be told. Write all cells with the sign, or all as decimals."
    )


def _dressed(
    texts: dict[int, str],
    where: str,
    decimal: Decimals | None,
    likely: Decimals | None,
    error: type[EventStudyError],
    code: IntArray,
    in_file: bool,
    who: pd.Series | None,
) -> tuple[FloatArray, str]:
    bares = {i: _bare(text) for i, text in texts.items()}
    for i, bare in bares.items():
        if not _ANY_NUMBER.fullmatch(bare):
            row = int(np.argmax(code == i)) + 1
            raise error(_no_number(texts[i], row, where, in_file))
    apart = two_currencies(texts.values())
    if apart is not None and who is not None:
        apart = _of_one_security(texts, code, who)
    if apart is not None:
        raise error(
            f"{where} holds {apart[0]!r} and {apart[1]!r}, numbers in different currencies. Bring them into "
            "one, or leave the column out: columns={name: 'ignore'}."
        )
    sign = decimal or decimal_shown(texts.values(), where, error)
    if sign is None:
        commas = [i for i, bare in bares.items() if "," in bare]
        points = [i for i, bare in bares.items() if "." in bare]
        if commas and points:
            raise error(
                f"{where}: the decimal sign of {texts[commas[0]]!r} and {texts[points[0]]!r} cannot be told. "
                f"Pass "
                "decimal='.' or decimal=','."
            )
        several = [i for i in commas + points if max(bares[i].count(","), bares[i].count(".")) > 1]
        if several:
            sign = "." if several[0] in commas else ","
        elif likely is not None:
            sign = likely
        elif commas and in_file:
            raise error(
                f"{where}: the comma of {texts[commas[0]]!r} may stand for decimals or for thousands. Pass "
                "decimal='.' or decimal=','."
            )
        else:
            sign = "."
    drop, point = (",", ".") if sign == "." else (".", ",")
    out = np.empty(len(texts))
    for k, (i, bare) in enumerate(bares.items()):
        text = texts[i]
        try:
            number = float(bare.replace(drop, "").replace(point, "."))
        except ValueError:
            raise error(_no_number(text, int(np.argmax(code == i)) + 1, where, in_file)) from None
        whole, _, tail = bare.partition(point)
        groups = whole.split(drop)
        if drop in tail or (
            len(groups) > 1 and (len(groups[-1]) != 3 or any(len(g) not in (2, 3) for g in groups[1:]))
        ):
            raise error(_no_number(text, int(np.argmax(code == i)) + 1, where, in_file))
        stripped = CURRENCY_SIGNS.sub("", text.replace("−", "-").replace("–", "-")).strip()
        if stripped.startswith(("-", "(")) or stripped.removesuffix("%").rstrip().endswith("-"):
            number = -number
        unit = _UNIT.search(CURRENCY_SIGNS.sub("", text).strip().removesuffix("%").strip().removesuffix(")"))
        out[k] = number * (_UNITS[unit.group(1).lower()] if unit else 1.0)
    return out, f"decimal sign {sign!r}"


def _of_one_security(texts: dict[int, str], code: IntArray, who: pd.Series) -> tuple[str, str] | None:
    """Return two texts of one security that name different currencies."""
    for own in pd.Series(code).groupby(who.to_numpy()).unique():
        apart = two_currencies(texts[i] for i in own if i in texts)
        if apart is not None:
            return apart
    return None


def _no_number(text: str, row: int, where: str, in_file: bool) -> str:
    if not in_file:
        return (
            f"{where} holds {text!r}, not numbers. Where it stands for a missing one, make it missing, e.g. "
            f"with "
            "pd.to_numeric(column, errors='coerce'); or leave the column out: columns={name: 'ignore'}."
        )
    if re.search(r"\d", text) and re.fullmatch(r"[\d\s.,'’%()$€£¥+\-/:a-zA-Z]*", text) and len(text) < 25:
        cure = "Write it as a plain number, such as 1234.5; or leave the column out: columns={name: 'ignore'}"
    else:
        cure = (
            f"If it stands for a missing one, pass missing=[{text!r}]; if the column is none of prices, "
            "columns={name: 'ignore'}"
        )
    return f"{where}: {text!r} in row {row} is not a number. {cure}."
