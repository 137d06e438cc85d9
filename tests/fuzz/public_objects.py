"""One of every public object, for tests that walk through all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy import lab, models
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.tables import Section, Table


def prices() -> pd.DataFrame:
    """Six securities and two indices, with volumes, a halt and closes at the limit."""
    days = pd.bdate_range("2021-01-04", periods=330)
    rng = np.random.default_rng(4)
    index = 0.01 * rng.standard_normal((330, 2))
    returns = np.concatenate([index[:, :1] + 0.015 * rng.standard_normal((330, 6)), index], axis=1)
    close = pd.DataFrame(40 * np.exp(returns.cumsum(axis=0)), days, [*"ABCDEF", "INDEX", "OTHER"])
    close.iloc[305:308, 1] = np.nan
    fields = {"close": close, "open": close * 1.001, "high": close * 1.01, "low": close * 0.99}
    fields["volume"] = close.notna() * 1000.0 + rng.integers(1, 900, close.shape)
    return pd.concat(fields, axis=1)


def factors(market: es.Market) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    names = ["mkt_rf", "smb", "hml", "mom", "rmw", "cma"]
    frame = pd.DataFrame(0.01 * rng.standard_normal((len(market.sessions), 6)), market.sessions, names)
    return frame.assign(rf=0.0001)


MODELS: dict[str, Callable[[], Any]] = {
    **{
        name: getattr(models, name)
        for name in models.__all__
        if isinstance(getattr(models, name), type)
        and issubclass(getattr(models, name), models.NormalReturnModel)
        and not inspect.isabstract(getattr(models, name))
    },
    "EWMarketModel": lambda: models.EWMarketModel(60),
    "RollingMarketModel": lambda: models.RollingMarketModel(30),
    "FactorModel": lambda: models.FactorModel(["smb"]),
    "MarketModel": lambda: models.MarketModel(lags={"benchmark": (1, -1)}),
    "MatchedPortfolio": lambda: models.MatchedPortfolio(
        peers={"A": ["C", "D"]}, weights={"C": 1.0, "D": 2.0}
    ),
}


def build(folder: Any) -> Iterator[tuple[str, Any]]:
    frame = prices()
    plain = es.Market.from_prices(frame, benchmark="INDEX")
    market = es.Market.from_prices(
        frame,
        benchmark="INDEX",
        price_limit=0.1,
        tick=0.01,
        factors=factors(plain),
        calendar="XSHG",
        sessions="data",
    )
    yield "market", market
    yield "market of returns", es.Market(plain.returns, benchmark={"A": "INDEX", "B": "OTHER"})
    rate = pd.Series(1.0 + 0.01 * np.arange(330), market.sessions)
    yield "market in dollars", es.in_currency(plain, rate)
    yield "volumes", es.volume_market(frame, benchmark="INDEX")
    yield "exchange", es.Exchange("XSHG", closes={"2021-02-03": "12:00"})
    day = market.sessions[300]
    listed = {
        "security": list("ABCD"),
        "date": [day] * 4,
        "group": list("xxyy"),
        "size": [1.0, 2.0, 3.0, 5.0],
    }
    events = es.Events(listed | {"benchmark": ["INDEX", "OTHER", "INDEX", "INDEX"]})
    yield "events", events
    yield "events taken", events.take([1, 2])
    short: dict[str, Any] = {"estimation": (-120, -11), "window": (-5, 5)}
    study = es.EventStudy(market, events, **short)
    yield "study", study
    results = study.fit()
    yield "results", results
    single = es.EventStudy(market, events.take([0]), **short).fit()
    pooled = es.pool(
        {"first": results, "second": es.EventStudy(market, [{"security": "E", "date": day}], **short).fit()}
    )
    yield "pooled", pooled
    causal = es.CausalStudy(market, events.take([0, 1]), estimation=(-120, -11), window=(0, 1), min_donors=2)
    yield "causal study", causal
    effects = causal.fit()
    yield "causal results", effects
    estimators = [es.causal.SyntheticControl()]
    yield "counterfactuals", es.compare_counterfactuals(effects, estimators=estimators)
    yield "causal calibration", lab.calibrate(causal, n_samples=1, tests=["conformal_block"])
    yield "cross-section", results.cross_section("car ~ size")
    yield "joint test", results.joint_test(0, 1)
    yield "clustering", results.clustering()
    yield "test", TESTS["t"]
    yield "options", Options()
    yield "test input", TestInput(results.fitted.abnormal, es.Window(0, 1))
    yield (
        "statistic",
        TESTS["cross_sectional"].compute(TestInput(results.fitted.abnormal, es.Window(0, 1)), Options()),
    )
    yield "fit", results.fitted.fit
    yield "fit by day", models.MarketModel().fit(models.MarketModel().arrays(results.fitted.sample))
    yield "fit of a sample", models.MarketModel().fit_sample(results.fitted.sample, slice(None))
    yield "fitted events", results.fitted
    yield "pooled events", pooled.fitted
    yield "table", Table("Title", [Section(pd.DataFrame({"x": [1.0]}), formats={"x": "{:.1f}"})])
    for name, make in MODELS.items():
        yield name, make()
    world, truth = lab.simulate_market(12, 420, garch=(0.08, 0.85), n_events=4, seed=3)
    yield "simulated market", lab.simulate_market(3, 300, seed=1)
    yield "truth", truth
    yield "bars", lab.simulate_bars(2, 3, seed=1)
    apart = [
        {"security": s, "date": d} for s, d in zip(world.securities, world.sessions[300:380:20], strict=False)
    ]
    volatility = es.AbnormalVolatility(world, apart, estimation=(-250, -11), window=(-3, 3))
    yield "abnormal volatility", volatility
    yield "abnormal volatility, fitted", volatility.fit()
    garch = es.EventGARCH(world, truth.events.iloc[:2], estimation=(-150, -6))
    yield "event garch", garch
    yield "event garch, fitted", garch.fit()
    months = lab.simulate_market(20, 80, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    dates = months.sessions[20:50:2]
    long = [{"security": s, "date": d} for s, d in zip(months.securities, dates, strict=False)]
    groups = pd.DataFrame("g", months.sessions[:1], months.securities)
    yield "reference portfolios", es.ReferencePortfolios(groups)
    yield "matched firms", es.MatchedFirms(pd.DataFrame(1.0, months.sessions[:1], months.securities))
    held = es.BuyAndHold(months, long, horizon=(1, 12), reference=es.ReferencePortfolios(groups))
    yield "buy and hold", held
    yield "buy and hold, fitted", held.fit()
    cap = pd.DataFrame(1.0, months.sessions, months.securities)
    calendar = es.CalendarTimePortfolio(
        months, long, horizon=(1, 12), min_firms=3, weights="value", market_cap=cap
    )
    yield "calendar time", calendar
    yield "calendar time, fitted", calendar.fit()
    yield (
        "calibration",
        lab.calibrate(
            market,
            n_events=2,
            n_samples=20,
            tests=["cross_sectional"],
            seed=1,
            start=0,
            end=1,
            estimation=(-120, -11),
        ),
    )
    yield "power", lab.power(results, effects=[0.0, 0.02])
    yield "placebo", lab.placebo(single, n_firms=2, seed=1)
    yield (
        "specification curve",
        lab.specification_curve(market, events, windows=[(0, 1)], estimations=[(-120, -11)], n_placebo=2),
    )
    listing = folder / "list.csv"
    head = "source,name,alt_names,addresses,federal_register_notice,start_date"
    row = "Entity List (EL) - Bureau of Industry and Security,Dahua Technology,,CN,84 FR 54002,2019-10-09"
    listing.write_text(f"{head}\n{row}\n")
    yield "entity list", es.datasets.entity_list(listing)
    yield "bans", es.datasets.ban_announcements().about("Hikvision")
    returns = plain.returns.melt(var_name="permno", value_name="ret", ignore_index=False).dropna()
    returns.rename_axis("date").reset_index().to_parquet(folder / "panel.parquet")
    panel = es.Market.scan_parquet(folder / "panel.parquet", benchmark="INDEX")
    yield "panel", panel
    yield (
        "streamed study",
        es.stream_study(panel, events.frame.drop(columns="benchmark"), folder / "out", **short),
    )


def ours(value: object) -> bool:
    return type(value).__module__.split(".")[0] == "eventstudy" and not isinstance(
        value, Enum | type | BaseException
    )


def public(value: object) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]


def zero_argument(method: Any) -> dict[str, Any] | None:
    """Arguments with which a method can be called, or None if it needs some."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return None
    needed = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return None if needed else {p.name: 0 for p in parameters if p.name == "seed"}
