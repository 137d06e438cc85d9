"""Events: who was announced about, and when."""

from eventstudy.events.events import Ambiguous, Events, NonSession

__all__ = ["Ambiguous", "Events", "NonSession"]
