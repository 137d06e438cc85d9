"""Joint hypothesis of one announcement day: is any firm affected.

Formulas and sources: docs/methods/portfolio.md, eqs. (joint-f), (joint-mean-t) and (joint-draws-f).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.distributions import f_sf
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, Options, TestInput, check_alternative, p_value
from eventstudy.inference.engine.draws import day_counts, draw_days, resampled_p_value
from eventstudy.inference.selection import n_windows
from eventstudy.tables import P_VALUE, Section, Table

__all__ = ["JointTest", "hotelling", "hotelling_draws", "joint_test"]

#: Days for each event, from which on drawn days have a covariance with an inverse.
DAYS_PER_EVENT = 3


@dataclass(frozen=True)
class JointTest:
    """Multivariate-regression tests of N events on one common date.

    Attributes
    ----------
    statistic, p_value : float
        F of the hypothesis that no event has an effect, and its p-value.
    dof : tuple of float
        Degrees of freedom ``(N, nu - N + 1)`` of F.
    mean_effect : float
        Mean CAR.
    mean_statistic, mean_dof, mean_p_value : float
        t of the hypothesis that the mean effect is zero, its degrees of freedom and p-value.
    p_resampled, mean_p_resampled : float
        P-values of F and t among draws of days for all events at once, which hold without normally
        distributed errors; NaN where there are too many events for them.
    n_resamples : int
        Draws.
    n_events, n_days : int
        Events, and estimation days on which all of them have a residual.
    note : str
        Why the distributions are approximate, if they are.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> joint = results.joint_test(0, 1)
    >>> joint.n_events, round(joint.mean_effect, 4)
    (2, -0.066)
    """

    statistic: float
    dof: tuple[float, float]
    p_value: float
    mean_effect: float
    mean_statistic: float
    mean_dof: float
    mean_p_value: float
    p_resampled: float
    mean_p_resampled: float
    n_resamples: int
    n_events: int
    n_days: int
    note: str = ""

    def _table(self) -> Table:
        rows = {
            "none has an effect": (
                self.p_resampled, self.p_value, self.statistic, "F({:g}, {:g})".format(*self.dof),
            ),
            f"mean effect {self.mean_effect:+.2%}": (
                self.mean_p_resampled, self.mean_p_value, self.mean_statistic, f"t({self.mean_dof:g})",
            ),
        }  # fmt: skip
        columns = ["p resampled", "p", "statistic", "distribution"]
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        formats = {"p resampled": P_VALUE, "p": P_VALUE, "statistic": "{:.3f}"}
        section = Section(frame.rename_axis("hypothesis"), formats=formats)
        notes = [f"{self.n_days} estimation days on which all {self.n_events} events have a residual."]
        notes += [f"{self.note[:1].upper()}{self.note[1:]}."] if self.note else []
        return Table(f"Joint test of {self.n_events} events on one date", (section,), tuple(notes))

    def __repr__(self) -> str:
        return self._table().to_text(80)

    def _repr_html_(self) -> str:
        return self._table().to_html()


def hotelling(residuals: FloatArray, car: FloatArray, scale: float, dof: float) -> tuple[float, float]:
    r"""Hotelling F of all effects and t of their mean, for events that share dates and regressors.

    .. math:: F = \frac{c' \hat\Sigma^{-1} c}{a} \cdot \frac{\nu - N + 1}{N \nu}
              \sim F(N, \nu - N + 1), \quad
              t = \frac{\bar c}{\sqrt{a\, \iota'\hat\Sigma\iota / N^2}} \sim t_\nu, \quad
              \hat\Sigma = E'E / \nu

    with CARs c of covariance ``a Sigma``. This is the multivariate regression with one dummy for
    each tested day (Gibbons 1980; Schipper and Thompson 1983; Binder 1985), exact under normal
    errors, and its t is the portfolio t with prediction error.

    Parameters
    ----------
    residuals : array, shape (T, N)
        Estimation residuals E, one column per event.
    car : array, shape (N,)
    scale : float
        ``a = g'Vg / s^2``, the same for all events.
    dof : float
        Residual degrees of freedom nu = T - k of one event, at least N.

    References
    ----------
    Hotelling (1931), Annals of Mathematical Statistics 2, 360-378; Binder (1985), Journal of Accounting
    Research 23, 370-383; docs/methods/portfolio.md, eqs. (joint-f) and (joint-mean-t).
    """
    n = len(car)
    covariance = residuals.T @ residuals / dof
    f = car @ np.linalg.solve(covariance, car) / scale * (dof - n + 1) / (n * dof)
    return float(f), float(car.mean() / np.sqrt(scale * covariance.mean()))


def hotelling_draws(
    residuals: FloatArray, length: int, dof: float, n_resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    r"""Draw the F and t of `hotelling` under the null, days being drawn for all events at once.

    .. math:: c^* = \sum_{l=1}^L e^*_l - L \bar e^*, \qquad a^* = L + L^2 / T^*

    for T* = dof + 1 estimation days, whose mean is e-bar* and whose covariance is the Sigma of the draw, and
    L event days. Both the error of the mean and that of the covariance vary from draw to draw.

    Parameters
    ----------
    residuals : array, shape (T, N)
        Over ``sqrt(1 - h)``, or nearly so.
    length : int
        Sessions L that the CARs span.
    dof : float
        Degrees of freedom nu of the test.
    n_resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    f, t : arrays, shape (n_resamples,)

    References
    ----------
    Hein and Westfall (2004), Journal of Financial Econometrics 2, 451-471; docs/methods/portfolio.md,
    eq. (joint-draws-f).
    """
    days, n = residuals.shape
    drawn = int(dof) + 1
    past = day_counts(draw_days(n_resamples, drawn, days, rng), days)
    event = day_counts(draw_days(n_resamples, length, days, rng), days)
    mean = past @ residuals / drawn
    car = event @ residuals - length * mean
    scale, f, t = length + length**2 / drawn, np.empty(n_resamples), np.empty(n_resamples)
    for b in range(n_resamples):
        products = (residuals.T * past[b]) @ residuals - drawn * np.outer(mean[b], mean[b])
        covariance = products / (drawn - 1)
        t[b] = car[b].mean() / np.sqrt(scale * covariance.mean())
        f[b] = car[b] @ np.linalg.solve(covariance, car[b]) / scale
    nu = drawn - 1
    return f * (nu - n + 1) / (n * nu), t


def joint_test(
    data: TestInput,
    alternative: Alternative = "two-sided",
    n_resamples: int = 999,
    seed: int | np.random.Generator | None = 0,
) -> JointTest:
    """Test whether any event of one common date has an effect, and whether the mean has.

    Events without residual variance take no part. Estimation days on which some event has no
    residual are left out, and `note` says that the distributions are then approximate.

    Parameters
    ----------
    data : TestInput
        Events of one common date and the tested window.
    alternative : {"two-sided", "less", "greater"}
        Of the mean effect.
    n_resamples, seed
        Draws of days for the resampled p-values, for fewer events than a third of the estimation days.

    Returns
    -------
    JointTest

    Raises
    ------
    RequestError
        If the alternative is unknown, or there are fewer than two events, more than one date, a tested day
        that some event misses or that is a night or break of bars, fewer residual degrees of freedom than
        events, or events whose residuals are linear combinations of each other.

    Notes
    -----
    The F of fat-tailed returns is far from its distribution, whatever the number of days (Hein and Westfall
    2004): read the resampled p-value. Both are valid only if the event day is as volatile as the estimation
    window: F explodes under a variance shift. To ask about the mean under such a shift use ``adjusted_bmp``
    or ``grank_t``.

    Examples
    --------
    >>> from eventstudy.inference import joint_test
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> round(joint_test(results.fitted.test_input(es.Window(0, 1))).p_value, 4)
    0.0216
    """
    check_alternative(alternative)
    used = data.with_variance
    n, fit = used.n_events, used.abnormal
    if n < 2:
        raise RequestError(f"The joint test needs at least 2 events with a residual variance, there are {n}.")
    windows = n_windows(used)
    if windows > 1:
        raise RequestError(
            f"The joint test needs one common event date, the {n} events have {windows} different windows "
            f"{data.window}; test the events of each date on their own."
        )
    if used.spans_gap:
        raise RequestError(f"The joint test has no covariance for it: {used.unlike_rows}.")
    missing = np.isnan(fit.ar[:, used.cols])
    partial = int((missing != missing.all(axis=0)).any(axis=1).sum())
    if partial:
        raise RequestError(f"{partial} of {n} events miss days of window {data.window} that others have.")
    dates, past = fit.past.dates(), fit.past.residuals()
    if (dates != dates[:1]).any():
        raise RequestError("The joint test needs events with the same estimation days (one market).")
    residuals = past[:, ~np.isnan(past).any(axis=0)].T
    n_params = fit.lost_dof
    dof = len(residuals) - n_params
    if dof < n:
        raise RequestError(
            f"{n} events need at least {n} residual degrees of freedom, {len(residuals)} common estimation "
            f"days leave {dof:g}; take a longer estimation window or fewer events."
        )
    size = np.sqrt((residuals**2).sum(axis=0))
    if np.linalg.matrix_rank(residuals / size) < n:
        raise RequestError(
            "The residuals of some events are linear combinations of others; drop duplicate securities."
        )
    scale = float((used.cumulative.variance / fit.s2).mean())
    f, t = hotelling(residuals, used.car, scale, dof)
    dof_f = (float(n), dof - n + 1)
    notes, p_resampled, mean_p = [], float("nan"), float("nan")
    if DAYS_PER_EVENT * n < len(residuals):
        options = Options(alternative, n_resamples, seed).settled()
        length = max(int(np.median(fit.span[:, used.cols].sum(axis=1))), 1)
        scaled = residuals * np.sqrt(len(residuals) / dof)
        draws = hotelling_draws(scaled, length, dof, n_resamples, options.generator("joint_test"))
        p_resampled = resampled_p_value(f, draws[0], "greater")
        mean_p = resampled_p_value(t, draws[1], alternative)
    else:
        notes.append(f"{n} events are too many to draw from {len(residuals)} days")
    if (fit.n_obs != len(residuals)).any():
        notes.append(f"approximate: {int((fit.n_obs != len(residuals)).sum())} events have further days")
    if not fit.exact:
        notes.append("approximate: so is the model's standard error")
    return JointTest(
        statistic=f,
        dof=dof_f,
        p_value=float(f_sf(f, *dof_f)),
        mean_effect=float(used.car.mean()),
        mean_statistic=t,
        mean_dof=dof,
        mean_p_value=p_value(t, alternative, dof),
        p_resampled=p_resampled,
        mean_p_resampled=mean_p,
        n_resamples=n_resamples,
        n_events=n,
        n_days=len(residuals),
        note="; ".join(notes),
    )
