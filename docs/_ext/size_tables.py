"""Measured rejection rates and prediction errors as tables; pages import them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex
from pandas.io.formats.style import Styler

import eventstudy as es

DATA = Path(__file__).parents[1] / "data"
#: The scenarios that all tests of averages were run in, by their key in the table of sizes.
SCENARIOS = {
    "S1": "iid",
    "S2": "11 days",
    "S3": "variance ×2",
    "S4": "one date",
    "S5": "one date, 11 days",
    "S6": "t(4)",
    "S7": "one date, variance ×2",
    "S8": "5% missing, 11 days",
    "S9": "one date, common shock ×4",
}


def sizes() -> pd.DataFrame:
    """Return the whole table of sizes."""
    return pd.read_csv(DATA / "size_table.csv")


def colour(rate: float) -> str:
    """White at 5%, and letters that can be read on it."""
    if np.isnan(rate):
        return ""
    rgb = np.array(colormaps["RdBu_r"](0.5 + np.log2((rate + 0.5) / 5.5) / 5)[:3])
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    return f"background-color: {to_hex(rgb)}; color: {'black' if light > 0.179 else 'white'}"


def show(rows: pd.DataFrame, columns: str | list[str]) -> Styler:
    """Show rates in percent on colours around 5; those of tests that claim to be valid there are bold."""
    wide = 100 * rows.pivot(index="test", columns=columns, values="rate")
    claimed = rows.pivot(index="test", columns=columns, values="claimed").reindex_like(wide)
    keys = [key for key in es.inference.TESTS if key in wide.index]
    wide = wide.loc[keys]
    bold = claimed.loc[keys].eq(True).map(lambda own: "font-weight: bold" if own else "")
    narrow = [{"selector": "td, th", "props": "padding: 0.2rem 0.3rem"}]
    styled = wide.style.format("{:.1f}", na_rep="–").map(colour).apply(lambda _: bold, axis=None)
    return styled.set_table_styles(narrow)


def scenarios(*tests: str) -> Styler:
    """Rates of some tests, or of all, in the nine scenarios of thirty events."""
    rows = sizes()
    rows = rows[rows["cell"].isin(SCENARIOS) & (rows["test"].isin(tests) if tests else True)]
    return show(rows.assign(cell=rows["cell"] + " " + rows["cell"].map(SCENARIOS)), "cell")


def one_event(*tests: str) -> Styler:
    """Rates of some tests, or of all, with a single event."""
    rows = sizes()
    rows = rows[(rows["events"] == 1) & (rows["cell"] != "serial-1")]
    return show(rows[rows["test"].isin(tests)] if tests else rows, ["window", "errors"])


def predictions(*models: str) -> pd.DataFrame:
    """Prediction errors of models on days without news: standard deviation, and ratio of variances."""
    rows = pd.read_csv(DATA / "model_table.csv").set_index("model").loc[list(models)]
    named = {
        "prediction_sd_pct": "standard deviation, %",
        "prediction_ratio": "variance, market model = 1",
    }
    return rows[list(named)].rename(columns=named).round(3)


def beyond(design: str) -> pd.DataFrame:
    """Rates in the designs whose name begins so: groups, slopes, money, repeated announcements, markets."""
    rows = pd.read_csv(DATA / "beyond_size.csv")
    rows = rows[rows["design"].str.startswith(design)].assign(
        design=lambda d: d["design"].str.replace("_", " ")
    )
    return _rates(rows, ["design", "method"])


def slopes(*methods: str) -> pd.DataFrame:
    """Rates of slopes that few events or dates decide, in percent, one method a column."""
    rows = pd.read_csv(DATA / "slope_size.csv")
    rows = rows[rows["method"].isin(methods)].assign(rate=lambda d: 100 * d["rate"])
    wide = rows.pivot(index="design", columns="method", values="rate")
    return wide.loc[rows["design"].unique(), list(methods)].round(1).rename_axis(columns=None)


def measures(tests: str, *cells: str) -> pd.DataFrame:
    """Rates of long horizons, volume, volatility and bars, by cells and a pattern of tests."""
    rows = pd.read_csv(DATA / "measures_size.csv")
    return _rates(rows[rows["cell"].isin(cells) & rows["test"].str.contains(tests)], ["cell", "test"])


def _rates(rows: pd.DataFrame, index: list[str]) -> pd.DataFrame:
    shown = rows.set_index(index)[["rate", "low", "high"]] * 100
    return shown.round(1).add_suffix(", %")
