"""Market model with conditional variance: the standard error is forecast, not averaged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from scipy import special

from eventstudy._typing import FloatArray
from eventstudy.errors import ModelError
from eventstudy.models.base import EstimationWindowsUsed, MarketLine, ModelFit
from eventstudy.models.least_squares import divide, linear_fit, ols_batch
from eventstudy.optional import import_optional
from eventstudy.progress import followed
from eventstudy.sample import EventArrays, EventSample, Rows
from eventstudy.windows import Window

__all__ = ["GARCHMarketModel"]

Kind = Literal["garch", "gjr", "egarch"]
NAMES: dict[str, tuple[str, ...]] = {
    "garch": ("omega", "a", "b"),
    "gjr": ("omega", "a", "g", "b"),
    "egarch": ("omega", "a", "g", "b"),
}
#: arch works in percent: decimals are too small for its optimiser.
PERCENT = 100.0
#: EGARCH takes more steps than the 100 that its optimiser allows by default.
STEPS = 1000
#: (a, b) from which the likelihood is climbed again where arch's own starting values lead nowhere.
STARTS = ((0.1, 0.85), (0.2, 0.5), (0.05, 0.9))
#: A maximum lies above the log-likelihood of a constant variance, but for the optimiser's tolerance.
SLACK = 1.0


@dataclass(frozen=True, kw_only=True)
class GapArrays(EventArrays):
    """Event arrays, and the G sessions between the windows, returns over several sessions left out."""

    y_gap: FloatArray
    x_gap: FloatArray


@dataclass(frozen=True)
class GARCHMarketModel(MarketLine):
    r"""Market model whose errors have a GARCH(1, 1), GJR or EGARCH variance, by maximum likelihood.

    .. math:: R_{it} = \alpha + \beta R_{mt} + \varepsilon_t, \quad \varepsilon_t \sim N(0, h_t), \quad
              h_t = \omega + (a + g\,1[\varepsilon_{t-1}<0])\,\varepsilon_{t-1}^2 + b h_{t-1}

    (g is 0 for ``"garch"``; ``"egarch"`` is
    :math:`\ln h_t = \omega + a(|z_{t-1}| - \sqrt{2/\pi}) + g z_{t-1} + b \ln h_{t-1}`.)

    The variance of an abnormal return is the **forecast** of h for its session. Parameters are of the
    estimation window; the recursion runs on, with them, over the sessions between the windows, and
    from the last of these the variance of the event window's session s is forecast,

    .. math:: \hat h_{s+1} = \omega + (a + b + g/2)\,\hat h_s,

    for EGARCH by the closed form of :math:`E[h]` under normal errors (Nelson 1991). Nothing inside the
    event window enters. To it is added the parameter error of the line,
    :math:`X^*(X'\operatorname{diag}(1/h)X)^{-1}X^{*\prime}`.

    Parameters
    ----------
    kind : {"garch", "gjr", "egarch"}, default "garch"

    Raises
    ------
    ModelError
        If the kind is unknown.
    MissingExtraError
        If arch is not installed (extra ``garch``).

    Notes
    -----
    `residuals` are :math:`s\,\varepsilon_t/\sqrt{h_t}`, devolatilised and on the scale of
    :math:`s^2 = \sum\varepsilon^2/(M-2)`, so tests by ranks and sample quantiles are filtered ones.
    The recursion runs over the days that have a return. Where the optimiser does not converge, stops below
    the likelihood of a constant variance or at parameters without a finite forecast, as EGARCH's does in
    short windows, it starts again from three other points; an event for which none of them serves is
    excluded, with the first reason. Bollerslev (1986); Glosten, Jagannathan and Runkle (1993).

    References
    ----------
    docs/methods/variance_models.md, eq. (garch).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.GARCHMarketModel("gjr").label
    'Market model (GJR-GARCH)'
    """

    estimation_windows: ClassVar[EstimationWindowsUsed] = "before"

    kind: Kind = "garch"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ModelError(f"kind must be one of {', '.join(get_args(Kind))}; got {self.kind!r}.")

    @property
    def label(self) -> str:
        return f"Market model ({'GJR-GARCH' if self.kind == 'gjr' else self.kind.upper()})"

    def arrays(self, sample: EventSample, part: Rows = slice(None)) -> GapArrays:
        arrays = super().arrays(sample, part)
        n = len(arrays.y_est)
        y_gap, x_gap = np.empty((n, 0)), np.empty((n, 0, 1))
        if sample.window.start - sample.estimation.end > 1:
            between = Window(sample.estimation.end + 1, sample.window.start - 1)
            gap = replace(sample, window=between).arrays(self.regressors, part=part)
            y_gap, x_gap = np.where(gap.span_evt == 1, gap.y_evt, np.nan), gap.x_evt
        return GapArrays(**vars(arrays), y_gap=y_gap, x_gap=x_gap)

    def fit(self, arrays: EventArrays) -> ModelFit:
        if not isinstance(arrays, GapArrays):
            raise ModelError("GARCHMarketModel fits the arrays that its own `arrays(sample)` lays out.")
        n, length = arrays.y_evt.shape
        names = NAMES[self.kind]
        ols = ols_batch(arrays.y_est, arrays.x_est)
        params = np.full((n, 2 + len(names)), np.nan)
        unit_cov = np.full((n, 2, 2), np.nan)
        residuals = np.full(arrays.y_est.shape, np.nan)
        s2 = np.full(n, np.nan)
        ahead = np.full((n, length), np.nan)
        failure = np.full(n, "", dtype=object)
        dof = (ols.n_obs - 2).astype(np.float64)
        rows = np.flatnonzero((dof > len(names)) & (divide(ols.sse, dof) > 1e-20)).tolist()
        for i in followed(rows, self.label, "event"):
            found = self._found(arrays, i)
            if isinstance(found, str):
                failure[i] = found
                continue
            fit, ahead[i] = found
            used = ~np.isnan(ols.residuals[i])
            params[i] = self._decimals(fit.params.to_numpy())
            h, errors = (fit.conditional_volatility / PERCENT) ** 2, fit.resid / PERCENT
            x = np.column_stack([np.ones(len(h)), arrays.x_est[i, used, 0]])
            s2[i] = (errors**2).sum() / dof[i]
            unit_cov[i] = np.linalg.inv(x.T @ (x / h[:, None])) / s2[i]
            residuals[i, used] = np.sqrt(s2[i] / h) * errors
        base = linear_fit(
            arrays,
            param_names=("alpha", "beta"),
            params=params[:, :2],
            unit_cov=unit_cov,
            s2=s2,
            n_obs=ols.n_obs,
            dof=dof,
            r_squared=ols.r_squared,
            residuals=residuals,
            leverage=ols.leverage,
            se_source=f"forecast of the {self.kind} variance, and the line's error given the variances",
            exact=False,
        )
        # Variance parameters are shown beside alpha and beta, and add nothing to the normal return.
        pad = len(names)
        return replace(
            base,
            param_names=("alpha", "beta", *names),
            params=params,
            param_cov=np.pad(base.param_cov, ((0, 0), (0, pad), (0, pad))),
            design=np.pad(base.design, ((0, 0), (0, 0), (0, pad))),
            noise=np.where(np.isnan(base.noise), np.nan, _over_spans(ahead, arrays.span_evt)),
            failure=failure.astype(np.str_),
        )

    def regression(self, arrays: EventArrays, row: int) -> Any:
        """Return arch's results of one event, in percent."""
        found = self._found(arrays, row) if isinstance(arrays, GapArrays) else ""
        return self._estimate(arrays, row) if isinstance(found, str) else found[0]

    def _found(self, arrays: GapArrays, row: int) -> tuple[Any, FloatArray] | str:
        """Return arch's results of one event and the variances ahead, or the reason why there are none.

        The optimiser may stop anywhere and call it a maximum: if it did, it is asked again from other starts.
        """
        reasons = []
        for start in (None, *STARTS):
            found = self._attempt(arrays, row, start)
            if not isinstance(found, str):
                return found
            reasons.append(found)
        return reasons[0]

    def _attempt(
        self, arrays: GapArrays, row: int, start: tuple[float, float] | None
    ) -> tuple[Any, FloatArray] | str:
        likelihood = f"the {self.kind} likelihood"
        try:
            found = self._estimate(arrays, row, start)
        except (ValueError, np.linalg.LinAlgError) as error:
            return f"{likelihood} cannot be maximised: {error}"
        if found.convergence_flag != 0:
            return f"{likelihood} did not converge ({found.optimization_result.message})"
        line = ols_batch(arrays.y_est[row][None], arrays.x_est[row][None])
        constant = _constant_likelihood(PERCENT**2 * line.sse[0] / found.nobs, found.nobs)
        if found.loglikelihood < constant - SLACK:
            return f"{likelihood} stopped below that of a constant variance"
        params = self._decimals(found.params.to_numpy())
        gap = arrays.y_gap[row] - params[0] - params[1] * arrays.x_gap[row, :, 0]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            h = self._next(
                params[2:], found.resid[-1] / PERCENT, (found.conditional_volatility[-1] / PERCENT) ** 2
            )
            for shock in gap[~np.isnan(gap)]:
                h = self._next(params[2:], shock, h)
            ahead = self._forecast(params[2:], h, arrays.y_evt.shape[1])
        if not (np.isfinite(ahead) & (ahead > 0)).all():
            return f"{likelihood} has a maximum whose variance forecast is not finite or not positive"
        return found, ahead

    def _estimate(self, arrays: EventArrays, row: int, start: tuple[float, float] | None = None) -> Any:
        """Return arch's results of one event, in percent, from its own starting values or from (a, b)."""
        arch = import_optional("arch.univariate", "arch", "garch", "GARCHMarketModel")
        y, x = arrays.y_est[row], arrays.x_est[row]
        used = ~np.isnan(y) & ~np.isnan(x).any(axis=1)
        leverage = 0 if self.kind == "garch" else 1
        variance = (arch.EGARCH if self.kind == "egarch" else arch.GARCH)(p=1, o=leverage, q=1)
        model = arch.LS(PERCENT * y[used], PERCENT * x[used], volatility=variance, rescale=False)
        values = None
        if start is not None:
            (a, b), line = start, ols_batch(y[None], x[None])
            level = PERCENT**2 * line.sse[0] / line.n_obs[0]
            omega = (1.0 - b) * np.log(level) if self.kind == "egarch" else (1.0 - a - b) * level
            values = np.r_[PERCENT * line.params[0, 0], line.params[0, 1], omega, a, [0.0] * leverage, b]
        options = {"maxiter": STEPS}
        return model.fit(disp="off", show_warning=False, starting_values=values, options=options)

    def _decimals(self, percent: FloatArray) -> FloatArray:
        """Parameters of returns in percent, turned into those of decimals."""
        out = percent.astype(np.float64)
        out[0] /= PERCENT
        if self.kind == "egarch":
            out[2] -= (1.0 - out[-1]) * np.log(PERCENT**2)
        else:
            out[2] /= PERCENT**2
        return out

    def _next(self, variance: FloatArray, error: float, h: float) -> float:
        """Variance of the day after one of error `error` and variance `h`."""
        omega, a, b = variance[0], variance[1], variance[-1]
        g = 0.0 if self.kind == "garch" else variance[2]
        if self.kind == "egarch":
            z = error / np.sqrt(h)
            return float(np.exp(omega + a * (abs(z) - np.sqrt(2 / np.pi)) + g * z + b * np.log(h)))
        return float(omega + (a + g * (error < 0)) * error**2 + b * h)

    def _forecast(self, variance: FloatArray, h: float, length: int) -> FloatArray:
        """Forecast variances of `length` sessions, the first of which is `h`."""
        omega, a, b = variance[0], variance[1], variance[-1]
        g = 0.0 if self.kind == "garch" else variance[2]
        steps = np.arange(length)
        if self.kind != "egarch":
            persistence = a + b + g / 2
            powers = persistence**steps
            return np.asarray(omega * (np.cumsum(powers) - powers) + powers * h, dtype=np.float64)
        powers = b**steps
        # E exp(c g(z)) for c = 1, b, b^2, ...; the log-variance adds them up step by step.
        up, down = powers * (g + a), powers * (g - a)
        log_shock = np.logaddexp(up**2 / 2 + special.log_ndtr(up), down**2 / 2 + special.log_ndtr(-down))
        log_shock -= powers * a * np.sqrt(2 / np.pi)
        drift = omega * powers + log_shock
        return np.asarray(np.exp(powers * np.log(h) + np.cumsum(drift) - drift), dtype=np.float64)


def _constant_likelihood(variance: float, n_obs: float) -> float:
    """Log-likelihood of normal errors of one variance, its maximum; a special case of all kinds."""
    return float(-0.5 * n_obs * (np.log(2 * np.pi * variance) + 1.0))


def _over_spans(ahead: FloatArray, spans: Any) -> FloatArray:
    """Sum daily variances over the sessions each return spans; those before the window count as its first."""
    n, length = ahead.shape
    total = np.concatenate([np.zeros((n, 1)), np.cumsum(ahead, axis=1)], axis=1)
    end = np.arange(length) + 1
    start = end - spans
    inside = np.take_along_axis(total, np.maximum(start, 0), axis=1)
    return np.asarray(total[:, 1:] - inside + np.maximum(-start, 0) * ahead[:, :1], dtype=np.float64)
