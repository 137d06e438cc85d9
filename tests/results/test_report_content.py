"""The report: what its chapters say, of one event, of many, and of awkward data."""

from __future__ import annotations

import hashlib
import html
import re
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataWarning
from eventstudy.results.report import content, reproduce
from eventstudy.results.report.content import refitted, sensitivity
from eventstudy.windows import Window

CHAPTERS = [
    "Question",
    "Finding",
    "Figures",
    "Each event in money",
    "Design",
    "Data audit",
    "All tests",
    "Sensitivity",
    "Events one by one",
    "Recipe",
]
EVIL = "<script>alert(1)</script>"
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")


@pytest.fixture(scope="module")
def hikvision_market() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def hikvision(hikvision_market: es.Market) -> es.EventStudyResults:
    news = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}]
    return es.EventStudy(hikvision_market, news, estimation=(-270, -21)).fit()


@pytest.fixture(scope="module")
def one_page(hikvision: es.EventStudyResults, tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("report") / "hikvision.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", lambda *args, **kwargs: None)
        assert hikvision.report(target, currency="CNY", notes=f"Seen by {EVIL}.") == target
    return target.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def many_page(common: es.EventStudyResults, tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", lambda *args, **kwargs: None)
        path = common.report(tmp_path_factory.mktemp("report") / "many.html", 0, 2)
    return path.read_text(encoding="utf-8")


def headline(text: str) -> str:
    return re.search(r'<p class="headline">(.*?)</p>', text, re.DOTALL).group(1)


def test_chapters(one_page, many_page):
    for text in (one_page, many_page):
        assert re.findall(r"<h2>(.*?)</h2>", text) == CHAPTERS
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in one_page


@pytest.mark.slow
def test_a_report_with_its_pictures_is_small(hikvision, tmp_path):
    assert hikvision.report(tmp_path / "hikvision.html").stat().st_size < 3_000_000


def test_headline_of_one_event(one_page, hikvision):
    car = hikvision.car(0, 1).iloc[0]
    told = headline(one_page).replace("−", "-")
    for number in (car["actual"], car["expected"], car["car"], car["ci_low"], car["ci_high"]):
        assert f"{number:+.2%}" in told
    reaction = hikvision.recommended(0, 1).iloc[0]
    assert f"{reaction['test']} p = {reaction['p_value']:.4f}" in told
    assert told == html.escape(hikvision.verdict(0, 1).answer).replace("−", "-")
    assert "a share closed at 24.56 CNY" in one_page


def test_headline_of_many_events(many_page, common):
    mean, chosen = common.caar(0, 2).iloc[0], common.recommended(0, 2).iloc[0]
    told = headline(many_page).replace("−", "-")
    for number in (mean["caar"], mean["ci_low"], mean["ci_high"]):
        assert f"{number:+.2%}" in told
    assert f"{chosen['test']} p = {chosen['p_value']:.4f}" in told
    assert told == html.escape(common.verdict(0, 2).answer).replace("−", "-")


def test_figures_have_words(one_page, many_page):
    for text, n in ((one_page, 10), (many_page, 6)):
        alts = re.findall(r'<img alt="(.*?)" src="data:image/', text)
        assert len(alts) == n
        assert all(len(alt) > 30 for alt in alts)
        assert text.count("<figcaption>") == n


@pytest.mark.usefixtures("unrendered")
def test_what_cannot_be_drawn_says_why(one, tmp_path):
    text = one.report(tmp_path / "one.html").read_text(encoding="utf-8")
    assert "Not drawn: Day 0 taken apart" in text
    assert "has no open, low, high" in text


def test_audit_is_of_the_windows_used(hikvision, hikvision_market, one_page):
    suspects = content._suspects(hikvision.fitted)
    assert suspects.empty
    assert "no suspect data lies in the windows used" in one_page
    assert "Daily price limits touched in event windows" in one_page
    later = es.EventStudy(
        hikvision_market, [{"security": "002415.SZ", "date": "2019-10-08"}], estimation=(-200, -21)
    ).fit()
    found = content._suspects(later.fitted)
    assert found[["security", "kind"]].to_numpy().tolist() == [["002415.SZ", "no trade"]]


def test_audit_holds_gaps_of_the_benchmark(prices, refit):
    day = prices.index[300]
    # One in the estimation window, one between the windows, one before both.
    for gap, kinds in ((275, ["benchmark gap", "no trade"]), (288, []), (20, [])):
        close = prices.copy()
        close.loc[close.index[gap], "INDEX"] = np.nan
        told = pytest.warns(DataWarning, match="benchmark gap of INDEX") if kinds else nullcontext()
        with told:
            results = refit(
                es.Market.from_prices(close, benchmark="INDEX"), [{"security": "S0", "date": day}]
            )
        found = content._suspects(results.fitted)
        assert sorted(found["kind"].unique()) == kinds
        assert set(found["security"]) <= {"INDEX"}


@pytest.mark.usefixtures("no_pictures")
def test_audit_says_what_columns_were_taken_for(prices, refit, tmp_path):
    long = prices.stack().rename("PRC").rename_axis(["caldt", "PERMNO"]).reset_index()
    events = es.Events({"ticker": ["S0"], "anndats": [prices.index[300]]})
    results = refit(es.Market.from_prices(long, benchmark="INDEX"), events)
    page = results.report(tmp_path / "read.html").read_text(encoding="utf-8")
    audit = page[page.index("Data audit") :]
    for told in (
        "What the columns of the market were taken for",
        "PERMNO",
        "an id that stays with its security",
    ):
        assert told in audit
    for told in ("What the columns of the events were taken for", "anndats", "ticker"):
        assert told in audit


def test_sensitivity(hikvision, hikvision_market):
    frame = sensitivity(hikvision.fitted, Window(0, 1))
    assert frame["window"].tolist()[:5] == ["(0, +1)", "(0, 0)", "(-1, +1)", "(0, +5)", "(-10, +10)"]
    for row in frame.itertuples():
        model = {"Market model (OLS)": es.MarketModel(), "Market adjusted": es.MarketAdjusted()}.get(
            row.model, es.ConstantMean()
        )
        again = es.EventStudy(
            hikvision_market, hikvision.spec.events, model=model, estimation=(-270, -21)
        ).fit()
        start, end = map(int, row.window.strip("()").split(","))
        car = again.car(start, end).iloc[0]
        np.testing.assert_allclose(
            [row.estimate, row.se, row.ci_low, row.ci_high],
            car[["car", "se", "ci_low", "ci_high"]].astype(float),
        )
        assert row.p_value == again.test(start, end, tests="sq")["p_value"].iloc[0]
    assert set(frame["model"]) == {"Market model (OLS)", "Market adjusted", "Constant mean return"}


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
@pytest.mark.parametrize(("incomplete", "n_events"), [("warn", 1), ("partial", 2)])
def test_other_models_leave_out_windows_that_are_not_covered_as_the_study_does(prices, incomplete, n_events):
    market = es.Market.from_prices(prices, benchmark="INDEX")
    events = {"security": ["S0", "S1"], "date": [prices.index[300], prices.index[-2]]}
    found = es.EventStudy(market, events, window=(0, 5), incomplete=incomplete).fit()
    frame = sensitivity(found.fitted, Window(0, 5)).query("window == '(0, +5)'")
    assert frame["n_events"].tolist() == [n_events] * 3
    for row in frame.itertuples():
        model = {"Market model (OLS)": es.MarketModel(), "Market adjusted": es.MarketAdjusted()}.get(
            row.model, es.ConstantMean()
        )
        again = es.EventStudy(market, events, model, window=(0, 5), incomplete=incomplete).fit()
        assert row.estimate == pytest.approx(again.car(0, 5)["car"].mean(), rel=1e-12)


def test_models_without_their_data_are_left_out(prices, refit):
    market = es.Market.from_prices(prices.drop(columns="INDEX"))
    results = refit(market, [{"security": "S0", "date": prices.index[300]}], model=es.ConstantMean())
    assert refitted(results.fitted, es.MarketModel()) is None
    assert set(sensitivity(results.fitted, Window(0, 1))["model"]) == {"Constant mean return"}


def test_recipe_makes_the_study_again(hikvision, common, prices):
    given = es.datasets.surveillance_prices()
    for results, data in ((hikvision, given), (common, prices)):
        code = reproduce.code(results.fitted, Window(0, 1))
        namespace = {"prices": data}
        exec(code, namespace)
        again = namespace["results"]
        pd.testing.assert_frame_equal(again.car(0, 1), results.car(0, 1))
        assert reproduce.code(again.fitted, Window(0, 1)) == code


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_recipe_says_how_the_prices_were_read(prices):
    days = prices.index
    given = prices.copy()
    given.loc[days[[40, 41]]] = np.nan
    given = given.ffill()
    given.loc[days[60], "S1"] = 0.0
    limits = {"S0": 0.1, "S1": 0.2}
    options = {
        "sessions": "data",
        "bad_prices": "missing",
        "price_limit": limits,
        "special_treatment": {"S0": (days[3], np.datetime64(days[9]))},
        "calendar": "XSHG",
    }
    market = es.Market.from_prices(given, benchmark="INDEX", **options)
    results = es.EventStudy(market, [{"security": "S1", "date": days[300]}]).fit()
    code = reproduce.code(results.fitted, Window(0, 1))
    namespace = {"prices": given}
    exec(code, namespace)
    for said in ("sessions='data'", "bad_prices='missing'", "price_limit={'S0': 0.1, 'S1': 0.2}"):
        assert said in code
    assert f"special_treatment={{'S0': ('{days[3]:%Y-%m-%d}', '{days[9]:%Y-%m-%d}')}}" in code
    again = namespace["results"]
    pd.testing.assert_frame_equal(again.car(0, 1), results.car(0, 1))
    pd.testing.assert_frame_equal(namespace["market"].limits.up, market.limits.up)
    assert reproduce.code(again.fitted, Window(0, 1)) == code


def test_recipe_names_what_is_too_long_to_write(prices, tmp_path):
    """Frames and Series of the user's own stand under the name of their option."""
    returns = 100 * prices.pct_change(fill_method=None)
    limit = pd.DataFrame(0.1, prices.index, ["S0"])
    index = returns["INDEX"].rename("my index")
    shares = returns.drop(columns="INDEX")
    market = es.Market(shares, benchmark=index, unit="percent", sessions="data")
    results = es.EventStudy(market, [{"security": "S0", "date": prices.index[300]}]).fit()
    code = reproduce.code(results.fitted, Window(0, 1))
    assert "es.Market(returns, benchmark=benchmark, sessions='data', unit='percent')" in code
    namespace = {"returns": shares, "benchmark": index}
    exec(code, namespace)
    pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))
    results.save(tmp_path / "study")
    again = reproduce.code(es.load(tmp_path / "study").fitted, Window(0, 1))
    assert "benchmark=benchmark, sessions='data', unit='percent'" in again
    limited = es.Market.from_prices(prices, benchmark="INDEX", price_limit=limit)
    code = reproduce.code(
        es.EventStudy(limited, [{"security": "S0", "date": prices.index[300]}]).fit().fitted, Window(0, 1)
    )
    assert "price_limit=price_limit" in code


def test_recipe_converts_currencies(prices):
    rate = pd.Series(np.linspace(6.2, 7.1, len(prices)), prices.index)
    market = es.in_currency(es.Market.from_prices(prices, benchmark="INDEX"), rate)
    results = es.EventStudy(market, [{"security": "S0", "date": prices.index[300]}]).fit()
    namespace = {"prices": prices, "rate": rate}
    exec(reproduce.code(results.fitted, Window(0, 1)), namespace)
    pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))


def test_recipe_converts_as_often_as_the_study_and_names_the_benchmark_where_it_was_given(prices):
    days = prices.index
    rates = {"rate_1": pd.Series(np.linspace(6.2, 7.1, len(days)), days)}
    rates["rate_2"] = pd.Series(np.linspace(0.5, 0.9, len(days)), days)
    events = [{"security": "S0", "date": days[300]}]
    index = prices["S3"].rename("world")
    once = es.in_currency(es.Market.from_prices(prices, benchmark="INDEX"), rates["rate_1"])
    for market in (
        es.in_currency(once, rates["rate_2"]).with_benchmark(index),
        es.in_currency(once.with_benchmark(index), rates["rate_2"]),
        es.in_currency(once, rates["rate_2"]),
    ):
        results = es.EventStudy(market, events).fit()
        namespace = {"prices": prices, "benchmark": index, **rates}
        exec(reproduce.code(results.fitted, Window(0, 1)), namespace)
        pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))


def test_recipe_and_file_keep_a_benchmark_that_has_the_name_of_a_security(prices, tmp_path):
    returns = prices.pct_change(fill_method=None)
    index, shares = returns["INDEX"].rename("S2"), returns.drop(columns="INDEX")
    market = es.Market(shares, benchmark=index)
    assert market.benchmarks == ["S2 (Benchmark)"]
    assert "S2" in market.securities
    results = es.EventStudy(market, [{"security": "S0", "date": prices.index[300]}]).fit()
    named = es.EventStudy(es.Market(returns, benchmark="INDEX"), results.spec.events).fit()
    np.testing.assert_allclose(results.car(0, 1)["car"], named.car(0, 1)["car"], rtol=1e-12)
    namespace = {"returns": shares, "benchmark": index}
    exec(reproduce.code(results.fitted, Window(0, 1)), namespace)
    pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))
    results.save(tmp_path / "study")
    pd.testing.assert_frame_equal(es.load(tmp_path / "study").car(0, 1), results.car(0, 1))
    assert es.Market(returns, benchmark=returns["INDEX"]).benchmarks == ["INDEX"]


def test_recipe_reads_a_panel_as_the_study_does(prices, tmp_path):
    returns = prices.pct_change(fill_method=None)
    long = returns.stack().rename("ret").rename_axis(["date", "permno"]).reset_index()
    long.assign(retx=long["ret"] / 2).to_parquet(tmp_path / "panel.parquet")
    panel = es.Market.scan_parquet(tmp_path / "panel.parquet", benchmark="INDEX", ret="retx")
    results = es.EventStudy(panel, [{"security": "S0", "date": prices.index[300]}]).fit()
    namespace = {"path": tmp_path / "panel.parquet"}
    code = reproduce.code(results.fitted, Window(0, 1))
    exec(code, namespace)
    assert "scan_parquet(path, benchmark='INDEX', security='permno', date='date', ret='retx')" in code
    pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))


def test_recipe_of_many_events_refers_to_them(market, refit, prices):
    days = prices.index[200:240]
    results = refit(market, [{"security": "S0", "date": day} for day in days])
    code = reproduce.code(results.fitted, Window(0, 1))
    assert "events = es.Events(events)  # your 40 events" in code
    namespace = {"prices": prices, "events": results.spec.events.frame}
    exec(code, namespace)
    pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))


def test_recipe_of_returns_and_several_benchmarks(prices, refit):
    returns = prices.pct_change(fill_method=None)
    shares = returns.drop(columns="INDEX")
    benchmark = {"S0": "S2", "S1": "S3"}
    market = es.Market(shares, benchmark=benchmark)
    day = prices.index[300]
    events = [{"security": "S0", "date": day, "x": np.int64(3)}, {"security": "S1", "date": day, "x": np.nan}]
    results = refit(market, events)
    code = reproduce.code(results.fitted, Window(0, 1))
    assert f"es.Market(returns, benchmark={benchmark!r})" in code
    assert "'x': 3" in code
    namespace = {"returns": shares}
    exec(code, namespace)
    pd.testing.assert_frame_equal(namespace["results"].car(0, 1), results.car(0, 1))


def test_fingerprints(hikvision_market, one_page):
    found = reproduce.fingerprints(hikvision_market)
    values = hikvision_market.returns.to_numpy(copy=True)
    values[np.isnan(values)] = np.nan
    assert found["returns"] == hashlib.sha256(np.ascontiguousarray(values, "<f8").tobytes()).hexdigest()
    for value in found:
        assert value in one_page
    other = reproduce.fingerprints(hikvision_market.with_benchmark("000300.SS"))
    assert other["returns"] == found["returns"]
    assert other["benchmarks and factors"] != found["benchmarks and factors"]


def test_versions():
    found = reproduce.versions()
    assert found["pandas"] == pd.__version__
    assert found["eventstudy"] == es.__version__


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_long_tables_say_where_the_rest_is(market, refit, prices, tmp_path: Path):
    days = prices.index[200:245]
    results = refit(market, [{"security": "S0", "date": day} for day in days])
    text = results.report(tmp_path / "many.html").read_text(encoding="utf-8")
    assert "5 more rows: results.timeline." in text
    assert "5 more rows: results.car(0, 1)." in text


@pytest.mark.slow
def test_awkward_text(market, refit, prices, tmp_path: Path):
    events = pd.DataFrame(
        {
            "security": ["S0", "S1", "nobody"],
            "date": prices.index[300],
            "label": [EVIL, r"$\frac & < > \" '", None],
            "group": EVIL,
            EVIL: EVIL,
        }
    )
    results = refit(market, events)
    text = results.report(tmp_path / "evil.html", question=EVIL, notes=[EVIL, "]]>"]).read_text("utf-8")
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 4


@pytest.mark.slow
def test_no_event_has_a_car(hikvision_market, tmp_path: Path):
    # Suspended on 8 and 9 October: day 0 moves on, and the two days before it have no return.
    results = es.EventStudy(
        hikvision_market, [{"security": "002415.SZ", "date": "2019-10-08"}], estimation=(-200, -21)
    ).fit()
    text = results.report(tmp_path / "none.html", -2, -1).read_text(encoding="utf-8")
    assert headline(text).startswith("No event has a cumulative abnormal return over (-2, -1)")


@pytest.mark.slow
def test_same_study_same_page(hikvision, tmp_path: Path):
    first, again = (
        hikvision.report(tmp_path / name, currency="CNY", notes=f"Seen by {EVIL}.").read_text(
            encoding="utf-8"
        )
        for name in ("a.html", "b.html")
    )
    assert first == again


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_groups_have_panels(market, refit, tmp_path: Path):
    events = [
        {"security": f"S{i}", "date": market.sessions[250 + 20 * i], "group": f"<b>{i % 2}"} for i in range(6)
    ]
    page = refit(market, events).report(tmp_path / "groups.html").read_text(encoding="utf-8")
    assert "of 2 groups: &lt;b&gt;0, 3 events; &lt;b&gt;1, 3 events." in page
    ungrouped = [{**event, "group": None if i else "a"} for i, event in enumerate(events)]
    page = refit(market, ungrouped).report(tmp_path / "none.html").read_text(encoding="utf-8")
    assert "groups:" not in page
