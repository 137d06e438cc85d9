"""Where prices and factors come from: Yahoo, files, Ken French's library, and what was kept of them."""

from eventstudy.sources.cache import cache_folder, clear_cache, load_snapshot, snapshot
from eventstudy.sources.factor_files import read_factors
from eventstudy.sources.french_library import french_factors, read_french
from eventstudy.sources.price_files import read_prices
from eventstudy.sources.yahoo import outcome, prices, share_counts

__all__ = [
    "cache_folder",
    "clear_cache",
    "french_factors",
    "load_snapshot",
    "outcome",
    "prices",
    "read_factors",
    "read_french",
    "read_prices",
    "share_counts",
    "snapshot",
]
