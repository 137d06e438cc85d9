"""T of standardised CARs over the volatility of its own past: it allows for a more volatile event.

Formula and sources: docs/methods/standardized.md, eqs. (filtered-bmp-past) to (filtered-bmp).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from eventstudy import lazy
from eventstudy._typing import FloatArray, IntArray
from eventstudy.distributions import t_ppf
from eventstudy.inference.base import Options, Statistic, TestInput, p_value
from eventstudy.inference.engine.filtered_past import (
    ENDS_EARLY,
    FEWEST_BLOCKS,
    FEWEST_DAYS,
    ewma_volatility,
    no_forecast,
    past_errors,
)
from eventstudy.inference.engine.moments import NEGLIGIBLE, mean_t, sample_sd
from eventstudy.inference.samples import Samples, Statistics
from eventstudy.inference.selection import misled_by_halts
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.lazy import memo

__all__ = ["FILTERED_BMP_TESTS", "least_p_value", "normal_score"]

#: Rounding noise of a share.
SAME = 1e-9


def normal_score(t: FloatArray, dof: FloatArray | float) -> FloatArray:
    r"""Turn a t into a variable that is nearly N(0, 1) where the t is t(dof).

    .. math:: v = \operatorname{sgn}(t)\, \frac{8\nu + 1}{8\nu + 3} \sqrt{\nu \ln(1 + t^2 / \nu)}

    Parameters
    ----------
    t : array
    dof : float or array
        Of the shape of `t`, or one that goes with it.

    Returns
    -------
    array, shape of `t`

    References
    ----------
    Wallace (1959), Annals of Mathematical Statistics 30, 1121-1130.

    Examples
    --------
    >>> normal_score(np.array([2.571, -2.0096]), np.array([5, 49])).round(2).tolist()
    [1.96, -1.96]
    """
    near = (8.0 * dof + 1.0) / (8.0 * dof + 3.0)
    return np.asarray(np.sign(t) * near * np.sqrt(dof * np.log1p(t**2 / dof)))


@dataclass(frozen=True)
class _CrossSection:
    """Moments of the standardised sums of each past window of M samples.

    Attributes
    ----------
    count, total, squares : arrays, shape (T, M)
    days : array, shape (L, T, M)
        For each day of the window, the sum over the events with an error on it of 1 / sqrt(d), where d is the
        number of errors that the event has in the window.
    """

    count: FloatArray
    total: FloatArray
    squares: FloatArray
    days: FloatArray

    @classmethod
    def of(cls, errors: FloatArray, length: int, n_samples: int = 1) -> _CrossSection:
        """Add up windows of L days of standardised errors, shape (M n, T), over the root of their days."""
        seen = ~np.isnan(errors)
        complete = bool(seen.all())
        if complete:
            sums = _windows(errors, length) / np.sqrt(length) if length > 1 else errors
        else:
            known = np.rint(_windows(seen.astype(np.float64), length))
            weight = 1.0 / np.sqrt(np.maximum(known, 1.0))
            sums = _windows(np.where(seen, errors, 0.0), length) * weight
        by_sample = sums.reshape(n_samples, -1, sums.shape[1])
        if complete:
            count = np.full(by_sample.shape[::2], float(by_sample.shape[1]))
            days = np.broadcast_to(count / np.sqrt(length), (length, *count.shape))
        else:
            count = (known > 0).reshape(by_sample.shape).sum(axis=1, dtype=np.float64)
            days = np.empty((length, *count.shape))
            for day, out in enumerate(days):
                part = np.where(seen[:, day : day + sums.shape[1]], weight, 0.0)
                part.reshape(by_sample.shape).sum(axis=1, out=out)
        squares = np.einsum("mnt,mnt->mt", by_sample, by_sample)
        return cls(count.T, by_sample.sum(axis=1).T, squares.T, days.transpose(0, 2, 1))

    def __add__(self, other: _CrossSection) -> _CrossSection:
        return _CrossSection(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def t(self) -> tuple[FloatArray, FloatArray]:
        """Compute the t of each mean, NaN of fewer than two events or without spread, and its dof."""
        count = np.maximum(self.count, 2.0)
        mean = self.total / count
        about_mean = self.squares - self.total * mean
        known = (self.count >= 2.0) & (about_mean > NEGLIGIBLE * self.squares)
        t = mean / np.sqrt(np.where(known, about_mean, 1.0) / (count * (count - 1.0)))
        return np.where(known, t, np.nan), count - 1.0

    def shared(self) -> FloatArray:
        """Return the share of their days that two events have in common, over all pairs; (T, M)."""
        pairs = np.maximum(self.count * (self.count - 1.0), 1.0)
        found = ((self.days**2).sum(axis=0) - self.count) / pairs
        return np.where(np.abs(found - 1.0) < SAME, 1.0, found)


def _windows(values: FloatArray, length: int) -> FloatArray:
    """Add up L neighbouring columns, shape (N, T) -> (N, T - L + 1)."""
    if length == 1:
        return values
    total = np.cumsum(values, axis=1)
    sums = total[:, length - 1 :].copy()
    sums[:, 1:] -= total[:, :-length]
    return sums


@dataclass(frozen=True)
class _Past:
    """What the past of M samples says of the scores of windows of L days: arrays of shape (M,).

    Attributes
    ----------
    scale, events : array
        Median size of the daily t over that of Student's, which correlation makes larger, and the median
        number of events of these days.
    usual : array
        Forecast of the size of the score of the tested window: the volatility of daily scores on the day
        before it, times the root mean square of past windows over the forecast before each.
    days, blocks : arrays of int
        Past days with a score, and the windows that they hold side by side.
    length : int
        L.
    """

    scale: FloatArray
    events: FloatArray
    usual: FloatArray
    days: IntArray
    blocks: IntArray
    length: int

    @classmethod
    def of(cls, sums: list[_CrossSection], length: int) -> _Past:
        """Put the score of each past window over the volatility of the daily ones before it."""
        daily, dof = sums[0].t()
        days = (~np.isnan(daily)).sum(axis=0)
        middle = np.maximum(days - 1, 0) // 2
        # As a rule no event misses a day, and one quantile serves all days.
        quartile = t_ppf(0.75, dof.flat[0] if (dof == dof.flat[0]).all() else dof)
        scale = _at(np.abs(daily) / quartile, middle)
        scale = np.where(scale > 0, scale, 1.0)
        events = _at(np.where(np.isnan(daily), np.nan, dof + 1.0), middle)
        volatility = ewma_volatility(normal_score(daily / _scale_of(dof + 1.0, 1.0, scale, events), dof))
        several, its_dof = (daily, dof) if len(sums) == 1 else sums[1].t()
        windows = normal_score(several / _scale_of(its_dof + 1.0, sums[-1].shared(), scale, events), its_dof)
        forecast = volatility[: len(windows)]
        known = (forecast > 0) & ~np.isnan(windows)
        ratio = np.divide(windows, forecast, out=np.zeros(windows.shape), where=known)
        spread = np.sqrt((ratio**2).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
        return cls(scale, events, volatility[-1] * spread, days, days // length, length)

    def statistic(self, scaled: FloatArray) -> FloatArray:
        """Put the normal score of the BMP t of SCARs (M, N) over its usual size."""
        n = scaled.shape[-1]
        scale = _scale_of(n, 1.0, self.scale, self.events)
        return normal_score(mean_t(scaled) / scale, n - 1.0) / self.usual

    @property
    def dof(self) -> FloatArray:
        """Degrees of freedom: windows that share days say as much as half as many again that share none."""
        return np.asarray((1.5 if self.length > 1 else 1.0) * self.blocks - 1.0)


def _at(values: FloatArray, place: IntArray) -> FloatArray:
    """Return the value of each column, shape (T, M), at its place in ascending order."""
    ordered = np.sort(values, axis=0)  # missing ones come last
    return np.asarray(np.take_along_axis(ordered, place[None], axis=0)[0])


def _scale_of(
    n: FloatArray | float, shared: FloatArray | float, scale: FloatArray, events: FloatArray
) -> FloatArray:
    r"""Return how many times as large correlation makes the t of n events that share some of their days.

    .. math:: c_n^2 = \frac{1 + (n - 1) \rho \tau}{1 - \rho \tau}, \qquad
              \rho = \frac{c^2 - 1}{c^2 + \bar n - 1}

    for the share tau of their days that two events have in common, where c is that of `events` events which
    share all. Where c is below 1, it is c.
    """
    together = shared * np.maximum(scale**2 - 1.0, 0.0) / (scale**2 + events - 1.0)
    varied = np.sqrt((1.0 + (n - 1.0) * together) / (1.0 - together))
    usual = ((n == events) & (shared == 1.0)) | (scale <= 1.0)
    return np.where(usual, scale, varied)


def _past(data: TestInput) -> _Past:
    return memo(data, "filtered_bmp", lambda: _past_of(data))


def _past_of(data: TestInput) -> _Past:
    fit = data.abnormal
    # One session stands for each day, also where a halt lumps several into one return.
    length = max(int(np.median(fit.span[:, data.cols].sum(axis=1))), 1)
    sums: list[_CrossSection] = []
    for rows in lazy.chunks(fit.n_events):
        which = np.arange(fit.n_events)[rows]
        part = _cross_sections(past_errors(data, fit.past.residuals(which), which), fit.s2[which], length)
        sums = [old + new for old, new in zip(sums, part, strict=True)] if sums else part
    return _Past.of(sums, length)


def _cross_sections(
    errors: FloatArray, s2: FloatArray, length: int, n_samples: int = 1
) -> list[_CrossSection]:
    """Cross-sections of the past days and, if the tested window has several, of past windows."""
    scaled = errors / np.sqrt(s2[:, None])
    lengths = [1] if length == 1 else [1, min(length, errors.shape[1])]
    return [_CrossSection.of(scaled, each, n_samples) for each in lengths]


def least_p_value(data: TestInput) -> float:
    """Two-sided p-value as a CAR that all events have in common grows without bound.

    It stays above zero if the events' standard deviations differ: the same CAR is then a different SCAR for
    each event, so the spread of the SCARs grows with their mean.

    Parameters
    ----------
    data : TestInput
        Events to which the test applies.
    """
    past, precision = _past(data), 1.0 / np.sqrt(data.abnormal.s2 * data.scale_of_sums)
    if sample_sd(precision) == 0:
        return 0.0
    return p_value(float(past.statistic(precision[None])[0]), "two-sided", float(past.dof[0]))


def _shortage(data: TestInput) -> str | None:
    reason = no_forecast(data.abnormal)
    if reason is not None:
        return reason
    past = _past(data)
    if past.days[0] < FEWEST_DAYS:
        return f"only {past.days[0]} past days have abnormal returns of two events that differ"
    if past.blocks[0] < FEWEST_BLOCKS:
        return f"the past has {past.blocks[0]} blocks of {past.length} days"
    if not past.usual[0] > 0:
        return "standardised abnormal returns add up to zero on each past day"
    return "all standardised CARs are equal" if sample_sd(_scaled(data)) == 0 else None


def _scaled(data: TestInput) -> FloatArray:
    """CARs over their standard deviations, were the errors independent, shape (N,)."""
    return data.car / np.sqrt(data.abnormal.s2 * data.scale_of_sums)


def _filtered_bmp(data: TestInput, options: Options) -> Statistic:
    past = _past(data)
    t, dof = float(past.statistic(_scaled(data)[None])[0]), float(past.dof[0])
    note = f"the events' correlation makes the BMP t of past days {past.scale[0]:.3g} times as large"
    note += ENDS_EARLY if data.abnormal.between is None else ""
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(data.scar.mean()), note)


def _filtered_bmp_of(samples: Samples, options: Options) -> Statistics:
    data, length = samples.data, len(samples.data.window)

    def compute() -> _Past:
        sums = _cross_sections(samples.past_errors, data.abnormal.s2, length, samples.n_samples)
        return _Past.of(sums, length)

    past, scaled = samples.past("filtered_bmp", compute), samples.by_sample(_scaled(data))
    enough = (past.days >= FEWEST_DAYS) & (past.blocks >= FEWEST_BLOCKS)
    sound = enough & (past.usual > 0) & (sample_sd(scaled) > 0)
    return Statistics.of(past.statistic(scaled), options, samples.scar.mean(axis=-1), past.dof, where=sound)


FILTERED_BMP_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "filtered_bmp", "BMP t over its own past", "mean standardised CAR is zero", "t(B-1)",
        frozenset({"event-induced variance", "cross-correlation"}),
        "Boehmer, Musumeci and Poulsen (1991); Barone-Adesi, Giannopoulos and Vosper (1999)", _filtered_bmp,
        condition=_shortage, needs_variance=True, rows_alike=True, misled=misled_by_halts,
        batch=_filtered_bmp_of,
    ),
)  # fmt: skip
