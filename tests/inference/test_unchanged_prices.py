"""Prices that often do not change: such days share a rank, and tests that they mislead say so."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.inference import Options, TestInput, run_tests
from eventstudy.inference.engine import residual_pass
from eventstudy.inference.engine.rank_kernel import rank_profile, scaled_ranks
from eventstudy.inference.engine.unchanged_prices import unchanged_share
from eventstudy.inference.filtered_rank import fat_tailed_score
from eventstudy.inference.rank_sets import profile
from eventstudy.inference.ranks import independent_ranks_z
from eventstudy.sample import EventArrays
from eventstudy.windows import Window

WIDTH, SPAN = 100, Window(-2, 2)
RANKED = ["rank", "rank_zivney", "cumrank", "grank_t", "grank_z"]
HOLD = ["rank", "rank_zivney", "cumrank_t", "cumrank_z", "filtered_rank", "sign_zivney"]


def event_arrays(returns: np.ndarray, x: np.ndarray, dates: np.ndarray, width: int) -> EventArrays:
    """Events whose first `width` days are the estimation window, and the others the event window."""
    return EventArrays(
        y_est=returns[:, :width],
        y_evt=returns[:, width:],
        x_est=x[:, :width],
        x_evt=x[:, width:],
        span_evt=np.ones(returns[:, width:].shape, dtype=int),
        dates_est=dates[:, :width],
        dates_evt=dates[:, width:],
    )


def study(
    n: int = 30,
    unchanged: float = 0.5,
    drift: float = 0.1,
    seed: int = 0,
    model: es.models.NormalReturnModel | None = None,
    tick: float = 0.0,
    common: bool = False,
    returns: np.ndarray | None = None,
) -> AbnormalReturns:
    """Events whose returns below a bound are zero, or whose prices lie on a grid, or given returns."""
    rng = np.random.default_rng(seed)
    days = WIDTH + len(SPAN)
    if returns is not None:
        n = len(returns)
    elif tick:
        worth = rng.uniform(2, 5, (n, 1)) * np.exp(np.cumsum(0.018 * rng.standard_normal((n, days + 1)), 1))
        price = tick * np.maximum(np.rint(worth / tick), 1.0)
        returns = price[:, 1:] / price[:, :-1] - 1.0
    else:
        returns = drift + rng.standard_normal((n, days))
        returns[np.abs(returns) < stats.norm.ppf(0.5 + unchanged / 2)] = 0.0
        returns *= 0.02
    market = 0.01 * rng.standard_normal((n, days, 1))
    model = es.ConstantMean() if model is None else model
    x = market if model.regressors else market[:, :, :0]
    dates = np.datetime64("2000-01-03") + 300 * np.arange(n)[:, None] * (not common) + np.arange(days)
    arrays = event_arrays(returns, x, dates, WIDTH)
    return abnormal_returns(arrays, model.fit(arrays), SPAN)


def notes(made: AbnormalReturns, window: Window, tests: list[str] | None = None) -> dict[str, str]:
    rows = run_tests(TestInput(made, window), tests, Options(n_resamples=19))
    found: dict[str, str] = rows.set_index("test")["note"].to_dict()
    return found


@pytest.mark.parametrize("name", RANKED)
@pytest.mark.parametrize("few", [100, 0], ids=["read whole", "in a pass"])
def test_a_tested_day_without_a_price_change_has_the_rank_of_past_ones(name, few, monkeypatch):
    monkeypatch.setattr(residual_pass, "FEW", few)
    made = study()
    past = made.past.residuals()
    ranks = profile(TestInput(made, Window(0, 0)), name).tested[:, 0]
    same = made.actual[:, 2] == 0
    assert 5 < same.sum() < 25
    for event in np.flatnonzero(same):
        ar = made.ar[event, 2]
        # `rank` and `cumrank` rank all days of the event window.
        others = made.ar[event] if name in ("rank", "cumrank") else made.ar[event, 2:3]
        among = np.concatenate([past[event], others])
        below, tied = (among < ar - 1e-12).sum(), (np.abs(among - ar) < 1e-12).sum()
        assert ranks[event] == pytest.approx((below + (tied + 1) / 2) / (len(among) + 1) - 0.5)


@pytest.mark.parametrize("name", ["rank_zivney", "cumrank", "grank_z"])
def test_other_days_keep_the_scale_of_their_test(name):
    """The first return that is not zero, without any tie, ranks as without unchanged prices."""
    made = study()
    data = TestInput(made, Window(0, 0))
    moved = made.actual[:, 2] != 0
    # An actual return that is not zero says that nothing is to tie.
    blind = TestInput(replace(made, actual=made.actual + 1.0), Window(0, 0))
    seen, unseen = (profile(each, name).tested[:, 0] for each in (data, blind))
    np.testing.assert_allclose(seen[moved], unseen[moved], atol=3 / WIDTH)
    assert (seen[~moved] != unseen[~moved]).all()


def test_a_window_without_any_change_has_the_rank_of_a_day_without_one():
    made = study(unchanged=0.8)
    data = TestInput(made, Window(-1, 1))
    whole = (made.actual[:, 1:4] == 0).all(axis=1)
    ranks, day = profile(data, "grank_z").tested[:, 0], made.ar[:, 2]
    past = made.past.residuals()
    for event in np.flatnonzero(whole):
        below, tied = (past[event] < day[event]).sum(), (past[event] == day[event]).sum() + 1
        assert ranks[event] == pytest.approx((below + (tied + 1) / 2) / (WIDTH + 2) - 0.5)


def test_a_halt_is_no_day_without_a_price_change():
    made = study()
    lumped = replace(made, span=np.where(np.arange(5) == 2, 2, made.span))
    ranks = [profile(TestInput(each, Window(0, 0)), "rank_zivney").tested for each in (made, lumped)]
    assert (ranks[0] != ranks[1]).any()


def test_the_variance_of_ranks_that_tie_is_that_of_drawing_them():
    past, event = np.array([[0.0, 0.0, 0.0, 1.0, -2.0]]), np.array([[0.0, 3.0]])
    found = rank_profile(past, event, slice(0, 2))
    ranks = scaled_ranks(np.concatenate([past, event], axis=1))[0]
    sums = [sum(pair) for pair in itertools.permutations(ranks, 2)]
    z = independent_ranks_z(found)
    assert z == pytest.approx((ranks[5] + ranks[6]) / np.std(sums))
    untied = rank_profile(past + np.arange(5) / 100, event - 0.01, slice(0, 2))
    assert untied.tied.tolist() == [1.0]


def test_scores_of_days_without_a_change_are_one_and_their_variance_that_of_drawing_them():
    """The statistic of one event day by day, from its ranks among all days."""
    made = study(n=2, unchanged=0.6, seed=3)
    window = Window(0, 1)
    row = run_tests(TestInput(made, window), ["filtered_rank"]).iloc[0]
    total = variance = 0.0
    for event in range(2):
        errors = made.past.residuals()[event] / np.sqrt(1 - 1 / WIDTH)
        errors = np.concatenate([errors, made.ar[event, :2]])
        still = np.concatenate([made.past.residuals()[event], made.ar[event, :2]]) == -made.expected[event, 0]
        level, over = np.mean(errors[:20] ** 2), []
        for e in errors:
            over.append(e / np.sqrt(level))
            level = 0.94 * level + 0.06 * e**2
        tested = made.ar[event, 2:4] / np.sqrt(level * (1 + 1 / WIDTH))
        unchanged = -made.expected[event, 0] / np.sqrt(level * (1 + 1 / WIDTH))
        values = np.concatenate([np.where(still, unchanged, over), tested])
        values[np.abs(values - unchanged) < 1e-12] = unchanged
        scores = fat_tailed_score(scaled_ranks(values[None])[0])
        size = len(scores)
        total += (scores[-2:] - scores.mean()).sum()
        variance += 2 * (size - 2) / (size - 1) * scores.var()
    assert made.past.residuals().shape == (2, WIDTH)
    assert row["statistic"] == pytest.approx(total / np.sqrt(variance))


def test_signs_about_a_median_that_many_days_have_are_taken_from_their_mean():
    """Where 60% of returns are zero, so is the median, and 30% of returns above it do not show an effect."""
    draw = np.random.default_rng(5).random((100, WIDTH + len(SPAN)))
    returns = 0.02 * (np.maximum(draw - 0.7, 0.0) + np.minimum(draw - 0.1, 0.0))
    row = run_tests(TestInput(study(returns=returns), SPAN), ["sign_zivney"]).iloc[0]
    assert row["p_value"] > 0.01


def test_scores_that_unchanged_prices_mislead_say_so_and_what_holds():
    made = study(n=12, unchanged=0.8)
    share = unchanged_share(made, slice(2, 3))
    assert share == pytest.approx(0.8, abs=0.03)
    note = notes(made, Window(0, 0), ["filtered_sq"])["filtered_sq"]
    assert f"{share:.0%} of past days have one abnormal return, as where prices do not change" in note
    assert "can reject far too often; rank and cumrank_t hold" in note
    for other, window in ((made, Window(0, 1)), (study(n=12, unchanged=0.5), Window(0, 0))):
        assert "do not change" not in notes(other, window, ["filtered_sq"])["filtered_sq"]


@pytest.mark.parametrize("model", [es.MarketModel(), es.RawReturn()], ids=["moving", "zero"])
def test_a_prediction_that_moves_and_a_return_of_zero_are_no_share(model):
    """A market model gives each unchanged price another abnormal return; raw returns drop zeros."""
    assert unchanged_share(study(model=model), slice(2, 3)) == 0.0


def test_one_date_has_no_scores_to_mislead():
    own, one = (notes(study(n=12, unchanged=0.8, common=c), Window(0, 0), ["filtered_sq"]) for c in (0, 1))
    assert "do not change" in own["filtered_sq"]
    assert "do not change" not in one["filtered_sq"]


def sizes(window: Window, samples: int, tests: list[str], **kwargs: Any) -> dict[str, float]:
    p = []
    for seed in range(samples):
        data = TestInput(study(seed=seed, **kwargs), window)
        p.append(run_tests(data, tests).set_index("test")["p_value"])
    return {key: float((np.array([each[key] for each in p]) <= 0.05).mean()) for key in tests}


@pytest.mark.parametrize("window", [Window(0, 0), Window(-1, 1)], ids=str)
def test_tests_of_single_days_hold_where_prices_often_do_not_change(window):
    """Without ties `cumrank_z` rejects half, and `rank_zivney` a third."""
    for rate in sizes(window, 40, HOLD, unchanged=0.6).values():
        assert rate <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 40)


@pytest.mark.slow
@pytest.mark.parametrize("world", [{"unchanged": 0.3}, {"unchanged": 0.6}, {"tick": 0.2}], ids=str)
@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1), Window(-1, 1)], ids=str)
def test_size_where_prices_often_do_not_change(window, n, world):
    margin = 4 * np.sqrt(0.05 * 0.95 / 400)
    tests = [*HOLD, "grank_t", "grank_z"] if len(window) == 1 else HOLD
    for key, rate in sizes(window, 400, tests, n=n, **world).items():
        scaled_by_few = n == 10 and key in ("rank_zivney", "grank_t", "grank_z")
        assert rate <= 0.05 + margin + 0.03 * scaled_by_few, key
