"""Did the House bill of May 2018 move the firms it named? A null result, and what it is worth.

On 24 May 2018 the House of Representatives passed a defence bill that bars federal agencies from buying
equipment of Hikvision, Dahua, Hytera, ZTE and Huawei. Three of the five can be measured: Huawei is not
listed, and ZTE's shares were suspended.

An insignificant result is not evidence that nothing happened, unless the study would have found an effect.
So this one ends with the smallest effect that it would probably have found. As a script, with the folder of
its figure: `python examples/house_bill_2018.py [folder]`.
"""

# %%
import sys
import warnings
from pathlib import Path

import hikvision_2019 as story  # the script beside this one; it puts findings into words
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

pd.set_option("display.max_colwidth", None)  # show titles in full
names = es.datasets.surveillance_names()
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
bill = es.datasets.ban_announcements().between("2018-05-24", "2018-05-24")
print(bill.announcements[["title", "entities", "earliest", "latest", "confounders"]].T, end="\n\n")

# %% [markdown]
# ## Who can be measured?
#
# Asking for Huawei says why not:

# %%
try:
    bill.about("Huawei").events(market)
except es.errors.EventError as error:
    print(str(error), end="\n\n")

# %% [markdown]
# ZTE would be moved to the session on which it traded again. That session came weeks later and after other
# news, so its return is not a reaction to this vote. The dataset leaves it out; put in by hand, the library
# says what is wrong with it:

# %%
passed = bill.announcements["latest"].iloc[0]
zte = es.Events([{"security": "000063.SZ", "announced_at": passed, "label": "ZTE"}])
with warnings.catch_warnings():
    warnings.simplefilter("ignore", es.errors.EventStudyWarning)
    halted = es.EventStudy(market, zte, estimation=(-270, -41), window=(0, 1)).fit()
print(halted.timeline["note"].iloc[0], end="\n\n")

# %% [markdown]
# ## The three that traded

# %%
events = bill.role("target").events(market).frame
events = es.Events(events.assign(label=events["security"].map(names)))
results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
columns = ["car", "se", "ci_low", "ci_high", "p_value"]
formats = dict.fromkeys(columns[:-1], "{:+.2%}") | {"se": "{:.2%}"}
sections = [
    Section(results.car(*w)[columns].set_axis(results.timeline["label"]), caption, formats)
    for w, caption in (((0, 0), "day 0"), ((0, 1), "CAR (0, +1)"))
]
print(Table("Abnormal returns", tuple(sections)), end="\n\n")

# %%
chosen = results.recommended(0, 1).set_index("test")[["p_value", "reason"]]
print(Table("Recommended tests of the mean CAR (0, +1)", (Section(chosen),)), end="\n\n")

# %% [markdown]
# ## What would have been seen?
#
# The power of a 5% test of the mean, over what the effect may have been, and the number of such firms on
# one date that would be needed for smaller effects. Firms of one date share its shocks, so beyond some size
# no number suffices.

# %%
power = es.lab.power(results, 0, 1, effects=np.linspace(0, 0.1, 21))
needed = {effect: power.needed(effect) for effect in (0.02, 0.03, 0.05)}
needed = pd.DataFrame({"power": pd.Series({e: power.at(e) for e in needed}), "firms": pd.Series(needed)})
print(Table("Power by effect", (Section(needed.rename_axis("effect"), formats="{:.2f}"),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: The intervals of the three firms and of their mean all include zero. The power of the test
# rises with the size of the effect, and a mark shows the effect that is found with probability 0.8.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained", width_ratios=[6, 5])
results.plot.forest(0, 1, ax=axes[0])
power.plot(ax=axes[1])
axes[1].axvline(power.mde(), linestyle=":", color="C1")
_ = axes[1].annotate(f" {power.mde():.1%} is found\n with 80% power", (power.mde(), 0.15), color="C1")

# %%
row, mde = story.estimate(results, (0, 1)), power.mde()
side = "less" if row["abnormal"] < 0 else "more"
sentences = [
    f"In the two sessions after the vote the three firms returned {abs(row['abnormal']):.2%} {side} than the "
    f"market model implies (95% interval {row['from']:+.2%} to {row['to']:+.2%}). "
    + results.verdict(0, 1).evidence,
    f"A mean effect of {mde:.1%} would have been found with probability 0.8, one of "
    f"3% with a probability of only {power.at(0.03):.0%}. The interval rules out a mean fall of more than "
    f"{-row['from']:.1%}; it does not rule out a smaller one. That nothing was found does not mean "
    "that nothing happened.",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "house_bill_2018.png", dpi=110)
