"""Running mutants: which tests reach a line, in which order they meet a mutant, and what becomes of it.

`trace` runs test files under coverage, `Plan` chooses tests, `run_mutants` forks a process for each mutant.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import importlib.machinery
import importlib.util
import json
import math
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType

import coverage
import hypothesis
import pytest
from mutants import Mutant, mutated

PYTEST = ["-q", "-x", "-m", "not slow", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
PYTEST += [f"-pno:{plugin}" for plugin in ("cacheprovider", "xdist", "pytest_cov", "faulthandler")]
LONGEST = 5.0  # seconds of the processor that a test takes under coverage; slower ones are not run
START = 0.2  # seconds of the processor that pytest takes before the first test of a file
RARE = 12  # tests that come first, because few others take their way through the function
PATIENCE = 10.0  # seconds that a test may take on top of ten times its time
MEMORY = 8 << 30  # bytes of address space of a mutant

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"


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
    left_out : sequence of str
        Test files that are not run, without their suffix.
    warm : sequence of str
        Modules imported before processes are forked.
    """

    root: Path
    package: str
    tests: dict[str, tuple[str, ...]]
    equivalent: Path
    build: Path
    docs: Path
    left_out: Sequence[str] = ()
    warm: Sequence[str] = ()

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Yield dotted name and path of the modules that may be changed."""
        for folder in self.tests:
            for path in sorted((self.root / self.package / folder).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path

    def test_files(self, folder: str) -> list[str]:
        """Return the test files of a folder, and source files with doctests, the nearest first."""
        found: dict[str, None] = {}
        for pattern in self.tests[folder]:
            for path in sorted(self.root.glob(pattern)):
                inside = path.rglob("*.py") if path.is_dir() else [path]
                for each in sorted(inside):
                    name = each.relative_to(self.root).as_posix()
                    is_test = each.name.startswith("test_") and each.stem not in self.left_out
                    if is_test or (
                        name.startswith(self.package) and ">>> " in each.read_text(encoding="utf-8")
                    ):
                        found[name] = None
        return list(found)


# Processes

#: What to run, the file for its output, and what is informed how it ended.
Task = tuple[Callable[[], None], Path, Callable[[int], None]]


def fork(work: Callable[[], None], output: Path) -> int:
    """Run `work` in a process of its own, which leads a group, with its output in a file; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
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


def in_parallel(tasks: Iterable[Task], workers: int) -> None:
    """Fork each task; when it ends, give its wait status to its last part. At most `workers` run at once."""
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
    # The same examples each time, however slow the machine is.
    hypothesis.settings.register_profile(
        "mutation",
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutation")
    loaded = [name for name in sys.modules if name.split(".")[0] == project.package]
    if loaded:
        raise RuntimeError(f"{project.package} is imported before the mutants are made: {loaded[:3]}")
    # Pytest collects garbage at each of its ends; what is imported here is none, and stays shared.
    gc.collect()
    gc.freeze()


# Which tests reach a line


@dataclass
class Trace:
    """Tests of some files: how long each takes, and by which lines of which module it passes."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def reaching(self, module: str, lines: Iterable[int]) -> set[str]:
        """Return the tests that run any of the lines."""
        by_line = self.lines.get(module, {})
        return set().union(*(by_line.get(line, ()) for line in lines))


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
        test = self.tests[item.nodeid] = {"fixtures": fixtures, "seconds": 0.0, "ok": True}
        start = time.process_time()
        with self._context(item.nodeid):
            result = yield
        test["seconds"] = time.process_time() - start
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        # What a shared fixture runs, it runs for all its tests, not for the first one alone.
        if fixturedef.scope == "function":
            return (yield)
        with self._context(f"fixture {fixturedef.argname}"):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests[report.nodeid]
        test["ok"] = bool(test["ok"]) and report.passed


def trace(project: Project, files: Sequence[str], workers: int) -> Trace:
    """Run test files that have changed under coverage, and read what each test reaches."""
    folder = project.build / "trace"
    folder.mkdir(parents=True, exist_ok=True)
    state = _digest([path for _, path in project.sources()])
    stored = {
        file: folder / f"{_digest(_on_the_way(project, file))}-{state}-{_slug(file)}.json" for file in files
    }
    tasks: list[Task] = []
    for file in files:
        if not stored[file].exists():
            log = project.build / f"trace-{_slug(file)}.log"
            work = partial(_trace_file, project, file, stored[file])
            tasks.append((work, log, partial(_check_traced, file, stored[file], log)))
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
        digest.update(path.name.encode() + path.read_bytes())
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


def _check_traced(file: str, path: Path, log: Path, status: int) -> None:
    if status or not path.exists():
        raise RuntimeError(f"the tests of {file} could not be traced; see {log}")
    tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    unfit = sum(not each["ok"] for each in tests.values())
    seconds = sum(each["seconds"] for each in tests.values())
    say(f"traced {file}: {len(tests)} tests, {seconds:.1f} s" + f", {unfit} failed or skipped" * (unfit > 0))


def _read_trace(stored: dict[str, dict], into: Trace) -> None:
    """Add stored tests but for slow ones and those that fail or are skipped without any change."""
    users: dict[str, list[str]] = defaultdict(list)
    for name, test in stored["tests"].items():
        if test["ok"] and test["seconds"] < LONGEST:
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

    def __init__(self, project: Project, traced: Trace, budget: float) -> None:
        self.traced = traced
        self.budget = budget
        self.files = {folder: project.test_files(folder) for folder in project.tests}
        self.kills: Counter[tuple[str, str]] = Counter()
        self.paths = dict(project.sources())
        self.sources = {name: path.read_text(encoding="utf-8") for name, path in self.paths.items()}
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

    def batches(self, mutant: Mutant) -> list[tuple[list[str], list[str]]]:
        """Return files and the tests to run of them, the most promising first, as far as the budget goes.

        The rare tests of all files are one batch, then each file is one; one of the module's name is early.
        """
        reaching = self.reaching(mutant)
        rare = self._rare(mutant, reaching)
        folder = mutant.module.split(".")[1]
        scored, first = [], []
        for place, file in enumerate(self.files[folder]):
            inside = {test for test in self.by_file.get(file, ()) if test in reaching}
            if inside:
                seconds = sum(self.traced.seconds[test] for test in inside)
                share = len(inside) / len(self.by_file[file])
                promise = (1 + 4 * self.kills[mutant.module, file]) * share / (1 + min(seconds, 10.0))
                if mutant.module.rpartition(".")[2] in file:  # test_garch.py is of garch.py
                    promise *= 20
                scored.append((-promise, place, file, inside))
                first.append((file, inside & rare))
        files = [(file, inside - rare) for _, _, file, inside in sorted(scored)]
        # Other tests of a file may see what one that reaches the line has left in a cache.
        others = [(file, set(self.by_file[file]) - inside) for _, _, file, inside in sorted(scored)]
        together = [(file, tests) for file, tests in first if tests]
        batches, left = [], self.budget
        for parts in [together, *([each] for each in [*files, *others])]:
            taken = []
            for _, tests in parts:
                left -= START if tests else 0.0
                for test in self._ordered(tests):
                    if left <= 0:
                        break
                    taken.append(test)
                    left -= self.traced.seconds[test]
            if taken:
                batches.append(([file for file, _ in parts], taken))
        return batches

    def _rare(self, mutant: Mutant, reaching: set[str]) -> set[str]:
        """Return those of the tests that run lines of the function that few others run, such as an error."""
        by_line = self.traced.lines.get(mutant.module, {})
        start, stop = mutant.scope
        rarity: Counter[str] = Counter()
        for line in range(start, stop + 1):
            tests = by_line.get(line, set()) & reaching
            if 0 < 2 * len(tests) < len(reaching):
                for test in tests:
                    rarity[test] = max(rarity[test], 1 / len(tests))
        best = sorted(rarity, key=lambda test: (-rarity[test], self.traced.seconds[test], test))
        return set(best[:RARE])

    def _ordered(self, tests: Iterable[str]) -> list[str]:
        """Quick ones first, classes together, because they may share fixtures."""
        group: dict[str, float] = {}
        tests = sorted(tests)
        for test in tests:
            name = test.rpartition("::")[0]
            group[name] = min(group.get(name, math.inf), self.traced.seconds[test])
        return sorted(
            tests,
            key=lambda test: (
                group[test.rpartition("::")[0]],
                test.rpartition("::")[0],
                self.traced.seconds[test],
            ),
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
    """A pytest plugin that runs the chosen tests in order and writes down which runs and which fails."""

    def __init__(self, diary: Path, seconds: dict[str, float]) -> None:
        self.diary = diary
        self.seconds = seconds
        self.chosen: list[str] = []
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {test: i for i, test in enumerate(self.chosen)}
        items[:] = sorted(
            (item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid]
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.diary.write_text(nodeid, encoding="utf-8")
        limit = PATIENCE + 10 * self.seconds.get(nodeid, 0.0)
        signal.setitimer(signal.ITIMER_PROF, limit)  # of the processor; ends the process, whatever it is in
        signal.setitimer(signal.ITIMER_REAL, 10 * limit)  # of one that sleeps

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def _run_mutant(
    finder: _Finder, batches: list[tuple[list[str], list[str]]], seconds: dict[str, float], diary: Path
) -> None:
    """Run the tests against a changed module; the diary ends with the one that failed, or "survived"."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    sys.meta_path.insert(0, finder)
    diary.write_text("import", encoding="utf-8")
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        importlib.import_module(finder.module)
    except BaseException:
        traceback.print_exc()
        diary.write_text("failed import", encoding="utf-8")
        return
    run = _Run(diary, seconds)
    for files, tests in batches:
        run.chosen = tests
        signal.setitimer(signal.ITIMER_PROF, 6 * PATIENCE)
        status = pytest.main([*PYTEST, f"--basetemp={diary.with_suffix('.tmp')}", *files], plugins=[run])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            diary.write_text(f"failed {run.failed or f'collection of {files}'}", encoding="utf-8")
            return
    diary.write_text("survived", encoding="utf-8")


def run_mutants(
    project: Project,
    mutants: Sequence[Mutant],
    plan: Plan,
    workers: int,
    keep: Callable[[Mutant, str, str, float], None],
) -> None:
    """Run the tests against each mutant; give it with status, killing test and seconds to `keep`."""
    temporary = project.build / "runs"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)

    def tasks() -> Iterator[Task]:
        for i, mutant in enumerate(mutants):
            path = plan.paths[mutant.module]
            code = compile(mutated(plan.sources[mutant.module], mutant), str(path), "exec", dont_inherit=True)
            diary = temporary / f"{i}.txt"
            batches = plan.batches(mutant)
            finder = _Finder(mutant.module, path, code)
            work = partial(_run_mutant, finder, batches, plan.traced.seconds, diary)
            yield work, diary.with_suffix(".log"), partial(done, mutant, diary, time.monotonic())

    def done(mutant: Mutant, diary: Path, start: float, status: int) -> None:
        state, test = _outcome(status, diary)
        if state != SURVIVED:
            plan.kills[mutant.module, test.partition("::")[0]] += 1
            diary.with_suffix(".log").unlink()
        shutil.rmtree(diary.with_suffix(".tmp"), ignore_errors=True)
        keep(mutant, state, test, round(time.monotonic() - start, 1))

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


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)
