"""Figures of event studies: each function draws a tidy frame on matplotlib axes and returns them.

The functions follow the theme in force (`seaborn.set_theme`, matplotlib's rcParams) and never
change it. matplotlib is imported when the first of them is used.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
