from __future__ import annotations

import hashlib
import io
import os
import threading
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stamina

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError
from eventstudy.sources import french_factors, french_library, read_french

PREAMBLE = "This file was made by X using the 202410 CRSP database.\nThe Tbill return is 1, 2 percent.\n\n"
THREE = (
    PREAMBLE + ",Mkt-RF,SMB,HML,RF\n"
    "20190521,    0.90,   0.33,  -0.45,   0.009\n"
    "20190522,   -0.36,  -99.99,  -0.52,   0.009\n"
    "20190523,   -1.38,  -0.45, -999,   0.009\n"
    "\n  Annual Factors: January-December \n,Mkt-RF,SMB,HML,RF\n  2019,   28.28, -6.11, -10.34, 2.15\n"
    "\nCopyright 2024 Eugene F. Fama and Kenneth R. French\n"
)
MOMENTUM = "Momentum, 202410 CRSP\n\n\n,Mom   \n20190522,   1.02\n20190523,   1.50\n20190524,   0.10\n"


def zipped(text: str, name: str = "F-F_Research_Data_Factors_daily.CSV") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text.replace("\n", "\r\n"))
    return out.getvalue()


class Library:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fail: dict[str, int] = {}
        self.cut: set[str] = set()
        self.asked: Counter[str] = Counter()
        library = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                library.asked[name] += 1
                body = library.files.get(name, b"")
                status = 200 if name in library.files else 404
                if library.fail.get(name, 0) > 0:
                    library.fail[name] -= 1
                    status = 503
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if name in library.cut else body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Library()
    monkeypatch.setattr(french_library, "LIBRARY", f"http://127.0.0.1:{running.http.server_address[1]}/ftp/")
    with stamina.set_testing(True, attempts=3, cap=True):
        yield running
    running.http.shutdown()
    running.http.server_close()
    running.thread.join()


US3, MOM = "F-F_Research_Data_Factors_daily_CSV.zip", "F-F_Momentum_Factor_daily_CSV.zip"


@pytest.mark.parametrize("name", ["a.CSV", "a.csv", "A.Txt"])
def test_published_zip_to_decimals(name: str, tmp_path: Path) -> None:
    content = zipped(THREE, name)
    (tmp_path / "x.zip").write_bytes(content)
    for source in (content, tmp_path / "x.zip", str(tmp_path / "x.zip"), THREE.encode()):
        factors = read_french(source)
        assert factors.columns.tolist() == ["mkt_rf", "smb", "hml", "rf"]
        assert factors.index.equals(
            pd.DatetimeIndex(["2019-05-21", "2019-05-22", "2019-05-23"]).as_unit("ns")
        )
        np.testing.assert_allclose(factors["mkt_rf"], [0.009, -0.0036, -0.0138], rtol=1e-12)
        assert factors["smb"].isna().tolist() == [False, True, False]
        assert factors["hml"].isna().tolist() == [False, False, True]
        assert factors.attrs["vintage"] == "202410"
    assert read_french(content).attrs["sha256"] == hashlib.sha256(content).hexdigest()


def test_fetched_once_then_from_the_cache(library: Library, cache_dir: Path) -> None:
    library.files = {US3: zipped(THREE), MOM: zipped(MOMENTUM, "mom.csv")}
    library.fail = {US3: 2}
    factors = french_factors(momentum=True)
    assert factors.columns.tolist() == ["mkt_rf", "smb", "hml", "rf", "mom"]
    assert len(factors) == 4
    assert factors["mom"].isna().tolist() == [True, False, False, False]
    assert factors.attrs["vintage"] == "202410; 202410"
    assert factors.attrs["sha256"].split("; ")[0] == hashlib.sha256(library.files[US3]).hexdigest()
    assert library.asked == {US3: 3, MOM: 1}
    again = french_factors(momentum=True, offline=True)
    pd.testing.assert_frame_equal(again, factors, check_exact=True)
    assert again.attrs == factors.attrs
    assert library.asked == {US3: 3, MOM: 1}
    when = pd.Timestamp(factors.attrs["retrieved"].split("; ")[0]) - pd.Timedelta(days=3)
    path = cache_dir / "french" / US3
    path.with_name(f"{US3}.retrieved").write_text(when.isoformat())
    os.utime(path)  # the time of the file says nothing
    assert french_factors(max_age=4).attrs["retrieved"] == when.isoformat()
    french_factors(max_age=float("inf"))
    french_factors(max_age=1e12)
    assert library.asked[US3] == 3
    french_factors(max_age=2)
    assert library.asked[US3] == 4
    french_factors(max_age=0)
    assert library.asked[US3] == 5
    with pytest.raises(RequestError, match="max_age must be a number of days"):
        french_factors(max_age=-1)


def test_a_damaged_file_is_set_aside_and_fetched_again(library: Library, cache_dir: Path) -> None:
    library.files = {US3: zipped(THREE)}
    good = french_factors()
    path = cache_dir / "french" / US3
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(DataWarning, match=r"set aside as .*\.damaged: .*not a whole zip"):
        again = french_factors()
    pd.testing.assert_frame_equal(again, good)
    assert french_factors(offline=True).equals(good)
    assert path.with_name(f"{US3}.damaged").exists()


def test_a_file_that_cannot_be_kept_is_of_today(
    library: Library, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.files = {US3: zipped(THREE)}
    french_factors()
    (cache_dir / "french" / f"{US3}.retrieved").write_text("2001-01-01T00:00:00+00:00")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(french_library, "write_atomic", full)
    with pytest.warns(DataWarning, match="could not be cached"):
        factors = french_factors(max_age=1)
    assert factors.attrs["retrieved"] > "2020"


def test_a_damaged_row_amid_others_is_not_the_end() -> None:
    rows = THREE.replace("20190522", "2019x522")
    with pytest.raises(DataError, match=r"line 6 cannot be read: .*amid daily rows"):
        read_french(rows.encode())


def test_a_zip_that_grows_beyond_all_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(french_library, "MOST_BYTES", 2_000_000)
    with pytest.raises(DataError, match="more than 2 MB"):
        read_french(zipped(THREE + " " * 3_000_000))


def test_a_download_is_bounded_in_size_and_time(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.files = {US3: zipped(THREE)}
    monkeypatch.setattr(french_library, "MOST_BYTES", 10)
    with pytest.raises(DataError, match="holds more than"):
        french_factors()
    monkeypatch.setattr(french_library, "MOST_BYTES", 10**9)
    monkeypatch.setattr(french_library, "WHOLE", -1)
    with pytest.raises(DataError, match="takes too long"):
        french_factors()


def test_a_redirect_does_not_leave_https() -> None:
    request = urllib.request.Request("https://mba.tuck.dartmouth.edu/x.zip")
    follow = french_library._StaysEncrypted().redirect_request
    for address in ("http://elsewhere.org/x.zip", "ftp://elsewhere.org/x.zip"):
        with pytest.raises(urllib.error.URLError, match="not encrypted"):
            follow(request, None, 302, "Found", {}, address)
    assert follow(request, None, 302, "Found", {}, "https://elsewhere.org/x.zip") is not None


@pytest.mark.parametrize(
    ("region", "factors", "name"),
    [
        ("US", 5, "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip"),
        ("Europe", 3, "Europe_3_Factors_Daily_CSV.zip"),
        ("asia pacific ex japan", 5, "Asia_Pacific_ex_Japan_5_Factors_Daily_CSV.zip"),
    ],
)
def test_file_of_a_region(library: Library, region: str, factors: int, name: str) -> None:
    library.files = {name: zipped(THREE)}
    assert len(french_factors(region, factors=factors)) == 3


def test_momentum_of_a_region_is_called_mom(library: Library) -> None:
    library.files = {
        "Japan_3_Factors_Daily_CSV.zip": zipped(THREE),
        "Japan_Mom_Factor_Daily_CSV.zip": zipped(MOMENTUM.replace("Mom   ", "WML")),
    }
    assert french_factors("Japan", momentum=True)["mom"].notna().sum() == 3


def test_the_market_takes_them(library: Library) -> None:
    library.files = {US3: zipped(THREE)}
    returns = pd.DataFrame(
        {"A": [0.01, 0.02, -0.01]}, pd.DatetimeIndex(["2019-05-21", "2019-05-22", "2019-05-23"])
    )
    assert "mkt_rf" in es.Market(returns, factors=french_factors()).factors


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(THREE)[:-40], "not a whole zip"),
        (b"<html>Moved</html>", "no rows of dated returns"),
        (zipped(THREE.replace("201905", "2019")), "no rows|not daily"),
        (zipped(PREAMBLE + ",Mkt-RF\n201905, 1.0\n"), "is not daily"),
        (zipped(THREE.replace("0.90,", "")), "line 5 cannot be read"),
        (zipped(THREE.replace("0.90", "n/a")), "line 5 cannot be read"),
        (zipped(THREE.replace("20190521", "20190599")), "line 5 cannot be read"),
        (zipped(THREE.replace("20190522", "20190521")), "duplicates or out of order"),
        (zipped(THREE.replace(",Mkt-RF,SMB", ",Mkt-RF,Mkt-RF", 1)), "not a header of factors"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_file_is_refused_and_not_kept(
    library: Library, cache_dir: Path, content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_french(content)
    library.files = {US3: content}
    with pytest.raises(DataError, match=message):
        french_factors()
    assert not list(cache_dir.rglob("*.zip"))


def test_a_zip_of_two_tables(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", THREE)
        archive.writestr("b.csv", THREE)
    with pytest.raises(DataError, match="2 tables, not one"):
        read_french(tmp_path / "two.zip")


def test_what_cannot_be_fetched(library: Library, cache_dir: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be fetched: .*404"):
        french_factors()
    assert library.asked[US3] == 1
    library.files = {US3: zipped(THREE)}
    library.cut = {US3}
    with pytest.raises(DataError, match="breaks off"):
        french_factors()
    with pytest.raises(DataError, match="is not cached"):
        french_factors(offline=True)
    assert not list(cache_dir.rglob("*"))


def test_requests_that_make_no_sense() -> None:
    with pytest.raises(RequestError, match="no region 'China'"):
        french_factors("China")
    with pytest.raises(RequestError, match="must be 3 or 5"):
        french_factors(factors=4)
    with pytest.raises(DataError, match="cannot be read"):
        read_french("/no/such/file.zip")
