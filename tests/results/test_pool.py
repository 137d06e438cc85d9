"""Several markets in one cross-section: calendars, listings, ids, the clock."""

from __future__ import annotations

import pickle
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import Exchange
from eventstudy.errors import RequestError
from eventstudy.inference import TESTS

DAYS = pd.bdate_range("2018-01-01", "2019-12-31")


def panel(seed: int, names: list[str], closed: float, common: np.ndarray, load: float = 1.0) -> pd.DataFrame:
    """Returns on days of one's own, moved by `common`, a series that all markets share; index last."""
    rng = np.random.default_rng(seed)
    open_days = rng.random(len(DAYS)) > closed
    open_days[-30:] = True
    index = pd.Series(rng.normal(0, 0.01, len(DAYS)), DAYS)
    noise = rng.normal(0, 0.02, (len(DAYS), len(names))) + load * common[:, None]
    frame = pd.DataFrame(noise, DAYS, names).add(index, axis=0).assign(index=index)
    return frame[open_days]


@pytest.fixture(scope="module")
def common() -> np.ndarray:
    return np.random.default_rng(5).normal(0, 0.01, len(DAYS))


@pytest.fixture(scope="module")
def studies(common) -> dict[str, es.EventStudyResults]:
    """Three events in each of two markets with holidays of their own, some on one date."""
    found = {}
    dates = {
        "east": ["2019-12-10", "2019-12-10", "2019-12-12"],
        "west": ["2019-12-10", "2019-12-11", "2019-12-12"],
    }
    for seed, (name, days) in enumerate(dates.items()):
        securities = [f"{name}{i}" for i in range(3)]
        market = es.Market(panel(seed, securities, 0.05, common), benchmark="index")
        events = {"security": securities, "date": days, "size": [1.0, 2.0, 3.0]}
        estimation = (-250, -11) if name == "east" else (-180, -15)
        found[name] = es.EventStudy(market, events, estimation=estimation, window=(-5, 5)).fit()
    return found


@pytest.fixture(scope="module")
def pooled(studies) -> es.PooledResults:
    return es.pool(studies)


def test_mean_correlation_is_that_of_common_calendar_days(studies, pooled):
    window = es.Window(0, 2)
    series, tested = [], []
    for results in studies.values():
        abnormal = results.fitted.abnormal
        for i in range(abnormal.n_events):
            series.append(pd.Series(abnormal.past.residuals()[i], abnormal.past.dates()[i]).dropna())
            tested.append(set(abnormal.event_dates[i, abnormal.columns(window)].tolist()))
    total = 0.0
    for i, j in combinations(range(6), 2):
        both = pd.concat([series[i], series[j]], axis=1, join="inner")
        assert 100 < len(both) < 250
        total += both.corr().iloc[0, 1] * len(tested[i] & tested[j]) / 3
    found = pooled.clustering(0, 2)
    assert found.mean_correlation == pytest.approx(total / 15, abs=1e-12)
    assert found.mean_correlation > 0.05
    assert found.n_events == 6


def test_adjusted_bmp_by_hand(studies, pooled):
    scar = np.concatenate([r.car(0, 2)["t"].to_numpy() for r in studies.values()])
    r = pooled.clustering(0, 2).mean_correlation
    n = len(scar)
    expected = scar.mean() / (scar.std(ddof=1) / np.sqrt(n)) * np.sqrt((1 - r) / (1 + (n - 1) * r))
    row = pooled.test(0, 2, tests="adjusted_bmp").iloc[0]
    assert row["statistic"] == pytest.approx(expected, rel=1e-12)
    assert row["dof"] == 5


def test_portfolio_of_one_date_stands_on_calendar_days(common):
    """Two markets, one date: the portfolio's own residuals day by day, whatever the holidays."""
    found = []
    for seed, name in enumerate("ab"):
        market = es.Market(
            panel(10 + seed, [f"{name}{i}" for i in range(3)], 0.05, common), benchmark="index"
        )
        events = {"security": [f"{name}{i}" for i in range(3)], "date": ["2019-12-10"] * 3}
        found.append(es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit())
    pooled = es.pool(found)
    series = {}
    for k, results in enumerate(found):
        abnormal = results.fitted.abnormal
        for i in range(3):
            series[k, i] = pd.Series(abnormal.past.residuals()[i], abnormal.past.dates()[i])
    past = pd.DataFrame(series).mean(axis=1).dropna()
    car = pooled.car(0, 0)
    s2 = np.concatenate([r.fitted.abnormal.s2 for r in found])
    variance = (past**2).sum() / (len(past) - 2) * (car["se"] ** 2 / s2).mean()
    row = pooled.test(0, 0, tests="portfolio").iloc[0]
    assert row["statistic"] == pytest.approx(car["car"].mean() / np.sqrt(variance), rel=1e-10)
    # The two markets' events move together, which a pool by relative days would not see.
    assert pooled.clustering(0, 0).mean_correlation > 0.1


def test_pool_of_the_parts_is_the_whole():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        rng.normal(0, 0.02, (400, 9)), pd.bdate_range("2018-01-01", periods=400), list("abcdefghi")
    )
    market = es.Market(frame, benchmark="i")
    dates = frame.index[[300, 300, 300, 310, 320, 320, 330, 335]]
    events = pd.DataFrame({"event_id": range(8), "security": list("abcdefgh"), "date": dates})
    make = {"estimation": (-200, -11), "window": (-5, 5)}
    whole = es.EventStudy(market, events, **make).fit()
    parts = [es.EventStudy(market, part, **make).fit() for part in (events[:3], events[3:])]
    pooled = es.pool(parts)
    pd.testing.assert_frame_equal(pooled.car(0, 1), whole.car(0, 1), check_index_type=False)
    pd.testing.assert_frame_equal(pooled.aar(), whole.aar())
    keys = list(TESTS)
    a, b = (r.test(0, 1, tests=keys, seed=1).drop(columns="note") for r in (pooled, whole))
    pd.testing.assert_frame_equal(a, b)
    assert b["applicable"].sum() > 15
    pd.testing.assert_frame_equal(pooled.parameters, whole.parameters, check_index_type=False)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_jaffe_of_many_events_that_miss_days():
    """One market sums over its sessions, in parts; a pool goes event by event: one statistic."""
    rng = np.random.default_rng(3)
    names = [f"s{i}" for i in range(60)]
    returns = rng.normal(0, 0.02, (200, 60)) + rng.normal(0, 0.01, (200, 1))
    returns[rng.random(returns.shape) < 0.4] = np.nan
    days = pd.bdate_range("2018-01-01", periods=200)
    frame = pd.DataFrame(returns, days, names).assign(index=rng.normal(0, 0.01, 200))
    market = es.Market(frame, benchmark="index", gaps="single")
    at = [(name, day) for day in range(120, 180) for name in names if not np.isnan(frame[name].iloc[day])]
    events = pd.DataFrame({"security": [name for name, _ in at], "date": days[[day for _, day in at]]})
    make = {"estimation": (-100, -11), "window": (-1, 3), "incomplete": "partial"}
    whole = es.EventStudy(market, events, **make).fit()
    assert whole.abnormal_returns.isna().to_numpy().sum() > 3000  # more than are taken out at a time
    half = len(events) // 2
    parts = [es.EventStudy(market, part, **make).fit() for part in (events[:half], events[half:])]
    found, want = (r.test(-1, 3, tests=["jaffe"]).iloc[0] for r in (whole, es.pool(parts)))
    assert found["statistic"] == pytest.approx(want["statistic"], rel=1e-9)
    assert found["note"].startswith("64 calendar days")


@pytest.mark.parametrize(("common", "own"), [(10, False), (11, True)])
def test_jaffe_measures_a_portfolio_by_more_than_ten_days_of_all(common, own):
    """With ten common days or fewer, the days with at least half of the events stand in."""
    rng = np.random.default_rng(6)
    days = pd.bdate_range("2018-01-01", periods=120)
    frame = pd.DataFrame(rng.normal(0, 0.02, (120, 3)), days, ["A", "B", "index"])
    # Forty estimation days: A has the first 25, B the last ones.
    frame.iloc[84:99, 0] = np.nan
    frame.iloc[59 : 84 - common, 1] = np.nan
    market = es.Market(frame, benchmark="index", gaps="single")
    events = {"security": ["A", "B"], "date": [days[110]] * 2}
    results = es.EventStudy(market, events, estimation=(-51, -12), window=(-1, 1), min_observations=20).fit()
    past = pd.concat([results.regression(i).resid for i in (0, 1)], axis=1)
    assert len(past) == 40
    series = (past.dropna() if own else past).mean(axis=1)
    variance = (series**2).sum() / (len(series) - 2)
    row = results.test(0, 0, tests=["jaffe"]).iloc[0]
    assert row["statistic"] == pytest.approx(results.abnormal_returns[0].mean() / np.sqrt(variance), rel=1e-9)
    # The same of a pool, which goes another way.
    alone = [
        es.EventStudy(
            market,
            pd.DataFrame(events)[i : i + 1],
            estimation=(-51, -12),
            window=(-1, 1),
            min_observations=20,
        ).fit()
        for i in (0, 1)
    ]
    pooled = es.pool(alone).test(0, 0, tests=["jaffe"]).iloc[0]
    assert pooled["statistic"] == pytest.approx(row["statistic"], rel=1e-9)


def test_measures_are_those_of_the_studies(studies, pooled):
    for name, results in studies.items():
        own = results.car(-1, 3)
        found = pooled.car(-1, 3).loc[[f"{name}:{i}" for i in own.index]]
        np.testing.assert_allclose(found.loc[:, "car":], own.loc[:, "car":], rtol=1e-12)
        assert found["security"].tolist() == own["security"].tolist()
    assert pooled.abnormal_returns.shape == (6, 11)
    assert pooled.caar(0, 1)["caar"].iloc[0] == pytest.approx(pooled.car(0, 1)["car"].mean())
    assert pooled.regression("east:1").params.to_numpy() == pytest.approx(
        studies["east"].parameters.loc[1, ["alpha", "beta"]].to_numpy(dtype=float)
    )


def test_ids_are_kept_where_they_differ_and_prefixed_where_not(studies, pooled):
    assert pooled.timeline.index.tolist() == [f"{s}:{i}" for s in studies for i in range(3)]
    assert pooled.timeline["study"].tolist() == ["east"] * 3 + ["west"] * 3
    renamed = []
    for name, results in studies.items():
        spec = results.spec
        frame = spec.events.frame.assign(event_id=[f"{name}-{i}" for i in range(3)])
        frame = frame[["event_id", "security", "date"]]
        renamed.append(es.EventStudy(spec.market, frame, estimation=(-150, -11), window=(-3, 8)).fit())
    found = es.pool(renamed)
    assert found.timeline.index.tolist()[0] == "east-0"
    assert list(found.studies) == ["1", "2"]
    assert found.studies["1"] is renamed[0]


def test_what_is_of_one_study_says_where_it_is(pooled):
    with pytest.raises(AttributeError, match=r"of one study: results\.studies\['east'\]\.report"):
        pooled.report("x.html")
    with pytest.raises(AttributeError, match="no attribute 'reprot'"):
        pooled.reprot  # noqa: B018
    assert not hasattr(pooled, "spec")
    assert pickle.loads(pickle.dumps(pooled)).car(0, 1).equals(pooled.car(0, 1))


def test_suspects_of_all_studies(common):
    """A day that no firm trades, and a jump, each in the study that has it."""
    studies = {}
    for seed, name in enumerate(["east", "west"]):
        frame = panel(seed, [f"{name} A", f"{name} B"], 0.0, common)
        frame.iloc[-20, 0] = 0.9 if name == "east" else 0.01
        market = es.Market(frame, benchmark="index")
        events = [{"security": firm, "date": frame.index[-18]} for firm in frame.columns[:2]]
        studies[name] = es.EventStudy(market, events, window=(-5, 5))
    with pytest.warns(es.errors.SuspectDataWarning):
        found = es.pool({name: study.fit() for name, study in studies.items()}).suspects
    jump = found[found["kind"] == "large return"]
    assert jump[["event_id", "security", "study"]].to_numpy().tolist() == [["east:0", "east A", "east"]]


def test_the_event_window_is_what_all_have(studies):
    spec = studies["west"].spec
    wide = es.EventStudy(spec.market, spec.events, estimation=(-150, -11), window=(-2, 8)).fit()
    found = es.pool({"east": studies["east"], "west": wide})
    assert found.abnormal_returns.columns.tolist() == list(range(-2, 6))
    np.testing.assert_allclose(found.car(-2, 5)["car"][3:], wide.car(-2, 5)["car"])
    with pytest.raises(RequestError, match=r"\(-5, \+5\) reaches outside the event window \(-2, \+5\)"):
        found.car(-5, 5)


def test_models_of_different_size(studies):
    spec = studies["west"].spec
    mean = es.EventStudy(
        spec.market, spec.events, es.ConstantMean(), estimation=(-150, -11), window=(-5, 5)
    ).fit()
    found = es.pool({"east": studies["east"], "west": mean})
    assert found.parameters.columns.tolist() == ["alpha", "beta", "mu", "sigma", "n_obs", "dof", "r_squared"]
    np.testing.assert_allclose(found.car(0, 1)["se"][3:], mean.car(0, 1)["se"])
    assert "Market model (OLS) / Constant mean return" in str(found.summary())


@pytest.mark.slow
def test_summary_figures_and_groups(studies, pooled):
    text = str(pooled.summary())
    for told in ("(-250, -11)", "(-180, -15)", "on common calendar days", "effective N", "each market's own"):
        assert told in text
    for draw in ("caar", "heatmap", "forest", "clustering", "tests"):
        getattr(pooled.plot, draw)()
    pooled.plot.car(event="east:0")
    pooled.plot.fit(event="west:1")
    plt.close("all")
    grouped = pooled.test(0, 1, tests="bmp", by="study")
    assert grouped["group"].tolist() == ["east", "west", "east - west", "east - west"]
    assert grouped.set_index("test")["applicable"].loc[["difference_past", "difference_welch"]].tolist() == [
        True,
        False,  # windows of both share days
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda s: [s["east"]], "two or more results, got 1"),
        (lambda s: [s["east"], 3], "found int"),
        (lambda s: [s["east"], s["east"]], "is an event of two of the studies"),
    ],
)
def test_what_cannot_be_pooled(studies, given, told):
    with pytest.raises(RequestError, match=told):
        es.pool(given(studies))


def test_log_and_simple_returns_do_not_mix(studies, common):
    market = es.Market(panel(1, ["x"], 0.0, common), benchmark="index", kind="log")
    other = es.EventStudy(market, {"security": ["x"], "date": ["2019-12-10"]}, window=(-5, 5)).fit()
    with pytest.raises(RequestError, match="different returns, simple and log"):
        es.pool([studies["east"], other])
    with pytest.raises(RequestError, match="listings must be one of mean, first, separate"):
        es.pool(studies, listings="both")
    with pytest.raises(RequestError, match="column 'company'"):
        es.pool(studies, firm="company")
    with pytest.raises(RequestError, match="none of the securities of the events"):
        es.pool(studies, firm={"A": "B"})


@pytest.fixture(scope="module")
def dual() -> dict[str, object]:
    """One firm listed as A and H against the same index, another firm with A alone; and their average."""
    rng = np.random.default_rng(8)
    days = pd.bdate_range("2019-01-01", periods=300)
    shared = rng.normal(0, 0.02, 300)
    frame = pd.DataFrame(
        {
            "A": shared + rng.normal(0, 0.01, 300),
            "H": 0.5 * shared + rng.normal(0, 0.02, 300),
            "B": rng.normal(0, 0.02, 300),
            "index": rng.normal(0, 0.01, 300),
        },
        days,
    )
    frame["mean"] = frame[["A", "H"]].mean(axis=1)
    date = f"{days[270]:%Y-%m-%d}"

    def study(securities: list[str]) -> es.EventStudyResults:
        market = es.Market(frame[[*securities, "index"]], benchmark="index")
        events = {"security": securities, "date": [date] * len(securities)}
        return es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit()

    return {"A": study(["A", "B"]), "H": study(["H"]), "mean": study(["mean"])}


def test_an_averaged_firm_is_the_study_of_its_average(dual):
    """With one index and one calendar the average of the listings is a security of its own."""
    pooled = es.pool({"A": dual["A"], "H": dual["H"]}, firm={"A": "ZTE", "H": "ZTE"})
    assert pooled.timeline["security"].tolist() == ["A + H", "B"]
    own = dual["mean"]
    for window in ((0, 0), (-1, 3), (-5, 5)):
        found = pooled.fitted.cars(es.Window(*window)).iloc[0]
        np.testing.assert_allclose(found, own.fitted.cars(es.Window(*window)).iloc[0], rtol=1e-10)
    np.testing.assert_allclose(
        pooled.fitted.abnormal.past.residuals()[0], own.fitted.abnormal.past.residuals()[0], atol=1e-15
    )
    np.testing.assert_allclose(pooled.parameters["sigma"].iloc[0], own.parameters["sigma"].iloc[0])
    assert "average of 2 listings: A 2020-01-14, H 2020-01-14" in pooled.timeline["note"].iloc[0]
    assert "1 averaged, counted once each" in str(pooled.summary())
    with pytest.raises(RequestError, match="is the average of 2 listings"):
        pooled.regression("A:0")


@pytest.mark.parametrize("swapped", [False, True])
def test_an_averaged_firm_loses_the_parameters_of_its_larger_model(dual, swapped):
    """200 estimation days less one that the lag lacks; the listing with a lag has three parameters."""
    spec = dual["H"].spec
    lagged = es.EventStudy(
        spec.market,
        spec.events,
        es.MarketModel(lags={"benchmark": 1}),
        estimation=(-200, -11),
        window=(-5, 5),
    ).fit()
    studies = {"A": dual["A"], "H": lagged}
    pooled = es.pool(dict(reversed(studies.items())) if swapped else studies, firm={"A": "ZTE", "H": "ZTE"})
    row = pooled.parameters[pooled.timeline["security"].str.contains("+", regex=False)].iloc[0]
    assert (row["n_obs"], row["dof"]) == (190, 187)
    mean = (dual["A"].regression(0).resid.to_numpy() + lagged.regression(0).resid.to_numpy()) / 2
    assert row["sigma"] == pytest.approx(np.sqrt((mean**2).sum() / 187), rel=1e-10)


def test_the_clock_shows_both_listings(dual):
    frame = es.pool({"A": dual["A"], "H": dual["H"]}, firm={"A": "ZTE", "H": "ZTE"}).clock()
    found = frame.loc["A:0", ["study", "security"]].to_numpy().tolist()
    assert found == [["A", "A"], ["H", "H"]]


def test_first_listing_and_separate_ones(dual):
    firm = {"A": "ZTE", "H": "ZTE"}
    first = es.pool({"A": dual["A"], "H": dual["H"]}, firm=firm, listings="first")
    assert first.timeline["security"].tolist() == ["A", "B"]
    assert first.excluded["reason"].to_dict() == {"H:0": "another listing of the firm of event A:0"}
    apart = es.pool({"A": dual["A"], "H": dual["H"]}, firm=firm, listings="separate")
    assert apart.timeline["security"].tolist() == ["A", "B", "H"]
    residuals = apart.fitted.abnormal.past.residuals()
    assert apart.clustering(0, 0).mean_correlation == pytest.approx(
        np.corrcoef(residuals)[np.triu_indices(3, 1)].mean(), abs=1e-12
    )
    assert np.corrcoef(residuals)[0, 2] > 0.3


def test_a_day_on_which_one_listing_rests():
    rng = np.random.default_rng(2)
    days = pd.bdate_range("2019-01-01", periods=300)
    frame = pd.DataFrame(rng.normal(0, 0.02, (300, 3)), days, ["A", "H", "index"])
    frame.loc[days[271], "H"] = np.nan
    studies = []
    for name in "AH":
        market = es.Market(frame[[name, "index"]], benchmark="index", gaps="single")
        events = {"security": [name], "date": [days[270]], "firm": ["ZTE"]}
        studies.append(es.EventStudy(market, events, estimation=(-200, -11), window=(-5, 5)).fit())
    pooled = es.pool(studies)
    ar = [s.abnormal_returns.iloc[0] for s in studies]
    np.testing.assert_allclose(pooled.abnormal_returns.loc["1:0", 1], ar[0][1])
    np.testing.assert_allclose(pooled.abnormal_returns.loc["1:0", 0], (ar[0][0] + ar[1][0]) / 2)
    # Alone, A's day has the noise of A.
    assert pooled.fitted.abnormal.noise[0, 6] == pytest.approx(studies[0].fitted.abnormal.s2[0])


def test_repeated_announcements_of_a_firm_stay_apart(common):
    market = es.Market(panel(4, ["A", "H"], 0.0, common), benchmark="index")
    a = {"security": ["A", "A"], "date": ["2019-10-10", "2019-12-10"], "firm": "Z"}
    h = {"security": ["H", "H"], "date": ["2019-12-11", "2019-10-10"], "firm": "Z"}
    with pytest.warns(es.errors.OverlapWarning):
        studies = [es.EventStudy(market, x, estimation=(-150, -11), window=(-5, 5)).fit() for x in (a, h)]
    pooled = es.pool(studies)
    assert pooled.fitted.members == (((0, 0), (1, 1)), ((0, 1), (1, 0)))


def test_the_clock_goes_round():
    """A New York evening: Asia opens first, New York the next day; all in UTC."""
    rng = np.random.default_rng(1)
    found = {}
    for name, code in (("New York", "XNYS"), ("Shenzhen", "XSHE"), ("Hong Kong", "XHKG")):
        days = Exchange(code).sessions(pd.Timestamp("2018-06-01"), pd.Timestamp("2019-07-01"))
        frame = pd.DataFrame(rng.normal(0, 0.02, (len(days), 2)), days, [f"{name} share", "index"])
        market = es.Market(frame, benchmark="index", calendar=code)
        events = [{"security": f"{name} share", "announced_at": "2019-05-21 19:00-04:00"}]
        found[name] = es.EventStudy(market, events, estimation=(-150, -11), window=(-5, 5)).fit()
    frame = es.pool(found).clock()
    assert frame["study"].tolist() == ["Shenzhen", "Hong Kong", "New York"]
    assert frame["order"].tolist() == [1, 1, 2]
    assert frame["day_0"].dt.strftime("%m-%d").tolist() == ["05-22"] * 3
    assert frame["opens"].dt.strftime("%H:%M").tolist() == ["01:30", "01:30", "13:30"]
    assert frame["closes"].dt.strftime("%H:%M").tolist() == ["07:00", "08:00", "20:00"]
    assert frame["hours"].tolist() == [2.5, 2.5, 14.5]
    assert str(frame["opens"].dt.tz) == "UTC"


def test_the_clock_keeps_a_mended_close():
    early = Exchange("XSHG", closes={"2019-05-22": "11:30"})
    days = early.sessions(pd.Timestamp("2018-06-01"), pd.Timestamp("2019-07-01"))
    frame = pd.DataFrame(np.random.default_rng(1).normal(0, 0.02, (len(days), 3)), days, ["A", "B", "index"])
    market = es.Market(frame, benchmark="index", calendar=early)
    events = ([{"security": s, "announced_at": "2019-05-22 09:00+08:00"}] for s in "AB")
    studies = [es.EventStudy(market, e, estimation=(-150, -11), window=(-5, 5)).fit() for e in events]
    clock = es.pool(studies).clock()
    assert clock["closes"].dt.strftime("%d %H:%M").tolist() == ["22 03:30"] * 2
    assert clock["opens"].dt.strftime("%d %H:%M").tolist() == ["22 01:30"] * 2


def test_the_clock_without_times(pooled):
    frame = pooled.clock()
    assert frame["reacts"].isna().all()
    assert frame["order"].isna().all()
    assert len(frame) == 6
