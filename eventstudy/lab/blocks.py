"""Run an experiment in blocks: on one core or many, with progress and checkpoints."""

from __future__ import annotations

import hashlib
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from os import PathLike
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_jobs, check_path, check_seed
from eventstudy.errors import DataWarning, RequestError, warn
from eventstudy.market import Market
from eventstudy.progress import progress_bar
from eventstudy.results.report.reproduce import fingerprints

__all__ = ["fingerprint", "random_stream", "run_blocks", "settled_seed"]

#: Seconds between two writings of the results so far.
SAVE_EVERY = 5.0
TORN = (zipfile.BadZipFile, EOFError, zlib.error)


def settled_seed(seed: int | np.random.Generator | None) -> int:
    """Return one whole number that all streams of an experiment come from."""
    check_seed(seed)
    if seed is None:
        return int(np.random.default_rng().integers(2**63))
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    return int(seed)


def random_stream(seed: int, number: int) -> np.random.Generator:
    """Return the generator of sample `number`: child `number` of the seed's `SeedSequence`.

    It depends on nothing else, so results do not depend on the order or place of computation.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))


def fingerprint(market: Market, settings: object) -> str:
    """SHA-256 of a market's data and of the written form of an experiment's settings."""
    told = "\n".join([*fingerprints(market), repr(settings)])
    return hashlib.sha256(told.encode()).hexdigest()


def run_blocks(
    task: Callable[[int], FloatArray],
    n_blocks: int,
    *,
    name: str,
    n_jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    identity: str = "",
) -> list[FloatArray]:
    """Compute ``task(0) ... task(n_blocks - 1)`` and return the results in this order.

    Parameters
    ----------
    task : callable
        Block number -> array; a function of its number alone, and picklable.
    n_blocks : int
    name : str
        What the progress bar is called, where there is one.
    n_jobs : int, optional
        As for `joblib.Parallel`: None is 1, unless `joblib.parallel_config` says otherwise.
    checkpoint : path, optional
        File that keeps the finished blocks; those it has already are not computed again.
    identity : str, optional
        `fingerprint` of the experiment; a checkpoint of another one is refused.

    Raises
    ------
    RequestError
        If the checkpoint belongs to another experiment, cannot be read, or could not be written.

    Warns
    -----
    DataWarning
        If the checkpoint is torn, as by a full disk; it is set aside, and all blocks are computed.
    """
    check_jobs(n_jobs)
    path = None if checkpoint is None else _with_suffix(check_path("checkpoint", checkpoint))
    done = {} if path is None else _load(path, identity)
    if path is not None:
        # Not after hours, when the first blocks are to be kept.
        _save(path, identity, done)
    due = [number for number in range(n_blocks) if number not in done]
    saved = time.monotonic()
    try:
        with progress_bar(n_blocks, name, "block", done=n_blocks - len(due)) as bar:
            for number, result in _results(task, due, n_jobs):
                done[number] = result
                bar.update()
                if path is not None and time.monotonic() - saved > SAVE_EVERY:
                    _save(path, identity, done)
                    saved = time.monotonic()
    finally:
        if path is not None and due:
            _save(path, identity, done)
    return [done[number] for number in range(n_blocks)]


def _results(
    task: Callable[[int], FloatArray], due: list[int], n_jobs: int | None
) -> Iterator[tuple[int, FloatArray]]:
    try:
        run = Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:  # a backend that returns all at once, such as multiprocessing
        run = Parallel(n_jobs=n_jobs)
    yield from zip(due, run(delayed(task)(number) for number in due), strict=True)


def _with_suffix(path: Path) -> Path:
    return path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")


def _load(path: Path, identity: str) -> dict[int, FloatArray]:
    if not path.exists():
        return {}
    try:
        # Opened here, so that it is closed where numpy fails on its beginning.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            owner = str(stored["identity"])
            done = {int(key): stored[key] for key in stored.files if key != "identity"}
    except (*TORN, ValueError) as error:
        if not _is_torn(path):
            raise RequestError(f"{path} is not a checkpoint of an experiment; name another file.") from error
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        warn(
            f"The checkpoint {path} is not whole ({error}). It is set aside as {aside.name}, and the "
            "experiment starts anew.",
            DataWarning,
        )
        return {}
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            f"{path} is not a checkpoint of an experiment ({error}); name another file."
        ) from error
    if owner != identity:
        raise RequestError(
            f"The checkpoint {path} belongs to an experiment with other data or settings; delete it, or name "
            "another file."
        )
    return done


def _is_torn(path: Path) -> bool:
    """Whether a file is the beginning of a zip, or nothing at all."""
    with path.open("rb") as stream:
        return stream.read(2) in (b"", b"PK")


def _save(path: Path, identity: str, done: dict[int, FloatArray]) -> None:
    """Write beside the file and replace it, so an interruption loses nothing."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        with fresh.open("wb") as stream:
            np.savez(stream, identity=np.array(identity), **{str(k): v for k, v in done.items()})  # type: ignore[arg-type]
        fresh.replace(path)
    except OSError as problem:
        raise RequestError(f"The checkpoint {path} cannot be written: {problem}.") from problem
    finally:
        with suppress(OSError):
            fresh.unlink()
