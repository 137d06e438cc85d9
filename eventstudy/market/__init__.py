"""Market: returns of securities, benchmarks and factors over the sessions of one exchange."""

from eventstudy.market.arrays import LEVELS
from eventstudy.market.market import Market
from eventstudy.market.scan import ParquetPanel

__all__ = ["LEVELS", "Market", "ParquetPanel"]
