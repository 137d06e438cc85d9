"""Grid of specifications: the estimates of each combination of choices, on the real and on placebo dates."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eventstudy._typing import FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenRecord
from eventstudy.inference import Options, TestInput
from eventstudy.inference.base import Alternative
from eventstudy.lab.placebo_events import as_sample
from eventstudy.lab.sample_tests import SampleTests, apart, block_size, parts
from eventstudy.lab.simulation_design import abnormal_of
from eventstudy.market import Market
from eventstudy.market.compounding import ReturnKind
from eventstudy.models import NormalReturnModel
from eventstudy.models.linear import LinearModel
from eventstudy.results.averages import averages
from eventstudy.results.fitted import uses_benchmark
from eventstudy.sample import EventArrays, EventSample, Missing
from eventstudy.sample.placement import first_trades
from eventstudy.windows import Window

__all__ = ["Fit", "Grid", "fits_of", "placebo_shifts", "shift_events"]


@dataclass(frozen=True)
class Fit:
    """One way to estimate normal returns."""

    model: str
    benchmark: str
    estimation: Window
    returns: ReturnKind
    missing: Missing


@dataclass(frozen=True)
class Grid(FrozenRecord):
    """All choices, and the events they are made for.

    Attributes
    ----------
    markets : mapping of str to Market
        By the name of the benchmark.
    models : mapping of str to NormalReturnModel
    fits : tuple of Fit
    windows : tuple of Window
        Tested windows.
    window : Window
        Event window, which holds all of them.
    tests : tuple of str
    names : array of str
        Securities of the rows of the markets' arrays.
    security, first_row : arrays of int, shape (N,)
        Events, by the first session that could react.
    shifts : array of int
        Sessions by which the events are moved back for each placebo.
    min_observations : int
    level : float
        Coverage of the intervals.
    alternative : {"two-sided", "less", "greater"}
    """

    markets: Mapping[str, Market]
    models: Mapping[str, NormalReturnModel]
    fits: tuple[Fit, ...]
    windows: tuple[Window, ...]
    window: Window
    tests: tuple[str, ...]
    names: npt.NDArray[np.object_]
    security: IntArray
    first_row: IntArray
    shifts: IntArray
    min_observations: int
    level: float
    alternative: Alternative = "two-sided"

    def estimates(self, number: int) -> FloatArray:
        """Estimates of one `Fit`: shape (1 + placebos, windows, tests, 5), the real events first.

        The last axis: mean CAR, p-value of the test, number of events, and the interval of the mean CAR,
        known of the real events alone. NaN where there is no estimate.
        """
        fit = self.fits[number]
        market, model = self.markets[fit.benchmark], self.models[fit.model]
        if isinstance(model, LinearModel):
            model = replace(model, missing=fit.missing)
        n, size = len(self.security), block_size(len(self.security))
        days = np.array(
            [shift_events(market, self.security, self.first_row, int(s)) for s in (0, *self.shifts)]
        )
        out = np.full((len(days), len(self.windows), len(self.tests), 5), np.nan)

        def sample_of(part: slice) -> EventSample:
            security = np.tile(self.security, len(days[part]))
            return as_sample(market, self.names, fit.estimation, self.window, security, days[part].ravel())

        for begin in range(0, len(days), size):
            all_of = slice(0, len(days[begin : begin + size]))
            # One event, on whatever days, has no other events that its peers could depend on.
            every = [all_of] if n == 1 else parts(model, sample_of(slice(begin, begin + 1)), all_of.stop)
            for part in every:
                which = slice(begin + part.start, begin + part.stop)
                sample = sample_of(which)
                found = self._abnormal(fit, market, model, sample)
                for j, window in enumerate(self.windows):
                    out[which, j, :, :3] = self._tested(found, window, apart(sample, n))
                    if which.start == 0:
                        real = TestInput(found.take(slice(0, n)), window)
                        interval = averages([real], None, self.level, self.alternative).iloc[0]
                        out[0, j, :, 3:] = interval["ci_low"], interval["ci_high"]
        return out

    def _abnormal(
        self, fit: Fit, market: Market, model: NormalReturnModel, sample: EventSample
    ) -> AbnormalReturns:
        arrays = model.arrays(sample)
        if fit.returns == market.kind:
            return abnormal_of(model, arrays, self.window, self.min_observations, sample)
        # The sessions before the event window are laid out in the market's own returns alone.
        turned = convert_returns(arrays, fit.returns, model)
        return abnormal_of(model, turned, self.window, self.min_observations)

    def _tested(self, found: AbnormalReturns, window: Window, day0: IntArray | None) -> FloatArray:
        """Mean CAR, p-values and number of events of each study, shape (studies, tests, 3)."""
        n, data = len(self.security), TestInput(found, window)
        used = data.usable.reshape(-1, n)
        count = used.sum(axis=1)
        total = np.where(used, data.cumulative.car.reshape(-1, n), 0.0).sum(axis=1)
        out = np.full((len(count), len(self.tests), 3), np.nan)
        options = [Options(self.alternative, seed=0)] * len(count)
        out[:, :, 1] = SampleTests(data, n, day0).p_values(data, self.tests, options)
        some = count > 0
        out[some, :, 0] = (total[some] / count[some])[:, None]
        out[some, :, 2] = count[some, None]
        return out


def convert_returns(arrays: EventArrays, kind: ReturnKind, model: NormalReturnModel) -> EventArrays:
    """Turn simple returns and regressors into log ones, or the other way round."""
    if type(arrays) is not EventArrays or model.excess:
        raise RequestError(
            f"{model.label} cannot be given {kind} returns of this market: it needs excess returns or those "
            "of peers. Leave that kind out of returns=, or make the market of such returns."
        )
    turn = np.log1p if kind == "log" else np.expm1
    names = ("y_est", "x_est", "y_evt", "x_evt")
    return replace(arrays, **{name: turn(getattr(arrays, name)) for name in names})


def shift_events(market: Market, security: IntArray, first_row: IntArray, sessions: int) -> IntArray:
    """Day 0 of events that could react `sessions` earlier: the first session from then on that trades."""
    moved = first_trades(market.arrays.returns, security, first_row - sessions)
    return np.where(moved < 0, first_row - sessions, moved)


def placebo_shifts(
    market: Market, security: IntArray, first_row: IntArray, earliest: int, apart: int
) -> IntArray:
    """Every number of sessions by which events can be moved back, each set of days 0 once.

    All sessions of a suspension lead to the day on which it ends, which is one placebo.

    Parameters
    ----------
    market : Market
    security, first_row : arrays of int, shape (N,)
        Rows of the events, and the first session on which each could react.
    earliest : int
        First session that any window needs, relative to day 0.
    apart : int
        Length of the event window, which must not meet that of the real events.
    """
    moves = np.arange(apart, int(first_row.min()) + min(earliest, 0) + 1, dtype=np.int64)
    if not len(moves):
        return moves
    days = np.array([shift_events(market, security, first_row, int(move)) for move in moves])
    clear = (shift_events(market, security, first_row, 0) - days >= apart).all(axis=1)
    _, first = np.unique(days, axis=0, return_index=True)
    distinct = np.zeros(len(moves), dtype=bool)
    distinct[first] = True
    return np.asarray(moves[distinct & clear])


def fits_of(
    market: Market,
    models: Mapping[str, NormalReturnModel],
    benchmarks: Sequence[str],
    estimations: Sequence[Window],
    returns: Sequence[ReturnKind],
    missing: Sequence[Missing],
    security: IntArray,
    first_row: IntArray,
) -> tuple[Fit, ...]:
    """Combine the choices, leaving out those that change nothing.

    A model without benchmark is fitted once for all of them; the rule for returns over several sessions
    counts where a model has one and the estimation window of some event has such a return.
    """
    found = []
    day0 = shift_events(market, security, first_row, 0)
    for (name, model), benchmark, estimation, kind in itertools.product(
        models.items(), benchmarks, estimations, returns
    ):
        if not uses_benchmark(model) and benchmark != benchmarks[0]:
            continue
        rows = np.clip(day0[:, None] + estimation.offsets, 0, len(market.sessions) - 1)
        several = bool((market.arrays.spans[security[:, None], rows] > 1).any())
        rules: Sequence[Missing] = ["drop"]  # what models without the choice do
        if isinstance(model, LinearModel):
            rules = missing if several else missing[:1]
        found += [Fit(name, benchmark, estimation, kind, rule) for rule in rules]
    return tuple(found)
