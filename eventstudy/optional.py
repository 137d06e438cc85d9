"""Packages that only some functions need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from eventstudy.errors import MissingExtraError

__all__ = ["import_optional"]


def import_optional(module: str, package: str, extra: str, what: str) -> ModuleType:
    """Import an optional dependency.

    Parameters
    ----------
    module, package : str
        What is imported, and the distribution that holds it.
    extra : str
        Extra of this distribution that installs it.
    what : str
        What needs it, as the subject of a sentence.

    Raises
    ------
    MissingExtraError
        If it is not installed; the message names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{what} needs {package}: pip install 'abnormal-returns[{extra}]'."
        ) from error
