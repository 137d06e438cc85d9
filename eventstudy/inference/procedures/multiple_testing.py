"""Many hypotheses at once: Holm, Benjamini-Hochberg, and Romano-Wolf with residual vectors.

Formulas and sources: docs/methods/multiple_testing.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.arguments import check_choice
from eventstudy.distributions import counted_p_value
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, Options, TestInput, check_alternative, t_p_values
from eventstudy.inference.engine import draws as resampling
from eventstudy.inference.engine.draws import day_counts, draw_days, null_t
from eventstudy.inference.engine.moments import scaled_residuals
from eventstudy.inference.procedures.unforeseen import unforeseen
from eventstudy.inference.pseudo_dates import sessions_tested
from eventstudy.progress import followed

__all__ = ["Adjustment", "adjust", "checked", "completed", "firm_tests", "romano_wolf"]

Adjustment = Literal["romano-wolf", "holm", "bh"]


def adjust(p_values: npt.ArrayLike, method: Literal["holm", "bh"] = "holm") -> FloatArray:
    r"""Adjust p-values for the number of hypotheses tested.

    .. math:: \tilde p_{(j)} = \max_{i \le j} \min(1, (m - i + 1)\, p_{(i)}) \quad\text{(Holm)}, \qquad
              \tilde p_{(j)} = \min_{i \ge j} \min(1, m\, p_{(i)} / i) \quad\text{(BH)}

    Parameters
    ----------
    p_values : array-like, shape (m,)
        NaN stays NaN and does not count.
    method : {"holm", "bh"}, default "holm"
        Holm (1979) bounds the probability of any false rejection under any dependence; Benjamini and
        Hochberg (1995) the expected share of false rejections, under independence or positive dependence.
        Both need p-values that hold at 5% over their number: those of a t are too small there where
        returns have fat tails.

    Returns
    -------
    array, shape (m,)

    Raises
    ------
    RequestError
        If the method is unknown, or a p-value is not between 0 and 1.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70; Benjamini and Hochberg (1995), Journal of the
    Royal Statistical Society B 57, 289-300; docs/methods/multiple_testing.md,
    eqs. (holm) and (benjamini-hochberg).

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    if method not in ("holm", "bh"):
        raise RequestError(
            f"method must be 'holm' or 'bh', got {method!r}; Romano and Wolf's needs the data: firm_tests."
        )
    p = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(p))
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise RequestError("p-values lie between 0 and 1.")
    order = known[np.argsort(p[known], kind="stable")]
    m = len(order)
    out = np.full(p.shape, np.nan)
    if method == "holm":
        stepped = np.maximum.accumulate(p[order] * (m - np.arange(m)))
    else:
        stepped = np.minimum.accumulate((p[order] * m / (1 + np.arange(m)))[::-1])[::-1]
    out[order] = np.minimum(stepped, 1.0)
    return out


def romano_wolf(
    statistics: FloatArray, draws: FloatArray, alternative: Alternative = "two-sided"
) -> FloatArray:
    r"""Step-down p-values that hold the probability of any false rejection, using the dependence.

    .. math:: \tilde p_{(s)} = \max\left(\tilde p_{(s-1)},\;
              \frac{1 + \#\{b : \max_{r \ge s} |t^*_{b(r)}| \ge |t_{(s)}|\}}{B + 1}\right)

    for statistics in order of size, the largest first.

    Parameters
    ----------
    statistics : array, shape (m,)
        One statistic per hypothesis: of firms, of windows or of groups. NaN stays NaN.
    draws : array, shape (B, m)
        The same statistics in resamples under the null, drawn jointly, as by
        `eventstudy.inference.engine.draws.null_t`: windows of one series are different days of the same
        draws, groups are columns of portfolios.
    alternative : {"two-sided", "less", "greater"}

    Returns
    -------
    array, shape (m,)

    References
    ----------
    Romano and Wolf (2005), Econometrica 73, 1237-1282; (2016), Statistics and Probability Letters 113, 38-40;
    docs/methods/multiple_testing.md, eq. (romano-wolf).

    Examples
    --------
    >>> draws = np.array([[0.5, -2.5], [1.5, 0.1], [-0.2, 0.3]])
    >>> romano_wolf(np.array([3.0, 1.0]), draws).tolist()
    [0.25, 0.5]
    """
    return _step_down(statistics, lambda columns: draws[:, columns], len(draws), alternative)


def _step_down(
    statistics: FloatArray,
    draws: Callable[[IntArray], FloatArray],
    n_resamples: int,
    alternative: Alternative,
) -> FloatArray:
    """Romano-Wolf p-values; `draws` makes the columns asked for, shape (B, columns)."""
    sided = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[alternative]
    values = sided(statistics)
    known = np.flatnonzero(~np.isnan(values))
    # From the smallest on, so the maximum over all smaller ones runs along.
    order = known[np.argsort(values[known], kind="stable")]
    largest = np.full(n_resamples, -np.inf)
    p = np.full(values.shape, np.nan)
    step = max(1, resampling.HELD // n_resamples)
    for begin in followed(range(0, len(order), step), "Romano-Wolf", "part"):
        part = order[begin : begin + step]
        columns = sided(draws(part))
        # An undefined draw counts as extreme.
        columns[np.isnan(columns)] = np.inf
        columns[:, 0] = np.maximum(columns[:, 0], largest)
        running = np.maximum.accumulate(columns, axis=1)
        largest = running[:, -1]
        extreme = running >= values[part] - resampling.TIE * np.abs(values[part])
        p[part] = counted_p_value(values[part], extreme)
    p[order] = np.maximum.accumulate(p[order][::-1])[::-1]
    return p


def checked(adjustment: str, options: Options | None) -> Options:
    """Return settled options, the adjustment and the side being checked.

    Raises
    ------
    RequestError
        If either is unknown.
    """
    options = (Options() if options is None else options).settled()
    check_choice("adjust", adjustment, get_args(Adjustment))
    check_alternative(options.alternative)
    return options


def firm_tests(
    data: TestInput, adjustment: Adjustment = "romano-wolf", options: Options | None = None
) -> pd.DataFrame:
    """Test each event on its own, with p-values adjusted for the number of events.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    adjustment : {"romano-wolf", "holm", "bh"}
    options : Options, optional
        Side of the alternative, resamples and randomness.

    Returns
    -------
    pandas.DataFrame
        One row per event: car, se, t, dof, p_value and p_adjusted; NaN without a CAR.

    Raises
    ------
    RequestError
        If the adjustment or the alternative is unknown, or Romano and Wolf's procedure is to draw from bars
        what a night or break varies by.

    Notes
    -----
    Romano and Wolf's procedure takes t over `unforeseen`, and p_adjusted is never below p_value. The
    estimation days are drawn for all events at once, so events of one date keep their correlation; those
    of different dates share no calendar day and are independent. Residuals are over ``sqrt(1 - h)``; each
    statistic is a sum of as many drawn days as the window has, over the standard deviation of a drawn
    estimation window. Where an event misses a day, another of its own days stands in, these being taken
    evenly over its window.
    """
    options = checked(adjustment, options)
    sums = data.cumulative
    t, dof = sums.scar, sums.dof
    p = t_p_values(t, dof, options.alternative)
    if adjustment != "romano-wolf":
        adjusted = adjust(p, adjustment)
    elif np.isnan(t).all():
        adjusted = np.full(len(t), np.nan)
    elif data.with_car.spans_gap:
        raise RequestError(
            f"{data.unlike_rows}; Holm's and Benjamini and Hochberg's procedures take any p-values."
        )
    else:
        adjusted = _by_residual_vectors(data, t / unforeseen(data), options)
    return pd.DataFrame(
        {
            "car": sums.car,
            "se": np.sqrt(sums.variance),
            "t": t,
            "dof": dof,
            "p_value": p,
            # Draws may tell the tail of one event otherwise than its t does.
            "p_adjusted": np.fmax(adjusted, p),
        }
    )


def _by_residual_vectors(data: TestInput, t: FloatArray, options: Options) -> FloatArray:
    fit = data.abnormal
    residuals, leverage = fit.past.residuals(), fit.past.leverage()
    width = residuals.shape[1]
    rng = options.generator("romano_wolf")
    n, length = options.n_resamples, sessions_tested(data)
    event = day_counts(draw_days(n, length, width, rng), width)
    past = day_counts(draw_days(n, width, width, rng), width)

    def draws(columns: IntArray) -> FloatArray:
        series = completed(scaled_residuals(residuals[columns], leverage[columns]))
        return null_t((series - series.mean(axis=1, keepdims=True)).T, event, past)

    return _step_down(t, draws, n, options.alternative)


def completed(series: FloatArray) -> FloatArray:
    """Put other days of the same row, evenly spread over it, in place of missing ones; shape (n, W)."""
    full = series.copy()
    for row in np.flatnonzero(np.isnan(series).any(axis=1)):
        missing = np.isnan(series[row])
        own = series[row, ~missing]
        full[row, missing] = own[np.linspace(0, len(own) - 1, missing.sum()).astype(np.int64)]
    return full
