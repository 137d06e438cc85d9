"""A market of months with listings, delistings and gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

MONTHS = pd.date_range("2000-01-31", periods=132, freq="ME")
NAMES = [f"F{i:02d}" for i in range(30)]


@pytest.fixture(scope="session")
def returns() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    market = rng.normal(0.008, 0.04, 132)
    values = market[:, None] * rng.uniform(0.6, 1.4, 30) + rng.standard_t(6, (132, 30)) * 0.08
    frame = pd.DataFrame(np.maximum(values, -0.8), MONTHS, NAMES)
    frame.insert(0, "index", market)
    frame.loc[MONTHS[:60], "F28"] = np.nan  # listed in month 60
    frame.loc[MONTHS[75:], "F29"] = np.nan  # gone after month 74
    frame.loc[MONTHS[70:], "F05"] = np.nan
    frame.loc[MONTHS[66], "F07"] = np.nan  # the next return spans both
    return frame


@pytest.fixture(scope="session")
def market(returns: pd.DataFrame) -> es.Market:
    return es.Market(returns, benchmark="index")


@pytest.fixture(scope="session")
def events() -> pd.DataFrame:
    rows = np.random.default_rng(5).integers(55, 72, 24)
    rows[[5, 7]] = 60, 62
    return pd.DataFrame({"security": NAMES[:24], "date": MONTHS[rows]})
