"""Market: returns of securities, benchmarks and factors over the sessions of one exchange."""

from eventstudy.market.arrays import LEVELS
from eventstudy.market.market import Market

__all__ = ["LEVELS", "Market"]
