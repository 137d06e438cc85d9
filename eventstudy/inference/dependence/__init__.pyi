from .mean_correlation import LOSS as LOSS
from .mean_correlation import clustering as clustering
from .mean_correlation import correlation_matrix as correlation_matrix
from .mean_correlation import depend as depend
from .mean_correlation import unknown_correlation as unknown_correlation
