"""Which of the tests of a design leads: what held its size, and finds what is large, in a size table.

The table is ``lead_sizes.csv``, made by ``benchmarks/lead_table.py``: size and power by number of events, by
how their dates lie, and by the length of the window, in the worst of several worlds.
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
from eventstudy.inference.filtered_bmp import least_p_value
from eventstudy.inference.filtered_quantile import FilteredDates, filtered_dates
from eventstudy.inference.registry import TESTS
from eventstudy.inference.selection import date_groups, n_windows, overlap_note
from eventstudy.inference.time_of_day import ENOUGH_DAYS, same_times
from eventstudy.windows import Window

__all__ = [
    "DROPPED",
    "FINDS",
    "HELD",
    "KINDS",
    "LEADS",
    "MORE",
    "ONE",
    "THREE",
    "TWO",
    "UPDATED",
    "holds",
    "kind_of_window",
    "lead_sizes",
    "order_of",
    "reaches",
    "spread_of_dates",
    "table",
]

#: Largest size of a test that holds; in a volatile year, of the lower end of its 95% interval.
HELD = 0.07
#: Tests that may lead.
LEADS = (
    "t", "sq", "bmp", "adjusted_bmp", "filtered_t", "filtered_sq", "filtered_rank", "independence", "grank_t",
    "filtered_bmp",
)  # fmt: skip
UPDATED = ("filtered_t", "filtered_sq", "filtered_rank")
VARIANCE = "event-induced variance"
#: A test that rejects more than this of true nulls in some world, over one day or several, is not named.
DROPPED = 0.10
#: Power against a CAR of 50% of a test that finds what is large.
FINDS = 0.80
#: A test earlier in the list leads unless another finds so much more of some effect in some world.
CLOSE = 0.05
#: Kinds of windows in the table, which holds windows of one, two, three and eleven days. Sums of the ranks of
#: four days already miss large effects of one of them, so windows between go with the longest.
KINDS = ONE, TWO, THREE, MORE = "one day", "two days", "three days", "four days or more"
#: Share of the events on one date from which on the others are firms that reacted late.
MOSTLY = 0.8
ALPHA = 0.05


@cache
def table() -> pd.DataFrame:
    """Read the table: dates, events, days, test, size, doubled, volatile_low, power_50, lag."""
    text = resources.files(__package__).joinpath("lead_sizes.csv").read_text(encoding="utf-8")
    return pd.read_csv(io.StringIO(text))


def kind_of_window(window: Window) -> str:
    """Name the kind of a window in the words of the table."""
    return KINDS[min(len(window), len(KINDS)) - 1]


def spread_of_dates(data: TestInput, found: Clustering, *, independent: bool) -> str:
    """Name how the dates of a design lie, in the words of the table."""
    if found.n_dates == 1 and found.n_events > 1:
        return "one"
    if found.n_events == 1 or independent:
        return "own"
    largest = int(np.bincount(date_groups(data)).max())
    if largest >= MOSTLY * found.n_events:
        return "late"
    return "overlap" if overlap_note(data) else "three"


class Sizes(NamedTuple):
    """What the table says of a test in the worst of its worlds.

    `size` is the share of true nulls that it rejects, `doubled` that share if the variance of the day
    doubles, `volatile_low` the lower end of its 95% interval in a volatile year, `power_50` the power against
    a CAR of 50%, `lag` the most that it finds less than another test that holds, and `most` the size of
    one day or the mean of several, whichever is larger. NaN where unknown.
    """

    size: float
    doubled: float
    volatile_low: float
    power_50: float
    lag: float
    most: float


def holds(known: Sizes) -> bool:
    """Whether a test holds its size, in a volatile year too, and finds what is large."""
    return known.size <= HELD and not known.volatile_low > HELD and known.power_50 >= FINDS


@cache
def _designs() -> dict[tuple[str, int], dict[tuple[str, str], Sizes]]:
    """Sizes of each design of the table, by test and kind of window."""
    rows = table()
    several = (rows["days"] != ONE).rename("several")
    design = ["dates", "events", "test"]
    means = rows.groupby([*design, several])["size"].mean().groupby(design).max().rename("most")
    rows = rows.join(means, on=design)
    found: dict[tuple[str, int], dict[tuple[str, str], Sizes]] = {}
    for dates, events, test, days, *values in rows[[*design, "days", *Sizes._fields]].itertuples(index=False):
        found.setdefault((dates, int(events)), {})[test, days] = Sizes(*map(float, values))
    return found


@lru_cache(maxsize=256)
def lead_sizes(dates: str, n_events: int, days: str) -> dict[str, Sizes]:
    """Look up the tests of a design, by test: of the two nearest numbers of events the worse.

    Where the table has no design of so few events, its smallest counts, and so does one date with as many.

    Parameters
    ----------
    dates : {"own", "one", "late", "three", "overlap"}
        As of `spread_of_dates`.
    n_events : int
    days : {"one day", "two days", "three days", "four days or more"}
        As of `kind_of_window`.

    Examples
    --------
    >>> lead_sizes("own", 2, "one day")["grank_t"].size > 0.2
    True
    """
    designs = _designs()
    known = [number for each, number in designs if each == dates]
    near = {max((e for e in known if e <= n_events), default=0)}
    near |= {min((e for e in known if e >= n_events), default=0)}
    parts = [designs[dates, number] for number in near if number]
    if not any(number <= n_events for number in known):
        fewer = [number for each, number in designs if each == "one" and number <= n_events]
        parts += [designs["one", max(fewer)]] if fewer else []
    worst: dict[str, Sizes] = {}
    for test in sorted({test for part in parts for test, kind in part if kind == days}):
        sizes = [part[test, days] for part in parts if (test, days) in part]
        least = min((each.power_50 for each in sizes if each.power_50 == each.power_50), default=np.nan)
        most = [each.most for part in parts for (name, _), each in part.items() if name == test]
        largest = (float(np.fmax.reduce(values)) for values in zip(*sizes, strict=True))
        worst[test] = Sizes(*largest)._replace(power_50=least, most=float(np.fmax.reduce(most)))
    return worst


def reaches(key: str, data: TestInput) -> bool:
    """Whether the two-sided p-value of a test can be 5% or less on this design."""
    if key == "filtered_bmp":
        return least_p_value(data.with_variance) <= ALPHA
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
    The lead is the first of `LEADS` that holds its size, in a volatile year too, and finds a CAR of 50%,
    unless another that does finds five points more of some effect in some world; where each lags behind
    another somewhere, the one that lags least, in whole points; where none holds, the one that rejects
    least. Beside it stands, where a more volatile event deceives it, the first test that is not deceived and
    holds, or the first of these if none holds; else one that updates its volatility.
    """
    kept = [key for key in keys if key not in sizes or sizes[key].most <= DROPPED]
    finding = [key for key in keys if key in LEADS and key in sizes and sizes[key].power_50 >= FINDS]
    if not finding:
        return kept, {}
    held = [key for key in finding if holds(sizes[key])]
    if held:
        # A fraction of a point is the noise of the table, and does not decide.
        points = {key: round(sizes[key].lag, 2) for key in held}
        lead = next((key for key in held if points[key] <= CLOSE), min(held, key=points.__getitem__))
    else:
        lead = min(finding, key=lambda key: sizes[key].size)
    told = {lead: _told(sizes[lead], held=bool(held))}
    others = [key for key in kept if key in LEADS and key in sizes and key != lead]
    beside, why = None, "a more volatile event does not deceive it"
    if VARIANCE not in TESTS[lead].robust_to:
        survive = [key for key in others if VARIANCE in TESTS[key].robust_to]
        beside = next((key for key in survive if holds(sizes[key])), next(iter(survive), None))
    if beside is None:
        beside = next((key for key in others if key in UPDATED), None)
        why = "it uses the volatility before the event"
    first = [lead] if beside is None else [lead, beside]
    if beside is not None:
        told[beside] = f"stands beside the lead because {why}; {_told(sizes[beside])}"
    return [*first, *(key for key in kept if key not in first)], told


def _told(known: Sizes, *, held: bool = True) -> str:
    said = (
        f"rejects {known.size:.1%} of true nulls in the worst market of the size table, {known.doubled:.0%} "
        "if the variance of the day doubles"
    )
    if known.power_50 < FINDS:
        said += f", and finds a CAR of 50% in {known.power_50:.0%} of samples only"
    return said if held else f"{said}: no test holds there, this one is nearest"
