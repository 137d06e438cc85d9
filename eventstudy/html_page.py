"""Chapters of text, tables, figures and code become one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from eventstudy.errors import RequestError

__all__ = ["Block", "Bullets", "Chapter", "Listing", "Paragraph", "Picture", "Tabular", "render"]

STYLE = """\
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: #fff; color: #1b1b1b;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; padding-top: 0.5rem; border-top: 1px solid #767676; }
p { margin: 0.5rem 0; max-width: 46rem; }
a { color: #0b4f8a; }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1.2rem; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 0.25rem 0; }
.headline { font-size: 1.15rem; padding: 0.6rem 0.9rem; background: #f1f4f7; border-left: 4px solid #0b4f8a; }
.figures { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: 0.95rem; margin-bottom: 0.3rem; }
table { font-size: 0.92rem; overflow-wrap: normal; }
.scroll { margin: 0.5rem 0 1rem; }
td span { white-space: nowrap; }
h3 { font-size: 1.05rem; margin: 1rem 0 0.25rem; }
ul { margin: 0.25rem 0; padding-left: 1.3rem; max-width: 46rem; }
/* On a narrow screen a row is a card: each cell stands below the other, with the name of its column. */
@media screen and (max-width: 44rem) {
  .scroll table, .scroll caption, .scroll tbody, .scroll tr, .scroll tbody th, .scroll tbody td {
    display: block; }
  .scroll thead { display: none; }
  .scroll tr { padding: 0.4rem 0; border-bottom: 1px solid #c8c8c8; }
  .scroll tbody th, .scroll tbody td { text-align: left !important; max-width: none !important;
    padding: 0.05rem 0 !important; overflow-wrap: anywhere; }
  .scroll td[data-label]:not([data-label=""])::before { content: attr(data-label) ": "; color: #4a4a4a; }
  .scroll tbody th[data-label]::before { content: attr(data-label) " "; }
  .scroll td:empty { display: none; }
}
pre { background: #f6f6f6; padding: 0.8rem; overflow-x: auto; font-size: 0.85rem; }
footer { margin-top: 2rem; font-size: 0.9rem; border-top: 1px solid #767676; }
@page { margin: 1.5cm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  nav { display: none; }
  .scroll { overflow: visible !important; }
  table { font-size: 7pt; overflow-wrap: break-word; }
  table th, table td { padding: 0.15em 0.3em !important; }
  pre { white-space: pre-wrap; }
  .figures { display: block; }
  .brief h1 { font-size: 12.5pt; margin: 0; }
  .brief h2 { font-size: 11pt; margin: 5pt 0 2pt; padding-top: 2pt; }
  .brief h3 { font-size: 9pt; margin: 3pt 0 1pt; }
  .brief { font-size: 8.5pt; line-height: 1.25; }
  .brief footer { font-size: 7pt; margin-top: 4pt; }
  .brief .scroll { margin: 2pt 0; }
  .brief .headline { font-size: 9pt; padding: 4pt 6pt; }
  .brief p, .brief ul { max-width: none; }
  .brief .figures { display: grid; grid-template-columns: 1fr 1fr; gap: 8pt; }
  .brief figure { margin-bottom: 0; }
  .brief img { max-width: 100%; max-height: 4.8cm; }
  .brief figcaption { font-size: 8pt; }
  figure, tr { break-inside: avoid; }
  figure { margin-bottom: 1rem; }
  img { max-width: 15cm; }
  h2 { break-after: avoid; }
}
"""
#: Nothing is loaded from anywhere, and nothing is run.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

#: Characters that no page may hold.
_CONTROL = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
_DATE = re.compile(r">(\d{4}-\d\d-\d\d)<")
_TABLE_STYLE = re.compile(r"<style[^>]*>(.*?)</style>\s*", re.DOTALL)


class Tabular(Protocol):
    """A table that escapes its own text, such as `eventstudy.tables.Table`."""

    def to_html(self) -> str:
        """Return the table as HTML."""


@dataclass(frozen=True)
class Paragraph:
    """Plain text; `is_headline` sets it off as what the page has to say."""

    text: str
    is_headline: bool = False


@dataclass(frozen=True)
class Picture:
    """An image with what it shows, for those who do not see it, and a caption.

    Parameters
    ----------
    mime : str
        ``"image/svg+xml"`` or ``"image/png"``.
    image : bytes
    alt, caption : str
    """

    mime: str
    image: bytes
    alt: str
    caption: str


@dataclass(frozen=True)
class Listing:
    """Source code; `label` says what it is."""

    code: str
    label: str


@dataclass(frozen=True)
class Bullets:
    """Short texts under a heading."""

    heading: str
    items: Sequence[str]


Block: TypeAlias = Paragraph | Picture | Listing | Bullets | Tabular


@dataclass(frozen=True)
class Chapter:
    """A heading and what stands below it."""

    heading: str
    blocks: Sequence[Block]


def render(title: str, chapters: Sequence[Chapter], *, foot: str = "", brief: bool = False) -> str:
    """Make one self-contained HTML page.

    Parameters
    ----------
    title : str
    chapters : sequence of Chapter
        Every text is escaped; tables escape their own. Neighbouring pictures share rows where the
        screen is wide.
    foot : str, optional
        Last line of the page.
    brief : bool, default False
        Whether the page is printed on one side, in small type, and has no links to its chapters.

    Returns
    -------
    str
        HTML that loads nothing, runs nothing, and prints.

    Raises
    ------
    RequestError
        If there are no chapters.

    Examples
    --------
    >>> from eventstudy.html_page import Chapter, Paragraph, render
    >>> page = render("Event study", [Chapter("Question", [Paragraph("Was it <news>?")])])
    >>> "<h2>Question</h2>" in page, "<p>Was it &lt;news&gt;?</p>" in page
    (True, True)
    """
    if not chapters:
        raise RequestError("A page needs at least one chapter.")
    links = (
        ""
        if brief
        else "".join(
            f'<li><a href="#chapter-{i}">{html.escape(chapter.heading)}</a></li>'
            for i, chapter in enumerate(chapters)
        )
    )
    body = "\n".join(_chapter(chapter, i) for i, chapter in enumerate(chapters))
    # Styles belong to the head of a page; tables bring theirs along.
    styles = "".join(_TABLE_STYLE.findall(body))
    body = _TABLE_STYLE.sub("", body)
    nav = f'<nav aria-label="Chapters"><ul>{links}</ul></nav>\n' if links else ""
    kind = ' class="brief"' if brief else ""
    ending = f"<footer><p>{html.escape(foot)}</p></footer>\n" if foot else ""
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>
{STYLE}{styles}</style>
</head>
<body{kind}>
<header>
<h1>{html.escape(title)}</h1>
{nav}</header>
<main>
{body}
</main>
{ending}</body>
</html>
"""
    return page.translate(_CONTROL)


def _chapter(chapter: Chapter, number: int) -> str:
    parts: list[str] = []
    pictures: list[str] = []
    for block in [*chapter.blocks, None]:
        if isinstance(block, Picture):
            pictures.append(_picture(block))
            continue
        if pictures:
            parts.append('<div class="figures">\n' + "\n".join(pictures) + "\n</div>")
            pictures = []
        if block is not None:
            parts.append(_block(block))
    inside = "\n".join(parts)
    return f'<section id="chapter-{number}">\n<h2>{html.escape(chapter.heading)}</h2>\n{inside}\n</section>'


def _block(block: Paragraph | Listing | Bullets | Tabular) -> str:
    if isinstance(block, Paragraph):
        mark = ' class="headline"' if block.is_headline else ""
        return f"<p{mark}>{html.escape(block.text)}</p>"
    if isinstance(block, Bullets):
        items = "".join(f"<li>{html.escape(item)}</li>" for item in block.items)
        return f"<h3>{html.escape(block.heading)}</h3>\n<ul>{items}</ul>"
    if isinstance(block, Listing):
        label = html.escape(block.label)
        code = html.escape(block.code)
        return f'<pre tabindex="0" role="group" aria-label="{label}"><code>{code}</code></pre>'
    # What scrolls sideways must be reached by the keyboard, and a date is one word.
    table = _DATE.sub(r"><span>\1</span><", block.to_html())
    return table.replace('<div role="group"', '<div class="scroll" role="group"', 1)


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.image).decode("ascii")
    alt, caption = html.escape(picture.alt), html.escape(picture.caption)
    return (
        f"<figure>\n<figcaption>{caption}</figcaption>\n"
        f'<img alt="{alt}" src="data:{picture.mime};base64,{data}">\n</figure>'
    )
