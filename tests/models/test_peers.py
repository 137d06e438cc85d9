"""Peers: who is left out, portfolios and synthetic controls against direct optimisation, learned models."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import eventstudy as es
from eventstudy.errors import ExcludedEventsWarning, ModelError, NoUsableEventsError
from eventstudy.models.peer_base import forward_splits
from eventstudy.models.peer_portfolios import simplex_weights

ESTIMATION, WINDOW = (-200, -11), (-2, 2)
NAMES = [f"P{i}" for i in range(8)]


@pytest.fixture(scope="module")
def world():
    """Eight securities with two common factors, of which P0 is a mixture of P1 and P2 and some noise."""
    rng = np.random.default_rng(5)
    dates = pd.bdate_range("2019-01-01", periods=260)
    common = 0.01 * rng.standard_normal((260, 2))
    returns = common @ rng.random((2, 8)) + 0.008 * rng.standard_normal((260, 8))
    returns[:, 0] = 0.7 * returns[:, 1] + 0.3 * returns[:, 2] + 0.003 * rng.standard_normal(260)
    index = pd.Series(returns.mean(axis=1) + 0.002 * rng.standard_normal(260), dates, name="index")
    return es.Market(pd.DataFrame(returns, dates, NAMES), benchmark=index, gaps="lumped")


def event(world, **more):
    return es.Events(pd.DataFrame([{"security": "P0", "date": world.sessions[230]} | more]))


def fit(world, model, events=None):
    return es.EventStudy(world, event(world) if events is None else events, model, ESTIMATION, WINDOW).fit()


def split(world):
    frame = world.returns
    return frame.iloc[30:220], frame.iloc[228:233]


def models():
    return [
        es.MatchedPortfolio(),
        es.SyntheticPeers(),
        es.PCAModel(),
        pytest.param(
            es.ElasticNetModel(),
            marks=pytest.mark.skipif(find_spec("sklearn") is None, reason="needs the extra ml"),
        ),
    ]


def test_equal_weights(world):
    results = fit(world, es.MatchedPortfolio(["P1", "P3"]))
    past, ahead = split(world)
    gap = past["P0"] - past[["P1", "P3"]].mean(axis=1)
    s2 = (gap**2).mean()
    np.testing.assert_allclose(
        results.abnormal_returns.iloc[0], ahead["P0"] - ahead[["P1", "P3"]].mean(axis=1)
    )
    np.testing.assert_allclose(results.parameters["sigma"] ** 2, s2)
    np.testing.assert_allclose(results.car(*WINDOW)["se"], np.sqrt(5 * s2))
    assert results.parameters["dof"].iloc[0] == 190


def test_given_weights_are_shared_among_peers_that_trade(world):
    weights = {"P1": 3.0, "P3": 1.0}
    returns = world.returns
    returns.loc[world.sessions[[100, 231]], "P1"] = np.nan
    market = es.Market(returns, benchmark=pd.Series(world.bank.single[0], world.sessions), gaps="single")
    results = fit(market, es.MatchedPortfolio(list(weights), weights))
    past, ahead = split(market)
    expected = (3 * ahead["P1"] + ahead["P3"]) / 4
    expected.iloc[3] = ahead["P3"].iloc[3]
    np.testing.assert_allclose(results.abnormal_returns.iloc[0], ahead["P0"] - expected)
    residuals = results.fitted.abnormal.past.residuals()[0]
    assert residuals[70] == pytest.approx(past["P0"].iloc[70] - past["P3"].iloc[70])
    assert results.peers().loc[0, ["P1", "P3"]].tolist() == [0.75, 0.25]


def test_a_return_over_several_sessions_meets_peers_over_the_same(world):
    returns = world.returns
    returns.loc[world.sessions[230:232], "P0"] = np.nan
    market = es.Market(returns, benchmark=pd.Series(world.bank.single[0], world.sessions), gaps="lumped")
    events = es.Events(pd.DataFrame([{"security": "P0", "date": world.sessions[232]}]))
    with pytest.warns(es.errors.LumpedReturnWarning):
        results = es.EventStudy(market, events, es.MatchedPortfolio(["P1", "P3"]), (-200, -11), (-2, 2)).fit()
    expected = ((1 + world.returns[["P1", "P3"]].iloc[230:233]).prod() - 1).mean()
    assert results.abnormal_returns.loc[0, 0] == pytest.approx(returns["P0"].iloc[232] - expected, rel=1e-9)
    s2 = results.parameters["sigma"].iloc[0] ** 2
    assert results.car(0, 0)["se"].iloc[0] == pytest.approx(np.sqrt(3 * s2))


def test_synthetic_control_equals_direct_optimisation(world):
    results = fit(world, es.SyntheticPeers())
    past, ahead = split(world)
    y, x = past["P0"].to_numpy(), past[NAMES[1:]].to_numpy()
    found = optimize.minimize(
        lambda w: 1e4 * ((y - x @ w) ** 2).sum(),
        np.full(7, 1 / 7),
        jac=lambda w: -2e4 * x.T @ (y - x @ w),
        bounds=[(0, 1)] * 7,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    weights = results.peers().loc[0, NAMES[1:]].to_numpy(float)
    np.testing.assert_allclose(weights, found.x, atol=2e-4)
    assert ((y - x @ weights) ** 2).sum() <= found.fun / 1e4 * (1 + 1e-9)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert (weights >= 0).all()
    np.testing.assert_allclose(results.abnormal_returns.iloc[0], ahead["P0"] - ahead[NAMES[1:]] @ weights)


def test_given_weights_are_the_models_own():
    weights = {"P1": 3.0, "P3": 1.0}
    model = es.MatchedPortfolio(list(weights), weights)
    weights["P1"] = 1.0
    assert model.weights["P1"] == 3.0
    with pytest.raises(TypeError):
        model.weights["P1"] = 1.0


def test_simplex_weights_meet_the_optimality_conditions():
    """At the optimum the gradient is smallest, and equal, where weights are positive."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        x, y = rng.standard_normal((40, 60)), rng.standard_normal(40)
        w = simplex_weights(y, x)
        gradient = x.T @ (x @ w - y)
        active = w > 1e-9
        assert np.ptp(gradient[active]) < 1e-7
        assert (gradient[~active] > gradient[active].max() - 1e-7).all()
    assert simplex_weights(np.ones(3), np.ones((3, 2))).tolist() == [0.5, 0.5]


def test_errors_are_of_rolling_origins(world):
    """Each block of the second half is predicted with weights of the days before it alone."""
    results = fit(world, es.SyntheticPeers())
    past, _ = split(world)
    y, x = past["P0"].to_numpy(), past[NAMES[1:]].to_numpy()
    expected = np.full(190, np.nan)
    for block in np.array_split(np.arange(95, 190), 10):
        before = slice(0, block[0])
        expected[block] = y[block] - x[block] @ simplex_weights(y[before], x[before])
    np.testing.assert_allclose(results.fitted.abnormal.past.residuals()[0], expected)
    row = results.parameters.iloc[0]
    assert row["sigma"] ** 2 == pytest.approx(np.nanmean(expected**2))
    assert (row["n_obs"], row["dof"]) == (95, 95)


def test_principal_components_equal_a_regression_on_eigenvectors(world):
    results = fit(world, es.PCAModel(n_components=2))
    past, ahead = split(world)
    x, x1 = past[NAMES[1:]], ahead[NAMES[1:]]
    z, z1 = ((each - x.mean()) / x.std(ddof=0) for each in (x, x1))
    _, vectors = np.linalg.eigh(z.T.to_numpy() @ z.to_numpy())
    scores, scores1 = z.to_numpy() @ vectors[:, -2:], z1.to_numpy() @ vectors[:, -2:]
    b = np.linalg.lstsq(np.column_stack([np.ones(190), scores]), past["P0"].to_numpy(), rcond=None)[0]
    expected = np.column_stack([np.ones(5), scores1]) @ b
    np.testing.assert_allclose(results.abnormal_returns.iloc[0], ahead["P0"] - expected, atol=1e-12)
    assert results.parameters["components"].iloc[0] == 2


def test_one_peer_has_one_component(world):
    """The regression on it is least squares on the peer itself."""
    results = fit(world, es.PCAModel(["P1"]))
    past, ahead = split(world)
    slope, constant = np.polyfit(past["P1"], past["P0"], 1)
    want = ahead["P0"] - constant - slope * ahead["P1"]
    np.testing.assert_allclose(results.abnormal_returns.iloc[0], want, atol=1e-12)
    assert results.parameters["components"].iloc[0] == 1


def test_as_many_peers_as_components_are_needed(world):
    assert len(fit(world, es.PCAModel(["P1", "P2", "P3"], 3)).car()) == 1
    with pytest.raises(NoUsableEventsError, match="too few peers"):
        fit(world, es.PCAModel(["P1", "P2"], 3))


def test_twenty_days_are_enough_for_components(world):
    """Four for each of the five blocks that choose their number."""
    for days, enough in ((20, True), (19, False)):
        study = es.EventStudy(
            world, event(world), es.PCAModel(["P1", "P2"]), (-10 - days, -11), WINDOW, min_observations=5
        )
        if enough:
            assert len(study.fit().car()) == 1
        else:
            with pytest.raises(NoUsableEventsError, match="too few peers or days"):
                study.fit()


def components_forward_in_time(y, x):
    """Loss of 1, 2, ... components over five blocks, each predicted from all days before it."""
    n, loss = len(y), []
    for count in range(1, x.shape[1] + 1):
        total = 0.0
        for block in np.array_split(np.arange(n // 6, n), 5):
            train = np.arange(block[0])
            spread = x[train].std(axis=0)
            z = (x - x[train].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
            axes = np.linalg.svd(z[train], full_matrices=False)[2][:count]
            design = np.column_stack([np.ones(n), z @ axes.T])
            b = np.linalg.lstsq(design[train], y[train], rcond=None)[0]
            total += ((y[block] - design[block] @ b) ** 2).sum()
        loss.append(total)
    return np.array(loss)


def test_components_are_chosen_forward_in_time(world):
    """Of each security on the others; the last block alone would choose otherwise."""
    past, _ = split(world)
    chosen = [
        fit(world, es.PCAModel([n for n in NAMES if n != own]), event(world, security=own)).parameters
        for own in NAMES
    ]
    want = [
        np.argmin(components_forward_in_time(past[own].to_numpy(), past.drop(columns=own).to_numpy())) + 1
        for own in NAMES
    ]
    assert [parameters["components"].iloc[0] for parameters in chosen] == want
    assert len(set(want)) > 2


def test_no_more_components_are_chosen_than_the_peers_have(world):
    """Peers of which some copy others have fewer components than peers; one too many is not a perfect one."""
    returns = world.returns
    returns["P4"], returns["P5"] = 2.0 * returns["P1"], 0.5 * returns["P2"]
    past = returns.iloc[30:220]
    peers = ["P1", "P2", "P3", "P4", "P5"]
    copied = es.Market(returns, benchmark=returns["P6"], gaps="lumped")
    chosen = [
        fit(copied, es.PCAModel(peers), event(copied, security=own)).parameters["components"].iloc[0]
        for own in ("P0", "P6", "P7")
    ]
    want = [
        np.argmin(components_forward_in_time(past[own].to_numpy(), past[peers].to_numpy())[:3]) + 1
        for own in ("P0", "P6", "P7")
    ]
    assert chosen == want
    assert min(want) < 3


def test_elastic_net_equals_scikit_learn(world):
    linear_model = pytest.importorskip("sklearn.linear_model")
    results = fit(world, es.ElasticNetModel(["P1", "P2", "P3"]))
    past, ahead = split(world)
    index = pd.Series(world.bank.single[0], world.sessions)
    x = past[["P1", "P2", "P3"]].assign(index=index)
    x1 = ahead[["P1", "P2", "P3"]].assign(index=index)
    z, z1 = ((each - x.mean()) / x.std(ddof=0) for each in (x, x1))
    penalty = results.parameters["penalty"].iloc[0]
    net = linear_model.ElasticNet(alpha=penalty, l1_ratio=0.5, max_iter=20_000).fit(z, past["P0"])
    np.testing.assert_allclose(
        results.abnormal_returns.iloc[0], ahead["P0"] - net.predict(z1), rtol=1e-4, atol=1e-6
    )
    weights = results.peers().loc[0, ["P1", "P2", "P3"]].to_numpy(float)
    np.testing.assert_allclose(weights, net.coef_[:3] / x.std(ddof=0).to_numpy()[:3], rtol=1e-3, atol=1e-5)
    errors = results.fitted.abnormal.past.residuals()[0]
    assert np.isnan(errors[:95]).all()
    assert not np.isnan(errors[95:]).any()


def test_the_penalty_of_the_elastic_net_is_chosen_forward_in_time(world):
    """Block by block with scikit-learn's single fits: choice of the penalty, and rolling-origin errors."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    results = fit(world, es.ElasticNetModel(["P1", "P2", "P3"], benchmark=False))
    past, _ = split(world)
    y, x = past["P0"].to_numpy(), past[["P1", "P2", "P3"]].to_numpy()
    shares = np.geomspace(1, 1e-3, 30)

    def nets(days):
        z = (x - x[days].mean(axis=0)) / x[days].std(axis=0)
        largest = np.abs(z[days].T @ (y[days] - y[days].mean())).max() / (len(days) * 0.5)
        return largest, [
            linear_model.ElasticNet(alpha=largest * share, l1_ratio=0.5, tol=1e-10, max_iter=100_000)
            .fit(z[days], y[days])
            .predict(z)
            for share in shares
        ]

    loss, errors = np.zeros(30), np.full(190, np.nan)
    for train, test in [*forward_splits(95, 4, 190 // 6), *forward_splits(190, 10, 95)]:
        each = np.array([y[test] - predicted[test] for predicted in nets(train)[1]])
        if test[0] >= 95:
            errors[test] = each[np.argmin(loss)]
        loss += (each**2).sum(axis=1)
    largest = nets(np.arange(190))[0]
    chosen = results.parameters["penalty"].iloc[0]
    assert chosen == pytest.approx(largest * shares[np.argmin(loss)], rel=1e-9)
    np.testing.assert_allclose(results.fitted.abnormal.past.residuals()[0], errors, atol=2e-5)


@pytest.mark.filterwarnings("ignore:Objective did not converge")
def test_an_elastic_net_that_is_not_found_excludes_its_event(world, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr("eventstudy.models.peer_regressions.STEPS", 2)
    with pytest.raises(NoUsableEventsError, match="not found in 2 steps"):
        fit(world, es.ElasticNetModel())


def test_errors_of_learned_models_owe_nothing_to_later_days(world):
    """A shock to a day of the last block leaves the errors of all blocks before it as they were."""
    pytest.importorskip("sklearn")
    returns = world.returns
    returns.loc[world.sessions[215], "P0"] += 0.2  # estimation day 185; the last block is 181 to 189
    shocked = es.Market(returns, benchmark=pd.Series(world.bank.single[0], world.sessions))
    for model in (es.ElasticNetModel(), es.PCAModel(), es.SyntheticPeers()):
        before, after = (fit(m, model).fitted.abnormal.past.residuals()[0] for m in (world, shocked))
        np.testing.assert_array_equal(before[:181], after[:181])
        assert before[185] != after[185]


@pytest.mark.parametrize("model", models())
def test_securities_hit_by_the_same_news_are_left_out_and_listed(world, model):
    """Named in the same announcement, or with an event of its own inside the event window."""
    day = world.sessions
    events = es.Events(
        pd.DataFrame(
            [
                {"security": "P0", "date": day[230], "label": "list"},
                {"security": "P1", "date": day[215], "label": "list"},
                {"security": "P2", "date": day[230], "label": ""},
                {"security": "P3", "date": day[232], "label": "other"},
                {"security": "P4", "date": day[233], "label": "late"},
                {"security": "nowhere", "date": day[230], "label": "list"},
            ]
        )
    )
    with pytest.warns(ExcludedEventsWarning):
        results = fit(world, model, events)
    peers = results.peers()
    told = peers.loc[0, "left_out"]
    assert (
        told
        == f"P1 (same announcement), P2 (event on {day[230]:%Y-%m-%d}), P3 (event on {day[232]:%Y-%m-%d})"
    )
    assert peers.loc[0, NAMES[:4]].isna().all()
    assert peers.loc[0, ["P4", "P5", "P6", "P7"]].notna().all()
    assert "P0 (same announcement)" in peers.loc[1, "left_out"]


@pytest.mark.parametrize("model", models())
def test_the_effect_does_not_touch_its_own_counterfactual(world, model):
    """An effect added to the event day alone moves that day's abnormal return by itself, and no other."""
    returns = world.returns
    returns.loc[world.sessions[230], "P0"] += 0.07
    hit = es.Market(returns, benchmark=pd.Series(world.bank.single[0], world.sessions))
    before, after = (fit(m, model).abnormal_returns.iloc[0] for m in (world, hit))
    np.testing.assert_allclose(after - before, [0, 0, 0.07, 0, 0], atol=1e-12)


@pytest.mark.parametrize("model", [es.SyntheticPeers(), es.PCAModel()])
def test_a_peer_may_miss_one_day_in_twenty(world, model):
    """Of 180 estimation days nine are 5%, and no more than 5%; ten are."""
    returns = world.returns
    returns.loc[world.sessions[50:59], "P1"] = np.nan
    returns.loc[world.sessions[60:70], "P2"] = np.nan
    market = es.Market(returns, benchmark=pd.Series(world.bank.single[0], world.sessions), gaps="single")
    results = es.EventStudy(market, event(world), model, (-190, -11), WINDOW).fit()
    assert results.peers().loc[0, "left_out"] == "P2 (1 with missing returns)"
    # P1's days are left out, and the errors are those of the second half of the other 171.
    assert results.parameters["n_obs"].iloc[0] == 86


def test_peers_with_missing_returns_are_listed(world):
    returns = world.returns
    returns.loc[world.sessions[231], "P1"] = np.nan
    returns.loc[world.sessions[40:60], "P2"] = np.nan
    returns.loc[world.sessions[100], "P3"] = np.nan
    market = es.Market(returns, benchmark=pd.Series(world.bank.single[0], world.sessions))
    results = fit(market, es.SyntheticPeers())
    assert results.peers().loc[0, "left_out"] == "P1, P2 (2 with missing returns)"
    # A day on which a kept peer did not trade, and the lumped one after it, are no estimation days.
    assert results.parameters["n_obs"].iloc[0] == 94


def test_peers_by_security_and_events_without_any(world):
    events = es.Events(
        pd.DataFrame({"security": ["P0", "P5"], "date": [world.sessions[230], world.sessions[210]]})
    )
    with pytest.warns(ExcludedEventsWarning, match="it has no peer"):
        results = fit(world, es.SyntheticPeers({"P0": ["P1", "P2"]}), events)
    assert results.peers().columns.tolist() == ["P1", "P2", "left_out"]
    assert list(results.car(*WINDOW).index) == [0]
    with pytest.raises(NoUsableEventsError, match=r"left out: P1 \(event on"):
        fit(
            world,
            es.SyntheticPeers(["P1", "P0"]),
            es.Events(pd.DataFrame({"security": ["P0", "P1"], "date": world.sessions[230]})),
        )


def test_peer_lists_that_cannot_be(world):
    with pytest.raises(ModelError, match=r"P99.*not a security of the market"):
        fit(world, es.SyntheticPeers(["P1", "P99"]))
    with pytest.raises(ModelError, match="list of securities"):
        es.PCAModel("P1")
    with pytest.raises(ModelError, match="weights must be positive"):
        es.MatchedPortfolio(["P1"], {"P1": 0.0})
    with pytest.raises(ModelError, match="none for P"):
        fit(world, es.MatchedPortfolio(["P1", "P2"], {"P1": 1.0}))
    with pytest.raises(ModelError, match="l1_ratio"):
        es.ElasticNetModel(l1_ratio=0)
    with pytest.raises(ModelError, match="n_components"):
        es.PCAModel(n_components=0)


def test_results_do_not_depend_on_the_order_of_events(world):
    events = pd.DataFrame(
        {"event_id": [0, 1], "security": ["P0", "P5"], "date": [world.sessions[230], world.sessions[228]]}
    )
    one = fit(world, es.SyntheticPeers(), es.Events(events)).car(*WINDOW)
    other = fit(world, es.SyntheticPeers(), es.Events(events.iloc[::-1])).car(*WINDOW)
    pd.testing.assert_frame_equal(one, other.loc[one.index])


def test_models_without_peers_say_so(world):
    with pytest.raises(es.errors.RequestError, match="no peers"):
        fit(world, es.MarketModel()).peers()


def test_given_weights_are_those_at_the_time(world):
    given = {"P1": 1.0, "P2": 3.0}
    model = es.MatchedPortfolio(["P1", "P2"], given)
    before = fit(world, model).car(0, 1)
    given["P1"] = 50.0
    pd.testing.assert_frame_equal(fit(world, model).car(0, 1), before)
    with pytest.raises(TypeError):
        model.weights["P1"] = 50.0
