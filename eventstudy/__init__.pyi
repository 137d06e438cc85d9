from . import datasets as datasets
from . import errors as errors
from . import plotting as plotting
from .events import Events as Events
from .market import Market as Market
from .models import ConstantMean as ConstantMean
from .models import MarketAdjusted as MarketAdjusted
from .models import MarketModel as MarketModel
from .results import EventStudyResults as EventStudyResults
from .study import EventStudy as EventStudy
from .windows import Window as Window

__version__: str
