"""The verdict: what was found, in words that the numbers choose."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import OverlapWarning
from eventstudy.inference import TESTS
from eventstudy.inference.procedures.assumptions import assumptions
from eventstudy.inference.significance_test import CONDITIONS
from eventstudy.results.verdict.sentences import evidence, percent

SIX = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"]


@pytest.fixture(scope="module")
def bundled() -> es.Market:
    return es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")


@pytest.fixture(scope="module")
def nyt(bundled) -> es.EventStudyResults:
    event = [{"security": SIX[0], "announced_at": "2019-05-21 19:00-04:00"}]
    return es.EventStudy(bundled, event, estimation=(-270, -21)).fit()


@pytest.fixture(scope="module")
def six(bundled) -> es.EventStudyResults:
    return es.EventStudy(bundled, {"security": SIX, "date": "2019-05-22"}, estimation=(-270, -21)).fit()


@pytest.fixture(scope="module")
def four(refit) -> es.EventStudyResults:
    """One security, four announcements, the third of which moved it by 12%."""
    days = pd.bdate_range("2018-01-01", periods=420)
    returns = pd.DataFrame(0.01 * np.random.default_rng(8).standard_normal((420, 2)), days, ["S0", "INDEX"])
    returns.loc[days[300], "S0"] = -0.12
    market = es.Market(returns, benchmark="INDEX", gaps="single")
    events = [
        {"security": "S0", "date": days[at], "label": f"news {i}"}
        for i, at in enumerate((220, 260, 300, 340))
    ]
    with pytest.warns(es.errors.OverlapWarning):
        return refit(market, events)


def frame(**p: float) -> pd.DataFrame:
    return pd.DataFrame({"test": list(p), "p_value": list(p.values())})


@pytest.mark.parametrize(
    ("p", "told"),
    [
        (
            {"a": 0.001, "b": 0.009},
            "strong evidence against mere chance: both recommended tests reject it at 1%",
        ),
        (
            {"a": 0.001, "b": 0.04},
            "That is evidence against mere chance: both recommended tests reject it at 5%",
        ),
        (
            {"a": 0.06, "b": 0.09},
            "weak evidence against mere chance: both recommended tests reject it at 10%",
        ),
        ({"a": 0.001}, "strong evidence against mere chance: the one recommended test rejects it at 1%"),
        (
            {"a": 0.06, "b": 0.5},
            "cannot be distinguished from chance: neither of the 2 recommended tests rejects",
        ),
        ({"a": 0.5}, "cannot be distinguished from chance: the one recommended test does not reject"),
        ({"a": np.nan}, "No recommended test can be computed"),
        ({"a": 1e-9, "b": 1e-9}, "(a p < 0.0001, b p < 0.0001)"),
    ],
)
def test_evidence_is_that_of_the_weakest_test(p, told):
    assert told in evidence(frame(**p))


def test_evidence_never_says_all_where_one_is_left_out_or_disagrees():
    told = evidence(frame(t=0.0001, bootstrap_t=0.001, sq=0.2))
    assert "all" not in told
    assert "t p = 0.0001 and bootstrap_t p = 0.0010 reject it at 5%, sq p = 0.2000 does not" in told
    told = evidence(frame(t=0.0001, sq=np.nan))
    assert "the one recommended test that can be computed rejects" in told
    assert "sq cannot be computed" in told
    told = evidence(frame(a=0.01, b=0.02, sq=np.nan))
    assert "both recommended tests that can be computed reject" in told


def test_one_event(nyt):
    found, car, chosen = nyt.verdict(), nyt.car().iloc[0], nyt.recommended()
    for number in ("actual", "expected", "car", "ci_low", "ci_high"):
        assert percent(car[number]) in found.answer
    assert "move 002415.SZ" in found.question
    assert found.tests["test"].tolist() == chosen["test"].tolist()
    pd.testing.assert_series_equal(found.tests["p_value"], chosen["p_value"])
    told = found.part("Recommended tests")
    assert len(told) == len(chosen) + 1
    for line, row in zip(told[:-1], chosen.itertuples(), strict=True):
        assert line.startswith(f"{row.test}: p = {row.p_value:.4f}, ")
        assert ("does not reject" in line) == (row.p_value > 0.05)
        assert "Assumes that" in line
    assert f"{car['detectable']:.2%}" in found.part("What could have been found")[0]


def test_one_side(nyt):
    found = nyt.verdict(alternative="less")
    assert (
        f"one-sided 95% bound: at most {percent(nyt.car(alternative='less').iloc[0]['ci_high'])}"
        in found.answer
    )
    assert found.tests["p_value"].tolist() == nyt.recommended(alternative="less")["p_value"].tolist()
    assert "at least" in nyt.verdict(alternative="greater").answer
    with pytest.raises(es.errors.RequestError, match="alternative"):
        nyt.verdict(alternative="below")


def test_degrees_of_freedom_are_not_taken_for_volatility(six):
    """The standardised CARs have a standard deviation of 1.05: five degrees of freedom decide."""
    found = six.verdict(0, 1)
    p = dict(zip(found.tests["test"], found.tests["p_value"], strict=True))
    assert p["portfolio"] < 0.05 < p["adjusted_bmp"]
    assert six.car(0, 1)["t"].std() < 1.1
    assert "with 5 degrees of freedom, lacks the power" in found.answer
    assert "was more volatile" not in str(found)
    assert found.answer.count("lacks the power") == 1
    assert "5 of the 6 abnormal returns are negative" in found.answer


def test_a_rise_in_variance_is_named_where_the_events_spread(market, refit):
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2018-01-01", periods=300)
    noise = 0.01 * rng.standard_normal((300, 7))
    noise[280, :6] = 0.02 + 0.06 * np.array([-1, 1, -1, 1.4, 1, -0.4])
    prices = pd.DataFrame(100 * np.exp(noise.cumsum(axis=0)), days, [*"ABCDEF", "INDEX"])
    events = {"security": list("ABCDEF"), "date": days[280]}
    found = refit(es.Market.from_prices(prices, benchmark="INDEX"), events).verdict(0, 0)
    p = dict(zip(found.tests["test"], found.tests["p_value"], strict=True))
    assert p["portfolio"] < 0.05 < p["adjusted_bmp"]
    assert "the event was more volatile than the estimation window" in found.answer


def test_announcements_about_one_firm_come_one_by_one(four):
    found, rows = four.verdict(0, 0), four.by_event(0, 0)
    assert found.question.startswith("Which of 4 announcements about S0")
    told = found.part("Each announcement on its own")
    assert len(told) == 4
    for line, row in zip(told, rows.itertuples(), strict=True):
        assert line.startswith(f"{row.day_0:%Y-%m-%d}, {row.label}: {percent(row.car)}")
        assert f"adjusted p = {row.p_adjusted:.4f}" in line
    k = int((rows["p_adjusted"] <= 0.05).sum())
    assert k == 1
    assert found.answer.startswith(f"{k} of the 4 announcements about S0 is distinguishable")
    joint = found.answer.index("The joint question")
    assert found.answer.index(percent(rows["car"].iloc[2])) < joint
    assert found.answer.index(percent(four.caar(0, 0)["caar"].iloc[0])) > joint


def test_news_is_named_where_it_falls(nyt, four):
    found = nyt.verdict(
        confounders={"2019-05-23": "tariffs", "2019-05-16": "Huawei", "2018-01-01": "long ago"}
    )
    assert found.part("Other news")[:2] == (
        "2019-05-16 (day -4, outside (0, +1)): Huawei",
        "2019-05-23 (day +1, inside (0, +1)): tariffs",
    )
    assert "long ago" not in str(found)
    none = nyt.verdict(confounders=pd.Series({"2018-01-01": "long ago"})).part("Other news")
    assert none[0] == "The one day of news given does not fall into an event window."
    day = four.spec.market.sessions[301]
    assert f"{day:%Y-%m-%d} (day +1 of event 2, inside" in str(four.verdict(confounders={day: "x"}))
    for wrong in ({"no day": "news"}, {"2019-05-16": 3}):
        with pytest.raises(es.errors.RequestError, match="confounders maps days to news"):
            nyt.verdict(confounders=wrong)


def test_news_in_a_column_of_the_events_is_named(market, refit):
    events = [{"security": "S0", "date": market.sessions[300], "confounder": "results on the same day"}]
    assert any(
        "results on the same day" in text for text in refit(market, events).verdict().part("Other news")
    )


def test_windows_that_share_days_are_said(market, refit):
    days = market.sessions[[300, 301]]
    with pytest.warns(es.errors.OverlapWarning):
        told = refit(market, {"security": "S0", "date": days}).verdict(0, 1).part("Other news")
    assert any("share 1 day" in text for text in told)


def test_controls(six, bundled):
    treated, controls = (
        es.EventStudy(bundled, {"security": who, "date": "2019-05-22"}, estimation=(-270, -21)).fit()
        for who in (SIX[:2], SIX[2:])
    )
    found, tests = treated.verdict(0, 1, against=controls), treated.test(0, 1, against=controls, seed=0)
    assert "both abnormal returns are negative" in found.answer
    assert percent(controls.caar(0, 1)["caar"].iloc[0]) in found.answer
    assert percent(tests["estimate"].iloc[0]) in found.answer
    assert "The difference cannot be distinguished from chance" in found.answer
    told = found.part("Against the controls")
    assert [line.split(":")[0] for line in told] == [
        "difference_portfolio", "difference_permutation", "difference_dates",
    ]  # fmt: skip
    with pytest.raises(es.errors.RequestError, match="Treated events are controls too"):
        treated.verdict(against=treated)


def test_no_event_has_a_car(bundled):
    event = [{"security": "002415.SZ", "date": "2019-10-08"}]
    found = es.EventStudy(bundled, event, estimation=(-200, -21)).fit().verdict(-2, -1)
    assert found.answer == "No event has a cumulative abnormal return over (-2, -1), so nothing can be said."
    assert found.tests.empty
    assert "No cumulative abnormal return of 002415.SZ, 2019-10-10 over (-2, -1)" in str(found)


def test_an_event_without_a_car_is_said(common):
    found = common.verdict(4, 6)
    assert "abnormal returns (of 8 events) are" in found.answer
    assert "No cumulative abnormal return of S7" in " ".join(found.part("Data"))


def test_pools(market, refit):
    parts = {
        name: refit(market, [{"security": name, "date": market.sessions[day]}])
        for name, day in (("S0", 250), ("S1", 300))
    }
    pooled = es.pool(parts)
    found = pooled.verdict(0, 1, confounders={market.sessions[300]: "ban"})
    assert percent(pooled.caar(0, 1)["caar"].iloc[0]) in found.answer
    assert "day 0 of event" in found.part("Other news")[0].replace("+0", "0")


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 20, 300])
@pytest.mark.parametrize("same_day", [True, False])
def test_any_number_of_events(n, same_day, refit):
    rng = np.random.default_rng(n)
    days = pd.bdate_range("2018-01-01", periods=700)
    names = [f"F{i}" for i in range(n)]
    returns = pd.DataFrame(0.01 * rng.standard_normal((700, n + 1)), days, [*names, "INDEX"])
    market = es.Market(returns, benchmark="INDEX", gaps="single")
    at = np.full(n, 400) if same_day else rng.integers(200, 690, n)
    found = refit(market, {"security": names, "date": days[at]}).verdict(0, 1)
    assert len(found.tests) >= 1
    assert found.tests["rejects"].tolist() == (found.tests["p_value"] <= 0.05).tolist()
    every = re.search(r"(all \d+|both|the one) recommended tests? rejects? it at [15]%", found.evidence)
    assert bool(every) == bool(found.tests["rejects"].all())
    assert "nan" not in str(found)


def test_text_markdown_and_html_say_the_same(market, refit):
    evil = "<script>*x*</script>"
    found = refit(market, [{"security": "S0", "date": market.sessions[300], "label": evil}]).verdict()
    assert max(map(len, str(found).splitlines())) <= 100
    page, text = found.to_html(), found.to_markdown()
    assert "<script>" not in page
    assert html.escape(evil) in page
    assert found._repr_html_() == page
    assert r"\<script\>\*x\*" in text
    words = lambda s: re.sub(r"[\s*-]+", "", s)  # noqa: E731
    assert words(html.unescape(re.sub(r"<[^>]+>(?<!script>)", "", page))) == words(str(found))
    assert all(part.heading in text for part in found.parts)


def test_what_a_test_assumes_is_what_it_is_not_robust_to():
    for key, test in TESTS.items():
        told = assumptions(test, 6, 2)
        assert ("events do not move together" in told) == ("cross-correlation" not in test.robust_to), key
        assert any("volatile" in text for text in told) == ("event-induced variance" not in test.robust_to), (
            key
        )
        assert any("different days" in text for text in told) == (
            "serial dependence" not in test.robust_to
        ), key
        assert any("normally" in text for text in told) == (
            not test.robust_to & {"non-normality", "fat tails"}
        ), key
        ahead = key == "garch_t" or (key.startswith("filtered") and key != "filtered_bmp")
        assert ("the days are no more volatile than forecast the day before" in told) == ahead, key
        assert len(told) <= len(CONDITIONS)
    assert "events do not move together" not in assumptions(TESTS["t"], 1, 1)


DAYS = pd.bdate_range("2018-01-01", periods=700)
FIRMS = [f"F{i}" for i in range(25)]


def counted_study(refit, events, halted=(), shift=0.0):
    """Fit events (firm, row of day 0); those of `halted` have no return on the two days before."""
    rng = np.random.default_rng(3)
    returns = pd.DataFrame(0.01 * rng.standard_normal((700, 26)), DAYS, [*FIRMS, "INDEX"])
    for firm, day in events:
        returns.loc[DAYS[day - 2 : day], firm] += shift
    for firm, day in halted:
        returns.loc[DAYS[day - 2 : day], firm] = np.nan
    market = es.Market(returns, benchmark="INDEX", gaps="single")
    named = [(firm, day - 2 if (firm, day) in halted else day) for firm, day in events]
    return refit(market, [{"security": firm, "date": DAYS[day]} for firm, day in named])


ONE, TWO, THREE = (("F0", 250),), (("F0", 250), ("F0", 430)), (("F0", 250), ("F0", 430), ("F0", 610))
FEW, MANY = (("F0", 250), ("F1", 250)), tuple((f"F{i}", 250 + 20 * (i % 7)) for i in range(20))


@pytest.mark.quick(every=20)
@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("events", [ONE, TWO, THREE, FEW, MANY])
@pytest.mark.parametrize("lost", [0, 1, 2, 3])
@pytest.mark.parametrize("shift", [0.0, -0.08])
def test_sentences_agree_with_their_numbers(refit, events, lost, shift, alternative):
    """No plural of one, no singular of many, whatever is counted."""
    results = counted_study(refit, events, events[:lost], shift)
    text = " ".join(str(results.verdict(-2, -1, alternative=alternative)).split())
    assert not re.search(r"\b1 (of the 1|recommended tests|events|days|announcements|securities)\b", text)
    assert not re.search(r"of the 1\b|of 1 (?!event)|\b1 of the \d+ abnormal returns are", text)
    assert not re.search(r"(?<!\b1 of the )\b\d+ abnormal returns( \(of \d+ events\))? is\b", text)
    assert "nan" not in text
    assert " ( " not in text
    left = len(events) - min(lost, len(events))
    if left == 1:
        assert "mean effect" not in text
        assert "on average:" not in text
    if left > 1:
        assert "finds an effect" not in text


def test_one_announcement_of_several_that_can_be_tested(refit):
    calm = counted_study(refit, THREE, THREE[:2]).verdict(-2, -1)
    assert calm.answer.startswith("Of the 3 announcements about F0 one can be tested; it is not disting")
    moved = counted_study(refit, THREE, THREE[:2], -0.08).verdict(-2, -1, alternative="less")
    assert "one can be tested; it comes with a fall distinguishable from ordinary variation" in moved.answer
    both = counted_study(refit, TWO, (), -0.08).verdict(-2, -1)
    assert both.answer.startswith("Both announcements about F0 are distinguishable")


def test_controls_are_said_without_a_car_of_the_treated(refit):
    lost = counted_study(refit, FEW, FEW)
    day = lost.timeline["day_0"].iloc[0]
    for n, told in ((1, "The one control event moved by"), (3, "The 3 control events moved by")):
        controls = refit(lost.spec.market, [{"security": f"F{2 + i}", "date": day} for i in range(n)])
        found = lost.verdict(-2, -1, against=controls)
        assert found.answer.startswith("No event has a cumulative abnormal return")
        assert f"{told} {percent(controls.caar(-2, -1)['caar'].iloc[0])}" in found.answer
        reverse = controls.verdict(-2, -1, against=lost)
        assert "No control event has a cumulative abnormal return over (-2, -1)" in reverse.answer
        assert reverse.part("Against the controls") == ()
    assert (
        "has one either"
        in lost.verdict(-2, -1, against=counted_study(refit, (("F5", 250),), (("F5", 250),))).answer
    )


def test_a_rise_is_no_evidence_of_a_fall(nyt, six):
    for results in (nyt, six):
        up = results.verdict(0, 1, alternative="greater")
        assert "That is not evidence of a rise: none of the" in up.answer
        assert "recommended one-sided tests rejects chance" in up.answer
        assert "at least" in up.effect
    assert " up on average" in six.verdict(alternative="greater").question
    assert "move 002415.SZ down," in nyt.verdict(alternative="less").question


def test_bars_are_not_called_sessions():
    """Nor does a night in the window, which no residual vector is like, keep it from being reported."""
    made = es.lab.simulate_bars(2, 8, n_events=0, freq="5min", seed=2)
    market = es.Market.from_prices(made.prices, benchmark="market", freq="5min", calendar="XSHG")
    security = market.securities[0]
    night = int(np.flatnonzero(market.sessions.to_series().diff() > pd.Timedelta("8h"))[-1])
    times = [market.sessions[at].tz_localize("Asia/Shanghai") for at in (night - 60, night)]
    times = [time - pd.Timedelta("1min") for time in times]
    events = [{"security": security, "announced_at": time} for time in times]
    with pytest.warns(OverlapWarning):
        results = es.EventStudy(market, events, estimation=(-200, -21), window=(-5, 5)).fit()
    assert results.fitted.test_input(es.Window(-1, 1)).spans_gap
    found = results.verdict(-1, 1)
    assert "over the 3 bars (-1, +1)" in found.answer
    assert "at bar 0" in results.verdict(0, 0).answer
    assert f"{len(market.sessions)} bars of XSHG" in results.summary(-1, 1).to_text()
    each = results.by_event(-1, 1, adjust="holm")["p_adjusted"]
    for p in each:
        assert f"adjusted p {es.text.format_p(p, equals=True)}" in str(found).replace("\n  ", " ")


def test_tests_that_a_volatile_event_deceives_are_told_of_together():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2018-01-01", periods=300)
    market, shock = rng.normal(0, 0.01, 300), rng.normal(0, 1, 300)
    errors = np.sqrt(0.2) * shock[:, None] + np.sqrt(0.8) * rng.normal(0, 1, (300, 6))
    errors[270:272] = 4 * errors[270:272] - 0.8
    frame = pd.DataFrame(np.column_stack([market[:, None] + 0.02 * errors, market]), days, [*"abcdef", "m"])
    events = [{"security": name, "date": days[270]} for name in "abcdef"]
    found = es.EventStudy(es.Market(frame, benchmark="m"), events, estimation=(-200, -11)).fit().verdict(0, 1)
    assert "reject where adjusted_bmp does not: the event was more volatile" in found.evidence
    assert "which these tests take for an effect" in found.evidence


@pytest.mark.parametrize("n", [1, 3])
def test_volume_is_not_called_a_price(n):
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2018-01-01", periods=320)
    volume = pd.DataFrame(rng.lognormal(10, 1, (320, 5)), days, [f"S{i}" for i in range(5)])
    news = [{"security": f"S{i}", "date": days[300]} for i in range(n)]
    said = es.EventStudy(es.volume_market(volume), news, es.ConstantMean()).fit().verdict()
    assert f"the log volume of {'S0' if n == 1 else '3 securities'}" in said.question
    assert re.search(r"% in log points \(95% interval", said.effect)
    assert "The study shows what the log volume was, not why" in str(said).replace("\n  ", " ")
    assert "prices" not in str(said)
