"""Where prices and factors come from: Yahoo, files, Ken French's library, and what was kept of them."""

from eventstudy.sources.cache import cache_folder, clear_cache, load_snapshot, snapshot
from eventstudy.sources.yahoo import outcome, prices

__all__ = ["cache_folder", "clear_cache", "load_snapshot", "outcome", "prices", "snapshot"]
