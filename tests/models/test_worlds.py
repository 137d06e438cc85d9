"""Each model in data of its own world: the CAR is unbiased and its 95% interval covers.

Every world has many securities with one event each on random days, so that events are close to
independent, and a true effect of `EFFECT` over days 0 and 1.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import models

pytestmark = pytest.mark.slow
EFFECT = np.array([0.02, 0.01])
SESSIONS = 1200
needs_arch = pytest.mark.skipif(find_spec("arch") is None, reason="needs the extra garch")
needs_sklearn = pytest.mark.skipif(find_spec("sklearn") is None, reason="needs the extra ml")


@dataclass(frozen=True)
class World:
    """Securities' normal returns (sessions × N), benchmark, factors, peers and which days have no trade."""

    returns: np.ndarray
    benchmark: np.ndarray
    factors: pd.DataFrame | None = None
    peers: np.ndarray | None = None
    halted: np.ndarray | None = None


def study(world: World, model, rng, estimation, window) -> es.EventStudyResults:
    dates = pd.bdate_range("2010-01-01", periods=SESSIONS)
    n = world.returns.shape[1]
    day0 = rng.integers(600, SESSIONS - 10, n)
    returns = world.returns.copy()
    returns[day0, np.arange(n)] += EFFECT[0]
    returns[day0 + 1, np.arange(n)] += EFFECT[1]
    if world.halted is not None:
        halted = world.halted.copy()
        for k in (-1, 0, 1):
            halted[day0 + k, np.arange(n)] = False
        returns = lump(returns, halted)
    names = [f"S{i}" for i in range(n)]
    frame = pd.DataFrame(returns, dates, names)
    if world.peers is not None:
        frame = frame.join(pd.DataFrame(world.peers, dates, [f"P{j}" for j in range(world.peers.shape[1])]))
    benchmark = pd.Series(world.benchmark, dates, name="index")
    factors = None if world.factors is None else world.factors.set_axis(dates)
    market = es.Market(frame, benchmark=benchmark, factors=factors, kind="log")
    events = es.Events(pd.DataFrame({"security": names, "date": dates[day0]}))
    with warnings.catch_warnings():
        # A likelihood that does not converge excludes its event; the tests ask how many are left.
        warnings.simplefilter("ignore", es.errors.ExcludedEventsWarning)
        if (
            world.halted is not None
        ):  # some shares are shut on the last day of the window, none on days 0 and 1
            warnings.simplefilter("ignore", es.errors.IncompleteWindowWarning)
        return es.EventStudy(market, events, model, estimation, window).fit()


def lump(returns, halted):
    """Log returns of traded days carry those of the halted days before them."""
    total = np.cumsum(returns, axis=0)
    total[halted] = np.nan
    last = pd.DataFrame(total).ffill().shift(fill_value=0.0).fillna(0.0).to_numpy()
    return total - last


def noise(rng, n, scale=0.02):
    return scale * rng.standard_normal((SESSIONS, n))


def line(rng, n):
    """Benchmark, and each security's alpha and beta times it."""
    m = 3e-4 + 0.01 * rng.standard_normal(SESSIONS)
    return m, rng.normal(0, 5e-4, n) + m[:, None] * rng.normal(1, 0.4, n)


def normal(rng, n):
    m, fair = line(rng, n)
    return World(fair + noise(rng, n), m)


def constant(rng, n):
    return World(rng.normal(5e-4, 5e-4, n) + noise(rng, n), line(rng, n)[0])


def adjusted(rng, n):
    m, _ = line(rng, n)
    return World(m[:, None] + noise(rng, n), m)


def factors(rng, n):
    columns = ["mkt_rf", "smb", "hml", "rmw", "cma", "mom"]
    frame = pd.DataFrame(0.008 * rng.standard_normal((SESSIONS, 6)), columns=columns)
    frame["rf"] = 1e-4 + 1e-4 * rng.random(SESSIONS)
    fair = frame["rf"].to_numpy()[:, None] + frame[columns].to_numpy() @ rng.normal(0.5, 0.5, (6, n))
    return World(fair + noise(rng, n), (frame["mkt_rf"] + frame["rf"]).to_numpy(), frame)


def fat_tails(rng, n):
    m, fair = line(rng, n)
    return World(fair + 0.015 * rng.standard_t(4, (SESSIONS, n)), m)


def thin_trading(rng, n):
    m, fair = line(rng, n)
    return World(fair + noise(rng, n), m, halted=rng.random((SESSIONS, n)) < 0.3)


def lead_lag(rng, n):
    """Prices take in half of the market's move one session late."""
    m = 0.01 * rng.standard_normal(SESSIONS)
    late = 0.5 * m + 0.5 * np.roll(m, 1)
    return World(late[:, None] * np.linspace(0.5, 1.5, n) + noise(rng, n), m)


def garch(asymmetry: float, log_variance: bool = False) -> Callable[..., World]:
    def make(rng, n):
        m, fair = line(rng, n)
        h, e = np.full(n, 4e-4), np.empty((SESSIONS, n))
        for t in range(SESSIONS):
            z = rng.standard_normal(n)
            e[t] = np.sqrt(h) * z
            if log_variance:
                h = np.exp(-0.4 + 0.2 * (np.abs(z) - np.sqrt(2 / np.pi)) + asymmetry * z + 0.95 * np.log(h))
            else:
                h = 2e-5 + (0.12 - asymmetry / 2 + asymmetry * (e[t] < 0)) * e[t] ** 2 + 0.83 * h
        return World(fair + e, m)

    return make


def drifting_beta(rng, n):
    m = 0.01 * rng.standard_normal(SESSIONS)
    beta = 1 + np.cumsum(0.05 * rng.standard_normal((SESSIONS, n)), axis=0)
    return World(beta * m[:, None] + noise(rng, n, 0.01), m)


def peer_factors(rng, n):
    """Targets and twelve peers share three factors that the index does not show."""
    f = 0.01 * rng.standard_normal((SESSIONS, 3))
    peers = f @ rng.uniform(0, 1, (3, 12)) + 0.006 * rng.standard_normal((SESSIONS, 12))
    weights = rng.dirichlet(np.full(12, 0.5), n)
    return World(peers @ weights.T + noise(rng, n, 0.01), f[:, 0], peers=peers)


def same_industry(rng, n):
    """A target is the mean of two peers, and noise."""
    peers = 0.012 * rng.standard_normal((SESSIONS, 2))
    return World(peers.mean(axis=1)[:, None] + noise(rng, n), peers[:, 0], peers=peers)


PEERS = [f"P{j}" for j in range(12)]
LONG, SHORT = (-500, -21), (-250, -11)
CASES = [
    pytest.param(es.MarketModel(), normal, 1500, SHORT, id="market"),
    pytest.param(es.MarketModel(), normal, 1500, (-40, -11), id="market, short window"),
    pytest.param(es.ConstantMean(), constant, 1500, SHORT, id="constant mean"),
    pytest.param(es.MarketAdjusted(), adjusted, 1500, SHORT, id="market adjusted"),
    pytest.param(es.CAPM(), factors, 1500, SHORT, id="capm"),
    pytest.param(es.FamaFrench3(), factors, 1500, SHORT, id="three factors"),
    pytest.param(es.Carhart4(), factors, 1500, SHORT, id="four factors"),
    pytest.param(es.FamaFrench5(), factors, 1500, SHORT, id="five factors"),
    pytest.param(es.RobustMarketModel("huber"), fat_tails, 1500, SHORT, id="huber"),
    pytest.param(es.RobustMarketModel("theil-sen"), fat_tails, 600, SHORT, id="theil-sen"),
    pytest.param(es.MarketModel(missing="trade_to_trade"), thin_trading, 1500, SHORT, id="trade to trade"),
    pytest.param(es.ScholesWilliams(), lead_lag, 1500, SHORT, id="scholes-williams"),
    pytest.param(es.Dimson(), lead_lag, 1500, SHORT, id="fowler-rorke"),
    pytest.param(es.Dimson(weights="none"), lead_lag, 1500, SHORT, id="dimson"),
    pytest.param(es.GARCHMarketModel(), garch(0.0), 500, LONG, id="garch", marks=needs_arch),
    pytest.param(es.GARCHMarketModel("gjr"), garch(0.15), 500, LONG, id="gjr", marks=needs_arch),
    pytest.param(es.GARCHMarketModel("egarch"), garch(-0.1, True), 500, LONG, id="egarch", marks=needs_arch),
    pytest.param(es.EWMarketModel(60), normal, 1500, SHORT, id="weighted"),
    pytest.param(es.RollingMarketModel(60), drifting_beta, 1500, (-250, -3), id="rolling"),
    pytest.param(es.MatchedPortfolio(PEERS[:2]), same_industry, 1500, SHORT, id="matched"),
    pytest.param(es.SyntheticPeers(PEERS), peer_factors, 500, SHORT, id="synthetic peers"),
    pytest.param(es.PCAModel(PEERS), peer_factors, 500, SHORT, id="components"),
    pytest.param(es.ElasticNetModel(PEERS), peer_factors, 120, SHORT, id="elastic net", marks=needs_sklearn),
    pytest.param(es.AutocorrelatedErrors(), normal, 300, SHORT, id="autocorrelated errors"),
]
#: Models without a world of their own are judged in that of the market model.
CASES += [
    pytest.param(kind(), normal, 300, SHORT, id=kind.__name__)
    for kind in (getattr(models, name) for name in models.__all__)
    if isinstance(kind, type)
    and issubclass(kind, models.NormalReturnModel)
    and not inspect.isabstract(kind)
    # Limits need prices: the world of limits is in test_tobit.py.
    and kind not in {type(case.values[0]) for case in CASES} | {es.FactorModel, es.TobitMarketModel}
]


@pytest.mark.filterwarnings("ignore:Data in the windows")  # fat tails hold returns of a half, now and then
@pytest.mark.parametrize(("model", "make", "n", "estimation"), CASES)
def test_unbiased_and_covering(model, make, n, estimation):
    rng = np.random.default_rng(20240601)
    results = study(make(rng, n), model, rng, estimation, (-2, 2))
    cars = results.car(0, 1)
    used = len(cars)
    assert used > 0.97 * n
    error = cars["car"] - EFFECT.sum()
    assert abs(error.mean()) < 3.5 * error.std() / np.sqrt(used)
    covered = ((cars["ci_low"] <= EFFECT.sum()) & (EFFECT.sum() <= cars["ci_high"])).mean()
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / used) + 0.005), covered


def test_betas_of_late_prices():
    """Scholes-Williams and Dimson find the whole beta; least squares finds the half that is on time."""
    rng = np.random.default_rng(1)
    world = lead_lag(rng, 800)
    true = np.linspace(0.5, 1.5, 800)

    def bias(model):
        beta = study(world, model, np.random.default_rng(2), SHORT, (-2, 2)).parameters["beta"] - true
        return beta.mean(), beta.std() / np.sqrt(800)

    for model in (es.ScholesWilliams(), es.Dimson(), es.Dimson(weights="none")):
        mean, error = bias(model)
        assert abs(mean) < 4 * error
    assert bias(es.MarketModel())[0] < -0.4


@needs_arch
def test_garch_covers_on_calm_and_wild_days_alike():
    """Where the forecast variance is high, a constant variance covers too little; the forecast does not."""
    rng = np.random.default_rng(3)
    world = garch(0.0)(rng, 600)
    results = {
        name: study(world, model, np.random.default_rng(4), (-500, -3), (-2, 2)).car(-2, -1)
        for name, model in (("garch", es.GARCHMarketModel()), ("constant", es.MarketModel()))
    }
    wild = results["garch"]["se"] > results["garch"]["se"].quantile(0.8)
    spread = {name: (cars["t"] ** 2).reindex(wild.index)[wild].mean() for name, cars in results.items()}
    error = np.sqrt(2 / wild.sum())
    assert spread["garch"] == pytest.approx(1.0, abs=3 * error)
    assert spread["constant"] > 1.0 + 3 * error


def test_a_drifting_beta_is_followed():
    """Weighted and rolling regressions predict better than one over the whole window."""
    rng = np.random.default_rng(5)
    world = drifting_beta(rng, 800)
    spread = {
        name: (
            study(world, model, np.random.default_rng(6), (-250, -3), (-2, 2)).car(-2, -1)["car"] ** 2
        ).mean()
        for name, model in (
            ("plain", es.MarketModel()),
            ("weighted", es.EWMarketModel(30)),
            ("rolling", es.RollingMarketModel(60)),
        )
    }
    assert spread["weighted"] < 0.95 * spread["plain"]
    assert spread["rolling"] < 0.95 * spread["plain"]
