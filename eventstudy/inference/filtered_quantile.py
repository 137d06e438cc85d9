"""Sample-quantile tests on errors over their own volatility: one event, one date or several dates.

Formulas and sources: docs/methods/portfolio.md, eqs. (ewma), (filtered-quantile), (filtered-score) and
(filtered-t).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.distributions import counted_p_value, norm_ppf
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.dependence.mean_correlation import correlation_matrix
from eventstudy.inference.dependence.near_pairs import near_dates, pair_correlations
from eventstudy.inference.engine.filtered_past import (
    ENDS_EARLY,
    FEWEST_BLOCKS,
    FEWEST_DAYS,
    ewma_volatility,
    no_forecast,
    past_errors,
)
from eventstudy.inference.engine.moments import known
from eventstudy.inference.engine.unchanged_prices import unchanged_share
from eventstudy.inference.power_and_detectable_effect import LEVEL, least_effect
from eventstudy.inference.samples import Dates, Samples, Statistics
from eventstudy.inference.selection import date_groups, n_windows, overlap_note
from eventstudy.inference.significance_test import SignificanceTest
from eventstudy.lazy import memo

__all__ = [
    "FILTERED_TESTS",
    "FilteredDates",
    "filtered_dates",
    "filtered_sums",
    "least_score_effect",
    "quantile_score",
    "signed_quantile",
]

#: A series is held for each date.
MOST_DATES = 1000
#: With fewer dates than this the scores of large effects are not normally distributed.
FEW_DATES = 6
#: Draws of the dates by which a detectable effect is found.
SCORED = 1000
#: With this share of past days without a price change, and a mean return of a twentieth of a standard
#: deviation, scores of one hundred events reject about 8% of true nulls.
MOST_UNCHANGED = 0.65
#: Blocks from which on a rank reaches 5%.
ENOUGH_BLOCKS = 19


def filtered_sums(series: FloatArray, volatility: FloatArray, length: int) -> FloatArray:
    r"""Add up blocks of L days that share none, over the volatility forecast before each block.

    .. math:: q_b = \frac{\sum_{l=1}^{L} u_{b+l}}{\sqrt L\, \sigma_{b+1}}

    Parameters
    ----------
    series, volatility : arrays, shape (T,) or (T, m)
        Errors, oldest first, without gaps; and the forecast of each day's volatility.
    length : int
        L. Blocks are cut from the end; an incomplete first block is not used.

    Returns
    -------
    array, shape (T // L,) or (T // L, m)

    Examples
    --------
    >>> series, volatility = np.array([9.0, 1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 2.0, 2.0, 2.0])
    >>> filtered_sums(series, volatility, 2).round(3).tolist()
    [2.121, 2.475]
    """
    first = np.arange(len(series) % length, len(series), length)
    blocks = series[len(series) % length :].reshape(-1, length, *series.shape[1:]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(blocks / (np.sqrt(length) * volatility[first]))


def signed_quantile(value: float, pool: FloatArray, alternative: Alternative = "two-sided") -> float:
    """P-value ``(1 + b) / (B + 1)`` of a value among B values of its past; two-sided by size.

    Examples
    --------
    >>> signed_quantile(-3.0, np.linspace(-2.0, 2.0, 99))
    0.01
    """
    extreme = {
        "less": pool <= value,
        "greater": pool >= value,
        "two-sided": np.abs(pool) >= abs(value),
    }[alternative]
    return float(counted_p_value(value, extreme))


def quantile_score(value: float, pool: FloatArray) -> float:
    r"""Return the normal score of a value among its past: the normal quantile of its mid-rank.

    .. math:: z = \Phi^{-1}\!\left(\frac{\#\{q_b < q\} + \#\{q_b = q\} / 2 + 1/2}{B + 1}\right)

    Under the null that `value` and pool are exchangeable, z is a normal score drawn at random, with mean
    zero and a variance just below one; the scores of G independent dates add to a normal sum
    (Stouffer et al. 1949): ``sum(z) / sqrt(G)``.

    Examples
    --------
    >>> round(quantile_score(10.0, np.arange(9.0)), 4)
    1.6449
    """
    below = (pool < value).sum() + 0.5 * (pool == value).sum()
    return float(special.ndtri((below + 0.5) / (len(pool) + 1)))


@dataclass(frozen=True)
class FilteredDates:
    """Portfolios of the events of G dates, each over the volatility of its own past.

    Attributes
    ----------
    caar, weight : arrays, shape (G,)
        Mean CAR of the events of each date, and their share of all events.
    scale : array, shape (G,)
        Forecast of the standard deviation of the mean CAR: volatility on the day before the tested window
        times the root of the days, widened by the parameter error.
    pools : tuple of array
        Past sums of as many days over their forecast, in which that parameter error plays no part. They
        share no day.
    spread : array, shape (G,)
        Root mean square of all such sums, whether or not they share days.
    correlation : array, shape (G, G)
        Of the mean CARs: share of common days times correlation of the estimation residuals.
    length : int
        Days of the longest of the windows.
    until_window : bool
        Whether the past reaches up to the day before the event window.
    """

    caar: FloatArray
    weight: FloatArray
    scale: FloatArray
    pools: tuple[FloatArray, ...]
    spread: FloatArray
    correlation: FloatArray
    length: int
    until_window: bool

    @property
    def scores(self) -> FloatArray:
        """Normal score of each date among its own past, shape (G,)."""
        return np.array(
            [quantile_score(c / s, p) for c, s, p in zip(self.caar, self.scale, self.pools, strict=True)]
        )

    def t(self) -> tuple[float, float, float]:
        """Mean CAR over its standard error: statistic, standard error and degrees of freedom.

        The variance of all sums, of which neighbours share days, is known as well as that of half as many
        again that share none.
        """
        blocks = (1.5 if self.length > 1 else 1.0) * np.array([len(pool) for pool in self.pools])
        part = self.weight * self.scale * self.spread
        variance, own = float(part @ self.correlation @ part), part**2
        se = np.sqrt(variance) if variance > 0 else np.nan
        dof = own.sum() ** 2 / (own**2 / (blocks - 1)).sum()
        return float(self.weight @ self.caar) / se, float(se), float(dof)


def filtered_dates(data: TestInput) -> FilteredDates | str:
    """Put the portfolio of each date over its volatility, or say why that cannot be done.

    The past of a portfolio is the mean, over its available events, of ``e / sqrt(1 - h)`` on the estimation
    days, then of the abnormal returns up to the day before the tested window, or before day 0 if that is
    earlier. Nights and breaks of bars are not in it.
    """
    return memo(data, "filtered_dates", lambda: _filtered_dates(data))


def _filtered_dates(data: TestInput) -> FilteredDates | str:
    reason = no_forecast(data.abnormal)
    if reason is not None:
        return reason
    groups = date_groups(data)
    n_dates = int(groups.max()) + 1
    if n_dates > MOST_DATES:
        return f"holds a series for each date, and there are {n_dates} dates"
    series, residuals = _portfolios(data, groups, n_dates)
    fit, count = data.abnormal, np.bincount(groups)
    volatility = ewma_volatility(series)
    spans = fit.span[:, data.cols].sum(axis=1).astype(np.float64)
    # One session stands for each day, also where a halt lumps several into one return.
    if (spans == spans[0]).all():
        length = np.full(n_dates, max(int(spans[0]), 1))
    else:
        length = np.array([max(int(np.median(spans[groups == g])), 1) for g in range(n_dates)])
    widened = np.bincount(groups, data.scale_of_sums) / count
    pools: list[FloatArray] = [np.zeros(0)] * n_dates
    spread = np.zeros(n_dates)
    seen = ~np.isnan(series)
    # Dates with the same past days, as most have, are computed together.
    for alike in _alike(seen, length):
        days, width = seen[:, alike[0]], int(length[alike[0]])
        if days.sum() < FEWEST_DAYS:
            return f"a date has only {int(days.sum())} past days"
        own, forecast = series[np.ix_(days, alike)], volatility[:-1][np.ix_(days, alike)]
        for g, pool in zip(alike, filtered_sums(own, forecast, width).T, strict=True):
            pools[g] = pool[np.isfinite(pool)]
            if len(pools[g]) < FEWEST_BLOCKS:
                return f"the past has {len(pools[g])} blocks of {width} days"
        sums = np.lib.stride_tricks.sliding_window_view(own, width, axis=0).sum(axis=-1)
        known = forecast[: len(sums)] > 0
        ratio = np.divide(sums, forecast[: len(sums)], out=np.zeros_like(sums), where=known)
        spread[alike] = np.sqrt((ratio**2).sum(axis=0) / np.maximum(width * known.sum(axis=0), 1))
    caar, scale = np.bincount(groups, data.car) / count, volatility[-1] * np.sqrt(widened)
    if not (scale > 0).all():
        return "average abnormal returns of a date do not vary before the event"
    correlation = np.eye(n_dates)
    if n_dates > 1 and overlap_note(data):
        _, first = np.unique(groups, return_index=True)
        days = fit.past.dates(first)
        correlation = correlation_matrix(residuals, days, data.covered_dates[first])
    return FilteredDates(
        caar,
        count / count.sum(),
        scale,
        tuple(pools),
        spread,
        correlation,
        int(length.max()),
        fit.between is not None,
    )


def _alike(seen: BoolArray, length: IntArray) -> list[IntArray]:
    """Positions of the dates, columns of `seen`, with the same past days and window, for each such set."""
    keys = np.concatenate(
        [np.packbits(seen, axis=0).T, length.view(np.uint8).reshape(len(length), -1)], axis=1
    )
    _, label = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_inverse=True)
    return [np.flatnonzero(label == number) for number in range(int(label.max(initial=-1)) + 1)]


def _portfolios(data: TestInput, groups: IntArray, n_dates: int) -> tuple[FloatArray, FloatArray]:
    """Mean scaled error of each past day and date, shape (T, G), and mean residual, shape (G, W)."""
    fit = data.abnormal
    total: list[FloatArray] = []
    for rows in lazy.chunks(fit.n_events):
        which = np.arange(fit.n_events)[rows]
        raw = fit.past.residuals(which)
        values = np.concatenate([past_errors(data, raw, which), raw], axis=1)
        seen = ~np.isnan(values)
        both = np.concatenate([np.where(seen, values, 0.0), seen], axis=1)
        sums = np.zeros((n_dates, both.shape[1]))
        np.add.at(sums, groups[rows], both)
        total = [total[0] + sums] if total else [sums]
    width = total[0].shape[1] // 2
    count = total[0][:, width:]
    mean = np.where(count > 0, total[0][:, :width] / np.maximum(count, 1), np.nan)
    own = raw.shape[1]
    return mean[:, : width - own].T, mean[:, width - own :]


def _shortage(data: TestInput) -> str | None:
    found = filtered_dates(data)
    return found if isinstance(found, str) else None


def _known(data: TestInput) -> FilteredDates:
    found = filtered_dates(data)
    assert isinstance(found, FilteredDates)  # the condition of both tests
    return found


def _until(found: FilteredDates) -> str:
    return "" if found.until_window else ENDS_EARLY


def _filtered_sq(data: TestInput, options: Options) -> Statistic:
    found = _known(data)
    _, se, _ = found.t()
    estimate = float(data.car.mean())
    if len(found.pools) == 1:
        pool, value = found.pools[0], float(found.caar[0] / found.scale[0])
        p = signed_quantile(value, pool, options.alternative)
        note = f"rank among {len(pool)} past sums over their own volatility{_until(found)}"
        if len(pool) < ENOUGH_BLOCKS:
            note += f"; p cannot fall below {1 / (len(pool) + 1):.3f}"
        return Statistic(value, p, "rank", None, estimate, note, {"null": pool})
    weight = found.weight * found.scale
    variance = float(weight @ found.correlation @ weight)
    if not variance > 0:
        return not_applicable("the correlation of the dates leaves their sum no variance")
    z = float(weight @ found.scores / np.sqrt(variance))
    note = f"normal scores of {len(found.pools)} dates, each among its own past{_until(found)}"
    return Statistic(
        z, p_value(z, options.alternative), "normal", None, estimate, note, {"standard_error": se}
    )


def _filtered_t(data: TestInput, options: Options) -> Statistic:
    found = _known(data)
    t, se, dof = found.t()
    if np.isnan(se):
        return not_applicable("the correlation of the dates leaves their sum no variance")
    note = f"divides by the volatility forecast made the day before the window{_until(found)}"
    p = p_value(t, options.alternative, dof)
    return Statistic(t, p, "t", dof, float(data.car.mean()), note)


def _finds(data: TestInput, found: Statistic, options: Options) -> float | None:
    dates = _known(data)
    if not 1 < len(dates.pools) < FEW_DATES or overlap_note(data):
        return None
    return least_score_effect(dates, options.alternative)


def least_score_effect(dates: FilteredDates, alternative: Alternative = "two-sided") -> float:
    """Smallest CAR that the sum of the normal scores of a few dates finds with probability 0.8.

    Scores of few dates are far from normally distributed under an effect, as each is bounded by its number of
    past sums; so 1,000 draws of the dates from their own past are moved by one effect after another. Of a
    two-sided test it is that of the worse direction; infinite where the bounds do not allow it.

    Parameters
    ----------
    dates : FilteredDates
        Dates that share no day.
    alternative : {"two-sided", "less", "greater"}
    """
    rng = np.random.default_rng(0)
    weight = dates.weight * dates.scale
    weight = weight / np.sqrt(weight @ weight)
    critical = norm_ppf(1.0 - (LEVEL / 2.0 if alternative == "two-sided" else LEVEL))
    drawn = [np.sort(pool)[rng.integers(len(pool), size=SCORED)] for pool in dates.pools]
    found = []
    for side in (1.0, -1.0):
        if alternative == {1.0: "less", -1.0: "greater"}[side]:
            continue

        def power(effect: float, side: float = side) -> float:
            scores = [
                _scores(np.sort(side * pool), side * values + effect / scale)
                for pool, values, scale in zip(dates.pools, drawn, dates.scale, strict=True)
            ]
            return float((weight @ np.array(scores) >= critical).mean())

        found.append(least_effect(power, float(dates.scale.max())))
    return max(found)


def _scores(pool: FloatArray, values: FloatArray) -> FloatArray:
    """Return normal scores of values in a sorted past, as `quantile_score` has that of one."""
    below = (np.searchsorted(pool, values, "left") + np.searchsorted(pool, values, "right")) / 2.0
    return np.asarray(special.ndtri((below + 0.5) / (len(pool) + 1)))


@dataclass(frozen=True)
class _SampleDates:
    """The past of the G dates of M samples: what `FilteredDates` holds of the dates of one.

    Attributes
    ----------
    pools : array, shape (B, G)
        NaN where a date has fewer past sums.
    spread, volatility : arrays, shape (G,)
        The latter of the day before the tested window, without the parameter error.
    first, second : arrays of int, shape (P,)
        Pairs of dates that share days.
    correlation : array, shape (P,)
    sound : array of bool, shape (M,)
        Samples of which each date has past days and sums enough.
    """

    pools: FloatArray
    spread: FloatArray
    volatility: FloatArray
    first: IntArray
    second: IntArray
    correlation: FloatArray
    sound: BoolArray

    @property
    def n_blocks(self) -> IntArray:
        """Past sums of each date, shape (G,)."""
        count: IntArray = (~np.isnan(self.pools)).sum(axis=0)
        return count

    def variance(self, part: FloatArray, dates: Dates) -> FloatArray:
        """Variance of the sum over the dates of each sample of errors of standard deviation `part`; (M,)."""
        cross = 2.0 * self.correlation * part[self.first] * part[self.second]
        own = dates.by_sample(part**2)
        return own + np.bincount(dates.sample[self.first], cross, minlength=len(own))


def _pasts(samples: Samples) -> _SampleDates:
    dates, length = samples.dates, len(samples.data.window)
    series = np.ascontiguousarray(_date_means(samples.past_errors, dates).T)
    volatility = ewma_volatility(series)
    forecast, seen = volatility[:-1], ~np.isnan(series)
    # Days that a date lacks go first, where no block reaches; the others keep their order.
    holed = np.flatnonzero(~seen.all(axis=0))
    if len(holed):
        order = np.argsort(seen[:, holed], axis=0, kind="stable")
        for values in (series, forecast):
            values[:, holed] = np.take_along_axis(values[:, holed], order, axis=0)
    pools = filtered_sums(series, forecast, length)
    pools[~np.isfinite(pools)] = np.nan
    sums = series[: len(series) - length + 1].copy()
    for k in range(1, length):
        sums += series[k : len(series) - length + 1 + k]
    known = (forecast[: len(sums)] > 0) & ~np.isnan(sums)
    ratio = np.divide(sums, forecast[: len(sums)], out=np.zeros(sums.shape), where=known)
    spread = np.sqrt((ratio**2).sum(axis=0) / np.maximum(length * known.sum(axis=0), 1))
    first, second, lag = near_dates(dates, length)
    correlation = np.zeros(0)
    if len(first):
        own = _date_means(samples.residuals, dates)
        correlation = (1.0 - lag / length) * pair_correlations(own, first, second, lag)
    enough = (seen.sum(axis=0) >= FEWEST_DAYS) & ((~np.isnan(pools)).sum(axis=0) >= FEWEST_BLOCKS)
    sound = np.logical_and.reduceat(enough, dates.first)
    return _SampleDates(pools, spread, volatility[-1], first, second, correlation, sound)


def _date_means(values: FloatArray, dates: Dates) -> FloatArray:
    """Mean over the available events of each date, shape (N, T) -> (G, T); NaN where there is none."""
    if len(dates.start) == len(dates.order):
        return values[dates.order]
    seen = ~np.isnan(values)
    count = dates.total(seen.astype(np.float64))
    total = dates.total(np.where(seen, values, 0.0))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _filtered_of(samples: Samples) -> tuple[_SampleDates, FloatArray, FloatArray, FloatArray, BoolArray]:
    """Pasts of the dates, their mean CARs, scales and shares of events; and the samples of which all vary."""
    dates, data = samples.dates, samples.data
    past = samples.past("filtered", lambda: _pasts(samples))
    caar, widened = (dates.total(x) / dates.sizes for x in (data.cumulative.car, data.scale_of_sums))
    scale = past.volatility * np.sqrt(widened)
    varies = np.logical_and.reduceat(scale > 0, dates.first)
    return past, caar, scale, dates.sizes / samples.size, past.sound & varies


def _filtered_sq_of(samples: Samples, options: Options) -> Statistics:
    past, caar, scale, weight, sound = _filtered_of(samples)
    dates, value = samples.dates, caar / scale
    below = (past.pools < value).sum(axis=0) + 0.5 * (past.pools == value).sum(axis=0)
    scores = special.ndtri((below + 0.5) / (past.n_blocks + 1))
    variance = past.variance(weight * scale, dates)
    z = dates.by_sample(weight * scale * scores) / np.sqrt(np.where(variance > 0, variance, np.nan))
    found = Statistics.of(z, options, samples.car.mean(axis=1), where=sound)
    for i in np.flatnonzero((dates.count == 1) & sound).tolist():
        date = dates.first[i]
        found.statistic[i] = value[date]
        found.p_value[i] = signed_quantile(value[date], known(past.pools[:, date]), options.alternative)
    return found


def _filtered_t_of(samples: Samples, options: Options) -> Statistics:
    past, caar, scale, weight, sound = _filtered_of(samples)
    dates, part = samples.dates, weight * scale * past.spread
    variance = past.variance(part, dates)
    own = part**2
    blocks = (1.5 if len(samples.data.window) > 1 else 1.0) * past.n_blocks
    dof = dates.by_sample(own) ** 2 / dates.by_sample(own**2 / (blocks - 1))
    t = dates.by_sample(weight * caar) / np.sqrt(np.where(variance > 0, variance, np.nan))
    return Statistics.of(t, options, samples.car.mean(axis=1), dof, where=sound)


def _misled_by_unchanged_prices(data: TestInput) -> str:
    """Say that past days repeat one abnormal return; it misleads a test of one day and several dates."""
    if len(data.window) > 1 or n_windows(data) < 2:
        return ""
    share = unchanged_share(data.with_car.abnormal, data.with_car.cols)
    if share < MOST_UNCHANGED:
        return ""
    return (
        f"{share:.0%} of past days have one abnormal return, as where prices do not change: with so many it "
        "can reject far too often; rank and cumrank_t hold"
    )


FILTERED_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "filtered_sq", "Filtered sample-quantile test",
        "the mean CAR is drawn like past sums over their own volatility",
        "rank among past sums, or N(0,1) of several dates", frozenset({"cross-correlation", "non-normality"}),
        "Gelbach, Helland and Klick (2013); Barone-Adesi, Giannopoulos and Vosper (1999)", _filtered_sq,
        condition=_shortage, needs_variance=True, rows_alike=True, least=1, unit="CAR", finds=_finds,
        misled=_misled_by_unchanged_prices, batch=_filtered_sq_of,
    ),
    SignificanceTest(
        "filtered_t", "Portfolio t with updated volatility", "mean CAR is zero", "t(B-1)",
        frozenset({"cross-correlation"}), "Barone-Adesi, Giannopoulos and Vosper (1999)", _filtered_t,
        condition=_shortage, needs_variance=True, rows_alike=True, least=1, unit="CAR",
        batch=_filtered_t_of,
    ),
)  # fmt: skip
