"""Normal-return models: what a security would have returned had nothing been announced."""

from eventstudy.models.base import ModelFit, NormalReturnModel
from eventstudy.models.ols import ConstantMean, MarketAdjusted, MarketModel

__all__ = ["ConstantMean", "MarketAdjusted", "MarketModel", "ModelFit", "NormalReturnModel"]
