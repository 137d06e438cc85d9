"""Which of the tests of a design leads: what held its size, and finds what is large, in a size table.

The table is ``lead_sizes.csv``, made by ``benchmarks/lead_table.py``: size and power by number of events and
by how their dates lie, in the worst of several worlds.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.mean_correlation import Clustering
from eventstudy.inference.filtered_quantile import FilteredDates, filtered_dates
from eventstudy.inference.registry import TESTS
from eventstudy.inference.selection import date_groups, n_windows, overlap_note
from eventstudy.inference.time_of_day import ENOUGH_DAYS, same_times

__all__ = [
    "DROPPED",
    "FINDS",
    "HELD",
    "LEADS",
    "lead_sizes",
    "order_of",
    "reaches",
    "spread_of_dates",
    "table",
]

#: Largest size of a test that holds; in a volatile year, of the lower end of its 95% interval.
HELD = 0.07
#: Tests that may lead: others take the volatility of the estimation window for that of the day.
LEADS = ("t", "sq", "bmp", "adjusted_bmp", "filtered_sq")
UPDATED = "filtered_sq"
VARIANCE = "event-induced variance"
#: A test that rejects more than this of true nulls in some world is not recommended.
DROPPED = 0.10
#: Power against a CAR of 10% of a test that finds what is large.
FINDS = 0.80
#: A test earlier in the list leads unless another finds so much more of a CAR of 2% in some world.
CLOSE = 0.05
#: Share of the events on one date from which on the others are firms that reacted late.
MOSTLY = 0.8
ALPHA = 0.05


@cache
def table() -> pd.DataFrame:
    """Read the table: dates, events, test, size, low, doubled, volatile_low, power_10, power_2 by world."""
    text = resources.files(__package__).joinpath("lead_sizes.csv").read_text(encoding="utf-8")
    return pd.read_csv(io.StringIO(text))


def spread_of_dates(data: TestInput, found: Clustering, *, independent: bool) -> str:
    """Name how the dates of a design lie, in the words of the table."""
    if found.n_events == 1 or independent:
        return "own"
    if found.n_dates == 1:
        return "one"
    largest = int(np.bincount(date_groups(data)).max())
    if largest >= MOSTLY * found.n_events:
        return "late"
    return "overlap" if overlap_note(data) else "three"


class Sizes(NamedTuple):
    """Size of a test, its size if the variance of the day doubles, and power against CARs of 10 and 2%.

    `volatile_low` is the lower end of the 95% interval of its size in a volatile year; the power against 2%
    has a value for each world of the table.
    """

    size: float
    doubled: float
    volatile_low: float
    power_10: float
    power_2: tuple[float, ...]


@lru_cache(maxsize=256)
def lead_sizes(dates: str, n_events: int) -> dict[str, Sizes]:
    """Sizes and powers of the tests of a design, by test: of the two nearest numbers of events the worse.

    Examples
    --------
    >>> lead_sizes("own", 2)["grank_t"].size > 0.2
    True
    """
    rows = table()[table()["dates"] == dates]
    known = np.unique(rows["events"])
    below, above = known[known <= n_events], known[known >= n_events]
    near = {int(part) for part in (*below[-1:], *above[:1])}
    by_test = rows[rows["events"].isin(near)].groupby("test")
    small = [name for name in rows if str(name).startswith("power_2_")]
    worse = dict.fromkeys(("size", "doubled", "volatile_low"), "max")
    worst = by_test.agg(worse | dict.fromkeys(("power_10", *small), "min"))
    found = {}
    for key, *values in worst.itertuples():
        size, doubled, volatile_low, power_10, *power_2 = map(float, values)
        found[str(key)] = Sizes(size, doubled, volatile_low, power_10, tuple(power_2))
    return found


def reaches(key: str, data: TestInput) -> bool:
    """Whether a two-sided p-value of a test by ranks or signs can be 5% or less."""
    if key == "sign":
        return bool(2.0 ** (1 - data.n_events) <= ALPHA)
    if key == "wild_bootstrap":
        return bool(2.0 ** (1 - n_windows(data)) <= ALPHA)
    if key == "time_of_day_rank":
        return len(same_times(data.with_variance)) >= ENOUGH_DAYS
    if key in ("sq", "conformal"):
        fit = data.with_car.abnormal
        length = max(int(fit.span[0, data.cols].sum()), 1)
        return bool(1.0 / (int(fit.n_obs[0]) // length + 1) <= ALPHA)
    if key == "filtered_sq":
        found = filtered_dates(data.with_variance)
        return isinstance(found, FilteredDates) and _least(found) <= ALPHA
    return True


def _least(found: FilteredDates) -> float:
    """Smallest two-sided p-value of the filtered sample quantile."""
    blocks = np.array([len(pool) for pool in found.pools])
    if len(blocks) == 1:
        return float(1.0 / (blocks[0] + 1))
    weight = found.weight * found.scale
    largest = weight @ -special.ndtri(0.5 / (blocks + 1)) / np.sqrt(weight @ found.correlation @ weight)
    return float(2.0 * special.ndtr(-largest))


def order_of(keys: Sequence[str], sizes: Mapping[str, Sizes]) -> tuple[list[str], dict[str, str]]:
    """Order the tests of a design: the lead, then one that survives what the lead does not.

    Parameters
    ----------
    keys : sequence of str
        Tests in order of preference.
    sizes : mapping of str to Sizes
        As of `lead_sizes`.

    Returns
    -------
    keys : list of str
        Without those that reject too often in the table.
    told : dict of str
        What the table says of the lead and the test beside it.

    Notes
    -----
    The lead is the first of `LEADS` that holds its size, in a volatile year too, and finds a CAR of 10%,
    unless another that does finds five points more of one of 2% in some world; where each lags behind
    another somewhere, the one that lags least; where none holds, the one that rejects least. Beside it
    stands, where a more volatile event deceives it, the first test that claims not to be deceived; else the
    one that updates its volatility.
    """
    kept = [key for key in keys if key not in sizes or sizes[key].size <= DROPPED]
    finding = [key for key in keys if key in LEADS and key in sizes and sizes[key].power_10 >= FINDS]
    if not finding:
        return kept, {}
    held = [key for key in finding if sizes[key].size <= HELD and not sizes[key].volatile_low > HELD]
    if held:
        best = np.max([sizes[key].power_2 for key in held], axis=0)
        lag = {key: float(np.max(best - sizes[key].power_2)) for key in held}
        lead = next((key for key in held if lag[key] <= CLOSE), min(held, key=lambda key: lag[key]))
    else:
        lead = min(finding, key=lambda key: sizes[key].size)
    told = {lead: _told(sizes[lead], held=bool(held))}
    others = [key for key in keys if key in LEADS and key in sizes and key != lead]
    beside, why = None, "a more volatile event does not deceive it"
    if VARIANCE not in TESTS[lead].robust_to:
        beside = next((key for key in others if VARIANCE in TESTS[key].robust_to), None)
    if beside is None and UPDATED in others:
        beside, why = UPDATED, "it uses the volatility before the event"
    first = [lead] if beside is None else [lead, beside]
    if beside is not None:
        told[beside] = f"stands beside the lead because {why}; {_told(sizes[beside])}"
    return [*first, *(key for key in kept if key not in first)], told


def _told(known: Sizes, *, held: bool = True) -> str:
    said = (
        f"rejects {known.size:.1%} of true nulls in the worst market of the size table, {known.doubled:.0%} "
        "if the variance of the day doubles"
    )
    if known.power_10 < FINDS:
        said += f", and finds a CAR of 10% in {known.power_10:.0%} of samples only"
    return said if held else f"{said}: no test holds there, this one is nearest"
