"""Mergers: who gains, and how much of it leaked before the announcement.

Thirty bids. The target's price jumps towards the offer, the bidder's falls a little, and part of the news is
in the price before it is public. Three questions: what did each side gain on the day, what had leaked, and
what was the deal worth to both together? A percentage of the target and one of the bidder cannot be added;
their changes in value can.

The returns are simulated, and with them the truth: a premium of 25%, a fifth of it leaked in the ten sessions
before, and a bidder that loses 1.5%. As a script, with the folder of its figure:
`python examples/merger.py [folder]`.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

PREMIUM, LEAKED, BIDDER = 0.25, 0.2, -0.015
DEALS = 30
rng = np.random.default_rng(1996)
sessions = es.Exchange("XNYS").sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2021-12-31"))
index = 0.0003 + 0.01 * rng.standard_normal(len(sessions))
firms = [f"{side} {i:02}" for side in ("Target", "Bidder") for i in range(DEALS)]
beta, sigma = rng.uniform(0.6, 1.4, 2 * DEALS), np.repeat([0.025, 0.015], DEALS)
noise = rng.standard_t(5, (len(sessions), 2 * DEALS)) * np.sqrt(3 / 5)
returns = pd.DataFrame(index[:, None] * beta + noise * sigma, sessions, firms)

# %% [markdown]
# ## The deals
#
# Each has an announcement at 06:30 in New York, before the opening. This cell writes the truth into the
# returns: a leak spread over ten sessions, the rest of the premium on day 0.

# %%
days = rng.choice(np.arange(300, len(sessions) - 30), DEALS, replace=False)
for i, day in enumerate(days):
    returns.iloc[day - 10 : day, i] += PREMIUM * LEAKED / 10
    returns.iloc[day, i] += PREMIUM * (1 - LEAKED)
    returns.iloc[day, DEALS + i] += BIDDER
market = es.Market(returns.assign(index=index), benchmark="index", calendar="XNYS")
values = pd.Series([*rng.uniform(0.5, 3.0, DEALS), *rng.uniform(10, 40, DEALS)], firms)  # billion dollars

news = [
    {"security": firm, "announced_at": f"{sessions[days[i % DEALS]]:%Y-%m-%d} 06:30 America/New_York"}
    for i, firm in enumerate(firms)
]
events = pd.DataFrame(news).assign(group=np.repeat(["targets", "bidders"], DEALS), deal=[*range(DEALS)] * 2)
results = es.EventStudy(market, events, estimation=(-270, -21), window=(-15, 5)).fit()

# %% [markdown]
# ## Day 0, and the days before
#
# The target's reaction is not a test of chance: nobody doubts it. Its leak is, and so is the bidder's loss.
# Six means are tested, so the last column adjusts each window's p-values for the two groups.

# %%
windows = {"leak": (-10, -1), "announcement": (0, 1), "both": (-10, 1)}
tested = {
    name: results.group_tests("group", *window, adjust="holm", test="adjusted_bmp")
    for name, window in windows.items()
}
columns = {"caar": "{:+.2%}", "statistic": "{:.2f}", "p_value": "{:.4f}", "p_adjusted": "{:.4f}"}
means = pd.concat(tested, names=["window"])[["n_events", *columns]]
print(Table("Mean cumulative abnormal returns", (Section(means, formats=columns),)), end="\n\n")

# %% [markdown]
# ## What the deal was worth
#
# Abnormal change in market value from ten sessions before to one after, in billion dollars. Both sides of a
# deal share its date, and the interval of the total allows for the correlation of their returns.

# %%
money = results.value_change(values, -10, 1, by="group")
shown = money[["market_cap", "change", "ci_low", "ci_high", "p_value"]]
billions = dict.fromkeys(["market_cap", "change", "ci_low", "ci_high"], "{:+.1f}") | {"p_value": "{:.4f}"}
print(Table("Abnormal change in value, billion dollars", (Section(shown, formats=billions),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: Targets rise by about 5% in the ten sessions before the announcement and jump on day 0, while
# bidders fall a little. The interval of the total change in value includes zero; that of the targets
# does not.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained", width_ratios=[7, 5])
for group, colour in (("targets", "C0"), ("bidders", "C1")):
    path = results.abnormal_returns[(events["group"] == group).to_numpy()].mean().cumsum()
    axes[0].plot(path.index, path, color=colour, marker="o", markersize=3, label=group)
axes[0].axvspan(-10, -0.5, color="grey", alpha=0.15, label="leak")
axes[0].axvline(0, color="grey", linewidth=0.8)
axes[0].set(xlabel="Sessions from day 0", title="Cumulative average abnormal return")
axes[0].xaxis.get_major_locator().set_params(integer=True)
axes[0].yaxis.set_major_formatter("{x:.0%}")
axes[0].legend()
reach = [shown["change"] - shown["ci_low"], shown["ci_high"] - shown["change"]]
axes[1].errorbar(shown["change"], shown.index, xerr=reach, fmt="o", capsize=4, color="C0")
axes[1].axvline(0, color="grey", linewidth=0.8)
axes[1].set(xlabel="Billion dollars, with 95% interval", title="Abnormal change in value")
axes[1].margins(y=0.3)

# %%
leak, day0 = means.loc[("leak", "targets")], means.loc[("announcement", "targets")]
bidders, total = means.loc[("announcement", "bidders")], shown.loc["total"]
verdict = "rules out" if total["ci_low"] > 0 or total["ci_high"] < 0 else "does not rule out"
seen = "can" if bidders["p_adjusted"] <= 0.05 else "cannot"
share = leak["caar"] / (leak["caar"] + day0["caar"])
sentences = [
    f"Targets gained {leak['caar']:+.1%} in the ten sessions before the announcement (adjusted p = "
    f"{leak['p_adjusted']:.4f}) and {day0['caar']:+.1%} on it: {share:.0%} of the reaction had leaked, and a "
    "study of day 0 alone would miss it.",
    f"Bidders moved by {bidders['caar']:+.1%}, which {seen} be distinguished from chance (adjusted p = "
    f"{bidders['p_adjusted']:.4f}).",
    f"Together the deals changed the value of both sides by {total['change']:+.1f} billion dollars (95% "
    f"interval {total['ci_low']:+.1f} to {total['ci_high']:+.1f}), which {verdict} that nothing was created: "
    "a small percentage of a large bidder weighs as much as a large one of a small target.",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "merger.png", dpi=110)
