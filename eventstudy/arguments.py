"""Checks of arguments: numbers within their bounds, and choices, with the nearest one where misspelt."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from numbers import Real
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from eventstudy.errors import EventStudyError, RequestError

__all__ = [
    "by_name", "check_choice", "check_flag", "check_fraction", "check_jobs", "check_mapping", "check_number",
    "check_numbers", "check_path", "check_seed", "check_sequence", "check_text", "check_whole",
]  # fmt: skip

Item = TypeVar("Item")
Method = TypeVar("Method", bound=Callable[..., Any])


def by_name(method: Method) -> Method:
    """Have a method whose arguments all have names say so, where one is passed without."""
    parameters = inspect.signature(method).parameters.values()
    names = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]

    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise RequestError(
                f"{method.__name__}() takes no window, and its arguments by name ({', '.join(names)}); got "
                f"{', '.join(map(repr, args))}. Write {method.__name__}({names[0]}=...)."
            )
        return method(self, *args, **kwargs)

    return cast(Method, checked)


def check_choice(
    name: str, value: object, allowed: Sequence[str], error: type[EventStudyError] = RequestError
) -> None:
    """Refuse an option that is none of those allowed."""
    if isinstance(value, str) and value in allowed:
        return
    close = difflib.get_close_matches(value, allowed, 1) if isinstance(value, str) else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise error(f"{name} must be one of {', '.join(map(repr, allowed))}; got {value!r}.{hint}")


def check_text(name: str, value: object) -> None:
    """Refuse what is neither text nor None."""
    if value is not None and not isinstance(value, str):
        raise RequestError(f"{name} must be text; got {value!r}.")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise RequestError(f"{name} must be True or False; got {value!r}.")


def check_sequence(name: str, value: Iterable[Item], of: str) -> list[Item]:
    """Return the items of a list; refuse what is not a list, such as a number or text."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise RequestError(f"{name} must be a list of {of}; got {value!r}.")
    return list(value)


def check_numbers(name: str, value: object, such_as: str, *, above: float | None = None) -> list[float]:
    """Return the numbers of a list as floats; refuse what is not a list, is empty or holds anything else."""
    listed = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    found = list(cast("Iterable[Any]", value)) if listed else []
    if not found:
        raise RequestError(f"{name} must be a list of numbers, such as {such_as}; got {value!r}.")
    for each in found:
        check_number(f"Each number of {name}", each, above=above)
    return [float(each) for each in found]


def check_mapping(name: str, value: object, of: str) -> dict[Any, Any]:
    """Return a mapping or Series as a dict, or refuse what is neither."""
    if isinstance(value, Mapping) or hasattr(value, "to_dict"):
        return dict(cast("Mapping[Any, Any]", value))
    raise RequestError(f"{name} must be a mapping or a Series of {of}; got {value!r}.")


def check_path(name: str, value: object, suffix: str | None = None) -> Path:
    """Return a path, or refuse what is neither text nor a path, or does not end in `suffix`."""
    if not isinstance(value, str | PathLike) or not isinstance(fspath(value), str):
        raise RequestError(f"{name} must be a path, such as 'study'; got {value!r}.")
    try:
        found = Path(value)
    except (TypeError, ValueError) as problem:
        raise RequestError(f"{name} must be a path; {value!r} is not: {problem}.") from problem
    if suffix is not None and found.suffix.lower() != suffix:
        raise RequestError(f"{found.name!r} must end in {suffix}, as what is written is such a file.")
    return found


def check_number(
    name: str,
    value: object,
    least: float = -math.inf,
    most: float = math.inf,
    *,
    above: float | None = None,
    below: float | None = None,
    error: type[EventStudyError] = RequestError,
) -> None:
    """Refuse what is not a finite number from `least` to `most`, and over `above` and under `below`."""
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if (
        number
        and math.isfinite(value)  # type: ignore[arg-type]
        and least <= value <= most  # type: ignore[operator]
        and (above is None or value > above)  # type: ignore[operator]
        and (below is None or value < below)  # type: ignore[operator]
    ):
        return
    raise error(f"{name} must be a number{_bounds(least, most, above, below)}; got {value!r}.")


def check_fraction(name: str, value: object, error: type[EventStudyError] = RequestError) -> None:
    """Refuse what is not a number between 0 and 1, such as a coverage or the size of a test."""
    check_number(name, value, above=0, below=1, error=error)


def check_whole(
    name: str,
    value: object,
    least: int | None = None,
    most: int | None = None,
    error: type[EventStudyError] = RequestError,
) -> None:
    """Refuse what is not a whole number from `least` to `most`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and (least is None or value >= least) and (most is None or value <= most):  # type: ignore[operator]
        return
    low, high = -math.inf if least is None else least, math.inf if most is None else most
    raise error(f"{name} must be a whole number{_bounds(low, high, None, None)}; got {value!r}.")


def check_seed(seed: object) -> None:
    """Refuse what numpy makes no random generator of."""
    if seed is None or isinstance(seed, np.random.Generator):
        return
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise RequestError(
            f"seed is a whole number from 0 on, a numpy.random.Generator or None; got {seed!r}."
        )


def check_jobs(n_jobs: object) -> None:
    """Refuse a number of workers that joblib would not take: None, or a whole number other than 0."""
    if n_jobs is not None:
        check_whole("n_jobs", n_jobs)
        if n_jobs == 0:
            raise RequestError("n_jobs must be None, a number of workers, or -1 for all cores; got 0.")


def _bounds(least: float, most: float, above: float | None, below: float | None) -> str:
    if above is not None and below is not None:
        return f" between {above:g} and {below:g}"
    told = []
    if above is not None:
        told.append(f"above {above:g}")
    elif least > -math.inf:
        told.append(f"from {least:g}" + (" on" if most == math.inf and below is None else ""))
    if below is not None:
        told.append(f"below {below:g}")
    elif most < math.inf:
        told.append(f"to {most:g}")
    return "".join(f" {part}" for part in told)
