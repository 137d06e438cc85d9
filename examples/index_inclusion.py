"""Joining an index: how much of the rise stays? Two dates, and firms chosen for their past.

An index provider announces after the close that a firm will join, and index funds buy at the close before
the change takes effect a week later. Does the price rise because the firm is worth more, or because funds
must buy? If it is the buying, part of the rise is lost again (Harris and Gurel 1986, *Journal of Finance*
41, 815-829; Shleifer 1986, *Journal of Finance* 41, 579-590).

There are two traps. A study of the effective date misses what the announcement moved. And firms join after a
good year: a model fitted to that year expects more of the same, so it finds too small a rise.

The returns are simulated, and with them the truth: +4% on the first day, and +2% until the change, which
are lost again in the ten sessions after. As a script, with the folder of its figure:
`python examples/index_inclusion.py [folder]`.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

NEWS, PRESSURE, WAIT = 0.04, 0.02, 5  # on the first day; until the change; sessions between the two
RUN_UP = 0.0015  # per day in the year before: firms join because their price rose
DATES, FIRMS = 20, 5  # changes of the index, and firms that join at each
rng = np.random.default_rng(1986)
sessions = es.Exchange("XNYS").sessions(pd.Timestamp("2010-01-04"), pd.Timestamp("2020-12-31"))
index = 0.0003 + 0.01 * rng.standard_normal(len(sessions))
firms = [f"Firm {i:02}" for i in range(DATES * FIRMS)]
beta, sigma = rng.uniform(0.7, 1.3, len(firms)), rng.uniform(0.012, 0.022, len(firms))
noise = rng.standard_t(5, (len(sessions), len(firms))) * np.sqrt(3 / 5)
returns = pd.DataFrame(index[:, None] * beta + noise * sigma, sessions, firms)
shocks = 0.3 * rng.standard_normal((len(sessions), len(firms)))
turnover = pd.DataFrame(
    np.exp(-0.5 + 0.3 * rng.standard_normal((len(sessions), 1)) + shocks), sessions, firms
)

# %% [markdown]
# ## The list
#
# Twenty changes of the index, five firms each, announced at 17:15 in New York. This cell writes the truth
# into returns and turnover: funds buy on the last session before the change takes effect.

# %%
days = np.arange(300, 300 + 115 * DATES, 115)
for i, day in enumerate(np.repeat(days, FIRMS)):
    returns.iloc[day - 250 : day - 20, i] += RUN_UP
    returns.iloc[day + 1, i] += NEWS  # the first session after the announcement
    returns.iloc[day + 2 : day + WAIT + 1, i] += PRESSURE / (WAIT - 1)
    returns.iloc[day + WAIT + 1 : day + WAIT + 11, i] -= PRESSURE / 10
    turnover.iloc[day + WAIT, i] *= 8
market = es.Market(returns.assign(index=index), benchmark="index", calendar="XNYS")
changes = pd.DataFrame(
    {
        "security": firms,
        "announced_at": [f"{d:%Y-%m-%d} 17:15 America/New_York" for d in np.repeat(sessions[days], FIRMS)],
        "effective": np.repeat(sessions[days + WAIT + 1], FIRMS),
    }
)
print(Table("Changes of the index", (Section(changes.head(3)),)), end="\n\n")

# %% [markdown]
# ## Two dates
#
# The same firms, counted from the announcement and about the effective date. The market-adjusted return
# estimates no alpha, so the good year before does not matter.

# %%
windows = {"estimation": (-250, -11), "window": (-5, 25)}
announced = es.Events(changes.drop(columns="effective"))
effective = es.Events(changes[["security"]].assign(date=changes["effective"]))
results = es.EventStudy(market, announced, es.MarketAdjusted(), **windows).fit()
late = es.EventStudy(market, effective, es.MarketAdjusted(), **windows).fit()
eve, end = WAIT - 1, WAIT + 9  # relative to the first session after the announcement
rows = {
    "announcement to the eve of the change": (results, (0, eve), NEWS + PRESSURE),
    "the ten sessions after": (results, (eve + 1, end), -PRESSURE),
    "what stays": (results, (0, end), NEWS),
    "about the effective date, (-1, +1)": (late, (-1, 1), PRESSURE / (WAIT - 1) - 2 * PRESSURE / 10),
}
columns = ["caar", "ci_low", "ci_high", "p_value"]
means = pd.DataFrame(
    {name: study.caar(*window).iloc[0][columns] for name, (study, window, _) in rows.items()}
).T
means.insert(0, "truth", [truth for _, _, truth in rows.values()])
formats = dict.fromkeys(["truth", *columns[:-1]], "{:+.1%}") | {"p_value": "{:.4f}"}
print(Table("Mean cumulative abnormal returns", (Section(means, formats=formats),)), end="\n\n")

# %% [markdown]
# The firms of one change share its dates. The tests that this design allows, for what stays:

# %%
chosen = results.recommended(0, end).set_index("test")[["p_value", "reason"]]
print(Table("Recommended tests of what stays", (Section(chosen),)), end="\n\n")

# %% [markdown]
# ## Firms chosen for their past
#
# A market model treats the good year as normal: its alpha holds the run-up and is subtracted on every day of
# the window. An estimation window after the event holds no run-up.

# %%
after = windows | {"estimation": (31, 200)}
models = {
    "market adjusted": results,
    "market model, year before": es.EventStudy(market, announced, **windows).fit(),
    "market model, after the event": es.EventStudy(market, announced, **after).fit(),
}
table = pd.DataFrame(
    {
        name: [
            study.parameters["alpha"].mean() if "alpha" in study.parameters else 0.0,
            study.caar(0, end)["caar"].iloc[0],
        ]
        for name, study in models.items()
    },
    index=["mean alpha per day", f"mean CAR (0, +{end})"],
).T
styles = {"mean alpha per day": "{:+.3%}", f"mean CAR (0, +{end})": "{:+.1%}"}
print(Table("What stays, by model", (Section(table, formats=styles),)), end="\n\n")

# %% [markdown]
# ## Is it the buying?
#
# If index funds move the price, volume says when. Abnormal log turnover about the effective date:

# %%
volume = es.volume_market(turnover * 1e6, 1e8 * pd.Series(1.0, firms), benchmark="others", calendar="XNYS")
busy = es.EventStudy(volume, effective, estimation=(-250, -31), window=(-10, 10)).fit()
by_day = np.exp(busy.aar()["aar"])
peak = by_day.idxmax()

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: The cumulative abnormal return rises until the eve of the change and then falls back in part.
# The path of the market model fitted to the year before drifts below the truth. Turnover jumps on the
# eve of the change.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
path = results.abnormal_returns.loc[:, -1:].mean().cumsum()
biased = models["market model, year before"].abnormal_returns.loc[:, -1:].mean().cumsum()
truth = pd.Series(0.0, path.index)
truth.loc[0] += NEWS
truth.loc[1:eve] += PRESSURE / eve
truth.loc[eve + 1 : end] -= PRESSURE / 10
axes[0].plot(path.index, path, marker="o", markersize=3, label="market adjusted")
axes[0].plot(biased.index, biased, marker="s", markersize=3, label="market model, year before")
axes[0].plot(truth.index, truth.cumsum(), color="grey", linestyle=":", label="truth")
axes[0].axvline(eve + 0.5, color="grey", linewidth=0.8)
axes[0].set(xlabel="Sessions from the announcement", title="Cumulative average abnormal return")
axes[0].xaxis.get_major_locator().set_params(integer=True)
axes[0].yaxis.set_major_formatter("{x:.0%}")
axes[0].legend()
axes[1].bar(by_day.index, by_day)
axes[1].set(xlabel="Sessions from the effective date", title="Turnover as a multiple of its normal level")
axes[1].xaxis.get_major_locator().set_params(integer=True)
axes[1].axhline(1, color="grey", linewidth=0.8)
axes[1].margins(x=0.02)

# %%
rise, back, stays = (means.iloc[i] for i in range(3))
missed = means.loc["about the effective date, (-1, +1)"]
covers = "includes" if stays["ci_low"] <= NEWS <= stays["ci_high"] else "misses"
verdict = "rules out" if back["ci_high"] < 0 else "does not rule out"
model = table.loc["market model, year before"].iloc[1]
sentences = [
    f"From the announcement to the eve of the change the firms gained {rise['caar']:+.1%} (95% interval "
    f"{rise['ci_low']:+.1%} to {rise['ci_high']:+.1%}), and in the ten sessions after it {back['caar']:+.1%} "
    f"({back['ci_low']:+.1%} to {back['ci_high']:+.1%}), which {verdict} that nothing was given back.",
    f"What stays is {stays['caar']:+.1%} ({stays['ci_low']:+.1%} to {stays['ci_high']:+.1%}), which {covers} "
    f"the true {NEWS:.0%}. Turnover peaks at {by_day[peak]:.0f} times its normal level in session {peak:+d} "
    "from the effective date, when funds buy.",
    f"About the effective date alone the same firms moved by {missed['caar']:+.1%}, so a study of that date "
    f"misses most of the rise. A market model fitted to the good year before finds "
    f"{100 * (stays['caar'] - model):.1f} percentage points less, because it treats the run-up as normal.",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "index_inclusion.png", dpi=110)
