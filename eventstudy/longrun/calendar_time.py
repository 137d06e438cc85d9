"""Portfolios in calendar time: all firms with a recent event, held month by month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from eventstudy._typing import BoolArray, FloatArray
from eventstudy.arguments import by_name, check_choice, check_fraction, check_whole
from eventstudy.errors import ModelError, NoUsableEventsError, RequestError
from eventstudy.events import Events
from eventstudy.immutable import Immutable, hand_out_copies
from eventstudy.inference.base import Alternative, check_alternative, p_value, t_bounds
from eventstudy.longrun.buyhold import left_out, listed_reasons, placed
from eventstudy.longrun.panel import Panel, laid_on_sessions
from eventstudy.market import Market
from eventstudy.models import MarketModel
from eventstudy.models.autocorrelated import bartlett_lags
from eventstudy.models.linear import LinearModel
from eventstudy.sample import refuse_window_columns
from eventstudy.sample.event_arrays import factor_row
from eventstudy.tables import Section, Table
from eventstudy.text import plural
from eventstudy.windows import Window

__all__ = ["CalendarTimePortfolio", "CalendarTimeResults"]


@hand_out_copies("market_cap")
class CalendarTimePortfolio(Immutable):
    r"""Abnormal return of a portfolio that holds, each period, every firm with an event in the horizon.

    .. math:: R_{pt} - r_{ft} = \alpha_p + \sum_j \beta_{pj} F_{jt} + \varepsilon_{pt}

    :math:`\alpha_p` is the mean abnormal return a period. The correlation of firms of one period is in the
    variance of the portfolio, which is why overlapping horizons do no harm.

    Parameters
    ----------
    market : Market
        Of months, weeks or days.
    events : Events, or what `Events` takes
    horizon : Window or (int, int), default (1, 36)
        Sessions after its event in which a firm is held; a firm with two events is held once.
    model : LinearModel, default MarketModel()
        Factors: `MarketModel`, `CAPM`, `FamaFrench3`, `Carhart4`, `FactorModel`...
    weights : {"equal", "value"}, default "equal"
    market_cap : DataFrame, optional
        Dates × securities, for value weights: those of the session before are used.
    min_firms : int, default 10
        Periods with fewer firms are left out.
    regression : {"ols", "sqrt_n"}, default "ols"
        Every period alike, or rows multiplied by the root of the number of firms, which makes a period of
        many firms count for more (weighted least squares).
    cov : {"hc3", "hac", "ols"}, default "hc3"
        Covariance of the estimates: White's (HC3), Newey and West's or the plain one. Newey and West's
        rejects too often where periods are few: 12% of true nulls with 12 months.
    lags : int, optional
        Of Newey and West's; ``4 (T / 100)^(2/9)`` by default.
    delisting
        As for `BuyAndHold`.

    Notes
    -----
    Jaffe (1974); Mandelker (1974); Fama (1998); Mitchell and Stafford (2000). Statistics are referred to
    t(T - k). A return that spans several sessions counts in the last of them. An event is excluded, with the
    reason, if its firm is suspended at the event for more than a month or has no return in the horizon.

    References
    ----------
    docs/methods/long_horizon.md, eq. (calendar-time).

    Examples
    --------
    >>> import eventstudy as es
    >>> months = es.lab.simulate_market(40, 120, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    >>> dates = months.sessions[20:100:2]
    >>> events = [{"security": s, "date": d} for s, d in zip(months.securities, dates)]
    >>> found = es.CalendarTimePortfolio(months, events, horizon=(1, 24), min_firms=5).fit()
    >>> list(found.alpha().columns)
    ['alpha', 'se', 't', 'dof', 'p_value', 'ci_low', 'ci_high', 'n_periods']
    """

    market: Market
    events: Events
    horizon: Window
    model: LinearModel
    weights: Literal["equal", "value"]
    market_cap: pd.DataFrame | None
    min_firms: int
    regression: Literal["ols", "sqrt_n"]
    cov: Literal["hac", "hc3", "ols"]
    lags: int | None

    def __init__(
        self,
        market: Market,
        events: Events | pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        horizon: Window | Sequence[int] = (1, 36),
        model: LinearModel | None = None,
        *,
        weights: Literal["equal", "value"] = "equal",
        market_cap: pd.DataFrame | None = None,
        min_firms: int = 10,
        regression: Literal["ols", "sqrt_n"] = "ols",
        cov: Literal["hac", "hc3", "ols"] = "hc3",
        lags: int | None = None,
        delisting: Mapping[str, float] | pd.Series | None = None,
    ) -> None:
        for name, value, allowed in (
            ("weights", weights, ("equal", "value")),
            ("regression", regression, ("ols", "sqrt_n")),
            ("cov", cov, ("hac", "hc3", "ols")),
        ):
            check_choice(name, value, allowed)
        if (weights == "value") != (market_cap is not None):
            raise RequestError("market_cap goes with weights='value', and value weights need market_cap.")
        check_whole("min_firms", min_firms, 1)
        if lags is not None:
            check_whole("lags", lags, 0)
            if cov != "hac":
                raise RequestError(f"lags= goes with cov='hac'; cov={cov!r} has none.")
        model = MarketModel() if model is None else model
        if not isinstance(model, LinearModel):
            raise ModelError(f"model must be a least-squares model such as FamaFrench3(), got {model!r}.")
        self.market, self.model = market, model
        self.events = events if isinstance(events, Events) else Events(events)
        refuse_window_columns(self.events.frame, "CalendarTimePortfolio")
        self.horizon = Window.of(horizon)
        self.weights, self.market_cap, self.min_firms = weights, market_cap, min_firms
        self.regression, self.cov, self.lags = regression, cov, lags
        self._panel = Panel.of(market, delisting)
        self._factors()  # to refuse a model that the market cannot serve

    def __repr__(self) -> str:
        return (
            f"CalendarTimePortfolio: {len(self.events)} events, horizon {self.horizon}, {self.model.label}, "
            f"{self.weights} weights\n  {self.market!r}"
        )

    def fit(self) -> CalendarTimeResults:
        """Form the portfolios and regress.

        Raises
        ------
        NoUsableEventsError
            If too few periods have `min_firms` firms and known factors.

        Warns
        -----
        ExcludedEventsWarning
            If some events cannot be used.
        """
        sample, reasons = placed(self.market, self.events, self._panel)
        n, t = self._panel.returns.shape
        able, size, without = ~np.isnan(self._panel.returns), np.ones((n, t)), "return"
        if self.market_cap is not None:
            cap = laid_on_sessions(self.market_cap, self.market, "market_cap").to_numpy(dtype=np.float64).T
            size = np.concatenate([np.full((n, 1), np.nan), cap[:, :-1]], axis=1)
            able &= size > 0
            without = "return with a market value"
        member = np.zeros((n, t), dtype=bool)
        for i, (security, day0) in enumerate(zip(sample.security, sample.day0, strict=True)):
            if i in reasons:
                continue
            periods = slice(*np.clip([day0 + self.horizon.start, day0 + self.horizon.end + 1], 0, t).tolist())
            if not able[security, periods].any():
                reasons[i] = f"it has no {without} in its horizon {self.horizon}"
            member[security, periods] |= able[security, periods]
        excluded = left_out(self.events, sample, reasons)
        count = member.sum(axis=0)
        held = np.where(member, size, 0.0)
        above = (held * np.where(member, self._panel.returns, 0.0)).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where(count > 0, above / held.sum(axis=0), np.nan)
        factors = self._factors()
        frame = pd.DataFrame({"portfolio": value, "n_firms": count}, self.market.sessions)
        if self.model.excess:
            frame["portfolio"] -= factors.pop("rf")
        frame = pd.concat([frame, factors], axis=1)
        used = frame[(frame["n_firms"] >= self.min_firms) & frame.notna().all(axis=1)]
        k = 1 + factors.shape[1]
        if len(used) < k + 2:
            told = f"\nEvents that cannot be used:\n{listed_reasons(excluded)}" if len(excluded) else ""
            raise NoUsableEventsError(
                f"Only {plural(len(used), 'period')} with {self.min_firms} firms or more and all factors; "
                f"the regression needs {k + 2}. A period has {int(count.max(initial=0))} firms at most: "
                f"lower min_firms, or lengthen the horizon.{told}"
            )
        self._check_regression(used)
        return CalendarTimeResults(self, used, member, excluded)

    def _check_regression(self, used: pd.DataFrame) -> None:
        """Refuse what leaves alpha undefined: collinear factors, and lags of half the periods or more."""
        factors = used.drop(columns=["portfolio", "n_firms"])
        x = np.column_stack([np.ones(len(used)), factors.to_numpy(dtype=np.float64)])
        scale = np.abs(x).max(axis=0)
        if np.linalg.matrix_rank(x / np.where(scale > 0, scale, 1.0)) < x.shape[1]:
            raise NoUsableEventsError(
                f"Over the {len(used)} periods of the portfolio {', '.join(factors.columns)} do not vary, or "
                "not apart from each other, so alpha cannot be estimated. Take another benchmark or "
                "other factors."
            )
        if self.cov == "hac" and self.lags is not None and self.lags > len(used) // 2:
            raise RequestError(
                f"lags={self.lags} is more than half of the {len(used)} periods: autocovariances of so few "
                f"pairs shrink the standard error. By default they are {bartlett_lags(len(used))}."
            )

    def _factors(self) -> pd.DataFrame:
        """Regressors of the model by session, simple returns; `rf` as well where it is in excess."""
        market, bank = self.market, self.market.bank
        columns: dict[str, FloatArray] = {}
        rf = None
        if self.model.excess:
            row = factor_row(market, "rf")
            if row is None:
                raise ModelError(f"{self.model.label} needs the factor rf: Market(..., factors=frame).")
            rf = bank.single[row]
        for wanted in self.model.regressors:
            row = factor_row(market, wanted.source)
            if wanted.source == "benchmark":
                if len(market.benchmarks) != 1:
                    raise ModelError(
                        f"{self.model.label} needs one benchmark for all securities; the market has "
                        f"{len(market.benchmarks)}. Use factors: FactorModel([...])."
                    )
                row = 0
            if row is None:
                raise ModelError(f"The market has no factor {wanted.source!r}: Market(..., factors=frame).")
            values = bank.single[row]
            values = np.expm1(values) if market.kind == "log" else values
            if rf is not None and wanted.source == "benchmark":
                values = values - rf
            shifted = np.full(len(values), np.nan)
            lag = wanted.lag
            shifted[max(lag, 0) : len(values) + min(lag, 0)] = values[
                max(-lag, 0) : len(values) - max(lag, 0)
            ]
            columns[wanted.name] = shifted
        if rf is not None:
            columns["rf"] = rf
        return pd.DataFrame(columns, market.sessions)


@hand_out_copies("portfolio", "excluded")
class CalendarTimeResults(Immutable):
    """A calendar-time portfolio and the regression of its returns.

    Attributes
    ----------
    spec : CalendarTimePortfolio
    portfolio : DataFrame
        By session used: portfolio (return, in excess of the risk-free rate where the model is), n_firms, and
        the factors.
    excluded : Series
        Reason why an event could not be used, by event_id.

    Examples
    --------
    >>> import eventstudy as es
    >>> months = es.lab.simulate_market(40, 120, sigma=(0.08, 0.15), market_sigma=0.04, seed=2).market
    >>> dates = months.sessions[20:100:2]
    >>> events = [{"security": s, "date": d} for s, d in zip(months.securities, dates)]
    >>> found = es.CalendarTimePortfolio(months, events, horizon=(1, 24), min_firms=5).fit()
    >>> found.alpha()[["alpha", "se"]].round(4).values.tolist()
    [[0.0003, 0.0037]]
    """

    spec: CalendarTimePortfolio
    portfolio: pd.DataFrame
    excluded: pd.Series

    def __init__(
        self,
        spec: CalendarTimePortfolio,
        portfolio: pd.DataFrame,
        member: BoolArray,
        excluded: pd.Series,
    ) -> None:
        self.spec, self.portfolio, self._member, self.excluded = spec, portfolio, member, excluded

    def __repr__(self) -> str:
        found = self.alpha().iloc[0]
        out = f" ({len(self.excluded)} events excluded)" if len(self.excluded) else ""
        return (
            f"CalendarTimeResults: {len(self.portfolio)} periods of {self.portfolio['n_firms'].min()} to "
            f"{self.portfolio['n_firms'].max()} firms{out}, alpha {found['alpha']:.4f} (t {found['t']:.2f})"
        )

    @cached_property
    def regression(self) -> Any:
        """Statsmodels results of the regression."""
        import statsmodels.api as sm

        x = self.portfolio.drop(columns=["portfolio", "n_firms"])
        x.insert(0, "alpha", 1.0)
        y = self.portfolio["portfolio"]
        weights = self.portfolio["n_firms"] if self.spec.regression == "sqrt_n" else 1.0
        model = sm.WLS(y, x, weights=weights)
        if self.spec.cov == "hac":
            lags = bartlett_lags(len(y)) if self.spec.lags is None else self.spec.lags
            options: dict[str, Any] = {
                "cov_type": "HAC",
                "cov_kwds": {"maxlags": lags, "use_correction": True},
            }
        else:
            options = {"cov_type": "HC3" if self.spec.cov == "hc3" else "nonrobust"}
        return model.fit(use_t=True, **options)

    @by_name
    def alpha(self, *, level: float = 0.95, alternative: Alternative = "two-sided") -> pd.DataFrame:
        """Mean abnormal return per period.

        Parameters
        ----------
        level : float, default 0.95
            Coverage of the interval.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"
            Side of the p-value; an interval of one side is infinite on the other.

        Returns
        -------
        DataFrame
            One row, indexed by the horizon: alpha, se, t, dof, p_value, ci_low, ci_high, n_periods.
        """
        check_fraction("level", level)
        check_alternative(alternative)
        fit = self.regression
        alpha, se = float(fit.params["alpha"]), float(fit.bse["alpha"])
        dof = float(fit.df_resid)
        low, high = t_bounds(np.array(alpha), np.array(se), dof, level, alternative)
        return pd.DataFrame(
            {
                "alpha": alpha,
                "se": se,
                "t": float(fit.tvalues["alpha"]),
                "dof": dof,
                "p_value": p_value(alpha / se, alternative, dof),
                "ci_low": float(low),
                "ci_high": float(high),
                "n_periods": len(self.portfolio),
            },
            index=pd.Index([str(self.spec.horizon)], name="horizon"),
        )

    @by_name
    def jaffe_mandelker(
        self, *, estimation: int = 60, minimum: int = 24, alternative: Alternative = "two-sided"
    ) -> pd.DataFrame:
        r"""Test the mean of standardised periods (Jaffe 1974; Mandelker 1974).

        .. math:: z_t = \frac{AR_{pt}}{\hat\sigma_{pt}}, \qquad Z = \sqrt T \bar z \sim N(0, 1), \qquad
                  t = \sqrt T \frac{\bar z}{s_z} \sim t_{T-1}

        The abnormal return of a period is that of the portfolio less the benchmark. Its deviation is that
        of the same firms' abnormal return, of the same weights, over the sessions before, so a period of
        few firms, or of wild ones, counts no more than it can tell.

        Parameters
        ----------
        estimation : int, default 60
            Sessions before the period from which its deviation is estimated.
        minimum : int, default 24
            Fewest of them on which at least half of the firms have a return; periods with fewer are left out.
        alternative : {"two-sided", "less", "greater"}, default "two-sided"

        Returns
        -------
        DataFrame
            By test, ``z`` and ``t``: mean_standardised, mean_abnormal, statistic, dof, p_value, n_periods.

        Raises
        ------
        RequestError
            If the market has no common benchmark, or fewer than two periods can be used.

        References
        ----------
        docs/methods/long_horizon.md, eq. (jaffe-mandelker).
        """
        check_alternative(alternative)
        check_whole("estimation", estimation, 2)
        check_whole("minimum", minimum, 2)
        z, ar = self._standardised(estimation, minimum)
        n = len(z)
        if n < 2:
            raise RequestError(
                f"Only {plural(n, 'period')} with {minimum} of {estimation} earlier sessions with half of "
                "the firms: lower minimum, or give a longer history."
            )
        by_z, by_t = np.sqrt(n) * z.mean(), np.sqrt(n) * z.mean() / z.std(ddof=1)
        return pd.DataFrame(
            {
                "mean_standardised": float(z.mean()),
                "mean_abnormal": float(ar.mean()),
                "statistic": [float(by_z), float(by_t)],
                "dof": [np.nan, n - 1],
                "p_value": [p_value(float(by_z), alternative), p_value(float(by_t), alternative, n - 1)],
                "n_periods": n,
            },
            index=pd.Index(["z", "t"], name="test"),
        )

    def _standardised(self, estimation: int, minimum: int) -> tuple[FloatArray, FloatArray]:
        market, returns = self.spec.market, self.spec._panel.returns
        if len(market.benchmarks) != 1:
            raise RequestError("Standardised periods need one benchmark for all securities.")
        index = market.bank.single[0]
        abnormal = returns - (np.expm1(index) if market.kind == "log" else index)
        size = None
        if self.spec.market_cap is not None:
            size = laid_on_sessions(self.spec.market_cap, market, "market_cap").to_numpy(dtype=np.float64).T
        z, ar = [], []
        for t in market.sessions.get_indexer(self.portfolio.index):
            firms = np.flatnonzero(self._member[:, t])
            weight = np.ones(len(firms)) if size is None else size[firms, t - 1]
            now = float(weight @ abnormal[firms, t] / weight.sum())
            past = abnormal[firms, max(t - estimation, 0) : t]
            seen = ~np.isnan(past)
            enough = seen.sum(axis=0) >= len(firms) / 2
            if np.isnan(now) or enough.sum() < minimum:
                continue
            held = np.where(seen, weight[:, None], 0.0)[:, enough]
            series = (held * np.nan_to_num(past[:, enough])).sum(axis=0) / held.sum(axis=0)
            deviation = series.std(ddof=1)
            if deviation > 0:
                z.append(now / deviation)
                ar.append(now)
        return np.array(z, dtype=np.float64), np.array(ar, dtype=np.float64)

    def summary(self) -> Table:
        """Summarise the portfolio, the regression and the standardised periods."""
        fit = self.regression
        table = pd.DataFrame(
            {"estimate": fit.params, "s.e.": fit.bse, "t": fit.tvalues, "p": fit.pvalues}
        ).rename_axis("parameter")
        spec, firms = self.spec, self.portfolio["n_firms"]
        rows = {
            "periods": f"{len(firms)}, with {firms.min()} to {firms.max()} firms (at least {spec.min_firms})",
            "weights": spec.weights,
            "regression": f"{spec.model.label}, {spec.regression}, {spec.cov} covariance",
            "r squared": f"{fit.rsquared:.3f}",
        }
        design = Section(pd.DataFrame({"": pd.Series(rows, dtype=object)}), "Design")
        return Table(
            f"Calendar-time portfolio, horizon {spec.horizon}",
            (design, Section(table, "Regression", {"t": "{:.2f}"})),
            (f"alpha is the mean abnormal return a period; t({fit.df_resid:.0f}).",),
        )
