"""Bundled facts: real prices small enough to ship, and the announcements that moved them.

More prices come from Yahoo Finance through yfinance: `eventstudy.prices` fetches the tickers of the
announcements and their benchmarks (columns `security` and `benchmark`) and keeps what came.
``examples/all_announcements.py`` measures all announcements that bundled prices cover and, with ``--live``,
those of every exchange.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
