"""Run one package on the panel that peers.py wrote, in that package's own environment.

    python benchmarks/peers_run.py <package> <folder>

Needs numpy and the package alone. Each runner is a generator: it imports, then takes the panel over, then
runs the study, and at last yields its numbers, so each part is timed alone. Memory is the most that the
process held beyond its imports.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Numbers = dict[str, Any]
Runner = Iterator[Numbers | None]


@dataclass(frozen=True)
class Panel:
    """Returns by session and security, those of the market, and events by column and row.

    `estimation` and `window` are positions beside the event's row, ends included; `tests` are asked of this
    library alone.
    """

    returns: np.ndarray
    market: np.ndarray
    days: np.ndarray
    who: np.ndarray
    row: np.ndarray
    estimation: tuple[int, int]
    window: tuple[int, int]
    tests: list[str]
    folder: Path

    @classmethod
    def read(cls, folder: Path) -> Panel:
        """Read what peers.py wrote."""
        asked = json.loads((folder / "asked.json").read_text())
        with np.load(folder / "panel.npz") as stored:
            arrays = {name: stored[name] for name in stored.files}
        n = asked.pop("events")
        arrays["who"], arrays["row"] = arrays["who"][:n], arrays["row"][:n]
        return cls(**arrays, **asked, folder=folder)

    @property
    def names(self) -> list[str]:
        """Names of the securities."""
        return [f"S{i:04d}" for i in range(self.returns.shape[1])]

    @property
    def length(self) -> int:
        """Sessions of estimation."""
        return self.estimation[1] - self.estimation[0] + 1

    @property
    def buffer(self) -> int:
        """Sessions between the two windows."""
        return self.window[0] - self.estimation[1] - 1

    def wide(self) -> Any:
        """Lay the returns out as a frame, a column per security and one of the market."""
        import pandas as pd

        frame = pd.DataFrame(self.returns, index=pd.DatetimeIndex(self.days, name="date"), columns=self.names)
        return frame.assign(index=self.market)


def own(panel: Panel) -> Runner:
    """Run this library.

    It imports what is first used, so a study of a few events counts as its import. It checks a market once,
    at the first study of it; that counts as handing over the panel.
    """
    import pandas as pd

    import eventstudy as es

    names = np.array(panel.names, dtype=object)[panel.who]

    def taken(n: int) -> tuple[Any, Any]:
        market = es.Market(panel.wide(), benchmark="index", gaps="single")
        return market, es.Events(pd.DataFrame({"security": names[:n], "date": panel.days[panel.row[:n]]}))

    def studied(market: Any, events: Any) -> tuple[Any, Any]:
        results = es.EventStudy(market, events, None, panel.estimation, panel.window).fit()
        if not panel.tests:
            return results, None
        results.aar(), results.car(*panel.window)
        return results, results.test(*panel.window, tests=panel.tests)

    studied(*taken(30))
    yield None
    market, events = taken(len(names))
    es.EventStudy(market, events.take([0]), None, panel.estimation, panel.window).fit()
    yield None
    results, tests = studied(market, events)
    yield None
    cars = results.car(*panel.window)
    found = {name: results.parameters[name].to_numpy() for name in ("alpha", "beta")}
    answer: Numbers = found | {"car": cars["car"].to_numpy(), "p": cars["p_value"].to_numpy()}
    if tests is not None:
        answer["tests"] = tests.set_index("test")[["statistic", "p_value"]].T.to_dict("list")
    yield answer


def _one_by_one(panel: Panel, sample: Any, pooled: Any) -> Numbers:
    """Numbers of the two packages that share their classes."""
    models = np.array([event.model.params for event in sample])
    return {
        "alpha": models[:, 0],
        "beta": models[:, 1],
        "car": np.array([event.CAR[-1] for event in sample]),
        "p": np.array([event.pvalue[-1] for event in sample]),
        "tests": {"independence": [float(pooled.tstat[-1]), float(pooled.pvalue[-1])]},
    }


def eventstudy(panel: Panel) -> Runner:
    """`eventstudy`: reads returns from CSV into its class."""
    from eventstudy import Multiple, Single

    yield None
    file = panel.folder / "returns.csv"
    panel.wide().to_csv(file)
    Single.import_returns(str(file))
    events = [
        {"security_ticker": f"S{who:04d}", "market_ticker": "index", "event_date": panel.days[row]}
        for who, row in zip(panel.who, panel.row, strict=True)
    ]
    yield None
    pooled = Multiple.from_list(
        events,
        Single.market_model,
        panel.window,
        panel.length,
        panel.buffer,
        keep_model=True,
        ignore_errors=False,
    )
    yield None
    yield _one_by_one(panel, pooled.sample, pooled)


def ffjr(panel: Panel) -> Runner:
    """`ffjr-eventstudies`: a fork of the same; takes a frame."""
    from eventstudies import MultipleEvents, SingleEvent

    yield None
    SingleEvent.import_returns(dataframe=panel.wide())
    events = [
        {"ticker": f"S{who:04d}", "mkt_idx": "index", "event_date": panel.days[row]}
        for who, row in zip(panel.who, panel.row, strict=True)
    ]
    yield None
    pooled = MultipleEvents.from_list(
        events, SingleEvent.MarketModel, panel.window, panel.length, panel.buffer, ignore_errors=False
    )
    yield None
    yield _one_by_one(panel, pooled.sample, pooled)


def easy_es(panel: Panel) -> Runner:
    """`easy-es`: long frames, one process asked for."""
    import pandas as pd
    from easy_es import EventStudy, calculate_car_stats

    yield None
    days = pd.DatetimeIndex(panel.days).date
    names = np.array(panel.names, dtype=object)
    shape = panel.returns.shape
    long = pd.DataFrame(
        {
            "Ret": panel.returns.T.ravel(),
            "Date": np.tile(days, shape[1]),
            "ticker": np.repeat(names, shape[0]),
            "Volume": 1.0,
        }
    )
    study = EventStudy(
        panel.length, panel.buffer, -panel.window[0], panel.window[1], estimator_type="capm", n_cores=1
    )
    study.add_returns(ret_df=long)
    study.add_factors(pd.DataFrame({"Date": days, "Mkt-RF": panel.market, "RF": 0.0}))
    events = pd.DataFrame({"ticker": names[panel.who], "event_date": panel.days[panel.row]})
    yield None
    found = study.run_study(events)
    stats = calculate_car_stats(found)
    yield None
    last = found[found["Offset"] == panel.window[1]].sort_values("event_id")
    t, p = stats.loc[panel.window[1], ["t_stat", "p_value"]]
    yield {
        "event": last["event_id"].to_numpy(dtype=int),
        "car": last["car"].to_numpy(),
        "tests": {"cross_sectional": [float(t), float(p)]},
    }


def toolkit(panel: Panel) -> Runner:
    """`event-study-toolkit`: one id per event, as it pools the days of the events that share one."""
    import pandas as pd
    from event_study_toolkit import eventstudy as module

    yield None
    n, sessions = len(panel.who), len(panel.days)
    long = pd.DataFrame(
        {
            "permno": np.repeat(np.arange(n), sessions),
            "date": np.tile(panel.days, n),
            "ret_dlst_adj": panel.returns[:, panel.who].T.ravel(),
            "vwretd": np.tile(panel.market, n),
        }
    )
    events = pd.DataFrame({"permno": np.arange(n), "EVT_DATE": panel.days[panel.row], "group": 1})
    yield None
    study = module.eventstudy(panel.length, panel.buffer, *panel.window, long, events, groups=["group"])
    found = study.getFullSampleTestStatistic("market").iloc[0]
    yield None
    models, cars = study.runModel("market"), study.getCARS("market").sort_values("permno")
    tests = {"cross_sectional": "car_t", "sign": "tsign", "patell": "tpatell", "generalized_sign": "gen_z"}
    yield {
        "alpha": models["Intercept"].to_numpy(),
        "beta": models["vwretd"].to_numpy(),
        "car": cars["car"].to_numpy(),
        "tests": {key: [float(found[name]), math.nan] for key, name in tests.items()},
    }


def robust(panel: Panel) -> Runner:
    """`robust-eventstudy`: one series at a time; its test of averages that allows dates of their own."""
    import pandas as pd
    from robust_eventstudy import BootstrapBCA, MarketModel

    yield None
    days = pd.DatetimeIndex(panel.days)
    market = pd.Series(panel.market, days)
    series = [pd.Series(column, days) for column in panel.returns.T]
    yield None
    model = MarketModel(panel.length, -panel.estimation[1] - 1)
    model.set_market_returns(market)
    found = [
        model.compute_abnormal_returns(series[who], days[row], panel.window)
        for who, row in zip(panel.who, panel.row, strict=True)
    ]
    cars = np.array([each["car"] for each in found])
    pooled = BootstrapBCA().compute_bca_ci(cars)
    yield None
    yield {
        "alpha": np.array([each["alpha"] for each in found]),
        "beta": np.array([each["beta"] for each in found]),
        "car": cars,
        "tests": {"bootstrap": [math.nan, float(pooled["bootstrap_pvalue"])]},
    }


def statsmodels(panel: Panel) -> Runner:
    """Bare loop of OLS over arrays, with a t-test of the CARs."""
    import statsmodels.api as sm
    from scipy.stats import ttest_1samp

    yield None
    columns, market = np.ascontiguousarray(panel.returns.T), panel.market
    yield None
    params, cars = np.empty((len(panel.who), 2)), np.empty(len(panel.who))
    for i, (who, row) in enumerate(zip(panel.who, panel.row, strict=True)):
        past, ahead = (slice(row + a, row + b + 1) for a, b in (panel.estimation, panel.window))
        fit = sm.OLS(columns[who, past], sm.add_constant(market[past])).fit()
        cars[i] = (columns[who, ahead] - fit.predict(sm.add_constant(market[ahead]))).sum()
        params[i] = fit.params
    t = ttest_1samp(cars, 0.0)
    yield None
    tests = {"cross_sectional": [float(t.statistic), float(t.pvalue)]}
    yield {"alpha": params[:, 0], "beta": params[:, 1], "car": cars, "tests": tests}


def polars_ols(panel: Panel) -> Runner:
    """Bare expression of polars-ols, a group per event, with the t of the CARs by hand."""
    import polars as pl
    import polars_ols  # noqa: F401  (registers the expressions)

    yield None
    long = pl.DataFrame(
        {
            "who": np.repeat(np.arange(panel.returns.shape[1]), len(panel.days)),
            "row": np.tile(np.arange(len(panel.days)), panel.returns.shape[1]),
            "ret": panel.returns.T.ravel(),
            "market": np.tile(panel.market, panel.returns.shape[1]),
        }
    )
    events = pl.DataFrame({"event": np.arange(len(panel.who)), "who": panel.who, "day0": panel.row})
    yield None

    def rows(window: tuple[int, int]) -> Any:
        days = pl.DataFrame({"day": np.arange(window[0], window[1] + 1)})
        every = events.join(days, how="cross").with_columns(row=pl.col("day0") + pl.col("day"))
        return every.join(long, on=["who", "row"], how="left")

    ols = pl.col("ret").least_squares.ols(pl.col("market"), add_intercept=True, mode="coefficients")
    fits = rows(panel.estimation).group_by("event", maintain_order=True).agg(ols.alias("fit")).unnest("fit")
    fits = fits.rename({"market": "beta", "const": "alpha"})
    expected = pl.col("alpha") + pl.col("beta") * pl.col("market")
    ahead = rows(panel.window).join(fits, on="event")
    cars = ahead.group_by("event", maintain_order=True).agg(car=(pl.col("ret") - expected).sum())
    t = float(cars["car"].mean() / (cars["car"].std() / math.sqrt(len(cars))))
    yield None
    yield {
        "alpha": fits["alpha"].to_numpy(),
        "beta": fits["beta"].to_numpy(),
        "car": cars["car"].to_numpy(),
        "tests": {"cross_sectional": [t, math.nan]},
    }


RUNNERS: dict[str, Callable[[Panel], Runner]] = {
    "this": own,
    "eventstudy": eventstudy,
    "ffjr-eventstudies": ffjr,
    "easy-es": easy_es,
    "event-study-toolkit": toolkit,
    "robust-eventstudy": robust,
    "statsmodels": statsmodels,
    "polars-ols": polars_ols,
}


def held() -> float:
    """Most memory that this process held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says of a process counts its parent's memory when it was started
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    panel = Panel.read(folder)
    parts = RUNNERS[name](panel)
    next(parts)
    imported, times = held(), []
    for _ in ("panel", "study"):
        begun = time.process_time()
        next(parts)
        times.append(time.process_time() - begun)
    most = held()
    numbers = next(parts)
    assert numbers is not None
    tests = numbers.pop("tests", {})
    np.savez(folder / "numbers.npz", **numbers)
    taken = {"panel": times[0], "study": times[1], "memory": most - imported, "tests": tests}
    (folder / "taken.json").write_text(json.dumps(taken))


if __name__ == "__main__":
    main()
