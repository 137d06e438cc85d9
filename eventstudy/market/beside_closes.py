"""Returns and previous closes that come beside closes: where they contradict them, security by security."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.errors import DataError
from eventstudy.market.alignment import MarketData
from eventstudy.market.data_checks import Suspects, runs
from eventstudy.market.units import step_in_days
from eventstudy.tabular.reading import Taken
from eventstudy.text import plural

__all__ = ["Beside", "beside_closes", "contradicted_closes", "said_beside"]

#: Marks of cells: the return goes against the closes; none was given, and that of the closes is taken.
AGAINST, TAKEN = 1, 2
#: What returns and closes may differ by, in logs, beside their rounding: interest accrues every day.
FLOOR = 2e-3
#: The coarsest step that returns are written in.
COARSEST = 0.01
#: A rise of the reference price from which on it may be a consolidation of shares.
CONSOLIDATION = float(np.log(1.4))
#: The share of days, and the days, on which returns may be above those of closes, as on ex-days; and below.
MOST_ABOVE, FEW_ABOVE, MOST_BELOW, FEW_BELOW = 0.25, 8, 0.1, 5
#: The same share below for bars longer than a day.
MOST_BELOW_LONG = 0.25
#: What returns and closes typically differ by at most, as a share of a typical move, and the least of that.
MOST_APART, ENOUGH, CALM, CALM_LONG = 0.5, 10, 0.005, 0.02
#: Days within which as many differences are too many for ex-days.
NEAR, CROWD = 5, 3
#: A move that a return of none, or with the opposite sign, is compared with; rounding of the latter.
MOVE, ROUNDING = 0.02, 1.1e-4
#: A return of none.
SAME = 1e-7
#: Ex-days of about the same size, the one itself among them, that may have such a return by chance.
BY_CHANCE = 0.02
#: Payouts are next to unknown where fewer than one of so many returns is on an ex-day, over as many rows as a
#: year has; the smallest split, in logs.
RARE, YEAR, SPLIT = 2500, 240, 0.18
#: Typical moves from which on a return may be the outlier, not the close; the least of a typical move.
FAR, LEAST = 4.0, 0.005
WORDS = {"return": "return", "rounded_return": "change", "reference": "reference price"}


class Beside(NamedTuple):
    """What comes beside closes, compared with them.

    Attributes
    ----------
    given : array, shape (T, S), optional
        Given returns, with those of closes where none is given.
    marks : array of int8, shape (T, S), optional
        What stands out; 0 for what does not.
    """

    given: FloatArray | None
    marks: npt.NDArray[np.int8] | None


class Said(NamedTuple):
    """Which field says of returns what closes say too, "" for none; rounded returns themselves."""

    field: str
    rounded: FloatArray | None


class _Compared(NamedTuple):
    """Log returns given and of closes, and what they differ by beyond rounding; all of shape (T, S)."""

    given: FloatArray
    moved: FloatArray
    apart: FloatArray
    above: BoolArray
    below: BoolArray


def said_beside(fields: Mapping[str, pd.DataFrame]) -> Said:
    """Return the field beside closes that returns follow, before changes become reference prices."""
    if "return" in fields:
        return Said("return", None)
    better = ("adj_close", "reference", "previous_close")
    found = next((name for name in better if name in fields), "rounded_return")
    if found == "adj_close" or found not in fields:
        return Said("", None)
    return Said(found, fields[found].to_numpy() if found == "rounded_return" else None)


def beside_closes(
    fields: Mapping[str, pd.DataFrame],
    given: FloatArray | None,
    reference: FloatArray | None,
    said: Said,
    reading: Iterable[Taken],
) -> Beside:
    """Compare returns, changes or previous closes with closes, and fill returns that are missing.

    Parameters
    ----------
    fields : dict of str to DataFrame
    given : array, shape (T, S), optional
        Simple returns.
    reference : array, shape (T, S), optional
        Prices that returns are taken over.
    said : Said
        What they come from; see `said_beside`.
    reading : iterable of Taken
        What the columns of the table were taken for.

    Raises
    ------
    DataError
        If those of a security are of something else than its closes.
    """
    close = fields.get("close", fields.get("adj_close"))
    if close is None or not said.field:
        return Beside(given, None)
    base = fields.get("adj_close", close)
    moved = (base / base.ffill().shift() - 1.0).to_numpy()
    own = said.rounded if given is None else given
    if own is None:
        own = close.to_numpy() / np.nan if reference is None else close.to_numpy() / reference - 1.0
    if given is None:
        own = np.where(np.isnan(own), moved, own)
    names = {one.taken_for: one.column for one in reading}
    marks = np.zeros(close.shape, dtype=np.int8)
    compared = _compare(own, [close] if base is close or given is None else [close, base])
    if (compared.above | compared.below).any():
        column = names.get("return" if said.field == "rounded_return" else said.field, "")
        if "delisting_return" in names:
            _leave_last(compared, own)
        _refuse(compared, close, fields, said.field, column)
        marks[_against(compared, close)] = AGAINST
    if given is not None:
        lacking = np.isnan(given) & ~np.isnan(moved)
        marks[lacking] = TAKEN
        given = np.where(lacking, moved, given)
    return Beside(given, marks if marks.any() else None)


def contradicted_closes(data: MarketData) -> tuple[Suspects, ...]:
    """Find returns that go against the closes they come beside, and those taken of closes."""
    return tuple(_suspects(data))


def _suspects(data: MarketData) -> Iterator[Suspects]:
    close = data.fields.get("close", data.fields.get("adj_close"))
    if data.beside is None or close is None:
        return
    moved = (close / close.ffill().shift() - 1.0).to_numpy()
    returns = np.expm1(data.returns) if data.kind == "log" else data.returns
    column, row = np.nonzero(data.beside.T == AGAINST)

    def told(i: int) -> str:
        return f"{returns[column[i], row[i]]:+.2%} where the close moved by {moved[row[i], column[i]]:+.2%}"

    if len(column):
        yield Suspects("return against close", column, row, row, data.sessions.to_numpy()[row], told)
    who, first, length = runs(data.beside.T == TAKEN)
    last = first + length - 1
    if len(who):

        def filled(i: int) -> str:
            if length[i] == 1:
                return f"none is given; the {moved[first[i], who[i]]:+.2%} of the close is taken"
            return f"none is given on {plural(int(length[i]), 'session')}; closes are taken"

        yield Suspects("missing return", who, first, last, data.sessions.to_numpy()[first], filled)


def _compare(own: FloatArray, prices: list[pd.DataFrame]) -> _Compared:
    with np.errstate(divide="ignore", invalid="ignore"):
        given = np.log1p(own)
        apart = moved = tolerance = np.full(own.shape, np.nan)
        for frame in prices:  # of closes and adjusted ones, the nearer decides
            now, last = frame.to_numpy(), frame.ffill().shift().to_numpy()
            step = np.log(now / last)
            nearer = ~(np.abs(given - step) >= np.abs(apart))
            apart, moved = np.where(nearer, given - step, apart), np.where(nearer, step, moved)
            tolerance = np.where(nearer, _resolution(now) * (1 / now + 1 / last), tolerance)
        written = float(_resolution(own.reshape(-1, 1))[0])
        tolerance = FLOOR + tolerance + (written / 2 if written <= COARSEST else 0.0)
        known = np.isfinite(apart) & np.isfinite(tolerance)
        apart = np.where(known, apart, np.nan)
        above, below = apart > tolerance, apart < -tolerance
        below &= ~((apart < -CONSOLIDATION) & (np.abs(given) < np.abs(moved)))
    return _Compared(given, moved, apart, above, below)


def _resolution(values: FloatArray) -> FloatArray:
    """Step in which each column is written: a power of ten, 0 where it is none."""
    out = np.zeros(values.shape[1])
    open_ = np.ones(values.shape[1], dtype=bool)
    for digits in range(5):
        part = values[:, open_] * 10.0**digits
        whole = ~(np.abs(part - np.round(part)) > 1e-9 + 1e-6 * np.abs(part)).any(axis=0)
        at = np.flatnonzero(open_)[whole]
        out[at], open_[at] = 10.0**-digits, False
        if not open_.any():
            break
    return out


def _leave_last(compared: _Compared, own: FloatArray) -> None:
    """Leave the last return of each security out, which holds that of its delisting."""
    seen = np.isfinite(own)
    last = len(own) - 1 - seen[::-1].argmax(axis=0)
    columns = np.arange(own.shape[1])
    for part in (compared.above, compared.below):
        part[last, columns] = False


def _sizes(moved: FloatArray, known: BoolArray, least: float) -> FloatArray:
    """Typical size of the moves of each security."""
    size = pd.DataFrame(np.where(known, np.abs(moved), np.nan)).median().fillna(0.0).to_numpy()
    return np.asarray(np.maximum(size, least), dtype=float)


def _refuse(
    compared: _Compared, close: pd.DataFrame, fields: Mapping[str, pd.DataFrame], source: str, column: str
) -> None:
    known = np.isfinite(compared.apart)
    n, above, below = known.sum(axis=0), compared.above.sum(axis=0), compared.below.sum(axis=0)
    long = step_in_days(pd.DatetimeIndex(close.index)) > 4
    size = _sizes(compared.moved, known, CALM_LONG if long else CALM)
    with np.errstate(invalid="ignore"):
        beyond = np.where(compared.above | compared.below, np.abs(compared.apart), 0.0)
        share = np.minimum(beyond, 3 * size).sum(axis=0) / np.maximum(n, 1)
        moves = np.where(known, np.minimum(np.abs(compared.moved), 3 * size), 0.0).sum(axis=0)
    wrong = (below >= FEW_BELOW) & (below > (MOST_BELOW_LONG if long else MOST_BELOW) * n)
    wrong |= (above >= FEW_ABOVE) & (above > MOST_ABOVE * n) & (not long)
    wrong |= (n >= ENOUGH) & (share > MOST_APART * np.maximum(moves / np.maximum(n, 1), size))
    if not wrong.any():
        return
    who = int(np.argmax(wrong))
    odd = compared.above[:, who] | compared.below[:, who]
    day = int(np.argmax(odd))
    what = WORDS.get(source, "previous close")
    given, moved = np.exp(compared.given[day, who]), np.exp(compared.moved[day, who])
    if source in ("previous_close", "reference"):
        price = close.iloc[day, who]
        told = f"the {what} is {price / given:g} and the last close {price / moved:g}"
    else:
        told = f"the {what} is {given - 1:+.2%} and the close moved by {moved - 1:+.2%}"
    others = f", and so do those of {plural(int(wrong.sum()) - 1, 'other')}" if wrong.sum() > 1 else ""
    raise DataError(
        f"Prices: the {what}s of {close.columns[who]} go against its closes on {int(odd.sum())} of "
        f"{plural(int(n[who]), 'day')}{others}: on {close.index[day]:%Y-%m-%d} {told}."
        f"{_cause(compared, who, close, fields, source)} Mend one of the two, or leave it out: "
        f"columns={{{column or 'name'!r}: 'ignore'}}."
    )


def _cause(
    compared: _Compared, who: int, close: pd.DataFrame, fields: Mapping[str, pd.DataFrame], source: str
) -> str:
    """Say what the numbers of a security are, where that shows."""
    given, moved = np.expm1(compared.given[:, who]), np.expm1(compared.moved[:, who])
    known = np.isfinite(compared.apart[:, who]) & (moved != 0)

    def alike(values: FloatArray) -> bool:
        both = known & np.isfinite(values)
        same = np.abs(given - values)[both] <= ROUNDING + 0.02 * np.abs(values[both])
        return bool(both.sum() >= FEW_BELOW and same.mean() > 0.8)

    price = close.iloc[:, who]
    if source in ("previous_close", "reference"):
        steps = {
            "the next close, as shift(1) makes of rows from new to old": price.shift(-1),
            "the close of two sessions before": price.ffill().shift(2),
            "the close of the same day": price,
        }
        if "open" in fields:
            steps["the open of the same day"] = fields["open"].iloc[:, who]
        for words, over in steps.items():
            if alike((price / over - 1.0).to_numpy()):
                return f" It is {words}."
    if alike(-moved):
        return " They have the opposite sign."
    if not (given[known] < 0).any() and alike(np.abs(moved)):
        return " None is negative: their signs were lost."
    every = np.expm1(compared.moved[known])
    with np.errstate(invalid="ignore"):
        same = np.abs(every - given[known, None]) <= ROUNDING
    best = int(same.mean(axis=0).argmax())
    if best != who and same[:, best].mean() > 0.8:
        return f" They are those of {close.columns[best]}."
    return " Are they those of another security, or day?"


def _against(compared: _Compared, close: pd.DataFrame) -> BoolArray:
    """Find single returns that no ex-day explains."""
    given, moved, above = compared.given, compared.moved, compared.above
    simple = np.expm1(given)
    differ = above | compared.below
    with np.errstate(invalid="ignore"):
        far = above & (np.abs(moved) > MOVE)
        shrunk = np.expm1(moved) / 100.0
        mirror = np.minimum(np.abs(simple + np.expm1(moved)), np.abs(given + moved))
        out = compared.below | (far & (mirror < ROUNDING))
        known = np.isfinite(compared.apart)
        size = _sizes(moved, known & ~differ, LEAST)
        odd = {
            "none": (far & (np.abs(simple) < SAME), BY_CHANCE),
            "shrunk": (far & (np.abs(simple - shrunk) < ROUNDING / 2), BY_CHANCE / 4),
            # An ex-day moves the close and leaves the return as it was, not the other way round.
            "large": (above & (np.abs(given) > FAR * size), BY_CHANCE / 4),
        }
        # Where payouts are next to unknown, one smaller than a split is more likely an error.
        if above.sum() * RARE <= known.sum() and np.median(known.sum(axis=0)) >= YEAR:
            out |= far & (compared.apart > MOVE) & (compared.apart < SPLIT)
    # Of as many ex-days of that size as there are, how many have such a return by chance?
    payouts, every = np.sort(compared.apart[above]), np.sort(simple[known])
    for kind, (which, most) in odd.items():
        rows, columns = np.nonzero(which)
        apart, value = compared.apart[rows, columns], simple[rows, columns]
        alike = np.searchsorted(payouts, 2 * apart) - np.searchsorted(payouts, apart / 2)
        if kind == "large":
            within = _share(every, -np.abs(value), np.abs(value))
            chance = 1.0 - within + 1.0 / max(len(every), 1)
            # News may fall on an ex-day, and then both are large; a split explains itself.
            both = np.abs(given[rows, columns]) <= 2 * np.abs(moved[rows, columns])
            chance[both & ((alike > 1) | (apart >= SPLIT))] = 1.0
        else:
            near = SAME if kind == "none" else np.abs(value - shrunk[rows, columns]) + SAME
            chance = _share(every, value - near, value + near)
        keep = alike * chance < most
        out[rows[keep], columns[keep]] = True
    if step_in_days(pd.DatetimeIndex(close.index)) <= 4:
        padded = np.pad(np.cumsum(differ, axis=0), ((NEAR, NEAR), (0, 0)), mode="edge")
        padded[:NEAR] = 0
        for shift in range(NEAR):
            end = NEAR + shift + np.arange(len(differ))
            out |= differ & (padded[end] - padded[end - NEAR] >= CROWD)
    return np.asarray(out, dtype=bool)


def _share(every: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Share of sorted values between two bounds."""
    n = np.searchsorted(every, high, side="right") - np.searchsorted(every, low, side="left")
    return np.asarray(n / max(len(every), 1), dtype=float)
