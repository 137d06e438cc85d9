"""Whether the tests notice when the library is wrong: a seeded sample of mutants, and what kills each.

Run ``python benchmarks/mutation.py`` for the sample of the documentation (about 45 minutes on two cores), with
``--mutants 30`` for a small one, ``--module inference`` or ``--match TEXT`` for a part of the source, and
``--dry-run`` to see what would be drawn. ``--resume`` goes on after an interruption; ``--retry`` runs the
survivors of the last run again, after tests were added. ``--write`` stores the result in
``docs/contributing/``.

Mutants are drawn at random from all single changes that `mutants.py` knows, in strata of folder and kind of
operator; each stratum gets a part proportional to the square root of its size, at least two mutants, so that
rare kinds like bounds count for more than frequent ones. Within a stratum the draw is spread over the modules.

Each test file is run once under coverage, so for each line it is known which tests reach it; that is kept in
``build/mutation`` and renewed for files that change. A mutant is put in place as its module is imported, in a
process forked for it from one that has imported everything but the library. The tests that reach the changed
line are run file by file, those first that killed mutants of the module before, until one fails. A test that takes ten
times its time and ten seconds more counts as one that fails. What outlives all of them, or ``--budget``
seconds of tests, has survived.

Some changes change nothing, which no program can tell for sure. They are listed, each with the reason, in
``equivalent_mutants.csv`` by module, function and source text, and are left out of the share of survivors.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import importlib
import importlib.machinery
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import CodeType, ModuleType

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is imported: threads do not outlive a fork
os.environ.setdefault("MPLBACKEND", "Agg")

import coverage
import hypothesis
import pytest
from mutants import Mutant, mutants_of, mutated

#: Patterns of test files, and folders of sources with doctests, by the folder that is changed.
GENERAL = ("tests/test_*.py", "tests/results", "tests/reference", "tests/lab", "tests/volatility", "tests/longrun")
TESTS = {
    "inference": ("tests/inference", *GENERAL, "eventstudy/inference", "eventstudy/results"),
    "abnormal": ("tests/abnormal", "tests/models", "tests/inference", *GENERAL, "eventstudy/abnormal"),
    "models": ("tests/models", *GENERAL, "eventstudy/models"),
    "sample": ("tests/sample", "tests/models", *GENERAL, "eventstudy/sample"),
}
#: Pages and other processes are checked there, not what a line computes.
NOT_RUN = ("test_docs", "test_html", "test_import_cost", "test_latex", "test_readme", "test_shared_data", "test_mutation")
#: What the process is forked from has imported already, where it is installed.
WARM = "numpy pandas scipy.stats scipy.optimize scipy.signal statsmodels.api pyarrow.parquet exchange_calendars".split()
WARM += "matplotlib.pyplot seaborn sklearn.linear_model arch joblib jinja2 tqdm".split()

PYTEST = ["-q", "-x", "-m", "not slow", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
PYTEST += [f"-pno:{plugin}" for plugin in ("cacheprovider", "xdist", "pytest_cov", "faulthandler")]
PATIENCE = 10.0  # seconds that a test may take on top of ten times its time
MEMORY = 8 << 30  # bytes of address space of a mutant

KILLED, SURVIVED, TIMEOUT, EQUIVALENT = "killed", "survived", "timeout", "equivalent"


@dataclass(frozen=True)
class Project:
    """What is changed and tested.

    Attributes
    ----------
    root : Path
        Folder that holds package and tests.
    package : str
        Name of the package.
    tests : dict of str to tuple of str
        Test files and folders of each folder of the package, relative to `root`; patterns are allowed.
    equivalent, build, docs : Path
        File of equivalent mutants, folder of what is kept between runs, folder of the report.
    warm : sequence of str
        Modules imported before processes are forked.
    """

    root: Path
    package: str
    tests: dict[str, tuple[str, ...]]
    equivalent: Path
    build: Path
    docs: Path
    warm: Sequence[str] = ()

    @classmethod
    def of_the_library(cls) -> Project:
        root = Path(__file__).resolve().parents[1]
        equivalent = root / "benchmarks" / "equivalent_mutants.csv"
        return cls(
            root, "eventstudy", TESTS, equivalent, root / "build" / "mutation", root / "docs" / "contributing", WARM
        )

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Yield dotted name and path of the modules that may be changed."""
        for folder in self.tests:
            for path in sorted((self.root / self.package / folder).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path

    def folder_of(self, module: str) -> str:
        return module.split(".")[1]

    def test_files(self, folder: str) -> list[str]:
        """Test files of a folder, and source files that may hold doctests, the nearest first."""
        found: dict[str, None] = {}
        for pattern in self.tests[folder]:
            for path in sorted(self.root.glob(pattern)):
                inside = path.rglob("*.py") if path.is_dir() else [path]
                for each in sorted(inside):
                    name = each.relative_to(self.root).as_posix()
                    is_test = each.name.startswith("test_") and each.stem not in NOT_RUN
                    if is_test or (name.startswith(self.package) and ">>> " in each.read_text(encoding="utf-8")):
                        found[name] = None
        return list(found)


@dataclass
class Row:
    """One line of the result."""

    module: str
    function: str
    line: int
    kind: str
    before: str
    after: str
    occurrence: int
    status: str
    killed_by: str = ""
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        return self.module, self.function, self.before, self.after, self.occurrence


# Drawing


def all_mutants(project: Project) -> list[Mutant]:
    return [each for name, path in project.sources() for each in mutants_of(path.read_text("utf-8"), name)]


def draw(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Draw mutants in strata of folder and kind, spread over the modules of each."""
    rng = random.Random(seed)
    strata: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for each in mutants:
        strata[each.module.split(".")[1], each.kind].append(each)
    drawn: list[Mutant] = []
    for name, wanted in _sizes({key: len(strata[key]) for key in sorted(strata)}, size).items():
        members = sorted(strata[name], key=lambda each: (each.module, rng.random()))
        start = rng.random()
        drawn += [members[int((i + start) * len(members) / wanted)] for i in range(wanted)]
    return sorted(drawn, key=lambda each: (each.module, each.line, each.key))


def _sizes(available: dict[tuple[str, str], int], size: int) -> dict[tuple[str, str], int]:
    """Divide a sample among strata by the square root of their sizes, two or more each."""
    size = min(size, sum(available.values()))
    wanted = dict.fromkeys(available, 0)
    least = 2 if size >= 4 * len(available) else 0
    for key, n in available.items():
        wanted[key] = min(n, least)
    while sum(wanted.values()) < size:
        open_ = [key for key, n in available.items() if wanted[key] < n]
        wanted[max(open_, key=lambda key: math.sqrt(available[key]) / (wanted[key] + 1))] += 1
    return wanted


# Processes


def fork(work: Callable[[], None], output: Path) -> int:
    """Run `work` in a process of its own, which leads a group, with its output in a file; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        os.setpgid(0, 0)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, 1)
        os.dup2(file, 2)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def in_parallel(tasks: Iterable[tuple[Callable[[], None], Path, Callable[[int], None]]], workers: int) -> None:
    """Fork each task; where it ends, give its wait status to its last part. At most `workers` run at once."""
    running: dict[int, Callable[[int], None]] = {}
    waiting = iter(tasks)
    more = True
    try:
        while more or running:
            while more and len(running) < workers:
                task = next(waiting, None)
                more = task is not None
                if task is not None:
                    work, output, done = task
                    running[fork(work, output)] = done
            if running:
                pid, status = os.wait()
                if pid in running:
                    _end_group(pid)  # what tests have started and left behind
                    running.pop(pid)(status)
    finally:
        for pid in running:
            _end_group(pid)


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def warm_up(project: Project) -> None:
    """Import what all tests need but the package itself, which each process imports with its change."""
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    for name in project.warm:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    hypothesis.settings.register_profile("mutation", database=None, derandomize=True, deadline=None)
    hypothesis.settings.load_profile("mutation")
    loaded = [name for name in sys.modules if name.split(".")[0] == project.package]
    if loaded:
        raise RuntimeError(f"{project.package} is imported before the mutants are made: {loaded[:3]}")


# Which tests reach a line


@dataclass
class Trace:
    """Tests of some files: how long each takes, and by which lines of which module it passes."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))

    def reaching(self, module: str, lines: Iterable[int]) -> set[str]:
        by_line = self.lines.get(module, {})
        return set().union(*(by_line.get(line, ()) for line in lines))

    def in_file(self, file: str) -> list[str]:
        return [test for test in self.seconds if test.partition("::")[0] == file]


class _Watch:
    """A pytest plugin that tells coverage which test or shared fixture is running, and keeps the seconds."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.coverage = measured
        self.tests: dict[str, dict[str, object]] = {}
        self.running: list[str] = []

    @contextlib.contextmanager
    def _context(self, name: str) -> Iterator[None]:
        self.running.append(name)
        self.coverage.switch_context(name)
        try:
            yield
        finally:
            self.running.pop()
            self.coverage.switch_context(self.running[-1] if self.running else "")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        fixtures = list(getattr(item, "fixturenames", ()))
        self.tests[item.nodeid] = {"fixtures": fixtures, "seconds": 0.0, "ok": True}
        with self._context(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        # What a shared fixture runs, it runs for all its tests, not for the first one alone.
        if fixturedef.scope == "function":
            return (yield)
        with self._context(f"fixture {fixturedef.argname}"):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests[report.nodeid]
        test["seconds"] = float(test["seconds"]) + report.duration
        test["ok"] = bool(test["ok"]) and report.passed


def trace(project: Project, files: Sequence[str], workers: int) -> Trace:
    """Run test files that have changed under coverage, and read what each test reaches."""
    folder = project.build / "trace"
    folder.mkdir(parents=True, exist_ok=True)
    state = _digest([path for _, path in project.sources()])
    stored = {file: folder / f"{_digest(_on_the_way(project, file))}-{state}-{_slug(file)}.json" for file in files}
    missing = [file for file in files if not stored[file].exists()]
    tasks = []
    for file in missing:
        tasks.append(
            (
                lambda file=file: _trace_file(project, file, stored[file]),
                project.build / f"trace-{_slug(file)}.log",
                lambda status, file=file: _check_traced(project, file, stored[file], status),
            )
        )
    in_parallel(tasks, workers)
    for old in set(folder.glob("*.json")) - set(stored.values()):
        if any(old.name.endswith(f"-{_slug(file)}.json") for file in files):
            old.unlink()
    result = Trace()
    for path in stored.values():
        _read_trace(json.loads(path.read_text(encoding="utf-8")), result)
    return result


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _slug(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _on_the_way(project: Project, file: str) -> list[Path]:
    """Return a test file and the conftest files that it sees."""
    path = project.root / file
    folders = [folder for folder in path.parents if folder.is_relative_to(project.root)]
    return [path, *(folder / "conftest.py" for folder in folders if (folder / "conftest.py").exists())]


def _trace_file(project: Project, file: str, target: Path) -> None:
    include = [str(project.root / project.package / folder / "*") for folder in project.tests]
    measured = coverage.Coverage(data_file=None, include=include, config_file=False)
    measured.start()
    watch = _Watch(measured)
    options = [option for option in PYTEST if option != "-x"]
    temporary = project.build / f"tmp-{os.getpid()}"
    status = pytest.main([*options, f"--basetemp={temporary}", file], plugins=[watch])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest could not run {file}: {status!r}")
    measured.stop()
    data = measured.get_data()
    lines = {}
    for name, path in project.sources():
        reached = data.contexts_by_lineno(str(path))
        lines[name] = {line: contexts for line, contexts in reached.items() if any(contexts)}
    contexts = sorted({each for by_line in lines.values() for found in by_line.values() for each in found})
    number = {each: i for i, each in enumerate(contexts)}
    by_module = {
        name: {line: [number[each] for each in found] for line, found in by_line.items()}
        for name, by_line in lines.items()
        if by_line
    }
    text = json.dumps({"tests": watch.tests, "contexts": contexts, "lines": by_module})
    part = target.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
    shutil.rmtree(temporary, ignore_errors=True)


def _check_traced(project: Project, file: str, path: Path, status: int) -> None:
    if status or not path.exists():
        log = project.build / f"trace-{_slug(file)}.log"
        raise RuntimeError(f"tests of {file} could not be traced; see {log}")
    tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    unfit = sum(not each["ok"] for each in tests.values())
    seconds = sum(each["seconds"] for each in tests.values())
    say(f"traced {file}: {len(tests)} tests, {seconds:.1f} s" + f", {unfit} failed or skipped" * (unfit > 0))


def _read_trace(stored: dict[str, dict], into: Trace) -> None:
    """Add stored tests; those that fail or are skipped without any change can't kill."""
    users: dict[str, list[str]] = defaultdict(list)
    for name, test in stored["tests"].items():
        if test["ok"]:
            into.seconds[name] = test["seconds"]
            users[name].append(name)
            for fixture in test["fixtures"]:
                users[f"fixture {fixture}"].append(name)
    tests = [users.get(context, []) for context in stored["contexts"]]
    for module, by_line in stored["lines"].items():
        for line, contexts in by_line.items():
            into.lines[module][int(line)].update(*(tests[i] for i in contexts))


# Which tests a mutant meets


class Plan:
    """Chooses the tests for a mutant and their order, and learns from those that killed."""

    def __init__(self, project: Project, traced: Trace, mutants: Sequence[Mutant], budget: float) -> None:
        self.traced = traced
        self.budget = budget
        self.files = {folder: project.test_files(folder) for folder in project.tests}
        self.kills: Counter[tuple[str, str]] = Counter()
        self.sources = {name: path.read_text(encoding="utf-8") for name, path in project.sources()}
        self.by_file: dict[str, list[str]] = defaultdict(list)
        for test in traced.seconds:
            self.by_file[test.partition("::")[0]].append(test)

    def reaching(self, mutant: Mutant) -> set[str]:
        """Return the tests that run a changed line, or what uses a name that is bound at import time."""
        if mutant.lines:
            return self.traced.reaching(mutant.module, mutant.lines)
        found: set[str] = set()
        for module, by_line in self.traced.lines.items():
            text = self.sources[module].splitlines()
            lines = [
                line for line in by_line
                if line <= len(text) and any(name in text[line - 1] for name in mutant.names)
            ]  # fmt: skip
            found |= self.traced.reaching(module, lines)
        return found or self.traced.reaching(mutant.module, self.traced.lines.get(mutant.module, ()))

    def batches(self, mutant: Mutant) -> list[tuple[str, list[str]]]:
        """Return test files with the tests to run, the most promising first, as far as the budget goes."""
        reaching = self.reaching(mutant)
        folder = mutant.module.split(".")[1]
        scored = []
        for place, file in enumerate(self.files[folder]):
            inside = [test for test in self.by_file.get(file, ()) if test in reaching]
            if inside:
                seconds = sum(self.traced.seconds[test] for test in inside)
                share = len(inside) / len(self.by_file[file])
                promise = (1 + 4 * self.kills[mutant.module, file]) * share / (1 + min(seconds, 10.0))
                scored.append((-promise, place, file, inside))
        found, left = [], self.budget
        for _, _, file, inside in sorted(scored):
            if left <= 0:
                break
            taken = []
            for test in self._ordered(inside):
                if left <= 0:
                    break
                taken.append(test)
                left -= self.traced.seconds[test]
            # Others of the file may see what a test that reaches the line has left in a cache.
            rest = self._ordered(set(self.by_file[file]) - set(inside))
            for test in rest:
                if self.traced.seconds[test] < left / 10:
                    taken.append(test)
                    left -= self.traced.seconds[test]
            found.append((file, taken))
        return found

    def _ordered(self, tests: Iterable[str]) -> list[str]:
        """Quick ones first, classes together, because they may share fixtures."""
        group: dict[str, float] = {}
        tests = sorted(tests)
        for test in tests:
            name = test.rpartition("::")[0]
            group[name] = min(group.get(name, math.inf), self.traced.seconds[test])
        return sorted(
            tests, key=lambda test: (group[test.rpartition("::")[0]], test.rpartition("::")[0], self.traced.seconds[test])
        )


# Running a mutant


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module whose code is not that of its file."""

    code: CodeType

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class _Finder:
    """Finds the changed module in place of the one on disk."""

    def __init__(self, module: str, path: Path, code: CodeType) -> None:
        self.module, self.path, self.code = module, path, code

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.module:
            return None
        loader = _Loader(name, str(self.path))
        loader.code = self.code
        return importlib.util.spec_from_file_location(name, self.path, loader=loader)


class _Run:
    """A pytest plugin that keeps the chosen tests, in their order, and writes down which runs and which fails."""

    def __init__(self, diary: Path, seconds: dict[str, float]) -> None:
        self.diary = diary
        self.seconds = seconds
        self.chosen: list[str] = []
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {test: i for i, test in enumerate(self.chosen)}
        items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.diary.write_text(nodeid, encoding="utf-8")
        limit = PATIENCE + 10 * self.seconds.get(nodeid, 0.0)
        signal.setitimer(signal.ITIMER_PROF, limit)  # of the processor; ends the process, whatever it is in
        signal.setitimer(signal.ITIMER_REAL, 10 * limit)  # of one that sleeps

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def _run_mutant(
    project: Project, code: CodeType, module: str, path: Path, batches: list[tuple[str, list[str]]],
    seconds: dict[str, float], diary: Path,
) -> None:  # fmt: skip
    """Run the tests against a changed module; the diary ends with the one that failed, or "survived"."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    sys.meta_path.insert(0, _Finder(module, path, code))
    diary.write_text("import", encoding="utf-8")
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        importlib.import_module(module)
    except BaseException:
        traceback.print_exc()
        diary.write_text("failed import", encoding="utf-8")
        return
    run = _Run(diary, seconds)
    for file, tests in batches:
        run.chosen = tests
        signal.setitimer(signal.ITIMER_PROF, 6 * PATIENCE)
        status = pytest.main([*PYTEST, f"--basetemp={diary.with_suffix('.tmp')}", file], plugins=[run])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            diary.write_text(f"failed {run.failed or f'collection of {file}'}", encoding="utf-8")
            return
    diary.write_text("survived", encoding="utf-8")


def run_mutants(
    project: Project, mutants: Sequence[Mutant], plan: Plan, workers: int, keep: Callable[[Row], None]
) -> None:
    """Run the tests against each mutant and give its row to `keep`."""
    paths = dict(project.sources())
    temporary = project.build / "runs"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)

    def tasks() -> Iterator[tuple[Callable[[], None], Path, Callable[[int], None]]]:
        for i, mutant in enumerate(mutants):
            path = paths[mutant.module]
            code = compile(mutated(path.read_text(encoding="utf-8"), mutant), str(path), "exec", dont_inherit=True)
            batches = plan.batches(mutant)
            diary = temporary / f"{i}.txt"
            start = time.monotonic()

            def work(code=code, mutant=mutant, path=path, batches=batches, diary=diary) -> None:
                _run_mutant(project, code, mutant.module, path, batches, plan.traced.seconds, diary)

            def done(status: int, mutant=mutant, diary=diary, start=start, i=i) -> None:
                state, by = _outcome(status, diary)
                if state != SURVIVED:
                    plan.kills[mutant.module, by.partition("::")[0]] += 1
                    (temporary / f"{i}.log").unlink()
                shutil.rmtree(diary.with_suffix(".tmp"), ignore_errors=True)
                keep(_row(mutant, state, by, round(time.monotonic() - start, 1)))

            yield work, temporary / f"{i}.log", done

    in_parallel(tasks(), workers)


def _outcome(status: int, diary: Path) -> tuple[str, str]:
    """Return status and killing test from how a process ended and the last word of its diary."""
    word = diary.read_text(encoding="utf-8") if diary.exists() else ""
    if os.WIFSIGNALED(status):
        waited = os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM)
        return (TIMEOUT if waited else KILLED), word
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"the process of a mutant failed on its own; see {diary.with_suffix('.log')}")
    return (SURVIVED, "") if word == "survived" else (KILLED, word.removeprefix("failed "))


def _row(mutant: Mutant, status: str, by: str = "", seconds: float = 0.0) -> Row:
    short = mutant.module.partition(".")[2]
    return Row(
        short, mutant.function, mutant.line, mutant.kind, mutant.before, mutant.after, mutant.occurrence, status, by,
        seconds,
    )  # fmt: skip


def unchanged(project: Project) -> list[Mutant]:
    """Return one mutant of each folder that changes nothing: if it is killed, the machinery is at fault."""
    found = {}
    for each in all_mutants(project):
        if each.lines and each.kind == "bound" and project.folder_of(each.module) not in found:
            tree = compile(Path(dict(project.sources())[each.module]).read_text("utf-8"), "x", "exec", 1024)
            node = tree
            for name, index in each.path:
                node = getattr(node, name) if index is None else getattr(node, name)[index]
            found[project.folder_of(each.module)] = Mutant(
                each.module, each.function, "none", each.before, each.before, 1, each.line, each.lines, (), each.path, node
            )
    return list(found.values())


# Result


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Journal of the American Statistical Association 22, 209-212)."""
    if not n:
        return 0.0, 1.0
    middle, half = (k + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def read_equivalent(path: Path) -> dict[tuple[str, str, str, str, int], str]:
    """Read the reasons of equivalent mutants by their keys."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["module"], row["function"], row["before"], row["after"], int(row["occurrence"] or 1)): row["reason"]
            for row in csv.DictReader(file)
        }


def read_rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(**{**row, "line": int(row["line"]), "occurrence": int(row["occurrence"]), "seconds": float(row["seconds"])})
            for row in csv.DictReader(file)
        ]  # fmt: skip


def write_rows(rows: Iterable[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [each.name for each in fields(Row)]
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)


def report(rows: Sequence[Row], reasons: dict[tuple[str, str, str, str, int], str], command: str) -> str:
    """Return the page of the documentation."""
    count = Counter(row.status for row in rows)
    n = len(rows) - count[EQUIVALENT]
    low, high = wilson(count[SURVIVED], n)
    text = [
        "# Do the tests kill?",
        "",
        "A mutant is the library with one small error: `<` for `<=`, a term left out, two arguments swapped. A suite that",
        "passes with the error in place does not check what the line does. `benchmarks/mutation.py` draws mutants of",
        "`inference/`, `abnormal/`, `models/` and `sample/` at random, in strata of folder and kind of change, and runs the",
        "tests that reach the changed line until one fails; its docstring says how.",
        "",
        f"    {command}",
        "",
        f"Of {len(rows)} mutants drawn, {count[EQUIVALENT]} change nothing that could be seen, and of the other {n} the tests",
        f"miss **{count[SURVIVED]}, {_percent(count[SURVIVED], n)}** (Wilson's 95 % interval: {100 * low:.1f} % to "
        f"{100 * high:.1f} %). {count[TIMEOUT]} of those killed never",
        "ended. All rows, with the test that killed each, are in [mutation.csv](mutation.csv).",
        "",
    ]
    for title, of in (("Folder", lambda row: row.module.split(".")[0]), ("Change", lambda row: row.kind)):
        text += [f"| {title} | mutants | survivors | share |", "| :-- | --: | --: | --: |"]
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row.status != EQUIVALENT:
                groups[of(row)].append(row)
        for name, inside in sorted(groups.items()):
            alive = sum(row.status == SURVIVED for row in inside)
            text.append(f"| {name} | {len(inside)} | {alive} | {_percent(alive, len(inside))} |")
        text.append("")
    text += ["## Survivors", "", *_listed(rows, SURVIVED, {}), ""]
    text += [
        "## Equivalent mutants",
        "",
        "They are listed by module, function and source text in `benchmarks/equivalent_mutants.csv`; these were drawn.",
        "",
        *_listed(rows, EQUIVALENT, reasons),
        "",
        "## After a change",
        "",
        "`python benchmarks/mutation.py --module inference.signs --mutants 40` draws from one module only. Kill what survives",
        "with a test of the rule that the line follows, and see it killed with `--retry`. List a mutant as equivalent only",
        "when you can say why no input tells it from the original.",
        "",
    ]
    return "\n".join(text)


def _percent(k: int, n: int) -> str:
    return f"{100 * k / n:.1f} %" if n else "-"


def _listed(rows: Sequence[Row], status: str, reasons: dict[tuple[str, str, str, str, int], str]) -> list[str]:
    chosen = [row for row in rows if row.status == status]
    if not chosen:
        return ["None."]
    head = ["module", "function", "before", "after", *(["reason"] if reasons else [])]
    lines = ["| " + " | ".join(head) + " |", "|" + " :-- |" * len(head)]
    for row in chosen:
        cells = [row.module, row.function, f"`{row.before}`", f"`{row.after}`"]
        cells += [reasons[row.key]] if reasons else []
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    made.add_argument("--mutants", type=int, default=640, metavar="N", help="size of the sample (%(default)s)")
    made.add_argument("--seed", type=int, default=1, help="seed of the draw (%(default)s)")
    made.add_argument("--module", default="", help="only modules with this in their name, such as inference.signs")
    made.add_argument("--match", default="", metavar="TEXT", help="only changes of source with this text")
    made.add_argument("--workers", type=int, default=2, help="mutants run at once (%(default)s)")
    made.add_argument("--budget", type=float, default=45.0, help="seconds of tests for each mutant (%(default)s)")
    made.add_argument("--resume", action="store_true", help="keep the rows of the last run")
    made.add_argument("--retry", action="store_true", help="keep the rows of the last run but for its survivors")
    made.add_argument("--dry-run", action="store_true", help="show what is drawn, run nothing")
    made.add_argument("--control", action="store_true", help="run unchanged modules, which must survive")
    made.add_argument("--write", action="store_true", help="write the result into the documentation")
    return made


def main(arguments: Sequence[str] | None = None, project: Project | None = None) -> int:
    project = project or Project.of_the_library()
    options = parser().parse_args(arguments)
    known = [each for each in all_mutants(project) if options.module in each.module and options.match in each.before]
    drawn = unchanged(project) if options.control else draw(known, options.mutants, options.seed)
    if options.dry_run:
        for each in drawn:
            print(f"{each.module}:{each.line} [{each.kind}] {each.before}  ->  {each.after}")
        say(f"{len(drawn)} of {len(known)} mutants")
        return 0
    reasons = read_equivalent(project.equivalent)
    target = project.build / "mutation.csv"
    rows = {row.key: row for row in (read_rows(target) if options.resume or options.retry else [])}
    if options.retry:
        rows = {key: row for key, row in rows.items() if row.status != SURVIVED}
    blank = [_row(each, EQUIVALENT) for each in drawn]
    rows = {row.key: rows[row.key] for row in blank if row.key in rows and row.key not in reasons}
    rows |= {row.key: row for row in blank if row.key in reasons}
    left = [each for each, row in zip(drawn, blank, strict=True) if row.key not in rows]
    start = time.monotonic()

    def keep(row: Row) -> None:
        rows[row.key] = row
        write_rows([rows[each.key] for each in blank if each.key in rows], target)
        say(
            f"{len(rows)}/{len(drawn)} {time.monotonic() - start:.0f} s {row.status} {row.seconds} s {row.module}:{row.line} "
            f"{row.before} -> {row.after} {row.killed_by}"
        )

    if left:
        warm_up(project)
        folders = {project.folder_of(each.module) for each in left}
        files = dict.fromkeys(file for folder in sorted(folders) for file in project.test_files(folder))
        traced = trace(project, list(files), options.workers)
        run_mutants(project, left, Plan(project, traced, left, options.budget), options.workers, keep)
    result = [rows[row.key] for row in blank]
    write_rows(result, target)
    command = "python benchmarks/mutation.py " + " ".join(f"--{k} {getattr(options, k)}" for k in ("mutants", "seed"))
    page = report(result, reasons, command)
    (project.build / "mutation.md").write_text(page, encoding="utf-8")
    if options.write:
        project.docs.mkdir(parents=True, exist_ok=True)
        write_rows(result, project.docs / "mutation.csv")
        (project.docs / "mutation.md").write_text(page, encoding="utf-8")
    alive = sum(row.status == SURVIVED for row in result)
    say(f"{alive} of {sum(row.status != EQUIVALENT for row in result)} survived; see {project.build / 'mutation.md'}")
    if options.control:
        return 0 if alive == len(result) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
