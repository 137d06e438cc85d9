"""Bootstrap tests on the cross-section of CARs: pairs, skewness-adjusted and wild.

Formulas and sources: docs/methods/bootstrap.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.inference.base import Alternative, Options, Statistic, TestInput, Weights, not_applicable
from eventstudy.inference.engine.calendar_days import date_numbers
from eventstudy.inference.engine.draws import TIE, draw_parts, equal_tails, resampled_p_value
from eventstudy.inference.engine.moments import NEGLIGIBLE, johnson_t, mean_t, sample_sd, skewness
from eventstudy.inference.power_and_detectable_effect import (
    LEVEL,
    POWER,
    expected_sd,
    expected_sd_of_sums,
    least_effect,
    minimum_detectable_effect,
    normal_draws,
)
from eventstudy.inference.significance_test import SignificanceTest

__all__ = [
    "RESAMPLING_TESTS",
    "clustered_t",
    "day_of_event",
    "johnson_bootstrap",
    "least_bootstrap_effect",
    "least_sign_effect",
    "pairs_bootstrap",
    "wild_bootstrap",
    "wild_weights",
]

#: With fewer dates than this, signs alone give no two-sided p-value below 5%.
ENOUGH_DATES = 6
#: More dates than this have more patterns of signs than the usual number of draws.
MOST_ENUMERATED = 9
#: Simulated samples, and resamples of each, by which a detectable effect is found.
SIGN_DRAWS, RESAMPLED = 500, 199
#: With fewer events than this a bootstrapped t has tails of its own in each sample.
FEW_TO_RESAMPLE = 20
#: Lyon, Barber and Tsai resample a quarter of the events, and never fewer than this.
FEWEST_DRAWN = 4


def pairs_bootstrap(values: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    r"""Bootstrapped t statistics of a mean, percentile-t, under the null; shape (n_resamples,).

    .. math:: t^* = \frac{\bar x^* - \bar x}{s^* / \sqrt N}

    for N values drawn with replacement. A resample of equal values has an infinite t.

    Parameters
    ----------
    values : array, shape (N,)
        CARs of events that do not depend on each other.
    n_resamples : int
    rng : numpy.random.Generator

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 12; docs/methods/bootstrap.md,
    eq. (pairs-bootstrap).

    Examples
    --------
    >>> t = pairs_bootstrap(np.array([0.01, 0.03, 0.02, -0.01]), 99, np.random.default_rng(0))
    >>> t.shape
    (99,)
    """
    n, mean = len(values), values.mean()
    parts = []
    for size in draw_parts(n_resamples, n):
        drawn = values[rng.integers(n, size=(size, n))]
        sd = drawn.std(axis=1, ddof=1)
        # For equal values it is zero up to rounding.
        sd[sd <= NEGLIGIBLE * np.abs(drawn[:, 0])] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            parts.append((drawn.mean(axis=1) - mean) * np.sqrt(n) / sd)
    return np.concatenate(parts)


def johnson_bootstrap(values: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Bootstrapped skewness-adjusted t statistics, centred at the mean; shape (n_resamples,).

    Resamples have a quarter as many values (four at least). One of equal values has no t and is drawn again.

    Parameters
    ----------
    values : array, shape (N,)
        Not all equal.
    n_resamples : int
    rng : numpy.random.Generator

    References
    ----------
    Lyon, Barber and Tsai (1999), Journal of Finance 54, 165-201; docs/methods/long_horizon.md,
    eq. (johnson-bootstrap).
    """
    size = max(len(values) // 4, FEWEST_DRAWN)
    mean = values.mean()
    parts = []
    for rows in draw_parts(n_resamples, size):
        while rows:
            drawn = values[rng.integers(len(values), size=(rows, size))]
            drawn = drawn[drawn.min(axis=1) < drawn.max(axis=1)]
            centred = (drawn.mean(axis=1) - mean) / drawn.std(axis=1, ddof=1)
            parts.append(johnson_t(size, centred, skewness(drawn)))
            rows -= len(drawn)
    return np.concatenate(parts)


def clustered_t(totals: FloatArray, sizes: FloatArray) -> float:
    r"""T statistic of a mean whose values depend on each other inside clusters.

    .. math:: t = \frac{\sum_d S_d}{\sqrt{\frac{G}{G-1} \sum_d (S_d - n_d \bar x)^2}}

    Parameters
    ----------
    totals, sizes : arrays, shape (G,)
        Sum and number of the values of each cluster. Clusters of one value give `mean_t`.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427;
    docs/methods/bootstrap.md, eq. (wild-bootstrap).

    Examples
    --------
    >>> round(clustered_t(np.array([0.01, 0.03, 0.02]), np.ones(3)), 4)
    3.4641
    """
    return float(_clustered(np.ones((1, len(totals))), totals, sizes)[0])


def wild_weights(
    n_resamples: int, n_clusters: int, rng: np.random.Generator, weights: Weights = "rademacher"
) -> FloatArray:
    """Draw external weights of mean 0 and variance 1, shape (n_resamples, n_clusters).

    ``"rademacher"`` are signs; ``"mammen"`` (1993) has two points that keep the third moment.
    """
    if weights == "rademacher":
        return np.asarray(2.0 * rng.integers(2, size=(n_resamples, n_clusters)) - 1.0, dtype=np.float64)
    root = np.sqrt(5.0)
    low = rng.random((n_resamples, n_clusters)) < (root + 1) / (2 * root)
    return np.asarray(np.where(low, (1 - root) / 2, (1 + root) / 2), dtype=np.float64)


def sign_patterns(n: int) -> FloatArray:
    """All patterns of n signs but that of ones alone, shape (2**n - 1, n).

    Examples
    --------
    >>> sign_patterns(2).tolist()
    [[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]
    """
    bits = np.arange(1, 2**n)[:, None] >> np.arange(n) & 1
    return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)


def wild_bootstrap(totals: FloatArray, sizes: FloatArray, weights: FloatArray) -> FloatArray:
    """Wild-bootstrap values of `clustered_t`: each cluster's sum times its weight; shape (B,).

    With signs as weights this imposes the null without centring, and is exact where the sums are
    symmetric about zero. Weights that keep skewness want centred sums ``S_d - n_d x-bar``.

    Parameters
    ----------
    totals, sizes : arrays, shape (G,)
        Sum and number of the values of each cluster: an event, or the events of one date.
    weights : array, shape (B, G)
        As from `wild_weights`.

    References
    ----------
    Wu (1986); Liu (1988); Cameron, Gelbach and Miller (2008) for clusters; docs/methods/bootstrap.md,
    eq. (wild-bootstrap).
    """
    return _clustered(weights, totals, sizes)


def _clustered(weights: FloatArray, totals: FloatArray, sizes: FloatArray) -> FloatArray:
    g = len(totals)
    above = weights @ totals
    mean = above / sizes.sum()
    # sum (w S - n m)^2, multiplied out so it takes products of matrices alone.
    product = weights @ (sizes * totals.T).T
    squares = weights**2 @ totals**2 - 2 * mean * product + mean**2 * (sizes**2).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / np.sqrt(g / (g - 1.0) * np.maximum(squares, 0.0)), dtype=np.float64)


def day_of_event(data: TestInput) -> IntArray:
    """Return the number of each usable event's tested window in order of dates; shape (n_events,)."""
    dates = date_numbers(data.with_car.tested_dates)
    return np.unique(dates, axis=0, return_inverse=True)[1].reshape(-1)


def _canonical(car: FloatArray) -> FloatArray:
    """Sort CARs by size, whatever their sign: draws then do not depend on the order of the events."""
    return car[np.lexsort((car, np.abs(car)))]


def _cars_differ(data: TestInput) -> str | None:
    return "all CARs are equal, so the cross-section has no variance" if sample_sd(data.car) == 0 else None


def _bootstrap(data: TestInput, options: Options) -> Statistic:
    car = _canonical(data.car)
    rng = options.generator("bootstrap")
    t = float(mean_t(car))
    null = pairs_bootstrap(car, options.n_resamples, rng)
    p = resampled_p_value(t, null, options.alternative)
    notes = [f"{options.n_resamples} resamples of the events"]
    extra: dict[str, object] = {"null": null}
    if len(car) > FEWEST_DRAWN:
        johnson = float(johnson_t(len(car), car.mean() / sample_sd(car), skewness(car)))
        draws = johnson_bootstrap(car, options.n_resamples, rng)
        adjusted = equal_tails(johnson, draws, options.alternative)
        extra |= {"johnson": johnson, "johnson_p_value": adjusted}
        notes.append(f"skewness-adjusted p = {adjusted:.3f} (Lyon, Barber and Tsai 1999)")
    return Statistic(t, p, "resampled", None, float(car.mean()), "; ".join(notes), extra)


def _several_dates(data: TestInput) -> str | None:
    if int(day_of_event(data).max()) == 0:
        n = data.n_events
        return f"all {n} events share one date, so there is one sign to draw; use block_bootstrap"
    return _cars_differ(data)


def _wild(data: TestInput, options: Options) -> Statistic:
    car, day = data.car, day_of_event(data)
    by_event = options.wild_by == "event"
    shared = by_event and int(day.max()) + 1 < len(car)
    if by_event:
        # By value: draws do not depend on the order of the events.
        car, day = _canonical(car), np.arange(len(car))
    sizes = np.bincount(day).astype(np.float64)
    g = len(sizes)
    totals = np.bincount(day, car).astype(np.float64)  # in the order of the dates, not of the events
    apart = totals - sizes * car.mean()
    if np.abs(apart).max() <= NEGLIGIBLE * np.abs(totals).max():
        return not_applicable("the CARs of all dates have the same mean, so the dates have no variance")
    t = clustered_t(totals, sizes)
    rng = options.generator("wild_bootstrap")
    signs = options.wild_weights == "rademacher"
    every = signs and 2**g <= options.n_resamples + 1
    if every:
        null = wild_bootstrap(totals, sizes, sign_patterns(g))
    else:
        draws = [
            wild_bootstrap(
                totals if signs else apart, sizes, wild_weights(size, g, rng, options.wild_weights)
            )
            for size in draw_parts(options.n_resamples, g)
        ]
        null = np.concatenate(draws)
    # Mammen's weights keep skewness, so the two tails of the draws differ.
    p = (resampled_p_value if signs else equal_tails)(t, null, options.alternative)
    weight = "a sign" if signs else "a weight of Mammen's"
    note = f"{weight} per event" if g == len(car) else f"{weight} for each of {g} dates"
    if shared:
        note += ", though events share dates: they are taken as independent"
    extra: dict[str, object] = {"null": null}
    if signs:
        # Of a two-sided test the observed pattern and its mirror image are equally extreme.
        least = 2.0 ** -(g - (options.alternative == "two-sided"))
        p = max(p, least)
        if g < ENOUGH_DATES:
            note += f"; {'all ' * every}{2**g} patterns of signs, so p does not fall below {least:.4g}"
        if least > LEVEL:
            extra["never"] = True
            note += ": it cannot reject at the 5% level"
    return Statistic(t, p, "resampled", None, float(car.mean()), note, extra)


def _units(data: TestInput, options: Options) -> IntArray:
    """Return the number of the cluster of each event, whose CARs share a weight."""
    return np.arange(data.n_events) if options.wild_by == "event" else day_of_event(data)


def _wild_finds(data: TestInput, found: Statistic, options: Options) -> float | None:
    """Find the detectable CAR by all patterns of signs, or by the t that many signs come close to."""
    if options.wild_weights != "rademacher":
        return None
    units = _units(data, options)
    sizes = np.bincount(units).astype(np.float64)
    g = len(sizes)
    if g > MOST_ENUMERATED:
        return minimum_detectable_effect(
            abs(found.estimate / found.statistic), g - 1, alternative=options.alternative
        )
    sd = expected_sd_of_sums(data, units)
    return None if sd is None else least_sign_effect(sd, sizes, options.alternative)


def least_sign_effect(sd: FloatArray, sizes: FloatArray, alternative: Alternative = "two-sided") -> float:
    """Smallest effect on each value that `wild_bootstrap` with all signs finds with probability 0.8.

    Sums of clusters with normally distributed errors are drawn 500 times, and of each all patterns of signs
    are compared with it, for one effect after another. Infinite where no pattern reaches 5%.

    Parameters
    ----------
    sd, sizes : arrays, shape (G,)
        Standard deviation of the error of each cluster's sum, and the number of its values.
    alternative : {"two-sided", "less", "greater"}

    Examples
    --------
    >>> round(least_sign_effect(np.full(6, 0.02), np.ones(6)), 3), least_sign_effect(np.ones(5), np.ones(5))
    (0.036, inf)
    """
    g = len(sd)
    patterns = sign_patterns(g)
    if alternative == "two-sided":
        patterns = patterns[patterns[:, -1] > 0]  # a pattern and its mirror image are equally extreme
    errors = sd * normal_draws(g)[:SIGN_DRAWS]
    most = int(np.floor(LEVEL * (len(patterns) + 1) + TIE)) - 1
    if most < 0:
        return np.inf

    def power(effect: float) -> float:
        sums = (errors + effect * sizes).T
        own = _clustered(np.ones((1, g)), sums, sizes)
        others = _clustered(patterns, sums, sizes)
        if alternative == "two-sided":
            own, others = np.abs(own), np.abs(others)
        extreme = others >= own - TIE * np.abs(own)
        return float((extreme.sum(axis=0) <= most).mean())

    return least_effect(power, float(sd.sum() / sizes.sum()))


def _bootstrap_finds(data: TestInput, found: Statistic, options: Options) -> float | None:
    sd = expected_sd(data) if data.n_events < FEW_TO_RESAMPLE else None
    return None if sd is None else least_bootstrap_effect(sd, options.alternative)


def least_bootstrap_effect(sd: FloatArray, alternative: Alternative = "two-sided") -> float:
    """Smallest effect on N values that the bootstrapped t of their mean finds with probability 0.8.

    As `least_mean_effect`, with a critical value of each of 500 draws from 199 resamples of its own. Infinite
    where too many resamples hold equal values alone.

    Parameters
    ----------
    sd : array, shape (N,)
        Standard deviation of each value.
    alternative : {"two-sided", "less", "greater"}
    """
    n, rng = len(sd), np.random.default_rng(0)
    x = sd * normal_draws(n)[:SIGN_DRAWS]
    mean, root = x.mean(axis=1), np.sqrt(n)
    drawn = x[:, rng.integers(n, size=(RESAMPLED, n))]
    alike = drawn.max(axis=2) == drawn.min(axis=2)
    sd_drawn = np.where(alike, 1.0, drawn.std(axis=2, ddof=1))
    t = root * (drawn.mean(axis=2) - mean[:, None]) / sd_drawn
    t[alike] = np.where(t[alike] > 0, np.inf, -np.inf)
    t = np.abs(t) if alternative == "two-sided" else t
    critical = np.sort(t, axis=1)[:, -int(LEVEL * (RESAMPLED + 1))]
    needed = np.sort(critical * x.std(axis=1, ddof=1) / root - mean)
    return float(needed[int(np.ceil(POWER * len(needed))) - 1])


ROBUST = frozenset({"event-induced variance", "non-normality"})

RESAMPLING_TESTS: tuple[SignificanceTest, ...] = (
    SignificanceTest(
        "bootstrap", "Bootstrap of events", "mean CAR is zero", "percentile-t, resampled", ROBUST,
        "Efron and Tibshirani (1993); Lyon, Barber and Tsai (1999)", _bootstrap, condition=_cars_differ,
        unit="CAR", finds=_bootstrap_finds,
    ),
    SignificanceTest(
        "wild_bootstrap", "Wild bootstrap of dates", "CARs are symmetric about zero", "resampled",
        frozenset({"event-induced variance", "cross-correlation", "fat tails"}),
        "Wu (1986); Cameron, Gelbach and Miller (2008)", _wild, condition=_several_dates,
        by_relative_day=True, unit="CAR", finds=_wild_finds,
    ),
)  # fmt: skip
