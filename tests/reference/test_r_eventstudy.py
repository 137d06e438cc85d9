"""Two panels as R EventStudy 0.50 (the copy read) measures them, day by day.

`mock`: five firms, one event date, four models. `sim1000`: a thousand events of two hundred firms. Each
number must equal ours, or equal ours after one stated convention is undone by a factor that is computed here;
columns that are wrong are shown to be wrong, not reproduced.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.inference import TestInput
from eventstudy.inference.cross_section import bmp_correction
from eventstudy.inference.signs import positive_share

TOLERANCE = 5e-7
FACTORS = {"risk_free_rate": "rf", **{name: name for name in ("smb", "hml", "mom", "rmw", "cma")}}
MODELS = {
    "mm": es.MarketModel(),
    "ff3": es.FamaFrench3(),
    "ff5": es.FamaFrench5(),
    "carhart4": es.Carhart4(),
}
MOCK = {name: f"mock_{name}_simple" for name in MODELS}
PANELS = [*MOCK.values(), "sim1000"]


@pytest.fixture(scope="session")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "r_eventstudy"


def dated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=pd.to_datetime(frame["date"], format="%d.%m.%Y"))


@cache
def study(folder: Path, panel: str) -> es.EventStudyResults:
    if panel == "sim1000":
        # The package makes returns of prices, and so has none on the first day.
        returns = pd.read_csv(folder / "returns.csv.gz", index_col="date", parse_dates=True).iloc[1:]
        events = pd.read_csv(folder / "events1000.csv").rename(columns={"stock": "security"})
        market = es.Market(returns.drop(columns="market"), benchmark=returns["market"])
        spec = es.EventStudy(
            market,
            es.Events(events[["event_id", "security", "date"]]),
            estimation=(-260, -11),
            window=(-10, 10),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", es.errors.EventStudyWarning)  # recurring firms' windows touch
            return spec.fit()
    prices = dated(pd.read_csv(folder / "mock_firm.csv")).pivot(
        index="date", columns="symbol", values="adjusted"
    )
    index = dated(pd.read_csv(folder / "mock_market.csv")).set_index("date")["adjusted"].pct_change()
    factors = dated(pd.read_csv(folder / "mock_factors.csv")).set_index("date").rename(columns=FACTORS)
    factors["mkt_rf"] = index - factors["rf"]
    market = es.Market(prices.pct_change().iloc[1:], benchmark=index.iloc[1:], factors=factors.iloc[1:])
    events = es.Events(pd.DataFrame({"security": prices.columns, "date": "2020-09-08"}))
    model = MODELS[panel.split("_")[1]]
    return es.EventStudy(market, events, model=model, estimation=(-125, -6), window=(-5, 5)).fit()


@cache
def theirs(folder: Path, panel: str, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{panel}_{name}.csv")


@dataclass(frozen=True)
class Seen:
    """What factors are computed from: events and tested window, their securities, `correlation_by_row`."""

    data: TestInput
    security: np.ndarray
    by_row: float

    @property
    def fit(self):
        return self.data.abnormal

    @property
    def plain_scar(self) -> np.ndarray:
        """CARs over ``sigma sqrt(L)``."""
        return self.data.car / np.sqrt(self.fit.s2 * len(self.data.window))

    @cached_property
    def share_by_firm(self) -> float:
        """Share of positive residuals, pooled over the events of a firm, then averaged over firms."""
        positive = pd.DataFrame(
            {"firm": self.security, "positive": (self.fit.past.residuals() > 0).sum(axis=1)}
        )
        positive["days"] = self.fit.n_obs
        total = positive.groupby("firm").sum()
        return float((total["positive"] / total["days"]).mean())


@cache
def correlation_by_row(folder: Path, panel: str) -> float:
    """Mean correlation of residuals on equal relative days, however far apart in time."""
    pairs = pd.DataFrame(study(folder, panel).fitted.abnormal.past.residuals().T).corr().to_numpy()
    n = len(pairs)
    return float((pairs.sum() - n) / (n * (n - 1)))


def one(_: Seen) -> float:
    return 1.0


def t_of(values: np.ndarray) -> float:
    return float(values.mean() / values.std(ddof=1))


def patell(seen: Seen) -> float:
    """Daily standardised returns summed over sqrt(L); the longest estimation window's variance for all."""
    dof, longest = seen.fit.dof, seen.fit.dof.max()
    sar = seen.fit.sar[:, seen.data.cols]
    daily = sar.sum() / np.sqrt(sar.shape[1]) / seen.data.scar.sum()
    return float(daily * np.sqrt((dof / (dof - 2)).sum() / (len(dof) * longest / (longest - 2))))


def bmp(seen: Seen) -> float:
    return t_of(seen.plain_scar) / t_of(seen.data.scar)


def kolari_pynnonen(seen: Seen) -> float:
    n = len(seen.security)
    ours = es.inference.mean_correlation(
        seen.fit.past.residuals(), seen.fit.past.dates(), seen.data.tested_dates
    ).mean_correlation
    return bmp(seen) * bmp_correction(n, seen.by_row) / bmp_correction(n, ours)


def generalized_sign(seen: Seen) -> float:
    n, positive = len(seen.security), (seen.data.car > 0).sum()
    a, b = float(positive_share(seen.fit.past.residuals()).mean()), seen.share_by_firm
    return float((positive - n * b) / (positive - n * a) * np.sqrt(a * (1 - a) / b / (1 - b)))


@dataclass(frozen=True)
class Row:
    """A table and column of theirs, our key, whether it is cumulated, the factor, its reason, p's law."""

    table: str
    column: str
    key: str
    cumulated: bool
    factor: Callable[[Seen], float]
    reason: str

    def __str__(self) -> str:
        return self.column


PLAIN = "sigma sqrt(L), no prediction error"
BY_ROW = f"{PLAIN}; mean correlation of equal relative days, not of equal dates"
ROWS = [
    Row("CSectT", "aar_t", "cross_sectional", False, one, "equal"),
    Row("CSectT", "caar_t", "cross_sectional", True, one, "equal"),
    Row("PatellZ", "aar_z", "patell", False, patell, "every event has the longest window's nu / (nu - 2)"),
    Row("PatellZ", "caar_z", "patell", True, patell, "also: daily standardised returns summed over sqrt(L)"),
    Row("BMP", "bmp_t", "bmp", False, bmp, PLAIN),
    Row("BMP", "cbmp_t", "bmp", True, bmp, PLAIN),
    Row("KP", "kp_t", "adjusted_bmp", False, kolari_pynnonen, BY_ROW),
    Row("KP", "ckp_t", "adjusted_bmp", True, kolari_pynnonen, BY_ROW),
    Row("SignT", "sign_z", "sign", False, one, "equal"),
    Row("SignT", "csign_z", "sign", True, one, "equal"),
    Row(
        "GSignT", "gsign_z", "generalized_sign", False, generalized_sign, "expected share averaged over firms"
    ),
    Row(
        "GSignT", "cgsign_z", "generalized_sign", True, generalized_sign, "expected share averaged over firms"
    ),
]
KNOWN_WRONG = {("RankT", "rank_z"), ("CalTimeT", "caltime_t"), ("CalTimeT", "ccaltime_t")}


def seen(folder: Path, panel: str, first: int, last: int) -> Seen:
    results = study(folder, panel)
    security = results.timeline["security"].to_numpy()
    data = results.fitted.test_input(es.Window(first, last))
    return Seen(data, security, correlation_by_row(folder, panel))


def windows(results: es.EventStudyResults, cumulated: bool) -> list[tuple[int, int]]:
    days = results.fitted.abnormal.window.offsets.tolist()
    return [(days[0] if cumulated else day, day) for day in days]


@pytest.mark.quick(every=6)
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("panel", [*MOCK.values(), pytest.param("sim1000", marks=pytest.mark.slow)])
def test_statistics_by_day(folder: Path, panel: str, row: Row) -> None:
    results = study(folder, panel)
    want = theirs(folder, panel, row.table)[row.column]
    factors = []
    for value, (first, last) in zip(want, windows(results, row.cumulated), strict=True):
        ours = results.test(first, last, tests=[row.key])["statistic"].iloc[0]
        factors.append(row.factor(seen(folder, panel, first, last)))
        assert ours * factors[-1] == pytest.approx(value, abs=TOLERANCE), (first, last)
    assert (row.factor is one) == (row.reason == "equal")


def test_every_column_of_a_test_is_in_the_table(folder: Path) -> None:
    known = {
        "group", "relative_index", "aar", "caar", "n_events", "n_valid_events", "n_pos", "n_neg",
        "car_window", "mean_sar", "sd_sar", "mean_rank",
    }  # fmt: skip
    tables = {row.table for row in ROWS} | {name for name, _ in KNOWN_WRONG}
    assert len(tables) == 8
    for name in tables:
        columns = set(theirs(folder, MOCK["mm"], name)) - known
        assert columns == {row.column for row in ROWS if row.table == name} | {
            column for table, column in KNOWN_WRONG if table == name
        }


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("row", [r for r in ROWS if not r.cumulated and r.key != "sign"], ids=str)
@pytest.mark.parametrize("panel", MOCK.values())
def test_p_values_follow_from_the_statistics(folder: Path, panel: str, row: Row) -> None:
    """Their null distributions are ours: t(N - 1) of a cross-section, else normal."""
    want = theirs(folder, panel, f"{row.table}_pvalues_holm")["p_raw_aar"]
    results = study(folder, panel)
    statistic = theirs(folder, panel, row.table)[row.column]
    for value, p, (first, last) in zip(statistic, want, windows(results, False), strict=True):
        dof = results.test(first, last, tests=[row.key])["dof"].iloc[0]
        upper = stats.norm.sf(abs(value)) if np.isnan(dof) else stats.t.sf(abs(value), dof)
        assert 2 * upper == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("panel", MOCK.values())
def test_sign_test_is_exact_here_and_normal_there(folder: Path, panel: str) -> None:
    table = theirs(folder, panel, "SignT")
    normal = theirs(folder, panel, "SignT_pvalues_holm")["p_raw_aar"]
    assert 2 * stats.norm.sf(table["sign_z"].abs()) == pytest.approx(normal.to_numpy(), rel=1e-9)
    for positive, (first, last) in zip(table["n_pos"], windows(study(folder, panel), False), strict=True):
        found = study(folder, panel).test(first, last, tests=["sign"])["p_value"].iloc[0]
        assert found == pytest.approx(stats.binomtest(positive, 5).pvalue)


@pytest.mark.quick(*MOCK.values())
@pytest.mark.parametrize("panel", PANELS)
def test_average_abnormal_returns(folder: Path, panel: str) -> None:
    results, table = study(folder, panel), theirs(folder, panel, "CSectT")
    ar = results.abnormal_returns.to_numpy()
    assert results.aar()["aar"].to_numpy() == pytest.approx(table["aar"].to_numpy(), abs=1e-14)
    caar = [results.caar(*window)["caar"].iloc[0] for window in windows(results, True)]
    assert caar == pytest.approx(table["caar"].tolist(), abs=1e-14)
    assert (ar > 0).sum(axis=0).tolist() == table["n_pos"].tolist()
    scaled = ar / np.sqrt(results.fitted.abnormal.s2)[:, None]
    bmp_table = theirs(folder, panel, "BMP")
    assert scaled.mean(axis=0) == pytest.approx(bmp_table["mean_sar"].to_numpy(), abs=1e-12)
    assert scaled.std(axis=0, ddof=1) == pytest.approx(bmp_table["sd_sar"].to_numpy(), abs=1e-12)


def test_abnormal_returns_of_a_thousand_events(folder: Path) -> None:
    results = study(folder, "sim1000")
    assert results.excluded.empty
    want = pd.read_csv(folder / "sim1000_ar.csv.gz").pivot(
        index="event_id", columns="relative_index", values="ar"
    )
    found = results.abnormal_returns
    assert found.to_numpy() == pytest.approx(want.loc[found.index].to_numpy(), abs=1e-14)


@pytest.mark.parametrize("panel", PANELS)
def test_model_statistics(folder: Path, panel: str) -> None:
    results = study(folder, panel)
    found = results.parameters
    want = theirs(folder, panel, "modelstats").set_index("event_id")
    want = want.loc[found.index] if panel == "sim1000" else want
    beta = "beta" if "beta" in found else "mkt_rf"
    names = {"alpha": "alpha", "beta": beta, "sigma": "sigma", "r2": "r_squared", "df": "dof"}
    for name, ours in names.items():
        assert found[ours].to_numpy() == pytest.approx(want[name].to_numpy(), rel=1e-10, abs=1e-14), name


@pytest.mark.parametrize("panel", MOCK.values())
def test_regressions(folder: Path, panel: str) -> None:
    results = study(folder, panel)
    coefficients = theirs(folder, panel, "coef").groupby("event_id", sort=False)
    summaries = theirs(folder, panel, "modelstats").itertuples()
    checks = theirs(folder, panel, "diagnostics").itertuples()
    ours = results.diagnostics()
    for position, ((_, rows), summary, check) in enumerate(zip(coefficients, summaries, checks, strict=True)):
        event = results.fitted.index[position]
        ols = results.regression(event)
        for column, values in {
            "estimate": ols.params,
            "se": ols.bse,
            "t": ols.tvalues,
            "p": ols.pvalues,
        }.items():
            assert values.to_numpy() == pytest.approx(rows[column].to_numpy(), rel=1e-9), column
        assert ols.fvalue == pytest.approx(summary.f_stat, rel=1e-9)
        assert ours.loc[event, "ljung_box_p"] == pytest.approx(check.ljung_box_p, rel=1e-9)


@pytest.mark.parametrize("panel", MOCK.values())
def test_one_event(folder: Path, panel: str) -> None:
    """Their standard error is ``sigma sqrt(L)``; ours has the prediction error of every day of the window."""
    results = study(folder, panel)
    table = theirs(folder, panel, "car")
    daily = theirs(folder, panel, "eventwindow")
    fit = results.fitted.abnormal
    assert np.sqrt(fit.ar_variance).ravel() == pytest.approx(daily["fec_sigma"].to_numpy(), rel=1e-12)
    assert fit.ar.ravel() == pytest.approx(daily["abnormal_returns"].to_numpy(), abs=1e-14)
    for length, (first, last) in enumerate(windows(results, True), start=1):
        want = table[table["term"] == f"[{first},{last}]"]
        car = results.car(first, last)
        sigma = np.sqrt(fit.s2 * length)
        assert car["car"].to_numpy() == pytest.approx(want["estimate"].to_numpy(), abs=1e-14)
        assert sigma == pytest.approx(want["std.error"].to_numpy(), rel=1e-12)
        assert car["t"].to_numpy() * car["se"].to_numpy() / sigma == pytest.approx(
            want["statistic"].to_numpy()
        )
        p = 2 * stats.t.sf(want["statistic"].abs(), car["dof"])
        assert p == pytest.approx(want["p.value"].to_numpy(), rel=1e-9)
        assert (car["se"] > sigma).all()


@pytest.mark.parametrize("panel", MOCK.values())
def test_pre_trend_pools_firm_days(folder: Path, panel: str) -> None:
    """Theirs takes the 25 firm-days before day 0 as independent draws; ours tests each event's CAR."""
    want = theirs(folder, panel, "pretrend").iloc[0]
    results = study(folder, panel)
    pooled = results.fitted.abnormal.ar[:, :5].ravel()
    assert want["t_stat"] == pytest.approx(stats.ttest_1samp(pooled, 0.0).statistic)
    assert results.diagnostics()["pre_trend"].mean() == pytest.approx(5 * want["mean_pre_ar"])


def pooled_ranks(s: Seen) -> np.ndarray:
    """Ranks among all days of all events of a firm, over the number of these days, missing ones too."""
    values = np.concatenate([s.fit.past.residuals(), s.fit.ar], axis=1)
    ranks = np.empty_like(values)
    for name in np.unique(s.security):
        own = values[s.security == name]
        order = stats.rankdata(np.where(np.isnan(own), np.inf, own).ravel()).reshape(own.shape)
        ranks[s.security == name] = np.where(np.isnan(own), np.nan, order / (own.size + 1) - 0.5)
    return ranks


@pytest.mark.quick(*MOCK.values())
@pytest.mark.parametrize("panel", PANELS)
def test_mean_ranks(folder: Path, panel: str) -> None:
    results = study(folder, panel)
    days = windows(results, False)
    whole = seen(folder, panel, days[0][0], days[-1][0])
    means = np.nanmean(pooled_ranks(whole), axis=0)[-len(days) :]
    want = theirs(folder, panel, "RankT")["mean_rank"].to_numpy()
    assert means == pytest.approx(want, abs=1e-14)
    ours = [results.test(*day, tests=["rank"])["estimate"].iloc[0] for day in days]
    recurring = len(np.unique(whole.security)) < len(whole.security)
    # Where no firm recurs, pooling by firm is ranking by event.
    assert (np.abs(ours - want).max() > 1e-4) if recurring else (ours == pytest.approx(want, abs=1e-14))


@pytest.mark.quick(*MOCK.values())
@pytest.mark.parametrize("panel", PANELS)
def test_rank_z_repeats_the_first_day(folder: Path, panel: str) -> None:
    """Known wrong: the first day's Z on every day, though the mean ranks differ and change sign."""
    table = theirs(folder, panel, "RankT")
    assert table["rank_z"].nunique() == 1
    assert table["mean_rank"].nunique() == len(table)
    assert (table["mean_rank"] > 0).any()
    assert (table["mean_rank"] < 0).any()
    results = study(folder, panel)
    days = windows(results, False)
    whole = seen(folder, panel, days[0][0], days[-1][0])
    means = np.nanmean(pooled_ranks(whole), axis=0)
    first = means[-len(days)]
    # Of the first day itself it is the mean rank over the s.d. of all days' means, unweighted.
    assert first / means.std(ddof=1) == pytest.approx(table["rank_z"][0], abs=1e-12)
    ours = np.array([results.test(*day, tests=["rank"])["statistic"].iloc[0] for day in days])
    if panel != "sim1000":
        factor = np.sqrt((means**2).mean()) / means.std(ddof=1)
        assert ours[0] * factor == pytest.approx(table["rank_z"][0], abs=TOLERANCE)
    assert np.abs(ours[1:] - table["rank_z"].to_numpy()[1:]).min() > 0.05


@pytest.mark.parametrize("panel", PANELS)
def test_calendar_time_t_repeats_the_first_day(folder: Path, panel: str) -> None:
    """Known wrong twice: one value on every day, and a spread taken from inside the event window."""
    table = theirs(folder, panel, "CalTimeT")
    inside = table["aar"][0] / table["aar"].std(ddof=1)
    for column in ("caltime_t", "ccaltime_t"):
        assert table[column].nunique() == 1
        assert table[column][0] == pytest.approx(inside, abs=1e-12)
    assert table["aar"].nunique() == len(table)


@pytest.mark.parametrize("panel", MOCK.values())
def test_buy_and_hold_abnormal_returns(folder: Path, panel: str) -> None:
    """Equal, against the index. Their standard error is ``sigma sqrt(L)`` of the model's residuals.

    That is a daily deviation scaled up, of another benchmark than the index which the return is measured
    against, and of one event: no spread across events, no skewness. Ours is of the cross-section, so that no
    factor lies between the statistics; that theirs are what is said here is shown.
    """
    table, results = theirs(folder, panel, "bhart"), study(folder, panel)
    events = results.sample.events[["security", "date"]].assign(event_id=results.fitted.index)
    ours = es.BuyAndHold(results.spec.market, es.Events(events), horizon=(-5, 5)).fit()
    sigma = np.sqrt(results.fitted.abnormal.s2)
    for end in range(-5, 6):
        want = table[table["relative_index"] == end]
        assert ours.bhar(end)["bhar"].to_numpy() == pytest.approx(want["bhar"].to_numpy(), abs=1e-14)
        se = sigma * np.sqrt(end + 6)
        assert se == pytest.approx(want["bhar_se"].to_numpy(), rel=1e-12)
        assert want["bhar_t"].to_numpy() == pytest.approx((want["bhar"] / want["bhar_se"]).to_numpy())
        cross = want["bhar"].mean() / (want["bhar"].std() / np.sqrt(5))
        assert ours.test(end).loc["t", "statistic"] == pytest.approx(cross, rel=1e-10)


def test_calendar_time_portfolio_is_not_their_calendar_time_t(folder: Path) -> None:
    """Theirs is AAR over the spread of AARs within the window; ours a regression over calendar days."""
    results, table = study(folder, "sim1000"), theirs(folder, "sim1000", "CalTimeT")
    market = results.spec.market
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        ours = es.CalendarTimePortfolio(market, results.spec.events, horizon=(-10, 10), cov="ols").fit()
    inside = table["aar"][0] / table["aar"].std(ddof=1)
    assert table["caltime_t"][0] == pytest.approx(inside, abs=1e-12)
    x = np.column_stack([np.ones(len(ours.portfolio)), ours.portfolio["benchmark"]])
    theta, sse = np.linalg.lstsq(x, ours.portfolio["portfolio"], rcond=None)[:2]
    se = np.sqrt(sse[0] / (len(x) - 2) * np.linalg.inv(x.T @ x)[0, 0])
    assert ours.alpha()["t"].iloc[0] == pytest.approx(theta[0] / se, rel=1e-9)
    assert abs(ours.alpha()["t"].iloc[0] - inside) > 0.1
