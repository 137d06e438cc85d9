"""Market: returns of securities, benchmarks and factors over the sessions of one exchange."""

from eventstudy.market.compounding import LEVELS
from eventstudy.market.market import Market, check_market
from eventstudy.market.parquet_panel import ParquetPanel

__all__ = ["LEVELS", "Market", "ParquetPanel", "check_market"]
