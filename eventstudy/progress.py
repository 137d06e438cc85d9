"""Bars that show how far long work has come: at a prompt and in notebooks, in scripts where asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["followed", "progress_bar", "show_progress"]

Item = TypeVar("Item")
#: Seconds before a bar is shown.
PATIENCE = 1.0

#: What the user asked for, and how many bars are open: work inside of work has none of its own.
_state: dict[str, Any] = {"asked": None, "open": 0}


def show_progress(shown: bool | None = True) -> None:
    """Show the progress of long work, or do not, from now on.

    Fetching prices, fits event by event, resampling and experiments draw a bar on the standard error once
    they take longer than a second.

    Parameters
    ----------
    shown : bool or None, default True
        True: always, in scripts as well. False: never. None: at a prompt and in notebooks only, which
        holds until this function is called.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.show_progress(False)
    >>> es.show_progress(None)
    """
    _state["asked"] = shown


@contextmanager
def progress_bar(
    total: int, name: str, unit: str, *, done: int = 0, shown: bool | None = None
) -> Iterator[Any]:
    """Open a bar of `total` units of work, whose ``update()`` counts one.

    Parameters
    ----------
    total : int
    name : str
        Stands before the bar.
    unit : str
        What is counted.
    done : int, optional
        Units done before.
    shown : bool, optional
        For this bar; None as `show_progress` says.
    """
    asked = _state["asked"] if shown is None else shown
    visible = (_interactive() if asked is None else asked) and not _state["open"] and done < total
    if not visible:
        yield _Unseen()
        return
    from tqdm import tqdm

    # Where it was asked for by name, even short work shows that it was done.
    delay = 0.0 if shown else PATIENCE
    _state["open"] += 1
    try:
        with tqdm(total=total, initial=done, desc=name, unit=unit, delay=delay) as bar:
            yield bar
    finally:
        _state["open"] -= 1


class _Unseen:
    """A bar that nobody sees."""

    def update(self, n: int = 1) -> None:
        """Count n units of work."""


def followed(items: Sequence[Item], name: str, unit: str) -> Iterator[Item]:
    """Yield the items, with a bar of how many are done."""
    with progress_bar(len(items), name, unit) as bar:
        for item in items:
            yield item
            bar.update()


def _interactive() -> bool:
    """Whether somebody sits at a prompt or a notebook."""
    # A notebook's kernel is a shell; having merely imported IPython makes none.
    shell = sys.modules.get("IPython")
    return hasattr(sys, "ps1") or (shell is not None and shell.get_ipython() is not None)
