"""Earnings announcements before and after the market.

Do prices follow the surprise? A firm reports before the opening (BMO) or after the close (AMC). A report at
16:05 in New York can move no price of that day, so its day 0 is the next session. Studies that take the
calendar date of the report for day 0 measure the wrong day for half of their events.

The returns are simulated, and with them the truth: 40 firms report four times a year, and a surprise of one
standard deviation moves the price by 2%. As a script, with the folder of its figure:
`python examples/earnings.py [folder]`.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

EFFECT = 0.02  # return for a surprise of one standard deviation
rng = np.random.default_rng(20240131)
sessions = es.Exchange("XNYS").sessions(pd.Timestamp("2020-01-02"), pd.Timestamp("2023-12-29"))
index = 0.0003 + 0.01 * rng.standard_normal(len(sessions))
beta, sigma = rng.uniform(0.5, 1.5, 40), rng.uniform(0.01, 0.025, 40)
noise = rng.standard_t(5, (len(sessions), 40)) * np.sqrt(3 / 5)
returns = pd.DataFrame(index[:, None] * beta + noise * sigma, sessions, [f"Firm {i:02}" for i in range(40)])

# %% [markdown]
# ## The list, as a data vendor sends it
#
# Date, time of day and surprise (reported less expected earnings, standardised) of each report. The vendor
# writes BMO and AMC; times are in New York.

# %%
quarters = pd.date_range("2021-04-20", "2023-10-20", freq="QS-JAN") + pd.Timedelta(days=20)
rows = []
for firm in returns.columns:
    slot = rng.choice(["BMO", "AMC"])  # firms keep to their habit
    for quarter in quarters:
        session = sessions[sessions.searchsorted(quarter + pd.Timedelta(days=rng.integers(15)))]
        rows.append({"security": firm, "date": session, "session": slot, "surprise": rng.standard_normal()})
reports = pd.DataFrame(rows)
print(Table("Earnings reports", (Section(reports.head(4), formats={"surprise": "{:+.2f}"}),)), end="\n\n")

# %% [markdown]
# The truth: the surprise reaches the price in the session of a BMO report, and in the session after an AMC
# report. This cell stands in for a price file.

# %%
for report in reports.itertuples():
    position = sessions.get_loc(report.date) + (report.session == "AMC")
    returns.loc[sessions[position], report.security] += EFFECT * report.surprise
market = es.Market(returns.assign(index=index), benchmark="index", calendar="XNYS")

# %% [markdown]
# ## From slots to sessions
#
# `Events` reads a column `session` that holds BMO and AMC, and puts a report after the close on the next
# session. Reports of the same firm a quarter apart lie in each other's estimation windows;
# `exclude_events=True` leaves their days out. The second study does what many do: it takes the calendar date.

# %%
reports["group"] = np.where(reports["surprise"] > 0, "good", "bad")
windows = {"estimation": (-200, -11), "window": (-5, 10), "exclude_events": True}
results = es.EventStudy(market, es.Events(reports), **windows).fit()
naive = es.EventStudy(market, es.Events(reports.drop(columns="session")), **windows).fit()
later = results.timeline["first_session"] > reports["date"]
shifted = later.groupby(reports["session"]).mean().to_frame("share")
table = Section(shifted, formats="{:.0%}")
print(Table("Share of reports whose day 0 is a later session", (table,)), end="\n\n")

# %% [markdown]
# ## Does the price follow the surprise?
#
# A regression of the abnormal return of day 0 on the surprise: the coefficient is the return for one standard
# deviation. Reports of one day share shocks, so errors are clustered by date.

# %%
right = results.cross_section("car ~ surprise", 0, 0, clusters="date")
wrong = naive.cross_section("car ~ surprise", 0, 0, clusters="date")
slopes = pd.DataFrame(
    {
        name: found.coefficients.loc["surprise", ["coef", "ci_low", "ci_high"]]
        for name, found in (("session of the reaction", right), ("calendar date", wrong))
    }
).T
print(
    Table("Return on day 0 per standard deviation of surprise", (Section(slopes, formats="{:+.2%}"),)),
    end="\n\n",
)

# %% [markdown]
# Good and bad news apart, by a test that survives correlated dates and more volatile days:

# %%
groups = results.group_tests("group", 0, 0, adjust="holm", test="adjusted_bmp")
columns = {"caar": "{:+.2%}", "statistic": "{:.2f}", "p_value": "{:.4f}", "p_adjusted": "{:.4f}"}
groups = groups[["n_events", *columns]]
print(Table("Mean abnormal return of day 0", (Section(groups, formats=columns),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer
#
# Left, cumulative abnormal returns after good and bad news. Right, what the slope would be on each day.

# %%
days = np.arange(-3, 6)
paths = pd.DataFrame(
    {
        name: [
            found.cross_section("car ~ surprise", d, d, clusters="date").coefficients.at["surprise", "coef"]
            for d in days
        ]
        for name, found in (
            ("day 0 from the time of the report", results),
            ("day 0 from its calendar date", naive),
        )
    },
    index=days,
)
# Figure: The cumulative abnormal return jumps up on day 0 after good news and down after bad news. The
# slope on the surprise is close to 2% on day 0; counted from the calendar date, it is split between days
# 0 and 1.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
for group, colour in (("good", "C0"), ("bad", "C3")):
    members = results.timeline.index[reports["group"].to_numpy() == group]
    path = results.abnormal_returns.loc[members].mean().cumsum()
    axes[0].plot(path.index, path, marker="o", markersize=3, color=colour, label=f"{group} news")
axes[0].set(xlabel="Sessions from day 0", title="Cumulative average abnormal return")
paths.plot(ax=axes[1], marker="o")
axes[1].axhline(EFFECT, color="grey", linestyle=":", label="truth")
axes[1].set(xlabel="Sessions from day 0", title="Return per standard deviation of surprise")
for ax in axes:
    ax.yaxis.set_major_formatter("{x:.1%}")
    ax.axvline(0, color="grey", linewidth=0.8)
    ax.legend()

# %%
slope, missed = slopes.loc["session of the reaction"], slopes.loc["calendar date"]
covers = "includes" if slope["ci_low"] <= EFFECT <= slope["ci_high"] else "misses"
sentences = [
    f"A surprise of one standard deviation moves the price by {slope['coef']:+.2%} on day 0 (95% interval "
    f"{slope['ci_low']:+.2%} to {slope['ci_high']:+.2%}), which {covers} the true {EFFECT:.0%}.",
    f"Counted from the calendar date of the report, the same regression finds {missed['coef']:+.2%} "
    f"({missed['ci_low']:+.2%} to {missed['ci_high']:+.2%}): "
    f"{(reports['session'] == 'AMC').mean():.0%} of the reports come after the close, and "
    "their reaction falls on day 1.",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "earnings.png", dpi=110)
