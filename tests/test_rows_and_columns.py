"""Rows on which nothing trades, securities of other exchanges, and order: none of them changes a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventstudy as es

PROFILE = settings(
    max_examples=2,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
EXACT = {"rtol": 1e-12, "atol": 1e-12, "check_names": False}
PEERS = [f"US{i}" for i in range(3, 9)]
MODELS: dict[str, es.models.NormalReturnModel] = {
    "market": es.MarketModel(),
    "adjusted": es.MarketAdjusted(),
    "mean": es.ConstantMean(),
    "raw": es.RawReturn(),
    "ew": es.EWMarketModel(40),
    "rolling": es.RollingMarketModel(60),
    "scholes_williams": es.ScholesWilliams(),
    "dimson": es.Dimson(),
    "robust": es.RobustMarketModel(),
    "autocorrelated": es.AutocorrelatedErrors(lags=1),
    "trade_to_trade": es.MarketModel(missing="trade_to_trade"),
    "capm": es.CAPM(),
    "matched": es.MatchedPortfolio(peers=PEERS),
    "synthetic": es.SyntheticPeers(peers=PEERS),
    "elastic_net": es.ElasticNetModel(peers=PEERS),
    "pca": es.PCAModel(n_components=2, peers=PEERS),
}
#: Models of different needs; the others are tested with the slow ones.
QUICK = ("market", "matched")
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in MODELS]
ABROAD = {"XHKG": "HK", "XETR": "DE"}
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")


def closes(code: str, prefix: str, n: int, seed: int) -> pd.DataFrame:
    """Closes of n firms and their index on the sessions of an exchange, with a halt of one firm."""
    rng = np.random.default_rng(seed)
    days = es.Exchange(code).sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2019-06-28"))
    common = rng.normal(0.0003, 0.012, len(days))
    own = np.column_stack([common * (0.7 + 0.05 * i) + rng.normal(0, 0.015, len(days)) for i in range(n)])
    frame = pd.DataFrame(
        100 * np.exp(np.column_stack([own, common]).cumsum(axis=0)),
        days,
        [*(f"{prefix}{i}" for i in range(n)), f"{prefix} INDEX"],
    )
    frame.iloc[260:263, 1] = np.nan
    return frame


def events(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"event_id": name, "security": name, "date": frame.index[row]}
        for name, row in (("US0", 230), ("US1", 261), ("US2", 330))
    ]


def numbers(frame: pd.DataFrame, listed: list[dict[str, Any]], model: str, **options: Any) -> pd.DataFrame:
    """Everything that is estimated and measured of each event."""
    days = frame.index
    factors = None
    if model == "capm":
        home = frame["US INDEX"].dropna()
        moved = home.pct_change().iloc[1:]
        factors = pd.DataFrame({"mkt_rf": moved[moved != 0.0], "rf": 0.0001})
    options.setdefault("benchmark", "US INDEX")
    market = es.Market.from_prices(frame, factors=factors, **options)
    found = es.EventStudy(market, listed, MODELS[model], (-150, -11), (-3, 5)).fit()
    columns = ["car", "se", "t", "p_value", "n_days", "expected", "actual"]
    parts = [found.car(*window)[columns].add_suffix(f" {window}") for window in ((0, 1), (-3, 5))]
    joined = pd.concat([*parts, found.parameters], axis=1).astype(float)
    assert days.equals(frame.index)
    return joined.set_axis(joined.index.astype(object)).loc[["US0", "US1", "US2"]]


def empty_rows(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Add weekends and holidays without a price."""
    days = pd.date_range(frame.index[0], frame.index[-1])
    more = days[draw.random(len(days)) < 0.3]
    return frame.reindex(frame.index.union(more))


def padded_rows(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Add holidays that repeat the prices of the day before."""
    days = pd.bdate_range(frame.index[0], frame.index[-1]).difference(frame.index)
    more = days[draw.random(len(days)) < 0.8]
    filled = frame.reindex(frame.index.union(more))
    halted = filled.isna() & filled.index.isin(frame.index)[:, None]
    return filled.ffill().mask(halted)


def shuffled_columns(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return frame[draw.permutation(frame.columns)]


CHANGES: dict[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "empty rows": empty_rows,
    "padded rows": padded_rows,
    "shuffled columns": shuffled_columns,
}


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("model", CASES)
@PROFILE
@given(seed=st.integers(0, 999))
def test_rows_without_trade_and_the_order_of_columns_change_no_number(
    model: str, change: str, seed: int
) -> None:
    frame = closes("XNYS", "US", 9, seed)
    listed = events(frame)
    want = numbers(frame, listed, model)
    draw = np.random.default_rng(seed)
    found = numbers(CHANGES[change](frame, draw), [listed[i] for i in draw.permutation(3)], model)
    pd.testing.assert_frame_equal(found, want, **EXACT)


def filled_rows(home: pd.DataFrame, other: pd.DataFrame, which: str) -> pd.DataFrame:
    """Lay securities of two exchanges side by side, holidays of some filled with the last price."""
    days = home.index.union(other.index)
    parts = []
    for name, frame in (("home", home), ("abroad", other)):
        wide = frame.reindex(days)
        halted = wide.isna() & wide.index.isin(frame.index)[:, None]
        parts.append(wide.ffill().mask(halted) if which in (name, "both") else wide)
    return pd.concat(parts, axis=1)


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("how", ["calendar", "missing", "home", "abroad", "both"])
@pytest.mark.parametrize("model", CASES)
@PROFILE
@given(seed=st.integers(0, 999), abroad=st.sampled_from(sorted(ABROAD)), n=st.integers(1, 3))
def test_securities_of_other_exchanges_change_no_number(
    model: str, how: str, seed: int, abroad: str, n: int
) -> None:
    frame = closes("XNYS", "US", 9, seed)
    listed = events(frame)
    want = numbers(frame, listed, model)
    draw = np.random.default_rng(seed)
    other = closes(abroad, ABROAD[abroad], n + 2, seed + 1)
    both = shuffled_columns(filled_rows(frame, other, how), draw)
    options: dict[str, Any] = {}
    if how == "calendar":
        options["calendar"] = {name: "XNYS" if name in frame else abroad for name in both}
    found = numbers(both, [listed[i] for i in draw.permutation(3)], model, **options)
    pd.testing.assert_frame_equal(found, want, **EXACT)
