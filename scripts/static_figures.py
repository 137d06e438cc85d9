"""Draw the figure of the README, docs/_static/hikvision_reaction.png.

Run as ``python scripts/static_figures.py``. The code is that of the README's first example.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

import eventstudy as es

STATIC = Path(__file__).parents[1] / "docs" / "_static"
ANNOUNCED = "2019-05-21 19:00-04:00"


def reaction(path: Path) -> None:
    """Draw Hikvision's price beside the price had nothing been announced."""
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    events = es.Events([{"security": "002415.SZ", "announced_at": ANNOUNCED}])
    results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
    figure, ax = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    results.plot.reaction(-6, 1, ax=ax, currency="CNY", title="Hikvision, reported on 21 May 2019")
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    reaction(STATIC / "hikvision_reaction.png")
