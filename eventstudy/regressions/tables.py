"""A table of several regressions, one column each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.regressions.core import SMALL, CrossSection
from eventstudy.tables import Section, Table, stars
from eventstudy.tables.table import stars_note
from eventstudy.text import plural

__all__ = ["regression_table"]


def regression_table(fits: Sequence[CrossSection], names: Sequence[str] | None = None) -> Table:
    """Set regressions beside each other, one column each, as papers do.

    Parameters
    ----------
    fits : sequence of CrossSection
    names : sequence of str, optional
        Headings; (1), (2), ... by default.

    Returns
    -------
    Table
        Coefficients with stars, standard errors in parentheses below; an en dash where there is none.

    Raises
    ------
    RequestError
        If no regression is given, names and regressions differ in number, or their alternatives differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> names = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ"]
    >>> news = {"security": names, "date": "2019-05-22", "cameras": [1, 1, 0, 0]}
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> fits = [results.cross_section("car ~ cameras", 0, day) for day in (0, 1)]
    >>> es.regression_table(fits, names=["day 0", "two days"]).sections[0].frame.loc["cameras"].tolist()
    ['-0.0593*', '-0.0235']
    """
    fits = list(fits)
    if not fits or not all(isinstance(fit, CrossSection) for fit in fits):
        raise RequestError("regression_table takes a list of regressions made by results.cross_section(...).")
    sides = {fit.alternative for fit in fits}
    if len(sides) > 1:
        raise RequestError(
            f"regression_table marks all columns by one rule, but their alternatives are "
            f"{', '.join(sorted(sides))}: make all regressions with the same alternative=."
        )
    headings = [f"({i})" for i in range(1, len(fits) + 1)] if names is None else [str(n) for n in names]
    if len(headings) != len(fits):
        raise RequestError(f"regression_table got {len(headings)} names for {len(fits)} regressions.")
    terms = list(dict.fromkeys(term for fit in fits for term in fit.coefficients.index))
    labels: list[str] = []
    rows: list[list[str]] = []
    for term in terms:
        labels += [term, ""]
        least = np.nanmin([np.inf, *(fit.coefficients["se"].get(term, np.inf) for fit in fits)])
        how = ".4g" if least < SMALL else ".4f"
        have = [fit if term in fit.coefficients.index else None for fit in fits]
        rows.append(
            ["" if fit is None else f"{fit.params[term]:{how}}{stars(fit.decisive[term])}" for fit in have]
        )
        errors = [np.nan if fit is None else float(fit.coefficients.loc[term, "se"]) for fit in have]
        rows.append(["" if fit is None else _error(se, how) for fit, se in zip(have, errors, strict=True)])
    labels += ["Window", "Events", "R2", "Standard error"]
    rows += [
        [fit.window for fit in fits],
        [str(fit.n_events) for fit in fits],
        [f"{fit.r_squared:.3f}" for fit in fits],
        [fit.method for fit in fits],
    ]
    frame = pd.DataFrame(rows, pd.Index(labels), pd.Index(headings), dtype=object)
    left = sum(len(fit.left_out) for fit in fits)
    notes = [f"Standard errors in parentheses; {stars_note(fits[0].alternative)}."]
    notes += [f"{plural(left, 'event')} left out in all, see left_out of each regression."] if left else []
    said = [(heading, note) for heading, fit in zip(headings, fits, strict=True) for note in fit.notes]
    for note in dict.fromkeys(note for _, note in said):
        columns = [heading for heading, own in said if own == note]
        notes.append(note if len(columns) == len(fits) else f"{', '.join(columns)}: {note}")
    return Table("Cross-section of reactions", (Section(frame),), tuple(notes))


def _error(se: float, how: str) -> str:
    """Write a standard error in parentheses."""
    return "(–)" if np.isnan(se) else f"({se:{how}})"
