"""Buy-and-hold abnormal returns over months or years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.arguments import check_choice, check_whole
from eventstudy.distributions import norm_ppf, t_ppf
from eventstudy.errors import ExcludedEventsWarning, NoUsableEventsError, OverlapWarning, RequestError, warn
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord, Immutable, hand_out_copies
from eventstudy.inference.base import Alternative, check_alternative, p_value
from eventstudy.inference.bootstrap import johnson_bootstrap
from eventstudy.inference.engine.draws import equal_tails
from eventstudy.inference.engine.moments import johnson_t, mean_t, skewness
from eventstudy.longrun.benchmarks import MatchedFirms, Reference, ReferencePortfolios
from eventstudy.longrun.panel import Panel, compounded
from eventstudy.market import Market
from eventstudy.results.fit_warnings import exclusion_text
from eventstudy.sample import EventSample, refuse_window_columns
from eventstudy.tables import Section, Table
from eventstudy.text import none_usable, plural
from eventstudy.windows import Window

__all__ = [
    "LEAST",
    "BuyAndHold",
    "BuyAndHoldResults",
    "Delisted",
    "johnson",
    "left_out",
    "listed_reasons",
    "placed",
    "skewed_tests",
    "standardised_mean",
    "variance_inflation",
]

Delisted = Literal["reference", "cash", "truncate"]
#: A firm that is suspended at the event for longer is not measured.
LONGEST_HALT = pd.Timedelta(days=31)


class BuyAndHold(Immutable):
    r"""Buy-and-hold abnormal returns: what an investor earned beyond a benchmark.

    .. math:: \mathrm{BHAR}_i = \prod_{t \in H} (1 + R_{it}) - \prod_{t \in H} (1 + R_{bt})

    Parameters
    ----------
    market : Market
        Of months (the event's month is day 0 of its horizon), weeks or days.
    events : Events, or what `Events` takes
        A date between two sessions belongs to the next: with month-end returns, to its own month.
    horizon : Window or (int, int), default (1, 36)
        First and last session relative to the event's.
    reference : ReferencePortfolios, MatchedFirms or None
        What is compared with; None is the market's benchmark. An observed return, not that of a fitted
        model, whose intercept would be compounded.
    delisted : {"reference", "cash", "truncate"}, default "reference"
        What the proceeds of an event firm that disappears earn until the horizon ends: the reference's
        return, nothing, or both sides end with it.
    delisting : mapping or Series, optional
        Delisting return of a security, compounded with its last return, where that does not hold it yet.

    See Also
    --------
    CalendarTimePortfolio : a test that allows for the correlation of events that overlap in time.

    Notes
    -----
    Barber and Lyon (1997); Lyon, Barber and Tsai (1999). A security counts as delisted after its last return
    in the data. An event is excluded, with the reason, if its horizon ends after the data, its firm is not
    listed when the horizon starts or is suspended at the event for more than a month, its firm or its
    benchmark has an unknown return within, or it has no reference. After a shorter suspension day 0 is the
    first session on which the firm trades.

    References
    ----------
    docs/methods/long_horizon.md, eq. (bhar).

    Examples
    --------
    >>> import eventstudy as es
    >>> months = es.lab.simulate_market(40, 120, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    >>> dates = months.sessions[20:100:2]
    >>> events = [{"security": s, "date": d} for s, d in zip(months.securities, dates)]
    >>> found = es.BuyAndHold(months, events, horizon=(1, 12)).fit()
    >>> found
    BuyAndHoldResults: 40 events, horizon (+1, +12), against market
    """

    market: Market
    events: Events
    horizon: Window
    reference: ReferencePortfolios | MatchedFirms | None
    delisted: Delisted

    def __init__(
        self,
        market: Market,
        events: Events | pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        horizon: Window | Sequence[int] = (1, 36),
        reference: ReferencePortfolios | MatchedFirms | None = None,
        *,
        delisted: Delisted = "reference",
        delisting: Mapping[str, float] | pd.Series | None = None,
    ) -> None:
        check_choice("delisted", delisted, get_args(Delisted))
        if not isinstance(reference, ReferencePortfolios | MatchedFirms | None):
            raise RequestError(
                "reference must be ReferencePortfolios, MatchedFirms or None for the market's benchmark, got "
                f"{type(reference).__name__}."
            )
        self.market = market
        self.events = events if isinstance(events, Events) else Events(events)
        refuse_window_columns(self.events.frame, "BuyAndHold")
        self.horizon = Window.of(horizon)
        self.reference, self.delisted = reference, delisted
        self._panel = Panel.of(market, delisting)

    def __repr__(self) -> str:
        return f"BuyAndHold: {len(self.events)} events, horizon {self.horizon}\n  {self.market!r}"

    def fit(self) -> BuyAndHoldResults:
        """Compound both sides of every event.

        Raises
        ------
        NoUsableEventsError
            If not one event can be used; the message gives each reason.

        Warns
        -----
        ExcludedEventsWarning
            If some events cannot be used.
        OverlapWarning
            If horizons of one security overlap: their returns are then partly the same ones.
        """
        sample, reasons = placed(self.market, self.events, self._panel)
        first = sample.day0 + self.horizon.start
        for i in np.flatnonzero((first < 0) | (sample.day0 + self.horizon.end >= len(self.market.sessions))):
            reasons.setdefault(int(i), f"its horizon {self.horizon} reaches beyond the data")
        inside = np.array([i for i in range(len(sample)) if i not in reasons], dtype=np.int64)
        references = self._references(sample, inside, first)
        rows: list[_Held] = []
        kept: list[int] = []
        for i, reference in zip(inside.tolist(), references, strict=True):
            held = (
                reference if isinstance(reference, str) else self._hold(sample, i, int(first[i]), reference)
            )
            if isinstance(held, str):
                reasons[i] = held
            else:
                rows.append(held)
                kept.append(i)
        reason = left_out(self.events, sample, reasons)
        if not rows:
            raise NoUsableEventsError(f"{none_usable(len(reason))}\n{listed_reasons(reason)}")
        used = sample.events.iloc[kept]
        overlaps = _overlaps(sample.security[kept], sample.day0[kept], len(self.horizon))
        if overlaps:
            warn(
                f"{plural(overlaps, 'pair')} of events of one security with overlapping horizons: drop the "
                "later one of each, or use CalendarTimePortfolio, which holds a security once.",
                OverlapWarning,
            )
        return BuyAndHoldResults(self, used, sample.day0[kept], rows, reason)

    def _references(self, sample: EventSample, inside: IntArray, first: IntArray) -> list[Reference | str]:
        length, security, start = len(self.horizon), sample.security[inside], first[inside]
        if isinstance(self.reference, ReferencePortfolios):
            return self.reference.of(self._panel, security, start, length)
        indices = self._indices(sample, inside, first)
        if isinstance(self.reference, MatchedFirms):
            return self.reference.of(
                self._panel, security, start, length, sample.events.iloc[inside], indices
            )
        return indices

    def _indices(self, sample: EventSample, inside: IntArray, first: IntArray) -> list[Reference | str]:
        """Benchmark of each event over its horizon, or why it has none."""
        length, bank = len(self.horizon), sample.bank
        found: list[Reference | str] = []
        for row, start in zip(sample.benchmark[inside].tolist(), first[inside].tolist(), strict=True):
            if row < 0:
                found.append("no benchmark is given for it")
                continue
            values = bank.single[row, start : start + length]
            values = np.expm1(values) if self.market.kind == "log" else values
            if np.isnan(values).any():
                found.append(f"benchmark {bank.names[row]} lacks returns in the horizon")
                continue
            found.append(Reference(values, compounded(values), bank.names[row], 1))
        return found

    def _hold(self, sample: EventSample, i: int, first: int, reference: Reference) -> _Held | str:
        security, length = sample.security[i : i + 1], len(self.horizon)
        returns, gone = (a[0] for a in self._panel.held(security, first, length))
        if gone[0]:
            return "it has no return from the start of the horizon on"
        listed = int(self._panel.first[security[0]])
        if listed > first:
            return (
                f"it has no return before {self.market.sessions[listed]:%Y-%m-%d}, after the horizon starts"
            )
        spans = self.market.arrays.spans[security[0], first : first + length]
        begins, event = np.arange(length) - spans + 1, first + np.arange(length) == sample.day0[i]
        if ((spans > 0) & (begins < 0) & ~event).any():
            return "its first return in the horizon spans sessions from before it"
        n_lost = int((np.isnan(returns) & ~gone).sum())
        if n_lost:
            return f"{plural(n_lost, 'return')} of it within the horizon are not known"
        last = int(np.flatnonzero(~gone)[-1])
        fill = np.zeros(length) if self.delisted == "cash" else reference.returns
        wealth = compounded(np.where(gone, fill, returns))
        other = reference.wealth
        if self.delisted == "truncate":
            wealth, other = (np.where(gone, w[last], w) for w in (wealth, other))
        return _Held(wealth, other, last + 1 if gone.any() else length, reference.name, reference.n_firms)


@dataclass(frozen=True)
class _Held(FrozenRecord):
    """Wealth of one event's firm and of its reference, and the periods until the firm was gone."""

    wealth: FloatArray
    reference: FloatArray
    n_periods: int
    name: str
    n_firms: int


def placed(market: Market, events: Events, panel: Panel) -> tuple[EventSample, dict[int, str]]:
    """Place events in a market without regard to what lies before them.

    Day 0 moves to the first session with a return after a short suspension, and only then: a firm that is
    not listed yet is not measured when it is.

    Returns
    -------
    sample : EventSample
    reasons : dict of int to str
        Events, by position, whose firm is suspended for too long.
    """
    # A sample has an estimation window; this one excludes no event and is never laid out.
    sample = EventSample.of(market, events, Window(1, 1), Window(0, 0))
    listed = panel.first[sample.security] <= sample.first_row
    sample = replace(sample, day0=np.where(listed, sample.day0, sample.first_row))
    days = market.sessions
    reasons = {}
    for i in np.flatnonzero(sample.day0 > sample.first_row).tolist():
        news, trades = days[sample.first_row[i]], days[sample.day0[i]]
        if trades - news > LONGEST_HALT:
            reasons[i] = (
                f"it is suspended at the event: no return from {news:%Y-%m-%d} until {trades:%Y-%m-%d}"
            )
    return sample, reasons


def left_out(events: Events, sample: EventSample, reasons: Mapping[int, str]) -> pd.Series:
    """Reason why an event cannot be used, by event_id, and a warning if there is any.

    Warns
    -----
    ExcludedEventsWarning
    """
    excluded = {sample.events.index[i]: reason for i, reason in sorted(reasons.items())}
    excluded |= dict(zip(sample.excluded.index, sample.excluded["reason"], strict=True))
    reason = pd.Series(excluded, dtype=object, name="reason").rename_axis("event_id")
    if 0 < len(reason) < len(events):
        named = reason.to_frame().assign(security=events.frame["security"])
        warn(exclusion_text(named, len(events), "results.excluded"), ExcludedEventsWarning)
    return reason


def listed_reasons(reason: pd.Series) -> str:
    """First reasons, a line each."""
    return "\n".join(f"  event {name}: {why}" for name, why in list(reason.items())[:10])


def _overlaps(security: IntArray, day0: IntArray, length: int) -> int:
    """Count neighbouring events of one security whose horizons overlap."""
    order = np.lexsort((day0, security))
    same = np.diff(security[order]) == 0
    return int((same & (np.diff(day0[order]) < length)).sum())


@hand_out_copies("events", "excluded")
class BuyAndHoldResults(Immutable):
    """Buy-and-hold abnormal returns and their tests.

    Attributes
    ----------
    spec : BuyAndHold
    events : DataFrame
        The events used.
    excluded : Series
        Reason why an event could not be used, by event_id.

    Examples
    --------
    >>> import eventstudy as es
    >>> months = es.lab.simulate_market(40, 120, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    >>> dates = months.sessions[20:100:2]
    >>> events = [{"security": s, "date": d} for s, d in zip(months.securities, dates)]
    >>> found = es.BuyAndHold(months, events, horizon=(1, 12)).fit()
    >>> found.bhar()["bhar"].iloc[:2].round(3).tolist()
    [-0.171, 0.071]
    """

    spec: BuyAndHold
    events: pd.DataFrame
    excluded: pd.Series

    def __init__(
        self, spec: BuyAndHold, events: pd.DataFrame, day0: IntArray, rows: list[_Held], excluded: pd.Series
    ) -> None:
        self.spec, self.events, self.excluded = spec, events, excluded
        self._day0, self._rows = day0, rows

    def __repr__(self) -> str:
        names = {row.name for row in self._rows}
        against = names.pop() if len(names) == 1 else f"{len(names)} references"
        n, out = len(self._rows), len(self.excluded)
        gone = f" ({out} excluded)" if out else ""
        what = f"{plural(n, 'event')}{gone}, horizon {self.spec.horizon}, against {against}"
        return f"BuyAndHoldResults: {what}"

    @property
    def paths(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Value of one unit put into each firm, and into its reference; event_id × relative session."""
        columns = pd.Index(self.spec.horizon.offsets, name="session")
        return tuple(  # type: ignore[return-value]
            pd.DataFrame(np.array([getattr(r, side) for r in self._rows]), self.events.index, columns)
            for side in ("wealth", "reference")
        )

    def bhar(self, end: int | None = None) -> pd.DataFrame:
        """Buy-and-hold abnormal return of each event.

        Parameters
        ----------
        end : int, optional
            Last relative session; the end of the horizon by default.

        Returns
        -------
        DataFrame
            By event_id: security, start (session of day 0), bhar, actual and expected (buy-and-hold return
            of the firm and of the reference), n_periods (with a return of the firm; fewer if delisted),
            reference, n_firms (in the reference).
        """
        column = self._column(end)
        own, other = (path.to_numpy()[:, column] for path in self.paths)
        return pd.DataFrame(
            {
                "security": self.events["security"],
                "start": self.spec.market.sessions[self._day0],
                "bhar": own - other,
                "actual": own - 1.0,
                "expected": other - 1.0,
                "n_periods": [min(row.n_periods, column + 1) for row in self._rows],
                "reference": [row.name for row in self._rows],
                "n_firms": [row.n_firms for row in self._rows],
            },
            index=self.events.index,
        )

    def mean_path(self) -> pd.DataFrame:
        """Mean abnormal return from the start of the horizon to each of its sessions.

        Columns mean, median, se (cross-sectional), skewness, n_events, n_delisted.
        """
        own, other = self.paths
        values = (own - other).to_numpy()
        n = len(values)
        ended = np.array([row.n_periods for row in self._rows])
        reached = np.arange(values.shape[1]) + 1
        return pd.DataFrame(
            {
                "mean": values.mean(axis=0),
                "median": np.median(values, axis=0),
                "se": values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.nan,
                "skewness": [float(skewness(v)) if n > 2 and v.std() > 0 else np.nan for v in values.T],
                "n_events": n,
                "n_delisted": (ended[:, None] < reached).sum(axis=0),
            },
            index=own.columns,
        )

    def test(
        self,
        end: int | None = None,
        *,
        alternative: Alternative = "two-sided",
        n_resamples: int = 1000,
        seed: int | np.random.Generator | None = 0,
    ) -> pd.DataFrame:
        """Test that the mean buy-and-hold abnormal return is zero.

        Parameters
        ----------
        end : int, optional
            Last relative session; the end of the horizon by default.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
        n_resamples : int, default 1000
        seed : int or Generator, default 0

        Returns
        -------
        DataFrame
            By test: ``t`` (cross-sectional), ``johnson`` (skewness-adjusted, N(0, 1)), ``bootstrap``
            (skewness-adjusted with the percentiles of resamples of N/4 events: Lyon, Barber and Tsai 1999)
            and, with matched firms, ``standardised`` (mean standardised log abnormal return of a period);
            estimate, statistic, dof, critical_low and critical_high (of a two-sided 5% test), p_value,
            n_events, null, reference, recommended (the one to read, by its simulated size) and note. What
            cannot be computed is NaN, and the note says why.

        Notes
        -----
        Against an index or a portfolio BHARs are skewed, and the bootstrap holds its size; against matched
        firms their differences are not, but have fat tails, whose estimated skewness is noise: t, and the
        standardised test where horizons overlap, hold theirs (``docs/data/measures_size.csv``).

        All but ``standardised`` take events to be independent. Horizons that overlap in calendar time share
        shocks: the note gives the share of pairs that do. If the shocks of a period raise the variance of a
        mean of abnormal returns by more than a quarter (`variance_inflation`), none of these is recommended.
        """
        check_alternative(alternative)
        check_whole("n_resamples", n_resamples, 1)
        values, note = self.bhar(end)["bhar"].to_numpy(), self._dependence()
        returns, periods = self._log_abnormal(self._column(end))
        inflation = variance_inflation(returns, periods) if note else 1.0
        shared = not inflation <= MOST_INFLATION
        if shared:
            note = f"{note}; {_not_independent(inflation)}"
        table = skewed_tests(values, alternative, n_resamples, seed, note)
        best = [] if shared else ["bootstrap", "t"]
        if isinstance(self.spec.reference, MatchedFirms):
            row = self._standardised(returns, periods, alternative)
            doubt = pd.Series(dict.fromkeys(("johnson", "bootstrap"), f"; {NOISE}"))
            table["note"] = (table["note"] + doubt.reindex(table.index, fill_value="")).str.removeprefix("; ")
            table = pd.concat([table, pd.DataFrame([row], pd.Index(["standardised"], name="test"))])
            best = ["standardised"] * bool(note) + ["t"] * (not shared)  # t needs independent events
        lead = next((test for test in best if not np.isnan(table["p_value"][test])), None)
        table.insert(len(table.columns) - 1, "recommended", table.index == lead)
        return table

    def _log_abnormal(self, column: int) -> tuple[list[FloatArray], list[IntArray]]:
        """Log abnormal returns of each event by period, and these periods.

        Without events that lost everything or returned what their reference did.
        """
        returns, periods = [], []
        for held, day0 in zip(self._rows, self._day0.tolist(), strict=True):
            n = min(held.n_periods, column + 1)
            both = np.stack([held.wealth[:n], held.reference[:n]])
            if both.all():
                own, other = np.diff(np.log(both), axis=1, prepend=0.0)
                if np.abs(own - other).max() > ROUNDING:
                    returns.append(own - other)
                    periods.append(day0 + self.spec.horizon.start + np.arange(n))
        return returns, periods

    def _standardised(
        self, returns: list[FloatArray], periods: list[IntArray], alternative: Alternative
    ) -> dict[str, object]:
        """Row of the mean standardised log abnormal return."""
        several = [i for i, own in enumerate(returns) if len(own) > 1]
        returns, periods = [returns[i] for i in several], [periods[i] for i in several]
        gone = len(self._rows) - len(returns)
        told = (
            f"{plural(gone, 'event')} left out, with one period, a loss of everything or the returns of the "
            "matched firm"
            if gone
            else ""
        )
        numbers = ("estimate", "statistic", "dof", "critical_low", "critical_high", "p_value")
        row: dict[str, object] = dict.fromkeys(numbers, np.nan)
        row |= {"n_events": len(returns), "null": STANDARDISED_NULL, "reference": STANDARDISED_SOURCE}
        if len(returns) < 2:
            return row | {"note": f"not applicable: {plural(len(returns), 'event')} of two periods or more"}
        mean, t, dof = standardised_mean(returns, periods)
        half = float(t_ppf(0.975, dof))
        row |= {"estimate": mean, "statistic": t, "dof": dof, "critical_low": -half, "critical_high": half}
        note = f"of standardised log abnormal returns of {dof + 1} periods"
        return row | {
            "p_value": p_value(t, alternative, dof),
            "note": "; ".join(n for n in (note, told) if n),
        }

    def summary(self) -> Table:
        """Summarise returns by horizon, and the tests of the whole one (bootstrap with seed 0)."""
        path = self.mean_path()
        marks = sorted({0, len(path) // 3, 2 * len(path) // 3, len(path) - 1})
        percent = dict.fromkeys(("mean", "median", "se"), "{:.2%}")
        shown = ["estimate", "statistic", "p_value", "critical_low", "critical_high", "recommended"]
        sections = (
            Section(path.iloc[marks], "Mean abnormal return to a session", percent | {"skewness": "{:.2f}"}),
            Section(self.test(seed=0)[shown], f"Tests of {self.spec.horizon}", {"estimate": "{:.2%}"}),
        )
        notes = [f"Proceeds of delisted firms: {self.spec.delisted}."]
        notes += [n for n in self.test(seed=0)["note"].unique() if n]
        return Table("Buy-and-hold abnormal returns", sections, tuple(notes))

    def _column(self, end: int | None) -> int:
        horizon = self.spec.horizon
        if end is None:
            return len(horizon) - 1
        if end not in horizon:
            raise RequestError(f"Session {end!r} is outside of the horizon {horizon}.")
        return int(end) - horizon.start

    def _dependence(self) -> str:
        """Say how many pairs of events overlap in calendar time; empty if none do."""
        gaps = np.abs(self._day0[:, None] - self._day0)[np.triu_indices(len(self._day0), 1)]
        share = float((gaps < len(self.spec.horizon)).mean()) if len(gaps) else 0.0
        if share == 0:
            return ""
        return (
            f"the horizons of {share:.0%} of pairs of events overlap in time, and their returns may be "
            "correlated: compare with CalendarTimePortfolio"
        )


#: Fewest events of the bootstrap: four to a resample, which is a quarter of them.
LEAST = 16
NULL = "mean buy-and-hold abnormal return is zero"
STANDARDISED_NULL = "mean log abnormal return of a period is zero"
STANDARDISED_SOURCE = "Dutta, Knif, Kolari and Pynnonen (2018)"
#: Tests of independent events reject 8% of true nulls where the variance is this many times as large.
MOST_INFLATION = 1.25
#: Fewest periods that tell whether events of a period are correlated.
FEWEST_PERIODS = 3
#: Log abnormal returns below this are zero.
ROUNDING = 1e-12
#: What is said of tests that estimate a skewness which a difference of two like returns does not have.
NOISE = "over-rejects: against a matched firm the estimated skewness is noise"


def johnson(values: FloatArray) -> float:
    """Return Johnson's skewness-adjusted t of a cross-section, shape (N,), N > 2, that its mean is zero."""
    return float(johnson_t(len(values), values.mean() / np.std(values, ddof=1), skewness(values)))


def _sums_of_periods(values: FloatArray, periods: list[IntArray]) -> FloatArray:
    """Sum of the values of each calendar period, about their mean."""
    _, group = np.unique(np.concatenate(periods), return_inverse=True)
    return np.bincount(group, values - values.mean()).astype(np.float64)


def standardised_mean(returns: list[FloatArray], periods: list[IntArray]) -> tuple[float, float, int]:
    r"""T of the mean standardised abnormal return of N events, clustered by calendar period, t(G - 1).

    .. math:: t = \bar u \Big/ \sqrt{\frac{G}{G - 1} \frac{1}{n^2}
              \sum_g \Bigl(\sum_{it \in g} (u_{it} - \bar u)\Bigr)^2}, \qquad
              u_{it} = AR_{it} \Big/ \sqrt{\frac{1}{T_i} \sum_t AR_{it}^2}

    for G periods and n returns.

    Parameters
    ----------
    returns : list of arrays
        Log abnormal returns of each event, two or more, not all zero.
    periods : list of arrays of int
        Their calendar periods.

    Returns
    -------
    mean, statistic, dof

    Notes
    -----
    If the T returns of an event are symmetric about zero, the squares of the standardised ones add up to the
    variance of their sum, although the scale is estimated from the same returns. A deviation about the
    event's own mean makes that about (T - 3) / T of what it is: with 12 periods 7% of true nulls rejected.

    References
    ----------
    Dutta, Knif, Kolari and Pynnonen (2018), Journal of Empirical Finance 47, 1-24 (our reading: known by its
    abstract and the authors' R package, which divides by the deviation about the mean and refers t to G);
    docs/methods/long_horizon.md, eq. (standardised-bhar).
    """
    u = np.concatenate([own / np.sqrt((own**2).mean()) for own in returns])
    sums = _sums_of_periods(u, periods)
    n_groups = len(sums)
    variance = n_groups / (n_groups - 1.0) * (sums**2).sum() / len(u) ** 2
    return float(u.mean()), float(u.mean() / np.sqrt(variance)), n_groups - 1


def variance_inflation(returns: list[FloatArray], periods: list[IntArray]) -> float:
    r"""How many times the variance of a mean abnormal return is what it is without correlation in a period.

    .. math:: \sum_g \Bigl(\sum_{it \in g} (AR_{it} - \overline{AR})\Bigr)^2
              \Big/ \sum_{it} (AR_{it} - \overline{AR})^2

    Infinite of fewer than three periods, which cannot tell.

    Parameters
    ----------
    returns, periods
        As for `standardised_mean`.

    Examples
    --------
    >>> alike = np.array([0.02, -0.01, 0.03])
    >>> round(variance_inflation([alike, alike], [np.arange(3), np.arange(3)]), 6)
    2.0
    """
    if not returns:
        return np.inf
    values = np.concatenate(returns)
    sums, own = _sums_of_periods(values, periods), float(((values - values.mean()) ** 2).sum())
    return float((sums**2).sum()) / own if len(sums) >= FEWEST_PERIODS and own > 0.0 else np.inf


def _not_independent(inflation: float) -> str:
    """Say why tests that take events to be independent are not recommended."""
    known = (
        f"the variance of a mean abnormal return is {inflation:.1f} times that of independent events"
        if np.isfinite(inflation)
        else f"fewer than {FEWEST_PERIODS} periods cannot tell how correlated they are"
    )
    return f"{known}, so tests that take them to be independent are not recommended"


def skewed_tests(
    values: FloatArray,
    alternative: Alternative = "two-sided",
    n_resamples: int = 1000,
    seed: int | np.random.Generator | None = 0,
    note: str = "",
) -> pd.DataFrame:
    """Test that the mean of buy-and-hold abnormal returns is zero; see `BuyAndHoldResults.test`.

    Parameters
    ----------
    values : array, shape (N,)
    alternative, n_resamples, seed
        As for `BuyAndHoldResults.test`.
    note : str, optional
        What is to be said of every test.
    """
    n = len(values)
    flat = n < 2 or np.std(values) <= 1e-14 * np.abs(values).max(initial=1.0)
    rows = {}
    for key, source, least in (
        ("t", "Barber and Lyon (1997)", 2),
        ("johnson", "Johnson (1978); Lyon, Barber and Tsai (1999)", 3),
        ("bootstrap", "Lyon, Barber and Tsai (1999)", LEAST),
    ):
        numbers = dict.fromkeys(("statistic", "dof", "critical_low", "critical_high", "p_value"), np.nan)
        told = note
        if flat or n < least:
            told = f"not applicable: {plural(n, 'event')}, and it needs {least} or more that differ"
        elif key == "t":
            t, half = float(mean_t(values)), float(t_ppf(0.975, n - 1))
            numbers |= {"statistic": t, "dof": n - 1, "critical_low": -half, "critical_high": half}
            numbers["p_value"] = p_value(t, alternative, n - 1)
        elif key == "johnson":
            t, half = johnson(values), float(norm_ppf(0.975))
            numbers |= {"statistic": t, "critical_low": -half, "critical_high": half}
            numbers["p_value"] = p_value(t, alternative)
        else:
            t, draws = johnson(values), johnson_bootstrap(values, n_resamples, np.random.default_rng(seed))
            low, high = np.quantile(draws, [0.025, 0.975])
            numbers |= {"statistic": t, "critical_low": float(low), "critical_high": float(high)}
            numbers["p_value"] = equal_tails(t, draws, alternative)
        rows[key] = {
            "estimate": float(values.mean()), **numbers, "n_events": n, "null": NULL, "reference": source,
            "note": told,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("test")
