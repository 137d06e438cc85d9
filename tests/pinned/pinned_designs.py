"""Small designs at the edges, and all that a study says of each: the names, the data and the tables.

A design is data: changes of a small market, events, a model, windows and options. `outcome` fits it and
returns its tables; a study that is refused has the error as its table.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.errors import EventStudyError
from eventstudy.inference import TESTS, minimum_detectable_effect, power_normal, power_t

DAYS = pd.bdate_range("2019-01-01", periods=130).as_unit("ns")
WIDE = [f"S{i}" for i in range(60)]
NAMES = WIDE[:10]
FACTORS = ["mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf"]
WHOLE = slice(None)
#: Tests that draw nothing and fit no model per day, run on every design.
LEFT_OUT = {
    "filtered_sq", "filtered_t", "filtered_bmp", "filtered_rank", "nguyen_wolf", "garch_t", "time_of_day_t",
    "time_of_day_rank",
}  # fmt: skip
QUICK = [key for key in TESTS if key not in LEFT_OUT]

ALL_SIDES = ("two-sided", "less", "greater")

Event = tuple[Any, ...] | Mapping[str, Any]


@dataclass(frozen=True)
class Design:
    """One study.

    Attributes
    ----------
    name : str
    events : sequence
        Pairs of security and row of the market, or records of `Events`.
    changes : sequence of (columns, rows, value)
        What is put into the returns.
    model : NormalReturnModel
    estimation, window, options
        Of `EventStudy`; `market` are options of `Market`, `asked` of `Events`.
    windows : sequence of (int, int)
        Tested windows.
    sides : sequence of str
        Alternatives of the tests.
    tests : sequence of str
        Significance tests, all that are quick by default.
    more : tuple of str
        Further tables, names of `MORE`.
    digits : int
        Digits to which numbers are the same on any machine: few where a model is fitted step by step.
    brief : bool
        Whether only tests and further tables are kept.
    securities : int
        Securities of the market.
    """

    name: str
    events: Sequence[Event]
    changes: Sequence[tuple[Any, Any, Any]] = ()
    model: Any = None
    estimation: Any = (-45, -11)
    window: Any = (-5, 5)
    options: Mapping[str, Any] = field(default_factory=dict)
    market: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    windows: Sequence[tuple[int, int]] = ((0, 1), (-5, 5))
    sides: Sequence[str] = ("two-sided",)
    tests: Sequence[str] = tuple(QUICK)
    seed: int = 0
    more: Sequence[str] = ()
    digits: int = 9
    brief: bool = False
    securities: int = 10


def draw(seed: int, step: float = 1e-6, n: int = 10) -> pd.DataFrame:
    """Returns of securities and two indices with a shock in common, in multiples of `step`."""
    rng = np.random.default_rng(seed)
    index, shock = 0.01 * rng.standard_normal((2, len(DAYS), 1))
    slopes, scales = 0.6 + 0.8 * rng.random(n), 0.01 + 0.01 * rng.random(n)
    noise = 0.5 * shock / 0.01 + rng.standard_t(5, (len(DAYS), n)).clip(-6, 6)
    other = 0.6 * index + 0.008 * rng.standard_normal((len(DAYS), 1))
    values = np.hstack([0.0002 + slopes * index + scales * noise, index, other])
    return pd.DataFrame(np.round(values / step) * step, DAYS, [*WIDE[:n], "INDEX", "OTHER"])


def factors(seed: int) -> pd.DataFrame:
    """Draw daily factors."""
    rng = np.random.default_rng(1000 + seed)
    frame = pd.DataFrame(np.round(0.01 * rng.standard_normal((len(DAYS), 7)), 6), DAYS, FACTORS)
    frame["rf"] = np.round(1e-4 * (1 + rng.random(len(DAYS))), 7)
    return frame


@cache
def bars(thin: float) -> pd.DataFrame:
    """Prices of half-hours of four securities on 40 days."""
    return es.lab.simulate_bars(4, 40, freq="30min", thin=thin, seed=1).prices


def market(design: Design) -> es.Market:
    """Make the market of a design."""
    options = dict(design.market)
    if "thin" in options:
        return es.Market.from_prices(bars(options["thin"]), benchmark="market", calendar="XSHG", freq="30min")
    frame = draw(design.seed, options.pop("step", 1e-6), design.securities)
    for columns, rows, value in design.changes:
        frame.loc[frame.index[rows], columns] = value
    scattered = options.pop("scattered", 0.0)
    if scattered:
        hit = np.random.default_rng(7).random((len(DAYS), 10)) < scattered
        frame[NAMES] = frame[NAMES].mask(hit)
    frame = frame.iloc[options.pop("rows", WHOLE)]
    benchmark = options.pop("benchmark", "INDEX")
    sets = options.pop("sets", None)
    if sets is not None:
        options["factors"] = factors(1) if sets == 1 else {"one": factors(1), "two": factors(2)}
    if options.pop("prices", False):
        frame = (100 * (1 + frame).cumprod()).round(2)
        return es.Market.from_prices(frame, benchmark=benchmark, **options)
    return es.Market(frame, benchmark=benchmark, **({"gaps": "lumped"} | options))


def study(design: Design) -> es.EventStudy:
    """Make the study of a design."""
    made = market(design)
    rows = [
        dict(each) if isinstance(each, Mapping) else {"security": each[0], "date": DAYS[each[1]]}
        for each in design.events
    ]
    return es.EventStudy(
        made,
        es.Events(rows, **design.asked),
        design.model,
        design.estimation,
        design.window,
        **design.options,
    )


# Tables


def said(caught: Sequence[warnings.WarningMessage]) -> pd.DataFrame:
    """Warnings of the library, in order."""
    own = [each for each in caught if issubclass(each.category, es.errors.EventStudyWarning)]
    return pd.DataFrame(
        {
            "category": [each.category.__name__ for each in own],
            "message": [str(each.message) for each in own],
        }
    )


def refused(problem: EventStudyError) -> dict[str, pd.DataFrame]:
    """The error in place of results, and the reason of each event."""
    tables = {"error": pd.DataFrame({"kind": [type(problem).__name__], "message": [str(problem)]})}
    excluded = getattr(problem, "excluded", None)
    return tables if excluded is None else tables | {"excluded": excluded}


def arrays(results: es.EventStudyResults) -> pd.DataFrame:
    """One row per event: what the arrays of the fit hold, days weighed by their number."""
    found = results.fitted.abnormal
    past, event = found.past, found.event_windows
    residuals, leverage = past.residuals(), past.leverage()
    count = (~np.isnan(residuals)).sum(axis=1)
    days = np.arange(1, residuals.shape[1] + 1)
    weighed = np.where(np.isnan(residuals), 0.0, residuals)
    return pd.DataFrame(
        {
            "residuals": count,
            "squares": (weighed**2).sum(axis=1),
            "weighed": weighed @ days / len(days),
            "leverage": np.nansum(leverage, axis=1),
            "span": found.span @ np.arange(1, found.span.shape[1] + 1),
            "cov": found.param_cov.sum(axis=(1, 2)) if found.param_cov.ndim == 3 else np.nan,
            "noise": np.nansum(event.noise() * np.arange(1, found.span.shape[1] + 1), axis=1),
            "design": np.nansum(event.design(), axis=2) @ np.arange(1, found.span.shape[1] + 1),
            "rows": (~np.isnan(event.design()).any(axis=2)).sum(axis=1),
            "days": (~np.isnan(found.ar)).sum(axis=1),
            "abnormal": np.nansum(found.ar * np.arange(1, found.span.shape[1] + 1), axis=1),
            "actual": np.nansum(found.actual * np.arange(1, found.span.shape[1] + 1), axis=1),
            "last": dates(past.dates()[:, -1]),
            "event": dates(event.dates()[:, 0]),
        }
    )


def dates(days: np.ndarray) -> list[str]:
    """Days as text, the same in all units."""
    return [str(pd.Timestamp(day)) for day in days]


def tested(results: es.EventStudyResults, design: Design) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tests of each window and side."""
    for window in design.windows:
        for side in design.sides:
            table = results.test(window, tests=list(design.tests), n_resamples=99, seed=3, alternative=side)
            both = ["statistic", "dof", "estimate", "n_events"] if side == design.sides[0] else []
            yield f"tests {window} {side}", table[[*both, "p_value", "note"]]


def attributes(made: Any, names: Sequence[str]) -> pd.DataFrame:
    """One row of some attributes."""
    return pd.DataFrame({name: [getattr(made, name)] for name in names})


def powers() -> pd.DataFrame:
    """Power and least effects by degrees of freedom, size and alternative."""
    rows = []
    for dof in (1.0, 2.0, 3.0, 9.0, 30.0, 1000.0, 1e7):
        for alpha in (0.01, 0.05, 0.2):
            for side in ALL_SIDES:
                asked = {"alpha": alpha, "alternative": side}
                rows.append(
                    {
                        "t": [power_t(effect, 0.01, dof, **asked) for effect in (-0.03, 0.0, 0.02)],
                        "normal": power_normal(0.02, 0.05, int(dof % 1000) + 2, **asked),
                        "least": minimum_detectable_effect(0.01, dof, **asked),
                        "least of half": minimum_detectable_effect(0.01, dof, power=0.5, **asked),
                    }
                )
    frame = pd.DataFrame(rows)
    return frame.drop(columns="t").join(pd.DataFrame(frame["t"].tolist()).add_prefix("t "))


MORE = {
    "powers": lambda r: powers(),
    "recommended": lambda r: r.recommended(),
    "clustering": lambda r: attributes(
        r.clustering(),
        ["n_events", "n_dates", "n_overlapping_pairs", "mean_correlation", "effective_n"],
    ),
    "joint": lambda r: attributes(
        r.joint_test(n_resamples=99),
        [
            "statistic", "dof", "p_value", "mean_effect", "mean_statistic", "mean_dof", "mean_p_value",
            "p_resampled", "mean_p_resampled", "n_events", "n_days", "note",
        ],
    ),
    "intervals": lambda r: r.intervals(n_resamples=99),
    "intervals less": lambda r: r.intervals(n_resamples=99, alternative="less", level=0.9),
    "mean_intervals": lambda r: r.mean_intervals(n_resamples=99),
    "mean_intervals less": lambda r: r.mean_intervals(n_resamples=99, alternative="less", level=0.9),
    "by_event": lambda r: r.by_event(n_resamples=99),
    "by_event holm": lambda r: r.by_event(adjust="holm", alternative="greater"),
    "windows": lambda r: r.window_tests([(0, 0), (-1, 1), (0, 4)], n_resamples=99),
    "windows bh": lambda r: r.window_tests([(0, 0), (-1, 1), (0, 4)], adjust="bh", n_resamples=99),
    "groups": lambda r: r.group_tests("group", n_resamples=99),
    "variances": lambda r: r.variance_tests("group"),
    "differences": lambda r: r.test((0, 1), by="group", tests=list(FEW), n_resamples=99, seed=3),
    "shrunk": lambda r: r.shrunk(),
    "aar": lambda r: r.aar().drop(columns=["ci_low", "ci_high", "test"]),
    "caar": lambda r: r.caar(),
    "stacked": lambda r: r.stacked(),
    "dates": lambda r: r.date_effects(),
    "diagnostics": lambda r: r.diagnostics(),
    "decomposition": lambda r: r.decomposition(),
    "overlaps": lambda r: r.overlaps(),
    "halts": lambda r: r.halts,
    "wild mammen": lambda r: r.test(
        (0, 1), tests=["wild_bootstrap"], wild_weights="mammen", n_resamples=99, seed=3
    ),
    "wild events": lambda r: r.test(
        (0, 1), tests=["wild_bootstrap"], wild_by="event", n_resamples=99, seed=3
    ),
    "peers": lambda r: r.peers(),
}  # fmt: skip


def outcome(design: Design) -> dict[str, pd.DataFrame]:
    """All that a study says of a design, by name of the table."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("always", es.errors.EventStudyWarning)
        try:
            results = study(design).fit()
        except EventStudyError as problem:
            return refused(problem)
        tables = {"warnings": said(caught)}
        tables["excluded"] = results.excluded
        for name in design.more:
            try:
                tables[name] = MORE[name](results)
            except EventStudyError as problem:
                tables[name] = refused(problem)["error"]
        tables |= dict(tested(results, design))
        if design.brief:
            return tables
        tables["timeline"] = results.timeline.drop(columns=["announced", "label", "security"])
        tables["parameters"] = results.parameters
        tables["arrays"] = arrays(results)
        for window in design.windows:
            tables[f"car {window}"] = results.car(window)[
                ["car", "se", "dof", "p_value", "n_days", "uncovered"]
            ]
    return tables


# Designs


ONE = [("S0", 60)]
TWO = [("S0", 60), ("S1", 60)]
COMMON = [(name, 60) for name in NAMES[:6]]
APART = [("S0", 50), ("S1", 62), ("S2", 74), ("S3", 86), ("S4", 98), ("S5", 110)]
MIXED = [("S0", 60), ("S1", 60), ("S2", 63), ("S3", 80), ("S4", 80), ("S5", 110)]
AGAIN = [("S0", 55), ("S0", 60), ("S0", 100), ("S1", 60), ("S1", 70), ("S2", 100)]
LAYOUTS = {"one": ONE, "two": TWO, "common": COMMON, "apart": APART, "mixed": MIXED, "again": AGAIN}
ORDERS = (
    "cross_sectional",
    "sign",
    "wilcoxon",
    "bootstrap",
    "wild_bootstrap",
    "rank",
    "ibragimov_muller",
    "jackknife",
)
FEW = ("cross_sectional", "bmp", "adjusted_bmp", "rank", "grank_t", "generalized_sign", "t", "sq")
TABLES = ("recommended", "clustering", "shrunk", "aar", "caar", "overlaps")
SPLIT = [
    {"security": name, "date": DAYS[row], "group": group}
    for name, row, group in zip(NAMES, [60, 60, 60, 60, 63, 63, 80, 80, 80, 110], "ababbabbba", strict=True)
]


def grouped(rows: Sequence[int], groups: str) -> list[dict[str, Any]]:
    """Events with a column of groups."""
    return [
        {"security": name, "date": DAYS[row], "group": group}
        for name, row, group in zip(NAMES, rows, groups, strict=False)
    ]


def own(*windows: tuple[int, int, int, int], rows: Sequence[int] = (60, 62, 80, 100)) -> list[dict[str, Any]]:
    """Events with windows of their own."""
    names = ["estimation_start", "estimation_end", "window_start", "window_end"]
    return [
        {"security": name, "date": DAYS[row]} | dict(zip(names, each, strict=True))
        for name, row, each in zip(NAMES, rows, windows, strict=False)
    ]


def layouts() -> Iterator[Design]:
    """Events on dates that are shared, distinct or both, one to six of them, with nothing missing."""
    for name, events in LAYOUTS.items():
        yield Design(
            f"layout {name}", events, sides=ALL_SIDES, more=TABLES, windows=((0, 0), (0, 1), (-5, 5))
        )
        yield Design(f"layout {name} scattered", events, market={"scattered": 0.08}, seed=1, more=TABLES)
    for n in range(1, 7):
        yield Design(f"number common {n}", COMMON[:n], seed=2, sides=("less",))
        yield Design(f"number apart {n}", APART[:n], seed=3, sides=("greater",))
    for window in ((-5, -1), (2, 5), (-1, 1), (5, 5), (-5, -5), (1, 5)):
        yield Design(f"window {window}", MIXED, seed=4, windows=(window,), changes=[("S1", [61, 62], np.nan)])
    yield Design("window single day", COMMON, window=(0, 0), windows=((0, 0),), more=("joint", "aar"))
    yield Design("window two days", COMMON, window=(0, 1), windows=((0, 1),), more=("joint", "aar"))
    yield Design("window wide", COMMON[:3], window=(-10, 20), windows=((-10, 20), (15, 20)), more=("joint",))


def estimation_edges() -> Iterator[Design]:
    """One estimation return less than enough, enough, and one more; at the start of the data too."""
    for missing in (4, 5, 6):
        yield Design(
            f"estimation {35 - missing} of 30", [("S0", 60), ("S1", 60)],
            [("S0", slice(20, 20 + missing), np.nan)], tests=FEW,
        )  # fmt: skip
    for row in (40, 41, 44, 45, 46):
        yield Design(f"estimation from row {row - 45}", [("S0", row), ("S1", 70)], tests=FEW)
    for row in (10, 11, 12):
        yield Design(f"estimation before the data {row}", [("S0", row), ("S1", 70)], tests=FEW)
    for length in (30, 31):
        yield Design(f"estimation length {length}", MIXED, estimation=(-11 - length + 1, -11))
    for least in (3, 4, 5):
        yield Design(
            f"estimation least {least}", MIXED, estimation=(-14, -11), options={"min_observations": least}
        )
    for length in (5, 6, 9, 10, 11, 12):
        yield Design(
            f"estimation short {length}", MIXED, estimation=(-11 - length + 1, -11), seed=5,
            options={"min_observations": 4}, more=("clustering", "recommended", "shrunk"),
        )  # fmt: skip
    yield Design(
        "estimation short missing", MIXED, [("S0", slice(40, 43), np.nan), ("S2", slice(45, 50), np.nan)],
        estimation=(-22, -11), options={"min_observations": 5}, seed=6, more=("clustering", "recommended"),
    )  # fmt: skip
    yield Design("estimation adjacent", MIXED, estimation=(-45, -6), more=("clustering",))
    yield Design("estimation after", MIXED[:4], estimation=(6, 45), more=("clustering", "recommended"))
    yield Design("estimation after, at the end", [("S0", 84), ("S1", 85), ("S2", 60)], estimation=(6, 45))
    yield Design("estimation both sides", MIXED[:4], estimation=[(-30, -6), (6, 25)], more=("clustering",))
    yield Design(
        "estimation dates", COMMON, estimation=("2019-01-10", "2019-03-08"),
        window=("2019-03-20", "2019-03-29"), windows=((0, 0), (0, 1)),
    )  # fmt: skip
    yield Design("estimation none", MIXED, model=es.MarketAdjusted(), estimation=None, tests=FEW)
    yield Design("estimation none raw", MIXED, model=es.RawReturn(), estimation=None, tests=FEW)


def missing() -> Iterator[Design]:
    """Missing returns: single ones, blocks, halts over day 0 and to the end of the data."""
    for gaps in ("lumped", "single"):
        for name, rows in {
            "day 0": [60], "before": [59], "after": [61], "halt": slice(58, 62), "block": slice(60, 65),
            "beyond": slice(60, 67), "long": slice(60, 90), "estimation": slice(30, 34),
            "start": slice(0, 18), "last days": slice(64, 66), "window": slice(55, 66),
        }.items():  # fmt: skip
            yield Design(
                f"missing {name} {gaps}", [*TWO, ("S2", 63)], [("S0", rows, np.nan)], market={"gaps": gaps},
                tests=FEW, more=("halts",), seed=8,
            )  # fmt: skip
    for how in ("warn", "partial", "exclude"):
        yield Design(
            f"incomplete {how}", [*COMMON[:4], ("S6", 127), ("S7", 124), ("S8", 125)],
            [("S0", slice(63, 130), np.nan), ("S1", slice(61, 62), np.nan)], options={"incomplete": how},
            seed=9, more=("aar", "caar", "shrunk"),
        )  # fmt: skip
    yield Design("incomplete raise", [("S0", 127)], options={"incomplete": "raise"})
    for row in (123, 124, 125, 128, 129):
        yield Design(f"end of data {row}", [("S0", row), ("S1", 90)], tests=FEW)
    for rows in (slice(0, 55), slice(0, 57), slice(0, 60), slice(0, 61), slice(0, 64)):
        yield Design(
            f"listed at {rows.stop}", [("S0", 60), ("S1", 60)], [("S0", rows, np.nan)],
            estimation=(8, 45), tests=FEW,
        )  # fmt: skip
    yield Design("missing benchmark", TWO, [("INDEX", [60], np.nan)], tests=FEW)
    yield Design("missing benchmark before", TWO, [("INDEX", slice(25, 29), np.nan)], tests=FEW)
    yield Design("missing half", COMMON, market={"scattered": 0.3}, seed=11, options={"min_observations": 10})
    yield Design(
        "missing days of all", COMMON, [(NAMES, [62, 63], np.nan)], seed=12, more=("aar", "caar", "halts")
    )
    yield Design(
        "missing alone on a day", COMMON, [(NAMES[1:6], [62], np.nan)], seed=12, more=("aar", "caar", "joint")
    )
    yield Design(
        "missing a date each", MIXED, [(["S0", "S1"], [61], np.nan), ("S5", [110], np.nan)], seed=13,
        sides=ALL_SIDES, more=("aar", "shrunk", "clustering"),
    )  # fmt: skip
    yield Design("skipped events", AGAIN, options={"exclude_events": True}, more=("clustering", "overlaps"))
    yield Design(
        "skipped events and dates", AGAIN, [("S0", slice(46, 48), np.nan)],
        options={"exclude_events": True, "exclude_dates": [DAYS[30], DAYS[49]]}, more=("dates", "clustering"),
    )  # fmt: skip
    yield Design(
        "skipped dates", MIXED, [("S0", slice(28, 31), np.nan)], more=("dates",), tests=FEW,
        options={"exclude_dates": {"S0": [DAYS[31]], "S3": [DAYS[40], "2019-03-02"]}},
        model=es.MarketModel(missing="trade_to_trade"),
    )  # fmt: skip


def degenerate() -> Iterator[Design]:
    """Ties, no variance, equal returns."""
    dyadic = {"step": 2.0**-7}
    for name in ("mixed", "apart"):
        yield Design(
            f"ties {name}", LAYOUTS[name], market=dyadic, model=es.ConstantMean(), estimation=(-41, -11),
            seed=14, options={"min_observations": 16}, sides=ALL_SIDES, more=("recommended",),
        )  # fmt: skip
    for name in ("common", "mixed", "apart"):
        yield Design(
            f"ties raw {name}", LAYOUTS[name], market=dyadic, model=es.RawReturn(), estimation=(-42, -11),
            seed=15, sides=ALL_SIDES,
        )  # fmt: skip
    flat = [("S0", WHOLE, 0.0)]
    for model in (es.ConstantMean(), es.RawReturn(), es.MarketModel()):
        yield Design(f"flat one {model!r}", ONE, flat, model)
        yield Design(f"flat of two {model!r}", TWO, flat, model)
        yield Design(
            f"flat of six {model!r}", MIXED, flat, model, more=("recommended", "shrunk", "clustering")
        )
        yield Design(
            f"flat but event {model!r}",
            COMMON,
            [("S0", slice(0, 55), 0.0), ("S1", slice(56, 66), 0.0)],
            model,
        )
    for value in (0.0, 2.0**-8):
        yield Design(
            f"equal returns {value}", COMMON, [(NAMES[:6], slice(55, 66), value)], es.RawReturn(),
            market=dyadic, seed=16, sides=ALL_SIDES,
        )  # fmt: skip
    for name in ("one", "common", "apart"):
        yield Design(
            f"ties permuted {name}", LAYOUTS[name], model=es.RawReturn(), market={"step": 2.0**-5}, seed=17,
            estimation=(-22, -11), options={"min_observations": 8},
            tests=("nguyen_wolf", "permutation", "rank"),
            sides=ALL_SIDES,
        )  # fmt: skip
    mirrored = [("S0", [60], 0.03125), ("S1", [60], 0.0625), ("S2", [80], 0.0625), ("S3", [80], 0.03125)]
    yield Design(
        "equal means of dates", [("S0", 60), ("S1", 60), ("S2", 80), ("S3", 80)], mirrored, es.RawReturn(),
        windows=((0, 0),), seed=17, more=("wild mammen", "wild events"),
    )  # fmt: skip
    yield Design("equal events", COMMON[:4], [(NAMES[1:4], WHOLE, 0.0)], es.RawReturn(), market=dyadic)
    same = draw(17)["S0"].to_numpy()
    yield Design("twins", TWO, [("S0", WHOLE, same), ("S1", WHOLE, same)], tests=FEW, seed=17)
    yield Design("positive all", COMMON, [(NAMES, slice(60, 62), 0.05)], seed=18, sides=ALL_SIDES)
    yield Design("negative all", COMMON, [(NAMES, slice(60, 62), -0.05)], seed=18, sides=ALL_SIDES)
    yield Design("rise of variance", COMMON, [(NAMES[:3], [60], 0.2), (NAMES[3:6], [60], -0.2)], seed=19)
    yield Design("an outlier", MIXED, [("S2", [63], 0.6)], seed=20, more=("shrunk", "recommended", "caar"))
    yield Design("idle index", TWO, [("INDEX", slice(20, 45), 0.0)], tests=FEW, seed=21)


def placements() -> Iterator[Design]:
    """Days without a session, events outside the data, unknown securities, twice the same event."""
    saturday, sunday = "2019-03-30", "2019-03-31"
    for how in ("next", "previous", "skip", "raise"):
        yield Design(
            f"weekend {how}", [{"security": "S0", "date": saturday}, ("S1", 60), ("S2", 64)],
            asked={"non_session": how}, tests=FEW,
        )  # fmt: skip
    yield Design(
        "outside", [
            {"security": "S0", "date": "2018-12-31"}, {"security": "S1", "date": "2019-07-02"},
            {"security": "S2", "date": DAYS[-1]}, {"security": "S3", "date": DAYS[0]}, ("S4", 60),
            {"security": "S5", "date": "2017-01-01"}, {"security": "S6", "date": "2031-01-01"},
        ], tests=FEW,
    )  # fmt: skip
    for name in ("s0", "S77", "Huawei", "TikTok", "^GSPC", "S0.US", "0.1"):
        yield Design(f"unknown {name}", [{"security": name, "date": DAYS[60]}, ("S1", 60)], tests=FEW)
    yield Design(
        "unknown but named", [{"security": "Firm", "date": DAYS[60], "ticker": "S3"}, ("S1", 60)], tests=FEW
    )
    yield Design("unknown only", [{"security": "S99", "date": DAYS[60]}])
    yield Design("labels", [{"security": "S0", "date": DAYS[60], "label": "ban"}, ("S1", 61)], tests=FEW)
    times = {
        "before open": "2019-03-27 08:00+08:00", "open": "2019-03-27 09:30+08:00",
        "midday": "2019-03-27 12:00+08:00", "at close": "2019-03-27 15:00+08:00",
        "after close": "2019-03-27 15:01+08:00", "friday night": "2019-03-29 20:00+08:00",
        "saturday": "2019-03-30 10:00+08:00", "holiday": "2019-05-01 10:00+08:00",
        "new york": "2019-03-27 03:00-04:00", "last": "2019-06-28 15:00+08:00",
        "beyond": "2019-07-01 16:00+08:00", "early": "2019-01-01 01:00+08:00",
        "far": "2018-06-01 10:00+08:00",
    }  # fmt: skip
    sessions = {"calendar": "XSHG", "sessions": "data"}
    for name, moment in times.items():
        yield Design(
            f"announced {name}", [{"security": "S0", "announced_at": moment}, ("S1", 60)],
            market=sessions, tests=FEW,
        )  # fmt: skip
    spans = {
        "one day": ("2019-03-27 09:00+08:00", "2019-03-27 14:00+08:00"),
        "over close": ("2019-03-27 14:00+08:00", "2019-03-27 16:00+08:00"),
        "two days": ("2019-03-26 14:00+08:00", "2019-03-28 10:00+08:00"),
        "weekend": ("2019-03-29 16:00+08:00", "2019-03-31 10:00+08:00"),
        "end": ("2019-07-01 10:00+08:00", "2019-07-01 18:00+08:00"),
        "start": ("2018-12-31 10:00+08:00", "2019-01-02 10:00+08:00"),
    }
    for how in ("exclude", "first", "last"):
        yield Design(
            f"announced between {how}",
            [
                {"security": f"S{i}", "announced_after": after, "announced_before": before}
                for i, (after, before) in enumerate(spans.values())
            ] + [{"security": "S7", "announced_at": sunday + " 10:00+08:00"}, ("S8", 60), ("S9", 129)],
            market=sessions, asked={"ambiguous": how}, tests=FEW,
        )  # fmt: skip
    many = [{"security": f"S{i % 10}", "date": DAYS[0] + pd.Timedelta(days=i)} for i in range(-5, 190, 3)]
    yield Design("many dates", many, tests=("t", "bmp", "rank"), windows=((0, 1),), seed=22)
    yield Design(
        "many dates, not weekends", many, tests=("bmp",), windows=((0, 1),), asked={"non_session": "skip"}
    )
    yield Design(
        "many dates before", many, tests=("bmp",), windows=((0, 1),), asked={"non_session": "previous"}
    )


def own_windows() -> Iterator[Design]:
    """Windows of each event's own, as sessions and as dates."""
    asked = own((-45, -11, -5, 5), (-50, -6, 0, 3), (-40, -9, -2, 8), (-60, -30, 0, 0))
    yield Design("own sessions", asked, window=(-5, 8), windows=((0, 0), (0, 1)), more=("aar", "clustering"))
    yield Design(
        "own sessions missing", asked, [("S0", slice(58, 63), np.nan), ("S2", slice(45, 49), np.nan)],
        window=(-5, 8), windows=((0, 0), (0, 1)), more=("aar", "halts"), market={"scattered": 0.04},
    )  # fmt: skip
    for n in (1, 3):
        yield Design(
            f"own filtered {n}", asked[:n], window=(-5, 8), windows=((0, 0), (0, 1)), brief=True,
            tests=(
                "filtered_sq", "filtered_t", "filtered_bmp", "filtered_rank", "sq", "conformal",
                "bootstrap_t", "bmp", "jaffe",
            ),
        )  # fmt: skip
    dated = [dict(each) for each in asked]
    for each, row in zip(dated, (60, 62, 80, 100), strict=True):
        for name in ("estimation_start", "estimation_end", "window_start", "window_end"):
            each[name] = f"{DAYS[row + each[name]]:%Y-%m-%d}"
    yield Design("own dates", dated, window=(-5, 8), windows=((0, 0),), tests=FEW)
    yield Design(
        "own after", own((-45, -11, -5, 5), (6, 50, -5, 5), (-45, -11, 0, 1)), windows=((0, 0),), tests=FEW
    )
    yield Design(
        "own both sides", [
            each | {"estimation_start_2": start, "estimation_end_2": stop}
            for each, start, stop in zip(
                own((-30, -11, -5, 5), (-40, -11, -5, 5)), (6, 6), (25, 30), strict=True
            )
        ], windows=((0, 0), (0, 1)), tests=FEW,
    )  # fmt: skip
    for start in (-40, -39):
        yield Design(
            f"own short {start}", own((start, -11, 0, 1), (-45, -11, 0, 1)), windows=((0, 1),), tests=FEW
        )
    for stop in (-6, -5):
        yield Design(
            f"own overlap {stop}", own((-45, stop, -5, 1), (-45, -11, 0, 1)), windows=((0, 1),), tests=FEW
        )
    for first, last in ((0, 1), (1, 2), (-2, -1), (0, -1), (-1, 0)):
        yield Design(
            f"own window {first} {last}",
            own((-45, -11, first, last), (-45, -11, 0, 1)),
            windows=((0, 0),),
            tests=FEW,
        )
    for first, last in ((0, 1), (-2, 4)):
        for model in (es.MarketAdjusted(), es.RawReturn()):
            unestimated = [
                {"security": name, "date": DAYS[row], "window_start": first, "window_end": last + i}
                for i, (name, row) in enumerate((("S0", 60), ("S1", 80), ("S2", 128)))
            ]
            yield Design(
                f"own without estimation {first} {model!r}", unestimated, model=model, estimation=None,
                windows=((0, 1),), tests=FEW,
            )  # fmt: skip
    for start_2 in (-20, -19, -18, 2, 6):
        both = own((-45, -20, 0, 1), (-45, -11, 0, 1))
        both[0] |= {"estimation_start_2": start_2, "estimation_end_2": -11 if start_2 < 0 else 30}
        yield Design(f"own second from {start_2}", both, windows=((0, 1),), tests=FEW)
    yield Design("own before the data", own((-61, -11, 0, 1), (-62, -11, 0, 1)), windows=((0, 1),), tests=FEW)
    yield Design(
        "own beyond the data",
        own((-45, -11, 0, 5), (-45, -11, 0, 6), rows=(124, 124)),
        windows=((0, 1),),
        tests=FEW,
    )


def several_series() -> Iterator[Design]:
    """Benchmarks and sets of factors that events or securities name."""
    named = [
        {"security": name, "date": DAYS[row], "benchmark": benchmark}
        for name, row, benchmark in zip(
            NAMES[:6], (60, 60, 60, 63, 80, 110), ["OTHER", "", "INDEX", "OTHER", "", "S9"], strict=True
        )
    ]  # fmt: skip
    gone = [("S0", slice(58, 61), np.nan), ("OTHER", [62], np.nan)]
    yield Design("benchmarks of events", named, more=("clustering",))
    yield Design("benchmarks of events, missing", named, gone)
    yield Design(
        "benchmarks of events, trade to trade", named, gone, es.MarketModel(missing="trade_to_trade")
    )
    yield Design(
        "benchmarks of securities", MIXED, gone,
        market={"benchmark": {name: ("INDEX", "OTHER")[i % 2] for i, name in enumerate(NAMES)}},
    )  # fmt: skip
    yield Design("benchmark unknown", [{"security": "S0", "date": DAYS[60], "benchmark": "S88"}])
    yield Design(
        "benchmark none", MIXED, gone, market={"benchmark": None}, tests=FEW, model=es.ConstantMean()
    )
    sets = [
        {"security": name, "date": DAYS[60 + 2 * i], "factors": ("one", "two")[i % 2]}
        for i, name in enumerate(NAMES[:6])
    ]
    for model in (
        es.CAPM(), es.FamaFrench3(), es.Carhart4(), es.FamaFrench5(), es.FactorModel(["benchmark", "hml"]),
        es.FactorModel(["smb"], excess=False), es.FamaFrench3(missing="trade_to_trade"),
    ):  # fmt: skip
        halt = [("S0", slice(58, 61), np.nan), ("S2", slice(30, 33), np.nan)]
        yield Design(f"factors {model!r}", MIXED, halt, model, market={"sets": 1})
        yield Design(f"sets {model!r}", sets, halt, model, market={"sets": 2}, tests=FEW)
        yield Design(
            f"factors few {model!r}", MIXED, (), model, estimation=(-20, -11), market={"sets": 1},
            options={"min_observations": 8}, tests=FEW,
        )  # fmt: skip
    yield Design("sets unnamed", MIXED, model=es.CAPM(), market={"sets": 2})
    yield Design("sets without factor", sets, model=es.FactorModel(["mom"]), market={"sets": 2})


def models() -> Iterator[Design]:
    """Each model where all returns are there, where some are missing, and with few estimation days."""
    plain = [
        es.MarketModel(hac_lags=3), es.MarketModel(missing="trade_to_trade"),
        es.MarketModel(lags={"benchmark": 1}), es.MarketModel(lags={"benchmark": [-1, 2]}),
        es.ConstantMean(), es.ConstantMean(missing="trade_to_trade"),
        es.MarketAdjusted(), es.RawReturn(), es.Dimson(), es.Dimson(2, 1), es.Dimson(0, 1),
        es.Dimson(1, 0, weights="none"), es.ScholesWilliams(), es.EWMarketModel(8.0), es.EWMarketModel(40.0),
        es.RollingMarketModel(10), es.RollingMarketModel(12), es.RobustMarketModel("theil-sen"),
        es.MatchedPortfolio(), es.MatchedPortfolio(["S6", "S7", "S8"]),
        es.MatchedPortfolio(["S6", "S7"], {"S6": 3.0, "S7": 1.0}), es.PCAModel(), es.PCAModel(n_components=1),
        es.PCAModel(n_components=3), es.AutocorrelatedErrors(), es.AutocorrelatedErrors(lags=2),
        es.AutocorrelatedErrors(method="hac", lags=2),
    ]  # fmt: skip
    stepwise = [es.RobustMarketModel(), es.SyntheticPeers(), es.TobitMarketModel(), es.ElasticNetModel()]
    stepwise += [es.GARCHMarketModel(), es.TobitMarketModel(after_limit="keep")]
    gone = [("S0", slice(58, 61), np.nan), ("S1", slice(30, 36), np.nan), ("S3", [40, 42, 44, 81], np.nan)]
    early = [("S0", 45), ("S1", 46), ("S2", 47), ("S3", 60)]
    for model in plain + stepwise:
        common: dict[str, Any] = {"model": model, "digits": 9 if model in plain else 4}
        if isinstance(model, es.GARCHMarketModel):
            yield Design(f"model {model!r}", MIXED[:3], **common, seed=23, tests=("bmp", "t"))
            continue
        if isinstance(model, es.TobitMarketModel):
            common["market"] = {"prices": True, "price_limit": 0.02}
        if isinstance(model, es.MatchedPortfolio | es.PCAModel | es.SyntheticPeers | es.ElasticNetModel):
            common |= {"more": ("peers",), "options": {"min_observations": 15}}
            few, early = [("S0", 60), ("S0", 95), ("S1", 110)], [("S0", 45), ("S0", 80)]
        elif isinstance(model, es.RollingMarketModel):
            few, common["options"] = MIXED, {"min_observations": 20}
        else:
            few = MIXED
        yield Design(f"model {model!r}", few, **common, seed=23)
        yield Design(f"model {model!r} missing", few, gone, **common, seed=23, tests=FEW)
        if few is MIXED:
            none = [("S0", slice(15, 50), np.nan)]
            yield Design(
                f"model {model!r} no estimation", few[:3], none, **common, seed=23, tests=("t",), brief=True
            )
        yield Design(f"model {model!r} early", early, **common, seed=24, tests=("bmp", "t"))
        for least in (12, 13):
            yield Design(
                f"model {model!r} least {least}", few[:2], [("S0", [40, 44], np.nan)], **common | {
                    "options": {"min_observations": least if few is MIXED else least - 5}
                }, seed=25, estimation=(-24, -11), tests=("bmp", "t"), windows=((0, 1),), brief=True,
            )  # fmt: skip


def autocorrelated() -> Iterator[Design]:
    """Sums of autocorrelated errors where an event lacks days of the window, or all of them."""
    for base in (es.MarketModel(), es.ConstantMean()):
        for method, rows in (("egls", [61, 62]), ("egls", [62]), ("egls", slice(58, 61))):
            yield Design(
                f"autocorrelated {base!r} {rows}", [*TWO, ("S2", 63)], [("S0", rows, np.nan)],
                es.AutocorrelatedErrors(base, method, 3), market={"gaps": "single"}, seed=26,
                windows=((1, 2), (0, 4)), options={"incomplete": "partial"}, tests=FEW,
            )  # fmt: skip


def flat_among_others() -> Iterator[Design]:
    """A security whose returns never move, for models that are fitted step by step."""
    stepwise = [
        es.AutocorrelatedErrors(),
        es.RobustMarketModel(),
        es.EWMarketModel(20.0),
        es.TobitMarketModel(),
    ]
    for model in stepwise:
        prices = {"prices": True, "price_limit": 0.1} if isinstance(model, es.TobitMarketModel) else {}
        yield Design(
            f"flat among others {model!r}", MIXED[:3], [("S0", WHOLE, 0.0)], model, market=prices, digits=4,
            tests=("bmp", "t"),
        )  # fmt: skip


def single_events() -> Iterator[Design]:
    """One event: its own tests, on all sides."""
    for seed in range(3):
        yield Design(
            f"single {seed}", ONE, seed=30 + seed, sides=ALL_SIDES,
            tests=("t", "sq", "conformal", "bootstrap_t"),
            more=("intervals", "intervals less", "recommended"),
        )  # fmt: skip
    yield Design(
        "single decomposition", ONE, market={"prices": True, "price_limit": 0.1}, seed=33, tests=("t",),
        more=("decomposition",),
    )  # fmt: skip
    for missing_ in (12, 15, 16, 17):
        yield Design(
            f"single few {35 - missing_}", ONE, [("S0", slice(20, 20 + missing_), np.nan)], seed=33,
            options={"min_observations": 10}, tests=("t", "sq", "conformal", "bootstrap_t"), sides=ALL_SIDES,
            more=("intervals", "recommended"), windows=((0, 0), (-5, 5), (0, 4)),
        )  # fmt: skip
    yield Design("single filtered", ONE, seed=34, tests=("filtered_sq", "filtered_t"), sides=ALL_SIDES)
    yield Design(
        "several filtered", MIXED, [("S0", slice(30, 33), np.nan)], seed=34,
        tests=("filtered_sq", "filtered_t", "filtered_bmp", "filtered_rank", "nguyen_wolf"), sides=ALL_SIDES,
    )  # fmt: skip
    yield Design("single garch", ONE, seed=34, tests=("garch_t",), sides=ALL_SIDES, digits=4)
    yield Design("single vector", ONE, seed=35, tests=("nguyen_wolf",), sides=ALL_SIDES)
    for length in (8, 12, 20):
        yield Design(
            f"filtered short {length}", TWO, estimation=(-11 - length + 1, -11),
            options={"min_observations": 6},
            tests=("filtered_sq", "filtered_t", "filtered_bmp", "filtered_rank", "nguyen_wolf", "sq"),
            windows=((0, 0), (0, 4), (-5, 5)),
        )  # fmt: skip


def within_the_day() -> Iterator[Design]:
    """Bars of half-hours, whose windows cross nights and breaks."""
    times = ["10:31", "10:31", "14:00", "08:00", "11:30", "16:00"]
    days = ["2019-06-17", "2019-06-17", "2019-06-17", "2019-06-19", "2019-06-21", "2019-06-24"]
    told = [
        {"security": f"S{i % 4 + 1}", "announced_at": f"{day} {time}+08:00"}
        for i, (day, time) in enumerate(zip(days, times, strict=True))
    ]
    keys = (*QUICK, "time_of_day_t", "time_of_day_rank")
    asked: dict[str, Any] = {"estimation": (-160, -11), "window": (-4, 8), "tests": keys}
    for thin in (0.0, 0.1):
        common = {**asked, "market": {"thin": thin}}
        for name, rows in {"one": told[:1], "together": told[:2], "all": told}.items():
            for windows in (((0, 0), (0, 3), (0, 6)), ((-4, 8),)):
                yield Design(
                    f"bars {name} {windows[0]} {thin}", rows, **common, windows=windows,
                    brief=windows[0] == (-4, 8), more=("recommended",),
                    sides=("two-sided", "less") if name == "one" else ("two-sided",),
                )  # fmt: skip
        for model in (
            es.ConstantMean(), es.MarketModel(missing="trade_to_trade"), es.MarketAdjusted(),
            es.RobustMarketModel(), es.EWMarketModel(30.0), es.Dimson(),
        ):  # fmt: skip
            yield Design(
                f"bars {model!r} {thin}",
                told[1:5],
                **common | {"tests": FEW},
                model=model,
                windows=((0, 3),),
                digits=5,
            )
    day = "2019-06-17"
    between = {
        "S1": (f"{day} 10:10", f"{day} 10:20"), "S2": (f"{day} 10:10", f"{day} 10:40"),
        "S3": (f"{day} 14:50", "2019-06-18 09:10"), "S4": (f"{day} 11:30", f"{day} 13:00"),
    }  # fmt: skip
    for how in ("exclude", "first", "last"):
        rows = [
            {"security": name, "announced_after": f"{after}+08:00", "announced_before": f"{before}+08:00"}
            for name, (after, before) in between.items()
        ]
        yield Design(
            f"bars between {how}",
            [*rows, {"security": "S1", "announced_at": "2019-06-24 10:31+08:00"}],
            **asked | {"tests": FEW},
            market={"thin": 0.0},
            asked={"ambiguous": how},
            windows=((0, 3),),
        )
    for moment in ("05-05 10:00", "05-06 09:59", "05-10 15:00", "07-01 14:31", "07-01 15:00", "07-01 15:01"):
        yield Design(
            f"bars at the edge {moment}",
            [{"security": "S1", "announced_at": f"2019-{moment}+08:00"}, *told[:1]],
            model=es.MarketAdjusted(),
            estimation=(-20, -5),
            options={"min_observations": 10},
            market={"thin": 0.0},
            tests=FEW,
            windows=((0, 0), (0, 3)),
            window=(0, 3),
        )
    for length in (24, 25, 26, 32, 152, 153, 160, 161):
        yield Design(
            f"bars {length} past", told[:1], **asked | {"estimation": (-11 - length + 1, -11)},
            market={"thin": 0.0}, options={"min_observations": 10}, windows=((0, 0), (0, 3)),
            more=("recommended",), brief=True,
        )  # fmt: skip


def sweeps() -> Iterator[Design]:
    """Numbers of events, of dates and of estimation days around those where a rule changes."""
    spread = [48, 52, 56, 60, 66, 72, 80, 88, 96, 104, 110, 112]
    common: dict[str, Any] = {"brief": True, "windows": ((0, 1),), "securities": 60}
    told = ("recommended", "clustering", "mean_intervals")
    for n in (8, 9, 10, 11, 14, 15, 16, 19, 20, 21, 24, 25, 26, 29, 30, 31, 49, 50, 51):
        one = [(name, 60) for name in WIDE[:n]]
        several = [(name, spread[i % len(spread)]) for i, name in enumerate(WIDE[:n])]
        yield Design(f"sweep {n} events", one, **common, seed=50, more=(*told, "joint"))
        yield Design(f"sweep {n} events, several dates", several, **common, seed=51, more=told)
        if n < 20:
            yield Design(
                f"sweep {n} events, raw", several, **common, seed=52, model=es.RawReturn(), tests=ORDERS
            )
    for dates in (4, 5, 6, 7, 9, 10, 11, 12):
        events = [(name, spread[i % dates]) for i, name in enumerate(WIDE[: 2 * dates])]
        yield Design(f"sweep {dates} dates", events, **common, seed=53, sides=ALL_SIDES, more=told)
        lopsided = [(name, spread[max(0, i - dates)]) for i, name in enumerate(WIDE[: 2 * dates])]
        yield Design(f"sweep {dates} dates, one large", lopsided, **common, seed=54, more=told)
    late = [(name, 75) for name in NAMES[:4]]
    short: dict[str, Any] = {"brief": True, "windows": ((0, 0), (0, 1))}
    for length in (
        9,
        10,
        11,
        12,
        13,
        18,
        19,
        20,
        21,
        22,
        29,
        30,
        31,
        32,
        37,
        38,
        39,
        40,
        41,
        57,
        58,
        59,
        60,
        61,
    ):
        asked: dict[str, Any] = {"estimation": (-11 - length + 1, -11), "options": {"min_observations": 8}}
        told = ("intervals", "recommended", "mean_intervals", "joint")
        alone = ("t", "sq", "conformal", "bootstrap_t", "filtered_sq", "filtered_t", "nguyen_wolf")
        yield Design(
            f"sweep {length} days", late, **short | {"windows": ((0, 1),)}, **asked, seed=55, more=told
        )
        yield Design(f"sweep {length} days, one", late[:1], **short, **asked, seed=56, more=told, tests=alone)
        if length < 32:
            filtered = [("S0", 75), ("S1", 85), ("S2", 85)]
            yield Design(
                f"sweep {length} days, filtered", filtered, **short, **asked, seed=57, tests=alone[4:]
            )


def procedures() -> Iterator[Design]:
    """Groups, differences, several windows and intervals of the mean."""
    more = (
        "groups", "variances", "differences", "windows", "windows bh", "by_event", "by_event holm",
        "mean_intervals", "mean_intervals less", "wild mammen", "wild events", "shrunk", "recommended",
    )  # fmt: skip
    sets = {
        "split": ([60, 60, 60, 60, 63, 63, 80, 80, 80, 110], "ababbabbba"),
        "common": ([60] * 8, "aabbabab"),
        "apart": ([48, 56, 64, 72, 80, 88, 96, 104], "aabbabab"),
        "three": ([60, 60, 60, 80, 80, 80, 100, 100, 100, 100], "abcabcabca"),
        "two and two": ([60, 60, 80, 80], "abab"),
        "one alone": ([60, 60, 60, 60], "abbb"),
        "dates are groups": ([60, 60, 60, 80, 80, 80], "aaabbb"),
        "a group": ([60, 60, 60, 60], "aaaa"),
    }
    for name, (rows, groups) in sets.items():
        yield Design(
            f"groups {name}", grouped(rows, groups), seed=40, windows=((0, 1),), more=more, tests=FEW
        )
        yield Design(
            f"groups {name} missing", grouped(rows, groups), [("S1", rows[1], np.nan)], seed=41,
            windows=((0, 1),), market={"scattered": 0.05}, more=more, tests=FEW, brief=True,
        )  # fmt: skip
    yield Design(
        "groups flat", grouped([60] * 4, "aabb"), [(["S0", "S1"], WHOLE, 0.0)], es.RawReturn(), more=more
    )
    for apart in (23, 24, 25, 26):
        events = grouped([60, 60, 60 + apart, 60 + apart], "abab")
        yield Design(
            f"groups {apart} days apart", events, seed=45, windows=((0, 1),), brief=True, tests=FEW[:2],
            more=("groups", "variances", "differences"),
        )  # fmt: skip
    tables = ("powers", "stacked", "diagnostics", *more)
    yield Design("all tables", grouped([60, 60, 63, 80], "abab"), seed=44, more=tables)
    for n in range(2, 7):
        yield Design(
            f"joint {n}", COMMON[:n], seed=42, more=("joint", "mean_intervals"), tests=(), brief=True
        )
        yield Design(
            f"joint {n} missing", COMMON[:n], [("S0", [30, 61], np.nan), ("S1", [41], np.nan)], seed=43,
            more=("joint", "mean_intervals"), tests=(), brief=True,
        )  # fmt: skip
    yield Design(
        "joint short",
        COMMON,
        estimation=(-20, -11),
        options={"min_observations": 8},
        more=("joint",),
        tests=(),
    )


def designs() -> dict[str, Design]:
    """All designs by name."""
    families = (
        layouts, estimation_edges, missing, degenerate, placements, own_windows, several_series, models,
        autocorrelated, flat_among_others, single_events, within_the_day, sweeps, procedures,
    )  # fmt: skip
    found = [design for family in families for design in family()]
    names = [design.name for design in found]
    assert len(set(names)) == len(names)
    return dict(zip(names, found, strict=True))
