"""A lawsuit: four disclosures about one firm, and what they were worth per share.

Shareholders claim that a firm hid bad news, and that its price was too high until the truth came out in four
disclosures. A court asks of each: did the price fall beyond the market and the industry, was that more than
chance, and how many dollars per share was it? With one firm there is nothing to average, and with four
disclosures a small p-value may come by chance, so p-values are adjusted for their number.

The prices are simulated, and with them the truth: the disclosures cost 8%, 3%, nothing and 6%. The third
comes on a day on which the whole industry falls by 4%. As a script, with the folder of its figure:
`python examples/litigation.py [folder]`.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

WORTH = {"short seller's report": -0.08, "auditor resigns": -0.03, "subpoena": 0.0, "restatement": -0.06}
OWN = 0.016  # daily standard deviation of what market and industry do not explain
rng = np.random.default_rng(1934)
sessions = es.Exchange("XNYS").sessions(pd.Timestamp("2021-01-04"), pd.Timestamp("2022-12-30"))
index = 0.0003 + 0.010 * rng.standard_normal(len(sessions))
industry = 0.9 * index + 0.008 * rng.standard_normal(len(sessions))
noise = OWN * rng.standard_t(5, len(sessions)) * np.sqrt(3 / 5)

# %% [markdown]
# ## The disclosures
#
# All but the last became public after the close, so the price could react in the next session only. This cell
# writes the truth into the returns.

# %%
days = dict(zip(WORTH, [300, 342, 371, 420], strict=True))  # the first session that could react
industry[days["subpoena"]] -= 0.04
firm = 0.2 * index + 0.9 * industry + noise
for what, day in days.items():
    firm[day] += WORTH[what]
closes = pd.DataFrame({"FIRM": 40 * np.cumprod(1 + firm), "INDEX": 1000 * np.cumprod(1 + index)}, sessions)
factors = pd.DataFrame({"industry": industry}, sessions)
market = es.Market.from_prices(closes, benchmark="INDEX", calendar="XNYS", factors=factors)
times = {what: (sessions[day - 1], "16:45") for what, day in days.items()}
times["restatement"] = (sessions[days["restatement"]], "07:00")
disclosures = [
    {"security": "FIRM", "announced_at": f"{day:%Y-%m-%d} {hour} America/New_York", "label": what}
    for what, (day, hour) in times.items()
]

# %% [markdown]
# ## Market and industry
#
# The normal return depends on the market and on an index of the industry without the firm. Days of earlier
# disclosures and of quarterly earnings are left out of the estimation, as they are not ordinary days.

# %%
earnings = [sessions[k] for k in range(30, len(sessions), 63)]
with_industry = es.MarketModel(lags={"industry": 0})
make = {"estimation": (-250, -2), "window": (-1, 2), "exclude_events": True, "exclude_dates": earnings}
results = es.EventStudy(market, disclosures, with_industry, **make).fit()
plain = es.EventStudy(market, disclosures, **make).fit()
cars = pd.DataFrame({"market": plain.car(0, 0)["car"], "market and industry": results.car(0, 0)["car"]})
cars = cars.set_axis(list(WORTH)).assign(truth=WORTH.values())
print(Table("Abnormal return of day 0, by model", (Section(cars, formats="{:+.2%}"),)), end="\n\n")

# %% [markdown]
# ## The exhibit
#
# The complaint says that the price fell, so p-values are one-sided, and that was decided before looking. `t`
# assumes normally distributed returns, `SQ` ranks the day among the firm's own past. Dollars are the abnormal
# return times the close before.

# %%
print(results.exhibit(0, 0, currency="USD"), end="\n\n")

# %% [markdown]
# ## The figure and the answer
#
# Count each disclosure that can be distinguished from chance at its dollar value. Before the first of them
# the price was too high by their sum, and each removed its part. A buyer overpaid by what still remained.

# %%
tested = results.by_event(0, 0, adjust="holm", alternative="less").set_axis(list(WORTH))
shown = tested.index[tested["p_adjusted"] <= 0.05]
row = results.car(0, 0).set_axis(list(WORTH))
before = pd.Series({what: closes["FIRM"].iloc[day - 1] for what, day in days.items()})
dollars = (row["car"] * before)[shown]
inflation = pd.Series(0.0, sessions[250:450])
for what in shown:
    inflation[inflation.index < sessions[days[what]]] -= dollars[what]
# Figure: The short seller's report and the restatement have intervals below zero, the other two
# disclosures do not. What a buyer overpaid falls to zero in two steps, at these two disclosures.
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
results.plot.forest(0, 0, ax=axes[0])
axes[1].step(inflation.index, inflation, where="post")
axes[1].set(title="What a buyer overpaid", ylabel="USD per share")
axes[1].tick_params(axis="x", rotation=30)

# %%
fell = f"{sessions[days['subpoena']]:%Y-%m-%d}"
verdict = results.verdict(0, 0, alternative="less", confounders={fell: "the industry falls"})
auditor, subpoena = row.loc["auditor resigns"], cars.loc["subpoena"]
sentences = [
    f"After adjustment for four disclosures, {' and '.join(shown) or 'none'} can be distinguished from "
    f"chance at 5%. Together they took {-dollars.sum():.2f} dollars off a share of {before.iloc[0]:.2f}.",
    f"The auditor's resignation moved the price by {auditor['car']:+.1%}. With this much noise an effect of "
    f"{auditor['detectable']:.1%} would be found with probability 0.8, so a smaller cost cannot be excluded.",
    f"Against the market alone the subpoena seems to cost {-subpoena['market']:.1%}, against market and "
    f"industry {-subpoena['market and industry']:.1%}: the industry fell on that day.",
    *verdict.part("Other news"),
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "litigation.png", dpi=110)
