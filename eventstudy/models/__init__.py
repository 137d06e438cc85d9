"""Normal-return models: what a security would have returned had nothing been announced."""

from eventstudy.models.autocorrelated import AutocorrelatedErrors
from eventstudy.models.base import MarketLine, ModelFit, ModelParameters, NormalReturnModel, SampleFit
from eventstudy.models.factor import CAPM, Carhart4, FactorModel, FamaFrench3, FamaFrench5
from eventstudy.models.garch import GARCHMarketModel
from eventstudy.models.linear import ConstantMean, MarketAdjusted, MarketModel, RawReturn
from eventstudy.models.peer_portfolios import MatchedPortfolio, SyntheticPeers
from eventstudy.models.peer_regressions import ElasticNetModel, PCAModel
from eventstudy.models.robust import RobustMarketModel
from eventstudy.models.thin_trading import Dimson, ScholesWilliams
from eventstudy.models.timevarying import EWMarketModel, RollingMarketModel
from eventstudy.models.tobit import TobitMarketModel

__all__ = [
    "CAPM",
    "AutocorrelatedErrors",
    "Carhart4",
    "ConstantMean",
    "Dimson",
    "EWMarketModel",
    "ElasticNetModel",
    "FactorModel",
    "FamaFrench3",
    "FamaFrench5",
    "GARCHMarketModel",
    "MarketAdjusted",
    "MarketLine",
    "MarketModel",
    "MatchedPortfolio",
    "ModelFit",
    "ModelParameters",
    "NormalReturnModel",
    "PCAModel",
    "RawReturn",
    "RobustMarketModel",
    "RollingMarketModel",
    "SampleFit",
    "ScholesWilliams",
    "SyntheticPeers",
    "TobitMarketModel",
]
