from .simulate import MarketTruth as MarketTruth
from .simulate import SimulatedMarket as SimulatedMarket
from .simulate import simulate_market as simulate_market
