"""Notes on coefficients that few events or clusters decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy.regressions.robust import Sandwich

__all__ = ["alone_note", "explicit_note", "few_note", "fixed_note", "wild_note"]

#: Fewer degrees of freedom than this lean on normal errors.
FEW = 5.0
#: Fewer than this make t with N - k reject too often.
TOO_FEW = 7.0
#: The events that hold this share of a variance are those that a coefficient rests on.
MOST = 2 / 3
#: Names listed of each kind.
NAMED = 5


def listed(names: Sequence[object]) -> str:
    """Write names in a row, the first few if they are many.

    Examples
    --------
    >>> listed([3]), listed([3, 7]), listed(range(9))
    ('3', '3 and 7', '0, 1, 2, 3, 4 and 4 more')
    """
    told = [str(name.date()) if isinstance(name, pd.Timestamp) else str(name) for name in names]
    if len(told) > NAMED + 1:
        told = [*told[:NAMED], f"{len(told) - NAMED} more"]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def _units(what: str, labels: Sequence[object]) -> str:
    plural = what if len(labels) == 1 or what != "event" else "events"
    return f"{plural} {listed(labels)}"


def fixed_note(found: Sandwich, names: Sequence[str], labels: Sequence[object], what: str, way: str) -> str:
    """Say which coefficients have no standard error, of which events or clusters, and a way out.

    Parameters
    ----------
    found : Sandwich
    names : sequence of str
        Terms.
    labels : sequence
        Events or clusters.
    what : str
        ``"event"``, or the column of the clusters.
    way : str
        Another way, as a sentence.
    """
    terms = [names[j] for j in np.flatnonzero(found.fixed.any(axis=0)).tolist()]
    if not terms:
        return ""
    units = [labels[g] for g in np.flatnonzero(found.fixed.any(axis=1)).tolist()]
    kind = "robust standard error" if what == "event" else f"standard error clustered by {what}"
    alone = "is fitted exactly, whatever its CAR" if what == "event" else "alone decides a coefficient"
    if len(units) > 1:
        alone = (
            "are each fitted exactly, whatever the CAR"
            if what == "event"
            else "each decide a coefficient alone"
        )
    base = " Another base category, C(x, Treatment('...')), frees the other terms."
    more = base if "Intercept" in terms and len(terms) > len(units) + 1 else ""
    return f"No {kind} for {listed(terms)}: {_units(what, units)} {alone}. {way}{more}"


def alone_note(found: Sandwich, names: Sequence[str], labels: Sequence[object]) -> list[str]:
    """Say which coefficients take the variance of an event alone in its category from the others."""
    terms = [names[j] for j in np.flatnonzero(found.fixed.any(axis=0)).tolist()]
    if not terms:
        return []
    units = [labels[g] for g in np.flatnonzero(found.fixed.any(axis=1)).tolist()]
    each = "each is" if len(units) > 1 else "is"
    return [
        f"{listed(terms)}: {_units('event', units)} {each} fitted exactly, whatever the CAR, and taken to "
        "vary as the other events do."
    ]


def _resting(
    found: Sandwich, names: Sequence[str], labels: Sequence[object], what: str, most: float, below: float
) -> list[tuple[str, str, float]]:
    """Terms of few degrees of freedom, below a third of `most` too: name, what they rest on, and dof."""
    out = []
    for j, name in enumerate(names):
        if np.isnan(found.dof[j]) or found.dof[j] >= min(below, most / 3):
            continue
        share = found.shares[:, j]
        order = np.argsort(-share, kind="stable")
        count = int(np.searchsorted(np.cumsum(share[order]), MOST)) + 1
        rests = sorted(order[:count].tolist())
        out.append(
            (name, f"{_units(what, [labels[g] for g in rests])} of {len(labels)}", float(found.dof[j]))
        )
    return out


def few_note(found: Sandwich, names: Sequence[str], labels: Sequence[object], what: str, most: float) -> str:
    """Name the few events or clusters that coefficients rest on; `most` is the usual degrees of freedom."""
    rows = _resting(found, names, labels, what, most, FEW)
    if not rows:
        return ""
    told = [
        f"{name} rests mostly on {units}, t with {dof:.1f} degrees of freedom" for name, units, dof in rows
    ]
    more = f"; and {len(told) - NAMED} more terms" if len(told) > NAMED else ""
    return (
        f"{'; '.join(told[:NAMED])}{more}. Such a t needs errors that are about normal: where they are "
        "skewed, or vary far more there than elsewhere, it rejects too often."
    )


def explicit_note(
    found: Sandwich, names: Sequence[str], labels: Sequence[object], what: str, most: float, kind: str
) -> str:
    """Say that t with N - k degrees of freedom, which was asked for, rejects too often."""
    rows = _resting(found, names, labels, what, most, TOO_FEW)
    if not rows:
        return ""
    told = [f"{name}, which rests mostly on {units}" for name, units, _ in rows[:NAMED]]
    more = f"; and for {len(rows) - NAMED} more terms" if len(rows) > NAMED else ""
    return (
        f"{kind} and t with {most:.0f} degrees of freedom reject too often for {'; for '.join(told)}{more}. "
        "Without covariance= the degrees of freedom allow for it."
    )


def wild_note(n_clusters: int, n_resamples: int, alternative: str) -> str:
    """Say what p_wild is, and how small it can be."""
    least = 0.5 ** (n_clusters - (alternative == "two-sided"))
    bound = f" With {n_clusters} clusters it is hardly ever below {least:.2g}." if least > 0.025 else ""
    return (
        f"Only {n_clusters} clusters: stars and intervals go by t with degrees of freedom of each "
        f"coefficient. p_wild, of the wild cluster bootstrap with {n_resamples} draws, is a second "
        f"p-value.{bound}"
    )
