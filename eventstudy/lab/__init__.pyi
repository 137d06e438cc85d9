from .simulate import MarketTruth as MarketTruth
from .simulate import SimulatedMarket as SimulatedMarket
from .simulate import simulate_market as simulate_market
from .calibration import Calibration as Calibration
from .calibration import calibrate as calibrate
from .power import PowerCurve as PowerCurve
from .power import power as power
