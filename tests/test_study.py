"""EventStudy: what may be asked, what is warned of, and that order does not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import (
    DataWarning,
    ExcludedEventsWarning,
    LumpedReturnWarning,
    ModelError,
    NoUsableEventsError,
    OverlapWarning,
    PriceLimitWarning,
    RequestError,
    WindowError,
)

DAYS = pd.bdate_range("2019-01-01", periods=300).as_unit("ns")


def draw(seed: int = 1, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = 0.01 * rng.standard_normal(300)
    stocks = index[:, None] * (0.5 + rng.random(6)) + 0.02 * rng.standard_normal((300, 6))
    stocks[rng.random(stocks.shape) < missing] = np.nan
    return pd.DataFrame(stocks, DAYS, [f"S{i}" for i in range(6)]).assign(INDEX=index)


@pytest.fixture
def market() -> es.Market:
    return es.Market(draw(), gaps="lumped", benchmark="INDEX")


def study(market: es.Market, events: list[dict], **options) -> es.EventStudy:
    return es.EventStudy(market, events, **({"estimation": (-120, -21), "window": (-5, 5)} | options))


def one(day: int = 200, security: str = "S0") -> list[dict]:
    return [{"security": security, "date": DAYS[day]}]


def test_a_study_remembers_what_was_asked(market):
    asked = study(market, one(), model=es.ConstantMean())
    assert asked.spec.estimation == es.Window(-120, -21)
    assert asked.spec.window == es.Window(-5, 5)
    assert asked.spec.model == es.ConstantMean()
    assert asked.spec.market is market
    assert asked.fit().spec is asked.spec
    assert repr(asked).startswith(
        "EventStudy: 1 event, Constant mean return, estimation (-120, -21), window (-5, +5)"
    )
    with pytest.raises(AttributeError):
        asked.spec.window = es.Window(0, 1)


def test_what_events_and_windows_may_be(market):
    events = pd.DataFrame(one())
    wanted = study(market, one()).fit().car(0, 1)
    for given in (events, es.Events(events), events.to_dict("list"), iter(one())):
        found = es.EventStudy(market, given, None, es.Window(-120, -21), np.array([-5, 5])).fit().car(0, 1)
        pd.testing.assert_frame_equal(found, wanted)


def test_the_market_model_is_the_default(market):
    assert study(market, one()).spec.model == es.MarketModel()


def test_a_fit_can_be_repeated(market):
    asked = study(market, one())
    pd.testing.assert_frame_equal(asked.fit().car(0, 1), asked.fit().car(0, 1))


@pytest.mark.filterwarnings("ignore::eventstudy.errors.LumpedReturnWarning")
@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_order_of_events_does_not_matter(missing):
    market = es.Market(draw(2, missing), gaps="lumped", benchmark="INDEX")
    rng = np.random.default_rng(3)
    events = pd.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(12)],
            "security": [f"S{i % 6}" for i in range(12)],
            "date": DAYS[np.r_[rng.integers(130, 160, 6), rng.integers(270, 295, 6)]],
        }
    )
    first = study(market, events, window=(-1, 2)).fit()
    shuffled = study(market, events.sample(frac=1, random_state=1), window=(-1, 2)).fit()
    assert shuffled.timeline.index.tolist() != first.timeline.index.tolist()
    for get in (
        lambda r: r.car(0, 1),
        lambda r: r.abnormal_returns,
        lambda r: r.parameters,
        lambda r: r.timeline,
    ):
        pd.testing.assert_frame_equal(get(shuffled).loc[first.timeline.index], get(first), rtol=1e-12)
    np.testing.assert_allclose(
        shuffled.caar(0, 1)[["caar", "se"]], first.caar(0, 1)[["caar", "se"]], rtol=1e-12
    )
    tests = [r.test(0, 1).set_index("test")["statistic"] for r in (first, shuffled)]
    np.testing.assert_allclose(tests[0], tests[1], rtol=1e-9)


def test_other_events_do_not_change_an_event(market):
    alone = study(market, one()).fit()
    with pytest.warns(ExcludedEventsWarning):
        among = study(market, [*one(), *one(250, "S3"), {"security": "X", "date": DAYS[200]}]).fit()
    pd.testing.assert_series_equal(alone.car(0, 1).loc[0], among.car(0, 1).loc[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"window": (-25, 5)}, WindowError, "overlaps the event window.*from the reaction itself"),
        ({"window": (5, 0)}, WindowError, "ends before it starts"),
        (
            {"estimation": (-40, -21)},
            WindowError,
            "has 20 sessions, fewer than min_observations=30. Lengthen it",
        ),
        ({"min_observations": 3}, ModelError, "leaves no degrees of freedom.*at least 4 are needed"),
        (
            {"model": es.MarketModel},
            ModelError,
            r"is the class MarketModel; pass an instance: MarketModel\(\)",
        ),
        (
            {"model": "market"},
            ModelError,
            r"must be a normal-return model such as MarketModel\(\), got 'market'",
        ),
    ],
)
def test_what_cannot_be_asked(market, options, error, message):
    with pytest.raises(error, match=message):
        study(market, one(), **options).fit()


def test_a_study_needs_a_market_and_what_its_model_needs(market):
    with pytest.raises(
        RequestError, match=r"must be a Market, got DataFrame; make one with Market.from_prices"
    ):
        study(draw(), one())
    plain = es.Market(draw())
    for model in (es.MarketModel(), es.MarketAdjusted()):
        with pytest.raises(ModelError, match="needs a benchmark, and the market has none"):
            study(plain, one(), model=model)
    assert study(plain, one(), model=es.ConstantMean()).fit().car(0, 0)["car"].notna().all()


def test_excluded_events_are_listed_with_their_reasons_in_the_order_given(market):
    sparse = draw()
    sparse.iloc[80:170, 1] = np.nan
    market = es.Market(
        sparse.assign(FLAT=0.0), benchmark={n: "INDEX" for n in [*sparse.columns, "FLAT"] if n != "S2"}
    )
    events = {
        "event_id": list("abcdefgh"),
        "security": ["S0", "nobody", "S1", "S2", "FLAT", "S3", "S4", "INDEX"],
        "date": [DAYS[200]] * 5 + [pd.Timestamp("2018-01-05"), DAYS[3], DAYS[200]],
        "label": ["", "x", "", "", "", "", "", ""],
    }
    with pytest.warns(
        ExcludedEventsWarning, match=r"7 of 8 events cannot be used \(see results.excluded\)"
    ) as caught:
        results = study(market, es.Events(events)).fit()
    assert caught[0].filename == __file__
    assert results.timeline.index.tolist() == ["a"]
    excluded = results.excluded
    assert excluded.index.tolist() == list("bcdefgh")
    assert excluded.loc["b", "label"] == "x"
    reasons = excluded["reason"]
    assert "no security 'nobody' in the market" in reasons["b"]
    assert reasons["c"] == "only 9 usable estimation returns in (-120, -21), fewer than min_observations=30"
    assert reasons["d"] == "no benchmark is given for S2"
    assert "do not vary over the estimation window" in reasons["e"]
    assert "lies before the data starts" in reasons["f"]
    assert "3 sessions of data lie before" in reasons["g"]
    assert "not apart from the benchmark" in reasons["h"]
    told = str(caught[0].message)
    assert [event_id for event_id in "bcdefgh" if f"event {event_id} (" in told] == list("bcdef")
    assert told.endswith("; and 2 more.")
    assert results.warnings["event_id"].tolist() == list("bcdefgh")
    assert results.warnings["message"].tolist() == reasons.tolist()
    excluded.loc["b", "reason"] = "changed"
    assert results.excluded.loc["b", "reason"] != "changed"


def test_many_excluded_events_are_counted(market):
    events = [*one(), *({"security": f"X{i}", "date": DAYS[200]} for i in range(14))]
    with pytest.warns(ExcludedEventsWarning, match=r"14 of 15 events") as caught:
        study(market, events).fit()
    assert str(caught[0].message).endswith("; and 9 more.")


def test_no_usable_event_stops_the_study(market):
    with pytest.raises(NoUsableEventsError, match=r"The event cannot be used:\n  event 0 \(nobody\)"):
        study(market, one(security="nobody")).fit()


def test_min_observations_can_be_lowered(market):
    sparse = draw()
    sparse.iloc[80:170, 1] = np.nan
    results = study(
        es.Market(sparse, gaps="lumped", benchmark="INDEX"), one(200, "S1"), min_observations=5
    ).fit()
    assert results.parameters.loc[0, "n_obs"] == 9


def test_windows_that_hold_other_events_of_the_firm(market):
    near = [*one(200), *one(203), *one(250, "S1")]
    with pytest.warns(
        OverlapWarning, match="event 0 has event 1 in its event window; event 1 has event 0"
    ) as caught:
        study(market, near).fit()
    assert len(caught) == 1
    with pytest.warns(OverlapWarning, match=r"same security: event 1 has event 0 in its estimation window\."):
        study(market, [*one(200), *one(260)]).fit()
    # Far apart, or of different firms: no warning.
    study(market, [*one(140), *one(294)]).fit()
    study(market, [*one(200), *one(200, "S1")]).fit()


def test_two_dates_that_become_one_day(market):
    weekend = [{"security": "S0", "date": day} for day in ("2019-10-05", "2019-10-06")]
    with pytest.warns(OverlapWarning, match="event 0 has event 1 in its event window"):
        results = study(market, weekend).fit()
    assert results.timeline["day_0"].tolist() == [pd.Timestamp("2019-10-07")] * 2


def test_a_return_of_day_0_that_holds_earlier_sessions():
    frame = draw()
    frame.iloc[198:201, 0] = np.nan
    told = (
        r"for 1 event: event 0 \(S0\): security suspended 1 session.*spans 4 sessions.*2 of them before the"
    )
    with pytest.warns(LumpedReturnWarning, match=told):
        results = study(es.Market(frame, gaps="lumped", benchmark="INDEX"), one(200)).fit()
    assert results.timeline.loc[0, "spans"] == 4


def test_a_suspension_from_the_announcement_on_is_no_reason_to_warn():
    frame = draw()
    frame.iloc[200:203, 0] = np.nan
    results = study(es.Market(frame, gaps="lumped", benchmark="INDEX"), one(200)).fit()
    assert results.timeline.loc[0, ["suspended_sessions", "spans"]].tolist() == [3, 4]


def test_a_gap_of_the_benchmark_is_told():
    frame = draw()
    frame.iloc[201, 6] = np.nan
    told = r"is missing in the event window of 1 event, so .*: event 0 \(S0\) on day \+1, \+2\."
    with pytest.warns(DataWarning, match=told):
        results = study(es.Market(frame, gaps="lumped", benchmark="INDEX"), one(200)).fit()
    assert results.abnormal_returns.loc[0].isna().tolist() == [d in (1, 2) for d in range(-5, 6)]
    assert results.car(0, 2).loc[0, "n_days"] == 1


def test_closes_at_the_price_limit_are_told():
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2018-05-01", periods=230)
    close = pd.DataFrame(
        {
            "000001.SZ": 20 * np.cumprod(1 + 0.01 * rng.standard_normal(230)),
            "INDEX": 3000 + rng.normal(0, 30, 230),
        },
        days,
    ).round(2)
    close.iloc[200:202, 0] = [18.0, 16.2]
    close.iloc[:200, 0] *= 20.0 / close.iloc[199, 0]
    close.iloc[202:, 0] = 16.0 + 0.1 * rng.random(28)
    close = close.round(2)
    market = es.Market.from_prices(close, benchmark="INDEX", price_limit={"000001.SZ": 0.1})
    told = r"event 0 \(000001.SZ\) on 2 days: 2019-02-05, 2019-02-06.*results.limit_hits.*'first_free_close'"
    with pytest.warns(PriceLimitWarning, match=told):
        results = study(market, [{"security": "000001.SZ", "date": days[200]}], window=(-1, 5)).fit()
    hits = results.limit_hits
    assert hits["day"].tolist() == [0, 1]
    assert hits["side"].tolist() == ["down", "down"]
    free = results.car(0, "first_free_close").loc[0]
    assert free["end"] == 2
    assert free["car"] == pytest.approx(results.car(0, 2).loc[0, "car"])
