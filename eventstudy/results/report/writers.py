"""Writers of a report: HTML, PDF, Word and Markdown, chosen by the ending of the file."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eventstudy.errors import MissingExtraError, RequestError
from eventstudy.files import write_atomic
from eventstudy.html_page import Block, Bullets, Listing, Paragraph, Picture, render
from eventstudy.optional import import_optional
from eventstudy.results.report.content import Report
from eventstudy.tables import Section, Table
from eventstudy.tables.table import markdown
from eventstudy.text import strip_control

__all__ = ["writer"]

Write = Callable[[Report, Path, bool], None]
EXTENSIONS = {"image/svg+xml": "svg", "image/png": "png"}
#: Width of pictures in a Word document, in inches.
PICTURE_WIDTH = 6.0


def writer(path: Path) -> Write:
    """Return the writer for the ending of a file.

    Raises
    ------
    RequestError
        If nothing writes such files.
    """
    known: dict[str, Write] = {
        "html": _html, "htm": _html, "pdf": _pdf, "docx": _docx, "md": _markdown,
    }  # fmt: skip
    ending = path.suffix.lower().lstrip(".")
    if ending not in known:
        raise RequestError(
            f"A report is written as {', '.join(known)}, and {path.name!r} does not end in one of these."
        )
    return known[ending]


def _html(report: Report, path: Path, brief: bool) -> None:
    write_atomic(path, render(report.title, report.chapters, foot=report.foot, brief=brief).encode())


def _pdf(report: Report, path: Path, brief: bool) -> None:
    try:
        weasyprint: Any = import_optional("weasyprint", "weasyprint", "report", "A report in PDF")
    except OSError as problem:
        raise MissingExtraError(
            f"A report in PDF needs Pango, which WeasyPrint draws with: {problem}."
        ) from problem
    page = render(report.title, report.chapters, foot=report.foot, brief=brief)
    write_atomic(path, weasyprint.HTML(string=page).write_pdf())


def _markdown(report: Report, path: Path, brief: bool) -> None:
    folder = path.with_name(f"{path.stem}_files")
    parts, n = [f"# {markdown(report.title)}"], 0
    for chapter in report.chapters:
        parts.append(f"## {markdown(chapter.heading)}")
        for block in chapter.blocks:
            if isinstance(block, Picture):
                n += 1
                folder.mkdir(exist_ok=True)
                name = f"figure-{n}.{EXTENSIONS[block.mime]}"
                write_atomic(folder / name, block.image)
                where = f"{folder.name}/{name}".replace(" ", "%20")
                parts.append(f"![{markdown(block.alt)}]({where})\n\n{markdown(block.caption)}")
            else:
                parts.append(_as_markdown(block))
    parts.append(markdown(report.foot))
    write_atomic(path, ("\n\n".join(part.rstrip() for part in parts) + "\n").encode())


def _as_markdown(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"**{markdown(block.text)}**" if block.is_headline else markdown(block.text)
    if isinstance(block, Bullets):
        items = "\n".join(f"- {markdown(item)}" for item in block.items)
        return f"### {markdown(block.heading)}\n\n{items}"
    if isinstance(block, Listing):
        return f"```python\n{block.code.rstrip()}\n```"
    return _table(block).to_markdown()


def _table(block: object) -> Table:
    if not isinstance(block, Table):
        raise TypeError(f"A report holds no {type(block).__name__}.")
    return block


def _docx(report: Report, path: Path, brief: bool) -> None:
    docx: Any = import_optional("docx", "python-docx", "report", "A report in Word")
    document = docx.Document()
    document.core_properties.title = strip_control(report.title)[:255]
    document.add_heading(strip_control(report.title), 0)
    for chapter in report.chapters:
        document.add_heading(chapter.heading, 1)
        for block in chapter.blocks:
            _into_word(document, block)
    document.add_paragraph(report.foot)
    content = io.BytesIO()
    document.save(content)
    write_atomic(path, content.getvalue())


def _into_word(document: Any, block: Block) -> None:
    if isinstance(block, Paragraph):
        document.add_paragraph().add_run(strip_control(block.text)).bold = block.is_headline
    elif isinstance(block, Bullets):
        document.add_heading(strip_control(block.heading), 2)
        for item in block.items:
            document.add_paragraph(strip_control(item), style="List Bullet")
    elif isinstance(block, Listing):
        run = document.add_paragraph()
        run = run.add_run("\n".join(map(strip_control, block.code.splitlines())))
        run.font.name = "Courier New"
    elif isinstance(block, Picture):
        width = int(PICTURE_WIDTH * 914400)
        shape = document.add_picture(io.BytesIO(block.image), width=width)
        shape._inline.docPr.set("descr", block.alt)
        document.add_paragraph(block.caption)
    else:
        table = _table(block)
        document.add_paragraph().add_run(table.title).bold = True
        for section in table.sections:
            _grid(document, section)
        for note in table.notes:
            document.add_paragraph(note)


def _grid(document: Any, section: Section) -> None:
    """Add a section as a Word table, with the headings as its first row."""
    cells = section.cells()
    if section.caption:
        document.add_paragraph().add_run(section.caption).italic = True
    shown = cells.reset_index() if section.index else cells
    grid = document.add_table(rows=1, cols=shown.shape[1], style="Light List Accent 1")
    headings = [str(name) for name in shown.columns]
    if section.index and cells.index.nlevels == 1:
        headings[0] = str(cells.columns.name or "")
    for cell, heading in zip(grid.rows[0].cells, headings, strict=True):
        cell.text = str(heading)
    for values in shown.itertuples(index=False):
        for cell, value in zip(grid.add_row().cells, values, strict=True):
            cell.text = str(value)
