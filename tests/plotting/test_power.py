"""Power curves and the effect that is found often enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from eventstudy.plotting import plot_power


def test_the_effect_at_the_target_is_marked_on_each_curve() -> None:
    rates = {"a": [0.05, 0.6, 1.0], "b": [0.05, 0.5, 0.7], "c": [0.05, 0.2, 0.9]}
    parts = [pd.DataFrame({"test": name, "shift": [0.0, 0.01, 0.02], "rate": r}) for name, r in rates.items()]
    ax = plot_power(pd.concat(parts))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    # b does not reach 80%, and between 20 and 90% the effect of c is anybody's guess.
    assert labels == ["a, 80% at 1.5%", "b", "c"]
    (drop,) = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    np.testing.assert_allclose(drop.get_segments(), [[[0.015, 0], [0.015, 0.8]]])
    most = plot_power(parts[1], target=0.6).get_legend().get_texts()[0].get_text()
    assert most == "b, 60% at 1.5%"


@pytest.mark.parametrize(("n", "marker"), [(20, "o"), (21, "")])
def test_dense_curves_have_no_markers(n: int, marker: str) -> None:
    frame = pd.DataFrame({"shift": np.linspace(0, 0.1, n), "rate": np.linspace(0.05, 1, n)})
    assert plot_power(frame).lines[0].get_marker() == marker
