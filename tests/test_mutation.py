"""The mutation tool: what it changes, what it leaves alone, and that it tells killed from survived."""

from __future__ import annotations

import ast
import csv
import os
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def mutants() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import mutants

        return mutants


@pytest.fixture(scope="module")
def mutation(mutants: ModuleType) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import mutation

        return mutation


def changes(mutants: ModuleType, source: str, kind: str) -> set[str]:
    return {each.after for each in mutants.mutants_of(textwrap.dedent(source), "m") if each.kind == kind}


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("a = b < c", "bound", {"a = b <= c"}),
        ("a = b >= c > d", "bound", {"a = b > c > d", "a = b >= c >= d"}),
        ("a = b == c", "equality", {"a = b != c"}),
        ("a = b is None", "equality", {"a = b is not None"}),
        ("a = b - c", "arithmetic", {"a = b + c"}),
        ("a = b**c", "arithmetic", {"a = b * c"}),
        ("a = -b", "arithmetic", {"a = b"}),
        ("a = 0", "constant", {"a = 1"}),
        ("a = 1", "constant", {"a = 0", "a = 2"}),
        ("a = -1", "constant", {"a = 1", "a = -2", "a = -0"}),
        ("a = 0.5", "constant", {"a = 1.0"}),
        ("a = True", "constant", {"a = False"}),
        ("a = b and c", "boolean", {"a = b or c", "a = b", "a = c"}),
        ("a = not b", "boolean", {"a = b"}),
        ("a = b & ~c", "boolean", {"a = b | ~c", "a = b & c"}),
        ("a = max(b, c)", "extremum", {"a = min(b, c)"}),
        ("a = np.minimum(b, c)", "extremum", {"a = np.maximum(b, c)"}),
        ("a = b.any()", "function", {"a = b.all()"}),
        ("a = np.nansum(b)", "function", {"a = np.sum(b)"}),
        ("a = np.sqrt(b)", "function", {"a = b"}),
        ("a = f(b, c)", "arguments", {"a = f(c, b)"}),
        ("a = f(b, 1)", "arguments", set()),
        ("a = max(b, c)", "arguments", set()),
        ("a = b.sum(axis=1)", "keyword", {"a = b.sum(axis=0)", "a = b.sum()"}),
        ("a = b.std(ddof=1)", "keyword", {"a = b.std(ddof=0)", "a = b.std()"}),
        ("a = np.searchsorted(b, c, 'left')", "keyword", {"a = np.searchsorted(b, c, 'right')"}),
        ("a = b[1:]", "slice", {"a = b[2:]", "a = b[1:-1]"}),
        ("a = b[:n]", "slice", {"a = b[1:n]", "a = b[:n - 1]"}),
        ("a = b[:, 0]", "slice", {"a = b[:, 1]"}),
        ("a = b[-1]", "slice", {"a = b[-2]"}),
        ("if a:\n    b()", "branch", {"if True", "if False"}),
        ("a = b if c else d", "branch", {"a = b", "a = d"}),
        ("a = [b for b in c if d]", "branch", {"a = [b for b in c]"}),
        ("f(a)", "statement", {"pass"}),
        ("a[0] = b", "statement", {"pass"}),
        ("a += b", "statement", {"pass"}),
        ("def f(a):\n    a = g(a)\n    b = a", "statement", {"pass"}),
        ("def f() -> float:\n    return a", "return", {"return -a"}),
        ("def f() -> bool:\n    return a", "return", {"return not a"}),
        ("def f():\n    return a, b", "return", {"return (b, a)"}),
        ("def f():\n    return a", "return", {"return None"}),
    ],
)  # fmt: skip
def test_what_a_kind_changes(mutants: ModuleType, source: str, kind: str, expected: set[str]) -> None:
    assert changes(mutants, source, kind) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""1 < 2"""',
        "def f(a: int = b, c: list[1 < 2] = d) -> tuple[int, 0]: ...",
        "a = f'{b + 1} of {c < 2}'",
        "warnings.warn('a' * 2, stacklevel=2)",
        "a = DataError(b + 1, c)",
        "class A:\n    def __repr__(self):\n        return f(a + 1)",
        "if TYPE_CHECKING:\n    a = 1 + 2",
        "@overload\ndef f(a=1): ...",
        "@decorator(1 + 2)\ndef f(): ...",
        "a = 1 < 2  # pragma: no cover",
        "A: TypeAlias = B | C",
        "__all__ = ['a'] + b",
        "import a",
        "a = 'one day' if b == 1 else 'days'",
        "a = 'some text' + b",
        "a = zip(b, strict=True)",
    ],
)
def test_what_no_test_should_pin_is_left_alone(mutants: ModuleType, source: str) -> None:
    found = mutants.mutants_of(source, "m")
    assert [each.after for each in found if each.kind != "statement"] == []


def test_raising_can_be_left_out_but_its_text_is_not_changed(mutants: ModuleType) -> None:
    found = mutants.mutants_of("def f():\n    raise DataError(a + 1)", "m")
    assert [(each.kind, each.after) for each in found] == [("statement", "pass")]


def test_each_change_compiles_and_changes_what_it_says(mutants: ModuleType) -> None:
    """On a file of the library's own: every mutant is another program, and the one that its excerpt shows."""
    source = (BENCHMARKS / "mutants.py").read_text(encoding="utf-8")
    plain = ast.dump(ast.parse(source))
    found = mutants.mutants_of(source, "mutants")
    assert len(found) > 300
    for each in found[::40]:
        tree = mutants.mutated(source, each)
        compile(tree, "m", "exec")
        assert ast.dump(tree) != plain
    assert len({each.key for each in found}) == len(found)


def test_keys_stay_when_lines_move(mutants: ModuleType) -> None:
    source = "def f(a):\n    return a < 1\n\n\ndef g(a):\n    return (a < 1) + (a < 1)\n"
    moved = "# A comment.\n\n" + source.replace("return a", "a = a\n    return a")
    keys = {each.key for each in mutants.mutants_of(source, "m")}
    assert keys <= {each.key for each in mutants.mutants_of(moved, "m")}
    bounds = [each for each in mutants.mutants_of(source, "m") if each.kind == "bound"]
    assert [(each.function, each.line, each.occurrence) for each in bounds] == [
        ("f", 2, 1),
        ("g", 6, 1),
        ("g", 6, 1),
    ]
    assert len({each.key for each in bounds}) == 3


def test_the_head_of_a_compound_statement_is_what_tests_must_reach(mutants: ModuleType) -> None:
    source = "def f(a, b=[c + 1]):\n    if (a\n            < 1):\n        return a\n    return b\n\n\nN = 3\n"
    found = {each.before: each for each in mutants.mutants_of(source, "m")}
    assert found["if a < 1"].lines == (2, 3)
    assert found["a, b=[c + 1]"].lines == (2, 3, 4, 5)
    assert found["N = 3"].lines == ()
    assert found["N = 3"].names == ("N",)


def test_a_draw_is_seeded_and_has_all_strata(mutants: ModuleType, mutation: ModuleType) -> None:
    known = []
    for folder in ("one", "two"):
        text = "def f(a, b):\n" + "".join(f"    x{i} = a + {i}.5\n" for i in range(80)) + "    return a < b\n"
        known += mutants.mutants_of(text, f"p.{folder}.m")
    drawn = mutation.draw(known, 60, seed=3)
    assert [each.key for each in drawn] == [each.key for each in mutation.draw(known, 60, seed=3)]
    assert [each.key for each in drawn] != [each.key for each in mutation.draw(known, 60, seed=4)]
    assert len({each.key for each in drawn}) == 60
    for folder in ("one", "two"):
        kinds = [each.kind for each in drawn if each.module == f"p.{folder}.m"]
        # The square roots of 80, 80, 1 and 1 share thirty: two each at least, and no more than there are.
        assert Counter(kinds) == {"arithmetic": 14, "constant": 14, "bound": 1, "return": 1}
    assert len(mutation.draw(known, 10_000, seed=1)) == len(known)


def test_wilson_interval(mutation: ModuleType) -> None:
    """Against Brown, Cai and DasGupta (2001, Statistical Science 16, 101-133): its ends solve a quadratic."""
    low, high = mutation.wilson(25, 620)
    for p in (low, high):
        assert abs(25 / 620 - p) == pytest.approx(1.959964 * (p * (1 - p) / 620) ** 0.5, rel=1e-9)
    assert mutation.wilson(0, 10)[0] == 0.0


PACKAGE = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        addopts = ["--import-mode=importlib", "--doctest-modules"]
        markers = ["slow"]
        """,
    "tiny/__init__.py": "",
    "tiny/part/__init__.py": "",
    "tiny/part/sums.py": '''
        from tiny.part.limits import LIMIT

        def positive(values, n):
            """Return how many are positive.

            >>> positive([1, -1], 2)
            1
            """
            found = i = 0
            while i < n:
                found += values[i] > 0
                i += 1
            return found

        def capped(value):
            return min(value, LIMIT)

        def unseen(value):
            return value - 1
        ''',
    "tiny/part/limits.py": "LIMIT = 3\n",
    "tests/test_sums.py": """
        import pytest
        from tiny.part.sums import capped, positive

        @pytest.fixture(scope="module")
        def counted():
            return positive([1, 2, -1], 3)

        def test_positive(counted):
            assert counted == 2

        def test_capped():
            assert capped(7) == 3

        def test_not_sound():
            assert capped(1) == 2
        """,
}
EQUIVALENT = (
    "module,function,before,after,occurrence,reason\npart.sums,unseen,value - 1,return value + 1,1,never\n"
)
SCRIPT = """
import sys
from pathlib import Path
import mutant_runs, mutation
root = Path(sys.argv[1])
tests = {"part": ("tests/test_sums.py", "tiny/part")}
project = mutation.Project(root, "tiny", tests, root / "equivalent.csv", root / "build", root / "docs")
mutant_runs.PATIENCE = 0.4
sys.exit(mutation.main(sys.argv[2:], project))
"""


def run(root: Path, *options: str, code: int = 0) -> str:
    path = os.pathsep.join([str(BENCHMARKS), str(root)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(root), *options], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a package of three functions, one of which no test calls."""
    root = tmp_path_factory.mktemp("tiny")
    for name, text in PACKAGE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")
    (root / "equivalent.csv").write_text(
        EQUIVALENT.replace("value - 1,", "return value - 1,"), encoding="utf-8"
    )
    return root


@pytest.fixture(scope="module")
def finished(tiny: Path, mutation: ModuleType) -> tuple[Path, dict]:
    """All mutants of that package."""
    run(tiny, "--mutants", "100", "--write")
    rows = mutation.read_rows(tiny / "docs" / "mutation.csv")
    return tiny, {(row.function, row.before, row.after): row for row in rows}


@pytest.mark.slow
def test_what_a_test_checks_is_killed(finished: tuple[Path, dict]) -> None:
    _, rows = finished
    row = rows["capped", "return min(value, LIMIT)", "return max(value, LIMIT)"]
    assert (row.status, row.killed_by) == ("killed", "tests/test_sums.py::test_capped")
    row = rows["positive", "found += values[i] > 0", "found += values[i] >= 0"]
    assert row.status == "survived"
    assert rows["positive", "found += values[i] > 0", "pass"].status == "killed"


@pytest.mark.slow
def test_a_value_bound_at_import_is_tested_where_it_is_used(finished: tuple[Path, dict]) -> None:
    _, rows = finished
    row = rows["", "LIMIT = 3", "LIMIT = 4"]
    assert (row.status, row.killed_by) == ("killed", "tests/test_sums.py::test_capped")


@pytest.mark.slow
def test_what_no_test_reaches_survives(finished: tuple[Path, dict]) -> None:
    _, rows = finished
    assert rows["unseen", "return value - 1", "return value - 2"].status == "survived"


@pytest.mark.slow
def test_a_loop_without_end_is_ended(finished: tuple[Path, dict]) -> None:
    _, rows = finished
    assert rows["positive", "i += 1", "pass"].status == "timeout"


@pytest.mark.slow
def test_equivalent_mutants_are_listed_with_their_reason_and_not_run(finished: tuple[Path, dict]) -> None:
    root, rows = finished
    row = rows["unseen", "return value - 1", "return value + 1"]
    assert (row.status, row.seconds) == ("equivalent", 0.0)
    page = (root / "docs" / "mutation.md").read_text(encoding="utf-8")
    assert "| part.sums | unseen | `return value - 1` | `return value + 1` | never |" in page
    alive = sum(row.status == "survived" for row in rows.values())
    assert f"Of the other {len(rows) - 1}, the tests miss\n**{alive}, " in page


@pytest.mark.slow
def test_a_test_that_fails_without_a_change_kills_nothing(finished: tuple[Path, dict]) -> None:
    _, rows = finished
    assert not [row for row in rows.values() if "not_sound" in row.killed_by]


@pytest.mark.slow
def test_survivors_killed_later_count_as_missed_at_first(finished: tuple[Path, dict], tmp_path: Path) -> None:
    """And the second sample is told apart from the first, of which tests were written."""
    root = tmp_path / "tiny"
    shutil.copytree(finished[0], root)
    page = (root / "docs" / "mutation.md").read_text(encoding="utf-8")
    alive = sum(row.status == "survived" for row in finished[1].values())
    assert f"the tests missed **{alive}, " in page
    assert "killed 0 of them.\nNo second sample" in page
    test = root / "tests" / "test_sums.py"
    text = test.read_text(encoding="utf-8").replace("import capped,", "import capped, unseen,")
    test.write_text(text + "\ndef test_unseen():\n    assert unseen(3) == 2\n", encoding="utf-8")
    run(root, "--mutants", "100", "--retry", "--write")
    run(root, "--mutants", "9", "--seed", "2", "--fresh", "--write")
    page = (root / "docs" / "mutation.md").read_text(encoding="utf-8")
    rows = mutation_rows(root / "docs" / "mutation.csv")
    since = [row for row in rows if (row["first"], row["status"]) == ("survived", "killed")]
    assert {row["function"] for row in since} == {"unseen"}
    assert f"the tests missed **{alive}, " in page
    assert f"killed {len(since)} of them.\nOf a second sample" in page
    assert len(mutation_rows(root / "docs" / "mutation_fresh.csv")) == 9


def mutation_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ONCE = """
from pathlib import Path
from tiny.part.sums import positive

def test_once():
    seen = Path(__file__).with_suffix(".seen")
    assert positive([1], 1) == 1 and not seen.exists()
    seen.touch()
"""


@pytest.mark.slow
def test_a_test_that_fails_with_nothing_changed_stops_the_run(
    finished: tuple[Path, dict], tmp_path: Path
) -> None:
    """It would be taken for the one that kills."""
    root = tmp_path / "tiny"
    shutil.copytree(finished[0], root)
    (root / "tests" / "test_sums.py").write_text(ONCE, encoding="utf-8")
    assert "test_once fails with tiny.part.sums unchanged" in run(root, "--match", "i < n", code=1)


RARE = {
    "tiny/part/limits.py": """
        def checked(value):
            if value < 0:
                raise ValueError(value)
            return value
        """,
    "tests/test_sums.py": """
        import pytest
        from tiny.part.limits import checked

        @pytest.mark.parametrize("value", range(9))
        def test_kept(value):
            assert checked(value) == value

        def test_refused():
            with pytest.raises(ValueError):
                checked(-1)
        """,
}


@pytest.mark.slow
def test_tests_of_rare_lines_come_first(tmp_path: Path, mutation: ModuleType) -> None:
    """Ten tests run the condition and one the error; there is time for one."""
    for name, text in {**PACKAGE, **RARE, "tiny/part/sums.py": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")
    start = 0.5  # seconds that the plan allows for the start of a file
    run(tmp_path, "--match", "if value < 0", "--budget", str(start + 1e-6))
    rows = {row.after: row for row in mutation.read_rows(tmp_path / "build" / "mutation.csv")}
    assert rows["if False"].killed_by == "tests/test_sums.py::test_refused"


@pytest.mark.slow
def test_survivors_alone_are_run_again(finished: tuple[Path, dict], mutation: ModuleType) -> None:
    root, rows = finished
    file = root / "tests" / "test_sums.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "\ndef test_zero():\n    assert positive([0], 1) == 0\n", encoding="utf-8")
    said = run(root, "--mutants", "100", "--retry")
    alive = sum(row.status == "survived" for row in rows.values())
    assert said.count(" s: survived ") + said.count(" s: killed ") == alive
    again = {
        (row.function, row.before, row.after): row
        for row in mutation.read_rows(root / "build" / "mutation.csv")
    }
    row = again["positive", "found += values[i] > 0", "found += values[i] >= 0"]
    assert (row.status, row.killed_by) == ("killed", "tests/test_sums.py::test_zero")


def test_a_dry_run_runs_nothing(tiny: Path) -> None:
    said = run(tiny, "--dry-run", "--match", "min(")
    assert "tiny.part.sums:17 [extremum] return min(value, LIMIT)  ->  return max(value, LIMIT)" in said


def test_equivalent_mutants_of_the_library_still_exist(mutation: ModuleType) -> None:
    """An entry whose line is gone would hide a new mutant of the same text: take it out of the list."""
    listed = mutation.read_equivalent(mutation.LIBRARY.equivalent)
    modules = {f"eventstudy.{module}" for module, *_ in listed}
    known = {
        mutation.blank(each).key
        for name, path in mutation.LIBRARY.sources() if name in modules
        for each in mutation.mutants_of(path.read_text(encoding="utf-8"), name)
    }  # fmt: skip
    assert all(reason.strip() for reason in listed.values())
    assert set(listed) <= known


def test_what_kills_a_mutant_is_in_the_fast_suite(mutation: ModuleType, slow_tests: set[str]) -> None:
    rows = mutation.read_rows(mutation.LIBRARY.docs / "mutation.csv")
    killers = {row.killed_by for row in rows if row.killed_by}
    assert len(killers) > 300
    assert not killers & slow_tests
