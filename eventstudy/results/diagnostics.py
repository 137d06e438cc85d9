"""Whether the normal-return model fits: residuals, thin trading, stability, pre-trends, peers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import scipy

from eventstudy._typing import FloatArray
from eventstudy.distributions import chi2_sf, f_sf
from eventstudy.errors import RequestError
from eventstudy.models.least_squares import divide, ols_batch
from eventstudy.results.fitted import FittedStudy
from eventstudy.windows import Window

__all__ = ["diagnostics", "peers"]

#: Autocorrelations that the Ljung-Box and ARCH tests take together.
LAGS = 10
ARCH_LAGS = 5
#: Fewest residuals for a test.
FEWEST = 30


def diagnostics(data: FittedStudy) -> pd.DataFrame:
    """Diagnose each event's normal-return model; see `EventStudyResults.diagnostics`.

    Returns
    -------
    DataFrame
        By event_id: n_obs, r_squared, ljung_box and ljung_box_p, arch_lm and arch_lm_p, jarque_bera and
        jarque_bera_p, zero_returns, missing_returns, chow and chow_p, cusum and cusum_p, pre_trend,
        pre_trend_t and pre_trend_p.
    """
    fit = data.fit
    arrays = data.spec.model.arrays(data.sample)
    # Days left out on purpose, and days outside of the event's window, are not missing.
    plain = replace(data.sample, announced=None, barred=None)
    raw, asked = plain.arrays(()).y_est, ~plain.skipped()
    rows = [_residual_tests(residuals) for residuals in data.abnormal.past.residuals()]
    frame = pd.DataFrame(rows, index=data.index)
    frame.insert(0, "n_obs", fit.n_obs)
    frame.insert(1, "r_squared", fit.r_squared)
    frame["zero_returns"] = (raw == 0).sum(axis=1) / np.maximum((~np.isnan(raw)).sum(axis=1), 1)
    frame["missing_returns"] = divide((np.isnan(raw) & asked).sum(axis=1), asked.sum(axis=1))
    frame["chow"], frame["chow_p"] = _chow(arrays.y_est, arrays.x_est)
    cusum = [_cusum(residuals) for residuals in data.abnormal.past.residuals()]
    frame["cusum"], frame["cusum_p"] = np.array(cusum).reshape(-1, 2).T
    before = np.full((3, len(frame)), np.nan)
    if data.spec.window.start < 0:
        cars = data.cars(Window(data.spec.window.start, -1))
        before = cars[["car", "t", "p_value"]].to_numpy().T
    frame["pre_trend"], frame["pre_trend_t"], frame["pre_trend_p"] = before
    return frame


def _residual_tests(residuals: FloatArray) -> dict[str, float]:
    from statsmodels.stats.diagnostic import acorr_ljungbox

    e = residuals[~np.isnan(residuals)]
    names = ("ljung_box", "ljung_box_p", "arch_lm", "arch_lm_p", "jarque_bera", "jarque_bera_p")
    if len(e) < FEWEST or not e.std() > 0:
        return dict.fromkeys(names, np.nan)
    box = acorr_ljungbox(e, lags=[LAGS]).iloc[0]
    lm = _arch_lm(e)
    normal = scipy.stats.jarque_bera(e)
    values = (
        box["lb_stat"],
        box["lb_pvalue"],
        lm,
        chi2_sf(lm, ARCH_LAGS),
        normal.statistic,
        normal.pvalue,
    )
    return dict(zip(names, map(float, values), strict=True))


def _arch_lm(e: FloatArray) -> float:
    """Observations times R-squared of squared residuals on their own lags (Engle 1982)."""
    squares = e**2
    lags = np.column_stack([squares[ARCH_LAGS - k : -k] for k in range(1, ARCH_LAGS + 1)])
    fit = ols_batch(squares[None, ARCH_LAGS:], lags[None])
    return float(fit.n_obs[0] * fit.r_squared[0])


def _chow(y: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Chow F test that both halves of the days used have one regression, and its p-value; each (n,)."""
    used = ~np.isnan(y) & ~np.isnan(x).any(axis=2)
    early = np.cumsum(used, axis=1) <= used.sum(axis=1, keepdims=True) // 2
    whole, first, second = (
        ols_batch(np.where(part, y, np.nan), x) for part in (used, used & early, used & ~early)
    )
    k = x.shape[2] + 1
    dof = whole.n_obs - 2.0 * k
    apart = first.sse + second.sse
    with np.errstate(invalid="ignore", divide="ignore"):
        f = np.where((dof > 0) & (apart > 0), (whole.sse - apart) / k / (apart / dof), np.nan)
    return f, np.asarray(f_sf(f, k, np.where(dof > 0, dof, np.nan)), dtype=np.float64)


def _cusum(residuals: FloatArray) -> tuple[float, float]:
    """Largest cumulative sum of the residuals in units of a Brownian bridge, and its p-value."""
    from statsmodels.stats.diagnostic import breaks_cusumolsresid

    e = residuals[~np.isnan(residuals)]
    if len(e) < FEWEST or not e.std() > 0:
        return np.nan, np.nan
    statistic, p, _ = breaks_cusumolsresid(e)
    return float(statistic), float(p)


def peers(data: FittedStudy) -> pd.DataFrame:
    """Weights of each event's peers, and the securities left out; see `EventStudyResults.peers`.

    Raises
    ------
    RequestError
        If the model has no peers.
    """
    fit = data.fit
    if fit.peer_weights is None:
        raise RequestError(f"{data.spec.model.label} has no peers.")
    frame = pd.DataFrame(fit.peer_weights.copy(), data.index, list(fit.peer_names))
    frame["left_out"] = "" if fit.left_out is None else fit.left_out
    return frame
