"""Sorts: mean CARs of events by quantiles of a characteristic, and the difference of high and low."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.arguments import check_number, check_whole
from eventstudy.errors import RequestError
from eventstudy.inference import dependence, procedures
from eventstudy.inference.base import Alternative, Options, TestInput, check_alternative, t_bounds, t_p_values
from eventstudy.inference.engine.calendar_days import date_numbers
from eventstudy.inference.engine.moments import sample_sd
from eventstudy.inference.selection import overlap_note
from eventstudy.results import averages
from eventstudy.results.fitted import MethodGroup, WindowLike, checked_level

__all__ = ["Sorts"]

COLUMNS = [
    "n_events",
    "low",
    "high",
    "caar",
    "se",
    "statistic",
    "dof",
    "p_value",
    "ci_low",
    "ci_high",
    "test",
]
DIFFERENCE = "high - low"


class Sorts(MethodGroup):
    """Events sorted by a characteristic."""

    def sort_by(
        self,
        column: str,
        start: WindowLike = None,
        end: int | None = None,
        *,
        quantiles: int = 5,
        winsorize: float = 0.0,
        alternative: Alternative = "two-sided",
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Sort events into quantiles of a characteristic: mean CAR of each, and high less low.

        Parameters
        ----------
        column : str
            Column of the events, of numbers, such as ``"market_cap"``.
        start, end : int
            First and last relative day; the headline window by default.
        quantiles : int, default 5
            How many groups of equally many events, as far as ties allow.
        winsorize : float, default 0
            Share of the CARs of all events that are set to the quantile at either end, below 0.5. The note
            says how many were; tests are then cross-sectional. They assume independent events, so they do not
            apply where these share days and correlation costs more than a tenth of their number.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        level : float, default 0.95
            Coverage of the intervals.

        Returns
        -------
        DataFrame
            By quantile, 1 the lowest: n_events, low and high (of the characteristic), caar, se, statistic,
            dof, p_value, ci_low, ci_high, test and note. The last row, ``"high - low"``, has the difference
            of the mean CARs with its standard error, interval and test: of events of one common date those of
            a long-short portfolio, in which what moves both drops out; of several dates Welch's t by date,
            in which the events of a date may be correlated and either group more volatile
            (``welch_by_date``); where a group has one of several dates, those of the past of each date
            (``difference_past``), which a more volatile event deceives.

        Raises
        ------
        RequestError
            If the column holds no numbers, or an event has none, there are fewer than two events a quantile,
            or ties leave fewer groups.

        References
        ----------
        docs/methods/groups.md, eqs. (long-short), (welch-by-date) and (difference-past).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> names = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"]
        >>> events = {"security": names, "date": "2019-05-22", "exposure": [0.3, 0.35, 0.1, 0.05, 0.2, 0.15]}
        >>> found = es.EventStudy(market, events, window=(-1, 1)).fit().sort_by("exposure", quantiles=2)
        >>> found[["n_events", "caar"]].round(4).astype(str).to_numpy().tolist()
        [['3', '-0.0254'], ['3', '-0.0491'], ['6', '-0.0238']]
        """
        check_alternative(alternative)
        check_whole("quantiles", quantiles, 2)
        check_number("winsorize", winsorize, 0.0, below=0.5)
        checked_level(level)
        data = self.fitted
        tested = data.test_input(data.checked_window(start, end))
        used = tested.usable
        values = pd.to_numeric(data.groups(column), errors="coerce").to_numpy(dtype=float)
        if np.isnan(values).any():
            first = int(np.argmax(np.isnan(values)))
            raise RequestError(f"The {column} of event {data.index[first]} is not a number.")
        if used.sum() < 2 * quantiles:
            raise RequestError(
                f"{quantiles} quantiles need at least {2 * quantiles} events with a CAR; there are "
                f"{used.sum()}."
            )
        group = _quantiles(values[used], quantiles, column)
        rows = np.flatnonzero(used)
        car, note = _winsorized(tested.cumulative.car[rows], winsorize)
        dependent = _dependent(tested) if winsorize else ""
        found = []
        for k in range(quantiles):
            at = group == k
            part = tested.take(np.isin(np.arange(len(used)), rows[at]))
            row = _spread(car[at], level, alternative) if winsorize else _mean(part, level, alternative)
            row |= {"low": values[rows[at]].min(), "high": values[rows[at]].max()}
            found.append(row)
        low, high = (rows[group == k] for k in (0, quantiles - 1))
        last = _difference(tested, high, low, car, rows, level, alternative)
        told = str(last.pop("note", ""))
        frame = pd.DataFrame([*found, last], columns=COLUMNS)
        frame["n_events"] = frame["n_events"].astype(int)
        notes = [*[note] * quantiles, "; ".join(filter(None, [told, note]))]
        if dependent:  # clusters of dates alone are independent
            lost = (frame["test"] != "welch_by_date").to_numpy()
            frame.loc[lost, ["se", "statistic", "dof", "p_value", "ci_low", "ci_high"]] = np.nan
            notes = [f"{dependent}; {each}" if gone else each for each, gone in zip(notes, lost, strict=True)]
        frame["note"] = notes
        index = pd.Index([*range(1, quantiles + 1), DIFFERENCE], name=column, dtype=object)
        return frame.set_axis(index, axis=0)


def _quantiles(values: FloatArray, n: int, column: str) -> IntArray:
    """Return the quantile of each value, from 0."""
    edges = np.quantile(values, np.linspace(0, 1, n + 1)[1:-1])
    group: IntArray = np.searchsorted(edges, values, side="left")
    sizes = np.bincount(group, minlength=n)
    if (sizes < 2).any():
        raise RequestError(
            f"{column} has too many equal values for {n} quantiles: they would hold {sizes.tolist()} events. "
            "Ask for fewer."
        )
    return group


def _dependent(data: TestInput) -> str:
    """Say why tests of winsorised CARs do not apply, if events are not independent."""
    found = dependence.clustering(data)
    if found.effective_n >= (1.0 - dependence.LOSS) * found.n_events:
        return ""
    known = not np.isnan(found.effective_n)
    effective = f" (effective N {found.effective_n:.1f} of {found.n_events})" if known else ""
    return (
        f"not applicable: {found.share_overlapping:.0%} of the pairs of events share a day{effective}, and "
        "tests of winsorised CARs assume independent ones: leave winsorize out"
    )


def _winsorized(car: FloatArray, share: float) -> tuple[FloatArray, str]:
    if not share:
        return car, ""
    low, high = np.quantile(car, [share, 1.0 - share])
    cut = int(((car < low) | (car > high)).sum())
    return np.clip(car, low, high), f"{cut} of {len(car)} CARs winsorised at {share:.1%} and {1 - share:.1%}"


def _mean(data: TestInput, level: float, alternative: Alternative) -> dict[str, object]:
    row = averages.averages([data], None, level, alternative).iloc[0]
    return {name: row[name] for name in COLUMNS if name in row}


def _spread(car: FloatArray, level: float, alternative: Alternative) -> dict[str, object]:
    se, dof = float(sample_sd(car) / np.sqrt(len(car))), len(car) - 1.0
    return _of_t(float(car.mean()), se, dof, len(car), "cross_sectional", level, alternative)


def _of_t(
    estimate: float, se: float, dof: float, n: int, test: str, level: float, alternative: Alternative
) -> dict[str, object]:
    t = estimate / se if se > 0 else np.nan
    low, high = t_bounds(np.array(estimate), np.array(se), dof, level, alternative)
    p = float(t_p_values(np.array(t), dof, alternative))
    told = {"caar": estimate, "se": se, "statistic": t, "dof": dof, "p_value": p}
    return told | {"ci_low": float(low), "ci_high": float(high), "n_events": n, "test": test}


def _difference(
    data: TestInput,
    high: IntArray,
    low: IntArray,
    car: FloatArray,
    rows: IntArray,
    level: float,
    alternative: Alternative,
) -> dict[str, object]:
    """Test high less low with a standard error of the difference, which is that of mean CARs `car`."""
    first, second = data.take(high), data.take(low)
    ends = (first, second)
    values = [car[np.isin(rows, part)] for part in (high, low)]
    dates, number = np.unique(
        np.concatenate([date_numbers(end.tested_dates) for end in ends]), axis=0, return_inverse=True
    )
    on = np.split(number.reshape(-1), [len(high)])
    fewest = min(len(np.unique(days)) for days in on)
    n = len(high) + len(low)
    if len(dates) == 1 and (values[0] == ends[0].car).all() and (values[1] == ends[1].car).all():
        row = procedures.as_frame(procedures.difference(first, second, Options(alternative, seed=0))).iloc[0]
        se = abs(row["estimate"] / row["statistic"]) if row["applicable"] and row["statistic"] else np.nan
        found = _of_t(float(row["estimate"]), se, row["dof"], n, row["test"], level, alternative)
        return found | {"note": row["note"]}
    if fewest > 1:
        found = _of_t(
            *procedures.welch_by_date(values[0], on[0], values[1], on[1]),
            n,
            "welch_by_date",
            level,
            alternative,
        )
        overlap = any(overlap_note(end) for end in ends)
        note = f"means of {len(np.unique(on[0]))} and {len(np.unique(on[1]))} dates"
        return found | {
            "note": note + "; windows of different dates overlap, and count as independent" * overlap
        }
    estimate = float(values[0].mean() - values[1].mean())
    if not all(end.with_variance.n_events for end in ends):
        found = _of_t(estimate, np.nan, np.nan, n, "difference_past", level, alternative)
        return found | {"note": "not applicable: a group has no event with a residual variance"}
    _, variance, dof = procedures.past_difference(first.with_variance, second.with_variance)
    note = "a group has one date, which has no spread: measured by the past of each date"
    found = _of_t(estimate, float(np.sqrt(variance)), dof, n, "difference_past", level, alternative)
    return found | {"note": note}
