"""Odd inputs at every door: read, or refused by an error of ours; never an exception of others."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import EventStudyError

days = pd.bdate_range("2019-01-01", periods=30)
good = pd.DataFrame({"A": np.linspace(10, 12, 30), "B": np.linspace(20, 19, 30)}, days)
long = good.reset_index().melt("index")


def event(**columns: Any) -> pd.DataFrame:
    """One event, with some of its columns odd."""
    return pd.DataFrame({"security": ["A"], **columns})


ODD: list[Any] = [
    None,
    [],
    {},
    (),
    0,
    1.5,
    "x",
    b"x",
    pd.DataFrame(),
    pd.Series(dtype=float),
    pd.DataFrame(index=days),
    pd.DataFrame({"A": []}),
    good * np.nan,
    good.iloc[:0],
    good.iloc[:1],
    good.iloc[:2],
    pd.concat({"x": pd.concat({"y": good}, axis=1)}, axis=1),
    good.set_axis([1, 1], axis=1),
    good.set_axis([None, "B"], axis=1),
    good.set_axis([np.nan, "B"], axis=1),
    good.set_axis([("a",), ("b",)], axis=1),
    good.reset_index(drop=True),
    good.set_axis([pd.NaT] * 30),
    good.set_axis([pd.NaT, *days[1:]]),
    good.set_axis(list("ab") * 15),
    good.astype(str),
    good.astype(object).mask(good == 10.0, "ten"),
    good.assign(A="x"),
    good.assign(A=pd.NaT),
    good.assign(A=pd.Timestamp("2019-01-01")),
    good.assign(A=pd.Timedelta(1, "D")),
    good.assign(A=[{}] * 30),
    good.assign(A=[lambda: 1] * 30),
    good.assign(A=[dt.time(1)] * 30),
    good.assign(A=pd.Categorical(["a"] * 30)),
    good.assign(A=pd.Categorical([1.0] * 30)),
    good.assign(A=pd.interval_range(0, 30)),
    good.assign(A=1 + 2j),
    good.assign(A=np.inf),
    good.assign(A=-np.inf),
    good.assign(A=1e308),
    good.assign(A=5e-324),
    good.assign(A=True),
    good.rename_axis("A"),
    good.rename_axis(index="B"),
    good.T,
    good.stack(),
    good.stack().reset_index(),
    good.stack().to_frame(),
    long,
    long.assign(variable=np.nan),
    long.assign(index="2019-01-01"),
    long.sample(frac=1, random_state=0),
    {"A": good["A"], "B": None},
    {"A": 1},
    {1: good["A"]},
    {"A": {}},
    {"A": [1, 2]},
    np.ones((3, 3)),
    np.datetime64("2019-01-01"),
    pd.Timestamp("2019-01-01"),
    days,
    pd.MultiIndex.from_product([[1], [2]]),
    iter([]),
    object(),
    good.set_axis(days.astype(str) + "T25:00"),
    good.set_axis(days.strftime("%d%m%y")),
    good.set_axis(range(20190101, 20190131)),
    good.set_axis(np.arange(30) * 1e300),
    good.set_axis([float("inf")] * 30),
    good.set_axis([10**30] * 30),
    good.set_axis([dt.date(1, 1, 1)] * 30),
    good.set_axis([dt.date(9999, 12, 31) + dt.timedelta(days=-i) for i in range(30)]),
    good.set_axis(pd.period_range("2019", periods=30, freq="h")),
    good.set_axis(pd.period_range("1600", periods=30, freq="Y")),
    good.set_axis(days.tz_localize("UTC") + pd.Timedelta("1ns")),
    good.set_axis(pd.interval_range(0, 30)),
    good.set_axis(pd.timedelta_range("1D", periods=30)),
    good.set_axis(pd.CategoricalIndex(days.strftime("%Y-%m-%d"))),
    pd.DataFrame({"date": days, "security": ["A"] * 30}),
    event(date=[None]),
    pd.DataFrame({"security": [[]], "date": ["2019-01-02"]}),
    pd.DataFrame({"security": [{}], "date": ["2019-01-02"]}),
    event(date=[{}]),
    event(date=[[]]),
    event(announced_at=[[]]),
    event(announced_at=[np.nan]),
    event(date=["2019-01-02"], time=[[]]),
    event(date=["2019-01-02"], time=[1e30]),
    event(date=["2019-01-02"], time=[-5]),
    event(date=["2019-01-02"], time=[True]),
    event(date=["2019-01-02"], time=["99:99"]),
    event(date=["2019-01-02"], timezone=[5]),
    event(date=["2019-01-02"], timezone=["../etc"]),
    event(date=["2019-01-02"], session=[3.2]),
    event(date=["2019-01-02"], event_id=[[1]]),
    event(announced_after=["2019-01-02 10:00Z"], announced_before=["x"]),
    event(date=[pd.Timedelta(1)]),
    event(date=[dt.time(3)]),
    event(announced_at=[dt.time(3)]),
    event(announced_at=[1e18]),
    event(announced_at=[43000.5]),
    event(announced_at=["20190102250000"]),
    event(announced_at=[dt.date(2019, 1, 2)]),
    pd.DataFrame({"year": [2019] * 30, "month": [2] * 30, "day": range(1, 31), "A": 1.0}),
    pd.DataFrame({"year": ["x"] * 3, "month": [2] * 3, "A": 1.0}),
    pd.DataFrame({"year": [2019] * 3, "month": [2] * 3, "A": 1.0}),
    pd.DataFrame({"date": days, "A": good.A.values, "split": "2:0"}),
    pd.DataFrame({"date": days, "close": good.A.values, "ticker": "A", "split": ["0:1"] * 30}),
]

DOORS: dict[str, Callable[[Any], object]] = {
    "prices": es.Market.from_prices,
    "returns": es.Market,
    "benchmarks": lambda given: es.Market.from_prices(good, benchmark=given),
    "factors": lambda given: es.Market(good.pct_change(), factors=given),
    "events": es.Events,
    "events in a zone": lambda given: es.Events(given, timezone="America/New_York"),
    "rules": lambda given: es.Events.from_rule(given, size=0.1),
}


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("door", DOORS)
def test_no_exception_of_others(door: str) -> None:
    refused = []
    for given in ODD:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                DOORS[door](given)
            except EventStudyError as error:
                refused.append(str(error))
    assert len(refused) > 50
    assert min(map(len, refused)) > 20
