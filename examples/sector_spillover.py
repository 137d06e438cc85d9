"""Did a report about some firms move others? One day, six firms.

On the evening of 21 May 2019 in New York, a report said that Hikvision might be cut off from American
suppliers. In the next hours Bloomberg wrote of up to five surveillance firms, Hikvision and Dahua among
them; only on the following morning did it name Meiya Pico, iFlytek and Megvii, which is not listed. Neither
report named Hytera or ZTE. So one date holds firms that were named, firms about to be named, and firms left
alone.

When many firms share one date, their returns move together for reasons that have nothing to do with the
news. Tests that count them as independent observations see more evidence than there is. As a script, with
the folder of its figure: `python examples/sector_spillover.py [folder]`.
"""

# %%
import sys
from pathlib import Path

import hikvision_2019 as story  # the script beside this one; it puts findings into words
import matplotlib.pyplot as plt
import pandas as pd

import eventstudy as es
from eventstudy.tables import Section, Table

names = es.datasets.surveillance_names()
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
news = es.datasets.ban_announcements().between("2019-05-21", "2019-05-23").announcements
times = news[["earliest", "latest"]].map("{:%d %b %H:%M}".format)
print(Table("The news, in UTC", (Section(times.assign(title=news["title"]).set_index("title")),)), end="\n\n")

# %% [markdown]
# ## All six firms on the day of the report

# %%
NAMED = ["002415.SZ", "002236.SZ", "300188.SZ", "002230.SZ"]
UNNAMED = ["002583.SZ", "000063.SZ"]


def study(firms):
    """Fit the market model of the report to some firms."""
    events = [{"security": s, "announced_at": "2019-05-21 19:00-04:00", "label": names[s]} for s in firms]
    return es.EventStudy(market, es.Events(events), estimation=(-270, -21)).fit()


named, unnamed = study(NAMED), study(UNNAMED)
both = study([*NAMED, *UNNAMED])
windows = {"day 0": (0, 0), "day 1": (1, 1), "CAR (0, +1)": (0, 1)}
days = pd.DataFrame({name: both.car(*window)["car"] for name, window in windows.items()})
days.index = pd.Index(both.timeline["label"], name="firm")
print(Table("Abnormal returns", (Section(days, formats="{:+.2%}"),)), end="\n\n")

# %% [markdown]
# Meiya Pico and iFlytek hardly moved on the day of the report; they fell on the day they were named
# themselves.
#
# ## How much information do six firms on one day carry?
#
# The residuals of the four that were named correlate, so they carry the information of fewer
# independent firms.

# %%
print(named.clustering(0, 1), end="\n\n")

# %% [markdown]
# Each pair of tests asks the same question, once as if firms were independent and once without assuming it:

# %%
pairs = ["patell", "adjusted_patell", "bmp", "adjusted_bmp", "grank_z", "grank_t"]
tests = named.test(0, 1, tests=pairs).set_index("test")[["statistic", "p_value"]]
print(Table("CAR (0, +1) of the four named", (Section(tests, formats="{:.4f}"),)), end="\n\n")

# %%
chosen = named.recommended(0, 1).set_index("test")[["p_value", "reason"]]
print(Table("Recommended tests", (Section(chosen, formats="{:.4f}"),)), end="\n\n")

# %% [markdown]
# ## Against firms that were left alone
#
# None of these tests survives a shock to the whole sector on that day. Firms of the sector that the news
# left alone would have had it as well. There are only two here, so this comparison is fair but weak.

# %%
controlled = named.test(0, 1, against=unnamed, seed=1).set_index("test")
shown = controlled[["statistic", "p_value", "note"]]
print(Table("The four named less the two left alone", (Section(shown, formats="{:.4f}"),)), end="\n\n")

# %% [markdown]
# ## Which of the firms?
#
# Six firms are six tests. The p-value is that of the t, which assumes normally distributed returns, and
# Holm's adjustment raises it for the number of tests. Romano and Wolf's draws whole days of residuals
# instead. That keeps their correlation and fat tails, so it may lie on either side of the t's p-value.

# %%
firms = both.firm_tests(0, 1, seed=1).set_axis(both.timeline["label"])
holm = both.firm_tests(0, 1, adjust="holm").set_axis(firms.index)["p_adjusted"]
shown = firms[["car", "p_value", "p_adjusted"]].assign(holm=holm)
shown = shown.rename(columns={"p_adjusted": "Romano-Wolf", "holm": "Holm"})
print(Table("Firm by firm", (Section(shown, formats={"car": "{:+.2%}"}),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: The four named firms all have a negative CAR, and the interval of their mean excludes zero. The
# mean of the two firms that were never named is close to zero.
figure, axes = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained", height_ratios=[5, 3])
for results, ax, title in ((named, axes[0], "named by 23 May 2019"), (unnamed, axes[1], "never named")):
    results.plot.forest(0, 1, ax=ax).title.set_text(f"CAR (0, +1) of the firms {title}")

# %%
difference = controlled.loc["difference_portfolio"]
hit = firms.index[firms["p_adjusted"] <= 0.05]
told = ", ".join(hit) if len(hit) else "none"
lowest = firms["p_adjusted"].idxmin()
sentences = [
    story.finding(
        "In the two sessions after the report, the four firms that were named",
        named,
        (0, 1),
    ),
    f"Less the two firms that were never named, the difference is {difference['estimate']:+.2%} "
    f"(p={difference['p_value']:.3f}, {difference['note']}): "
    + (
        "it was more than a bad day of the sector."
        if difference["p_value"] <= 0.05
        else "a bad day of the sector cannot be ruled out with two controls."
    ),
    f"Firm by firm, after adjustment for six tests, significant at 5%: {told}; the smallest adjusted p is "
    f"{firms.at[lowest, 'p_adjusted']:.3f} ({lowest}).",
]
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "sector_spillover.png", dpi=110)
