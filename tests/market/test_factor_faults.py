"""Factors with a wrong value on single days, or without one."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataWarning
from tests.market.test_nasty_inputs import DAY, FACTORS, RETURNS, car, of_factors

FF3 = es.FamaFrench3()
AT = FACTORS.index.get_loc(DAY)


def with_cell(row: int, name: str, value: float) -> pd.DataFrame:
    out = FACTORS.copy()
    out.iloc[row, out.columns.get_loc(name)] = value
    return out


@pytest.mark.parametrize(
    ("row", "name", "value", "told"),
    [
        (
            AT,
            "mkt_rf",
            -0.5,
            r"factor jump of mkt_rf on 2018-12-17 in its event window, -50\.0% in one session",
        ),
        (AT - 60, "mkt_rf", 0.5, "factor jump of mkt_rf on .* in its estimation window"),
        (
            AT,
            "smb",
            0.4,
            "factor jump of smb on 2018-12-17 in its event window",
        ),
        (
            AT - 60,
            "hml",
            np.nan,
            "factor gap of hml on .* in its estimation window, 1 session without return",
        ),
        (AT, "smb", np.nan, "benchmark or a factor is missing in the event window"),
    ],
)
def test_one_day_of_a_factor(row: int, name: str, value: float, told: str) -> None:
    with pytest.warns(DataWarning, match=told):
        of_factors(with_cell(row, name, value))


def test_the_audit_lists_factors_and_a_model_without_them_does_not_warn() -> None:
    market = es.Market(RETURNS.iloc[1:], benchmark="B", factors=with_cell(AT, "mkt_rf", -0.5))
    audit = market.audit()
    assert audit[["security", "kind"]].values.tolist() == [["mkt_rf", "factor jump"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        car(market)
        car(market, model=es.FactorModel(["smb"], excess=False))


def test_sets_of_factors_are_told_apart() -> None:
    sets = {"CN": FACTORS, "US": with_cell(AT, "mkt_rf", -0.5)}
    market = es.Market(RETURNS.iloc[1:], factors=sets)
    assert market.audit()["security"].tolist() == ["US: mkt_rf"]
    event = {"security": "A", "date": DAY}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        car(market, {**event, "factors": "CN"}, FF3)
    with pytest.warns(DataWarning, match="factor jump of US: mkt_rf"):
        car(market, {**event, "factors": "US"}, FF3)


def test_wild_days_of_factors_raise_no_doubt() -> None:
    rng = np.random.default_rng(3)
    wild = FACTORS.copy()
    wild["smb"] = 0.005 * np.clip(rng.standard_t(3, len(wild)), -12, 12)
    wild.iloc[AT, 0] = -0.17
    wild["vix"] = 0.06 * np.clip(rng.standard_t(3, len(wild)), -12, 12)
    market = es.Market(RETURNS.iloc[1:], factors=wild)
    assert market.audit().empty


@pytest.mark.parametrize("name", ["china_ff5_umd_daily_decimal_2010on", "us_ff5_daily_percent"])
def test_real_factors_raise_no_doubt(shared_data, name: str) -> None:
    frame = pd.read_parquet(shared_data / "panels" / f"{name}.parquet")
    dates = frame.pop("trddy" if "trddy" in frame else "date")
    index = pd.DatetimeIndex(pd.to_datetime(dates.astype(str)))
    factors = frame.set_axis(index).astype(float) / (100.0 if "percent" in name else 1.0)
    returns = pd.DataFrame(
        {"A": factors["mkt_rf"] + 0.01 * np.random.default_rng(1).standard_normal(len(index))}
    )
    audit = es.Market(returns, factors=factors).audit()
    assert not audit["kind"].isin(["factor jump", "factor gap"]).any()
