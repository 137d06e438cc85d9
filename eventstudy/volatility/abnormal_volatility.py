"""Volatility as a multiple of its forecast (Bialkowski, Gottschalk and Wisniewski 2008), with mean one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import signal

from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.arguments import check_seed, check_whole
from eventstudy.distributions import chi2_cdf, chi2_ppf, chi2_sf, counted_p_value, p_value_of_tails
from eventstudy.errors import EventStudyWarning, RequestError, warn
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, Immutable
from eventstudy.inference.base import Alternative, check_alternative
from eventstudy.inference.engine.moments import known
from eventstudy.lazy import recall, remember
from eventstudy.market import Market
from eventstudy.models import GARCHMarketModel
from eventstudy.models.garch import GapArrays
from eventstudy.results import EventStudyResults
from eventstudy.results.pooled.pool import of_one_exchange
from eventstudy.study import EventStudy
from eventstudy.text import format_time, plural
from eventstudy.windows import Window

__all__ = [
    "AbnormalVolatility",
    "AbnormalVolatilityResults",
    "Paths",
    "multiple_dof",
    "simulate_errors",
    "volatility_multiples",
]

#: Draws made at once.
CHUNK = 200
#: Highest persistence of drawn parameters, and farthest log variance from the estimate.
MOST_PERSISTENT, FARTHEST = 0.999, 3.0
#: Directions of the parameters below this share of the largest information are not identified.
UNIDENTIFIED = 1e-8


def volatility_multiples(errors: FloatArray, variances: FloatArray) -> tuple[FloatArray, IntArray]:
    r"""Cross-sectional variance of each day as a multiple of its forecast.

    .. math:: M_t = \frac1{N_t} \sum_i \frac{\left(N_t \varepsilon_{it} - \sum_j \varepsilon_{jt}\right)^2}
              {N_t (N_t - 2) h_{it} + \sum_j h_{jt}}

    The denominator is the variance of what is squared if the N errors are independent, so M has mean 1 under
    the null; the sum over N - 1 of the paper has the mean N/(N - 1). Subtracting the mean of the day takes
    out a common abnormal return.

    Parameters
    ----------
    errors, variances : arrays, shape (..., N, L)
        Abnormal returns and their forecast variances; NaN where missing.

    Returns
    -------
    multiples : array, shape (..., L)
        NaN on days with fewer than two errors.
    n_events : array of int, shape (..., L)

    References
    ----------
    docs/methods/volume_and_volatility.md, eq. (volatility-multiple).

    Examples
    --------
    >>> errors = np.array([[0.03], [-0.01], [0.01]])
    >>> volatility_multiples(errors, np.full((3, 1), 1e-4))[0].round(6)
    array([4.])
    """
    seen = ~np.isnan(errors) & ~np.isnan(variances)
    e, h = np.where(seen, errors, 0.0), np.where(seen, variances, 1.0)
    n = seen.sum(axis=-2)
    size = n[..., None, :]
    centred = size * e - e.sum(axis=-2, keepdims=True)
    total = np.where(seen, h, 0.0).sum(axis=-2, keepdims=True)
    below = size * (size - 2) * h + total
    ratio = np.where(seen & (size > 1), centred**2 / np.where(seen & (size > 1), below, 1.0), 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(n > 1, ratio.sum(axis=-2) / np.maximum(n, 1), np.nan), n


def multiple_dof(variances: FloatArray) -> FloatArray:
    r"""Degrees of freedom of each day's multiple of N normally distributed errors of known variances.

    .. math:: \nu_t = \frac{2}{\operatorname{Var}(M_t)}, \qquad
              \operatorname{Var}(M_t) = 2 \operatorname{tr}\left[(A_t H_t)^2\right]

    for :math:`M_t = \varepsilon_t' A_t \varepsilon_t` and the diagonal H of the variances: a chi-square of as
    many, over :math:`\nu_t`, has the mean and the variance of the multiple (Satterthwaite 1946). Of equal
    variances it is N - 1, of unequal ones fewer.

    Parameters
    ----------
    variances : array, shape (N, L)
        NaN where missing.

    Returns
    -------
    array, shape (L,)
        NaN on days with fewer than two errors.

    References
    ----------
    docs/methods/volume_and_volatility.md, eq. (multiple-dof).

    Examples
    --------
    >>> multiple_dof(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 64.0]])).round(3).tolist()
    [2.0, 1.091]
    """
    out = np.full(variances.shape[1], np.nan)
    for day, h in enumerate(variances.T):
        known = h[~np.isnan(h)]
        n = len(known)
        if n > 1:
            below = n * (n - 2) * known + known.sum()
            centred = n * np.eye(n) - 1.0
            form = (centred.T / below) @ centred / n * known
            out[day] = 1.0 / np.sum(form * form.T)
    return out


@dataclass(frozen=True)
class Paths(FrozenRecord):
    """What the errors of N events are drawn from under the null.

    Attributes
    ----------
    shocks : tuple of arrays, length N
        Standardised estimation residuals of each event, of mean square one.
    omega, a, g, b : arrays, shape (N,)
        ``h_t = omega + (a + g [e_{t-1} < 0]) e_{t-1}^2 + b h_{t-1}``.
    first : array, shape (N,)
        Forecast variance of the window's first session.
    """

    shocks: tuple[FloatArray, ...]
    omega: FloatArray
    a: FloatArray
    g: FloatArray
    b: FloatArray
    first: FloatArray


def simulate_errors(paths: Paths, length: int, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw GARCH errors of N events over `length` sessions, n times; shape (n, N, length).

    Shocks are drawn from each event's own residuals, events and days apart; the variance of the first
    session is the forecast, later ones follow the recursion.
    """
    z = np.stack([rng.choice(s, (n, length)) for s in paths.shocks], axis=1)
    out, h = np.empty_like(z), np.broadcast_to(paths.first, z.shape[:2])
    for t in range(length):
        out[:, :, t] = np.sqrt(h) * z[:, :, t]
        h = paths.omega + (paths.a + paths.g * (out[:, :, t] < 0)) * out[:, :, t] ** 2 + paths.b * h
    return out


class AbnormalVolatility(Immutable):
    """Whether volatility around events exceeds the forecasts of GARCH market models.

    Parameters
    ----------
    market, events, estimation, window, min_observations
        As for `EventStudy`.
    kind : {"garch", "gjr"}, default "garch"
        Variance of the errors, as in `GARCHMarketModel`.
    dependent : {"raise", "flag"}, default "raise"
        What to do where the windows of two events share sessions. Errors on the same day are not
        independent, as the test assumes: it is refused, or made with a warning and a flag in `test`.

    See Also
    --------
    range_market : volatility from the range of a day's prices, which needs no independence.
    EventGARCH : one model of mean and variance in which the event is a dummy.

    Notes
    -----
    Bialkowski, Gottschalk and Wisniewski (2008), after Hilliard and Savickas (2002), with multiples that have
    mean one under the null. Forecasts start from the last session before the window.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(4, 420, garch=(0.08, 0.85), seed=3)
    >>> dates = market.sessions[300:380:20]
    >>> events = [{"security": s, "date": d} for s, d in zip(market.securities, dates)]
    >>> found = es.AbnormalVolatility(market, events, estimation=(-250, -11), window=(-3, 3)).fit()
    >>> found
    AbnormalVolatilityResults: 4 events, window (-3, +3)
    >>> found.test(0, 1, seed=0)["dof"].round(1).tolist()
    [5.8, 5.8]
    """

    study: EventStudy
    dependent: Literal["raise", "flag"]

    def __init__(
        self,
        market: Market,
        events: Events | pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        estimation: Window | Sequence[int] = (-250, -30),
        window: Window | Sequence[int] = (-5, 5),
        min_observations: int = 100,
        kind: Literal["garch", "gjr"] = "garch",
        dependent: Literal["raise", "flag"] = "raise",
    ) -> None:
        if kind not in ("garch", "gjr"):
            raise RequestError(f"kind must be 'garch' or 'gjr', got {kind!r}.")
        if dependent not in ("raise", "flag"):
            raise RequestError(f"dependent must be 'raise' or 'flag', got {dependent!r}.")
        self.study = EventStudy(market, events, GARCHMarketModel(kind), estimation, window, min_observations)
        self.dependent = dependent

    def __repr__(self) -> str:
        return f"AbnormalVolatility of\n{self.study!r}"

    def fit(self) -> AbnormalVolatilityResults:
        """Fit the GARCH models and compare.

        Raises
        ------
        RequestError
            If there is one event, or events share sessions and `dependent` is ``"raise"``.
        MissingExtraError
            If arch is not installed (extra ``garch``).

        Warns
        -----
        EventStudyWarning
            If events share sessions and `dependent` is ``"flag"``.
        """
        results = of_one_exchange(self.study.fit())
        arrays = results.fitted.abnormal
        if arrays.n_events < 2:
            raise RequestError(
                "Abnormal volatility compares several events on the same relative day, and there is one: see "
                "range_market or EventGARCH."
            )
        shared = _shared(arrays.event_dates)
        if shared:
            when, n = shared
            day = format_time(pd.Timestamp(when))
            told = (
                f"The windows of {plural(n, 'event')} share sessions, such as {day}: their errors are "
                "not independent, which this test needs."
            )
            if self.dependent == "raise":
                raise RequestError(
                    f"{told} Take one event per date (or a portfolio of its firms as one security), use "
                    "range_market, or pass dependent='flag' to be warned instead."
                )
            warn(told, EventStudyWarning)
        return AbnormalVolatilityResults(results, bool(shared))


def _shared(dates: DateArray) -> tuple[np.datetime64, int] | None:
    """First date that lies in the windows of two events, and how many events share dates."""
    seen = ~np.isnat(dates)
    found, count = np.unique(dates[seen], return_counts=True)
    twice = found[count > 1]
    if not len(twice):
        return None
    return twice[0], int(np.isin(dates, twice).any(axis=1).sum())


class AbnormalVolatilityResults(Immutable):
    """Multiples of volatility by day, and tests of them.

    Attributes
    ----------
    study : EventStudyResults
        The study with GARCH market models behind the forecasts.
    dependent : bool
        Whether events share sessions, so p-values cannot be trusted.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(4, 420, garch=(0.08, 0.85), seed=3)
    >>> dates = market.sessions[300:380:20]
    >>> events = [{"security": s, "date": d} for s, d in zip(market.securities, dates)]
    >>> found = es.AbnormalVolatility(market, events, estimation=(-250, -11), window=(-1, 1)).fit()
    >>> found.dependent, found.multiples.shape[0]
    (False, 3)
    """

    study: EventStudyResults
    dependent: bool

    def __init__(self, study: EventStudyResults, dependent: bool) -> None:
        self.study, self.dependent = study, dependent
        arrays = study.fitted.abnormal
        # A return over several sessions, lumped after a halt, is not a one-day draw.
        single = arrays.span == 1
        self._errors = np.where(single, arrays.ar, np.nan)
        self._variances = np.where(single, arrays.noise, np.nan)

    def __repr__(self) -> str:
        n, window = len(self._errors), self.study.spec.window
        flag = ", events share sessions" if self.dependent else ""
        return f"AbnormalVolatilityResults: {n} events, window {window}{flag}"

    @property
    def multiples(self) -> pd.DataFrame:
        """Multiple of volatility by day.

        Columns multiple (1 under the null), ci_low and ci_high (95%, by the chi-square distribution of
        normally distributed errors of known variances: as forecasts are estimated, they cover 1 on about
        93% of days), n_events.
        """
        multiple, n = volatility_multiples(self._errors, self._variances)
        dof = multiple_dof(self._variances)
        return pd.DataFrame(
            {
                "multiple": multiple,
                "ci_low": dof * multiple / chi2_ppf(0.975, dof),
                "ci_high": dof * multiple / chi2_ppf(0.025, dof),
                "n_events": n,
            },
            index=pd.Index(self.study.spec.window.offsets, name="day"),
        )

    def test(
        self,
        start: Window | Sequence[int] | int | None = None,
        end: int | None = None,
        *,
        alternative: Alternative = "greater",
        n_resamples: int = 999,
        seed: int | np.random.Generator | None = 0,
    ) -> pd.DataFrame:
        r"""Test the cumulative abnormal volatility of a window.

        .. math:: \mathrm{CAV} = \sum_t (M_t - 1), \qquad
                  \sum_t \nu_t M_t \sim \chi^2_{\sum_t \nu_t}

        The chi-square distribution has the variance of the sum for normally distributed, independent errors
        of known variances, equal or not; the bootstrap draws shocks from each event's estimation residuals,
        lets the variance run on from its forecast, and forecasts with parameters that err as the estimates
        do, so it allows for fat tails, for volatility that stays high after a large shock and for what is not
        known of the forecasts.

        Parameters
        ----------
        start, end : int, optional
            First and last relative day; the headline window by default.
        alternative : {"greater", "less", "two-sided"}, default "greater"
        n_resamples : int, default 999
        seed : int or Generator, default 0

        Returns
        -------
        DataFrame
            Two rows, indexed by test: ``chi_square`` and ``bootstrap``; cav, mean_multiple, statistic, dof,
            p_value, n_events (the fewest on any day), dependent, recommended (the one to read, by its
            simulated size; none where events share sessions).
        """
        check_alternative(alternative)
        check_whole("n_resamples", n_resamples, 1)
        window = self.study.fitted.checked_window(start, end)
        cols = self.study.fitted.abnormal.columns(window)
        errors, variances = self._errors[:, cols], self._variances[:, cols]
        multiple, n = volatility_multiples(errors, variances)
        used = n > 1
        if not used.any():
            raise RequestError(f"No day of {window} has two events with a return.")
        weight = multiple_dof(variances)
        dof, statistic = float(weight[used].sum()), float((weight * multiple)[used].sum())
        upper, lower = float(chi2_sf(statistic, dof)), float(chi2_cdf(statistic, dof))
        check_seed(seed)
        draws = self._draws(cols, weight, *self._null(n_resamples, seed))
        above, below = (counted_p_value(statistic, x) for x in (draws >= statistic, draws <= statistic))
        p_values = [
            p_value_of_tails(lower, upper, alternative),
            p_value_of_tails(below, above, alternative),
        ]
        return pd.DataFrame(
            {
                "cav": float((multiple[used] - 1.0).sum()),
                "mean_multiple": statistic / dof,
                "statistic": statistic,
                "dof": dof,
                "p_value": p_values,
                "n_events": int(n[used].min()),
                "dependent": self.dependent,
                "recommended": [False, not self.dependent],
            },
            index=pd.Index(["chi_square", "bootstrap"], name="test"),
        )

    def _paths(self) -> Paths:
        fit = self.study.parameters
        arrays = self.study.fitted.abnormal
        shocks = []
        for residual in arrays.past.residuals():
            z = residual[~np.isnan(residual)]
            shocks.append(z / np.sqrt((z**2).mean()))
        forecast = arrays.noise / np.maximum(arrays.span, 1)
        known = np.argmax(~np.isnan(forecast), axis=1)
        first = forecast[np.arange(len(known)), known]
        g = fit["g"].to_numpy() if "g" in fit else np.zeros(len(fit))
        return Paths(
            tuple(shocks), fit["omega"].to_numpy(), fit["a"].to_numpy(), g, fit["b"].to_numpy(), first
        )

    def _null(self, n: int, seed: int | np.random.Generator | None) -> tuple[FloatArray, FloatArray]:
        """Draw errors of the whole event window under the null, and their forecasts; shapes (n, N, L).

        The same seed means the same draws for every tested window: those made last are kept.
        """

        def made() -> tuple[FloatArray, FloatArray]:
            rng, length = np.random.default_rng(seed), len(self.study.spec.window)
            ratios = self._ratios(length, n, rng)
            errors = simulate_errors(self._paths(), length, n, rng)
            return np.where(np.isnan(self._errors), np.nan, errors), self._variances * ratios

        if not isinstance(seed, int | np.integer):
            return made()
        key, kept = (n, int(seed)), recall(self, "null")
        if kept is not None and kept[0] == key:
            draws: tuple[FloatArray, FloatArray] = kept[1]
            return draws
        draws = made()
        remember(self, "null", (key, draws))
        return draws

    def _draws(
        self, cols: slice, weight: FloatArray, errors: FloatArray, variances: FloatArray
    ) -> FloatArray:
        """Statistic of each draw; days without a return stay so."""
        out = []
        for start in range(0, len(errors), CHUNK):
            part = slice(start, start + CHUNK)
            multiple, _ = volatility_multiples(errors[part, :, cols], variances[part, :, cols])
            out.append(np.nansum(weight * multiple, axis=1))
        return np.concatenate(out)

    def _ratios(self, length: int, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw what estimated forecasts are of the true ones, shape (n, N, length)."""
        data, fit = self.study.fitted, self.study.parameters
        arrays = data.spec.model.arrays(data.sample)
        assert isinstance(arrays, GapArrays)
        g = fit["g"].to_numpy() if "g" in fit else np.zeros(len(fit))
        out = np.empty((n, len(fit), length))
        for i, (alpha, beta, omega, a, b) in enumerate(
            fit[["alpha", "beta", "omega", "a", "b"]].itertuples(index=False)
        ):
            errors, between = (
                y[i] - alpha - beta * x[i, :, 0]
                for y, x in ((arrays.y_est, arrays.x_est), (arrays.y_gap, arrays.x_gap))
            )
            params = np.array([omega, a, g[i], b])
            out[:, i] = forecast_ratios(known(errors), known(between), params, length, n, rng)
        return out


def parameter_covariance(errors: FloatArray, params: FloatArray) -> FloatArray:
    r"""Covariance of GARCH parameters by quasi-maximum likelihood, ``J^-1 I J^-1``.

    .. math:: J = \frac12 \sum_t \frac{\nabla h_t \nabla h_t'}{h_t^2}, \qquad
              I = \frac14 \sum_t \left(\frac{\varepsilon_t^2}{h_t} - 1\right)^2
              \frac{\nabla h_t \nabla h_t'}{h_t^2}

    in the parameters :math:`\ln \bar h, a, g, b` with :math:`\omega = \bar h (1 - a - g/2 - b)`; directions
    that the variances do not identify, such as b where a is zero, have no variance, nor has g where it is 0.

    Parameters
    ----------
    errors : array, shape (T,)
        Of the estimation window, oldest first.
    params : array, shape (4,)
        omega, a, g, b.

    Returns
    -------
    array, shape (4, 4)

    References
    ----------
    Bollerslev and Wooldridge (1992), Econometric Reviews 11, 143-172; docs/methods/volume_and_volatility.md,
    eq. (garch-covariance).
    """
    omega, a, g, b = params
    level, _ = _level(params)
    squares = errors**2
    down = squares * (errors < 0)
    before = float(squares.mean())

    def run_on(forced: FloatArray, start: FloatArray) -> FloatArray:
        """Return x_0 = start, x_t = forced_{t-1} + b x_{t-1} of each column."""
        later, _ = signal.lfilter([1.0], [1.0, -b], forced[:-1], axis=0, zi=b * start[None])
        return np.concatenate([start[None], later])

    variances = run_on((omega + a * squares + g * down)[:, None], np.array([before]))[:, 0]
    slopes = run_on(np.column_stack([np.ones_like(squares), squares, down, variances]), np.zeros(4))
    # From omega, a, g, b to the logarithm of the level, a, g, b.
    turn = np.eye(4)
    turn[0] = [omega, -level, -level / 2, -level]
    ratio = slopes @ turn / variances[:, None]
    if g == 0.0:  # a model without leverage
        ratio[:, 2] = 0.0
    size = np.sqrt((ratio**2).sum(axis=0))
    unit = ratio / np.where(size > 0, size, 1.0)
    information = unit.T @ unit / 2.0
    weight = (errors**2 / variances - 1.0) ** 2
    inverse = np.linalg.pinv(information, rcond=UNIDENTIFIED, hermitian=True)
    covariance = inverse @ (unit.T @ (unit * weight[:, None]) / 4.0) @ inverse
    scale = np.where(size > 0, size, np.inf)
    return np.asarray(covariance / scale / scale[:, None], dtype=np.float64)


def forecast_ratios(
    errors: FloatArray,
    between: FloatArray,
    params: FloatArray,
    length: int,
    n: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw what forecasts with estimated parameters are of those with true ones, shape (n, length).

    The true parameters are those given; estimates of them are drawn from their asymptotic distribution.

    Parameters
    ----------
    errors, between : arrays, shape (T,) and (G,)
        Errors of the estimation window and of the sessions after it, oldest first.
    params : array, shape (4,)
        omega, a, g, b.
    length : int
        Sessions of the event window.
    n : int
    rng : numpy.random.Generator
    """
    values, vectors = np.linalg.eigh(parameter_covariance(errors, params))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = rng.normal(size=(n, 4)) @ root.T
    level, persistence = _level(params)
    log_level = np.clip(drawn[:, 0], -FARTHEST, FARTHEST)
    a, g, b = (params[1:] + drawn[:, 1:]).T
    a, b = np.maximum(a, 0.0), np.clip(b, 0.0, 1.0)
    g = np.maximum(g, -a)
    total = a + g / 2 + b
    shrunk = np.where(total > MOST_PERSISTENT, MOST_PERSISTENT / np.maximum(total, MOST_PERSISTENT), 1.0)
    a, g, b = a * shrunk, g * shrunk, b * shrunk
    own = params[1:] * min(1.0, MOST_PERSISTENT / max(persistence, MOST_PERSISTENT))
    levels = level * np.exp(np.append(log_level, 0.0))
    a, g, b = np.append(np.stack([a, g, b]), own[:, None], axis=1)
    found = _ahead(levels, a, g, b, errors, between, length)  # of the true parameters last
    return np.asarray(found[:-1] / found[-1], dtype=np.float64)


def _level(params: FloatArray) -> tuple[float, float]:
    """Variance that GARCH errors return to, and their persistence."""
    persistence = float(params[1] + params[2] / 2 + params[3])
    return float(params[0] / (1.0 - min(persistence, MOST_PERSISTENT))), persistence


def _ahead(
    level: FloatArray,
    a: FloatArray,
    g: FloatArray,
    b: FloatArray,
    errors: FloatArray,
    between: FloatArray,
    length: int,
) -> FloatArray:
    """Forecasts of `length` sessions with n sets of parameters, shape (n, length)."""
    persistence = a + g / 2 + b
    omega = level * (1.0 - persistence)
    h = np.full(len(a), float((errors**2).mean()))
    for e in np.concatenate([errors, between]):
        h = omega + (a + g * (e < 0)) * e * e + b * h
    powers = persistence[:, None] ** np.arange(length)
    return np.asarray(level[:, None] * (1.0 - powers) + powers * h[:, None], dtype=np.float64)
