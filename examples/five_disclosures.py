"""Five disclosures about one firm: an exhibit, and a page for the file.

From the quick start to what a court reads: five announcements about one firm, each judged on its own and
adjusted for their number, what a share lost, and a PDF of one side. Prices are real, and bundled. As a
script, with the folder of what it writes: `python examples/five_disclosures.py [folder]`.
"""

# %%
import sys
import tempfile
import warnings
from pathlib import Path

import pandas as pd

import eventstudy as es

warnings.simplefilter("ignore", es.errors.EventStudyWarning)  # the verdict says what they say

FIRM = "002415.SZ"
market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
disclosures = [
    {"security": FIRM, "announced_at": "2018-05-24 17:00-04:00", "label": "House passes the bill"},
    {"security": FIRM, "announced_at": "2018-08-13 15:00-04:00", "label": "Act signed"},
    {"security": FIRM, "announced_at": "2019-05-21 19:00-04:00", "label": "New York Times"},
    {"security": FIRM, "announced_at": "2019-08-07 12:00-04:00", "label": "Interim rule"},
    {"security": FIRM, "announced_at": "2019-10-07 17:00-04:00", "label": "Entity List"},
]
results = es.EventStudy(market, disclosures, estimation=(-200, -21), exclude_events=True).fit()

# %% [markdown]
# ## What was found
#
# The question is whether the price fell, so the tests are one-sided. Other news of these days is named.

# %%
news = {
    "2018-05-25": "ZTE negotiates a settlement",
    "2019-05-16": "Huawei is put on the Entity List",
    "2019-08-05": "China is named a currency manipulator",
}
verdict = results.verdict(0, 0, alternative="less", confounders=news)
print(verdict)

# %% [markdown]
# ## The exhibit
#
# With counts of shares by date, the last known before each window. `es.share_counts` fetches those of Yahoo;
# here they are round numbers.

# %%
shares = pd.Series([9.23e9, 9.35e9], pd.to_datetime(["2018-01-01", "2019-01-01"]))
exhibit = results.exhibit(0, 0, alternative="less", shares=shares, currency="CNY")
print(exhibit)

# %% [markdown]
# ## The price, with all five

# %%
ax = results.plot.price(0, 0, currency="CNY")

# %% [markdown]
# ## A page for the file
#
# PDF needs the extra `report`: `pip install 'abnormal-returns[report]'`.

# %% tags=["notebook"]
# folder = Path(tempfile.mkdtemp())

# %% tags=["script"]
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
ax.figure.savefig(folder / "five_disclosures.png", dpi=150)

# %%
page = results.report(
    folder / "hikvision.pdf",
    0,
    0,
    alternative="less",
    confounders=news,
    shares=shares,
    currency="CNY",
    brief=True,
)
print(f"{page.name} has {page.stat().st_size / 1000:.0f} kB. {verdict.answer}")
