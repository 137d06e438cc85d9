"""Bundled facts: real prices small enough to ship, and the announcements that moved them.

More prices come from Yahoo Finance through yfinance: `eventstudy.prices` fetches the tickers of the
announcements and their benchmarks (columns `security` and `benchmark`) and keeps what came.
``examples/all_announcements.py`` measures all announcements that bundled prices cover and, with ``--live``,
those of every exchange.
"""

from eventstudy.datasets.bans import BanAnnouncements, ban_announcements
from eventstudy.datasets.official_lists import EntityList, entity_list
from eventstudy.datasets.surveillance import surveillance_names, surveillance_prices, surveillance_shares

__all__ = [
    "BanAnnouncements",
    "EntityList",
    "ban_announcements",
    "entity_list",
    "surveillance_names",
    "surveillance_prices",
    "surveillance_shares",
]
