"""Tables: what is written, how it is escaped, and that every rendering agrees."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import EventStudyError, MissingExtraError, RequestError
from eventstudy.tables import Section, Table, stars

RENDERERS = ("to_text", "to_html", "to_latex", "to_markdown")
NASTY = "<script>alert(1)</script> | 5% & $x_1$ #^~{}\\ *b* [l](u) `c`"


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "car": [-0.0554, np.nan],
            "n_days": [2.0, np.nan],
            "p": [0.0123456, 0.5],
            "applicable": [True, False],
            "day": [pd.Timestamp("2019-05-22"), pd.NaT],
            "test": ["BMP", None],
        },
        index=pd.Index(["002415.SZ", "002236.SZ"], name="event"),
    )


@pytest.fixture
def table(frame: pd.DataFrame) -> Table:
    section = Section(frame, "CAR(0, +1)", {"car": "{:.2%}", "n_days": "{:d}"})
    return Table("Bans", (section,), ("Market model.",))


class _Cells(HTMLParser):
    """Tags with their attributes and the texts of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.mark.parametrize(
    ("p", "mark"),
    [
        (0.0, "***"),
        (0.01, "***"),
        (0.0101, "**"),
        (0.05, "**"),
        (0.0501, "*"),
        (0.10, "*"),
        (0.1001, ""),
        (1.0, ""),
        (float("nan"), ""),
    ],
)
def test_stars(p: float, mark: str) -> None:
    assert stars(p) == mark


def test_cells_follow_formats(table: Table) -> None:
    cells = table.sections[0].cells()
    assert cells.iloc[0].tolist() == ["-5.54%", "2", "0.0123", "yes", "2019-05-22", "BMP"]
    assert cells.iloc[1].tolist() == ["–", "–", "0.5000", "no", "–", "–"]


@pytest.mark.parametrize("renderer", RENDERERS)
def test_every_rendering_holds_every_cell(table: Table, renderer: str) -> None:
    out = getattr(table, renderer)()
    for text in ("Bans", "CAR(0, +1)", "Market model.", "002415.SZ", "BMP", "2019-05-22", "yes", "0.0123"):
        assert text in out
    assert ("$-$5.54\\%" if renderer == "to_latex" else "-5.54%") in out
    assert out.count("--" if renderer == "to_latex" else "–") >= 4


def test_one_format_holds_for_all_numbers_and_leaves_text(frame: pd.DataFrame) -> None:
    cells = Section(frame, formats="{:.1f}").cells()
    assert cells.iloc[0].tolist() == ["-0.1", "2.0", "0.0", "yes", "2019-05-22", "BMP"]


def test_print_and_notebook(table: Table) -> None:
    assert str(table) == table.to_text()
    assert table._repr_html_() == table.to_html()


def test_text_layout(table: Table) -> None:
    expected = """\
Bans
====

CAR(0, +1)
event         car    n_days       p  applicable    day         test
---------  ------  --------  ------  ------------  ----------  ------
002415.SZ  -5.54%         2  0.0123  yes           2019-05-22  BMP
002236.SZ       –         –  0.5000  no            –           –

Market model."""
    assert table.to_text() == expected


def test_text_wraps_notes_and_long_words() -> None:
    frame = pd.DataFrame({"note": ["reason " * 30]})
    text = Table("T", (Section(frame),), ("word " * 60,)).to_text()
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("word") == 60
    assert text.count("reason") == 30


def test_html_is_escaped_everywhere() -> None:
    frame = pd.DataFrame({NASTY: [NASTY]}, index=pd.Index([NASTY], name=NASTY))
    page = _Cells(Table(NASTY, (Section(frame, NASTY),), (NASTY,)).to_html())
    assert not {"script", "b", "a", "code"} & {tag for tag, _ in page.tags}
    # title, caption, two headings, row label, cell, note
    assert page.texts.count(NASTY) == 7


def test_html_is_accessible_and_reproducible(table: Table) -> None:
    page = _Cells(table.to_html())
    headers = [attrs for tag, attrs in page.tags if tag == "th"]
    assert len(headers) == 7 + 2
    assert [attrs["scope"] for attrs in headers] == ["col"] * 7 + ["row"] * 2
    assert "caption" in {tag for tag, _ in page.tags}
    assert table.to_html() == table.to_html()


def test_html_sections_have_different_ids(frame: pd.DataFrame) -> None:
    section = Section(frame)
    page = _Cells(Table("T", (section, section, section)).to_html())
    ids = [attrs["id"] for tag, attrs in page.tags if tag == "table"]
    assert len(set(ids)) == 3


def test_latex_is_escaped() -> None:
    frame = pd.DataFrame({NASTY: [NASTY]}, index=pd.Index([NASTY], name=NASTY))
    latex = Table(NASTY, (Section(frame, NASTY),), (NASTY,)).to_latex()
    expected = (
        r"\textless{}script\textgreater{}alert(1)\textless{}/script\textgreater{} \textbar{} 5\% \& \$x\_1\$"
        r" \#\textasciicircum{}\textasciitilde{}\{\}\textbackslash{} *b* [l](u) `c`"
    )
    assert latex.count(expected) == 7
    unescaped = re.sub(r"\\[&%$#_{}]", "", latex)
    assert not re.search(r"[%$#~^]", unescaped)
    depth = unescaped.count("{") - unescaped.count("}")
    assert depth == 0
    for command in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{table}", r"\end{table}"):
        assert latex.count(command) == 1


@pytest.mark.parametrize("label", ["[a]", "*"])
def test_latex_label_is_no_option_of_the_line_break(label: str) -> None:
    latex = Table("T", (Section(pd.DataFrame({"a": [1, 2]}, index=[label, label])),)).to_latex()
    assert not re.search(r"\\\\\s*[\[*]", latex)
    assert not re.search(r"rule\s*\[", latex)


def test_latex_columns_are_aligned(table: Table) -> None:
    assert r"\begin{tabular}{lrrrlll}" in table.to_latex()


def test_stars_after_a_number_keep_it_right_aligned() -> None:
    frame = pd.DataFrame({"car": ["-0.05***", "0.1", "–"], "window": ["(0, +1)", "(0, 0)", "–"]})
    assert r"\begin{tabular}{rl}" in Table("T", (Section(frame, index=False),)).to_latex()


def test_markdown_is_escaped() -> None:
    frame = pd.DataFrame({"a|b": ["x|y <script> **z** &lt;", "m"]})
    lines = Table("T", (Section(frame, index=False),)).to_markdown().splitlines()
    assert lines[0] == "**T**"
    assert lines[2].startswith(r"| a\|b ")
    assert lines[4] == r"| x\|y \<script\> \*\*z\*\* \&lt; |"


def test_index_can_be_hidden(frame: pd.DataFrame) -> None:
    table = Table("T", (Section(frame, index=False),))
    for renderer in RENDERERS:
        assert "002415.SZ" not in getattr(table, renderer)()


@pytest.mark.parametrize("renderer", RENDERERS)
def test_odd_frames(frame: pd.DataFrame, renderer: str) -> None:
    several = frame.set_index("p", append=True)[["car"]]
    wide = frame[["car", "p"]].set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), axis=1)
    twice = pd.concat([frame[["car", "car"]], frame[["car", "car"]]])
    sections = tuple(
        Section(f, name) for f, name in ((several, "S"), (wide, "W"), (twice, "D"), (frame[:0], "E"))
    )
    out = getattr(Table("T", sections), renderer)()
    assert "a x" in out
    assert "0.0123" in out
    assert out.count("0.0554") == 1 + 1 + 4
    assert out.count("n_days" if renderer != "to_latex" else r"n\_days") == 1


def test_table_is_not_changed_with_its_frame(frame: pd.DataFrame) -> None:
    section = Section(frame)
    frame.loc["002415.SZ", "car"] = 99.0
    assert section.frame.loc["002415.SZ", "car"] == -0.0554


def test_unknown_format_column(frame: pd.DataFrame) -> None:
    with pytest.raises(RequestError, match=r"\['cra'\].*'car'"):
        Section(frame, "CAR", {"cra": "{:.2%}"})


def test_format_that_cannot_write_a_value(frame: pd.DataFrame) -> None:
    table = Table("T", (Section(frame, formats={"p": "{:d}"}),))
    with pytest.raises(EventStudyError, match=r"'\{:d\}' of column 'p'"):
        table.to_text()


def test_excel_keeps_numbers_and_text(frame: pd.DataFrame, tmp_path: object) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    frame = frame.assign(
        formula=["=1+1", "b"], at=pd.to_datetime(["2019-05-21 19:00-04:00"] * 2), list=[1234.5, 2.0]
    )
    path = f"{tmp_path}/table.xlsx"
    formats = {"car": "{:.2%}", "n_days": "{:d}", "list": "{:,.1f}"}
    Table("=Bans", (Section(frame, "One", formats), Section(frame, "Two")), ("Note.",)).to_excel(path)
    sheet = openpyxl.load_workbook(path).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][0] == "=Bans"
    assert [row[0] for row in rows if row[0] in ("One", "Two", "Note.")] == ["One", "Two", "Note."]
    heads = [i for i, row in enumerate(rows) if row[0] == "event"]
    assert len(heads) == 2
    first = sheet[heads[0] + 2]
    assert [cell.value for cell in first][:3] == ["002415.SZ", -0.0554, 2]
    assert [cell.number_format for cell in first][1:3] == ["0.00%", "0"]
    assert first[9].number_format == "#,##0.0"
    assert (first[7].value, first[7].data_type) == ("=1+1", "s")
    assert first[8].value == "2019-05-21 19:00:00-04:00"
    assert sheet[heads[0] + 3][1].value is None


def test_excel_needs_openpyxl(table: Table, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("openpyxl", "openpyxl.workbook"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"abnormal-returns\[tables\]"):
        table.to_excel(f"{tmp_path}/table.xlsx")


def test_a_workbook_is_not_written_under_another_suffix(table: Table, tmp_path: Path) -> None:
    for name in ("table.csv", "table.xls", "table"):
        with pytest.raises(RequestError, match=rf"'{name}' must end in .xlsx"):
            table.to_excel(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_list_of_facts_needs_no_headings() -> None:
    frame = pd.DataFrame({"": ["2", "simple"]}, index=["events", "returns"])
    table = Table("T", (Section(frame),))
    assert table.to_text() == "T\n=\n\n-------  ------\nevents   2\nreturns  simple\n-------  ------"
    assert [attrs["scope"] for tag, attrs in _Cells(table.to_html()).tags if tag == "th"] == ["row", "row"]
    assert r"\midrule" not in table.to_latex()
    assert [line for line in table.to_latex().splitlines() if "&" in line] == [
        r"events & 2 \\",
        r"returns & simple \\",
    ]
    assert "| events  | 2      |" in table.to_markdown()
