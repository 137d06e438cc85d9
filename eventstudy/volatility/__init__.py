"""Abnormal volatility: whether returns vary more around events than GARCH models forecast."""

from eventstudy.volatility.abnormal_volatility import AbnormalVolatility, AbnormalVolatilityResults
from eventstudy.volatility.event_garch import EventGARCH, EventGARCHResults

__all__ = ["AbnormalVolatility", "AbnormalVolatilityResults", "EventGARCH", "EventGARCHResults"]
