"""Daily price limits, in exact arithmetic, and which sessions hit them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.errors import DataError, PriceLimitWarning
from eventstudy.market.limit_rules import limit_prices, limit_shares, listing_caps, ruled_limits

NAN = float("nan")


def exact(ticks: int, share: Decimal, tick: Decimal) -> Decimal:
    """Round reference x (1 + share) half-up to the tick, in decimal arithmetic."""
    price = ticks * tick * (1 + share)
    return (price / tick).quantize(Decimal(1), rounding=ROUND_HALF_UP) * tick


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.integers(1, 5_000_000),
    st.sampled_from(["0.05", "0.1", "0.2", "0.3", "0.0995", "0.44"]),
    st.sampled_from(["0.01", "0.001", "0.05", "0.1", "0.5", "1", "5"]),
)
@example(2545, "0.1", "0.01")
@example(5, "0.1", "0.01")
def test_limits_equal_decimal_arithmetic(ticks, share, tick):
    down, up = limit_prices(ticks * float(tick), float(share), float(tick))
    part, step = Decimal(share), Decimal(tick)
    assert float(down) == pytest.approx(float(exact(ticks, -part, step)), rel=1e-15, abs=0)
    assert float(up) == pytest.approx(float(exact(ticks, part, step)), rel=1e-15, abs=0)


def test_half_a_cent_goes_up():
    """25.45 x 0.9 = 22.905: the exchange's limit is 22.91; numpy rounds it to 22.90."""
    assert np.round(25.45 * 0.9, 2) == 22.9
    down, up = limit_prices([25.45, 27.60], 0.1)
    assert down.tolist() == [22.91, 24.84]
    assert up.tolist() == [28.00, 30.36]


def test_unknown_references_and_shares():
    down, up = limit_prices([10.0, NAN, 10.0], [0.1, 0.1, NAN])
    np.testing.assert_array_equal(down, [9.0, NAN, NAN])
    np.testing.assert_array_equal(up, [11.0, NAN, NAN])


@pytest.mark.parametrize("tick", [0, -0.01, NAN])
def test_a_tick_must_be_positive(tick):
    with pytest.raises(DataError, match="tick must be positive"):
        limit_prices(10.0, 0.1, tick)


def test_rules_of_the_boards():
    days = pd.DatetimeIndex(["2020-08-21", "2020-08-24"])
    names = ["600000.SS", "002415.SZ", "300188.SZ", "301001.SZ", "688001.SS"]
    shares = limit_shares("XSHG", days, names, np.ones((2, 5), bool))
    np.testing.assert_array_equal(shares, [[0.1, 0.1, 0.1, 0.1, 0.2], [0.1, 0.1, 0.2, 0.2, 0.2]])
    for exchange in ("XHKG", "XNYS", None):
        assert np.isnan(limit_shares(exchange, days, names, np.ones((2, 5), bool))).all()


def test_special_treatment_by_board_and_date():
    """Five percent on the main board until July 2026; that of the board on ChiNext and STAR."""
    days = pd.DatetimeIndex(["2020-08-21", "2020-08-24", "2026-07-03", "2026-07-06"])
    names = ["600000.SS", "000063.SZ", "300188.SZ", "688001.SS"]
    traded = np.ones((4, 4), bool)
    shares = limit_shares("XSHG", days, names, traded, traded)
    wanted = [[0.05, 0.05, 0.1, 0.2], [0.05, 0.05, 0.2, 0.2], [0.05, 0.05, 0.2, 0.2], [0.1, 0.1, 0.2, 0.2]]
    np.testing.assert_array_equal(shares, wanted)
    some = traded.copy()
    some[2:] = False
    np.testing.assert_array_equal(
        limit_shares("XSHG", days, names, traded, some)[:, 0], [0.05, 0.05, 0.1, 0.1]
    )


def test_special_treatment_is_given_by_spells():
    for spell in (["000001.SZ"], {"000001.SZ": ("2019-05-20", None)}, {"000001.SZ": (None, None)}):
        book = market([10.0, 9.5, 9.03], special_treatment=spell).limits
        np.testing.assert_array_equal(book.down["000001.SZ"], [NAN, 9.5, 9.03])
    ended = market([10.0, 9.5, 8.55], special_treatment={"000001.SZ": (None, "2019-05-21")}).limits
    np.testing.assert_array_equal(ended.down["000001.SZ"], [NAN, 9.5, 8.55])
    assert ended.closed["000001.SZ"].tolist() == [0, -1, -1]
    with pytest.raises(DataError, match=r"'000002\.SZ', which is not a column"):
        market([10.0, 9.5], special_treatment=["000002.SZ"])
    with pytest.raises(DataError, match="are not days"):
        market([10.0, 9.5], special_treatment={"000001.SZ": ("soon", None)})


def test_indices_have_no_limit():
    days = pd.DatetimeIndex(["2019-05-21", "2019-05-22"])
    names = ["399001.SZ", "000300.SS", "000001.SZ", "^KS11"]
    shares = limit_shares("XSHG", days, names, np.ones((2, 4), bool))
    assert np.isnan(shares).all(axis=0).tolist() == [True, True, False, True]


def test_main_board_listings_of_registration_are_free_for_five_sessions():
    days = pd.bdate_range("2023-04-06", periods=10)
    traded = np.ones((10, 3), bool)
    traded[:1, 1] = False  # listed on 7 April, before the rule
    traded[:2, 2] = False  # listed on 10 April, with it
    shares = limit_shares("XSHG", days, ["600001.SS", "600002.SS", "600003.SS"], traded)
    # Before its listing a share has no limit either.
    assert np.isnan(shares).sum(axis=0).tolist() == [0, 2, 7]


def ruled(exchange: str, day: str, name: str, reference: float, share: float) -> tuple[float, float]:
    cell = np.array([[reference]]), np.array([[share]])
    down, up, _ = ruled_limits(exchange, pd.DatetimeIndex([day]), [name], *cell)
    return down.item(), up.item()


@pytest.mark.parametrize(
    ("day", "name", "reference", "limits"),
    [
        # The exchange's example: 2,982 becomes 2,980, and 12,920 becomes 12,900.
        ("2019-05-22", "A.KS", 9940, (6960, 12900)),
        ("2019-05-22", "005930.KS", 43150, (30250, 56000)),
        # Ticks of 500 and 1,000 won are the main market's before 2023, and both markets' since.
        ("2022-05-20", "A.KS", 100500, (70500, 130500)),
        ("2022-05-20", "A.KQ", 100500, (70400, 130600)),
        ("2023-05-22", "A.KQ", 100500, (70400, 130600)),
        ("2023-05-22", "A.KS", 201000, (141000, 261000)),
        ("2023-05-22", "A.KS", 1997, (1398, 2595)),
    ],
)
def test_limits_of_korea(day, name, reference, limits):
    assert ruled("XKRX", day, name, reference, 0.3) == limits


@pytest.mark.parametrize(
    ("reference", "limits"),
    [
        (685, (617, 753)),  # MediaTek closed at 617 on 18 August 2020, a fall of 9.93%
        (555.0, (499.5, 610)),
        (46.0, (41.4, 50.6)),  # the upper one lies in the next band
        (9.99, (9.0, 10.95)),
        (10.05, (9.05, 11.05)),
        (1005.0, (905, 1105)),
    ],
)
def test_limits_of_taiwan(reference, limits):
    assert ruled("XTAI", "2020-08-18", "2454.TW", reference, 0.1) == limits


def test_ticks_of_china():
    assert ruled("XSHG", "2019-05-22", "603320.SH", 25.45, 0.1) == (22.91, 28.00)
    assert ruled("XSHG", "2019-05-22", "510300.SS", 3.735, 0.1) == (3.362, 4.109)
    assert ruled("XSHG", "2019-05-22", "900901.SS", 0.555, 0.1) == (0.5, 0.611)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(100, 5_000_000), st.sampled_from(["0.05", "0.1", "0.2"]))
def test_limits_by_rule_equal_those_by_tick(ticks, share):
    down, up = limit_prices(ticks / 100, float(share))
    assert ruled("XSHG", "2019-05-22", "000001.SZ", ticks / 100, float(share)) == (down.item(), up.item())


@pytest.mark.slow
def test_a_korean_share_that_closes_at_its_limit():
    close = pd.DataFrame({"005930.KS": [9940.0, 12900.0, 12900.0, 9050.0]}, DAYS[:4])
    book = es.Market.from_prices(close, calendar="XKRX").limits
    assert book.closed["005930.KS"].tolist() == [0, 1, 0, -1]


def test_no_limit_in_the_first_sessions_of_a_listing():
    days = pd.bdate_range("2021-01-04", periods=8)
    traded = np.ones((8, 3), bool)
    traded[:2, 1:] = False
    shares = limit_shares("XSHG", days, ["688001.SS", "688002.SS", "600001.SS"], traded)
    assert np.isnan(shares[:, 0]).sum() == 0
    assert np.isnan(shares[2:, 1]).tolist() == [True] * 5 + [False]
    assert np.isnan(shares[2:, 2]).tolist() == [True] + [False] * 5


def test_new_shares_in_taiwan_are_free_for_five_sessions():
    """Also those listed just before the limit went from 7 to 10 percent."""
    days = pd.bdate_range("2015-05-25", periods=12)
    traded = np.ones((12, 3), bool)
    traded[:3, 1] = False  # listed on 28 May
    traded[:6, 2] = False
    shares = limit_shares("XTAI", days, ["2330.TW", "1111.TW", "2222.TW"], traded)
    assert shares[:, 0].tolist() == [0.07] * 5 + [0.1] * 7
    assert np.isnan(shares[3:, 1]).tolist() == [True] * 5 + [False] * 4
    assert np.isnan(shares[6:, 2]).tolist() == [True] * 5 + [False]
    before = limit_shares("XTAI", pd.bdate_range("2004-05-03", periods=12), ["1111.TW"], traded[:, 1:2])
    assert not np.isnan(before[3:]).any()


def test_limits_of_korea_before_2005_by_market():
    """The main market had 15 percent since December 1998; KOSDAQ's limits of that time are not known."""
    days = pd.DatetimeIndex(
        ["1995-04-03", "1996-12-02", "1998-03-02", "1998-12-04", "1998-12-07", "2005-03-25", "2005-03-28"]
    )
    shares = limit_shares("XKRX", days, ["005930.KS", "035720.KQ"], np.ones((7, 2), bool))
    assert shares[:, 0].tolist() == [0.06, 0.08, 0.12, 0.12, 0.15, 0.15, 0.15]
    np.testing.assert_array_equal(shares[:, 1], [NAN] * 6 + [0.15])
    unknown = limit_shares("XKRX", pd.DatetimeIndex(["1996-11-15"]), ["005930.KS"], np.ones((1, 1), bool))
    assert np.isnan(unknown).all()


@pytest.mark.parametrize(
    ("name", "day", "cap"),
    [
        ("600001.SS", "2013-12-30", NAN),
        ("600001.SS", "2014-01-02", 0.44),
        ("600001.SS", "2023-04-07", 0.44),
        ("600001.SS", "2023-04-10", NAN),
        ("300999.SZ", "2020-08-21", 0.44),
        ("300999.SZ", "2020-08-24", NAN),
        ("688999.SS", "2020-08-21", NAN),
    ],
)
def test_rise_of_a_new_share_on_the_day_of_listing(name, day, cap):
    days = pd.bdate_range(end=day, periods=2).append(pd.bdate_range(day, periods=3)[1:])
    caps = listing_caps("XSHG", days, [name], np.array([[False], [True], [True], [True]]))
    np.testing.assert_array_equal(caps.ravel(), [NAN, cap, NAN, NAN])


def test_a_new_share_that_closes_at_its_cap():
    """10.00 at issue: 14.40 at most on the first day, 15.84 on the second; the lower limit is not known."""
    fields = {
        "close": pd.DataFrame({"603999.SS": [NAN, 14.4, 15.84], "600000.SS": [9.0, 9.1, 9.2]}, DAYS[:3]),
        "reference": pd.DataFrame({"603999.SS": [NAN, 10.0, NAN], "600000.SS": NAN}, DAYS[:3]),
    }
    book = es.Market.from_prices(pd.concat(fields, axis=1), calendar="XSHG").limits
    np.testing.assert_array_equal(book.up["603999.SS"], [NAN, 14.4, 15.84])
    np.testing.assert_array_equal(book.down["603999.SS"], [NAN, NAN, 12.96])
    assert book.closed["603999.SS"].tolist() == [0, 1, 1]
    without = es.Market.from_prices(fields["close"], calendar="XSHG").limits
    np.testing.assert_array_equal(without.up["603999.SS"], [NAN, NAN, 15.84])


def test_rules_say_how_well_they_are_known():
    for table in ("limit_rules.csv", "tick_sizes.csv"):
        with resources.files("eventstudy.market").joinpath(table).open(encoding="utf-8") as stream:
            rules = pd.read_csv(stream)
        assert set(rules["evidence"]) <= {"exchange", "prices", "weak"}
        assert (rules["evidence"] == "weak").any()
        assert rules["source"].notna().all()


DAYS = pd.DatetimeIndex(["2019-05-20", "2019-05-21", "2019-05-22", "2019-05-23", "2019-05-24"]).as_unit("ns")


def market(close: list[float], **options) -> es.Market:
    fields = {"close": pd.DataFrame({"000001.SZ": close}, DAYS[: len(close)])}
    fields |= {
        name: pd.DataFrame({"000001.SZ": options.pop(name)}, DAYS[: len(close)])
        for name in ("open", "high", "low", "reference", "previous_close")
        if name in options
    }
    options = {"calendar": "XSHG", **options}
    return es.Market.from_prices(pd.concat(fields, axis=1), **options)


def test_hits_are_told_from_the_limit_and_not_from_ten_percent():
    """22.91 is the limit of 25.45 though it is a fall of 9.98%, and 24.84 is that of 27.60."""
    book = market([25.45, 22.91, 25.20, 22.68, 22.69]).limits
    assert book.down["000001.SZ"].tolist()[1:] == [22.91, 20.62, 22.68, 20.41]
    assert book.closed["000001.SZ"].tolist() == [0, -1, 1, -1, 0]
    # Nothing is known of the path within the day.
    assert not book.locked.to_numpy().any()


def test_touched_closed_and_locked():
    made = market(
        [27.60, 26.07, 28.68, 31.55, 34.71],
        open=[27.0, 24.95, 26.5, 31.55, 34.0],
        high=[28.0, 26.99, 28.68, 31.55, 34.71],
        low=[27.0, 24.84, 26.0, 31.55, 34.0],
    )
    book = made.limits
    assert book.touched["000001.SZ"].tolist() == [0, -1, 1, 1, 1]
    assert book.closed["000001.SZ"].tolist() == [0, 0, 1, 1, 1]
    assert book.locked["000001.SZ"].tolist() == [False, False, False, True, False]


def test_limits_of_an_ex_day_are_reckoned_from_the_reference_price():
    given = {"reference": [NAN, 20.0, NAN], "previous_close": [NAN, NAN, 18.5]}
    for name, wanted in (("reference", [NAN, 18.0, 16.65]), ("previous_close", [NAN, 22.5, 16.65])):
        book = market([25.0, 18.5, 18.0], **{name: given[name]}).limits
        np.testing.assert_array_equal(book.down["000001.SZ"], wanted)


def test_an_ex_day_in_a_halt_moves_the_limit():
    book = market([100.0, NAN, 81.0, 80.0], reference=[NAN, 90.0, NAN, NAN]).limits
    np.testing.assert_array_equal(book.down["000001.SZ"], [NAN, NAN, 81.0, 72.9])
    assert book.closed["000001.SZ"].tolist() == [0, 0, -1, 0]


def test_limits_of_adjusted_prices_are_reckoned_from_raw_ones():
    close = pd.DataFrame({"000001.SZ": [20.0, 10.0, 9.0]}, DAYS[:3])
    adjusted = close.assign(**{"000001.SZ": [10.0, 10.0, 9.0]})
    made = es.Market.from_prices(pd.concat({"Close": close, "Adj Close": adjusted}, axis=1), calendar="XSHG")
    np.testing.assert_array_equal(made.limits.down["000001.SZ"], [NAN, 9.0, 9.0])
    assert made.limits.closed["000001.SZ"].tolist() == [0, 0, -1]


@pytest.mark.parametrize(
    "limit",
    [0.05, {"000001.SZ": 0.05}, pd.DataFrame({"000001.SZ": 0.05}, DAYS)],
    ids=["one", "by security", "by day"],
)
def test_limits_may_be_given(limit):
    """Special treatment (ST, 5%) is not visible in a code."""
    book = market([10.0, 9.5, 9.03], price_limit=limit).limits
    np.testing.assert_array_equal(book.down["000001.SZ"], [NAN, 9.5, 9.03])
    assert book.closed["000001.SZ"].tolist() == [0, -1, -1]


def test_the_rule_holds_where_nothing_is_given():
    given = pd.DataFrame({"000001.SZ": [0.05]}, DAYS[1:2])
    for limit, wanted in ((given, [NAN, 9.5, 8.55]), ({"other": 0.05}, [NAN, 9.0, 8.55])):
        book = market([10.0, 9.5, 9.03], price_limit=limit).limits
        np.testing.assert_array_equal(book.down["000001.SZ"], wanted)
    assert market([10.0, 9.5], calendar=None).limits.down.isna().all(axis=None)


def test_every_day_of_the_bundled_prices_lies_within_its_limits():
    """ZTE fell by its limit eight sessions running after its suspension of 2018."""
    prices = es.datasets.surveillance_prices()
    book = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG").limits
    shares = [c for c in prices["close"] if c not in ("399001.SZ", "000300.SS")]
    close = prices["close"][shares]
    assert not (close < book.down[shares] - 0.005).any(axis=None)
    assert not (close > book.up[shares] + 0.005).any(axis=None)
    zte = book.closed["000063.SZ"]["2018-06-13":"2018-06-26"]
    assert (zte == -1).sum() == 8
    assert zte.tolist()[:7] == [-1] * 7


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"price_limit": "10%"}, "between 0 and 1, such as 0.1 for ten percent; got '10%'"),
        ({"price_limit": 10}, "got 10"),
        ({"price_limit": {"000001.SZ": -0.1}}, "got -0.1"),
        ({"price_limit": pd.DataFrame({"000001.SZ": [5.0]}, DAYS[:1])}, "got"),
        ({"tick": 0}, "tick must be positive, got 0"),
        ({"tick": "cent"}, "tick must be positive, got 'cent'"),
        ({"special_treatment": "000001.SZ"}, "is a list of securities, or a mapping"),
        ({"special_treatment": {"000001.SZ": "2019"}}, "give its first and last day, got '2019'"),
    ],
)
def test_limits_that_cannot_be(options, told):
    with pytest.raises(DataError, match=told):
        market([10.0, 9.5], **options)


def test_eight_limit_days_to_the_first_free_close():
    """ZTE closed at its limit on the eight sessions after its suspension."""
    prices = es.datasets.surveillance_prices()
    made = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    denial = [{"security": "000063.SZ", "announced_at": "2018-04-16 09:00-04:00"}]
    with pytest.warns(PriceLimitWarning, match="8 days: 2018-06-13"):
        results = es.EventStudy(made, denial, estimation=(-120, -61), window=(-5, 12)).fit()
    assert results.car(0, "first_free_close").loc[0, "end"] == 8
    locked = results.limit_hits.query("at_close")["date"].dt.strftime("%m-%d").tolist()
    assert locked == ["06-13", "06-14", "06-15", "06-19", "06-20", "06-21", "06-22", "06-25"]
    free = results.sample.day0[0] + 8
    assert made.sessions[free] == pd.Timestamp("2018-06-26")
