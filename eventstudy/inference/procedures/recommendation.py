"""Which tests survive a design; the rules are those of docs/explanation/which_test_when.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from scipy import special

from eventstudy.errors import RequestError
from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.mean_correlation import LOSS, Clustering, clustering, dependence
from eventstudy.inference.engine.moments import SERIAL
from eventstudy.inference.procedures.lead import (
    MORE,
    kind_of_window,
    lead_sizes,
    order_of,
    reaches,
    spread_of_dates,
)
from eventstudy.inference.procedures.mean_interval import FEWEST
from eventstudy.inference.pseudo_dates import sessions_tested
from eventstudy.inference.registry import TESTS, check_keys
from eventstudy.inference.selection import FEW_EVENTS, n_windows, overlap_note
from eventstudy.inference.single_event import ENOUGH_BLOCKS
from eventstudy.lazy import chunks, memo
from eventstudy.windows import Window

__all__ = ["LOSS", "Calibrated", "disagreement", "recalibrate", "recommend", "tests_asked"]

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
#: Numbers of events and least days for which the t by estimation windows finds more: over fewer days, whose
#: errors have fat tails, it rejects too often.
BY_WINDOWS, LEAST_DAYS = range(4, 10), 9
FILTERED_T = (
    "filtered_t",
    "t of the mean over its volatility forecast from the days before: it allows for correlation of any form "
    "and for volatility that had risen by then, not for one that rises on the day",
)
FILTERED_SQ = (
    "filtered_sq",
    "ranks the mean of each date among past means, each over the volatility forecast from the days before: "
    "it holds under correlation of any form and where volatility had risen by then, not where it rises on "
    "the day",
)
FILTERED_BMP = (
    "filtered_bmp",
    "t of the mean standardised CAR over the usual size of such a t in the weeks before: it holds where "
    "firms move together more than they used to, and a more volatile event does not deceive it",
)
FILTERED_RANK = (
    "filtered_rank",
    "ranks each day among the past days of its own event, each over the volatility forecast from the days "
    "before: outliers do not decide, volatility that had risen by then does not mislead it, and it finds "
    "small effects more often",
)
INDEPENDENCE = (
    "independence",
    "t of the mean by the residual variances of the estimation windows, for which few events suffice; over "
    "many days the fat tails of errors average out",
)
RANKS = "allows for correlation and for a more volatile event by ranks"
#: Tests that take the variance of CARs from their spread over the events.
BY_SPREAD = ("bmp", "adjusted_bmp", "filtered_bmp")
#: Tests that take it from the past of the events.
BY_PAST = (
    "filtered_t", "filtered_sq", "filtered_rank", "portfolio", "rank", "cumrank_z", "independence",
)  # fmt: skip
#: Autocorrelation matters where it raises the variance of a sum by more than this: a t then rejects 8%.
MOST_INFLATION = 1.25


def recommend(data: TestInput, available: Collection[str] | None = None) -> pd.DataFrame:
    """Choose the tests that survive the design, the most trustworthy first.

    The choice looks at the number of events, the dates they share, the mean correlation of their
    residuals and the length of the window. It names only tests that apply and whose p-value can reach 5%;
    what a simulated size table says of the design decides which leads, and which stands beside it.

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

    Examples
    --------
    >>> from eventstudy.inference import recommend
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
    >>> recommend(results.fitted.test_input(es.Window(0, 0)))["test"].tolist()
    ['sq', 'filtered_sq', 'conformal', 't']
    """
    known = set(TESTS if available is None else check_keys(list(available)))
    n = data.with_car.n_events
    found = clustering(data) if n else None
    reasons = {
        key: reason
        for key, reason in ([] if found is None else _candidates(data, found))
        if key in known and TESTS[key].applies(data) is None and reaches(key, data)
    }
    keys = list(reasons)
    if found is not None and data.abnormal.bars is None:  # the table is of days
        independent = found.effective_n >= (1.0 - LOSS) * n
        dates = spread_of_dates(data, found, independent=independent)
        keys, told = order_of(keys, lead_sizes(dates, n, kind_of_window(data.window)))
        reasons |= {key: f"{reasons[key]}; {said}" for key, said in told.items()}
        if keys and n > 1 and not _scaled(data):
            reasons[keys[0]] = f"{_why_approximate(data, found)}; {reasons[keys[0]]}"
    return pd.DataFrame([(key, reasons[key]) for key in keys], columns=["test", "reason"], dtype=object)


def tests_asked(tests: str | Sequence[str] | None, data: TestInput) -> list[str]:
    """Keys of the tests asked for, or of those recommended if none are."""
    if tests is None:
        return list(recommend(data)["test"])
    return check_keys([tests] if isinstance(tests, str) else tests)


def _candidates(data: TestInput, found: Clustering) -> list[tuple[str, str]]:
    if data.abnormal.bars is not None:
        return [*_same_times(data), *_of_rows(data, found)]
    return _of_rows(data, found)


def _same_times(data: TestInput) -> list[tuple[str, str]]:
    """List the tests of bars that know the time of day, which come first."""
    what = "its CAR" if data.n_events == 1 else "the mean CAR"
    night = ", nights and breaks with nights and breaks" if data.with_car.spans_gap else ""
    return [
        (
            "time_of_day_t",
            f"compares {what} with the same times of earlier days{night}: exact if these are normally "
            "distributed, however volatility moves within the day",
        ),
        ("time_of_day_rank", "the same by rank, for returns of any distribution"),
    ]


def _of_rows(data: TestInput, found: Clustering) -> list[tuple[str, str]]:
    n = found.n_events
    if n == 1:
        return _one_event(data)
    if not _scaled(data):
        serial = data.abnormal.autocorrelation is not None or _serial_inflation(data) > 1.0
        several = sessions_tested(data) > 1
        return _approximate(found, bool(overlap_note(data)), serial=serial, several=several)
    if found.n_dates == 1:
        return _one_date(data, found)
    if not found.effective_n >= (1.0 - LOSS) * n:
        return _clustered(found, bool(overlap_note(data)))
    return _independent(data, found)


def _scaled(data: TestInput) -> bool:
    """Whether the standard error of a CAR can be taken at its word."""
    return data.abnormal.exact and _serial_inflation(data) == 1.0


def _serial_inflation(data: TestInput) -> float:
    r"""How many times the variance of a CAR is what a model of independent errors makes of it.

    .. math:: 1 + 2 \hat\rho_1 (1 - 1/L), \qquad
              \hat\rho_1 = \sum_{it} e_{it} e_{i,t-1} \Big/ \sum_{it} e_{it}^2

    for L sessions and the residuals of the estimation windows, where it is more than `MOST_INFLATION` and the
    autocorrelation is beyond 2.58 standard errors of one event's; else 1, as in models that know of it.
    """

    def compute() -> float:
        fit, length = data.with_car.abnormal, sessions_tested(data)
        if fit.autocorrelation is not None or length < 2:
            return 1.0
        products = squares = 0.0
        for part in chunks(fit.n_events):
            e = np.nan_to_num(fit.past.residuals(part))
            products += float((e[:, 1:] * e[:, :-1]).sum())
            squares += float((e**2).sum())
        if not squares > 0.0:
            return 1.0
        rho, days = products / squares, float(np.median(fit.n_obs))
        inflation = 1.0 + 2.0 * rho * (1.0 - 1.0 / length)
        return inflation if rho * np.sqrt(days) > SERIAL and inflation > MOST_INFLATION else 1.0

    return memo(data, "serial_inflation", compute)


def _why_serial(data: TestInput) -> str:
    return (
        f"residuals are autocorrelated, which makes the variance of {sessions_tested(data)} sessions about "
        f"{_serial_inflation(data):.1f} times what this model takes it for (AutocorrelatedErrors knows)"
    )


def _one_event(data: TestInput) -> list[tuple[str, str]]:
    usable = data.with_car
    fit = usable.abnormal
    n_obs = int(fit.n_obs[0])
    length = max(int(fit.span[0, usable.cols].sum()), 1)
    pool = f"{n_obs} estimation days" if length == 1 else f"{n_obs // length} blocks of {length} days"
    own = f"one event: ranks its CAR among {pool} of its own past"
    sq = ("sq", f"{own}, and does not assume normally distributed returns")
    filtered = ("filtered_sq", "ranks it among past sums, each over the volatility forecast the day before")
    blocks = (
        "conformal",
        "ranks it with the event in the fitted sample: exact if its days are exchangeable",
    )
    few = n_obs // length < ENOUGH_BLOCKS
    floor = f"{n_obs // length} blocks of {length} days cannot give p below {1 / (n_obs // length + 1):.3f}"
    if fit.exact and not _scaled(data):
        return [(sq[0], f"{sq[1]}; {_why_serial(data)}, so no t is recommended beside it"), filtered]
    if not fit.exact:
        why = "this model's standard error is approximate"
        if few:
            return [filtered, ("t", f"{why}; but {floor}")]
        return [(sq[0], f"{sq[1]}; {why}, so no t is recommended beside it"), filtered, blocks]
    dof = f"{usable.cumulative.dof[0]:.4g} degrees of freedom"
    exact = f"exact with {dof} if returns are normally distributed: no averaging"
    if few:
        drawn = (
            f"draws {length} days at a time from {n_obs}, so it needs no normal distribution and no blocks"
        )
        return [("t", f"{exact}; {floor}"), ("bootstrap_t", drawn), filtered]
    return [sq, filtered, blocks, ("t", exact)]


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
    ranks = ("grank_t", f"{RANKS}, so outliers among the {n} CARs do not decide")
    others = "adjusted_bmp does" if n < FEW else "adjusted_bmp and grank_t do"
    alone = (
        f"if it rejects and {others} not, suspect a rise in variance"
        if _spread_rose(data)
        else "the CARs spread no more than before the event, so a rise in variance need not be suspected"
    )
    by_past = [
        (
            "portfolio",
            f"measures the mean of {n} events by its own {days} estimation days, which covers correlation of "
            f"any form, and is exact for normally distributed returns; {alone}",
        ),
        (
            "block_bootstrap",
            "allows for correlation of any form and returns of any distribution: days are drawn for all "
            "events at once. No test of these events survives a shared shock that is itself larger than "
            "usual: compare them with firms the news left alone, test(..., against=controls)",
        ),
        (
            "permutation",
            "ranks the mean among the portfolio's own pseudo-dates, which keeps correlation of any form",
        ),
    ]
    last = [*by_past, (ranks[0], f"{ranks[1]}; {_too_ready(n)}")] if n < FEW else [ranks, *by_past]
    return [*_of_shared_dates(n, ("adjusted_bmp", first)), *last]


def _of_shared_dates(n: int, adjusted: tuple[str, str]) -> list[tuple[str, str]]:
    """List the tests that may lead; of fewer than 20 events `adjusted_bmp` finds more than `filtered_bmp`."""
    if n >= MANY:
        return [FILTERED_BMP, FILTERED_T, adjusted, FILTERED_SQ]
    return [FILTERED_T, adjusted, FILTERED_SQ, *[FILTERED_BMP] * (n >= FEWEST)]


def disagreement(
    p_values: Mapping[str, float], data: TestInput | None = None, alpha: float = 0.05
) -> dict[str, str]:
    """Say what it means where tests by the spread of the events and by their past disagree; by test key.

    Parameters
    ----------
    p_values : mapping of float
        By test key.
    data : TestInput, optional
        The events, whose spread tells whether the event was more volatile.
    alpha : float, default 0.05

    Examples
    --------
    >>> list(disagreement({"adjusted_bmp": 0.3, "portfolio": 0.01}))
    ['portfolio']
    """
    known = [key for key, p in p_values.items() if key in BY_SPREAD and not np.isnan(p)]
    spread = next((key for key in known if key != "bmp"), next(iter(known), None))
    if spread is None:
        return {}
    by_spread, told = p_values[spread], {}
    for past in BY_PAST:
        by_past = p_values.get(past, np.nan)
        if by_past <= alpha < by_spread:
            told[past] = f"rejects where {spread} does not: {_why_more(data, spread)}"
        elif by_spread <= alpha < by_past:
            told[spread] = f"rejects where {past} does not: {_why_less(data)}"
    if spread == "filtered_bmp" and p_values.get("adjusted_bmp", np.nan) <= alpha < by_spread:
        told["adjusted_bmp"] = (
            f"rejects where {spread} does not: it takes the correlation of the estimation window for that of "
            "the day, and rejects too often where firms moved together more in the weeks before"
        )
    return told


def _why_less(data: TestInput | None) -> str:
    """Why a test by the spread may reject alone: a calmer event, or how the two weigh the events."""
    if data is None or _spread(data)[0] < _spread(data)[1]:
        return (
            "the CARs vary less than their estimation windows imply, a sign of a calmer event, or chance "
            "where events are few"
        )
    return (
        "the CARs spread as their estimation windows imply, so the two differ by how they weigh the events, "
        "by the volatility of the days before, or by chance"
    )


def _why_more(data: TestInput | None, spread: str) -> str:
    """Why a test by the past may reject alone: a more volatile event, or a spread of too few events."""
    if data is not None and not _spread_rose(data):
        n = data.with_variance.n_events
        few = "" if spread == "filtered_bmp" else f", with {n - 1} degree{'s' * (n > 2)} of freedom,"
        return f"the CARs spread no more than before the event, so {spread}{few} lacks the power"
    return (
        "the event was more volatile than the estimation window, which this test takes for an effect; "
        "compare with test(..., against=controls)"
    )


def _spread_rose(data: TestInput) -> bool:
    """Whether CARs spread about their mean more than their prediction errors allow, at 5%."""
    total, _, most = _spread(data)
    return total > most


def _spread(data: TestInput) -> tuple[float, float, float]:
    r"""Measure how CARs spread about their mean, between what their prediction errors allow at 5%.

    .. math:: \sum_i (CAR_i - \bar m)^2 / v_i \Big/ (1 - \bar r) \sim \chi^2_{N-1}, \qquad
              \bar m = \sum_i (CAR_i / v_i) \Big/ \sum_i (1 / v_i)

    A CAR that all events have in common leaves it as it is. Returns the sum and the 5 and 95% quantiles;
    NaN for one event.
    """
    used = data.with_variance
    n, car, variance = used.n_events, used.car, used.cumulative.variance
    if n < 2:
        return np.nan, np.nan, np.nan
    left = car - (car / variance).sum() / (1.0 / variance).sum()
    shared = min(max(dependence(used).mean_correlation, 0.0), 0.99)
    total = float((left**2 / variance).sum() / (1.0 - shared))
    return total, float(special.chdtri(n - 1, 0.95)), float(special.chdtri(n - 1, 0.05))


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
        return [*_of_shared_dates(n, first), dates]
    ranks, q = RANKS, found.n_dates
    # With one degree of freedom a mean must be thirteen standard errors from zero.
    means = [
        (
            "ibragimov_muller",
            f"t of the means of {q} dates with {q - 1} degrees of freedom: each date counts once, whatever "
            "its variance and the correlation of its firms",
        )
    ] * (q > 2)
    if n < FEW:
        return [*_of_shared_dates(n, first), dates, *means, ("grank_t", f"{ranks}; {_too_ready(n)}")]
    return [*_of_shared_dates(n, first), ("grank_t", ranks), dates, *means]


def _why_approximate(data: TestInput, found: Clustering) -> str:
    dates = "one date" if found.n_dates == 1 else f"{found.n_dates} dates"
    why = _why_serial(data) if data.abnormal.exact else "this model's standard error is approximate"
    return f"{found.n_events} events on {dates} ({_cost(found)}): {why}, so tests scaled by it are left out"


def _approximate(
    found: Clustering, overlapping: bool, *, serial: bool, several: bool
) -> list[tuple[str, str]]:
    """Ranks, signs and draws: what does not rest on a standard error that is itself approximate.

    Where errors are autocorrelated ranks of single days do not know it; the spread of the events does.
    """
    n = found.n_events
    ranks = "ranks survive correlation and a more volatile event"

    def led(*others: tuple[str, str]) -> list[tuple[str, str]]:
        """Put ranks first, or last where there are too few events."""
        if n >= FEW:
            return [("grank_t", ranks), FILTERED_SQ, *others]
        return [FILTERED_SQ, *others, ("grank_t", f"{ranks}; {_too_ready(n)}")]

    if found.n_dates == 1:
        ranked = "ranks the mean CAR among the portfolio's own pseudo-dates, which keeps any correlation"
        drawn = "draws estimation days for all events at once, which keeps correlation of any form"
        # Over several autocorrelated days the bootstrap of blocks rejects too often (size table of the docs).
        return led(("permutation", ranked), *[("block_bootstrap", drawn)] * (not (serial and several)))
    dates = f"{found.n_dates} dates"
    wild = ("wild_bootstrap", f"flips the signs of the CARs, whole dates at once, on {dates}")
    if not found.effective_n >= (1.0 - LOSS) * n:
        if not overlapping:
            return led(wild)
        days = "takes the calendar day as the unit, as windows of different dates share days"
        return [FILTERED_SQ, ("jaffe", f"{days}; safe if variance did not rise")]
    if serial:
        spread = (
            f"{dates}: measures the mean by the spread of {n} standardised CARs, which knows autocorrelation"
        )
        return [("bmp", spread), FILTERED_SQ, wild, ("sign", f"exact for {n} CARs whose median is zero")]
    if n >= MANY:
        counted = f"counts the signs of {n} CARs against their share before the event"
        return led(("generalized_sign", counted))
    return led(wild, ("sign", f"exact for {n} CARs, whatever their distribution, if their median is zero"))


def _independent(data: TestInput, found: Clustering) -> list[tuple[str, str]]:
    n = found.n_events
    which = f"{n} events on {found.n_dates} dates, effective N {_effective(found)}"
    ranks = "ranks survive outliers and a more volatile event"
    days = kind_of_window(data.window)
    # Over more days, a large effect on one of them can be missed by scores that are bounded.
    ranked = [FILTERED_RANK] * (days != MORE)
    by_windows = n in BY_WINDOWS and len(data.window) >= LEAST_DAYS
    # Below five events the t is that of the interval of the mean.
    by_past = [*ranked, *[FILTERED_T] * (n < FEWEST), FILTERED_SQ, *[INDEPENDENCE] * by_windows]
    if n >= MANY:
        return [
            ("bmp", f"{which}: independent enough, and a more volatile event does not mislead it"),
            *by_past,
            ("grank_t", "ranks survive outliers, a more volatile event and correlation"),
            ("generalized_sign", f"counts the signs of {n} CARs against their share before the event"),
        ]
    few = (
        "bmp",
        f"{which}: t with {n - 1} degrees of freedom allows for so few, and for a more volatile event",
    )
    sign = ("sign", f"exact for {n} CARs whose median is zero")
    if n >= FEW:
        return [few, *by_past, ("grank_t", ranks), sign]
    rank = ("grank_t", f"{ranks}; {_too_ready(n)}")
    wild = ("wild_bootstrap", f"flips the signs of {n} CARs: near exact where these are symmetric")
    return [few, *by_past, wild, sign, rank]
