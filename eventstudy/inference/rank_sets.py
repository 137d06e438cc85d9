"""Event days that each rank test ranks among the estimation days, and their profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.mean_correlation import dependence
from eventstudy.inference.dependence.near_pairs import mean_correlations
from eventstudy.inference.engine import residual_pass
from eventstudy.inference.engine.moments import NEGLIGIBLE, sample_sd
from eventstudy.inference.engine.rank_kernel import (
    RankedDays,
    RankProfile,
    RankReducer,
    SignProfile,
    rank_profile,
    sign_profile,
)
from eventstudy.inference.engine.residual_pass import ResidualChunk
from eventstudy.inference.engine.unchanged_prices import tie_with_past, unchanged_days
from eventstudy.inference.samples import Samples
from eventstudy.lazy import memo

__all__ = ["RANK_SETS", "profile", "read_profiles", "sample_profiles", "scar_star"]


def scar_star(scar: FloatArray, r: FloatArray | float) -> FloatArray:
    r"""Value of the cumulated event day of each event, shapes (..., N) and (...) -> (..., N, 1).

    .. math:: SCAR^*_i = SCAR_i \sqrt{1 - r} / s_{SCAR}

    Under mean correlation r the cross-sectional standard deviation estimates ``sigma sqrt(1 - r)``, so
    SCAR* would be too dispersed without the factor (Kolari and Pynnonen 2011, footnote 6). Zeros where all
    SCARs are equal.
    """
    sd = np.std(scar, axis=-1, ddof=1)
    factor = np.divide(np.sqrt(1.0 - r), sd, out=np.zeros(np.shape(sd)), where=sd > 0)
    return np.asarray((scar * factor[..., None])[..., None], dtype=np.float64)


def _daily(data: TestInput) -> Callable[[IntArray], FloatArray]:
    """Abnormal returns of all days of the event window; the same function each time."""
    # Not a closure: results keep it, and are pickled.
    values = partial(_scaled_days, data.abnormal)
    found: Callable[[IntArray], FloatArray] = data._readings.setdefault("daily", values)
    return found


def _scaled_days(fit: AbnormalReturns, rows: IntArray) -> FloatArray:
    s2, span = fit.s2[rows, None], fit.span[rows]
    if (span > 1).any():
        s2 = s2 * np.maximum(span, 1)  # a return that lumps d sessions has the noise of d days
    return np.asarray(fit.ar[rows] / np.sqrt(s2))


def _corrado(data: TestInput) -> RankedDays:
    return RankedDays(data.abnormal.ar.shape, _daily(data), data.cols)


def _unchanged(data: TestInput, cols: slice = slice(None)) -> Callable[[IntArray], FloatArray] | None:
    """Abnormal returns of days without a price change, in units of the residual standard deviation."""
    fit = data.abnormal
    still = unchanged_days(fit, cols)
    if still is None:
        return None
    return lambda rows: np.where(still[rows], fit.ar[rows, cols] / np.sqrt(fit.s2[rows, None]), np.nan)


def _unchanged_windows(data: TestInput) -> Callable[[IntArray], FloatArray] | None:
    """Mean abnormal returns of tested windows without any price change, likewise; shape (n, 1)."""
    fit, cols = data.abnormal, data.cols
    still = unchanged_days(fit, cols)
    if still is None or not still.all(axis=1).any():
        return None
    values = np.where(still.all(axis=1), fit.ar[:, cols].mean(axis=1) / np.sqrt(fit.s2), np.nan)[:, None]
    return partial(np.take, values, axis=0)


def _signs(data: TestInput) -> RankedDays:
    fit, shape = data.abnormal, (data.abnormal.n_events, len(data.window))
    if shape == fit.ar.shape and fit.span.max(initial=0) <= 1:
        return RankedDays(shape, _daily(data), slice(None), signs=True)

    def values(rows: IntArray) -> FloatArray:
        return fit.ar[rows, data.cols] / np.sqrt(fit.s2[rows, None])

    return RankedDays(shape, values, slice(None), signs=True)


def _cumulated(data: TestInput) -> RankedDays:
    fit = data.abnormal
    # For short rows, `take` is several times as fast as an index.
    if fit.ar.size <= lazy.MOST_HELD:
        values: Callable[[IntArray], FloatArray] = partial(np.take, fit.sar, axis=0)
    else:

        def values(rows: IntArray) -> FloatArray:
            return np.asarray(fit.ar[rows] / np.sqrt(fit.variance_of(rows)))

    return RankedDays(fit.ar.shape, values, data.cols, unscaled=_unchanged(data))


def _zivney(data: TestInput) -> RankedDays | str:
    sar = data.abnormal.ar[:, data.cols] / np.sqrt(data.abnormal.variance(data.cols))
    count = np.count_nonzero(sar == sar, axis=0)
    some = np.flatnonzero(count)
    held = sar if (count == len(sar)).all() else np.where(np.isnan(sar), 0.0, sar)
    apart = held - held.sum(axis=0) / np.maximum(count, 1)
    if held is not sar:
        apart[np.isnan(sar)] = 0.0
    sd = np.sqrt(np.einsum("nl,nl->l", apart, apart) / np.maximum(count - 1, 1))
    # What is left of equal values is rounding noise; of one value nothing is left.
    flat = sd[some] <= NEGLIGIBLE * np.maximum(held.max(axis=0), -held.min(axis=0))[some]
    if flat.any():
        day = data.window.start + int(some[flat][0])
        return f"abnormal returns of day {day:+d} have no cross-sectional variance"
    sar /= np.where(count > 0, sd, 1.0)
    unscaled = _unchanged(data, data.cols)
    return RankedDays(sar.shape, partial(np.take, sar, axis=0), slice(None), unscaled=unscaled)


def _generalised(data: TestInput, *, correlated: bool) -> RankedDays | str:
    r = max(dependence(data).mean_correlation, 0.0) if correlated else 0.0
    if r > 1.0 - NEGLIGIBLE:
        return "the estimation residuals of all events are identical"
    stars = scar_star(data.scar, r)
    unscaled = _unchanged_windows(data) if (data.abnormal.actual == 0.0).any() else None
    return RankedDays(stars.shape, partial(np.take, stars, axis=0), slice(None), unscaled=unscaled)


#: Event days of each test, in units of the residual standard deviation of each event.
RANK_SETS: dict[str, Callable[[TestInput], RankedDays | str]] = {
    "rank": _corrado,
    "rank_zivney": _zivney,
    "sign_zivney": _signs,
    "grank_t": partial(_generalised, correlated=True),
    "grank_z": partial(_generalised, correlated=False),
    "cumrank": _cumulated,
}


def _zivney_of(samples: Samples) -> tuple[RankedDays, BoolArray]:
    fit, cols = samples.data.abnormal, samples.data.cols
    sar = samples.by_sample(fit.ar[:, cols] / np.sqrt(fit.variance(cols)))
    sd = np.std(sar, axis=1, ddof=1)
    varies = sd > NEGLIGIBLE * np.maximum(sar.max(axis=1), -sar.min(axis=1))
    sar = (sar / np.where(varies, sd, 1.0)[:, None]).reshape(-1, sar.shape[-1])
    unscaled = _unchanged(samples.data, cols)
    ranked = RankedDays(sar.shape, partial(np.take, sar, axis=0), slice(None), unscaled=unscaled)
    return ranked, varies.all(axis=1)


def _generalised_of(samples: Samples, *, correlated: bool) -> tuple[RankedDays, BoolArray]:
    r = np.maximum(mean_correlations(samples), 0.0) if correlated else np.zeros(samples.n_samples)
    sound = (r <= 1.0 - NEGLIGIBLE) & (sample_sd(samples.scar) > 0)
    stars = scar_star(samples.scar, np.minimum(r, 1.0)).reshape(-1, 1)
    unscaled = _unchanged_windows(samples.data)
    return RankedDays(stars.shape, partial(np.take, stars, axis=0), slice(None), unscaled=unscaled), sound


def _each(ranked: Callable[[TestInput], RankedDays], samples: Samples) -> tuple[RankedDays, BoolArray]:
    """Event days that do not depend on the other events of a sample."""
    return ranked(samples.data), np.ones(samples.n_samples, dtype=bool)


#: `RANK_SETS` of many samples, with the samples whose test is defined.
SAMPLE_SETS: dict[str, Callable[[Samples], tuple[RankedDays, BoolArray]]] = {
    "rank": partial(_each, _corrado),
    "rank_zivney": _zivney_of,
    "sign_zivney": partial(_each, _signs),
    "grank_t": partial(_generalised_of, correlated=True),
    "grank_z": partial(_generalised_of, correlated=False),
    "cumrank": partial(_each, _cumulated),
}


def sample_profiles(samples: Samples) -> dict[str, tuple[RankProfile | SignProfile, BoolArray]]:
    """Profiles of all of `RANK_SETS`, by sample, and the samples whose tests are defined; (M,).

    One sort of the estimation days and of all event days serves all of them.
    """

    def compute() -> dict[str, tuple[RankProfile | SignProfile, BoolArray]]:
        sets = {name: of(samples) for name, of in SAMPLE_SETS.items()}
        scale = np.sqrt(samples.data.abnormal.s2)
        reduction = RankReducer({name: ranked for name, (ranked, _) in sets.items()}, scale, samples.size)
        for rows in whole_samples(samples):
            chunk = ResidualChunk.of(rows, samples.residuals[rows])
            reduction.update(reduction.map(chunk))
        found = {}
        for name, made in reduction.result().items():
            sound = sets[name][1]
            if isinstance(made, RankProfile):
                sound = sound & (made.spread > 0) & (made.n_days - made.n_tested >= 2)
            found[name] = made, sound
        return found

    return memo(samples, "rank_profiles", compute)


def whole_samples(samples: Samples) -> Iterator[IntArray]:
    """Events of some samples at a time, whose windows stay in the cache of one core."""
    step = max(1, lazy.CHUNK // samples.size) * samples.size
    n = samples.n_samples * samples.size
    return (np.arange(begin, min(begin + step, n)) for begin in range(0, n, step))


def read_profiles(
    data: TestInput, names: Iterable[str], kept: dict[int, ResidualChunk] | None = None
) -> None:
    """Read the profiles of several of `RANK_SETS` in one pass, each once.

    Parameters
    ----------
    data : TestInput
        Events with a CAR and a residual variance.
    names : iterable of str
    kept : dict, optional
        Residuals that a pass has kept; see `read_residuals`.
    """
    # Cumulated ranks take the variances of all days, from which the others then take theirs.
    wanted = sorted(
        (name for name in names if name not in data._readings), key=lambda name: name != "cumrank"
    )
    ranked = {name: RANK_SETS[name](data) for name in wanted}
    data._readings.update({name: reason for name, reason in ranked.items() if isinstance(reason, str)})
    sets = {name: days for name, days in ranked.items() if not isinstance(days, str)}
    if sets:
        reduction = RankReducer(sets, np.sqrt(data.abnormal.s2))
        data._readings.update(residual_pass.read_residuals(data.abnormal, [reduction], kept)[0])


def profile(data: TestInput, name: str) -> RankProfile | SignProfile | str:
    """Profile of one of `RANK_SETS`, or the reason why its test is undefined.

    Parameters
    ----------
    data : TestInput
        Events with a CAR and a residual variance.
    name : str
    """
    fit = data.abnormal
    if name not in data._readings and len(fit.ar) > residual_pass.FEW:
        read_profiles(data, [name])
    elif name not in data._readings:
        ranked = RANK_SETS[name](data)
        if isinstance(ranked, str):
            return ranked
        past = fit.past.residuals() / np.sqrt(fit.s2)[:, None]
        every = np.arange(len(past))
        event = ranked.values(every)
        if ranked.unscaled is not None:
            tie_with_past(past, event, ranked.unscaled(every))
        made = sign_profile(past, event) if ranked.signs else rank_profile(past, event, ranked.tested)
        data._readings[name] = made
    found: RankProfile | SignProfile | str = data._readings[name]
    if isinstance(found, RankProfile):
        outside = found.n_days - found.n_tested
        if found.spread == 0:
            return "average ranks do not vary over the days"
        if outside < 2:
            return f"only {outside} days outside of the window to rank among"
    return found
