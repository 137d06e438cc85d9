"""Regression of CARs on characteristics of the events, with standard errors that suit CARs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy._typing import FloatArray, IntArray
from eventstudy.arguments import check_choice
from eventstudy.distributions import counted_p_value
from eventstudy.errors import RequestError
from eventstudy.immutable import FrozenRecord, hand_out_copies
from eventstudy.inference.base import Alternative, check_alternative, t_bounds, t_p_values
from eventstudy.inference.engine.factor_gls import crossfitted_slopes, factor_covariance, n_components
from eventstudy.inference.portfolio import WORST_CONDITION
from eventstudy.regressions.few import alone_note, explicit_note, few_note, fixed_note, wild_note
from eventstudy.regressions.formula import check_design, least_squares
from eventstudy.regressions.robust import hc_covariance, sandwich
from eventstudy.tables import P_VALUE, Section, Table, stars
from eventstudy.tables.table import stars_note

__all__ = [
    "Covariance",
    "CrossSection",
    "Past",
    "Weights",
    "cross_section",
    "past_covariance",
    "random_effect_variance",
    "wild_cluster_p",
]

Covariance = Literal["HC0", "HC1", "HC2", "HC3", "nonrobust", "past"]
Weights = Literal["fgls", "gls"]
COVARIANCES = get_args(Covariance)

#: Fewer clusters than this have the p-value of the wild cluster bootstrap, too.
FEW_CLUSTERS = 30
#: Fewest days for a distribution of slopes.
FEWEST_DAYS = 30
#: Four decimals hardly show a standard error below this.
SMALL = 1e-4


@dataclass(frozen=True)
class Past(FrozenRecord):
    """Estimation days of events on one common date.

    Attributes
    ----------
    residuals : array, shape (N, T)
        Residuals by calendar day; NaN where an event has none.
    scale : array, shape (N,)
        ``g'V_i g / s_i^2``: variance of each CAR over that of a day's residual.
    n_params : float
        Mean parameters of the normal-return model.
    """

    residuals: FloatArray
    scale: FloatArray
    n_params: float


@hand_out_copies("coefficients", "covariance", "left_out")
@dataclass(frozen=True, eq=False)
class CrossSection:
    """A regression of CARs on characteristics, made by ``results.cross_section``.

    Attributes
    ----------
    formula, window : str
    coefficients : DataFrame
        By term: coef, se, t, dof, p_value, ci_low, ci_high (95%); with fewer than 30 clusters also p_wild,
        and with the past as reference p_rank. A term that one event or cluster alone decides has no robust
        standard error: se and what follows from it are NaN, and `notes` say why.
    covariance : DataFrame
        Covariance of the coefficients.
    method : str
        Estimator and standard error, in words.
    n_events : int
    r_squared : float
    notes : tuple of str
    left_out : Series
        Events that take no part, with the reason.
    fit : statsmodels results
        Of the regression, with its own (conventional) covariance.
    alternative : {"two-sided", "less", "greater"}
        Side of the p-values and intervals.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> names = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ"]
    >>> news = {"security": names, "date": "2019-05-22", "cameras": [1, 1, 0, 0]}
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> found = results.cross_section("car ~ cameras", 0, 1)
    >>> found.coefficients[["coef", "se"]].round(3)
                coef     se
    term
    Intercept -0.042  0.002
    cameras   -0.024  0.013
    >>> found.n_events, found.method
    (4, 'OLS, HC3, Bell-McCaffrey t')
    """

    formula: str
    window: str
    coefficients: pd.DataFrame
    covariance: pd.DataFrame
    method: str
    n_events: int
    r_squared: float
    notes: tuple[str, ...]
    left_out: pd.Series
    fit: Any
    alternative: Alternative = "two-sided"

    @property
    def params(self) -> pd.Series:
        """Coefficients by term."""
        return self.coefficients["coef"]

    @property
    def decisive(self) -> pd.Series:
        """P-values that the stars of tables go by, p_value: those to which the intervals belong."""
        return self.coefficients["p_value"]

    def tidy(self) -> pd.DataFrame:
        """Return the coefficients as a tidy frame, in the names of R's broom.

        Returns
        -------
        DataFrame
            term, estimate, std_error, statistic, dof, p_value, conf_low, conf_high.
        """
        names = {"coef": "estimate", "se": "std_error", "t": "statistic", "dof": "dof"}
        frame = self.coefficients.rename(columns={**names, "ci_low": "conf_low", "ci_high": "conf_high"})
        frame = frame.assign(p_value=self.decisive).rename_axis("term").reset_index()
        order = ["term", "estimate", "std_error", "statistic", "dof", "p_value", "conf_low", "conf_high"]
        return frame[order]

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Coefficients, as maketables takes them."""
        names = {"estimate": "b", "std_error": "se", "statistic": "t", "p_value": "p"}
        names |= {"conf_low": "ci95l", "conf_high": "ci95u"}
        return self.tidy().set_index("term").rename_axis("Coefficient")[list(names)].rename(columns=names)

    @property
    def __maketables_depvar__(self) -> str:
        """The dependent variable."""
        return self.formula.partition("~")[0].strip()

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """Statistics below a table."""
        return ["N", "r2"]

    def __maketables_stat__(self, key: str) -> Any:
        """Statistic by key: the number of events, or R2."""
        return {"N": self.n_events, "r2": self.r_squared}.get(key)

    def summary(self) -> Table:
        """Return the regression as a table."""
        frame = self.coefficients.copy()
        frame.insert(5, "", [stars(p) for p in self.decisive])
        formats = dict.fromkeys(map(str, self.coefficients), "{:.4f}")
        if (self.coefficients["se"] < SMALL).any():
            formats |= dict.fromkeys(("coef", "se", "ci_low", "ci_high"), "{:.4g}")
        whole = (self.coefficients["dof"].dropna() % 1 == 0).all()
        formats |= {"dof": "{:.0f}" if whole else "{:.1f}", "p_value": P_VALUE}
        rows = {
            "formula": self.formula,
            "window": self.window,
            "events": str(self.n_events) + (f", {len(self.left_out)} left out" if len(self.left_out) else ""),
            "standard error": self.method,
            "R2": f"{self.r_squared:.3f}",
        }
        design = Section(pd.DataFrame({"": pd.Series(rows, dtype=object)}), "Design")
        sections = [design, Section(frame, "Coefficients", formats)]
        if len(self.left_out):
            sections.append(Section(self.left_out.to_frame("reason").head(12), "Left out"))
        notes = (f"{stars_note(self.alternative)}.", *self.notes)
        return Table("Cross-section of reactions", tuple(sections), notes)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def cross_section(
    frame: pd.DataFrame,
    formula: str,
    window: str,
    *,
    covariance: Covariance | None = None,
    clusters: str | Sequence[str] | None = None,
    weights: Weights | None = None,
    past: Past | None = None,
    overlapping: float = 0.0,
    alternative: Alternative = "two-sided",
    n_resamples: int = 999,
    seed: int | np.random.Generator | None = 0,
) -> CrossSection:
    """Regress the CARs of a frame of events; see `EventStudyResults.cross_section`.

    Parameters
    ----------
    frame : DataFrame
        One row per event: car, its prediction-error standard error se, and characteristics.
    formula : str
    window : str
        Words for the window, in tables.
    covariance, clusters, weights, alternative, n_resamples, seed
        As for `EventStudyResults.cross_section`.
    past : Past, optional
        Estimation days, rows as in `frame`; needed for ``covariance="past"``.
    overlapping : float
        Share of pairs of events whose windows overlap, for the notes.

    Returns
    -------
    CrossSection

    Raises
    ------
    RequestError
        If an option is not one of its choices, or two of them do not go together.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> cars = pd.DataFrame(
    ...     {"car": [-0.05, -0.02, 0.01, -0.07, -0.03, 0.0], "se": 0.02, "named": [1, 0, 0, 1, 1, 0]}
    ... )
    >>> es.cross_section(cars, "car ~ named", "(0, +1)").coefficients["coef"].round(4).to_dict()
    {'Intercept': -0.0033, 'named': -0.0467}
    """
    check_alternative(alternative)
    if covariance is not None:
        spelled = {name.lower(): name for name in COVARIANCES}
        covariance = cast(Covariance, spelled.get(str(covariance).lower(), covariance))
        check_choice("covariance", covariance, COVARIANCES)
    if weights is not None and not (isinstance(weights, str) and weights in get_args(Weights)):
        raise RequestError(f"weights must be 'fgls', 'gls' or None; got {weights!r}.")
    if weights == "gls" and covariance != "past":
        raise RequestError(
            "weights='gls' takes the covariance of the events from their past: it goes with "
            "covariance='past'."
        )
    if clusters is not None and covariance is not None:
        raise RequestError("Give clusters or covariance, not both: clusters are a covariance of their own.")
    if covariance == "past" and weights == "fgls":
        raise RequestError("covariance='past' measures the slopes of least squares or of weights='gls'.")
    model = least_squares(frame[frame["car"].notna()], formula)
    used = frame.index.get_indexer(pd.Index(model.data.row_labels))
    x, y, names = np.asarray(model.exog), np.asarray(model.endog), list(model.exog_names)
    n, k = x.shape
    check_design(frame.iloc[used], y, x, names, formula)
    left_out = _left_out(frame, used)
    notes: list[str] = []
    fit = model.fit()
    extra: dict[str, FloatArray] = {}
    if weights == "fgls":
        v = frame["se"].to_numpy(dtype=float)[used] ** 2
        effect = random_effect_variance(y, x, v)
        fit = _wls(y, x, 1.0 / (v + effect), names)
        estimator = f"FGLS with Var = g'Vg + {effect:.3g}"
    else:
        estimator = "OLS"
    dof: float | FloatArray = n - k
    if covariance == "past":
        if past is None:
            raise RequestError("covariance='past' needs events on one common date, whose past is shared.")
        errors = _errors(past, used)
        days, scale = len(errors), float(past.scale[used].mean())
        if weights == "gls":
            fit, slopes, estimator = _gls(y, x, errors, names)
        else:
            slopes = np.linalg.lstsq(x, errors.T, rcond=None)[0].astype(np.float64)
        cov, days_dof = past_covariance(slopes, scale, past.n_params)
        dof, coef = days_dof, np.asarray(fit.params)
        past_slopes = slopes.T * np.sqrt(scale * days / days_dof)
        extra["p_rank"] = counted_p_value(coef, _as_extreme(past_slopes, coef, alternative))
        method = f"{estimator}, distribution of the coefficients over {days} days before the event"
    elif clusters is not None:
        columns = [clusters] if isinstance(clusters, str) else list(clusters)
        if not 1 <= len(columns) <= 2:
            raise RequestError(f"Clusters go one or two ways, got {len(columns)} columns.")
        groups, labels = zip(*(_clusters(frame.iloc[used], name) for name in columns), strict=True)
        cov, dof, told = _clustered(fit, list(groups), names, columns, labels)
        sizes = [len(each) for each in labels]
        by = " and ".join(f"{name} ({size})" for name, size in zip(columns, sizes, strict=True))
        method = f"{estimator}, CR2 clustered by {by}, Bell-McCaffrey t"
        if min(sizes) < FEW_CLUSTERS and len(columns) == 1:
            draws = np.random.default_rng(seed).choice([-1.0, 1.0], size=(sizes[0], n_resamples))
            wild = wild_cluster_p(
                np.asarray(fit.model.wendog), np.asarray(fit.model.wexog), groups[0], draws, alternative
            )
            extra["p_wild"] = np.where(np.isnan(dof), np.nan, wild)
            notes.append(wild_note(sizes[0], n_resamples, alternative))
        notes += told
    elif covariance == "nonrobust":
        cov = np.asarray(fit.cov_params())
        method = f"{estimator}, homoskedastic"
        fixed = sandwich(np.asarray(fit.model.wexog), np.asarray(fit.wresid), np.arange(n), 1.0)
        notes += alone_note(fixed, names, frame.index[used].tolist())
    elif weights == "fgls" and covariance is None:
        cov = np.asarray(fit.normalized_cov_params)
        method = f"{estimator}, its own variance"
    else:
        cov, dof, told = _robust(fit, covariance, names, frame.index[used], weights)
        notes += told
        method = f"{estimator}, {covariance or 'HC3, Bell-McCaffrey t'}"
    if overlapping > 0 and covariance != "past" and clusters is None:
        notes.append(
            f"{overlapping:.0%} of the pairs of events overlap in time, and their CARs are correlated, which "
            "this standard error ignores: cluster by date, or, on one common date, use covariance='past'."
        )
    return CrossSection(
        formula=formula,
        window=window,
        coefficients=_coefficients(fit, cov, dof, names, extra, alternative),
        covariance=pd.DataFrame(cov, names, names),
        method=method,
        n_events=n,
        r_squared=float(fit.rsquared),
        notes=tuple(notes),
        left_out=left_out,
        fit=fit,
        alternative=alternative,
    )


def _as_extreme(drawn: FloatArray, own: FloatArray, alternative: Alternative) -> npt.NDArray[np.bool_]:
    """Which draws lie at least as far towards the alternative, shape (draws, coefficients)."""
    if alternative == "two-sided":
        drawn, own = np.abs(drawn), np.abs(own)
    elif alternative == "less":
        drawn, own = -drawn, -own
    # A draw that is the data itself, such as one with all signs alike, equals it to rounding.
    return np.asarray(drawn >= own - 1e-10 * np.abs(own))


def _wls(y: FloatArray, x: FloatArray, weights: FloatArray, names: list[str]) -> Any:
    import statsmodels.api as sm

    return sm.WLS(y, pd.DataFrame(x, columns=names), weights=weights).fit()


def _left_out(frame: pd.DataFrame, used: IntArray) -> pd.Series:
    out = np.ones(len(frame), dtype=bool)
    out[used] = False
    lost = frame["car"].isna()[out]
    reasons = np.where(lost, "no CAR in the window", "a characteristic is missing")
    return pd.Series(reasons, frame.index[out], dtype=object, name="reason")


def _clusters(frame: pd.DataFrame, name: str) -> tuple[IntArray, pd.Index]:
    """Give each cluster of a column its number, and list the clusters."""
    if name not in frame:
        raise RequestError(f"No column {name!r} to cluster by; there are {', '.join(map(str, frame))}.")
    codes, labels = pd.factorize(frame[name])
    if (codes < 0).any():
        lacking = frame.index[codes < 0][:5].tolist()
        told = ", ".join(map(str, lacking))
        raise RequestError(f"No {name!r} to cluster by for event {told}: give each one, or leave it out.")
    return np.asarray(codes, dtype=np.int64), pd.Index(labels)


def _coefficients(
    fit: Any,
    cov: FloatArray,
    dof: float | FloatArray,
    names: list[str],
    extra: dict[str, FloatArray],
    alternative: Alternative,
) -> pd.DataFrame:
    coef, se = np.asarray(fit.params), np.sqrt(np.diag(cov))
    t = coef / se
    low, high = t_bounds(coef, se, dof, 0.95, alternative)
    values = {
        "coef": coef, "se": se, "t": t, "dof": dof, "p_value": t_p_values(t, dof, alternative),
        "ci_low": low, "ci_high": high,
    }  # fmt: skip
    return pd.DataFrame(values | extra, pd.Index(names, name="term"))


def _robust(
    fit: Any, kind: Covariance | None, names: list[str], events: pd.Index, weights: Weights | None
) -> tuple[FloatArray, float | FloatArray, list[str]]:
    """Covariance of independent errors of unequal variance, its degrees of freedom, and notes."""
    x, e = np.asarray(fit.model.wexog), np.asarray(fit.wresid)
    n, k = x.shape
    found = sandwich(x, e, np.arange(n), 1.0)
    way = (
        "Leave covariance= out: the variance of FGLS takes each event's from its estimation window."
        if weights == "fgls"
        else "weights='fgls' takes the event's variance from its estimation window, covariance='nonrobust' "
        "from the other events."
    )
    labels = events.tolist()
    notes = [fixed_note(found, names, labels, "event", way)]
    if kind is None:
        notes.append(few_note(found, names, labels, "event", n - k))
        return found.covariance, found.dof, [note for note in notes if note]
    notes.append(explicit_note(found, names, labels, "event", n - k, kind))
    cov = np.where(np.isnan(found.covariance), np.nan, hc_covariance(x, e, kind))
    return cov, float(n - k), [note for note in notes if note]


def _clustered(
    fit: Any, groups: list[IntArray], names: list[str], columns: list[str], labels: Sequence[pd.Index]
) -> tuple[FloatArray, FloatArray, list[str]]:
    """Covariance clustered one or two ways, its degrees of freedom (the fewer of two ways), and notes."""
    if min(map(len, labels)) < 2:
        raise RequestError(
            "All events are in one cluster. On one common date use covariance='past', which takes the "
            "correlation of the firms from their past."
        )
    x, e = np.asarray(fit.model.wexog), np.asarray(fit.wresid)
    ways = [sandwich(x, e, group, 0.5) for group in groups]
    cov, dof = ways[0].covariance, ways[0].dof
    notes = []
    for found, name, each in zip(ways, columns, labels, strict=True):
        way = f"Events of more than one {name} must share what such a term describes."
        notes.append(fixed_note(found, names, each.tolist(), name, way))
        notes.append(few_note(found, names, each.tolist(), name, len(each) - 1))
    if len(groups) == 2:
        both = sandwich(x, e, groups[0] * len(labels[1]) + groups[1], 0.5)
        cov = cov + ways[1].covariance - both.covariance
        dof = np.minimum(dof, ways[1].dof)
        known = np.flatnonzero(~np.isnan(np.diag(cov)))
        values, vectors = np.linalg.eigh(cov[np.ix_(known, known)])
        if len(known) and values[0] < 0:
            cov = cov.copy()
            cov[np.ix_(known, known)] = (vectors * np.maximum(values, 0.0)) @ vectors.T
            notes.append(
                "The two-way variance is not positive definite: negative eigenvalues are set to zero."
            )
    return cov, dof, [note for note in notes if note]


def _errors(past: Past, used: IntArray) -> FloatArray:
    """Residuals of the days on which every event has one, shape (T, N)."""
    residuals = past.residuals[used]
    whole = ~np.isnan(residuals).any(axis=0)
    days = int(whole.sum())
    if days < FEWEST_DAYS:
        fewest = int((~np.isnan(residuals)).sum(axis=1).min())
        raise RequestError(
            f"Only {days} days before the event have a residual of every event, fewer than {FEWEST_DAYS} "
            f"(one event has {fewest} of {residuals.shape[1]}): leave the events out that traded least."
        )
    return residuals[:, whole].T


def _gls(y: FloatArray, x: FloatArray, errors: FloatArray, names: list[str]) -> tuple[Any, FloatArray, str]:
    """Fit by generalised least squares, with the slopes of each past day and the name of the estimator."""
    import statsmodels.api as sm

    components = n_components(len(y))
    covariance = factor_covariance(errors, components)
    if np.linalg.cond(covariance) > WORST_CONDITION:
        raise RequestError(
            "weights='gls': the residuals of some events are linear combinations of others; drop duplicate "
            "securities."
        )
    fit = sm.GLS(y, pd.DataFrame(x, columns=names), sigma=covariance).fit()
    told = f"GLS by {components} principal component{'s' * (components > 1)}"
    return fit, crossfitted_slopes(errors, x, components), told


def random_effect_variance(y: FloatArray, x: FloatArray, v: FloatArray) -> float:
    r"""Variance of true effects beyond their characteristics, by moments.

    .. math:: \hat\sigma_\eta^2 = \max\Bigl(0,\; \frac{e'e - \sum_i m_{ii} v_i}{N - k}\Bigr)

    for least-squares residuals e, the diagonal m of ``I - X (X'X)^-1 X'`` and estimation variances v, since
    ``E e'e = sum m_ii (v_i + sigma^2)``.

    Parameters
    ----------
    y, v : arrays, shape (N,)
    x : array, shape (N, k)

    References
    ----------
    docs/methods/regressions.md, eq. (random-effect).
    """
    q, _ = np.linalg.qr(x)
    e = y - q @ (q.T @ y)
    m = 1.0 - (q**2).sum(axis=1)
    return max(0.0, float((e @ e - m @ v) / (len(y) - x.shape[1])))


def wild_cluster_p(
    y: FloatArray,
    x: FloatArray,
    groups: IntArray,
    draws: FloatArray,
    alternative: Alternative = "two-sided",
) -> FloatArray:
    r"""P-values of the wild cluster bootstrap with the null imposed, one per coefficient.

    Parameters
    ----------
    y : array, shape (N,)
    x : array, shape (N, k)
    groups : array of int, shape (N,)
        Cluster of each event, numbered from 0.
    draws : array, shape (G, B)
        Random signs of the clusters.
    alternative : {"two-sided", "less", "greater"}

    Returns
    -------
    array, shape (k,)
        ``(1 + #{|t*| >= |t|}) / (B + 1)``, t with one-way clustered standard errors; one-sided
        ``t* <= t`` or ``t* >= t``.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427;
    docs/methods/regressions.md, eq. (wild-cluster).
    """
    n, k = x.shape
    _, groups = np.unique(groups, return_inverse=True)
    order = np.argsort(groups, kind="stable")
    y, x, groups = y[order], x[order], groups[order]
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    inverse = np.linalg.inv(x.T @ x)
    influence = x @ inverse

    def t(values: FloatArray, j: int) -> FloatArray:
        coef = influence.T @ values
        e = values - x @ coef
        scores = np.add.reduceat(influence[:, j, None] * e, starts, axis=0)
        g = len(starts)
        size = g / (g - 1) * (n - 1) / (n - k)
        return np.asarray(coef[j] / np.sqrt(size * (scores**2).sum(axis=0)), dtype=np.float64)

    found = np.empty(k)
    for j in range(k):
        others = np.delete(x, j, axis=1)
        fitted = others @ np.linalg.lstsq(others, y, rcond=None)[0] if k > 1 else np.zeros(n)
        sample = fitted[:, None] + (y - fitted)[:, None] * draws[groups]
        own = t(y[:, None], j)
        found[j] = counted_p_value(own[0], _as_extreme(t(sample, j), own, alternative))
    return found


def past_covariance(slopes: FloatArray, scale: float, n_params: float) -> tuple[FloatArray, float]:
    r"""Covariance of slopes on one common date, from those of the same regression on each day before it.

    .. math:: \hat\delta_t = (Z'Z)^{-1} Z' e_t, \qquad
              \hat V = \frac{a}{T - k} \sum_t \hat\delta_t \hat\delta_t'

    Each coefficient is the return of a portfolio of the events with weights that are a row of
    ``(Z'Z)^-1 Z'``, so this is the portfolio's own variance times ``a = g'Vg / s^2``: whatever the
    correlation of the events, exact for normally distributed returns where all have the same regressors.

    Parameters
    ----------
    slopes : array, shape (k, T)
    scale : float
    n_params : float

    Returns
    -------
    covariance : array, shape (k, k)
    dof : float
        T - k with the k of the normal-return model.

    References
    ----------
    docs/methods/regressions.md, eq. (past-covariance).
    """
    dof = slopes.shape[1] - n_params
    return scale * slopes @ slopes.T / dof, float(dof)
