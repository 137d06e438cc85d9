"""Tables behind the case pages whose prices may not be bundled: estimates, never prices.

Reads the panels in ``../shared/data/panels`` beside the checkout, measures suppliers in New York and Hong
Kong and the targets of bans in mainland China and Hong Kong, and writes ``docs/data/case_events.csv`` (each
event), ``case_means.csv`` (each study and window), ``case_tests.csv`` (their tests),
``case_medians.csv`` (medians among those of the days before) and ``answer_events.csv`` (each event of the
whole list that the panels cover).

Run: ``python benchmarks/case_tables.py [folder]``, by default docs/data.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import eventstudy as es

ROOT = Path(__file__).parents[1]
PANELS = ROOT.parent / "shared" / "data" / "panels"
ESTIMATION, WINDOW = (-250, -21), (-5, 10)
WINDOWS = ((0, 0), (0, 1), (0, 4))
#: US-listed makers of chips, optical parts and storage in the panel, whoever bought from them.
PARTS = [
    "ACIA",
    "ADI",
    "AMBA",
    "AMD",
    "AVGO",
    "CRUS",
    "IIVI",
    "INTC",
    "IPHI",
    "LITE",
    "MRVL",
    "MU",
    "MXL",
    "NPTN",
    "NVDA",
    "NXPI",
    "ON",
    "QCOM",
    "QRVO",
    "STX",
    "SWKS",
    "TXN",
    "VIAV",
    "WDC",
    "XLNX",
]
#: Makers of network gear in the panel, as ZTE is.
RIVALS = ["CIEN", "CSCO", "JNPR"]
#: Tests that survive a common date or few of them; for one event the last three.
TESTS = ["adjusted_bmp", "grank_t", "portfolio", "jaffe", "block_bootstrap", "permutation"]
TESTS += ["t", "bootstrap_t", "sq"]
#: What the answers of the whole list need of an event's announcement.
ANSWERS = [
    "company",
    "role",
    "group",
    "stage",
    "instrument",
    "jurisdiction",
    "expected_sign",
    "confirmed_by",
    "left_out",
    "halted_from",
    "halted_to",
]
#: A new share's first return is measured from its issue price, and its first sessions have no limit.
NEW_SESSIONS = 5
#: A halt of more days makes one event noisier than all others together.
LONG_HALT = 10


class Case(NamedTuple):
    """One study: its name, which events, and their results."""

    study: str
    sample: str
    results: es.EventStudyResults | es.PooledResults


def read(name: str) -> pd.DataFrame:
    # The files' pandas metadata name a type that pandas cannot read back.
    frame = pq.read_table(PANELS / f"{name}.parquet").to_pandas(ignore_metadata=True)
    frame.columns = [str(column).lower() for column in frame.columns]
    return frame.assign(date=pd.to_datetime(frame["date"].astype(str)))


def index(name: str) -> pd.Series:
    frame = read("indices_daily_2015on")
    return frame[frame["index"] == name].set_index("date")["close"].sort_index()


def listed(frame: pd.DataFrame, benchmark: pd.Series, ticker: str, calendar: str) -> es.Market:
    """Return the market of a long panel and of an index that stands in another."""
    frame = frame.rename(columns={"ticker": "security"})[["date", "security", "close", "adj_close", "volume"]]
    days = benchmark.loc[frame["date"].min() : frame["date"].max()].rename("close").reset_index()
    days = days.assign(security=ticker, adj_close=days["close"], volume=1.0)
    with warnings.catch_warnings():
        # Days on which the exchange was closed (typhoons) but the panel repeats a close.
        warnings.simplefilter("ignore", es.errors.CalendarWarning)
        return es.Market.from_prices(pd.concat([frame, days]), benchmark=ticker, calendar=calendar)


def new_york() -> es.Market:
    return listed(read("us_suppliers_ohlcv_2016_2020"), index("SP500"), "^GSPC", "XNYS")


def hong_kong() -> es.Market:
    frame = read("hk_named_ohlcv_adj_2016_2022")
    return listed(frame.assign(adj_close=frame["close"]), index("HANG_SENG_HSI"), "^HSI", "XHKG")


def mainland() -> es.Market:
    """Return the A-shares of the announcements: total returns, each against the index of its exchange."""
    returns = read("cn_returns_pct_2017_2020").set_index("date") / 100
    returns.columns = returns.columns.str.upper().str.replace(".SH", ".SS")
    wanted = es.datasets.ban_announcements().securities["security"].unique()
    returns = returns[[name for name in wanted if name in returns]].astype(float)
    young = returns.isna().iloc[0] & (returns.notna().cumsum() <= NEW_SESSIONS)
    shares, returns = list(returns), returns.mask(young)
    for ticker, name in (("399001.SZ", "SZSE_COMP_SPLICED"), ("000001.SS", "SSE_COMP_000001.SH")):
        returns[ticker] = index(name).pct_change().reindex(returns.index)
    benchmarks = {share: "399001.SZ" if share.endswith(".SZ") else "000001.SS" for share in shares}
    return es.Market(returns, benchmark=benchmarks, calendar="XSHG", gaps="lumped")


def fit(market: es.Market, events: pd.DataFrame) -> es.EventStudyResults:
    with warnings.catch_warnings():
        # Which events cannot be used is in the table; that firms recur is the subject.
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        return es.EventStudy(market, es.Events(events), estimation=ESTIMATION, window=WINDOW).fit()


def screened(bans: es.datasets.BanAnnouncements, market: es.Market) -> pd.DataFrame:
    """Rows of a market that are not left out, labelled by company."""
    rows = bans.screen(market)
    rows = rows[rows["left_out"] == ""].drop(columns="left_out")
    return rows.assign(label=rows["company"])


def of_day(securities: Iterable[str], day: str, known: pd.DataFrame) -> pd.DataFrame:
    names = dict(zip(known["security"], known["company"], strict=True))
    return pd.DataFrame(
        [{"event_id": f"{day}:{s}", "security": s, "date": day, "label": names.get(s, s)} for s in securities]
    )


def zte(us: es.Market, hk: es.Market) -> list[Case]:
    """ZTE's denial order and its reversal through suppliers and rivals, and through its own halt."""
    bans = es.datasets.ban_announcements()
    cases = []
    for study, day, session in (
        ("ZTE denial order", "2018-04-16", "2018-04-16"),
        ("ZTE tweet", "2018-05-13", "2018-05-14"),
    ):
        named = screened(bans.between(day, day).role("supplier"), us)
        cases += [
            Case(study, "suppliers named", fit(us, named)),
            Case(study, "parts makers", fit(us, of_day(PARTS, session, bans.securities))),
            Case(study, "rivals", fit(us, of_day(RIVALS, session, bans.securities))),
        ]
    own = screened(bans.between("2018-04-16", "2018-04-16").role("target"), hk)
    return [*cases, Case("ZTE denial order", "its own share in Hong Kong", fit(hk, own))]


def huawei(us: es.Market, hk: es.Market) -> list[Case]:
    """Huawei's listing through its suppliers in New York and Hong Kong."""
    bans = es.datasets.ban_announcements().between("2019-05-15", "2019-05-16")
    bans = bans.about("Huawei").role("supplier")
    parts = {"New York": fit(us, screened(bans, us)), "Hong Kong": fit(hk, screened(bans, hk))}
    events = screened(bans, us)
    without = fit(us, events[events["security"] != "QCOM"])
    study = "Huawei on the Entity List"
    return [
        Case(study, "suppliers in New York", parts["New York"]),
        Case(study, "suppliers in New York without Qualcomm", without),
        Case(study, "suppliers in Hong Kong", parts["Hong Kong"]),
        Case(study, "suppliers on both exchanges", es.pool(parts)),
    ]


def reports_and_bans(markets: dict[str, es.Market]) -> list[Case]:
    """Press reports of a coming ban, and bans: targets, no reaction counted twice."""
    bans = es.datasets.ban_announcements().kind("press_report", "leak", "official").role("target")
    rows = {name: _reports_or_bans(screened(bans, market)) for name, market in markets.items()}
    short = {name: frame[~_long_halt(frame)] for name, frame in rows.items()}
    cases = []
    for group in ("report", "ban"):
        usual, all_rows = (
            {name: frame[frame["group"] == group] for name, frame in kept.items()} for kept in (short, rows)
        )
        cases.append(Case("Reports and bans", f"{group}s", _pooled(markets, usual)))
        if any(len(all_rows[name]) > len(usual[name]) for name in markets):
            sample = f"{group}s, long halts as well"
            cases.append(Case("Reports and bans", sample, _pooled(markets, all_rows)))
    return [*cases, Case("Reports and bans", "both", _pooled(markets, short))]


def _pooled(markets: dict[str, es.Market], rows: dict[str, pd.DataFrame]) -> es.PooledResults:
    return es.pool({name: fit(markets[name], frame) for name, frame in rows.items()}, firm="company")


def _reports_or_bans(rows: pd.DataFrame) -> pd.DataFrame:
    """Name the group of each row; leave out other rows and those in the window of an earlier one."""
    told = rows["group"].isin(["press_report", "leak"]) & (rows["stage"] == "proposed")
    done = (rows["group"] == "official") & rows["stage"].isin(["imposed", "widened"])
    told, done = ((kind & (rows["expected_sign"] != "open")) for kind in (told, done))
    rows = rows.assign(group=np.where(told, "report", "ban"))[told | done]
    later = es.Events(rows).overlaps(within_days=4)["event_id"]
    return rows[~rows["event_id"].isin(later)]


def _long_halt(rows: pd.DataFrame) -> pd.Series:
    return (rows["halted_to"] - rows["halted_from"]).dt.days > LONG_HALT


def pairs(markets: dict[str, es.Market]) -> list[Case]:
    """Announcements that came true, each beside the one that did it, whatever else was known."""
    bans = es.datasets.ban_announcements().role("target")
    cases = []
    for name, market in markets.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", es.errors.ExcludedEventsWarning)
            rows = bans.events(market, keep=["confirmation"]).frame.reset_index()
        rows = rows.assign(label=rows["company"])
        truth = rows.set_index(["announcement_id", "security"]).index
        first = rows[rows["confirmed_by"] != ""]
        came = [(c, s) in truth for c, s in zip(first["confirmed_by"], first["security"], strict=True)]
        # A report may be followed by a second one before it comes true: the first is compared.
        first = first[came].drop_duplicates(["confirmed_by", "security"])
        second = rows.set_index("event_id").loc[first["confirmed_by"] + ":" + first["security"]]
        told = pd.concat([first.assign(group="report"), second.reset_index().assign(group="confirmation")])
        cases.append(Case("Pairs", name, fit(market, told)))
    return cases


def events_table(cases: Iterable[Case]) -> pd.DataFrame:
    """One row per event: abnormal returns, standard errors and intervals of day 0 and of windows from it."""
    parts = []
    for study, sample, results in cases:
        frame = results.timeline[["security", "label", "day_0", "spans"]].copy()
        if isinstance(results, es.EventStudyResults) and "group" in results.spec.events.frame:
            frame["group"] = results.spec.events.frame["group"]
        for window in WINDOWS:
            car = results.car(*window)[["car", "se", "p_value", "ci_low", "ci_high"]]
            frame = frame.join(car.add_suffix(f"_{window[1]}"))
        frame.insert(0, "sample", sample)
        frame.insert(0, "study", study)
        parts.append(frame.rename_axis("event_id").reset_index())
    return pd.concat(parts, ignore_index=True)


def means_table(cases: Iterable[Case]) -> pd.DataFrame:
    """One row a study, sample and window: mean with its interval, median, how the events depend."""
    rows = []
    for study, sample, results in cases:
        for window in WINDOWS:
            car, mean = results.car(*window)["car"], results.caar(*window).iloc[0]
            crowd = results.clustering(*window)
            rows.append(
                {
                    "study": study,
                    "sample": sample,
                    "window": str(es.Window.of(window)),
                    "n_events": len(car),
                    "n_dates": crowd.n_dates,
                    "effective_n": crowd.effective_n,
                    "mean": mean["caar"],
                    "ci_low": mean["ci_low"],
                    "ci_high": mean["ci_high"],
                    "interval": mean["test"],
                    "median": car.median(),
                    "positive": (car > 0).mean(),
                }
            )
    return pd.DataFrame(rows)


def tests_table(cases: Iterable[Case]) -> pd.DataFrame:
    """Tests of each study, sample and window that apply; of reports and bans also their difference."""
    parts = []
    for study, sample, results in cases:
        for window in WINDOWS:
            if sample == "both":
                found = results.test(*window, by="group", seed=0)
                found = found[found["group"].str.contains(" - ", regex=False)].drop(columns="group")
            else:
                found = results.test(*window, tests=TESTS, seed=0).query("applicable")
            found = found[["test", "p_value"]]
            found.insert(0, "window", str(es.Window.of(window)))
            found.insert(0, "sample", sample)
            found.insert(0, "study", study)
            parts.append(found)
    return pd.concat(parts, ignore_index=True)


def median_table(us: es.Market) -> pd.DataFrame:
    """Rank the median abnormal return of the parts makers among those of the year before."""
    rows = []
    for study, day in (("ZTE denial order", "2018-04-16"), ("ZTE tweet", "2018-05-14")):
        at = us.sessions.get_loc(pd.Timestamp(day))
        # The denial order is one of the days before the tweet, and no ordinary one.
        days = us.sessions[at - 250 : at + 1]
        days = days[(days != pd.Timestamp("2018-04-16")) | (days == days[-1])]
        placed = pd.DataFrame([(s, d) for d in days for s in PARTS], columns=["security", "date"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", es.errors.EventStudyWarning)
            results = es.EventStudy(us, placed, estimation=ESTIMATION, window=(0, 0)).fit()
        medians = results.car(0, 0)["car"].groupby(results.timeline["day_0"]).median()
        own = medians[pd.Timestamp(day)]
        others = medians.drop(pd.Timestamp(day))
        p = (1 + (others.abs() >= abs(own)).sum()) / (len(others) + 1)
        rows.append({"study": study, "median": own, "days": len(others), "p_value": p})
    return pd.DataFrame(rows)


def answer_events(markets: dict[str, es.Market]) -> pd.DataFrame:
    """Estimates of all announcements on three markets; confirmations of leaks are kept, and marked."""
    bans = es.datasets.ban_announcements()
    parts = []
    for name, market in markets.items():
        rows = bans.screen(market)
        rows = rows[rows["left_out"].isin(["", "confirmation"])]
        results = fit(market, rows.drop(columns="left_out").assign(label=rows["company"]))
        frame = results.timeline[["security", "day_0", "spans"]]
        for window in WINDOWS:
            car = results.car(*window)[["car", "se"]]
            frame = frame.join(car.add_suffix(f"_{window[1]}"))
        facts = rows.set_index("event_id")[ANSWERS]
        parts.append(frame.join(facts.rename(columns={"group": "kind"})).assign(market=name))
    events = pd.concat(parts).rename_axis("event_id").reset_index()
    events["announcement_id"] = events["event_id"].str.partition(":")[0]
    # Listings of one firm are one reaction: the first market counts.
    events = events.drop_duplicates(["announcement_id", "company"]).sort_values("day_0", kind="stable")
    known = bans.announcements
    reports = known[known["kind"].isin(["press_report", "leak"])]
    events["reported"] = events["announcement_id"].isin(reports["confirmed_by"])
    events["confirms"] = events["left_out"] == "confirmation"
    events["long_halt"] = _long_halt(events)
    return events.drop(columns=["left_out", "halted_from", "halted_to"]).reset_index(drop=True)


def tables() -> dict[str, pd.DataFrame]:
    """All tables by the name of their file."""
    us, hk, cn = new_york(), hong_kong(), mainland()
    both = {"mainland China": cn, "Hong Kong": hk}
    cases = [*zte(us, hk), *huawei(us, hk), *reports_and_bans(both)]
    return {
        "case_events": events_table([*cases, *pairs(both)]),
        "case_means": means_table(cases),
        "case_tests": tests_table(cases),
        "case_medians": median_table(us),
        "answer_events": answer_events({**both, "New York": us}),
    }


def main(folder: Path) -> None:
    for name, table in tables().items():
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
        print(folder / f"{name}.csv", len(table))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "data")
