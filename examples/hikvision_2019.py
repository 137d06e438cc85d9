"""Did the report of a US export ban move Hikvision? One event study, from the news to the verdict.

On the evening of 21 May 2019 the New York Times wrote that the US government was considering cutting
Hikvision off from American suppliers. Headlines said its shares "plunged as much as 10%". This
script asks what the shares did, how much of it the market explains, and whether the rest can be
distinguished from noise; then it looks at the sector on the same day, and at the Entity List designation of
October 2019.

Run it on the bundled prices (no network needed), or with --live on Yahoo's:

    python examples/hikvision_2019.py
    python examples/hikvision_2019.py --live --out figures
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

CLOCK = "%a %Y-%m-%d %H:%M"
NEW_YORK, SHENZHEN = "America/New_York", "Asia/Shanghai"
#: The evening of the report; its minute is not known, and part 1 shows that it does not matter.
REPORT = pd.Timestamp("2019-05-21 19:00", tz=NEW_YORK)
#: The designation of 28 entities, after the US close.
LISTING = pd.Timestamp("2019-10-07 17:00", tz=NEW_YORK)

HIKVISION = "002415.SZ"
FIRMS = ("002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ")
LISTED = ("002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ")
BENCHMARK, SECOND_BENCHMARK = "399001.SZ", "000300.SS"
NAMES = es.datasets.surveillance_names()

#: Chosen before looking: the headline is the day of the report and the day after it.
ESTIMATION, WINDOW, HEADLINE = (-270, -21), (-10, 10), (0, 1)
WINDOWS = ((0, 0), (0, 1), (-1, 1))

#: Other news on the sector by the first Shenzhen session that could react to it.
NEWS = {
    "2019-05-16": "Huawei put on the Entity List",
    "2019-05-22": "Bloomberg: up to five surveillance firms considered, Hikvision and Dahua among them",
    "2019-05-23": "Bloomberg names Meiya Pico, iFlytek and Megvii as well",
}

PERCENT = ("observed", "normal", "abnormal", "s.e.", "from", "to")
FORMATS = dict.fromkeys(PERCENT, "{:.2%}") | {"t": "{:.2f}", "p": "{:.4f}", "p (sq)": "{:.4f}"}
#: Names in tables of the columns of `results.car` and `results.caar`.
CAR = {"car": "abnormal", "se": "s.e.", "t": "t", "p_value": "p", "ci_low": "from", "ci_high": "to"}
CAAR = {{"car": "caar", "t": "statistic"}.get(column, column): name for column, name in CAR.items()}


@dataclass(frozen=True)
class Story:
    """The fitted studies: the report, the same against the CSI 300, the sector, and the listing."""

    report: es.EventStudyResults
    second: es.EventStudyResults | None
    sector: es.EventStudyResults
    others: es.EventStudyResults
    listing: dict[str, es.EventStudyResults]


def live_prices() -> pd.DataFrame:
    """Fetch from Yahoo the series that `surveillance_prices` bundles."""
    bundled = es.datasets.surveillance_prices().index
    return es.prices(list(NAMES.index), bundled[0], bundled[-1], attempts=2)


def fit(market: es.Market, firms: Sequence[str], announced: pd.Timestamp, label: str) -> es.EventStudyResults:
    """Fit the market model of one announcement to the firms it could move."""
    events = [
        {"security": firm, "announced_at": announced, "label": label if len(firms) == 1 else NAMES[firm]}
        for firm in firms
    ]
    return es.EventStudy(market, es.Events(events), es.MarketModel(), ESTIMATION, WINDOW).fit()


def studies(prices: pd.DataFrame) -> Story:
    """Fit all studies of the story."""
    market = es.Market.from_prices(prices, benchmark=BENCHMARK, calendar="XSHG")
    has_second = SECOND_BENCHMARK in market.returns.columns
    second = market.with_benchmark(SECOND_BENCHMARK) if has_second else None
    return Story(
        report=fit(market, [HIKVISION], REPORT, "Report of 21 May 2019"),
        second=None if second is None else fit(second, [HIKVISION], REPORT, "Report of 21 May 2019"),
        sector=fit(market, FIRMS, REPORT, ""),
        others=fit(market, FIRMS[1:], REPORT, ""),
        listing={
            NAMES[firm]: fit(market, [firm], LISTING, "Designation of 7 October 2019") for firm in LISTED
        },
    )


def window_name(window: tuple[int, int]) -> str:
    """Name a window as a row of a table: ``AR 0`` or ``CAR (0, +1)``."""
    return "AR 0" if window == (0, 0) else f"CAR {es.Window.of(window)}"


def car_row(results: es.EventStudyResults, window: tuple[int, int]) -> pd.Series:
    """One event's CAR with its t test, and the sample-quantile test beside it."""
    names = {"actual": "observed", "expected": "normal", **CAR}
    row = results.car(*window).iloc[0].rename(names)[list(names.values())]
    row["p (sq)"] = results.test(*window, tests="sq")["p_value"].iloc[0]
    return row


def timing(results: es.EventStudyResults) -> Table:
    """Part 1: which session the news could first move."""
    market, first = results.spec.market, results.timeline["first_session"].iloc[0]
    calendar = market.exchange.calendar(first, first)
    closes = [calendar.session_close(day) for day in (calendar.previous_session(first), first)]
    rows = {
        "report, clock of New York": f"{REPORT:{CLOCK}}",
        "report, clock of Shenzhen": f"{REPORT.tz_convert(SHENZHEN):{CLOCK}}",
        "first Shenzhen session to close after it": f"{first:%a %Y-%m-%d}",
        "day 0": f"{results.timeline['day_0'].iloc[0]:%a %Y-%m-%d}",
    }
    after, until = (f"{close.tz_convert(NEW_YORK):{CLOCK}}" for close in closes)
    note = f"Any time from {after} to just before {until} in New York leads to the same session."
    frame = pd.DataFrame({"when": pd.Series(rows)})
    return Table("1. From the announcement to the session", (Section(frame),), (note,))


def day_taken_apart(results: es.EventStudyResults) -> Table:
    """Part 2: opening, low and close of day 0 beside the limit, each against the previous close."""
    frame = results.decomposition().rename(columns={"price": "price (yuan)", "at_limit": "at limit"})
    formats = {"price (yuan)": "{:.2f}", "change": "{:.2%}"}
    title = f"2. Hikvision on {results.timeline['day_0'].iloc[0]:%d %B %Y}, taken apart"
    return Table(title, (Section(frame, formats=formats),), (intraday(results),))


def abnormal(story: Story) -> Table:
    """Part 3: observed, normal and abnormal return against both indices."""
    sections = []
    for results in (story.report, story.second):
        if results is None:
            continue
        frame = pd.DataFrame({window_name(w): car_row(results, w) for w in WINDOWS}).T
        par, benchmark = results.parameters.iloc[0], results.spec.market.benchmarks[0]
        caption = f"against the {NAMES[benchmark]}: beta {par['beta']:.3f}, R2 {par['r_squared']:.2f}, "
        caption += f"daily s.d. {par['sigma']:.2%}, {par['n_obs']:.0f} estimation days"
        sections.append(Section(frame, caption, FORMATS))
    day_0 = story.report.test(0, 0, tests="sq", alternative="less")["p_value"].iloc[0]
    past = int(story.report.parameters["n_obs"].iloc[0])
    notes = (
        "observed = normal (what the index explains) + abnormal; from, to: 95% interval; p: t test with "
        "prediction error; p (sq): rank among the stock's own past, which needs no normal distribution. "
        "Both p are two-sided.",
        f"Of {past} ordinary days, {round(day_0 * (past + 1)) - 1} had an abnormal return as low as day 0's "
        f"(SZSE Component; one-sided p (sq) {day_0:.4f}).",
    )
    return Table("3. Hikvision's abnormal returns", tuple(sections), notes)


def recommended(results: es.EventStudyResults, caption: str) -> Section:
    """Part 4: the tests that survive the design, and why."""
    chosen = results.recommended(*HEADLINE).set_index("test")
    chosen = chosen[["statistic", "p_value", "reason"]].rename(columns={"p_value": "p"})
    return Section(chosen, caption, {"statistic": "{:.3f}", "p": "{:.4f}"})


def capitalisation(results: es.EventStudyResults) -> pd.DataFrame:
    """Market values in yuan, sessions × firms: close times the bundled number of shares."""
    shares = es.datasets.surveillance_shares()
    return results.spec.market.prices().reindex_like(shares) * shares


def value(story: Story) -> Table:
    """Part 5: abnormal returns in yuan, from the market values at the close before the report."""
    title = "5. Abnormal change in value, billion yuan, with its 95% interval"
    cap = capitalisation(story.sector)
    at_close = cap[cap.index < story.report.timeline["day_0"].iloc[0]].iloc[-1]
    if pd.isna(at_close[HIKVISION]):
        return Table(title, (), ("No number of shares is known for that day, so there is no amount.",))
    names = {"change": "abnormal", "ci_low": "from", "ci_high": "to"}
    rows = {window_name(w): story.report.value_change(cap, w).iloc[0] for w in WINDOWS}
    if at_close[list(FIRMS)].notna().all():
        rows[f"all six, {window_name(HEADLINE)}"] = story.sector.value_change(cap, HEADLINE).loc["total"]
    frame = pd.DataFrame(rows).T[list(names)].astype(float).rename(columns=names) / 1e9
    note = (
        "Market values are of the close before each window; Hikvision's before the report was "
        f"{at_close[HIKVISION] / 1e9:,.1f} billion yuan. Numbers of shares are derived, and rounded to a "
        "million; ZTE's includes its shares in Hong Kong."
    )
    return Table(title, (Section(frame, formats="{:,.1f}"),), (note,))


def sector(story: Story) -> Table:
    """Part 6: six firms hit on one day, which makes them one observation more than six."""
    results, formats = story.sector, {name: FORMATS[name] for name in CAR.values()}
    firms = pd.Index(results.timeline["label"], name="firm")
    sections = [
        Section(results.car(*w)[list(CAR)].rename(columns=CAR).set_axis(firms), window_name(w), formats)
        for w in ((0, 0), HEADLINE)
    ]
    means = {
        f"{group}, {window_name(w)}": study.caar(*w).iloc[0]
        for group, study in (("all six", results), ("without Hikvision", story.others))
        for w in ((0, 0), HEADLINE)
    }
    mean = pd.DataFrame(means).T
    caption = f"mean of the firms, with the {', '.join(mean['test'].unique())} test"
    mean = mean[[*CAAR, "positive"]].astype(float).rename(columns=CAAR)
    sections.append(Section(mean, caption, formats | {"positive": "{:.0%}"}))
    crowd = results.clustering(*HEADLINE)
    smallest, n_others = story.others.car(0, 0)["p_value"].min(), len(story.others.sample)
    notes = (
        f"One date for all: the residuals of two firms correlate {crowd.mean_correlation:.2f} on average, so "
        f"{crowd.n_events} firms carry the information of {crowd.effective_n:.1f} independent ones. "
        "Tests that assume independence are left out.",
        f"{n_others} other firms are {n_others} tests: the smallest p-value of their AR 0, {smallest:.4f}, "
        f"is {min(1.0, n_others * smallest):.4f} after Holm's correction.",
    )
    sections.append(recommended(results, f"recommended tests of the mean {window_name(HEADLINE)} of all six"))
    return Table("6. The sector on the same day", tuple(sections), notes)


def listing(story: Story) -> Table:
    """Part 7: a second announcement, which met a holiday and a suspension."""
    cars = pd.DataFrame({name: car_row(study, (0, 0)) for name, study in story.listing.items()}).T
    times = pd.concat([study.timeline.assign(firm=name) for name, study in story.listing.items()])
    times = times.set_index("firm")[["closed_days", "suspended_sessions", "day_0", "spans"]]
    times.columns = ["days market closed", "sessions suspended", "day 0", "sessions in its return"]
    notes = [f"{name}: {study.timeline['note'].iloc[0]}." for name, study in story.listing.items()]
    notes.append(
        "A return over several sessions is compared with the index over the same ones, and its variance is "
        "that of as many days."
    )
    sections = (Section(times, "when they could react"), Section(cars, "abnormal return of day 0", FORMATS))
    title = f"7. The Entity List designation, announced {LISTING:{CLOCK}} in New York"
    return Table(title, sections, tuple(notes))


def finding(who: str, results: es.EventStudyResults, window: tuple[int, int]) -> str:
    """One estimate in words: its sign, its size, its interval and what the tests make of it."""
    row, verdict = estimate(results, window), results.verdict(window)
    side = "less" if row["abnormal"] < 0 else "more"
    unseen = "" if verdict.tests["rejects"].all() else f" {verdict.part('What could have been found')[0]}"
    return (
        f"{who} returned {abs(row['abnormal']):.2%} {side} than the market model expects (95% interval "
        f"{row['from']:+.2%} to {row['to']:+.2%}). {verdict.evidence}{unseen}"
    )


def intraday(results: es.EventStudyResults) -> str:
    """Put the low of the day and its close side by side."""
    day = results.decomposition()
    limit = ", the lowest the exchange allows" if day.at["low", "at_limit"] else ""
    ar = results.car(0, 0).iloc[0]
    return (
        f'"As much as" is the low: {day.at["low", "change"]:+.2%}, {day.at["low", "price"]:.2f} yuan{limit}. '
        f"The close was {day.at['close', 'change']:+.2%}, of which the index explains {ar['expected']:+.2%}; "
        f"the abnormal return is {ar['car']:+.2%}."
    )


def estimate(results: es.EventStudyResults, window: tuple[int, int]) -> pd.Series:
    """Mean CAR of a window with its interval, under the names of the tables."""
    return results.caar(*window).iloc[0].rename(CAAR)


def conclusion(story: Story) -> list[str]:
    """Answer the question in words, all of them chosen by the numbers."""
    first, row = story.report, estimate(story.report, HEADLINE)
    days = f"{len(es.Window.of(HEADLINE))} sessions from {first.timeline['day_0'].iloc[0]:%d %B %Y}"
    said = [finding(f"In the {days} Hikvision", first, HEADLINE)]
    if story.second is not None:
        other = estimate(story.second, HEADLINE)
        agree = "the same sign" if other["abnormal"] * row["abnormal"] > 0 else "the OPPOSITE sign"
        said.append(
            f"Against the {NAMES[SECOND_BENCHMARK]} the figure has {agree}: {other['abnormal']:+.2%}. "
            f"{story.second.verdict(HEADLINE).evidence}"
        )
    said.append(intraday(first))
    money = value(story).sections
    if money:
        yuan, low, high = money[0].frame.loc[window_name(HEADLINE)]
        said.append(
            f"In money that is a {'loss' if yuan < 0 else 'gain'} of {abs(yuan):,.1f} billion yuan beyond "
            f"what the index explains (95% interval {low:+,.1f} to {high:+,.1f})."
        )
    for who, study in (("the six firms", story.sector), ("the five others", story.others)):
        who = f"In the same sessions {who} of the sector on average"
        said.append(finding(who, study, HEADLINE))
    study = story.listing[NAMES[HIKVISION]]
    who = f"After the designation, on {study.timeline['day_0'].iloc[0]:%d %B %Y}, Hikvision"
    said.append(finding(who, study, (0, 0)))
    return [*said, other_news(first)]


def other_news(results: es.EventStudyResults) -> str:
    """Name the other news in reach, which an event study cannot tell from the event."""
    *news, limit = results.verdict(HEADLINE, confounders=NEWS).part("Other news")
    return f"{'; '.join(news)}. {limit}"


def figures(story: Story, out: Path) -> list[Path]:
    """Draw the story's figures into a folder."""
    report = story.report.plot
    drawings = {
        "reaction": lambda: report.reaction(start=-5, end=5, currency="CNY"),
        "decomposition": lambda: report.decomposition(currency="CNY"),
        "car": report.car,
        "fit": report.fit,
        "null": report.null,
        "sector_caar": story.sector.plot.caar,
        "sector_heatmap": story.sector.plot.heatmap,
        "listing_reaction": lambda: story.listing[NAMES[HIKVISION]].plot.reaction(currency="CNY"),
    }
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in drawings.items():
        figure = draw().figure
        paths.append(out / f"hikvision_{name}.png")
        figure.savefig(paths[-1], dpi=110)
        plt.close(figure)
    return paths


def main(argv: Sequence[str] | None = None) -> int:
    """Run the story; return 0, or 1 if Yahoo gave too little for it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--live", action="store_true", help="prices from Yahoo, not the bundled ones")
    out = Path(__file__).parent / "output"
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help="folder of the figures")
    options = parser.parse_args(argv)
    mpl.use("Agg")
    try:
        story = studies(live_prices() if options.live else es.datasets.surveillance_prices())
    except es.errors.EventStudyError as problem:
        if not options.live:
            raise
        print(f"{problem}\n\nWithout --live the same study runs on the bundled prices.", file=sys.stderr)
        return 1
    chosen = Table(f"4. Tests recommended for {window_name(HEADLINE)}", (recommended(story.report, ""),))
    parts = [timing(story.report), day_taken_apart(story.report), abnormal(story), chosen]
    parts += [value(story), sector(story), listing(story)]
    print("\n\n\n".join(map(str, parts)))
    print("\n\nIn plain words\n==============\n")
    for sentence in conclusion(story):
        print(textwrap.fill(sentence, 96, initial_indent="- ", subsequent_indent="  "))
    paths = figures(story, options.out)
    print("\n" + textwrap.fill(f"Figures in {options.out}: {', '.join(path.name for path in paths)}", 100))
    return 0


if __name__ == "__main__":
    sys.exit(main())
