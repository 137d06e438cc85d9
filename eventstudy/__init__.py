"""Abnormal stock returns around announcements: event studies from a notebook.

The public names are loaded on first use, so importing the package stays quick.
"""

import importlib.util as _util
from importlib import import_module as _import_module

import lazy_loader as _lazy

from eventstudy._version import __version__ as __version__

#: Subpackages whose names are looked for where a user asks the package for one of them.
_SHELVES = ("sources", "lab", "datasets", "models", "inference", "plotting", "tables", "results", "causal")

_public, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Load a public name; a private module is found too, whether or not something has imported it before."""
    try:
        return _public(name)
    except AttributeError:
        if name.startswith("_"):
            raise
        if _util.find_spec(f"{__name__}.{name}") is None:
            homes = [home for home in _SHELVES if name in getattr(_public(home), "__all__", ())]
            if not homes:
                raise
            raise AttributeError(
                f"eventstudy has no {name!r}; did you mean eventstudy.{homes[0]}.{name}?"
            ) from None
    return _import_module(f"{__name__}.{name}")
