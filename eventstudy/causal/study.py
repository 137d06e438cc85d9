"""CausalStudy: events whose counterfactual is made of other firms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.arguments import check_sequence
from eventstudy.causal.cohorts import lay_cohorts
from eventstudy.causal.estimators import CounterfactualEstimator, SyntheticControl
from eventstudy.causal.fitted import FittedCohort, fit_cohort
from eventstudy.causal.results import CausalResults
from eventstudy.causal.spec import CausalSpec
from eventstudy.errors import (
    DataWarning,
    ExcludedEventsWarning,
    IncompleteWindowWarning,
    LumpedReturnWarning,
    ModelError,
    NoUsableEventsError,
    OverlapWarning,
    PriceLimitWarning,
    RequestError,
    SuspectDataWarning,
    WindowError,
    warn,
)
from eventstudy.events import Events
from eventstudy.immutable import Immutable
from eventstudy.interop import ForeignTable
from eventstudy.market import Market, ParquetPanel, check_market
from eventstudy.progress import followed
from eventstudy.results.data_warnings import doubtful_between, refuse_unsaid_holes
from eventstudy.results.fit_warnings import suspect_data
from eventstudy.results.trading_frictions import sample_limit_hits
from eventstudy.sample import EventSample, check_windows, refuse_window_columns
from eventstudy.text import none_usable, plural
from eventstudy.windows import Window

__all__ = ["CausalStudy"]

#: Cohorts whose common days are fewer than this share of those of its best firm are warned of.
FEW_COMMON = 0.8


class CausalStudy(Immutable):
    r"""A causal event study: the counterfactual of each treated firm is made of donors, firms without news.

    A factor model takes the timing of an event to have nothing to do with the factors it leaves out. Donors
    met the same day, so that what the day did to everyone cancels:

    .. math:: \hat\tau_{ik} = R_{ik} - \hat R_{ik}(\infty), \qquad
        \hat\theta_k = \sum_i \omega_i \hat\tau_{ik}

    with :math:`\omega_i = 1/N`, or of `SyntheticMatching` in proportion to the goodness of match.

    Parameters
    ----------
    market : Market or ParquetPanel
        Of daily simple returns. A panel (`Market.scan_parquet`) needs `donors` to be named.
    events : Events, or what `Events` takes
        Treated firms and their dates. Firms of one date are a cohort with donors of its own.
    estimator : CounterfactualEstimator, default ``SyntheticControl()``
        One of ``eventstudy.causal``.
    donors : sequence of str, optional
        Firms that may be donors; by default every other security of the market. On each date those are left
        out that are treated, named in the same announcement (column `label`), or have an event of their own
        in the windows, and those that lack a return on any day used; ``results.donors`` lists the reasons.
    estimation : Window or (int, int), default (-250, -31)
        Sessions, relative to day 0, from which the counterfactual is learnt; the gap to the window
        allows for news that leaks out.
    window : Window or (int, int), default (0, 10)
        Sessions whose effects are estimated; holds day 0.
    exclude : sequence of str, or mapping of str to str, optional
        Firms that the news reaches though no event names them, such as rivals and suppliers, with the reason
        in a mapping.
    min_observations : int, default 60
        Events with fewer estimation returns are excluded.
    min_donors : int, default 10
        Dates with fewer donors are excluded.

    Raises
    ------
    WindowError
        If the windows overlap, the event window lacks day 0, or columns of the events give windows.
    ModelError
        If returns are not simple or not daily, or a donor is unknown.

    See Also
    --------
    CausalResults : what `fit` returns.
    compare_counterfactuals : all estimators and factor models side by side.
    EventStudy : abnormal returns against a factor model.

    Notes
    -----
    Goldsmith-Pinkham and Lyu (2025, arXiv 2511.15123). Effects are of simple returns and are added up, not
    compounded: buy-and-hold differences have a volatility drag that looks like an effect.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> results = es.CausalStudy(market, events).fit()
    >>> results
    CausalResults: 3 events on 1 date, Synthetic control by date, 37 donors, window (0, +10)
    """

    def __init__(
        self,
        market: Market | ParquetPanel[Market],
        events: Events | pd.DataFrame | ForeignTable | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        estimator: CounterfactualEstimator | None = None,
        donors: Sequence[str] | None = None,
        estimation: Window | Sequence[int] = (-250, -31),
        window: Window | Sequence[int] = (0, 10),
        *,
        exclude: Sequence[str] | Mapping[str, str] = (),
        min_observations: int = 60,
        min_donors: int = 10,
    ) -> None:
        if not isinstance(market, Market | ParquetPanel):
            raise RequestError(
                f"market must be a Market, got {type(market).__name__}; make one with "
                "Market.from_prices(prices)."
            )
        if isinstance(estimator, type):
            raise ModelError(
                f"estimator is the class {estimator.__name__}; pass an instance: {estimator.__name__}()."
            )
        estimator = SyntheticControl() if estimator is None else estimator
        if not isinstance(estimator, CounterfactualEstimator):
            raise ModelError(
                "estimator must be one of eventstudy.causal, such as causal.SyntheticControl(); got "
                f"{estimator!r}. Normal-return models belong to EventStudy."
            )
        estimation, window = Window.of(estimation), Window.of(window)
        check_windows(estimation, window)
        for name, number, least in (
            ("min_observations", min_observations, 10),
            ("min_donors", min_donors, 1),
        ):
            if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
                raise RequestError(f"{name} is a whole number from {least} on; got {number!r}.")
        if len(estimation) < min_observations:
            raise WindowError(
                f"The estimation window {estimation} has {len(estimation)} sessions, fewer than "
                f"min_observations={min_observations}. Lengthen it, or lower min_observations."
            )
        events = events if isinstance(events, Events) else Events(events)
        refuse_window_columns(events.frame, "CausalStudy")
        chosen = _names(donors, "donors")
        if isinstance(market, ParquetPanel):
            if chosen is None:
                raise RequestError(
                    "Of a Parquet panel only the securities that are needed are read: name the donors."
                )
            market = market.market(events, reach=-min(estimation.start, window.start), also=list(chosen))
        _check_market(market)
        left_out = (
            exclude
            if isinstance(exclude, Mapping)
            else dict.fromkeys(_names(exclude, "exclude") or (), "excluded by the user")
        )
        unknown = [name for name in left_out if market.positions([name])[0] < 0]
        if unknown:
            raise RequestError(
                f"exclude names {', '.join(map(repr, unknown[:5]))}, not in the market; see "
                "market.securities."
            )
        pairs = tuple((str(name), str(reason)) for name, reason in left_out.items())
        self._spec = CausalSpec(
            market,
            events,
            estimator,
            chosen,
            pairs,
            estimation,
            window,
            int(min_observations),
            int(min_donors),
        )

    @property
    def spec(self) -> CausalSpec:
        """What was asked."""
        return self._spec

    def __repr__(self) -> str:
        s = self._spec
        who = "every other security" if s.donors is None else f"{len(s.donors)} named"
        return (
            f"CausalStudy: {plural(len(s.events), 'event')}, {s.estimator.label}, donors out of {who}, "
            f"estimation {s.estimation}, window {s.window}"
        )

    def fit(self) -> CausalResults:
        """Choose the donors of each date and estimate the effects.

        Returns
        -------
        CausalResults

        Raises
        ------
        NoUsableEventsError
            If not one event can be used; the message gives each reason.
        DataError
            If a treated firm's return follows missing ones and the market was not told what it spans.

        Warns
        -----
        ExcludedEventsWarning
            If some events cannot be used.
        IncompleteWindowWarning
            If the returns of a treated firm begin or end inside the window.
        LumpedReturnWarning
            If an effect is that of a return over several sessions.
        PriceLimitWarning
            If a treated firm closed at its daily price limit inside the window.
        DataWarning
            If the weights of a date are not the only optimal ones, or its firms trade together on few days.
        OverlapWarning
            If the windows of a treated firm hold another of its events.
        SuspectDataWarning
            If data of a treated firm in its windows, or of a donor in the event window, looks wrong.
        """
        spec = self._spec
        sample = EventSample.of(spec.market, spec.events, spec.estimation, spec.window)
        cohorts: list[FittedCohort] = []
        if len(sample):
            laid, reasons = lay_cohorts(spec, sample)
            kept = np.array([i for i in range(len(sample)) if i not in reasons], dtype=np.int64)
            sample = sample.without(reasons)
            for each in followed(laid, spec.estimator.label, "date"):
                moved = replace(each, events=np.searchsorted(kept, each.events))
                cohorts.append(fit_cohort(spec, moved))
        asked = spec.events.frame.index
        sample = replace(sample, excluded=sample.excluded.loc[asked[asked.isin(sample.excluded.index)]])
        _report_excluded(sample)
        refuse_unsaid_holes(sample)
        results = CausalResults(spec, sample, tuple(cohorts))
        _warn_of_incomplete(results)
        _warn_of_fits(results)
        _warn_of_common_days(results)
        _warn_of_overlaps(sample)
        _warn_of_limits(sample)
        _warn_of_data(results)
        return results


def _names(given: Sequence[str] | None, what: str) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, str):
        raise RequestError(f"{what} is a list of securities: {what}=[{given!r}].")
    names = tuple(dict.fromkeys(map(str, check_sequence(what, given, "securities"))))
    if what == "donors" and not names:
        raise RequestError("donors is empty; name securities, or None for every other one of the market.")
    return names


def _check_market(market: Market) -> None:
    check_market(market)
    if market.kind != "simple":
        raise ModelError(
            f"Causal studies are of simple returns, which portfolios of donors add up; this market holds "
            f"{market.kind} values. Make it with kind='simple'."
        )
    if market.arrays.gap is not None:
        raise ModelError("Causal studies are of daily returns; this market has intraday bars.")


def _report_excluded(sample: EventSample) -> None:
    excluded = sample.excluded
    if excluded.empty:
        return
    lines = [
        f"  event {event_id} ({security}): {reason}"
        for event_id, security, reason in excluded[["security", "reason"]].head(10).itertuples()
    ]
    if len(excluded) > 10:
        lines.append(f"  ... and {len(excluded) - 10} more")
    told = "\n".join(lines)
    if len(sample) == 0:
        problem = NoUsableEventsError(f"{none_usable(len(excluded))}\n{told}")
        problem.excluded = excluded.copy()
        raise problem
    warn(
        f"{len(excluded)} of {len(excluded) + len(sample)} events cannot be used (see "
        f"results.excluded):\n{told}",
        ExcludedEventsWarning,
    )


def _warn_of_incomplete(results: CausalResults) -> None:
    """Warn where effects begin after the first day of the window, or end before the last."""
    spec, n_sessions = results.spec, results.spec.market.arrays.single.shape[1]
    window = spec.window
    told: dict[int, str] = {}
    first, last = window.start, window.end
    for each in results.cohorts:
        cohort = each.cohort
        days = cohort.days[cohort.n_pre :]
        at = cohort.day0 + window.offsets
        # A day inside the data on which hardly any donor trades is not the firm's lack.
        wanted = np.union1d(days, window.offsets[(at < 0) | (at >= n_sessions)])
        for event, gaps in zip(cohort.events.tolist(), each.gaps[cohort.n_pre :].T, strict=True):
            known = days[~np.isnan(gaps)]
            if len(known) and (known[0] > wanted[0] or known[-1] < wanted[-1]):
                told[event] = f"{known[0]:+d} to {known[-1]:+d}" if len(known) > 1 else f"{known[0]:+d} only"
                first, last = max(first, int(known[0])), min(last, int(known[-1]))
    if not told:
        return
    ids, names = results.sample.events.index, results.sample.events["security"]
    shown = [f"event {ids[i]} ({names.iloc[i]}) has days {days}" for i, days in sorted(told.items())[:5]]
    advice = (
        f"Sum days that all of them have, catt({first}, {last}), or"
        if first <= last
        else "Sum fewer days, or"
    )
    warn(
        f"The returns of {plural(len(told), 'event')} do not cover the window {window}: "
        f"{'; '.join(shown)}{'; ...' * (len(told) > 5)}. A sum over more days adds the days there are, each "
        f"the mean of the events that have it. {advice} leave such events out.",
        IncompleteWindowWarning,
    )


def _warn_of_fits(results: CausalResults) -> None:
    many = [each.cohort.date for each in results.cohorts if not each.fit.unique]
    if many:
        warn(
            f"On {', '.join(f'{date:%Y-%m-%d}' for date in many[:5])}{', ...' * (len(many) > 5)} several "
            "sets of weights fit equally well, and after the event they may differ; the one of least norm is "
            "taken. Use a longer estimation window or fewer donors.",
            DataWarning,
        )
    exact = [each.cohort.date for each in results.cohorts if each.exact]
    if exact:
        warn(
            f"On {', '.join(f'{date:%Y-%m-%d}' for date in exact[:5])}{', ...' * (len(exact) > 5)} the "
            "counterfactual equals the treated on every day before the event: a donor is the same share "
            "under another name, or there are fewer days than donors. Exclude it, or use more days.",
            DataWarning,
        )
    ids, security = results.sample.events.index, results.sample.events["security"]
    completes = results.spec.estimator.completes
    for each in results.cohorts:
        for lump in each.cohort.lumps[:3]:
            i = each.cohort.events[lump.unit]
            if np.isnan(each.gaps[lump.at, lump.unit]):
                told = "hardly any donor trades on one of them, so the effect is missing."
            elif completes:
                told = "it is compared with their completed returns, compounded."
            else:
                told = "that of the donors is taken over the same."
            warn(
                f"Event {ids[i]} ({security.iloc[i]}): its return on relative day "
                f"{each.cohort.days[lump.at]:+d} is over {lump.span} sessions; {told}",
                LumpedReturnWarning,
            )


def _warn_of_common_days(results: CausalResults) -> None:
    """Warn where one firm's halts cost the others of its date many estimation days."""
    spec, arrays = results.spec, results.spec.market.arrays
    if not spec.estimator.pooled or spec.estimator.completes:
        return
    for each in results.cohorts:
        cohort = each.cohort
        rows = cohort.day0 + spec.estimation.offsets
        rows = rows[rows >= 0]
        own = (~np.isnan(arrays.single[cohort.treated_rows][:, rows])).sum(axis=1)
        if cohort.n_pre < FEW_COMMON * own.max():
            worst = results.sample.events["security"].iloc[cohort.events[int(np.argmin(own))]]
            warn(
                f"On {cohort.date:%Y-%m-%d} the treated trade together on {cohort.n_pre} of {own.max()} "
                f"estimation days, as {worst} has {own.min()} of them. Leave it out, or fit each event "
                "on its own days with SyntheticControl(by='event').",
                DataWarning,
            )


def _warn_of_overlaps(sample: EventSample) -> None:
    """Warn where the windows of a treated firm hold another of its events."""
    order = np.lexsort((sample.day0, sample.security))
    security, day0 = sample.security[order], sample.day0[order]
    reach = sample.window.end - sample.estimation.start
    close = (np.diff(security) == 0) & (np.diff(day0) <= reach)
    if close.any():
        ids, names = sample.events.index, sample.events["security"]
        told = [
            f"{names.iloc[order[i]]} (events {ids[order[i]]} and {ids[order[i + 1]]})"
            for i in np.flatnonzero(close)[:5].tolist()
        ]
        warn(
            f"Windows hold another event of the same firm: {', '.join(told)}"
            f"{', ...' * (len(told) < int(close.sum()))}. Its counterfactual is learnt from days that "
            "an event moved; shorten the estimation window, or keep one of the events.",
            OverlapWarning,
        )


def _warn_of_data(results: CausalResults) -> None:
    """Warn of data that looks wrong: of the treated in both windows, of donors in the event window."""
    sample, market = results.sample, results.spec.market
    for found in suspect_data(sample, benchmark=False):
        warn(found.message, found.category)
    told: dict[str, str] = {}
    for each in results.cohorts:
        cohort, window = each.cohort, sample.window
        rows = cohort.day0 + window.start, cohort.day0 + window.end
        for column, what in doubtful_between(market, cohort.donor_rows, *rows).items():
            told.setdefault(market.columns[column], what)
    if told:
        names = list(told)
        n = plural(len(names), "donor")
        shown = "; ".join(f"{name}: {what}" for name, what in list(told.items())[:5])
        warn(
            f"Data of {n} in the event window looks wrong and is used unchanged: {shown}"
            f"{'; ...' * (len(names) > 5)}. Mend it, or leave the donor out with exclude={names[:5]!r}. See "
            "market.audit().",
            SuspectDataWarning,
        )


def _warn_of_limits(sample: EventSample) -> None:
    hits = sample_limit_hits(sample)
    hits = hits[hits["at_close"].astype(bool)]
    if hits.empty:
        return
    told = [
        f"event {event_id} ({security}) on {', '.join(f'{d:%Y-%m-%d}' for d in days['date'][:4])}"
        for (event_id, security), days in list(hits.groupby(["event_id", "security"], sort=False))[:5]
    ]
    warn(
        f"Closes at the daily price limit cut the reaction short: {'; '.join(told)}. The effect of that day "
        "alone is too small in size; read the sum over the days to the first free close, catt(0, end).",
        PriceLimitWarning,
    )
