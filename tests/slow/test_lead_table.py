"""The table behind the recommended tests is the same when a cell of it is made anew."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from eventstudy.inference.procedures.lead import KINDS, MORE, lead_sizes, order_of

pytest.importorskip("pyarrow", reason="the panels of the markets are parquet files")
ROOT = Path(__file__).parents[2]


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclass looks itself up there, and the one script imports the other
    spec.loader.exec_module(module)
    return module


LEAD, POWER = load("lead_table"), load("lead_power")
TABLE = pd.read_csv(LEAD.TABLE)
BY_TEST = dict(iter(TABLE.groupby(["dates", "events", "test"])))


def test_every_cell_is_there():
    found = set(TABLE[["world", "dates", "events"]].itertuples(index=False, name=None))
    assert found == {(cell.world, cell.dates, cell.events) for cell in LEAD.CELLS.values()}


#: One event has no mean, and the bar is for two or more.
MISSED = {("sp500", "own", 1, "(-1, +1)")}


def outside(rows):
    """Rows whose 95% interval of the rate misses 3 to 7%."""
    counts = np.round(rows["size"] * rows["replications"])
    low, high = proportion_confint(counts, rows["replications"], method="wilson")
    away = rows[(low > 0.07) | (high < 0.03)]
    return set(away[["world", "dates", "events", "window"]].itertuples(index=False, name=None))


DESIGNS = sorted({(cell.dates, cell.events) for cell in LEAD.CELLS.values()})


def first_two(dates, events, days):
    """Lead of a design, and the test beside it."""
    keys = ["filtered_t", "adjusted_bmp", "filtered_sq"]
    keys = ["filtered_bmp", *keys] if events >= 20 else [*keys, *["filtered_bmp"] * (events >= 5)]
    if dates == "own":
        keys = [
            "bmp",
            *["filtered_rank"] * (days != MORE),
            *["filtered_t"] * (events < 5),
            "filtered_sq",
            *["independence"] * (days == MORE and 4 <= events < 10),
            *["grank_t"] * (events >= 15),
        ]
    if events == 1:
        keys = ["sq", "filtered_sq", "t"]
    return order_of(keys, lead_sizes(dates, events, days))[0][:2]


def rows_of(dates, events, test):
    """Rows of a test on a design, in all worlds and windows."""
    return BY_TEST[dates, events, test]


def test_every_cell_is_drawn_a_thousand_times_in_every_window():
    always = TABLE[TABLE["test"] == LEAD.INTERVAL]
    assert (always["replications"] >= 990).all()
    windows = always.groupby(["world", "dates", "events"])["window"].agg(set)
    assert (windows == {str(window) for window in LEAD.WINDOWS}).all()


def test_the_default_interval_misses_three_to_seven_percent():
    """But for the t of one event, whose errors have fat tails."""
    assert outside(TABLE[TABLE["test"] == LEAD.INTERVAL]) == MISSED


@pytest.mark.parametrize("days", KINDS)
@pytest.mark.parametrize(("dates", "events"), DESIGNS)
def test_every_lead_rejects_three_to_seven_percent(dates, events, days):
    rows = LEAD.with_days(rows_of(dates, events, first_two(dates, events, days)[0]))
    rows = rows[rows["days"] == days]
    assert len(rows) == len(LEAD.WORLDS)
    assert not outside(rows)


@pytest.mark.parametrize("days", KINDS)
@pytest.mark.parametrize(("dates", "events"), [design for design in DESIGNS if design[1] > 1])
def test_the_lead_or_the_test_beside_it_holds_if_the_variance_doubles(dates, events, days):
    """At most 7% in each world, within the error of 300 samples; one event has no spread to tell it by."""
    over = []
    for test in first_two(dates, events, days):
        rows = rows_of(dates, events, test).dropna(subset="doubled")
        assert rows["world"].nunique() == len(LEAD.WORLDS)
        low, _ = proportion_confint(np.round(rows["doubled"] * LEAD.CHANGED), LEAD.CHANGED, method="wilson")
        over.append(set(rows.loc[low > 0.07, "world"]))
    assert not set.intersection(*over)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normal-one-2", "t4-late-6", "normal-overlap-6"])
def test_a_cell_made_anew_is_the_stored_one(name):
    cell = LEAD.CELLS[name]
    rows = TABLE[
        (TABLE["world"] == cell.world) & (TABLE["dates"] == cell.dates) & (TABLE["events"] == cell.events)
    ]
    made = LEAD.table_of(cell, int(rows["replications"].max()))
    index = ["window", "test"]
    columns = ["size", "doubled", "power_2", "power_10"]
    stored, again = (frame.set_index(index)[columns].sort_index() for frame in (rows, made))
    pd.testing.assert_frame_equal(stored, again, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("normal-own-6", "(0, 0)"),
        ("t4-own-2", "(-5, +5)"),
        ("normal-late-20", "(0, +1)"),
        ("t4-three-6", "(-1, +1)"),
    ],
)
def test_powers_made_anew_are_the_stored_ones(name, window):
    cell, power = POWER.CELLS[name], pd.read_csv(POWER.TABLE).set_index("test")
    place = (cell.world, cell.dates, cell.events, window)
    rows = power[(power[["world", "dates", "events", "window"]] == list(place)).all(axis=1)]
    n = int(rows["replications"].max())
    tested = next(each for each in LEAD.WINDOWS if str(each) == window)
    for effect, column in ((0.0, "size"), *((e, f"power_{round(100 * e)}") for e in LEAD.AGAINST)):
        stored = rows[column].dropna()
        made = POWER.shares(cell, tested, list(stored.index), effect, n=n)["share"]
        pd.testing.assert_series_equal(made.round(4), stored, check_names=False, atol=1e-4)
