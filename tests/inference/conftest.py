"""Random panels of events, as the library's arrays and as the oracle's dicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import oracle
import pytest

from eventstudy.abnormal import AbnormalReturns, HeldEventWindows, HeldWindows
from eventstudy.inference import TestInput
from eventstudy.windows import Window

SESSIONS = np.arange(np.datetime64("2001-01-01"), np.datetime64("2041-01-01"))
SESSIONS = SESSIONS[np.is_busday(SESSIONS)]
GAP = 3


@dataclass(frozen=True)
class Panel:
    """Events as AbnormalReturns, as oracle dicts, and the market they were fitted to."""

    abnormal: AbnormalReturns
    events: list[dict]
    market: np.ndarray

    def test(self, start: int, end: int) -> TestInput:
        return TestInput(self.abnormal, Window(start, end))

    def days(self, start: int, end: int) -> list[int]:
        return list(range(start - self.abnormal.window.start, end - self.abnormal.window.start + 1))

    def usable(self, start: int, end: int) -> list[dict]:
        """The oracle's events that have a CAR in the window."""
        return [e for e in self.events if oracle.car(e, self.days(start, end))[2] > 0]


def positions(layout: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Session of day 0 of each event."""
    if layout == "common":
        return np.full(n, 500)
    if layout == "distinct":
        return 500 + 40 * np.arange(n)
    if layout == "spread":
        return np.sort(rng.integers(500, 501 + n // 2, n))
    assert layout == "mixed"
    return np.concatenate([np.full(n // 2, 500), 500 + rng.integers(-60, 60, n - n // 2)])


def make_panel(
    n: int = 12,
    width: int = 60,
    window: tuple[int, int] = (-2, 3),
    layout: str = "common",
    missing: float = 0.0,
    model: str = "mm",
    seed: int = 0,
    correlation: float = 0.2,
    effect: float = 0.0,
) -> Panel:
    rng = np.random.default_rng(seed)
    span = Window(*window)
    length = len(span)
    # Market and common shock belong to the sessions, so that events of one day share them.
    market = 0.01 * rng.standard_normal(len(SESSIONS))
    shock = rng.standard_normal(len(SESSIONS))
    evs, columns = [], []
    for zero in positions(layout, n, rng):
        event = zero + span.offsets
        estimation = event[0] - GAP - width + np.arange(width)
        at = np.concatenate([estimation, event])
        noise = np.sqrt(correlation) * shock[at] + np.sqrt(1 - correlation) * rng.standard_normal(len(at))
        sigma = 0.01 + 0.02 * rng.random()
        r = 0.0003 + (0.5 + rng.random()) * market[at] + sigma * noise
        r[width:] += effect
        r[rng.random(len(at)) < missing] = np.nan
        m1, m2 = market[estimation], market[event]
        ev = oracle.build_event(r[:width], m1, r[width:], m2, model, estimation, event)
        if model == "madj":
            x2, cov = np.zeros((length, 1)), np.zeros((1, 1))
        else:
            x2 = oracle.design(m2, length, model)
            cov = ev["s2"] * oracle.ols(r[:width], oracle.design(m1, width, model))["XtXi"]
        evs.append(ev)
        x1 = np.zeros((width, 1)) if model == "madj" else oracle.design(m1, width, model)
        columns.append((r[width:], x2, cov, x1))
    actual = np.array([c[0] for c in columns])
    ar = np.array([e["ar"] for e in evs])
    s2 = np.array([e["s2"] for e in evs])
    residuals = np.array([e["ar_est"] for e in evs])
    abnormal = AbnormalReturns(
        window=span,
        ar=ar,
        actual=actual,
        span=np.where(np.isnan(ar), 0, 1),
        param_cov=np.array([c[2] for c in columns]),
        s2=s2,
        n_obs=np.array([e["n"] for e in evs]),
        dof=np.array([float(e["nu"]) for e in evs]),
        n_params=evs[0]["k"],
        exact=True,
        past=HeldWindows(
            residuals,
            np.where(np.isnan(residuals), np.nan, np.array([e["lev_est"] for e in evs])),
            SESSIONS[np.array([e["cal_est"] for e in evs])],
            np.array([c[3] for c in columns]),
        ),
        event_windows=HeldEventWindows(
            SESSIONS[np.array([e["cal_evt"] for e in evs])],
            np.repeat(s2[:, None], length, axis=1),
            np.array([c[1] for c in columns]),
        ),
    )
    return Panel(abnormal, evs, market)


@pytest.fixture(scope="session")
def panel() -> Callable[..., Panel]:
    cache: dict[tuple, Panel] = {}

    def cached(**options: object) -> Panel:
        key = tuple(sorted(options.items()))
        if key not in cache:
            cache[key] = make_panel(**options)
        return cache[key]

    return cached


@pytest.fixture(scope="session")
def flat(with_arrays) -> Callable[..., AbnormalReturns]:
    """The same events, with one whose returns never move: no residual, no abnormal return."""

    def flatten(abnormal: AbnormalReturns, event: int) -> AbnormalReturns:
        parts = {name: np.array(getattr(abnormal, name)) for name in ("ar", "s2", "param_cov", "actual")}
        parts |= {"noise": np.array(abnormal.noise), "residuals": np.array(abnormal.past.residuals())}
        for value in parts.values():
            value[event] = np.where(np.isnan(value[event]), np.nan, 0.0)
        return with_arrays(abnormal, **parts)

    return flatten
