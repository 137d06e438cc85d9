"""The tests as the user meets them: rows, choices, sides, recommendations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import RequestError
from eventstudy.inference import TESTS, run_tests

COLUMNS = [
    *["test", "statistic", "distribution", "dof", "p_value", "estimate", "n_events"],
    *["null", "robust_to", "reference", "applicable", "note"],
]


def test_every_test_is_a_row(common):
    frame = common.test(0, 1)
    assert frame.columns.tolist() == COLUMNS
    assert frame["test"].tolist() == list(TESTS)
    applies = frame["applicable"]
    assert applies.sum() > 10
    assert frame.loc[applies, ["statistic", "p_value"]].notna().all(axis=None)
    assert frame.loc[applies, "p_value"].between(0, 1).all()
    assert frame.loc[~applies, ["statistic", "p_value", "dof", "estimate"]].isna().all(axis=None)
    assert frame.loc[~applies, "note"].str.startswith("not applicable: ").all()
    assert frame["null"].ne("").all()
    assert frame["reference"].ne("").all()


def test_one_event_has_no_cross_section(one):
    frame = one.test(0, 1).set_index("test")
    assert frame.loc["cross_sectional", "note"] == "not applicable: one event"
    assert frame.index[frame["applicable"]].tolist()[:2] == ["t", "sq"]
    car = one.car(0, 1).iloc[0]
    t = frame.loc["t"]
    assert t["statistic"] == pytest.approx(car["t"], rel=1e-12)
    assert t["p_value"] == pytest.approx(car["p_value"], rel=1e-12)
    assert t["dof"] == car["dof"]


def test_many_events_have_no_test_of_one(common):
    frame = common.test(0, 1, tests=["t", "sq"])
    assert frame["applicable"].tolist() == [False, False]
    assert frame["note"].str.contains("a test of one event, there are 8").all()


def test_tests_may_be_chosen(common):
    assert common.test(0, 1, tests="bmp")["test"].tolist() == ["bmp"]
    chosen = common.test(0, 1, tests=["grank_t", "adjusted_bmp"])
    assert chosen["test"].tolist() == ["grank_t", "adjusted_bmp"]
    whole = common.test(0, 1).set_index("test")
    for key, row in chosen.set_index("test").iterrows():
        assert row["statistic"] == whole.loc[key, "statistic"]


@pytest.mark.parametrize("key", ["cross_sectional", "portfolio", "patell", "bmp", "adjusted_bmp"])
def test_the_two_sides_add_up(common, key):
    less, greater, both = (
        common.test(0, 1, tests=key, alternative=side).iloc[0] for side in ("less", "greater", "two-sided")
    )
    assert less["statistic"] == greater["statistic"] == both["statistic"]
    assert less["p_value"] + greater["p_value"] == pytest.approx(1, abs=1e-12)
    assert both["p_value"] == pytest.approx(2 * min(less["p_value"], greater["p_value"]), rel=1e-10)
    # The effect put in is negative.
    assert less["p_value"] < 0.05


def test_rank_of_one_event_on_each_side(one):
    """(1 + b) / (B + 1) of the estimation residuals at least as extreme, on their common scale."""
    for side, extreme in (
        ("less", lambda pool, value: pool <= value),
        ("greater", lambda pool, value: pool >= value),
        ("two-sided", lambda pool, value: abs(pool) >= abs(value)),
    ):
        fit = one.regression()
        pool = fit.resid / np.sqrt(1 - fit.get_influence().hat_matrix_diag)
        car = one.car(0, 0).iloc[0]
        value = car["t"] * np.sqrt(fit.mse_resid)
        wanted = (1 + extreme(pool, value).sum()) / (len(pool) + 1)
        assert one.test(0, 0, tests="sq", alternative=side)["p_value"].tolist() == [pytest.approx(wanted)]


@pytest.mark.parametrize("which", ["one", "common", "distinct"])
def test_recommended_tests_apply_and_carry_their_numbers(which, request):
    results = request.getfixturevalue(which)
    chosen = results.recommended(0, 1)
    assert {"test", "reason", "statistic", "p_value"} <= set(chosen.columns)
    whole = results.test(0, 1, seed=0).set_index("test")
    assert len(chosen) >= 2
    assert whole.loc[chosen["test"], "applicable"].all()
    assert chosen["reason"].str.len().min() > 10
    np.testing.assert_allclose(chosen["p_value"], whole.loc[chosen["test"], "p_value"], rtol=1e-12)


def test_recommendation_follows_the_design(one, common, distinct):
    assert one.recommended(0, 0)["test"].tolist() == ["sq", "filtered_sq", "conformal", "t"]
    assert common.recommended(0, 1)["test"].tolist()[:2] == ["filtered_t", "filtered_bmp"]
    assert not {"patell", "bmp", "cross_sectional", "grank_t"} & set(common.recommended(0, 1)["test"])
    assert distinct.recommended(0, 1)["test"].tolist()[:2] == ["filtered_rank", "bmp"]


def test_clustering(common, distinct):
    shared, apart = common.clustering(0, 1), distinct.clustering(0, 1)
    assert (shared.n_events, shared.n_dates) == (8, 1)
    assert (apart.n_events, apart.n_dates) == (8, 8)
    assert shared.n_overlapping_pairs == 28
    assert apart.n_overlapping_pairs == 0
    residuals = pd.DataFrame({i: common.regression(i).resid for i in common.timeline.index})
    r = residuals.corr().to_numpy()[np.triu_indices(8, 1)].mean()
    assert shared.mean_correlation == pytest.approx(r, rel=1e-10)
    assert shared.effective_n == pytest.approx(8 / (1 + 7 * r), rel=1e-10)


def test_the_same_seed_gives_the_same_numbers(common):
    first, second = (common.test(0, 1, seed=3, n_resamples=99) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_intervals_by_event_and_method(one, common):
    frame = common.intervals(0, 1, seed=1)
    assert frame.index.names == ["event_id", "method"]
    cars = common.car(0, 1)
    normal = frame.xs("t", level="method")
    np.testing.assert_allclose(normal[["car", "ci_low", "ci_high"]], cars[["car", "ci_low", "ci_high"]])
    pd.testing.assert_frame_equal(frame, common.intervals(0, 1, seed=1))
    assert one.intervals(0, 0, methods=["conformal"], level=0.9)["ci_low"].notna().all()
    with pytest.raises(RequestError, match="level must be a number between 0 and 1; got 95"):
        one.intervals(0, 0, level=95)


def test_wild_bootstrap_takes_its_weights_from_the_request(distinct):
    ways = {
        (weights, by): distinct.test(
            0, 1, tests="wild_bootstrap", seed=1, wild_weights=weights, wild_by=by
        ).iloc[0]
        for weights in ("rademacher", "mammen")
        for by in ("date", "event")
    }
    assert "a weight of Mammen's" in ways["mammen", "date"]["note"]
    assert "a sign" in ways["rademacher", "event"]["note"]
    assert ways["rademacher", "date"]["p_value"] != ways["mammen", "date"]["p_value"]


@pytest.mark.parametrize(
    ("window", "spread", "power"),
    [
        ((0, 1), "filtered_bmp", " lacks the power"),
        ((-4, 6), "adjusted_bmp", ", with 7 degrees of freedom, lacks the power"),
    ],
)
def test_recommendations_say_what_disagreement_means(window, spread, power, common, monkeypatch):
    def rigged(data, keys, options):
        frame = run_tests(data, keys, options)
        frame.loc[frame["test"] == "filtered_t", "p_value"] = 0.01
        frame.loc[frame["test"] == spread, "p_value"] = 0.4
        return frame

    monkeypatch.setattr("eventstudy.inference.run_tests", rigged)
    notes = common.recommended(*window).set_index("test")["note"]
    # Nothing happened to these events, so their CARs spread as before.
    assert f"rejects where {spread} does not" in notes["filtered_t"]
    assert f"so {spread}{power}" in notes["filtered_t"]


def test_recommended_tests_have_sides(common):
    two, less, greater = (
        common.recommended(0, 1, alternative=side).set_index("test")["p_value"]
        for side in ("two-sided", "less", "greater")
    )
    assert less["adjusted_bmp"] + greater["adjusted_bmp"] == pytest.approx(1.0)
    assert two["adjusted_bmp"] == pytest.approx(2 * min(less["adjusted_bmp"], greater["adjusted_bmp"]))
    assert less["filtered_sq"] + greater["filtered_sq"] > 1.0
    portfolio = common.test(0, 1, tests="portfolio", alternative="less")["p_value"].iloc[0]
    assert common.joint_test(0, 1, alternative="less").mean_p_value == pytest.approx(portfolio)
