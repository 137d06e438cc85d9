"""Whether the tests notice when the library is wrong: a seeded sample of mutants, and what kills each.

Run ``python benchmarks/mutation.py`` for the sample of the documentation (45 minutes on two cores), with
``--mutants 30`` for a small one, ``--module inference`` or ``--match TEXT`` for a part of the source, and
``--dry-run`` to see what would be drawn. ``--resume`` goes on after an interruption, or from the rows in
the documentation; ``--retry`` runs the survivors of the last run again, after
tests were added. ``--write`` stores the result in ``docs/contributing/``. ``--fresh`` runs a second sample
for which no test was written: once its survivors are looked at and killed, the share of the first no longer
holds for other code.

Mutants are drawn at random from all single changes that `mutants.py` knows, in strata of folder and kind of
operator. Each stratum gets a part proportional to the square root of its size, at least two mutants, so rare
kinds like bounds count for more. Within a stratum those with the lowest hash of seed and mutant are drawn, so
a change of the source changes the draw where it changes mutants, and little elsewhere. With ``--resume`` and
``--retry``, mutants of the last run that can still be made stay in the sample, and are not run again.
The mutants are run in random order.

Each test file is run once under coverage, which tells which tests reach a line; that is kept in
``build/mutation`` and renewed for files that change. A mutant is put in place as its module is imported, in a
process forked for it from one that has imported everything but the library. The tests that reach the changed
line are run until one fails: first a few that take a rare way through the function, then file by file, those
first that killed mutants of the module before. A test that takes ten seconds more than ten times its time
counts as one that fails. What outlives all of them, or ``--budget`` seconds of tests, has survived; with
a larger budget, ``--retry`` runs the survivors again.

Before, unchanged modules are run the same way, one of each folder, and must survive.

Some changes change nothing, which no program can tell for sure. They are listed, each with the reason, in
``equivalent_mutants.csv`` by module, function and source text, and are left out of the share of survivors.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

# Before numpy is imported: threads do not outlive a fork.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"}

from mutant_runs import SURVIVED, TIMEOUT, Plan, Project, run_mutants, say, trace, warm_up
from mutants import Mutant, mutants_of

EQUIVALENT = "equivalent"
Key = tuple[str, str, str, str, int]

ROOT = Path(__file__).resolve().parents[1]
#: Tests of what the fit of a study makes of its events.
STUDIES = (
    "tests/test_abnormal.py", "tests/test_sample.py", "tests/models", "tests/test_event_benchmarks.py",
    "tests/test_event_factors.py", "tests/results/test_measures.py", "tests/results/test_fit_warnings.py",
    "tests/test_scale.py", "tests/pinned", "tests/test_event_time.py", "tests/test_own_windows.py",
    "tests/market/test_several_exchanges.py", "tests/market/test_compounding.py", "tests/test_bad_input.py",
    "tests/market/test_intraday.py", "tests/market/test_nights.py",
    "tests/fuzz/test_edges.py", "tests/fuzz/test_end_of_data.py", "tests/results/test_unusual_shapes.py",
    "tests/test_progress.py", "tests/market/test_event_time_data.py",
)  # fmt: skip
LIBRARY = Project(
    root=ROOT,
    package="eventstudy",
    tests={
        "inference": (
            "tests/inference", "tests/test_scale.py", "tests/results/test_significance.py",
            "tests/results/test_groups.py", "tests/reference", "tests/pinned", "tests/test_event_time.py",
            "tests/results/test_alternative.py", "tests/results/test_verdict.py",
            "tests/results/test_overlapping_events.py", "tests/results/test_lists_of_windows.py",
            "tests/results/test_weighted.py", "tests/results/test_unusual_shapes.py",
            "tests/fuzz/test_edges.py", "tests/lab/test_recommended.py", "tests/test_progress.py",
            "tests/lab/test_sample_tests.py", "tests/market/test_nights.py",
        ),
        "abnormal": (*STUDIES, "tests/inference/test_one_event.py"),
        "models": STUDIES,
        "sample": STUDIES,
    },
    equivalent=ROOT / "benchmarks" / "equivalent_mutants.csv",
    build=ROOT / "build" / "mutation",
    docs=ROOT / "docs" / "contributing",
    left_out=("test_where_packages_differ", "test_trace", "test_size"),
    warm=(
        "numpy", "pandas", "scipy.stats", "scipy.optimize", "scipy.signal", "statsmodels.api", "arch",
        "joblib", "pyarrow.parquet", "exchange_calendars", "matplotlib.pyplot", "seaborn",
        "sklearn.linear_model", "jinja2",
    ),
)  # fmt: skip

PAGE = """\
# Do the tests kill?

A mutant is the library with one small error: `<` for `<=`, a term left out, two arguments swapped. A suite
that passes with the error in place does not check what the line does. `benchmarks/mutation.py` draws mutants
of `inference/`, `abnormal/`, `models/` and `sample/` at random, in strata of folder and kind of change, and
runs the tests that reach the changed line until one fails. Its docstring says how.

    {command}

{ended}Of {drawn} mutants, {equivalent} are equivalent to the original. Of the other {n}, the tests miss
**{alive}, {share}** (Wilson 95% interval: {low} to {high}); {timeout} of those they notice do not end.
All rows, with the test that kills each, are in {{download}}`mutation.csv <mutation.csv>`. A row is kept from
one run to the next as long as its mutant can be made, so it may be of an earlier state of the code around it.

When the sample was first run, the tests missed **{first}, {first_share}** (Wilson: {first_low} to
{first_high}); tests written for these survivors, or in other
folders, have killed {killed_since} of them.
{fresh}

{by_folder}

{by_kind}

## Survivors

{survivors}

## Equivalent mutants

`benchmarks/equivalent_mutants.csv` lists them by module, function and source text. These were drawn.

{equivalents}

## After a change

Draw from one module: `python benchmarks/mutation.py --module inference.signs --mutants 40`. Kill what
survives with a test of the rule that the line follows, and see it killed with `--retry`. List a mutant as
equivalent only when you can say why no input tells it from the original.
"""


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
    first: str = ""  # the status when it was first run

    @property
    def key(self) -> Key:
        """What stays the same when lines move."""
        return self.module, self.function, self.before, self.after, self.occurrence


# Drawing


def all_mutants(project: Project) -> list[Mutant]:
    """Return all mutants of the folders of a project."""
    return [each for name, path in project.sources() for each in mutants_of(path.read_text("utf-8"), name)]


def draw(
    mutants: Sequence[Mutant], size: int, seed: int, kept: Collection[Key] = frozenset()
) -> list[Mutant]:
    """Draw mutants in strata of folder and kind; those that are kept stay, whatever their rank."""
    strata: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for each in mutants:
        strata[each.module.split(".")[1], each.kind].append(each)
    drawn: list[Mutant] = []
    for name, wanted in _sizes({key: len(strata[key]) for key in sorted(strata)}, size).items():
        ranked = sorted(strata[name], key=lambda each: (blank(each).key not in kept, _rank(each, seed)))
        n_kept = sum(blank(each).key in kept for each in ranked)
        drawn += ranked[: max(wanted, n_kept)]
    return sorted(drawn, key=lambda each: (each.module, each.line, each.key))


def _rank(mutant: Mutant, seed: int) -> bytes:
    """Return random bytes that stay the same when other mutants come or go."""
    return hashlib.sha256(repr((seed, *mutant.key)).encode()).digest()


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


# Result


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95% interval of a share (Journal of the American Statistical Association 22, 209-212)."""
    if not n:
        return 0.0, 1.0
    middle, half = (k + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def read_equivalent(path: Path) -> dict[Key, str]:
    """Read the reasons of equivalent mutants by their keys."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {_row(row).key: row["reason"] for row in rows}


def read_rows(path: Path) -> list[Row]:
    """Read a result."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(row) for row in csv.DictReader(file)]


def _row(row: dict[str, str]) -> Row:
    line, seconds = int(row.get("line", 0)), float(row.get("seconds", 0))
    text = {name: row.get(name, "") for name in ("module", "function", "kind", "before", "after")}
    return Row(
        **text, line=line, occurrence=int(row["occurrence"]), status=row.get("status", ""),
        killed_by=row.get("killed_by", ""), seconds=seconds, first=row.get("first", ""),
    )  # fmt: skip


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [each.name for each in fields(Row)]
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)


def report(
    rows: Sequence[Row],
    reasons: dict[Key, str],
    command: str,
    fresh: Sequence[Row] = (),
    asked: int | None = None,
) -> str:
    """Return the page of the documentation.

    `fresh` are the rows of the second sample, `asked` the size of the first if not all of it was run.
    """
    ended = (
        f"The run was ended after {len(rows)} of {asked} mutants, which come in random order.\n"
        if asked is not None and asked > len(rows)
        else ""
    )
    count = Counter(row.status for row in rows)
    n = len(rows) - count[EQUIVALENT]
    low, high = wilson(count[SURVIVED], n)
    first = sum(row.status != EQUIVALENT and row.first == SURVIVED for row in rows)
    first_low, first_high = wilson(first, n)
    return PAGE.format(
        command=command,
        ended=ended,
        first=first,
        first_share=_percent(first, n),
        first_low=f"{100 * first_low:.1f}%",
        first_high=f"{100 * first_high:.1f}%",
        killed_since=first - count[SURVIVED],
        fresh=_fresh(fresh),
        drawn=len(rows),
        equivalent=count[EQUIVALENT],
        n=n,
        alive=count[SURVIVED],
        share=_percent(count[SURVIVED], n),
        low=f"{100 * low:.1f}%",
        high=f"{100 * high:.1f}%",
        timeout=count[TIMEOUT],
        by_folder=_shares("folder", [(row.module.split(".")[0], row.status) for row in rows]),
        by_kind=_shares("change", [(row.kind, row.status) for row in rows]),
        survivors=_listed([row for row in rows if row.status == SURVIVED], {}),
        equivalents=_listed([row for row in rows if row.status == EQUIVALENT], reasons),
    )


def _fresh(rows: Sequence[Row]) -> str:
    n = sum(row.status != EQUIVALENT for row in rows)
    if not n:
        return "No second sample has been drawn since, so the first share is the estimate for other mutants."
    alive = sum(row.status == SURVIVED for row in rows)
    low, high = wilson(alive, n)
    return (
        f"Of a second sample, drawn afterwards and left as it was, the tests miss **{alive} of "
        f"{n}, {_percent(alive, n)}** (Wilson: {100 * low:.1f}% to {100 * high:.1f}%), "
        "the estimate for other mutants; rows in {download}`mutation_fresh.csv <mutation_fresh.csv>`."
    )


def _percent(k: int, n: int) -> str:
    return f"{100 * k / n:.1f}%" if n else "-"


def _shares(title: str, pairs: Sequence[tuple[str, str]]) -> str:
    n = Counter(name for name, status in pairs if status != EQUIVALENT)
    alive = Counter(name for name, status in pairs if status == SURVIVED)
    lines = [f"| {title} | mutants | survivors | share |", "| :-- | --: | --: | --: |"]
    lines += [
        f"| {name} | {n[name]} | {alive[name]} | {_percent(alive[name], n[name])} |" for name in sorted(n)
    ]
    return "\n".join(lines)


def _listed(rows: Sequence[Row], reasons: dict[Key, str]) -> str:
    if not rows:
        return "None."
    head = ["module", "function", "before", "after", *(["reason"] if reasons else [])]
    lines = ["| " + " | ".join(head) + " |", "|" + " :-- |" * len(head)]
    for row in rows:
        cells = [row.module, row.function, f"`{row.before}`", f"`{row.after}`"]
        cells += [reasons[row.key]] if reasons else []
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


# The command


def blank(mutant: Mutant) -> Row:
    """Return the row of a mutant that is not run."""
    module = mutant.module.partition(".")[2]
    place = (module, mutant.function, mutant.line, mutant.kind)
    return Row(*place, mutant.before, mutant.after, mutant.occurrence, EQUIVALENT)


def controls(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return for each folder a mutant that changes nothing, in the place of one of its bounds."""
    places = {each.module.split(".")[1]: each for each in mutants if each.lines and each.kind == "bound"}
    return [replace(each, kind="none", after=each.before, path=()) for each in places.values()]


def check_controls(project: Project, mutants: Sequence[Mutant], plan: Plan, workers: int) -> None:
    """Raise where tests fail on unchanged modules: such a run would call mutants killed that are not."""

    def keep(mutant: Mutant, status: str, test: str, seconds: float) -> None:
        if status != SURVIVED:
            raise RuntimeError(f"{test} fails with {mutant.module} unchanged")

    run_mutants(project, controls(mutants), plan, workers, keep)
    plan.kills.clear()


def parser() -> argparse.ArgumentParser:
    """Return the options of the command."""
    made = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    option = made.add_argument
    option("--mutants", type=int, default=640, metavar="N", help="size of the sample (%(default)s)")
    option("--seed", type=int, default=1, help="seed of the draw (%(default)s)")
    option("--module", default="", help="only modules with this in their name, such as inference.signs")
    option("--match", default="", metavar="TEXT", help="only changes of source with this text")
    option("--workers", type=int, default=2, help="mutants run at once (%(default)s)")
    option("--budget", type=float, default=20.0, help="seconds of tests for each mutant (%(default)s)")
    option("--resume", action="store_true", help="keep the rows of the last run")
    option("--retry", action="store_true", help="keep the rows of the last run but for its survivors")
    option("--fresh", action="store_true", help="run a second sample; give it another --seed")
    option("--partial", action="store_true", help="run nothing more, and report what the last run has done")
    option("--dry-run", action="store_true", help="show what is drawn, run nothing")
    option("--write", action="store_true", help="write the result into the documentation")
    return made


def main(arguments: Sequence[str] | None = None, project: Project = LIBRARY) -> int:
    """Draw, run and report."""
    options = parser().parse_args(arguments)
    known = [
        each
        for each in all_mutants(project)
        if options.module in each.module and options.match in each.before
    ]
    name = "mutation_fresh.csv" if options.fresh else "mutation.csv"
    target = project.build / name
    going_on = options.resume or options.retry or options.partial
    last = (read_rows(target) or read_rows(project.docs / name)) if going_on else []
    drawn = draw(known, options.mutants, options.seed, {row.key for row in last})
    if options.dry_run:
        for each in drawn:
            print(f"{each.module}:{each.line} [{each.kind}] {each.before}  ->  {each.after}")
        say(f"{len(drawn)} of {len(known)} mutants")
        return 0
    reasons = read_equivalent(project.equivalent)
    kept = {row.key: row for row in last if row.status != EQUIVALENT}
    before = {row.key: row.first or row.status for row in last}
    rows: dict[Key, Row] = {}
    left = []
    for each in drawn:
        row = blank(each)
        if row.key in reasons:
            rows[row.key] = row
            continue
        if row.key in kept:
            rows[row.key] = replace(kept[row.key], line=row.line)
        # A survivor keeps its row until it has been run again.
        if not options.partial and (
            row.key not in kept or (options.retry and kept[row.key].status == SURVIVED)
        ):
            left.append(each)
    order = [blank(each).key for each in drawn]
    # In random order, what is done of a run that is interrupted is a sample too.
    random.Random(options.seed).shuffle(left)
    start = time.monotonic()

    def keep(mutant: Mutant, status: str, test: str, seconds: float) -> None:
        row = blank(mutant)
        first = before.get(row.key, status)
        rows[row.key] = row = replace(row, status=status, killed_by=test, seconds=seconds, first=first)
        write_rows([rows[key] for key in order if key in rows], target)
        passed = f"{len(rows)}/{len(drawn)}, {time.monotonic() - start:.0f} s"
        say(f"{passed}: {status} {row.module}:{row.line} {row.before}  ->  {row.after}  {test} {seconds} s")

    if left:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # by way of what ends the processes
        warm_up(project)
        folders = sorted({each.module.split(".")[1] for each in left})
        files = dict.fromkeys(file for folder in folders for file in project.test_files(folder))
        plan = Plan(project, trace(project, list(files), options.workers), options.budget)
        check_controls(project, left, plan, options.workers)
        run_mutants(project, left, plan, options.workers, keep)
    result = [rows[key] for key in order if key in rows]
    write_rows(result, target)
    sample = read_rows(project.docs / "mutation.csv") if options.fresh else result
    fresh = result if options.fresh else read_rows(project.docs / "mutation_fresh.csv")
    seed = parser().get_default("seed") if options.fresh else options.seed
    asked = len(drawn) if options.partial and not options.fresh else len(sample)
    kept_rows = " --resume" if last else ""
    command = f"python benchmarks/mutation.py --mutants {asked} --seed {seed}{kept_rows}"
    page = report(sample, reasons, command, fresh, asked)
    (project.build / "mutation.md").write_text(page, encoding="utf-8")
    if options.write:
        write_rows(result, project.docs / name)
        (project.docs / "mutation.md").write_text(page, encoding="utf-8")
    alive = sum(row.status == SURVIVED for row in result)
    n = sum(row.status != EQUIVALENT for row in result)
    say(f"{alive} of {n} survive; see {project.build / 'mutation.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
