"""What did the denial order cost ZTE's shareholders? A halt, and eight falls by the daily limit.

On 16 April 2018 the US Department of Commerce barred American firms from supplying ZTE for seven years.
Before the next session in Shenzhen the shares were suspended. When they traded again, two months later, the
exchange's daily limit of 10% stopped the fall at the first session's end, and again on the sessions after
it.

A study that takes the first day's return for the reaction measures the limit and not the news. This one
follows the price to the first close that was free. As a script, with the folder of its figure: `python
examples/zte_halt.py [folder]`.
"""

# %%
import sys
import warnings
from pathlib import Path

import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

warnings.simplefilter("ignore", es.errors.PriceLimitWarning)  # what it warns of is read below

ZTE = "000063.SZ"
prices = es.datasets.surveillance_prices()
market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
denial = es.datasets.ban_announcements().about("ZTE").between("2018-04-16", "2018-04-16")
events = denial.role("target").events(market).frame.assign(label="ZTE, denial order")
print(events[["announced_at", "halted_from", "halted_to"]].T, end="\n\n")

# %% [markdown]
# ## The halt
#
# Day 0 is the first session on which the share traded after the news. Its return spans the whole halt, and
# is compared with the return of the index over the same sessions. The estimation window ends before the
# halt.

# %%
results = es.EventStudy(market, events, estimation=(-270, -46), window=(-45, 20)).fit()
told = results.timeline[["first_session", "suspended_sessions", "day_0", "spans"]].T
print(Table("When it could react", (Section(told.set_axis(["ZTE"], axis=1)),)), end="\n\n")

# %% [markdown]
# ## The limit
#
# The sessions that closed at the limit, by day. `locked` would say that the share did not trade away from
# the limit all day; the bundled prices of ZTE are closes, so it is not known here.

# %%
hits = results.limit_hits
hits = hits[hits["at_close"]].set_index("day")
shown = hits[["date", "side", "close", "limit"]].assign(date=hits["date"].dt.strftime("%Y-%m-%d"))
print(Table("Closes at the daily limit", (Section(shown, formats="{:.2f}"),)), end="\n\n")

# %% [markdown]
# ## Three answers to one question
#
# Only the last one lets the price arrive where it was going. Its interval is wide: the return of day 0 spans
# 40 sessions, so its variance is that of 40 sessions. Alpha counts on each of them too: a small daily alpha,
# estimated in another period, adds up to several percent over a halt. The last row sets alpha to 0 and beta
# to 1.

# %%
free = results.car(0, "first_free_close")
end = int(free["end"].iloc[0])
columns = ["actual", "expected", "car", "ci_low", "ci_high", "p_value"]
answers = pd.concat(
    {
        "day 0 alone": results.car(0, 0)[columns].iloc[0],
        "days 0 and 1": results.car(0, 1)[columns].iloc[0],
        f"to the first free close, day {end}": free[columns].iloc[0],
    },
    axis=1,
).T
formats = dict.fromkeys(columns[:-1], "{:+.2%}")
adjusted = es.EventStudy(market, events, es.MarketAdjusted(), estimation=(-270, -46), window=(-45, 20)).fit()
plain = adjusted.car(0, "first_free_close").iloc[0]
answers.loc["the same, market adjusted"] = plain[columns]
print(Table("Returns and abnormal returns, summed", (Section(answers, formats=formats),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: After two months without trade, ZTE's close falls along its daily limit for eight sessions, and
# then moves freely near 13 CNY.
ax = results.plot.timeline(currency="CNY")

# %%
day_0, row = results.timeline["day_0"].iloc[0], free.iloc[0]
last = market.sessions[market.sessions.get_loc(day_0) + end]
close = prices["close", ZTE].dropna()
before, after = close[close.index < day_0].iloc[-1], close[last]
index = prices["close", "399001.SZ"]
since = close.index[close.index < day_0][-1]
down = hits.index[(hits["side"] == "down") & (hits.index < end)]
first = results.car(0, 0).iloc[0]
halt = results.timeline["suspended_sessions"].iloc[0]
evidence = results.verdict(0, end).evidence
sentences = [
    f"On its first session after {halt} sessions without trading ZTE returned {first['actual']:+.2%}, which "
    f"is the limit and no measure of the news (p={first['p_value']:.2f}).",
    f"It closed at the limit {len(down)} times in a row. By the first free close, on {last:%d %B %Y}, it had "
    f"fallen from {before:.2f} to {after:.2f} yuan ({after / before - 1:+.1%}), while the SZSE Component "
    f"lost {1 - index[last] / index[since]:.1%}.",
    f"Daily abnormal returns to that close sum, uncompounded, to {row['car']:+.1%} (95% interval "
    f"{row['ci_low']:+.1%} to {row['ci_high']:+.1%}). {evidence}",
    f"Over a halt this long the normal return matters: with alpha and beta estimated, the index and alpha "
    f"explain {row['expected']:+.1%}; with alpha 0 and beta 1 the sum is {plain['car']:+.1%} instead.",
    "The settlement of June, with a fine and a new board, fell into the halt: order and settlement are "
    "measured together, and prices cannot divide them.",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
ax.figure.savefig(out / "zte_halt.png", dpi=110, bbox_inches="tight")
