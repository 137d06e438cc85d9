"""Abnormal volatility: whether returns vary more around events than GARCH models forecast."""

from eventstudy.volatility.dummies import EventGARCH, EventGARCHResults
from eventstudy.volatility.multiples import AbnormalVolatility, AbnormalVolatilityResults

__all__ = ["AbnormalVolatility", "AbnormalVolatilityResults", "EventGARCH", "EventGARCHResults"]
