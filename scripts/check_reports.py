"""Check reports in a browser: axe-core for barriers, html-validate for the markup, pictures at two widths.

Run as ``make reports``, or ``python scripts/check_reports.py [FOLDER]``. Reports of one firm, of several
announcements, of a sector on three days and of treated firms against controls, in full and brief, are written
to FOLDER (build/reports by default) with a picture of each at 400 and 1400 pixels. The packages of Node.js
are installed there on first use. Without Node.js or Chromium the check is skipped, and says so.

It fails where axe-core finds a serious barrier, html-validate an error, or something reaches over the side.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import eventstudy as es

ROOT = Path(__file__).parents[1]
PACKAGES = ("axe-core@4.14.1", "html-validate@11.21.1", "puppeteer-core@24.43.1")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TREATED = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ"]
CONTROLS = ["000063.SZ", "002583.SZ"]
DAYS = ["2018-08-14", "2019-05-22", "2019-10-10"]


def studies() -> dict[str, tuple[es.EventStudyResults, dict[str, object]]]:
    """Fit the four studies; each with the options of its report."""
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")

    def fit(events: object) -> es.EventStudyResults:
        return es.EventStudy(market, events, estimation=(-200, -21)).fit()

    nyt = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}]
    several = es.datasets.ban_announcements().about("Hikvision").events(market)
    sector = [
        {"security": name, "date": day, "group": "cameras" if name in TREATED[:2] else "software"}
        for day in DAYS
        for name in TREATED
    ]
    news = {"2019-05-16": "Huawei is put on the Entity List"}
    money: dict[str, object] = {"shares": 9.3e9, "currency": "CNY", "confounders": news}
    against = {"against": fit({"security": CONTROLS, "date": "2019-05-22"})}
    return {
        "one_firm": (fit(nyt), money),
        "several_announcements": (fit(several), {"alternative": "less", **money}),
        "sector_on_three_days": (fit(sector), {"notes": "A note with <angle> brackets & more."}),
        "treated_and_controls": (fit({"security": TREATED, "date": "2019-05-22"}), against),
    }


def missing() -> str:
    """Say what the check lacks; empty where nothing is."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "there is no Node.js with npm"
    return "" if browser() else f"none of these is installed: {', '.join(BROWSERS)}"


def browser() -> str | None:
    """Find Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def main(folder: Path) -> int:
    """Write the reports and check them."""
    lacking = missing()
    if lacking:
        print(f"Skipped: {lacking}.")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules").is_dir():
        subprocess.run(
            ["npm", "install", "--silent", "--no-fund", "--no-audit", *PACKAGES], cwd=folder, check=True
        )
    pages = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (results, options) in studies().items():
            pages.append(results.report(folder / f"{name}.html", 0, 1, **options))
            pages.append(results.report(folder / f"{name}_brief.html", 0, 1, brief=True, **options))
    script = ROOT / "scripts" / "check_reports.mjs"
    shutil.copy(script, folder / script.name)  # Node.js looks for packages beside the script
    done = subprocess.run(
        ["node", script.name, *(page.name for page in pages)],
        cwd=folder,
        env=os.environ | {"BROWSER_PATH": str(browser())},
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "reports"))
