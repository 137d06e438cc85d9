"""Abnormal stock returns around announcements: event studies from a notebook.

The public names are loaded on first use, so importing the package stays quick.
"""

import importlib.util as _util
from importlib import import_module as _import_module

import lazy_loader as _lazy

from eventstudy._version import __version__ as __version__

_public, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Load a public name; a private module is found too, whether or not something has imported it before."""
    try:
        return _public(name)
    except AttributeError:
        if name.startswith("_") or _util.find_spec(f"{__name__}.{name}") is None:
            raise
    return _import_module(f"{__name__}.{name}")
