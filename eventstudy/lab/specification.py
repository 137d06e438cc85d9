"""The specification curve: estimates under every combination of reasonable choices, tested together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
from scipy import special

from eventstudy import plotting
from eventstudy._typing import FloatArray, IntArray
from eventstudy.arguments import check_fraction, check_sequence, check_text, check_whole
from eventstudy.distributions import counted_p_value
from eventstudy.errors import NoUsableEventsError, RequestError
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, hand_out_copies
from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.inference.procedures.mean_interval import FEWEST
from eventstudy.inference.procedures.recommendation import MANY
from eventstudy.inference.registry import check_keys
from eventstudy.lab.blocks import fingerprint, random_stream, run_blocks, settled_seed
from eventstudy.lab.model_comparison import named_models
from eventstudy.lab.specification_grid import Grid, fits_of, placebo_shifts
from eventstudy.market import Market, check_market
from eventstudy.market.compounding import ReturnKind
from eventstudy.models import MarketModel, NormalReturnModel
from eventstudy.results.fitted import uses_benchmark
from eventstudy.sample import EventSample, Missing, check_missing, refuse_window_columns
from eventstudy.text import plural
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CHOICES", "SpecificationCurve", "specification_curve"]


#: Columns of the choices, in the order in which they are drawn.
CHOICES = ("model", "benchmark", "estimation", "window", "returns", "missing", "test")
#: P-values count as no closer to 0 or 1 than this where they are turned into normal scores.
TINY = 1e-15
#: Estimates that a one-sided test looks for.
SIDES = {"less": "negative", "greater": "positive"}


@hand_out_copies("frame")
@dataclass(frozen=True)
class SpecificationCurve(FrozenRecord):
    """Estimates of one effect under many specifications.

    Made by `specification_curve`.

    Attributes
    ----------
    frame : DataFrame
        One row per specification, from the lowest estimate to the highest: the choices (`CHOICES`),
        estimate (mean CAR, decimal), ci_low, ci_high, p_value, significant, n_events.
    placebo : array, shape (placebos, specifications, 2)
        Estimates and p-values on placebo dates, specifications in the order of `frame`.
    alpha : float
        Size of the tests: an estimate is significant if its p-value is at most `alpha`.
    alternative : {"two-sided", "less", "greater"}
        Side of the tests and intervals.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> models = {"market": es.MarketModel(), "mean": es.ConstantMean()}
    >>> curve = es.lab.specification_curve(market, nyt, models=models, windows=[(0, 0)], n_placebo=9, seed=1)
    >>> curve.frame.groupby("model")["estimate"].first().round(3).to_dict()
    {'market': -0.049, 'mean': -0.055}
    """

    frame: pd.DataFrame
    placebo: FloatArray
    alpha: float
    alternative: Alternative = "two-sided"

    @property
    def median(self) -> float:
        """Median estimate."""
        return float(self.frame["estimate"].median())

    @property
    def share_significant(self) -> float:
        """Share of specifications with a significant estimate, whatever its sign."""
        return float(self.frame["significant"].mean())

    def share(self, side: str) -> float:
        """Share of specifications with a significant estimate that is ``"negative"`` or ``"positive"``."""
        if side not in ("negative", "positive"):
            raise RequestError(f"side is 'negative' or 'positive', got {side!r}.")
        sign = -1.0 if side == "negative" else 1.0
        return float((self.frame["significant"] & (sign * self.frame["estimate"] > 0)).mean())

    def by(self, choice: str) -> pd.DataFrame:
        """Median estimate and share significant of each value of one choice."""
        if choice not in self.frame:
            raise RequestError(f"This curve has no choice {choice!r}; its choices are {', '.join(CHOICES)}.")
        grouped = self.frame.groupby(choice, sort=False)
        return pd.DataFrame(
            {
                "n": grouped.size(),
                "median": grouped["estimate"].median(),
                "share_significant": grouped["significant"].mean(),
            }
        )

    @property
    def joint(self) -> pd.DataFrame:
        """Test of all specifications together, by the same curves on placebo dates.

        Index: median (absolute median estimate), share (share significant in the direction in which more
        are) and stouffer (absolute mean normal score of the p-values). Columns: value, placebo (median over
        the placebo dates), n_placebo, p_value, which is ``(1 + b) / (B + 1)`` for b of B placebo curves
        at least as extreme (Simonsohn, Simmons and Nelson 2020). One-sided, all three count towards that
        side: the median and the mean score are positive if they lie on it, the share is that of estimates
        significant on it.
        """
        real = self.frame[["estimate", "p_value"]].to_numpy(float)
        value = _extremes(real, self.alpha, self.alternative)
        placebos = [_extremes(curve, self.alpha, self.alternative) for curve in self.placebo]
        drawn = np.array(placebos).reshape(-1, 3)
        # Shares are ratios of counts: equal ones may differ by rounding.
        p = counted_p_value(value, drawn >= value - 1e-12)
        some = len(drawn) > 0
        return pd.DataFrame(
            {
                "value": value,
                "placebo": np.median(drawn, axis=0) if some else np.nan,
                "n_placebo": len(drawn),
                "p_value": p if some else np.nan,
            },
            index=pd.Index(["median", "share", "stouffer"], name="statistic"),
        )

    def describe(self) -> str:
        """Say what the curve shows, in words."""
        side, told = "negative" if self.median < 0 else "positive", ""
        if self.alternative != "two-sided":
            side, told = SIDES[self.alternative], " in a one-sided test"
        n = len(self.frame)
        count = round(self.share(side) * n)
        said = (
            f"{count:,} of {n:,} specifications ({self.share(side):.0%}) find a {side} abnormal return that "
            f"is significant at {self.alpha:.0%}{told}; the median estimate is {self.median:+.2%}."
        )
        if len(self.placebo):
            p = self.joint["p_value"]
            far = {"two-sided": "far from zero", "less": "low", "greater": "high"}[self.alternative]
            said += (
                f" Of {len(self.placebo)} placebo dates, the share of significant specifications was as high "
                f"with p = {p['share']:.3f}, the median as {far} with p = {p['median']:.3f}."
            )
        return said

    def plot(self, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Draw the estimates with their intervals, sorted, and the choices behind each marked below.

        Further keyword arguments are those of `plot_specification`.
        """
        varied = [name for name in CHOICES if len(set(self.frame[name])) > 1]
        return plotting.plot_specification(self.frame, ax, choices=varied, **kwargs)

    def __repr__(self) -> str:
        return f"SpecificationCurve: {self.describe()}"


def specification_curve(
    market: Market,
    events: Events | pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel] | None = None,
    benchmarks: Sequence[str] | Mapping[str, Any] | None = None,
    estimations: Sequence[Window | Sequence[int]] = ((-250, -30),),
    windows: Sequence[Window | Sequence[int]] = ((0, 1),),
    returns: Sequence[ReturnKind] | None = None,
    missing: Sequence[Missing] = ("drop", "trade_to_trade"),
    tests: Sequence[str] | None = None,
    alpha: float = 0.05,
    min_observations: int = 30,
    n_placebo: int = 99,
    alternative: Alternative = "two-sided",
    seed: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> SpecificationCurve:
    """Measure one study in every combination of the choices given (Simonsohn, Simmons and Nelson 2020).

    Parameters
    ----------
    market : Market
    events : Events, or what `Events` takes
    models : sequence of models, or mapping of name to model
        The market model by default.
    benchmarks : sequence of column names, or mapping of name to what `Market.with_benchmark` takes, optional
        That of the market by default. A model that needs none counts once.
    estimations : sequence of (int, int)
    windows : sequence of (int, int)
        Windows of the CAR.
    returns : sequence of {"simple", "log"}, optional
        Those of the market by default.
    missing : sequence of {"drop", "trade_to_trade"}
        What becomes of estimation returns over several sessions; a choice where a model has it and an
        estimation window holds such a return.
    tests : sequence of str, optional
        By default ``"t"`` and ``"sq"`` of one event, ``"filtered_t"`` and ``"adjusted_bmp"`` (from 20 events
        on ``"filtered_bmp"``) of fewer than five or of events whose windows share days, else
        ``"cross_sectional"`` and ``"bmp"``.
    alpha : float, default 0.05
    min_observations : int, default 30
    n_placebo : int, default 99
        Earlier dates, drawn at random from all that fit into the data, to which all events are moved for the
        joint test; 0 for none.
    alternative : {"two-sided", "less", "greater"}, default "two-sided"
        Of the tests, the intervals and the joint test.
    seed, n_jobs, checkpoint
        As for `calibrate`.

    Returns
    -------
    SpecificationCurve
        ``.frame``, ``.describe()``, ``.joint``, ``.by(choice)``, ``.plot()``.

    Raises
    ------
    RequestError
        If a choice makes no sense, or the data holds no placebo date.
    NoUsableEventsError
        If no event can be placed.
    WindowError
        If columns of the events give windows of their own.

    Notes
    -----
    Intervals are those of `EventStudyResults.caar` at level ``1 - alpha`` and do not depend on the test.
    Events that some estimation window cannot be laid for take no part in any specification (`n_events`).
    Placebo dates are not independent of each other where their windows share days.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.datasets.surveillance_prices()
    >>> market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    >>> events = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
    >>> curve = es.lab.specification_curve(
    ...     market, events, models=[es.MarketModel(), es.MarketAdjusted()],
    ...     benchmarks=["399001.SZ", "000300.SS"], windows=[(0, 0), (0, 1)], n_placebo=19,
    ... )
    >>> len(curve.frame), curve.share("negative"), bool(curve.median < -0.04)
    (16, 1.0, True)
    """  # fmt: skip
    check_market(market)
    check_fraction("alpha", alpha)
    check_alternative(alternative)
    check_whole("n_placebo", n_placebo, 0)
    named = named_models([MarketModel()] if models is None else models)
    check_whole("min_observations", min_observations, 1)
    estimated, tested = Window.list_of("estimations", estimations), Window.list_of("windows", windows)
    kinds = [market.kind] if returns is None else check_sequence("returns", returns, "kinds of returns")
    missing = check_sequence("missing", missing, "rules")
    for name, options in (
        ("estimations", estimated),
        ("windows", tested),
        ("returns", kinds),
        ("missing", missing),
    ):
        if not len(options):
            raise RequestError(f"{name} is empty: give at least one choice.")
    for kind in kinds:
        if kind not in get_args(ReturnKind):
            raise RequestError(f"returns are 'simple' or 'log'; got {kind!r}.")
    for rule in missing:
        check_missing(rule)
    markets = _markets(market, benchmarks)
    whole = Window(min(0, *(w.start for w in tested)), max(0, *(w.end for w in tested)))
    given = events if isinstance(events, Events) else Events(events)
    refuse_window_columns(given.frame, "specification_curve")
    samples = [EventSample.of(market, given, estimation, whole) for estimation in estimated]
    sample = samples[int(np.argmin([len(s) for s in samples]))]
    if not len(sample):
        raise NoUsableEventsError(
            "None of the events can be used: " + "; ".join(sample.excluded["reason"].astype(str).unique()[:5])
        )
    first = min(whole.start, *(w.start for w in estimated))
    stream = random_stream(settled_seed(seed), 0)
    candidates = placebo_shifts(market, sample.security, sample.first_row, first, len(whole))
    if n_placebo and not len(candidates):
        raise RequestError(
            f"The data holds no earlier date for a placebo: the windows need {-first} sessions before it. "
            "Take shorter estimation windows, longer data, or n_placebo=0."
        )
    chosen = np.sort(stream.choice(candidates, min(n_placebo, len(candidates)), replace=False))
    day0 = sample.day0
    grid = Grid(
        markets=markets,
        models=named,
        fits=fits_of(
            market, named, list(markets), estimated, kinds, list(missing), sample.security, sample.first_row
        ),
        windows=tuple(tested),
        window=whole,
        tests=tuple(_tests(day0, max(map(len, tested))) if tests is None else check_keys(tests)),
        names=np.array(market.returns.columns, dtype=object),
        security=sample.security,
        first_row=sample.first_row,
        shifts=chosen,
        min_observations=min_observations,
        level=1.0 - alpha,
        alternative=alternative,
    )
    settings = (
        named, grid.fits, tested, grid.tests, grid.security.tolist(), grid.first_row.tolist(),
        chosen.tolist(), min_observations, alpha, alternative,
        [fingerprint(m, "") for m in markets.values()] if checkpoint else None,
    )  # fmt: skip
    parts = run_blocks(
        grid.estimates,
        len(grid.fits),
        name="Specifications",
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        identity="" if checkpoint is None else fingerprint(market, settings),
    )
    return _curve(grid, np.stack(parts), alpha)


def _markets(market: Market, benchmarks: Sequence[str] | Mapping[str, Any] | None) -> dict[str, Market]:
    if benchmarks is None:
        return {", ".join(market.benchmarks) or "none": market}
    if isinstance(benchmarks, str):
        raise RequestError(f"Benchmarks are given as a list: benchmarks=[{benchmarks!r}].")
    if not isinstance(benchmarks, Mapping):
        columns = check_sequence("benchmarks", benchmarks, "columns of the market")
        for column in columns:
            check_text("A benchmark", column)
        benchmarks = {name: name for name in columns}
    if not benchmarks:
        raise RequestError("benchmarks is empty: give at least one choice.")
    return {name: market.with_benchmark(benchmark) for name, benchmark in benchmarks.items()}


def _tests(day0: IntArray, longest: int) -> list[str]:
    if len(day0) == 1:
        return ["t", "sq"]
    shared = bool((np.diff(np.sort(day0)) < longest).any())
    if shared or len(day0) < FEWEST:
        return ["filtered_t", "filtered_bmp" if len(day0) >= MANY else "adjusted_bmp"]
    return ["cross_sectional", "bmp"]


def _curve(grid: Grid, found: FloatArray, alpha: float) -> SpecificationCurve:
    """Lay out results of shape (fits, 1 + placebos, windows, tests, 5) as a curve, sorted by estimate."""
    rows = [
        {
            "model": fit.model,
            "benchmark": fit.benchmark if uses_benchmark(grid.models[fit.model]) else "none",
            "estimation": str(fit.estimation),
            "window": str(window),
            "returns": fit.returns,
            "missing": fit.missing,
            "test": test,
        }
        for fit in grid.fits
        for window in grid.windows
        for test in grid.tests
    ]
    flat = np.moveaxis(found, 1, 0).reshape(found.shape[1], -1, 5)
    frame = pd.DataFrame(rows)
    for column, at in (("estimate", 0), ("ci_low", 3), ("ci_high", 4), ("p_value", 1)):
        frame[column] = flat[0, :, at]
    frame["significant"] = frame["p_value"] <= alpha
    frame["n_events"] = np.nan_to_num(flat[0, :, 2]).astype(np.int64)
    known = frame["estimate"].notna() & frame["p_value"].notna()
    if not known.any():
        raise RequestError(
            f"No specification has an estimate with a p-value: do the tests {', '.join(grid.tests)} apply to "
            f"{plural(len(grid.security), 'event')}?"
        )
    order = frame[known].sort_values("estimate", kind="stable").index.to_numpy()
    frame = frame.loc[order].reset_index(drop=True)
    return SpecificationCurve(frame, flat[1:, order, :2], alpha, grid.alternative)


def _extremes(curve: FloatArray, alpha: float, alternative: Alternative) -> FloatArray:
    """Median, share significant and mean score of (estimate, p-value) rows, towards the alternative.

    Two-sided: absolute median, larger share of one sign, and absolute mean score.
    """
    estimate, p = curve[~np.isnan(curve).any(axis=1)].T
    if not len(estimate):
        return np.zeros(3)
    significant = p <= alpha
    if alternative != "two-sided":
        sign = -1.0 if alternative == "less" else 1.0
        scores = -special.ndtri(np.clip(p, TINY, 1.0 - TINY))
        share = float((significant & (sign * estimate > 0)).mean())
        return np.array([sign * np.median(estimate), share, scores.mean()])
    share = max(float((significant & (estimate < 0)).mean()), float((significant & (estimate > 0)).mean()))
    scores = -np.sign(estimate) * special.ndtri(np.maximum(p, TINY) / 2)
    return np.array([abs(np.median(estimate)), share, abs(scores.mean())])
