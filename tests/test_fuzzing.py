"""Whatever the prices, events and times: an answer or an error of this library, and no event lost."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.errors import EventStudyError

DAYS = pd.bdate_range("2019-03-01", "2019-08-30").as_unit("ns")
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]

prices = st.one_of(
    st.floats(0.01, 1000),
    st.floats(40, 60),
    st.sampled_from([0.0, -1.0, np.nan, np.inf, -np.inf, 1e-300, 1e300, 50.0]),
)
securities = st.sampled_from(["A", "B", "INDEX", "Huawei", "a", "", " A "])
moments = st.one_of(
    st.datetimes(pd.Timestamp("2018-12-01"), pd.Timestamp("2019-12-31")).map(str),
    st.datetimes(pd.Timestamp("2018-12-01"), pd.Timestamp("2019-12-31")).map(
        lambda t: f"{t:%Y-%m-%d %H:%M}+08:00"
    ),
    st.datetimes(pd.Timestamp("2019-05-01"), pd.Timestamp("2019-07-31")).map(
        lambda t: f"{t:%Y-%m-%d %H:%M} America/New_York"
    ),
    st.sampled_from(["", "noon", "05/06/2019", "2019-13-01", "1677-09-21 00:00Z", "9999-12-31 23:59Z"]),
    st.sampled_from([None, 7, np.nan, True]),
    st.text(max_size=12),
)
days = st.one_of(
    st.dates(pd.Timestamp("2019-05-01").date(), pd.Timestamp("2019-08-30").date()),
    st.dates(pd.Timestamp("1800-01-01").date(), pd.Timestamp("2400-01-01").date()).map(str),
    moments,
)


def listed(
    security: st.SearchStrategy, day: st.SearchStrategy, moment: st.SearchStrategy
) -> st.SearchStrategy:
    """Lists of events given by a day, a time or a window."""
    ends = st.tuples(moment, moment).map(lambda pair: sorted(pair, key=str))
    return st.lists(
        st.one_of(
            st.fixed_dictionaries({"security": security, "date": day}),
            st.fixed_dictionaries({"security": security, "announced_at": moment}),
            st.builds(
                lambda who, pair: {"security": who, "announced_after": pair[0], "announced_before": pair[1]},
                security,
                ends,
            ),
        ),
        min_size=1,
        max_size=5,
    )


sound_days = st.dates(pd.Timestamp("2019-05-01").date(), pd.Timestamp("2019-08-30").date())
sound_moments = st.datetimes(pd.Timestamp("2019-05-01"), pd.Timestamp("2019-08-30")).map(
    lambda t: f"{t:%Y-%m-%d %H:%M}+08:00"
)
sound = listed(st.sampled_from(["A", "B", "Huawei"]), sound_days, sound_moments)
# Mostly sound ones: a single malformed event is an error before anything is reckoned.
events = st.one_of(sound, sound, sound, listed(securities, days, moments))
spoiled = st.lists(
    st.tuples(st.integers(0, len(DAYS) - 1), st.integers(0, 2), st.integers(1, 90), prices), max_size=4
)


def closes(seed: int, cells: list[tuple[int, int, int, float]]) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = (50 * (1 + 0.01 * rng.standard_normal((len(DAYS), 3))).cumprod(axis=0)).round(2)
    for row, column, length, price in cells:
        values[row : row + length, column] = price
    return pd.DataFrame(values, DAYS, ["A", "B", "INDEX"])


def fields(shape: str, seed: int, cells: list[tuple[int, int, int, float]]) -> pd.DataFrame:
    """Make closes alone, bars with volume, adjusted closes, or closes with dividends and splits."""
    close = closes(seed, cells)
    if shape == "close":
        return close
    rng = np.random.default_rng(seed)
    some = pd.DataFrame(rng.random(close.shape) < 0.05, close.index, close.columns)
    if shape == "bars":
        volume = (1000.0 * close.notna()).mask(some, 0.0)
        parts = {"close": close, "open": close.shift().fillna(close), "high": close, "low": close * 0.99}
        return pd.concat(parts | {"volume": volume}, axis=1)
    if shape == "adjusted":
        return pd.concat({"Close": close, "Adj Close": (close * 0.9).mask(some, close)}, axis=1)
    return pd.concat({"close": close, "dividends": 1.5 * some, "splits": 2.0 * some[::-1]}, axis=1)


def calendar_of(name: str | None, mended: bool) -> str | es.Exchange | None:
    if name is None or not mended:
        return name
    return es.Exchange(name, closed=["2019-06-12"], extra=["2019-06-15"], closes={"2019-06-14": "11:30"})


def study(shape, mended, seed, cells, given_events, options, ambiguous, non_session) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            listed = es.Events(given_events, ambiguous=ambiguous, non_session=non_session)
            options = options | {"calendar": calendar_of(options["calendar"], mended)}
            market = es.Market.from_prices(fields(shape, seed, cells), benchmark="INDEX", **options)
            results = es.EventStudy(
                market, listed, estimation=(-40, -6), window=(-5, 5), min_observations=10
            ).fit()
        except EventStudyError:
            return
        used, out = list(results.timeline.index), list(results.excluded.index)
        assert sorted(used + out) == list(range(len(given_events)))
        assert results.excluded["reason"].str.len().gt(0).all()
        assert np.isfinite(results.car(0, 0)["car"].dropna()).all()
        results.limit_hits, results.halts, results.suspects, market.audit()
        assert str(results.summary())


CASES = (
    st.sampled_from(["close", "close", "bars", "adjusted", "payouts"]),
    st.booleans(),
    st.integers(0, 50),
    spoiled,
    events,
    st.fixed_dictionaries(
        {
            "bad_prices": st.sampled_from(["missing", "missing", "raise"]),
            "kind": st.sampled_from(["simple", "log"]),
            "calendar": st.sampled_from(["XSHG", "XNYS", "XSHG", None]),
            "sessions": st.sampled_from(["calendar", "data"]),
        }
    ),
    st.sampled_from(["exclude", "first", "last"]),
    st.sampled_from(["next", "previous", "skip", "raise"]),
)


@settings(derandomize=True, deadline=None, max_examples=25, database=None, suppress_health_check=QUIET)
@given(*CASES)
def test_no_crash_and_no_silent_drop(
    shape, mended, seed, cells, given_events, options, ambiguous, non_session
):
    study(shape, mended, seed, cells, given_events, options, ambiguous, non_session)


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=2000, database=None, suppress_health_check=QUIET)
@given(*CASES)
def test_no_crash_and_no_silent_drop_at_length(
    shape, mended, seed, cells, given_events, options, ambiguous, non_session
):
    study(shape, mended, seed, cells, given_events, options, ambiguous, non_session)
