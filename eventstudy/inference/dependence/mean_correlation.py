r"""Cross-correlation of events: the mean correlation r-bar on common calendar days, and clustering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy._typing import DateArray, FloatArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.pairs import MIN_COMMON_DAYS, NO_COMMON_VARIANCE, sum_over_pairs
from eventstudy.inference.dependence.sessions import overlapping_pairs, session_correlation
from eventstudy.inference.engine import residual_pass
from eventstudy.inference.engine.moments import NEGLIGIBLE
from eventstudy.inference.selection import n_windows
from eventstudy.tables import Section, Table
from eventstudy.text import plural

__all__ = [
    "LOSS",
    "Clustering",
    "MeanCorrelation",
    "clustering",
    "correlation_matrix",
    "depend",
    "dependence",
    "mean_correlation",
    "residual_correlations",
    "unknown_correlation",
]

#: Dependence matters where it costs more than this share of the events' information.
LOSS = 0.1
#: Factor on the variance of a mean that costs this share.
MOST_INFLATED = 1.0 / (1.0 - LOSS)
#: From this many events on, blocks of neighbouring sessions are asked first whether the events depend.
MANY, BLOCKS = 20_000, 16
#: Together the blocks hold one event in 32; in 16, and then in 8, while doubt is left.
STEPS = (32, 16, 8)
#: No doubt is left where the variance is this many standard errors from the bound.
NO_DOUBT = 4.0
#: Products of matrices of more numbers than this cost more than sums over sessions.
LARGE = 2**22


@dataclass(frozen=True)
class MeanCorrelation:
    """Mean correlation of the pairs of N events.

    Attributes
    ----------
    mean_correlation : float
        r-bar, the mean over all pairs of overlap share times residual correlation; 0 for one event.
    n_overlapping_pairs : int
        Pairs whose tested windows share a calendar day.
    """

    mean_correlation: float
    n_overlapping_pairs: int

    @classmethod
    def of(cls, total: float, overlapping: int, n: int) -> MeanCorrelation:
        """Take the mean of a sum over the pairs of n events, of which some overlap."""
        # Where none does, the sum is what rounding left of the events themselves.
        return cls(total / (n * (n - 1) / 2) if overlapping else 0.0, overlapping)


@dataclass(frozen=True)
class Clustering:
    """How strongly the events of a tested window depend on each other.

    Attributes
    ----------
    n_events : int
        Events with a CAR in the tested window.
    n_dates : int
        Distinct tested windows, by their calendar dates.
    n_overlapping_pairs : int
        Pairs of events whose tested windows share a calendar day.
    mean_correlation : float
        r-bar: mean over all pairs of (share of tested days in common) x (correlation of
        estimation residuals on common calendar days); NaN where events share days and none has ten
        estimation days.
    effective_n : float
        ``N / (1 + (N - 1) r-bar)``: independent events that would carry as much information; NaN
        where r-bar is so negative that this is not positive, or is not known.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> found = results.clustering(0, 1)
    >>> found.n_events, found.n_dates, round(found.effective_n, 1)
    (2, 1, 1.3)
    """

    n_events: int
    n_dates: int
    n_overlapping_pairs: int
    mean_correlation: float
    effective_n: float

    @property
    def share_overlapping(self) -> float:
        """Share of pairs whose tested windows share a calendar day; 0 for one event."""
        pairs = self.n_events * (self.n_events - 1) // 2
        return self.n_overlapping_pairs / pairs if pairs else 0.0

    def where_known(self, text: str) -> str:
        """Return `text`, or where the mean correlation is NaN, that it is not known."""
        unknown = f"not known: it takes {MIN_COMMON_DAYS} estimation days"
        return unknown if np.isnan(self.mean_correlation) else text

    def _table(self) -> Table:
        pairs = self.n_events * (self.n_events - 1) // 2
        rows = {
            "events": f"{self.n_events} on {plural(self.n_dates, 'date')}",
            "pairs with a common day": f"{self.n_overlapping_pairs} of {pairs}",
            "mean correlation": self.where_known(f"{self.mean_correlation:.3f}"),
            "effective N": self.where_known(f"{self.effective_n:.1f} of {self.n_events}"),
        }
        frame = pd.DataFrame({"": pd.Series(rows, dtype=object)})
        return Table("How events depend on each other", (Section(frame),))

    def __repr__(self) -> str:
        return self._table().to_text()

    def _repr_html_(self) -> str:
        return self._table().to_html()


def mean_correlation(
    residuals: FloatArray, estimation_dates: DateArray, tested_dates: DateArray
) -> MeanCorrelation:
    r"""Mean pairwise correlation of estimation residuals, weighted by overlap of the tested windows.

    .. math:: \bar r = \frac{2}{N(N-1)} \sum_{i<j} \tau_{ij}\, \operatorname{corr}(e_i, e_j)

    The correlation runs over the calendar days on which both events have a residual (pairs with
    fewer than 10 such days, or without variance on them, count 0). The overlap is
    ``tau_ij = |A & B| / sqrt(|A| |B|)`` for the sets A and B of calendar days of the two tested
    windows: their common share, 1 on one common date, 0 where no day is shared. Days of the
    windows count whether or not the security traded on them, as do those before them that the first return
    after a halt spans.

    Parameters
    ----------
    residuals : array, shape (N, W)
        Estimation residuals; NaN where unused.
    estimation_dates : array of datetime64[D], shape (N, W)
    tested_dates : array of datetime64[D], shape (N, L)
        Calendar days that the tested returns span; NaT beyond the data.

    Returns
    -------
    MeanCorrelation

    Notes
    -----
    Events with the same tested and the same estimation days need no pairs: the sum of their
    correlations is ``(|sum_i z_i|^2 - n) / 2`` for residuals z of mean 0 and length 1. All other
    pairs whose windows overlap come from matrix products of bounded size, in which sums over common
    days are sums over all days less those over the days that the other event lacks.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23, 3996-4025; Kolari, Pape and Pynnonen (2018)
    for partial overlap; docs/methods/standardized.md, eq. (mean-correlation).

    Examples
    --------
    >>> import numpy as np
    >>> from eventstudy.inference import mean_correlation
    >>> e = np.random.default_rng(1).standard_normal((2, 50))
    >>> days = np.tile(np.datetime64("2020-01-01") + np.arange(50), (2, 1))
    >>> event = np.full((2, 1), np.datetime64("2020-03-02"))
    >>> r = mean_correlation(e, days, event).mean_correlation
    >>> bool(np.isclose(r, np.corrcoef(e)[0, 1]))
    True
    """
    n = len(residuals)
    if n < 2:
        return MeanCorrelation(0.0, 0)
    total, overlapping = sum_over_pairs(residuals, estimation_dates, tested_dates)
    return MeanCorrelation.of(total, overlapping, n)


def correlation_matrix(
    residuals: FloatArray, estimation_dates: DateArray, tested_dates: DateArray
) -> FloatArray:
    """Correlation of each pair of CARs: overlap share times residual correlation, as in `mean_correlation`.

    Parameters
    ----------
    residuals, estimation_dates, tested_dates
        As for `mean_correlation`.

    Returns
    -------
    array, shape (N, N)
        Ones on the diagonal; the mean of the others is r-bar. It holds N rows of all calendar days at a
        time, which is meant for hundreds of events, not for a hundred thousand.
    """
    known = ~np.isnat(tested_dates)
    days = np.unique(tested_dates[known])
    held = np.zeros((len(residuals), len(days)))
    held[np.nonzero(known)[0], np.searchsorted(days, tested_dates[known])] = 1.0
    sizes = np.sqrt(held.sum(axis=1))
    share = held @ held.T / np.outer(sizes, sizes)
    _, number = np.unique(estimation_dates, return_inverse=True)
    out = share * residual_correlations(residuals, number.reshape(estimation_dates.shape).astype(np.int64))
    np.fill_diagonal(out, 1.0)
    return np.asarray(out, dtype=np.float64)


def residual_correlations(residuals: FloatArray, days: IntArray) -> FloatArray:
    """Correlation of each pair of events on their common days, shape (N, N).

    It is 0 for pairs with fewer than 10 such days, or without variance on them.

    Parameters
    ----------
    residuals : array, shape (N, W)
        NaN where unused.
    days : array of int, shape (N, W)
        Number of the day of each residual, from 0 on.
    """
    seen = ~np.isnan(residuals)
    used = np.zeros((len(residuals), int(days.max(initial=-1)) + 1))
    z = np.zeros_like(used)
    at = np.nonzero(seen)[0], days[seen]
    used[at], z[at] = 1.0, residuals[seen]
    size = np.sqrt((z**2).sum(axis=1, keepdims=True))
    z = z / np.where(size > 0, size, 1.0)
    n, total, squares = used @ used.T, z @ used.T, z**2 @ used.T
    count = np.maximum(n, 1.0)
    variance = squares - total**2 / count
    sound = (n >= MIN_COMMON_DAYS) & (variance > NO_COMMON_VARIANCE) & (variance.T > NO_COMMON_VARIANCE)
    scale = np.sqrt(np.where(sound, variance * variance.T, 1.0))
    return np.asarray(np.where(sound, (z @ z.T - total * total.T / count) / scale, 0.0), dtype=np.float64)


def dependence(data: TestInput) -> MeanCorrelation:
    """Mean correlation of events that all have a CAR, computed once for each TestInput.

    The correlations of few events of one market are written out; those of many are summed over sessions, or
    over pairs where events are of several markets or tested days lie beyond the data.
    """
    if "dependence" in data._readings:
        known: MeanCorrelation = data._readings["dependence"]
        return known
    fit, window = data.abnormal, data.window
    n, length, begin = len(fit.ar), window.end - window.start + 1, window.start - fit.window.start
    found = None
    if 1 < n <= residual_pass.FEW and fit.day0 is not None:
        residuals, day0 = fit.past.residuals(), fit.day0 - fit.day0.min()
        small = n * n * (int(day0.max()) + residuals.shape[1]) <= LARGE
        # A day without a return has no span, one whose return lumps the sessions of a halt a longer one.
        if small and (fit.span[:, begin : begin + length] == 1).all():
            share = np.maximum(1.0 - np.abs(day0[:, None] - day0) / length, 0.0)[np.triu_indices(n, 1)]
            related = residual_correlations(residuals, day0[:, None] + np.arange(residuals.shape[1]))
            overlapping = int(np.count_nonzero(share))
            mean = float(share @ related[np.triu_indices(n, 1)]) / len(share)
            found = MeanCorrelation(mean if overlapping else 0.0, overlapping)
    if found is None:
        sums = session_correlation(fit, window)
        if sums is None:
            found = mean_correlation(fit.past.residuals(), fit.past.dates(), data.covered_dates)
        else:
            found = MeanCorrelation.of(*sums, n)
    data._readings["dependence"] = found
    return found


def unknown_correlation(data: TestInput) -> str:
    """Say why nothing tells how events that share days move together; empty where something does.

    A market that is not taken out, or only in part, moves all of them: of 30 firms on one date a t of raw
    returns rejects 60% of true nulls.
    """
    usable = data.with_car
    if usable.n_events < 2 or (usable.abnormal.n_obs >= MIN_COMMON_DAYS).any():
        return ""
    if not dependence(usable).n_overlapping_pairs:
        return ""
    few = f"fewer than {MIN_COMMON_DAYS} estimation days"
    return f"events share days, and {few} do not tell how they move together"


def depend(data: TestInput) -> bool:
    """Whether the events, all with a CAR, depend on each other.

    They do where that costs more than a tenth of their information, and may where more than a tenth of their
    pairs share a day: of few events the correlation is known poorly. For many events a part of them
    decides, if it leaves no doubt.
    """
    if "depend" not in data._readings:
        data._readings["depend"] = _depend(data)
    return bool(data._readings["depend"])


def _depend(data: TestInput) -> bool:
    n = data.n_events
    if n < 2:
        return False
    if n >= MANY and "dependence" not in data._readings:
        settled = _settled_by_part(data)
        if settled is not None:
            return settled
    found = dependence(data)
    shared = found.n_overlapping_pairs > LOSS * n * (n - 1) / 2
    return shared or not 1.0 + (n - 1) * found.mean_correlation <= MOST_INFLATED


def _settled_by_part(data: TestInput) -> bool | None:
    """Answer `depend` from blocks of neighbouring sessions; None where they leave doubt, or cannot be used.

    The mean correlation of the pairs with a common day is a ratio of sums over blocks, with its standard
    error; their number is known.
    """
    abnormal, length, n = data.abnormal, len(data.window), data.n_events
    session, order = abnormal.day0, abnormal.by_day
    if session is None or order is None or not abnormal.within_data(data.window):
        return None
    if abnormal.reach(data.cols) is not None:
        return None
    share = 1.0 - np.arange(length) / length
    pairs = np.array(overlapping_pairs(session, length))
    if pairs.sum() > LOSS * n * (n - 1) / 2:
        return True
    if not pairs.any():
        return False
    for step in STEPS:
        blocks = np.array_split(order, BLOCKS * step)[step // 2 :: step]
        if 2 * np.median([np.ptp(session[rows]) for rows in blocks]) < length:
            continue  # they leave out most pairs of sessions far apart
        found = []
        for rows in blocks:
            sums = session_correlation(abnormal.take(rows), data.window)
            if sums is None:
                return None
            found.append((sums[0], float(share @ overlapping_pairs(session[rows], length))))
        total, weight = np.array(found).T
        if not weight.any():
            continue
        mean = total.sum() / weight.sum()
        se = np.sqrt(((total - mean * weight) ** 2).sum() * BLOCKS / (BLOCKS - 1)) / weight.sum()
        excess, error = (2.0 * float(share @ pairs) / n * value for value in (mean, se))
        over = 1.0 + excess - MOST_INFLATED
        if abs(over) > NO_DOUBT * error:
            return bool(over > 0)
    return None


def clustering(data: TestInput) -> Clustering:
    """Describe how strongly the events of a tested window depend on each other.

    Parameters
    ----------
    data : TestInput
        Events and tested window.

    Returns
    -------
    Clustering

    Raises
    ------
    RequestError
        If no event has a CAR in the tested window.

    Examples
    --------
    >>> from eventstudy.inference import clustering
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> round(clustering(results.fitted.test_input(es.Window(0, 1))).effective_n, 1)
    1.3
    """
    usable = data.with_car
    n = usable.n_events
    if n == 0:
        raise RequestError(
            f"No event has a CAR in window {data.window}; ask for a window in which securities trade."
        )
    found = dependence(usable)
    mean = float("nan") if unknown_correlation(usable) else found.mean_correlation
    inflation = 1.0 + (n - 1) * mean
    return Clustering(
        n_events=n,
        n_dates=n_windows(data),
        n_overlapping_pairs=found.n_overlapping_pairs,
        mean_correlation=mean,
        effective_n=n / inflation if inflation > NEGLIGIBLE else float("nan"),
    )
