"""Which tests survive a design; the rules are those of docs/explanation/which_test_when.md."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from eventstudy.inference.base import TestInput
from eventstudy.inference.dependence.mean_correlation import LOSS, Clustering, clustering, unknown_correlation
from eventstudy.inference.engine.moments import SERIAL
from eventstudy.inference.portfolio import misses_days
from eventstudy.inference.procedures.disagreements import spread_rose
from eventstudy.inference.procedures.lead import (
    MORE,
    kind_of_window,
    lead_sizes,
    order_of,
    reaches,
    spread_of_dates,
)
from eventstudy.inference.procedures.mean_interval import FEWEST
from eventstudy.inference.procedures.unforeseen import rise_before
from eventstudy.inference.pseudo_dates import sessions_tested
from eventstudy.inference.registry import TESTS, check_keys
from eventstudy.inference.selection import (
    FEW_EVENTS,
    overlap_note,
    what_misleads,
)
from eventstudy.inference.single_event import ENOUGH_BLOCKS
from eventstudy.lazy import chunks, memo

__all__ = ["LOSS", "MANY", "none_recommended", "recommend", "tests_asked"]


#: With fewer events than FEW, tests scaled by the events' own standard deviation come last; from MANY on,
#: ranks come beside the BMP t, and `filtered_bmp` comes first where events share days.
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
    misled = {key: why for key in reasons if (why := what_misleads(TESTS[key], data))}
    if "independence" in reasons and (why := _why_volatile(data)):
        misled["independence"] = why
    keys = [key for key in reasons if key not in misled]
    if found is not None and data.abnormal.bars is None:  # the table is of days
        independent = found.effective_n >= (1.0 - LOSS) * n
        dates = spread_of_dates(data, found, independent=independent)
        keys, told = order_of(keys, lead_sizes(dates, n, kind_of_window(data.window)))
        reasons |= {key: f"{reasons[key]}; {said}" for key, said in told.items()}
        if keys and n > 1 and not _scaled(data) and not unknown_correlation(data):
            reasons[keys[0]] = f"{_why_approximate(data, found)}; {reasons[keys[0]]}"
    if misled and keys:
        reasons[keys[0]] += "".join(f"; {key} is left out: {why}" for key, why in misled.items())
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
    if unknown_correlation(data):
        return _by_date_alone(data, found)
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


def _why_volatile(data: TestInput) -> str:
    """Say that volatility had risen before the events; nothing where it had not."""
    used = data.with_variance
    variance = used.cumulative.variance
    risen = float((variance * rise_before(used) ** 2).sum() / variance.sum()) if used.n_events else 1.0
    if risen <= MOST_INFLATION:
        return ""
    return (
        f"by what came before the window, the variance of the mean is {risen:.1f} times what this test "
        "assumes"
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
    exact = f"exact with {dof} if returns are normally distributed; with one event nothing averages out"
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
        if spread_rose(data)
        else "the CARs spread no more than before the event, so a rise in variance need not be suspected"
    )
    by_past = [
        (
            "portfolio",
            f"{_why_portfolio(data, n, days)}; {alone}",
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


def _why_portfolio(data: TestInput, n: int, days: int) -> str:
    own = (
        f"measures the mean of {n} events by its own {days} estimation days, which covers correlation of any"
    )
    if not data.with_car.abnormal.exact:
        return f"{own} form"
    if misses_days(data.with_car):
        return f"{own} form; it is approximate, because some events miss days"
    return f"{own} form, and is exact for normally distributed returns"


def _of_shared_dates(n: int, adjusted: tuple[str, str]) -> list[tuple[str, str]]:
    """List the tests that may lead; of fewer than 20 events `adjusted_bmp` finds more than `filtered_bmp`."""
    if n >= MANY:
        return [FILTERED_BMP, FILTERED_T, adjusted, FILTERED_SQ]
    return [FILTERED_T, adjusted, FILTERED_SQ, *[FILTERED_BMP] * (n >= FEWEST)]


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
    ranks, means = RANKS, _means_of_dates(found.n_dates)
    if n < FEW:
        return [*_of_shared_dates(n, first), dates, *means, ("grank_t", f"{ranks}; {_too_ready(n)}")]
    return [*_of_shared_dates(n, first), ("grank_t", ranks), dates, *means]


def _means_of_dates(q: int) -> list[tuple[str, str]]:
    # With one degree of freedom a mean must be thirteen standard errors from zero.
    return [
        (
            "ibragimov_muller",
            f"t of the means of {q} dates with {q - 1} degrees of freedom: each date counts once, whatever "
            "its variance and the correlation of its firms",
        )
    ] * (q > 2)


def _by_date_alone(data: TestInput, found: Clustering) -> list[tuple[str, str]]:
    """List tests of each date as one observation, where nothing tells how its events move together."""
    if found.n_dates == 1:
        days = int(data.with_car.abnormal.n_obs.max())
        return [("portfolio", _why_portfolio(data, found.n_events, days))]
    if overlap_note(data):
        return []
    wild = f"flips the signs of the CARs, whole dates at once, on {found.n_dates} dates"
    return [*_means_of_dates(found.n_dates), ("wild_bootstrap", wild)]


def none_recommended(data: TestInput) -> str:
    """Say why no test is recommended, and what to do."""
    usable = data.with_car
    n = usable.n_events
    if n == 0:
        return f"No event has a CAR over {data.window}."
    unknown = unknown_correlation(usable)
    if unknown:
        cure = "Give an estimation window"
        if usable.with_variance.n_events:
            cure += (
                " of more days, or compare with firms that the news left alone, test(..., against=controls)"
            )
        return f"No test survives this design: {unknown}. {cure}."
    if n == 1 and not (usable.abnormal.n_obs > 0).any():
        return "One event without an estimation window has nothing to be compared with: give one."
    return "No significance test applies; test() says why of each."


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
