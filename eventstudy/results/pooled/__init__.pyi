from .results import FittedPool as FittedPool
from .results import PooledResults as PooledResults
from .pool import by_exchange as by_exchange
from .pool import joined_study as joined_study
from .pool import of_one_exchange as of_one_exchange
