"""Bans under several counterfactuals, for ``docs/data/causal_cases.csv``: estimates, never prices.

    python benchmarks/causal_cases.py

Reads the panels in ``../shared/data``: Hikvision and Dahua on 22 May 2019 with A-share donors that no ban in
the dataset names, and the suppliers that the press named on the day of ZTE's denial order, 16 April 2018,
with donors from the S&P 500 that make no parts for networks or phones.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from case_tables import PARTS, RIVALS

import eventstudy as es

ROOT = Path(__file__).parents[1]
PANELS = ROOT.parent / "shared" / "data" / "panels"
TABLE = ROOT / "docs" / "data" / "causal_cases.csv"
DONORS = 120
WINDOWS = ((0, 0), (0, 1), (0, 4))
OTHERS = ["AAPL", "AMAT", "GOOGL", "KLAC", "LRCX", "MSFT", "SEAC", "MCHP", "ADI", "GLW", "APH", "TEL"]


def read(name: str) -> pd.DataFrame:
    """Read a panel without its pandas metadata, which pandas cannot read back."""
    return pq.read_table(PANELS / f"{name}.parquet").to_pandas(ignore_metadata=True)


def index_returns(name: str) -> pd.Series:
    """Daily returns of an index."""
    frame = read("indices_daily_2015on")
    frame = frame[frame["index"] == name]
    close = pd.Series(frame["close"].to_numpy(float), pd.to_datetime(frame["date"].astype(str))).sort_index()
    return close.pct_change(fill_method=None).dropna().rename(name)


def china() -> tuple[es.Market, list[dict[str, object]], list[str]]:
    """Market, events and donors of 22 May 2019."""
    wide = read("cn_returns_pct_2017_2020")
    wide = wide.set_index(pd.to_datetime(wide.pop("date"))).astype(float) / 100
    wide = wide.loc["2018-01-01":"2019-12-31"]
    banned = set(es.datasets.ban_announcements().securities["security"])
    complete = wide.columns[wide.loc["2018-04-01":"2019-06-30"].notna().all()]
    able = sorted(name for name in complete if name not in banned and name.endswith((".SZ", ".SH")))
    donors = np.random.default_rng(20190522).choice(able, DONORS, replace=False).tolist()
    treated = ["002415.SZ", "002236.SZ"]
    benchmark = index_returns("CSI300_000300.SH").reindex(wide.index)
    market = es.Market(wide[[*treated, *donors]], benchmark=benchmark)
    return market, [{"security": name, "date": "2019-05-22"} for name in treated], donors


def america() -> tuple[es.Market, list[dict[str, object]], list[str]]:
    """Market, events and donors of 16 April 2018."""
    named = pd.read_csv(ROOT / "docs" / "data" / "case_events.csv")
    named = named[(named["study"] == "ZTE denial order") & (named["sample"] == "suppliers named")]
    treated = sorted(named["security"])
    parts = read("us_suppliers_ohlcv_2016_2020")
    parts = parts[parts["ticker"].isin(treated)]
    index = read("us_sp500_daily_2016_2020")
    index = index[~index["ticker"].astype(str).isin({*treated, *PARTS, *RIVALS, *OTHERS})]
    long = pd.concat([frame[["date", "ticker", "adj_close"]] for frame in (parts, index)])
    long = long.assign(date=pd.to_datetime(long["date"]), ticker=long["ticker"].astype(str))
    wide = long.pivot(index="date", columns="ticker", values="adj_close").sort_index()
    wide = wide.pct_change(fill_method=None).iloc[1:].loc["2017-01-01":"2018-12-31"]
    able = sorted(set(wide.columns[wide.notna().all()]) - set(treated))
    donors = np.random.default_rng(20180416).choice(able, DONORS, replace=False).tolist()
    market = es.Market(wide[[*treated, *donors]], benchmark=index_returns("SP500").reindex(wide.index))
    return market, [{"security": name, "date": "2018-04-16"} for name in treated], donors


CASES = {"Hikvision and Dahua": china, "ZTE's suppliers": america}


def fitted(case: str) -> es.CausalResults:
    """Synthetic control of a case."""
    market, events, donors = CASES[case]()
    with warnings.catch_warnings():
        # Acacia fell by 36% on the day of the denial order, and did not split.
        warnings.filterwarnings("ignore", "(?s).*ACIA on 2018-04-16", es.errors.SuspectDataWarning)
        return es.CausalStudy(market, events, donors=donors, window=(0, 4)).fit()


def main() -> None:
    rows = []
    for case in CASES:
        results = fitted(case)
        fit = results.diagnostics(0, 0).iloc[0]
        for window in WINDOWS:
            found = es.compare_counterfactuals(results, *window)
            frame = found.frame.reset_index()
            frame.insert(0, "case", case)
            frame.insert(1, "window", str(es.Window(*window)))
            frame["n_donors"], frame["n_events"] = fit["n_donors"], fit["n_events"]
            frame["donor_ratio"], frame["beta"] = fit["donor_ratio"], fit["beta"]
            frame["beta_counterfactual"] = fit["beta_counterfactual"]
            rows.append(frame)
            print(case, window, found, flush=True)
    pd.concat(rows).round(6).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
