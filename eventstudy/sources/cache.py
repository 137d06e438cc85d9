"""Frames on disk: a local cache of what was fetched, and snapshots to keep beside a paper.

Both are NumPy's ``.npz``: a zip with one ``.npy`` array a column and a ``meta.json``. It is open, columnar
and exact to the bit, needs nothing but NumPy (Parquet would need pyarrow), and the same frame gives the same
bytes and so the same SHA-256 on every machine (a Parquet file names the version that wrote it).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import platformdirs

from eventstudy.errors import DataError, DataWarning, RequestError, warn
from eventstudy.files import write_atomic

__all__ = [
    "Entry",
    "cache_folder",
    "check_max_age",
    "clear_cache",
    "find_prices",
    "load_snapshot",
    "pack",
    "recorded_time",
    "set_aside",
    "snapshot",
    "store_prices",
    "unpack",
    "write_atomic",
    "young_enough",
]

FORMAT = 1
LONGEST_NAME = 100
#: Days after a span within which its last bars may still be published.
LATE = timedelta(days=4)
META = "meta.json"
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    SyntaxError,
    OSError,
    EOFError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)


def cache_folder() -> Path:
    """Return the folder of the cache: ``EVENTSTUDY_CACHE_DIR`` if set, else the user's cache folder.

    Examples
    --------
    >>> from eventstudy.sources import cache_folder
    >>> cache_folder().is_absolute()
    True
    """
    given = os.environ.get("EVENTSTUDY_CACHE_DIR")
    return Path(given).absolute() if given else platformdirs.user_cache_path("eventstudy")


def clear_cache() -> None:
    """Delete everything the cache holds; snapshots lie elsewhere and stay."""
    for part in ("yahoo", "french"):
        shutil.rmtree(cache_folder() / part, ignore_errors=True)


def check_max_age(max_age: float | None) -> None:
    """Refuse an age that is not a number of days from 0 on; infinity is one."""
    if max_age is None:
        return
    try:
        sound = not isinstance(max_age, bool | str) and float(max_age) >= 0
    except (TypeError, ValueError, OverflowError):
        sound = False
    if not sound:
        raise RequestError(f"max_age must be a number of days, 0 or more, or None; got {max_age!r}.")


def young_enough(retrieved: object, max_age: float | None) -> bool:
    """Say whether what was fetched at a recorded time (ISO 8601) may be used.

    A time that is not recorded, or lies ahead because a clock was wrong, tells no age; then only what
    may be of any age is young enough.
    """
    if max_age is None:
        return True
    when = recorded_time(retrieved)
    if when is None or max_age == 0:
        return False
    days = (datetime.now(UTC) - when) / timedelta(days=1)
    return 0 <= days <= max_age


def recorded_time(retrieved: object) -> datetime | None:
    """Read the time at which something was fetched, if it is one."""
    try:
        when = datetime.fromisoformat(str(retrieved))
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def set_aside(path: Path, problem: Exception) -> None:
    """Put a damaged file of the cache out of the way, beside its place, and tell."""
    aside = path.with_name(f"{path.name}.damaged")
    with contextlib.suppress(OSError):
        os.replace(path, aside)
    warn(f"A damaged file of the cache is set aside as {aside.name}: {problem}", DataWarning)


def pack(frame: pd.DataFrame, about: dict[str, Any]) -> bytes:
    """Turn a daily frame of numbers into the bytes of an ``.npz`` file.

    Parameters
    ----------
    frame : DataFrame, shape (T, K)
        Naive unique days × one or two levels of column names; numbers.
    about : dict
        What JSON can hold; stored as ``meta.json``.

    Raises
    ------
    DataError
        If the frame is not of that kind.
    """
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None or index.hasnans:
        raise DataError("Only frames of naive dates can be stored; this one's index holds none.")
    if not index.is_unique or (index != index.normalize()).any():
        raise DataError("Only daily frames can be stored: each date once, without a time of day.")
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes):
        raise DataError("Only numbers can be stored; drop the columns of text.")
    columns = [[str(part) for part in (c if isinstance(c, tuple) else (c,))] for c in frame.columns]
    members = ["/".join(column) for column in columns]
    if len({*members, "date"}) != len(members) + 1:
        raise DataError("Column names must be unique, and none may be 'date'.")
    meta = {"format": FORMAT, "columns": columns, "levels": list(frame.columns.names), "about": about}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        text = json.dumps(meta, indent=1, ensure_ascii=False, sort_keys=True)
        _add(archive, META, text.encode())
        _add(archive, "date.npy", _npy(index.to_numpy().astype("datetime64[D]")))
        for place, member in enumerate(members):
            values = frame.iloc[:, place].to_numpy(dtype="<f8", na_value=np.nan)
            _add(archive, f"{member}.npy", _npy(values))
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # Time, system and permissions are fixed, so that the same frame gives the same bytes everywhere.
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _npy(values: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, values, version=(1, 0), allow_pickle=False)
    return out.getvalue()


def unpack(content: bytes, where: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read what `pack` wrote: the frame, to the bit, and what is said about it.

    Raises
    ------
    DataError
        If the bytes are not whole; each part is checked against its CRC-32.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            meta = json.loads(archive.read(META))
            if meta["format"] != FORMAT:
                raise DataError(
                    f"{where} is of format {meta['format']}; this version of eventstudy reads {FORMAT}."
                )
            days = _array(archive, "date")
            columns = [tuple(column) for column in meta["columns"]]
            values = [_array(archive, "/".join(column)) for column in columns]
        index = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="date")
        names = pd.MultiIndex.from_tuples(columns) if columns and len(columns[0]) > 1 else None
        frame = pd.DataFrame(
            np.column_stack(values) if values else np.empty((len(index), 0)),
            index=index,
            columns=[c[0] for c in columns] if names is None else names,
        )
        frame.columns.names = meta["levels"]
        return frame, dict(meta["about"])
    except DataError:
        raise
    except UNREADABLE as problem:
        raise DataError(f"{where} is not whole, or no snapshot of eventstudy ({problem}).") from problem


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    content = io.BytesIO(archive.read(f"{name}.npy"))
    return np.asarray(np.lib.format.read_array(content, allow_pickle=False))


def snapshot(frame: pd.DataFrame, path: str | Path) -> str:
    """Keep prices or factors in one file, to be committed beside a paper.

    Parameters
    ----------
    frame : DataFrame
        What `prices`, `read_prices`, `french_factors` or `read_factors` returned, or any daily frame of
        numbers. Its `attrs` (where it comes from, when it was fetched) are kept.
    path : str or Path
        File to write, such as ``prices.npz``. Its hash goes beside it, into ``prices.npz.sha256``, in the
        form that ``sha256sum -c`` reads.

    Returns
    -------
    str
        SHA-256 of the file, to be printed in the paper.

    See Also
    --------
    load_snapshot

    Notes
    -----
    The file is a zip of NumPy arrays, one a column, stored without compression: ``numpy.load(path)`` and
    any zip tool open it, and the same frame gives the same bytes on every machine.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> path = Path(tempfile.mkdtemp()) / "prices.npz"
    >>> digest = es.sources.snapshot(es.datasets.surveillance_prices(), path)
    >>> es.sources.load_snapshot(path, sha256=digest).equals(es.datasets.surveillance_prices())
    True
    """
    path = Path(path)
    content = pack(frame, {"attrs": json.loads(json.dumps(dict(frame.attrs), default=str))})
    digest = hashlib.sha256(content).hexdigest()
    try:
        write_atomic(path, content)
        write_atomic(_beside(path), f"{digest}  {path.name}\n".encode())
    except OSError as problem:
        raise DataError(f"The snapshot {str(path)!r} cannot be written: {problem}.") from problem
    return digest


def load_snapshot(path: str | Path, sha256: str | None = None) -> pd.DataFrame:
    """Read a snapshot back, to the digit, after checking its hash.

    Parameters
    ----------
    path : str or Path
        File that `snapshot` wrote.
    sha256 : str, optional
        Hash it must have; default the one in ``<path>.sha256``.

    Returns
    -------
    DataFrame
        The frame that was kept, with its `attrs`.

    Raises
    ------
    DataError
        If the file cannot be read or its hash is another.

    Warns
    -----
    DataWarning
        If there is no hash to check against.

    Examples
    --------
    >>> import tempfile
    >>> import eventstudy as es
    >>> prices = es.datasets.surveillance_prices()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digest = es.sources.snapshot(prices, f"{folder}/prices.npz")
    ...     es.sources.load_snapshot(f"{folder}/prices.npz", sha256=digest).equals(prices)
    True
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if sha256 is None and _beside(path).exists():
            sha256 = _beside(path).read_text(encoding="ascii").split()[0]
    except (OSError, ValueError, IndexError) as problem:
        raise DataError(f"The snapshot {str(path)!r} or its hash cannot be read: {problem}.") from problem
    digest = hashlib.sha256(content).hexdigest()
    wanted = digest if sha256 is None else sha256.strip().lower()
    if sha256 is None:
        warn(
            f"{path.name} has no {_beside(path).name} beside it, so nothing proves that it is the file that "
            f"was kept. Its SHA-256 is {digest}; pass sha256=... to check it.",
            DataWarning,
        )
    if wanted != digest:
        raise DataError(f"{path.name} is not the file that was kept: its SHA-256 is {digest}, not {wanted}.")
    frame, about = unpack(content, path.name)
    frame.attrs.update(about.get("attrs", {}))
    return frame


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


@dataclass(frozen=True)
class Entry:
    """Prices of one ticker: one column a field, and what is known about them."""

    frame: pd.DataFrame
    about: dict[str, Any]


def _price_folder(ticker: str) -> Path:
    name = quote(ticker.upper(), safe="", errors="surrogatepass")
    if len(name) > LONGEST_NAME:  # file systems allow 255 bytes
        name = f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    if name.endswith("."):  # which Windows would drop
        name = f"{name[:-1]}%2E"
    # The prefix keeps names such as CON or NUL, which Windows reserves, from being files of their own.
    return cache_folder() / "yahoo" / f"ticker-{name}"


def store_prices(ticker: str, start: pd.Timestamp, end: pd.Timestamp, adjustment: str, entry: Entry) -> None:
    """Put the prices of one ticker, span and adjustment into the cache; warn of a full or closed disk."""
    path = _price_folder(ticker) / f"{adjustment}_{start:%Y-%m-%d}_{end:%Y-%m-%d}.npz"
    try:
        write_atomic(path, pack(entry.frame, entry.about))
    except OSError as problem:
        warn(
            f"The prices of {ticker} could not be cached in {path.parent} ({problem}). Point the environment "
            "variable EVENTSTUDY_CACHE_DIR to a folder that can be written.",
            DataWarning,
        )


def find_prices(
    ticker: str,
    start: pd.Timestamp,
    end: pd.Timestamp,
    adjustment: str,
    max_age: float | None,
    offline: bool = False,
) -> Entry | None:
    """Find prices of a ticker and adjustment that cover a span and are young enough; the newest, cut to it.

    Parameters
    ----------
    max_age : float, optional
        Days since they were fetched; default any.
    offline : bool, default False
        Take what may lack its last days, as they were not published when it was fetched.
    """
    check_max_age(max_age)
    covering = []
    for path in _price_folder(ticker).glob(f"{adjustment}_*.npz"):
        first, last = path.stem.split("_")[-2:]
        if not (first <= f"{start:%Y-%m-%d}" and last >= f"{end:%Y-%m-%d}"):
            continue
        try:
            frame, about = unpack(path.read_bytes(), str(path))
            held = pd.Timestamp(last)
        except FileNotFoundError:  # cleared by another process in the meantime
            continue
        except (DataError, OSError, ValueError) as problem:
            set_aside(path, problem)
            continue
        if young_enough(about.get("retrieved"), max_age) and (offline or _published(frame, about, held)):
            covering.append((str(about.get("retrieved")), path.name, frame, about))
    if not covering:
        return None
    _, _, frame, about = max(covering, key=lambda one: one[:2])
    return Entry(frame.loc[start:end], about)


def _published(frame: pd.DataFrame, about: dict[str, Any], end: pd.Timestamp) -> bool:
    """Whether the last bars of a span were published when it was fetched.

    They were if there is a close of the last weekday on which the security trades, or if some days had
    passed since, so that a missing bar is a holiday or a halt.
    """
    days = pd.DatetimeIndex(frame.index)
    closes = days[frame["close"].notna().to_numpy()]
    if len(closes) and not set(pd.date_range(closes[-1], end)[1:].weekday) & set(days.weekday):
        return True
    when = recorded_time(about.get("retrieved"))
    return when is not None and when >= end.tz_localize("UTC") + LATE
