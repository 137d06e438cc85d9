"""Faults that were mended, put back: which random case finds each.

A fault is put back by an edit of the function that mends it, for as long as a with block lasts. The first
case that finds it is kept here beside it. Cases move when what draws them is changed; then search again:

    python tests/fuzz/reverted.py
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType

import cases


@dataclass(frozen=True)
class Fault:
    """What goes wrong, kinds of cases that may find it, the case that does, and the edits.

    Of each edit: module and function below ``eventstudy``, what stands there, and what stood there before.
    """

    name: str
    kinds: tuple[str, ...]
    seed: int
    edits: tuple[tuple[str, str, str], ...]


STUDIES = ("study", "volume", "pool", "bars")
FAULTS = (
    Fault(
        "figures of days after the data", STUDIES, 620,
        (("plotting.reaction:plot_reaction", 'frame.dropna(subset="date").sort_values("date")', "frame"),),
    ),
    Fault(
        "a remark proves a decimal sign", ("file",), 1709,
        (
            (
                "sources.raw_tables:_likely",
                "if all(_NUMBER.fullmatch(text) and not _POINTED_DATE.fullmatch(text) for text in texts):",
                "if texts := [text for text in texts if _NUMBER.fullmatch(text)]:",
            ),
        ),
    ),
    Fault(
        "commas of thousands or decimals, unasked", ("file",), 681,
        (("tabular.numbers:_dressed", "elif commas and in_file:", "elif False:"),),
    ),
    Fault(
        "oversized cells", ("file",), 468,
        (("sources.raw_tables:_cells", "except csv.Error as", "except ZeroDivisionError as"),),
    ),
    Fault(
        "rows without a date", ("file",), 456,
        (("tabular.frames:_read_any", "if read.stamps.hasnans:", "if False:"),),
    ),
    Fault(
        "bounds of a size of 0 or 1", ("lab",), 240,
        (
            (
                "lab.calibration:Calibration.rates",
                "low, high = np.minimum(low, shares), np.maximum(high, shares)", "pass",
            ),
            ("plotting.size:plot_size", "np.maximum(rate - rows", "np.add(rate - rows"),
            ("plotting.size:plot_size", 'np.maximum(rows["ci_high"]', 'np.add(rows["ci_high"]'),
        ),
    ),
    Fault(
        "results do not pickle after a test", STUDIES, 656,
        (
            (
                "inference.rank_sets:_daily",
                "partial(_scaled_days, data.abnormal)", "lambda rows: _scaled_days(data.abnormal, rows)",
            ),
        ),
    ),
    Fault(
        "lags of a calendar-time portfolio", ("long run",), 215,
        (("longrun.calendar_time:CalendarTimePortfolio.__init__", 'check_whole("lags", lags, 0)', "pass"),),
    ),
    Fault(
        "periods of standardised portfolios", ("long run",), 227,
        (
            (
                "longrun.calendar_time:CalendarTimeResults.jaffe_mandelker",
                'check_whole("minimum", minimum, 2)', "pass",
            ),
        ),
    ),
    Fault(
        "an elastic net draws from the global state", ("study",), 1470,
        (("models.peer_regressions:ElasticNetModel._path", "random_state=0", "random_state=None"),),
    ),
    Fault(
        "logarithms of nought in formulas", STUDIES, 3419,
        (("regressions.core:least_squares", 'np.errstate(all="ignore")', "np.errstate()"),),
    ),
    Fault(
        "an unknown alternative of the joint test", STUDIES, 135,
        (
            (
                "inference.procedures.multivariate:joint_test",
                "check_alternative(alternative)", "pass",
            ),
        ),
    ),
    Fault(
        "no method of intervals", STUDIES, 277,
        (("inference.procedures.intervals:event_intervals", "and len(methods) > 0", ""),),
    ),
    Fault(
        "unbounded intervals without a note", STUDIES, 801,
        (
            (
                "inference.procedures.intervals:event_intervals",
                "if np.isinf([low, high])[list(bounded[options.alternative])].any() and not note:",
                "if False:",
            ),
        ),
    ),
    Fault(
        "the parts of a day after the data", STUDIES, 44,
        (
            (
                "results.plot_data:decomposition",
                "if not 0 <= position < len(market.sessions):", "if False:",
            ),
        ),
    ),
    Fault(
        "bars finer than told", ("bars",), 840,
        (("market.intraday:lay_on_bars", "if not closes[inside].is_unique:", "if False:"),),
    ),
    Fault(
        "formats that cannot write", ("table",), 60,
        (("tables.table:_cell", "except (ValueError, LookupError, TypeError, AttributeError):",
          "except ZeroDivisionError:"),),
    ),
    Fault(
        "index of two levels without names", ("table",), 80,
        (("tables.table:_grid", "list(range(cells.index.nlevels)) if", "list(cells.index.names) if"),),
    ),
    Fault(
        "what is no character in a workbook", ("table",), 1017,
        (
            ("tables.table:_spreadsheet", "strip_control(value)", "str(value)"),
            ("tables.table:_label", "strip_control(str(value))", "str(value)"),
            ("tables.table:Table.__post_init__", "strip_control(self.title)", "self.title"),
        ),
    ),
    Fault(
        "frames handed out are the results' own", STUDIES, 57,
        (("immutable:own_copy", "frame.copy(deep=DEEP)", "frame"),),
    ),
    Fault(
        "prices that no return can be made of", ("study",), 1020,
        (("market.wide_and_long:check_prices",
          "bad |= _beyond_all_bounds(np.where(bad, np.nan, values))", "pass"),),
    ),
    Fault(
        "days that nanoseconds cannot hold", ("study", "file"), 452,
        (("tabular.days:_days_of", "except pd.errors.OutOfBoundsDatetime as problem:\n        far",
          "except ZeroDivisionError as problem:\n        far"),),
    ),
)  # fmt: skip


def _function(path: str) -> FunctionType:
    module, _, name = path.partition(":")
    found = import_module(f"eventstudy.{module}")
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    found = getattr(found, "fget", found)
    return inspect.unwrap(found)


@contextmanager
def put_back(fault: Fault) -> Iterator[None]:
    """Run the library with a fault that was mended, inside a with block."""
    before = []
    cases.made.cache_clear()
    try:
        for path, now, then in fault.edits:
            function = _function(path)
            held = function.__code__
            source = _SOURCES.get(path) or textwrap.dedent(inspect.getsource(function))
            assert source.count(now) == 1, f"{path} has no longer {now!r}"
            _SOURCES[path] = changed = source.replace(now, then)
            lines = changed[changed.index("def ") :] if changed.startswith("@") else changed
            made: dict[str, FunctionType] = {}
            exec(
                compile(f"from __future__ import annotations\n{lines}", path, "exec"),
                function.__globals__,
                made,
            )
            before.append((function, held))
            function.__code__ = made[function.__name__].__code__
        yield
    finally:
        for function, held in reversed(before):
            function.__code__ = held
        _SOURCES.clear()
        cases.made.cache_clear()


#: Sources of functions that are being edited, which may be edited more than once.
_SOURCES: dict[str, str] = {}


def finds(seed: int) -> str | None:
    """What a case finds, after the cases of its group before it, as they share what was made; or None."""
    for each in range(seed - seed % cases.GROUP, seed + 1):
        found = _found(each)
    return found


def _found(seed: int) -> str | None:
    try:
        cases.run(seed)
    except Exception as found:
        return f"{type(found).__name__}: {found}".splitlines()[0][:100]
    return None


def main() -> None:
    """Search the first case that finds each fault."""
    for fault in FAULTS if len(sys.argv) < 2 else [each for each in FAULTS if sys.argv[1] in each.name]:
        with put_back(fault):
            for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 0, 6_000):
                if cases.kind_of(seed) in fault.kinds and (found := _found(seed)):
                    print(f"{fault.name}: {seed} ({found})", flush=True)
                    break
            else:
                print(f"{fault.name}: not found", flush=True)


if __name__ == "__main__":
    main()
