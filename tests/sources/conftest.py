from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
import yfinance
import yfinance.base
import yfinance.cache
from yfinance.data import SingletonMeta, YfData

sys.path.insert(0, str(Path(__file__).parent))

from yahoo_server import LoopbackSession, YahooServer


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EVENTSTUDY_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[YahooServer]:
    """Start a server on 127.0.0.1 to which the real yfinance is sent, with nothing remembered from before."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(SingletonMeta, "_instances", {})
    monkeypatch.setattr(yfinance.base, "_tz_info_fetch_ctr", 0)
    monkeypatch.setattr(yfinance.cache._TzCacheManager, "_tz_cache", yfinance.cache._TzCacheDummy())
    monkeypatch.setattr(
        yfinance.cache._CookieCacheManager, "_Cookie_cache", yfinance.cache._CookieCacheDummy()
    )
    YfData.cache_get.cache_clear()
    running = YahooServer()
    running.session = LoopbackSession(running)
    YfData(session=running.session)
    # Retries as in earnest, but without the pauses.
    with stamina.set_testing(True, attempts=3, cap=True):
        yield running
    running.stop()
    YfData.cache_get.cache_clear()
    assert yfinance.config.debug.hide_exceptions is not False, "yfinance's setting was not put back"
