"""Long horizons: buy-and-hold abnormal returns and portfolios in calendar time."""

from eventstudy.longrun.benchmarks import MatchedFirms, ReferencePortfolios
from eventstudy.longrun.buyhold import BuyAndHold, BuyAndHoldResults
from eventstudy.longrun.calendar_time import CalendarTimePortfolio, CalendarTimeResults

__all__ = [
    "BuyAndHold",
    "BuyAndHoldResults",
    "CalendarTimePortfolio",
    "CalendarTimeResults",
    "MatchedFirms",
    "ReferencePortfolios",
]
