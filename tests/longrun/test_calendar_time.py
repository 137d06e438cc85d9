"""Calendar-time portfolios against loops over months, plain matrices and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import ExcludedEventsWarning, ModelError, NoUsableEventsError, RequestError

H = 24


@pytest.fixture(scope="module")
def factors(returns: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(0.002, 0.03, (132, 2)), returns.index, ["smb", "hml"])
    frame["rf"] = 0.002
    frame["mkt_rf"] = returns["index"] - 0.002
    return frame


@pytest.fixture(scope="module")
def cap(returns: pd.DataFrame) -> pd.DataFrame:
    growth = (1 + returns.iloc[:, 1:].fillna(0)).cumprod()
    return growth * np.random.default_rng(4).lognormal(3, 1, 30)


def by_loops(
    returns: pd.DataFrame, events: pd.DataFrame, cap: pd.DataFrame | None = None
) -> tuple[pd.Series, pd.Series, list[list[str]]]:
    """Portfolio return, number of firms and firms of each month."""
    value, count, firms = [], [], []
    starts = [returns.index.get_loc(d) for d in events["date"]]
    for t in range(len(returns)):
        held = {}
        for name, start in zip(events["security"], starts, strict=True):
            r = returns[name].iloc[t]
            if start + 1 <= t <= start + H and not np.isnan(r):
                held[name] = (r, 1.0 if cap is None else cap[name].iloc[t - 1])
        w = sum(weight for _, weight in held.values())
        value.append(sum(r * weight for r, weight in held.values()) / w if held else np.nan)
        count.append(len(held))
        firms.append(sorted(held))
    return pd.Series(value, returns.index), pd.Series(count, returns.index), firms


@pytest.mark.parametrize("weights", ["equal", "value"])
def test_portfolios_by_loops(
    market: es.Market, returns: pd.DataFrame, events: pd.DataFrame, cap: pd.DataFrame, weights: str
) -> None:
    again = pd.concat([events, events.iloc[:3].assign(date=events["date"].iloc[:3] + pd.offsets.MonthEnd(4))])
    again = again.reset_index(drop=True)
    cap = cap if weights == "value" else None
    found = es.CalendarTimePortfolio(
        market, again, (1, H), weights=weights, market_cap=cap, min_firms=5
    ).fit()
    value, count, _ = by_loops(returns, again, cap)
    used = count >= 5
    assert found.portfolio["portfolio"].to_numpy() == pytest.approx(value[used].to_numpy(), abs=1e-13)
    assert found.portfolio["n_firms"].tolist() == count[used].tolist()
    assert found.portfolio.index.equals(returns.index[used])


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("regression", ["ols", "sqrt_n"])
@pytest.mark.parametrize("cov", ["ols", "hc3", "hac"])
def test_alpha_by_matrices(
    returns: pd.DataFrame, events: pd.DataFrame, factors: pd.DataFrame, regression: str, cov: str
) -> None:
    market = es.Market(returns, benchmark="index", factors=factors)
    found = es.CalendarTimePortfolio(
        market,
        events,
        (1, H),
        es.FamaFrench3(),
        min_firms=8,
        regression=regression,
        cov=cov,
        lags=3 if cov == "hac" else None,
    ).fit()
    value, count, _ = by_loops(returns, events)
    used = (count >= 8).to_numpy()
    y = (value - factors["rf"]).to_numpy()[used]
    x = np.column_stack([np.ones(used.sum()), factors[["mkt_rf", "smb", "hml"]].to_numpy()[used]])
    root = np.sqrt(count.to_numpy()[used]) if regression == "sqrt_n" else np.ones(used.sum())
    y, x = y * root, x * root[:, None]
    n, k = x.shape
    unit = np.linalg.inv(x.T @ x)
    theta = unit @ x.T @ y
    e = y - x @ theta
    if cov == "ols":
        v = unit * (e @ e) / (n - k)
    elif cov == "hc3":
        leverage = np.einsum("ij,jk,ik->i", x, unit, x)
        u = x * (e / (1 - leverage))[:, None]
        v = unit @ (u.T @ u) @ unit
    else:
        u = x * e[:, None]
        middle = u.T @ u
        for lag in (1, 2, 3):
            g = u[lag:].T @ u[:-lag]
            middle += (1 - lag / 4) * (g + g.T)
        v = unit @ middle @ unit * n / (n - k)
    row = found.alpha().iloc[0]
    se = np.sqrt(v[0, 0])
    assert row["alpha"] == pytest.approx(theta[0], rel=1e-9)
    assert row["se"] == pytest.approx(se, rel=1e-9)
    assert row["dof"] == n - k
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(theta[0] / se), n - k), rel=1e-8)
    half = stats.t.ppf(0.975, n - k) * se
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([theta[0] - half, theta[0] + half], rel=1e-8)
    below = found.alpha(level=0.975, alternative="less").iloc[0]
    assert below["p_value"] == pytest.approx(stats.t.cdf(theta[0] / se, n - k), rel=1e-8)
    assert [below["ci_low"], below["ci_high"]] == pytest.approx([-np.inf, theta[0] + half], rel=1e-8)
    assert found.regression.params.index.tolist() == ["alpha", "mkt_rf", "smb", "hml"]


def test_the_market_model_regresses_on_the_benchmark(
    market: es.Market, returns: pd.DataFrame, events: pd.DataFrame
) -> None:
    found = es.CalendarTimePortfolio(market, events, (1, H), min_firms=8, cov="ols").fit()
    value, count, _ = by_loops(returns, events)
    used = count >= 8
    want = sm.OLS(value[used], sm.add_constant(returns["index"][used])).fit()
    assert found.alpha()["t"].iloc[0] == pytest.approx(want.tvalues.iloc[0], rel=1e-9)
    lagged = es.Market(np.log1p(returns), benchmark="index", kind="log")
    same = es.CalendarTimePortfolio(lagged, events, (1, H), min_firms=8, cov="ols").fit()
    assert same.alpha()["t"].iloc[0] == pytest.approx(want.tvalues.iloc[0], rel=1e-9)


def test_standardised_months_by_loops(market: es.Market, returns: pd.DataFrame, events: pd.DataFrame) -> None:
    found = es.CalendarTimePortfolio(market, events, (1, H), min_firms=8).fit()
    table = found.jaffe_mandelker(estimation=36, minimum=20)
    _, count, firms = by_loops(returns, events)
    abnormal = returns.iloc[:, 1:].sub(returns["index"], axis=0)
    z = []
    for t in np.flatnonzero(count >= 8):
        now = abnormal[firms[t]].iloc[t].mean()
        past = abnormal[firms[t]].iloc[max(t - 36, 0) : t]
        past = past[past.notna().sum(axis=1) >= len(firms[t]) / 2].mean(axis=1)
        if len(past) >= 20:
            z.append(now / past.std())
    z = np.array(z)
    assert table["n_periods"].tolist() == [len(z)] * 2
    assert table["statistic"].tolist() == pytest.approx(
        [z.sum() / np.sqrt(len(z)), stats.ttest_1samp(z, 0).statistic], rel=1e-9
    )
    assert table.loc["t", "p_value"] == pytest.approx(stats.ttest_1samp(z, 0).pvalue, rel=1e-9)
    assert table.loc["z", "p_value"] == pytest.approx(2 * stats.norm.sf(abs(table.loc["z", "statistic"])))


def test_an_injected_drift_is_found(returns: pd.DataFrame, events: pd.DataFrame) -> None:
    changed = returns.copy()
    for event in events.itertuples():
        at = returns.index.get_loc(event.date)
        changed.iloc[at + 1 : at + 1 + H, changed.columns.get_loc(event.security)] += 0.03
    before = es.CalendarTimePortfolio(
        es.Market(returns, benchmark="index"), events, (1, H), min_firms=5
    ).fit()
    after = es.CalendarTimePortfolio(es.Market(changed, benchmark="index"), events, (1, H), min_firms=5).fit()
    gain = after.alpha()["alpha"].iloc[0] - before.alpha()["alpha"].iloc[0]
    assert gain == pytest.approx(0.03, abs=1e-9)
    assert after.alpha()["p_value"].iloc[0] < 0.01
    assert "alpha is the mean abnormal return" in str(after.summary())
    assert "periods of" in repr(after)


def test_what_cannot_be_used_is_refused(
    market: es.Market, events: pd.DataFrame, cap: pd.DataFrame, returns: pd.DataFrame
) -> None:
    with pytest.raises(NoUsableEventsError, match=r"A period has \d+ firms at most"):
        es.CalendarTimePortfolio(market, events, (1, H), min_firms=29).fit()
    with pytest.raises(RequestError, match="value weights need market_cap"):
        es.CalendarTimePortfolio(market, events, weights="value")
    with pytest.raises(RequestError, match="market_cap goes with"):
        es.CalendarTimePortfolio(market, events, market_cap=cap)
    with pytest.raises(RequestError, match="cov must be one of"):
        es.CalendarTimePortfolio(market, events, cov="white")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="min_firms"):
        es.CalendarTimePortfolio(market, events, min_firms=0)
    with pytest.raises(ModelError, match="least-squares model"):
        es.CalendarTimePortfolio(market, events, model=es.GARCHMarketModel())  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="needs the factor rf"):
        es.CalendarTimePortfolio(market, events, model=es.FamaFrench3())
    with pytest.raises(ModelError, match="one benchmark for all"):
        es.CalendarTimePortfolio(es.Market(returns), events)
    found = es.CalendarTimePortfolio(market, events, (1, H), min_firms=5).fit()
    with pytest.raises(RequestError, match="lower minimum"):
        found.jaffe_mandelker(estimation=60, minimum=61)
    with pytest.raises(RequestError, match="level must be a number between 0 and 1; got 95"):
        found.alpha(level=95)


def test_events_left_out_are_listed(market: es.Market, returns: pd.DataFrame, events: pd.DataFrame) -> None:
    more = pd.DataFrame(
        [
            {"security": "F9", "date": returns.index[60]},
            {"security": "F28", "date": returns.index[20]},  # listed in month 60
            {"security": "F29", "date": returns.index[75]},  # gone by then
        ]
    )
    plain = es.CalendarTimePortfolio(market, events, (1, H), min_firms=5).fit()
    assert plain.excluded.empty
    with pytest.warns(ExcludedEventsWarning, match=r"3 of 27 events cannot be used \(see results.excluded"):
        found = es.CalendarTimePortfolio(
            market, pd.concat([events, more], ignore_index=True), (1, H), min_firms=5
        ).fit()
    assert "no security 'F9'" in found.excluded[24]
    assert "it is not listed yet" in found.excluded[25]
    assert "no return on" in found.excluded[26]
    assert "(3 events excluded)" in repr(found)
    pd.testing.assert_frame_equal(found.portfolio, plain.portfolio)
    alone = es.CalendarTimePortfolio(market, more, (1, H), min_firms=1)
    with pytest.raises(NoUsableEventsError, match=r"(?s)Events that cannot be used.*event 0: no security"):
        alone.fit()


def test_a_suspended_firm_is_not_held_when_it_is_back(market: es.Market, returns: pd.DataFrame) -> None:
    halted = returns.copy()
    halted.iloc[40:60, 1] = np.nan
    events = [{"security": f"F0{i}", "date": returns.index[40]} for i in range(5)]
    spec = es.CalendarTimePortfolio(es.Market(halted, benchmark="index"), events, (1, H), min_firms=1)
    with pytest.warns(ExcludedEventsWarning, match="suspended at the event"):
        found = spec.fit()
    assert found.portfolio.index[-1] == returns.index[40 + H]


def test_the_default_covariance_is_hc3(market: es.Market, events: pd.DataFrame) -> None:
    """Newey and West's rejects 12% of true nulls with 12 months."""
    found = es.CalendarTimePortfolio(market, events, (1, H), min_firms=5).fit()
    x = sm.add_constant(found.portfolio["benchmark"].to_numpy())
    fit = sm.OLS(found.portfolio["portfolio"].to_numpy(), x).fit(cov_type="HC3", use_t=True)
    assert found.alpha()["se"].iloc[0] == pytest.approx(fit.bse[0], rel=1e-9)
    assert found.alpha()["p_value"].iloc[0] == pytest.approx(fit.pvalues[0], rel=1e-9)
