"""Formulas of regressions: what they may name, and designs that have no least squares."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy import exp, expm1, log, log1p, log2, log10, maximum, minimum, sign, sqrt, where

from eventstudy._typing import FloatArray
from eventstudy.errors import RequestError

__all__ = ["FUNCTIONS", "check_design", "least_squares"]

#: Functions of numbers, also as np.log and the like. Formulas see them as names of this module.
NUMERIC = (
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "abs",
    "sign",
    "minimum",
    "maximum",
    "where",
)
#: Functions of patsy: categories and their contrasts, quoted names, arithmetic, scaling, splines.
STRUCTURAL = (
    "C", "Q", "I", "Treatment", "Sum", "Poly", "Diff", "Helmert",
    "center", "standardize", "scale", "bs", "cr", "cc", "te",
)  # fmt: skip
FUNCTIONS = (*NUMERIC, *STRUCTURAL)
#: Those that look at all values of a column, of which one that is missing would leave none.
OF_ALL = frozenset({"center", "standardize", "scale", "bs", "cr", "cc", "te"})
# Formulas use these.
_USED = (exp, expm1, log, log1p, log2, log10, sqrt, sign, minimum, maximum, where)

PLAIN = (
    ast.Expression, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.List,
    ast.Tuple, ast.Load, ast.keyword, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def check_design(frame: pd.DataFrame, y: FloatArray, x: FloatArray, names: list[str], formula: str) -> None:
    """Refuse a design of n events and k terms that has no least squares, or not in this precision."""
    n, k = x.shape
    for values, name in ((y, formula.split("~")[0].strip()), *zip(x.T, names, strict=True)):
        odd = np.flatnonzero(~np.isfinite(values))
        if len(odd):
            more = f", and of {len(odd) - 1} more," if len(odd) > 1 else ""
            raise RequestError(
                f"{name} of event {frame.index[odd[0]]}{more} is infinite, as the logarithm of 0 is. Leave "
                "such events out, or take another scale."
            )
    if n <= k + 1:
        few = "1 event is" if n == 1 else f"{n} events are"
        raise RequestError(f"{few} too few for the {k} terms of {formula!r}.{_texts(frame, names)}")
    size = np.linalg.norm(x, axis=0)
    if (size == 0).any() or np.linalg.matrix_rank(x / size) < k:
        splines = [name.partition("(")[0] for name in names if name.startswith(("cr(", "cc(", "te("))]
        hint = ""
        if splines and "Intercept" in names:
            hint = f" The columns of {splines[0]}() add up to a constant: leave the intercept out, '... - 1'."
        raise RequestError(
            f"The terms of {formula!r} are collinear among the {n} events that have them all." + hint
        )
    if np.linalg.matrix_rank(x) < k:
        largest, least = names[int(size.argmax())], names[int(size.argmin())]
        raise RequestError(
            f"In {formula!r}, {largest} is {size.max() / size.min():.0e} times as large as {least}, too much "
            "for least squares: give it in a larger unit, such as billions, or take its logarithm."
        )


def _texts(frame: pd.DataFrame, names: list[str]) -> str:
    """Name the columns of text or dates, of which each value is a term."""
    told = []
    for name in frame.columns:
        made = sum(term == name or term.startswith(f"{name}[") for term in names)
        if made > 2:
            kind = "dates" if frame[name].map(lambda cell: isinstance(cell, date)).all() else "text"
            told.append(f"{name}, whose values are {kind}, makes {made} of them")
    if not told:
        return ""
    return f" {'; '.join(told)}: give numbers (pandas.to_numeric), or fewer groups."


def least_squares(frame: pd.DataFrame, formula: str) -> Any:
    """Return the model of statsmodels that a formula describes, of the rows without missing values.

    Parameters
    ----------
    frame : DataFrame
        Columns that the formula may name.
    formula : str
        As of patsy, with columns of the frame and `FUNCTIONS` only.

    Raises
    ------
    RequestError
        If the formula is malformed, or names anything else.
    """
    import statsmodels.formula.api as smf
    from patsy import ModelDesc

    if not isinstance(formula, str):
        raise RequestError(f"A formula is a text such as 'car ~ size', got {formula!r}.")
    try:
        described = ModelDesc.from_formula(formula)
        terms = [*described.lhs_termlist, *described.rhs_termlist]
        codes = {factor.code for term in terms for factor in term.factors}
    except Exception as problem:  # patsy raises many kinds
        raise RequestError(f"The formula {formula!r} cannot be read ({problem}).") from problem
    for code in sorted(codes):
        _check_names(code, formula, {str(name) for name in frame.columns})
    frame = pd.DataFrame({name: _plain(column) for name, column in frame.items()}, index=frame.index)
    if len(described.lhs_termlist) != 1 or not described.rhs_termlist:
        wanted = "" if "~" in formula or not formula.strip() else f" Did you mean 'car ~ {formula.strip()}'?"
        raise RequestError(
            f"The formula {formula!r} needs one variable before the ~, and terms after it.{wanted}"
        )
    try:
        # The logarithm of nought or less is missing or infinite, which is reported below.
        with np.errstate(all="ignore"):
            known = frame[_seen_whole(codes, frame.columns)].notna().all(axis=1)
            return smf.ols(formula, frame[known], missing="drop")
    except Exception as problem:  # patsy, pandas and statsmodels raise many kinds
        if "inf or nan" in str(problem):
            raise RequestError(
                f"A term of {formula!r} is infinite, as the logarithm of 0 is. Leave such events out, or "
                "take another scale."
            ) from problem
        raise RequestError(
            f"The formula {formula!r} cannot be used with these events ({problem}). Their columns are "
            f"{', '.join(map(str, frame.columns))}."
        ) from problem


def _plain(column: pd.Series) -> pd.Series:
    """Return a column in the types that patsy knows: decimals and nullable numbers as floats."""
    if column.dtype == object:
        cells = column[column.notna()]
        numbers = cells.map(lambda cell: isinstance(cell, Real | Decimal) and not isinstance(cell, bool))
        if len(cells) and numbers.all():
            return column.where(column.notna(), np.nan).astype(float)
        return column
    if not pd.api.types.is_extension_array_dtype(column.dtype):
        return column
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(object).where(column.notna(), None) if column.hasnans else column.astype(bool)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), column.index, name=column.name)
    return column


def _seen_whole(codes: set[str], columns: pd.Index) -> list[Any]:
    """Columns that splines and scaling of a formula take as a whole."""
    names: set[object] = set()
    for node in (each for code in codes for each in ast.walk(ast.parse(code, mode="eval"))):
        if isinstance(node, ast.Call) and _function(node.func) in OF_ALL:
            for part in ast.walk(node):
                if isinstance(part, ast.Name | ast.Constant):  # Q('...') holds a text
                    names.add(part.id if isinstance(part, ast.Name) else part.value)
    return [column for column in columns if column in names]


def _check_names(code: str, formula: str, columns: set[str]) -> None:
    """Refuse whatever is more than arithmetic with columns and named functions."""
    try:
        tree = ast.parse(code, mode="eval")
    except SyntaxError:
        spaced = next((name for name in columns if " " in name and name in code), None)
        hint = (
            f" Write the column {spaced!r} as Q({spaced!r})."
            if spaced
            else " Names that Python cannot read stand in Q('...')."
        )
        raise RequestError(
            f"The formula {formula!r} cannot be read: {code!r} is not an expression.{hint}"
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in columns:
            raise RequestError(
                f"The formula {formula!r} calls {node.func.id}(), which the column {node.func.id!r} of the "
                "events hides: rename the column."
            )
        if isinstance(node, ast.Call) and _function(node.func) is None:
            raise RequestError(_refused(ast.unparse(node.func), formula, FUNCTIONS, "function"))
        if isinstance(node, ast.Name):
            if node.id not in columns and node.id not in (*FUNCTIONS, "np"):
                raise RequestError(_refused(node.id, formula, sorted(columns), "column"))
        elif not isinstance(node, (*PLAIN, ast.Call)) and not _function(node):
            raise RequestError(
                f"The formula {formula!r} cannot be used: it holds {ast.unparse(node)!r}. Formulas take "
                f"columns, numbers, arithmetic and {', '.join(FUNCTIONS)}. Make other variables columns of "
                "the events first."
            )


def _function(node: ast.AST) -> str | None:
    """Name of a function of formulas that a node stands for: log, or np.log."""
    if isinstance(node, ast.Name) and node.id in FUNCTIONS:
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
        return node.attr if node.attr in NUMERIC else None
    return None


def _refused(name: str, formula: str, known: Sequence[str], what: str) -> str:
    close = difflib.get_close_matches(name, known, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"The formula {formula!r} cannot be used with these events: {name!r} is not a {what}.{hint} "
        f"There are: {', '.join(known)}."
    )
