"""What a bug report needs to know of an installation."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

from eventstudy._version import __version__

__all__ = ["show_versions"]

DISTRIBUTION = "abnormal-returns"
#: Another project, which installs files into a package of the same name.
SAME_IMPORT_NAME = "eventstudy"
#: Extras that change what the library can do, as against those for working on it.
EXTRAS = ("garch", "ml", "tables", "scale", "dask")


def show_versions() -> None:
    """Print the versions of the library, of Python and of what the library uses.

    Paste the output into a bug report. It names no path and no user. If the other distribution whose import
    name is ``eventstudy`` is installed as well, the last line says so: the two overwrite each other.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.show_versions()
    abnormal-returns ...
    Python ...
    """
    print(f"{DISTRIBUTION} {__version__}")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    needed, optional = _requirements()
    for name in needed:
        print(f"{name} {_installed(name) or 'MISSING'}")
    for name, extra in optional.items():
        print(f"{name} {_installed(name) or 'not installed'} (extra {extra})")
    other = _installed(SAME_IMPORT_NAME)
    if other is not None:
        print(
            f"WARNING: the distribution {SAME_IMPORT_NAME} {other} is installed too. It is another "
            f"project with the same import name: uninstall both, then install {DISTRIBUTION}."
        )


def _requirements() -> tuple[list[str], dict[str, str]]:
    """Return the distributions that the library needs, and those of its extras with the extra."""
    needed, optional = [], {}
    for line in requires(DISTRIBUTION) or ():
        found = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if found is None:
            continue
        if extra is None:
            needed.append(found[0])
        elif extra[1] in EXTRAS:
            optional[found[0]] = extra[1]
    return sorted(needed), dict(sorted(optional.items()))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
