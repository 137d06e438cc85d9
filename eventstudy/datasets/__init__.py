"""Bundled facts: real prices small enough to ship, and the announcements that moved them."""

from eventstudy.datasets.bans import BanAnnouncements, ban_announcements
from eventstudy.datasets.surveillance import surveillance_names, surveillance_prices

__all__ = ["BanAnnouncements", "ban_announcements", "surveillance_names", "surveillance_prices"]
