"""Calibration: size, power, designs copied from studies, and the same numbers however it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.errors import DataWarning, EventStudyError, RequestError
from eventstudy.inference import TESTS
from eventstudy.lab import SimulatedMarket, sample_tests
from eventstudy.lab.blocks import run_blocks
from eventstudy.lab.placebo_events import candidates_of, date_clusters, draw_events
from eventstudy.plotting import plot_size
from eventstudy.windows import Window

SMALL: dict[str, Any] = {
    "n_events": 8,
    "tests": ["bmp", "adjusted_bmp", "portfolio", "grank_t"],
    "n_samples": 60,
    "estimation": (-120, -11),
    "shift": [0.0, 0.02],
    "variance": [1.0],
    "seed": 5,
}


@pytest.mark.slow
def test_independent_normal_events_are_rejected_as_often_as_promised() -> None:
    market, _ = es.lab.simulate_market(80, 600, tick=1e-6, seed=3)
    found = es.lab.calibrate(
        market, n_events=20, n_samples=400, estimation=(-150, -11), shift=[0], variance=[1], seed=1
    )
    frame = found.frame.dropna(subset=["rate"]).set_index("test")
    # 22 tests at once: intervals of 99.9%.
    low, high = stats.binom.interval(0.999, 400, 0.05)
    rejected = frame["n_rejected"]
    assert set(frame.index) >= {"patell", "bmp", "grank_t", "rank", "sign", "wilcoxon"}
    assert (rejected <= high).all(), rejected[rejected > high]
    # The exact sign test of 20 events cannot reach 5%: it rejects at 4.1%.
    assert (rejected >= low).all(), rejected[rejected < low]


def test_a_common_date_breaks_the_tests_that_assume_independence(world: SimulatedMarket) -> None:
    tests = ["bmp", "cross_sectional", "adjusted_bmp", "portfolio"]
    found = es.lab.calibrate(
        world.market, n_events=20, n_samples=300, common_date=True, tests=tests,
        estimation=(-150, -11), shift=[0], variance=[1, 2], seed=1,
    )  # fmt: skip
    size = found.size()["Market model (OLS)"]
    assert size.loc["bmp", 1.0] > 0.3
    assert size.loc["cross_sectional", 1.0] > 0.3
    assert size.loc["adjusted_bmp", 1.0] < 0.12
    assert size.loc["portfolio", 1.0] < 0.12
    assert size.loc["adjusted_bmp", 2.0] == size.loc["adjusted_bmp", 1.0]
    assert size.loc["portfolio", 2.0] > size.loc["portfolio", 1.0] + 0.05
    told = found.describe("bmp")
    assert "with 20 events on one date, BMP t rejects" in told
    assert f"{size.loc['bmp', 1.0]:.1%}" in told


def test_power_grows_with_the_shift_and_falls_with_the_variance() -> None:
    market, _ = es.lab.simulate_market(60, 500, sigma=(0.02, 0.02), tick=1e-6, seed=3)
    shifts = [0.0, 0.005, 0.01, 0.02]
    found = es.lab.calibrate(
        market, 0, 0, n_events=20, n_samples=200, estimation=(-150, -11), tests=["patell", "cross_sectional"],
        shift=shifts, variance=[1, 2], seed=1,
    )  # fmt: skip
    rate = found.frame.pivot(index="shift", columns=["test", "variance"], values="rate")
    assert (rate.diff().dropna() > 0).all().all() | (rate.iloc[-1] > 0.95).all()
    assert (rate.loc[0.01, [("cross_sectional", 2.0)]] < rate.loc[0.01, ("cross_sectional", 1.0)]).all()
    for delta in shifts:
        distance = delta * np.sqrt(20) / 0.02
        expected = stats.norm.sf(1.96 - distance) + stats.norm.cdf(-1.96 - distance)
        assert rate.loc[delta, ("patell", 1.0)] == pytest.approx(expected, abs=0.1)


def test_the_frame_counts_what_the_p_values_say(world: SimulatedMarket) -> None:
    found = es.lab.calibrate(world.market, **(SMALL | {"tests": ["bmp", "t"]}))
    assert found.p_values.shape == (60, 1, 1, 2, 2)
    frame = found.rates(alpha=0.1)
    row = frame[(frame["test"] == "bmp") & (frame["shift"] == 0.02)].iloc[0]
    p = found.p_values[:, 0, 0, 1, 0]
    assert row["n_rejected"] == (p <= 0.1).sum()
    assert row["rate"] == pytest.approx((p <= 0.1).mean())
    n, x, z = 60, row["n_rejected"], stats.norm.ppf(0.975)
    centre, half = (x + z * z / 2) / (n + z * z), z / (n + z * z) * np.sqrt(x * (n - x) / n + z * z / 4)
    assert row["ci_low"] == pytest.approx(centre - half)
    assert row["ci_high"] == pytest.approx(centre + half)
    single = frame[frame["test"] == "t"]
    assert (single["n_samples"] == 0).all()
    assert single["rate"].isna().all()
    assert single["note"].str.contains("one event, there are 8").all()
    assert frame.loc[frame["shift"] > 0, "well_specified"].isna().all()


def test_few_samples_give_no_verdict(world: SimulatedMarket) -> None:
    """One sample says that the size is between 0 and 79%, which decides nothing."""
    few = es.lab.calibrate(world.market, **(SMALL | {"tests": ["bmp"], "shift": [0], "n_samples": 1}))
    assert few.rates()["well_specified"].isna().all()
    frame = es.lab.calibrate(world.market, **(SMALL | {"tests": ["bmp"], "shift": [0]})).rates(alpha=0.4)
    holds = (frame["ci_low"] <= 0.4) & (frame["ci_high"] >= 0.4)
    assert frame["ci_high"].max() < 0.8
    assert frame["well_specified"].tolist() == holds.tolist()


def test_one_sample_is_the_study_of_its_events(world: SimulatedMarket) -> None:
    found = es.lab.calibrate(world.market, **(SMALL | {"tests": ["bmp", "grank_t", "jaffe"]}))
    sample, _ = found.design.sample(7)
    study = es.EventStudy(world.market, sample.events, estimation=(-120, -11), window=(0, 1)).fit()
    expected = study.test(0, 1, tests=["bmp", "grank_t", "jaffe"])["p_value"].to_numpy()
    np.testing.assert_allclose(found.p_values[7, 0, 0, 0], expected, rtol=1e-10)


@pytest.mark.parametrize(("backend", "jobs"), [("threading", 2), ("loky", 2), ("sequential", None)])
def test_the_same_seed_gives_the_same_frame_on_any_workers(
    world: SimulatedMarket, backend: str, jobs: int | None
) -> None:
    alone = es.lab.calibrate(world.market, **SMALL)
    with joblib.parallel_config(backend=backend):
        together = es.lab.calibrate(world.market, n_jobs=jobs, **SMALL)
    np.testing.assert_array_equal(together.p_values, alone.p_values)
    pd.testing.assert_frame_equal(together.frame, alone.frame)


def test_resampling_tests_have_a_stream_of_their_own(world: SimulatedMarket) -> None:
    few = SMALL | {"n_samples": 4, "shift": [0.0]}
    one, same = (es.lab.calibrate(world.market, **(few | {"tests": ["wild_bootstrap"]})) for _ in range(2))
    np.testing.assert_array_equal(one.p_values, same.p_values)
    both = es.lab.calibrate(world.market, **(few | {"tests": ["bmp", "wild_bootstrap"]}))
    np.testing.assert_array_equal(both.p_values[..., 1:], one.p_values)
    assert len(np.unique(one.p_values)) > 1


def test_like_copies_the_design_of_a_study(study: es.EventStudyResults) -> None:
    found = es.lab.calibrate(like=study, n_samples=30, shift=[0], variance=[1], seed=1)
    design = found.design
    assert (design.n_events, design.n_dates) == (12, 1)
    assert (design.estimation, design.window, design.tested) == (
        Window(-150, -11),
        Window(-5, 5),
        Window(0, 1),
    )
    assert design.market is study.spec.market
    assert [name for name, _ in design.models] == ["Market model (OLS)"]
    real = study.sample
    for number in range(30):
        sample, _ = design.sample(number)
        assert len(np.unique(sample.security)) == 12
        assert len(np.unique(sample.day0)) == 1
        apart = np.abs(sample.day0[0] - real.day0[0]) > 5
        assert apart | (not set(sample.security) & set(real.security))


def test_placebo_events_avoid_announcements(world: SimulatedMarket) -> None:
    market = world.market
    days = market.sessions[200:260]
    avoid = es.Events([{"security": "S01", "date": d} for d in days] + [{"security": "S02", "date": days[0]}])
    found = es.lab.calibrate(market, avoid=avoid, **SMALL)
    usable = found.design.candidates.usable
    row = {name: i for i, name in enumerate(found.design.names)}
    assert not usable[row["S01"], 199:260].any()
    assert usable[row["S01"], 198]
    assert usable[row["S01"], 260]
    assert not usable[row["S02"], 199:201].any()
    assert usable[row["S02"], 201]


def test_the_pool_holds_what_can_be_measured() -> None:
    market, _ = es.lab.simulate_market(6, 200, thin=0.15, seed=2)
    estimation, window = Window(-60, -11), Window(-2, 2)
    pool = candidates_of(market, estimation, window, Window(0, 1), 40)
    single = market.arrays.single
    assert not pool.usable[:, :60].any()
    assert not pool.usable[:, -2:].any()
    for s in range(6):
        for t in range(60, 198):
            past = (~np.isnan(single[s, t - 60 : t - 10])).sum() >= 40
            assert pool.usable[s, t] == (past and not np.isnan(single[s, t : t + 2]).any())


def test_a_benchmark_that_is_a_column_is_no_placebo_security() -> None:
    prices = es.datasets.surveillance_prices()
    market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    found = es.lab.calibrate(
        market, n_events=5, n_samples=20, common_date=True, tests=["bmp"], shift=[0], variance=[1]
    )
    at = list(found.design.names).index("399001.SZ")
    assert not found.design.candidates.usable[at].any()
    assert found.design.candidates.usable.any()


def test_episodes_keep_clusters_and_their_inner_spacing(world: SimulatedMarket) -> None:
    clusters = date_clusters(np.array([30, 10, 11, 11, 13, 30]), 2)
    assert clusters == (((0, 1), (1, 2)), ((0, 1),), ((0, 2),))
    pool = candidates_of(world.market, Window(-60, -11), Window(0, 1), Window(0, 1), 30)
    security, day0 = draw_events(pool, clusters, np.random.default_rng(0))
    assert len(security) == 6
    assert day0[1] == day0[2] == day0[0] + 1
    assert security[1] != security[2]
    assert day0[4] == day0[5]
    assert pool.usable[security, day0].all()


def test_an_interrupted_calibration_goes_on_where_it_stopped(
    world: SimulatedMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.npz"
    monkeypatch.setattr(sample_tests, "MOST_SAMPLES", 20)
    alone = es.lab.calibrate(world.market, **SMALL)
    kind = type(alone.design)
    compute, done = kind.p_values, []

    def stops(design: Any, block: int) -> np.ndarray:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(block)
        return compute(design, block)

    monkeypatch.setattr(kind, "p_values", stops)
    with pytest.raises(KeyboardInterrupt):
        es.lab.calibrate(world.market, checkpoint=path, **SMALL)
    assert done == [0, 1]
    done[:] = [None]  # one more block may be computed, and no more than that
    monkeypatch.setattr(kind, "p_values", lambda design, block: done.append(block) or compute(design, block))
    resumed = es.lab.calibrate(world.market, checkpoint=path, **SMALL)
    assert done == [None, 2]
    pd.testing.assert_frame_equal(resumed.frame, alone.frame)
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]
    with pytest.raises(RequestError, match="other data or settings"):
        es.lab.calibrate(world.market, checkpoint=path, **(SMALL | {"seed": 6}))


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.npz"
    path.write_text("my notes")
    with pytest.raises(RequestError, match="not a checkpoint"):
        run_blocks(lambda number: np.zeros(1), 1, name="x", checkpoint=path)
    assert path.read_text() == "my notes"
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").replace(tmp_path / "array.npz")
    with pytest.raises(RequestError, match="not a checkpoint"):
        run_blocks(lambda number: np.zeros(1), 1, name="x", checkpoint=tmp_path / "array.npz")


@pytest.mark.parametrize("kept", [0, 2, 300, -10])
def test_a_torn_checkpoint_is_set_aside(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "run.npz"
    first = run_blocks(np.zeros, 3, name="x", checkpoint=path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.warns(DataWarning, match=r"not whole .*set aside as run\.npz\.damaged"):
        again = run_blocks(np.zeros, 3, name="x", checkpoint=path)
    assert all(map(np.array_equal, first, again))
    assert run_blocks(np.zeros, 3, name="x", checkpoint=path)[2].shape == (2,)


def test_a_folder_that_does_not_exist_is_told_before_the_work(tmp_path: Path) -> None:
    done: list[int] = []
    with pytest.raises(RequestError, match=r"checkpoint .* cannot be written"):
        run_blocks(lambda number: done.append(number), 3, name="x", checkpoint=tmp_path / "no" / "run")
    assert done == []


def test_a_backend_without_generators() -> None:
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        assert [len(one) for one in run_blocks(np.zeros, 3, name="x")] == [0, 1, 2]


def test_the_size_of_tests_that_never_reject_is_drawn() -> None:
    rates = [0.0, 0.0, 1.0, 1.0]
    frame = pd.DataFrame({"test": list("abcd"), "rate": rates, "ci_low": [2e-19, 0, 0.9, 1 + 1e-16]})
    ax = plot_size(frame.assign(ci_high=[0.1, 0.1, 1 - 1e-16, 1.0]))
    assert ax.get_xlim()[1] > 1


def test_several_models_stand_side_by_side(world: SimulatedMarket) -> None:
    models = {"mean": es.ConstantMean(), "ols": es.MarketModel()}
    found = es.lab.calibrate(world.market, models=models, **SMALL)
    assert list(found.size().columns.get_level_values("model")) == ["mean", "ols"]
    alone = es.lab.calibrate(world.market, models=[es.MarketModel()], **SMALL)
    np.testing.assert_array_equal(found.p_values[:, 1:], alone.p_values)


def test_figures(world: SimulatedMarket) -> None:
    found = es.lab.calibrate(world.market, **(SMALL | {"tests": ["bmp", "adjusted_bmp", "t"]}))
    names = [label.get_text() for label in found.plot.size().get_yticklabels()]
    assert names == ["bmp", "adjusted_bmp"]
    power = found.plot.power(["bmp"])
    np.testing.assert_allclose(power.lines[0].get_xdata(), [0.0, 0.02])
    frame = found.frame.query("test == 'bmp'")
    np.testing.assert_allclose(power.lines[0].get_ydata(), frame["rate"])


def test_one_event_is_calibrated_with_the_tests_of_one_event(world: SimulatedMarket) -> None:
    found = es.lab.calibrate(
        world.market, **(SMALL | {"n_events": 1, "n_samples": 200, "shift": [0.0], "tests": None})
    )
    assert set(found.design.tests) <= {key for key in TESTS if TESTS[key].null}
    frame = found.frame.set_index("test")
    assert {"t", "sq"} <= set(frame.index)
    assert frame.loc["t", "rate"] < 0.1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"n_events": 0}, "n_events"),
        ({"n_samples": 2.5}, "n_samples"),
        ({"shift": []}, "shift"),
        ({"variance": [0.0]}, "variance"),
        ({"seed": -1}, "seed"),
        ({"start": 1, "end": 2}, "day 0"),
        ({"estimation": (-60, 0)}, "reaches into"),
        ({"n_events": 61, "common_date": True}, "needs 61 usable securities"),
        ({"estimation": (-600, -11)}, "at most 0"),
        ({"tests": ["bpm"]}, "Did you mean"),
        ({"models": []}, "models is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(world: SimulatedMarket, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        es.lab.calibrate(world.market, **(SMALL | wrong))


def test_only_results_of_a_study_are_imitated(world: SimulatedMarket) -> None:
    for like in (world.market, "study"):
        with pytest.raises(
            RequestError, match=r"like= takes the results of an EventStudy; got \w+\. A CausalStudy"
        ):
            es.lab.calibrate(like=like)


def test_a_market_is_needed() -> None:
    with pytest.raises(RequestError, match="needs a market"):
        es.lab.calibrate()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"n_events": 10}, "n_events=10 is for a design of your own; like=, a study, has its own"),
        ({"min_observations": 50}, "min_observations=50 is for a design of your own"),
        ({"tests": []}, "tests is empty"),
        ({"shift": [0, 2]}, r"shift holds 2, an abnormal return of 200%.* Are these percent\?"),
        ({"avoid": 3}, "Events takes"),
    ],
)
def test_options_are_not_ignored(study: es.EventStudyResults, option: dict[str, Any], told: str) -> None:
    with pytest.raises(EventStudyError, match=told):
        es.lab.calibrate(like=study, n_samples=2, **option)


@pytest.mark.parametrize("given", [[-250, -30], Window(-250, -30), np.array([-250, -30])], ids=repr)
def test_defaults_in_other_types_are_defaults(study: es.EventStudyResults, given: Any) -> None:
    same = {"estimation": given, "n_events": np.int64(30), "common_date": np.False_}
    frames = [
        es.lab.calibrate(like=study, n_samples=2, tests=["t"], seed=1, **more).frame for more in ({}, same)
    ]
    pd.testing.assert_frame_equal(*frames)
    assert es.lab.power(study, estimation=given).mde() == es.lab.power(study).mde()
    for other in ([-250, -20], [[-250, -30]], [-250], None, "-250", [[1], [2, 3]]):
        with pytest.raises(RequestError, match=r"estimation=.* a study has its own"):
            es.lab.power(study, estimation=other)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", [{"shift": [0.0, 0.01]}, {"n_events": 5}, {"alternative": "less"}])
def test_a_causal_study_settles_its_design(world: SimulatedMarket, option: dict[str, Any]) -> None:
    study = es.CausalStudy(
        world.market, world.truth.events.iloc[:1], estimation=(-150, -11), window=(0, 1), min_donors=2
    )
    with pytest.raises(RequestError, match="a CausalStudy has its own"):
        es.lab.calibrate(study, n_samples=2, **option)


def test_defaults_of_a_causal_study_may_be_arrays(world: SimulatedMarket) -> None:
    study = es.CausalStudy(
        world.market, world.truth.events.iloc[:1], estimation=(-150, -11), window=(0, 1), min_donors=2
    )
    same: dict[str, Any] = {"shift": np.array([0.0, 0.005, 0.01, 0.02]), "variance": [1, 2]}
    assert len(es.lab.calibrate(study, n_samples=1, tests=["placebo"], **same).p_values) == 1


def test_dates_that_must_be_drawn_twice_are_counted_once(world: SimulatedMarket) -> None:
    found = es.lab.calibrate(
        world.market, n_events=5000, n_samples=1, tests=["cross_sectional"], shift=[0], variance=[1]
    )
    assert found.n_events == 5000
    assert found.n_dates < len(world.market.sessions)
    assert repr(found).startswith(f"Calibration: 1 sample of 5000 events on {found.n_dates} dates")
