"""Significance tests of abnormal returns, how events depend on each other, and which test to use."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
