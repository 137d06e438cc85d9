"""A sector with treated and control firms: a LaTeX table and two figures.

A report named four firms of a sector as possible targets of export limits, and left two alone. This example
goes from the list of firms to what a paper needs. Prices are real, and bundled. As a script, with the folder
of what it writes: `python examples/sector_to_paper.py [folder]`.
"""

# %%
import sys
import tempfile
from pathlib import Path

import eventstudy as es

market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
TREATED = ["002415.SZ", "002236.SZ", "300188.SZ", "002230.SZ"]
CONTROLS = ["002583.SZ", "000063.SZ"]


def fit(firms):
    """Fit the study of some firms, each with its group."""
    events = [
        {"security": firm, "date": "2019-05-22", "group": "treated" if firm in TREATED else "controls"}
        for firm in firms
    ]
    return es.EventStudy(market, events, estimation=(-270, -21)).fit()


treated, controls, both = fit(TREATED), fit(CONTROLS), fit(TREATED + CONTROLS)

# %% [markdown]
# ## What was found
#
# On one day the firms move together, so the treated alone cannot tell the report from a bad day of the
# sector.

# %%
verdict = treated.verdict(0, 1, against=controls)
print(verdict)

# %% [markdown]
# ## The table

# %%
table = treated.caar_table([(0, 0), (0, 1), (-1, 1)], tests=["adjusted_bmp", "portfolio"])
print(table)

# %%
print(table.to_latex())

# %%
differences = treated.test([(0, 0), (0, 1), (-1, 1)], against=controls)
print(differences)

# %% [markdown]
# ## Two figures

# %%
forest = both.plot.forest(0, 1, hue="group")

# %%
paths = both.plot.caar(hue="group")

# %% [markdown]
# ## For the paper

# %% tags=["notebook"]
# folder = Path(tempfile.mkdtemp())

# %% tags=["script"]
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
paths.figure.savefig(folder / "sector_to_paper.png", dpi=150)

# %%
(folder / "table.tex").write_text(table.to_latex(), encoding="utf-8")
for name, ax in (("forest", forest), ("paths", paths)):
    ax.figure.savefig(folder / f"{name}.pdf")
print(verdict.answer)
