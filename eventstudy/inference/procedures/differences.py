"""Differences between two sets of events: groups, and treated against control firms.

Formulas and sources: docs/methods/groups.md, eqs. (long-short), (difference-dates), (difference-past) and
(difference-variance).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
import scipy

from eventstudy._typing import FloatArray, IntArray
from eventstudy.errors import RequestError
from eventstudy.inference.base import Options, Statistic, TestInput, not_applicable, p_value
from eventstudy.inference.cross_section import patell_z
from eventstudy.inference.engine.calendar_days import NOT_A_DATE, date_numbers
from eventstudy.inference.engine.draws import draw_parts, resampled_p_value
from eventstudy.inference.engine.moments import NEGLIGIBLE, mean_t, sample_sd
from eventstudy.inference.registry import as_frame, as_row
from eventstudy.inference.selection import date_groups, overlap_note
from eventstudy.inference.significance_test import Declaration
from eventstudy.text import plural

__all__ = [
    "DIFFERENCES",
    "Pairing",
    "as_frame",
    "difference",
    "label_permutation",
    "pair_dates",
    "past_difference",
    "treated_vs_controls",
    "variance_difference",
    "variance_t",
    "welch",
    "welch_by_date",
]


#: Two series with no more days in common than this are taken for uncorrelated.
FEWEST_DAYS = 10
#: Fewest events of a group whose spread is compared.
FEWEST_FOR_SPREAD = 3
#: With fewer labellings than this no two-sided p-value reaches 5%.
ENOUGH_LABELS = 40

CORRELATION = frozenset({"cross-correlation"})
PORTFOLIO = Declaration(
    "difference_portfolio", "Long-short portfolio t with prediction error",
    "both sets have the same mean CAR", "t(T-k)", CORRELATION,
    "Brown and Warner (1985); Salinger (1992)", unit="CAR",
)  # fmt: skip
DATES = Declaration(
    "difference_dates", "t over dates of standardised differences",
    "both sets have the same mean CAR", "t(G-1)", CORRELATION | {"event-induced variance"},
    "Boehmer, Musumeci and Poulsen (1991), by date",
)  # fmt: skip
PAST = Declaration(
    "difference_past", "Difference of portfolios by the past of each date",
    "both sets have the same mean CAR", "t(Satterthwaite)", CORRELATION,
    "Brown and Warner (1985); Satterthwaite (1946)", unit="CAR",
)  # fmt: skip
WELCH = Declaration(
    "difference_welch", "Welch t of the dates' mean standardised CARs",
    "the dates of both groups have the same mean standardised CAR", "t(Welch)",
    CORRELATION | {"event-induced variance"}, "Welch (1947)",
)  # fmt: skip
LABELS = Declaration(
    "difference_permutation", "Permutation of treated and controls",
    "treated and control firms of a date are exchangeable", "resampled",
    frozenset({"event-induced variance", "non-normality"}), "Fisher (1935)",
)  # fmt: skip
VARIANCE = Declaration(
    "difference_variance", "Brown-Forsythe t of the spread of standardised CARs",
    "the standardised CARs of both groups have the same variance", "t(N-2)", frozenset({"fat tails"}),
    "Brown and Forsythe (1974)",
)  # fmt: skip
#: Tests of a difference by key.
DIFFERENCES = {test.key: test for test in (PORTFOLIO, DATES, PAST, WELCH, LABELS)}


@dataclass(frozen=True)
class Pairing:
    """Two sets of events on the G dates that both have.

    Attributes
    ----------
    first, second : list of arrays of int, length G
        Events of each date: rows of the usable events of either set.
    difference, variance, dof : arrays, shape (G,)
        Mean CAR of the first less that of the second set, its prediction-error variance from the
        estimation days of the long-short portfolio, and the degrees of freedom of that.
    unmatched : tuple of int
        Events of either set on dates that the other lacks.
    overlapping : bool
        Whether tested windows of different dates share a day.
    unlike_rows : str
        Why bars cannot measure the windows, where these hold a night or break; else empty.
    """

    first: list[IntArray]
    second: list[IntArray]
    difference: FloatArray
    variance: FloatArray
    dof: FloatArray
    unmatched: tuple[int, int]
    overlapping: bool
    unlike_rows: str = ""


def pair_dates(first: TestInput, second: TestInput) -> Pairing:
    r"""Long-short portfolios of two sets of events, one on each date that both have.

    .. math:: \operatorname{Var}(D_d) = s_d^2\, \gamma'V\gamma / s^2, \quad
              s_d^2 = \sum_t (\bar e^A_t - \bar e^B_t)^2 / (T - k)

    The shock that both portfolios share drops out of the difference, in the estimation window and
    on the event day alike. Exact under normally distributed errors if all events of a date share regressors
    and miss no day.

    Parameters
    ----------
    first, second : TestInput
        Events with a residual variance take part.

    References
    ----------
    docs/methods/groups.md, eq. (long-short).
    """
    a, b = first.with_variance, second.with_variance
    days = [date_numbers(x.tested_dates) for x in (a, b)]
    dates, number = np.unique(np.concatenate(days), axis=0, return_inverse=True)
    in_a, in_b = np.split(number.reshape(-1), [a.n_events])
    both = np.intersect1d(in_a, in_b)
    rows_a = [np.flatnonzero(in_a == d) for d in both]
    rows_b = [np.flatnonzero(in_b == d) for d in both]
    found = [_long_short(a, i, b, j) for i, j in zip(rows_a, rows_b, strict=True)]
    values = np.array(found, dtype=np.float64).reshape(-1, 3)
    first_day, last_day = dates[both].min(axis=1), dates[both].max(axis=1)
    return Pairing(
        first=rows_a,
        second=rows_b,
        difference=values[:, 0],
        variance=values[:, 1],
        dof=values[:, 2],
        unmatched=(a.n_events - sum(map(len, rows_a)), b.n_events - sum(map(len, rows_b))),
        overlapping=bool((first_day[1:] <= last_day[:-1]).any()),
        unlike_rows=a.unlike_rows if a.spans_gap or b.spans_gap else "",
    )


def _long_short(a: TestInput, rows_a: IntArray, b: TestInput, rows_b: IntArray) -> tuple[float, float, float]:
    """Difference of mean CARs on one date, its variance and degrees of freedom."""
    series = [_by_day(data, rows) for data, rows in ((a, rows_a), (b, rows_b))]
    apart = (series[0] - series[1]).dropna().to_numpy()
    scales = np.concatenate(
        [(d.cumulative.variance / d.abnormal.s2)[r] for d, r in ((a, rows_a), (b, rows_b))]
    )
    k = max(a.abnormal.lost_dof, b.abnormal.lost_dof)
    dof = len(apart) - k
    variance = float((apart**2).sum() / dof * scales.mean()) if dof >= 1 else np.nan
    noise = max(float(d.cumulative.variance[r].max()) for d, r in ((a, rows_a), (b, rows_b)))
    if not variance > NEGLIGIBLE**2 * noise:
        variance = np.nan
    return float(a.car[rows_a].mean() - b.car[rows_b].mean()), variance, dof


def _by_day(data: TestInput, rows: IntArray) -> pd.Series:
    """Mean residual of the available events by calendar day."""
    residuals, dates = data.abnormal.past.residuals(rows), data.abnormal.past.dates(rows)
    seen = ~np.isnan(residuals) & ~np.isnat(dates)
    days, at = np.unique(dates[seen], return_inverse=True)
    return pd.Series(np.bincount(at, residuals[seen]) / np.bincount(at), index=days)


def welch(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Welch's t of the difference of two means, and its degrees of freedom.

    Parameters
    ----------
    a, b : arrays, shape (n,) and (m,)
        Values of each group, such as mean SCARs of dates; at least two each.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35; docs/methods/groups.md, eq. (welch).
    """
    found = scipy.stats.ttest_ind(a, b, equal_var=False)
    return float(found.statistic), float(found.df)


def welch_by_date(
    a: FloatArray, dates_a: IntArray, b: FloatArray, dates_b: IntArray
) -> tuple[float, float, float]:
    r"""Difference of two means whose values of one date may be correlated, its standard error and dof.

    .. math:: \operatorname{Var}(\bar a - \bar b) = \sum_d \left(
              \frac{w_d (\bar a_d - \bar a)}{\sqrt{1 - w_d}} -
              \frac{v_d (\bar b_d - \bar b)}{\sqrt{1 - v_d}} \right)^2

    for the share w of the first group's values, and v of the second's, that date d has. With one value a
    date, and no date in common, this is Welch's t.

    Parameters
    ----------
    a, b : arrays, shape (n,) and (m,)
        Values, such as CARs.
    dates_a, dates_b : arrays of int
        Number of the date of each; at least two dates in each group.

    Returns
    -------
    difference, se, dof
        Degrees of freedom are Welch's, a group counting as its effective number of dates; where the groups
        have dates in common, those of the smaller.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35; Bell and McCaffrey (2002), Survey Methodology 28, 169-181;
    docs/methods/groups.md, eq. (welch-by-date).
    """
    parts, variances, dofs = [], [], []
    for values, dates in ((a, dates_a), (b, dates_b)):
        found, at = np.unique(dates, return_inverse=True)
        share = np.bincount(at) / len(values)
        apart = np.bincount(at, values - values.mean()) / len(values) / np.sqrt(1.0 - share)
        parts.append(pd.Series(apart, found))
        variances.append(float(apart @ apart))
        dofs.append(1.0 / float(share @ share) - 1.0)
    variance = float((parts[0].sub(parts[1], fill_value=0.0) ** 2).sum())
    dof = min(dofs)
    if not parts[0].index.intersection(parts[1].index).size:
        spread = sum(v**2 / n for v, n in zip(variances, dofs, strict=True))
        dof = sum(variances) ** 2 / spread if spread > 0 else np.nan
    return float(a.mean() - b.mean()), float(np.sqrt(variance)), float(dof)


def label_permutation(
    treated: list[FloatArray], control: list[FloatArray], n_resamples: int, rng: np.random.Generator
) -> tuple[float, FloatArray]:
    r"""Difference between treated and controls of the same dates, and its values under other labels.

    .. math:: D = \sum_d n_d (\bar x^T_d - \bar x^C_d) \Big/ \sum_d n_d

    for n_d treated of date d. Labels are drawn within each date, keeping n_d.

    Parameters
    ----------
    treated, control : lists of arrays
        Values of each date, such as SCARs, whose scale does not tell treated from controls.
    n_resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    difference, draws
        The draws have shape (n_resamples,).

    References
    ----------
    Fisher (1935), The Design of Experiments; docs/methods/groups.md, eq. (label-permutation).
    """
    total = float(sum(map(len, treated)))
    observed, draws = 0.0, np.zeros(n_resamples)
    for t, c in zip(treated, control, strict=True):
        n, m = len(t), len(c)
        # By value: draws do not depend on the order of the events.
        pool = np.concatenate([t, c])
        pool = pool[np.lexsort((pool, np.abs(pool)))]
        observed += n * (t.mean() - c.mean()) / total
        sums = [
            pool[np.argpartition(rng.random((size, n + m)), n - 1, axis=1)[:, :n]].sum(axis=1)
            for size in draw_parts(n_resamples, n + m)
        ]
        drawn = np.concatenate(sums)
        draws += n * (drawn / n - (pool.sum() - drawn) / m) / total
    return float(observed), draws


def _portfolio(pairs: Pairing, options: Options, note: str) -> Statistic:
    if pairs.unlike_rows:
        return not_applicable(pairs.unlike_rows)
    if np.isnan(pairs.variance).any():
        return not_applicable(
            "the long-short portfolio of a date has too few estimation days, or no variance"
        )
    z = pairs.difference / np.sqrt(pairs.variance)
    estimate = float(pairs.difference.mean())
    if len(z) == 1:
        t, dof = float(z[0]), float(pairs.dof[0])
        return Statistic(t, p_value(t, options.alternative, dof), "t", dof, estimate, note)
    if (pairs.dof <= 2).any():
        return not_applicable("a date has 2 or fewer residual degrees of freedom")
    value = float(patell_z(z, pairs.dof))
    note = f"{note}; standardised by date and summed"
    return Statistic(value, p_value(value, options.alternative), "normal", None, estimate, note)


def _ratio(pairs: Pairing) -> Declaration:
    """Declare the long-short portfolio; over several dates estimate / statistic is not a standard error."""
    return PORTFOLIO if len(pairs.first) == 1 else replace(PORTFOLIO, unit="")


def _over_dates(pairs: Pairing, options: Options, note: str) -> Statistic:
    z = pairs.difference / np.sqrt(pairs.variance)
    if len(z) < 2:
        return not_applicable("one date")
    if np.isnan(z).any():
        return not_applicable(
            "the long-short portfolio of a date has too few estimation days, or no variance"
        )
    if sample_sd(z) == 0:
        return not_applicable("all dates have the same difference")
    t, dof = float(mean_t(z)), len(z) - 1
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, float(z.mean()), note)


def _sizes(pairs: Pairing, names: tuple[str, str]) -> str:
    n, m, g = sum(map(len, pairs.first)), sum(map(len, pairs.second)), len(pairs.first)
    text = f"{n} {names[0]} and {m} {names[1]} on {g} date{'s' if g > 1 else ''}"
    for lost, name in zip(pairs.unmatched, names, strict=True):
        if lost:
            text += f"; {lost} {name} on dates without a counterpart left out"
    return text + ("; windows of different dates overlap, and count as independent" * pairs.overlapping)


def difference(first: TestInput, second: TestInput, options: Options) -> list[dict[str, object]]:
    """Test whether two groups of events have the same mean CAR; rows of `registry.as_frame`.

    Groups on the same dates form long-short portfolios, in which what moves both drops out
    (`pair_dates`); with several dates a t over them is added. Groups on different dates are
    compared by the past of each date's portfolio (`past_difference`) and by Welch's t of the dates' mean
    SCARs: events of one date are one observation.
    """
    n = first.with_variance.n_events + second.with_variance.n_events
    if min(first.with_variance.n_events, second.with_variance.n_events) == 0:
        return [
            as_row(
                PORTFOLIO,
                not_applicable("a group has no event with a CAR and a residual variance"),
                n,
                options,
            )
        ]
    pairs = pair_dates(first, second)
    if not any(pairs.unmatched):
        note = _sizes(pairs, ("events", "events"))
        rows = [as_row(_ratio(pairs), _portfolio(pairs, options, note), n, options)]
        return rows + (
            [as_row(DATES, _over_dates(pairs, options, note), n, options)] if len(pairs.first) > 1 else []
        )
    return [
        as_row(PAST, _past(first.with_variance, second.with_variance, options), n, options),
        as_row(WELCH, _welch(first.with_variance, second.with_variance, options), n, options),
    ]


def past_difference(first: TestInput, second: TestInput) -> tuple[float, float, float]:
    r"""Difference of the mean CARs of two sets of events, each date's portfolio measured by its own past.

    .. math:: D = \sum_p w_p\, \mathrm{CAAR}_p, \qquad
              \operatorname{Var}(D) = \sum_p \sum_q w_p w_q\, \tau_{pq} \rho_{pq}\, \sigma_p \sigma_q

    for portfolios p of the events of one set and date, their share w of the set's events (negative in the
    second set), the variance :math:`\sigma_p^2 = s_p^2\, \gamma'V\gamma / s^2` of their mean CAR, the share
    :math:`\tau` of the tested days that two have in common, and the correlation :math:`\rho` of their
    residuals.

    Parameters
    ----------
    first, second : TestInput
        Events with a residual variance.

    Returns
    -------
    difference, variance, dof
        NaN where a portfolio has too few estimation days, or no variance. Degrees of freedom are
        Satterthwaite's (1946).

    References
    ----------
    docs/methods/groups.md, eq. (difference-past).
    """
    series, days, weight, variance, dof, caar = [], [], [], [], [], []
    for data, sign in ((first, 1.0), (second, -1.0)):
        groups = date_groups(data)
        scales, dates = data.cumulative.variance / data.abnormal.s2, date_numbers(data.tested_dates)
        for group in range(int(groups.max()) + 1):
            rows = np.flatnonzero(groups == group)
            own = _by_day(data, rows)
            left = len(own) - data.abnormal.lost_dof
            value = float((own**2).sum() / left * scales[rows].mean()) if left >= 1 else np.nan
            if not value > NEGLIGIBLE**2 * float(data.cumulative.variance[rows].max()):
                return np.nan, np.nan, np.nan
            series.append(own)
            days.append(dates[rows[0]])
            weight.append(sign * len(rows) / data.n_events)
            variance.append(value)
            dof.append(left)
            caar.append(float(data.car[rows].mean()))
    part = np.array(weight) * np.sqrt(variance)
    total = float((part**2).sum())
    for p, q in combinations(range(len(part)), 2):
        shared = len(np.intersect1d(days[p], days[q]))
        if shared:
            both = pd.concat([series[p], series[q]], axis=1, join="inner").to_numpy()
            correlation = np.corrcoef(both.T)[0, 1] if len(both) > FEWEST_DAYS else 0.0
            total += 2.0 * shared / days[p].size * float(correlation * part[p] * part[q])
    freedom = (part**2).sum() ** 2 / (part**4 / np.array(dof)).sum()
    return float(np.array(weight) @ caar), total if total > 0 else np.nan, float(freedom)


def _past(first: TestInput, second: TestInput, options: Options) -> Statistic:
    if first.spans_gap or second.spans_gap:
        return not_applicable(first.unlike_rows)
    estimate, variance, dof = past_difference(first, second)
    if np.isnan(variance):
        return not_applicable("the portfolio of a date has too few estimation days, or no variance")
    t = estimate / float(np.sqrt(variance))
    counts = [(data.n_events, int(date_groups(data).max()) + 1) for data in (first, second)]
    note = " and ".join(f"{n} events on {plural(dates, 'date')}" for n, dates in counts)
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, estimate, note)


def variance_t(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    r"""Compare the spread of two groups by their distances from their medians: t and degrees of freedom.

    .. math:: z_i = |x_i - \tilde x_{g(i)}|, \qquad
              t = \frac{\bar z_A - \bar z_B}{\sqrt{s^2 (1/n + 1/m)}}, \quad
              s^2 = \frac{\sum_g \sum_{i \in g} (z_i - \bar z_g)^2}{n + m - 2}

    The squared t is the F of Brown and Forsythe, which holds for returns of fat tails where the ratio of two
    variances does not.

    Parameters
    ----------
    a, b : arrays, shape (n,) and (m,)

    References
    ----------
    Brown and Forsythe (1974), Journal of the American Statistical Association 69, 364-367;
    docs/methods/groups.md, eq. (difference-variance).

    Examples
    --------
    >>> t, dof = variance_t(np.array([-3.0, 0.0, 1.0, 4.0]), np.array([-1.0, 0.0, 0.0, 1.0]))
    >>> round(t, 3), dof
    (1.643, 6.0)
    """
    z, w = np.abs(a - np.median(a)), np.abs(b - np.median(b))
    n, m = len(a), len(b)
    squares = ((z - z.mean()) ** 2).sum() + ((w - w.mean()) ** 2).sum()
    se = np.sqrt(squares / (n + m - 2) * (1.0 / n + 1.0 / m))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((z.mean() - w.mean()) / se), float(n + m - 2)


def variance_difference(first: TestInput, second: TestInput, options: Options) -> dict[str, object]:
    """Test whether the events of two groups spread alike; a row of `registry.as_frame`.

    The values are CARs over their prediction errors, so that what is compared is how much more volatile the
    event was than the past of each security.
    """
    a, b = first.with_variance, second.with_variance
    return as_row(VARIANCE, _variance(a, b, options), a.n_events + b.n_events, options)


def _variance(first: TestInput, second: TestInput, options: Options) -> Statistic:
    n, m = first.n_events, second.n_events
    if min(n, m) < FEWEST_FOR_SPREAD:
        return not_applicable(
            f"a group has fewer than {FEWEST_FOR_SPREAD} events with a CAR and a residual variance "
            f"({n} and {m})"
        )
    a, b = first.scar, second.scar
    t, dof = variance_t(a, b)
    if np.isnan(t) or np.isinf(t):
        return not_applicable("the distances of the standardised CARs from their median do not vary")
    ratio = float(sample_sd(a) / sample_sd(b)) if sample_sd(b) > 0 else np.inf
    note = f"standard deviations of SCARs {sample_sd(a):.2f} and {sample_sd(b):.2f}, ratio {ratio:.2f}"
    if max(int(date_groups(data).max()) + 1 for data in (first, second)) > 1 and min(n, m) > 1:
        shared = any(int(date_groups(data).max()) + 1 < data.n_events for data in (first, second))
        note += "; events of one date count as independent" * shared
    estimate = float(np.abs(a - np.median(a)).mean() - np.abs(b - np.median(b)).mean())
    return Statistic(t, p_value(t, options.alternative, dof), "t", dof, estimate, note)


def _welch(first: TestInput, second: TestInput, options: Options) -> Statistic:
    days = [date_numbers(data.covered_dates) for data in (first, second)]
    if np.isin(days[0][days[0] != NOT_A_DATE], days[1]).any():
        return not_applicable("windows of both groups share days, so their means are not independent")
    a, b = (_by_date(data) for data in (first, second))
    if min(len(a), len(b)) < 2:
        return not_applicable(f"a group has one date (groups on {len(a)} and {len(b)}), which has no spread")
    if sample_sd(a) == 0 and sample_sd(b) == 0:
        return not_applicable("all mean standardised CARs of each group are equal")
    t, dof = welch(a, b)
    note = f"means of {len(a)} and {len(b)} dates, each of which counts once"
    note += "; windows of different dates overlap, and count as independent" * bool(
        overlap_note(first) or overlap_note(second)
    )
    p = p_value(t, options.alternative, dof)
    return Statistic(t, p, "t", dof, float(a.mean() - b.mean()), note)


def _by_date(data: TestInput) -> FloatArray:
    """Mean standardised CAR of the events of each date."""
    groups = date_groups(data)
    return np.asarray(np.bincount(groups, data.scar) / np.bincount(groups), dtype=np.float64)


def treated_vs_controls(
    treated: TestInput, controls: TestInput, options: Options | None = None
) -> pd.DataFrame:
    """Test treated events against control events of the same dates; one row per test.

    On a common date nothing that looks at the treated alone survives a shock that all firms
    share and that is larger than usual. It drops out of treated less controls, as far as both
    carry it alike.

    Parameters
    ----------
    treated, controls : TestInput
        Treated events on dates without a control are left out, and the note says so.
    options : Options, optional

    Returns
    -------
    pandas.DataFrame
        As of `run_tests`: `difference_portfolio`, the t with prediction error of the treated-minus-control
        portfolio; `difference_dates`, the t over dates, where there are several; and
        `difference_permutation`, which draws who of each date is called treated.

    Raises
    ------
    RequestError
        If no treated event has a control on its date, or none of either has a residual variance.
    """
    options = (Options() if options is None else options).settled()
    for data, who in ((treated, "treated"), (controls, "control")):
        if data.with_car.n_events and not data.with_variance.n_events:
            raise RequestError(
                f"No {who} event has a residual variance, by which the difference between treated and "
                "controls is judged. Give both studies an estimation window."
            )
    pairs = pair_dates(treated, controls)
    if not pairs.first:
        raise RequestError(
            "No control event has the tested dates of a treated event. Give the controls the treated events' "
            "dates: Events with the same date and other securities, fitted with the same windows."
        )
    note, n = _sizes(pairs, ("treated", "controls")), sum(map(len, pairs.first))
    rows = [
        as_row(_ratio(pairs), _portfolio(pairs, options, note), n, options),
        as_row(DATES, _over_dates(pairs, options, note), n, options),
        as_row(LABELS, _labels(treated, controls, pairs, options), n, options),
    ]
    return as_frame(rows)


def _labels(treated: TestInput, controls: TestInput, pairs: Pairing, options: Options) -> Statistic:
    a, b = treated.with_variance.scar, controls.with_variance.scar
    rng = options.generator("difference_permutation")
    sets = [a[rows] for rows in pairs.first], [b[rows] for rows in pairs.second]
    observed, draws = label_permutation(*sets, options.n_resamples, rng)
    both = np.concatenate([*sets[0], *sets[1]])
    if sample_sd(both) == 0:
        return not_applicable("all standardised CARs are equal")
    ways = 1
    for i, j in zip(pairs.first, pairs.second, strict=True):
        ways *= _choices(len(i) + len(j), len(i))
    note = "of standardised CARs; firms of a date must be exchangeable but for the treatment"
    if ways < ENOUGH_LABELS:
        note += f"; only {ways} ways to call {sum(map(len, pairs.first))} of them treated"
    p = resampled_p_value(observed, draws, options.alternative)
    return Statistic(observed, p, "resampled", None, observed, note)


def _choices(n: int, k: int) -> int:
    """Binomial coefficient, or `ENOUGH_LABELS` where it is larger."""
    value = 1
    for i in range(min(k, n - k)):
        value = value * (n - i) // (i + 1)
        if value >= ENOUGH_LABELS:
            return ENOUGH_LABELS
    return value
