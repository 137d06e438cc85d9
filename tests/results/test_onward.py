"""Panels, tidy frames, JSON, Stata files and maketables: the numbers of the results, in other forms."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import eventstudy as es
from eventstudy.errors import RequestError


def test_a_regression_on_the_panel_finds_the_abnormal_returns(common):
    """Dummies for the days of the event window, event by event: Thompson's regression form."""
    panel = common.to_panel()
    assert panel.groupby(["event_id", "day"]).size().max() == 1
    for event_id in ("e0", "e5"):
        part = panel[panel["event_id"] == event_id].copy()
        part["dummy"] = np.where(part["period"] == "event", part["day"].astype(str), "none")
        fit = smf.ols("actual ~ benchmark + C(dummy, Treatment('none'))", part).fit()
        found = [fit.params[f"C(dummy, Treatment('none'))[T.{day}]"] for day in range(-4, 7)]
        np.testing.assert_allclose(found, common.abnormal_returns.loc[event_id], atol=1e-12)


def test_the_panel_adds_up(common, distinct):
    for results in (common, distinct):
        panel = results.to_panel()
        np.testing.assert_allclose(panel["actual"] - panel["expected"], panel["abnormal"], atol=1e-14)
        inside = panel[panel["period"] == "event"]
        wide = inside.pivot(index="event_id", columns="day", values="abnormal").loc[results.fitted.index]
        np.testing.assert_allclose(wide, results.abnormal_returns)
        assert (inside["date"] >= inside["day_0"]).equals(inside["day"] >= 0)
        returns = results.spec.market.returns
        row = inside.iloc[5]
        assert row["actual"] == returns.at[row["date"], row["security"]]


def test_the_panel_has_the_columns_of_the_events(market, refit):
    events = [{"security": "S0", "date": market.sessions[300], "group": "a", "size": 3.5, "label": "ban"}]
    panel = refit(market, events).to_panel()
    assert set(panel["group"]) == {"a"}
    assert set(panel["size"]) == {3.5}
    assert set(panel["label"]) == {"ban"}


def test_pools_have_a_panel(market, refit):
    parts = {name: refit(market, [{"security": name, "date": market.sessions[300]}]) for name in ("S0", "S1")}
    panel = es.pool(parts).to_panel()
    assert panel["event_id"].nunique() == 2
    whole = pd.concat([each.to_panel()["abnormal"] for each in parts.values()], ignore_index=True)
    np.testing.assert_array_equal(panel["abnormal"], whole)


def test_tidy_is_the_averages(common):
    frame, wanted = common.tidy([(0, 0), (-1, 1)]), common.caar([(0, 0), (-1, 1)])
    assert frame["term"].tolist() == wanted.index.tolist()
    for name, column in (
        ("estimate", "caar"),
        ("std_error", "se"),
        ("conf_low", "ci_low"),
        ("n", "n_events"),
    ):
        np.testing.assert_array_equal(frame[name], wanted[column])
    assert common.tidy()["term"].tolist() == ["(0, 0)", "(0, +1)", "(-4, +6)"]
    assert common.tidy((0, 1))["term"].tolist() == ["(0, +1)"]


def test_json_is_read_again(one, common, tmp_path):
    for results in (one, common):
        told = json.loads(results.to_json(tmp_path / "x.json", [(0, 1)]))
        assert told == json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
        cars = results.car(0, 1)
        assert [row["event_id"] for row in told["cars"]] == cars.index.tolist()
        np.testing.assert_array_equal([row["car"] for row in told["cars"]], cars["car"])
        assert [row["test"] for row in told["tests"]] == results.recommended(0, 1)["test"].tolist()
    gap = json.loads(common.to_json(windows=[(4, 6)]))
    assert [row["car"] for row in gap["cars"]][-1] is None
    with pytest.raises(RequestError, match="cannot be written"):
        one.to_json(tmp_path / "x.json" / "y.json")


def test_stata_reads_the_panel(common, tmp_path):
    common.to_stata(tmp_path / "x.dta")
    found, wanted = pd.read_stata(tmp_path / "x.dta"), common.to_panel()
    for name in ("day", "actual", "abnormal", "benchmark"):
        np.testing.assert_array_equal(found[name], wanted[name])
    assert found["event_id"].tolist() == wanted["event_id"].tolist()
    assert (found["date"] == wanted["date"].to_numpy()).all()


def test_names_that_stata_refuses_are_made_fit_or_refused(market, refit, tmp_path):
    event = {"security": "S0", "date": market.sessions[300], "market cap (bn)": 3.0, "2019": 1}
    refit(market, [event]).to_stata(tmp_path / "x.dta")
    with pd.io.stata.StataReader(tmp_path / "x.dta") as reader:
        labels = reader.variable_labels()
    assert labels["market_cap__bn_"] == "market cap (bn)"
    assert labels["_2019"] == "2019"
    clash = {"security": "S0", "date": market.sessions[300], "a b": 3.0, "a-b": 1}
    with pytest.raises(RequestError, match="Two columns would both be named 'a_b'"):
        refit(market, [clash]).to_stata(tmp_path / "x.dta")
    with pytest.raises(RequestError, match="cannot be written"):
        refit(market, [event]).to_stata(tmp_path / "no" / "x.dta")


class Odd:
    def __str__(self) -> str:
        return "odd"


@pytest.mark.quick(every=3)
@pytest.mark.filterwarnings("ignore:Events. the column 'odd'")
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([pd.Period("2019Q1"), pd.Period("2019Q2")], ["2019Q1", "2019Q2"]),
        ([pd.Timedelta("1D"), pd.NaT], ["1 days 00:00:00", ""]),
        ([Odd(), None], ["odd", ""]),
        ([1 + 2j, 3j], ["(1+2j)", "3j"]),
        (pd.Categorical(["a", "b"]), ["a", "b"]),
        ([b"x", ("a", 1)], ["b'x'", "('a', 1)"]),
        (["é" * 1000, ""], ["é" * 1000, ""]),
        (np.array([1, 2], "uint64"), [1.0, 2.0]),
        (np.array([0.5, 2.0], "float16"), [0.5, 2.0]),
        (pd.array([1, None], "Int64"), [1.0, np.nan]),
        (pd.array([True, None], "boolean"), [1.0, np.nan]),
        ([True, False], [1, 0]),
        ([10**12, 1], [1e12, 1.0]),
        (pd.to_datetime(["2019-01-01 10:00Z", None]), [pd.Timestamp("2019-01-01 10:00"), pd.NaT]),
    ],
)
def test_what_stata_has_no_type_for_is_written_in_one_that_it_has(market, refit, tmp_path, values, told):
    events = pd.DataFrame({"security": ["S0", "S1"], "date": market.sessions[300]})
    events["odd"] = values
    results = refit(market, events)
    results.to_stata(tmp_path / "x.dta")
    found = pd.read_stata(tmp_path / "x.dta").groupby("event_id", sort=False)["odd"].first()
    if isinstance(told[0], pd.Timestamp):
        assert [pd.isna(a) if pd.isna(b) else a == b for a, b in zip(found, told, strict=True)] == [
            True,
            True,
        ]
    elif isinstance(told[0], str):
        assert found.fillna("").tolist() == told
    else:
        np.testing.assert_array_equal(found.to_numpy(dtype=float), np.array(told, dtype=float))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([np.inf, 1.0], "Column 'odd' holds an infinity"),
        ([2**60, 1], "beyond 2\\*\\*53"),
        (["x" * 3000, ""], "longer than 2045 bytes"),
        (["é" * 1100, ""], "longer than 2045 bytes"),
    ],
)
def test_what_stata_cannot_hold_is_refused(market, refit, tmp_path, values, told):
    events = pd.DataFrame({"security": ["S0", "S1"], "date": market.sessions[300], "odd": values})
    with pytest.raises(RequestError, match=told):
        refit(market, events).to_stata(tmp_path / "x.dta")


def test_reserved_and_long_names_and_labels(market, refit, tmp_path):
    long = "a characteristic whose name is longer than any variable of Stata " * 2
    event = {"security": "S0", "date": market.sessions[300], "if": 1, "_n": 2, "str12": 3, "规模": 4, long: 5}
    refit(market, [event]).to_stata(tmp_path / "x.dta")
    frame = pd.read_stata(tmp_path / "x.dta")
    with pd.io.stata.StataReader(tmp_path / "x.dta") as reader:
        labels = reader.variable_labels()
    assert {"if_", "_n_", "str12_", "__"} <= set(frame)
    assert labels["__"] == "规模"
    assert labels[next(name for name in frame if name.startswith("a_char"))] == long[:80]
    assert max(map(len, frame.columns)) == 32


def test_columns_of_events_named_like_the_panels_are_renamed(market, refit):
    event = {"security": "S0", "date": market.sessions[300]}
    event |= {"day": 7, "expected": 8, "actual": 9, "actual_event": 10}
    results = refit(market, [event])
    told = "day is day_event, expected is expected_event, actual is actual_event_event"
    with pytest.warns(es.errors.DataWarning, match=told):
        panel = results.to_panel()
    assert panel[["day_event", "expected_event", "actual_event", "actual_event_event"]].iloc[0].tolist() == [
        7, 8, 10, 9,
    ]  # fmt: skip
    assert panel["day"].iloc[-1] == 6


@pytest.fixture(scope="module")
def slopes(market):
    events = [
        {"security": f"S{i}", "date": market.sessions[200 + 25 * i], "size": float(2**i)} for i in range(7)
    ]
    results = es.EventStudy(market, events, estimation=(-150, -21), window=(-4, 6)).fit()
    return results.cross_section("car ~ log(size)", 0, 1)


def test_tidy_regression_and_logarithms(slopes):
    frame = slopes.tidy()
    assert frame["term"].tolist() == ["Intercept", "log(size)"]
    np.testing.assert_array_equal(frame["estimate"], slopes.coefficients["coef"])
    np.testing.assert_array_equal(frame["p_value"], slopes.decisive)


def test_the_plug_in_of_maketables(slopes, common):
    for model, stats in ((slopes, {"N": 7, "r2": slopes.r_squared}), (common, {"N": 8})):
        table = model.__maketables_coef_table__
        assert table.index.name == "Coefficient"
        assert table.columns.tolist() == ["b", "se", "t", "p", "ci95l", "ci95u"]
        assert {
            key: model.__maketables_stat__(key) for key in model.__maketables_default_stat_keys__
        } == stats
        assert model.__maketables_stat__("nothing") is None
    assert slopes.__maketables_depvar__ == "car"


@pytest.mark.skipif(importlib.util.find_spec("maketables") is None, reason="maketables is not installed")
def test_maketables_makes_a_table(slopes, common):
    import maketables

    for model, number in ((slopes, slopes.params.iloc[1]), (common, common.caar(0, 0)["caar"].iloc[0])):
        text = maketables.ETable([model]).make(type="tex")
        assert f"{number:.3f}" in str(text)
