"""Which functions of the library a test enters on its way from residual to p-value, file by file.

    python benchmarks/trace_test.py [key ...]

fits a study of events on one date, hands the events that a test uses to its `compute`, and prints each
function that is entered until the p-value is there, in order, with its file. Every Python function of the
package counts, properties and inner functions included, but each once: a second call, or a call whose result
was kept, sends no reader to a page that was not read already. CARs are kept, and so are the residuals, which
were read before. A file entered again after others counts as a return to it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import FrameType

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.inference import TESTS, Options, TestInput
from eventstudy.windows import Window

PACKAGE = Path(es.__file__).parent
KEYS = ("grank_t", "adjusted_bmp")


@dataclass(frozen=True)
class Trip:
    """Functions entered, as (file, name), in the order in which they are first entered."""

    functions: tuple[tuple[str, str], ...]

    @property
    def returns(self) -> dict[str, int]:
        """How often each file is entered again after others."""
        visits = Counter(file for file, _ in groupby(file for file, _ in self.functions))
        return {file: n - 1 for file, n in visits.items()}


def traced(run: Callable[[], object]) -> Trip:
    """Run something, and note the functions of the package that it enters."""
    entered: dict[tuple[str, str], None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            entered.setdefault((path.relative_to(PACKAGE).as_posix(), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return Trip(tuple(entered))


def study(n_events: int = 30) -> es.EventStudyResults:
    """Events of many securities on one date."""
    rng = np.random.default_rng(20190522)
    days = pd.bdate_range("2018-01-02", periods=320, name="date")
    benchmark = pd.Series(0.01 * rng.standard_normal(320), days, name="index")
    noise = 0.02 * rng.standard_normal((320, n_events))
    returns = pd.DataFrame(noise + benchmark.to_numpy()[:, None], days, [f"S{i}" for i in range(n_events)])
    events = pd.DataFrame({"security": returns.columns, "date": days[290]})
    return es.EventStudy(es.Market(returns, benchmark=benchmark), events).fit()


def trip(key: str, results: es.EventStudyResults) -> Trip:
    """Trace a test from the residuals of fitted events to its p-value."""
    abnormal = results.fitted.abnormal
    abnormal.past.residuals()
    used = TESTS[key].events_of(TestInput(abnormal, Window(0, 1)))
    assert isinstance(used, TestInput)
    whole = traced(lambda: TESTS[key].compute(used, Options())).functions
    # What follows the p-value makes the record that holds it.
    end = max(i for i, (_, name) in enumerate(whole) if name in ("p_value", "resampled_p_value"))
    return Trip(whole[: end + 1])


def main() -> None:
    results = study()
    for key in sys.argv[1:] or KEYS:
        found = trip(key, results)
        print(f"{key}: {len(found.functions)} functions, {len(found.returns)} files", end="")
        again = {file: n for file, n in found.returns.items() if n}
        print(f", returns {again or 'none'}")
        for file, name in found.functions:
            print(f"    {file:<45} {name}")


if __name__ == "__main__":
    main()
