"""Random cases by number: each makes something of the library and holds it to what must always be so.

`run(seed)` is the whole of a case; a fault is an AssertionError that says what came out. The same number is
the same case on every machine. Cases of a group of twenty share a study, so one that fails only after others
is run again from the first of its group.

Faults that were mended come back with these numbers once the mending is taken out (first and second case):
NaT of days after the data in `plot.reaction` 1082; prices that no return can be made of 100, 840; labels that
are all missing 25, 39; unbounded conformal intervals without a note 859; numpy's global state in
`ElasticNetModel` 680, 1260; log of 0 in formulas 195, 468; formats that cannot write 425, 428; unnamed
indices of two levels 438, 485; what is no character in Excel 889, 1245; `lags` of `CalendarTimePortfolio`
414, 778; bars finer than told 2101, 2110; a date before 1678 at 624.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy import lab, models
from eventstudy.errors import EventStudyError, EventStudyWarning
from eventstudy.inference import TESTS
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


@lru_cache(maxsize=1)
def fitted(group: int) -> tuple[es.EventStudy, Any, list[dict[str, Any]]] | EventStudyError:
    """Make the study that the cases of one group share, in the order of their numbers."""
    rng = np.random.default_rng([group, 1907])
    try:
        held = market(rng, int(rng.integers(60, 110)))
        listed = events(rng, held)
        width = int(rng.integers(0, 7))
        study = es.EventStudy(
            held, listed, model=some(rng, MODELS)(), window=(-width, int(rng.integers(0, 7))),
            estimation=(-width - int(rng.integers(22, 35)), -width - 1),
            min_observations=some(rng, [8, 8, 8, 12]),
        )  # fmt: skip
        return study, study.fit(), listed
    except EventStudyError as refusal:
        return refusal


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


def check_frame(frame: object) -> None:
    if isinstance(frame, pd.DataFrame):
        if "p_value" in frame:
            check_test_table(frame)
        check_intervals(frame)
        for column in ("car", "caar", "aar"):
            if column in frame:
                assert not np.isinf(frame[column].astype(float)).any(), f"infinite {column}"


def check_study(rng: np.random.Generator, group: int) -> None:
    made = fitted(group)
    if isinstance(made, EventStudyError):
        raise made
    study, results, listed = made
    used, out = list(results.timeline.index), list(results.excluded.index)
    assert sorted(used + out) == list(range(len(listed))), "an event was lost"
    assert results.excluded["reason"].str.len().gt(0).all(), "excluded without a reason"
    window = study.spec.window
    start = int(rng.integers(window.start, window.end + 1))
    end = int(rng.integers(start, window.end + 1))
    kind = rng.random()
    if kind < 0.03:
        draw(rng, results)
    elif kind < 0.0305:
        with tempfile.TemporaryDirectory() as folder:
            results.report(Path(folder) / "r.html")
    elif kind < 0.04:
        check_order(rng, study, results, listed, (start, end))
    else:
        look(some(rng, SLOW_LOOKS if kind < 0.08 else LOOKS), results, start, end, rng, QUICK)


def look(
    what: Callable[..., object], results: Any, start: int, end: int, rng: np.random.Generator, keys: Any
) -> None:
    try:
        check_frame(what(results, start, end, rng, keys))
    except EventStudyError as refusal:
        check_message(refusal)


def check_message(error: EventStudyError) -> None:
    text = str(error)
    assert len(text) > 15, f"an error without a reason: {text!r}"
    assert not re.search(r"object at 0x|<class ", text), f"an error that shows innards: {text}"


Look = Callable[[Any, int, int, np.random.Generator, Any], object]
LOOKS: list[Look] = [
    lambda r, s, e, g, k: r.test(s, e, tests=k, n_resamples=49, seed=1),
    lambda r, s, e, g, k: r.test(
        s, e, tests=list(g.choice(QUICK, 3)), alternative=some(g, ["greater", "less"]), n_resamples=49, seed=1
    ),
    lambda r, s, e, g, k: r.aar(level=some(g, LEVELS)),
    lambda r, s, e, g, k: r.caar(s, e, level=some(g, LEVELS)),
    lambda r, s, e, g, k: r.stacked(s, e, level=some(g, LEVELS)),
    lambda r, s, e, g, k: r.decomposition(some(g, [0, s, e])),
    lambda r, s, e, g, k: r.overlaps(s, e),
    lambda r, s, e, g, k: r.clustering(s, e),
    lambda r, s, e, g, k: r.recommended(s, e),
    lambda r, s, e, g, k: r.joint_test(s, e),
    lambda r, s, e, g, k: r.firm_tests(
        s, e, adjust=some(g, ["holm", "bh", "bonferroni"]), n_resamples=49, seed=1
    ),
    lambda r, s, e, g, k: r.group_tests("group", s, e, adjust="holm", n_resamples=49, seed=1),
    lambda r, s, e, g, k: r.window_tests([(s, e), (0, 0)], adjust="holm", n_resamples=49, seed=1),
    lambda r, s, e, g, k: r.cross_section(
        some(g, ["car ~ size", "car ~ C(group)", "scar ~ log(size)", "car ~ se"]), s, e
    ),
    lambda r, s, e, g, k: (r.limit_hits, r.halts, r.suspects, r.parameters, r.warnings),
    lambda r, s, e, g, k: r.value_change(1e9, s, e),
    lambda r, s, e, g, k: r.car(0, "first_free_close"),
    lambda r, s, e, g, k: str(r.car_table(s, e)),
    lambda r, s, e, g, k: r.peers(),
]
#: These take tens of milliseconds.
SLOW_LOOKS: list[Look] = [
    lambda r, s, e, g, k: r.intervals(s, e, level=some(g, LEVELS), n_resamples=49, seed=1),
    lambda r, s, e, g, k: str(r.summary(s, e)),
    lambda r, s, e, g, k: r.car_table(s, e).to_html(),
    lambda r, s, e, g, k: str(r.caar_table()),
    lambda r, s, e, g, k: str(r.aar_table()),
    lambda r, s, e, g, k: r.diagnostics(),
    lambda r, s, e, g, k: r.test(s, e, n_resamples=49, seed=1),
]
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
    except EventStudyError as refusal:
        check_message(refusal)
    finally:
        plt.close("all")


def check_order(
    rng: np.random.Generator, study: es.EventStudy, results: Any, listed: list[dict[str, Any]], window: Any
) -> None:
    """Hold a study to its answers in another order of the events, and a chunk at a time."""
    order = rng.permutation(len(listed))
    options: dict[str, Any] = {
        "model": study.spec.model, "estimation": study.spec.estimation, "window": study.spec.window,
        "min_observations": study.spec.min_observations,
    }  # fmt: skip
    again = es.EventStudy(study.spec.market, [listed[i] for i in order], **options).fit()
    chunked = es.EventStudy(study.spec.market, listed, **options).fit(chunk_size=1)
    columns = ["car", "se"]
    expected = results.car(*window)[columns].to_numpy(float)
    turned = again.car(*window)[columns]
    turned = turned.set_axis([int(order[i]) for i in turned.index], axis=0).sort_index().to_numpy(float)
    np.testing.assert_allclose(turned, expected, rtol=1e-7, atol=1e-10, err_msg="order of events")
    single = chunked.car(*window)[columns].to_numpy(float)
    np.testing.assert_allclose(single, expected, rtol=1e-7, atol=1e-10, err_msg="chunks")


def check_pool(rng: np.random.Generator, group: int) -> None:
    parts = {}
    for name in ("one", "two"):
        held = market(rng, 70, "simple")
        study = es.EventStudy(
            held, events(rng, held), estimation=(-30, -4), window=(-3, 3), min_observations=8
        )
        parts[name] = study.fit()
    pooled = es.pool(parts)
    check_frame(pooled.test(0, 1, tests=list(rng.choice(QUICK, 3)), n_resamples=49, seed=1))
    check_frame(pooled.car(0, 1))
    assert str(pooled.summary())


def check_long_run(rng: np.random.Generator, group: int) -> None:
    n = int(rng.integers(20, 60))
    close = prices(rng, n, [*FIRMS, *"FGHIJKLMNO"])
    close.index = pd.date_range("2012-01-31", periods=n, freq="ME")
    held = es.Market.from_prices(close, benchmark="INDEX", bad_prices="missing")
    listed = [
        {"security": some(rng, FIRMS), "date": held.sessions[int(rng.integers(len(held.sessions)))]}
        for _ in range(6)
    ]
    horizon = (some(rng, [0, 1]), int(rng.integers(1, 14)))
    if chance(rng, 0.5):
        found = es.BuyAndHold(
            held,
            listed,
            horizon=horizon,
            delisted=some(rng, ["reference", "cash", "truncate", "truncate", "oops"]),
        ).fit()
        check_frame(found.test(n_resamples=49, seed=1) if hasattr(found, "test") else None)
    else:
        calendar = es.CalendarTimePortfolio(
            held,
            listed,
            horizon=horizon,
            min_firms=int(rng.integers(1, 4)),
            lags=some(rng, [None, None, 0, 1, 5, 500, -1, 2.5]),
        ).fit()
        check_frame(calendar.alpha(level=some(rng, LEVELS)))


def bars_frame(rng: np.random.Generator, n: int) -> pd.DataFrame:
    close = prices(rng, n)
    volume = pd.DataFrame(rng.integers(0, 1000, close.shape) * 1.0, close.index, close.columns)
    return pd.concat(
        {"close": close, "open": close * 0.999, "high": close * 1.01, "low": close * 0.98, "volume": volume},
        axis=1,
    )


def check_volume(rng: np.random.Generator, group: int) -> None:
    frame = bars_frame(rng, int(rng.integers(50, 90)))
    if chance(rng, 0.5):
        held = es.volume_market(
            frame,
            benchmark=some(rng, ["INDEX"] * 5 + [None]),
            zero=some(rng, ["constant", "missing"]),
        )
    else:
        held = es.range_market(
            frame, benchmark="INDEX", measure=some(rng, ["parkinson", "garman_klass", "rogers_satchell"])
        )
    study = es.EventStudy(held, events(rng, held), estimation=(-30, -4), window=(-2, 2), min_observations=8)
    results = study.fit()
    check_frame(results.car(0, 1))
    check_frame(results.test(0, 1, tests=list(rng.choice(QUICK, 3)), n_resamples=49, seed=1))
    assert str(results.summary())


def check_volatility(rng: np.random.Generator, group: int) -> None:
    held = market(rng, 110)
    study = es.AbnormalVolatility(
        held, events(rng, held, clustered=True), estimation=(-70, -4), window=(-3, 3), min_observations=60
    )
    found = study.fit()
    check_frame(found.test(0, 1))
    assert str(found)


def check_bars(rng: np.random.Generator, group: int) -> None:
    n = int(rng.integers(4, 8))
    opening = pd.Timestamp("2019-05-20 01:30")
    minutes = [
        opening + pd.Timedelta(days=day, minutes=int(minute))
        for day in range(n) for minute in [*range(0, 120, 10), *range(210, 330, 10)]
    ]  # fmt: skip
    stamps = pd.DatetimeIndex(minutes, tz="UTC")
    stamps = stamps[stamps.weekday < 5]
    rng_returns = 0.002 * rng.standard_normal((len(stamps), 3))
    close = pd.DataFrame(50 * np.exp(rng_returns.cumsum(axis=0)), stamps, ["A", "B", "INDEX"])
    if chance(rng, 0.5):
        close.iloc[int(rng.integers(len(close))) :, 0] = np.nan
    held = es.Market.from_prices(
        close,
        benchmark="INDEX",
        calendar=some(rng, ["XSHG"] * 8 + ["XNYS", None]),
        freq=some(rng, ["10min", "10min", "10min", "30min", "1min", "7min"]),
    )
    at = stamps[int(rng.integers(len(stamps)))]
    listed = [{"security": some(rng, ["A", "B"]), "announced_at": f"{at:%Y-%m-%d %H:%M}Z"}]
    results = es.EventStudy(held, listed, estimation=(-40, -7), window=(-6, 6), min_observations=10).fit()
    check_frame(results.car(0, 2))
    check_frame(results.test(0, 2, tests=list(rng.choice(QUICK, 3)), n_resamples=49, seed=1))
    if chance(rng, 0.2):
        draw(rng, results)


def check_lab(rng: np.random.Generator, group: int) -> None:
    kind = int(rng.integers(4))
    world, truth = lab.simulate_market(
        int(rng.integers(2, 8)),
        int(rng.integers(80, 140)),
        n_events=int(rng.integers(1, 4)),
        seed=int(rng.integers(99)),
        correlation=some(rng, [0.0, 0.3]),
        thin=some(rng, [0.0, 0.1]),
    )
    short: dict[str, Any] = {"estimation": (-40, -6), "min_observations": 10}
    if kind == 0:
        found = lab.calibrate(
            world, 0, 1, n_events=int(rng.integers(1, 5)), n_samples=8, tests=list(rng.choice(QUICK, 2)),
            shift=[0.0], variance=[1.0], seed=1, **short,
        )  # fmt: skip
        check_frame(found.frame)
        found.plot.size()
        plt.close("all")
        return
    study = es.EventStudy(world, truth.events, window=(-2, 2), **short)
    results = study.fit()
    if kind == 1:
        check_frame(lab.power(results, 0, 1, effects=[0.0, 0.02]).frame)
    elif kind == 2:
        check_frame(lab.placebo(results, 0, 1, n_firms=int(rng.integers(0, 3)), seed=1).frame)
    else:
        check_frame(
            lab.specification_curve(
                world, truth.events, windows=[(0, 1)], estimations=[(-40, -6)], n_placebo=2
            ).frame
        )


WORDS = ("x", "", "a&b", "<b>", "$x_1$", "100%", "\\alpha", "=1+1", "é", "\x00", "￾", "\n", "|", "x" * 300)


def check_table(rng: np.random.Generator, group: int) -> None:
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
    for render in (str, Table.to_markdown, Table.to_latex, Table.to_html):
        assert isinstance(render(table), str)
    if chance(rng, 0.05):
        with tempfile.TemporaryDirectory() as folder:
            table.to_excel(Path(folder) / "t.xlsx")


#: Cases of one group are of one kind, and share a study.
GROUP = 20
KINDS: list[tuple[Callable[[np.random.Generator, int], None], float]] = [
    (check_study, 0.73),
    (check_table, 0.12),
    (check_long_run, 0.05),
    (check_volume, 0.04),
    (check_pool, 0.015),
    (check_volatility, 0.015),
    (check_bars, 0.015),
    (check_lab, 0.015),
]


def run(seed: int) -> str:
    """Run one case; returns ``done``, or ``refused`` where the library would not."""
    group = seed // GROUP
    shares = np.cumsum([share for _, share in KINDS])
    place = np.random.default_rng([group, 19]).random() * shares[-1]
    case = KINDS[int(np.searchsorted(shares, place))][0]
    rng = np.random.default_rng([seed, 2019])
    state = _global_state()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            case(rng, group)
            outcome = "done"
        except EventStudyError as refusal:
            check_message(refusal)
            outcome = "refused"
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
    """Deprecations inside of exchange_calendars, as in pyproject.toml."""
    text = str(one.message)
    return "drops timezone" in text or "DatetimeIndex.weekday" in text or "'generic' unit" in text
