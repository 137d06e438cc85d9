"""Cohorts: the treated of a date with their donors, as complete arrays in event time; who may be a donor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.causal.spec import CausalSpec
from eventstudy.errors import ModelError
from eventstudy.immutable import FrozenRecord
from eventstudy.market.compounding import CompoundedSeries
from eventstudy.progress import followed
from eventstudy.sample import EventSample
from eventstudy.text import plural

__all__ = ["Cohort", "DonorRules", "Lump", "complete_days", "day_axis", "lay_cohorts"]


@dataclass(frozen=True)
class DonorRules:
    """Candidates of a study, and what rules them out on a date.

    Attributes
    ----------
    names : tuple of str, length C
    rows : array of int, shape (C,)
        Rows of the candidates in ``market.arrays``.
    """

    spec: CausalSpec
    sample: EventSample
    names: tuple[str, ...]
    rows: IntArray

    @classmethod
    def of(cls, spec: CausalSpec, sample: EventSample) -> DonorRules:
        """Find the candidates.

        Raises
        ------
        ModelError
            If a donor is not a security of the market.
        """
        names = tuple(spec.market.securities) if spec.donors is None else spec.donors
        rows = spec.market.positions(names)
        unknown = [name for name, row in zip(names, rows, strict=True) if row < 0]
        if unknown:
            raise ModelError(
                f"The donor{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown[:5]))} "
                f"{'are' if len(unknown) > 1 else 'is'} not in the market; see market.securities."
            )
        return cls(spec, sample, names, rows)

    def reached(self, day0: int, events: IntArray) -> dict[str, str]:
        """Securities that may not be donors of a date whatever they trade, each with the reason.

        Parameters
        ----------
        day0 : int
            Row of the date in ``market.sessions``.
        events : array of int
            Positions of the date's events in the sample.
        """
        spec, sample = self.spec, self.sample
        timeline = sample.timeline
        securities = timeline["security"].to_numpy(dtype=object)
        found = {str(securities[i]): "treated on this date" for i in events}
        labels = {str(label) for label in timeline["label"].to_numpy()[events] if _named(label)}
        announced = [
            *zip(securities, timeline["label"], strict=True),
            *zip(sample.excluded["security"], sample.excluded["label"], strict=True),
        ]
        for security, label in announced:
            if _named(label) and str(label) in labels:
                found.setdefault(str(security), "named in the same announcement")
        # Its event window touches a day of these two windows, or between them.
        first = day0 + spec.estimation.start - spec.window.end
        last = day0 + spec.window.end - spec.window.start
        dates = timeline["day_0"].dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
        for i in np.flatnonzero((sample.day0 >= first) & (sample.day0 <= last)):
            found.setdefault(str(securities[i]), f"has an event of its own on {dates[i]}")
        for security in sample.excluded["security"]:
            found.setdefault(str(security), "has an event that cannot be placed or used")
        for name, reason in spec.exclude:
            found.setdefault(name, reason)
        return found


def _named(label: object) -> bool:
    return isinstance(label, str) and bool(label)


#: Days on which fewer than this share of the possible donors have a return are left out for everyone.
FEW_TRADE = 0.5


@dataclass(frozen=True)
class Lump(FrozenRecord):
    """A return of a treated unit over several sessions, and those of the donors over the same.

    Attributes
    ----------
    unit, at : int
        Column of the treated unit, and row of the day.
    span : int
    treated : float
    donors : array, shape (J,)
    """

    unit: int
    at: int
    span: int
    treated: float
    donors: FloatArray


@dataclass(frozen=True)
class Cohort(FrozenRecord):
    """Treated units of one date that are fitted together.

    Attributes
    ----------
    day0 : int
        Row of the date in ``market.sessions``.
    date : Timestamp
    events : array of int, shape (N,)
        Positions in the sample.
    treated_rows : array of int, shape (N,)
        Rows in ``market.arrays``.
    donor_names : tuple of str, length J
    donor_rows : array of int, shape (J,)
        Rows in ``market.arrays``.
    days : array of int, shape (T,)
        Relative days used, in order; those of the estimation window first.
    n_pre : int
    donors : array, shape (T, J)
        Simple returns of single sessions; nothing is missing.
    treated : array, shape (T, N)
        Nothing is missing on the first `n_pre` days, unless the estimator completes what is.
    lumps : tuple of Lump
    left_out : mapping of str to str
        Candidates that cannot be donors, and why.
    n_days_left_out : int
        Days of both windows on which hardly anybody trades or that lie outside of the data.
    """

    day0: int
    date: pd.Timestamp
    events: IntArray
    treated_rows: IntArray
    donor_names: tuple[str, ...]
    donor_rows: IntArray
    days: IntArray
    n_pre: int
    donors: FloatArray
    treated: FloatArray
    lumps: tuple[Lump, ...]
    left_out: dict[str, str]
    n_days_left_out: int


def complete_days(cohort: Cohort) -> Cohort:
    """Return a cohort without the estimation days on which a treated unit lacks a return."""
    kept = ~np.isnan(cohort.treated).any(axis=1) | (np.arange(len(cohort.days)) >= cohort.n_pre)
    lost = int((~kept).sum())
    return replace(
        cohort,
        days=cohort.days[kept],
        n_pre=cohort.n_pre - lost,
        donors=cohort.donors[kept],
        treated=cohort.treated[kept],
        lumps=tuple(replace(lump, at=lump.at - lost) for lump in cohort.lumps),
    )


def day_axis(spec: CausalSpec) -> IntArray:
    """Relative days of both windows, in order."""
    return np.concatenate([spec.estimation.offsets, spec.window.offsets])


def lay_cohorts(spec: CausalSpec, sample: EventSample) -> tuple[list[Cohort], dict[int, str]]:
    """Lay out the events by date, each date with its donors.

    Returns
    -------
    cohorts : list of Cohort
        In order of date.
    reasons : dict of int to str
        Events that cannot be used, by position in the sample.
    """
    rules = DonorRules.of(spec, sample)
    cohorts: list[Cohort] = []
    reasons: dict[int, str] = {}
    order = np.argsort(sample.day0, kind="stable")
    dates, starts = np.unique(sample.day0[order], return_index=True)
    groups = np.split(order, starts[1:])
    for day0, events in followed(list(zip(dates.tolist(), groups, strict=True)), "Donors", "date"):
        for made in _of_date(rules, int(day0), events):
            if isinstance(made, Cohort):
                cohorts.append(made)
            else:
                reasons |= made
    return cohorts, reasons


def _of_date(rules: DonorRules, day0: int, events: IntArray) -> Iterator[Cohort | dict[int, str]]:
    spec, sample = rules.spec, rules.sample
    arrays = spec.market.arrays
    axis = day_axis(spec)
    n_est = len(spec.estimation)
    at = day0 + axis
    inside = (at >= 0) & (at < arrays.single.shape[1])
    clipped = np.where(inside, at, 0)
    reached = rules.reached(day0, events)
    able = np.array([name not in reached for name in rules.names], dtype=bool)
    left_out = {name: reached[name] for name in rules.names if name in reached}
    if not able.any():
        told = "; ".join(f"{name}: {why}" for name, why in list(left_out.items())[:3])
        yield dict.fromkeys(events.tolist(), f"no security is left as a donor ({told or 'none was given'})")
        return
    candidates = np.where(inside, arrays.single[rules.rows[able]][:, clipped], np.nan)
    open_days = inside & (np.mean(~np.isnan(candidates), axis=0) >= FEW_TRADE)
    own = np.where(inside, arrays.single[sample.security[events]][:, clipped], np.nan)
    trading = ~np.isnan(own[:, :n_est]) & open_days[:n_est]
    enough = trading.sum(axis=1) >= spec.min_observations
    varies = np.array(
        [np.ptp(own[i, :n_est][trading[i]]) > 0 if enough[i] else True for i in range(len(own))]
    )
    spans = np.where(inside, arrays.spans[sample.security[events]][:, clipped], 0)
    after = ((spans[:, n_est:] > 0) & open_days[n_est:]).any(axis=1)
    reasons = {}
    for i, event in enumerate(events.tolist()):
        if not enough[i]:
            reasons[event] = (
                f"only {int(trading[i].sum())} usable returns in {spec.estimation}, fewer than "
                f"min_observations={spec.min_observations}"
            )
        elif not varies[i]:
            reasons[event] = "its returns do not vary over the estimation window"
        elif not after[i]:
            reasons[event] = "it has no return on any day of the event window"
    usable = enough & varies & after
    groups, shed = _groups(trading, usable, spec)
    for i in shed:
        reasons[int(events[i])] = (
            "it trades on too few of the days on which the others of its date trade; "
            "SyntheticControl(by='event') needs no common days"
        )
    if reasons:
        yield reasons
    for members, days in groups:
        used = np.concatenate([days, open_days[n_est:]])
        yield _cohort(
            rules, day0, events[members], able, candidates[:, used], own[members][:, used], used, left_out
        )


def _groups(
    trading: BoolArray, usable: BoolArray, spec: CausalSpec
) -> tuple[list[tuple[IntArray, BoolArray]], list[int]]:
    """Units that are fitted together, with the estimation days they all trade; and units shed for them."""
    members = np.flatnonzero(usable)
    if not len(members):
        return [], []
    if not spec.estimator.pooled:
        patterns, which = np.unique(trading[members], axis=0, return_inverse=True)
        which = which.reshape(-1)
        return [(members[which == k], pattern) for k, pattern in enumerate(patterns)], []
    if spec.estimator.completes:
        return [(members, np.any(trading[members], axis=0))], []
    shed: list[int] = []
    common: BoolArray = np.all(trading[members], axis=0)
    while common.sum() < spec.min_observations:
        worst = int(members[np.argmin(trading[members].sum(axis=1))])
        shed.append(worst)
        members = members[members != worst]
        common = np.all(trading[members], axis=0)
    return [(members, common)], shed


def _cohort(
    rules: DonorRules,
    day0: int,
    events: IntArray,
    able: BoolArray,
    candidates: FloatArray,
    own: FloatArray,
    used: BoolArray,
    left_out: dict[str, str],
) -> Cohort | dict[int, str]:
    """Make one cohort, or say why there is none; arrays have the used days as columns."""
    spec, sample = rules.spec, rules.sample
    arrays, market = spec.market.arrays, spec.market
    axis = day_axis(spec)
    days = axis[used]
    n_pre = int((days <= spec.estimation.end).sum())
    left_out = dict(left_out)
    names, rows = [name for name, fine in zip(rules.names, able, strict=True) if fine], rules.rows[able]
    missing = np.isnan(candidates)
    lumped = [
        (int(unit), int(at))
        for unit in range(len(events))
        for at in range(n_pre, len(days))
        if arrays.spans[sample.security[events[unit]], day0 + days[at]] > 1
    ]
    compounded = np.empty((len(lumped), len(rows)))
    if lumped:
        bank = CompoundedSeries.of(tuple(names), arrays.returns[rows], arrays.spans[rows], market.kind)
        for k, (unit, at) in enumerate(lumped):
            row = day0 + int(days[at])
            span = int(arrays.spans[sample.security[events[unit]], row])
            many = np.arange(len(rows))
            compounded[k] = bank.compound(many, np.full(len(rows), row), np.full(len(rows), span))
    flat = np.ptp(np.where(missing, 0.0, candidates)[:, :n_pre], axis=1) == 0
    lost = np.isnan(compounded).any(axis=0) if lumped else np.zeros(len(rows), dtype=bool)
    gaps: BoolArray = np.asarray(missing.any(axis=1))
    for j in np.flatnonzero(gaps | flat | lost).tolist():
        if gaps[j]:
            first = market.sessions[day0 + int(days[np.argmax(missing[j])])]
            left_out[names[j]] = (
                f"lacks {int(missing[j].sum())} of {len(days)} days, the first {first:%Y-%m-%d}"
            )
        elif flat[j]:
            left_out[names[j]] = "its returns do not vary over the estimation window"
        else:
            left_out[names[j]] = "has no return over the sessions that a treated unit was halted"
    kept = ~(gaps | flat | lost)
    if kept.sum() < spec.min_donors:
        why = pd.Series(list(left_out.values())).str.replace(r"[\d-]{2,}", "...", regex=True).value_counts()
        told = "; ".join(f"{n} {reason}" for reason, n in list(why.items())[:3])
        reason = (
            f"{plural(int(kept.sum()), 'donor')} of {len(rules.names)} can be used, fewer than "
            f"min_donors={spec.min_donors}" + (f" ({told})" if told else "")
        )
        return dict.fromkeys(events.tolist(), reason)
    returns = arrays.returns
    lumps = tuple(
        Lump(
            unit,
            at,
            int(arrays.spans[sample.security[events[unit]], day0 + days[at]]),
            float(returns[sample.security[events[unit]], day0 + days[at]]),
            compounded[k, kept],
        )
        for k, (unit, at) in enumerate(lumped)
    )
    return Cohort(
        day0=day0,
        date=market.sessions[day0],
        events=events,
        treated_rows=sample.security[events],
        donor_names=tuple(name for name, fine in zip(names, kept, strict=True) if fine),
        donor_rows=rows[kept],
        days=days,
        n_pre=n_pre,
        donors=np.ascontiguousarray(candidates[kept].T),
        treated=np.ascontiguousarray(own.T),
        lumps=lumps,
        left_out=left_out,
        n_days_left_out=len(axis) - len(days),
    )
