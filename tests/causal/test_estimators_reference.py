"""Estimators against the stored numbers of R packages and exact solvers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from eventstudy.causal.kernels.completion import matrix_completion
from eventstudy.causal.kernels.factor_model import FixedEffects, interactive_fixed_effects
from eventstudy.causal.kernels.weighting import (
    difference_in_differences,
    goodness_of_match,
    matched_effect,
    synthetic_control,
    synthetic_did,
    synthetic_did_weights,
)

FloatArray = npt.NDArray[np.float64]
Panels = tuple[FloatArray, FloatArray]
FORCES: tuple[FixedEffects, ...] = ("none", "unit", "time", "two-way")


def read_json(path: Path) -> dict[str, dict[str, object]]:
    with path.open() as file:
        loaded: dict[str, dict[str, object]] = json.load(file)
    return loaded


@pytest.mark.parametrize("unit", ["T1", "T2", "T3", "T4", "T5", "pooled"])
def test_synthetic_control_equals_quadprog(
    causal: Path, panel: pd.DataFrame, donors: FloatArray, unit: str
) -> None:
    weights = pd.read_csv(causal / "sc" / "sc_weights.csv").query("unit == @unit")["weight"].to_numpy()
    gaps = pd.read_csv(causal / "sc" / "sc_gaps.csv").query("unit == @unit")["gap"].to_numpy()
    treated = panel[[unit]].to_numpy()
    fit = synthetic_control(donors, treated, 250, pooled=False)
    assert fit.weights is not None
    np.testing.assert_allclose(fit.weights[:, 0], weights, rtol=0, atol=1e-8)
    np.testing.assert_allclose((treated - fit.counterfactual)[:, 0], gaps, rtol=0, atol=1e-8)
    assert fit.kkt <= 1e-9
    assert fit.unique


def test_pooled_synthetic_control_is_that_of_the_mean(
    causal: Path, donors: FloatArray, treated: FloatArray
) -> None:
    weights = pd.read_csv(causal / "sc" / "sc_weights.csv").query("unit == 'pooled'")["weight"].to_numpy()
    fit = synthetic_control(donors, treated, 250, pooled=True)
    assert fit.weights is not None
    np.testing.assert_allclose(fit.weights, np.repeat(weights[:, None], 5, axis=1), rtol=0, atol=1e-8)


def test_synthetic_did_equals_the_exact_optimum(
    causal: Path, donors: FloatArray, treated: FloatArray, california: Panels
) -> None:
    exact = read_json(causal / "synthdid" / "exact.json")
    cases = {"sim_n1": (donors, treated[:, :1], 250), "california": (*california, 19)}
    for name, (x, y, n_pre) in cases.items():
        fit = synthetic_did(x, y, n_pre)
        effect = (y - fit.counterfactual)[n_pre:, 0]
        assert abs(effect.mean() - exact[f"{name}_sdid"]["tau_exact"]) <= 2e-6
        curve = pd.read_csv(causal / "synthdid" / f"curve_exact_{name}_sdid.csv")["effect"].to_numpy()
        np.testing.assert_allclose(effect, curve, rtol=0, atol=2e-6)
        omega = pd.read_csv(causal / "synthdid" / f"omega_exact_{name}_sdid.csv")["omega"].to_numpy()
        days = pd.read_csv(causal / "synthdid" / f"lambda_exact_{name}_sdid.csv")["lambda"].to_numpy()
        assert fit.weights is not None
        assert fit.time_weights is not None
        np.testing.assert_allclose(fit.weights[:, 0], omega, rtol=0, atol=1e-6)
        np.testing.assert_allclose(fit.time_weights, days, rtol=0, atol=1e-6)


def test_exact_weights_do_better_than_those_of_frank_wolfe(
    causal: Path, donors: FloatArray, treated: FloatArray
) -> None:
    """The package stops at 10,000 steps short of the optimum, 4% off on this panel."""
    omega, time = synthetic_did_weights(donors, treated[:, :1], 250)
    stored = read_json(causal / "synthdid" / "exact.json")["sim_n1_sdid"]
    x = donors[:250] - donors[:250].mean(axis=0)
    y = treated[:250, 0] - treated[:250, 0].mean()
    noise = np.diff(donors[:250], axis=0).std(ddof=1)
    objective = ((y - x @ omega.weights) ** 2).mean() + np.sqrt(10) * noise**2 * (omega.weights**2).sum()
    assert objective == pytest.approx(stored["obj_omega_exact"], rel=1e-8)
    assert objective < float(stored["obj_omega_fw"])  # type: ignore[arg-type]
    assert time.kkt <= 1e-9


def test_synthetic_control_of_california_equals_the_exact_optimum(causal: Path, california: Panels) -> None:
    exact = read_json(causal / "synthdid" / "exact.json")["california_sc"]["tau_exact"]
    x, y = california
    fit = synthetic_control(x, y, 19, pooled=True)
    assert abs((y - fit.counterfactual)[19:].mean() - exact) <= 2e-6


def test_difference_in_differences_equals_both_packages(
    causal: Path, donors: FloatArray, treated: FloatArray, california: Panels
) -> None:
    stored = read_json(causal / "synthdid" / "estimates.json")
    cases = {"sim_n1": (donors, treated[:, :1], 250), "california": (*california, 19)}
    for name, (x, y, n_pre) in cases.items():
        effect = (y - difference_in_differences(x, y, n_pre).counterfactual)[n_pre:, 0]
        assert abs(effect.mean() - stored[f"{name}_did"]["tau"]) <= 1e-10
        curve = pd.read_csv(causal / "synthdid" / f"curve_{name}_did.csv")["effect"].to_numpy()
        np.testing.assert_allclose(effect, curve, rtol=0, atol=1e-10)
    two_way = interactive_fixed_effects(donors, treated, 250, n_factors=0, fixed_effects="two-way")
    plain = difference_in_differences(donors, treated, 250)
    np.testing.assert_allclose(plain.counterfactual, two_way.counterfactual, rtol=0, atol=1e-15)
    assert (treated - plain.counterfactual)[250:].mean() == pytest.approx(0.00153763, abs=5e-9)


@pytest.mark.parametrize("force", FORCES)
@pytest.mark.parametrize(("case", "n"), [("n1", 1), ("n5", 5)])
@pytest.mark.parametrize("factors", ["r0", "r1", "r2", "r3", "r4", "cv"])
def test_interactive_fixed_effects_equal_gsynth(
    causal: Path,
    donors: FloatArray,
    treated: FloatArray,
    force: FixedEffects,
    case: str,
    n: int,
    factors: str,
) -> None:
    key = f"{case}_{force}_{factors}"
    stored = pd.read_csv(causal / "ife" / "gsynth121_counterfactuals.csv").query("key == @key")
    wanted = stored.pivot(index="day", columns="unit", values="y_counterfactual").to_numpy()
    number = range(6) if factors == "cv" else int(factors[1:])
    fit = interactive_fixed_effects(donors, treated[:, :n], 250, n_factors=number, fixed_effects=force)
    np.testing.assert_allclose(fit.counterfactual[250:], wanted, rtol=0, atol=1e-10)
    assert fit.weights is not None
    assert fit.intercept is not None
    np.testing.assert_allclose(fit.intercept + donors @ fit.weights, fit.counterfactual, rtol=0, atol=1e-12)
    if factors == "cv":
        table = read_json(causal / "ife" / "oracle_cv_tables.json")[key]
        assert fit.chosen == table["r_selected"]
        rows: list[dict[str, float]] = table["table"]  # type: ignore[assignment]
        np.testing.assert_allclose(
            np.array(fit.selection), [(row["r"], row["mspe"]) for row in rows], rtol=1e-10, atol=0
        )


def test_factors_may_turn_without_changing_the_effect(donors: FloatArray, treated: FloatArray) -> None:
    """Adding a constant to every return of a unit, or scaling all, changes effects as it must."""
    fit = interactive_fixed_effects(donors, treated, 250, n_factors=2)
    moved = interactive_fixed_effects(donors + np.arange(60) / 100, treated + 0.5, 250, n_factors=2)
    np.testing.assert_allclose(
        treated + 0.5 - moved.counterfactual, treated - fit.counterfactual, rtol=0, atol=1e-12
    )


@pytest.mark.slow
def test_matrix_completion_reaches_the_optimal_objective(
    causal: Path, donors: FloatArray, treated: FloatArray
) -> None:
    oracle = read_json(causal / "mc" / "oracle.json")
    penalties = read_json(causal / "mc" / "mcpanel_estimates.json")
    paths = pd.read_csv(causal / "mc" / "oracle_counterfactuals.csv")
    fect = {"none": "mean", "unit": "unit", "two-way": "two-way"}
    for key, stored in oracle.items():
        n = 1 if "n1" in key else 5
        if key.startswith("fect"):
            scale, penalty = 1.0, stored["lambda_mcpanel_units"]
            additive = next(own for theirs, own in fect.items() if f"_{theirs}_" in key)
        else:
            scale, penalty = 100.0, penalties[key]["lambda_L"]
            additive = "none" if "fe0" in key else "two-way"
        fit = matrix_completion(
            donors * scale,
            treated[:, :n] * scale,
            250,
            penalty=float(penalty),
            additive=additive,  # type: ignore[arg-type]
        )
        assert fit.objective == pytest.approx(stored["objective_oracle"], rel=1e-8), key
        wanted = paths.query("key == @key").pivot(index="day", columns="unit", values="y_counterfactual")
        np.testing.assert_allclose(fit.counterfactual[250:] / scale, wanted.to_numpy(), rtol=0, atol=1e-8)


def test_matrix_completion_without_low_rank_part_is_difference_in_differences(
    donors: FloatArray, treated: FloatArray
) -> None:
    fit = matrix_completion(donors, treated, 250, penalty=1.0)
    plain = difference_in_differences(donors, treated, 250)
    np.testing.assert_allclose(fit.counterfactual[250:], plain.counterfactual[250:], rtol=0, atol=1e-8)


@pytest.fixture(scope="module")
def two_dates(causal: Path) -> dict[int, tuple[FloatArray, FloatArray]]:
    """Donors and the treated return of each of the 20 treated units of synthReturn's example, 106 days."""
    frame = pd.read_csv(causal / "data" / "ret_two_evdates_num.csv")
    is_treated = frame["treat"].astype(bool)
    controls = frame[~is_treated].pivot(index="date", columns="unit", values="ret")
    found = {}
    for unit, rows in frame[is_treated].groupby("unit"):
        event = int(rows["eventdate"].iloc[0])
        days = range(event - 100, event + 6)
        own = rows.set_index("date")["ret"].reindex(days).to_numpy()
        found[int(str(unit))] = (controls.reindex(days).dropna(axis=1).to_numpy(), own[:, None])
    return found


def matched_gaps(two_dates: dict[int, tuple[FloatArray, FloatArray]]) -> FloatArray:
    fits = {
        unit: own - synthetic_control(controls, own, 100, pooled=False).counterfactual
        for unit, (controls, own) in two_dates.items()
    }
    return np.stack([fits[unit][:, 0] for unit in sorted(fits)])


def test_synthetic_matching_equals_synth_return(
    causal: Path, two_dates: dict[int, tuple[FloatArray, FloatArray]]
) -> None:
    folder = causal / "synthreturn"
    gaps = matched_gaps(two_dates)
    wanted = pd.read_csv(folder / "ar_full.csv").pivot(index="treated_unit", columns="tau", values="ar")
    np.testing.assert_allclose(gaps, wanted.to_numpy(), rtol=0, atol=1e-8)
    units, phi = pd.read_csv(folder / "units.csv"), pd.read_csv(folder / "phi.csv")
    published = goodness_of_match(gaps[:, :100])
    package = goodness_of_match(gaps[:, :100], "synthReturn")
    np.testing.assert_allclose(published, units["sigma_rmse"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(package, units["sigma_pkg"], rtol=0, atol=1e-8)
    cumulative = gaps[:, 100:].cumsum(axis=1)
    np.testing.assert_allclose(matched_effect(cumulative, published), phi["phi_rmse"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(matched_effect(cumulative, package), phi["phi_pkg"], rtol=0, atol=1e-8)


def test_cohorts_by_date_equal_quadprog(causal: Path) -> None:
    """One synthetic control per date on the mean of its treated, then the mean over dates."""
    frame = pd.read_csv(causal / "data" / "ret_two_evdates_num.csv")
    is_treated = frame["treat"].astype(bool)
    controls = frame[~is_treated].pivot(index="date", columns="unit", values="ret")
    stored = pd.read_csv(causal / "sc" / "two_evdates_pooled_gaps.csv")
    paths = []
    for event, rows in frame[is_treated].groupby("eventdate"):
        days = range(int(str(event).partition(".")[0]) - 100, int(str(event).partition(".")[0]) + 6)
        own = rows.pivot(index="date", columns="unit", values="ret").reindex(days).to_numpy()
        fit = synthetic_control(controls.reindex(days).dropna(axis=1).to_numpy(), own, 100, pooled=True)
        paths.append((own - fit.counterfactual).mean(axis=1))
        wanted = stored.query("eventdate == @event")["gap"].to_numpy()
        np.testing.assert_allclose(paths[-1], wanted, rtol=0, atol=1e-8)
    catt = pd.read_csv(causal / "sc" / "two_evdates_pooled_catt.csv")
    np.testing.assert_allclose(np.mean(paths, axis=0)[100:], catt["theta"], rtol=0, atol=1e-8)
