"""Bundled facts: real prices small enough to ship, with their provenance in PROVENANCE.md."""

from eventstudy.datasets.surveillance import surveillance_names, surveillance_prices

__all__ = ["surveillance_names", "surveillance_prices"]
