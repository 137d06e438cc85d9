"""The specification curve: each point is a study, each placebo a study of another day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from scipy import stats

import eventstudy as es
from eventstudy.errors import NoUsableEventsError, RequestError
from eventstudy.lab import SimulatedMarket, SpecificationCurve
from eventstudy.lab.specification_grid import Grid

NYT = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
MODELS = {"ols": es.MarketModel(), "mean": es.ConstantMean(), "adjusted": es.MarketAdjusted()}


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def curve(market: es.Market) -> SpecificationCurve:
    return es.lab.specification_curve(
        market, NYT, models=MODELS, benchmarks=["399001.SZ", "000300.SS"],
        estimations=[(-250, -30), (-120, -11)], windows=[(0, 0), (0, 1), (-1, 1)], returns=["simple", "log"],
        n_placebo=19,
    )  # fmt: skip


def test_the_grid_holds_each_specification_once(curve: SpecificationCurve) -> None:
    # Two models with two benchmarks, one without: 5; 2 estimations, 3 windows, 2 kinds, 2 tests.
    assert len(curve.frame) == 5 * 2 * 3 * 2 * 2
    choices = list(curve.frame.columns[:7])
    assert not curve.frame.duplicated(choices).any()
    assert set(curve.frame.loc[curve.frame["model"] == "mean", "benchmark"]) == {"none"}
    assert set(curve.frame["missing"]) == {"drop"}  # no suspension in any estimation window
    assert curve.frame["estimate"].is_monotonic_increasing


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("kind", ["simple", "log"])
@pytest.mark.parametrize("benchmark", ["399001.SZ", "000300.SS"])
@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
def test_each_point_is_the_study_of_its_choices(
    curve: SpecificationCurve, kind: str, benchmark: str, window: tuple[int, int]
) -> None:
    made = es.Market.from_prices(
        es.datasets.surveillance_prices(), benchmark=benchmark, calendar="XSHG", kind=kind
    )
    results = es.EventStudy(made, NYT, estimation=(-120, -11), window=(-1, 1)).fit()
    car = results.car(*window).iloc[0]
    p = results.test(*window, tests=["t", "sq"]).set_index("test")["p_value"]
    rows = curve.frame.query(
        "model == 'ols' and benchmark == @benchmark and returns == @kind and estimation == '(-120, -11)' "
        "and window == @es.Window.of(@window).__str__()"
    ).set_index("test")
    assert set(rows.index) == {"t", "sq"}
    for test in ("t", "sq"):
        row = rows.loc[test]
        found = row[["estimate", "ci_low", "ci_high", "p_value"]].to_numpy(float)
        np.testing.assert_allclose(found, [car["car"], car["ci_low"], car["ci_high"], p[test]], rtol=1e-9)
        assert row["significant"] == (p[test] <= 0.05)


@pytest.mark.parametrize("side", ["less", "greater"])
def test_one_sided_points_are_one_sided_studies(market: es.Market, side: Any) -> None:
    common: dict[str, Any] = {"estimations": [(-120, -11)], "windows": [(0, 1)], "n_placebo": 19}
    found = es.lab.specification_curve(market, NYT, alternative=side, **common)
    both = es.lab.specification_curve(market, NYT, **common)
    results = es.EventStudy(market, NYT, estimation=(-120, -11), window=(0, 1)).fit()
    car = results.car(0, 1, alternative=side).iloc[0]
    p = results.test(0, 1, tests=["t", "sq"], alternative=side).set_index("test")["p_value"]
    rows = found.frame.set_index("test")
    for test in ("t", "sq"):
        row = rows.loc[test]
        np.testing.assert_allclose(
            row[["estimate", "ci_low", "ci_high", "p_value"]].to_numpy(float),
            [car["car"], car["ci_low"], car["ci_high"], p[test]],
            rtol=1e-9,
        )
    np.testing.assert_array_equal(found.placebo[..., 0], both.placebo[..., 0])
    at = found.frame["test"].tolist().index("t")
    falls = (both.placebo[:, at, 0] < 0) == (side == "less")
    half = both.placebo[:, at, 1] / 2
    np.testing.assert_allclose(found.placebo[:, at, 1], np.where(falls, half, 1 - half), rtol=1e-9)


def test_the_joint_test_of_one_side_counts_towards_it(market: es.Market) -> None:
    common: dict[str, Any] = {"models": MODELS, "estimations": [(-120, -11)], "n_placebo": 39}
    found = {
        side: es.lab.specification_curve(market, NYT, alternative=side, **common)
        for side in ("less", "greater")
    }
    for side, sign in (("less", -1.0), ("greater", 1.0)):
        curve = found[side]
        real = curve.frame[["estimate", "p_value"]].to_numpy(float)
        values = [
            [
                sign * np.median(estimate),
                ((p <= 0.05) & (sign * estimate > 0)).mean(),
                stats.norm.isf(np.minimum(p, 1 - 1e-15)).mean(),  # a rank can be the last
            ]
            for estimate, p in (each.T for each in (real, *curve.placebo))
        ]
        np.testing.assert_allclose(curve.joint["value"], values[0], rtol=1e-9)
        as_high = (np.array(values[1:]) >= np.array(values[0]) - 1e-12).sum(axis=0)
        np.testing.assert_allclose(curve.joint["p_value"], (1 + as_high) / 40)
    assert found["less"].joint.loc["median", "p_value"] < 0.15
    assert found["greater"].joint.loc["median", "p_value"] > 0.85
    assert "significant at 5% in a one-sided test" in found["greater"].describe()
    assert "find a positive abnormal return" in found["greater"].describe()
    with pytest.raises(RequestError, match="alternative must be"):
        es.lab.specification_curve(market, NYT, alternative="down")


def test_open_intervals_are_drawn_to_the_edge(market: es.Market) -> None:
    found = es.lab.specification_curve(market, NYT, models=MODELS, n_placebo=0, alternative="less")
    assert np.isinf(found.frame["ci_low"]).all()
    ax = found.plot()
    lines = [drawn for drawn in ax.collections if isinstance(drawn, LineCollection)]
    ends = np.array([segment[:, 1] for drawn in lines for segment in drawn.get_segments()])
    assert len(ends) == len(found.frame)
    assert np.isfinite(ends).all()
    assert ax.get_ylim()[0] == ends.min() < found.frame["estimate"].min()


def test_tests_computed_together_are_those_of_the_registry(
    market: es.Market, curve: SpecificationCurve
) -> None:
    common: dict[str, Any] = {"estimations": [(-120, -11)], "windows": [(0, 1), (-1, 1)], "n_placebo": 19}
    together = es.lab.specification_curve(market, NYT, tests=["t", "sq"], **common)
    one_by_one = es.lab.specification_curve(market, NYT, tests=["t", "sq", "cross_sectional"], **common)
    pd.testing.assert_frame_equal(together.frame, one_by_one.frame)
    np.testing.assert_allclose(together.placebo, one_by_one.placebo, rtol=1e-10)


def test_a_placebo_is_the_study_of_another_day(market: es.Market) -> None:
    found = es.lab.specification_curve(market, NYT, estimations=[(-120, -11)], tests=["t"], n_placebo=500)
    row = market.sessions.get_loc("2019-05-22")
    earliest = 120
    days = [d for d in range(row, -1, -1) if earliest <= d <= row - 2]
    assert found.placebo.shape == (len(days), 1, 2)
    for i in (0, 7, len(days) - 1):
        event = [{"security": "002415.SZ", "date": market.sessions[days[i]]}]
        car = es.EventStudy(market, event, estimation=(-120, -11), window=(0, 1)).fit().car(0, 1).iloc[0]
        np.testing.assert_allclose(found.placebo[i, 0], [car["car"], car["p_value"]], rtol=1e-9)


def test_the_joint_test_counts_placebo_curves(curve: SpecificationCurve) -> None:
    def extremes(estimate: np.ndarray, p: np.ndarray) -> list[float]:
        share = max((p[estimate < 0] <= 0.05).sum(), (p[estimate > 0] <= 0.05).sum()) / len(p)
        z = np.sign(estimate) * stats.norm.isf(p / 2)
        return [abs(np.median(estimate)), share, abs(z.mean())]

    real = extremes(curve.frame["estimate"].to_numpy(), curve.frame["p_value"].to_numpy())
    drawn = np.array([extremes(*curve.placebo[i].T) for i in range(19)])
    joint = curve.joint
    np.testing.assert_allclose(joint["value"], real)
    expected = [
        (1 + sum(d >= value - 1e-12 for d in column)) / 20
        for column, value in zip(drawn.T, real, strict=True)
    ]
    np.testing.assert_allclose(joint["p_value"], expected)
    assert joint.loc["median", "p_value"] < 0.15  # 22 May 2019 was not an ordinary day


def test_words_and_shares(curve: SpecificationCurve) -> None:
    hits = int((curve.frame["significant"] & (curve.frame["estimate"] < 0)).sum())
    assert curve.share("negative") == pytest.approx(hits / 120)
    assert curve.share("positive") == 0.0
    assert curve.share_significant == curve.share("negative")
    assert f"{hits} of 120 specifications" in curve.describe()
    table = curve.by("window")
    assert table["n"].tolist() == [40, 40, 40]
    rows = curve.frame[curve.frame["window"] == "(0, +1)"]
    assert table.loc["(0, +1)", "median"] == rows["estimate"].median()
    with pytest.raises(RequestError, match="no choice"):
        curve.by("colour")


def test_the_rule_for_gaps_is_a_choice_where_there_are_gaps() -> None:
    thin, _ = es.lab.simulate_market(3, 400, thin=0.3, seed=1)
    event = [{"security": "S1", "date": thin.sessions[350]}]
    found = es.lab.specification_curve(
        thin, event, models=[es.MarketModel(), es.MarketAdjusted()], tests=["t"], n_placebo=0
    )
    assert set(zip(found.frame["model"], found.frame["missing"], strict=True)) == {
        ("Market model (OLS)", "drop"),
        ("Market model (OLS)", "trade_to_trade"),
        ("Market adjusted", "drop"),
    }
    row = found.frame.query("missing == 'trade_to_trade'").iloc[0]
    study = es.EventStudy(thin, event, es.MarketModel(missing="trade_to_trade"), window=(0, 1)).fit()
    assert row["estimate"] == pytest.approx(study.caar(0, 1)["caar"].iloc[0])
    assert np.isnan(found.joint["p_value"]).all()


def test_several_events_keep_their_dates_together(
    world: SimulatedMarket, study: es.EventStudyResults
) -> None:
    found = es.lab.specification_curve(
        world.market, world.truth.events, estimations=[(-150, -11)], windows=[(-5, 5), (0, 1)], n_placebo=5
    )
    assert set(found.frame["test"]) == {"filtered_t", "adjusted_bmp"}
    assert (found.frame["n_events"] == 12).all()
    for test in ("filtered_t", "adjusted_bmp"):
        row = found.frame.query("test == @test and window == '(0, +1)'").iloc[0]
        assert row["p_value"] == pytest.approx(study.test(0, 1, tests=[test])["p_value"].iloc[0])
        assert row["estimate"] == pytest.approx(study.caar(0, 1)["caar"].iloc[0])
    assert found.placebo.shape == (5, 4, 2)
    assert (found.placebo[:, :, 1] > 0).all()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_any_workers_give_the_same_curve(market: es.Market, curve: SpecificationCurve, backend: str) -> None:
    import joblib

    with joblib.parallel_config(backend=backend, n_jobs=2):
        other = es.lab.specification_curve(
            market, NYT, models=MODELS, benchmarks=["399001.SZ", "000300.SS"],
            estimations=[(-250, -30), (-120, -11)], windows=[(0, 0), (0, 1), (-1, 1)],
            returns=["simple", "log"], n_placebo=19,
        )  # fmt: skip
    pd.testing.assert_frame_equal(other.frame, curve.frame)
    np.testing.assert_array_equal(other.placebo, curve.placebo)


def test_an_interrupted_curve_goes_on(
    market: es.Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common: dict[str, Any] = {"models": MODELS, "n_placebo": 3, "checkpoint": tmp_path / "curve"}
    estimates = Grid.estimates

    def stops(grid: Grid, number: int) -> np.ndarray:
        if number == 2:
            raise KeyboardInterrupt
        return estimates(grid, number)

    monkeypatch.setattr(Grid, "estimates", stops)
    with pytest.raises(KeyboardInterrupt):
        es.lab.specification_curve(market, NYT, **common)
    done: list[int] = []
    monkeypatch.setattr(
        Grid, "estimates", lambda grid, number: done.append(number) or estimates(grid, number)
    )
    found = es.lab.specification_curve(market, NYT, **common)
    assert done == [2]
    assert len(found.frame) == 6
    with pytest.raises(RequestError, match="other data or settings"):
        es.lab.specification_curve(market, NYT, **(common | {"alpha": 0.1}))


def test_the_figure_marks_the_choices(curve: SpecificationCurve) -> None:
    ax = curve.plot()
    upper, lower = ax.figure.axes
    assert upper is ax
    names = [label.get_text() for label in lower.get_yticklabels()]
    assert names[:3] == ["adjusted", "mean", "ols"]
    assert "drop" not in names  # a choice without alternatives is none
    drawn = sum(len(points.get_offsets()) for points in ax.collections if hasattr(points, "get_sizes"))
    assert drawn >= 120
    assert "120 specifications" in lower.get_xlabel()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"windows": []}, "windows is empty"),
        ({"returns": ["gross"]}, "'simple' or 'log'"),
        ({"alpha": 0.0}, "alpha"),
        ({"n_placebo": -1}, "n_placebo"),
        ({"benchmarks": "000300.SS"}, "as a list"),
        ({"benchmarks": []}, "benchmarks is empty"),
        ({"tests": ["bmp"]}, "do the tests bmp apply"),
        ({"estimations": [(-518, -30)]}, "no earlier date"),
    ],
)
def test_what_makes_no_sense_is_refused(market: es.Market, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        es.lab.specification_curve(market, NYT, **wrong)


def test_events_that_cannot_be_placed_are_named(market: es.Market) -> None:
    with pytest.raises(NoUsableEventsError, match="not listed"):
        es.lab.specification_curve(market, [{"security": "Huawei", "date": "2019-05-22"}])
