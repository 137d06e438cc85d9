"""The whole list of ban announcements, row by row: what each did to each share.

The list links announcements to listed securities on many exchanges. This script takes every row that
stands on its own, measures it against the index of its exchange, and gives the reason for every row that it
leaves out. On the bundled prices that is Shenzhen from 2018 to 2019. With --live the prices of all exchanges
are fetched from Yahoo through yfinance (kept in a cache, so an interrupted run resumes where it
stopped):

    python examples/all_announcements.py
    python examples/all_announcements.py --live --out results
"""

# %%
import argparse
import sys
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.sources import outcome

#: Prices from here on: the first announcement, and the estimation window before it.
FIRST_DAY = "2016-10-01"
ESTIMATION, WINDOW, HEADLINE = (-250, -21), (-5, 10), (0, 1)
BANS = es.datasets.ban_announcements()


# %%
def bundled() -> dict[str, es.Market]:
    """Make the market of the prices that come with the library."""
    prices = es.datasets.surveillance_prices()
    return {"XSHG": es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")}


def live() -> dict[str, es.Market]:
    """Fetch the prices of every exchange; one whose index or shares do not come is named and left out."""
    rows = BANS.securities.drop_duplicates("security")
    found = {}
    for exchange, some in rows.groupby(rows["security"].map(es.exchange_of)):
        wanted = [*some["security"], *sorted(set(some["benchmark"]))]
        try:
            prices = es.prices(wanted, FIRST_DAY)
        except es.errors.DataError as problem:
            print(f"{exchange}: {problem}", file=sys.stderr)
            continue
        came = set(outcome(prices).query("status == 'ok'").index)
        pairs = zip(some["security"], some["benchmark"], strict=True)
        benchmark = {security: index for security, index in pairs if {security, index} <= came}
        if benchmark:
            found[exchange] = es.Market.from_prices(prices, benchmark=benchmark, calendar=exchange)
    return found


# %% [markdown]
# `screen` gives every row with the reason why it cannot stand alone: confounded, ambiguous, counted
# already. What is left is fitted exchange by exchange.


# %%
def measure(markets: dict[str, es.Market]) -> tuple[pd.DataFrame, dict[str, es.EventStudyResults]]:
    """Measure every row that can be measured.

    Parameters
    ----------
    markets : dict
        Market by exchange.

    Returns
    -------
    table : DataFrame
        All rows of the list by event_id: what became of each (``status``), abnormal return of day 0
        (``ar_0``) and CAR(0, +1) with standard error, p-value and interval.
    results : dict
        The fitted study of each exchange.
    """
    table = BANS.screen(BANS.securities["mic"].unique()).set_index("event_id")
    table["status"] = np.where(table["left_out"] == "", "no prices", table["left_out"])
    results = {}
    for exchange, market in markets.items():
        usable = table[(table["left_out"] == "") & table["security"].isin(list(market.securities))]
        if usable.empty:
            continue
        events = es.Events(usable.assign(label=usable["company"]).drop(columns=["left_out", "status"]))
        with warnings.catch_warnings():
            # Every event that is not used is in the table, with the reason.
            warnings.simplefilter("ignore", es.errors.EventStudyWarning)
            try:
                fitted = es.EventStudy(market, events, estimation=ESTIMATION, window=WINDOW).fit()
            except es.errors.NoUsableEventsError as problem:
                table.loc[usable.index, "status"] = str(problem).splitlines()[-1].strip()
                continue
        results[exchange] = fitted
        table.loc[fitted.excluded.index, "status"] = fitted.excluded["reason"]
        car = fitted.car(*HEADLINE)[["car", "se", "p_value", "ci_low", "ci_high"]]
        table.loc[car.index, "status"] = "measured"
        table.loc[car.index, [*car.columns, "ar_0", "day_0"]] = car.assign(
            ar_0=fitted.car(0, 0)["car"], day_0=fitted.timeline["day_0"]
        )
    return table, results


def headline(table: pd.DataFrame) -> list[str]:
    """Say how many rows were measured, and how their signs compare with those that theory expects."""
    done = table[table["status"] == "measured"]
    bans = done[(done["role"] == "target") & (done["expected_sign"] == "-")]
    down = bans["car"] < 0
    sure = bans["p_value"] <= 0.05
    news, firms = done["announcement_id"].nunique(), done["security"].nunique()
    return [
        f"{len(done)} of {len(table)} rows measured, of {news} announcements and {firms} securities.",
        f"A firm that an announcement hits should fall: in {down.sum()} of {len(bans)} such rows it did, "
        f"over the two sessions from day 0 on, by {bans['car'].mean():+.2%} on average (median "
        f"{bans['car'].median():+.2%}).",
        f"One by one {(sure & down).sum()} of these falls and {(sure & ~down).sum()} rises are significant "
        f"at 5%, where chance alone would make about {0.05 * len(bans):.0f} so. Rows of one date are not "
        "independent: for one answer over all, pool the studies and take tests that allow for it.",
    ]


def draw(table: pd.DataFrame):
    """Draw the firms that announcements name, bans and reversals, in order of time."""
    done = table[(table["status"] == "measured") & (table["role"] == "target")].sort_values("day_0")
    names = done["company"] + ", " + done["announcement_id"].str[11:].str.replace("_", " ")
    frame = done.assign(event=names + done["day_0"].dt.strftime(" (%Y-%m-%d)"), role="event")
    shown = frame[["event", "car", "ci_low", "ci_high", "role"]]
    return es.plotting.plot_forest(shown, sort=False, title="CAR (0, +1) of the firms named")


# %% tags=["notebook"]
# table, results = measure(bundled())
# table["status"].value_counts()

# %% tags=["notebook"]
# measured = table[table["status"] == "measured"]
# measured.set_index("day_0")[["company", "announcement_id", "ar_0", "car", "se", "p_value"]].round(4)

# %% tags=["notebook"]
# # Figure: Most of the intervals include zero. ZTE's share rises when the ban on supplying it is waived in
# # part, when its end nears, and when it is lifted.
# draw(table);

# %% tags=["notebook"]
# print(*headline(table), sep="\n")


# %% tags=["script"]
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save table and figure; 1 if no row could be measured."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--live", action="store_true", help="prices of all exchanges from Yahoo")
    out = Path(__file__).parent / "output"
    asked.add_argument("--out", type=Path, default=out, metavar="DIR", help="folder of table and figure")
    options = asked.parse_args(argv)
    table, results = measure(live() if options.live else bundled())
    if not results:
        print("No row could be measured. Without --live the bundled prices are used.", file=sys.stderr)
        return 1
    for exchange, fitted in results.items():
        print(f"{exchange}: {len(fitted.sample)} events, {len(fitted.excluded)} that cannot be used")
    words = ["measured", "no prices", *filter(None, table["left_out"].unique())]
    counts = table["status"].where(table["status"].isin(words), "cannot be used").value_counts()
    print(counts.to_string(header=False), end="\n\n")
    for sentence in headline(table):
        print(textwrap.fill(sentence, 96))
    options.out.mkdir(parents=True, exist_ok=True)
    columns = ["security", "company", "role", "group", "expected_sign", "status", "day_0", "ar_0"]
    columns += ["car", "se", "p_value", "ci_low", "ci_high"]
    table[columns].to_csv(options.out / "all_announcements.csv", float_format="%.6g")
    figure = draw(table).figure
    figure.savefig(options.out / "all_announcements.png", dpi=110, bbox_inches="tight")
    return 0


if __name__ == "__main__":
    sys.exit(main())
