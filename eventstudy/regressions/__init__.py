"""Cross-section of reactions: CARs on characteristics of the events."""

from eventstudy.regressions.core import Covariance, CrossSection, Past, Weights, cross_section
from eventstudy.regressions.tables import regression_table

__all__ = ["Covariance", "CrossSection", "Past", "Weights", "cross_section", "regression_table"]
