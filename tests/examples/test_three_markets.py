"""The example of three markets: its numbers from the panels by hand, and what it says without them."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

EXAMPLE = Path(__file__).parents[2] / "examples" / "three_markets.py"


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLE))


@pytest.fixture(scope="module")
def pooled(shared_data: Path, example: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("figures")
    found = example["main"](str(folder))
    plt.close("all")
    assert (folder / "three_markets.png").stat().st_size > 10_000
    return found


@pytest.mark.slow
def test_asia_comes_first_and_zte_counts_once(pooled: Any) -> None:
    frame = pooled.clock()
    assert frame.groupby("study")["order"].first().to_dict() == {"Hong Kong": 1, "New York": 2, "Shenzhen": 1}
    assert (frame["opens"] > frame["announced_at"]).all()
    assert len(frame) == 14
    assert len(pooled.timeline) == 13
    assert pooled.timeline["security"].iloc[0] == "000063.SZ + 0763.HK"
    assert pooled.timeline["day_0"].eq(pd.Timestamp("2019-05-16")).all()


@pytest.mark.slow
def test_a_share_of_new_york_by_hand(pooled: Any, shared_data: Path) -> None:
    us = pd.read_parquet(shared_data / "panels" / "us_suppliers_ohlcv_2016_2020.parquet")
    share = us[us["ticker"] == "LITE"].set_index("date")["adj_close"]
    index = pd.read_parquet(shared_data / "panels" / "indices_daily_2015on.parquet")
    index = index[index["index"] == "SP500"].set_index("date")["close"]
    r = pd.concat([share, index], axis=1, keys=["share", "index"], join="inner")
    r.index = pd.DatetimeIndex(pd.to_datetime(r.index))
    r = r.pct_change()
    at = r.index.get_loc("2019-05-16")
    past = r.iloc[at - 200 : at - 10]
    fit = sm.OLS(past["share"], sm.add_constant(past["index"])).fit()
    ar = r["share"].iloc[at] - fit.params["const"] - fit.params["index"] * r["index"].iloc[at]
    row = pooled.timeline.index[pooled.timeline["security"] == "LITE"][0]
    assert pooled.car(0, 0).loc[row, "car"] == pytest.approx(ar, rel=1e-9)


@pytest.mark.slow
def test_mean_correlation_on_common_calendar_days_by_hand(pooled: Any) -> None:
    """Pair by pair from the studies' own residuals, ZTE's being the mean of its listings'."""
    series = {}
    for name, results in pooled.studies.items():
        abnormal = results.fitted.abnormal
        for i, security in enumerate(results.timeline["security"]):
            series[name, security] = pd.Series(abnormal.past.residuals()[i], abnormal.past.dates()[i])
    both = [series.pop(key) for key in (("Shenzhen", "000063.SZ"), ("Hong Kong", "0763.HK"))]
    series["both", "ZTE"] = pd.concat(both, axis=1, join="inner").dropna().mean(axis=1)
    correlations = pd.DataFrame(series).corr().to_numpy()
    expected = correlations[np.triu_indices(13, 1)].mean()
    assert pooled.clustering(0, 0).mean_correlation == pytest.approx(expected, abs=1e-10)
    assert 0.1 < expected < 0.25


def test_without_the_panels_it_says_so(
    example: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(example["main"].__globals__, "PANELS", tmp_path)
    assert example["main"]() is None
    assert capsys.readouterr().out.startswith("Not run: cn_raw_ohlc_fen_2018_2019, ")
