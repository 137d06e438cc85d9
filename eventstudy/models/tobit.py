"""Market model of prices that limits hold back: a close at one says how large the return was at least."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, log_ndtr

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.errors import ModelError
from eventstudy.models.base import MarketLine, ModelFit
from eventstudy.models.least_squares import divide, linear_fit, ols_batch
from eventstudy.sample import EventArrays, EventSample, Rows

__all__ = ["TobitMarketModel"]

AfterLimit = Literal["drop", "keep"]
SOURCE = "maximum likelihood of censored returns, the line's error from its observed information"
STEPS, HALVINGS = 100, 40
#: Half of the Newton step's gain in log-likelihood at which the maximum is reached.
REACHED = 1e-13
#: An error this many times smaller than that of least squares means that the likelihood grows without end.
COLLAPSED = 1e4


@dataclass(frozen=True, kw_only=True)
class LimitArrays(EventArrays):
    """Event arrays, and which estimation days closed at a price limit.

    Attributes
    ----------
    side_est : array of int8, shape (n, W)
        -1 where the close was at the lower limit, 1 at the upper one, else 0.
    before_est : array of int8, shape (n, W)
        The same for the session before each.
    """

    side_est: npt.NDArray[np.int8]
    before_est: npt.NDArray[np.int8]


@dataclass(frozen=True)
class TobitMarketModel(MarketLine):
    r"""Market model for securities with daily price limits: two-limit Tobit by maximum likelihood.

    .. math:: R^*_{it} = \alpha_i + \beta_i R_{mt} + \varepsilon_{it}, \qquad
              \varepsilon_{it} \sim N(0, \sigma_i^2)

    A close at the upper limit shows a return of the limit, and says that :math:`R^*` was that or more; a
    close at the lower limit, that or less. With :math:`z = (R - \alpha - \beta R_m)/\sigma`,

    .. math:: \ln L = \sum_{\text{free}} \ln \frac{\phi(z_t)}{\sigma} + \sum_{\text{upper}} \ln \Phi(-z_t)
              + \sum_{\text{lower}} \ln \Phi(z_t)

    Limits are those of ``market.limits``; only closes count, not limits touched during the day.

    Parameters
    ----------
    after_limit : {"drop", "keep"}, default "drop"
        What becomes of an estimation return whose session before closed at a limit. It carries what the
        limit cut off the day before, so it is left out, and so are the later limits of a run. ``"keep"`` is
        the textbook model, for which what was cut off is lost.

    Raises
    ------
    ModelError
        If `after_limit` is unknown, or the market was made of returns, which know no limits.

    Notes
    -----
    :math:`s^2 = \hat\sigma^2 M/(M-2)`, M counting the days at a limit too, and the parameters' covariance is
    enlarged alike: without a close at a limit, all is that of `MarketModel`. With some, t-values rest on
    the large-sample theory of the likelihood. `residuals` are of the returns as observed, at a limit too, as
    the abnormal returns of the event window are: a close at a limit there is still cut short (see
    `results.limit_hits` and ``results.car(0, "first_free_close")``).

    The likelihood is concave in :math:`(\alpha/\sigma, \beta/\sigma, 1/\sigma)` (Olsen 1978), so
    Newton's steps find its one maximum, for all events at once. Tobin (1958); Rosett and Nelson (1975), two
    limits; Chou (1997), Pacific-Basin Finance Journal 5, 39-62, price limits and what they carry over.

    References
    ----------
    docs/methods/adjusted_market_models.md, eq. (tobit).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.TobitMarketModel().label
    'Market model (two-limit Tobit)'
    """

    after_limit: AfterLimit = field(default="drop", kw_only=True)

    def __post_init__(self) -> None:
        if self.after_limit not in get_args(AfterLimit):
            allowed = ", ".join(get_args(AfterLimit))
            raise ModelError(f"after_limit must be one of {allowed}; got {self.after_limit!r}.")

    @property
    def label(self) -> str:
        return "Market model (two-limit Tobit)"

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> LimitArrays:
        market = sample.market
        if "close" not in market.price_fields:
            raise ModelError(
                "TobitMarketModel needs prices, from which limits are computed, and the market was made of "
                "returns: make it with Market.from_prices(prices, calendar=..., price_limit=...)."
            )
        closed = market.limits.closed.to_numpy()
        rows = sample.origin(sample.estimation, part)[:, None] + sample.estimation.offsets
        security = sample.security[part, None]

        def at(rows: IntArray) -> npt.NDArray[np.int8]:
            inside = (rows >= 0) & (rows < len(closed))
            return np.where(inside, closed[np.where(inside, rows, 0), security], 0).astype(np.int8)

        return LimitArrays(**vars(super().arrays(sample, part)), side_est=at(rows), before_est=at(rows - 1))

    def fit(self, arrays: EventArrays) -> ModelFit:
        if not isinstance(arrays, LimitArrays):
            raise ModelError("TobitMarketModel fits the arrays that its own `arrays(sample)` lays out.")
        y = arrays.y_est
        if self.after_limit == "drop":
            y = np.where(arrays.before_est == 0, y, np.nan)
        ols = ols_batch(y, arrays.x_est)
        dof = (ols.n_obs - 2).astype(np.float64)
        enlarged = divide(ols.n_obs.astype(np.float64), dof)
        sigma2 = divide(ols.sse, ols.n_obs.astype(np.float64))
        params, unit_cov = ols.params.copy(), ols.xtx_inv.copy()
        side = np.where(np.isnan(ols.residuals), 0, arrays.side_est)
        failure = np.full(len(y), "", dtype=object)
        # Without a close at a limit, least squares is the maximum.
        some = np.flatnonzero((side != 0).any(axis=1) & (dof > 0) & (sigma2 > 1e-20))
        free = (~np.isnan(ols.residuals[some]) & (side[some] == 0)).sum(axis=1)
        for i, left in zip(some[free < 3].tolist(), free[free < 3].tolist(), strict=True):
            params[i] = sigma2[i] = np.nan
            failure[i] = (
                f"only {left} of its {ols.n_obs[i]} estimation closes are free of a price limit, too few for "
                "a Tobit model"
            )
        some = some[free >= 3]
        if len(some):
            start = np.column_stack([params[some], np.sqrt(sigma2[some])])
            found, cov, done = _maximise(y[some], arrays.x_est[some, :, 0], side[some], start)
            params[some], sigma2[some] = found[:, :2], found[:, 2] ** 2
            unit_cov[some] = cov / sigma2[some, None, None]
            for i in some[~done].tolist():
                params[i] = sigma2[i] = np.nan
                failure[i] = "the Tobit likelihood has no maximum that its steps could find"
        residuals = y - params[:, :1] - params[:, 1:] * arrays.x_est[:, :, 0]
        used = ~np.isnan(residuals)
        mean = np.where(used, y, 0.0).sum(axis=1) / np.maximum(used.sum(axis=1), 1)
        total = np.where(used, (y - mean[:, None]) ** 2, 0.0).sum(axis=1)
        base = linear_fit(
            arrays,
            param_names=("alpha", "beta"),
            params=params,
            unit_cov=unit_cov,
            s2=sigma2 * enlarged,
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=1.0 - divide(np.where(used, residuals**2, 0.0).sum(axis=1), total),
            residuals=residuals,
            leverage=ols.leverage,
            se_source=SOURCE,
            exact=False,
        )
        return replace(base, failure=failure.astype(np.str_))


def _maximise(
    y: FloatArray, x: FloatArray, side: npt.NDArray[np.int8], start: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Climb the Tobit likelihood of n events by Newton's steps, halved where they overshoot.

    Parameters
    ----------
    y, x : arrays, shape (n, W)
        NaN where a day is not used.
    side : array of int8, shape (n, W)
    start : array, shape (n, 3)
        Intercept, slope and standard deviation.

    Returns
    -------
    found : array, shape (n, 3)
        Intercept, slope and standard deviation at the maximum.
    cov : array, shape (n, 2, 2)
        Covariance of intercept and slope by the observed information.
    done : array of bool, shape (n,)
        Whether the maximum was reached.
    """
    theta = np.column_stack([start[:, 0] / start[:, 2], start[:, 1] / start[:, 2], 1.0 / start[:, 2]])
    level, gradient, hessian = _likelihood(theta, y, x, side)
    done = lost = np.zeros(len(y), dtype=bool)
    for _ in range(STEPS):
        lost = theta[:, 2] * start[:, 2] > COLLAPSED
        gradient[lost], hessian[lost] = 0.0, -np.eye(3)
        step = np.linalg.solve(-hessian, gradient[:, :, None])[:, :, 0]
        done = np.einsum("nk,nk->n", gradient, step) < REACHED * (1.0 + np.abs(level))
        if done.all():
            break
        size = np.where(done, 0.0, 1.0)
        for _ in range(HALVINGS):
            after = theta + size[:, None] * step
            # 1 / sigma stays positive.
            ahead = _likelihood(np.where(after[:, 2:] > 0, after, theta), y, x, side)[0]
            worse = (after[:, 2] <= 0) | (ahead < level - REACHED * np.abs(level))
            if not worse.any():
                break
            size[worse] /= 2.0
        theta = np.where((after[:, 2] > 0)[:, None], after, theta)
        level, gradient, hessian = _likelihood(theta, y, x, side)
    sigma = 1.0 / theta[:, 2]
    found = np.column_stack([theta[:, 0] * sigma, theta[:, 1] * sigma, sigma])
    # Intercept and slope as functions of (intercept / sigma, slope / sigma, 1 / sigma).
    jacobian = np.zeros((len(y), 2, 3))
    jacobian[:, 0, 0] = jacobian[:, 1, 1] = sigma
    jacobian[:, :, 2] = -found[:, :2] * sigma[:, None]
    return found, jacobian @ np.linalg.inv(-hessian) @ jacobian.transpose(0, 2, 1), done & ~lost


def _likelihood(
    theta: FloatArray, y: FloatArray, x: FloatArray, side: npt.NDArray[np.int8]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood but for a constant, gradient and Hessian at (intercept, slope, 1) / sigma; by event."""
    used = ~np.isnan(y) & ~np.isnan(x)
    y, x = np.where(used, y, 0.0), np.where(used, x, 0.0)
    z = theta[:, 2:] * y - theta[:, :1] - theta[:, 1:2] * x
    # At a limit: how far the line lies inside of it, and the inverse Mills ratio there.
    inside = side * z
    mills = np.sqrt(2 / np.pi) / erfcx(inside / np.sqrt(2))
    free = used & (side == 0)
    n_free = free.sum(axis=1)
    value = np.where(free, -0.5 * z**2, np.where(used, log_ndtr(-inside), 0.0)).sum(axis=1)
    slope = np.where(free, -z, np.where(used, -side * mills, 0.0))
    curve = np.where(free, -1.0, np.where(used, -mills * (mills - inside), 0.0))
    rows = np.stack([-np.ones_like(x), -x, y], axis=2)
    gradient = np.einsum("nw,nwk->nk", slope, rows)
    hessian = np.einsum("nw,nwk,nwj->nkj", curve, rows, rows)
    gradient[:, 2] += n_free / theta[:, 2]
    hessian[:, 2, 2] -= n_free / theta[:, 2] ** 2
    return value + n_free * np.log(theta[:, 2]), gradient, hessian
