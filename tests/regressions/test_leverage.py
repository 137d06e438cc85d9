"""Standard errors and degrees of freedom that allow for leverage: closed forms, brute force, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.linalg import fractional_matrix_power

import eventstudy as es
from eventstudy.regressions import cross_section
from eventstudy.regressions.robust import hc_covariance, sandwich


def events(n: int, seed: int = 0, **columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"car": rng.normal(0, 0.015, n), "se": 0.015} | columns)


def first(n: int, m: int) -> np.ndarray:
    """A dummy of the first m of n events."""
    return (np.arange(n) < m).astype(float)


def by_hand(x: np.ndarray, e: np.ndarray, groups: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Covariance and degrees of freedom, with every matrix written out (as R's dfadjust and clubSandwich)."""
    n, k = x.shape
    inverse = np.linalg.inv(x.T @ x)
    m = np.eye(n) - x @ inverse @ x.T
    covariance, columns = np.zeros((k, k)), []
    for g in np.unique(groups):
        rows = groups == g
        a = np.real(fractional_matrix_power(m[np.ix_(rows, rows)], -power))
        influence = a @ x[rows] @ inverse
        score = influence.T @ e[rows]
        covariance += np.outer(score, score)
        columns.append(m[:, rows] @ influence)
    dof = []
    for j in range(k):
        g = np.column_stack([each[:, j] for each in columns])
        values = np.linalg.eigvalsh(g.T @ g)
        dof.append(values.sum() ** 2 / (values**2).sum())
    return covariance, np.array(dof)


@pytest.mark.parametrize("power", [0.5, 1.0])
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("far", [1.0, 1e3])
def test_every_matrix_written_out(power, clustered, far):
    rng = np.random.default_rng(3)
    n = 31
    groups = rng.permutation(np.arange(n) % 7) if clustered else np.arange(n)
    x = np.column_stack([np.ones(n), rng.normal(size=n), first(n, 3), np.exp(rng.normal(size=n))])
    x[-1, 1] *= far
    e = sm.OLS(rng.normal(size=n), x).fit().resid
    found = sandwich(x, e, groups, power)
    covariance, dof = by_hand(x, e, groups, power)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(found.dof, dof, rtol=1e-6)
    np.testing.assert_allclose(found.shares.sum(axis=0), 1.0)
    assert not found.fixed.any()


@pytest.mark.parametrize(("n", "m"), [(12, 2), (60, 3), (240, 5), (300, 150)])
def test_a_dummy_has_welchs_variance(n, m):
    """HC3 of a dummy: the variance of a mean over n - 1 instead of n, for both groups."""
    frame = events(n, x=first(n, m))
    found = cross_section(frame, "car ~ x", "")
    a, b = frame["car"][:m], frame["car"][m:]
    line = found.coefficients.loc["x"]
    assert line["coef"] == pytest.approx(a.mean() - b.mean())
    assert line["se"] ** 2 == pytest.approx(a.var() / (m - 1) + b.var() / (n - m - 1))
    parts = np.array([m - 1, n - m - 1], dtype=float)
    dof = (1 / parts).sum() ** 2 / (1 / parts**3).sum()
    assert line["dof"] == pytest.approx(dof)
    assert line["p_value"] == pytest.approx(2 * stats.t.sf(abs(line["t"]), dof))
    assert line["ci_high"] == pytest.approx(line["coef"] + stats.t.ppf(0.975, dof) * line["se"])
    two = sandwich(sm.add_constant(first(n, m)), np.asarray(found.fit.resid), np.arange(n), 0.5)
    welch = stats.ttest_ind(a, b, equal_var=False)
    assert line["coef"] / np.sqrt(two.covariance[1, 1]) == pytest.approx(welch.statistic)
    parts = np.array([m, n - m], dtype=float)
    assert two.dof[1] == pytest.approx((1 / parts).sum() ** 2 / (1 / (parts**2 * (parts - 1))).sum())


def test_clusters_of_equal_size_are_as_good_as_their_means():
    """What varies by date only: CR2 of events is HC2 of the means of dates, degrees of freedom too."""
    rng = np.random.default_rng(5)
    by_date = np.column_stack([np.ones(9), rng.exponential(size=9), first(9, 3)])
    x, groups, y = by_date.repeat(4, axis=0), np.arange(9).repeat(4), rng.normal(size=36)
    found = sandwich(x, sm.OLS(y, x).fit().resid, groups, 0.5)
    means = y.reshape(9, 4).mean(axis=1)
    plain = sandwich(by_date, sm.OLS(means, by_date).fit().resid, np.arange(9), 0.5)
    np.testing.assert_allclose(found.covariance, plain.covariance, rtol=1e-9)
    np.testing.assert_allclose(found.dof, plain.dof, rtol=1e-9)
    np.testing.assert_allclose(plain.covariance, sm.OLS(means, by_date).fit().cov_HC2, rtol=1e-9)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_whites_covariances_are_those_of_statsmodels(kind):
    rng = np.random.default_rng(6)
    x = sm.add_constant(rng.lognormal(size=(40, 2)))
    fit = sm.WLS(rng.normal(size=40), x, weights=rng.uniform(0.5, 2, 40)).fit()
    found = hc_covariance(fit.model.wexog, fit.wresid, kind)
    np.testing.assert_allclose(found, getattr(fit, f"cov_{kind}"), rtol=1e-9)


@pytest.mark.parametrize("n", [30, 60, 300])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [None, "HC0", "HC1", "HC2", "HC3"])
def test_an_event_alone_in_its_category_has_no_robust_standard_error(n, seed, kind):
    """Its residual is zero whatever its CAR, which robust covariances took for precision."""
    frame = events(n, seed, rare=first(n, 1), x=np.random.default_rng(9).normal(size=n))
    found = cross_section(frame, "car ~ x + rare", "", covariance=kind)
    assert found.coefficients.loc["rare", ["se", "t", "p_value", "ci_low", "ci_high"]].isna().all()
    assert found.coefficients.loc[["Intercept", "x"]].notna().all(axis=None)
    assert "No robust standard error for rare: event 0 is fitted exactly" in found.notes[0]
    rest = cross_section(frame[1:], "car ~ x", "", covariance=kind)
    scale = np.sqrt((n - 3) / n * (n - 1) / (n - 3)) if kind == "HC1" else 1.0
    np.testing.assert_allclose(
        found.coefficients.loc["x", "se"] * scale, rest.coefficients.loc["x", "se"], rtol=1e-9
    )
    table = es.regression_table([found])
    cells = table.sections[0].frame["(1)"].tolist()
    assert "(–)" in cells
    assert "*" not in cells[cells.index("(–)") - 1]
    assert "rare" in table.notes[-1]
    line = next(row for row in str(found).splitlines() if row.startswith("rare"))
    assert "*" not in line


def test_a_base_category_of_one_event():
    country = ["Malta", *["UK", "US"] * 30]
    found = cross_section(events(61, country=country), "car ~ C(country)", "")
    assert found.coefficients["se"].isna().all()
    assert "Another base category" in found.notes[0]
    again = cross_section(events(61, country=country), "car ~ C(country, Treatment('US'))", "")
    assert again.coefficients["se"].isna().tolist() == [False, True, False]


def test_the_other_variances_of_an_event_alone():
    frame = events(61, rare=first(61, 1))
    for options in ({"covariance": "nonrobust"}, {"weights": "fgls"}):
        found = cross_section(frame, "car ~ rare", "", **options)
        assert found.coefficients["se"].notna().all()
        assert found.coefficients["se"]["rare"] == pytest.approx(0.015, rel=0.25)
        told = (
            "rare: event 0 is fitted exactly, whatever the CAR, and taken to vary as the other events do.",
        )
        assert found.notes == (told if "covariance" in options else ())
    robust = cross_section(frame, "car ~ rare", "", weights="fgls", covariance="HC3")
    assert np.isnan(robust.coefficients["se"]["rare"])
    assert "Leave covariance= out" in robust.notes[0]


def test_notes_name_the_events_that_a_term_rests_on():
    frame = events(240, x=first(240, 2), z=np.random.default_rng(1).normal(size=240))
    frame.index = [f"e{i}" for i in range(240)]
    found = cross_section(frame, "car ~ x + z", "")
    assert found.notes[0].startswith(
        "x rests mostly on events e0 and e1 of 240, t with 1.0 degrees of freedom"
    )
    explicit = cross_section(frame, "car ~ x + z", "", covariance="HC1")
    assert explicit.coefficients["dof"].tolist() == [237] * 3
    assert "HC1 and t with 237 degrees of freedom reject too often for x" in explicit.notes[0]
    assert cross_section(frame, "car ~ z", "").notes == ()
    assert cross_section(frame, "car ~ z", "", covariance="HC3").notes == ()
    assert cross_section(events(6, x=first(6, 3)), "car ~ x", "").notes == ()


def test_a_cluster_that_alone_decides_a_term():
    """Whether there are few clusters or many, one way or two."""
    for n_dates in (8, 40):
        dates = np.arange(n_dates).repeat(5)
        frame = events(len(dates), day=dates, firm=np.arange(len(dates)) % 17, one=first(len(dates), 5))
        frame["x"] = np.random.default_rng(2).normal(size=len(frame))
        for clusters in ("day", ["day", "firm"]):
            found = cross_section(frame, "car ~ one + x", "", clusters=clusters)
            line = found.coefficients.loc["one"].drop("coef")
            assert line.isna().all()
            assert found.coefficients.drop(index="one").notna().all(axis=None)
            told = " ".join(found.notes)
            assert "No standard error clustered by day for one: day 0 alone decides a coefficient" in told


def test_two_clusters_decide_their_difference():
    frame = events(10, day=np.arange(10) // 5, one=first(10, 5))
    found = cross_section(frame, "car ~ one", "", clusters="day")
    assert found.coefficients[["se", "p_value", "p_wild"]].isna().all(axis=None)
    assert "day 0 and 1 each decide a coefficient alone" in " ".join(found.notes)


def test_effects_of_each_cluster_leave_the_other_slopes_their_standard_errors():
    dates = np.arange(6).repeat(6)
    frame = events(36, day=dates, x=np.random.default_rng(7).normal(size=36))
    found = cross_section(frame, "car ~ x + C(day)", "", clusters="day")
    assert found.coefficients["se"].notna().tolist() == [False] * 6 + [True]
    x = frame["x"] - frame.groupby("day")["x"].transform("mean")
    y = frame["car"] - frame.groupby("day")["car"].transform("mean")
    plain = sandwich(x.to_numpy()[:, None], sm.OLS(y, x).fit().resid.to_numpy(), dates, 0.5)
    assert found.coefficients["se"]["x"] == pytest.approx(np.sqrt(plain.covariance[0, 0]), rel=1e-9)
    assert found.coefficients["dof"]["x"] == pytest.approx(plain.dof[0], rel=1e-9)


@pytest.mark.parametrize("side", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("n_dates", [4, 8, 15])
def test_stars_intervals_and_tidy_rows_of_clusters_agree(n_dates, side):
    """The p-value beside an interval is at most 5% where the interval leaves zero out, and only there."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        shock = rng.normal(0, 0.01, n_dates).repeat(5)
        dates = np.arange(n_dates).repeat(5)
        frame = events(len(dates), seed, day=dates, two=first(len(dates), 10), x=rng.normal(size=len(dates)))
        frame["car"] += shock
        frame["by_day"] = rng.normal(size=n_dates)[dates]
        for term in ("two", "x", "by_day"):
            found = cross_section(
                frame, f"car ~ {term}", "", clusters="day", alternative=side, n_resamples=99
            )
            row = found.tidy().iloc[1]
            out = not row["conf_low"] <= 0 <= row["conf_high"]
            assert out == (row["p_value"] < 0.05)
            assert found.decisive[term] == row["p_value"]
    assert f"Only {n_dates} clusters" in found.notes[0]
    assert ("hardly ever below" in found.notes[0]) == (n_dates == 4)


def rejections(x: np.ndarray, groups: np.ndarray, errors: np.ndarray, power: float) -> float:
    """Share of samples whose last slope, which is zero, is found at 5%; one sample per column."""
    fitted = x @ np.linalg.lstsq(x, errors, rcond=None)[0]
    count = 0
    for y, e in zip(errors.T, (errors - fitted).T, strict=True):
        found = sandwich(x, e, groups, power)
        t = np.linalg.lstsq(x, y, rcond=None)[0][-1] / np.sqrt(found.covariance[-1, -1])
        count += 2 * stats.t.sf(abs(t), found.dof[-1]) <= 0.05
    return count / errors.shape[1]


@pytest.mark.parametrize("m", [2, 3, 5, 10])
def test_size_of_a_rare_category(m):
    """t with N - k degrees of freedom rejected 36, 21, 15 and 9 of a hundred."""
    errors = np.random.default_rng(m).normal(size=(60, 500))
    assert rejections(sm.add_constant(first(60, m)), np.arange(60), errors, 1.0) < 0.075


@pytest.mark.slow
@pytest.mark.parametrize("n", [12, 20, 60])
@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_size_where_the_variance_rises_with_the_slope(n, spread):
    rng = np.random.default_rng(n)
    rates = []
    for _ in range(25):
        x = rng.lognormal(0, 1.5, n)
        sd = 0.3 + (spread - 1) / 2 * np.minimum(x, 6)
        rates.append(
            rejections(sm.add_constant(x), np.arange(n), rng.normal(size=(n, 120)) * sd[:, None], 1.0)
        )
    assert np.mean(rates) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("n_dates", [4, 8, 15, 40])
@pytest.mark.parametrize("kind", ["by date", "two dates", "within"])
def test_size_of_clusters(n_dates, kind):
    """t with G - 1 degrees of freedom rejected up to 22 of a hundred, and 58 of a dummy of one date."""
    rng = np.random.default_rng(n_dates)
    dates = np.arange(n_dates).repeat(5)
    rates = []
    for _ in range(20):
        x = {
            "by date": rng.normal(size=n_dates)[dates],
            "two dates": (dates < 2).astype(float),
            "within": rng.normal(size=len(dates)),
        }[kind]
        shock = np.sqrt(0.4) * rng.normal(size=(n_dates, 80))[dates]
        errors = shock + np.sqrt(0.6) * rng.normal(size=(len(dates), 80))
        rates.append(rejections(sm.add_constant(x), dates, errors, 0.5))
    assert np.mean(rates) < 0.065
