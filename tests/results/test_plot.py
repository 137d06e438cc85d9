"""The plot accessor hands the right frame to the right function, and says whose figure it is."""

from __future__ import annotations

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from eventstudy import plotting
from eventstudy.errors import RequestError, WindowError
from eventstudy.results import plot_data
from eventstudy.results.event_names import event_name
from eventstudy.windows import Window

mpl.use("Agg")


FIGURES = tuple(name for name in plotting.__all__ if name.startswith("plot_"))


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def drawn(monkeypatch) -> dict:
    """What the drawing functions are given."""
    calls: dict = {}

    def record(name, draw):
        def recorded(frame, ax=None, **options):
            calls[name] = (frame, options)
            return draw(frame, ax, **options)

        return recorded

    for name in FIGURES:
        monkeypatch.setattr(plotting, name, record(name, getattr(plotting, name)))
    return calls


def test_one_event(one, drawn):
    data = one.fitted
    one.plot.car(-2, 3)
    frame, options = drawn["plot_car"]
    wanted = plot_data.car_path(data, [0], Window(-2, 3)).drop(columns="event")
    assert frame.equals(wanted)
    assert options["title"] == event_name(data, 0)
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
    assert drawn["plot_car"][1]["title"] == event_name(common.fitted, 7)
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


@pytest.mark.slow
def test_groups_have_a_panel_each(market, refit, drawn):
    events = [
        {"security": f"S{i}", "date": market.sessions[250 + 20 * i], "group": "ab"[i % 2]} for i in range(6)
    ]
    results = refit(market, events)
    results.plot.caar(-1, 3, by="group", level=0.9)
    frame, options = drawn["plot_caar_groups"]
    assert list(frame["group"].unique()) == ["a", "b"]
    for name, part in frame.groupby("group"):
        alone = refit(market, [event for event in events if event["group"] == name])
        path = plot_data.caar_path(alone.fitted, Window(-1, 3), None, 0.9)
        pd.testing.assert_frame_equal(part.drop(columns="group").reset_index(drop=True), path)
    assert options["title"] == "6 events by group, intervals of the filtered-t test"
    assert options["level"] == 0.9
    results.plot.caar(by="group", test="independence")
    frame, options = drawn["plot_caar_groups"]
    assert set(frame["test"]) == {"independence"}
    with pytest.raises(RequestError, match="no column 'sector'"):
        results.plot.caar(by="sector")


def test_the_title_counts_events(one, common, drawn):
    one.plot.caar()
    assert drawn["plot_caar"][1]["title"] == "1 event, interval of the t test"
    common.plot.caar(test="cross_sectional")
    assert drawn["plot_caar"][1]["title"] == "8 events, interval of the cross-sectional test"


def test_paths_start_before_the_headline_window_which_is_marked(one, common, drawn):
    """The path holds the number of `car` and `caar` at the end of the headline window, and its interval."""
    ax = one.plot.car()
    frame, options = drawn["plot_car"]
    car, path = one.car().iloc[0], frame.set_index("day")
    columns = ["car", "ci_low", "ci_high"]
    assert path.loc[1, columns].tolist() == car[columns].tolist()
    assert options["headline"] == (0, 1, car["car"])
    assert path.loc[-1, columns].tolist() == [0, 0, 0]
    before = one.car(-2, -1).iloc[0]
    assert path.loc[-3, columns].tolist() == [-before["car"], -before["ci_high"], -before["ci_low"]]
    assert ax.get_ylabel().endswith("(0 on day \N{MINUS SIGN}1)")
    assert f"CAR (0, +1): {car['car']:+.1%}".replace("-", "\N{MINUS SIGN}") in legend_of(ax)
    common.plot.caar()
    frame, options = drawn["plot_caar"]
    caar = common.caar().iloc[0]
    assert options["headline"] == (0, 1, caar["caar"])
    columns[0] = "caar"
    assert frame.set_index("day").loc[1, columns].tolist() == caar[columns].tolist()


def test_a_window_that_is_given_sums_from_its_first_day(one, drawn):
    ax = one.plot.car(-4, 6)
    frame, options = drawn["plot_car"]
    assert "headline" not in options
    assert frame["car"].iloc[-1] == one.car(-4, 6)["car"].iloc[0]
    assert "day" not in ax.get_ylabel()


def test_a_second_study_has_its_own_colour_and_the_title_stays(one, common):
    ax = one.plot.car(label="Named")
    title = ax.get_title()
    common.plot.car(event="e7", ax=ax, label="Peer")
    assert ax.get_title() == title
    named, peer = (line for line in ax.lines if line.get_label() in ("Named", "Peer"))
    assert named.get_color() != peer.get_color()
    assert legend_of(ax) == ["Named", "Peer", "Window (0, +1)"]
    # Zero, the event day and the headline window are drawn once.
    assert len(ax.patches) == 1
    assert [line.get_label() for line in ax.lines].count("_event day") == 1


def test_groups_on_one_axes(market, refit, drawn):
    events = [
        {"security": f"S{i}", "date": market.sessions[250 + 20 * i], "named": i % 2 == 0} for i in range(6)
    ]
    results = refit(market, events)
    results.plot.caar(hue="named")
    frame, options = drawn["plot_caar"]
    assert list(frame["group"].unique()) == ["named = True", "named = False"]
    assert options["title"].startswith("6 events by named")
    results.plot.aar(-1, 1, hue="named")
    assert drawn["plot_aar"][0].groupby("group", sort=False).size().tolist() == [3, 3]
    with pytest.raises(RequestError, match="by='named' draws panels and hue='named' colours"):
        results.plot.caar(by="named", hue="named")


def test_average_abnormal_returns_are_those_of_the_table(common, drawn):
    common.plot.aar(-2, 2)
    frame = drawn["plot_aar"][0].set_index("day")
    columns = ["aar", "ci_low", "ci_high"]
    pd.testing.assert_frame_equal(frame[columns], common.aar().loc[-2:2, columns])


@pytest.mark.slow
def test_rows_leave_out_what_all_share(market, refit):
    day = market.sessions[300]
    events = [{"security": f"S{i}", "date": day, "label": "Rule", "company": f"Firm {i}"} for i in range(3)]
    results = refit(market, events)
    ax = results.plot.forest(sort=False)
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "Firm 0",
        "Firm 1",
        "Firm 2",
        "average of 3",
    ]
    assert ax.get_title() == f"CAR (0, +1): Rule, {day:%Y-%m-%d}"
    assert results.plot.car(event="S1").get_title() == f"Rule (Firm 1, {day:%Y-%m-%d})"
    assert results.plot.heatmap().get_title() == f"Rule, {day:%Y-%m-%d}"


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_the_price_holds_all_announcements_of_a_security(market, refit, drawn):
    days = market.sessions[[250, 300, 350]]
    events = [{"security": "S0", "date": day, "label": f"News {i}"} for i, day in enumerate(days)]
    results = refit(market, [*events, {"security": "S1", "date": days[0]}])
    results.plot.price(security="S0", currency="CNY")
    frame, options = drawn["plot_price"]
    assert options["events"]["date"].tolist() == list(days)
    assert options["events"]["label"].tolist() == ["News 0", "News 1", "News 2"]
    assert options["events"]["car"].tolist() == results.car()["car"].iloc[:3].tolist()
    close = market.prices("close")["S0"]
    assert frame["price"].tolist() == close.loc[frame["date"]].tolist()
    assert (frame["date"].iloc[0], frame["date"].iloc[-1]) == (market.sessions[220], market.sessions[380])
    with pytest.raises(RequestError, match="events of 2 securities: name one with security=, such as 'S0'"):
        results.plot.price()
    with pytest.raises(RequestError, match="No event of these results is of security 'S7'"):
        results.plot.price(security="S7")


@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_windows_are_the_days_that_are_used(market, refit, drawn):
    events = [{"security": "S0", "date": market.sessions[day]} for day in (330, 300)]
    results = refit(market, events, exclude_dates=[market.sessions[200]])
    results.plot.windows(-1, 2)
    frame = drawn["plot_windows"][0]
    # The earlier event comes first.
    first = frame[frame["event"] == frame["event"].iloc[0]]
    sessions = market.sessions
    spans = first.groupby("part", sort=False)[["first", "last"]].agg(list)
    assert spans.loc["estimation", "first"] == [sessions[150], sessions[201]]
    assert spans.loc["estimation", "last"] == [sessions[199], sessions[279]]
    assert spans.loc["event"].tolist() == [[sessions[296]], [sessions[306]]]
    assert spans.loc["tested"].tolist() == [[sessions[299]], [sessions[302]]]


def test_a_headline_of_its_own_is_marked(one, common, drawn):
    one.plot.car(headline=(-1, 1))
    frame, options = drawn["plot_car"]
    assert options["headline"] == (-1, 1, one.car(-1, 1)["car"].iloc[0])
    assert frame.set_index("day")["car"][1] == one.car(-1, 1)["car"].iloc[0]
    one.plot.reaction(headline=(0, 3))
    assert drawn["plot_reaction"][1]["gap_on"] == 3
    one.plot.reaction(-2, 2)
    assert drawn["plot_reaction"][1]["gap_on"] is None
    common.plot.forest(hue="security")
    assert drawn["plot_forest"][0]["security"].tolist()[:2] == ["S0", "S1"]
