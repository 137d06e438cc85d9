"""A regulation and a sector: four steps of a law, and firms that it spares.

A law passes in steps: a leak, the bill, the vote, the signature. Each step moves the price by the part that
was still open, so no single day holds the whole effect. And governments regulate a sector when it is in
trouble, so bad news for all its firms comes on the same days.

The law covers the large firms of a sector and spares the small ones. The small ones are the controls: what
hits the whole sector on the day hits them as well, and drops out of the difference.

The returns are simulated, and with them the truth: the law costs 6%, in four steps, and the sector as a whole
loses another 3% on the days of the bill and the vote. As a script, with the folder of its figure:
`python examples/regulation.py [folder]`.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

COST = {
    "leak": -0.01,
    "bill": -0.02,
    "vote": -0.02,
    "signature": -0.01,
}  # of the law, for a firm of mean exposure
SECTOR = {"bill": -0.015, "vote": -0.015}  # other news about the whole sector
COVERED, SPARED = 25, 25
rng = np.random.default_rng(2010)
sessions = es.Exchange("XNYS").sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2020-01-31"))
index = 0.0003 + 0.01 * rng.standard_normal(len(sessions))
sector = 0.008 * rng.standard_normal(len(sessions))  # what moves the sector beside the market
firms = [f"Large {i:02}" for i in range(COVERED)] + [f"Small {i:02}" for i in range(SPARED)]
beta, sigma = rng.uniform(0.7, 1.3, len(firms)), rng.uniform(0.012, 0.022, len(firms))
noise = rng.standard_t(5, (len(sessions), len(firms))) * np.sqrt(3 / 5)
returns = index[:, None] * beta + sector[:, None] + noise * sigma

# %% [markdown]
# ## The steps
#
# All four became public during the session. The exposure of a firm is the share of its sales that the law
# covers, relative to the mean. This cell writes the truth into the returns.

# %%
days = dict(zip(COST, [300, 340, 390, 430], strict=True))
exposure = rng.uniform(0.2, 1.8, COVERED)
exposure /= exposure.mean()
for step, day in days.items():
    returns[day, :COVERED] += COST[step] * exposure
    returns[day] += SECTOR.get(step, 0.0)
market = es.Market(pd.DataFrame(returns, sessions, firms).assign(index=index), benchmark="index")
rows = [
    {"security": firm, "date": sessions[day], "group": step, "covered": i < COVERED}
    for step, day in days.items()
    for i, firm in enumerate(firms)
]
events = pd.DataFrame(rows)
events["exposure"] = np.tile(np.r_[exposure, np.zeros(SPARED)], len(days))
near = [sessions[day + k] for day in days.values() for k in range(-5, 6)]  # no step is an ordinary day
windows = {"estimation": (-250, -11), "window": (-5, 5), "exclude_dates": near, "exclude_events": True}
law = es.EventStudy(market, events[events["covered"]], **windows).fit()
controls = es.EventStudy(market, events[~events["covered"]], **windows).fit()

# %% [markdown]
# ## The covered firms alone
#
# Each step against the market. The test allows for firms that are correlated. It cannot know which part of
# the move other news caused.

# %%
alone = law.group_tests("group", 0, 0, adjust="holm", test="adjusted_bmp").loc[list(days)]
columns = {"caar": "{:+.2%}", "statistic": "{:.2f}", "p_value": "{:.4f}", "p_adjusted": "{:.4f}"}
print(Table("Covered firms, day 0", (Section(alone[list(columns)], formats=columns),)), end="\n\n")

# %% [markdown]
# ## Against the firms that the law spares
#
# For each step, the mean abnormal return of the covered firms less that of the spared ones. Its variance is
# that of the same difference on the days before.

# %%
shown, doses = {}, {}
for step in days:
    of_step = events[events["group"] == step]
    treated = es.EventStudy(market, of_step[of_step["covered"]], **windows).fit()
    spared = es.EventStudy(market, of_step[~of_step["covered"]], **windows).fit()
    test = treated.test(0, 0, against=spared, seed=1).set_index("test").loc["difference_portfolio"]
    se = abs(test["estimate"] / test["statistic"])
    doses[step] = treated.cross_section("car ~ exposure", 0, 0, covariance="past")
    shown[step] = {"truth": COST[step], "difference": test["estimate"], "se": se, "p_value": test["p_value"]}
steps = pd.DataFrame(shown).T
steps["p_adjusted"] = es.inference.adjust(steps["p_value"].to_numpy(), "holm")
formats = {
    "truth": "{:+.2%}",
    "difference": "{:+.2%}",
    "se": "{:.2%}",
    "p_value": "{:.4f}",
    "p_adjusted": "{:.4f}",
}
print(Table("Covered less spared, day 0", (Section(steps, formats=formats),)), end="\n\n")

# %% [markdown]
# The steps lie weeks apart, so their errors are independent and the variances of the differences add up.

# %%
total, se = steps["difference"].sum(), float(np.sqrt((steps["se"] ** 2).sum()))
low, high = total - 1.96 * se, total + 1.96 * se

# %% [markdown]
# ## Did the more exposed lose more?
#
# A shock to the whole sector is the same for all covered firms, so it cannot make a slope on exposure. Each
# step's slope is compared with those of the same regression on the days before.

# %%
slopes = pd.DataFrame({step: doses[step].coefficients.loc["exposure"] for step in days}).T
slopes = slopes[["coef", "se", "p_value"]].astype(float)
slope, slope_se = slopes["coef"].sum(), float(np.sqrt((slopes["se"] ** 2).sum()))
slopes.insert(0, "truth", steps["truth"])
formats = {"truth": "{:+.2%}", "coef": "{:+.2%}", "se": "{:.2%}", "p_value": "{:.4f}"}
print(Table("Slope on exposure, day 0", (Section(slopes, formats=formats),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: Measured against the spared firms, each step is close to the truth. The covered firms alone
# fall too far on the days of the bill and the vote. The abnormal return of a firm falls with its
# exposure.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained", width_ratios=[7, 5])
place = np.arange(len(days))
reach = 1.96 * steps["se"]
axes[0].errorbar(place, steps["difference"], yerr=reach, fmt="o", capsize=4, label="covered less spared")
axes[0].plot(place, alone["caar"], "s", color="C1", label="covered firms alone")
axes[0].plot(place, steps["truth"], "_", color="black", markersize=22, label="truth")
axes[0].axhline(0, color="grey", linewidth=0.8)
axes[0].set(title="Abnormal return of day 0, with 95% interval")
axes[0].set_xticks(place, steps.index)
axes[0].margins(x=0.1)
axes[0].yaxis.set_major_formatter("{x:.0%}")
axes[0].legend()
summed = law.car(0, 0)["car"].groupby(law.timeline["security"]).sum()[firms[:COVERED]]
axes[1].plot(exposure, summed, "o", markersize=4)
ends = np.array([0.0, exposure.max()])
axes[1].plot(ends, summed.mean() + slope * (ends - 1), label="sum of the slopes")
axes[1].axhline(0, color="grey", linewidth=0.8)
axes[1].set(xlabel="Exposure (1 is the mean)", title="Abnormal returns of the four steps, summed")
axes[1].legend()
axes[1].yaxis.set_major_formatter("{x:.1%}")

# %%
clear = steps.index[steps["p_adjusted"] <= 0.05]
covers = "includes" if low <= sum(COST.values()) <= high else "misses"
dose = "lost more" if slope + 1.96 * slope_se < 0 else "cannot be shown to have lost more"
sentences = [
    f"Against the firms that it spares, the law cost the covered ones {-total:.1%} over its four steps (95% "
    f"interval {-high:.1%} to {-low:.1%}), which {covers} the true {-sum(COST.values()):.0%}.",
    f"Of the single steps, {' and '.join(clear) or 'none'} can be distinguished from chance once four tests "
    "are allowed for. That does not make the others zero: one day of 25 firms shows too little of them.",
    f"Measured against the market alone, the same steps add up to {-alone['caar'].sum():.1%}, which counts "
    "bad news about the whole sector as a cost of the law.",
    f"More exposed firms {dose}: {slope:+.1%} per unit of exposure over the four steps (95% interval "
    f"{slope - 1.96 * slope_se:+.1%} to {slope + 1.96 * slope_se:+.1%}).",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "regulation.png", dpi=110)
