"""Nothing a user can reach can be changed: each public object is built, walked through and written to."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import inference, lab, models
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.tables import Section, Table

HOLDERS = (pd.DataFrame, pd.Series, pd.Index, Mapping, tuple, list, set)
#: Instances of one class that are looked into.
MOST = 2


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


NO_MODELS = {"ModelFit", "NormalReturnModel"}
MODELS: dict[str, Callable[[], Any]] = {
    **{
        name: getattr(models, name)
        for name in models.__all__
        if name not in {"ModelFit", "NormalReturnModel"}
    },
    "EWMarketModel": lambda: models.EWMarketModel(60),
    "RollingMarketModel": lambda: models.RollingMarketModel(30),
    "FactorModel": lambda: models.FactorModel(["smb"]),
    "MarketModel": lambda: models.MarketModel(lags={"benchmark": (1, -1)}),
    "MatchedPortfolio": lambda: models.MatchedPortfolio(
        peers={"A": ["C", "D"]}, weights={"C": 1.0, "D": 2.0}
    ),
}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One of everything that is public."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        return dict(build(tmp_path_factory.mktemp("immutable")))


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
    yield "cross-section", results.regress("car ~ size")
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
            window=(0, 1),
            estimation=(-120, -11),
        ),
    )
    yield "power", lab.power(results, effects=[0.0, 0.02])
    yield "placebo", lab.placebo(single, n_firms=2, seed=1)
    yield (
        "specification curve",
        lab.specification_curve(market, events, windows=[(0, 1)], estimations=[(-120, -11)], n_placebo=2),
    )
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


class Walk:
    """Walk through objects; `faults` are the places that could be written to."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.seen: dict[int, object] = {}
        self.count: dict[type, int] = {}

    def visit(self, value: Any, path: str) -> None:
        if isinstance(value, np.ndarray):
            if value.flags.writeable:
                self.faults.append(f"{path}: writable array")
        elif isinstance(value, Mapping) and not ours(value):
            for key, each in value.items():
                self.visit(each, f"{path}[{key!r}]")
        elif isinstance(value, tuple | list) and not ours(value):
            for i, each in enumerate(value):
                self.visit(each, f"{path}[{i}]")
        elif ours(value) and id(value) not in self.seen and self.count.get(type(value), 0) < MOST:
            self.seen[id(value)] = value
            self.count[type(value)] = self.count.get(type(value), 0) + 1
            self.look_into(value, path)

    def look_into(self, value: Any, path: str) -> None:
        for name in [*public(value), "no_such_attribute"]:
            self.refuses(value, name, path)
        if isinstance(value, Mapping):
            for key, each in value.items():
                self.visit(each, f"{path}[{key!r}]")
            return
        for name in public(value):
            if name.startswith("plot"):
                self.refuses_plotter(value, name, path)
                continue
            self.attribute(value, name, f"{path}.{name}")

    def refuses(self, value: Any, name: str, path: str) -> None:
        for change in (lambda: setattr(value, name, "x"), lambda: delattr(value, name)):
            try:
                change()
            except AttributeError:
                continue
            self.faults.append(f"{path}.{name}: can be set or deleted")

    def refuses_plotter(self, value: Any, name: str, path: str) -> None:
        found = getattr(value, name)
        if ours(found):
            self.refuses(found, "anything", f"{path}.{name}")

    def attribute(self, value: Any, name: str, path: str) -> None:
        def read() -> Any:
            found = getattr(value, name)
            if inspect.ismethod(found) or inspect.isfunction(found):
                arguments = zero_argument(found)
                if arguments is None or isinstance(vars(type(value)).get(name), classmethod | staticmethod):
                    raise LookupError
                return found(**arguments)
            return found

        try:
            first = read()
        except (LookupError, es.errors.EventStudyError, NotImplementedError):
            return
        if callable(first) or isinstance(first, ModuleType):
            return
        method = callable(getattr(value, name))
        if isinstance(first, pd.DataFrame | pd.Series | pd.Index | Mapping | tuple | list | set) and not ours(
            first
        ):
            before = copy.deepcopy(first)
            spoil(first)
            first = read()
            if not same(before, first):
                self.faults.append(f"{path}: changed by writing to what it returned before")
        if not (method and isinstance(first, np.ndarray)):  # a method makes an array afresh
            self.visit(first, path)


def spoil(value: Any) -> None:
    """Write wherever it can be written to."""
    if isinstance(value, pd.DataFrame):
        if value.size:
            value.isetitem(0, [None] * len(value))
        value.insert(0, ("spoilt",) * value.columns.nlevels if value.columns.nlevels > 1 else "spoilt", 1)
        value.index.names = ["spoilt"] * value.index.nlevels
    elif isinstance(value, pd.Series):
        value[:] = value.iloc[::-1].to_numpy()
        value.loc["spoilt"] = None
        value.name = "spoilt"
    elif isinstance(value, pd.Index):
        value.names = ["spoilt"] * value.nlevels
    elif isinstance(value, dict):
        for each in value.values():
            spoil(each)
        value["spoilt"] = 1
    elif isinstance(value, list):
        value.append("spoilt")
    elif isinstance(value, tuple):
        for each in value:
            spoil(each)
    elif isinstance(value, set):
        value.add("spoilt")


def same(a: Any, b: Any) -> bool:
    """Whether two values are alike; objects of the library are looked into one by one."""
    if type(a) is not type(b):
        return False
    if isinstance(a, pd.DataFrame | pd.Series):
        return a.equals(b) and a.index.equals(b.index) and a.index.names == b.index.names
    if isinstance(a, pd.Index):
        return a.equals(b) and a.names == b.names
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fM")
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return ours(a) or a == b or (a != a and b != b) or not np.isscalar(a)


@pytest.fixture(scope="module")
def walked(objects: dict[str, Any]) -> Walk:
    walk = Walk()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        for name, value in objects.items():
            walk.visit(value, name)
    return walk


def test_no_public_object_can_be_written_to(walked: Walk) -> None:
    assert not walked.faults, "\n" + "\n".join(walked.faults)


def test_every_public_class_was_walked_through(walked: Walk) -> None:
    rooms = (es, lab, models, inference, es.datasets, es.sources)
    classes = {
        getattr(room, name)
        for room in rooms
        for name in room.__all__
        if isinstance(getattr(room, name), type)
    }
    abstract = {each for each in classes if inspect.isabstract(each)}
    assert len(classes) > 50
    assert {each.__name__ for each in classes - abstract - set(walked.count)} == set()


def test_what_is_pickled_stays_read_only(objects: dict[str, Any]) -> None:
    walk = Walk()
    for name in ("market", "events", "reference portfolios", "MatchedPortfolio", "bars"):
        walk.visit(pickle.loads(pickle.dumps(objects[name])), name)
    assert not walk.faults, "\n" + "\n".join(walk.faults)


def test_models_with_mappings_are_hashable_and_equal() -> None:
    first, second = MODELS["MatchedPortfolio"](), MODELS["MatchedPortfolio"]()
    assert first == second
    assert hash(first) == hash(second)
    with pytest.raises(TypeError):
        first.weights["C"] = 5.0


def test_a_frame_given_can_change_afterwards() -> None:
    days = pd.bdate_range("2021-01-04", periods=3)
    groups = pd.DataFrame("g", days, ["A", "B"])
    portfolios = es.ReferencePortfolios(groups)
    groups.iloc[0, 0] = "other"
    assert portfolios.groups.iloc[0, 0] == "g"


def test_an_array_given_to_a_record_stays_writable() -> None:
    given = np.zeros((1, 2))
    fit = models.ModelFit(("a",), *([given] * 12))
    assert not fit.params.flags.writeable
    given[0, 0] = 1.0


def test_writing_is_refused_with_a_reason(objects: dict[str, Any]) -> None:
    with pytest.raises(AttributeError, match="EventStudy is immutable, so 'window' cannot be changed"):
        objects["study"].window = (-1, 1)
    with pytest.raises(AttributeError, match="Market is immutable, so 'benchmark'"):
        objects["market"].benchmark = "x"
    with pytest.raises(AttributeError, match="BuyAndHold is immutable, so 'horizon'"):
        objects["buy and hold"].horizon = 5
    with pytest.raises(AttributeError, match="BuyAndHold is immutable, so 'horizon'"):
        del objects["buy and hold"].horizon
    with pytest.raises(ValueError, match="read-only"):
        objects["market"].arrays.returns[0, 0] = 9.0
