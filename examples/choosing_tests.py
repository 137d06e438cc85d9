"""Which tests are valid? Three designs, and tests that disagree.

There are some thirty significance tests for event studies, and they differ in what they assume. Which ones
can be trusted depends on the design: how many events, how many dates, how long a window. It does not depend
on what they find.

This page asks the library for its choice in three designs, then looks at pairs of tests that disagree and
says what each of them assumes. As a script, with the folder of its figure: `python
examples/choosing_tests.py [folder]`.
"""

# %%
import sys
import warnings
from pathlib import Path

import pandas as pd
from scipy import stats

import eventstudy as es
from eventstudy.tables import Section, Table

# What these warn of (limits, earlier news) is the subject of other examples.
warnings.simplefilter("ignore", es.errors.EventStudyWarning)

names = es.datasets.surveillance_names()
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
SECTOR = ["002415.SZ", "002236.SZ", "300188.SZ", "002230.SZ", "002583.SZ", "000063.SZ"]
REPORT = "2019-05-21 19:00-04:00"


def fit(events):
    """Fit the market model to some events."""
    return es.EventStudy(market, es.Events(events), estimation=(-270, -21)).fit()


def chosen(results, start, end):
    """Table of the tests that survive a design, with the reasons."""
    frame = results.recommended(start, end).set_index("test")[["p_value", "reason"]]
    return Table(f"Recommended for CAR {es.Window(start, end)}", (Section(frame),))


# %% [markdown]
# ## One event
#
# With one event nothing is averaged, so a normal distribution cannot be taken for granted. The abnormal
# return is ranked among the firm's own past:

# %%
one = fit([{"security": "002415.SZ", "announced_at": REPORT, "label": "Hikvision"}])
print(chosen(one, 0, 1), end="\n\n")

# %% [markdown]
# All other tests are there, and say why they do not apply:

# %%
reasons = one.test(0, 1).query("not applicable").groupby("note")["test"].agg(", ".join)
for note, tests in reasons.items():
    print(f"{tests}: {note}")

# %% [markdown]
# ## Six firms, one date
#
# The usual cross-section, and the usual mistake: six firms share one shock of that day, so they are not six
# draws of it.

# %%
sector = fit([{"security": s, "announced_at": REPORT, "label": names[s]} for s in SECTOR])
print(chosen(sector, 0, 1), end="\n\n")

# %% [markdown]
# ## Several dates
#
# Announcements of the dataset about firms of the bundled prices, without those that are confounded,
# ambiguous or confirm what had leaked. ZTE's return after two months of suspension is left out too: that one
# event would have nearly all the variance of the mean.

# %%
bans = es.datasets.ban_announcements().kind("official", "press_report", "company").role("target")
listed = bans.between("2018-05-01", "2019-10-31").events(market).frame
many = fit(listed[listed["security"] != "000063.SZ"])
print(many.clustering(0, 1), end="\n\n")
print(chosen(many, 0, 1), end="\n\n")

# %% [markdown]
# ## Tests that disagree
#
# Back to the six firms on one date. In each pair the first test assumes something that does not hold in this
# design:

# %%
PAIRS = {
    ("independence", "portfolio"): "firms independent of each other",
    ("patell", "adjusted_patell"): "firms independent of each other",
    ("bmp", "adjusted_bmp"): "firms independent of each other",
    ("grank_z", "grank_t"): "firms independent of each other",
    ("portfolio", "adjusted_bmp"): "the day no more volatile than the days before",
    ("adjusted_bmp", "rank_zivney"): "normally distributed returns, for six events",
}
tests = sector.test(0, 1, seed=0).set_index("test")
p = tests["p_value"]
pairs = pd.DataFrame(
    [(a, p[a], b, p[b], needs) for (a, b), needs in PAIRS.items()],
    columns=["test", "p", "instead", "its p", "the first assumes"],
).set_index("test")
print(Table("What each assumption changes", (Section(pairs),)), end="\n\n")

# %% [markdown]
# What each test survives by its own declaration is in the column `robust_to`. All firms share one date, so a
# test that is not robust to cross-correlation is not valid here, however small its p:

# %%
run = tests[tests["applicable"]]
valid = run["robust_to"].str.contains("cross-correlation")
shown = run.assign(valid=valid.map({True: "yes", False: "no"}))[["p_value", "valid", "robust_to"]]
print(Table("All tests of six firms on one date", (Section(shown.sort_values("p_value")),)), end="\n\n")

# %% [markdown]
# ## The figure and the answer

# %%
# Figure: The p-values of the tests that apply run from below 0.01 to above 0.1. Most of the recommended
# ones, drawn as diamonds, lie below 0.05; the two BMP t that allow for correlation lie above it.
ax = sector.plot.tests(0, 1)

# %%
best = sector.recommended(0, 1).set_index("test")["p_value"]
low = [name for name in best.index if best[name] <= 0.05]
high = [name for name in best.index if best[name] > 0.05]
hits = run["p_value"] <= 0.05
sentences = [
    f"{len(run)} tests apply to six firms on one date. {(~valid).sum()} of them assume six independent "
    f"observations, and {(hits & ~valid).sum()} of these reject at 5%. Of the {valid.sum()} that allow for "
    f"correlation, {(hits & valid).sum()} reject.",
    f"Of the tests recommended for this design, {', '.join(low) or 'none'} reject at 5%"
    + (f", but not {', '.join(f'{name} (p={best[name]:.3f})' for name in high)}." if high else "."),
]
if "adjusted_bmp" in high and "portfolio" in low:
    (t_events, t_past), (few, many) = tests.loc[
        ["adjusted_bmp", "portfolio"], ["statistic", "dof"]
    ].T.to_numpy()
    n, spread = len(SECTOR), sector.car(0, 1)["t"].std()
    excess = stats.chi2.sf((n - 1) * spread**2, n - 1)
    sentences.append(
        f"Is that a more volatile day? The standardised CARs have a standard deviation of {spread:.2f}, "
        f"where 1 is ordinary (p={excess:.2f}): "
        + (
            "they scatter more than their past implies, and portfolio cannot tell that from an effect."
            if excess <= 0.05
            else "nothing suggests it."
        )
        + f" The statistics are {t_events:.2f} and {t_past:.2f}; adjusted_bmp has {few:.0f} "
        f"degrees of freedom and portfolio {many:.0f}."
        + (
            " The small number of firms decides, not the day."
            if excess > 0.05 and abs(t_events - t_past) < 0.25
            else ""
        )
    )
elif high and low:
    sentences.append("The evidence is only as strong as the weakest of them.")
print(*sentences, sep="\n")

# %% tags=["script"]
out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
out.mkdir(parents=True, exist_ok=True)
ax.figure.savefig(out / "choosing_tests.png", dpi=110, bbox_inches="tight")
