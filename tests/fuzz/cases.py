"""Random cases by number: each makes something of the library and holds it to what must always be so.

`run(seed)` is the whole of a case; a fault is an AssertionError that says what came out. The same number is
the same case on every machine. Cases of a group of twenty share a study, so one that fails only after others
is run again from the first of its group.

`reverted.py` says which case finds each of the faults that were mended, should it come back.
"""

from __future__ import annotations

import pickle
import re
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from joblib import parallel_config

import eventstudy as es
from eventstudy import lab, models
from eventstudy.errors import EventStudyError, EventStudyWarning
from eventstudy.inference import TESTS
from eventstudy.sources import read_prices
from eventstudy.tables import Section, Table

Item = TypeVar("Item")
FIRMS = ["A", "B", "C", "D", "E"]
CALENDARS = [None, None, None, "XSHG", "XNYS"]
BAD_PRICES = (np.nan, 0.0, -1.0, np.inf, 1e-300, 1e300, 5e-324, 50.0)
MODELS: list[Callable[[], Any]] = [
    *[models.MarketModel] * 6,
    models.ConstantMean,
    models.MarketAdjusted,
    lambda: models.MarketModel(lags={"benchmark": (1, -1)}),
    lambda: models.EWMarketModel(20),
    lambda: models.RollingMarketModel(20),
    models.RobustMarketModel,
    models.ScholesWilliams,
    models.AutocorrelatedErrors,
    models.SyntheticPeers,
    models.ElasticNetModel,
    models.PCAModel,
]
#: Models that fit each event anew by other securities.
LEARNED = (models.SyntheticPeers, models.ElasticNetModel, models.PCAModel)
#: Tests that draw nothing; those that resample come in one case of twenty.
SLOW = {
    "bootstrap",
    "wild_bootstrap",
    "block_bootstrap",
    "permutation",
    "conformal",
    "garch_t",
    "bootstrap_t",
}
QUICK = [key for key in TESTS if key not in SLOW]
LEVELS = (0.95, 0.95, 0.9, 0.5, 0.999999, 1e-9)


def some(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    return items[int(rng.integers(len(items)))]


def chance(rng: np.random.Generator, p: float) -> bool:
    return bool(rng.random() < p)


def prices(rng: np.random.Generator, n: int, firms: Sequence[str] = FIRMS) -> pd.DataFrame:
    """Closes of some firms and an index; in half of the cases something is wrong with them."""
    days = pd.bdate_range(some(rng, ["2019-03-01", "2019-12-02"]), periods=n)
    index = 0.01 * rng.standard_normal((n, 1))
    returns = np.concatenate([index + 0.02 * rng.standard_normal((n, len(firms))), index], axis=1)
    close = pd.DataFrame(50 * np.exp(returns.cumsum(axis=0)), days, [*firms, "INDEX"])
    if chance(rng, 0.5):
        return close.round(2)
    for _ in range(int(rng.integers(1, 4))):
        row, column = int(rng.integers(n)), int(rng.integers(len(firms) + 1))
        kind = int(rng.integers(6))
        if kind == 0:
            close.iloc[row : row + int(rng.integers(1, n)), column] = some(rng, BAD_PRICES)
        elif kind == 1:
            close.iloc[row, column] = some(rng, BAD_PRICES)
        elif kind == 2:
            close.iloc[row:, column] = np.nan
        elif kind == 3:
            close.iloc[: row + 1, column] = np.nan
        elif kind == 4:
            close.iloc[:, column] = 20.0
        else:
            close.iloc[row:, column] *= some(rng, [0.01, 100.0, 10.0])
    return close


def market(rng: np.random.Generator, n: int, kind: str | None = None) -> es.Market:
    """Make a market of one of four shapes of prices, as a rule one that takes bad prices for missing."""
    close = prices(rng, n)
    data: pd.DataFrame = close
    shape = int(rng.integers(6))
    options: dict[str, Any] = {
        "kind": kind or some(rng, ["simple", "simple", "log"]),
        "calendar": some(rng, CALENDARS),
        "bad_prices": "raise" if chance(rng, 0.03) else "missing",
    }
    if shape == 1:
        volume = (1000.0 * close.notna()).where(rng.random(close.shape) > 0.05, 0.0)
        data = pd.concat(
            {
                "close": close,
                "open": close * 1.002,
                "high": close * 1.01,
                "low": close * 0.99,
                "volume": volume,
            },
            axis=1,
        )
    elif shape == 2:
        data = pd.concat({"close": close, "adj_close": close * 0.9}, axis=1)
    elif shape == 3:
        paid = pd.DataFrame((rng.random(close.shape) < 0.01) * 1.0, close.index, close.columns)
        data = pd.concat({"close": close, "dividends": paid, "splits": 2 * paid}, axis=1)
        options |= {"adjustment": "none"} if chance(rng, 0.9) else {}
    if chance(rng, 0.3):
        options["sessions"] = "data"
    if chance(rng, 0.1):
        options |= {"price_limit": 0.1, "tick": 0.01}
    return es.Market.from_prices(data, benchmark="INDEX", **options)


def events(rng: np.random.Generator, held: es.Market, clustered: bool = False) -> list[dict[str, Any]]:
    """Mostly sound events, near the end of the data as often as in its midst; some nonsense."""
    days, listed = held.sessions, []
    taken: set[tuple[str, pd.Timestamp]] = set()
    timed = held.exchange is not None or chance(rng, 0.03)
    common = days[int(rng.integers(len(days) * 2 // 3, len(days)))]
    clustered = clustered or chance(rng, 0.4)
    for number in range(int(rng.integers(1, 9))):
        first = 0 if chance(rng, 0.1) else len(days) // 2
        late = (
            len(days) - 1 - int(rng.integers(6)) if chance(rng, 0.3) else int(rng.integers(first, len(days)))
        )
        day = common if clustered else days[late]
        event: dict[str, Any] = {
            "security": some(rng, FIRMS),
            "size": float(rng.normal()),
            "group": "xy"[number % 2],
        }
        if (event["security"], day) in taken and not chance(rng, 0.02):
            continue
        taken.add((event["security"], day))
        kind = int(rng.integers(12)) if timed else int(rng.integers(2, 12))
        if kind == 0:
            event["announced_at"] = f"{day:%Y-%m-%d} {int(rng.integers(24)):02}:30+08:00"
        elif kind == 1:
            event |= {
                "announced_after": f"{day:%Y-%m-%d} 10:00Z",
                "announced_before": f"{day:%Y-%m-%d} {some(rng, [11, 23])}:00Z",
            }
        elif kind == 2:
            event["date"] = day + pd.Timedelta(days=int(rng.integers(-4, 5)))
        else:
            event["date"] = day
        listed.append(event)
    if chance(rng, 0.05):
        listed[0]["security"] = some(rng, ["INDEX", "Z", "", None, 7, "<b>"])
    if chance(rng, 0.05):
        listed[0]["date"] = some(rng, [None, "", "2019-13-01", "1677-09-21", 3, "never"])
    if chance(rng, 0.05):
        for event in listed:
            event["label"] = np.nan
    return listed


def check_test_table(frame: pd.DataFrame) -> None:
    p = frame["p_value"].astype(float)
    assert p.dropna().between(0, 1).all(), f"p outside of [0, 1]: {p.tolist()}"
    if "applicable" in frame:
        lost = frame[frame["applicable"].astype(bool) & p.isna()]
        assert lost.empty, f"applicable without a p-value: {lost['test'].tolist()}"
        silent = frame[~frame["applicable"].astype(bool) & (frame["note"].fillna("") == "")]
        assert silent.empty, f"not applicable without a note: {silent['test'].tolist()}"


def check_intervals(frame: pd.DataFrame) -> None:
    for low, high in (("ci_low", "ci_high"), ("low", "high")):
        if low not in frame or high not in frame:
            continue
        ends = frame[[low, high]].astype(float)
        endless = np.isinf(ends).any(axis=1)
        told = frame["note"].fillna("") != "" if "note" in frame else pd.Series(False, frame.index)
        assert not (endless & ~told).any(), f"infinite interval without a note:\n{frame[endless & ~told]}"
        known = ends.dropna()
        assert (known[low] <= known[high]).all(), f"interval upside down:\n{ends}"


def check_frame(frame: object) -> object:
    """Hold what came out to what must always be so; returns it."""
    if isinstance(frame, pd.DataFrame):
        if "p_value" in frame:
            check_test_table(frame)
        check_intervals(frame)
        for column in ("car", "caar", "aar"):
            if column in frame:
                assert not np.isinf(frame[column].astype(float)).any(), f"infinite {column}"
    return frame


def check_message(error: EventStudyError) -> None:
    text = str(error)
    assert len(text) > 15, f"an error without a reason: {text!r}"
    assert not re.search(r"object at 0x|<class ", text), f"an error that shows innards: {text}"


Look = Callable[[Any, int, int, np.random.Generator], object]
LOOKS: list[Look] = [
    lambda r, s, e, g: r.test(s, e, tests=QUICK),
    lambda r, s, e, g: r.test(
        s, e, tests=list(g.choice(QUICK, 3)), alternative=some(g, ["greater", "less", "two-sided", "bigger"])
    ),
    lambda r, s, e, g: r.aar(level=some(g, LEVELS)),
    lambda r, s, e, g: r.caar(s, e, level=some(g, LEVELS)),
    lambda r, s, e, g: r.decomposition(some(g, [0, s, e]), event=some(g, list(r.timeline.index))),
    lambda r, s, e, g: r.car(s, e, level=some(g, LEVELS)),
    lambda r, s, e, g: str(r.clustering(s, e)),
    lambda r, s, e, g: r.recommended(s, e),
    lambda r, s, e, g: str(r.joint_test(s, e, alternative=some(g, ["greater", "two-sided", "bigger"]))),
    lambda r, s, e, g: r.firm_tests(s, e, adjust=some(g, ["holm", "bh", "romano-wolf", "bonferroni"]), **FEW),
    lambda r, s, e, g: r.group_tests("group", s, e, adjust="holm", **FEW),
    lambda r, s, e, g: r.window_tests([(s, e), (0, 0)], adjust="holm", **FEW),
    lambda r, s, e, g: r.value_change(1e9, s, e),
    lambda r, s, e, g: r.value_change(None, s, e, shares=some(g, [1.0, 0.0, "many"])),
    lambda r, s, e, g: repr(r.car([(s, e), (0, 0)])),
    lambda r, s, e, g: repr(r.caar([(s, e), (0, 0)], weights=some(g, ["size", "precision", "group", None]))),
    lambda r, s, e, g: r.sort_by(
        some(g, ["size", "group"]), s, e, quantiles=2, winsorize=some(g, [0.0, 0.1])
    ),
    lambda r, s, e, g: r.tidy([(s, e)]),
    lambda r, s, e, g: overwritten(r),
    lambda r, s, e, g: (r.limit_hits, r.halts, r.excluded),
]
#: These take tens of milliseconds.
SLOW_LOOKS: list[Look] = [
    lambda r, s, e, g: r.intervals(
        s, e, level=some(g, LEVELS), methods=some(g, [("t", "conformal"), (), ("bootstrap_t",)]), **FEW
    ),
    lambda r, s, e, g: str(r.summary(s, e)),
    lambda r, s, e, g: str(r.verdict(s, e, alternative=some(g, ["less", "two-sided", "bigger"]))),
    lambda r, s, e, g: str(r.exhibit(s, e, adjust=some(g, ["holm", "bonferroni"]))),
    lambda r, s, e, g: r.to_panel(),
    lambda r, s, e, g: r.to_json(windows=[(s, e)])[:500],
    lambda r, s, e, g: r.car_table(s, e).to_html(),
    lambda r, s, e, g: str(r.caar_table()),
    lambda r, s, e, g: str(r.aar_table()),
    lambda r, s, e, g: r.test(s, e, **FEW),
    lambda r, s, e, g: r.parameters,
    lambda r, s, e, g: r.car(0, "first_free_close"),
    lambda r, s, e, g: str(r.cross_section(some(g, FORMULAS), s, e)),
    lambda r, s, e, g: pickle.loads(pickle.dumps(r)).test(s, e, tests=["rank", "t"]),
    lambda r, s, e, g: draw(g, r),
    lambda r, s, e, g: draw(g, r),
]
#: What studies have and pools of them have not.
OF_STUDIES: list[Look] = [
    lambda r, s, e, g: r.stacked(s, e, level=some(g, LEVELS)),
    lambda r, s, e, g: r.peers(),
    lambda r, s, e, g: (r.suspects, r.warnings),
    lambda r, s, e, g: r.overlaps(s, e),
    lambda r, s, e, g: r.diagnostics(),
]
FORMULAS = ("car ~ size", "car ~ C(group)", "scar ~ log(size)", "car ~ se", "car ~ 0", "car ~ frame")
FEW: dict[str, Any] = {"n_resamples": 49, "seed": 1}
FIGURES = (
    "autocorrelation", "caar", "car", "clustering", "decomposition", "fit", "forest", "heatmap", "null", "qq",
    "reaction", "reaction", "reaction", "reaction", "residuals", "tests", "timeline", "timeline",
)  # fmt: skip
OF_ONE_EVENT = {"autocorrelation", "decomposition", "fit", "null", "qq", "reaction", "residuals", "timeline"}


def draw(rng: np.random.Generator, results: Any) -> None:
    name = some(rng, FIGURES)
    try:
        one = {"event": some(rng, list(results.timeline.index))} if name in OF_ONE_EVENT else {}
        axes = getattr(results.plot, name)(**one)
        if chance(rng, 0.2):
            getattr(axes, "figure", axes).canvas.draw()
    finally:
        plt.close("all")


def overwritten(results: Any) -> pd.DataFrame:
    """What results hand out is theirs no longer: writing to it changes no later answer."""
    timeline = results.timeline
    before = timeline.copy()
    timeline.iloc[:, 0] = timeline.iloc[0, 0]
    timeline["new"] = 1
    pd.testing.assert_frame_equal(results.timeline, before)
    return before


@dataclass
class Study:
    """A study that was fitted, for the cases of one group to look at."""

    study: es.EventStudy
    results: Any
    listed: list[dict[str, Any]]

    @classmethod
    def of(cls, held: es.Market, listed: list[dict[str, Any]], **options: Any) -> Study:
        study = es.EventStudy(held, listed, **options)
        results = study.fit()
        used, out = list(results.timeline.index), list(results.excluded.index)
        assert sorted(used + out) == list(range(len(listed))), "an event was lost"
        assert results.excluded["reason"].str.len().gt(0).all(), "excluded without a reason"
        return cls(study, results, listed)

    def look(self, rng: np.random.Generator) -> object:
        kind = rng.random()
        if kind < 0.001:
            return self.page()
        window = self._window(rng)
        if kind < 0.008:
            return self.again(rng, window)
        looks = SLOW_LOOKS if kind < 0.08 else OF_STUDIES if kind < 0.2 else LOOKS
        return self.ask(some(rng, looks), window, rng)

    def ask(self, look: Look, window: tuple[int, int], rng: np.random.Generator) -> object:
        return check_frame(look(self.results, *window, rng))

    def page(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            return str(self.results.report(Path(folder) / "r.html").read_text(encoding="utf-8")[:500])

    def _window(self, rng: np.random.Generator) -> tuple[int, int]:
        window = self.study.spec.window
        start = int(rng.integers(window.start, window.end + 1))
        return start, int(rng.integers(start, window.end + 1))

    def again(self, rng: np.random.Generator, window: tuple[int, int]) -> pd.DataFrame:
        """Hold a study to its answers in another order of the events, a chunk at a time, and by workers."""
        spec = self.study.spec
        options: dict[str, Any] = {
            "model": spec.model, "estimation": spec.estimation, "window": spec.window,
            "min_observations": spec.min_observations,
        }  # fmt: skip
        order, listed = np.arange(len(self.listed)), self.listed
        how = some(rng, ["order", "chunk", "threads", "processes"])
        if how == "order":
            order = rng.permutation(len(listed))
            listed = [listed[i] for i in order]
            results = es.EventStudy(spec.market, listed, **options).fit()
        elif how == "chunk":
            results = self.study.fit(chunk_size=1)
        elif how == "threads":
            results = self.study.fit(n_jobs=2, chunk_size=2)
        else:
            with parallel_config(backend="loky"):
                results = self.study.fit(n_jobs=2, chunk_size=2)
        expected = self.results.fitted.cars(es.Window(*window))
        found = results.fitted.cars(es.Window(*window))
        found = found.set_axis([int(order[i]) for i in found.index], axis=0).sort_index()
        for column in ("car", "se"):
            np.testing.assert_allclose(
                found[column].to_numpy(float), expected[column].to_numpy(float), 1e-7, 1e-10, err_msg=how
            )
        if how != "order":
            pd.testing.assert_frame_equal(results.warnings, self.results.warnings)
        return expected.round(6)


def make_study(rng: np.random.Generator) -> Study:
    held = market(rng, int(rng.integers(60, 110)))
    model = some(rng, MODELS)()
    width = int(rng.integers(0, 7))
    return Study.of(
        held, events(rng, held)[: 2 if isinstance(model, LEARNED) else None], model=model,
        window=(-width, int(rng.integers(0, 7))),
        estimation=(-width - int(rng.integers(22, 35)), -width - 1),
        min_observations=some(rng, [8, 8, 8, 12]),
    )  # fmt: skip


def make_volume(rng: np.random.Generator) -> Study:
    frame = bars_frame(rng, int(rng.integers(50, 90)))
    if chance(rng, 0.5):
        held = es.volume_market(
            frame, benchmark=some(rng, ["INDEX"] * 5 + [None]), zero=some(rng, ["constant", "missing"])
        )
    else:
        held = es.range_market(
            frame, benchmark="INDEX", measure=some(rng, ["parkinson", "garman_klass", "rogers_satchell"])
        )
    return Study.of(held, events(rng, held), estimation=(-30, -4), window=(-2, 2), min_observations=8)


def make_bars(rng: np.random.Generator) -> Study:
    n = int(rng.integers(4, 8))
    opening = pd.Timestamp("2019-05-20 01:30")
    minutes = [
        opening + pd.Timedelta(days=day, minutes=int(minute))
        for day in range(n) for minute in [*range(0, 120, 10), *range(210, 330, 10)]
    ]  # fmt: skip
    stamps = pd.DatetimeIndex(minutes, tz="UTC")
    stamps = stamps[stamps.weekday < 5]
    returns = 0.002 * rng.standard_normal((len(stamps), 3))
    close = pd.DataFrame(50 * np.exp(returns.cumsum(axis=0)), stamps, ["A", "B", "INDEX"])
    if chance(rng, 0.5):
        close.iloc[int(rng.integers(len(close) // 2, len(close))) :, 0] = np.nan
    held = es.Market.from_prices(
        close, benchmark="INDEX", calendar=some(rng, ["XSHG"] * 8 + ["XNYS", None]),
        freq=some(rng, ["10min"] * 6 + ["30min", "1min", "7min"]),
        stamps=some(rng, ["close", "open"]),
    )  # fmt: skip
    at = stamps[int(rng.integers(len(stamps) // 2, len(stamps)))]
    listed = [{"security": some(rng, ["A", "B"]), "announced_at": f"{at:%Y-%m-%d %H:%M}Z"}]
    return Study.of(held, listed, estimation=(-40, -7), window=(-6, 6), min_observations=10)


class Pool(Study):
    """Several studies in one, of which what is the same of a study is not asked again."""

    def page(self) -> str:
        return str(self.results.summary())

    def ask(self, look: Look, window: tuple[int, int], rng: np.random.Generator) -> object:
        return super().ask(some(rng, LOOKS) if look in OF_STUDIES else look, window, rng)

    def again(self, rng: np.random.Generator, window: tuple[int, int]) -> pd.DataFrame:
        frame: pd.DataFrame = self.results.fitted.cars(es.Window(*window))
        return frame


def make_pool(rng: np.random.Generator) -> Study:
    parts = {}
    for name in ("one", "two"):
        held = market(rng, 70, "simple")
        last = Study.of(held, events(rng, held), estimation=(-30, -4), window=(-3, 3), min_observations=8)
        parts[name] = last.results
    return Pool(last.study, es.pool(parts), last.listed)


@dataclass
class Answers:
    """Questions to something else than a study."""

    questions: list[Callable[[np.random.Generator], object]]

    def look(self, rng: np.random.Generator) -> object:
        return check_frame(some(rng, self.questions)(rng))


def make_long_run(rng: np.random.Generator) -> Answers:
    n = int(rng.integers(30, 60))
    close = prices(rng, n, [*FIRMS, *"FGHIJKLMNOPQR"])
    close.index = pd.date_range("2012-01-31", periods=n, freq="ME")
    held = es.Market.from_prices(close, benchmark="INDEX", bad_prices="missing")
    listed = [
        {"security": firm, "date": held.sessions[int(rng.integers(n * 2 // 3))]}
        for firm in rng.permutation(held.securities)[: some(rng, [6, 18])]
    ]

    def buy_and_hold(g: np.random.Generator) -> object:
        horizon = (some(g, [0, 1]), int(g.integers(1, 14)))
        delisted = some(g, ["cash", "truncate", "truncate", "truncate", "reference", "oops"])
        found = es.BuyAndHold(held, listed, horizon=horizon, delisted=delisted).fit()
        check_frame(found.test(**FEW))
        return some(g, [lambda: found.bhar(), lambda: found.mean_path(), lambda: str(found.summary())])()

    def portfolio(g: np.random.Generator) -> object:
        lags = some(g, [None] * 6 + [0, 1, 5, 500, -1, 2.5])
        found = es.CalendarTimePortfolio(
            held, listed, horizon=(some(g, [0, 1]), int(g.integers(1, 14))), min_firms=int(g.integers(1, 4)),
            lags=lags, cov="hc3" if lags is None else "hac",
        ).fit()  # fmt: skip
        check_frame(found.alpha(level=some(g, LEVELS)))
        return some(
            g,
            [
                lambda: str(found.summary()),
                lambda: found.jaffe_mandelker(estimation=20, minimum=some(g, [0, 10, 10])),
            ],
        )()

    return Answers([buy_and_hold, portfolio])


def make_volatility(rng: np.random.Generator) -> Answers:
    held = market(rng, 110)
    listed = [
        {"security": some(rng, FIRMS), "date": held.sessions[day]}
        for day in range(len(held.sessions) - 30, len(held.sessions) - 2, 8)
    ]
    study = es.AbnormalVolatility(
        held, listed, estimation=(-70, -4), window=(-3, 3), min_observations=some(rng, [60, 40])
    )
    found = study.fit()
    return Answers(
        [
            lambda g: found.test(0, int(g.integers(0, 5)), **FEW),
            lambda g: found.multiples,
            lambda g: str(found),
        ]
    )


def bars_frame(rng: np.random.Generator, n: int) -> pd.DataFrame:
    close = prices(rng, n)
    volume = pd.DataFrame(rng.integers(0, 1000, close.shape) * 1.0, close.index, close.columns)
    return pd.concat(
        {"close": close, "open": close * 0.999, "high": close * 1.01, "low": close * 0.98, "volume": volume},
        axis=1,
    )


def make_lab(rng: np.random.Generator) -> Answers:
    n_firms = int(rng.integers(2, 8))
    world, truth = lab.simulate_market(
        n_firms, int(rng.integers(80, 140)), n_events=int(rng.integers(1, min(4, n_firms) + 1)),
        seed=int(rng.integers(99)), correlation=some(rng, [0.0, 0.3]), thin=some(rng, [0.0, 0.1]),
    )  # fmt: skip
    short: dict[str, Any] = {"estimation": (-40, -6), "min_observations": 10}
    results = es.EventStudy(world, truth.events, window=(-2, 2), **short).fit()

    def calibrate(g: np.random.Generator) -> object:
        found = lab.calibrate(
            world, 0, 1, n_events=int(g.integers(1, 5)), n_samples=7, tests=list(g.choice(QUICK, 2)),
            shift=[0.0], variance=[1.0], seed=1, n_jobs=some(g, [1, 1, 2]), **short,
        )  # fmt: skip
        try:
            found.plot.size()
        finally:
            plt.close("all")
        return found.frame

    return Answers(
        [
            calibrate,
            lambda g: lab.power(results, 0, 1, effects=[0.0, 0.02]).frame,
            lambda g: lab.placebo(results, 0, 1, n_firms=int(g.integers(0, 3)), seed=1).frame,
            lambda g: (
                lab.specification_curve(
                    world, truth.events, windows=[(0, 1)], estimations=[(-40, -6)], n_placebo=2
                ).frame
            ),
        ]
    )


WORDS = ("x", "", "a&b", "<b>", "$x_1$", "100%", "\\alpha", "=1+1", "é", "\x00", "￾", "\n", "|", "x" * 300)


def a_table(rng: np.random.Generator) -> object:
    n, k = int(rng.integers(0, 4)), int(rng.integers(1, 4))
    frame = pd.DataFrame(rng.standard_normal((n, k)), columns=[f"c{i}" for i in range(k)])
    if n and chance(rng, 0.4):
        frame.iloc[0, 0] = some(rng, [np.nan, np.inf, -np.inf, 1e300])
    if n and chance(rng, 0.4):
        frame.index = pd.Index([some(rng, WORDS) for _ in range(n)], name=some(rng, [None, *WORDS]))
    elif n and chance(rng, 0.3):
        frame.index = pd.MultiIndex.from_arrays([list("abcd")[:n], range(n)], names=[None, None])
    if chance(rng, 0.2):
        frame.columns = pd.MultiIndex.from_arrays([["u"] * k, frame.columns])
    else:
        frame = frame.assign(words=[some(rng, WORDS) for _ in range(n)])
    formats = {
        str(frame.columns[0]): some(
            rng, ["{:.2f}"] * 4 + ["{:+.1%}"] * 4 + ["{}"] * 4 + ["{}{}", "{:q}", "{x}"]
        )
    }
    table = Table(some(rng, WORDS), [Section(frame, some(rng, WORDS), formats=formats)], (some(rng, WORDS),))
    if chance(rng, 0.05):
        with tempfile.TemporaryDirectory() as folder:
            return table.to_excel(Path(folder) / "t.xlsx")
    return some(rng, [str, Table.to_markdown, Table.to_latex, Table.to_html])(table)


def number(value: float, digits: int, decimal: str, thousands: str) -> str:
    whole, _, part = f"{value:,.{digits}f}".partition(".")
    return whole.replace(",", thousands) + (decimal + part if part else "")


def a_file(rng: np.random.Generator) -> object:
    """Prices as one of many kinds of spreadsheet would write them: read as they were, or refused."""
    n = int(rng.integers(3, 9))
    decimal, thousands = some(rng, [(".", ""), (".", ","), (",", ""), (",", ".")])
    # A point of thousands is looked for where Europeans write files, between semicolons.
    separator = ";" if thousands == "." else some(rng, [",", ";", "\t", "|"])
    digits = [int(rng.integers(0, 4)) for _ in range(n)] if chance(rng, 0.5) else [some(rng, [0, 2, 3])] * n
    days = pd.bdate_range("2019-05-13", periods=n)
    closes = some(rng, [30.0, 990.0, 12_000.0]) * (1 + 0.05 * rng.standard_normal(n))
    closes = np.array([round(close, places) for close, places in zip(closes, digits, strict=True)])
    volumes = rng.integers(1, some(rng, [900, 2_000_000]), n)
    dates = [f"{day:%Y-%m-%d}" for day in days]
    undated = chance(rng, 0.1)
    if undated:
        dates[int(rng.integers(n))] = some(rng, ["", "nan", "NaT"])
    notes = [some(rng, ["", "3,5", "1.234", "x" * 200_000 if chance(rng, 0.02) else "ban"]) for _ in range(n)]
    notes[0] = "ban"  # a column of remarks
    told = decimal if chance(rng, 0.3) else None
    far = chance(rng, 0.05)
    if far:
        dates[int(rng.integers(n))] = some(rng, ["1677-09-21", "2262-04-12", "2319-05-21"])
    rows = [["Date", "Close", "Volume", "Note"]]
    for i in range(n):
        figures = number(closes[i], digits[i], decimal, thousands), number(volumes[i], 0, decimal, thousands)
        rows.append([dates[i], *figures, notes[i]])
    quoted = [[f'"{cell}"' if separator in cell else cell for cell in row] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "firm.csv"
        path.write_text("\n".join(separator.join(row) for row in quoted), encoding="utf-8")
        found = read_prices(path, decimal=told)
    assert not undated, "a row without a date was kept"
    assert not far, "a day that nanoseconds cannot hold was kept"
    # A volume whose sign may be of decimals or of thousands is left out, with a warning.
    unclear = all(volume < 1_000_000 for volume in volumes)
    for field, values in (("close", closes), ("volume", volumes)):
        if field == "volume" and thousands and unclear and ("volume", "firm") not in found:
            continue
        np.testing.assert_allclose(found[field, "firm"], values, err_msg=f"{rows}")
    return found


#: Cases of one group are of one kind, and share what was made for it.
GROUP = 30
KINDS: dict[str, tuple[Callable[[np.random.Generator], Any], float]] = {
    "study": (make_study, 0.55),
    "table": (lambda rng: Answers([a_table]), 0.08),
    "file": (lambda rng: Answers([a_file]), 0.06),
    "volume": (make_volume, 0.08),
    "pool": (make_pool, 0.05),
    "bars": (make_bars, 0.08),
    "long run": (make_long_run, 0.06),
    "volatility": (make_volatility, 0.03),
    "lab": (make_lab, 0.02),
}
#: Most of what is drawn with faults is refused; a group tries again, so that its cases have something to ask.
ATTEMPTS = 8


def kind_of(seed: int) -> str:
    shares = np.cumsum([share for _, share in KINDS.values()])
    place = np.random.default_rng([seed // GROUP, 19]).random() * shares[-1]
    return list(KINDS)[int(np.searchsorted(shares, place))]


@lru_cache(maxsize=1)
def made(group: int) -> Any:
    """Make what the cases of one group ask; an error if every attempt is refused."""
    refusal: EventStudyError | None = None
    for attempt in range(ATTEMPTS):
        try:
            return KINDS[kind_of(group * GROUP)][0](np.random.default_rng([group, attempt, 1907]))
        except EventStudyError as error:
            check_message(error)
            refusal = error
    return refusal


def run(seed: int) -> tuple[str, object]:
    """Run one case: ``done`` and the answer, or ``refused`` and the message where the library would not."""
    state = _global_state()
    outcome: tuple[str, object]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            subject = made(seed // GROUP)
            if isinstance(subject, EventStudyError):
                raise subject
            outcome = "done", subject.look(np.random.default_rng([seed, 2019]))
        except EventStudyError as refusal:
            check_message(refusal)
            outcome = "refused", str(refusal)
    foreign = [one for one in caught if not issubclass(one.category, EventStudyWarning) and not _known(one)]
    if foreign:
        one = foreign[0]
        raise AssertionError(
            f"a foreign warning: {one.category.__name__}: {one.message} at {one.filename}:{one.lineno}"
        )
    assert _global_state() == state, "the global random state was touched"
    return outcome


def _global_state() -> bytes:
    kept: Any = np.random.get_state()  # noqa: NPY002 (it is to stay as it is)
    return bytes(kept[1].tobytes())


def _known(one: warnings.WarningMessage) -> bool:
    """Deprecations inside of exchange_calendars, as in pyproject.toml, and of the lowest matplotlib."""
    if one.category.__name__ == "PyparsingDeprecationWarning":
        return True
    text = str(one.message)
    return "drops timezone" in text or "DatetimeIndex.weekday" in text or "'generic' unit" in text
