"""The examples made of cells: a study by hand confirms their sentences, and the notebooks are theirs."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import eventstudy as es

EXAMPLES = Path(__file__).parents[2] / "examples"
FLAT = [
    "choosing_tests",
    "earnings",
    "entity_list_2019",
    "five_disclosures",
    "house_bill_2018",
    "index_inclusion",
    "litigation",
    "merger",
    "regulation",
    "sector_spillover",
    "sector_to_paper",
    "zte_halt",
]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return _load(EXAMPLES.parent / "scripts" / "notebooks.py")


def _load(path: Path) -> ModuleType:
    module = ModuleType(path.stem)
    module.__dict__.update(runpy.run_path(str(path)))
    return module


class Run:
    """One example, run as a script: what it printed, its variables and its figure."""

    def __init__(self, name: str, folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            printed: list[str] = []
            patch.setattr(sys, "argv", [f"{name}.py", str(folder)])
            patch.syspath_prepend(str(EXAMPLES))
            patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
            self.found: dict[str, Any] = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        plt.close("all")
        self.printed, self.said = "\n".join(printed), printed[-1]
        self.figure = folder / f"{name}.png"


class Runs(dict[str, Run]):
    """The examples by name, each run when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Run:
        self[name] = Run(name, self.folder)
        return self[name]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    return Runs(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


def fit(market: es.Market, firms: list[str], announced: str, **windows: tuple[int, int]) -> Any:
    events = [{"security": firm, "announced_at": announced} for firm in firms]
    return es.EventStudy(market, events, **({"estimation": (-270, -21)} | windows)).fit()


@pytest.mark.quick("merger")
@pytest.mark.parametrize("name", FLAT)
def test_each_saves_its_figure(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    pixels = np.asarray(Image.open(run.figure).convert("L"))
    assert pixels.shape[1] > 500
    assert pixels.std() > 20
    assert run.said.endswith(".")


def test_every_script_has_its_notebook(generator: ModuleType) -> None:
    scripts = {path.stem for path in generator.sources()}
    assert scripts == {*FLAT, "all_announcements", "specification_curve"}
    notebooks = {path.stem for path in EXAMPLES.glob("*.ipynb")}
    assert notebooks == scripts | {"hikvision_2019"}
    for name in sorted(scripts):
        stored = generator.without_outputs(nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4))
        made = generator.notebook((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
        assert stored == made, f"run `python scripts/notebooks.py`: {name}.ipynb is not that of its script"


def test_cells_for_the_script_alone_stay_out_of_the_notebook(generator: ModuleType) -> None:
    script = '"""Title.\n\nText.\n"""\n\n# %%\nimport sys\n\nx = 1\nprint(x)\n\n# %% [markdown]\n# ## More\n'
    script += (
        '\n# %%\nprint(f"{x}")\n\n# %% tags=["notebook"]\n# x + 1\n\n# %% tags=["script"]\nsys.exit(x)\n'
    )
    cells = [(cell.cell_type, cell.source) for cell in generator.notebook(script).cells]
    assert cells == [
        ("markdown", "# Title\n\nText."),
        ("code", "x = 1\nx"),
        ("markdown", "## More"),
        ("code", 'print(f"{x}")'),
        ("code", "x + 1"),
    ]


@pytest.mark.slow
def test_sector_spillover_says_what_a_study_by_hand_finds(runs: dict[str, Run], market: es.Market) -> None:
    said = runs["sector_spillover"].said
    named = ["002415.SZ", "002236.SZ", "300188.SZ", "002230.SZ"]
    four = fit(market, named, "2019-05-21 19:00-04:00")
    others = fit(market, ["002583.SZ", "000063.SZ"], "2019-05-21 19:00-04:00")
    mean = four.car(0, 1)["car"].mean()
    assert f"the four firms that were named returned {-mean:.2%} less" in said
    assert f"adjusted_bmp p = {four.test(0, 1, tests=['adjusted_bmp'])['p_value'].iloc[0]:.4f}" in said
    assert f"the difference is {mean - others.car(0, 1)['car'].mean():+.2%}" in said
    assert "cannot be ruled out with two controls" in said
    assert "significant at 5%: none; the smallest adjusted p is 0.150 (Hikvision)" in said
    days = four.abnormal_returns[[0, 1]].set_axis(named)
    assert (days.loc[["300188.SZ", "002230.SZ"], 0] > -0.005).all()  # before they were named
    assert (days.loc[["300188.SZ", "002230.SZ"], 1] < -0.035).all()


@pytest.mark.slow
def test_zte_halt_follows_the_price_to_the_first_free_close(runs: dict[str, Run]) -> None:
    said = runs["zte_halt"].said
    prices = es.datasets.surveillance_prices()["close"]
    close = prices["000063.SZ"].dropna()["2018-04-16":"2018-06-26"]
    assert len(close) == 10  # the last session before the halt, eight at the limit, one free
    before, after = close.iloc[0], close.iloc[-1]
    assert f"fallen from {before:.2f} to {after:.2f} yuan ({after / before - 1:+.1%})" in said
    index = prices["399001.SZ"]
    assert f"lost {1 - index['2018-06-26'] / index['2018-04-16']:.1%}" in said
    assert "after 39 sessions without trading" in said
    assert "closed at the limit 8 times in a row" in said
    assert "measure of the news (p=0.46)" in said


@pytest.mark.slow
def test_the_house_bill_is_a_null_result_with_its_detectable_effect(
    runs: dict[str, Run], market: es.Market
) -> None:
    said = runs["house_bill_2018"].said
    three = fit(market, ["002415.SZ", "002236.SZ", "002583.SZ"], "2018-05-24 23:59-04:00")
    row = three.caar(0, 1).iloc[0]
    assert f"returned {-row['caar']:.2%} less" in said
    assert "cannot be distinguished from chance" in said
    assert f"rules out a mean fall of more than {-row['ci_low']:.1%}" in said
    # Power of a normal test with the standard error of the mean, at 5% and 80%.
    assert es.lab.power(three, 0, 1).mde() == pytest.approx((1.95996 + 0.84162) * row["se"], rel=0.01)
    assert f"A mean effect of {es.lab.power(three, 0, 1).mde():.1%} would have been found" in said
    assert "Huawei was not listed" in runs["house_bill_2018"].printed
    assert "suspended 13 sessions from 2018-05-25 to 2018-06-12" in runs["house_bill_2018"].printed


@pytest.mark.slow
def test_the_entity_list_meets_a_holiday_and_a_suspension(runs: dict[str, Run], market: es.Market) -> None:
    said, printed = runs["entity_list_2019"].said, runs["entity_list_2019"].printed
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "Hikvision 7 2 2019-10-10 3" in lines
    assert "iFlytek 7 0 2019-10-08 1" in lines
    hikvision = fit(market, ["002415.SZ"], "2019-10-07 17:00-04:00")
    row, line = hikvision.car(0, 0).iloc[0], hikvision.parameters.iloc[0]
    naive = (
        row["actual"]
        - line["alpha"]
        - line["beta"] * market.returns.at[pd.Timestamp("2019-10-10"), "399001.SZ"]
    )
    assert f"an abnormal {row['car']:+.2%}" in said
    assert f"have been {naive:+.2%}" in said
    four = fit(market, ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ"], "2019-10-07 17:00-04:00")
    p = four.recommended(0, 0).set_index("test")["p_value"]
    assert p.max() <= 0.05
    every = "both" if len(p) == 2 else f"all {len(p)}"
    assert f"{every} recommended tests reject it at 5%" in said
    assert all(f"{key} p = {value:.4f}" in said for key, value in p.items())
    assert "significant at 5%: none" in said


@pytest.mark.slow
def test_choosing_tests_counts_what_is_valid(runs: dict[str, Run], market: es.Market) -> None:
    said = runs["choosing_tests"].said
    firms = ["002415.SZ", "002236.SZ", "300188.SZ", "002230.SZ", "002583.SZ", "000063.SZ"]
    six = fit(market, firms, "2019-05-21 19:00-04:00")
    tests = six.test(0, 1, seed=0).query("applicable")
    valid = tests["robust_to"].str.contains("cross-correlation")
    counts = [len(tests), (~valid).sum(), valid.sum()]
    assert f"{counts[0]} tests apply to six firms on one date. {counts[1]} of them assume" in said
    assert f"Of the {counts[2]} that allow" in said
    invalid = ["independence", "patell", "bmp", "cross_sectional", "sign", "wilcoxon", "grank_z"]
    assert not valid[tests["test"].isin(invalid)].any()
    assert "but not adjusted_bmp (p=0.073), filtered_bmp (p=0.153)." in said
    scars = six.car(0, 1)["t"]
    assert f"have a standard deviation of {scars.std():.2f}, where 1 is ordinary" in said
    assert scars.std() < 1.2
    rows = tests.set_index("test").loc[["adjusted_bmp", "portfolio"], "statistic"]
    assert f"The statistics are {rows.iloc[0]:.2f} and {rows.iloc[1]:.2f}" in said
    assert "nothing suggests it" in said
    assert said.endswith("The small number of firms decides, not the day.")


@pytest.mark.slow
def test_earnings_after_the_close_are_measured_on_the_next_session(runs: dict[str, Run]) -> None:
    found, said = runs["earnings"].found, runs["earnings"].said
    reports, returns, index = found["reports"], found["returns"], found["index"]
    late = (reports["session"] == "AMC").to_numpy()
    day = found["sessions"].get_indexer(reports["date"]) + late
    assert (found["results"].timeline["day_0"].to_numpy() == found["sessions"][day]).all()
    # The slope by least squares, of returns less beta times the index with the betas that were drawn.
    column = returns.columns.get_indexer(reports["security"])
    abnormal = returns.to_numpy()[day, column] - found["beta"][column] * index[day]
    slope = np.polyfit(reports["surprise"], abnormal, 1)[0]
    assert found["slope"]["coef"] == pytest.approx(slope, abs=0.0005)
    assert found["slope"]["ci_low"] < found["EFFECT"] < found["slope"]["ci_high"]
    assert "includes the true 2%" in said
    assert found["missed"]["ci_high"] < found["EFFECT"]
    assert f"{late.mean():.0%} of the reports come after the close" in said


def test_the_merger_finds_the_leak_and_adds_up_money(runs: dict[str, Run]) -> None:
    found, said = runs["merger"].found, runs["merger"].said
    results, values = found["results"], found["values"]
    cars = results.car(-10, 1)["car"].to_numpy()
    assert f"by {(cars * values.to_numpy()).sum():+.1f} billion dollars" in said
    leak = results.car(-10, -1)["car"].iloc[:30].mean()
    assert leak == pytest.approx(found["PREMIUM"] * found["LEAKED"], abs=0.03)
    assert f"Targets gained {leak:+.1%} in the ten sessions before" in said
    assert found["total"]["ci_low"] < 0 < found["total"]["ci_high"]
    assert "does not rule out that nothing was created" in said


@pytest.mark.slow
def test_the_rise_before_a_change_of_the_index_is_lost_in_part(runs: dict[str, Run]) -> None:
    found, said = runs["index_inclusion"].found, runs["index_inclusion"].said
    returns, index = found["returns"].to_numpy(), found["index"]
    first = np.repeat(found["days"], found["FIRMS"]) + 1  # the first session after the announcement
    assert (found["results"].timeline["day_0"].to_numpy() == found["sessions"][first]).all()
    less = returns - index[:, None]
    cars = [less[day : day + 15, firm].sum() for firm, day in enumerate(first)]
    assert f"What stays is {np.mean(cars):+.1%}" in said
    assert found["stays"]["ci_low"] <= found["NEWS"] <= found["stays"]["ci_high"]
    back = [less[day + 5 : day + 15, firm].sum() for firm, day in enumerate(first)]
    assert f"in the ten sessions after it {np.mean(back):+.1%}" in said
    assert "which rules out that nothing was given back" in said
    assert found["peak"] == -1  # funds buy on the last session before the change
    alpha = found["table"]["mean alpha per day"]
    assert alpha["market model, year before"] > 0.001 > 10 * abs(alpha["market model, after the event"])


@pytest.mark.slow
def test_what_hits_the_whole_sector_drops_out_of_the_cost_of_the_law(runs: dict[str, Run]) -> None:
    found, said = runs["regulation"].found, runs["regulation"].said
    steps, truth = found["steps"], sum(found["COST"].values())
    covered, spared = (
        study.car(0, 0)["car"].groupby(np.repeat(list(found["days"]), 25)).mean()
        for study in (found["law"], found["controls"])
    )
    np.testing.assert_allclose(steps["difference"], (covered - spared)[steps.index], atol=1e-12)
    assert f"the law cost the covered ones {-(covered - spared).sum():.1%}" in said
    assert f"the same steps add up to {-covered.sum():.1%}" in said
    assert covered.sum() < truth + 0.5 * sum(found["SECTOR"].values())
    assert found["low"] < truth < found["high"]
    assert (abs(steps["difference"] - steps["truth"]) < 2 * steps["se"]).all()
    step = found["treated"].car(0, 0)["car"]  # the last step, by least squares
    slope = np.polyfit(found["exposure"], step, 1)[0]
    assert found["slopes"].at["signature", "coef"] == pytest.approx(slope, abs=1e-12)


@pytest.mark.slow
def test_a_share_is_overpaid_by_the_disclosures_still_to_come(runs: dict[str, Run]) -> None:
    found, said = runs["litigation"].found, runs["litigation"].said
    closes, days, sessions = found["closes"]["FIRM"], found["days"], found["sessions"]
    assert list(found["results"].timeline["day_0"]) == [sessions[day] for day in days.values()]
    # Day 0 by least squares on the days that the study used.
    returns = pd.DataFrame({"firm": closes.pct_change(), "index": found["closes"]["INDEX"].pct_change()})
    returns["industry"] = found["industry"]
    first = days["short seller's report"]
    past = returns.iloc[first - 250 : first - 1].drop(index=found["earnings"], errors="ignore")
    x = np.column_stack([np.ones(len(past)), past["index"], past["industry"]])
    line = np.linalg.lstsq(x, past["firm"], rcond=None)[0]
    day = returns.iloc[first]
    car = day["firm"] - line @ [1, day["index"], day["industry"]]
    assert found["row"].at["short seller's report", "car"] == pytest.approx(car, abs=1e-12)
    assert found["dollars"]["short seller's report"] == pytest.approx(car * closes.iloc[first - 1])
    assert list(found["shown"]) == ["short seller's report", "restatement"]
    assert found["inflation"].iloc[0] == pytest.approx(-found["dollars"].sum())
    assert found["inflation"].iloc[-1] == 0
    assert "the industry falls" in said
    assert found["cars"].at["subpoena", "market"] < -0.04
    for what, truth in found["WORTH"].items():
        low, high = found["row"].loc[what, ["ci_low", "ci_high"]]
        assert low < truth < high


@pytest.mark.slow
def test_five_disclosures_are_those_of_a_study_by_hand(runs: dict[str, Run], market: es.Market) -> None:
    run = runs["five_disclosures"]
    assert (run.figure.parent / "hikvision.pdf").read_bytes().startswith(b"%PDF")
    assert run.found["exhibit"].sections[-1].caption == "Market value, in millions (CNY)"
    events = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
    car = es.EventStudy(market, events, estimation=(-200, -21)).fit().car(0, 0)["car"].iloc[0]
    third = run.found["exhibit"].sections[0].frame["abnormal"].iloc[2]
    assert abs(third - car) < 0.001  # the other disclosures are left out of the estimation
    assert "None of the 5 announcements about 002415.SZ comes with a fall" in run.said


@pytest.mark.slow
def test_sector_to_paper_writes_a_table_and_two_figures(runs: dict[str, Run], market: es.Market) -> None:
    run = runs["sector_to_paper"]
    folder = run.figure.parent
    assert r"\begin{table}" in (folder / "table.tex").read_text(encoding="utf-8")
    assert all((folder / f"{name}.pdf").read_bytes().startswith(b"%PDF") for name in ("forest", "paths"))
    mean = fit(market, run.found["TREATED"], "2019-05-21 19:00-04:00").car(0, 1)["car"].mean()
    assert f"their mean is {mean:+.2%}".replace("-", "−") in run.said
    assert "The 2 control events moved by" in run.said
