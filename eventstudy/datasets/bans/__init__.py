"""Announcements of bans on Chinese technology firms, 2018 to 2026."""

from eventstudy.datasets.bans.core import BanAnnouncements, ban_announcements

__all__ = ["BanAnnouncements", "ban_announcements"]
