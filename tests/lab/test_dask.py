"""Every experiment gives the same frame on a Dask cluster as alone."""

from __future__ import annotations

import joblib
import pandas as pd
from distributed import Client

import eventstudy as es
from eventstudy.lab import SimulatedMarket


def experiments(world: SimulatedMarket, study: es.EventStudyResults) -> dict[str, pd.DataFrame]:
    choices = {"estimations": [(-120, -11), (-90, -11)], "windows": [(0, 0), (0, 1)], "n_placebo": 9}
    return {
        "calibrate": es.lab.calibrate(
            world.market,
            n_events=8,
            n_samples=45,
            estimation=(-120, -11),
            tests=["bmp", "grank_t"],
            shift=[0],
            seed=5,
        ).frame,
        "power": es.lab.power(study, effects=[0, 0.02], n_samples=45, seed=5).frame,
        "placebo": es.lab.placebo(study, n_firms=60, seed=5).frame,
        "specification_curve": es.lab.specification_curve(
            world.market, world.truth.events, tests=["bmp"], seed=5, **choices
        ).frame,
    }


def test_the_same_seed_gives_the_same_frames(
    world: SimulatedMarket, study: es.EventStudyResults, cluster: Client
) -> None:
    alone = experiments(world, study)
    with joblib.parallel_config(backend="dask"):
        together = experiments(world, study)
    for name, frame in alone.items():
        pd.testing.assert_frame_equal(together[name], frame, obj=name)
