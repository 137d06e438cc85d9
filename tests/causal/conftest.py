"""Reference panels of the causal tests, which lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

FloatArray = npt.NDArray[np.float64]


@pytest.fixture(scope="session")
def causal(shared_reference: Path) -> Path:
    """Folder of the reference numbers."""
    return shared_reference / "causal"


@pytest.fixture(scope="session")
def panel(causal: Path) -> pd.DataFrame:
    """Simulated returns: 60 donors, five treated and their mean; 250 days before the event and ten after."""
    frame = pd.read_csv(causal / "data" / "sim_returns_wide.csv", index_col="day")
    return frame.assign(pooled=frame[[f"T{i}" for i in range(1, 6)]].mean(axis=1))


@pytest.fixture(scope="session")
def donors(panel: pd.DataFrame) -> FloatArray:
    return panel[[f"D{i:02d}" for i in range(1, 61)]].to_numpy()


@pytest.fixture(scope="session")
def treated(panel: pd.DataFrame) -> FloatArray:
    return panel[[f"T{i}" for i in range(1, 6)]].to_numpy()


@pytest.fixture(scope="session")
def california(causal: Path) -> tuple[FloatArray, FloatArray]:
    """Packs per capita, years × states without California, and California; 19 years before the event."""
    wide = pd.read_csv(causal / "data" / "california_prop99.csv").pivot(
        index="Year", columns="State", values="PacksPerCapita"
    )
    return wide.drop(columns="California").to_numpy(), wide[["California"]].to_numpy()
