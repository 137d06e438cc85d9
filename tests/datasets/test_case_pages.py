"""The case pages: their stored estimates are what the panels give, and they run and say what they compute.

What needs the panels is skipped where they are absent; the pages themselves need the stored tables alone.
"""

from __future__ import annotations

import ast
import re
import runpy
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "cases"
DATA = ROOT / "docs" / "data"
#: Medians in the abstract of Jacobs, Singhal and Zhan (2022): US suppliers of the first tier, and rivals.
JSZ = {"ban": -0.0333, "reversal": 0.0156, "rivals": 0.0134}


@pytest.fixture(scope="module")
def made(shared_data: Path) -> dict[str, pd.DataFrame]:
    """The tables, made anew from the panels."""
    pytest.importorskip("pyarrow")
    script = runpy.run_path(str(ROOT / "benchmarks" / "case_tables.py"))
    assert script["PANELS"] == shared_data / "panels"
    found: dict[str, pd.DataFrame] = script["tables"]()
    return found


def stored(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["case_events", "case_means", "case_tests", "case_medians", "answer_events"])
def test_stored_estimates_are_those_of_the_panels(made: dict[str, pd.DataFrame], name: str) -> None:
    old, new = stored(name), made[name]
    if "day_0" in old:
        old["day_0"] = pd.to_datetime(old["day_0"])
        new = new.assign(day_0=new["day_0"].astype("datetime64[ns]"))
        old["day_0"] = old["day_0"].astype("datetime64[ns]")
    assert list(old.columns) == list(new.columns)
    for column in old:
        if pd.api.types.is_float_dtype(new[column]):
            assert new[column].tolist() == pytest.approx(
                old[column].tolist(), rel=1e-4, abs=1e-9, nan_ok=True
            )
        else:
            # What is missing in the one frame is empty in the other.
            both = (frame[column].fillna("").astype(str).tolist() for frame in (new, old))
            assert next(both) == next(both), column


def test_stored_tables_hold_estimates_and_no_prices() -> None:
    kinds = ("car_", "se_", "p_value_", "ci_low_", "ci_high_")
    told = {"event_id", "study", "sample", "security", "label", "day_0", "spans", "group"}
    assert {c for c in stored("case_events") if not c.startswith(kinds)} == told


def test_mainland_panel_and_bundled_prices_agree() -> None:
    events = (
        stored("case_events").query("study == 'Reports and bans' and sample == 'both'").set_index("event_id")
    )
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    for event_id, announced in (
        ("2019-05-21_NYT_HIK:002415.SZ", "2019-05-21 19:00-04:00"),
        ("2019-10-07_EL_28:002236.SZ", "2019-10-07 17:00-04:00"),
    ):
        event = [{"security": event_id.partition(":")[2], "announced_at": announced}]
        ours = es.EventStudy(market, event, estimation=(-250, -21)).fit().car(0, 1).iloc[0]
        assert events.at[event_id, "car_1"] == pytest.approx(ours["car"], abs=2e-4)
        assert events.at[event_id, "se_1"] == pytest.approx(ours["se"], abs=2e-4)


def medians(tables: dict[str, pd.DataFrame], study: str, window: str = "(0, 0)") -> pd.Series:
    means = tables["case_means"]
    return means[(means["study"] == study) & (means["window"] == window)].set_index("sample")["median"]


@pytest.mark.slow
def test_direction_and_size_of_jacobs_singhal_and_zhan(made: dict[str, pd.DataFrame]) -> None:
    """Signs, and the order of magnitude: their medians lie between those of a broad and of a narrow list."""
    ban, reversal = medians(made, "ZTE denial order"), medians(made, "ZTE tweet")
    narrow, broad = "suppliers named", "parts makers"
    assert ban[narrow] < JSZ["ban"] < ban[broad] < 0 < reversal[broad] < JSZ["reversal"] < reversal[narrow]
    assert ban[broad] / JSZ["ban"] > 0.2
    assert ban[narrow] / JSZ["ban"] < 5
    # The reversal gave back less than the ban had taken.
    assert reversal[broad] < -ban[broad]
    events = made["case_events"]
    both = (
        events[events["sample"] == narrow].pivot(index="security", columns="study", values="car_0").dropna()
    )
    assert set(both.index) == {"ACIA", "LITE"}
    assert (both["ZTE tweet"] < -both["ZTE denial order"]).all()


@pytest.mark.slow
def test_what_is_not_reproduced_is_said(made: dict[str, pd.DataFrame]) -> None:
    """Significance of a broad list's median, and rivals that gain."""
    p = made["case_medians"].set_index("study")["p_value"]
    assert (p > 0.05).all()
    assert medians(made, "ZTE denial order")["rivals"] < 0 < JSZ["rivals"]
    text = (PAGES / "zte_suppliers.md").read_text(encoding="utf-8")
    assert "not shown by them" in text
    assert "Three firms can neither reproduce their result nor contradict it" in text


class Stage:
    """Runs the cells of a page, and keeps what they show as text."""

    def __init__(self, page: str) -> None:
        text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
        self.names: dict[str, Any] = {}
        self.said: list[str] = []
        for cell in re.findall(r"```\{code-cell\} python\n(.*?)```", text, flags=re.DOTALL):
            self.run(ast.parse(re.sub(r"^:tags:.*\n", "", cell)))

    def run(self, cell: ast.Module) -> None:
        last = cell.body[-1]
        if not isinstance(last, ast.Expr):
            exec(compile(cell, "cell", "exec"), self.names)
            return
        exec(compile(ast.Module(cell.body[:-1], []), "cell", "exec"), self.names)
        shown = eval(compile(ast.Expression(last.value), "cell", "eval"), self.names)
        if hasattr(shown, "data") and isinstance(shown.data, str):
            self.said.append(shown.data)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(PAGES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.ExcludedEventsWarning)
        yield Stage
    plt.close("all")


def test_page_of_hikvision_and_dahua(stage: type[Stage]) -> None:
    first, second, mean = "\n".join(stage("hikvision_dahua").said).splitlines()
    assert first.startswith("- **Hikvision** fell by as much as 10.00% (which is the limit of the day)")
    assert "**Dahua** fell by as much as 9.16% (which is above the limit of the day)" in second
    assert "the abnormal return is -5.07%" in second
    assert "mean of both is -6.62%" in mean
    assert "The recommended tests disagree" in mean


def test_page_of_zte(stage: type[Stage], capsys: pytest.CaptureFixture[str]) -> None:
    told = "\n".join(stage("zte_suppliers").said)
    for words in (
        "Acacia Communications alone 36.6%",
        "**Direction.** Reproduced",
        "theirs, -3.33%, lies between",
        "neither is significant at 5%",
        "an abnormal return of -47.9% over the 40 sessions",
    ):
        assert words in told


def test_page_of_huawei(stage: type[Stage], capsys: pytest.CaptureFixture[str]) -> None:
    told = "\n".join(stage("huawei_suppliers").said)
    assert "Huawei was not listed" in capsys.readouterr().out
    assert "11 of 11 suppliers fell" in told
    assert "all of these tests reject chance at 5%" in told
    qualcomm = stored("case_events").query("study.str.startswith('Huawei') and security == 'QCOM'").iloc[0]
    assert f"from {qualcomm['car_1']:+.1%} over (0, +1) to {qualcomm['car_4']:+.1%} over (0, +4)" in told
    assert qualcomm["car_4"] < 3 * qualcomm["car_1"]  # the ruling of 22 May, on day 4


def test_page_of_reports_and_bans(stage: type[Stage]) -> None:
    told = "\n".join(stage("reports_and_bans").said)
    assert told.count("cannot be distinguished from zero") == 2
    assert told.count("can be distinguished from zero (p = 0.03)") == 1
    means = (
        stored("case_means").query("study == 'Reports and bans' and window == '(0, 0)'").set_index("sample")
    )
    assert f"Reports {means.at['reports', 'mean']:+.1%} (10 events on 7 dates)" in told
    assert f"bans {means.at['bans', 'mean']:+.1%} (31 on 16)" in told
    tests = stored("case_tests").query("study == 'Reports and bans' and window == '(0, 0)'")
    moved = tests[tests["sample"].isin(["reports", "bans"])]
    assert (moved["p_value"] <= 0.05).all()  # both moved prices, says the page
    assert "distinguishable from zero on day 0 (p = 0.03), but not over the longer windows" in told
    assert "In 3 of 7 pairs" in told


def test_answers_of_the_whole_list(stage: type[Stage]) -> None:
    page = stage("ban_answers")
    told = "\n".join(page.said)
    assert told.count("wild p = ") == 4
    assert "Bans less reports, on day 0: +1.3%" in told
    assert "no interval, and no answer" in told
    assert "does not support a comparison" in told
    assert "If the reports had made the ban as likely as not" in told
    reports, acts = page.names["reports"], page.names["acts"]
    assert not set(reports["event_id"]) & set(acts["event_id"])
    rescaled = page.names["rescaled"]["mean"]
    assert rescaled[0.5] == pytest.approx(2 * rescaled[0.0])
    assert rescaled[0.75] == pytest.approx(4 * rescaled[0.0])


def test_intervals_of_the_answers_count_dates_and_firms(stage: type[Stage]) -> None:
    """Variance of a mean, two ways: by date plus by firm less by both, each cluster by one less its share."""
    page = stage("ban_answers")
    acts = page.names["acts"]
    error = acts["car_0"] - acts["car_0"].mean()
    n = len(error)

    def part(keys: list[str]) -> float:
        groups = error.groupby([acts[key] for key in keys])
        return float((groups.sum() ** 2 / (1 - groups.size() / n)).sum() / n**2)

    def dof(key: str) -> float:
        share = acts.groupby(key).size().to_numpy() / n
        root = share / np.sqrt(1 - share)
        form = np.diag(share + root**2) - np.outer(root, root)
        return float(np.trace(form) ** 2 / (form**2).sum())

    variance = part(["day_0"]) + part(["company"]) - part(["day_0", "company"])
    half = stats.t.ppf(0.975, min(dof("day_0"), dof("company"))) * variance**0.5
    line = page.names["mean"](acts)
    assert line["ci_low"] == pytest.approx(acts["car_0"].mean() - half, rel=1e-9)
    assert line["ci_high"] == pytest.approx(acts["car_0"].mean() + half, rel=1e-9)
    independent = stats.t.ppf(0.975, n - 1) * error.std() / n**0.5
    assert half > independent
