"""Inference for counterfactuals against stored draws, indices and p-values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from eventstudy.causal.kernels.conformal import cross_fit, iid_p_value, invert, moving_block_p_value
from eventstudy.causal.kernels.factor_model import interactive_fixed_effects
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.causal.kernels.placebo import (
    draw_groups,
    pooled_control_gaps,
    refitted_gaps,
    single_control_gaps,
    tail_p_value,
)
from eventstudy.causal.kernels.resampling import jackknife_effects, jackknife_se, parametric_bootstrap
from eventstudy.causal.kernels.simplex import simplex_least_squares
from eventstudy.causal.kernels.weighting import (
    badly_matched,
    difference_in_differences,
    first_difference_noise,
    matched_effect,
    synthetic_control,
    synthetic_did,
)

FloatArray = npt.NDArray[np.float64]


def sc_path(donors: FloatArray, treated: FloatArray):  # type: ignore[no-untyped-def]
    weights = simplex_least_squares(donors, treated).weights
    return lambda days: days @ weights


def did_path(donors: FloatArray, treated: FloatArray):  # type: ignore[no-untyped-def]
    level = treated.mean() - donors.mean()
    return lambda days: days.mean(axis=1) + level


def test_placebo_p_values_are_the_stored_ones(causal: Path, donors: FloatArray, treated: FloatArray) -> None:
    gaps = single_control_gaps(donors, 250)
    stored = pd.read_csv(causal / "sc" / "placebo_donors.csv")
    before, after = np.sqrt((gaps[:, :250] ** 2).mean(axis=1)), np.sqrt((gaps[:, 250:] ** 2).mean(axis=1))
    np.testing.assert_allclose(before, stored["pre_rmspe"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(gaps[:, 250], stored["gap_day0"], rtol=0, atol=1e-10)
    own = treated - synthetic_control(donors, treated, 250, pooled=False).counterfactual
    for i, row in pd.read_csv(causal / "sc" / "placebo_pvalues.csv").iterrows():
        gap = own[:, int(str(i))]
        error = np.sqrt((gap[:250] ** 2).mean())
        assert tail_p_value(np.sqrt((gap[250:] ** 2).mean()) / error, after / before) == pytest.approx(
            row["p_ratio"], rel=1e-14
        )
        assert tail_p_value(gap[250:].mean(), gaps[:, 250:].mean(axis=1)) == pytest.approx(
            row["p_mean_gap_two_sided"], rel=1e-14
        )
        assert tail_p_value(gap[250], gaps[:, 250]) == pytest.approx(row["p_day0_two_sided"], rel=1e-14)
        assert tail_p_value(gap[250] / error, gaps[:, 250] / before) == pytest.approx(
            row["p_day0_std_two_sided"], rel=1e-14
        )


def last_of(indices: pd.Series) -> npt.NDArray[np.int64]:
    """The placebo treated of each stored permutation: its last unit, from 0 on."""
    return np.array([[int(each.split()[-1]) - 1] for each in indices])


@pytest.mark.parametrize("case", ["sim_n1", "california"])
def test_placebo_replicates_of_difference_in_differences(
    causal: Path, donors: FloatArray, california: tuple[FloatArray, FloatArray], case: str
) -> None:
    x, n_pre = (donors, 250) if case == "sim_n1" else (california[0], 19)
    stored = pd.read_csv(causal / "synthdid" / f"{case}_did_placebo_reps.csv")
    found = refitted_gaps(difference_in_differences, x, n_pre, last_of(stored["indices"]))[:, n_pre:].mean(
        axis=1
    )
    np.testing.assert_allclose(found, stored["estimate"], rtol=0, atol=1e-10)
    with (causal / "synthdid" / "se.json").open() as file:
        se = json.load(file)[f"{case}_did_placebo"]["se"]
    n = len(found)
    assert np.sqrt((n - 1) / n) * found.std(ddof=1) == pytest.approx(se, rel=1e-10)


def test_placebo_replicates_of_synthetic_did_lie_within_the_error_of_frank_wolfe(
    causal: Path, donors: FloatArray
) -> None:
    """The stored replicates stop short of the optimum, as the stored estimate does by 8e-5."""
    stored = pd.read_csv(causal / "synthdid" / "sim_n1_sdid_placebo_reps.csv")
    noise = first_difference_noise(donors[:250])

    def fit(x: FloatArray, y: FloatArray, n_pre: int) -> CohortFit:
        return synthetic_did(x, y, n_pre, noise)

    found = refitted_gaps(fit, donors, 250, last_of(stored["indices"]))[:, 250:].mean(axis=1)
    np.testing.assert_allclose(found, stored["estimate"], rtol=0, atol=3e-4)
    assert np.corrcoef(found, stored["estimate"])[0, 1] > 0.999


def test_pooled_placebos_equal_refits(donors: FloatArray) -> None:
    groups = draw_groups(60, 5, 6, np.random.default_rng(1))
    assert all(len(set(group)) == 5 for group in groups.tolist())

    def fit(x: FloatArray, y: FloatArray, n_pre: int) -> CohortFit:
        return synthetic_control(x, y, n_pre, pooled=True)

    np.testing.assert_allclose(
        pooled_control_gaps(donors, 250, groups), refitted_gaps(fit, donors, 250, groups), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("sigma", ["pkg", "rmse"])
@pytest.mark.parametrize("correction", [False, True])
def test_permutation_p_values_of_synth_return(causal: Path, sigma: str, correction: bool) -> None:
    folder = causal / "synthreturn"
    units, draws = pd.read_csv(folder / "units.csv"), pd.read_csv(folder / "permutation_draws.csv")
    cars = [f"car_{k}" for k in range(6)]
    own = units[f"sigma_{sigma}"].to_numpy()
    observed = matched_effect(units[cars].to_numpy(), own)
    placebo_sigma = draws[f"sigma_{sigma}"].to_numpy().reshape(100, 20).copy()
    if correction:
        placebo_sigma[badly_matched(placebo_sigma, own)] = np.nan
    drawn = matched_effect(draws[cars].to_numpy().reshape(100, 20, 6), placebo_sigma)
    stored = pd.read_csv(folder / "permutation_summary_all.csv")
    stored = stored[(stored["sigma"] == sigma) & (stored["correction"] == correction)]
    for k in range(6):
        assert tail_p_value(observed[k], drawn[:, k]) == pytest.approx(
            stored["pval_plus1"].iloc[k], rel=1e-14
        )


@pytest.mark.parametrize("unit", ["T1", "T2", "pooled"])
@pytest.mark.parametrize(("name", "fit"), [("sc", sc_path), ("did", did_path)])
def test_conformal_p_values_and_the_cross_fit_t(  # type: ignore[no-untyped-def]
    causal: Path, panel: pd.DataFrame, donors: FloatArray, unit: str, name: str, fit
) -> None:
    with (causal / "sc" / "conformal.json").open() as file:
        stored = json.load(file)
    own = panel[unit].to_numpy()
    post = np.arange(260) >= 250
    residuals = own - fit(donors, own)(donors)
    wanted = stored[f"{unit}_{name}"]
    assert moving_block_p_value(residuals, post) == pytest.approx(wanted["p_moving_block"], abs=1e-12)
    one_day = own[:251] - fit(donors[:251], own[:251])(donors[:251])
    assert moving_block_p_value(one_day, post[:251]) == pytest.approx(
        wanted["p_moving_block_day0_only"], abs=1e-12
    )
    drawn = iid_p_value(residuals, post, 5000, np.random.default_rng(0))
    p = wanted["p_iid_5000_seed123"]
    assert abs(drawn - p) <= 3 * np.sqrt(2 * p * (1 - p) / 5000)
    for folds in (2, 3):
        found = cross_fit(donors, own, 250, folds, fit)
        table = stored[f"{unit}_{name}_ttest_{folds}"]
        assert found.effect == pytest.approx(table["att"], abs=1e-10)
        assert found.se == pytest.approx(table["se"], abs=1e-10)
        assert found.dof == folds - 1


def test_inverted_conformal_interval_of_a_day(causal: Path, panel: pd.DataFrame, donors: FloatArray) -> None:
    """The stored ends are points of a grid of step 0.0025 within the interval."""
    stored = pd.read_csv(causal / "sc" / "conformal_ci90.csv")
    for row in stored[stored["unit"].isin(["T1", "pooled"])].head(4).itertuples():
        days = np.r_[np.arange(250), 250 + int(str(row.day))]
        own, post = panel[str(row.unit)].to_numpy()[days], np.arange(251) == 250

        def p_value(effect: float, own=own, post=post, days=days) -> float:  # type: ignore[no-untyped-def]
            adjusted = own - effect * post
            return moving_block_p_value(adjusted - sc_path(donors[days], adjusted)(donors[days]), post)

        weights = simplex_least_squares(donors[:250], own[:250]).weights
        low, high = invert(p_value, float(own[250] - donors[days[250]] @ weights), 0.015, 0.1)
        assert low - 1e-5 <= float(str(row.lb)) <= low + 0.0025 + 1e-5
        assert high - 0.0025 - 1e-5 <= float(str(row.ub)) <= high + 1e-5


def test_jackknife_equals_gsynth(causal: Path, donors: FloatArray, treated: FloatArray) -> None:
    with (causal / "ife" / "gsynth121_inference.json").open() as file:
        stored = json.load(file)["n5_jackknife"]["se"]

    def fit(x: FloatArray, y: FloatArray, n_pre: int) -> CohortFit:
        return interactive_fixed_effects(x, y, n_pre, n_factors=3)

    effects = jackknife_effects(fit, donors, treated, 250)[:, 250:].mean(axis=1)
    assert float(jackknife_se(effects)) == pytest.approx(stored, rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "n"), [("n1", 1), ("n5", 5)])
def test_parametric_bootstrap_agrees_with_gsynth(
    causal: Path, donors: FloatArray, treated: FloatArray, case: str, n: int
) -> None:
    with (causal / "ife" / "gsynth121_inference.json").open() as file:
        stored = json.load(file)[f"{case}_parametric"]
    fit = interactive_fixed_effects(donors, treated[:, :n], 250, n_factors=3)
    assert (treated[:, :n] - fit.counterfactual)[250:].mean() == pytest.approx(stored["att_avg"], abs=1e-10)
    drawn = parametric_bootstrap(
        donors, treated[:, :n], 250, fit, fixed_effects="unit", n_draws=400, rng=np.random.default_rng(1)
    )
    se = drawn[:, 250:].mean(axis=1).std(ddof=1)
    # Standard deviations of 200 and of 400 draws.
    assert abs(se / stored["se"] - 1) <= 3 * np.sqrt(1 / 400 + 1 / 800)


def test_tail_p_value_counts_the_estimate_itself_and_leaves_out_failed_draws() -> None:
    assert tail_p_value(3.0, np.array([1.0, 2.0, 4.0, np.nan])) == 0.5
    assert tail_p_value(-5.0, np.array([1.0, 2.0, 4.0])) == 0.25
