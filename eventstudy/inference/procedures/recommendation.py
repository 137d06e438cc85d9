"""Which tests survive a design; the rules are those of docs/explanation/which_test_when.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from eventstudy.errors import RequestError
from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.mean_correlation import Clustering, clustering
from eventstudy.inference.registry import TESTS, check_keys
from eventstudy.inference.selection import FEW_EVENTS, n_windows, overlap_note
from eventstudy.inference.single_event import ENOUGH_BLOCKS
from eventstudy.windows import Window

__all__ = ["Calibrated", "disagreement", "recalibrate", "recommend"]

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


#: With fewer events than FEW, tests scaled by the events' own standard deviation come last; from MANY on,
#: ranks come beside the BMP t.
FEW, MANY = FEW_EVENTS, 20
#: Dependence matters where it costs more than this share of the events' information.
LOSS = 0.1


def recommend(data: TestInput, available: Collection[str] | None = None) -> pd.DataFrame:
    """Choose the tests that survive the design, the most trustworthy first.

    The choice looks at the number of events, the dates they share, the mean correlation of their
    residuals and the length of the window, and names only tests that apply.

    Parameters
    ----------
    data : TestInput
        Events and tested window.
    available : collection of str, optional
        Keys to choose from; all tests by default.

    Returns
    -------
    pandas.DataFrame
        Columns test and reason, one row per test; empty where no test applies.

    Raises
    ------
    RequestError
        If `available` names an unknown test.
    """
    known = set(TESTS if available is None else check_keys(list(available)))
    rows = [
        (key, reason)
        for key, reason in _candidates(data)
        if key in known and TESTS[key].applies(data) is None
    ]
    return pd.DataFrame(rows, columns=["test", "reason"], dtype=object)


def _candidates(data: TestInput) -> list[tuple[str, str]]:
    n = data.with_car.n_events
    if n == 0:
        return []
    if n == 1:
        return _one_event(data)
    found = clustering(data)
    if not data.abnormal.exact:
        return _approximate(found, bool(overlap_note(data)))
    if found.n_dates == 1:
        return _one_date(data, found)
    if not found.effective_n >= (1.0 - LOSS) * n:
        return _clustered(found, bool(overlap_note(data)))
    return _independent(found)


def _one_event(data: TestInput) -> list[tuple[str, str]]:
    usable = data.with_car
    fit = usable.abnormal
    n_obs = int(fit.n_obs[0])
    length = max(int(fit.span[0, usable.cols].sum()), 1)
    pool = f"{n_obs} estimation days" if length == 1 else f"{n_obs // length} blocks of {length} days"
    own = f"one event: ranks its CAR among {pool} of its own past"
    sq = ("sq", f"{own}, and does not assume normally distributed returns")
    blocks = (
        "conformal",
        "the same idea with the event in the fitted sample: exact if its days are exchangeable",
    )
    if not fit.exact:
        why = "this model's standard error is approximate, so no t is recommended beside it"
        return [(sq[0], f"{sq[1]}; {why}"), blocks]
    exact = f"exact with {fit.dof[0]:g} degrees of freedom if returns are normally distributed: no averaging"
    if n_obs // length < ENOUGH_BLOCKS:
        floor = (
            f"{n_obs // length} blocks of {length} days cannot give p below {1 / (n_obs // length + 1):.3f}"
        )
        drawn = (
            f"draws {length} days at a time from {n_obs}, so it needs no normal distribution and no blocks"
        )
        return [("t", f"{exact}; {floor}"), ("bootstrap_t", drawn), (sq[0], f"{sq[1]}, but {floor}")]
    return [sq, blocks, ("t", exact)]


def _cost(found: Clustering) -> str:
    return (
        f"mean correlation {found.mean_correlation:.3g}, effective N {_effective(found)} of {found.n_events}"
    )


def _effective(found: Clustering) -> str:
    return f"{found.effective_n:.0f}" if found.effective_n >= 100 else f"{found.effective_n:.1f}"


def _one_date(data: TestInput, found: Clustering) -> list[tuple[str, str]]:
    n = found.n_events
    first = f"all {n} events share one date ({_cost(found)}): adjusted for it, and for a more volatile event"
    if n < FEW:
        first += f"; only {n - 1} degree{'s' if n > 2 else ''} of freedom"
    days = int(data.with_car.abnormal.n_obs.max())
    ranks = ("grank_t", f"the same two defences by ranks, so outliers among the {n} CARs do not decide")
    others = "adjusted_bmp does" if n < FEW else "the two above do"
    by_past = [
        (
            "portfolio",
            f"measures the mean of {n} events by its own {days} estimation days, which covers correlation of "
            f"any form, and is exact for normally distributed returns; if it rejects and {others} not, "
            "suspect a rise in variance",
        ),
        (
            "block_bootstrap",
            "the same for returns of any distribution: days are drawn for all events at once. No test of "
            "these events survives a shared shock that is itself larger than usual: compare them with firms "
            "the news left alone, test(..., against=controls)",
        ),
        ("permutation", "the same by rank among the portfolio's own pseudo-dates"),
    ]
    if n < FEW:
        return [("adjusted_bmp", first), *by_past, (ranks[0], f"{ranks[1]}; {_too_ready(n)}")]
    return [("adjusted_bmp", first), ranks, *by_past]


def disagreement(p_values: Mapping[str, float], alpha: float = 0.05) -> dict[str, str]:
    """Say what it means where the two kinds of tests for one common date disagree; a note by test key.

    Parameters
    ----------
    p_values : mapping of float
        By test key.
    alpha : float, default 0.05

    Examples
    --------
    >>> list(disagreement({"adjusted_bmp": 0.3, "portfolio": 0.01}))
    ['portfolio']
    """
    by_events, by_past = p_values.get("adjusted_bmp", np.nan), p_values.get("portfolio", np.nan)
    if by_past <= alpha < by_events:
        return {
            "portfolio": "rejects where adjusted_bmp does not: the event was more volatile than the "
            "estimation window, which this test takes for an effect; compare with test(..., against=controls)"
        }
    if by_events <= alpha < by_past:
        return {
            "adjusted_bmp": "rejects where portfolio does not: the CARs vary less than their estimation "
            "windows imply, a sign of a calmer event, or chance where events are few"
        }
    return {}


def _too_ready(n: int) -> str:
    # Its cross-sectional deviation rests on the events themselves (size table of the docs).
    return f"with only {n} events it over-rejects, because it divides by the events' own standard deviation"


def _clustered(found: Clustering, overlapping: bool) -> list[tuple[str, str]]:
    n = found.n_events
    share = f"{found.share_overlapping:.0%} of the pairs of {n} events on {found.n_dates} dates share a day"
    first = ("adjusted_bmp", f"{share} ({_cost(found)}): adjusted for it, and for a more volatile event")
    dates = (
        "jaffe",
        f"takes the calendar day as the unit; {found.n_dates} dates, safe if variance did not rise",
    )
    if overlapping:  # ranks go by relative day, which is another calendar day of each date
        return [first, dates]
    ranks = "the same two defences by ranks"
    if n < FEW:
        return [first, dates, ("grank_t", f"{ranks}; {_too_ready(n)}")]
    return [first, ("grank_t", ranks), dates]


def _approximate(found: Clustering, overlapping: bool) -> list[tuple[str, str]]:
    """Ranks, signs and draws: what does not rest on a standard error that is itself approximate."""
    n = found.n_events
    dates = "one date" if found.n_dates == 1 else f"{found.n_dates} dates"
    why = (
        f"{n} events on {dates} ({_cost(found)}): this model's standard error is approximate, so tests "
        "scaled by it are left out"
    )
    ranks = "ranks survive correlation and a more volatile event"

    def led(*others: tuple[str, str]) -> list[tuple[str, str]]:
        """Put ranks first, or last where there are too few events; the first says why."""
        if n >= FEW:
            return [("grank_t", f"{why}; {ranks}"), *others]
        (key, reason), *more = others
        return [(key, f"{why}; {reason}"), *more, ("grank_t", f"{ranks}; {_too_ready(n)}")]

    if found.n_dates == 1:
        ranked = "ranks the mean CAR among the portfolio's own pseudo-dates, which keeps any correlation"
        drawn = "draws estimation days for all events at once, which keeps correlation of any form"
        return led(("permutation", ranked), ("block_bootstrap", drawn))
    wild = ("wild_bootstrap", f"flips the signs of the CARs, whole dates at once, on {dates}")
    if overlapping and not found.effective_n >= (1.0 - LOSS) * n:
        days = "takes the calendar day as the unit, as windows of different dates share days"
        return [("jaffe", f"{why}; {days}; safe if variance did not rise")]
    if not found.effective_n >= (1.0 - LOSS) * n:
        return led(wild)
    if n >= MANY:
        counted = f"counts the signs of {n} CARs against their share before the event"
        return led(("generalized_sign", counted))
    return led(wild, ("sign", f"exact for {n} CARs, whatever their distribution, if their median is zero"))


def _independent(found: Clustering) -> list[tuple[str, str]]:
    n = found.n_events
    which = f"{n} events on {found.n_dates} dates, effective N {_effective(found)}"
    ranks = "ranks survive outliers and a more volatile event"
    if n >= MANY:
        return [
            ("bmp", f"{which}: independent enough, and a more volatile event does not mislead it"),
            ("grank_t", "ranks survive outliers, a more volatile event and correlation"),
            ("generalized_sign", f"counts the signs of {n} CARs against their share before the event"),
        ]
    few = (
        "bmp",
        f"{which}: t with {n - 1} degrees of freedom allows for so few, and for a more volatile event",
    )
    sign = ("sign", f"exact for {n} CARs whose median is zero")
    if n >= FEW:
        return [few, ("grank_t", ranks), sign]
    rank = ("grank_t", f"{ranks}; {_too_ready(n)}")
    wild = ("wild_bootstrap", f"flips the signs of {n} CARs: near exact where these are symmetric")
    return [few, wild, sign, rank]
