from .decomposition import plot_decomposition as plot_decomposition
from .distributions import plot_null as plot_null
from .fits import plot_fit as plot_fit
from .heatmap import plot_heatmap as plot_heatmap
from .paths import plot_caar as plot_caar
from .paths import plot_car as plot_car
from .reactions import plot_reaction as plot_reaction
