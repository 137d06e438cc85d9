"""Prediction-error variance by normal-return model, for random placebo events on the A-share panel.

Reads the panel, index and five-factor files in ``../shared/data/panels`` beside the checkout.
Run: ``python benchmarks/model_table.py [events] [peers] [file.csv]``, by default 500 events and 30 random
peers. ``docs/data/model_table.csv`` is the default run.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import eventstudy as es

PANELS = Path(__file__).parents[2] / "shared" / "data" / "panels"
FACTORS = ["mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf"]
SEED = 20190522


def read(name: str) -> pd.DataFrame:
    # The files' pandas metadata name a type that pandas cannot read back.
    return pq.read_table(PANELS / f"{name}.parquet").to_pandas(ignore_metadata=True)


def placebo(n_events: int, n_peers: int) -> tuple[es.Market, es.Events, list[str]]:
    rng = np.random.default_rng(SEED)
    returns = read("cn_returns_pct_2017_2020").set_index("date").astype(float) / 100
    returns.index = pd.to_datetime(returns.index)
    returns = returns.loc[:, returns.notna().mean() > 0.9]
    index = read("indices_daily_2015on").query("index == 'CSI300_000300.SH'").set_index("date")["close"]
    index.index = pd.to_datetime(index.index)
    benchmark = index.sort_index().pct_change().reindex(returns.index).rename("CSI 300")
    factors = read("china_ff5_umd_daily_decimal_2010on").set_index("trddy")[FACTORS]
    factors.index = pd.to_datetime(factors.index)
    complete = returns.columns[returns.notna().mean() > 0.995]
    peers = sorted(rng.choice(complete, n_peers, replace=False))
    listed = returns.columns.difference(peers)
    securities = rng.choice(listed, 2 * n_events)
    days = rng.integers(300, len(returns) - 20, 2 * n_events)
    drawn = pd.DataFrame({"security": securities, "date": returns.index[days]}).drop_duplicates()
    traded = [not np.isnan(returns.at[d, s]) for s, d in zip(drawn["security"], drawn["date"], strict=True)]
    market = es.Market(returns, benchmark=benchmark, factors=factors.reindex(returns.index))
    return market, es.Events(drawn[traded].head(n_events).reset_index(drop=True)), peers


def main() -> None:
    n_events, n_peers = (int(a) for a in (sys.argv[1:] + ["500", "30"][len(sys.argv) - 1 :])[:2])
    market, events, peers = placebo(n_events, n_peers)
    models = [
        es.MarketModel(),
        es.ConstantMean(),
        es.MarketAdjusted(),
        es.MarketModel(missing="trade_to_trade"),
        es.CAPM(),
        es.FactorModel(["mkt_rf"]),
        es.FamaFrench3(),
        es.Carhart4(),
        es.FamaFrench5(),
        es.ScholesWilliams(),
        es.Dimson(),
        es.RobustMarketModel(),
        es.RobustMarketModel("theil-sen"),
        es.EWMarketModel(60),
        es.RollingMarketModel(100),
        es.GARCHMarketModel(),
        es.GARCHMarketModel("gjr"),
        es.GARCHMarketModel("egarch"),
        es.MatchedPortfolio(peers),
        es.SyntheticPeers(peers),
        es.PCAModel(peers),
        es.ElasticNetModel(peers),
    ]
    named = {
        m.label + (", trade to trade" if getattr(m, "missing", "") == "trade_to_trade" else ""): m
        for m in models
    }
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = es.compare_models(market, events, named, 0, 1)
    rows = table[
        ["n_events", "ar", "car", "car_se", "car_p", "prediction_variance", "prediction_ratio"]
    ].copy()
    rows.insert(5, "prediction_sd_pct", 100 * np.sqrt(rows.pop("prediction_variance")))
    print(f"{len(events)} placebo events, {n_peers} peers, {time.perf_counter() - start:.0f} s")
    print(rows.round(4).to_markdown())
    if len(sys.argv) > 3:
        rows.round(6).to_csv(sys.argv[3])


if __name__ == "__main__":
    main()
