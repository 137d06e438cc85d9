"""Which tests survive a design, by a simulation of that design."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.inference.base import TestInput
from eventstudy.inference.registry import TESTS
from eventstudy.inference.selection import n_windows
from eventstudy.windows import Window

__all__ = ["Calibrated", "recalibrate"]

#: Tests that hold their size are added until there are this many.
ENOUGH = 3


@runtime_checkable
class Calibrated(Protocol):
    """Rejection rates simulated for one design; `eventstudy.lab.Calibration` is one."""

    @property
    def n_events(self) -> int:
        """Events of one sample."""

    @property
    def n_dates(self) -> int:
        """Dates of one sample."""

    @property
    def window(self) -> Window:
        """Tested window."""

    def rates(self, alpha: float = 0.05) -> pd.DataFrame:
        """Rejection rates by model, test, variance and shift, with intervals."""


def recalibrate(
    data: TestInput, chosen: pd.DataFrame, calibration: Calibrated, model: str, alpha: float = 0.05
) -> pd.DataFrame:
    """Order the tests of a design by what a simulation of that design says of their size.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    chosen : DataFrame
        Columns test and reason: the tests of `eventstudy.inference.procedures.recommendation`.
    calibration : Calibrated
        Rejection rates of this design, without shift and at ordinary variance at least.
    model : str
        Name of the normal-return model in `calibration`.
    alpha : float, default 0.05
        Nominal size.

    Returns
    -------
    DataFrame
        Columns test, reason, size, size_low, size_high (rejection rate of a true null with its interval; NaN
        where it was not simulated) and well_specified (missing alike). First the design's tests that do
        not reject too often, then those not simulated; where fewer than three held, the strongest others
        that did; last the design's tests whose whole interval lies above `alpha`.

    Raises
    ------
    RequestError
        If `calibration` is not a calibration, is of another number of events or dates, another window or
        another model, or says nothing of size.
    """
    if not isinstance(calibration, Calibrated):
        raise RequestError(
            f"calibration takes what lab.calibrate(like=results) returns, got {type(calibration).__name__}."
        )
    _check_design(data, calibration)
    rates = calibration.rates(alpha)
    rates = rates[rates["model"] == model]
    if rates.empty:
        raise RequestError(
            f"The calibration has no model {model!r}: calibrate(like=results) takes that of the study."
        )
    null = rates[(rates["shift"] == 0) & (rates["n_samples"] > 0)]
    size = null[null["variance"] == 1.0].set_index("test")
    if size.empty:
        raise RequestError("The calibration says nothing of size: simulate it with shift 0 and variance 1.")
    doubled = null[null["variance"] > 1.0].set_index("test")
    sound = size.index[size["ci_low"].to_numpy(float) <= alpha].tolist()
    design = dict(zip(chosen["test"], chosen["reason"], strict=True))
    held = [key for key in design if key in sound]
    unknown = [key for key in design if key not in size.index]
    failed = [key for key in design if key in size.index and key not in sound]
    others = [
        key for key in _by_power(rates, sound) if key not in design and TESTS[key].applies(data) is None
    ]
    added = others[: max(ENOUGH - len(held), 0)]
    where = _design(calibration)
    rows = []
    for key in [*held, *unknown, *added, *failed]:
        reason = design.get(key, "not among the tests of this design, but it held its size in the simulation")
        if key in unknown:
            reason += "; not simulated"
        else:
            reason += f"; on this market, with {where}, it rejects {_size(size.loc[key], alpha)}"
            worse = doubled.loc[[key]] if key in doubled.index else doubled.iloc[:0]
            reason += "".join(
                f", and {row.rate:.1%} if variance is {row.variance:g} times that"
                for row in worse.itertuples()
            )
            if key in failed:
                reason += ": too often to be relied on here"
        rows.append((key, reason))
    out = pd.DataFrame(rows, columns=["test", "reason"], dtype=object)
    for name, column in (("size", "rate"), ("size_low", "ci_low"), ("size_high", "ci_high")):
        out[name] = size[column].reindex(out["test"]).to_numpy(float)
    verdict = pd.array(out["size_low"].to_numpy(float) <= alpha, dtype="boolean")
    out["well_specified"] = pd.Series(verdict).mask(out["size"].isna())
    return out


def _check_design(data: TestInput, calibration: Calibrated) -> None:
    n, dates = data.with_car.n_events, n_windows(data)
    if (n, dates, data.window) != (calibration.n_events, calibration.n_dates, calibration.window):
        raise RequestError(
            f"The calibration is of {_design(calibration)} and window {calibration.window}; this is a test "
            f"of {_events(n, dates)} and window {data.window}. Use lab.calibrate(like=results, window=...)."
        )


def _by_power(rates: pd.DataFrame, keys: list[str]) -> list[str]:
    """Order tests by their mean rejection rate of false nulls; in the given order if none was simulated."""
    false = rates[(rates["shift"] != 0) & (rates["variance"] == 1.0)]
    found = false.groupby("test")["rate"].mean().reindex(keys).fillna(0.0).to_numpy()
    return [keys[i] for i in np.argsort(-found, kind="stable")]


def _design(calibration: Calibrated) -> str:
    return _events(calibration.n_events, calibration.n_dates)


def _events(n: int, dates: int) -> str:
    if n == 1:
        return "one event"
    return f"{n} events on {'one date' if dates == 1 else f'{dates} dates'}"


def _size(row: pd.Series[float], alpha: float) -> str:
    interval = f"{row['ci_low']:.1%} to {row['ci_high']:.1%}"
    return f"{row['rate']:.1%} of true nulls at nominal {alpha:.0%} ({interval})"
