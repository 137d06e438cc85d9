from . import datasets as datasets
from . import errors as errors
from . import plotting as plotting
from . import sources as sources
from .events import Events as Events
from .market import Market as Market
from .models import CAPM as CAPM
from .models import Carhart4 as Carhart4
from .models import ConstantMean as ConstantMean
from .models import Dimson as Dimson
from .models import EWMarketModel as EWMarketModel
from .models import FactorModel as FactorModel
from .models import FamaFrench3 as FamaFrench3
from .models import FamaFrench5 as FamaFrench5
from .models import GARCHMarketModel as GARCHMarketModel
from .models import MarketAdjusted as MarketAdjusted
from .models import MarketModel as MarketModel
from .models import RobustMarketModel as RobustMarketModel
from .models import RollingMarketModel as RollingMarketModel
from .models import ScholesWilliams as ScholesWilliams
from .quick import prices as prices
from .results import EventStudyResults as EventStudyResults
from .study import EventStudy as EventStudy
from .windows import Window as Window

__version__: str
