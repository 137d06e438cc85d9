"""The recommended tests of each kind of design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.abnormal import HeldEventWindows, HeldWindows
from eventstudy.errors import RequestError
from eventstudy.inference import TESTS, Options, TestInput, recommend, run_tests
from eventstudy.inference.procedures.disagreements import disagreement
from eventstudy.inference.selection import overlap_note
from eventstudy.windows import Window


def chosen(data, **options):
    frame = recommend(data, **options)
    assert list(frame.columns) == ["test", "reason"]
    assert frame["reason"].str.len().min() > 20 or frame.empty
    assert not frame["reason"].str.startswith("the same").any()  # the order depends on the design
    for key in frame["test"]:
        assert TESTS[key].applies(data) is None
    return dict(zip(frame["test"], frame["reason"], strict=True))


def test_one_event(panel):
    found = chosen(panel(n=1, seed=6).test(0, 0))
    assert list(found) == ["sq", "filtered_sq", "conformal", "t"]
    assert "60 estimation days" in found["sq"]
    assert "58 degrees of freedom" in found["t"]


def test_one_event_and_a_window_too_long_for_ranks(panel):
    found = chosen(panel(n=1, seed=6).test(-2, 3))
    assert list(found) == ["t", "bootstrap_t"]  # no rank among ten blocks reaches 5%
    assert "draws 6 days at a time from 60" in found["bootstrap_t"]
    assert "10 blocks of 6 days cannot give p below 0.091" in found["t"]


def test_one_event_of_a_model_without_an_exact_standard_error(panel):
    made = panel(n=1, seed=6).abnormal
    found = chosen(TestInput(replace(made, exact=False), Window(0, 0)))
    assert list(found) == ["sq", "filtered_sq", "conformal"]
    assert "approximate" in found["sq"]
    long = chosen(TestInput(replace(made, exact=False), Window(-2, 3)))
    assert list(long) == ["t"]
    assert "approximate" in long["t"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"n": 12, "layout": "common"}, {"filtered_sq", "permutation", "block_bootstrap", "grank_t"}),
        ({"n": 30, "layout": "mixed", "correlation": 0.4}, {"filtered_sq", "jaffe"}),
        ({"n": 24, "layout": "distinct"}, {"filtered_sq", "grank_t", "generalized_sign"}),
        ({"n": 9, "layout": "distinct"}, {"filtered_sq", "wild_bootstrap", "sign", "grank_t"}),
    ],
)
def test_events_of_a_model_without_an_exact_standard_error(panel, options, names):
    made = panel(**options).abnormal
    found = chosen(TestInput(replace(made, exact=False), Window(0, 1)))
    assert next(iter(found)) == "filtered_sq"
    assert set(found) <= names
    assert "approximate" in found["filtered_sq"]


def test_one_common_date(panel):
    found = chosen(panel(n=16, layout="common").test(0, 1))
    assert list(found)[:2] == ["filtered_t", "filtered_bmp"]
    assert {"block_bootstrap", "permutation"} <= set(found)
    assert "all 16 events share one date" in found["adjusted_bmp"]


def test_twenty_events_are_many(panel):
    """From then on the sign test allows for skewed estimation windows."""
    for n, key in ((19, "sign"), (20, "generalized_sign")):
        assert list(chosen(panel(n=n, layout="distinct").test(0, 1)))[-1] == key


def test_few_events_on_one_date(panel):
    found = chosen(panel(n=12, layout="common").test(0, 1))
    assert list(found)[:2] == ["filtered_t", "filtered_bmp"]
    assert "against=controls" in found["block_bootstrap"]
    assert "all 12 events share one date" in found["adjusted_bmp"]
    assert "11 degrees of freedom" in found["adjusted_bmp"]


def test_many_events_on_their_own_dates(panel):
    found = chosen(panel(n=24, layout="distinct").test(0, 1))
    assert list(found) == ["filtered_rank", "bmp", "filtered_sq", "grank_t", "generalized_sign"]
    assert "24 events on 24 dates, effective N 24.0" in found["bmp"]


def test_between_few_and_many(panel):
    data = panel(n=17, layout="distinct")
    for window in ((0, 1), (-1, 1)):
        assert list(chosen(data.test(*window)))[:2] == ["filtered_rank", "bmp"]
    assert list(chosen(data.test(-2, 3)))[:2] == ["bmp", "filtered_sq"]


@pytest.mark.parametrize(("n", "window", "first"), [
    (9, (-4, 4), "independence"), (4, (-4, 4), "independence"), (9, (-3, 4), "filtered_sq"),
    (10, (-4, 4), "bmp"), (3, (-4, 4), "filtered_t"), (50, (-4, 4), "grank_t"), (49, (-4, 4), "bmp"),
    (49, (0, 1), "filtered_rank"), (50, (0, 1), "bmp"),
])  # fmt: skip
def test_many_days_or_few_have_leads_of_their_own(n, window, first, panel):
    found = list(chosen(panel(n=n, width=120, window=(-4, 4), layout="distinct").test(*window)))
    assert found[0] == first
    assert "bmp" in found[:2] or found[1] == "filtered_sq"
    assert ("independence" in found) == (4 <= n <= 9 and window == (-4, 4))
    assert ("filtered_rank" in found) == (window == (0, 1))


def test_volatility_that_had_risen_before_the_events_changes_the_lead():
    rng = np.random.default_rng(0)
    days, names = pd.bdate_range("2015-01-01", periods=300), list("ABCDE")
    news = {"security": names, "date": days[[220, 228, 236, 244, 252]]}
    errors = rng.normal(0, 0.015, (300, 5))
    for rise in (1.0, 2.0):
        errors[200:] *= rise
        market = es.Market(pd.DataFrame(errors, days, names))
        results = es.EventStudy(market, news, es.ConstantMean(), (-150, -21), (-5, 5)).fit()
        found = results.recommended(-5, 5)
        assert (found["test"].iloc[0] == "independence") == (rise == 1.0)
        assert "variance of the mean is" not in found["reason"].iloc[0] or rise > 1.0
    assert found["test"].tolist()[:2] == ["filtered_sq", "bmp"]
    assert (
        "independence is left out: by what came before the window, the variance of the mean is 2."
        in (found["reason"].iloc[0])
    )


def test_few_events(panel):
    found = chosen(panel(n=9, layout="distinct").test(0, 1))
    assert list(found)[:5] == ["filtered_rank", "bmp", "filtered_sq", "wild_bootstrap", "sign"]
    assert "8 degrees of freedom" in found["bmp"]
    assert "exact for 9 CARs" in found["sign"]


@pytest.mark.parametrize("layout", ["common", "distinct"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_below_five_events_the_spread_of_the_events_does_not_lead(n, layout, panel):
    found = list(chosen(panel(n=n, layout=layout).test(0, 1)))
    own = "filtered_rank" if n > 2 else "filtered_sq"
    assert found[0] == (own if layout == "distinct" else "filtered_t")
    assert found[1] == ("adjusted_bmp" if layout == "common" else "bmp")
    assert not {"sign", "wild_bootstrap"} & set(found)  # their p-values cannot reach 5%
    assert n > 3 or "grank_t" not in found


@pytest.mark.parametrize("n", [2, 6, 19, 20])
def test_ranks_lead_for_a_single_day_of_few_dates(n, panel):
    made = panel(n=n, layout="distinct")
    one, three, six = (list(chosen(made.test(*window))) for window in ((0, 0), (-1, 1), (-2, 3)))
    assert one[:2] == ["filtered_rank", "bmp"][:: 1 if n < 20 else -1]
    assert "filtered_rank" in three
    assert "filtered_rank" not in six
    assert "filtered_rank" not in chosen(panel(n=n, layout="common").test(0, 0))


def test_two_firms_that_lose_a_third_are_found():
    rng = np.random.default_rng(0)
    market, dates = rng.normal(0, 0.01, 320), pd.bdate_range("2018-01-01", periods=320)
    returns = market[:, None] + np.array([0.012, 0.018]) * rng.normal(size=(320, 2))
    returns[290] -= 0.30
    table = es.Market(pd.DataFrame(returns, dates, ["A", "B"]), benchmark=pd.Series(market, dates, name="i"))
    events = {"security": ["A", "B"], "date": dates[290]}
    study = es.EventStudy(table, events, estimation=(-250, -11), window=(-1, 1))
    with pytest.warns(es.errors.SuspectDataWarning):
        results = study.fit()
    rows = results.recommended(0, 0).set_index("test")
    assert rows.index[0] == "filtered_t"
    assert rows.at["filtered_t", "p_value"] < 0.005
    assert rows.at["adjusted_bmp", "p_value"] > 0.1
    assert "lacks the power" in rows.at["filtered_t", "note"]
    assert not rows["note"].str.contains("more volatile").any()


def test_dates_that_overlap(panel):
    data = panel(n=30, layout="mixed", correlation=0.4)
    found = chosen(data.test(0, 1))
    assert list(found)[:2] == ["filtered_bmp", "filtered_t"]
    assert set(found) <= {"filtered_bmp", "filtered_t", "adjusted_bmp", "filtered_sq", "jaffe"}
    assert "effective N" in found["adjusted_bmp"]


def test_degrees_of_freedom_of_few_events_on_one_date_are_told(panel):
    for n in (14, 15):
        found = chosen(panel(n=n, layout="common").test(0, 1))
        assert (f"{n - 1} degrees of freedom" in found["adjusted_bmp"]) == (n == 14)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("n", [12, 30])
def test_few_dates_with_several_events_each(panel, n, exact, with_arrays):
    made, first = panel(n=n, layout="distinct").abnormal, np.arange(n) // 3 * 3
    dates = {"estimation_dates": made.past.dates()[first], "event_dates": made.event_dates[first]}
    past = made.past.residuals()
    noise = past[first] + 0.1 * past  # firms of a date move together
    found = chosen(TestInput(with_arrays(made, residuals=noise, exact=exact, **dates), Window(0, 1)))
    if exact:
        assert list(found)[:2] == [{12: "adjusted_bmp", 30: "filtered_bmp"}[n], "filtered_t"]
        assert f"{n // 3 - 1} degrees of freedom" in found["ibragimov_muller"]
    else:
        assert next(iter(found)) == "filtered_sq"
    # Four dates have eight patterns of signs beside their mirror images: p >= 1/8.
    assert ("wild_bootstrap" in found) == (n == 30 and not exact)


def test_dates_whose_windows_share_days(panel):
    """Ranks go by relative day, and do not know the correlation of two dates on one calendar day."""
    data = panel(n=30, layout="mixed", correlation=0.6).test(-2, 3)
    assert overlap_note(data)
    assert set(chosen(data)) <= {"filtered_bmp", "filtered_t", "adjusted_bmp", "filtered_sq", "jaffe"}
    approximate = TestInput(replace(data.abnormal, exact=False), data.window)
    assert set(chosen(approximate)) <= {"jaffe", "filtered_sq"}


def test_windows_that_share_days_are_told_of(panel):
    told = ["time_series", "lamb", "rank", "rank_zivney", "sign_zivney", "grank_t", "cumrank_t"]
    told += ["wild_bootstrap", "permutation"]
    options = Options(n_resamples=19, seed=1)
    for layout, shared in (("mixed", True), ("distinct", False)):
        rows = run_tests(panel(n=14, layout=layout).test(-2, 3), None, options).set_index("test")
        says = rows.index[rows["note"].str.contains("overlap, and this test ignores")]
        assert sorted(says) == (sorted(told) if shared else [])
    common = panel(n=14, layout="common")
    assert not overlap_note(common.test(-2, 3))


@pytest.mark.parametrize(
    ("p", "key", "told"),
    [
        ({"adjusted_bmp": 0.2, "portfolio": 0.01}, "portfolio", "more volatile than the estimation window"),
        ({"bmp": 0.2, "filtered_sq": 0.01}, "filtered_sq", "more volatile than the estimation window"),
        ({"bmp": 0.2, "filtered_rank": 0.01}, "filtered_rank", "more volatile than the estimation window"),
        ({"bmp": 0.2, "independence": 0.01}, "independence", "more volatile than the estimation window"),
        ({"adjusted_bmp": 0.01, "portfolio": 0.2}, "adjusted_bmp", "vary less than their estimation windows"),
        ({"adjusted_bmp": 0.2, "portfolio": 0.05}, "portfolio", "more volatile than the estimation window"),
        ({"adjusted_bmp": 0.05, "portfolio": 0.2}, "adjusted_bmp", "vary less than their estimation windows"),
        ({"adjusted_bmp": 0.01, "portfolio": 0.01}, None, ""),
        ({"adjusted_bmp": 0.05, "portfolio": 0.05}, None, ""),
        ({"adjusted_bmp": 0.2, "portfolio": 0.2}, None, ""),
        ({"adjusted_bmp": np.nan, "portfolio": 0.01}, None, ""),
        ({"bmp": 0.01}, None, ""),
    ],
)
def test_what_it_means_that_the_pairs_disagree(p, key, told):
    found = disagreement(p)
    assert list(found) == ([] if key is None else [key])
    assert told in "".join(found.values())


def test_more_volatile_is_said_only_where_the_spread_says_so(panel):
    p = {"adjusted_bmp": 0.2, "filtered_sq": 0.01}
    made = panel(n=8, layout="common", seed=4)
    day = Window(0, 0)
    for shift, factor, told in ((-0.2, 1.0, "lacks the power"), (0.0, 3.0, "more volatile")):
        moved = replace(made.abnormal, ar=factor * made.abnormal.ar + shift)
        assert told in disagreement(p, TestInput(moved, day))["filtered_sq"]


def test_a_calmer_event_is_said_only_where_the_spread_says_so(panel):
    p = {"adjusted_bmp": 0.01, "filtered_sq": 0.2}
    made = panel(n=8, layout="common", seed=4)
    for factor, told in (
        (0.1, "vary less than their estimation windows"),
        (1.0, "spread as their estimation"),
    ):
        calmer = replace(made.abnormal, ar=factor * made.abnormal.ar)
        assert told in disagreement(p, TestInput(calmer, Window(0, 0)))["adjusted_bmp"]


def test_a_rise_in_variance_is_suspected_only_where_the_spread_says_so(panel):
    made = panel(n=6, layout="common", seed=4)
    for factor in (1.0, 3.0):
        moved = replace(made.abnormal, ar=factor * made.abnormal.ar)
        reason = chosen(TestInput(moved, Window(0, 0)))["portfolio"]
        assert ("suspect a rise in variance" in reason) == (factor == 3.0)


def test_only_what_is_available(panel):
    data = panel(n=12, layout="common").test(0, 1)
    found = chosen(data, available=["block_bootstrap", "bmp", "filtered_sq"])
    assert list(found) == ["filtered_sq", "block_bootstrap"]
    with pytest.raises(RequestError, match="no test 'grankt'"):
        recommend(data, available=["grankt"])


def test_nothing_to_recommend_without_a_car(panel):
    made = panel(n=3).abnormal
    frame = recommend(TestInput(replace(made, ar=np.full_like(made.ar, np.nan)), Window(0, 1)))
    assert frame.empty
    assert list(frame.columns) == ["test", "reason"]


def test_only_what_applies(panel, flat):
    made = panel(n=9, layout="distinct").abnormal
    for event in range(1, 9):
        made = flat(made, event)
    assert list(chosen(TestInput(made, Window(0, 1)))) == ["filtered_sq", "wild_bootstrap", "sign"]


@pytest.mark.filterwarnings("ignore::eventstudy.errors.SuspectDataWarning")
@pytest.mark.parametrize(
    "model",
    [
        *(pytest.param(model, marks=pytest.mark.slow) for model in (es.PCAModel(), es.ElasticNetModel())),
        es.SyntheticPeers(),
    ],
    ids=repr,
)
def test_peers_with_few_blocks_are_offered_a_test_that_can_reject(model: es.models.NormalReturnModel) -> None:
    """A loss of 40% in eleven days with the default windows: ten blocks reach 0.091 at least."""
    market, _ = es.lab.simulate_market(12, 300, seed=1)
    returns, day = market.returns.copy(), market.sessions[250]
    name = str(returns.columns[0])
    returns.loc[day, name] -= 0.4
    index = pd.Series(market.bank.single[0], returns.index, name="index")
    hit = es.Market(returns, benchmark=index, gaps="single")
    found = es.EventStudy(hit, [{"security": name, "date": day}], model).fit().recommended(-5, 5)
    assert found["test"].iloc[0] == "t"
    assert "sq" not in set(found["test"])
    assert (found["p_value"] < 1e-6).all()


def turnover(phi: float, n: int, *, common: bool) -> tuple[es.Market, pd.DataFrame]:
    """Log turnover with AR(1) errors of n firms, on one date or on several."""
    rng = np.random.default_rng(5)
    errors = np.zeros((500, n))
    for t in range(1, 500):
        errors[t] = phi * errors[t - 1] + rng.normal(0, 0.4, n)
    days, names = pd.bdate_range("2015-01-01", periods=500), [f"F{i}" for i in range(n)]
    market = es.Market(pd.DataFrame(errors, days, names), benchmark=None, kind="log turnover")
    rows = np.full(n, 300) if common else 270 + 12 * np.arange(n)
    return market, pd.DataFrame({"security": names, "date": days[rows]})


@pytest.mark.parametrize(
    ("n", "common", "one_day", "eleven"),
    [
        (1, True, ["sq", "filtered_sq", "conformal", "t"], ["sq", "filtered_sq"]),
        (8, True, {"filtered_t", "adjusted_bmp", "permutation"}, {"filtered_sq", "permutation"}),
        (16, False, {"bmp", "grank_t"}, {"bmp", "filtered_sq", "wild_bootstrap", "sign"}),
    ],
)
def test_autocorrelated_errors_of_a_model_that_does_not_know_them(n, common, one_day, eleven):
    """A sum of days varies more than its standard error says, so nothing scaled by that is named."""
    market, events = turnover(0.5, n, common=common)
    windows = {"estimation": (-250, -30), "window": (-5, 5)}
    results = es.EventStudy(market, events, es.ConstantMean(), **windows).fit()
    single, whole = (chosen(results.fitted.test_input(Window(*w))) for w in ((0, 0), (-5, 5)))
    if n == 1:
        assert (list(single), list(whole)) == (one_day, eleven)
    else:
        assert set(one_day) <= set(single)
        assert set(whole) <= eleven | {"filtered_sq"}
        assert not {"portfolio", "block_bootstrap", "adjusted_bmp", "grank_t"} & set(whole)
    first = next(iter(whole.values()))
    assert "residuals are autocorrelated, which makes the variance of 11 sessions about 1." in first
    assert "AutocorrelatedErrors knows" in first
    assert "autocorrelated" not in next(iter(single.values()))
    # Independent days are as before.
    market, events = turnover(0.0, n, common=common)
    plain = es.EventStudy(market, events, es.ConstantMean(), **windows).fit()
    assert "autocorrelated" not in next(iter(chosen(plain.fitted.test_input(Window(-5, 5))).values()))


def test_the_bootstrap_of_few_autocorrelated_blocks_is_not_named():
    market, events = turnover(0.5, 8, common=True)
    model = es.AutocorrelatedErrors(es.ConstantMean())
    results = es.EventStudy(market, events, model, estimation=(-250, -30), window=(-5, 5)).fit()
    one_day, eleven = (chosen(results.fitted.test_input(Window(*w))) for w in ((0, 0), (-5, 5)))
    assert "block_bootstrap" in one_day
    assert "block_bootstrap" not in eleven
    note = results.test(-5, 5, tests=["block_bootstrap"])["note"].iloc[0]
    assert "rejects too often, as few blocks" in note


def test_a_test_that_can_find_no_common_effect_does_not_lead(panel):
    """Of firms whose volatilities differ much, a common CAR spreads the standardised ones as it grows."""
    made = panel(n=24, layout="common", correlation=0.6, seed=3).abnormal
    assert next(iter(chosen(TestInput(made, Window(0, 0))))) == "filtered_bmp"
    factor = np.exp(np.random.default_rng(0).normal(0, 0.8, 24))[:, None]
    differ = replace(
        made,
        ar=made.ar * factor,
        s2=made.s2 * factor[:, 0] ** 2,
        param_cov=made.param_cov * factor[:, :, None] ** 2,
        past=HeldWindows(made.past.residuals() * factor, made.past.leverage(), made.past.dates()),
        event_windows=HeldEventWindows(made.event_dates, made.noise * factor**2, made.design),
    )
    for size in (0.5, 50.0):
        row = run_tests(TestInput(replace(differ, ar=differ.ar - size), Window(0, 0)), ["filtered_bmp"]).iloc[
            0
        ]
        assert row["p_value"] > 0.05
    found = chosen(TestInput(differ, Window(0, 0)))
    assert next(iter(found)) == "filtered_t"
    assert "filtered_bmp" not in found


@pytest.mark.parametrize("missing", [0.0, 0.03])
def test_the_reason_of_portfolio_says_no_more_than_its_note(panel, missing):
    data = panel(n=6, layout="common", missing=missing, seed=2).test(0, 0)
    reason = chosen(data)["portfolio"]
    note = run_tests(data, ["portfolio"], Options()).iloc[0]["note"]
    assert ("is exact for" in reason) == ("approximate" not in note) == (missing == 0)
    assert ("some events miss days" in reason) == ("some events miss days" in note)
