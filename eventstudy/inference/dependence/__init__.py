"""Correlation between events: the mean correlation of their residuals, pair by pair or session by session."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
