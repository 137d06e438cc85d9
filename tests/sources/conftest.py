from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EVENTSTUDY_CACHE_DIR", str(folder))
    return folder
