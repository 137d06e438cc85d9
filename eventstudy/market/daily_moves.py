"""What daily returns say of their table: days that are one off, prices that were interpolated, lost signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.errors import DataWarning, warn
from eventstudy.text import plural

__all__ = [
    "warn_of_another_day",
    "warn_of_backward_returns",
    "warn_of_odd_moves",
    "warn_of_shifted_weeks",
]

#: The share of all days that a weekday of trading has, at least.
SOME = 0.1
#: A correlation with the benchmark of another session that says something, and how many standard errors it
#: is from none.
ALIKE, SURE = 0.3, 6.0
#: The share of it that the correlation of one session has at most.
APART = 0.25
#: Securities that are looked at, evenly spaced.
MOST = 300
#: Prices lie on a line if their steps differ by this share at most, and the shares of all days on which those
#: of a series that was interpolated do; one line alone is a trend.
LINE, LINES = 1e-3, (0.4, 0.98)
#: Returns from which on chance does not explain that none is negative, and their typical size.
ENOUGH, MOVES = 60, 5e-4
#: Returns are cut at so many times their median size.
CUT = 5.0


def warn_of_shifted_weeks(index: pd.DatetimeIndex) -> None:
    """Warn of days that run from Sunday to Thursday or from Tuesday to Saturday, a day before or after."""
    if len(index) < 10:
        return
    share = np.bincount(index.day_of_week, minlength=7) / len(index)
    some, none = share > SOME, share == 0
    shown = f"such as {index[0]:%A} {index[0]:%Y-%m-%d}"
    if some[[6, 0, 1, 2, 3]].all() and none[[4, 5]].all():
        warn(
            f"The days run from Sunday to Thursday, {shown}: each may be "
            "the day before, as where midnights of UTC were moved to American time; drop the zone instead: "
            "index.tz_localize(None). If the exchange opens on Sundays, pass its calendar, such as 'XSAU'.",
            DataWarning,
        )
    if some[1:6].all() and none[[6, 0]].all():
        warn(
            f"The days run from Tuesday to Saturday, {shown}: each may be the day after, as where closes of "
            "New York bear the date in Asia; give them the date of the exchange: "
            "index - pd.Timedelta(days=1), or, of stamps with a zone, "
            "index.tz_convert('America/New_York').normalize().",
            DataWarning,
        )


def warn_of_another_day(
    names: Sequence[str],
    returns: FloatArray,
    benchmark_names: Sequence[str],
    benchmarks: Sequence[FloatArray],
    of: IntArray,
) -> None:
    """Warn of securities that move with their benchmark of another session, and not with that of the same.

    Parameters
    ----------
    names : sequence of str, length S
    returns : array, shape (S, T)
    benchmark_names : sequence of str
    benchmarks : sequence of arrays, shape (T,) each
    of : array of int, shape (S,)
        Benchmark of each security, -1 where it has none.
    """
    for k, (name, benchmark) in enumerate(zip(benchmark_names, benchmarks, strict=True)):
        rows = np.flatnonzero(of == k)
        rows = rows[:: -(-len(rows) // MOST)] if len(rows) else rows
        if not len(rows) or benchmark.shape[0] < 3:
            continue
        own, market = _cut(returns[rows]), _cut(benchmark[None, :])[0]
        same, _ = _correlation(own, market)
        for word, y, x in (
            ("before", own[:, 1:], market[:-1]),
            ("after", own[:, :-1], market[1:]),
        ):
            other, n = _correlation(y, x)
            with np.errstate(invalid="ignore"):
                off = (other >= ALIKE) & (other * np.sqrt(n) >= SURE) & (np.abs(same) < APART * other)
            if off.any():
                at = int(np.argmax(off))
                who = _and_others(names[rows[at]], int(off.sum()))
                warn(
                    f"{who} moves with its benchmark {name} of the session {word} (correlation "
                    f"{other[at]:.2f}), and not with that of the same ({same[at]:.2f}). Are the dates of one "
                    "of them a day off? If their exchanges close at different hours, see known_at_open.",
                    DataWarning,
                )


def warn_of_odd_moves(
    names: Sequence[str],
    returns: FloatArray,
    benchmark_names: Sequence[str],
    benchmarks: Sequence[FloatArray],
    kind: str,
    of_prices: bool,
) -> None:
    """Warn of series whose prices lie on lines for days, and of returns of which none is negative.

    Parameters
    ----------
    names : sequence of str, length S
    returns : array, shape (S, T)
    benchmark_names : sequence of str
    benchmarks : sequence of arrays, shape (T,) each
    kind : {"simple", "log"}
    of_prices : bool
        Whether the returns are those of prices, which may only rise.
    """
    every = -(-len(names) // MOST)
    series = dict(zip(names[::every], returns[::every], strict=True)) if len(names) else {}
    series |= dict(zip(benchmark_names, benchmarks, strict=True))
    unsigned: dict[str, float] = {}
    lines: dict[str, float] = {}
    for name, row in series.items():
        known = row[np.isfinite(row)]
        if len(known) < ENOUGH:
            continue
        if not of_prices and known.min() >= 0 and np.median(known) > MOVES:
            unsigned[name] = float(np.median(known))
        if known.min() >= 0 and np.median(known) <= MOVES:
            continue  # interest that accrues, as of a money-market fund
        simple = np.expm1(row) if kind == "log" else row
        before, after = simple[:-1], simple[1:]
        with np.errstate(invalid="ignore"):
            # Equal steps of a price: r[t + 1] (1 + r[t]) = r[t].
            line = (before != 0) & (np.abs(after * (1 + before) - before) <= LINE * np.abs(before))
        share = float(line.sum() / max(int(np.isfinite(before + after).sum()), 1))
        if LINES[0] < share < LINES[1]:
            lines[name] = share
    if unsigned:
        name, size = next(iter(unsigned.items()))
        warn(
            f"No return of {_and_others(name, len(unsigned))} is negative, and of {name} they are {size:.2g} "
            "on an ordinary day. Are they absolute or squared returns, or a volatility? A study needs their "
            "signs.",
            DataWarning,
        )
    if lines:
        name, share = next(iter(lines.items()))
        warn(
            f"{_and_others(name, len(lines))} goes on by equal steps, {name} on {share:.0%} of its days, as "
            "a series of weeks or months does that was interpolated to days: such returns are made up. Give "
            "daily data, or make the market of weeks or months.",
            DataWarning,
        )


def _and_others(name: str, count: int) -> str:
    return name + (f", as {plural(count - 1, 'other')}," if count > 1 else "")


def warn_of_backward_returns(returns: pd.DataFrame) -> None:
    """Warn of returns of which the first row is known and the last is not, as of prices from new to old."""
    if len(returns) < 3 or not (returns.iloc[-1].isna().all() and returns.iloc[0].notna().all()):
        return
    if returns.iloc[-2].isna().all():
        return  # they end earlier, as where a share was delisted
    first, last = returns.index[0], returns.index[-1]
    warn(
        f"Returns: none is known on the last day, {last:%Y-%m-%d}, and each on the first, {first:%Y-%m-%d}. "
        "pct_change() of prices that run from new to old makes the return of the next day, with the wrong "
        "sign; shift(-1) moves it to the day before. Sort prices by date first: prices.sort_index()"
        ".pct_change(). If the last day is not known yet, drop its row.",
        DataWarning,
    )


def _cut(values: FloatArray) -> FloatArray:
    """Cut large returns, of which one would decide a correlation."""
    size = np.full((len(values), 1), np.nan)
    for i, row in enumerate(values):
        known = np.abs(row[np.isfinite(row)])
        if len(known):
            size[i] = CUT * np.median(known)
    size[size == 0] = np.inf
    return np.clip(values, -size, size)


def _correlation(y: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlation of each row of y with x, and from how many pairs."""
    known = np.isfinite(y) & np.isfinite(x)
    n = known.sum(axis=1).astype(float)
    y, x = np.where(known, y, 0.0), np.where(np.isfinite(x), x, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = known @ x / n, y.sum(axis=1) / n
        across = y @ x / n - mean_x * mean_y
        of_x, of_y = known @ x**2 / n - mean_x**2, (y**2).sum(axis=1) / n - mean_y**2
        return np.nan_to_num(across / np.sqrt(of_x * of_y)), n
