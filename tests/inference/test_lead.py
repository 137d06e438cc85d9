"""The rule of the lead and the size table agree, and the table is what its script makes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.inference import TESTS, recommend
from eventstudy.inference.procedures import lead
from eventstudy.inference.procedures.lead import lead_sizes, order_of, reaches

ROOT = Path(__file__).parents[2]
SUMMARY = lead.table()
POWER = pd.read_csv(ROOT / "docs" / "data" / "lead_power.csv")
CELLS = sorted(set(POWER[["dates", "events"]].itertuples(index=False, name=None)))
DESIGNS = [
    (dates, n)
    for dates, rows in SUMMARY.groupby("dates", sort=False)
    for n in sorted({*rows["events"], *(rows["events"] + 1)})
]
#: Where another test finds more than five points more in one world, and yet more points less in another.
ELSEWHERE = {
    ("late", 6, 2): {"filtered_sq"},
    ("late", 20, 2): {"filtered_sq"},
    ("own", 10, 2): {"generalized_sign"},
}
CANDIDATES = ["bmp", "adjusted_bmp", "filtered_sq", "grank_t", "jaffe", "portfolio", "ibragimov_muller"]


def load():
    pytest.importorskip("pyarrow", reason="the panels of the markets are parquet files")
    spec = importlib.util.spec_from_file_location("lead_table", ROOT / "benchmarks" / "lead_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["lead_table"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("dates", "n"), DESIGNS)
def test_the_lead_is_what_the_table_says(dates, n):
    """Of the two nearest numbers of events the worse, worked out anew from the rows of the table."""
    rows = SUMMARY[SUMMARY["dates"] == dates]
    known = sorted(rows["events"].unique())
    near = {
        max((m for m in known if m <= n), default=known[0]),
        min((m for m in known if m >= n), default=known[-1]),
    }
    rows = rows[rows["events"].isin(near) & rows["test"].isin(lead.LEADS)]
    worst = rows.groupby("test").agg(
        size=("size", "max"), volatile=("volatile_low", "max"), finds=("power_10", "min")
    )
    small = rows.groupby("test")[[name for name in rows if name.startswith("power_2_")]].min()
    assert small.shape[1] == 4
    finding = worst[worst["finds"] >= lead.FINDS]
    sound = finding[(finding["size"] <= lead.HELD) & ~(finding["volatile"] > lead.HELD)]
    keys = ["t", "sq", *CANDIDATES] if n == 1 else CANDIDATES
    order, told = order_of(
        [key for key in keys if key in set(rows["test"]) or key not in lead.LEADS], lead_sizes(dates, n)
    )
    first = order[0]
    assert first in finding.index
    if len(sound):
        assert first in sound.index
        lag = (small.loc[sound.index].max() - small.loc[sound.index]).max(axis=1)
        close = [key for key in keys if key in sound.index and lag[key] <= lead.CLOSE]
        assert first == (close[0] if close else lag.idxmin())
    else:
        assert finding.loc[first, "size"] == finding["size"].min()
        assert "no test holds there" in told[first]
    if n > 1:
        beside = order[1]
        survives = {key: "event-induced variance" in TESTS[key].robust_to for key in (first, beside)}
        assert survives[beside] or beside == "filtered_sq"
        assert survives[first] != survives[beside]


def lead_of(dates, n):
    """Lead of a design, and what the table says of its tests."""
    sizes = lead_sizes(dates, n)
    spread = "bmp" if dates == "own" else "adjusted_bmp"
    return order_of(["sq", "filtered_sq", "t"] if n == 1 else [spread, "filtered_sq"], sizes)[0][0], sizes


def admissible(rows, sizes):
    """Tests that could lead a design: they hold in every world, in a volatile year, and find a crash.

    A test of daily ranks or signs does not find one among eleven days. Sizes are those of the lead table
    (four windows, 1,000 samples) where a test is in it.
    """
    by_test = rows.groupby("test")
    size = by_test["size"].max()
    size.update(pd.Series({key: sizes[key].size for key in size.index.intersection(list(sizes))}))
    volatile, n = by_test["volatile"].max(), by_test["replications"].min()
    low = volatile - 1.96 * np.sqrt(volatile * (1.0 - volatile) / n)
    return size.index[(size <= lead.HELD) & ~(low > lead.HELD) & ~(by_test["long_50"].max() < lead.FINDS)]


@pytest.mark.parametrize(("dates", "n"), CELLS)
def test_no_test_that_could_lead_finds_much_more(dates, n):
    """Power against 2, 10 and 50% is within five points of the best, in every world, and rises."""
    rows = POWER[(POWER["dates"] == dates) & (POWER["events"] == n)]
    first, sizes = lead_of(dates, n)
    keys = admissible(rows, sizes)
    assert first in keys
    powers = []
    for effect in (2, 10, 50):
        power = rows.pivot(index="test", columns="world", values=f"power_{effect}")
        assert power.shape[1] == 4
        powers.append(power.loc[first])
        gain = power.loc[keys] - power.loc[first]
        best, worst = gain.max(axis=1), gain.min(axis=1)
        more = best > 0.05 + 1e-9
        assert set(best.index[more]) == ELSEWHERE.get((dates, n, effect), set()), gain[more].to_string()
        assert (worst[more] < -best[more]).all()
    assert (powers[0] <= powers[1]).all()
    assert (powers[1] <= powers[2]).all()


def test_the_power_of_every_design_is_known():
    made = load()
    found = set(POWER[["world", "dates", "events"]].itertuples(index=False, name=None))
    assert found == {(cell.world, cell.dates, cell.events) for cell in made.CELLS.values()}


def test_every_lead_in_the_table_holds_somewhere():
    """No design is left without a test that holds its size and finds what is large."""
    for dates, n in DESIGNS:
        sizes = lead_sizes(dates, n)
        best = min(
            sizes[key].size for key in lead.LEADS if key in sizes and sizes[key].power_10 >= lead.FINDS
        )
        assert best <= 0.10, (dates, n)


def test_what_rejects_too_often_is_not_recommended():
    for dates, n in DESIGNS:
        sizes = lead_sizes(dates, n)
        order, _ = order_of(list(sizes), sizes)
        assert all(sizes[key].size <= lead.DROPPED for key in order[2:])
    assert "grank_t" not in order_of(["filtered_sq", "grank_t"], lead_sizes("one", 2))[0]


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
    """Misses of the interval that each design gets, in its worst world, averaged over three windows."""
    for dates, n in DESIGNS:
        independent = dates == "own" and n >= 5
        key = "t" if n == 1 else "cross_sectional" if independent else "filtered_t"
        assert lead_sizes(dates, n)[key].size <= 0.085, (dates, n)
