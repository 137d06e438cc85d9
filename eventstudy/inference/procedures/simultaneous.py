"""The mean CAR of several windows or groups at once, adjusted for how many there are.

Formulas and sources: docs/methods/multiple_testing.md, eqs. (romano-wolf) and (joint-draws).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.distributions import norm_ppf, t_cdf
from eventstudy.errors import RequestError
from eventstudy.inference.base import Options, TestInput
from eventstudy.inference.engine.draws import day_counts, draw_days, null_t, resampled_p_value
from eventstudy.inference.engine.moments import block_length
from eventstudy.inference.procedures.disagreements import spread_rose
from eventstudy.inference.procedures.mean_interval import FEWEST
from eventstudy.inference.procedures.multiple_testing import (
    Adjustment,
    adjust,
    checked,
    completed,
    romano_wolf,
)
from eventstudy.inference.pseudo_dates import past_means, past_varies, studentised_mean
from eventstudy.inference.registry import TESTS, check_keys, run_tests
from eventstudy.inference.selection import n_windows, overlap_note
from eventstudy.text import plural

__all__ = ["group_tests", "window_tests"]


COLUMNS = ["n_events", "caar", "statistic", "p_value", "p_adjusted", "note"]


def window_tests(
    inputs: Sequence[TestInput],
    adjustment: Adjustment = "romano-wolf",
    options: Options | None = None,
    test: str | None = None,
) -> pd.DataFrame:
    """Test the mean CAR of several windows of the same events; one row per window.

    Parameters
    ----------
    inputs : sequence of TestInput
        The same abnormal returns with different windows.
    adjustment : {"romano-wolf", "holm", "bh"}
    options : Options, optional
        Side of the alternative, resamples and randomness.
    test : str, optional
        Test whose p-values Holm's or Benjamini and Hochberg's procedure adjusts; by default the
        bootstrap of residual vectors that Romano and Wolf's procedure draws from.

    Returns
    -------
    pandas.DataFrame
        Columns n_events, caar, statistic, p_value, p_adjusted and note; NaN with the reason in the note
        where the test does not apply.

    Raises
    ------
    RequestError
        If the adjustment, the side or the test is unknown, or a test is given to Romano and Wolf's procedure.

    Notes
    -----
    The statistic of five events or more is that of the BMP t (`adjusted_bmp` where events share dates), as
    the normal score of its p-value: a more volatile event does not mislead it. That of fewer is the mean CAR
    over its prediction error by the portfolio's own estimation days, and takes them for no more volatile than
    these; the note says it. In each
    draw every relative day of all windows together gets one estimation day, so windows that share days
    depend on each other as they do in the data; all are measured by one drawn estimation window. Days are
    drawn in blocks where the portfolio is autocorrelated.
    """
    options = _checked(adjustment, test, options)
    if test is not None:
        return _of_test(inputs, test, adjustment, options)
    reasons = [_reason(data) for data in inputs]
    usable = [data for data, reason in zip(inputs, reasons, strict=True) if reason is None]
    draws = _window_draws(usable, options) if usable else np.empty((options.n_resamples, 0))
    return _table(inputs, reasons, draws, adjustment, options)


def group_tests(
    inputs: Mapping[object, TestInput],
    adjustment: Adjustment = "romano-wolf",
    options: Options | None = None,
    test: str | None = None,
) -> pd.DataFrame:
    """Test the mean CAR of several groups of events over one window; one row per group.

    Parameters
    ----------
    inputs : mapping of TestInput
        By name of the group, with the same window and estimation windows of equal length.
    adjustment, options, test
        As for `window_tests`.

    Returns
    -------
    pandas.DataFrame
        As of `window_tests`, by name of the group.

    Raises
    ------
    RequestError
        As `window_tests`.

    Notes
    -----
    The estimation days are drawn for all groups at once, so groups of one date keep their correlation; those
    of different dates share no calendar day of a draw and are independent. Where a group has no return on
    an estimation day, another of its own days stands in.
    """
    options = _checked(adjustment, test, options)
    data = list(inputs.values())
    if test is not None:
        found = _of_test(data, test, adjustment, options)
    else:
        reasons = [_reason(d) for d in data]
        usable = [d for d, reason in zip(data, reasons, strict=True) if reason is None]
        draws = _group_draws(usable, options) if usable else np.empty((options.n_resamples, 0))
        found = _table(data, reasons, draws, adjustment, options)
    return found.set_axis(pd.Index(list(inputs), dtype=object), axis=0)


def _checked(adjustment: str, test: str | None, options: Options | None) -> Options:
    options = checked(adjustment, options)
    if test is not None:
        check_keys([test])
        if adjustment == "romano-wolf":
            raise RequestError(
                "Romano and Wolf's procedure draws a statistic of its own; test= is for 'holm' and 'bh'."
            )
    return options


def _reason(data: TestInput) -> str | None:
    if not data.usable.any():
        return f"no event has a CAR in window {data.window}"
    if data.with_variance.n_events == 0:
        return "no event has a residual variance"
    if data.with_car.spans_gap:
        return data.unlike_rows
    return past_varies(data.with_variance)


def _sessions(data: TestInput) -> dict[int, int]:
    """Sessions per tested day: one, or more where the median event's return lumps a halt."""
    used = data.with_variance
    span = used.abnormal.span[:, used.cols]
    days = range(data.window.start, data.window.end + 1)
    return {
        day: int(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 0
        for day, lengths in zip(days, span.T, strict=True)
    }


def _pasts(inputs: Sequence[TestInput]) -> FloatArray:
    """Average scaled residuals of the estimation days less their mean, shape (inputs, W)."""
    series = completed(np.array([past_means(data.with_variance) for data in inputs]))
    return np.asarray(series - series.mean(axis=1, keepdims=True))


def _window_draws(inputs: Sequence[TestInput], options: Options) -> FloatArray:
    """Null statistics of each window, shape (B, windows), from one draw of all their days."""
    series, windows = _pasts(inputs), [_sessions(data) for data in inputs]
    n, block = series.shape[1], max(block_length(own) for own in series)
    tested = sorted({day for window in windows for day in window})
    lengths = {day: max(window.get(day, 0) for window in windows) for day in tested}
    begins = dict(zip(tested, np.cumsum([0, *lengths.values()]), strict=False))
    rng, size = options.generator("window_tests"), options.n_resamples
    drawn = draw_days(size, sum(lengths.values()), n, rng, block)
    past = day_counts(draw_days(size, n, n, rng, block), n)
    columns = []
    for own, window in zip(series, windows, strict=True):
        places = np.concatenate([begins[day] + np.arange(length) for day, length in window.items()])
        columns.append(null_t(own[:, None], day_counts(drawn[:, places], n), past))
    return np.hstack(columns)


def _group_draws(inputs: Sequence[TestInput], options: Options) -> FloatArray:
    """Null statistics of each group, shape (B, groups), all groups drawing the same days."""
    series = _pasts(inputs)
    n, block = series.shape[1], max(block_length(own) for own in series)
    length = max(int(np.median([sum(_sessions(data).values()) for data in inputs])), 1)
    rng, size = options.generator("group_tests"), options.n_resamples
    event = day_counts(draw_days(size, length, n, rng, block), n)
    return null_t(series.T, event, day_counts(draw_days(size, n, n, rng, block), n))


def _statistic(used: TestInput) -> tuple[float, str]:
    """Return the statistic of a mean CAR, with standard normal tails, and what is to be said of it."""
    n, dates = used.n_events, n_windows(used)
    apart = [] if dates == 1 else [f"{dates} dates, taken as independent of each other"]
    if n >= FEWEST:
        key = "adjusted_bmp" if dates < n or overlap_note(used) else "bmp"
        done = TESTS[key].run(used, Options())
        if np.isfinite(done.statistic) and isinstance(done.dof, (int, float)):
            # Of the lower tail, since 1 less a small p-value is 1.
            score = -float(norm_ppf(t_cdf(-abs(done.statistic), done.dof)))
            return float(np.copysign(score, done.statistic)), "; ".join([*apart, f"normal score of {key}"])
    steady = f"takes {plural(n, 'event')} for no more volatile than the estimation window"
    if n > 1 and spread_rose(used):
        steady += ", and the CARs spread more than that, so its p-value is too small"
    return studentised_mean(used)[0], "; ".join([*apart, steady])


def _table(
    inputs: Sequence[TestInput],
    reasons: Sequence[str | None],
    draws: FloatArray,
    adjustment: Adjustment,
    options: Options,
) -> pd.DataFrame:
    rows, column = [], 0
    for data, reason in zip(inputs, reasons, strict=True):
        row: dict[str, object] = dict.fromkeys(COLUMNS[1:-1], np.nan)
        row |= {"n_events": data.n_events, "note": f"not applicable: {reason}"}
        if reason is None:
            used = data.with_variance
            t, note = _statistic(used)
            row |= {
                "n_events": used.n_events,
                "caar": float(used.car.mean()),
                "statistic": t,
                "p_value": resampled_p_value(t, draws[:, column], options.alternative),
                "note": note,
            }
            column += 1
        rows.append(row)
    frame = pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COLUMNS[1:-1], float))
    p = frame["p_value"].to_numpy()
    if adjustment == "romano-wolf":
        known = ~np.isnan(p)
        adjusted = np.full(len(p), np.nan)
        statistics = frame["statistic"].to_numpy()[known]
        adjusted[known] = romano_wolf(statistics, draws, options.alternative)
    else:
        adjusted = adjust(p, adjustment)
    return frame.assign(p_adjusted=adjusted)


def _of_test(
    inputs: Sequence[TestInput], test: str, adjustment: Adjustment, options: Options
) -> pd.DataFrame:
    """Adjust the p-values of one of the significance tests."""
    done = pd.concat([run_tests(data, [test], options) for data in inputs], ignore_index=True)
    means = [float(data.car.mean()) if data.n_events else np.nan for data in inputs]
    p = adjust(done["p_value"].to_numpy(), "bh" if adjustment == "bh" else "holm")
    return done.assign(caar=means, p_adjusted=p)[COLUMNS]
