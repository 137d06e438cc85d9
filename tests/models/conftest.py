"""Small simulated markets on which every model can be checked against a slow, separate computation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import models

#: Arguments of the models that cannot be made without.
NEEDED = {
    es.FactorModel: (["benchmark", "smb"],),
    es.EWMarketModel: (40,),
    es.RollingMarketModel: (60,),
}
#: What models with further packages need.
EXTRAS = {es.GARCHMarketModel: "arch", es.ElasticNetModel: "sklearn"}
#: Models with other options.
VARIANTS = [
    es.MarketModel(missing="trade_to_trade"),
    es.Carhart4(missing="trade_to_trade"),
    es.Dimson(2, 1),
    es.RobustMarketModel("theil-sen"),
    es.TobitMarketModel(after_limit="keep"),
    es.GARCHMarketModel("gjr"),
    es.GARCHMarketModel("egarch"),
]


def every_model() -> Iterator[Any]:
    """Each public model once, then the variants, skipped where a package is missing."""
    public = [getattr(models, name) for name in models.__all__]
    kinds = [
        kind
        for kind in public
        if isinstance(kind, type)
        and issubclass(kind, models.NormalReturnModel)
        and not inspect.isabstract(kind)
    ]
    for model in (*(kind(*NEEDED.get(kind, ())) for kind in kinds), *VARIANTS):
        needs = EXTRAS.get(type(model), "numpy")
        missing = pytest.mark.skipif(find_spec(needs) is None, reason=f"needs {needs}")
        yield pytest.param(model, marks=missing, id=repr(model))


@pytest.fixture(params=every_model())
def model(request: pytest.FixtureRequest) -> models.NormalReturnModel:
    """Every model of the library, in turn."""
    return request.param


FACTORS = ["mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf"]


@pytest.fixture
def make_market() -> Callable[..., es.Market]:
    """Make a market of six securities over 400 sessions, a share of whose returns is missing."""

    def make(missing: float = 0.05, seed: int = 1, gaps: str = "single", benchmark: bool = True) -> es.Market:
        rng = np.random.default_rng(seed)
        dates = pd.bdate_range("2018-01-01", periods=400)
        factors = pd.DataFrame(0.01 * rng.standard_normal((400, 7)), dates, FACTORS)
        factors["rf"] = 1e-4 * (1 + rng.random(400))
        market = pd.Series(0.01 * rng.standard_normal(400) + 3e-4, dates, name="index")
        loads = rng.normal(1, 0.4, 6)
        noise = 0.02 * rng.standard_t(6, (400, 6))
        returns = market.to_numpy()[:, None] * loads + 0.5 * factors[["smb"]].to_numpy() + noise
        returns[rng.random((400, 6)) < missing] = np.nan
        # The event day and the day before are always traded, so that day 0 stays where the tests put it.
        returns[299:301] = 0.01
        frame = pd.DataFrame(returns, dates, [f"S{i}" for i in range(6)])
        return es.Market(frame, benchmark=market if benchmark else None, factors=factors, gaps=gaps)

    return make


@pytest.fixture
def market(make_market: Callable[..., es.Market]) -> es.Market:
    return make_market()


@pytest.fixture
def events(market: es.Market) -> es.Events:
    return es.Events(pd.DataFrame({"security": market.securities, "date": market.sessions[300]}))
