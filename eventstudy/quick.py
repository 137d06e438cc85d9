"""The one-line way in: prices and a whole event study from tickers."""

from __future__ import annotations

from eventstudy.sources import prices

__all__ = ["prices"]
