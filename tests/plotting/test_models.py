"""Models beside each other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_models


def told(ax) -> tuple[list[str], list[str]]:
    """Names of the rows, and what the scale beside them writes."""
    rows = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    return rows, [label.get_text() for label in ax.child_axes[0].get_yticklabels()]


def test_rows_stand_in_the_order_of_the_frame_beside_their_errors(frames: SimpleNamespace) -> None:
    frame = frames.models()
    assert told(plot_models(frame)) == (frame["model"].tolist(), ["1.61%", "1.64%", "2.00%"])
    assert told(plot_models(frame.iloc[::-1].set_index("model")))[1] == ["2.00%", "1.64%", "1.61%"]


def test_a_model_without_a_car_has_no_row_and_one_without_predictions_no_error(
    frames: SimpleNamespace,
) -> None:
    frame = frames.models()
    frame.loc[0, "car"] = frame.loc[2, "prediction_variance"] = np.nan
    ax = plot_models(frame)
    assert told(ax) == (frame["model"].tolist()[1:], ["1.64%", "–"])
    assert "known of 2 of 2" not in ax.get_legend().get_texts()[0].get_text()
    with pytest.raises(RequestError, match="plot_models has nothing to draw: none of 3 rows"):
        plot_models(frame.assign(car=np.nan))


def test_a_row_a_model_and_event(frames: SimpleNamespace) -> None:
    frame = frames.models().assign(event_id=[7, 8, 7]).set_index(["model", "event_id"])
    assert told(plot_models(frame))[0][::2] == [
        "Market model (OLS), event 7",
        "Constant mean return, event 7",
    ]
