"""Units of returns by evidence: their size, and how series move with each other."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.column_names import factor_name
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.market.compounding import LEVELS
from eventstudy.text import plural

__all__ = [
    "RETURN_FACTORS",
    "Unit",
    "check_against_benchmarks",
    "check_factors",
    "check_returns",
    "no_returns",
    "refuse_relatives",
    "returns_beside_closes",
    "step_in_days",
]

Unit = Literal["decimal", "percent"]
#: Returns from which on their size tells.
ENOUGH = 10
#: Where all series move by less on an ordinary day, they may have been divided by 100 twice.
CALM = 4e-4
#: A typical return of a day beyond this is not a decimal: of a security, and of an index (by its volatility).
TYPICAL, INDEX_SD = 0.1, 0.045
#: The same for weeks and longer.
TYPICAL_LONG = 0.25
#: A risk-free rate of a day beyond this is annual or in percent (0.001 a day is 28% a year).
DAILY_RATE = 0.001
#: Series that move this many times as much as their benchmark, with this correlation, are in another unit.
APART, ALIKE, LOOSE = 25.0, 0.2, 100.0
#: The share of zeros from which on they are left out of the size of a typical return.
STILL = 0.25
#: Values of a spell whose typical size is compared with that of the next.
SPELL = 20
#: A series of one sign whose changes are this small beside it, and which is this large, is a level.
LEVEL_CHANGE, LEVEL_SIZE, LEVEL_ROWS = 0.2, 5e-4, 20
#: Price relatives, 1 + r, stay so near to 1, by their median and typically, and are finer than the steps of
#: low prices; the variance of their changes is twice their own, where that of prices is a fraction of it.
NEAR_ONE, MOVES_RELATIVE, STEPS, REVERSED = 0.02, (0.002, TYPICAL), 1000.0, 0.65
#: Rows of one series from which on that tells, and of so many series.
ROWS_OF_ONE, ROWS_OF_MANY, MANY = 40, 10, 5
#: What returns and closes typically differ by at most, as a share of a typical move, and as the interest of
#: each day or the payouts of each month make it.
ANOTHER, PAID, PAID_LONG = 0.5, 0.0025, 0.015
#: What French's files write for a missing return, in percent and divided by 100.
MISSING_CODES = (-99.99, -999.0, -99.9, -0.9999, -9.99, -0.999)
#: Factors that are returns whatever they look like.
RETURN_FACTORS = frozenset(
    [
        "mkt_rf",
        "mkt",
        "smb",
        "hml",
        "rmw",
        "cma",
        "mom",
        "me",
        "ia",
        "roe",
        "eg",
        "rf",
        "vmg",
        "smb_equal",
        "hml_equal",
        "liq",
        "bab",
        "qmj",
        "hmlfin",
        "pmu",
    ]
)


def step_in_days(sessions: pd.DatetimeIndex) -> float:
    """Typical distance of sessions in days."""
    if len(sessions) < 2:
        return 1.0
    return float(np.median(np.diff(sessions.to_numpy()) / np.timedelta64(1, "D")))


def _spread(values: FloatArray) -> FloatArray:
    """Robust volatility by row, NaN where too little is known."""
    known = np.isfinite(values)
    out = np.full(len(values), np.nan)
    for i in np.flatnonzero(known.sum(axis=1) >= ENOUGH):
        row = values[i, known[i]]
        out[i] = 1.4826 * np.median(np.abs(row - np.median(row)))
    return out


def check_returns(returns: pd.DataFrame, what: str, kind: str, unit: Unit | None = None) -> None:
    """Refuse values that are not returns: infinite ones, percent, basis points, gross returns, levels.

    A simple return of exactly -1 is that of a share that became worthless, if none follows it.

    Raises
    ------
    DataError
        Names the first column and date.
    """
    values = returns.to_numpy()
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise DataError(
            f"{what}: {returns.columns[column]} is {values[row, column]:g} on {returns.index[row]:%Y-%m-%d}; "
            f"a {'return' if kind not in LEVELS else kind} is finite, or missing."
        )
    if kind in LEVELS:
        return
    if kind == "simple" and (values <= -1.0).any():
        _check_losses(returns, what)
    if unit == "decimal":
        return
    known = returns.notna().sum()
    typical = returns.abs().median()[known >= ENOUGH]
    long = step_in_days(pd.DatetimeIndex(returns.index)) > 4
    large = typical.index[typical > (TYPICAL_LONG if long else TYPICAL)]
    if len(large):
        name = large[0]
        raise DataError(
            f"{what}: {name} is {typical[name]:g} on a typical day, which is not a return. "
            f"{_cure(returns[name], what)}"
        )
    for name in typical.index[typical > LEVEL_SIZE]:
        column = returns[name].dropna().to_numpy()
        if len(column) >= LEVEL_ROWS and _is_level(column):
            raise DataError(
                f"{what}: {name} goes from {column[0]:g} to {column[-1]:g} by small steps and never changes "
                f"sign: a level, "
                "not a return. Make the market with Market.from_prices, or give series.pct_change()."
            )
    spread = _spread(values.T)
    spread = spread[np.isfinite(spread)]
    if spread.size and (spread > 0).all() and spread.max() < CALM:
        warn(
            f"{what}: on an ordinary day {returns.columns[0]} moves by {spread[0]:.1g}, where shares and "
            "indices move by about 0.01. Were percent divided by 100 twice? If it is so calm, pass "
            "unit='decimal'.",
            DataWarning,
        )


def _is_level(column: FloatArray) -> bool:
    one_sign = (column > 0).all() or (column < 0).all()
    return bool(one_sign and np.median(np.abs(np.diff(column))) < LEVEL_CHANGE * np.median(np.abs(column)))


def refuse_relatives(prices: pd.DataFrame, what: str) -> None:
    """Refuse price relatives, 1 + r, that are given as prices: they stay near 1 and every move is undone.

    Raises
    ------
    DataError
        Names the first series.
    """
    middle = prices.median()
    size = (prices - 1.0).abs().median()
    near = (middle - 1.0).abs() < NEAR_ONE
    near &= (size > MOVES_RELATIVE[0]) & (size < MOVES_RELATIVE[1])
    shown = prices.loc[:, near[near].index]
    scaled = shown * STEPS
    shown = shown.loc[:, ((scaled - scaled.round()).abs() > 1e-3).sum() > shown.notna().sum() / 2]
    if not shown.shape[1]:
        return
    known = shown.notna().sum()
    reversed_ = shown.diff().var() / (2.0 * shown.var()) > REVERSED
    sure = reversed_ & (known >= ROWS_OF_ONE)
    alike = reversed_ & (known >= ROWS_OF_MANY)
    if alike.sum() >= max(MANY, 0.75 * prices.shape[1]):
        sure |= alike
    if not sure.any():
        return
    who = sure.index[int(np.argmax(sure))]
    series = shown[who].dropna()
    cure = (
        "Make the market with Market(prices - 1)" if what == "Prices" else "Give the level, series.cumprod()"
    )
    raise DataError(
        f"{what}: {who} stays near 1 ({series.iloc[0]:g} on {series.index[0]:%Y-%m-%d}) and what it moves "
        f"in a day is undone the next, as price relatives, 1 + r, do and prices do not. {cure}, or multiply "
        "them first: (1 + r).cumprod()."
    )


def _percent(what: str) -> str:
    """Say what to do about percent; the unit of returns is not that of factors."""
    return "Are these percent? Divide by 100" + (
        "" if what.startswith("Factors") else ", or pass unit='percent'"
    )


def _cure(column: pd.Series, what: str) -> str:
    size, values = float(column.abs().median()), column.dropna()
    if 0.8 < float(values.median()) < 1.25 and float((values - 1).abs().median()) < TYPICAL:
        return "Are these gross returns, 1 + r? Subtract 1."
    if _is_level(values.to_numpy()):
        return "Are these prices? Make the market with Market.from_prices."
    if size > 20:
        return (
            "Are these basis points? Divide by 10000. Are they changes of spreads or yields? Pass "
            "kind='change'."
        )
    decimals = "" if what.startswith("Factors") else "; if they are decimals, unit='decimal'"
    prices = "Are they prices? Make the market with Market.from_prices."
    changes = "Are they changes of spreads or yields? Pass kind='change'."
    return f"{_percent(what)}{decimals}. {prices} {changes}"


def _check_losses(returns: pd.DataFrame, what: str) -> None:
    values = returns.to_numpy()
    seen = ~np.isnan(values)
    last = len(values) - 1 - seen[::-1].argmax(axis=0)
    rows = np.arange(len(values))[:, None]
    wrong = (values < -1.0) | ((values == -1.0) & (rows < last[None, :]))
    if not wrong.any():
        return
    row, column = np.argwhere(wrong)[0]
    if not (values < -1.0).any():
        raise DataError(
            f"{what}: {returns.columns[column]} is -1 on {returns.index[row]:%Y-%m-%d} (-100%), and has "
            f"returns after it. If it was delisted then, make those missing. {_percent(what)}."
        )
    raise DataError(
        f"{what}: {returns.columns[column]} is {values[row, column]:g} on {returns.index[row]:%Y-%m-%d}; "
        "a simple return is finite and above -1 (-100%), or -1 where a share became worthless and no return "
        f"follows. {_percent(what)}."
    )


def check_against_benchmarks(
    names: tuple[str, ...],
    returns: FloatArray,
    benchmark_names: list[str],
    benchmarks: list[FloatArray],
    of: np.ndarray,
    days: float,
) -> None:
    """Compare each security with its benchmark: a slope near 100 or 0.01 is a unit, not a beta.

    Raises
    ------
    DataError
        If a benchmark moves as no index does or not at all, or a security moves with it and much more or
        less.

    Warns
    -----
    DataWarning
        If a security moves a hundred times as much, and not with it.
    """
    if not benchmarks:
        return
    for name, values in zip(benchmark_names, benchmarks, strict=True):
        known = values[np.isfinite(values)]
        if len(known) > 1 and not known.any():
            raise DataError(
                f"Benchmark {name!r} does not move: each of its {len(known)} returns is zero. Name an index "
                "that trades; or leave benchmark= out, for models such as ConstantMean() that need none."
            )
    index = _spread(np.array(benchmarks))
    wild = np.flatnonzero(index > INDEX_SD * max(days / 1.5, 1.0) ** 0.5)
    if len(wild) and (np.array(benchmarks)[wild[0]] < -1).any() is np.False_:
        k = int(wild[0])
        raise DataError(
            f"Benchmark {benchmark_names[k]!r} moves by {index[k]:.2g} on an ordinary day; indices move by "
            f"about 0.01. Are "
            "its returns and those of the securities percent? Pass unit='percent'; if they are decimals, "
            "unit='decimal'."
        )
    own = _spread(returns)
    # Of a share that often stands still the moves tell: with zeros on half its days its median is none.
    still = (returns == 0).sum(axis=1) > STILL * np.isfinite(returns).sum(axis=1)
    own[still] = _spread(np.where(returns[still] == 0, np.nan, returns[still]))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = own / np.where((of >= 0) & (index[of] > 0), index[of], np.nan)
    for i in np.flatnonzero((ratio > APART) | (ratio < 1 / APART)).tolist():
        x, y = np.array(benchmarks[of[i]]), returns[i]
        both = np.isfinite(x) & np.isfinite(y)
        moved = both.sum() > ENOUGH and min(x[both].std(), y[both].std()) > 0
        alike = float(np.corrcoef(x[both], y[both])[0, 1]) if moved else 0.0
        if abs(alike) >= ALIKE:
            large, small = (names[i], benchmark_names[of[i]])[:: 1 if ratio[i] > 1 else -1]
            raise DataError(
                f"Returns: {names[i]} moves with its benchmark {benchmark_names[of[i]]} (correlation "
                f"{alike:.2f}) and "
                f"{ratio[i]:.2g} times as much: {large} is in percent and {small} in decimals? Divide the "
                f"former by 100."
            )
        if ratio[i] > LOOSE:
            warn(
                f"Returns: {names[i]} moves {ratio[i]:.2g} times as much as its benchmark "
                f"{benchmark_names[of[i]]}. If one "
                "of them is in percent, divide it by 100.",
                DataWarning,
            )


def no_returns(factors: pd.DataFrame) -> BoolArray:
    """Whether factors are not returns (changes of rates, sentiment): taken as they are, and added up."""
    out = np.zeros(factors.shape[1], dtype=bool)
    for k, column in enumerate(factors.columns):
        name = column[1] if isinstance(column, tuple) else column
        if factor_name(str(name)) in RETURN_FACTORS:
            continue
        values = factors.iloc[:, k].dropna()
        out[k] = bool((values <= -1).any()) or (len(values) >= ENOUGH and values.abs().median() > TYPICAL)
    return out


def _refuse_two_units(series: pd.Series, what: str) -> None:
    """Refuse a series that is in percent before a day and in decimals after it, or the other way round."""
    values = series[series.notna() & (series != 0)]
    whole = len(values) // SPELL
    if whole < 2:
        return
    sizes = np.median(np.abs(values.to_numpy()[: whole * SPELL].reshape(whole, SPELL)), axis=1)
    # The spell of the change holds both units, so the one after it is compared.
    apart = min(2, whole - 1)
    ratio = sizes[apart:] / sizes[:-apart]
    at = int(np.argmax(np.maximum(ratio, 1 / ratio)))
    if max(ratio[at], 1 / ratio[at]) > APART:
        day = values.index[(at + 1) * SPELL]
        raise DataError(
            f"{what}: {series.name} moves by {sizes[at]:.2g} on an ordinary day before {day:%Y-%m-%d}, and "
            f"soon after it by {sizes[at + apart]:.2g}. Is one part in percent and the other in decimals? "
            "Divide the larger numbers by 100."
        )


def check_factors(factors: pd.DataFrame, what: str, kind: str) -> None:
    """Refuse factors of another unit, codes for missing ones, and rates that are annual or in percent.

    Raises
    ------
    DataError
        Names the column, and a date where one is wrong.
    """
    days = step_in_days(pd.DatetimeIndex(factors.index))
    coded = factors.isin(MISSING_CODES)
    if coded.to_numpy().any():
        row, column = np.argwhere(coded.to_numpy())[0]
        raise DataError(
            f"{what}: {factors.columns[column]} is {factors.iloc[row, column]:g} on "
            f"{factors.index[row]:%Y-%m-%d}, which "
            "stands for a missing return in French's files (-99.99, before or after a division by 100). Make "
            "it missing: "
            f"frame.mask(frame.isin([{factors.iloc[row, column]:g}]))."
        )
    named = {c: factor_name(str(c)) for c in factors.columns}
    known = [c for c, name in named.items() if name in RETURN_FACTORS and name != "rf"]
    check_returns(factors[known], what, kind)
    for column in known:
        _refuse_two_units(factors[column], what)
    for column in (c for c in known if named[c] in ("mkt_rf", "mkt")):
        spread = _spread(factors[[column]].to_numpy().T)[0]
        if spread > INDEX_SD * max(days / 1.5, 1.0) ** 0.5:
            raise DataError(
                f"{what}: {column} moves by {spread:.2g} on an ordinary day; markets move by about 0.01. Are "
                f"the "
                "factors percent? Divide by 100."
            )
    for column in (c for c, name in named.items() if name == "rf"):
        rate = factors[column].dropna()
        limit = DAILY_RATE * max(days / 1.4, 1.0)
        if len(rate) and (rate.median() > limit or (rate > 3 * limit).any()):
            shown = float(rate.median()) if rate.median() > limit else float(rate.max())
            raise DataError(
                f"{what}: {column} is {shown:g} for a step of {plural(round(days), 'day')}, which is not a "
                f"rate "
                f"of that "
                "length. Is it annual? Divide by 252 sessions (or 12 months). Is it in percent? Divide by "
                "100."
            )
    others = factors.drop(columns=[c for c, name in named.items() if name in RETURN_FACTORS])
    if np.isinf(others.to_numpy()).any():
        row, column = np.argwhere(np.isinf(others.to_numpy()))[0]
        raise DataError(
            f"{what}: {others.columns[column]} is {others.to_numpy()[row, column]:g} on "
            f"{others.index[row]:%Y-%m-%d}; a "
            "factor is finite, or missing."
        )


def returns_beside_closes(returns: pd.DataFrame, close: pd.DataFrame) -> tuple[pd.DataFrame, str, str]:
    """Find the unit of returns that come beside closes: decimals, percent or logs.

    Returns
    -------
    returns : DataFrame
        Simple returns, decimals.
    unit, evidence : str

    Raises
    ------
    DataError
        If they are returns of something else.
    """
    given = returns.reindex_like(close).to_numpy()
    moved = (close / close.shift() - 1.0).to_numpy()
    both = np.isfinite(given) & np.isfinite(moved)
    if both.sum() < ENOUGH:
        return returns, "", ""
    x, y = moved[both], given[both]
    size = float(np.median(np.abs(x)))
    apart = {
        "decimal": float(np.median(np.abs(y - x))),
        "percent": float(np.median(np.abs(y / 100.0 - x))),
        "log": float(np.median(np.abs(np.expm1(np.clip(y, -20, 20)) - x))),
    }
    unit = min(apart, key=apart.__getitem__)
    long = step_in_days(pd.DatetimeIndex(close.index)) > 4
    if apart[unit] > max(ANOTHER * size, PAID_LONG if long else PAID):
        day, who = np.argwhere(both)[0]
        raise DataError(
            f"Prices: returns and closes are given, and do not agree: {close.columns[who]} has a return of "
            f"{given[day, who]:+.4g} on {close.index[day]:%Y-%m-%d} and a close that moved by "
            f"{moved[day, who]:+.4g}. Leave "
            "one of the columns out: columns={name: 'ignore'}."
        )
    evidence = "as closes move"
    if unit == "percent":
        return returns / 100.0, unit, evidence
    if unit == "log" and apart["log"] < 0.5 * apart["decimal"]:
        return pd.DataFrame(np.expm1(returns.to_numpy()), returns.index, returns.columns), unit, evidence
    return returns, "decimal", evidence
