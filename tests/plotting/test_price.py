"""The price of one security with all its announcements."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_price


def test_every_announcement_is_numbered_on_its_day_and_listed(frames: SimpleNamespace) -> None:
    frame, events = frames.price(), frames.announcements(3)
    ax = plot_price(frame, events=events.iloc[::-1])
    (dots,) = [line for line in ax.lines if line.get_label() == "_events"]
    at = frame.set_index("date")["price"].reindex(events["date"])
    np.testing.assert_array_equal(dots.get_ydata(), at)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "15 Mar 2019, Announcement 1 of a list: \N{MINUS SIGN}8.0%",
        "26 Apr 2019, Announcement 2 of a list: \N{MINUS SIGN}3.0%",
        "7 Jun 2019, Announcement 3 of a list: +2.0%",
    ]
    assert sorted(text.get_text() for text in ax.texts) == ["1", "2", "3"]


def test_a_day_without_trade_is_marked_at_the_price_before_it(frames: SimpleNamespace) -> None:
    frame = frames.price()
    lost = int(np.flatnonzero(frame["price"].isna())[0])
    events = frames.announcements(1).assign(date=frame["date"].iloc[lost + 1])
    (dots,) = [line for line in plot_price(frame, events=events).lines if line.get_label() == "_events"]
    assert dots.get_ydata() == [frame["price"].iloc[lost - 1]]


def test_the_list_has_room_or_is_counted(frames: SimpleNamespace) -> None:
    events = frames.announcements(12).assign(label=frames.LONG)
    few, many = (plot_price(frames.price(), events=events.head(n)) for n in (2, 12))
    assert many.figure.get_figheight() > few.figure.get_figheight() + 1
    _, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    (told,) = plot_price(frames.price(), ax, events=events).get_legend().get_texts()
    assert told.get_text().replace("\n", " ") == "12 announcements, numbered by date"


def test_an_announcement_outside_the_prices_is_refused(frames: SimpleNamespace) -> None:
    events = frames.announcements(2).assign(date=lambda f: f["date"] + np.timedelta64(100, "D"))
    with pytest.raises(RequestError, match="prices from 2019-03-01 to 2019-06-20, and an event on"):
        plot_price(frames.price(), events=events)
