"""Thousands of random cases: an answer, or an error of the library that says what is wrong."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from cases import run

FAST, SLOW = 3_000, 30_000


def faults_of(seeds: range) -> tuple[Counter[str], list[str]]:
    outcomes: Counter[str] = Counter()
    faults = []
    for seed in seeds:
        try:
            outcomes[run(seed)] += 1
        except Exception as fault:
            faults.append(f"case {seed}: {type(fault).__name__}: {fault}"[:400])
    return outcomes, faults


def check(seeds: range) -> None:
    outcomes, faults = faults_of(seeds)
    assert not faults, f"{len(faults)} of {len(seeds)} cases\n" + "\n".join(faults)
    # Cases that are all refused would prove nothing.
    assert outcomes["done"] > 0.5 * len(seeds), outcomes


@pytest.mark.parametrize("part", range(6))
def test_cases(part: int) -> None:
    size = FAST // 6
    check(range(part * size, (part + 1) * size))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_cases_at_length(part: int) -> None:
    size = SLOW // 20
    check(range(FAST + part * size, FAST + (part + 1) * size))


@pytest.mark.slow
def test_another_process_gives_the_same_outcomes() -> None:
    here = faults_of(range(600))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(faults_of, range(600)).result(timeout=600) == here
