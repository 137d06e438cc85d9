"""Thousands of random cases: an answer, or an error of the library that says what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from cases import GROUP, run

FAST, SLOW = 3_000, 30_000
PARTS = 30
#: Surroundings of another process: a comma for decimals, another zone, another order of sets.
ELSEWHERE = {
    "LC_ALL": "de_DE.UTF-8",
    "LANG": "de_DE.UTF-8",
    "TZ": "Pacific/Apia",
    "PYTHONHASHSEED": "77",
    "PYTHONUTF8": "0",
}
CHILD = """
import json, locale, sys
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
from test_cases import answers
print(json.dumps(answers(json.loads(sys.argv[1]))))
"""


def check(seeds: range) -> None:
    outcomes: Counter[str] = Counter()
    faults = []
    for seed in seeds:
        try:
            outcomes[run(seed)[0]] += 1
        except Exception as fault:
            faults.append(f"case {seed}: {type(fault).__name__}: {fault}"[:400])
    assert not faults, f"{len(faults)} of {len(seeds)} cases\n" + "\n".join(faults)
    # Cases that are all refused would prove nothing.
    assert outcomes["done"] > 0.6 * len(seeds), outcomes


@pytest.mark.quick("0")
@pytest.mark.parametrize("part", range(PARTS))
def test_cases(part: int) -> None:
    size = FAST // PARTS
    check(range(part * size, (part + 1) * size))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_cases_at_length(part: int) -> None:
    size = SLOW // 20
    check(range(FAST + part * size, FAST + (part + 1) * size))


def shown(answer: object) -> str:
    """The whole of an answer as text, every digit of it."""
    if isinstance(answer, pd.DataFrame):
        return str(answer.to_csv())
    return repr([shown(each) for each in answer]) if isinstance(answer, tuple) else str(answer)


def answers(seeds: Iterable[int]) -> dict[str, str]:
    found = {}
    for seed in seeds:
        outcome, answer = run(seed)
        found[str(seed)] = f"{outcome} {hashlib.sha256(shown(answer).encode()).hexdigest()}"
    return found


def elsewhere(seeds: list[int]) -> dict[str, str]:
    """Answers of a fresh process in other surroundings."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    child = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(seeds)],
        env={**os.environ, **ELSEWHERE, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=3_000,
    )
    assert child.returncode == 0, child.stderr[-2_000:]
    found: dict[str, str] = json.loads(child.stdout)
    return found


@pytest.mark.slow
def test_another_process_answers_the_same() -> None:
    """Cases of every twentieth group: with another hash seed, zone and, where installed, language."""
    seeds = [seed for group in range(0, 60, 20) for seed in range(GROUP * group, GROUP * group + 4)]
    assert elsewhere(seeds) == answers(seeds)


@pytest.mark.slow
def test_another_process_answers_the_same_at_length() -> None:
    seeds = list(range(FAST))
    assert elsewhere(seeds) == answers(seeds)
