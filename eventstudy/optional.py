"""Packages that only some models need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from eventstudy.errors import MissingExtraError

__all__ = ["import_optional"]


def import_optional(module: str, package: str, extra: str, what: str) -> ModuleType:
    """Import an optional dependency.

    Raises
    ------
    MissingExtraError
        If it is not installed; the message names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{what} needs {package}: install the extra with pip install 'abnormal-returns[{extra}]'."
        ) from error
