"""The stored tables of the pages on causal studies: what they claim, and parts of them made anew."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

ROOT = Path(__file__).parents[2]
#: Tests that claim to keep their size, on all days and on volatile ones.
EVERYWHERE = (
    "placebo",
    "placebo_ratio",
    "conformal_block_scaled",
    "conformal_iid_scaled",
    "cross_fit_t_scaled",
)


def stored(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "docs" / "data" / f"causal_{name}.csv")


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return runpy.run_path(str(ROOT / "benchmarks" / f"causal_{name}.py"))


@pytest.fixture(scope="module")
def size() -> pd.DataFrame:
    return stored("size")


def test_tests_that_claim_it_keep_their_size_on_both_panels(size: pd.DataFrame) -> None:
    """A thousand samples of synthetic control: the interval of the rate meets 3 to 7%."""
    control = size[size["estimator"] == "Synthetic control by date"]
    rows = control[(control["days"] == "all") & control["test"].isin([*EVERYWHERE, "conformal_block"])]
    assert len(rows) == 2 * 2 * 6
    assert (rows["n_samples"] == 1000).all()
    assert ((rows["ci_low"] <= 0.07) & (rows["ci_high"] >= 0.03)).all()


def test_scaled_tests_keep_their_size_on_volatile_days_and_plain_ones_do_not(size: pd.DataFrame) -> None:
    control = size[(size["estimator"] == "Synthetic control by date") & (size["days"] == "volatile")]
    rows = control[control["test"].isin(EVERYWHERE)]
    assert ((rows["ci_low"] <= 0.07) & (rows["ci_high"] >= 0.03)).all()
    american = control[control["panel"] == "sp500"].set_index(["test", "treated"])["ci_low"]
    for key in ("conformal_block", "conformal_iid", "cross_fit_t"):
        assert (american[key] > 0.07).all()


def test_sizes_of_other_estimators_meet_the_nominal_one(
    size: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the tests that `recommended` names, on the design that the script has for each."""
    designs = {each.label: rest for each, *rest in script("size", monkeypatch)["DESIGNS"].values()}
    found = size[size["days"] == "all"]
    assert len(found["estimator"].unique()) >= 5
    for estimator, rows in found.groupby("estimator"):
        numbers, n_samples, _ = designs[estimator]
        one = str(estimator).startswith("Matrix completion")
        assert set(rows["panel"]) == ({"a_shares"} if one else {"a_shares", "sp500"})
        assert set(rows["treated"]) == set(numbers)
        assert (rows["n_samples"] == n_samples).all()
        recommended = rows[rows["test"].isin(["placebo", "conformal_block_scaled"])]
        assert ((recommended["ci_low"] <= 0.07) & (recommended["ci_high"] >= 0.03)).all()


@pytest.mark.slow
@pytest.mark.parametrize("panel", ["a_shares", "sp500"])
def test_the_script_makes_such_sizes(
    size: pd.DataFrame, panel: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty samples, which are among those of the table."""
    made = script("size", monkeypatch)
    tests = ["conformal_block", "conformal_block_scaled"]
    found = made["rates"](made["MARKETS"][panel](), 1, es.causal.SyntheticControl(), 40, tests=tests)
    found = found[found["days"] == "all"].set_index("test")["rate"]
    rows = size[(size["panel"] == panel) & (size["treated"] == 1) & (size["days"] == "all")]
    rates = rows[rows["estimator"] == "Synthetic control by date"].set_index("test")["rate"]
    error = np.sqrt(rates * (1 - rates) / 40)
    assert (abs(found - rates[tests]) < 4 * error[tests]).all()


@pytest.mark.parametrize(("number", "design"), [(1, "none"), (4, "both")])
def test_the_script_makes_the_first_simulation_of_the_table(
    number: int, design: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = script("table1", monkeypatch)
    errors, _ = made["errors"](design, 1000 * number)
    table = stored("table1")
    table = table[table["selection"] == design]
    assert table["method"].tolist() == list(made["METHODS"])
    np.testing.assert_allclose(100 * errors[:, 0], table["first"], rtol=0, atol=1e-5)


def test_the_simulation_shows_the_bias_of_a_factor_model_and_not_of_others() -> None:
    table = stored("table1").set_index(["selection", "method"])
    bias, error = table["bias"], table["monte_carlo_error"]
    assert bias["timing", "CAPM"] == pytest.approx(1.7, abs=0.2)
    assert bias["both", "CAPM"] == pytest.approx(1.3, abs=0.2)
    factors = bias.xs("Interactive fixed effects", level="method")
    assert (factors.abs() < 3 * error.xs("Interactive fixed effects", level="method")).all()
    control = bias.xs("Synthetic control by date", level="method").drop("both")
    assert (control.abs() < 3 * error.xs("Synthetic control by date", level="method").drop("both")).all()
    assert -0.15 < bias["both", "Synthetic control by date"] < -0.04


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("case", ["Hikvision and Dahua", "ZTE's suppliers"])
def test_the_script_makes_the_estimates_of_the_cases(
    case: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = script("cases", monkeypatch)["fitted"](case)
    made = es.compare_counterfactuals(results, 0, 1, estimators=[es.causal.SyntheticControl()]).frame
    table = stored("cases")
    table = table[(table["case"] == case) & (table["window"] == "(0, +1)")].set_index("method")
    table = table.loc[made.index, made.columns]
    assert made["test"].tolist() == table["test"].tolist()
    numbers = made.columns.drop("test")
    np.testing.assert_allclose(made[numbers].astype(float), table[numbers].astype(float), rtol=0, atol=2e-6)
