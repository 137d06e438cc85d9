"""CARs on characteristics: against statsmodels and the formulas written out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.multivariate.pca import PCA

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.inference.engine.factor_gls import n_components
from eventstudy.regressions.core import past_covariance, random_effect_variance, wild_cluster_p
from eventstudy.regressions.robust import sandwich

N = 60


@pytest.fixture(scope="module")
def market() -> es.Market:
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2018-01-01", periods=420)
    common = rng.normal(0, 0.01, (420, 1))
    names = [f"s{i:02}" for i in range(N)]
    scale = rng.uniform(0.01, 0.04, N)
    frame = pd.DataFrame(rng.normal(0, 1, (420, N)) * scale + common * rng.uniform(0, 2, N), days, names)
    return es.Market(frame.assign(index=rng.normal(0, 0.01, 420)), benchmark="index")


def characteristics() -> dict[str, object]:
    rng = np.random.default_rng(2)
    return {
        "exposure": rng.normal(size=N),
        "cap": np.exp(rng.normal(10, 1, N)),
        "industry": rng.choice(["chips", "video", "drones"], N),
        "firm": [f"f{i // 2}" for i in range(N)],
    }


@pytest.fixture(scope="module")
def spread(market) -> es.EventStudyResults:
    days = market.sessions[300 + 7 * (np.arange(N) // 5)]
    events = pd.DataFrame({"security": market.securities, "date": days} | characteristics())
    return es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit()


@pytest.fixture(scope="module")
def one_date(market) -> es.EventStudyResults:
    events = pd.DataFrame({"security": market.securities, "date": market.sessions[380]} | characteristics())
    return es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit()


FORMULA = "car ~ exposure + np.log(cap) + C(industry)"


def joined(results: es.EventStudyResults, window: tuple[int, int]) -> pd.DataFrame:
    frame = results.spec.events.frame
    return frame.assign(car=results.car(*window)["car"], se=results.car(*window)["se"])


def test_hc3_is_that_of_statsmodels(spread):
    found = spread.cross_section(FORMULA, 0, 1)
    fit = smf.ols(FORMULA, joined(spread, (0, 1))).fit(cov_type="HC3", use_t=True)
    np.testing.assert_allclose(found.coefficients["coef"], fit.params, rtol=1e-10)
    np.testing.assert_allclose(found.coefficients["se"], fit.bse, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, fit.cov_params(), rtol=1e-10)
    assert (found.coefficients["dof"] < N - 5).all()
    explicit = spread.cross_section(FORMULA, 0, 1, covariance="HC3")
    np.testing.assert_allclose(explicit.coefficients["p_value"], fit.pvalues, rtol=1e-8)
    np.testing.assert_allclose(explicit.coefficients[["ci_low", "ci_high"]], fit.conf_int(), rtol=1e-8)
    assert found.r_squared == pytest.approx(fit.rsquared)
    assert (found.method, explicit.method) == ("OLS, HC3, Bell-McCaffrey t", "OLS, HC3")
    assert found.params["exposure"] == fit.params["exposure"]


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "nonrobust"])
def test_other_covariances(spread, kind):
    found = spread.cross_section(FORMULA, 0, 1, covariance=kind)
    fit = smf.ols(FORMULA, joined(spread, (0, 1))).fit(cov_type=kind, use_t=True)
    np.testing.assert_allclose(found.coefficients["se"], fit.bse, rtol=1e-10)


def by_clusters(x: np.ndarray, e: np.ndarray, groups: pd.Series) -> np.ndarray:
    """Bell and McCaffrey's covariance CR2, written out."""
    inverse = np.linalg.inv(x.T @ x)
    total = np.zeros((x.shape[1], x.shape[1]))
    for code in np.unique(pd.factorize(groups)[0]):
        rows = pd.factorize(groups)[0] == code
        own, left = x[rows], np.eye(rows.sum()) - x[rows] @ inverse @ x[rows].T
        values, vectors = np.linalg.eigh(left)
        score = own.T @ (vectors / np.sqrt(values)) @ vectors.T @ e[rows]
        total += np.outer(score, score)
    return inverse @ total @ inverse


def test_clusters_by_date(spread):
    found = spread.cross_section("car ~ exposure", 0, 1, clusters="date", seed=1)
    frame = joined(spread, (0, 1))
    x = sm.add_constant(frame["exposure"]).to_numpy()
    fit = sm.OLS(frame["car"].to_numpy(), x).fit()
    cov = by_clusters(x, fit.resid, spread.timeline["day_0"])
    np.testing.assert_allclose(found.covariance, cov, rtol=1e-10)
    dof = sandwich(x, fit.resid, pd.factorize(spread.timeline["day_0"])[0], 0.5).dof
    np.testing.assert_allclose(found.coefficients["dof"], dof)
    assert (dof < 11 + 1e-9).all()
    t = fit.params[1] / np.sqrt(cov[1, 1])
    assert found.coefficients.loc["exposure", "p_value"] == pytest.approx(2 * stats.t.sf(abs(t), dof[1]))
    assert "Only 12 clusters" in found.notes[0]
    assert found.decisive.equals(found.coefficients["p_value"])
    again = spread.cross_section("car ~ exposure", 0, 1, clusters="date", seed=1)
    pd.testing.assert_frame_equal(found.coefficients, again.coefficients)


def test_two_way_clusters(spread):
    """Cameron, Gelbach and Miller (2011): one, plus the other, less their intersection."""
    found = spread.cross_section("car ~ exposure", 0, 1, clusters=["date", "industry"])
    frame = joined(spread, (0, 1))
    x = sm.add_constant(frame["exposure"]).to_numpy()
    e = sm.OLS(frame["car"].to_numpy(), x).fit().resid
    date, industry = spread.timeline["day_0"].astype(str), frame["industry"]
    cov = by_clusters(x, e, date) + by_clusters(x, e, industry) - by_clusters(x, e, date + industry)
    np.testing.assert_allclose(found.covariance, cov, rtol=1e-10)
    codes = [pd.factorize(each)[0] for each in (date, industry)]
    dof = np.minimum(*(sandwich(x, e, each, 0.5).dof for each in codes))
    np.testing.assert_allclose(found.coefficients["dof"], dof)
    assert "p_wild" not in found.coefficients


def test_a_two_way_variance_that_is_not_positive(spread):
    """The sum of two less their intersection need not be one (Cameron, Gelbach and Miller 2011)."""
    frame = joined(spread, (0, 1))
    x = sm.add_constant(frame["exposure"]).to_numpy()
    e = sm.OLS(frame["car"].to_numpy(), x).fit().resid
    spec = spread.spec
    for seed in range(60):
        rng = np.random.default_rng(seed)
        a, b = (pd.Series(rng.permutation(N) % 4).astype(str) for _ in range(2))
        cov = by_clusters(x, e, a) + by_clusters(x, e, b) - by_clusters(x, e, a + b)
        if np.linalg.eigvalsh(cov)[0] < 0:
            break
    else:
        pytest.fail("no such clusters were drawn")
    events = spec.events.frame.assign(a=a.to_numpy(), b=b.to_numpy())
    events = events.drop(columns=["announced_at", "announced_local"])
    results = es.EventStudy(spec.market, events, estimation=(-200, -11), window=(-5, 5)).fit()
    found = results.cross_section("car ~ exposure", 0, 1, clusters=["a", "b"])
    values, vectors = np.linalg.eigh(cov)
    np.testing.assert_allclose(
        found.covariance, vectors @ np.diag(np.maximum(values, 0)) @ vectors.T, rtol=1e-8, atol=1e-18
    )
    assert "negative eigenvalues are set to zero" in found.notes[-1]


def test_wild_cluster_bootstrap_draw_by_draw(spread):
    """The same signs, one statsmodels regression a draw, the null imposed."""
    frame = joined(spread, (0, 1))
    x = sm.add_constant(frame[["exposure"]]).to_numpy()
    y, groups = frame["car"].to_numpy(), pd.factorize(spread.timeline["day_0"])[0]
    draws = np.random.default_rng(3).choice([-1.0, 1.0], size=(12, 60))
    found = wild_cluster_p(y, x, groups, draws)
    for j in range(2):

        def t(values: np.ndarray, j: int = j) -> float:
            fit = sm.OLS(values, x).fit(cov_type="cluster", cov_kwds={"groups": groups})
            return fit.params[j] / fit.bse[j]

        restricted = sm.OLS(y, np.delete(x, j, axis=1)).fit()
        drawn = [t(restricted.fittedvalues + restricted.resid * signs[groups]) for signs in draws.T]
        expected = (1 + (np.abs(drawn) >= abs(t(y))).sum()) / 61
        assert found[j] == pytest.approx(expected, abs=1e-12)
        for side, count in (("less", (drawn <= t(y)).sum()), ("greater", (drawn >= t(y)).sum())):
            one_sided = wild_cluster_p(y, x, groups, draws, side)[j]
            assert one_sided == pytest.approx((1 + count) / 61, abs=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_equal_signs_of_all_clusters_give_the_statistic_itself(sign):
    """Such a draw is as extreme as the data, whatever rounding says: with no other draws, p is one."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(4), [3, 4, 2, 5])
        x = np.column_stack([np.ones(14), rng.standard_normal(14)])
        found = wild_cluster_p(rng.standard_normal(14), x, groups, np.full((4, 7), sign))
        assert found.tolist() == [1.0, 1.0]


def test_fgls_has_both_terms(spread):
    found = spread.cross_section("car ~ exposure", 0, 1, weights="fgls")
    frame = joined(spread, (0, 1))
    x = sm.add_constant(frame["exposure"]).to_numpy()
    y, v = frame["car"].to_numpy(), frame["se"].to_numpy() ** 2
    m = np.eye(N) - x @ np.linalg.inv(x.T @ x) @ x.T
    effect = max(0.0, (y @ m @ y - np.diag(m) @ v) / (N - 2))
    assert random_effect_variance(y, x, v) == pytest.approx(effect, rel=1e-10)
    omega = np.diag(1 / (v + effect))
    cov = np.linalg.inv(x.T @ omega @ x)
    np.testing.assert_allclose(found.covariance, cov, rtol=1e-10)
    np.testing.assert_allclose(found.params, cov @ x.T @ omega @ y, rtol=1e-10)
    robust = spread.cross_section("car ~ exposure", 0, 1, weights="fgls", covariance="HC3")
    fit = sm.WLS(y, x, weights=1 / (v + effect)).fit(cov_type="HC3")
    np.testing.assert_allclose(robust.coefficients["se"], fit.bse, rtol=1e-10)
    clustered = spread.cross_section("car ~ exposure", 0, 1, weights="fgls", clusters="date", seed=1)
    root = 1 / np.sqrt(v + effect)
    grouped = by_clusters(x * root[:, None], fit.wresid, spread.timeline["day_0"])
    np.testing.assert_allclose(clustered.covariance, grouped, rtol=1e-9)


def test_random_effect_variance_is_unbiased():
    rng = np.random.default_rng(4)
    x = sm.add_constant(rng.normal(size=40))
    v = rng.uniform(0.5, 2.0, 40)
    found = [random_effect_variance(rng.normal(size=40) * np.sqrt(v + 3.0), x, v) for _ in range(4000)]
    assert np.mean(found) == pytest.approx(3.0, abs=0.07)
    assert random_effect_variance(np.zeros(40), x, v) == 0.0


def test_the_past_makes_a_slope_a_portfolio(one_date):
    """Exactly the t of a regression of the long-short portfolio's return with a dummy for the event."""
    found = one_date.cross_section("car ~ exposure", 0, 0, covariance="past")
    market = one_date.spec.market
    frame = joined(one_date, (0, 0))
    x = sm.add_constant(frame["exposure"]).to_numpy()
    weights = np.linalg.pinv(x)
    row = market.sessions.get_loc(one_date.timeline["day_0"].iloc[0])
    rows = np.r_[row - 200 : row - 10, row]
    returns = market.returns.iloc[rows]
    dummy = (np.arange(len(rows)) == len(rows) - 1).astype(float)
    for j, term in enumerate(("Intercept", "exposure")):
        portfolio = returns[frame["security"]].to_numpy() @ weights[j]
        fit = sm.OLS(portfolio, np.column_stack([np.ones(len(rows)), returns["index"], dummy])).fit()
        line = found.coefficients.loc[term]
        assert line["coef"] == pytest.approx(fit.params[2], rel=1e-9)
        assert line["se"] == pytest.approx(fit.bse[2], rel=1e-9)
        assert line["dof"] == fit.df_resid
        assert line["p_value"] == pytest.approx(fit.pvalues[2], rel=1e-8)
    assert 1 / 191 <= found.coefficients.loc["exposure", "p_rank"] <= 1
    assert "190 days before the event" in found.method


def test_slopes_by_generalised_least_squares(one_date):
    """By statsmodels' principal components and GLS, the past with weights of other days."""
    found = one_date.cross_section("car ~ exposure", 0, 0, covariance="past", weights="gls")
    frame = joined(one_date, (0, 0))
    x = sm.add_constant(frame["exposure"]).to_numpy()
    errors = one_date.fitted.test_input(one_date.fitted.checked_window(0, 0)).abnormal.past.residuals().T
    components = n_components(len(frame))

    def omega(past):
        parts = PCA(past, ncomp=components, standardize=False, demean=False, normalize=False)
        loadings, scores = np.asarray(parts.loadings), np.asarray(parts.factors)
        left = past - np.asarray(parts.projection)
        return loadings @ (scores.T @ scores) @ loadings.T / len(past) + np.diag((left**2).mean(axis=0))

    want = sm.GLS(frame["car"].to_numpy(), x, sigma=omega(errors)).fit().params
    np.testing.assert_allclose(found.coefficients["coef"], want, rtol=1e-9)
    days = len(errors)
    block = np.arange(days) * 5 // days
    slopes = np.array(
        [sm.GLS(errors[day], x, sigma=omega(errors[block != block[day]])).fit().params for day in range(days)]
    )
    plain = one_date.cross_section("car ~ exposure", 0, 0, covariance="past")
    ols = np.linalg.lstsq(x, errors.T, rcond=None)[0]
    scale = plain.coefficients["se"].to_numpy() ** 2 / (ols**2).sum(axis=1)
    np.testing.assert_allclose(found.coefficients["se"], np.sqrt(scale * (slopes**2).sum(axis=0)), rtol=1e-9)
    assert found.method.startswith(f"GLS by {components} principal component")
    assert found.coefficients.loc["exposure", "dof"] == plain.coefficients.loc["exposure", "dof"]


def test_rank_among_the_past():
    e = np.random.default_rng(5).normal(size=(5, 40))
    x = np.column_stack([np.ones(5), np.arange(5.0)])
    slopes = np.linalg.inv(x.T @ x) @ x.T @ e
    cov, dof = past_covariance(slopes, 1.1, 2)
    np.testing.assert_allclose(cov, 1.1 * slopes @ slopes.T / 38)
    assert dof == 38


def test_what_is_left_out_is_said(spread):
    spec = spread.spec
    frame = spec.events.frame.drop(columns=["announced_at", "announced_local"])
    frame.loc[3, "exposure"] = np.nan
    results = es.EventStudy(spec.market, frame, estimation=(-200, -11), window=(-5, 5)).fit()
    found = results.cross_section("car ~ exposure")
    assert found.left_out.to_dict() == {3: "a characteristic is missing"}
    assert found.n_events == N - 1
    assert "1 left out" in str(found)
    kept = results.cross_section("car ~ cap")
    assert kept.n_events == N


def test_notes_on_overlapping_events(spread, one_date):
    assert "overlap in time" in spread.cross_section("car ~ exposure").notes[0]
    assert spread.cross_section("car ~ exposure", clusters="date", seed=0).notes[0].startswith("Only 12")
    assert one_date.cross_section("car ~ exposure", covariance="past").notes == ()


@pytest.mark.parametrize("side", ["less", "greater"])
@pytest.mark.parametrize("options", [{}, {"weights": "fgls"}, {"clusters": "date"}, {"covariance": "past"}])
def test_one_sided_coefficients(spread, one_date, side, options):
    """Half the two-sided p-value on the side of the estimate, and a bound that excludes zero at 5%."""
    results = one_date if "covariance" in options else spread
    both = results.cross_section("car ~ exposure", 0, 1, **options)
    one = results.cross_section("car ~ exposure", 0, 1, alternative=side, **options)
    assert (both.alternative, one.alternative) == ("two-sided", side)
    two, found = both.coefficients, one.coefficients
    towards = (two["t"] < 0) == (side == "less")
    half = two["p_value"] / 2
    np.testing.assert_allclose(found["p_value"], np.where(towards, half, 1 - half), rtol=1e-9)
    open_end, bound = ("ci_low", "ci_high") if side == "less" else ("ci_high", "ci_low")
    assert np.isinf(found[open_end]).all()
    sign = 1.0 if side == "less" else -1.0
    reach = stats.t.ppf(0.95, two["dof"]) * two["se"]
    np.testing.assert_allclose(found[bound], two["coef"] + sign * reach, rtol=1e-9)
    assert f"one-sided ({side} than zero)" in " ".join(str(one).split())
    for extra in {"p_wild", "p_rank"} & set(two):
        assert ((found[extra] < 0.5) == towards).all()


def test_the_rank_of_one_side_counts_days_on_it(one_date):
    found = {
        side: one_date.cross_section("car ~ exposure", 0, 0, covariance="past", alternative=side)
        for side in ("two-sided", "less", "greater")
    }
    rank = {side: fit.coefficients.loc["exposure", "p_rank"] for side, fit in found.items()}
    errors = one_date.fitted.test_input(one_date.fitted.checked_window(0, 0)).abnormal.past.residuals()
    x = sm.add_constant(joined(one_date, (0, 0))["exposure"]).to_numpy()
    slopes = np.linalg.lstsq(x, errors, rcond=None)[0][1]
    line = found["less"].coefficients.loc["exposure"]
    scaled = slopes * line["se"] / np.sqrt((slopes**2).sum() / len(slopes))
    days = len(slopes)
    assert rank["less"] == pytest.approx((1 + (scaled <= line["coef"]).sum()) / (days + 1))
    assert rank["greater"] == pytest.approx((1 + (scaled >= line["coef"]).sum()) / (days + 1))
    assert rank["two-sided"] == pytest.approx((1 + (abs(scaled) >= abs(line["coef"])).sum()) / (days + 1))


def test_sides_are_not_mixed_in_one_table(spread):
    a = spread.cross_section("car ~ exposure")
    b = spread.cross_section("car ~ exposure", alternative="less")
    with pytest.raises(RequestError, match="make all regressions with the same"):
        es.regression_table([a, b])
    assert "one-sided (less than zero)" in " ".join(str(es.regression_table([b, b])).split())
    with pytest.raises(RequestError, match="alternative must be"):
        spread.cross_section("car ~ exposure", alternative="down")


def test_tables(spread):
    a, b = (
        spread.cross_section("car ~ exposure"),
        spread.cross_section("car ~ exposure + C(industry)", 0, 2, clusters="firm"),
    )
    table = es.regression_table([a, b], names=["plain", "more"])
    cells = table.sections[0].frame
    assert cells.columns.tolist() == ["plain", "more"]
    assert cells.loc["exposure", "plain"].startswith(f"{a.params['exposure']:.4f}")
    assert cells.loc["C(industry)[T.video]", "plain"] == ""
    assert cells.loc["Window"].tolist() == ["(0, +1)", "(0, +2)"]
    assert "<table" in a._repr_html_()
    assert "HC3" in str(table)
    with pytest.raises(RequestError, match="1 names for 2"):
        es.regression_table([a, b], names=["x"])
    with pytest.raises(RequestError, match="takes a list"):
        es.regression_table([])


def test_pooled_studies_and_firm_clusters(spread):
    spec = spread.spec
    frame = spec.events.frame.drop(columns=["announced_at", "announced_local", "firm"]).reset_index()
    halves = [
        es.EventStudy(spec.market, part, estimation=(-200, -11), window=(-5, 5)).fit()
        for part in (frame[:30], frame[30:])
    ]
    found = es.pool(halves).cross_section("car ~ exposure + C(study)", 0, 1, clusters="firm")
    assert found.n_events == N
    assert found.coefficients["dof"].between(10, N - 1).all()
    whole = spread.cross_section("car ~ exposure", 0, 1)
    np.testing.assert_allclose(es.pool(halves).cross_section("car ~ exposure", 0, 1).params, whole.params)


@pytest.mark.parametrize(
    ("formula", "options", "told"),
    [
        ("car ~ size", {}, "cannot be used with these events"),
        ("car ~ exposure + I(2 * exposure)", {}, "collinear"),
        ("car ~ exposure", {"covariance": "HC9"}, "covariance must be one of"),
        ("car ~ exposure", {"weights": "wls"}, "weights must be 'fgls'"),
        ("car ~ exposure", {"covariance": "HC3", "clusters": "date"}, "not both"),
        ("car ~ exposure", {"clusters": "country"}, "No column 'country'"),
        ("car ~ exposure", {"clusters": ["date", "firm", "industry"]}, "one or two ways, got 3"),
        ("car ~ exposure", {"covariance": "past"}, "one common date, these have 12"),
    ],
)
def test_requests_that_cannot_be_met(spread, formula, options, told):
    with pytest.raises(RequestError, match=told):
        spread.cross_section(formula, 0, 1, **options)


def test_one_date_has_no_clusters_of_dates(one_date):
    with pytest.raises(RequestError, match="All events are in one cluster"):
        one_date.cross_section("car ~ exposure", clusters="date")
    with pytest.raises(RequestError, match="measures the slopes of least squares or of weights='gls'"):
        one_date.cross_section("car ~ exposure", covariance="past", weights="fgls")
    with pytest.raises(RequestError, match="it goes with covariance='past'"):
        one_date.cross_section("car ~ exposure", weights="gls")


def test_formulas_are_computed_from_columns_and_named_functions(spread):
    plain = spread.cross_section(FORMULA, 0, 1).coefficients
    same = spread.cross_section("car ~ exposure + log(cap) + C(industry)", 0, 1).coefficients
    np.testing.assert_array_equal(plain.to_numpy(), same.to_numpy())
    for formula in (
        "car ~ where(exposure > 0, exposure, 0) + I(exposure**2)",
        "car ~ center(exposure):C(industry, Treatment)",
        "scar ~ np.sqrt(abs(cap)) - 1",
        "car ~ Q('cap') + standardize(exposure)",
        "car ~ bs(cap, df=4)",
    ):
        assert spread.cross_section(formula, 0, 1).n_events > 5


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("car ~ __import__('os').getpid()", "is not a function"),
        ("car ~ cap.__class__.__mro__[1]", "holds|is not a"),
        ("car ~ np.fromfile('x')", "'np.fromfile' is not a function"),
        ("car ~ np.__dict__", "holds 'np.__dict__'"),
        ("car ~ (lambda: cap)()", "cannot be read"),
        ("car ~ I((lambda: cap)())", "is not a function"),
        ("car ~ [c for c in cap]", "holds"),
        ("car ~ frame", "'frame' is not a column"),
        ("car ~ known", "'known' is not a column"),
        ("car ~ exposur", "'exposur' is not a column. Did you mean 'exposure'"),
        ("car ~ lgo(cap)", "'lgo' is not a function. Did you mean 'log'"),
        ("car ~ eval('1')", "is not a function"),
        ("car ~ print", "is not a column"),
        ("car ~ 0", "needs one variable before the ~, and terms after it"),
        ("car + scar ~ cap", "needs one variable|cannot be used"),
        ("cap", "needs one variable.*Did you mean 'car ~ cap'"),
        ("car ~ market cap", "cannot be read: 'market cap' is not an expression"),
        ("car ~ log(cap - cap)", "is infinite"),
        ("car ~ I(1 / (exposure - exposure))", "is infinite|cannot be used"),
        ("car ~ (", "cannot be read"),
        (7, "is a text"),
    ],
)
def test_formulas_that_are_refused(spread, formula, told):
    with pytest.raises(RequestError, match=told):
        spread.cross_section(formula, 0, 1)


@pytest.fixture(scope="module")
def measured(spread) -> es.EventStudyResults:
    """The study with further columns: sizes in large units, text, dates, a name with a space."""
    spec, n = spread.fitted.spec, len(spread.fitted.events)
    frame = spec.events.frame.assign(
        **{"market cap": np.arange(n) + 1.0, "rank": np.arange(n), "sqrt": np.arange(n)},
        won=np.linspace(1e14, 5e14, n) * np.resize([1.0, 2.0], n),
        dollars=np.linspace(1e11, 5e11, n) * np.resize([1.0, 2.0], n),
        text=[f"{i:,}" for i in range(1000, 1000 + n)],
        listed=pd.bdate_range("2000-01-03", periods=n),
    )
    return es.EventStudy(spec.market, frame, spec.model, spec.estimation, spec.window).fit()


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("car ~ market cap", r"Write the column 'market cap' as Q\('market cap'\)"),
        ("car ~ log(rank)", r"log\(rank\) of event \S+ is infinite, as the logarithm of 0 is"),
        ("log(rank) ~ cap", r"log\(rank\) of event \S+ is infinite"),
        ("car ~ sqrt(cap)", r"calls sqrt\(\), which the column 'sqrt' of the events hides"),
        ("car ~ won", r"won is \de\+1\d times as large as Intercept, too much for least squares"),
        ("car ~ dollars + I(dollars**2)", r"I\(dollars \*\* 2\) is \de\+2\d times as large"),
        (
            "car ~ text",
            r"terms of 'car ~ text'. text, whose values are text, makes \d+ of them: give numbers",
        ),
        ("car ~ listed", "listed, whose values are dates, makes"),
        ("car ~ rank + I(2 * rank)", "are collinear"),
    ],
)
def test_why_a_formula_cannot_be_fitted_is_said(measured, formula, told):
    with pytest.raises(RequestError, match=told):
        measured.cross_section(formula, 0, 1)


def test_the_unit_of_a_characteristic_does_not_matter_nor_round_its_slope_away(measured):
    as_given = measured.cross_section("car ~ dollars", 0, 1)
    in_billions = measured.cross_section("car ~ I(dollars / 1e9)", 0, 1)
    columns = ["t", "p_value"]
    np.testing.assert_allclose(
        as_given.coefficients[columns].to_numpy(float),
        in_billions.coefficients[columns].to_numpy(float),
        rtol=1e-9,
    )
    slope = as_given.coefficients.loc["dollars", "coef"]
    for printed in (str(as_given), es.regression_table([as_given]).to_text()):
        assert f"{slope:.4g}" in printed
        assert "0.0000" not in printed.split("R2")[-1]


def test_columns_of_any_kind_of_number(market):
    """Decimals, nullable and mixed objects are the numbers that they hold, and missing ones are left out."""
    rng, days = np.random.default_rng(4), market.sessions[290 + 2 * np.arange(N)]
    x = np.where(np.arange(N) % 10, rng.normal(size=N).round(2), np.nan)
    count, flag = rng.integers(0, 4, N), rng.random(N) > 0.5
    gaps = np.isnan(x)
    columns = {
        "x": x,
        "decimal": [None if np.isnan(v) else Decimal(str(v)) for v in x],
        "mixed": pd.Series([pd.NA if np.isnan(v) else v for v in x], dtype=object),
        "nullable": pd.array(x, dtype="Float64"),
        "flag": flag,
        "known_flag": pd.array(flag, dtype="boolean"),
        "lost_flag": pd.array(np.where(gaps, None, flag), dtype="boolean"),
        "count": count,
        "lost_count": pd.array(np.where(gaps, -1, count), dtype="Int64"),
        "text": pd.array([f"t{i}" for i in count], dtype="string"),
    }
    events = pd.DataFrame({"security": market.securities, "date": days, **columns})
    events.loc[gaps, "lost_count"] = pd.NA
    results = es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit()

    def fitted(formula):
        found = results.cross_section(formula)
        return found.params.to_numpy(), len(found.left_out)

    wanted = fitted("car ~ x")
    for name in ("decimal", "mixed", "nullable"):
        for of, same in ((f"car ~ {name}", wanted), (f"car ~ abs({name})", fitted("car ~ abs(x)"))):
            found = fitted(of)
            np.testing.assert_allclose(found[0], same[0], rtol=1e-12)
            assert found[1] == same[1] == gaps.sum()
    for one, other in (
        ("car ~ known_flag", "car ~ flag"),
        ("car ~ lost_flag + x", "car ~ flag + x"),
        ("car ~ lost_count + x", "car ~ count + x"),
        ("car ~ C(lost_count) + x", "car ~ C(count) + x"),
        ("car ~ text", "car ~ C(count)"),
    ):
        np.testing.assert_allclose(fitted(one)[0], fitted(other)[0], rtol=1e-12)
    slope, lost = fitted("car ~ standardize(x)")
    np.testing.assert_allclose(slope[1], wanted[0][1] * np.nanstd(x), rtol=1e-12)
    assert lost == gaps.sum()
    frame = joined(results, (0, 1)).dropna(subset=["x"])
    spline = smf.ols("car ~ bs(x, df=4)", frame).fit().params
    np.testing.assert_allclose(fitted("car ~ bs(x, df=4)")[0], spline, rtol=1e-9)


def test_splines_that_hold_the_constant_say_so(spread):
    with pytest.raises(RequestError, match=r"columns of cr\(\) add up to a constant.*- 1"):
        spread.cross_section("car ~ cr(exposure, df=4)")
    assert len(spread.cross_section("car ~ cr(exposure, df=4) - 1").params) == 4
