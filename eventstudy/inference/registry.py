"""All significance tests in one ordered mapping, and the table of their results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.arguments import check_sequence
from eventstudy.errors import RequestError
from eventstudy.inference.base import Options, Statistic, TestInput, check_alternative, not_applicable
from eventstudy.inference.bootstrap import RESAMPLING_TESTS
from eventstudy.inference.calendar_time import CALENDAR_TESTS
from eventstudy.inference.cross_section import PARAMETRIC_TESTS
from eventstudy.inference.dependence.mean_correlation import MeanCorrelation, unknown_correlation
from eventstudy.inference.dependence.sessions import SumOfCorrelations
from eventstudy.inference.engine import residual_pass
from eventstudy.inference.engine.residual_pass import (
    PAST_SUMS,
    Reduction,
    ResidualChunk,
    SumReducer,
    read_residuals,
)
from eventstudy.inference.few_dates import DATE_TESTS
from eventstudy.inference.filtered_bmp import FILTERED_BMP_TESTS
from eventstudy.inference.filtered_quantile import FILTERED_TESTS
from eventstudy.inference.filtered_rank import FILTERED_RANK_TESTS
from eventstudy.inference.garch import GARCH_TESTS
from eventstudy.inference.portfolio import PORTFOLIO_TESTS
from eventstudy.inference.power_and_detectable_effect import with_detectable
from eventstudy.inference.pseudo_dates import VECTOR_TESTS
from eventstudy.inference.rank_sets import RANK_SETS, read_profiles
from eventstudy.inference.ranks import RANK_TESTS
from eventstudy.inference.refitted import REFIT_TESTS
from eventstudy.inference.selection import remarks
from eventstudy.inference.significance_test import Declaration, SignificanceTest
from eventstudy.inference.signs import SIGN_TESTS
from eventstudy.inference.single_event import SINGLE_TESTS
from eventstudy.inference.small_number_permutation import PERMUTATION_TESTS
from eventstudy.inference.time_of_day import TIME_OF_DAY_TESTS
from eventstudy.lazy import recall, remember

__all__ = ["COLUMNS", "TESTS", "as_frame", "as_row", "as_tests", "check_keys", "prefetch", "run_tests"]

#: Every significance test by key, in the order of the tables, one family after the other.
TESTS: dict[str, SignificanceTest] = {
    test.key: test
    for family in (
        PARAMETRIC_TESTS,
        PORTFOLIO_TESTS,
        CALENDAR_TESTS,
        DATE_TESTS,
        SIGN_TESTS,
        RANK_TESTS,
        RESAMPLING_TESTS,
        VECTOR_TESTS,
        SINGLE_TESTS,
        FILTERED_TESTS,
        FILTERED_BMP_TESTS,
        FILTERED_RANK_TESTS,
        PERMUTATION_TESTS,
        REFIT_TESTS,
        GARCH_TESTS,
        TIME_OF_DAY_TESTS,
    )
    for test in family
}

COLUMNS = [
    "test",
    "statistic",
    "distribution",
    "dof",
    "p_value",
    "estimate",
    "n_events",
    "null",
    "robust_to",
    "reference",
    "applicable",
    "note",
]

#: Types of the columns that are not text.
TYPES: dict[str, type] = dict.fromkeys(("statistic", "dof", "p_value", "estimate"), float)
TYPES |= {"n_events": int, "applicable": bool}


def check_keys(keys: Sequence[str]) -> list[str]:
    """Return keys of `TESTS` as a list, whatever their case.

    Raises
    ------
    RequestError
        If one is unknown; the message names close ones.
    """
    if isinstance(keys, str):
        raise RequestError(f"Tests are asked for as a list of keys: tests=[{keys!r}].")
    given = check_sequence("tests", keys, "keys, such as ['t', 'bmp']")
    return [key if isinstance(key, str) and key in TESTS else _meant(key) for key in given]


def _meant(key: object) -> str:
    """Return the key that is meant by another spelling, such as "BMP" or "grank-t"."""
    spelled = str(key).strip().lower().replace("-", "_").replace(" ", "_")
    if isinstance(key, str) and spelled in TESTS:
        return spelled
    close = get_close_matches(spelled, TESTS, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise RequestError(f"There is no test {key!r}. {hint}Known tests: {', '.join(TESTS)}.")


def as_tests(tests: Sequence[str | SignificanceTest]) -> list[SignificanceTest]:
    """Return the tests asked for, by key of `TESTS` or as objects.

    Raises
    ------
    RequestError
        If a key is unknown, or two tests have the same key.
    """
    if isinstance(tests, str | SignificanceTest):
        key = tests if isinstance(tests, str) else tests.key
        raise RequestError(f"Tests are asked for as a list: tests=[{key!r}].")
    given = check_sequence("tests", tests, "keys, such as ['t', 'bmp']")
    found = [test if isinstance(test, SignificanceTest) else TESTS[check_keys([test])[0]] for test in given]
    mine = [test for test in found if TESTS.get(test.key) is not test]
    clash = next((test.key for test in mine if [other.key for other in found].count(test.key) > 1), None)
    if clash is not None:
        raise RequestError(f"Two of the tests have the key {clash!r}; give your test a key of its own.")
    return found


def prefetch(tests: Iterable[SignificanceTest], data: TestInput) -> None:
    """Read for several tests what they need of the estimation windows of many events.

    Sums and the mean correlation come first, since ranks may depend on them.
    """
    wanted = {name for test in tests for name in test.reads}
    if not wanted or data.with_variance.n_events <= residual_pass.FEW:
        return
    used = data.with_variance
    reductions: dict[str, Reduction[Any]] = {}
    ranked = [name for name in RANK_SETS if name in wanted]
    kept: dict[int, ResidualChunk] | None = {} if ranked else None
    if "sums" in wanted and recall(used.abnormal, PAST_SUMS) is None:
        reductions["sums"] = SumReducer(used.abnormal)
    if "correlation" in wanted and "dependence" not in used._readings:
        correlations = SumOfCorrelations.of(used.abnormal, used.window)
        if correlations is not None:
            reductions["correlation"] = correlations
    if reductions:
        done = read_residuals(used.abnormal, list(reductions.values()), kept)
        found = dict(zip(reductions, done, strict=True))
        if "sums" in found:
            remember(used.abnormal, PAST_SUMS, found["sums"])
        sums = found.get("correlation")
        if sums is not None:
            used._readings["dependence"] = MeanCorrelation.of(sums[0], sums[1], used.n_events)
    read_profiles(used, ranked, kept)


def run_tests(
    data: TestInput, tests: Sequence[str | SignificanceTest] | None = None, options: Options | None = None
) -> pd.DataFrame:
    """Run significance tests on one tested window: one row per test.

    Events without a CAR in the window take no part in any test. A test that cannot be used is a row
    with ``applicable=False``, missing numbers and the reason in `note`.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    tests : sequence of str or SignificanceTest, optional
        Keys of `TESTS`, or tests of your own, in the order wanted; all of `TESTS` by default.
    options : Options, optional
        Side of the alternative, and randomness.

    Returns
    -------
    pandas.DataFrame
        Columns test, statistic, distribution, dof, p_value, estimate, n_events, null, robust_to (comma
        separated), reference, applicable, note. `estimate` is what the test tests: the mean CAR, the
        mean standardised CAR of the Patell and BMP tests, the share of positive CARs of the sign
        tests, the mean scaled rank (between -1/2 and 1/2) of the rank tests.

    Raises
    ------
    RequestError
        If a key or the alternative is unknown, or the number of resamples or the seed is invalid.

    Examples
    --------
    >>> from eventstudy.inference import run_tests
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": name, "date": "2019-05-22"} for name in ("002415.SZ", "002236.SZ")]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> run_tests(results.fitted.test_input(es.Window(0, 1)), ["portfolio"])["p_value"].round(4).tolist()
    [0.0121]
    """
    options = (Options() if options is None else options).settled()
    check_alternative(options.alternative)
    wanted = list(TESTS.values()) if tests is None else as_tests(tests)
    prefetch(wanted, data)
    return as_frame([_row(test, data, options) for test in wanted])


def as_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Make the table of `as_row`s, with the types of its columns."""
    return pd.DataFrame(
        {name: np.array([row[name] for row in rows], dtype=TYPES.get(name, object)) for name in COLUMNS}
    )


def _row(test: SignificanceTest, data: TestInput, options: Options) -> dict[str, object]:
    used = test.events_of(data)
    reason = used if isinstance(used, str) else test.condition(used)
    if isinstance(used, str) or reason is not None:
        return as_row(test, not_applicable(str(reason)), data.n_events, options)
    found = test.compute(used, options)
    if np.isnan(found.statistic):
        return as_row(test, found, data.n_events, options)
    said = remarks(test, data, used)
    if not {"cross-correlation"} & test.robust_to and unknown_correlation(used):
        said.append(f"assumes independent events, but {unknown_correlation(used)}")
    return as_row(test, found, used.n_events, options, used, said)


def as_row(
    test: Declaration,
    found: Statistic,
    n_events: int,
    options: Options,
    used: TestInput | None = None,
    remarks: Sequence[str] = (),
) -> dict[str, object]:
    """Make the row of a test's result; a missing statistic is a test that does not apply.

    The note is the test's own, `remarks` and, if the result is insignificant, the detectable effect.
    """
    row: dict[str, object] = {
        "test": test.key,
        "distribution": test.distribution,
        "n_events": n_events,
        "null": test.null,
        "robust_to": ", ".join(sorted(test.robust_to)),
        "reference": test.reference,
    }
    if np.isnan(found.statistic):
        missing = dict.fromkeys(("statistic", "dof", "p_value", "estimate"), np.nan)
        return row | missing | {"applicable": False, "note": f"not applicable: {found.note}"}
    found = replace(found, note="; ".join(note for note in (found.note, *remarks) if note))
    found = with_detectable(test, found, used, options)
    return row | {
        "statistic": found.statistic,
        "distribution": found.distribution,
        "dof": np.nan if found.dof is None else found.dof,
        "p_value": found.p_value,
        "estimate": found.estimate,
        "applicable": True,
        "note": found.note,
    }
