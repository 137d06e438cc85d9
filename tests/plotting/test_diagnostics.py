"""Residuals over time, their quantiles and their autocorrelation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from scipy import stats
from statsmodels.tsa.stattools import acf

from eventstudy.errors import RequestError
from eventstudy.plotting import plot_autocorrelation, plot_qq, plot_residuals


def estimation(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "role": "estimation", "day": np.arange(len(values)) - 300})


def test_residuals_are_bars_from_zero(frames: SimpleNamespace) -> None:
    frame = frames.null()
    ax = plot_residuals(frame)
    bars = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    for drawn, role in zip(bars, ("estimation", "event"), strict=True):
        part = frame[frame["role"] == role]
        ends = np.array([segment[1] for segment in drawn.get_segments()])
        np.testing.assert_array_equal(ends, part[["day", "value"]])
    (band,) = ax.patches
    sd = frame.loc[frame["role"] == "estimation", "value"].std()
    assert band.get_y() == pytest.approx(-1.959964 * sd)
    assert band.get_y() + band.get_height() == pytest.approx(1.959964 * sd)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "101 estimation days",
        "2 event days",
        "95% of days if normal",
    ]


def test_quantiles_of_normal_residuals_lie_on_the_line() -> None:
    n = 200
    exact = stats.norm.ppf((np.arange(1, n + 1) - 0.5) / n)
    ax = plot_qq(estimation(np.random.default_rng(0).permutation(0.02 * exact)))
    x, y = (np.asarray(values) for values in ax.lines[1].get_data())
    np.testing.assert_array_equal(y, 0.02 * exact)
    np.testing.assert_allclose(x, y, atol=2e-4)
    np.testing.assert_array_equal(*ax.lines[0].get_data())


@pytest.mark.slow
def test_band_of_quantiles_holds_its_share() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(20):
        ax = plot_qq(estimation(rng.normal(0, 0.02, 100)))
        x, y = (np.asarray(values) for values in ax.lines[1].get_data())
        (band,) = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
        corners = band.get_paths()[0].vertices
        low, high = (
            np.array([pick(corners[np.isclose(corners[:, 0], at), 1]) for at in x]) for pick in (min, max)
        )
        assert (low < high).all()
        inside.append(((y > low) & (y < high)).mean())
    # Mean and deviation are estimated, so that the band holds rather more than 95%.
    assert 0.93 < np.mean(inside) < 1.0


def test_event_days_take_no_part(frames: SimpleNamespace) -> None:
    frame = frames.null()
    past = frame[frame["role"] == "estimation"]
    for draw, line in ((plot_qq, 1), (plot_autocorrelation, 1)):
        np.testing.assert_array_equal(draw(frame).lines[line].get_ydata(), draw(past).lines[line].get_ydata())


def test_autocorrelation_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0, 0.02, 250)
    values[1:] += 0.5 * values[:-1]
    values[[3, 50, 51, 120]] = np.nan
    ax = plot_autocorrelation(estimation(values), lags=12)
    (residuals, squares) = ax.lines[1:3]
    lags = np.arange(1, 13)
    np.testing.assert_allclose(residuals.get_xdata(), lags - 0.15)
    for line, series in ((residuals, values), (squares, values**2)):
        theirs = acf(series, nlags=12, missing="conservative", adjusted=False, fft=False)[1:]
        # Theirs divides by all days, ours by the pairs there are.
        seen = ~np.isnan(series)
        pairs = np.array([(seen[:-lag] & seen[lag:]).sum() for lag in lags])
        np.testing.assert_allclose(line.get_ydata(), theirs * seen.sum() / pairs, atol=1e-12)
    (band,) = ax.patches
    assert band.get_height() / 2 == pytest.approx(1.959964 / np.sqrt(246))


def test_lags_do_not_outgrow_the_days() -> None:
    ax = plot_autocorrelation(estimation(np.array([1.0, -1, 1, -1, 1, -1])))
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [-1, 1])


@pytest.mark.parametrize("draw", [plot_residuals, plot_qq, plot_autocorrelation])
def test_too_few_residuals(draw: object, frames: SimpleNamespace) -> None:
    frame = frames.null()
    frame.loc[2:, "value"] = np.nan
    with pytest.raises(RequestError, match="2 rows of role 'estimation' have a value"):
        draw(frame)  # type: ignore[operator]
