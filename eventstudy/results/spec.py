"""What was asked: the specification a results object remembers."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.events import Events
from eventstudy.market import Market
from eventstudy.models import NormalReturnModel
from eventstudy.windows import Window

__all__ = ["StudySpec"]


@dataclass(frozen=True)
class StudySpec:
    """An event study before it is run.

    Attributes
    ----------
    market : Market
    events : Events
    model : NormalReturnModel
    estimation, window : Window
    min_observations : int
        Fewest estimation observations an event needs to be used.
    exclude_events : bool
        Whether estimation windows skip the event windows of other announcements about their security.
    """

    market: Market
    events: Events
    model: NormalReturnModel
    estimation: Window
    window: Window
    min_observations: int
    exclude_events: bool = False
