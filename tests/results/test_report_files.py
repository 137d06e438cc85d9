"""The report as files: HTML, PDF, Word and Markdown, long and brief, with money, news and controls."""

from __future__ import annotations

import importlib.util
import io
import re
import warnings
import zipfile
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import MissingExtraError, RequestError
from eventstudy.plotting import as_image
from eventstudy.results.report import content
from eventstudy.results.report.writers import writer

pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
SIX = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"]
NEWS = {"2019-05-16": "Huawei is put on the Entity List"}


@pytest.fixture(scope="module")
def market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


def fit(market: es.Market, events: object) -> es.EventStudyResults:
    return es.EventStudy(market, events, estimation=(-270, -21)).fit()


@pytest.fixture(scope="module")
def one(market) -> es.EventStudyResults:
    return fit(
        market, [{"security": SIX[0], "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}]
    )


@pytest.fixture(scope="module")
def several(market) -> es.EventStudyResults:
    return fit(market, es.datasets.ban_announcements().about("Hikvision").events(market))


@pytest.fixture(scope="module")
def sector(market) -> es.EventStudyResults:
    days = [day for day in ("2018-08-14", "2019-05-22", "2019-10-10") for _ in SIX]
    return fit(market, {"security": SIX * 3, "date": days})


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def plain(page: str) -> str:
    return " ".join("".join(html5lib.parse(page, namespaceHTMLElements=False).itertext()).split())


@pytest.mark.usefixtures("no_pictures")
def test_money_and_news_stand_in_the_finding(one, tmp_path):
    page = plain(text_of(one.report(tmp_path / "x.html", currency="CNY", confounders=NEWS, shares=9.3e9)))
    car, value = one.car(0, 1).iloc[0], one.value_change(None, shares=9.3e9).loc["total"]
    share = [f"{27.60 * car[name]:+.2f}".replace("-", "−") for name in ("car", "ci_low", "ci_high")]
    assert f"27.60 CNY on 2019-05-21, the abnormal return is {share[0]} CNY per share" in page
    assert f"(95% interval {share[1]} to {share[2]})" in page
    worth = f"{value['change'] / 1e6:+,.1f}".replace("-", "−")
    assert f"In market value that is {worth} million CNY" in page
    assert "2019-05-16 (day -4, outside (0, +1)): Huawei is put on the Entity List" in page
    finding = page.index("Finding", page.index("Question", 400))
    assert finding < page.index("In market value that is")


@pytest.mark.usefixtures("no_pictures")
def test_several_announcements_of_one_firm_come_first(several, tmp_path):
    page = text_of(several.report(tmp_path / "x.html", 0, 0))
    answer = re.search(r'<p class="headline">(.*?)</p>', page, re.DOTALL).group(1)
    assert answer.startswith("None of the 7 announcements about 002415.SZ is distinguishable")
    assert page.index("Each announcement on its own") < page.index('<section id="chapter-2">')
    assert "Significance, two-sided" in page


@pytest.mark.usefixtures("no_pictures")
def test_treated_against_controls(market, tmp_path):
    treated, controls = (fit(market, {"security": who, "date": "2019-05-22"}) for who in (SIX[:2], SIX[2:]))
    page = plain(text_of(treated.report(tmp_path / "x.html", against=controls)))
    assert "The 4 control events moved by" in page
    assert "difference_portfolio" in page
    told = (tmp_path / "x.html").read_text(encoding="utf-8")
    means = [f"{each.caar(0, 1)['caar'].iloc[0]:+.1%}" for each in (treated, controls)]
    assert f"the treated moved by {means[0]}, the controls by {means[1]}." in told


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("study", ["one", "several", "sector"])
def test_a_brief_report_is_the_finding_two_figures_and_a_table(study, request, tmp_path):
    results = request.getfixturevalue(study)
    page = text_of(results.report(tmp_path / "x.html", 0, 0, brief=True))
    assert re.findall("<h2>(.*?)</h2>", page) == ["Question", "Finding", "Figures", "Estimates", "Caveats"]
    assert page.count("<img ") == 2
    assert page.count("<table ") == 1
    assert "<nav" not in page
    assert '<body class="brief">' in page
    html5lib.HTMLParser(strict=True).parse(page)
    # Few enough rows and texts for one side.
    assert len(re.findall("<tr>", page)) <= 10
    assert len(re.findall("<li>", page)) <= 10


@pytest.mark.usefixtures("no_pictures")
def test_a_cell_names_its_column_for_narrow_screens(one, tmp_path):
    page = text_of(one.report(tmp_path / "x.html", brief=True))
    cells = re.findall(r'<td class="data[^"]*"([^>]*)>', page)
    assert cells
    assert all("data-label=" in cell for cell in cells)
    assert 'data-label="p (t)"' in page
    assert "content: attr(data-label)" in page


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_tables_are_reached_by_the_keyboard(one, tmp_path):
    page = text_of(one.report(tmp_path / "x.html"))
    assert page.count('<div class="scroll" role="group" tabindex="0"') == len(
        re.findall('<div class="scroll"', page)
    )
    assert '<div role="group" tabindex="0"' in one.summary().to_html()


@pytest.mark.slow
def test_markdown_has_its_figures_beside_it(one, tmp_path):
    path = one.report(tmp_path / "my study.md", currency="CNY", brief=True)
    text = text_of(path)
    assert text.startswith("# Event study: NYT report (002415.SZ, 2019-05-22)\n")
    linked = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert linked == ["my%20study_files/figure-1.svg", "my%20study_files/figure-2.svg"]
    assert all((tmp_path / name.replace("%20", " ")).stat().st_size > 1000 for name in linked)
    assert one.verdict().answer.replace("_", r"\_") in text.replace("filtered_sq", r"filtered\_sq")
    whole = text_of(one.report(tmp_path / "whole.md"))
    assert "```python\nimport eventstudy as es" in whole
    assert "| " in whole


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("name", "package"), [("x.pdf", "weasyprint"), ("x.docx", "python-docx")])
def test_without_the_extra_the_error_names_it(one, tmp_path, name, package, monkeypatch):
    def missing(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr("eventstudy.optional.import_module", missing)
    with pytest.raises(MissingExtraError, match=rf"{package}: pip install 'abnormal-returns\[report\]'"):
        one.report(tmp_path / name, brief=True)
    assert not (tmp_path / name).exists()


@pytest.mark.skipif(importlib.util.find_spec("weasyprint") is None, reason="WeasyPrint is not installed")
@pytest.mark.parametrize(
    "study", ["one", *(pytest.param(each, marks=pytest.mark.slow) for each in ("several", "sector"))]
)
def test_a_brief_pdf_has_one_page(study, request, tmp_path, monkeypatch):
    import weasyprint

    rendered = []
    render = weasyprint.HTML.render
    monkeypatch.setattr(
        weasyprint.HTML,
        "render",
        lambda *args, **kwargs: rendered.append(render(*args, **kwargs)) or rendered[-1],
    )
    results = request.getfixturevalue(study)
    path = results.report(tmp_path / "x.pdf", 0, 0, brief=True, confounders=NEWS)
    assert path.read_bytes().startswith(b"%PDF")
    assert [len(document.pages) for document in rendered] == [1]


@pytest.mark.skipif(importlib.util.find_spec("docx") is None, reason="python-docx is not installed")
def test_word(one, tmp_path, monkeypatch):
    import docx

    dot = as_image(lambda ax: ax.plot([0, 1]), 0.5, 0.5, vector=False)

    def drawn(*args, vector, **kwargs):
        assert not vector
        return dot

    monkeypatch.setattr("eventstudy.plotting.as_image", drawn)

    path = one.report(tmp_path / "x.docx", currency="CNY", notes="Seen <by> & us.")
    document = docx.Document(str(path))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert one.verdict().answer in texts
    assert "Seen <by> & us." in texts
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings[:3] == ["Question", "Finding", "Figures"]
    cells = {cell.text for table in document.tables for row in table.rows for cell in row.cells}
    assert f"{one.car(0, 1)['car'].iloc[0]:.2%}" in cells
    names = zipfile.ZipFile(io.BytesIO(path.read_bytes())).namelist()
    assert sum(name.endswith(".png") for name in names) == 1  # that of all ten
    assert len(document.inline_shapes) == 10
    assert all(shape._inline.docPr.get("descr") for shape in document.inline_shapes)


def test_an_ending_that_nothing_writes_is_refused(one, tmp_path):
    for name in ("x.txt", "x", "x.doc"):
        with pytest.raises(RequestError, match="does not end in one of these"):
            one.report(tmp_path / name)
    assert writer(Path("A.HTML")) is writer(Path("b.htm"))


@pytest.mark.usefixtures("no_pictures")
def test_small_p_values_are_bounds(tmp_path):
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2018-01-01", periods=400)
    returns = pd.DataFrame(0.01 * rng.standard_normal((400, 2)), days, ["A", "INDEX"])
    returns.loc[days[300], "A"] = -0.4
    market = es.Market(returns, benchmark="INDEX", gaps="single")
    results = es.EventStudy(market, [{"security": "A", "date": days[300]}], window=(-2, 2)).fit()
    page = plain(text_of(results.report(tmp_path / "x.html")))
    assert "< 0.0001" in page
    assert "0.0000" not in page.replace("10.0000", "")


@pytest.mark.usefixtures("no_pictures")
def test_interval_and_lead_that_disagree_are_said(several):
    report = content.study_report(several.fitted, es.Window(0, 0))
    note = several.caar(0, 0)["note"].iloc[0]
    finding = next(chapter for chapter in report.chapters if chapter.heading == "Finding")
    told = " ".join(getattr(block, "text", "") for block in finding.blocks)
    assert ("which says otherwise" in told) == bool(note)


@pytest.mark.slow
def test_a_brief_report_of_many_words_is_one_side(tmp_path: Path):
    """Seven announcements with long labels and other news, one-sided, in money."""
    weasyprint = pytest.importorskip("weasyprint")
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    events = es.datasets.ban_announcements().about("Hikvision").events(market)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        results = es.EventStudy(market, events, estimation=(-200, -21)).fit()
    options = {"alternative": "less", "shares": 9.3e9, "currency": "CNY", "brief": True}
    news = {"2019-05-16": "Huawei is put on the Entity List"}
    page = results.report(tmp_path / "x.html", 0, 1, confounders=news, **options)
    assert len(weasyprint.HTML(string=page.read_text("utf-8")).render().pages) == 1
