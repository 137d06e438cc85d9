"""Cross-listings: which listings belong to one firm, and their average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from eventstudy._typing import DateArray, FloatArray
from eventstudy.abnormal import AbnormalReturns, HeldEventWindows, HeldWindows
from eventstudy.errors import RequestError

__all__ = ["Listings", "averaged", "firms_of", "grouped"]

Listings = Literal["mean", "first", "separate"]

#: Day 0 of two listings of one announcement lie no further apart than this, in calendar days.
APART = np.timedelta64(4, "D")
#: Fewest common days from which the correlation of two listings is estimated.
FEWEST_DAYS = 30


def firms_of(events: Sequence[pd.DataFrame], firm: str | Mapping[str, str] | None) -> list[list[str]] | None:
    """Name the firm of each event of each study; None where nothing says it.

    A security without a firm stands for itself.

    Raises
    ------
    RequestError
        If no study has the column, or the mapping names no security of the events.
    """
    column = "firm" if firm is None else firm
    if isinstance(column, str):
        if not any(column in frame for frame in events):
            if firm is None:
                return None
            raise RequestError(f"No study's events have a column {column!r} that names the firm.")
        given = [
            frame[column] if column in frame else pd.Series(None, frame.index, object) for frame in events
        ]
    else:
        given = [frame["security"].map(dict(column)) for frame in events]
        if all(names.isna().all() for names in given):
            shown = ", ".join(map(repr, list(column)[:5]))
            raise RequestError(f"firm= names none of the securities of the events: {shown}.")
    return [
        [
            str(security) if pd.isna(name) or name == "" else str(name)
            for name, security in zip(names, frame["security"], strict=True)
        ]
        for names, frame in zip(given, events, strict=True)
    ]


def grouped(firms: Sequence[str], securities: Sequence[str], day0: DateArray) -> list[list[int]]:
    """Group events into announcements about firms, in the order of each group's first event.

    Events of different securities of one firm belong together if their days 0 lie at most four calendar
    days apart; an event joins the first such group.
    """
    groups: list[list[int]] = []
    of_firm: dict[str, list[list[int]]] = {}
    for i, (firm, security) in enumerate(zip(firms, securities, strict=True)):
        for group in of_firm.setdefault(firm, []):
            near = abs(day0[i] - day0[group[0]]) <= APART
            if near and all(securities[j] != security for j in group):
                group.append(i)
                break
        else:
            groups.append([i])
            of_firm[firm].append(groups[-1])
    return groups


def averaged(
    abnormal: AbnormalReturns, groups: Sequence[Sequence[int]], designs: Mapping[int, FloatArray]
) -> AbnormalReturns:
    r"""Average the listings of each group: one row per group.

    The abnormal return of a firm is the mean of those of its listings that traded on that relative day,
    and so is its residual on calendar days on which all of them have one. With correlation rho of the
    residuals of two listings on these days

    .. math:: \operatorname{Var}(\overline{AR}_t) = \frac{1}{m_t^2} \sum_{j,k} \rho_{jk}
              \sqrt{V_{jt} V_{kt}}, \qquad
              \operatorname{Cov}(\hat\theta_j, \hat\theta_k) =
              \sigma_{jk} (X_j'X_j)^{-1} X_j'X_k (X_k'X_k)^{-1}

    for the noise V of each listing and the errors of their parameters, which two markets share.

    Parameters
    ----------
    abnormal : AbnormalReturns
        All listings, laid on common sessions.
    groups : sequence of sequences of int
    designs : mapping of row to array, shape (W, k)
        Regressors of the listings in groups of several, where they are least-squares regressors, laid out
        like the residuals; NaN on days not used. Without one, parameter errors of two listings are
        taken for independent.

    Raises
    ------
    RequestError
        If two listings share too few estimation days.

    Notes
    -----
    Degrees of freedom are common days less parameters. Two regressions on different benchmarks lose
    between k and 2k of them, so the t of an averaged firm is approximate to the order k/M.
    """
    first = np.array([group[0] for group in groups])
    parts: dict[str, Any] = {
        name: np.array(getattr(abnormal, name)[first])
        for name in ("ar", "actual", "span", "noise", "design", "param_cov", "s2", "n_obs", "dof")
    }
    parts |= {"residuals": np.array(abnormal.past.residuals()[first])}
    parts |= {"leverage": np.array(abnormal.past.leverage()[first])}
    most = max(map(len, groups))
    k = abnormal.param_cov.shape[2]
    wide = k * most
    parts["design"] = np.zeros((*parts["design"].shape[:2], wide))
    parts["param_cov"] = np.zeros((len(groups), wide, wide))
    for row, group in enumerate(groups):
        members = list(group)
        if len(members) == 1:
            parts["design"][row, :, :k] = abnormal.design[members[0]]
            parts["param_cov"][row, :k, :k] = abnormal.param_cov[members[0]]
            continue
        one = _average(abnormal, members, designs)
        for name, value in one.items():
            if name in ("design", "param_cov"):
                span = tuple(slice(0, length) for length in value.shape)
                parts[name][(row, *span)] = value
            else:
                parts[name][row] = value
    past = HeldWindows(parts.pop("residuals"), parts.pop("leverage"), abnormal.past.dates()[first])
    dates, every = abnormal.event_dates[first], slice(None)
    before = abnormal.dates_before(every, max(int(abnormal.span.max(initial=1)) - 1, 0))[first]
    event_windows = HeldEventWindows(dates, parts.pop("noise"), parts.pop("design"), before)
    # The days between estimation and event window are not averaged.
    late = None if abnormal.estimated_after is None else abnormal.estimated_after[first]
    parts |= {"between": None, "estimated_after": late}
    return replace(abnormal, past=past, event_windows=event_windows, **parts)


def _average(
    abnormal: AbnormalReturns, members: list[int], designs: Mapping[int, FloatArray]
) -> dict[str, Any]:
    m, k = len(members), abnormal.param_cov.shape[2]
    aligned, leverage, design = _aligned(abnormal, members, designs)
    common = ~np.isnan(aligned).any(axis=0)
    if common.sum() < FEWEST_DAYS:
        raise RequestError(
            f"{m} listings of one firm share {int(common.sum())} estimation days, fewer than {FEWEST_DAYS}: "
            "take listings='first', or estimation windows that overlap."
        )
    e = aligned[:, common]
    correlation: FloatArray = np.asarray(np.corrcoef(e), dtype=np.float64)
    residuals = np.where(common, aligned.mean(axis=0), np.nan)
    seen = ~np.isnan(abnormal.ar[members])
    count = np.maximum(seen.sum(axis=0), 1)

    def mean(values: FloatArray) -> FloatArray:
        return np.where(seen.any(axis=0), np.where(seen, values, 0.0).sum(axis=0) / count, np.nan)

    deviation = np.where(seen, np.sqrt(abnormal.noise[members]), 0.0)
    noise = np.einsum("jt,jk,kt->t", deviation, correlation, deviation) / count**2
    rows = np.where(seen[:, :, None], abnormal.design[members], 0.0) / count[:, None]
    covariance = np.zeros((m, k, m, k))
    sd = np.sqrt(abnormal.s2[members])
    for a in range(m):
        covariance[a, :, a] = abnormal.param_cov[members[a]]
        for b in range(m):
            x, y = design[a], design[b]
            if a != b and x is not None and y is not None:
                covariance[a, :, b] = float(correlation[a, b] * sd[a] * sd[b]) * _shared_error(
                    abnormal, members[a], members[b], x, y
                )
    n_obs = int(common.sum())
    dof = n_obs - float(np.max(abnormal.n_obs[members] - abnormal.dof[members]))
    return {
        "ar": mean(abnormal.ar[members]),
        "actual": mean(abnormal.actual[members]),
        "span": np.where(seen, abnormal.span[members], 0).max(axis=0),
        "noise": np.where(seen.any(axis=0), noise, np.nan),
        "design": np.concatenate(list(rows), axis=1),
        "param_cov": covariance.reshape(m * k, m * k),
        "residuals": residuals,
        "leverage": np.where(common, leverage.mean(axis=0), np.nan),
        "s2": float((residuals[common] ** 2).sum() / dof),
        "n_obs": n_obs,
        "dof": dof,
    }


def _aligned(
    abnormal: AbnormalReturns, members: list[int], designs: Mapping[int, FloatArray]
) -> tuple[FloatArray, FloatArray, list[FloatArray | None]]:
    """Residuals, hat values and regressors of the listings on the calendar days of the first of them."""
    dates, e, h = abnormal.past.dates(), abnormal.past.residuals(), abnormal.past.leverage()
    days = dates[members[0]]
    residuals, leverage = np.full((2, len(members), len(days)), np.nan)
    design: list[FloatArray | None] = []
    for j, row in enumerate(members):
        own = dates[row]
        _, to, of = np.intersect1d(
            np.where(np.isnat(days), np.datetime64("0001-01-01"), days),
            np.where(np.isnat(own), np.datetime64("0002-01-01"), own),
            return_indices=True,
        )
        residuals[j, to] = e[row, of]
        leverage[j, to] = h[row, of]
        x = designs.get(row)
        if x is not None:
            moved = np.full((len(days), x.shape[1]), np.nan)
            moved[to] = x[of]
            x = moved
        design.append(x)
    return residuals, leverage, design


def _shared_error(abnormal: AbnormalReturns, a: int, b: int, x: FloatArray, y: FloatArray) -> FloatArray:
    """Covariance of the parameters of two regressions over that of their residuals; zero beyond them."""
    k = abnormal.param_cov.shape[1]
    out = np.zeros((k, k))
    common = ~np.isnan(x).any(axis=1) & ~np.isnan(y).any(axis=1)
    p, q = x.shape[1], y.shape[1]
    left = abnormal.param_cov[a, :p, :p] / abnormal.s2[a]
    right = abnormal.param_cov[b, :q, :q] / abnormal.s2[b]
    out[:p, :q] = left @ x[common].T @ y[common] @ right
    return out
