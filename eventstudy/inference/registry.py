"""All significance tests in one ordered mapping, and the table of their results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, get_args

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.inference.base import (
    Alternative,
    Declaration,
    Options,
    SignificanceTest,
    Statistic,
    TestInput,
)
from eventstudy.inference.bootstrap import RESAMPLING_TESTS
from eventstudy.inference.calendar_time import CALENDAR_TESTS
from eventstudy.inference.cross_section import PARAMETRIC_TESTS
from eventstudy.inference.dependence.mean_correlation import keep_dependence
from eventstudy.inference.dependence.sessions import SumOfCorrelations
from eventstudy.inference.engine.residual_pass import PAST_SUMS, Reduction, SumReducer, read_residuals
from eventstudy.inference.garch import GARCH_TESTS
from eventstudy.inference.portfolio import PORTFOLIO_TESTS
from eventstudy.inference.power_and_detectable_effect import with_detectable
from eventstudy.inference.pseudo_dates import VECTOR_TESTS
from eventstudy.inference.ranks import RANK_SETS, RANK_TESTS, profiles
from eventstudy.inference.refitted import REFIT_TESTS
from eventstudy.inference.selection import (
    not_applicable,
    recall,
    remember,
    too_few_events,
    usable_events,
    with_variance,
)
from eventstudy.inference.signs import SIGN_TESTS
from eventstudy.inference.single_event import SINGLE_TESTS

__all__ = ["COLUMNS", "TESTS", "as_frame", "as_row", "check_keys", "prefetch", "run_tests"]


def prefetch(tests: Iterable[SignificanceTest], data: TestInput) -> None:
    """Read for several tests what they need of the estimation windows, and remember it.

    Sums and the mean correlation come first, for ranks may depend on them.
    """
    wanted = {name for test in tests for name in test.reads}
    if not wanted or too_few_events(data, scaled=True):
        return
    used = with_variance(data)
    reductions: dict[str, Reduction[Any]] = {}
    if "sums" in wanted and recall(used.abnormal, PAST_SUMS) is None:
        reductions["sums"] = SumReducer(used.abnormal)
    if "correlation" in wanted and recall(used, "dependence") is None:
        correlations = SumOfCorrelations.of(used.abnormal, used.window)
        if correlations is not None:
            reductions["correlation"] = correlations
    if reductions:
        found = dict(zip(reductions, read_residuals(used.abnormal, list(reductions.values())), strict=True))
        if "sums" in found:
            remember(used.abnormal, PAST_SUMS, found["sums"])
        keep_dependence(used, found.get("correlation"))
    profiles(used, [name for name in RANK_SETS if name in wanted])


ORDER = [
    "cross_sectional",
    "independence",
    "time_series",
    "portfolio",
    "lamb",
    "patell",
    "adjusted_patell",
    "bmp",
    "adjusted_bmp",
    "skewness_adjusted",
    "jaffe",
    "sign",
    "generalized_sign",
    "rank",
    "rank_zivney",
    "sign_zivney",
    "grank_t",
    "grank_z",
    "cumrank_t",
    "cumrank_z",
    "wilcoxon",
    "jackknife",
    "bootstrap",
    "wild_bootstrap",
    "block_bootstrap",
    "permutation",
    "t",
    "sq",
    "conformal",
    "garch_t",
    "bootstrap_t",
]

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

_declared = {
    test.key: test
    for test in (
        *PARAMETRIC_TESTS,
        *PORTFOLIO_TESTS,
        *CALENDAR_TESTS,
        *SIGN_TESTS,
        *RANK_TESTS,
        *RESAMPLING_TESTS,
        *VECTOR_TESTS,
        *SINGLE_TESTS,
        *REFIT_TESTS,
        *GARCH_TESTS,
    )
}

#: Every significance test by key, in the order of the tables.
TESTS: dict[str, SignificanceTest] = {key: _declared[key] for key in ORDER}


def check_keys(keys: Sequence[str]) -> list[str]:
    """Return `keys` as a list, or raise RequestError that names close matches of an unknown one."""
    if isinstance(keys, str):
        raise RequestError(f"Tests are asked for as a list of keys: tests=[{keys!r}].")
    for key in keys:
        if key not in TESTS:
            close = get_close_matches(str(key), TESTS, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise RequestError(f"There is no test {key!r}. {hint} Known tests: {', '.join(TESTS)}.")
    return list(keys)


def run_tests(
    data: TestInput, keys: Sequence[str] | None = None, options: Options | None = None
) -> pd.DataFrame:
    """Run significance tests on one tested window: one row a test.

    Events without a CAR in the window take no part in any test. A test that cannot be used is a row
    with ``applicable=False``, missing numbers and the reason in `note`.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    keys : sequence of str, optional
        Keys of `TESTS`, in the order wanted; all of them by default.
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
    """
    options = (Options() if options is None else options).settled()
    if options.alternative not in get_args(Alternative):
        raise RequestError(
            f"alternative must be one of {', '.join(get_args(Alternative))}, got {options.alternative!r}."
        )
    wanted = list(TESTS) if keys is None else check_keys(keys)
    prefetch([TESTS[key] for key in wanted], data)
    return as_frame([_row(TESTS[key], data, options) for key in wanted])


def as_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Make the table of `as_row`s, with the types of its columns."""
    return pd.DataFrame(
        {name: np.array([row[name] for row in rows], dtype=TYPES.get(name, object)) for name in COLUMNS}
    )


def _row(test: SignificanceTest, data: TestInput, options: Options) -> dict[str, object]:
    reason = test.applies(data)
    found = not_applicable(reason) if reason else test.compute(data, options)
    return as_row(test, found, usable_events(data).n_events, options, data)


def as_row(
    test: Declaration,
    found: Statistic,
    n_events: int,
    options: Options,
    data: TestInput | None = None,
) -> dict[str, object]:
    """Make the row of a test's result; a missing statistic is a test that does not apply.

    The note of an insignificant one says what it could have found.
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
    found = with_detectable(test, found, data, options)
    return row | {
        "statistic": found.statistic,
        "distribution": found.distribution,
        "dof": np.nan if found.dof is None else found.dof,
        "p_value": found.p_value,
        "estimate": found.estimate,
        "n_events": found.extra.get("n_events", n_events),
        "applicable": True,
        "note": found.note,
    }
