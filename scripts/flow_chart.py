"""Draw which tests `recommend` chooses for a design, as docs/_static/which_test.svg.

Run as ``python scripts/flow_chart.py``. The boxes of tests are what the library recommends for a simulated
study of each design, so the chart follows the rules; a test compares the two.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import eventstudy as es

CHART = Path(__file__).parents[1] / "docs" / "_static" / "which_test.svg"


@dataclass(frozen=True)
class Leaf:
    """A design at the end of a branch, and a study that has it."""

    when: str
    n: int = 30
    dates: int | None = None
    apart: int = 9
    correlation: float = 0.0
    window: tuple[int, int] = (0, 0)
    model: es.models.NormalReturnModel | None = None


@dataclass(frozen=True)
class Question:
    """A question of the chart, with the designs that answer yes."""

    asked: str
    leaves: tuple[Leaf, ...]


ROBUST = es.RobustMarketModel()
QUESTIONS = (
    Question(
        "One event?",
        (
            Leaf("a short window: many blocks of its length in the estimation window", n=1),
            Leaf("a window of 21 days, few blocks", n=1, window=(0, 20)),
            Leaf("approximate standard error", n=1, model=ROBUST),
        ),
    ),
    Question(
        "Is the model's standard error approximate?",
        (
            Leaf("one date, 30 events", dates=1, model=ROBUST),
            Leaf("one date, 5 events", n=5, dates=1, model=ROBUST),
            Leaf("independent, 30 events", model=ROBUST),
            Leaf("independent, 5 events", n=5, model=ROBUST),
        ),
    ),
    Question(
        "All on one date?",
        (
            Leaf("30 events", dates=1, correlation=0.3),
            Leaf("5 events", n=5, dates=1, correlation=0.3),
        ),
    ),
    Question(
        "Do events depend on each other? (effective N below 90% of N)",
        (
            Leaf("30 events on 5 dates", dates=5, correlation=0.5),
            Leaf("8 events on 2 dates", n=8, dates=2, correlation=0.5),
            Leaf("windows of different dates share days", dates=8, apart=2, correlation=0.5, window=(0, 4)),
        ),
    ),
    Question(
        "Independent events",
        (
            Leaf("30 events, one day"),
            Leaf("30 events, two or three days", window=(0, 1)),
            Leaf("17 events, one to three days", n=17),
            Leaf("8 events, one to three days", n=8),
            Leaf("8 events, eleven days", n=8, window=(-5, 5)),
            Leaf("5 events, one to three days", n=5),
        ),
    ),
)


def recommended(leaf: Leaf) -> list[str]:
    """Return the tests that the library chooses for a study of a design."""
    market = es.lab.simulate_market(leaf.n, 700, correlation=leaf.correlation, seed=1).market
    # Events far apart where nothing is said of dates; else groups of firms, `apart` sessions from each other.
    rows = [
        250 + 12 * i if leaf.dates is None else 250 + leaf.apart * (i % leaf.dates) for i in range(leaf.n)
    ]
    events = [
        {"security": name, "date": market.sessions[row]}
        for name, row in zip(market.securities, rows, strict=True)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        study = es.EventStudy(market, events, leaf.model, estimation=(-200, -11), window=leaf.window)
        results = study.fit()
    data = results.fitted.test_input(results.fitted.checked_window(*leaf.window))
    return es.inference.recommend(data)["test"].tolist()


def svg() -> str:
    """Return the chart."""
    return "\n".join(_lines()) + "\n"


ROW, GAP, LEFT, RIGHT, WIDTH = 46, 26, 250, 300, 960


def _lines() -> Iterator[str]:
    height = sum(len(question.leaves) * ROW + GAP for question in QUESTIONS) + 10
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title" font-family="sans-serif" font-size="13">'
    )
    yield '<title id="title">Which tests the library recommends, by design</title>'
    yield f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    top = 10.0
    for number, question in enumerate(QUESTIONS):
        block = len(question.leaves) * ROW
        middle = top + block / 2
        last = number == len(QUESTIONS) - 1
        yield from _box(
            10, middle - 30, LEFT - 20, 60, "#fff3e0", "#e08a00", _wrapped(question.asked, 30), bold=True
        )
        if not last:
            below = top + block + GAP + len(QUESTIONS[number + 1].leaves) * ROW / 2 - 30
            yield from _arrow(LEFT / 2, middle + 30, LEFT / 2, below, "no")
        for i, leaf in enumerate(question.leaves):
            y = top + i * ROW + ROW / 2
            yield f'<path d="M{LEFT - 10} {middle} H{LEFT + 20} V{y} H{RIGHT}" fill="none" stroke="#777"/>'
            yield from _box(RIGHT, y - 19, 230, 38, "#f2f2f2", "#999", _wrapped(leaf.when, 36))
            yield from _box(
                RIGHT + 245, y - 19, 405, 38, "#e6f0fa", "#2a6fb0", _wrapped(", ".join(recommended(leaf)), 62)
            )
        if not last:
            yield f'<text x="{LEFT + 2}" y="{middle - 6}" fill="#555" font-size="12">yes</text>'
        top += block + GAP
    yield "</svg>"


def _box(
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str,
    line: str,
    texts: list[str],
    bold: bool = False,
) -> Iterator[str]:
    yield (
        f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{line}"/>'
    )
    weight = ' font-weight="bold"' if bold else ""
    first = y + height / 2 - 8 * (len(texts) - 1) + 4.5
    for i, text in enumerate(texts):
        yield (
            f'<text x="{x + width / 2:g}" y="{first + 16 * i:g}" text-anchor="middle" fill="#111"{weight}>'
            f"{escape(text)}</text>"
        )


def _arrow(x: float, y: float, to_x: float, to_y: float, word: str) -> Iterator[str]:
    yield f'<path d="M{x:g} {y:g} L{to_x:g} {to_y - 6:g}" stroke="#777"/>'
    yield f'<path d="M{to_x - 5:g} {to_y - 8:g} h10 L{to_x:g} {to_y:g} Z" fill="#777"/>'
    yield f'<text x="{x + 8:g}" y="{(y + to_y) / 2:g}" fill="#555" font-size="12">{word}</text>'


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


if __name__ == "__main__":
    CHART.write_text(svg(), encoding="utf-8")
    print(CHART)
