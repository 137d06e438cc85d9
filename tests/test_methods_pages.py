"""The methods pages cover every test and model, agree with what these declare, and are cited rightly."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy import lab, models
from eventstudy.inference import TESTS
from eventstudy.inference.procedures import differences
from eventstudy.inference.significance_test import CONDITIONS, Declaration
from eventstudy.models import NormalReturnModel

ROOT = Path(__file__).parents[1]
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "methods").glob("*.md")}
EQUATION = re.compile(r"^\$\$\n(?P<body>.*?)^\$\$(?: \((?P<label>[\w-]+)\))?$", re.MULTILINE | re.DOTALL)
#: A page, and the equations that are named right after it.
CITATION = re.compile(
    r"docs/methods/(?P<page>\w+)\.md(?:, eqs?\. (?P<labels>\([a-z-]+\)(?:(?:,| and) \([a-z-]+\))*))?"
)
YEAR = re.compile(r"\b(?:17|19|20)\d\d\b")


@dataclass(frozen=True)
class Section:
    page: str
    label: str
    title: str
    text: str

    @property
    def rows(self) -> dict[str, str]:
        """Rows of the table at the head of a test's or a model's section."""
        return dict(re.findall(r"^\| ([^|]+?) \| (.+?) \|$", self.text, flags=re.MULTILINE))

    @property
    def equations(self) -> list[str]:
        return [found["label"] for found in EQUATION.finditer(self.text)]

    @property
    def source(self) -> str:
        return " ".join(self.text.partition("**Source.**")[2].split())


def sections() -> list[Section]:
    found = []
    for page, text in PAGES.items():
        for part in re.split(r"^(?=\([\w-]+\)=$)", text, flags=re.MULTILINE)[1:]:
            label, title = re.match(r"\(([\w-]+)\)=\n## (.+)\n", part).groups()
            found.append(Section(page, label, title, part))
    return found


SECTIONS = sections()
EXAMPLES = {section.page: section for section in SECTIONS if section.label.startswith("methods-example-")}
METHODS = [s for s in SECTIONS if s.page != "index" and s not in EXAMPLES.values()]
OF_TEST = {section.rows["test"].strip("`"): section for section in METHODS if "test" in section.rows}
OF_MODEL = {
    re.match(r"`(\w+)\(", section.rows["model"])[1]: section for section in METHODS if "model" in section.rows
}
DECLARED = TESTS | {
    declared.key: declared for declared in vars(differences).values() if isinstance(declared, Declaration)
}
MODELS = {
    name: model
    for name in models.__all__
    if isinstance(model := getattr(models, name), type)
    and issubclass(model, NormalReturnModel)
    and not inspect.isabstract(model)
}
LABELS = {page: [found["label"] for found in EQUATION.finditer(text)] for page, text in PAGES.items()}


def test_every_test_and_every_model_has_one_section():
    assert sorted(OF_TEST) == sorted(DECLARED)
    assert sorted(OF_MODEL) == sorted(MODELS)
    assert len([section for section in METHODS if "test" in section.rows]) == len(OF_TEST)
    assert len([section for section in METHODS if "model" in section.rows]) == len(OF_MODEL)


def test_every_section_has_a_label_of_its_own():
    labels = [section.label for section in SECTIONS]
    assert len(set(labels)) == len(labels)
    assert all(label.startswith("methods-") for label in labels)
    headings = sum(len(re.findall(r"^## ", text, flags=re.MULTILINE)) for text in PAGES.values())
    assert headings == len(SECTIONS)


@pytest.mark.parametrize("page", sorted(set(PAGES) - {"index"}))
def test_every_page_has_an_executed_example_and_says_how_to_read_it(page):
    assert PAGES[page].startswith("---\nfile_format: mystnb\n")
    text = EXAMPLES[page].text
    cells = re.findall(r"^```\{code-cell\} python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(cells) >= 2
    assert "# Figure: " in "".join(cells)
    assert "**How to read it.**" in text
    tests = {
        section.rows["test"].strip("`")
        for section in METHODS
        if section.page == page and "test" in section.rows
    }
    if tests & set(TESTS):
        measured = "".join(re.findall(r"(?:scenarios|one_event)\((.*)\)", text))
        never = {"time_of_day_t", "time_of_day_rank"}  # tests of bars have a table of their own
        assert tests & set(TESTS) <= set(re.findall(r"\w+", measured)) | never


@pytest.mark.parametrize("section", METHODS, ids=lambda section: section.label)
def test_every_section_names_its_source_with_year(section):
    assert YEAR.search(section.source), section.label
    # A paper is told with its journal and pages, a book or working paper as such.
    assert re.search(r"\*[^*]+\* [\w ,.]*\d+, \d+|\*[^*]+\*, ?\w|working paper", section.source), (
        section.source
    )


@pytest.mark.parametrize("key", DECLARED)
def test_the_section_of_a_test_says_what_the_test_declares(key):
    declared, section = DECLARED[key], OF_TEST[key]
    rows = section.rows
    assert rows["when to use"]
    assert rows["null hypothesis"]
    assert rows["needs"]
    assert rows["distribution"] == f"`{declared.distribution}`"
    none = "none of the named conditions"
    told = set() if rows["robust to"] == none else set(rows["robust to"].split(", "))
    assert told == declared.robust_to <= CONDITIONS
    assert section.equations
    assert set(YEAR.findall(declared.reference)) <= set(YEAR.findall(section.source))


@pytest.mark.parametrize("name", MODELS)
def test_the_section_of_a_model_says_what_is_estimated(name):
    rows = OF_MODEL[name].rows
    wanted = {"model", "when to use", "normal return", "parameters", "degrees of freedom", "standard error"}
    assert set(rows) == wanted
    assert rows["standard error"].startswith(("exact", "approximate"))


@pytest.mark.parametrize(
    ("make", "k"),
    [
        (es.ConstantMean, 1),
        (es.MarketAdjusted, 0),
        (es.MarketModel, 2),
        (es.EWMarketModel, 2),
        (es.RollingMarketModel, 2),
        (es.RobustMarketModel, 2),
        (es.ScholesWilliams, 2),
        (es.Dimson, 2),
        (es.MatchedPortfolio, 0),
        (es.SyntheticPeers, 0),
        (es.AutocorrelatedErrors, 2),
    ],
)
def test_a_standard_error_is_exact_where_the_page_says_so(make, k):
    """Of a simulated event; and the degrees of freedom that the page states."""
    world = es.lab.simulate_market(6, 200, n_events=1, seed=1)
    settings = {es.EWMarketModel: {"half_life": 60}, es.RollingMarketModel: {"window": 60}}
    model = make(**settings.get(make, {}))
    results = es.EventStudy(world.market, world.truth.events, model, (-120, -21), (-5, 5)).fit()
    rows = OF_MODEL[make.__name__].rows
    exact = "the model's standard error is approximate" not in results.test(0, 0, tests="t")["note"].iloc[0]
    assert exact is rows["standard error"].startswith("exact")
    found = results.parameters.iloc[0]
    if make is not es.EWMarketModel:
        assert found["dof"] == found["n_obs"] - (0 if make in (es.RollingMarketModel,) else k)


def test_every_displayed_equation_has_a_label_of_its_own():
    labels = [label for page in LABELS.values() for label in page]
    assert all(labels)
    assert len(set(labels)) == len(labels)
    for page, text in PAGES.items():
        assert len(re.findall(r"^\$\$", text, flags=re.MULTILINE)) == 2 * len(LABELS[page]), page


def parameters() -> set[str]:
    """Arguments of everything public."""
    found = set()
    for owner in (es, lab):
        for name in owner.__all__:
            thing = getattr(owner, name)
            if not callable(thing):
                continue
            methods = [m for n, m in inspect.getmembers(thing, inspect.isfunction) if not n.startswith("_")]
            for function in [thing, *(methods if inspect.isclass(thing) else [])]:
                found |= set(inspect.signature(function).parameters)
    return found


PARAMETERS = parameters()
RESULTS = (es.EventStudyResults, es.CalendarTimeResults, es.BuyAndHoldResults)
#: Columns, rows of tables, and packages of others.
OTHERS = {
    "detectable",
    "robust_to",
    "p_rank",
    "p_wild",
    "johnson",
    "standardised",
    "estudy",
    "estudy2",
    "csestudy",
}


def exists(code: str) -> bool:
    """Whether what stands between backticks is something of the library."""
    owner, _, member = code.rpartition(".")
    if owner:
        return hasattr({"results": es.EventStudyResults, "lab": lab}[owner], member)
    if setting := re.fullmatch(r"(\w+)=(.+)", code):
        return setting[1] in PARAMETERS
    if call := re.fullmatch(r"(\w+)\((.*)\)", code):
        arguments = set(filter(None, call[2].split(", ")))
        return hasattr(es, call[1]) and arguments <= set(inspect.signature(getattr(es, call[1])).parameters)
    return (
        code in DECLARED
        or code in OTHERS
        or code in PARAMETERS
        or hasattr(es, code)
        or hasattr(es.inference, code)
        or any(hasattr(owner, code) for owner in RESULTS)
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_refers_to_nothing_that_does_not_exist(page):
    text = re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)
    equations = {label for labels in LABELS.values() for label in labels}
    assert set(re.findall(r"\{eq\}`([^`]+)`", text)) <= equations
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target.removeprefix("#") in {section.label for section in SECTIONS}, target
        else:
            assert (ROOT / "docs" / "methods" / f"{target.removesuffix('.md')}.md").is_file(), target
    text = re.sub(r"^\| distribution \|.*$|\{eq\}`[^`]+`", "", text, flags=re.MULTILINE)
    assert [code for code in re.findall(r"`([^`]+)`", text) if not exists(code)] == []


def test_the_index_lists_every_page():
    listed = re.findall(
        r"^(\w+)$", "".join(re.findall(r"```\{toctree\}.*?```", PAGES["index"], re.DOTALL)), re.M
    )
    assert sorted(listed) == sorted(set(PAGES) - {"index"})


def committed() -> dict[Path, str]:
    """Text of the files of the repository."""
    folders = ("eventstudy", "tests", "docs", "benchmarks", "examples", "scripts")
    made = {"_build", "generated", "__pycache__"}
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    paths += [*ROOT.glob("*.md"), *ROOT.glob("*.toml")]
    return {
        path: path.read_text(encoding="utf-8")
        for path in paths
        if path.suffix in (".py", ".pyi", ".md", ".toml", ".csv") and not made & set(path.parts)
    }


COMMITTED = committed()


def cited(text: str) -> list[tuple[str, list[str]]]:
    """Pages cited in a file, and the labels of the equations named with each."""
    flat = re.sub(r"\s*\n\s*(?:#:? *)?", " ", text)
    return [(c["page"], re.findall(r"\(([a-z-]+)\)", c["labels"] or "")) for c in CITATION.finditer(flat)]


def test_every_citation_of_a_page_or_an_equation_is_right():
    count = 0
    for path, text in COMMITTED.items():
        if path == Path(__file__):
            continue
        for page, labels in cited(text):
            assert page in PAGES, f"{path}: docs/methods/{page}.md"
            assert set(labels) <= set(LABELS[page]), f"{path}: {labels} on docs/methods/{page}.md"
            count += len(labels)
    assert count > len(DECLARED)


def test_no_file_cites_a_document_that_is_not_here():
    """Formulas are cited from papers and from pages of this repository."""
    sheet = re.compile(
        r"\b" + "METHODS" + r"(?:\.md)? (?:[A-J]\d*\b|\d)|\bmethod " + r"sheet\b|\b" + "METHODS" + r"\.md\b"
    )
    assert [str(path) for path, text in COMMITTED.items() if sheet.search(text)] == []
    for path, text in COMMITTED.items():
        if path.is_relative_to(ROOT / "eventstudy") or path.name == "oracle.py":
            for name in re.findall(r"\b((?:docs|tests|benchmarks)/[\w/]+\.(?:md|py|csv))\b", text):
                assert (ROOT / name).is_file(), f"{path} cites {name}"


#: Pages and labels that the library cites.
IN_CODE = {
    (page, label)
    for path, text in COMMITTED.items()
    if path.is_relative_to(ROOT / "eventstudy")
    for page, labels in cited(text)
    for label in labels
}


@pytest.mark.parametrize("key", DECLARED)
def test_the_code_of_a_test_cites_its_section(key):
    declared, section = DECLARED[key], OF_TEST[key]
    module = sys.modules[declared.compute.__module__] if key in TESTS else differences
    assert section.page in {page for page, _ in cited(inspect.getsource(module))}
    assert IN_CODE & {(section.page, label) for label in section.equations}


@pytest.mark.parametrize("name", MODELS)
def test_the_docstring_of_a_model_cites_its_section(name):
    assert OF_MODEL[name].page in {page for page, _ in cited(MODELS[name].__doc__)}
