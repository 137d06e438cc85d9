"""Groups, controls, firms and the joint test as the user asks for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.multivariate.manova import MANOVA
from statsmodels.stats.multitest import multipletests

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference import run_tests
from eventstudy.inference.base import Options, TestInput
from eventstudy.inference.procedures.differences import difference, treated_vs_controls
from eventstudy.inference.procedures.multiple_testing import adjust
from eventstudy.inference.procedures.unforeseen import unforeseen
from eventstudy.windows import Window

DAYS = pd.bdate_range("2018-01-01", periods=420).as_unit("ns")
NAMES = [f"S{i}" for i in range(8)]


@pytest.fixture(scope="module")
def grouped(market):
    events = [
        {"event_id": f"e{i}", "security": name, "date": DAYS[300], "group": "abc"[i % 3]}
        for i, name in enumerate(NAMES)
    ]
    return es.EventStudy(market, events, estimation=(-150, -21), window=(-4, 6)).fit()


def studied(market, names, days):
    events = [{"security": name, "date": day} for day in days for name in names]
    return es.EventStudy(market, events, estimation=(-150, -21), window=(-4, 6)).fit()


def test_groups_come_in_blocks_and_then_their_differences(grouped):
    keys = ["bmp", "portfolio", "bootstrap"]
    frame = grouped.test(0, 1, by="group", tests=keys, seed=2, n_resamples=99)
    assert frame.columns[0] == "group"
    assert frame["group"].tolist() == [*"aaabbbccc", "a - b", "a - c", "b - c"]
    for name, rows in (("a", [0, 3, 6]), ("c", [2, 5])):
        keep = np.isin(np.arange(8), rows)
        data = TestInput(grouped.fitted.abnormal.take(keep), Window(0, 1))
        want = run_tests(data, keys, Options(n_resamples=99, seed=2))
        found = frame[frame["group"] == name].drop(columns="group").reset_index(drop=True)
        pd.testing.assert_frame_equal(found, want)
    inputs = [TestInput(grouped.fitted.abnormal.take(np.arange(8) % 3 == i), Window(0, 1)) for i in (0, 1)]
    row = frame[frame["group"] == "a - b"].iloc[0]
    assert row["test"] == "difference_portfolio"
    assert row["statistic"] == difference(*inputs, Options())[0]["statistic"]
    assert row["n_events"] == 6


def test_groups_must_be_known(grouped, common, market):
    with pytest.raises(RequestError, match="no column 'sector'; their columns are security, date"):
        grouped.test(0, 1, by="sector")
    events = [
        {"security": "S0", "date": DAYS[300], "group": "a"},
        {"security": "S1", "date": DAYS[300], "group": None},
    ]
    partial = es.EventStudy(market, events, estimation=(-150, -21), window=(-4, 6)).fit()
    with pytest.raises(RequestError, match="1 event without a 'group': 1"):
        partial.test(0, 1, by="group")


def test_treated_against_controls(market):
    treated, controls = studied(market, NAMES[:3], [DAYS[290]]), studied(market, NAMES[3:7], [DAYS[290]])
    frame = treated.test(0, 1, against=controls, seed=1, n_resamples=199)
    want = treated_vs_controls(
        treated.fitted.test_input(Window(0, 1)),
        controls.fitted.test_input(Window(0, 1)),
        Options(n_resamples=199, seed=1),
    )
    pd.testing.assert_frame_equal(frame, want)
    apart = treated.car(0, 1)["car"].mean() - controls.car(0, 1)["car"].mean()
    assert frame.loc[0, "estimate"] == pytest.approx(apart, rel=1e-12)
    # The residuals of the difference are those of the regression of the difference.
    past = [
        pd.concat([s.regression(i).resid for i in s.timeline.index], axis=1).mean(axis=1)
        for s in (treated, controls)
    ]
    s2 = ((past[0] - past[1]) ** 2).sum() / 128
    car = treated.car(0, 1).iloc[0]
    scale = car["se"] ** 2 / treated.regression(0).mse_resid
    assert frame.loc[0, "statistic"] == pytest.approx(apart / np.sqrt(s2 * scale), rel=1e-9)
    assert frame.loc[0, "dof"] == 128
    assert frame["test"].tolist() == ["difference_portfolio", "difference_dates", "difference_permutation"]


def test_treated_against_controls_on_two_dates(market):
    days = [DAYS[175], DAYS[390]]
    treated, controls = studied(market, NAMES[:3], days), studied(market, NAMES[3:7], days)
    frame = treated.test(0, 1, against=controls, seed=1)
    assert frame["applicable"].all()
    assert frame.loc[1, "dof"] == 1
    assert (frame["n_events"] == 6).all()


def test_controls_are_other_firms_and_tests_are_fixed(grouped, common, market):
    with pytest.raises(RequestError, match="Treated events are controls too: 8, such as S0"):
        grouped.test(0, 1, against=common)
    other = studied(market, NAMES, [DAYS[290]])
    with pytest.raises(RequestError, match="leave out tests= and by="):
        grouped.test(0, 1, against=other, tests=["bmp"])
    with pytest.raises(RequestError, match="got str"):
        grouped.test(0, 1, against="controls")
    with pytest.raises(RequestError, match="No control event"):
        grouped.test(0, 1, against=other)


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_firm_tests(common, method):
    frame = common.firm_tests(0, 1, adjust=method, seed=1)
    cars = common.car(0, 1)
    assert frame.index.equals(cars.index)
    assert frame["security"].tolist() == NAMES
    for name in ("car", "se", "t", "dof", "p_value"):
        assert frame[name].to_numpy() == pytest.approx(cars[name].to_numpy(), rel=1e-10), name
    want = multipletests(cars["p_value"], method={"holm": "holm", "bh": "fdr_bh"}[method])[1]
    assert frame["p_adjusted"].to_numpy() == pytest.approx(want, rel=1e-10)


def lines(market, names):
    """Fits of the estimation days of the study `common`, one for each security."""
    past = market.returns.iloc[150:280]
    x = sm.add_constant(market.bank.single[0][150:280])
    return [sm.OLS(past[name], x).fit() for name in names]


def test_firm_tests_step_down_over_days_drawn_for_all_firms(common, market):
    """Romano and Wolf's procedure written out: a loop over draws, the hypotheses from the largest down."""
    rng = np.random.default_rng(11)
    fits = lines(market, NAMES)
    scaled = [fit.resid / np.sqrt(1 - fit.get_influence().hat_matrix_diag) for fit in fits]
    residuals = np.column_stack([each - each.mean() for each in scaled])
    draws = np.empty((2000, 8))
    for b in range(2000):
        event, past = residuals[rng.integers(0, 130, 2)], residuals[rng.integers(0, 130, 130)]
        draws[b] = event.sum(axis=0) / (np.sqrt(2) * past.std(axis=0, ddof=1))
    t = common.car(0, 1)["t"].abs().to_numpy().copy()
    between = sm.add_constant(market.bank.single[0][280:300])
    for j, (fit, each) in enumerate(zip(fits, scaled, strict=True)):
        e = fit.resid.to_numpy()
        rho = (e[1:] * e[:-1]).sum() / (e**2).sum()
        errors = np.append(each, market.returns[NAMES[j]].iloc[280:300] - fit.predict(between))
        variance = np.mean(errors[:20] ** 2)
        for error in errors:
            variance = 0.94 * variance + 0.06 * error**2
        t[j] /= np.sqrt(max(1.0, 1.0 + rho) * max(1.0, variance / fit.mse_resid))
    factor = common.firm_tests(0, 1)["t"].abs().to_numpy() / t
    assert unforeseen(common.fitted.test_input(es.Window(0, 1))) == pytest.approx(factor)
    order, want, last = np.argsort(-t), np.empty(8), 0.0
    for place, j in enumerate(order):
        largest = np.abs(draws[:, order[place:]]).max(axis=1)
        want[j] = last = max(last, (largest >= t[j]).mean())
    found = common.firm_tests(0, 1, adjust="romano-wolf", seed=1, n_resamples=1999)["p_adjusted"]
    # Each side has a simulation error of 0.011 at most.
    assert found.to_numpy() == pytest.approx(want, abs=0.05)
    assert want.min() < 0.2
    assert want.max() > 0.3


def test_joint_test(common, market):
    """All effects of one day, and their mean, from the regressions with a dummy for it (statsmodels)."""
    rows = np.r_[150:280, 300]
    returns = market.returns[NAMES].iloc[rows].to_numpy()
    dummy = (rows == 300).astype(float)
    x = np.column_stack([np.ones(131), market.bank.single[0][rows], dummy])
    contrast = MANOVA(returns, x).mv_test([("effect", np.array([[0.0, 0.0, 1.0]]))])
    f = contrast.results["effect"]["stat"].loc["Wilks' lambda"]
    mean = sm.OLS(returns.mean(axis=1), x).fit()
    found = common.joint_test(0, 0)
    assert found.statistic == pytest.approx(f["F Value"], rel=1e-8)
    assert found.dof == (f["Num DF"], f["Den DF"]) == (8, 121)
    assert found.p_value == pytest.approx(f["Pr > F"], rel=1e-6)
    assert found.mean_effect == pytest.approx(mean.params[2], rel=1e-10)
    assert found.mean_statistic == pytest.approx(mean.tvalues[2], rel=1e-10)
    assert found.mean_dof == mean.df_resid == 128
    assert found.mean_p_value == pytest.approx(mean.pvalues[2], rel=1e-8)


@pytest.mark.parametrize("method", ["romano-wolf", "holm", "bh"])
def test_window_tests(common, method):
    windows = [(0, 0), (0, 1), (-4, 6)]
    frame = common.window_tests(windows, adjust=method, seed=1)
    assert list(frame.index) == ["(0, 0)", "(0, +1)", "(-4, +6)"]
    assert frame.index.name == "window"
    assert frame.loc["(0, +1)", "caar"] == pytest.approx(common.car(0, 1)["car"].mean())
    assert (frame["p_adjusted"] >= frame["p_value"] - 1e-12).all()
    pd.testing.assert_frame_equal(frame, common.window_tests(windows, adjust=method, seed=1))
    if method != "romano-wolf":
        chosen = common.window_tests(windows, adjust=method, test="adjusted_bmp")
        p = [common.test(*w, tests="adjusted_bmp")["p_value"].iloc[0] for w in windows]
        assert chosen["p_adjusted"].to_numpy() == pytest.approx(adjust(p, method))


def test_window_tests_need_windows_inside_the_event_window(common):
    with pytest.raises(RequestError, match="needs windows"):
        common.window_tests([])
    with pytest.raises(RequestError, match="outside the event window"):
        common.window_tests([(0, 0), (0, 9)])


@pytest.mark.parametrize("method", ["romano-wolf", "holm", "bh"])
def test_group_tests(grouped, method):
    frame = grouped.group_tests("group", 0, 1, adjust=method, seed=1)
    assert list(frame.index) == ["a", "b", "c"]
    assert frame.index.name == "group"
    assert frame["n_events"].tolist() == [3, 3, 2]
    cars = grouped.car(0, 1)["car"].to_numpy()
    assert frame["caar"].to_numpy() == pytest.approx([cars[i::3].mean() for i in range(3)])
    assert (frame["p_adjusted"] >= frame["p_value"] - 1e-12).all()
    with pytest.raises(RequestError, match="no column 'sector'"):
        grouped.group_tests("sector", 0, 1)
