"""Frames as the results object hands them to the drawing functions, drawn off screen."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from eventstudy import plotting

mpl.use("Agg")

DAYS = np.arange(-5, 6)


def car(seed: int = 0) -> pd.DataFrame:
    path = np.random.default_rng(seed).normal(-0.005, 0.02, len(DAYS)).cumsum()
    return pd.DataFrame({"day": DAYS, "car": path, "ci_low": path - 0.04, "ci_high": path + 0.05})


def cars(n: int) -> pd.DataFrame:
    return pd.concat([car(seed).assign(event=f"firm {seed}") for seed in range(n)], ignore_index=True)


def caar() -> pd.DataFrame:
    return car().rename(columns={"car": "caar"}).assign(n_events=7)


def aar() -> pd.DataFrame:
    days = np.random.default_rng(7).normal(-0.005, 0.02, len(DAYS))
    return pd.DataFrame(
        {"day": DAYS, "aar": days, "ci_low": days - 0.02, "ci_high": days + 0.025, "n_events": 7}
    )


def caar_groups() -> pd.DataFrame:
    counts = {"Suppliers": 7, "Rivals": 3, "Customers $x$": 1, "Others": 12}
    paths = [
        car(seed).rename(columns={"car": "caar"}).assign(group=name, n_events=n)
        for seed, (name, n) in enumerate(counts.items())
    ]
    return pd.concat(paths, ignore_index=True)


def reaction() -> pd.DataFrame:
    dates = pd.bdate_range("2019-05-15", periods=len(DAYS))
    without = 28 + np.sin(DAYS)
    price = np.where(DAYS < 0, without, without - 2.0)
    return pd.DataFrame(
        {
            "date": dates,
            "day": DAYS,
            "price": price,
            "counterfactual": without,
            "counterfactual_low": without - 1,
            "counterfactual_high": without + 1,
        }
    )


def fit() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    benchmark = rng.normal(0, 0.01, 120)
    fitted = 0.001 + 1.2 * benchmark
    role = np.where(np.arange(120) < 111, "estimation", "event")
    day = np.concatenate([np.arange(-131, -20), np.arange(-4, 5)])
    actual = fitted + rng.normal(0, 0.015, 120)
    return pd.DataFrame(
        {"benchmark": benchmark, "actual": actual, "fitted": fitted, "role": role, "day": day}
    )


def size() -> pd.DataFrame:
    rate = np.array([0.05, 0.31, 0.04])
    return pd.DataFrame(
        {"test": ["portfolio", "bmp", "grank_t"], "rate": rate, "ci_low": rate - 0.02, "ci_high": rate + 0.02}
    )


def power() -> pd.DataFrame:
    shift = np.array([0.0, 0.005, 0.01, 0.02])
    parts = [
        pd.DataFrame(
            {"shift": shift, "rate": rate, "ci_low": rate - 0.02, "ci_high": rate + 0.02, "test": test}
        )
        for test, rate in (
            ("bmp", np.array([0.05, 0.2, 0.6, 0.95])),
            ("grank_t", np.array([0.05, 0.3, 0.7, 0.97])),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def null() -> pd.DataFrame:
    values = np.linspace(-0.05, 0.05, 101)
    past = pd.DataFrame({"value": values, "role": "estimation", "day": np.arange(-121, -20)})
    event = pd.DataFrame({"value": [-0.1, 0.0485], "role": "event", "day": [0, 1]})
    return pd.concat([past, event], ignore_index=True)


def heatmap() -> pd.DataFrame:
    values = np.random.default_rng(2).normal(0, 0.02, (4, len(DAYS)))
    return pd.DataFrame(values, index=["Hikvision", "Dahua", "ZTE", "iFlytek"], columns=DAYS)


def decomposition() -> pd.DataFrame:
    moments = ["previous close", "open", "low", "high", "close", "limit down", "limit up"]
    prices = np.array([27.60, 24.95, 24.84, 26.99, 26.07, 24.84, 30.36])
    return pd.DataFrame({"moment": moments, "price": prices, "change": prices / 27.60 - 1})


def forest() -> pd.DataFrame:
    estimates = np.array([-0.075, 0.01, -0.042, 0.003])
    frame = pd.DataFrame({"event": ["Hikvision", "ZTE", "Dahua", "iFlytek"], "car": estimates})
    return frame.assign(ci_low=estimates - 0.05, ci_high=estimates + 0.06)


def models() -> pd.DataFrame:
    names = ["Market model (OLS)", "Fowler-Rorke market model (lags 1, leads 1)", "Constant mean return"]
    estimates = np.array([-0.075, -0.08, -0.1])
    frame = pd.DataFrame({"model": names, "car": estimates})
    variances = [0.00026, 0.00027, 0.0004]
    return frame.assign(ci_low=estimates - 0.05, ci_high=estimates + 0.05, prediction_variance=variances)


def clustering() -> pd.DataFrame:
    windows = [1, 1, 3, 3, 3, 2, 0, 0, 1, 1]
    events = [0, 1, 0, 2, 0, 0, 0, 0, 0, 1]
    return pd.DataFrame(
        {"date": pd.bdate_range("2019-05-15", periods=10), "windows": windows, "events": events}
    )


def tests() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "test": ["cross_sectional", "portfolio", "bmp", "grank_t", "patell"],
            "p_value": [0.04, np.nan, 0.2, 0.012, 1e-9],
            "applicable": [True, False, True, True, True],
            "recommended": [False, False, False, True, False],
        }
    )


def timeline() -> pd.DataFrame:
    dates = pd.bdate_range("2018-06-11", periods=8)
    price = np.array([31.3, np.nan, np.nan, 28.17, 25.35, 24.0, 26.4, 26.0])
    return pd.DataFrame(
        {
            "date": dates,
            "day": np.arange(-3, 5),
            "price": price,
            "limit_down": [28.0, np.nan, np.nan, 28.17, 25.35, 22.82, 21.6, 23.76],
            "limit_up": [34.0, np.nan, np.nan, 34.43, 30.99, 27.89, 26.4, 29.04],
            "touched": [0, 0, 0, -1, -1, -1, 1, 1],
            "closed": [0, 0, 0, -1, -1, 0, 1, 0],
        }
    )


def counterfactual() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    other = rng.normal(0, 0.01, len(DAYS)).cumsum()
    own = other + np.where(DAYS >= 0, -0.03, 0.0) + rng.normal(0, 0.003, len(DAYS))
    return pd.DataFrame({"day": DAYS, "treated": own, "counterfactual": other})


def gap() -> pd.DataFrame:
    frame = pd.DataFrame({"day": DAYS, "gap": np.random.default_rng(4).normal(0, 0.01, len(DAYS))})
    after = DAYS >= 0
    low, high = np.where(after, frame["gap"] - 0.02, np.nan), np.where(after, frame["gap"] + 0.02, np.nan)
    return frame.assign(ci_low=low, ci_high=high, is_effect=after)


def placebo_paths() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    names = [None, *(f"firm {i}" for i in range(30))]
    return pd.concat(
        [
            pd.DataFrame({"day": DAYS, "effect": rng.normal(0, 0.01, len(DAYS)).cumsum(), "placebo": name})
            for name in names
        ],
        ignore_index=True,
    )


def donor_weights() -> pd.DataFrame:
    weights = np.random.default_rng(6).dirichlet(np.full(30, 0.5))
    return pd.DataFrame({"donor": [f"Donor $x_{i}$" for i in range(30)], "weight": weights})


def balance() -> pd.DataFrame:
    frame = pd.DataFrame({"factor": ["market", "size $s$", "value"], "treated": [0.012, 0.004, -0.001]})
    counterfactual = [0.0115, 0.003, -0.002]
    low, high = [0.005, -0.006, -0.004], [0.019, 0.008, 0.006]
    return frame.assign(counterfactual=counterfactual, donors_low=low, donors_high=high)


def specification() -> pd.DataFrame:
    models = np.repeat(["mean", "market", "factors"], 4)
    estimate = np.linspace(-0.07, 0.03, 12)[np.random.default_rng(3).permutation(12)]
    return pd.DataFrame(
        {
            "model": models,
            "window": ["(0, 0)", "(0, +1)"] * 6,
            "estimate": estimate,
            "ci_low": estimate - 0.03,
            "ci_high": estimate + 0.03,
            "significant": np.abs(estimate) > 0.03,
        }
    )


def placebo() -> pd.DataFrame:
    values = np.random.default_rng(4).normal(0, 0.02, 200)
    return pd.DataFrame({"value": values, "against": ["dates"] * 190 + ["firms"] * 10})


def price() -> pd.DataFrame:
    dates = pd.bdate_range("2019-03-01", periods=80)
    path = 28 * np.exp(np.random.default_rng(8).normal(0, 0.02, 80).cumsum())
    return pd.DataFrame({"date": dates, "price": np.where(np.arange(80) // 4 == 9, np.nan, path)})


def announcements(n: int = 3) -> pd.DataFrame:
    at = np.linspace(10, 70, n).astype(int)
    labels = [f"Announcement {i} of a list" for i in range(1, n + 1)]
    return pd.DataFrame(
        {"date": price()["date"].iloc[at], "label": labels, "car": np.linspace(-0.08, 0.02, n)}
    )


def windows(n: int = 4) -> pd.DataFrame:
    rows = []
    for i in range(n):
        day0 = pd.Timestamp("2019-05-22") + pd.Timedelta(days=7 * (i % 30))
        spans = {"estimation": (-300, -30), "event": (-14, 14), "tested": (0, 1), "suspended": (-9, -3)}
        for part, (first, last) in list(spans.items())[: 3 + (i % 3 == 1)]:
            ends = {"first": day0 + pd.Timedelta(days=first), "last": day0 + pd.Timedelta(days=last)}
            rows.append({"event": f"firm {i}", "part": part} | ends)
    return pd.DataFrame(rows)


residuals = qq = autocorrelation = null
#: A label as announcements have them.
LONG = (
    "House of Representatives passes the final defence bill with the purchasing ban (002415.SZ, 2018-07-27)"
)


def many_cars(n: int, label: str = "firm {}") -> pd.DataFrame:
    rng = np.random.default_rng(9)
    car = rng.normal(-0.02, 0.04, n)
    names = [label.format(i) for i in range(n)]
    frame = pd.DataFrame(
        {"event": names, "car": car, "role": "event", "group": [f"group {i % 2}" for i in range(n)]}
    )
    frame["half"] = rng.uniform(0.03, 0.06, n)
    if n > 1:
        mean = {"event": f"average of {n}", "car": car.mean(), "role": "average", "half": 0.1 / np.sqrt(n)}
        frame = pd.concat([frame, pd.DataFrame([mean])], ignore_index=True)
    return frame.assign(ci_low=frame["car"] - frame["half"], ci_high=frame["car"] + frame["half"])


def many_returns(n: int, label: str = "firm {}") -> pd.DataFrame:
    values = np.random.default_rng(10).normal(0, 0.02, (n, len(DAYS)))
    values[:, 5] -= 0.03
    return pd.DataFrame(values, index=[label.format(i) for i in range(n)], columns=DAYS)


#: Arguments that a figure needs beside its frame.
NEEDED: dict[str, dict[str, Any]] = {
    "placebo": {"real": -0.05},
    "price": {"events": announcements()},
    "specification": {"choices": ["model", "window"]},
}


FURTHER = ("cars", "announcements", "many_cars", "many_returns", "LONG")


@pytest.fixture(scope="session")
def frames() -> SimpleNamespace:
    """Makers of one frame for each figure, by the name of the figure; and of several paths."""
    figures = [name.removeprefix("plot_") for name in plotting.__all__ if name.startswith("plot_")]
    return SimpleNamespace(**{name: globals()[name] for name in [*figures, *FURTHER]}, needed=NEEDED)


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    plt.close("all")  # those that tests elsewhere have left
    yield
    plt.close("all")
