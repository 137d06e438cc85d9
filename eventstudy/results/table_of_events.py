"""A table of several studies, one column each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy import inference
from eventstudy.arguments import check_sequence
from eventstudy.errors import RequestError
from eventstudy.inference.base import Alternative, Options
from eventstudy.results import averages
from eventstudy.results.fitted import FittedStudy, WindowLike, uses_benchmark
from eventstudy.results.study_results import EventStudyResults
from eventstudy.tables import Section, Table, stars
from eventstudy.tables.table import stars_note
from eventstudy.text import format_p
from eventstudy.windows import Window

__all__ = ["event_table"]


def event_table(
    results: Sequence[EventStudyResults],
    start: WindowLike = None,
    end: int | None = None,
    *,
    names: Sequence[str] | None = None,
    alternative: Alternative = "two-sided",
) -> Table:
    """Compare several models or samples in columns, as papers do.

    Parameters
    ----------
    results : sequence of EventStudyResults
        One column each.
    start, end : int
        First and last relative day; by default the headline window of the first study. Every study's event
        window holds it.
    names : sequence of str, optional
        Headings of the columns; (1), (2), ... by default.
    alternative : {"two-sided", "less", "greater"}, default "two-sided"
        Side of the p-values.

    Returns
    -------
    Table
        The mean CAR, its standard error in parentheses and the p-value of the test both come from; the
        recommended test with its own p-value; then what each column is made of. The mean has the stars of
        the larger of the two p-values. Of one
        event, the mean is that event's CAR.

    Raises
    ------
    RequestError
        If there are no results, or not as many names; if a study's event window lacks the window.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(
    ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    ... )
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> studies = [
    ...     es.EventStudy(market, nyt, model, estimation=(-270, -21)).fit()
    ...     for model in (es.MarketModel(), es.ConstantMean())
    ... ]
    >>> table = es.event_table(studies, names=["Market", "Mean"])
    >>> table.sections[0].frame.head(3)
                    Market        Mean
    CAAR (0, +1)  -7.51%**  -11.25%***
                   (2.63%)     (3.85%)
    p (t)           0.0046      0.0038
    """
    results = check_sequence("results", results, "EventStudyResults")
    if not results:
        raise RequestError("event_table compares results, and the list of results is empty.")
    strange = next((r for r in results if not isinstance(r, EventStudyResults)), None)
    if strange is not None:
        raise RequestError(f"event_table takes a list of EventStudyResults, found {type(strange).__name__}.")
    headings = (
        [f"({i})" for i in range(1, len(results) + 1)]
        if names is None
        else [str(n) for n in check_sequence("names", names, "headings")]
    )
    if len(headings) != len(results):
        raise RequestError(f"event_table got {len(headings)} names for {len(results)} results.")
    tested = results[0].fitted.checked_window(start, end)
    columns = [_column(r.fitted, r.fitted.checked_window(tested), alternative) for r in results]
    same = {column["test"] for column in columns}
    labels = {
        "estimate": f"CAAR {tested}",
        "se": "",
        "p": f"p ({same.pop()})" if len(same) == 1 else "p",
        "test": "Test",
        "recommended": "Recommended test",
        "p_recommended": "p (recommended)",
        "events": "Events",
        "securities": "Securities",
        "model": "Model",
        "benchmark": "Benchmark",
        "estimation": "Estimation window",
        "observations": "Estimation returns",
        "r_squared": "Mean R²",
        "returns": "Returns",
    }
    if "(" in labels["p"]:
        del labels["test"]
    cells = [[column[key] for column in columns] for key in labels]
    frame = pd.DataFrame(cells, pd.Index(labels.values()), pd.Index(headings), dtype=object)
    notes = [
        f"Standard errors in parentheses; {stars_note(alternative)}; of the mean, those of the "
        "larger p-value."
    ]
    for heading, result in zip(headings, results, strict=True):
        shared = averages.days_note(result.fitted, tested)
        notes += [f"{heading}: {shared}."] if shared else []
    return Table("Cumulative average abnormal returns", (Section(frame),), tuple(notes))


def _column(data: FittedStudy, window: Window, alternative: Alternative) -> dict[str, object]:
    """Cells of one study, by row."""
    tested, spec, fit = data.test_input(window), data.spec, data.fit
    mean = averages.averages([tested], None, 0.95, alternative).iloc[0]
    chosen = inference.recommend(tested)
    headline = None if chosen.empty else str(chosen["test"].iloc[0])
    p_headline = np.nan
    if headline is not None:
        p_headline = float(inference.run_tests(tested, [headline], Options(alternative))["p_value"].iloc[0])
    fewest, most = int(fit.n_obs.min()), int(fit.n_obs.max())
    explained = fit.r_squared[~np.isnan(fit.r_squared)]
    used = {data.sample.bank.names[row] for row in data.sample.benchmark if row >= 0}
    return {
        "estimate": _written(mean["caar"], "{:.2%}") + stars(float(np.fmax(mean["p_value"], p_headline))),
        "se": f"({_written(mean['se'], '{:.2%}')})",
        "p": _written_p(mean["p_value"]),
        "test": mean["test"],
        "recommended": headline,
        "p_recommended": _written_p(p_headline) + stars(p_headline),
        "events": str(tested.n_events),
        "securities": str(data.sample.timeline.loc[tested.usable, "security"].nunique()),
        "model": spec.model.label,
        "benchmark": ", ".join(sorted(used)) if uses_benchmark(spec.model) else None,
        "estimation": spec.estimation_text,
        "observations": str(fewest) if fewest == most else f"{fewest} to {most}",
        "r_squared": _written(explained.mean() if len(explained) else np.nan, "{:.3f}"),
        "returns": spec.market.kind,
    }


def _written_p(p: float) -> str:
    return "–" if np.isnan(p) else format_p(p)


def _written(value: float, spec: str) -> str:
    return "–" if np.isnan(value) else spec.format(value)
