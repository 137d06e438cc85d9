"""Abnormal stock returns around announcements: event studies from a notebook.

The public names are loaded on first use, so that importing the package stays quick.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
