from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, RequestError
from eventstudy.sources import cache

KNOWN = "b7bd8ef1334935b5287312d1d74a0a78deb4762b864bd9af57a898aa63cd234c"
START, END = pd.Timestamp("2019-01-01"), pd.Timestamp("2019-12-31")


def frame(start: pd.Timestamp = START, end: pd.Timestamp = END) -> pd.DataFrame:
    days = pd.DatetimeIndex(pd.bdate_range(start, end), freq=None, name="date").as_unit("ns")
    rng = np.random.default_rng(1)
    values = rng.normal(size=(len(days), 2))
    values[3, 1] = np.nan
    return pd.DataFrame(values, days, ["close", "adj_close"])


LONG_AGO = "2020-02-01T00:00:00+00:00"


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def put(start: str, end: str, ticker: str = "X", adjustment: str = "none", retrieved: str = LONG_AGO) -> None:
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    about = {"retrieved": retrieved}
    cache.store_prices(ticker, first, last, adjustment, cache.Entry(frame(first, last), about))


def find(start: str, end: str, ticker: str = "X", adjustment: str = "none", max_age: float | None = None):
    return cache.find_prices(ticker, pd.Timestamp(start), pd.Timestamp(end), adjustment, max_age)


def killed_writer(folder: Path, rounds: int, writer: str) -> dict[str, int]:
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("killed_writer.py")),
            str(folder),
            "20190522",
            str(rounds),
            writer,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_hundred_kills_in_the_middle_of_a_write_never_corrupt_the_cache(cache_dir: Path) -> None:
    seen = killed_writer(cache_dir, 100, "atomic")
    assert seen["corrupt"] == 0
    assert seen["whole"] + seen["absent"] == 100
    assert seen["whole"] >= 50
    assert seen["killed while writing"] >= 10


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_the_kills_do_corrupt_a_file_that_is_written_in_place(cache_dir: Path) -> None:
    assert killed_writer(cache_dir, 40, "naive")["corrupt"] >= 1


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "entry"
    cache.write_atomic(path, b"old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        cache.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["entry"]


def test_pack_and_unpack_are_exact_to_the_bit() -> None:
    one = frame()
    one.iloc[0, 0] = 0.1 + 0.2
    one.iloc[1, 0] = -0.0
    two = es.datasets.surveillance_prices()
    for original in (one, two):
        back, about = cache.unpack(cache.pack(original, {"a": "é"}), "x")
        pd.testing.assert_frame_equal(back, original, check_exact=True)
        assert back.to_numpy().tobytes() == original.to_numpy().tobytes()
        assert about == {"a": "é"}


def test_the_same_frame_gives_the_same_bytes() -> None:
    content = cache.pack(es.datasets.surveillance_prices(), {})
    assert content == cache.pack(es.datasets.surveillance_prices(), {})
    # Known beforehand: another machine, NumPy or pandas gives this file too.
    days = pd.DatetimeIndex(["2019-05-21", "2019-05-22"])
    for unit in ("s", "us", "ns"):
        small = pd.DataFrame({"close": [1.0, 2.0]}, days.as_unit(unit))
        assert hashlib.sha256(cache.pack(small, {})).hexdigest() == KNOWN


def test_a_changed_byte_or_a_missing_end_is_noticed() -> None:
    original = frame()
    content = cache.pack(original, {"v": 1})
    chance = random.Random(5)
    noticed = 0
    for _ in range(300):
        broken = bytearray(content)
        if chance.random() < 0.3:
            del broken[chance.randrange(len(broken)) :]
        else:
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        try:
            back, _ = cache.unpack(bytes(broken), "entry")
        except DataError:
            noticed += 1
        else:
            # Some bytes of a zip mean nothing to its reader; the numbers are the same then.
            assert back.to_numpy().tobytes() == original.to_numpy().tobytes()
    assert noticed >= 280


@pytest.mark.parametrize(
    ("index", "columns", "values", "message"),
    [
        (["2019-05-21 10:00"], ["a"], [[1.0]], "time of day"),
        (["2019-05-21", "2019-05-21"], ["a"], [[1.0], [2.0]], "each date once"),
        (["2019-05-21"], ["a", "a"], [[1.0, 2.0]], "unique"),
        (["2019-05-21"], ["date"], [[1.0]], "date"),
        (["2019-05-21"], ["a"], [["x"]], "numbers"),
    ],
)
def test_only_daily_frames_of_numbers_are_stored(index, columns, values, message) -> None:
    with pytest.raises(DataError, match=message):
        cache.pack(pd.DataFrame(values, pd.DatetimeIndex(index), columns), {})
    aware = pd.DatetimeIndex(index).tz_localize("UTC")
    with pytest.raises(DataError, match="naive"):
        cache.pack(pd.DataFrame(values, aware, columns), {})


def test_the_cache_knows_ticker_span_and_adjustment() -> None:
    put("2019-01-01", "2019-12-31")
    assert find("2019-01-01", "2019-12-31").frame.equals(frame())
    assert find("2019-01-01", "2019-12-31", ticker="x") is not None
    assert find("2019-01-01", "2019-12-31", ticker="Y") is None
    assert find("2019-01-01", "2019-12-31", adjustment="splits") is None
    assert find("2018-12-31", "2019-12-31") is None
    assert find("2019-01-01", "2020-01-01") is None


def test_a_wider_span_serves_a_narrower_one() -> None:
    put("2019-01-01", "2019-12-31")
    got = find("2019-05-20", "2019-05-24").frame
    assert got.equals(frame().loc["2019-05-20":"2019-05-24"])
    assert find("2019-05-25", "2019-05-26").frame.empty


def test_age_limit_and_newest_first_go_by_the_recorded_time(cache_dir: Path) -> None:
    old, new = ago(3), ago(1)
    put("2018-01-01", "2019-12-31", retrieved=new)
    put("2019-01-01", "2019-12-31", retrieved=old)  # a file that was written last
    assert find("2019-01-01", "2019-12-31").about == {"retrieved": new}
    assert find("2019-01-01", "2019-12-31", max_age=2).about == {"retrieved": new}
    es.sources.clear_cache()
    put("2019-01-01", "2019-12-31", retrieved=old)
    path = next(cache_dir.rglob("*.npz"))
    for moment in (0.0, 2e9):  # a copy that lost its time, and one dated ahead
        os.utime(path, (moment, moment))
        assert find("2019-01-01", "2019-12-31", max_age=2) is None
        assert find("2019-01-01", "2019-12-31", max_age=4) is not None
        assert find("2019-01-01", "2019-12-31", max_age=0) is None


@pytest.mark.parametrize("retrieved", ["tomorrow", "", "yesterday", "2019-13-01"])
def test_what_was_fetched_at_no_time_or_tomorrow_has_no_age(retrieved: str) -> None:
    put("2019-01-01", "2019-12-31", retrieved=ago(-2) if retrieved == "tomorrow" else retrieved)
    assert find("2019-01-01", "2019-12-31") is not None
    assert find("2019-01-01", "2019-12-31", max_age=1e6) is None


def test_extremes_of_max_age() -> None:
    put("2019-01-01", "2019-12-31", retrieved=ago(1))
    for age in (float("inf"), 1e12, 10**30, np.float32(3)):
        assert find("2019-01-01", "2019-12-31", max_age=age) is not None
    assert find("2019-01-01", "2019-12-31", max_age=0) is None
    for age in (-1, float("nan"), "3", True, None.__class__):
        with pytest.raises(RequestError, match="max_age must be a number of days"):
            find("2019-01-01", "2019-12-31", max_age=age)


@pytest.mark.parametrize(
    ("lost", "fetched", "found"),
    [
        (0, "2019-12-31T10:00:00+00:00", True),
        (1, "2020-01-01T10:00:00+00:00", False),  # the bar of the last day may still come
        (1, "2020-01-20T10:00:00+00:00", True),  # a holiday
        (40, "2020-01-02T10:00:00+00:00", False),
        (40, "2020-01-20T10:00:00+00:00", True),  # a halt
    ],
)
def test_bars_that_come_late_are_waited_for(lost: int, fetched: str, found: bool) -> None:
    held = frame()
    held.iloc[len(held) - lost :, 0] = np.nan
    cache.store_prices("X", START, END, "none", cache.Entry(held, {"retrieved": fetched}))
    assert (find("2019-01-01", "2019-12-31") is not None) == found
    assert cache.find_prices("X", START, END, "none", None, offline=True) is not None


def test_a_weekend_after_the_last_bar_is_not_waited_for() -> None:
    sunday = pd.Timestamp("2019-12-29")
    entry = cache.Entry(frame(START, sunday), {"retrieved": "2019-12-29T23:00:00+00:00"})
    cache.store_prices("X", START, sunday, "none", entry)
    assert find("2019-01-01", "2019-12-29") is not None
    daily = pd.DatetimeIndex(pd.date_range(START, "2019-12-27"), freq=None, name="date").as_unit("ns")
    coins = pd.DataFrame(1.0, daily, ["close", "adj_close"])
    cache.store_prices("BTC-USD", START, sunday, "none", cache.Entry(coins, entry.about))
    assert find("2019-01-01", "2019-12-29", ticker="BTC-USD") is None


def test_clearing_while_another_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    put("2019-01-01", "2019-12-31")
    read = Path.read_bytes

    def cleared(path: Path) -> bytes:
        es.sources.clear_cache()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", cleared)
    assert find("2019-01-01", "2019-12-31") is None


def test_a_link_to_nowhere(cache_dir: Path, tmp_path: Path) -> None:
    put("2019-01-01", "2019-12-31")
    path = next(cache_dir.rglob("*.npz"))
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    assert find("2019-01-01", "2019-12-31") is None


@pytest.mark.parametrize(
    "ticker", ["^GSPC", "EURUSD=X", "BRK-B", "A/B", "..", "NUL", "a b", "é", "X" * 300, "\ud800", "漢" * 90]
)
def test_any_ticker_makes_a_file_inside_of_the_cache(ticker: str, cache_dir: Path) -> None:
    put("2019-01-01", "2019-12-31", ticker=ticker)
    assert find("2019-01-01", "2019-12-31", ticker=ticker) is not None
    (path,) = cache_dir.rglob("*.npz")
    assert path.parent.parent == cache_dir / "yahoo"
    # What Windows allows as the name of a folder.
    assert re.fullmatch(r"ticker-[\w.%~-]{1,160}", path.parent.name, re.ASCII)
    assert not path.parent.name.endswith(".")
    assert re.fullmatch(r"[\w-]+\.npz", path.name, re.ASCII)
    es.sources.clear_cache()
    assert find("2019-01-01", "2019-12-31", ticker=ticker) is None


def test_a_broken_file_is_set_aside_with_a_warning(cache_dir: Path) -> None:
    put("2019-01-01", "2019-12-31")
    path = next(cache_dir.rglob("*.npz"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(DataWarning, match=r"set aside as .*\.damaged"):
        assert find("2019-01-01", "2019-12-31") is None
    assert find("2019-01-01", "2019-12-31") is None  # told once
    assert path.with_name(f"{path.name}.damaged").exists()


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EVENTSTUDY_CACHE_DIR", str(tmp_path / "file"))
    with pytest.warns(DataWarning, match="EVENTSTUDY_CACHE_DIR"):
        put("2019-01-01", "2019-12-31")


def test_the_cache_lies_in_the_users_folder_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENTSTUDY_CACHE_DIR")
    assert "eventstudy" in es.sources.cache_folder().parts[-1]


def test_a_snapshot_comes_back_to_the_digit_with_what_is_said_of_it(tmp_path: Path) -> None:
    prices = es.datasets.surveillance_prices()
    prices.attrs["source"] = "bundled"
    digest = es.sources.snapshot(prices, tmp_path / "paper.npz")
    back = es.sources.load_snapshot(tmp_path / "paper.npz")
    pd.testing.assert_frame_equal(back, prices, check_exact=True)
    assert back.attrs == {"source": "bundled"}
    assert (tmp_path / "paper.npz.sha256").read_text() == f"{digest}  paper.npz\n"
    assert digest == hashlib.sha256((tmp_path / "paper.npz").read_bytes()).hexdigest()

    def study(frame: pd.DataFrame) -> pd.DataFrame:
        market = es.Market.from_prices(frame, benchmark="399001.SZ", calendar="XSHG")
        event = {"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}
        return es.EventStudy(market, [event], estimation=(-270, -21)).fit().car(0, 1)

    pd.testing.assert_frame_equal(study(back), study(prices), check_exact=True)


def test_a_snapshot_that_is_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paper.npz"
    es.sources.snapshot(frame(), path)
    other = es.sources.snapshot(frame() * 2, tmp_path / "other.npz")
    with pytest.raises(DataError, match="is not the file that was kept"):
        es.sources.load_snapshot(path, sha256=other)
    path.write_bytes((tmp_path / "other.npz").read_bytes())
    with pytest.raises(DataError, match="is not the file that was kept"):
        es.sources.load_snapshot(path)
    (tmp_path / "paper.npz.sha256").unlink()
    with pytest.warns(DataWarning, match=other):
        assert es.sources.load_snapshot(path).equals(frame() * 2)


def test_a_snapshot_opens_with_numpy_alone(tmp_path: Path) -> None:
    path = tmp_path / "paper.npz"
    es.sources.snapshot(es.datasets.surveillance_prices(), path)
    with np.load(path) as arrays:
        day = arrays["date"] == np.datetime64("2019-05-22")
        assert arrays["low/002415.SZ"][day] == 24.84
    assert zipfile.ZipFile(path).testzip() is None


def test_a_snapshot_that_is_not_there_or_not_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        es.sources.load_snapshot(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("date,close\n")
    digest = hashlib.sha256(b"date,close\n").hexdigest()
    with pytest.raises(DataError, match=r"text\.npz is not whole"):
        es.sources.load_snapshot(tmp_path / "text.npz", sha256=digest)
    with pytest.raises(DataError, match="cannot be written"):
        es.sources.snapshot(frame(), tmp_path / "text.npz" / "x.npz")
