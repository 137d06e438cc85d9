"""Answers in shapes that are seldom met: log returns, no estimation, other dates of controls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, ExcludedEventsWarning, RequestError, WindowError

FIRMS = ["002415.SZ", "002236.SZ", "002230.SZ"]
NEWS = "2019-05-22"


def fitted(events: object, market: es.Market | None = None, **options: object) -> es.EventStudyResults:
    if market is None:
        market = es.Market.from_prices(
            es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
        )
    return es.EventStudy(market, events, **({"estimation": (-270, -21)} | options)).fit()


@pytest.fixture(scope="module")
def simulated() -> es.Market:
    return es.lab.simulate_market(6, 400, seed=3).market


@pytest.mark.usefixtures("no_pictures")
def test_a_share_loses_what_a_log_return_makes_of_its_price(tmp_path: Path) -> None:
    market = es.Market.from_prices(
        es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG", kind="log"
    )
    results = fitted({"security": FIRMS[0], "date": NEWS}, market)
    car = float(results.car(0, 1)["car"].iloc[0])
    before = float(es.datasets.surveillance_prices()["close", FIRMS[0]].loc[:"2019-05-21"].iloc[-1])
    lost = f"{before * np.expm1(car):,.2f}"
    assert lost in results.exhibit(0, 1).to_text()
    page = results.report(tmp_path / "x.md", 0, 1).read_text(encoding="utf-8")
    assert f"{lost.replace('-', '−')} per share" in page


def test_without_estimation_nothing_has_a_variance(simulated: es.Market) -> None:
    days = simulated.sessions
    events = [{"security": s, "date": days[200 + 2 * i]} for i, s in enumerate(simulated.securities[:6])]
    for model in (es.MarketAdjusted(), es.RawReturn()):
        results = fitted(events, simulated, model=model, estimation=None, window=(0, 5))
        frame = results.car(0, 5)
        assert frame["car"].notna().all()
        assert frame[["se", "t", "p_value"]].isna().all(axis=None)
        assert "use adjusted_bmp" not in " ".join(results.test(0, 5)["note"].fillna(""))
        assert set(results.test(0, 5).query("applicable")["test"]).isdisjoint({"bmp", "jaffe", "patell"})
        assert "nothing to be compared with: give one" in str(
            fitted(events[0], simulated, model=model, estimation=None, window=(0, 5)).verdict(0, 5)
        )


@pytest.fixture(scope="module")
def dozen() -> es.Market:
    return es.lab.simulate_market(12, 460, seed=3).market


def unestimated(simulated: es.Market, apart: int, n_dates: int) -> es.EventStudyResults:
    """Fit twelve events on some dates, without an estimation window."""
    events = [
        {"security": name, "date": simulated.sessions[200 + apart * (i % n_dates)], "size": 1.0 + i}
        for i, name in enumerate(simulated.securities[:12])
    ]
    return fitted(events, simulated, model=es.RawReturn(), estimation=None, window=(-1, 2))


@pytest.mark.parametrize(("apart", "n_dates"), [(0, 1), (1, 6), (20, 4)])
def test_events_that_share_days_have_no_error_without_an_estimation_window(
    dozen: es.Market, apart: int, n_dates: int
) -> None:
    results = unestimated(dozen, apart, n_dates)
    row = results.caar(0, 1).iloc[0]
    assert row["caar"] == pytest.approx(results.car(0, 1)["car"].mean())
    assert np.isnan(row["se"])
    assert "do not tell how they move together" in row["note"]
    table = results.test(0, 1).set_index("test")
    assert not table["applicable"][["adjusted_cross_sectional", "adjusted_bmp"]].any()
    for key in ("cross_sectional", "sign", "wilcoxon", "bootstrap"):
        assert "assumes independent events, but events share days" in table.loc[key, "note"]
    chosen = results.recommended(0, 1)["test"].tolist()
    assert chosen == (["ibragimov_muller"] if apart == 20 else [])
    found = results.clustering(0, 1)
    assert np.isnan(found.effective_n)
    assert "not known: it takes 10 estimation days" in str(found)
    said = " ".join(str(results.verdict(0, 1)).split())
    assert "95% interval" not in said
    if not chosen:
        for text in (said, " ".join(str(results.summary(0, 1)).split())):
            assert "No test survives this design: events share days" in text
    weighted = results.caar(0, 1, weights="size").iloc[0]
    weights = np.arange(1, 13) / 78
    assert weighted["caar"] == pytest.approx(weights @ results.car(0, 1)["car"])
    assert np.isnan(weighted["se"])
    assert weighted["note"] == (
        "weighted by size; no standard error: events share days, and fewer than 10 estimation days do not "
        "tell how they move together"
    )


def test_controls_without_an_estimation_window_are_not_offered(dozen: es.Market) -> None:
    results = unestimated(dozen, 0, 1)
    said = " ".join(str(results.verdict(0, 1)).split())
    assert "how they move together. Give an estimation window." in said
    assert "no event has one of its own" in results.summary(0, 1).to_text()
    day = dozen.sessions[200]
    treated, controls = (
        fitted(
            [{"security": name, "date": day} for name in names], dozen, model=es.RawReturn(), estimation=None
        )
        for names in (dozen.securities[:6], dozen.securities[6:])
    )
    for ask in (treated.test, treated.verdict):
        with pytest.raises(RequestError, match="No treated event has a residual variance"):
            ask(0, 1, against=controls)


def test_figures_and_reports_name_no_interval_where_there_is_none(dozen: es.Market, tmp_path: Path) -> None:
    results = unestimated(dozen, 0, 1)
    assert "interval" not in results.plot.caar().get_title() + results.plot.aar().get_title()
    for ax in (results.plot.caar(), results.plot.aar(), results.plot.forest((0, 1))):
        assert "interval" not in " ".join(text.get_text() for text in ax.get_legend().get_texts())
    page = results.report(tmp_path / "x.md", 0, 1).read_text(encoding="utf-8")
    assert "p = nan" not in page
    assert "rests on" not in page
    assert "Cumulative average abnormal return, without an interval" in page


def test_events_on_dates_of_their_own_need_no_estimation_window(dozen: es.Market) -> None:
    results = unestimated(dozen, 10, 12)
    row = results.caar(0, 1).iloc[0]
    assert row["test"] == "cross_sectional"
    assert row["se"] > 0
    assert len(results.recommended(0, 1))


@pytest.mark.slow
def test_means_of_dates_hold_where_raw_returns_of_a_date_move_together() -> None:
    rng = np.random.default_rng(11)
    days = pd.bdate_range("2015-01-01", periods=200)
    rejected, spread = [], []
    for _ in range(400):
        common = 0.01 * rng.standard_normal((200, 1))
        returns = pd.DataFrame(common + 0.015 * rng.standard_normal((200, 32)), days).rename(
            columns="S{}".format
        )
        events = [{"security": f"S{i}", "date": days[20 + 20 * (i % 8)]} for i in range(32)]
        study = es.EventStudy(es.Market(returns), events, es.RawReturn(), estimation=None, window=(-1, 2))
        results = study.fit()
        (key,) = results.recommended(0, 1)["test"].iloc[:1]
        assert key == "ibragimov_muller"
        p = results.test(0, 1, tests=[key, "cross_sectional"])["p_value"]
        rejected.append(p.iloc[0] <= 0.05)
        spread.append(p.iloc[1] <= 0.05)
    assert 0.02 <= np.mean(rejected) <= 0.08
    assert np.mean(spread) > 0.12


def test_a_window_by_dates_that_leaves_the_data_is_incomplete(simulated: es.Market) -> None:
    days = simulated.sessions
    later = f"{days[-1] + pd.Timedelta(days=30):%Y-%m-%d}"
    event = {"security": simulated.securities[0], "date": days[395]}
    window = {"window": (f"{days[390]:%Y-%m-%d}", later), "estimation": (-120, -11)}
    with pytest.raises(WindowError, match="do not cover the event window"):
        fitted(event, simulated, incomplete="raise", **window)
    with pytest.raises(WindowError, match="do not cover the event window"):
        fitted({**event, "window_end": later}, simulated, incomplete="raise", estimation=(-120, -11))


def test_an_index_that_is_missing_leaves_the_counterfactual_unknown() -> None:
    prices = es.datasets.surveillance_prices().copy()
    prices.loc[NEWS:"2019-05-23", ("close", "399001.SZ")] = np.nan
    market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    with pytest.warns(es.errors.EventStudyWarning):
        results = fitted({"security": FIRMS[0], "date": NEWS}, market)
    ax = results.plot.reaction()
    assert "Gap" not in " ".join(text.get_text() for text in ax.texts)


def test_controls_of_other_dates_are_said_to_be() -> None:
    treated = fitted([{"security": FIRMS[0], "date": NEWS}, {"security": FIRMS[1], "date": "2018-11-20"}])
    controls = fitted([{"security": FIRMS[2], "date": NEWS}])
    assert "on dates of both, the difference is" in treated.verdict(0, 1, against=controls).answer


def test_news_of_one_day_is_kept_whole() -> None:
    results = fitted({"security": FIRMS[0], "date": NEWS})
    told = str(results.verdict(0, 1, confounders={f"{NEWS} 09:00": "first", f"{NEWS} 15:00": "second"}))
    assert "first; second" in " ".join(told.split())
    for given in ({20190522: "x"}, ["a"], 5):
        with pytest.raises(RequestError, match="confounders maps days to news"):
            results.verdict(0, 1, confounders=given)


def test_tests_of_tables_are_named_in_any_case() -> None:
    results = fitted([{"security": name, "date": NEWS} for name in FIRMS])
    assert "bmp" in results.caar_table(tests="BMP").to_text().lower()
    assert "bmp" in results.aar_table(tests=["BMP"]).to_text().lower()


def test_an_exchange_that_loses_its_events_is_warned_of() -> None:
    rng = np.random.default_rng(1)
    parts = []
    for code, name in (("XNYS", "AAA"), ("XTKS", "TOK")):
        days = es.Exchange(code).sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2019-12-30"))
        parts.append(pd.Series(rng.normal(0, 0.01, len(days)), days, name=name))
    parts.append(pd.Series(rng.normal(0, 0.01, len(parts[0])), parts[0].index, name="U"))
    parts.append(pd.Series(rng.normal(0, 0.01, len(parts[1])), parts[1].index, name="J"))
    market = es.Market(
        pd.concat(parts, axis=1, sort=True),
        benchmark={"AAA": "U", "TOK": "J"},
        calendar={"AAA": "XNYS", "U": "XNYS", "TOK": "XTKS", "J": "XTKS"},
    )
    events = [{"security": "AAA", "date": "2019-05-28"}, {"security": "TOK", "date": "2018-02-07"}]
    with pytest.warns(ExcludedEventsWarning, match="1 of 2 events cannot be used"):
        results = fitted(events, market, estimation=(-120, -11))
    assert list(results.excluded["security"]) == ["TOK"]


def test_event_time_needs_day_0_and_names_of_its_own() -> None:
    wide = pd.DataFrame(np.random.default_rng(2).normal(0, 0.01, (151, 3)), range(-140, 11), list("ABC"))
    with pytest.raises(DataError, match="has no return on day 0"):
        es.from_event_time(wide.drop(0), gaps="single")
    long = (
        wide.rename_axis("day").melt(ignore_index=False, var_name="event", value_name="return").reset_index()
    )
    with pytest.raises(DataError, match=r"'security'.*Rename or drop it"):
        es.from_event_time(long.assign(security="X"))


@pytest.mark.usefixtures("no_pictures")
def test_a_brief_report_has_the_caveats_of_the_data(tmp_path: Path) -> None:
    events = [{"security": name, "date": NEWS} for name in [*FIRMS[:2], "NOPE"]]
    with pytest.warns(ExcludedEventsWarning):
        results = fitted(events)
    page = results.report(tmp_path / "x.md", 0, 1, brief=True).read_text(encoding="utf-8")
    assert "1 event could not be used" in page


@pytest.mark.slow
def test_a_t_of_raw_returns_of_one_date_rejects_most_true_nulls() -> None:
    rng = np.random.default_rng(12)
    days = pd.bdate_range("2015-01-01", periods=40)
    events = [{"security": f"S{i}", "date": days[20]} for i in range(30)]
    rejected = []
    for _ in range(400):
        market = 0.01 * rng.standard_normal((40, 1)) * rng.normal(1.0, 0.25, 30)
        returns = pd.DataFrame(market + 0.012 * rng.standard_normal((40, 30)), days).rename(
            columns="S{}".format
        )
        study = es.EventStudy(es.Market(returns), events, es.RawReturn(), estimation=None, window=(-1, 2))
        rejected.append(study.fit().caar(0, 1, test="cross_sectional")["p_value"].iloc[0] <= 0.05)
    assert 0.5 <= np.mean(rejected) <= 0.7
