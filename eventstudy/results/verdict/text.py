"""A verdict as an object: a question, an answer, and what stands behind it, as text, HTML and Markdown."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass

import pandas as pd

from eventstudy.immutable import hand_out_copies
from eventstudy.tables.table import markdown

__all__ = ["Part", "Verdict"]

WIDTH = 100


@dataclass(frozen=True)
class Part:
    """Sentences under a heading."""

    heading: str
    texts: tuple[str, ...]


@hand_out_copies("tests")
@dataclass(frozen=True, eq=False)
class Verdict:
    """What a study found, in words; made by ``results.verdict()``.

    Printed it is text; in a notebook it is HTML.

    Attributes
    ----------
    question : str
        What was asked.
    effect : str
        The effect and its interval.
    evidence : str
        Whether the recommended tests tell it from chance.
    answer : str
        Both, one after the other.
    parts : tuple of Part
        What stands behind the answer: each has a `heading` and `texts`.
    tests : DataFrame
        The recommended tests: test, statistic, p_value, rejects (at 5%), assumes, reason, note.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> found = es.EventStudy(market, nyt, window=(-1, 1)).fit().verdict(0, 0)
    >>> [part.heading for part in found.parts]
    ['Recommended tests', 'What could have been found', 'Other news', 'Data']
    """

    question: str
    effect: str
    evidence: str
    parts: tuple[Part, ...]
    tests: pd.DataFrame

    @property
    def answer(self) -> str:
        """The conclusion: the effect, and whether it is distinguished from chance."""
        return f"{self.effect} {self.evidence}".strip()

    def part(self, heading: str) -> tuple[str, ...]:
        """Return the texts under a heading; empty where the verdict has no such part."""
        return next((part.texts for part in self.parts if part.heading == heading), ())

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self) -> str:
        """Return the verdict as plain text, wrapped to 100 columns."""
        lines = [textwrap.fill(self.question, WIDTH), "", textwrap.fill(self.answer, WIDTH)]
        for part in self.parts:
            lines += ["", part.heading]
            lines += [
                textwrap.fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ") for text in part.texts
            ]
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """Return the verdict as GitHub-flavoured Markdown."""
        blocks = [f"**{markdown(self.question)}**", markdown(self.answer)]
        for part in self.parts:
            items = "\n".join(f"- {markdown(text)}" for text in part.texts)
            blocks.append(f"**{markdown(part.heading)}**\n\n{items}")
        return "\n\n".join(blocks) + "\n"

    def to_html(self) -> str:
        """Return the verdict as HTML, for notebooks and pages."""
        asked, said = html.escape(self.question), html.escape(self.answer)
        blocks = [f"<p><strong>{asked}</strong></p>", f"<p>{said}</p>"]
        for part in self.parts:
            items = "".join(f"<li>{html.escape(text)}</li>" for text in part.texts)
            blocks.append(f"<p><strong>{html.escape(part.heading)}</strong></p>\n<ul>{items}</ul>")
        return '<div style="max-width:46em">\n' + "\n".join(blocks) + "\n</div>"
