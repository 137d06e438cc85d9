"""Event-study packages side by side on one panel: seconds of CPU, memory, and their numbers against ours.

    python benchmarks/peers.py [--events 5000]

makes an environment per package, installs the versions below, runs each on the same simulated panel (market
model, 250 sessions of estimation, 21 of the event window) in a process of its own (peers_run.py), and
writes docs/data/peers.csv. Seconds are CPU on one thread: `panel` to hand the panel over, `study` for the
estimates, the CARs and what tests the package has. Memory is the most that the process held beyond its
imports. Differences are the largest of any event or test; `explained` is what is left of them, of any number,
once the convention named as the reason is applied to NumPy's least squares. What cannot be installed or
run is in the table with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
from many_events import ADJUSTED, CLOSED, RANKS
from scipy import stats

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "data" / "peers.csv"
ESTIMATION, WINDOW = (-280, -31), (-10, 10)
LENGTH, DAYS = 250, 21
#: Tests of this library that some of the packages have as well.
FEW = ["cross_sectional", "independence", "patell", "sign", "generalized_sign"]


def panel(folder: Path, n: int) -> None:
    """Write a panel of a thousand securities and ten years of New York's sessions, and n events."""
    rng = np.random.default_rng(1)
    calendar = exchange_calendars.get_calendar("XNYS", start="2011-01-03", end="2020-12-31")
    days = calendar.sessions.to_numpy().astype("datetime64[ns]")
    sessions, securities = len(days), 1000
    market = 0.0004 + 0.01 * rng.standard_normal(sessions)
    returns = rng.uniform(0.5, 1.5, securities) * market[:, None]
    returns += 0.02 * rng.standard_normal(returns.shape)
    who, row = rng.integers(0, securities, 2 * n), rng.integers(300, sessions - 30, 2 * n)
    kept = np.sort(np.unique(who * sessions + row, return_index=True)[1])[:n]  # no event twice
    np.savez(folder / "panel.npz", returns=returns, market=market, days=days, who=who[kept], row=row[kept])


@dataclass(frozen=True)
class World:
    """The panel as arrays."""

    returns: np.ndarray
    market: np.ndarray
    days: np.ndarray
    who: np.ndarray
    row: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> World:
        """Read what `panel` wrote."""
        with np.load(folder / "panel.npz") as stored:
            return cls(*(stored[name] for name in ("returns", "market", "days", "who", "row")))

    def after(self, event: int, calendar_days: int) -> int:
        """Return the first session on or after the day so many calendar days from the event's."""
        day = self.days[self.row[event]] + np.timedelta64(calendar_days, "D")
        return int(np.searchsorted(self.days, day))


Bounds = Callable[[World, int], tuple[int, int, int, int]]


def by_session(world: World, event: int) -> tuple[int, int, int, int]:
    """First row and the one after the last, of the estimation and of the event window."""
    row = world.row[event]
    return row + ESTIMATION[0], row + ESTIMATION[1] + 1, row + WINDOW[0], row + WINDOW[1] + 1


def short_estimation(world: World, event: int) -> tuple[int, int, int, int]:
    """As by session, out of what lies no more than 290 calendar days back."""
    first, *others = by_session(world, event)
    return max(first, world.after(event, -(10 + 20 + 250 + 10))), *others


def by_calendar(world: World, event: int) -> tuple[int, int, int, int]:
    """All windows in calendar days; estimation ends 31 days before the event and is 250 days long."""
    first, last = world.after(event, -31 - 250), world.after(event, -31 + 1)
    return first, last, world.after(event, WINDOW[0]), world.after(event, WINDOW[1] + 1)


@dataclass(frozen=True)
class Estimates:
    """NumPy's least squares of each event."""

    alpha: np.ndarray
    beta: np.ndarray
    car: np.ndarray
    rss: np.ndarray
    positive: np.ndarray

    @classmethod
    def of(cls, world: World, n: int, bounds: Bounds) -> Estimates:
        """Estimate the first n events."""
        rows = np.empty((n, 5))
        for event in range(n):
            first, last, start, end = bounds(world, event)
            y, x = world.returns[:, world.who[event]], world.market
            design = np.column_stack([np.ones(last - first), x[first:last]])
            (alpha, beta), *_ = np.linalg.lstsq(design, y[first:last])
            residual = y[first:last] - alpha - beta * x[first:last]
            car = (y[start:end] - alpha - beta * x[start:end]).sum()
            rows[event] = alpha, beta, car, residual @ residual, (residual > 0).mean()
        return cls(*rows.T)


Tests = dict[str, tuple[float, float]]


def t_test(car: np.ndarray) -> float:
    return float(car.mean() / (car.std(ddof=1) / np.sqrt(len(car))))


def plain(found: Estimates) -> tuple[np.ndarray | None, Tests]:
    """Divide by M, without prediction error, and look up t(M - 1), by event and of their mean."""
    variance, n = DAYS * found.rss / LENGTH, len(found.car)
    p = 2 * stats.t.sf(np.abs(found.car) / np.sqrt(variance), LENGTH - 1)
    t = found.car.sum() / np.sqrt(variance.sum())
    return p, {"independence": (t, 2 * stats.t.sf(abs(t), n * (LENGTH - 1)))}


def rounded(found: Estimates) -> tuple[np.ndarray | None, Tests]:
    t = t_test(found.car)
    return None, {"cross_sectional": (t, round(2 * stats.norm.sf(abs(t)), 3))}


def without_p(found: Estimates) -> tuple[np.ndarray | None, Tests]:
    """Take s sqrt(L) as standard error, in Patell's z as well."""
    n, share = len(found.car), found.positive.mean()
    above = (found.car > 0).sum()
    scar = found.car / np.sqrt(DAYS * found.rss / (LENGTH - 2))
    tests = {
        "cross_sectional": t_test(found.car),
        "sign": (above / n - 0.5) / np.sqrt(0.25 / n),
        "patell": scar.mean() * np.sqrt(n),
        "generalized_sign": (above - n * share) / np.sqrt(n * share * (1 - share)),
    }
    return None, {key: (float(value), np.nan) for key, value in tests.items()}


def drawn(found: Estimates) -> tuple[np.ndarray | None, Tests]:
    return None, {}


def exact(found: Estimates) -> tuple[np.ndarray | None, Tests]:
    t = t_test(found.car)
    return None, {"cross_sectional": (t, 2 * stats.t.sf(abs(t), len(found.car) - 1))}


@dataclass(frozen=True)
class Peer:
    """A package: what is installed for it, the compared one first, and why its numbers differ.

    `most` events are asked of it where 5,000 take too long or too much memory; `bounds` and `convention` make
    its numbers from least squares.
    """

    name: str
    pins: tuple[str, ...]
    tests: str
    reason: str
    bounds: Bounds = by_session
    convention: Callable[[Estimates], tuple[np.ndarray | None, Tests]] = exact
    most: int | None = None
    bare: bool = False


COMMON = ("numpy==2.4.6", "pandas==3.1.1", "scipy==1.17.1", "statsmodels==0.15.0")
S_ROOT_L = (
    "the same estimates and CARs; residual variance divided by M, not M - 2; no prediction error; t(M - 1)"
)
PEERS = [
    Peer("eventstudy", ("eventstudy==0.1a12", *COMMON), "t", S_ROOT_L, convention=plain),
    Peer(
        "ffjr-eventstudies",
        (
            "ffjr-eventstudies==0.2.0",
            "numpy==1.26.4",
            "pandas==3.0.6",
            "scipy==1.17.1",
            "statsmodels==0.15.0",
        ),
        "t",
        S_ROOT_L,
        convention=plain,
    ),
    Peer(
        "easy-es",
        ("easy-es==0.1.2", *COMMON),
        "t",
        "reads no more than 290 calendar days before the event, so about 170 of the 250 sessions asked for; "
        "p-value of the normal distribution, of three decimals",
        short_estimation,
        rounded,
    ),
    Peer(
        "event-study-toolkit",
        ("event-study-toolkit==1.0.0", *COMMON),
        "t, sign, generalised sign, Patell",
        "the same estimates and CARs; Patell's z without prediction error; no p-values; "
        "one event per security, so each event is given as a security",
        convention=without_p,
        most=1000,
    ),
    Peer(
        "robust-eventstudy",
        ("robust-eventstudy==0.1.0", *COMMON[:3]),
        "bootstrap",
        "all windows in calendar days: about 172 sessions of estimation, and 15 in the event window",
        by_calendar,
        drawn,
    ),
    Peer("statsmodels", COMMON[::-1], "t", "rounding", bare=True),
    Peer("polars-ols", ("polars-ols==0.3.5", "polars==2.1.0", "numpy==2.4.6"), "t", "rounding", bare=True),
]
EVERY = CLOSED + ADJUSTED + RANKS


def environment(folder: Path, pins: tuple[str, ...]) -> Path:
    """Make an environment with these packages, and return its Python."""
    uv = str(Path(sys.executable).with_name("uv"))
    python = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--system-certs",
            "--compile-bytecode",
            "--python",
            str(python),
            *pins,
        ],
    ):
        subprocess.run(command, check=True, capture_output=True, text=True)
    return python


def run(python: list[str], name: str, folder: Path, n: int, tests: list[str]) -> dict[str, object]:
    """Run a package on the first n events; return what it took and found."""
    asked = {"events": n, "estimation": ESTIMATION, "window": WINDOW, "tests": tests}
    (folder / "asked.json").write_text(json.dumps(asked))
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1"
    )
    script = str(Path(__file__).with_name("peers_run.py"))
    ours = {"PYTHONPATH": str(ROOT)} if name == "this" else {}
    subprocess.run(
        [*python, script, name, str(folder)],
        check=True, capture_output=True, text=True, env=os.environ | threads | ours,
    )  # fmt: skip
    with np.load(folder / "numbers.npz") as stored:
        numbers = {key: stored[key] for key in stored.files}
    return json.loads((folder / "taken.json").read_text()) | numbers


def largest(found: object, ours: object) -> float:
    """Largest absolute difference, of what both have."""
    apart = np.abs(np.asarray(found, dtype=float) - np.asarray(ours, dtype=float))
    return float(np.nanmax(apart)) if np.isfinite(apart).any() else np.nan


def differences(found: dict, ours: dict, expected: dict) -> dict[str, float]:
    """Largest differences from ours, and what the reason leaves unexplained."""
    which = found.get("event", slice(None))
    apart = {f"{key}_difference": np.nan for key in ("alpha", "beta", "car", "statistic", "p")}
    left = []
    for key in ("alpha", "beta", "car", "p"):
        if key in found:
            apart[f"{key}_difference"] = largest(found[key], ours[key][: len(found["car"])][which])
            if expected[key] is not None:
                left.append(largest(found[key], expected[key][which]))
    for key, pair in found["tests"].items():
        if key in ours["tests"]:
            for at, kind in enumerate(("statistic", "p")):
                more = largest(pair[at], ours["tests"][key][at])
                apart[f"{kind}_difference"] = np.fmax(apart[f"{kind}_difference"], more)
        if key in expected["tests"]:
            left.append(largest(pair, expected["tests"][key]))
    return apart | {"explained": float(np.nanmax(left))}


def row_of(peer: Peer, world: World, folder: Path, ours: Callable[[int], dict], n: int) -> dict[str, object]:
    """Install, run and compare a package; where that fails, the row says why."""
    n = min(n, peer.most or n)
    said = {"package": peer.name, "version": peer.pins[0].split("==")[1], "events": n, "tests": peer.tests}
    try:
        python = environment(folder / peer.name, peer.pins)
        found = run([str(python), "-I"], peer.name, folder, n, [])
    except (subprocess.CalledProcessError, OSError) as problem:
        lines = (getattr(problem, "stderr", None) or str(problem)).strip().splitlines()
        return said | {"reason": f"not measured: {lines[-1] if lines else 'no message'}"}
    estimates = Estimates.of(world, n, peer.bounds)
    p, tests = peer.convention(estimates)
    expected = vars(estimates) | {"p": p, "tests": tests}
    took = {key: found[key] for key in ("panel", "study", "memory")}
    return said | took | differences(found, ours(n), expected) | {"reason": peer.reason}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5000)
    n = parser.parse_args().events
    rows: list[dict[str, object]] = []

    def add(row: dict[str, object]) -> None:
        rows.append(row)
        print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        panel(folder, n)
        world = World.read(folder)
        known: dict[int, dict] = {}

        def ours(count: int) -> dict:
            if count not in known:
                known[count] = run([sys.executable], "this", folder, count, FEW)
            return known[count]

        for package, tests in (("this: fit()", []), ("this: few tests", FEW), ("this: all tests", EVERY)):
            found = run([sys.executable], "this", folder, n, tests)
            took = {key: found[key] for key in ("panel", "study", "memory")}
            text = f"{len(tests)} closed-form and rank tests" if tests is EVERY else ", ".join(tests)
            add({"package": package, "version": "this checkout", "events": n, "tests": text} | took)
            known |= {n: found} if tests is FEW else {}
        for peer in PEERS:
            add(row_of(peer, world, folder, ours, n))
    frame = pd.DataFrame(rows)
    frame.insert(2, "measured", date.today().isoformat())
    frame.insert(3, "python", platform.python_version())
    frame["bare"] = frame["package"].isin([peer.name for peer in PEERS if peer.bare])
    frame["ms_per_event"] = 1000 * frame["study"] / frame["events"]
    frame["multiple_of_fit"] = frame["ms_per_event"] / frame["ms_per_event"].iloc[0]
    frame.to_csv(TABLE, index=False, float_format="%.4g")
    report(frame)


def report(frame: pd.DataFrame) -> None:
    """Print the ratios with what was asked of them."""
    packages = frame[~frame["bare"] & ~frame["package"].str.startswith("this") & frame["study"].notna()]
    fastest = packages.loc[packages["ms_per_event"].idxmin()]
    own = frame.set_index("package")["ms_per_event"]
    print(f"\nfastest event-study package: {fastest['package']}, {fastest['ms_per_event']:.3f} ms per event")
    for package, asked in (("this: fit()", 20), ("this: few tests", None), ("this: all tests", 1)):
        asked_for = f"   asked: at least {asked}" if asked else ""
        print(f"{package:<20}{fastest['ms_per_event'] / own[package]:>8.1f} x as fast{asked_for}")


if __name__ == "__main__":
    main()
