"""One table object, rendered as text, HTML, LaTeX, Markdown or a spreadsheet."""

from __future__ import annotations

import hashlib
import html
import io
import math
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from typing import Any, cast

import pandas as pd

from eventstudy.arguments import check_path, check_whole
from eventstudy.errors import RequestError
from eventstudy.files import write_atomic
from eventstudy.immutable import FrozenMapping, hand_out_copies
from eventstudy.optional import import_optional
from eventstudy.text import format_p, regex, strip_control

__all__ = ["P_VALUE", "Section", "Table", "latex", "markdown", "stars", "stars_note"]

MISSING = "–"
#: Format of p-values.
P_VALUE = "{:.4p}"
#: Columns that are written so unless a format says otherwise.
P_COLUMNS = ("p", "p_value")
TEXT_WIDTH = 100
#: Columns of words wider than this are wrapped in text output.
WORDS_WIDTH = 48
#: Columns of text between columns of a table, and around a heading; and the fewest of a column of words.
GAP, NARROWEST = 2, 8

_NUMBER = regex(r"(?:< )?[-+]?[($]?(∞|[\d.,]+)(e[-+]?\d+)?%?\)?\**")
_CORNER = regex(r'<th class="blank([^"]*)"[^>]*>&nbsp;</th>')
_DATA_CELL = regex(r'<td class="data row\d+ col(\d+)[^"]*"')
_EXCEL = regex(r"\{:([+]?)(,?)(?:\.(\d+))?([fp%d])\}")


def stars(p: float) -> str:
    """Return the usual marks of significance: ``***`` 1%, ``**`` 5%, ``*`` 10%.

    Parameters
    ----------
    p : float
        P-value; NaN has no mark.

    Examples
    --------
    >>> from eventstudy.tables import stars
    >>> stars(0.003), stars(0.05), stars(float("nan"))
    ('***', '**', '')
    """
    return "***" if p <= 0.01 else "**" if p <= 0.05 else "*" if p <= 0.10 else ""


def stars_note(alternative: str) -> str:
    """Say what the stars of a table mean, and of which side its p-values are."""
    side = alternative if alternative == "two-sided" else f"one-sided ({alternative} than zero)"
    return f"* p ≤ 0.10, ** p ≤ 0.05, *** p ≤ 0.01, {side}"


@hand_out_copies("frame")
@dataclass(frozen=True, eq=False)
class Section:
    """A frame with a caption and the way its numbers are written.

    Parameters
    ----------
    frame : DataFrame
    caption : str, optional
    formats : mapping of column to format string, or str, optional
        Python format strings such as ``"{:.4f}"``, ``"{:.2%}"`` or ``"{:d}"``; one string holds
        for every number. ``"{:.4p}"`` is for p-values, and writes ``< 0.0001`` of smaller ones. Floats
        without a format are written with four decimals. Text stays as it is, and a missing value is an en
        dash.
    index : bool, optional
        Whether the index is shown.

    Raises
    ------
    RequestError
        If `formats` names a column that `frame` lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.tables import Section, Table
    >>> shares = pd.DataFrame({"share": [0.25, 0.75]}, index=["fell", "rose"])
    >>> print(Table("Firms", (Section(shares, formats={"share": "{:.0%}"}),)))
    Firms
    =====
    <BLANKLINE>
            share
    ----  -------
    fell      25%
    rose      75%
    """

    frame: pd.DataFrame
    caption: str = ""
    formats: Mapping[str, str] | str | None = None
    index: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.formats, str | None):
            unknown = [name for name in self.formats if name not in self.frame.columns]
            if unknown:
                raise RequestError(
                    f"The formats of section {self.caption!r} name columns its frame does not have: "
                    f"{unknown}; it has {list(self.frame.columns)}."
                )
            object.__setattr__(self, "formats", FrozenMapping(self.formats))
        object.__setattr__(self, "caption", strip_control(self.caption))

    def format_of(self, column: Any) -> str | None:
        """Return the format string of a column, None where there is none."""
        if isinstance(self.formats, str | None):
            return self.formats
        return self.formats.get(column)

    def cells(self) -> pd.DataFrame:
        """Return the frame as it is read: every cell, label and heading a string."""
        frame = self.frame
        columns = [
            [_cell(value, self.format_of(name), name) for value in frame.iloc[:, j].tolist()]
            for j, name in enumerate(frame.columns)
        ]
        cells = pd.DataFrame(dict(enumerate(columns)), index=_labels(frame.index), dtype=object)
        headings = [name if isinstance(name, tuple) else (name,) for name in frame.columns]
        cells.columns = pd.Index(
            [" ".join(_label(part) for part in parts) for parts in headings], dtype=object
        )
        if cells.index.nlevels == 1:
            # The one place where a row of headings can hold the name of the index as well.
            corner = frame.index.name if frame.index.name is not None else frame.columns.name
            cells = cells.rename_axis(index=None, columns=None if corner is None else _label(corner))
        return cells


@dataclass(frozen=True, eq=False)
class Table:
    """A titled table of one or several sections, with notes below.

    Printed it is text; in a notebook it is HTML. What comes out is escaped for where it goes, so
    labels may hold any character.

    Parameters
    ----------
    title : str
    sections : tuple of Section
    notes : tuple of str, optional

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.tables import Section, Table
    >>> frame = pd.DataFrame({"car": [-0.0554], "p": [float("nan")]}, index=["002415.SZ"])
    >>> print(Table("Announcement", (Section(frame, formats={"car": "{:.2%}"}),)))
    Announcement
    ============
    <BLANKLINE>
                  car    p
    ---------  ------  ---
    002415.SZ  -5.54%    –
    """

    title: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sections", tuple(self.sections))
        object.__setattr__(self, "title", strip_control(self.title))
        object.__setattr__(self, "notes", tuple(map(strip_control, self.notes)))

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self, width: int | None = None) -> str:
        """Return the table as plain text.

        Parameters
        ----------
        width : int, optional
            Most columns of text, where numbers leave room: words are wrapped to fit. By default notes are
            wrapped to 100 columns, and words of the table to 48.
        """
        if width is not None:
            check_whole("width", width, 1)
        parts = [f"{self.title}\n{'=' * len(self.title)}"]
        for section in self.sections:
            grid = _grid(section, "simple", width)
            parts.append(f"{section.caption}\n{grid}" if section.caption else grid)
        parts += [textwrap.fill(note, TEXT_WIDTH if width is None else width) for note in self.notes]
        return "\n\n".join(parts)

    def to_markdown(self) -> str:
        """Return the table as GitHub-flavoured Markdown."""
        parts = [f"**{markdown(self.title)}**"]
        for section in self.sections:
            parts += [markdown(section.caption)] if section.caption else []
            parts.append(_grid(section, "pipe"))
        parts += [markdown(note) for note in self.notes]
        return "\n\n".join(parts) + "\n"

    def to_html(self) -> str:
        """Return the table as HTML with captions and header scopes, for notebooks and pages."""
        tables = [_html_table(section, i, self.title) for i, section in enumerate(self.sections)]
        notes = "".join(f'<p style="margin:0.2em 0">{html.escape(note)}</p>' for note in self.notes)
        small = f'<div style="font-size:0.9em;max-width:60em">{notes}</div>' if notes else ""
        label = html.escape(self.title)
        group = f'<div role="group" tabindex="0" aria-label="{label}" style="overflow-x:auto">'
        return f"{group}\n{''.join(tables)}{small}\n</div>"

    def to_latex(self) -> str:
        r"""Return the table as a LaTeX ``table`` environment in the style of booktabs.

        It needs ``\usepackage{booktabs}``; scripts other than Latin and Greek need XeLaTeX or LuaLaTeX.
        """
        lines = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{latex(self.title)}}}"]
        for i, section in enumerate(self.sections):
            lines += [r"\par\bigskip"] if i else []
            lines += [rf"\textit{{{latex(section.caption)}}}\par\smallskip"] if section.caption else []
            lines.append(_latex_table(section))
        if self.notes:
            text = "\\par\n".join(latex(note) for note in self.notes)
            lines.append(
                f"\\par\\medskip\n\\begin{{minipage}}{{\\linewidth}}\\footnotesize\n{text}\n\\end{{minipage}}"
            )
        lines.append(r"\end{table}")
        return "\n".join(lines) + "\n"

    def to_excel(self, path: str | PathLike[str]) -> None:
        """Write the table to one sheet of an Excel workbook; numbers stay numbers.

        Raises
        ------
        MissingExtraError
            If openpyxl is not installed.
        RequestError
            If the file does not end in .xlsx, or cannot be written; an older one is left as it was.
        """
        target = check_path("path", path, ".xlsx")
        import_optional("openpyxl", "openpyxl", "tables", "Writing Excel files")
        content = io.BytesIO()
        with pd.ExcelWriter(content, engine="openpyxl") as writer:
            sheet: Any = cast(Any, writer.book).create_sheet("Table")
            sheet.append([_spreadsheet(self.title)])
            for section in self.sections:
                sheet.append([])
                sheet.append([_spreadsheet(section.caption)])
                _excel_section(section, writer, sheet)
            sheet.append([])
            for note in self.notes:
                sheet.append([_spreadsheet(note)])
            for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
                cell.data_type = "s"  # a label that starts with "=" is text, not a formula
        try:
            write_atomic(target, content.getvalue())
        except OSError as problem:
            raise RequestError(f"The table cannot be written to {str(path)!r}: {problem}.") from problem


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _cell(value: Any, spec: str | None, column: Any) -> str:
    if _is_missing(value):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Real):
        if math.isinf(value):
            return "\N{INFINITY}" if float(value) > 0 else "-\N{INFINITY}"
        whole = isinstance(value, Integral)
        # Counts turn into floats beside a missing one.
        counted = not whole and spec and spec.endswith("d}") and float(value).is_integer()
        number = int(float(value)) if counted else value
        if spec == P_VALUE or (spec is None and column in P_COLUMNS):
            return format_p(float(number))
        try:
            return (spec or ("{}" if whole else "{:.4f}")).format(number)
        except (ValueError, LookupError, TypeError, AttributeError):
            raise RequestError(f"The format {spec!r} of column {column!r} cannot write {value!r}.") from None
    return _label(value)


def _label(value: Any) -> str:
    if _is_missing(value):
        return MISSING
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.strftime("%Y-%m-%d")
    return " ".join(strip_control(str(value)).split())


def _labels(index: pd.Index[Any]) -> pd.Index[Any]:
    if isinstance(index, pd.MultiIndex):
        rows = [tuple(_label(part) for part in row) for row in index]
        return pd.MultiIndex.from_tuples(rows, names=[_label(n) if n else "" for n in index.names])
    return pd.Index([_label(value) for value in index], dtype=object)


def _is_right_aligned(cells: pd.DataFrame) -> list[bool]:
    """Columns whose every written value is a number, with or without stars."""
    return [
        all(value in ("", MISSING) or _NUMBER.fullmatch(value) is not None for value in cells.iloc[:, j])
        for j in range(cells.shape[1])
    ]


def _is_headless(cells: pd.DataFrame) -> bool:
    """Whether no column, nor the index, has a name to show."""
    return not any([*cells.columns, cells.columns.name, *cells.index.names])


def _word_widths(flat: pd.DataFrame, headings: list[Any], right: list[bool], width: int) -> list[int | None]:
    """Share what the numbers leave of `width` among the columns of words; None leaves a column as it is."""
    natural = [
        max(len(str(heading)) + GAP, *(len(text) for text in flat.iloc[:, j]))
        for j, heading in enumerate(headings)
    ]
    # A word that cannot be broken comes first, what is left over goes to columns that need most.
    least = [
        n if numeric else min(n, max(GAP + len(str(heading)), _longest_word(flat.iloc[:, j])))
        for j, (n, numeric, heading) in enumerate(zip(natural, right, headings, strict=True))
    ]
    left = width - GAP * (len(natural) - 1) - sum(least)
    widths: list[int | None] = [None] * len(natural)
    words = sorted((natural[j] - least[j], j) for j in range(len(natural)) if natural[j] > least[j])
    for i, (wanted, j) in enumerate(words):
        share = min(wanted, max(left // (len(words) - i), 0))
        if share < wanted:
            widths[j] = max(least[j] + share, NARROWEST)
        left -= share
    return widths


def _longest_word(column: pd.Series) -> int:
    return max((len(word) for text in column for word in text.split()), default=0)


def _grid(section: Section, style: str, width: int | None = None) -> str:
    """Draw a section with tabulate, the index among the columns."""
    cells = section.cells()
    right = _is_right_aligned(cells)
    parts = [cells.reset_index(drop=True)]
    headings: list[Any] = list(cells.columns)
    if section.index:
        levels: Any = list(range(cells.index.nlevels)) if cells.index.nlevels > 1 else 0
        labels = cells.index.to_frame(index=False, name=levels)
        names = [cells.columns.name or ""] if cells.index.nlevels == 1 else list(cells.index.names)
        parts.insert(0, labels)
        headings = [*names, *headings]
        right = [False] * labels.shape[1] + right
    flat = pd.concat(parts, axis=1)
    options: dict[str, Any] = {}
    if style == "pipe":
        flat = flat.map(markdown)
        headings = [markdown(str(name)) for name in headings]
    elif len(flat):
        options["headers"] = () if _is_headless(cells) else "keys"
        options["maxcolwidths"] = (
            [None if numeric else WORDS_WIDTH for numeric in right]
            if width is None
            else _word_widths(flat, headings, right, width)
        )
    flat.columns = pd.Index(headings, dtype=object)
    grid = flat.to_markdown(
        index=False,
        tablefmt=style,
        disable_numparse=True,
        colalign=["right" if numeric else "left" for numeric in right] if len(flat) else None,
        **options,
    )
    return str(grid)


def _styler(section: Section, escape: Any) -> Any:
    """Make a pandas Styler of a section's cells, with every text passed through `escape`."""
    cells = section.cells()
    cells.index.names = [None if name is None else escape(str(name)) for name in cells.index.names]
    cells.columns.name = None if cells.columns.name is None else escape(str(cells.columns.name))
    styler: Any = cells.style
    styler = styler.format(escape)
    styler = styler.format_index(escape, axis=0).format_index(escape, axis=1)
    if _is_headless(cells):
        styler = styler.hide(axis="columns")
    return styler if section.index else styler.hide(axis="index")


def _html_table(section: Section, number: int, title: str) -> str:
    styler = _styler(section, html.escape)
    cells = styler.data
    styler.cell_ids = False
    styler.set_uuid(
        hashlib.sha256(
            strip_control(f"{number}{title}{section.caption}{cells.to_csv()}").encode()
        ).hexdigest()[:8]
    )
    heading = [f"<strong>{html.escape(title)}</strong>"] if number == 0 else []
    caption = "<br>".join([*heading, *([html.escape(section.caption)] if section.caption else [])])
    words = ", ".join(f".col{j}" for j, numeric in enumerate(_is_right_aligned(cells)) if not numeric)
    styles = [
        {
            "selector": "",
            "props": "border-collapse:collapse; margin:0.5em 0; color:inherit; "
            "font-variant-numeric:tabular-nums",
        },
        {"selector": "caption", "props": "caption-side:top;text-align:left;padding:0.3em 0;color:inherit"},
        {"selector": "th, td", "props": "padding:0.25em 0.7em;text-align:right;vertical-align:top"},
        {"selector": "thead tr:last-child > *", "props": "border-bottom:1px solid currentColor"},
        {"selector": "th.row_heading, th.index_name", "props": "text-align:left"},
    ]
    if words:
        styles.append({"selector": words, "props": "text-align:left;max-width:30em"})
    styler.set_table_styles(styles)
    if caption:
        styler.set_caption(caption)
    rendered: str = styler.to_html()
    # A page that stands rows on end, on a narrow screen, names each cell by its column.
    labels = [html.escape(str(name)) for name in cells.columns]
    rendered = _DATA_CELL.sub(lambda found: f'{found[0]} data-label="{labels[int(found[1])]}"', rendered)
    corner = html.escape(cells.columns.name or "") if cells.index.nlevels == 1 else ""
    if corner:
        rendered = rendered.replace('<th class="row_heading', f'<th data-label="{corner}" class="row_heading')
    # An empty corner is not a heading.
    rendered = _CORNER.sub(r'<td class="blank\1"></td>', rendered)
    for name, scope in (("col_heading", "col"), ("index_name", "col"), ("row_heading", "row")):
        rendered = re.sub(
            rf'<th( data-label="[^"]*")? class="{name}', rf'<th scope="{scope}"\1 class="{name}', rendered
        )
    return rendered


def _latex_table(section: Section) -> str:
    styler = _styler(section, latex)
    labels = "l" * (styler.data.index.nlevels if section.index else 0)
    align = labels + "".join("r" if numeric else "l" for numeric in _is_right_aligned(styler.data))
    rendered = str(styler.to_latex(hrules=True, column_format=align, sparse_index=False))
    return rendered.replace("\\toprule\n\\midrule", r"\toprule").rstrip("\n")


def _spreadsheet(value: Any) -> Any:
    """Return what a spreadsheet can hold: no zone, no control character."""
    if getattr(value, "tzinfo", None):
        return str(value)
    return strip_control(value) if isinstance(value, str) else value


def _excel_section(section: Section, writer: pd.ExcelWriter[Any], sheet: Any) -> None:
    frame, top = section.frame, sheet.max_row
    frame = frame.map(_spreadsheet).rename(index=_spreadsheet, columns=_spreadsheet)
    frame.index.names = [_spreadsheet(name) for name in frame.index.names]
    if frame.columns.nlevels > 1 and not section.index:
        # pandas writes headings of several levels only beside an index.
        frame.columns = pd.Index([" ".join(map(str, name)) for name in frame.columns])
    frame.to_excel(writer, sheet_name="Table", startrow=top, index=section.index)
    left = frame.index.nlevels if section.index else 0
    for j, name in enumerate(section.frame.columns, start=left + 1):
        match = _EXCEL.fullmatch(section.format_of(name) or "")
        if match is None:
            continue
        _, thousands, decimals, kind = match.groups()
        places = int(decimals) if decimals else 0
        number = ("#,##0" if thousands else "0") + ("." + "0" * places if places else "")
        for (cell,) in sheet.iter_rows(min_row=top + 1, min_col=j, max_col=j):
            cell.number_format = number + ("%" if kind == "%" else "")


_NEGATIVE = regex(r"^-(?=[\d.])")
_MARKDOWN = regex(r"([\\`*<>\[\]|~$#]|&(?=#?\w+;)|(?<!\w)_|_(?!\w))")
_GREEK = "αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ"
_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_MATHEMATICS = dict(zip(_GREEK, _NAMES.split(), strict=True))
_MATHEMATICS |= {"≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "→": "to", "∞": "infty"}
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "–": "--",
        "−": "$-$",
        "\N{THIN SPACE}": r"\,",
        "\N{NARROW NO-BREAK SPACE}": r"\,",
        "\N{ZERO WIDTH SPACE}": "",
        **{char: f"$\\{name}$" for char, name in _MATHEMATICS.items()},
        **{char: "\\" + char for char in "&%$#_{}"},
    }
)


def markdown(text: str) -> str:
    """Escape what GitHub-flavoured Markdown would read as markup."""
    return _MARKDOWN.sub(r"\\\1", text)


def latex(text: str) -> str:
    """Escape what LaTeX would read as commands, and write Greek letters and relations as mathematics."""
    # At the head of a row, LaTeX would take "*" or "[" for an option of the line break before it.
    guard = "{}" if text.startswith(("*", "[")) else ""
    return guard + _NEGATIVE.sub("$-$", text.translate(_LATEX))
