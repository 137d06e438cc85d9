"""One study of several exchanges: each event on the sessions of its own, joined as by `pool`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.results.fitted import StudySpec
from eventstudy.results.pool.pool import pool
from eventstudy.results.pool.results import PooledResults
from eventstudy.results.study_results import EventStudyResults

__all__ = ["by_exchange", "joined_study", "of_one_exchange"]


def by_exchange(spec: StudySpec) -> dict[str, StudySpec]:
    """Return the study of each exchange of a market, by its name; exchanges without events are left out.

    Events of securities that the market has not go with the first of them, which excludes them.
    """
    security = spec.events.frame["security"]
    parts = spec.market.parts
    owner = {name: at for at, part in enumerate(parts.values()) for name in part.columns}
    of = np.array([owner.get(name, -1) for name in security], dtype=np.int64)
    used = np.unique(of[of >= 0]).tolist() or [0]
    of[of < 0] = used[0]
    named = list(parts.items())
    return {
        named[at][0]: replace(
            spec, market=named[at][1], events=spec.events.take(np.flatnonzero(of == at).tolist())
        )
        for at in used
    }


def joined_study(
    found: Mapping[str, EventStudyResults], spec: StudySpec, lost: Sequence[pd.DataFrame]
) -> EventStudyResults | PooledResults:
    """Join the studies of the exchanges, events in the order of `spec`.

    Parameters
    ----------
    found : mapping of str to EventStudyResults
    spec : StudySpec
        The study of the whole market.
    lost : sequence of DataFrame
        Excluded events of exchanges on which none can be used.
    """
    order = spec.events.frame.index
    if len(found) == 1:
        only = next(iter(found.values()))
        fitted = only.fitted
        excluded = pd.concat([only.excluded, *lost])
        sample = replace(fitted.sample, excluded=excluded.loc[order[order.isin(excluded.index)]])
        return EventStudyResults(fitted.spec, sample, fitted.fit, fitted.abnormal, only.warnings)
    pooled = pool(found).fitted
    dropped = pd.concat([pooled.dropped, *lost])
    at = pooled.names.get_indexer(order)
    at = at[at >= 0]
    return PooledResults(
        replace(
            pooled,
            members=tuple(pooled.members[row] for row in at.tolist()),
            names=pooled.names[at],
            dropped=dropped.loc[order[order.isin(dropped.index)]],
            abnormal=pooled.abnormal.take(at),
            _inputs={},
        )
    )


def of_one_exchange(results: EventStudyResults | PooledResults) -> EventStudyResults:
    """Return results of one exchange, and refuse those of several.

    Raises
    ------
    RequestError
        If the events are of several exchanges.
    """
    if isinstance(results, PooledResults):
        raise RequestError(
            f"The events are of {len(results.studies)} exchanges ({', '.join(results.studies)}), and this "
            "needs those of one: take one of market.parts and its events."
        )
    return results
