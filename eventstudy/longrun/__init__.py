"""Long horizons: buy-and-hold abnormal returns and portfolios in calendar time."""

from eventstudy.longrun.buyhold import BuyAndHold, BuyAndHoldResults
from eventstudy.longrun.calendar import CalendarTimePortfolio, CalendarTimeResults
from eventstudy.longrun.references import MatchedFirms, ReferencePortfolios

__all__ = [
    "BuyAndHold",
    "BuyAndHoldResults",
    "CalendarTimePortfolio",
    "CalendarTimeResults",
    "MatchedFirms",
    "ReferencePortfolios",
]
