"""The reference pages list every public name; blocks of code are right where the build does not run them."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import runpy
import sys
import warnings
from operator import attrgetter
from pathlib import Path

import pytest

import eventstudy
from eventstudy import plotting
from eventstudy.results.plot import ResultsPlotter

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "api" / "index.md"


def listed() -> list[str]:
    """Return the names in the autosummary blocks of the page."""
    return re.findall(r"^ {3}([\w.]+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_reference_page_lists_every_public_name_once_and_no_other() -> None:
    public = set(eventstudy.__all__) - {"errors", "causal", "inference", "models"}
    public |= {
        f"{room}.{name}"
        for room in ("causal", "inference", "models")
        for name in getattr(eventstudy, room).__all__
        if name not in public
        and (inspect.isclass(found := getattr(getattr(eventstudy, room), name)) or inspect.isfunction(found))
    }
    assert sorted(listed()) == sorted(public)


def test_errors_stand_on_the_page_as_a_module() -> None:
    assert ".. automodule:: eventstudy.errors" in PAGE.read_text(encoding="utf-8")


def test_figures_reach_the_pages_whatever_backend_the_build_is_started_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("sphinx", reason=BUILT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, value in {"MPLBACKEND": "Agg", "PYTHONPATH": "", "IPYTHONDIR": "", "TQDM_DISABLE": ""}.items():
        monkeypatch.setenv(name, value)  # set by the page as well, and put back afterwards
    runpy.run_path(str(DOCS / "conf.py"))
    assert "MPLBACKEND" not in os.environ
    assert os.environ["PYTHONPATH"] == os.pathsep.join([str(DOCS.parent / "examples"), str(DOCS / "_ext")])


BUILT = "what builds the documentation is an extra"
#: What needs a network or a file of the reader's: such blocks are read, not run.
ELSEWHERE = ("french_factors(", "read_factors(", "read_prices(", "es.prices(", "es.measure(", "scan_parquet(")
ELSEWHERE += ("entity_list(",)
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(code, id=f"{page.stem}-{i}")
    for page in sorted(DOCS.rglob("*.md"))
    if "_build" not in page.parts
    for i, code in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.filterwarnings("ignore::eventstudy.errors.ExcludedEventsWarning")
@pytest.mark.parametrize("code", BLOCKS)
def test_blocks_that_the_build_does_not_run_are_right(code: str) -> None:
    """Code cells run when the pages are built; other blocks run here, or their calls must fit."""
    tree = ast.parse(code)
    if not any(name in code for name in ELSEWHERE):
        exec(compile(tree, "block", "exec"), {"es": eventstudy})
        return
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name.startswith("es."):
            function = attrgetter(name.removeprefix("es."))(eventstudy)
            keywords = {keyword.arg: None for keyword in call.keywords if keyword.arg}
            inspect.signature(function).bind(*call.args, **keywords)


def test_cells_that_are_seen_run_where_they_are_copied() -> None:
    """A table beside the page is read where nobody sees it, or the page says where to run the code."""
    for page in DOCS.glob("[a-z]*/*.md"):
        text = page.read_text(encoding="utf-8")
        cells = re.findall(
            r"^```\{code-cell\} python\n((?::[^\n]*\n)*)(.*?)^```$", text, re.MULTILINE | re.DOTALL
        )
        seen = "".join(cell for options, cell in cells if not re.search("hide|remove", options))
        where = f"Run the code in `docs/{page.parent.name}` of the repository"
        assert "../data/" not in seen or where in text, page.name
        assert "size_tables" not in seen, page.name


def test_the_gallery_shows_every_figure() -> None:
    page = (DOCS / "reference" / "gallery.md").read_text(encoding="utf-8")
    figures = {name for name in plotting.__all__ if name.startswith("plot_")}
    assert set(re.findall(r"`(plot_\w+)`", page)) == figures
    cells = "".join(re.findall(r"```\{code-cell\} python\n(.*?)```", page, flags=re.DOTALL))
    methods = {name for name in dir(ResultsPlotter) if not name.startswith("_")}
    assert methods <= set(re.findall(r"\.plot\.(\w+)\(", cells))


@pytest.fixture(scope="module")
def results() -> eventstudy.EventStudyResults:
    market = eventstudy.Market.from_prices(
        eventstudy.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    )
    firms = ["002415.SZ", "002236.SZ", "002583.SZ", "000063.SZ"]
    events = [
        {"security": firm, "date": "2019-05-22", "group": "ab"[i % 2], "size": i}
        for i, firm in enumerate(firms)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eventstudy.errors.EventStudyWarning)
        return eventstudy.EventStudy(
            market, events, estimation=(-270, -21), exclude_dates=["2019-03-01"]
        ).fit()


#: Tables of results, by the call that a reader of the page makes.
TABLES = {
    "car": lambda r: r.car(0, 1),
    "car to the first free close": lambda r: r.car(0, "first_free_close"),
    "caar": lambda r: r.caar(0, 1),
    "aar": lambda r: r.aar(),
    "test": lambda r: r.test(0, 1, tests=["bmp"]),
    "test by group": lambda r: r.test(0, 1, tests=["bmp"], by="group"),
    "recommended": lambda r: r.recommended(0, 1),
    "firm_tests": lambda r: r.firm_tests(0, 1, adjust="holm"),
    "window_tests": lambda r: r.window_tests([(0, 0), (0, 1)], adjust="holm", test="bmp"),
    "intervals": lambda r: r.intervals(0, 1),
    "mean_intervals": lambda r: r.mean_intervals(0, 1),
    "timeline": lambda r: r.timeline,
    "excluded": lambda r: r.excluded,
    "parameters": lambda r: r.parameters,
    "diagnostics": lambda r: r.diagnostics(),
    "limit_hits": lambda r: r.limit_hits,
    "halts": lambda r: r.halts,
    "suspects": lambda r: r.suspects,
    "warnings": lambda r: r.warnings,
    "overlaps": lambda r: r.overlaps(),
    "decomposition": lambda r: r.decomposition(event=0),
    "by_event": lambda r: r.by_event(0, 1),
    "stacked": lambda r: r.stacked(0, 1),
    "shrunk": lambda r: r.shrunk(0, 1),
    "credibility": lambda r: r.credibility(0.03, 0, 1),
    "value_change": lambda r: r.value_change(None, 0, 1, shares=9e9),
    "value_change by group": lambda r: r.value_change(9e10, 0, 1, by="group"),
    "date_effects": lambda r: r.date_effects(),
    "sort_by": lambda r: r.sort_by("size", 0, 1, quantiles=2),
    "variance_tests": lambda r: r.variance_tests("group", 0, 1),
    "verdict": lambda r: r.verdict(0, 1).tests,
    "to_panel": lambda r: r.to_panel().drop(columns=["group", "size"]),
    "tidy": lambda r: r.tidy(),
}


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_the_results_has_a_line(table: str, results: eventstudy.EventStudyResults) -> None:
    page = (DOCS / "reference" / "columns.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    columns = {str(name) for name in TABLES[table](results).columns}
    assert columns, table
    assert columns - explained == set()


def test_every_heading_of_the_summary_has_a_line(results: eventstudy.EventStudyResults) -> None:
    page = (DOCS / "reference" / "columns.md").read_text(encoding="utf-8").partition("(columns-summary)=")[2]
    first = " ".join(re.findall(r"^\| (.*?) \|", page, re.MULTILINE))
    headings = {name for section in results.summary(0, 1).sections for name in section.frame.columns if name}
    assert len(headings) > 15
    missing = {
        name for name in headings if not re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.]|$)", first + " ")
    }
    assert missing == set()


@pytest.mark.parametrize("name", sorted(set(eventstudy.errors.__all__) - {"heard", "warn"}))
def test_every_error_and_warning_has_a_cause_and_a_cure(name: str) -> None:
    page = (DOCS / "how_to" / "troubleshooting.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{name}` \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    assert row is not None
    if issubclass(getattr(eventstudy.errors, name), Warning):
        other = (DOCS / "how_to" / "warnings.md").read_text(encoding="utf-8")
        assert f"`{name}`" in other


def test_the_flow_chart_is_that_of_the_rules() -> None:
    made = runpy.run_path(str(DOCS.parent / "scripts" / "flow_chart.py"))
    drawn = made["CHART"].read_text(encoding="utf-8")
    assert made["svg"]() == drawn, "run `python scripts/flow_chart.py`"
    named = set(re.findall(r"[a-z_]+(?=[,<])", drawn)) & set(eventstudy.inference.TESTS)
    assert len(named) > 12


def test_names_of_guides_lead_to_the_reference() -> None:
    pytest.importorskip("docutils", reason=BUILT)
    full_name = runpy.run_path(str(DOCS / "_ext" / "crosslinks.py"))["full_name"]
    assert full_name("results.plot.car(0, 1)") == "eventstudy.results.ResultsPlotter.car"
    assert full_name("MarketModel()") == "eventstudy.MarketModel"
    assert full_name("es.lab.power") == "eventstudy.lab.power"
    assert full_name("window=(-5, 5)") is None
    assert full_name("a sentence") is None
    assert full_name("plot_car") == "eventstudy.plotting.plot_car"
    topics = runpy.run_path(str(DOCS / "_ext" / "crosslinks.py"))["TOPICS"]
    assert all((DOCS / f"{guide}.md").is_file() for guides in topics.values() for guide in guides)
    assert all(any(f"eventstudy.{name}".startswith(start) for start in topics) for name in listed())


def test_every_test_has_a_section_that_its_key_can_link_to() -> None:
    labels = set()
    for page in (DOCS / "methods").glob("*.md"):
        labels |= set(re.findall(r"^\((methods-[\w-]+)\)=$", page.read_text(encoding="utf-8"), re.MULTILINE))
    missing = {key for key in eventstudy.inference.TESTS if f"methods-{key.replace('_', '-')}" not in labels}
    assert missing == set()


def test_the_comparison_names_the_version_of_every_package() -> None:
    page = (DOCS / "explanation" / "comparison.md").read_text(encoding="utf-8")
    heads = re.findall(r"^\| \| (.*) \|$", page, re.MULTILINE)
    named = [name for head in heads for name in head.split(" | ")][:-2]
    named += re.findall(r"^\| (Stata .*?|WRDS .*?) \|", page, re.MULTILINE)
    assert len(named) > 10
    assert [name for name in named if not re.search(r"\d", name)] == []
    assert f"this, {eventstudy.__version__}" in named


def drawing_cells() -> list[str]:
    """Return the cells of pages and notebooks that draw."""
    pages = [page for page in DOCS.rglob("*.md") if "_build" not in page.parts]
    cells = [
        cell
        for page in pages
        for cell in re.findall(
            r"```\{code-cell\} python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL
        )
    ]
    for notebook in (DOCS.parent / "examples").glob("*.ipynb"):
        found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        cells += ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]
    drawing = re.compile(r"\.plot(?:\.\w+)?\(|\bplot_\w+\(|subplots\(|^draw\(", re.MULTILINE)
    return [cell for cell in cells if drawing.search(cell)]


def test_figures_are_described_in_sentences() -> None:
    pytest.importorskip("docutils", reason=BUILT)
    caption = runpy.run_path(str(DOCS / "_ext" / "figures.py"))["caption"]
    sentence = runpy.run_path(str(DOCS.parent / "scripts" / "check_pages.py"))["SENTENCE"]
    assert caption("axes.hist(x);") is None
    cells = drawing_cells()
    assert len(cells) > 60
    told = {cell: caption(cell) for cell in cells}
    assert [cell for cell, text in told.items() if text is None or not sentence.fullmatch(text)] == []


def test_what_has_no_verb_is_not_a_sentence() -> None:
    sentence = runpy.run_path(str(DOCS.parent / "scripts" / "check_pages.py"))["SENTENCE"]
    for text in ("Abnormal returns by day.", "The figure shows a path", "it is small.", "", "Rises."):
        assert not sentence.fullmatch(text), text
    assert sentence.fullmatch("Abnormal returns fall on day 0.")


@pytest.mark.parametrize("folder", ["tutorials", "how_to", "explanation", "reference"])
def test_the_index_of_a_part_names_each_page_of_it_and_links_to_it(folder: str) -> None:
    index = (DOCS / folder / "index.md").read_text(encoding="utf-8")
    tree = index.partition("```{toctree}")[2]
    for page in {path.stem for path in (DOCS / folder).glob("*.md")} - {"index"}:
        assert re.search(rf"^{page}$", tree, re.MULTILINE), f"{page} is not in the toctree"
        assert re.search(rf"\]\({page}(\.md)?\)", index), f"{page} has no line"


def test_the_crawler_finds_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    faults = runpy.run_path(str(DOCS.parent / "scripts" / "check_pages.py"))["faults"]
    pages = {
        "index": '<a href="guide.html#here">Guide</a><a href="https://example.org/x">elsewhere</a>',
        "guide": '<p id="here"></p><img src="a.png" alt="Returns fall on day 0."><a href="#here">up</a>',
        "search": "<img src='minus.png' alt='-'>",
    }

    def write(**changed: str) -> list[str]:
        for name, body in (pages | changed).items():
            (tmp_path / f"{name}.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
        listed = ", ".join(f'"{name}"' for name in {**pages, **changed} if name != "search")
        (tmp_path / "searchindex.js").write_text(
            f'Search.setIndex({{"docnames": [{listed}]}})\n', encoding="utf-8"
        )
        return list(faults(tmp_path))

    assert write() == []
    assert write(index=pages["index"] + '<a href="gone.html">x</a>') == [
        "index.html: gone.html leads nowhere"
    ]
    assert "names an anchor that is not there" in write(index='<a href="guide.html#there">x</a>')[0]
    assert write(guide='<p id="here"></p><p id="here"></p>') == ["guide.html: the id here is a duplicate"]
    for alt in ("", "1f3a.png", "figure", "it is small.", "Abnormal returns by day."):
        assert "is not a sentence" in write(guide=f'<p id="here"></p><img src="a.png" alt="{alt}">')[0]
    assert write(lonely='<a href="index.html">x</a>') == ["lonely.html: no page links here"]
    (tmp_path / "lonely.html").unlink()
    (tmp_path / "api" / "generated").mkdir(parents=True)
    linked = pages["index"] + '<a href="api/generated/name.html">x</a>'
    assert write(**{"index": linked, "api/generated/name": "a class"}) == [
        "api/generated/name.html: no guide is linked"
    ]
    assert write(**{"index": linked, "api/generated/name": "In the guides"}) == []


def test_every_public_name_has_an_example() -> None:
    """Doctests run the examples; those that need a network or an empty cache are read only."""
    elsewhere = {"sources.clear_cache", "sources.outcome"}
    for line in (DOCS / "reference" / "public_names.txt").read_text(encoding="utf-8").splitlines():
        name = line.partition(" ")[0].removeprefix("eventstudy.")
        if not name or name.startswith(("#", "errors.")) or name in elsewhere:
            continue
        found = attrgetter(name)(eventstudy)
        if inspect.isclass(found) or inspect.isroutine(found):
            assert ">>>" in (inspect.getdoc(found) or ""), name


def test_every_method_of_the_results_has_an_example() -> None:
    for name, found in inspect.getmembers(eventstudy.EventStudyResults):
        if not name.startswith("_") and (callable(found) or isinstance(found, property)):
            assert ">>>" in (inspect.getdoc(found) or ""), name


def links_of(page: str) -> set[str]:
    """Pages that a page of the guides links to in its text, cards included."""
    path = DOCS / f"{page}.md"
    if not path.is_file():
        return set()
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([\w./-]+?)(?:\.md)?(?:#[\w-]+)?\)|^:link: (\S+)$", text, re.MULTILINE)
    found = {os.path.normpath((path.parent / (a or b)).relative_to(DOCS)) for a, b in targets}
    return {target.removesuffix(".ipynb") for target in found}


@pytest.mark.parametrize(
    ("page", "clicks", "words"),
    [
        ("how_to/install", 1, "pip install"),
        ("tutorials/quickstart", 1, "es.EventStudy("),
        ("how_to/own_prices", 1, "two CSV files"),
        ("how_to/troubleshooting", 2, "earnings dates from an Excel file"),
        ("how_to/from_r_and_stata", 2, "Stata: `eventstudy2`"),
        ("how_to/troubleshooting", 2, "Why is my p-value missing?"),
        ("how_to/troubleshooting", 2, "Which test for eight firms on one day?"),
        ("explanation/which_test_when", 2, "firms of one date"),
        ("cases/earnings", 3, None),
        ("cases/litigation", 3, None),
    ],
)
def test_what_a_new_user_looks_for_is_few_clicks_away(page: str, clicks: int, words: str | None) -> None:
    reached = {"index"}
    for _ in range(clicks):
        reached |= {target for source in reached for target in links_of(source)}
    assert page in reached
    if words is not None:
        assert words in (DOCS / f"{page}.md").read_text(encoding="utf-8")
