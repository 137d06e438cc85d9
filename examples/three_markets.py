"""One announcement, three markets: Huawei on the Entity List, seen from Shenzhen, Hong Kong and New York.

In the evening of 15 May 2019 in Washington, Huawei and 68 of its affiliates were put on the Entity List.
Shenzhen and Hong Kong opened on it the next morning, New York twelve hours later. Each share is measured
against its own market, in its own currency and calendar, and all of them are pooled into one cross-section.
ZTE, Huawei's peer, is listed in Shenzhen and in Hong Kong and counts once.

The prices of Hong Kong and New York may not be redistributed: the script reads panels beside the checkout,
in ../shared/data/panels, and says so where there are none.

    python examples/three_markets.py [folder of the figure]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

PANELS = Path(__file__).resolve().parents[2] / "shared" / "data" / "panels"
FILES = ("cn_raw_ohlc_fen_2018_2019", "hk_named_ohlcv_adj_2016_2022", "us_suppliers_ohlcv_2016_2020")
INDICES = "indices_daily_2015on"
PERIOD = pd.Timestamp("2018-03-01"), pd.Timestamp("2019-07-31")
#: In Shenzhen: ZTE's other listing, and a maker of circuit boards that the list of bans knows as a supplier.
SHENZHEN = {"000063.SZ": "ZTE", "002916.SZ": "Shennan Circuits"}


def panel(name: str) -> pd.DataFrame:
    """Read a panel, with the column names that `Market.from_prices` knows, for the period of the study."""
    names = {"ts_code": "ticker", "preclose": "previous_close", "Date": "date"}
    frame = pd.read_parquet(PANELS / f"{name}.parquet").rename(columns=names).rename(columns=str.lower)
    frame = frame.assign(date=pd.to_datetime(frame["date"]))
    return frame[frame["date"].between(*PERIOD)]


def markets() -> dict[str, es.Market]:
    """Make the three markets, each with its own index, currency and calendar."""
    levels = panel(INDICES).pivot(index="date", columns="index", values="close")
    sp500 = levels["SP500"].dropna()
    # What New York did overnight is in Asia's prices at the opening, and no news of that morning.
    night = es.known_at_open(sp500.pct_change().iloc[1:], "XNYS", "XSHG").rename("sp500")
    found = {}
    shenzhen = panel(FILES[0])
    shenzhen = shenzhen[shenzhen["ticker"].isin(SHENZHEN)].drop(columns="total_mv")
    found["Shenzhen"] = es.Market.from_prices(
        shenzhen,
        benchmark=levels["SZSE_COMP_399001.SZ"].dropna(),
        factors=night.to_frame(),
        calendar="XSHG",
    )
    night = es.known_at_open(sp500.pct_change().iloc[1:], "XNYS", "XHKG").rename("sp500")
    found["Hong Kong"] = es.Market.from_prices(
        panel(FILES[1]), benchmark=levels["HANG_SENG_HSI"].dropna(), factors=night.to_frame(), calendar="XHKG"
    )
    found["New York"] = es.Market.from_prices(panel(FILES[2]), benchmark=sp500, calendar="XNYS")
    return found


def events() -> dict[str, pd.DataFrame]:
    """List who was hit where: suppliers and peers of Huawei in the bundled list, and those of Shenzhen."""
    listing = es.datasets.ban_announcements().about("Huawei").between("2019-05-15", "2019-05-15")
    told = listing.announcements.query("instrument == 'entity_list'").iloc[0]
    linked = [listing.role(role).securities for role in ("supplier", "peer")]
    rows = pd.concat(linked, ignore_index=True).query("announcement_id == @told.name")
    found = {}
    for name, exchanges in {"Hong Kong": ["XHKG"], "New York": ["XNYS", "XNAS"]}.items():
        part = rows[rows["mic"].isin(exchanges)]
        found[name] = pd.DataFrame(
            {"security": part["security"].to_numpy(), "firm": part["company"].to_numpy()}
        )
    found["Shenzhen"] = pd.DataFrame({"security": list(SHENZHEN), "firm": list(SHENZHEN.values())})
    window = {"announced_after": told["earliest"], "announced_before": told["latest"]}
    order = ("Shenzhen", "Hong Kong", "New York")
    return {name: found[name].assign(label=found[name]["firm"], **window) for name in order}


def studies(given: Mapping[str, es.Market]) -> dict[str, es.EventStudyResults]:
    """Fit one study a market: in Asia with the night before in New York beside the local index."""
    found = {}
    for name, listed in events().items():
        market = given[name]
        model = es.MarketModel() if name == "New York" else es.MarketModel(lags={"sp500": 0})
        here = listed[listed["security"].isin(market.securities)]
        found[name] = es.EventStudy(market, here, model, estimation=(-200, -11), window=(-5, 5)).fit()
    return found


def main(folder: str | None = None) -> es.PooledResults | None:
    """Run the example; None where the panels are absent."""
    missing = [name for name in (*FILES, INDICES) if not (PANELS / f"{name}.parquet").exists()]
    if missing:
        print(f"Not run: {', '.join(missing)} absent from {PANELS.parent.parent.name}/data/panels.")
        return None
    # Gaps of these files and price limits are not the subject here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        pooled = es.pool(studies(markets()))
    clock = pooled.clock()
    clock = clock.groupby("study", sort=False)[["opens", "hours", "order"]].first()
    shown = clock.assign(opens=clock["opens"].dt.strftime("%d %B %H:%M UTC"))
    print(Table("Round the clock", (Section(shown, formats={"hours": "{:.1f}"}),)), end="\n\n")
    print(pooled.summary(0, 0), end="\n\n")
    groups = pooled.test(0, 0, tests="adjusted_bmp", by="study").set_index("group")
    shown = groups[["statistic", "p_value", "n_events"]]
    formats = {"statistic": "{:.2f}", "p_value": "{:.3f}", "n_events": "{:d}"}
    print(Table("By market: adjusted BMP; differences: Welch's t", (Section(shown, formats=formats),)))
    if folder is not None:
        figure = pooled.plot.forest(0, 0).figure
        figure.savefig(Path(folder) / "three_markets.png", dpi=150, bbox_inches="tight")
    return pooled


if __name__ == "__main__":
    main(*sys.argv[1:2])
