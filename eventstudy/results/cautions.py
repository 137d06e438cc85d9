"""What a summary says of halts, price limits, suspects and dividends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eventstudy.errors import counted
from eventstudy.market.indices import price_index
from eventstudy.models import TobitMarketModel
from eventstudy.results.data import EventData, StudyData
from eventstudy.results.frictions import halts, limit_hits

__all__ = ["dividend_notes", "friction_notes"]


def friction_notes(data: EventData) -> list[str]:
    """Tell of closes at the price limit, with their share, and of halts within the event windows."""
    notes = []
    hits = limit_hits(data)
    if len(hits):
        touched, closed = len(hits), int(hits["at_close"].sum())
        limited = [part for part in data.parts() if part.study.spec.market.has_limits]
        days = sum(int((~np.isnan(part.study.abnormal.actual[part.rows])).sum()) for part in limited)
        told = (
            f"{counted(touched, 'session')} of {days} in event windows ({touched / days:.1%}) touched a daily"
        )
        told += f" price limit, {closed} closed at it"
        if closed:
            n = hits.loc[hits["at_close"], "event_id"].nunique()
            told += f", of {counted(n, 'event')}: the move is cut short there"
        notes.append(f"{told}; see limit_hits, and car(0, 'first_free_close').")
    counts = [_limits_in_estimation(part.study, part.rows) for part in data.parts()]
    censored, known = sum(n for n, _ in counts), sum(n for _, n in counts)
    if censored:
        notes.append(
            f"{counted(censored, 'close')} of {known} in estimation windows ({censored / known:.1%}) at the "
            "daily price limit: "
            + (
                "the Tobit model takes them for bounds."
                if all(isinstance(part.study.spec.model, TobitMarketModel) for part in data.parts())
                else "normal returns and their variance are estimated from moves cut short."
            )
        )
    spells = halts(data)
    inside = spells[spells["resumed_on_day"] != 0]
    if len(inside):
        notes.append(
            f"{counted(len(inside), 'spell')} without trade within event windows, besides those that moved "
            "day 0; see halts."
        )
    return notes


def _limits_in_estimation(data: StudyData, rows: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Count closes at a limit, and closes, in the estimation windows."""
    market, sample = data.spec.market, data.sample
    if not market.has_limits:
        return 0, 0
    closed = np.abs(market.limits.closed.to_numpy().T, dtype=np.int64)
    traded = (market.arrays.spans > 0).astype(np.int64)
    last = len(market.sessions) - 1
    first = np.clip(sample.day0[rows] + data.spec.estimation.start - 1, -1, last)
    end = np.clip(sample.day0[rows] + data.spec.estimation.end, -1, last)

    def between(flags: npt.NDArray[np.int64]) -> int:
        total = np.concatenate([np.zeros((len(flags), 1), np.int64), np.cumsum(flags, axis=1)], axis=1)
        security = sample.security[rows]
        return int((total[security, end + 1] - total[security, first + 1]).sum())

    return between(closed), between(traded)


def dividend_notes(data: EventData) -> list[str]:
    """Tell where one side of the comparison counts dividends and the other may not."""
    told: dict[str, str] = {}
    closes_alone = False
    for part in data.parts():
        market, sample = part.study.spec.market, part.study.sample
        if market.total_returns:
            used = np.unique(sample.benchmark[part.rows])
            names = [sample.bank.names[row] for row in used if row >= 0]
            told |= {name: text for name in names if (text := price_index(name)) is not None}
        daily = market.kind in ("simple", "log") and market.arrays.gap is None
        closes_alone |= daily and market.total_returns is None and bool(market.price_fields)
    notes = []
    if told:
        named = "; ".join(f"{name} is the {text}" for name, text in told.items())
        notes.append(
            f"Returns of securities count dividends, those of the benchmark do not: {named}, a price index, "
            "which falls when its members go ex-dividend."
        )
    if closes_alone:
        notes.append(
            "Prices came as closes alone: unless they are adjusted, a dividend or split counts as a fall. "
            "Give adj_close, reference prices, or dividends and splits."
        )
    return notes
