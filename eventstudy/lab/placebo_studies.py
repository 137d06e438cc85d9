"""Placebos in time and in space: the rank of a study among dates and firms without its news."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy import plotting
from eventstudy._typing import FloatArray, IntArray
from eventstudy.abnormal import cumulate
from eventstudy.arguments import check_whole
from eventstudy.distributions import counted_p_value
from eventstudy.errors import RequestError
from eventstudy.immutable import hand_out_copies
from eventstudy.lab.blocks import fingerprint, random_stream, run_blocks, settled_seed
from eventstudy.lab.placebo_events import NamedColumns, as_sample, named_columns
from eventstudy.lab.sample_tests import block_size, parts
from eventstudy.lab.simulation_design import abnormal_of
from eventstudy.lab.specification_grid import placebo_shifts, shift_events
from eventstudy.market import Market
from eventstudy.models import NormalReturnModel
from eventstudy.results import EventStudyResults
from eventstudy.results.fitted import WindowLike, refuse_own_windows
from eventstudy.sample import EventSample
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Placebo", "placebo"]


@hand_out_copies("real", "frame")
@dataclass(frozen=True)
class Placebo:
    """A study among its placebos.

    Made by `placebo`.

    Attributes
    ----------
    real : Series
        caar (mean CAR, decimal), scaar (mean standardised CAR) and n_events of the study.
    frame : DataFrame
        One row per placebo study: against (``"dates"`` or ``"firms"``), label (the first event's day 0,
        or the firms that stood in), caar, scaar, n_events.
    window : Window

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> placebos = es.lab.placebo(results, 0, 0)
    >>> placebos.ranks().round(3).shape
    (2, 5)
    """

    real: pd.Series[float]
    frame: pd.DataFrame
    window: Window

    def ranks(self, statistic: str = "caar") -> pd.DataFrame:
        """Rank the study among its placebos.

        Parameters
        ----------
        statistic : {"caar", "scaar"}
            Mean CAR, or mean CAR in units of its events' prediction errors, which allows for a placebo
            that is more or less volatile.

        Returns
        -------
        DataFrame
            Index against: n_placebo, rank (1 is the lowest of n_placebo + 1), p_less, p_greater and p_value
            (two-sided: placebos at least as far from zero), each ``(1 + b) / (B + 1)``.
        """
        _check_statistic(statistic)
        rows = {}
        for against, group in self.frame.groupby("against", sort=False):
            value, drawn = float(self.real[statistic]), group[statistic].dropna().to_numpy(float)
            n = len(drawn)
            rows[against] = {
                "n_placebo": n,
                "rank": int((drawn < value).sum()) + 1,
                "p_less": counted_p_value(value, drawn <= value),
                "p_greater": counted_p_value(value, drawn >= value),
                "p_value": counted_p_value(value, np.abs(drawn) >= abs(value)),
            }
        return (
            pd.DataFrame.from_dict(rows, orient="index")
            .rename_axis("against")
            .astype({"n_placebo": int, "rank": int})
        )

    def plot(self, statistic: str = "caar", *, ax: Axes | None = None, **kwargs: Any) -> Axes:
        """Draw the study among its placebos; `statistic` as for `ranks`, the rest as for `plot_placebo`."""
        _check_statistic(statistic)
        return plotting.plot_placebo(
            self.frame.rename(columns={statistic: "value"}),
            ax,
            real=float(self.real[statistic]),
            unit=None if statistic == "caar" else "Mean standardised CAR",
            **({"title": f"Placebo studies, window {self.window}"} | kwargs),
        )

    def __repr__(self) -> str:
        told = [
            f"rank {row['rank']:.0f} of {row['n_placebo'] + 1:.0f} among {against} (two-sided p = "
            f"{row['p_value']:.3f})"
            for against, row in self.ranks().iterrows()
        ]
        return f"Placebo: CAAR{self.window} {self.real['caar']:+.2%}; " + "; ".join(told)


def _check_statistic(statistic: str) -> None:
    if statistic not in ("caar", "scaar"):
        raise RequestError(f"statistic must be 'caar' or 'scaar'; got {statistic!r}.")


@dataclass(frozen=True)
class _Studies:
    """Placebo studies of N events each; row i of `security` and `day0`, shape (P, N), is study i.

    `named` is what each of the N events names for itself; its placebos keep it.
    """

    market: Market
    names: npt.NDArray[np.object_]
    model: NormalReturnModel
    estimation: Window
    window: Window
    tested: Window
    min_observations: int
    security: IntArray
    day0: IntArray
    named: NamedColumns

    def means(self, block: int) -> FloatArray:
        """Mean CAR, mean SCAR and events used of each study of a block, shape (studies, 3)."""
        n = self.day0.shape[1]
        first = block * block_size(n)
        last = min(first + block_size(n), len(self.day0))
        out = np.empty((last - first, 3))
        for part in parts(self.model, self._sample(slice(first, first + 1)), last - first):
            arrays = self.model.arrays(self._sample(slice(first + part.start, first + part.stop)))
            found = abnormal_of(self.model, arrays, self.window, self.min_observations)
            sums = cumulate(found, self.tested)
            known = ~np.isnan(sums.scar.reshape(-1, n))
            count = known.sum(axis=1)
            for column, values in enumerate((sums.car, sums.scar)):
                total = np.where(known, values.reshape(-1, n), 0.0).sum(axis=1)
                out[part, column] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
            out[part, 2] = count
        return out

    def _sample(self, part: slice) -> EventSample:
        """Put the events of some studies one after another."""
        security, day0 = self.security[part], self.day0[part]
        named = tuple((column, values * len(day0)) for column, values in self.named)
        return as_sample(
            self.market, self.names, self.estimation, self.window, security.ravel(), day0.ravel(), named
        )


def placebo(
    results: EventStudyResults,
    start: WindowLike = None,
    end: int | None = None,
    *,
    n_firms: int = 999,
    seed: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> Placebo:
    """Make the same study at every earlier date, and on untouched firms of the same day.

    Parameters
    ----------
    results : EventStudyResults
    start, end : int
        First and last relative day of the CAR; the headline window by default.
    n_firms : int, default 999
        Random draws of as many untouched firms as there are events, each in the place of one of them. With
        one event every untouched firm is used once instead.
    seed, n_jobs, checkpoint
        As for `calibrate`.

    Returns
    -------
    Placebo
        ``.ranks()``, ``.frame``.

    Raises
    ------
    RequestError
        If there is neither an earlier date nor an untouched firm.

    Notes
    -----
    Earlier dates move all events back by the same number of sessions, so they cluster as the real ones do, to
    where the event windows do not meet the real ones; the days of a suspension lead to the day on which it
    ends, which counts once. Untouched firms are those without an event
    in the study; the news may have touched them all the same. A firm stands in for an event if it trades
    on that event's day 0 and has estimation returns enough. Ranks are exact p-values only where dates, or
    firms, can be exchanged; windows of neighbouring dates share days.

    References
    ----------
    docs/methods/permutation.md, eq. (placebo-p).

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.datasets.surveillance_prices().drop(columns="000300.SS", level="security")
    >>> market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    >>> events = es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}])
    >>> results = es.EventStudy(market, events, estimation=(-270, -21), window=(-5, 5)).fit()
    >>> es.lab.placebo(results).ranks()[["n_placebo", "rank", "p_less"]].round(3)
             n_placebo  rank  p_less
    against
    dates          239     3   0.012
    firms            5     1   0.167
    """
    if not isinstance(results, EventStudyResults):
        raise RequestError(
            f"placebo needs the results of one study, got {type(results).__name__}; for a pool or a "
            "market of several exchanges, take one of results.studies."
        )
    spec, data, sample = results.spec, results.fitted, results.sample
    refuse_own_windows(spec, "placebo")
    tested = data.checked_window(start, end)
    market = spec.market
    columns = np.array(market.returns.columns, dtype=object)
    moves = placebo_shifts(
        market,
        sample.security,
        sample.first_row,
        min(spec.estimation.start, spec.window.start),
        len(spec.window),
    )
    stream = random_stream(settled_seed(seed), 0)
    firms = _stand_ins(results, columns, n_firms, stream)
    if not len(moves) and not len(firms):
        raise RequestError(
            "There is neither an earlier date nor an untouched firm to compare with: the data begins too "
            "late, and every security of the market has an event."
        )
    dates = [shift_events(market, sample.security, sample.first_row, int(move)) for move in moves]
    n = len(sample)
    studies = _Studies(
        market=market,
        names=columns,
        model=spec.model,
        estimation=spec.estimation,
        window=spec.window,
        tested=tested,
        min_observations=spec.min_observations,
        security=np.concatenate([np.tile(sample.security, (len(dates), 1)), firms]),
        day0=np.concatenate(
            [np.array(dates, dtype=np.int64).reshape(-1, n), np.tile(sample.day0, (len(firms), 1))]
        ),
        named=named_columns(sample),
    )
    settings = (
        spec.model, spec.estimation, spec.window, tested, spec.min_observations,
        studies.security.tolist(), studies.day0.tolist(), studies.named, block_size(n),
    )  # fmt: skip
    found = np.concatenate(
        run_blocks(
            studies.means,
            -(-len(studies.day0) // block_size(n)),
            name="Placebos",
            n_jobs=n_jobs,
            checkpoint=checkpoint,
            identity="" if checkpoint is None else fingerprint(market, settings),
        )
    )
    sums = cumulate(results.fitted.abnormal, tested)
    known = ~np.isnan(sums.scar)
    if not known.any():
        raise RequestError(f"No event has a CAR in window {tested}.")
    labels = [f"{market.sessions[day0.min()]:%Y-%m-%d}" for day0 in dates]
    labels += [", ".join(map(str, columns[row])) for row in firms]
    frame = pd.DataFrame(
        {
            "against": ["dates"] * len(dates) + ["firms"] * len(firms),
            "label": labels,
            "caar": found[:, 0],
            "scaar": found[:, 1],
            "n_events": found[:, 2].astype(np.int64),
        }
    )
    real = pd.Series(
        {"caar": sums.car[known].mean(), "scaar": sums.scar[known].mean(), "n_events": float(known.sum())}
    )
    return Placebo(real, frame, tested)


def _stand_ins(
    results: EventStudyResults, columns: npt.NDArray[np.object_], n_firms: int, rng: np.random.Generator
) -> IntArray:
    """Draw untouched firms to stand in for the events: rows of the market's arrays, shape (P, N)."""
    check_whole("n_firms", n_firms, 0)
    spec, sample = results.spec, results.sample
    market = spec.market
    single = ~np.isnan(market.arrays.single)
    touched = set(spec.events.frame["security"]) | set(market.benchmarks)
    free = np.array([name not in touched for name in columns])
    able = []
    for day0 in sample.day0:
        past = single[:, max(day0 + spec.estimation.start, 0) : max(day0 + spec.estimation.end + 1, 0)]
        enough = past.sum(axis=1) >= spec.min_observations
        able.append(np.flatnonzero(free & single[:, day0] & enough))
    if n_firms == 0 or any(len(firms) == 0 for firms in able):
        return np.empty((0, len(sample)), dtype=np.int64)
    if len(sample) == 1:
        return able[0][:, None]
    return np.array([_distinct(able, sample.day0, rng) for _ in range(n_firms)], dtype=np.int64)


def _distinct(able: list[IntArray], day0: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw a firm for each event; those of the same day are different as long as there are enough."""
    out = np.empty(len(able), dtype=np.int64)
    for day in np.unique(day0):
        events = np.flatnonzero(day0 == day)
        firms = able[events[0]]
        out[events] = rng.choice(firms, len(events), replace=len(firms) < len(events))
    return out
