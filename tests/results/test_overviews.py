"""Frames of whole studies, and the figures drawn of them."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.results import plot_data
from eventstudy.results.event_names import event_name
from eventstudy.windows import Window

mpl.use("Agg")
HIKVISION = [{"security": "002415.SZ", "date": "2019-05-22", "label": "NYT $5 \\frac$"}]


@pytest.fixture(scope="module")
def zte() -> es.EventStudyResults:
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    denial = [{"security": "000063.SZ", "date": "2018-04-17", "label": "Denial order"}]
    with pytest.warns(es.errors.PriceLimitWarning):
        return es.EventStudy(market, denial, estimation=(-200, -21), window=(-3, 20)).fit()


def test_forest(common):
    frame = plot_data.forest(common.fitted, Window(0, 1), 0.9)
    cars, mean = common.car(0, 1, level=0.9), common.caar(0, 1, level=0.9).iloc[0]
    columns = ["car", "ci_low", "ci_high"]
    np.testing.assert_array_equal(frame[columns].iloc[:-1], cars[columns])
    np.testing.assert_array_equal(frame[columns].iloc[-1], mean[["caar", "ci_low", "ci_high"]])
    assert frame["role"].tolist() == ["event"] * 8 + ["average"]
    assert frame["event"].iloc[-1] == "average of 8"


def test_forest_of_one_event_has_no_average(one):
    frame = plot_data.forest(one.fitted, Window(0, 1))
    assert frame["event"].tolist() == [event_name(one.fitted, 0)]


def test_clustering_counts_by_session(distinct, common):
    for results in (distinct, common):
        window = Window(-2, 3)
        frame = plot_data.clustering(results.fitted, window)
        day0 = results.sample.day0
        sessions = results.spec.market.sessions
        for row in frame.itertuples():
            at = sessions.get_loc(row.date)
            assert row.windows == ((day0 + window.start <= at) & (at <= day0 + window.end)).sum()
            assert row.events == (day0 == at).sum()
        assert frame["events"].sum() == 8
        assert frame["windows"].sum() == 8 * len(window)
        assert frame["windows"].iloc[[0, -1]].min() > 0


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_clustering_of_a_window_beyond_the_data(market, refit, prices):
    last = prices.index[-2]
    results = refit(market, [{"security": "S0", "date": last}], window=(0, 6))
    frame = plot_data.clustering(results.fitted, Window(0, 6))
    assert frame["date"].tolist() == [last, prices.index[-1]]
    assert frame["windows"].tolist() == [1, 1]


def test_tests_say_which_are_recommended(common):
    frame = plot_data.tests(common.fitted, Window(0, 1))
    seeded = common.test(0, 1, seed=plot_data.SEED)
    pd.testing.assert_frame_equal(seeded, frame.drop(columns="recommended"))
    assert set(frame.loc[frame["recommended"], "test"]) == set(common.recommended(0, 1)["test"])


def test_timeline(zte):
    data = zte.fitted
    frame = plot_data.timeline(data, 0, Window(-3, 20))
    market = zte.spec.market
    close = market.prices("close")["000063.SZ"].reindex(frame["date"])
    np.testing.assert_array_equal(frame["price"], close)
    assert frame.loc[frame["day"] < 0, "price"].isna().all()
    hits = zte.limit_hits
    np.testing.assert_array_equal(frame.loc[frame["touched"] != 0, "day"], hits["day"])
    at_close = frame[frame["closed"] != 0]
    np.testing.assert_array_equal(at_close["day"], hits.loc[hits["at_close"], "day"])
    limit = at_close["limit_down"].where(at_close["closed"] < 0, at_close["limit_up"])
    np.testing.assert_allclose(at_close["price"], limit)


def test_timeline_needs_prices(prices, refit):
    returns = prices.drop(columns="INDEX").pct_change(fill_method=None)
    market = es.Market(returns, benchmark=prices["INDEX"].pct_change())
    results = refit(market, [{"security": "S0", "date": prices.index[300]}])
    with pytest.raises(RequestError, match=r"Market\.from_prices"):
        results.plot.timeline()


def test_figures(one, common, zte):
    plt.close("all")
    try:
        drawn = {
            "forest": common.plot.forest(0, 1),
            "clustering": common.plot.clustering(),
            "tests": common.plot.tests(0, 1),
            "residuals": one.plot.residuals(),
            "qq": one.plot.qq(),
            "autocorrelation": one.plot.autocorrelation(lags=5),
            "timeline": zte.plot.timeline(currency="CNY"),
        }
        for name, ax in drawn.items():
            assert isinstance(ax, mpl.axes.Axes)
            assert ax.get_title(), name
            assert name in repr(one.plot)
        assert drawn["forest"].get_title() == f"CAR (0, +1): {common.timeline['day_0'].iloc[0]:%Y-%m-%d}"
        assert "mean correlation" in drawn["clustering"].get_title()
        assert drawn["timeline"].get_ylabel() == "Price (CNY)"
        assert len(drawn["autocorrelation"].lines[1].get_xdata()) == 5
    finally:
        plt.close("all")


@pytest.mark.slow
def test_dollars_in_labels_are_no_mathematics(market, refit, prices):
    results = refit(market, [{"security": "S0", "date": prices.index[300], "label": r"fined $5 \frac$"}])
    try:
        for ax in (results.plot.car(), results.plot.heatmap(), results.plot.forest()):
            ax.figure.canvas.draw()
    finally:
        plt.close("all")
