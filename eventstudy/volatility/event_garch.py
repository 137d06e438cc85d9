"""A market model with GARCH errors in which the event is a dummy, in the mean and in the variance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, signal, special

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_whole
from eventstudy.distributions import chi2_sf
from eventstudy.errors import (
    EventStudyWarning,
    ExcludedEventsWarning,
    NoUsableEventsError,
    WindowError,
    warn,
)
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, Immutable, hand_out_copies
from eventstudy.inference.base import p_value
from eventstudy.inference.engine.moments import mean_t
from eventstudy.market import Market, check_market
from eventstudy.models import MarketModel
from eventstudy.results.fit_warnings import exclusion_text
from eventstudy.sample import EventSample, check_windows, refuse_window_columns
from eventstudy.text import none_usable, plural
from eventstudy.windows import Window

__all__ = ["DummyGARCH", "EventGARCH", "EventGARCHResults", "conditional_variance", "fit_dummy_garch"]

#: Shortest dummy: on one day the likelihood has no maximum, on two it is all but flat.
SHORTEST = 3
#: Starting values of ARCH and GARCH coefficients.
STARTS = ((0.05, 0.90), (0.10, 0.70), (0.15, 0.30))
#: Persistence a + b stays below one.
MOST_PERSISTENT = 0.9999


def conditional_variance(
    errors: FloatArray, dummy: FloatArray, omega: float, a: float, b: float, delta: float, before: float
) -> FloatArray:
    r"""Conditional variances of a GARCH(1, 1) with a dummy.

    .. math:: h_t = \omega + a \varepsilon_{t-1}^2 + b h_{t-1} + \delta D_t, \qquad
              \varepsilon_0^2 = h_0 = \text{before}

    Parameters
    ----------
    errors, dummy : arrays, shape (T,)
    omega, a, b, delta, before : float

    Returns
    -------
    array, shape (T,)
    """
    shocks = np.concatenate([[before], errors[:-1] ** 2])
    forced = omega + a * shocks + delta * dummy
    return np.asarray(signal.lfilter([1.0], [1.0, -b], forced, zi=[b * before])[0], dtype=np.float64)


@dataclass(frozen=True)
class DummyGARCH(FrozenRecord):
    """Maximum likelihood of one event.

    Attributes
    ----------
    line : array, shape (k + 1,)
        Parameters of the regressors, then gamma.
    omega, a, b, delta : float
    errors, variances : arrays, shape (T,)
    log_likelihood, restricted : float
        With delta, and at the maximum with delta zero.
    """

    line: FloatArray
    omega: float
    a: float
    b: float
    delta: float
    errors: FloatArray
    variances: FloatArray
    log_likelihood: float
    restricted: float


def fit_dummy_garch(y: FloatArray, x: FloatArray, dummy: FloatArray) -> DummyGARCH | str:
    r"""Fit a regression with GARCH errors and a dummy in mean and variance, or say why it cannot be.

    .. math:: y_t = x_t'\theta + \gamma D_t + \varepsilon_t, \qquad \varepsilon_t \sim N(0, h_t), \qquad
              h_t = \omega + a \varepsilon_{t-1}^2 + b h_{t-1} + \delta D_t

    with :math:`\omega + \delta > 0` and :math:`a + b < 1`.

    Parameters
    ----------
    y : array, shape (T,)
    x : array, shape (T, k)
        Constant and regressors.
    dummy : array, shape (T,)
        One on at least three days, else zero.

    References
    ----------
    docs/methods/volume_and_volatility.md, eq. (event-garch).
    """
    design = np.column_stack([x, dummy])
    least = np.linalg.lstsq(design, y, rcond=None)[0]
    residual = y - design @ least
    quiet = residual[dummy == 0]
    scale = float(np.sqrt((quiet**2).mean()))
    if not scale > 1e-10:
        return "its returns do not vary apart from the benchmark"
    size = np.sqrt((design**2).mean(axis=0))
    unit, start = design / size, least * size / scale

    def parts(
        theta: FloatArray, free: bool
    ) -> tuple[FloatArray, FloatArray, tuple[float, float, float, float]]:
        k = unit.shape[1]
        errors = y / scale - unit @ theta[:k]
        omega = float(np.exp(theta[k]))
        persistence = MOST_PERSISTENT * float(special.expit(theta[k + 1]))
        a = persistence * float(special.expit(theta[k + 2]))
        delta = float(np.exp(theta[k + 3])) - omega if free else 0.0
        values = (omega, a, persistence - a, delta)
        return errors, conditional_variance(errors, dummy, *values, 1.0), values

    def loss(theta: FloatArray, free: bool) -> tuple[float, FloatArray]:
        """Mean negative log-likelihood, and its gradient."""
        k = unit.shape[1]
        errors, h, (omega, a, b, delta) = parts(theta, free)
        squares = errors**2
        forced = np.zeros((k + 4, len(errors)))  # of omega, a, b and delta after the line
        forced[:k, 1:] = -2.0 * a * (errors * unit.T)[:, :-1]
        forced[k] = 1.0
        forced[k + 1], forced[k + 2] = np.r_[1.0, squares[:-1]], np.r_[1.0, h[:-1]]
        forced[k + 3] = dummy
        slopes = signal.lfilter([1.0], [1.0, -b], forced, axis=1)
        by_h = 0.5 * (1.0 / h - squares / h**2) / len(h)
        found = slopes @ by_h
        line = found[:k] - unit.T @ (errors / h) / len(h)
        share, slope = a / (a + b), special.expit(-theta[k + 1]) * (a + b)
        turned = [
            omega * (found[k] - free * found[k + 3]),
            slope * (share * found[k + 1] + (1.0 - share) * found[k + 2]),
            (a + b) * share * (1.0 - share) * (found[k + 1] - found[k + 2]),
        ]
        turned += [(omega + delta) * found[k + 3]] * free
        value = float(0.5 * (np.log(2 * np.pi * h) + squares / h).mean())
        return value, np.r_[line, turned]

    def best(free: bool, begin: list[FloatArray]) -> Any:
        bounds = [(None, None)] * len(start) + [(-12.0, 3.0), (-8.0, 9.0), (-9.0, 9.0)]
        bounds += [(-12.0, 8.0)] if free else []
        found = [
            optimize.minimize(
                loss, b, args=(free,), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}
            )
            for b in begin
        ]
        return min(found, key=lambda r: float(r.fun))

    begin = [
        np.r_[start, np.log(1 - a - b), special.logit((a + b) / MOST_PERSISTENT), special.logit(a / (a + b))]
        for a, b in STARTS
    ]
    narrow = best(False, begin)
    event = float((residual[dummy == 1] ** 2).mean()) / scale**2
    first = [
        np.r_[theta, np.log(np.exp(theta[len(start)]) * factor)]
        for theta in (narrow.x, begin[0])
        for factor in (1.0, max(event, 0.1))
    ]
    wide = best(True, first)
    if not (np.isfinite(wide.fun) and np.isfinite(narrow.fun)):
        return "the likelihood of the GARCH model with a dummy cannot be maximised"
    errors, h, (omega, a, b, delta) = parts(wide.x, True)
    n, s2 = len(y), scale**2
    shift = n * np.log(scale)
    return DummyGARCH(
        line=wide.x[: len(start)] * scale / size,
        omega=omega * s2,
        a=a,
        b=b,
        delta=delta * s2,
        errors=errors * scale,
        variances=h * s2,
        log_likelihood=-n * float(wide.fun) - shift,
        restricted=-n * float(narrow.fun) - shift,
    )


class EventGARCH(Immutable):
    r"""Abnormal return and abnormal variance of each event, estimated in one GARCH market model.

    .. math:: R_{it} = \alpha_i + \beta_i R_{mt} + \gamma_i D_t + \varepsilon_{it}, \qquad
              h_{it} = \omega_i + a_i \varepsilon_{i,t-1}^2 + b_i h_{i,t-1} + \delta_i D_t

    over the sessions from the start of `estimation` to the end of `dummy`.

    Parameters
    ----------
    market, events
        As for `EventStudy`.
    dummy : Window or (int, int), default (0, 4)
        Days on which the dummy is one: three sessions or more. On a single day the error is fitted exactly
        and the likelihood grows without bound as the variance of that day goes to zero.
    estimation : Window or (int, int), default (-250, -6)
        Sessions before, without the dummy.
    min_observations : int, default 100

    Raises
    ------
    WindowError
        If the dummy has fewer than three sessions, or does not follow the estimation window, or if columns of
        the events give windows.

    Notes
    -----
    Savickas (2003); Balaban and Constantinou (2006). A return over several sessions is left out.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, truth = es.lab.simulate_market(5, 420, n_events=4, seed=3)
    >>> found = es.EventGARCH(market, truth.events, dummy=(0, 4)).fit()
    >>> list(found.parameters.columns)[:7]
    ['alpha', 'beta', 'gamma', 'omega', 'a', 'b', 'delta']
    """

    market: Market
    events: Events
    dummy: Window
    estimation: Window
    min_observations: int

    def __init__(
        self,
        market: Market,
        events: Events | pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        dummy: Window | Sequence[int] = (0, 4),
        estimation: Window | Sequence[int] = (-250, -6),
        min_observations: int = 100,
    ) -> None:
        check_market(market)
        self.market = market
        self.events = events if isinstance(events, Events) else Events(events)
        refuse_window_columns(self.events.frame, "EventGARCH")
        self.dummy, self.estimation = Window.of(dummy), Window.of(estimation)
        check_whole("min_observations", min_observations, 1)
        self.min_observations = min_observations
        if len(self.dummy) < SHORTEST:
            raise WindowError(
                f"The dummy {self.dummy} has {plural(len(self.dummy), 'session')}: with fewer than "
                f"{SHORTEST} the likelihood has no maximum (the error of a single day is fitted exactly). "
                "Widen it, or use GARCHMarketModel, whose forecast needs no dummy."
            )
        check_windows(self.estimation, self.dummy)
        if self.estimation.end >= self.dummy.start:
            raise WindowError(
                f"The estimation window {self.estimation} must end before the dummy {self.dummy}."
            )

    def __repr__(self) -> str:
        return (
            f"EventGARCH: {len(self.events)} events, dummy {self.dummy}, estimation {self.estimation}\n"
            f"  {self.market!r}"
        )

    def fit(self) -> EventGARCHResults:
        """Maximise the likelihood of each event.

        Raises
        ------
        NoUsableEventsError
            If no event can be used; the message gives each reason.

        Warns
        -----
        ExcludedEventsWarning
            If some events cannot be used, such as those whose dummy reaches beyond the data.
        """
        whole = Window(self.estimation.start, self.dummy.end)
        sample = EventSample.of(self.market, self.events, self.estimation, self.dummy)
        last = len(self.market.sessions) - 1
        sample = sample.without(
            dict.fromkeys(np.flatnonzero(sample.benchmark < 0).tolist(), "no benchmark is given for it")
            | dict.fromkeys(
                np.flatnonzero(sample.day0 + self.dummy.end > last).tolist(),
                f"its dummy {self.dummy} reaches beyond the data",
            )
        )
        rows, reasons = {}, dict(zip(sample.excluded.index, sample.excluded["reason"], strict=True))
        if not len(sample):
            raise NoUsableEventsError(_unusable(reasons))
        model = MarketModel()
        past, event = _arrays(sample, self.estimation, model), _arrays(sample, self.dummy, model)
        between = (
            _arrays(sample, Window(self.estimation.end + 1, self.dummy.start - 1), model)
            if self.dummy.start - self.estimation.end > 1
            else (past[0][:, :0], past[1][:, :0])
        )
        y = np.concatenate([past[0], between[0], event[0]], axis=1)
        market = np.concatenate([past[1], between[1], event[1]], axis=1)
        flag = (whole.offsets >= self.dummy.start).astype(np.float64)
        for i, event_id in enumerate(sample.events.index):
            used = ~np.isnan(y[i]) & ~np.isnan(market[i])
            n, held = int(used.sum()), int(flag[used].sum())
            if n - held < self.min_observations or held < SHORTEST:
                reasons[event_id] = (
                    f"{n - held} returns before the dummy and {held} on its days; at least "
                    f"{self.min_observations} and {SHORTEST} are needed"
                )
                continue
            x = np.column_stack([np.ones(n), market[i, used]])
            found = fit_dummy_garch(y[i, used], x, flag[used])
            if isinstance(found, str):
                reasons[event_id] = found
            else:
                rows[event_id] = _row(found, flag[used])
        if not rows:
            raise NoUsableEventsError(_unusable(reasons))
        excluded = pd.Series(reasons, dtype=object, name="reason").rename_axis("event_id")
        if len(excluded):
            named = excluded.to_frame().assign(security=self.events.frame["security"])
            warn(exclusion_text(named, len(self.events), "results.excluded"), ExcludedEventsWarning)
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("event_id")
        days = np.sort(sample.day0[sample.events.index.get_indexer(frame.index)])
        return EventGARCHResults(self, frame, excluded, bool((np.diff(days) < len(self.dummy)).any()))


def _unusable(reasons: Mapping[Any, str]) -> str:
    told = "\n".join(f"  event {name}: {why}" for name, why in list(reasons.items())[:10])
    return f"{none_usable(len(reasons))}\n{told}"


def _arrays(sample: EventSample, window: Window, model: MarketModel) -> tuple[FloatArray, FloatArray]:
    """Lay out returns of one session each, and those of the benchmark, over a window."""
    # Laid out as an event window would be: the sample's own windows may not overlap, these do not.
    laid = replace(sample, window=window).arrays(model.regressors)
    return np.where(laid.span_evt == 1, laid.y_evt, np.nan), laid.x_evt[:, :, 0]


def _row(found: DummyGARCH, flag: FloatArray) -> dict[str, float]:
    lr = max(2.0 * (found.log_likelihood - found.restricted), 0.0)
    variance = float(found.variances[flag == 1].mean())
    return {
        "alpha": float(found.line[0]),
        "beta": float(found.line[1]),
        "gamma": float(found.line[2]),
        "omega": found.omega,
        "a": found.a,
        "b": found.b,
        "delta": found.delta,
        "lr": lr,
        "p_value": float(chi2_sf(lr, 1)),
        "standardised": float(found.line[2]) / np.sqrt(variance),
        "relative": found.delta / (found.omega / (1.0 - found.a - found.b)),
        "n_obs": len(flag),
    }


@hand_out_copies("parameters", "excluded")
class EventGARCHResults(Immutable):
    """Estimates of `EventGARCH`.

    Attributes
    ----------
    spec : EventGARCH
    parameters : DataFrame
        By event_id: alpha, beta, gamma (abnormal return per day), omega, a, b, delta (abnormal variance
        per day, decimals squared), lr and p_value (likelihood ratio of delta = 0, chi-square with 1 degree of
        freedom), standardised (gamma over the mean conditional deviation of the dummy's days), relative
        (delta over the variance without event, omega / (1 - a - b)), n_obs.
    excluded : Series
        Reason why an event could not be used, by event_id.
    dependent : bool
        Whether dummies of two events share sessions, so tests of their means cannot be trusted.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, truth = es.lab.simulate_market(5, 420, n_events=4, seed=3)
    >>> found = es.EventGARCH(market, truth.events, dummy=(0, 4)).fit()
    >>> found.parameters["beta"].round(2).tolist()
    [0.58, 1.05, 0.63, 1.06]
    """

    spec: EventGARCH
    parameters: pd.DataFrame
    excluded: pd.Series
    dependent: bool

    def __init__(
        self, spec: EventGARCH, parameters: pd.DataFrame, excluded: pd.Series, dependent: bool
    ) -> None:
        self.spec, self.parameters, self.excluded = spec, parameters, excluded
        self.dependent = dependent

    def __repr__(self) -> str:
        return f"EventGARCHResults: {len(self.parameters)} events, dummy {self.spec.dummy}"

    def test(self) -> pd.DataFrame:
        """Test the means over events by their cross-section, t(N - 1); events must be independent.

        Returns
        -------
        DataFrame
            By test: ``gamma``, ``standardised`` (Savickas 2003), ``delta`` and ``relative`` (Balaban and
            Constantinou 2006): estimate, statistic, dof, p_value, n_events, dependent, recommended (the one
            to read, by its simulated size; none of dependent events); NaN for a single event.

        Warns
        -----
        EventStudyWarning
            If events share sessions.
        """
        if self.dependent:
            warn(
                "Dummies of several events share sessions: their estimates are not independent, as tests of "
                "their mean assume. Take one event per date, or a portfolio of its firms as one security.",
                EventStudyWarning,
            )
        rows = {}
        for name in ("gamma", "standardised", "delta", "relative"):
            values = self.parameters[name].to_numpy()
            n = len(values)
            t = float(mean_t(values)) if n > 1 and np.std(values) > 0 else np.nan
            rows[name] = {
                "estimate": float(values.mean()),
                "statistic": t,
                "dof": n - 1,
                "p_value": p_value(t, "two-sided", n - 1),
                "n_events": n,
                "dependent": self.dependent,
                "recommended": name == "standardised" and not np.isnan(t) and not self.dependent,
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("test")
