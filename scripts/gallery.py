"""Draw every figure of the library on bundled prices, and one contact sheet of them all.

Run as ``python scripts/gallery.py [folder]``; the default folder is build/gallery.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

import eventstudy as es

COLUMNS = 4
SECTOR = ("002415.SZ", "002236.SZ", "300188.SZ", "002230.SZ", "002583.SZ")
DATES = {"House bill": "2018-08-01", "NYT report": "2019-05-22", "Entity list": "2019-10-08"}


def studies() -> tuple[es.EventStudyResults, es.EventStudyResults, es.EventStudyResults]:
    """Fit one event, the sector's events, and a suspension with the limit-down sessions after it."""
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    news = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}]
    sector = [
        {"security": security, "date": date, "label": label}
        for label, date in DATES.items()
        for security in SECTOR
    ]
    denial = [{"security": "000063.SZ", "date": "2018-04-17", "label": "Denial order"}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        return (
            es.EventStudy(market, news, estimation=(-270, -21)).fit(),
            es.EventStudy(market, sector, estimation=(-200, -21)).fit(),
            es.EventStudy(market, denial, estimation=(-200, -21), window=(-5, 20)).fit(),
        )


def figures() -> dict[str, Callable[[], Axes]]:
    """Give the call that draws each figure of ``results.plot``."""
    one, sector, halted = (results.plot for results in studies())
    calls: dict[str, Callable[[], Axes]] = {
        "car": one.car,
        "reaction": lambda: one.reaction(currency="CNY"),
        "decomposition": lambda: one.decomposition(currency="CNY"),
        "timeline": lambda: halted.timeline(currency="CNY"),
        "fit": one.fit,
        "null": one.null,
        "caar": sector.caar,
        "forest": lambda: sector.forest(0, 1),
        "heatmap": sector.heatmap,
        "clustering": sector.clustering,
        "tests": lambda: sector.tests(0, 1),
        "residuals": one.residuals,
        "qq": one.qq,
        "autocorrelation": one.autocorrelation,
    }
    missing = {name for name in dir(one) if not name.startswith("_")} - calls.keys()
    if missing:
        raise SystemExit(f"scripts/gallery.py lacks the figures {sorted(missing)}.")
    return calls


def main(folder: Path) -> None:
    """Write one image a figure, and contact_sheet.png."""
    folder.mkdir(parents=True, exist_ok=True)
    calls = figures()
    for name, draw in calls.items():
        figure = draw().figure
        figure.savefig(folder / f"{name}.png", dpi=110, bbox_inches="tight")
        plt.close(figure)
    rows = -(-len(calls) // COLUMNS)
    sheet, axes = plt.subplots(rows, COLUMNS, figsize=(5 * COLUMNS, 4.6 * rows), layout="constrained")
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, calls, strict=False):
        ax.imshow(plt.imread(folder / f"{name}.png"))
        ax.set_title(f"results.plot.{name}")
    sheet.savefig(folder / "contact_sheet.png", dpi=110)
    plt.close(sheet)
    print(folder / "contact_sheet.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/gallery"))
