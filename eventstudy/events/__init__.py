"""Events: who was announced about, and when."""

from eventstudy.events.events import Ambiguous, Events, NonSession
from eventstudy.events.validation import AMBIGUOUS_DAY, SECURITY_NAMES

__all__ = ["AMBIGUOUS_DAY", "SECURITY_NAMES", "Ambiguous", "Events", "NonSession"]
