"""The report of a causal study: one HTML page that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy import plotting
from eventstudy.causal import robustness
from eventstudy.causal.estimates import CausalEstimates
from eventstudy.causal.plot import CausalPlotter
from eventstudy.causal.significance import CAUSAL_TESTS, CausalInput
from eventstudy.causal.tables import recommended, summary, test_table
from eventstudy.errors import RequestError
from eventstudy.html_page import Block, Chapter, Paragraph, Picture, render
from eventstudy.tables import Section, Table
from eventstudy.text import format_p, minus, plural, strip_control
from eventstudy.windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["headline", "page"]


def headline(results: CausalEstimates, data: CausalInput, window: Window) -> str:
    """Say the sum of the effects over a window, with the first recommended inference, in one sentence."""
    total = float(data.path.gap[data.columns(window)].sum())
    told = (
        f"{plural(len(results.sample), 'treated firm')} on {plural(results.n_dates, 'date')}: against "
        f"{results.spec.estimator.label.lower()} the effects of days {window} add up to "
        + minus(f"{total:+.2%}")
    )
    advice = recommended(data, window)
    if advice.empty:
        return f"{told}. No test has enough dates, donors or days."
    key = str(advice["test"].iloc[0])
    row = test_table(data, window, [key], 0.95).iloc[0]
    p = format_p(row["p_value"], equals=True)
    interval = minus(f"95% interval {row['ci_low']:+.2%} to {row['ci_high']:+.2%}")
    return f"{told} ({interval}, p {p}, {CAUSAL_TESTS[key].title.lower()})."


def page(
    results: CausalEstimates, data: CausalInput, plot: CausalPlotter, window: Window, question: str | None
) -> str:
    """Render the report; see `CausalResults.report`."""
    asked = question or "What would the treated firms have returned without the event?"
    first: list[Block] = [Paragraph(strip_control(asked)), Paragraph(headline(results, data, window), True)]
    first.append(summary(results, data, window))
    figures = list(_figures(plot, results.n_dates))
    tests = test_table(data, window, list(CAUSAL_TESTS), 0.95)
    shown = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), "{:.2%}")
    shown |= {"statistic": "{:.3f}"}
    columns = ["title", "statistic", "p_value", "estimate", "se", "ci_low", "ci_high", "null", "note"]
    table = Table(
        f"Tests of the sum of effects, {window}",
        (Section(tests[columns], formats=shown),),
        ("Tests that do not apply say why.",),
    )
    left = _left_out(results)
    chapters = [
        Chapter("Question and answer", first),
        Chapter("Figures", figures),
        Chapter("Inference", [table]),
        Chapter("Robustness", _robustness(results, window)),
        Chapter("Donors left out", [left]),
    ]
    return render("Causal event study", chapters)


def _figures(plot: CausalPlotter, n_dates: int) -> list[Block]:
    drawings: list[tuple[str, str, Callable[[Axes], object], float]] = [
        ("Treated and counterfactual", "Two lines over event time", lambda ax: plot.path(ax=ax), 3.7),
        ("Gap by day", "Gaps before the event, effects after it", lambda ax: plot.gap(ax=ax), 3.7),
        ("The effect among placebos", "A bold line among thin ones", lambda ax: plot.placebos(ax=ax), 3.7),
    ]
    if n_dates == 1:
        drawings += [
            ("Weights of the donors", "Bars, one for each donor", lambda ax: plot.weights(ax=ax), 5.5),
            ("Balance", "Loadings of treated and counterfactual", lambda ax: plot.balance(ax=ax), 3.0),
        ]
    blocks: list[Block] = []
    missing: list[Block] = []
    for caption, alt, draw, height in drawings:
        try:
            mime, image = plotting.as_image(draw, height=height, title=False)
        except RequestError as error:
            missing.append(Paragraph(f"Not drawn: {caption}. {error}"))
        else:
            blocks.append(Picture(mime, image, alt, caption))
    return [*blocks, *missing]


def _robustness(results: CausalEstimates, window: Window) -> list[Block]:
    tries: list[tuple[str, Callable[[], pd.DataFrame]]] = [
        (
            "Without one donor",
            lambda: robustness.leave_one_out(results.spec, results.cohorts, window).head(10),
        ),
        ("Donors by exposure", lambda: robustness.spillover(results.spec, results.cohorts, window, None)),
        ("Pseudo-dates", lambda: robustness.pseudo_dates(results.spec, results.cohorts, window).head(20)),
    ]
    blocks: list[Block] = []
    for title, make in tries:
        try:
            frame = make()
        except RequestError as error:
            blocks.append(Paragraph(f"{title}: {error}"))
            continue
        formats = {str(name): "{:.2%}" for name in frame if frame[name].dtype.kind == "f"}
        blocks.append(Table(title, (Section(frame, formats=formats),)))
    return blocks


def _left_out(results: CausalEstimates) -> Block:
    donors = results.donors
    left = donors[~donors["used"]]
    if left.empty:
        return Paragraph("Every candidate is a donor on every date.")
    kinds = left["reason"].str.replace(r"\d{4}-\d\d-\d\d", "a date", regex=True)
    kinds = kinds.str.replace(r"\d+", "some", regex=True)
    counts = kinds.value_counts().rename_axis("reason").rename("candidates").to_frame()
    return Table("Candidates left out, summed over dates", (Section(counts),))
