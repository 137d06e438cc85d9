"""car, caar and test of a list of windows: one tidy frame, whose rows say who, when and which window."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

WINDOWS = [(0, 0), (-1, 1)]
NAMES = ["(0, 0)", "(-1, +1)"]


def test_car_says_who_and_when(one, common):
    assert one.car(0, 1).columns[:3].tolist() == ["security", "label", "day_0"]
    assert one.car(0, 1)["label"].tolist() == ["ban"]
    # Without any label there is no column of them.
    assert common.car(0, 1).columns[:2].tolist() == ["security", "day_0"]
    pd.testing.assert_series_equal(common.car(0, 1)["day_0"], common.timeline["day_0"])


def test_car_until_the_first_free_close_says_who(market, refit):
    prices = pd.DataFrame(
        {"A": [10.0] * 300, "INDEX": [10.0] * 300}, pd.bdate_range("2020-01-01", periods=300)
    )
    prices *= 1 + 0.001 * np.random.default_rng(0).standard_normal((300, 2))
    results = refit(
        es.Market.from_prices(prices, benchmark="INDEX"), [{"security": "A", "date": prices.index[200]}]
    )
    assert results.car(0, "first_free_close").columns[:2].tolist() == ["security", "day_0"]


@pytest.mark.parametrize(
    "windows", [WINDOWS, [es.Window(0, 0), es.Window(-1, 1)], np.array(WINDOWS), WINDOWS * 2]
)
def test_car_of_a_list_is_the_cars_of_each(common, windows):
    frame = common.car(windows)
    assert frame["window"].unique().tolist() == NAMES
    for window, name in zip(WINDOWS, NAMES, strict=True):
        part = frame[frame["window"] == name].drop(columns="window")
        pd.testing.assert_frame_equal(common.car(*window), part)


def test_caar_of_a_list_has_a_row_per_window(common):
    frame = common.caar(WINDOWS, test="portfolio")
    assert frame.index.tolist() == NAMES
    for window, name in zip(WINDOWS, NAMES, strict=True):
        pd.testing.assert_frame_equal(common.caar(window, test="portfolio"), frame.loc[[name]])


def test_tests_of_a_list_name_their_window_and_share_a_seed(common):
    keys = ["portfolio", "block_bootstrap"]
    frame = common.test(WINDOWS, tests=keys, seed=3)
    assert frame[["window", "test"]].to_numpy().tolist() == [[w, key] for w in NAMES for key in keys]
    for window, name in zip(WINDOWS, NAMES, strict=True):
        part = frame[frame["window"] == name].drop(columns="window").reset_index(drop=True)
        pd.testing.assert_frame_equal(common.test(*window, tests=keys, seed=3), part)


def test_groups_and_controls_take_a_list(market, refit):
    events = [{"security": f"S{i}", "date": "2019-02-25", "group": "AB"[i % 2]} for i in range(6)]
    results = refit(market, events)
    frame = results.test(WINDOWS, tests="portfolio", by="group")
    assert frame[["window", "group"]].drop_duplicates().to_numpy().tolist() == [
        [w, g] for w in NAMES for g in ("A", "B", "A - B")
    ]
    treated, controls = refit(market, events[:3]), refit(market, events[3:])
    assert treated.test(WINDOWS, against=controls)["window"].unique().tolist() == NAMES


def test_an_end_beside_a_list_is_refused(one):
    for method in (one.car, one.caar, one.test):
        with pytest.raises(es.errors.RequestError, match="A list of windows holds their ends"):
            method(WINDOWS, 1)
        with pytest.raises(es.errors.RequestError, match="reaches outside the event window"):
            method([(0, 0), (0, 30)])


def test_what_is_no_list_of_windows_is_refused(one):
    for given in (["a", "b"], [(0, 0), "x"], [], [0, (0, 1)]):
        with pytest.raises(es.errors.EventStudyError):
            one.car(given)
