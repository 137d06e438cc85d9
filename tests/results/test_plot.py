"""The plot accessor hands the right frame to the right function, and says whose figure it is."""

from __future__ import annotations

import re

import matplotlib as mpl
import pandas as pd
import pytest

from eventstudy import plotting
from eventstudy.errors import RequestError, WindowError
from eventstudy.results import plot_data
from eventstudy.windows import Window

mpl.use("Agg")


@pytest.fixture
def drawn(monkeypatch) -> dict:
    """What the drawing functions are given, in place of drawing."""
    calls: dict = {}
    for name in ("plot_car", "plot_caar", "plot_reaction", "plot_fit", "plot_null", "plot_heatmap"):
        monkeypatch.setattr(
            plotting,
            name,
            lambda frame, ax=None, _name=name, **options: calls.update({_name: (frame, options)}) or _name,
        )
    return calls


def test_one_event(one, drawn):
    data = one.fitted
    assert one.plot.car(-2, 3) == "plot_car"
    frame, options = drawn["plot_car"]
    wanted = plot_data.car_path(data, [0], Window(-2, 3)).drop(columns="event")
    assert frame.equals(wanted)
    assert options["title"] == data.name(0)
    one.plot.reaction(event=0, currency="CNY")
    frame, options = drawn["plot_reaction"]
    assert frame.equals(plot_data.reaction(data, 0, Window(-4, 6)))
    assert options["currency"] == "CNY"
    one.plot.fit(event="S0")
    assert drawn["plot_fit"][0].equals(plot_data.fit(data, 0, Window(0, 1)))
    one.plot.null()
    assert drawn["plot_null"][0].equals(plot_data.null(data, 0, Window(0, 1)))


def test_what_is_given_beside_the_frame_goes_on_to_matplotlib(one, drawn):
    one.plot.car(0, 1, title="Mine", color="k")
    assert drawn["plot_car"][1] == {"title": "Mine", "level": 0.95, "color": "k"}


EVENT_FIGURES = ("car", "reaction", "fit", "null", "timeline")


@pytest.mark.parametrize("figure", EVENT_FIGURES)
def test_the_first_numbers_are_the_window(figure, one):
    """``plot.car(0, 1)`` draws days 0 and 1 of the event, not day 1 of event 0."""
    ax = getattr(one.plot, figure)(0, 1)
    if figure == "car":
        assert ax.lines[-1].get_xdata().tolist() == [0, 1]
    if figure == "null":
        assert [text.get_text()[:5] for text in ax.get_legend().get_texts()[1:]] == ["Day 0", "Day 1"]


@pytest.mark.parametrize("figure", EVENT_FIGURES)
def test_an_event_in_the_place_of_a_window_is_told_where_it_goes(figure, one, common):
    for results, event in ((one, "S0"), (common, "e7"), (common, 17)):
        told = f"To name an event: plot.{figure}(event={event!r})"
        with pytest.raises((RequestError, WindowError), match=re.escape(told)):
            getattr(results.plot, figure)(event)
    with pytest.raises(RequestError, match=r"To name an event: decomposition\(event='S0'\)"):
        one.plot.decomposition("S0")


def test_many_events(common, drawn):
    common.plot.caar(-1, 2)
    frame, options = drawn["plot_caar"]
    assert frame.equals(plot_data.caar_path(common.fitted, Window(-1, 2)))
    assert "8 events" in options["title"]
    assert "filtered-t" in options["title"]
    common.plot.heatmap(0, 3)
    assert drawn["plot_heatmap"][0].equals(plot_data.heatmap(common.fitted, Window(0, 3)))
    common.plot.car(event="e7")
    assert drawn["plot_car"][1]["title"] == common.fitted.name(7)
    with pytest.raises(RequestError, match="There are 8 events: name one with event=, by its id: 'e0'"):
        common.plot.car()
    with pytest.raises(RequestError, match="reaches outside the event window"):
        common.plot.caar(0, 99)


def test_figures_are_axes(one, common):
    import matplotlib.pyplot as plt

    try:
        for ax in (one.plot.car(), one.plot.reaction(), one.plot.fit(), one.plot.null(), common.plot.caar()):
            assert isinstance(ax, mpl.axes.Axes)
            assert ax.has_data()
            assert ax.get_ylabel()
        _, given = plt.subplots()
        assert one.plot.car(ax=given) is given
    finally:
        plt.close("all")


def test_the_accessor_lists_its_figures(one):
    told = repr(one.plot)
    for name in ("car", "caar", "reaction", "fit", "null", "heatmap", "decomposition"):
        assert name in told


def test_groups_have_a_panel_each(market, refit, drawn, monkeypatch):
    events = [
        {"security": f"S{i}", "date": market.sessions[250 + 20 * i], "group": "ab"[i % 2]} for i in range(6)
    ]
    results = refit(market, events)
    monkeypatch.setattr(plotting, "plot_caar_groups", lambda frame, ax=None, **options: (frame, options))
    frame, options = results.plot.caar(-1, 3, by="group", level=0.9)
    assert list(frame["group"].unique()) == ["a", "b"]
    for name, part in frame.groupby("group"):
        alone = refit(market, [event for event in events if event["group"] == name])
        path = plot_data.caar_path(alone.fitted, Window(-1, 3), None, 0.9)
        pd.testing.assert_frame_equal(part.drop(columns="group").reset_index(drop=True), path)
    assert options["title"] == "6 events, intervals of the filtered-t test"
    assert options["level"] == 0.9
    frame, options = results.plot.caar(by="group", test="independence")
    assert set(frame["test"]) == {"independence"}
    with pytest.raises(RequestError, match="no column 'sector'"):
        results.plot.caar(by="sector")


def test_the_title_counts_events(one, common, drawn):
    one.plot.caar()
    assert drawn["plot_caar"][1]["title"] == "1 event, interval of the t test"
    common.plot.caar(test="cross_sectional")
    assert drawn["plot_caar"][1]["title"] == "8 events, interval of the cross-sectional test"
