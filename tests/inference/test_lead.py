"""The rule of the lead and the size table agree, and the table is what its script makes."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.inference import TESTS, recommend
from eventstudy.inference.procedures import lead
from eventstudy.inference.procedures.lead import lead_sizes, order_of, reaches

ROOT = Path(__file__).parents[2]
SUMMARY = lead.table()
POWER, SIZES = (pd.read_csv(ROOT / "docs" / "data" / f"lead_{name}.csv") for name in ("power", "table"))
CELLS = sorted(set(POWER[["dates", "events", "window"]].itertuples(index=False, name=None)))
DESIGNS = [
    (dates, n)
    for dates, rows in SUMMARY.groupby("dates", sort=False)
    for n in sorted({*rows["events"], *(rows["events"] + 1)})
]
KINDS = [(dates, n, days) for dates, n in DESIGNS for days in lead.KINDS]
PAGE = (ROOT / "docs" / "explanation" / "which_test_when.md").read_text(encoding="utf-8")
#: Cells where every test that holds finds more than five points less than another that does, as the page has
#: them: of the lead, the most points, the effect and the other test.
LISTED = {
    (dates, int(n), window): (first, int(points), int(effect), test)
    for dates, n, window, first, points, effect, test in re.findall(
        r"^\| (\w+) \| (\d+) \| (\(.+\)) \| `(\w+)` \| (\d+) \| (\d+)% \| `(\w+)` \|$", PAGE, re.MULTILINE
    )
}


def load():
    pytest.importorskip("pyarrow", reason="the panels of the markets are parquet files")
    spec = importlib.util.spec_from_file_location("lead_table", ROOT / "benchmarks" / "lead_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["lead_table"] = module
    spec.loader.exec_module(module)
    return module


def candidates(dates, n, days):
    """Tests that may lead a design, in the order of `recommend`."""
    if n == 1:
        return ["sq", "filtered_sq", "t"]
    if dates == "own":
        return [
            "bmp",
            *["filtered_rank"] * (days != lead.MORE),
            *["filtered_t"] * (n < 5),
            "filtered_sq",
            *["independence"] * (days == lead.MORE and 4 <= n < 10),
            *["grank_t"] * (n >= 15),
        ]
    ranks = ["grank_t"] * (dates != "overlap" and n >= 15)
    first = ["filtered_bmp"] * (n >= 20)
    return [*first, "filtered_t", "adjusted_bmp", "filtered_sq", *["filtered_bmp"] * (5 <= n < 20), *ranks]


@pytest.mark.quick("late-7-one day", every=6)
@pytest.mark.parametrize(("dates", "n", "days"), KINDS)
def test_the_lead_is_what_the_table_says(dates, n, days):
    """Of the two nearest numbers of events the worse, worked out anew from the rows of the table."""
    rows = SUMMARY[(SUMMARY["dates"] == dates) & (SUMMARY["days"] == days)]
    known = sorted(rows["events"].unique())
    near = {
        max((m for m in known if m <= n), default=known[0]),
        min((m for m in known if m >= n), default=known[-1]),
    }
    keys = candidates(dates, n, days)
    worst = (
        rows[rows["events"].isin(near)]
        .groupby("test")
        .agg({"size": "max", "volatile_low": "max", "power_50": "min", "lag": "max"})
        .reindex(keys)
    )
    finding = worst[worst["power_50"] >= lead.FINDS]
    sound = finding[(finding["size"] <= lead.HELD) & ~(finding["volatile_low"] > lead.HELD)]
    order, told = order_of(keys, lead_sizes(dates, n, days))
    first = order[0]
    if len(sound):
        close = [key for key in sound.index if round(sound.at[key, "lag"], 2) <= lead.CLOSE]
        assert first == (close[0] if close else sound["lag"].round(2).idxmin())
    else:
        assert first == finding["size"].idxmin()
        assert "no test holds there" in told[first]
    if n > 1:
        beside = order[1]
        survives = {key: "event-induced variance" in TESTS[key].robust_to for key in (first, beside)}
        assert survives[beside] or beside in lead.UPDATED
        assert survives[first] != survives[beside]


def lead_of(dates, n, window):
    """Lead of a design."""
    days = lead.kind_of_window(es.Window(*map(int, window.strip("()").split(","))))
    return order_of(candidates(dates, n, days), lead_sizes(dates, n, days))[0][0]


def admissible(rows):
    """Return sizes, and the tests that hold in every world and find a fall by half.

    In 2020 they do not reject significantly more than 7% of true nulls where dates are shared, nor more than
    10%, beyond which no test is named, where they are not. Sizes are those of the lead table, of at least
    1,000 samples, where a test is in it.
    """
    place = rows[["dates", "events", "window"]].iloc[0]
    same = (SIZES[place.index] == place).all(axis=1)
    by_test = rows.groupby("test")
    size = by_test["size"].max()
    size.update(SIZES[same].groupby("test")["size"].max())
    made = load()
    volatile = made.lower_end(by_test["volatile"].max(), made.VOLATILE)
    limit = lead.DROPPED if place["dates"] == "own" else lead.HELD
    holds = (size <= lead.HELD) & (by_test["power_50"].mean() >= lead.FINDS) & ~(volatile > limit)
    return size, size.index[holds]


def lags(rows, keys):
    """Return how much less each test finds than the best, by test, effect and world, and the lower ends.

    Tests see the same samples. The interval of a difference of two shares is narrowest where the one test
    rejects all that the other does; the lower end is that of this interval, so it is never too low.
    """
    powers = [f"power_{effect}" for effect in (2, 10, 50)]
    found = rows.set_index(["test", "world"])[powers].rename_axis(columns="effect").stack().unstack("world")
    assert found.shape[1] == 4
    gaps = found.loc[keys].groupby(level=1).max() - found.loc[keys].swaplevel()
    n = rows.pivot(index="test", columns="world", values="replications").min()
    return gaps, load().lower_end(gaps.clip(lower=0.0), n)


@pytest.mark.quick(every=8)
@pytest.mark.parametrize(("dates", "n", "window"), CELLS)
def test_no_test_that_holds_finds_much_more(dates, n, window):
    """Power against 2, 10 and 50% is within five points of the best, in every world, where a test's is."""
    rows = POWER[(POWER["dates"] == dates) & (POWER["events"] == n) & (POWER["window"] == window)]
    first, (size, keys) = lead_of(dates, n, window), admissible(rows)
    assert len(keys)
    made = load()
    assert made.lower_end(size[first], made.REPLICATIONS) <= lead.HELD
    power = rows.set_index("test").loc[first, ["power_2", "power_10", "power_50"]]
    assert len(power) == 4
    assert (power.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    gaps, low = lags(rows, [*keys, *[first] * (first not in keys)])
    by_test = low.groupby(level=1).max().max(axis=1)
    if by_test[first] <= lead.CLOSE:
        assert (dates, n, window) not in LISTED
        return
    assert (by_test[keys] > lead.CLOSE).all()
    most = gaps.groupby(level=1).max().max(axis=1)
    # The two lag most in samples of different worlds or effects, so as good as independently.
    least = most[keys].min()
    variance = least * (1 - least) + most[first] * (1 - most[first])
    noise = 1.96 * np.sqrt(variance / rows["replications"].min())
    assert most[first] - least <= noise
    effect, world = gaps.xs(first, level=1).stack().idxmax()
    best = rows[rows["world"] == world].set_index("test").loc[keys, effect].idxmax()
    assert LISTED[dates, n, window] == (first, round(100 * most[first]), int(effect[6:]), best)


@pytest.mark.quick(every=5)
@pytest.mark.parametrize("days", lead.KINDS)
@pytest.mark.parametrize("dates", SUMMARY["dates"].unique())
def test_the_page_says_which_test_leads(dates, days):
    (cell,) = re.findall(rf"^\| {dates} \| {days} \| (.+) \|$", PAGE, re.MULTILINE)
    least = 1 if dates == "own" else 2
    told = []
    for test, first, last in re.findall(r"`(\w+)`(?: \((?:from )?(\d+)(?: to (\d+))?\))?", cell):
        begin = int(first or least)
        assert begin == least + len(told)
        many = not first or f"(from {first})" in cell
        told += [test] * (60 - begin if many else int(last or first) - begin + 1)
    numbers = range(least, least + len(told))
    assert told == [order_of(candidates(dates, n, days), lead_sizes(dates, n, days))[0][0] for n in numbers]
    assert numbers[-1] == 59


def test_the_page_lists_only_cells_of_the_table():
    assert set(LISTED) <= set(CELLS)
    assert len(CELLS) == 84


def test_the_power_of_every_design_is_known():
    made = load()
    found = set(POWER[["world", "dates", "events"]].itertuples(index=False, name=None))
    assert found == {(cell.world, cell.dates, cell.events) for cell in made.CELLS.values()}


def test_every_lead_in_the_table_holds_somewhere():
    """No design is left without a test that holds its size and finds what is large."""
    made, known = load(), SUMMARY.groupby("dates")["events"].agg(set)
    for dates, n, days in KINDS:
        sizes = lead_sizes(dates, n, days)
        best = min(
            sizes[key].size for key in lead.LEADS if key in sizes and sizes[key].power_50 >= lead.FINDS
        )
        # Between two numbers of events of the table the worse counts, which chance makes worse still.
        between = n not in known[dates]
        assert (made.lower_end(best, made.REPLICATIONS) if between else best) <= lead.HELD, (dates, n, days)


def test_what_rejects_too_often_is_not_recommended():
    for dates, n, days in KINDS:
        sizes = lead_sizes(dates, n, days)
        order, _ = order_of(list(sizes), sizes)
        assert all(sizes[key].most <= lead.DROPPED for key in order)
    for dates, n in DESIGNS:
        by_kind = [lead_sizes(dates, n, days) for days in lead.KINDS]
        for key, known in by_kind[-1].items():
            one, *several = (sizes[key].size for sizes in by_kind if key in sizes)
            assert known.most >= one - 1e-9
            assert known.most <= max(one, *several) + 1e-9
            assert known.most >= min(several) - 1e-9
    assert "grank_t" not in order_of(["filtered_sq", "grank_t"], lead_sizes("one", 2, lead.ONE))[0]


@pytest.mark.parametrize(("n", "can"), [(5, False), (6, True)])
def test_signs_of_five_events_cannot_reach_five_percent(n, can, panel):
    data = panel(n=n, layout="distinct").test(0, 1)
    assert reaches("sign", data) == reaches("wild_bootstrap", data) == can
    named = set(recommend(data)["test"]) & {"sign", "wild_bootstrap"}
    assert bool(named) == can


def test_few_blocks_cannot_reach_five_percent(panel):
    data = panel(n=1, seed=6)
    assert reaches("sq", data.test(0, 0))
    assert not reaches("sq", data.test(-2, 3))
    assert not reaches("filtered_sq", data.test(-2, 3))


def test_the_summary_is_that_of_the_table():
    made = load()
    table = pd.read_csv(made.TABLE)
    power = pd.read_csv(made.POWER)
    pd.testing.assert_frame_equal(made.summary(table, power), SUMMARY, check_dtype=False, atol=2e-4)
    assert {(row.dates, row.events) for row in table.itertuples()} == {
        (cell.dates, cell.events) for cell in made.CELLS.values()
    }


def test_a_replication_has_a_seed_of_its_own():
    made = load()
    cell = made.CELLS["normal-one-4"]
    assert made.rejections(cell, 3) == made.rejections(cell, 3)


def test_the_default_interval_covers_in_the_table():
    """Misses of the interval of each design, in its worst world, on one day and, on average, over several."""
    one_day = (SIZES["window"] == "(0, 0)").rename("one_day")
    size = SIZES.groupby(["dates", "events", "test", one_day, "world"])["size"].mean()
    worst = size.groupby(["dates", "events", "test"]).max()
    for dates, n in SUMMARY[["dates", "events"]].drop_duplicates().itertuples(index=False):
        independent = dates == "own" and n >= 5
        key = "t" if n == 1 else "cross_sectional" if independent else "filtered_t"
        assert worst[dates, n, key] <= 0.085, (dates, n)
