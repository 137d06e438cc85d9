"""News so fresh that the data end inside the event window: figures and pages show what there is."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import EventStudyError, EventStudyWarning

FIGURES = (
    "autocorrelation", "caar", "car", "clustering", "decomposition", "fit", "forest", "heatmap", "null", "qq",
    "reaction", "residuals", "tests", "timeline",
)  # fmt: skip
NEWS = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]


def daily(last: str, calendar: str | None) -> Any:
    prices = es.datasets.surveillance_prices().loc[:last]
    market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar=calendar)
    events = NEWS if calendar else [{"security": "002415.SZ", "date": "2019-05-22"}]
    return es.EventStudy(market, events, estimation=(-270, -21)).fit()


def intraday(minutes: int) -> Any:
    bars = es.lab.simulate_bars(2, 4, freq="10min", seed=1)
    closes = bars.prices["close"].dropna()
    market = es.Market.from_prices(
        closes.iloc[: len(closes) - 20 + minutes // 10], benchmark="market", calendar="XSHG", freq="10min"
    )
    moment = closes.index[-20] - pd.Timedelta(minutes=5)
    moment = moment.tz_localize("Asia/Shanghai") if moment.tzinfo is None else moment
    events = [{"security": "S1", "announced_at": str(moment)}]
    return es.EventStudy(market, events, estimation=(-50, -11), window=(-5, 10)).fit()


@pytest.fixture(params=["day 0 only", "three days", "one missing", "no calendar", "bars"])
def cut(request: pytest.FixtureRequest) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)
        return {
            "day 0 only": lambda: daily("2019-05-22", "XSHG"),
            "three days": lambda: daily("2019-05-24", "XSHG"),
            "one missing": lambda: daily("2019-06-04", "XSHG"),
            "no calendar": lambda: daily("2019-05-24", None),
            "bars": lambda: intraday(40),
        }[request.param]()


@pytest.mark.slow
def test_every_figure_draws_the_days_that_exist(cut: Any) -> None:
    drawn = []
    for name in FIGURES:
        try:
            axes = getattr(cut.plot, name)()
            getattr(axes, "figure", axes).canvas.draw()
            drawn.append(name)
        except EventStudyError:  # with a reason, as the fuzzer holds
            continue
        finally:
            plt.close("all")
    days = cut.fitted.abnormal.event_dates.dtype == "datetime64[D]"  # a timeline is one of days
    assert {"reaction", "car", "heatmap", "tests", *(["timeline"] if days else [])} <= set(drawn)


@pytest.mark.usefixtures("unrendered")
@pytest.mark.quick("bars")
def test_the_report_and_the_tables_are_written(cut: Any, tmp_path: Path) -> None:
    page = cut.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "NaT" not in page
    assert str(cut.summary(0, 0))
    car = cut.car(0, 0)["car"]
    assert np.isfinite(car).all()


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_a_window_beyond_the_data_is_refused_with_a_reason() -> None:
    results = daily("2019-05-24", "XSHG")
    with pytest.raises(EventStudyError, match="data end before the window"):
        results.plot.reaction(5, 10)
    for call in (results.decomposition, results.plot.decomposition):
        with pytest.raises(EventStudyError, match="lies outside the data"):
            call(5)
