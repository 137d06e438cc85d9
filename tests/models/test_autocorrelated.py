"""Least squares with autocorrelated errors against statsmodels and against the covariance written out."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.linalg import toeplitz
from statsmodels.regression.linear_model import yule_walker
from statsmodels.tsa.arima_process import arma_acovf

import eventstudy as es
from eventstudy.errors import ModelError
from eventstudy.models.autocorrelated import ar_autocorrelations, autocovariances, bartlett_lags, choose_order

W, GAP, L = 150, 6, 11
ESTIMATION, WINDOW = (-W - GAP - 5, -GAP - 6), (-5, 5)


def walker(e: np.ndarray, order: int) -> tuple[np.ndarray, float]:
    """Yule-Walker estimates of statsmodels, which warns of a new type of result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return yule_walker(e, order, method="mle", demean=False)


def turnover(seed: int, n: int = 3, phi: float = 0.6, days: int = 260) -> es.Market:
    rng = np.random.default_rng(seed)
    errors = np.zeros((days + 50, n + 1))
    for t in range(1, days + 50):
        errors[t] = phi * errors[t - 1] + rng.normal(0, 0.3, n + 1)
    market = errors[50:, [0]] * 0.5
    values = np.column_stack([market, -1.0 + 0.8 * market + errors[50:, 1:]])
    frame = pd.DataFrame(values, pd.bdate_range("2018-01-01", periods=days), ["mean", *"ABCDEFGHIJ"[:n]])
    return es.Market(frame, benchmark="mean", kind="log turnover")


def fit(market: es.Market, model: es.AutocorrelatedErrors, names: str = "ABC") -> es.EventStudyResults:
    events = [{"security": s, "date": market.sessions[200 + 5 * i]} for i, s in enumerate(names)]
    return es.EventStudy(
        market, events, model=model, estimation=ESTIMATION, window=WINDOW, incomplete="partial"
    ).fit()


def written_out(
    market: es.Market, security: str, row: int, rho: np.ndarray, method: str, constant: bool, lags: int
) -> tuple[np.ndarray, float, np.ndarray]:
    """Parameters, s2 and covariance of the abnormal values of one event, by plain matrices."""
    frame = market.returns
    past, event = np.arange(row + ESTIMATION[0], row + ESTIMATION[1] + 1), np.arange(row - 5, row + 6)
    columns = [np.ones(len(frame))] + ([] if constant else [frame["mean"].to_numpy()])
    x, y = np.column_stack(columns), frame[security].to_numpy()
    past = past[~np.isnan(y[past])]
    whole = np.concatenate([past, event])
    r = rho[np.abs(whole[:, None] - whole)]
    m = len(past)
    ree, rwe, rww = r[:m, :m], r[m:, :m], r[m:, m:]
    if method == "egls":
        found = sm.GLS(y[past], x[past], sigma=ree).fit()
        gain = np.linalg.inv(x[past].T @ np.linalg.inv(ree) @ x[past]) @ x[past].T @ np.linalg.inv(ree)
    else:
        ols = sm.OLS(y[past], x[past])
        found = ols.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
        gain = np.linalg.inv(x[past].T @ x[past]) @ x[past].T
    shared = rwe @ gain.T @ x[event].T
    cov = found.scale * (rww - shared - shared.T) + x[event] @ found.cov_params() @ x[event].T
    return found.params, found.scale, cov


@pytest.mark.quick("egls-3-False", "hac-1-True", every=4)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("lags", [0, 1, 3])
@pytest.mark.parametrize("method", ["egls", "hac"])
def test_against_statsmodels(method: str, lags: int, constant: bool) -> None:
    market = turnover(1)
    base = es.ConstantMean() if constant else es.MarketModel()
    results = fit(market, es.AutocorrelatedErrors(base, method, lags))
    for i, name in enumerate("ABC"):
        row = 200 + 5 * i
        past = np.arange(row + ESTIMATION[0], row + ESTIMATION[1] + 1)
        x = sm.add_constant(market.returns["mean"].to_numpy()[past])
        y = market.returns[name].to_numpy()[past]
        e = sm.OLS(y, x[:, : 1 if constant else 2]).fit().resid
        if method == "hac":
            gamma = sm.tsa.acovf(e, adjusted=False, demean=False, nlag=lags, fft=False)
            rho = np.zeros(400)
            rho[: lags + 1] = gamma / gamma[0] * (1 - np.arange(lags + 1) / (lags + 1))
        else:
            phi = walker(e, lags)[0] if lags else []
            rho = arma_acovf(np.r_[1, -np.asarray(phi)], [1.0], nobs=400)
            rho = rho / rho[0]
        params, s2, cov = written_out(market, name, row, rho, method, constant, lags)
        found = results.parameters.iloc[i]
        assert found.iloc[: len(params)].tolist() == pytest.approx(params, rel=1e-9)
        assert found["sigma"] ** 2 == pytest.approx(s2, rel=1e-9)
        assert found["rho_1"] == pytest.approx(rho[1], rel=1e-8, abs=1e-12)
        for window in ((-5, 5), (0, 0), (0, 3)):
            cols = slice(window[0] + 5, window[1] + 6)
            assert results.car(*window)["se"].iloc[i] == pytest.approx(
                np.sqrt(cov[cols, cols].sum()), rel=1e-8
            )
        regression = results.regression(i)
        assert regression.params.to_numpy() == pytest.approx(params, rel=1e-9)
        assert regression.scale == pytest.approx(s2, rel=1e-9)


def test_without_lags_it_is_least_squares() -> None:
    market = turnover(2)
    ours, plain = fit(market, es.AutocorrelatedErrors(lags=0)), fit(market, es.MarketModel())
    pd.testing.assert_frame_equal(ours.car(*WINDOW), plain.car(*WINDOW))


def test_missing_days_keep_their_place() -> None:
    frame = turnover(3).returns
    frame.loc[frame.index[[100, 101, 130, 202]], "A"] = np.nan
    market = es.Market(frame, benchmark="mean", kind="log turnover")
    results = fit(market, es.AutocorrelatedErrors(lags=1), "A")
    past = np.arange(200 + ESTIMATION[0], 200 + ESTIMATION[1] + 1)
    used = past[~np.isnan(frame["A"].to_numpy()[past])]
    e = sm.OLS(frame["A"].to_numpy()[used], sm.add_constant(frame["mean"].to_numpy()[used])).fit().resid
    known = pd.Series(e, used).reindex(past)
    gamma = [(known * known.shift(h)).sum() / len(e) for h in (0, 1)]
    rho = (gamma[1] / gamma[0]) ** np.arange(400)
    _, _, cov = written_out(market, "A", 200, rho, "egls", False, 1)
    cov = np.delete(np.delete(cov, 7, 0), 7, 1)
    assert results.car(*WINDOW)["n_days"].iloc[0] == 10
    assert results.car(*WINDOW)["se"].iloc[0] == pytest.approx(np.sqrt(cov.sum()), rel=1e-9)


def test_kernels() -> None:
    e = np.random.default_rng(0).normal(size=80)
    assert autocovariances(e, 4) == pytest.approx(sm.tsa.acovf(e, demean=False, nlag=4, fft=False))
    phi = [0.5, 0.2]
    acov = arma_acovf([1, -0.5, -0.2], [1.0], nobs=30)
    assert ar_autocorrelations(acov[:3], 29) == pytest.approx(acov / acov[0], rel=1e-10)
    assert choose_order(acov[:8], 200) == len(phi)
    assert choose_order(np.array([1.0, 0.0, 0.0]), 200) == 0


def test_order_by_bic_equals_that_of_yule_walker_fits() -> None:
    market = turnover(5, phi=0.7)
    results = fit(market, es.AutocorrelatedErrors())
    for i, name in enumerate("ABC"):
        row = 200 + 5 * i
        past = slice(row + ESTIMATION[0], row + ESTIMATION[1] + 1)
        x = sm.add_constant(market.returns["mean"].to_numpy()[past])
        e = sm.OLS(market.returns[name].to_numpy()[past], x).fit().resid
        sigma = [np.sqrt((e**2).mean())]
        sigma += [walker(e, p)[1] for p in range(1, 11)]
        bic = [np.log(s**2) + p * np.log(len(e)) / len(e) for p, s in enumerate(sigma)]
        assert results.parameters["lags"].iloc[i] == np.argmin(bic)


def test_several_spans_sum_the_errors_they_hold() -> None:
    """A value over three sessions has the variance of the sum of three correlated errors."""
    frame = turnover(6).returns * 0.02
    frame.loc[frame.index[201:203], "A"] = np.nan
    market = es.Market(frame, benchmark="mean", kind="log", gaps="lumped")
    results = fit(market, es.AutocorrelatedErrors(es.ConstantMean(), lags=1), "A")
    arrays = results.fitted.abnormal
    assert arrays.span[0].tolist() == [1] * 6 + [0, 0, 3, 1, 1]
    rho = results.parameters["rho_1"].iloc[0] ** np.arange(400)
    s2 = results.parameters["sigma"].iloc[0] ** 2
    m = np.arange(W)
    inverse = np.linalg.inv(toeplitz(rho[:W]))
    unit = 1 / inverse.sum()
    gain = unit * inverse.sum(axis=0)
    days = 200 - np.arange(200 + ESTIMATION[0], 200 + ESTIMATION[1] + 1)
    shared = sum(rho[days + t] @ gain for t in (1, 2, 3)) * 3
    want = s2 * (rho[np.abs(np.subtract.outer(m[:3], m[:3]))].sum() - 2 * shared + 9 * unit)
    assert arrays.ar_variance[0, 8] == pytest.approx(want, rel=1e-8)


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(ModelError, match="least-squares model"):
        es.AutocorrelatedErrors(es.GARCHMarketModel())  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="method must be one of"):
        es.AutocorrelatedErrors(method="ols")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="lags is a whole number"):
        es.AutocorrelatedErrors(lags=-1)
    with pytest.raises(ModelError, match="missing='drop'"):
        es.AutocorrelatedErrors(es.MarketModel(missing="trade_to_trade"))


def test_size_of_a_cumulated_volume_test() -> None:
    """AR(1) of 0.5, windows of 11 days: the plain t rejects far too often, the corrected one does not."""
    rejected = {"plain": 0, "egls": 0, "hac": 0}
    models = {
        "plain": es.MarketModel(),
        "egls": es.AutocorrelatedErrors(lags=1),
        "hac": es.AutocorrelatedErrors(method="hac", lags=8),
    }
    n = 0
    for seed in range(12):
        market = turnover(100 + seed, n=10, phi=0.5)
        for name, model in models.items():
            t = fit(market, model, "ABCDEFGHIJ").car(*WINDOW)["p_value"]
            rejected[name] += int((t < 0.05).sum())
        n += 10
    assert rejected["plain"] / n > 0.15
    assert rejected["egls"] / n < 0.12
    assert rejected["hac"] / n < rejected["plain"] / n


@pytest.mark.parametrize(("n", "lags"), [(60, 3), (100, 4), (250, 4), (1000, 6)])
def test_usual_number_of_autocovariances(n, lags):
    """4 (n / 100)^(2/9), rounded down: Newey and West (1994), Review of Economic Studies 61, 631-653."""
    assert bartlett_lags(n) == lags


def correlations_of(market: es.Market, found: es.EventStudyResults) -> list[np.ndarray]:
    """Autocorrelations of each event's errors, from its least-squares residuals and the order chosen."""
    plain = es.EventStudy(market, found.spec.events, es.MarketModel(), ESTIMATION, WINDOW).fit()
    return [
        ar_autocorrelations(autocovariances(residual, int(order)), 2 * L)
        for residual, order in zip(
            plain.fitted.abnormal.past.residuals(), found.parameters["lags"], strict=True
        )
    ]


def test_past_sums_are_scaled_as_the_event_is() -> None:
    """Sums of past days are autocorrelated themselves: the CAR is over the error of its prediction alone."""
    market = turnover(7, n=6, phi=0.7)
    found = es.EventStudy(
        market,
        [{"security": "A", "date": market.sessions[200]}],
        es.AutocorrelatedErrors(),
        ESTIMATION,
        WINDOW,
    ).fit()
    abnormal = found.fitted.abnormal
    (rho,) = correlations_of(market, found)
    for start, end in ((0, 0), (0, 1), (-1, 4)):
        n = end - start + 1
        row = found.car(start, end).iloc[0]
        serial = toeplitz(rho[:n]).sum() / n
        if n > 1:
            assert serial > 1.4
        e, h = abnormal.past.residuals()[0], abnormal.past.leverage()[0]
        scaled = e / np.sqrt(1 - h)
        blocks = scaled[len(scaled) % n :].reshape(-1, n).sum(axis=1)
        value = row["car"] / np.sqrt(row["se"] ** 2 / serial / (n * abnormal.s2[0]))
        p = (1 + (np.abs(blocks) >= abs(value)).sum()) / (len(blocks) + 1)
        assert found.test(start, end, tests=["sq"])["p_value"].iloc[0] == pytest.approx(p)
    # The statistic of the portfolio's pseudo-dates too, of several events of one date.
    events = [{"security": s, "date": market.sessions[200]} for s in "ABCDEF"]
    several = es.EventStudy(market, events, es.AutocorrelatedErrors(), ESTIMATION, WINDOW).fit()
    data = several.fitted.test_input(es.Window(0, 3))
    cars, fitted = data.cumulative, several.fitted.abnormal
    want = []
    for i in range(6):
        rho = correlations_of(market, several)[i]
        want.append(cars.variance[i] / fitted.s2[i] / (toeplitz(rho[:4]).sum() / 4))
    assert data.scale_of_sums == pytest.approx(want, rel=1e-10)
    mean = fitted.past.residuals().mean(axis=0)
    t = cars.car.mean() / np.sqrt((mean**2).sum() / (W - 2) * np.mean(want))
    found = several.test(0, 3, tests=["permutation", "block_bootstrap"], n_resamples=99, seed=0)
    assert found["statistic"].to_numpy() == pytest.approx([t, t], rel=1e-9)


def test_independent_errors_have_no_such_scale() -> None:
    market = turnover(7)
    found = fit(market, es.MarketModel())
    data = found.fitted.test_input(es.Window(0, 3))
    assert (data.cumulative.serial == 1.0).all()
    pooled = es.pool({"a": found, "b": fit(turnover(8, n=6), es.AutocorrelatedErrors(), "DEF")})
    serial = pooled.fitted.test_input(es.Window(0, 3)).cumulative.serial
    assert (serial[:3] == 1.0).all()
    assert (serial[3:] > 1.0).all()


def test_recommended_of_autocorrelated_errors_on_dates_of_their_own_is_the_spread_of_the_events() -> None:
    market = turnover(3, n=10, days=420)
    events = [{"security": s, "date": market.sessions[200 + 20 * i]} for i, s in enumerate("ABCDEFGHIJ")]
    found = es.EventStudy(market, events, es.AutocorrelatedErrors(), ESTIMATION, WINDOW).fit()
    assert found.recommended(0, 4)["test"].iloc[0] == "bmp"


def test_newey_west_counts_lags_by_session() -> None:
    """A missing day lies between its neighbours: rows of zeros, which add nothing, keep it there."""
    market = turnover(6, 1)
    values = market.returns.copy()
    gone = np.random.default_rng(2).choice(np.arange(40, 190), 12, replace=False)
    values.iloc[gone, values.columns.get_loc("A")] = np.nan
    laid = es.Market(values, benchmark="mean", kind="log turnover")
    lags = 6
    results = fit(laid, es.AutocorrelatedErrors(method="hac", lags=lags), "A")
    past = np.arange(200 + ESTIMATION[0], 200 + ESTIMATION[1] + 1)
    x = np.column_stack([np.ones(len(past)), values["mean"].to_numpy()[past]])
    y = values["A"].to_numpy()[past]
    seen = ~np.isnan(y)
    x[~seen], y = 0.0, np.where(seen, y, 0.0)
    by_session = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    cov = by_session.cov_params() * seen.sum() / (seen.sum() - 2)
    # The variance of one abnormal value: its own, less twice its covariance with the line, and the line's.
    s2 = float(by_session.resid[seen] @ by_session.resid[seen]) / (seen.sum() - 2)
    gamma = autocovariances(np.where(seen, by_session.resid, np.nan), lags)
    rho = np.zeros(400)
    rho[: lags + 1] = (1.0 - np.arange(lags + 1) / (lags + 1.0)) * gamma / gamma[0]
    row = np.array([1.0, values["mean"].to_numpy()[200]])
    gain = np.linalg.inv(x.T @ x) @ x.T
    across = rho[200 - past] * seen
    want = s2 * (1.0 - 2.0 * across @ gain.T @ row) + row @ cov @ row
    assert results.car(0, 0)["se"].iloc[0] ** 2 == pytest.approx(want, rel=1e-10)
