"""What a causal event study was asked."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.causal.estimators import CounterfactualEstimator
from eventstudy.events import Events
from eventstudy.immutable import FrozenRecord
from eventstudy.market import Market
from eventstudy.windows import Window

__all__ = ["CausalSpec"]


@dataclass(frozen=True)
class CausalSpec(FrozenRecord):
    """Market, events, estimator, donors and windows of a `CausalStudy`.

    Attributes
    ----------
    market : Market
    events : Events
    estimator : CounterfactualEstimator
    donors : tuple of str, optional
        None for every other security of the market.
    exclude : tuple of (security, reason)
    estimation, window : Window
    min_observations, min_donors : int
    """

    market: Market
    events: Events
    estimator: CounterfactualEstimator
    donors: tuple[str, ...] | None
    exclude: tuple[tuple[str, str], ...]
    estimation: Window
    window: Window
    min_observations: int
    min_donors: int
