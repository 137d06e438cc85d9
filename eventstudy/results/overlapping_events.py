"""Several announcements about one security: overlapping windows, and the effect of each announcement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, DateArray, FloatArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, check_alternative, t_bounds, t_p_values
from eventstudy.models.least_squares import ols_batch
from eventstudy.models.linear import LinearModel
from eventstudy.results.fitted import FittedStudy, MethodGroup, WindowLike, checked_level
from eventstudy.sample import EventArrays
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["OverlappingEvents", "stacked_effects"]

#: A smaller part of a neighbour's reaction is not spoken of.
LEAST_SPILL = 0.05


class OverlappingEvents(MethodGroup):
    """Repeated announcements about the securities of one study."""

    _fitted: FittedStudy

    @property
    def fitted(self) -> FittedStudy:
        """The fitted study as arrays and tables, for computations of your own.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> results.fitted.abnormal.ar.shape
        (1, 3)
        """
        return self._fitted

    def overlaps(self, start: WindowLike = None, end: int | None = None) -> pd.DataFrame:
        """Pairs of events of one security whose windows share sessions.

        Parameters
        ----------
        start, end : int
            First and last relative day; the whole event window by default.

        Returns
        -------
        DataFrame
            One row per pair: security, event_id, earlier_event_id, sessions (how many are shared).

        See Also
        --------
        Events.overlaps : the same by calendar days, before a study is fitted.

        Examples
        --------
        >>> import warnings
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> days = {"security": "002415.SZ", "date": ["2019-05-22", "2019-05-24"]}
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     results = es.EventStudy(market, days, window=(-1, 5)).fit()
        >>> results.overlaps(0, 3)
            security  event_id  earlier_event_id  sessions
        0  002415.SZ         1                 0         2
        """
        data = self.fitted
        window, day0 = data.checked_window(start, end, path=True), data.sample.day0
        frame = pd.DataFrame(
            {"security": data.timeline["security"].to_numpy(), "event_id": data.index, "row": day0}
        )
        frame = frame.sort_values("row", kind="stable").assign(order=range(len(frame)))
        pairs = frame.merge(frame, on="security", suffixes=("", "_earlier"))
        shared = len(window) - (pairs["row"] - pairs["row_earlier"])
        pairs = pairs.assign(sessions=shared)[(pairs["order"] > pairs["order_earlier"]) & (shared > 0)]
        pairs = pairs.rename(columns={"event_id_earlier": "earlier_event_id"})
        return pairs[["security", "event_id", "earlier_event_id", "sessions"]].reset_index(drop=True)

    def stacked(
        self,
        start: WindowLike = None,
        end: int | None = None,
        *,
        level: float = 0.95,
        alternative: Alternative = "two-sided",
    ) -> pd.DataFrame:
        r"""CARs of all announcements about a security at once, sharing out the days on which windows overlap.

        .. math:: AR_t = \sum_k \gamma_k D_{kt} + u_t, \qquad
                  \widehat{\mathrm{CAR}}_k = L_k \hat\gamma_k, \qquad
                  \operatorname{Var}(\hat\gamma) = (D'D)^{-1} D' V D (D'D)^{-1}

        with a dummy :math:`D_k` for the window of each announcement: each has the same effect on every
        session of its window, and effects add up where windows overlap.

        Parameters
        ----------
        start, end : int
            First and last relative day; the headline window by default.
        level : float, default 0.95
            Coverage of the intervals.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-values; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            By event_id: security, car, se, t, dof, p_value, ci_low, ci_high, n_days (days with a return),
            shared_days (of these, days in the window of another announcement as well), spill (the part of a
            reaction on day 0 of another announcement, and on no other day, that lands in this car; the
            largest of several), own_car, own_se and own_p_value (of the days that it shares with no other;
            NaN where there are none) and note. As in `car`, windows that the returns do not cover have no
            result unless ``incomplete="partial"``.

        Raises
        ------
        RequestError
            If two announcements have the same window, too few estimation days remain, or the model is not
            least squares with a constant.

        Notes
        -----
        This is a regression of the security's returns on the model's regressors and one dummy for each day
        of any window, whose coefficients are the ARs with covariance V (Schipper and Thompson 1983; Binder
        1985; Salinger 1992), followed by least squares of these on the announcements' dummies. Normal returns
        are estimated on all days of the events' estimation windows that are in no event window of the study.
        Without overlaps, and for one announcement, it gives the CAR and standard error of that estimation.

        That an announcement has the same effect on every session of its window is an assumption, and most
        reactions are of one day. Such a reaction is spread over its window, and what the shared days do not
        show of it is handed to the neighbour with the opposite sign: with windows (0, 3) two days apart a
        fall of 10% on the first day 0 adds 6.7% to the second car. Where `spill` is large read `own_car`,
        which sums the days of its own, or test shorter windows that do not overlap.

        Examples
        --------
        >>> import warnings
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(
        ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        ... )
        >>> days = {"security": "002415.SZ", "date": ["2019-05-22", "2019-05-24"]}
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     results = es.EventStudy(market, days, estimation=(-270, -21), window=(-5, 5)).fit()
        >>> results.stacked(0, 3)[["car", "se", "shared_days"]].round(4).rename_axis(None)
              car      se  shared_days
        0 -0.0771  0.0426            2
        1  0.0560  0.0426            2
        """
        data = self.fitted
        window = data.checked_window(start, end)
        model = data.spec.model
        if not isinstance(model, LinearModel):
            raise RequestError(f"stacked() needs a least-squares model; {model.label} is not one.")
        arrays = model.arrays(data.sample)
        parts = [
            _of_security(data, arrays, np.flatnonzero(data.sample.security == security), window)
            for security in pd.unique(pd.Series(data.sample.security))
        ]
        frame = pd.concat(parts).loc[data.index]
        check_alternative(alternative)
        dof = frame["dof"].to_numpy()
        low, high = t_bounds(
            frame["car"].to_numpy(), frame["se"].to_numpy(), dof, checked_level(level), alternative
        )
        t, own_t = frame["car"] / frame["se"], frame["own_car"] / frame["own_se"]
        frame = frame.assign(
            t=t,
            own_p_value=t_p_values(own_t.to_numpy(), dof, alternative),
            p_value=t_p_values(t.to_numpy(), dof, alternative),
            ci_low=low,
            ci_high=high,
        )
        order = ["car", "se", "t", "dof", "p_value", "ci_low", "ci_high", "n_days", "shared_days", "spill"]
        order += ["own_car", "own_se", "own_p_value", "note"]
        frame.insert(0, "security", data.timeline["security"])
        return frame[["security", *order]]


def stacked_effects(
    ar: FloatArray, covariance: FloatArray, dummies: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Effects of K announcements by day, and their covariance, from the ARs of T days.

    Parameters
    ----------
    ar : array, shape (T,)
    covariance : array, shape (T, T)
        Prediction-error covariance of the ARs.
    dummies : array, shape (T, K)
        One where a day is in the announcement's window; of full column rank.

    Returns
    -------
    effects : array, shape (K,)
    covariance : array, shape (K, K)

    References
    ----------
    docs/methods/abnormal_returns.md, eq. (stacked).
    """
    weights = np.linalg.pinv(dummies)
    return weights @ ar, weights @ covariance @ weights.T


def _of_security(data: FittedStudy, arrays: EventArrays, rows: IntArray, window: Window) -> pd.DataFrame:
    cols = data.abnormal.columns(window)
    names, security = data.index[rows], data.timeline["security"].iloc[rows[0]]
    tested = arrays.dates_evt[rows]
    inside = ~np.isnat(tested)
    if data.sample.own is not None:
        data.sample.own.blank_window(inside, rows, data.abnormal.window.offsets, False)
    # A day may be in the estimation window of one announcement and not of another.
    at = _each_once(arrays.dates_est[rows], ~np.isnan(arrays.y_est[rows]), np.unique(tested[inside]))
    y, x = arrays.y_est[rows][at], arrays.x_est[rows][at]
    spans = None if arrays.span_est is None else np.maximum(arrays.span_est[rows][at], 1.0)
    fit = ols_batch(
        y[None],
        x[None],
        None if spans is None else spans[None],
        None if spans is None else 1.0 / spans[None],
    )
    dof = float(fit.n_obs[0] - x.shape[1] - 1)
    if dof < 1 or not fit.sse[0] > 0:
        raise RequestError(
            f"Only {int(fit.n_obs[0])} estimation days of {security} lie outside all "
            "event windows: lengthen the estimation window."
        )
    tested, inside = tested[:, cols], inside[:, cols]
    at = _each_once(tested, inside & ~np.isnan(arrays.y_evt[rows][:, cols]))
    days = tested[at]
    span = arrays.span_evt[rows][:, cols][at].astype(float)
    design = np.column_stack([span, arrays.x_evt[rows][:, cols][at]])
    ar = arrays.y_evt[rows][:, cols][at] - design @ fit.params[0]
    known = ~np.isnan(ar)
    days, ar, design, span = days[known], ar[known], design[known], span[known]
    s2 = float(fit.sse[0] / dof)
    covariance = s2 * (np.diag(span) + design @ fit.xtx_inv[0] @ design.T)
    dummies = np.column_stack(
        [np.isin(days, dates[mine]).astype(float) for dates, mine in zip(tested, inside, strict=True)]
    )
    if np.linalg.matrix_rank(dummies) < len(rows):
        told = ", ".join(map(str, names[:5]))
        raise RequestError(
            f"The announcements {told} about {security} cannot be separated over {window}: "
            f"their windows are the same, or have no return. Shorten the window, or drop one."
        )
    effects, variance = stacked_effects(ar, covariance, dummies)
    n_days = dummies.sum(axis=0)
    shared = (dummies.sum(axis=1, keepdims=True) > 1) & (dummies > 0)
    day0 = days[:, None] == arrays.dates_evt[rows][:, -data.abnormal.window.start]
    spill = np.array([_spill(k, n_days, dummies, day0) for k in range(len(rows))])
    own = (dummies > 0) & ~shared
    some = own.any(axis=0)
    own_variance = np.einsum("tk,ts,sk->k", own, covariance, own)
    out = pd.DataFrame(
        {
            "car": n_days * effects,
            "se": n_days * np.sqrt(np.diag(variance)),
            "dof": dof,
            "n_days": n_days.astype(int),
            "shared_days": shared.sum(axis=0),
            "spill": spill,
            "own_car": np.where(some, ar @ own, np.nan),
            "own_se": np.where(some, np.sqrt(own_variance), np.nan),
            "note": [_note(part, int(count)) for part, count in zip(spill, own.sum(axis=0), strict=True)],
        },
        index=names,
    )
    # As in `car`: a window that the returns do not cover has no CAR.
    cut = np.isnan(data.test_input(window).cumulative.car[rows])
    out.loc[cut, ["car", "se", "spill", "own_car", "own_se"]] = np.nan
    out.loc[cut, "note"] = f"its returns do not cover {window}"
    return out


def _each_once(
    dates: DateArray, known: BoolArray, without: DateArray | None = None
) -> tuple[IntArray, IntArray]:
    """Rows and columns of the first known cell of each date, in order of time, but for some dates."""
    row, column = np.nonzero(known & ~np.isnat(dates))
    days, first = np.unique(dates[row, column], return_index=True)
    if without is not None:
        first = first[~np.isin(days, without)]
    return row[first], column[first]


def _spill(k: int, n_days: FloatArray, dummies: FloatArray, day0: BoolArray) -> float:
    """Part of a reaction on day 0 of another announcement that lands in the CAR of announcement k."""
    lands = n_days[k] * np.linalg.pinv(dummies)[k] @ day0.astype(float)
    others = np.delete(lands, k)
    return float(others[np.argmax(np.abs(others))]) if len(others) else 0.0


def _note(spill: float, own_days: int) -> str:
    if abs(spill) < LEAST_SPILL:
        return ""
    told = f"a reaction on day 0 of a neighbour, and on no other day, lands here with {spill:+.0%} of it"
    return f"{told}; own_car sums {plural(own_days, 'day')} of its own" if own_days else told
