"""What did the Entity List of October 2019 do to the firms on it? A holiday, a suspension, two dates.

On 7 October 2019, after the close in New York, 28 entities were put on the Entity List, eight technology
firms among them. Four of these are in the bundled prices: Hikvision, Dahua, iFlytek and Meiya Pico. In
Shenzhen it was the last day of a holiday week; when the exchange opened on 8 October, Hikvision and Dahua
were suspended for two sessions.

So the first session that could react differs between the firms, and for two of them the return of that
session spans several. As a script, with the folder of its figure: `python examples/entity_list_2019.py
[folder]`.
"""

# %%
import sys
from pathlib import Path

import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

names = es.datasets.surveillance_names()
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
listing = es.datasets.ban_announcements().between("2019-10-07", "2019-10-07")
events = listing.role("target").events(market).frame
events = es.Events(events.assign(label=events["security"].map(names)))
told = listing.announcements.iloc[0]
print(f"{told['title']}. Named are {told['entities']}; {told['others']}.", end="\n\n")

# %% [markdown]
# ## When each could react

# %%
results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
times = results.timeline.set_index("label")[["closed_days", "suspended_sessions", "day_0", "spans"]]
times["day_0"] = times["day_0"].dt.strftime("%Y-%m-%d")
print(Table("From the announcement to day 0", (Section(times),)), end="\n\n")

# %% [markdown]
# The return of Hikvision and Dahua on day 0 spans three sessions. So does the return of the index it is
# compared with, and its variance is that of three sessions. Set against the index of that one session, the
# abnormal return would be another:

# %%
columns = ["actual", "expected", "car", "se", "ci_low", "ci_high", "p_value"]
formats = dict.fromkeys(columns[:-1], "{:+.2%}") | {"se": "{:.2%}"}
day = results.car(0, 0)[columns].set_axis(results.timeline["label"])
line = results.parameters[["alpha", "beta"]].set_axis(day.index)
index = market.returns["399001.SZ"].reindex(results.timeline["day_0"]).set_axis(day.index)
day["naive"] = day["actual"] - line["alpha"] - line["beta"] * index
note = "naive: abnormal return if the index of the last session alone were taken"
print(Table("Day 0", (Section(day, formats=formats | {"naive": "{:+.2%}"}),), (note,)), end="\n\n")

# %% [markdown]
# ## Is the estimation window clean?
#
# It holds the reports of May 2019, which moved the same firms and make their returns look more volatile than
# usual. A window that begins after them has fewer days, and other flaws: the summer held fresh threats as
# well.

# %%
short = es.EventStudy(market, events, estimation=(-80, -11)).fit()
both = {"250 sessions": results, "70 sessions after May": short}
compared = pd.concat({name: r.car(0, 0)[["car", "se", "p_value"]] for name, r in both.items()}, axis=1)
compared.columns = [f"{column}, {name}" for name, column in compared.columns]
compared = compared.set_axis(day.index).T
print(Table("Day 0, by estimation window", (Section(compared),)), end="\n\n")

# %% [markdown]
# ## The mean of four firms on two dates
#
# Two firms are measured on 8 October and two on 10 October, with the session of the eighth inside the return
# of the latter: two dates that are not even independent of each other.

# %%
print(results.clustering(0, 0), end="\n\n")
chosen = results.recommended(0, 0).set_index("test")[["p_value", "reason"]]
print(Table("Recommended tests of the mean of day 0", (Section(chosen),)), end="\n\n")

# %%
firms = results.firm_tests(0, 0, adjust="holm").set_axis(day.index)[["car", "p_value", "p_adjusted"]]
print(Table("Firm by firm, Holm's correction", (Section(firms, formats={"car": "{:+.2%}"}),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: All four firms have a negative abnormal return on day 0, and the interval of their mean
# excludes zero.
ax = results.plot.forest(0, 0)

# %%
hikvision = day.loc["Hikvision"]
hit = firms.index[firms["p_adjusted"] <= 0.05]
sentences = [
    f"Hikvision returned {hikvision['actual']:+.2%} over its suspension and the session after it, of which "
    f"the index explains {hikvision['expected']:+.2%}: an abnormal {hikvision['car']:+.2%} (95% interval "
    f"{hikvision['ci_low']:+.2%} to {hikvision['ci_high']:+.2%}). Against the last session alone it would "
    f"have been {hikvision['naive']:+.2%}.",
    f"The mean of the four listed firms is {day['car'].mean():+.2%}. " + results.verdict(0, 0).evidence,
    f"Firm by firm, after Holm's correction, significant at 5%: {', '.join(hit) if len(hit) else 'none'}.",
    "Such a designation had been reported as likely since May: this is what was left of the news, not the "
    "whole price of being listed.",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
ax.figure.savefig(out / "entity_list_2019.png", dpi=110, bbox_inches="tight")
