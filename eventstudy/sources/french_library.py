"""Daily factors of Kenneth French's data library, from the zip files he publishes."""

from __future__ import annotations

import hashlib
import http.client
import io
import math
import re
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd
import stamina

from eventstudy.column_names import factor_name
from eventstudy.errors import DataError, DataWarning, RequestError, warn
from eventstudy.sources.cache import cache_folder, check_max_age, set_aside, write_atomic, young_enough
from eventstudy.sources.factor_files import scaled

__all__ = ["french_factors", "read_french"]

LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"
REGIONS = ("Developed", "Developed_ex_US", "Europe", "Japan", "Asia_Pacific_ex_Japan", "North_America")
UNITED_STATES = {
    "3": "F-F_Research_Data_Factors_daily",
    "5": "F-F_Research_Data_5_Factors_2x3_daily",
    "momentum": "F-F_Momentum_Factor_daily",
}
#: Largest file that is read, packed or not; those of the library have a few megabytes.
MOST_BYTES = 200_000_000
#: A download may take so many times its `timeout`, which is for each piece of it.
WHOLE = 10
ROW = re.compile(r"\s*(\d+)\s*,")
VINTAGE = re.compile(r"\b(\d{6}) (?:CRSP|Bloomberg)\b")


def french_factors(
    region: str = "US",
    *,
    factors: Literal[3, 5] = 3,
    momentum: bool = False,
    offline: bool = False,
    max_age: float | None = None,
    attempts: int = 4,
    timeout: float = 60.0,
) -> pd.DataFrame:
    """Fetch the daily factors of a region from Kenneth French's data library, or from the cache.

    Parameters
    ----------
    region : str, default "US"
        ``"US"``, ``"Developed"``, ``"Developed_ex_US"``, ``"Europe"``, ``"Japan"``,
        ``"Asia_Pacific_ex_Japan"`` or ``"North_America"``. He publishes no daily factors of China or of
        emerging markets: use `read_factors` for a file of those.
    factors : {3, 5}, default 3
        Three factors (mkt_rf, smb, hml) or five (also rmw, cma); rf comes with both.
    momentum : bool, default False
        Add the momentum factor, mom.
    offline : bool, default False
        Use the cache only.
    max_age : float, optional
        Fetch anew what is older than so many days. Default: never, so that a study stays as it is.
    attempts, timeout
        How often to ask, and seconds to wait for an answer.

    Returns
    -------
    DataFrame
        Naive days × factors, **decimals**, missing codes (−99.99, −999) as NaN. Returns are in US dollars for
        every region. `attrs` hold, for each file, its address, vintage (the month of the data behind it) and
        SHA-256.

    Raises
    ------
    DataError
        If a file cannot be fetched or is not what it should be; such a file never enters the cache.
    RequestError
        If there is no such region or number of factors.

    See Also
    --------
    read_french : The same from a file at hand.
    snapshot : Keep the factors beside a paper; the library revises them.

    Examples
    --------
    >>> import eventstudy as es
    >>> factors = es.sources.french_factors("US", momentum=True)  # doctest: +SKIP
    >>> market = es.Market.from_prices(prices, factors=factors, calendar="XNYS")  # doctest: +SKIP
    """
    check_max_age(max_age)
    known = {name.lower(): name for name in REGIONS}
    area = region.strip().replace(" ", "_").lower()
    if area not in known and area != "us":
        raise RequestError(f"There is no region {region!r}; there are: US, {', '.join(REGIONS)}.")
    if str(factors) not in ("3", "5"):
        raise RequestError(f"factors must be 3 or 5, got {factors!r}.")
    if area == "us":
        names = [UNITED_STATES[str(factors)]] + [UNITED_STATES["momentum"]] * momentum
    else:
        names = [f"{known[area]}_{factors}_Factors_Daily"] + [f"{known[area]}_Mom_Factor_Daily"] * momentum
    frames = [_library_file(name, offline, max_age, attempts, timeout) for name in names]
    out = pd.concat(frames, axis=1, join="outer").sort_index()
    out.attrs = {
        "source": "; ".join(f.attrs["source"] for f in frames),
        "vintage": "; ".join(str(f.attrs["vintage"]) for f in frames),
        "sha256": "; ".join(f.attrs["sha256"] for f in frames),
        "retrieved": "; ".join(f.attrs["retrieved"] for f in frames),
    }
    return out


def read_french(source: str | Path | bytes) -> pd.DataFrame:
    r"""Read a daily factor file of Kenneth French's library: the zip he publishes, or the CSV inside.

    Parameters
    ----------
    source : str, Path or bytes
        File, or its content.

    Returns
    -------
    DataFrame
        Naive days × factors, decimals; see `french_factors`. `attrs` hold source, vintage (the month in
        ``202410 CRSP database``, None if it is not said) and the SHA-256 of the file.

    Raises
    ------
    DataError
        If it is not a daily file of this kind, or not whole.

    Notes
    -----
    Only the daily rows (YYYYMMDD) right after the header are read; the preamble, an annual block and the
    copyright line are passed over.

    Examples
    --------
    >>> text = "Uses the 202410 CRSP database.\n,Mkt-RF,RF\n20190521, 0.90,0.009\n20190522,-99.99,0.009\n"
    >>> factors = read_french(text.encode())
    >>> factors.round(6)
                mkt_rf       rf
    date
    2019-05-21   0.009  0.00009
    2019-05-22     NaN  0.00009
    >>> factors.attrs["vintage"]
    '202410'
    """
    if isinstance(source, bytes):
        content, where = source, "the factor file"
    else:
        path = Path(source)
        where = path.name
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise DataError(f"{str(path)!r} cannot be read: {problem.strerror}.") from problem
    text = _unzip(content, where) if content[:2] == b"PK" else content
    frame = _parse(text.decode("latin-1"), where)
    vintage = VINTAGE.search(text[:4000].decode("latin-1"))
    frame.attrs = {
        "source": where,
        "vintage": vintage.group(1) if vintage else None,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return frame


def _unzip(content: bytes, where: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            tables = [n for n in archive.namelist() if n.lower().endswith((".csv", ".txt"))]
            if len(tables) != 1:
                raise DataError(f"{where} holds {len(tables)} tables, not one: {archive.namelist()}.")
            with archive.open(tables[0]) as table:
                return _bounded(table, where)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as problem:
        raise DataError(f"{where} is not a whole zip file ({problem}).") from problem


def _bounded(stream: IO[bytes], where: str, until: float = math.inf) -> bytes:
    """Read to the end, but not more than a file of the library can hold, nor for longer than told."""
    pieces, size = [], 0
    while piece := stream.read(1 << 20):
        size += len(piece)
        if size > MOST_BYTES:
            raise DataError(
                f"{where} holds more than {MOST_BYTES // 1_000_000} MB, which no file of daily factors does."
            )
        if time.monotonic() > until:
            raise TimeoutError("it takes too long")
        pieces.append(piece)
    return b"".join(pieces)


def _parse(text: str, where: str) -> pd.DataFrame:
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if ROW.match(line)), None)
    if first is None or first == 0:
        raise DataError(f"{where} has no rows of dated returns below a header; it begins {text[:60]!r}.")
    if len(ROW.match(lines[first])[1]) != 8:  # type: ignore[index]
        raise DataError(
            f"{where} is not daily: its first row is {lines[first].strip()!r}. Take the file whose name "
            "ends in 'daily'."
        )
    header = [cell.strip() for cell in lines[first - 1].split(",")]
    names = [factor_name(cell) for cell in header[1:]]
    if not names or not all(names) or len(set(names)) != len(names):
        raise DataError(f"{where}: line {first} is not a header of factors: {lines[first - 1]!r}.")
    days, rows = [], []
    for number, line in enumerate(lines[first:], start=first + 1):
        date = ROW.match(line)
        if date is None or len(date[1]) != 8:
            if line.strip() and any(len(row[1]) == 8 for row in map(ROW.match, lines[number:]) if row):
                raise DataError(f"{where}: line {number} cannot be read: {line!r}, amid daily rows.")
            break
        cells = line.split(",")[1:]
        try:
            if len(cells) != len(names):
                raise ValueError(f"{len(cells)} values below {len(names)} names")
            rows.append([float(cell) for cell in cells])
            days.append(datetime.strptime(date[1], "%Y%m%d"))
        except ValueError as problem:
            raise DataError(f"{where}: line {number} cannot be read: {line!r} ({problem}).") from problem
    frame = pd.DataFrame(rows, index=pd.DatetimeIndex(days, name="date").as_unit("ns"), columns=names)
    if not frame.index.is_unique or not frame.index.is_monotonic_increasing:
        raise DataError(f"{where}: its days are duplicates or out of order.")
    return scaled(frame, "percent", where)


def _library_file(
    name: str, offline: bool, max_age: float | None, attempts: int, timeout: float
) -> pd.DataFrame:
    path = cache_folder() / "french" / f"{name}_CSV.zip"
    address = f"{LIBRARY}{name}_CSV.zip"
    held = _held(path, None if offline else max_age)
    if held is not None:
        frame, retrieved = held
    elif offline:
        raise DataError(f"{name} is not cached; without offline=True it would be fetched from {address}.")
    else:
        try:
            ask = stamina.RetryingCaller(attempts=attempts, timeout=None, wait_initial=1.0)
            content = ask(_worth_retrying, _download, address, timeout)
        except (OSError, http.client.HTTPException) as problem:
            raise DataError(f"{address} cannot be fetched: {problem}.") from problem
        # Read before it is kept, so that nothing broken enters the cache.
        frame = read_french(content)
        retrieved = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            write_atomic(path, content)
            write_atomic(_time_of(path), retrieved.encode())
        except OSError as problem:
            warn(f"{name} could not be cached in {path.parent} ({problem}).", DataWarning)
    frame.attrs |= {"source": address, "retrieved": retrieved}
    return frame


def _time_of(path: Path) -> Path:
    """File beside a cached one that says when it was fetched; file systems and copies lose that."""
    return path.with_name(f"{path.name}.retrieved")


def _held(path: Path, max_age: float | None) -> tuple[pd.DataFrame, str] | None:
    """Return what the cache holds, if it is whole and young enough, and when it was fetched."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    try:
        retrieved = _time_of(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        retrieved = "unknown"
    if not young_enough(retrieved, max_age):
        return None
    try:
        return read_french(content), retrieved
    except DataError as problem:
        set_aside(path, problem)
        return None


def _worth_retrying(error: Exception) -> bool:
    code = getattr(error, "code", 500)
    return isinstance(error, OSError) and (code >= 500 or code == 429)


def _download(address: str, timeout: float) -> bytes:
    try:
        with OPENER.open(address, timeout=timeout) as answer:
            content = _bounded(answer, address, time.monotonic() + WHOLE * timeout)
            if answer.length:  # what is still to come of a body that broke off
                raise http.client.IncompleteRead(content, answer.length)
            return content
    except urllib.error.HTTPError as problem:  # an answer too, with a connection to close
        problem.close()
        raise
    except http.client.HTTPException as problem:  # a body that breaks off; worth another try
        raise OSError(f"the answer breaks off ({problem})") from problem


class _StaysEncrypted(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not from https to what can be changed on the way."""

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        address = rest[-1]
        if req.type == "https" and not address.lower().startswith("https:"):
            raise urllib.error.URLError(f"redirected to {address}, which is not encrypted")
        return super().redirect_request(req, *rest)


OPENER = urllib.request.build_opener(_StaysEncrypted)
