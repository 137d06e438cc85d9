"""What the standard error of each CAR does not know: autocorrelation, and volatility before the event.

Formulas: docs/methods/multiple_testing.md.
"""

from __future__ import annotations

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.inference.base import TestInput
from eventstudy.inference.engine.filtered_past import (
    FEWEST_DAYS,
    ewma_volatility,
    no_forecast,
    past_errors,
)
from eventstudy.inference.pseudo_dates import sessions_tested
from eventstudy.lazy import chunks

__all__ = ["doubts", "fat_tails", "rise_before", "unforeseen"]

#: A standard error that is to be so many times as large makes the t at 5% reject 13% of true nulls.
MATTERS = 1.3
#: Standard errors of the kurtosis by which tails must be fatter than normal ones.
BEYOND = 3.0


def unforeseen(data: TestInput) -> FloatArray:
    r"""How many times the standard error of a CAR its error may be, by the past of each event.

    .. math:: \sqrt{\max\left(1,\, 1 + 2 \sum_{l=1}^{L-1} (1 - l/L)\, \hat\rho_i^{\,l}\right)}\;
              \max\left(1,\, \hat\sigma_i / s_i\right)

    for the first autocorrelation of the residuals of the estimation window, the volatility forecast from the
    days before the tested window, and the residual standard deviation s. The first factor is 1 in
    models that know the autocorrelation, the second where no forecast can be made.

    Parameters
    ----------
    data : TestInput

    Returns
    -------
    array, shape (n_events,)
        1 or more.

    References
    ----------
    docs/methods/multiple_testing.md, eq. (unforeseen).
    """
    fit = data.abnormal
    length = sessions_tested(data) if data.with_car.n_events else 1
    variance = np.ones(fit.n_events)
    if length > 1 and fit.autocorrelation is None:
        lags = np.arange(1, length)
        for rows in chunks(fit.n_events):
            e = np.nan_to_num(fit.past.residuals(rows))
            squares, products = (e**2).sum(axis=1), (e[:, 1:] * e[:, :-1]).sum(axis=1)
            rho = np.divide(products, squares, out=np.zeros(len(e)), where=squares > 0)
            variance[rows] += 2.0 * (rho[:, None] ** lags) @ (1.0 - lags / length)
    return np.asarray(np.sqrt(np.maximum(variance, 1.0)) * np.maximum(rise_before(data), 1.0))


def rise_before(data: TestInput) -> FloatArray:
    """Volatility forecast from the days before the tested window over the residual standard deviation.

    Shape (n_events,); 1 where no forecast can be made.
    """
    fit = data.abnormal
    rise = np.ones(fit.n_events)
    if no_forecast(fit) is not None:
        return rise
    for rows in chunks(fit.n_events):
        which = np.arange(fit.n_events)[rows]
        errors = past_errors(data, fit.past.residuals(which), which)
        enough = ((~np.isnan(errors)).sum(axis=1) >= FEWEST_DAYS) & (fit.s2[which] > 0)
        forecast, sd = ewma_volatility(errors.T)[-1], np.sqrt(fit.s2[which])
        rise[rows] = np.divide(forecast, sd, out=np.ones(len(which)), where=enough)
    return rise


def fat_tails(data: TestInput) -> float:
    """Mean kurtosis of the residuals of the estimation windows, 3 if normal; NaN where it may well be 3."""
    fit = data.with_variance.abnormal
    found = []
    for part in chunks(fit.n_events):
        e = fit.past.residuals(part)
        square = np.nanmean(e**2, axis=1)
        found.append(np.nanmean(e**4, axis=1) / square**2)
    if not fit.n_events:
        return float("nan")
    kurtosis = float(np.mean(np.concatenate(found)))
    return kurtosis if kurtosis - 3.0 > BEYOND * np.sqrt(24.0 / np.median(fit.n_obs)) else float("nan")


def doubts(data: TestInput, *, of_t_alone: bool) -> list[str]:
    """Say of each event why its t cannot be taken at its word; "" where nothing speaks against it.

    Parameters
    ----------
    data : TestInput
    of_t_alone : bool
        Whether p-values of the t alone are adjusted for the number of events.
    """
    told = [
        f"judged by its past, the error is {factor:.1f} times what se says (autocorrelation, or volatility "
        "before the event), which p_t does not know"
        if factor >= MATTERS
        else ""
        for factor in unforeseen(data)
    ]
    kurtosis = fat_tails(data) if of_t_alone and data.n_events > 1 else float("nan")
    if not np.isnan(kurtosis):
        tails = (
            f"p_adjusted rests on p_t far in the tails, where it is too small: residuals have a kurtosis of "
            f"{kurtosis:.1f}"
        )
        told = ["; ".join(filter(None, (each, tails))) for each in told]
    return told
