"""Numbers and dates are those of the data in every locale, and files have names that Windows allows."""

from __future__ import annotations

import locale
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.sources import cache, read_prices
from eventstudy.tabular import days

#: Names of months, decimal signs and pairs of i that are not English: as POSIX and as Windows call them.
LOCALES = {
    "de_DE": "German_Germany.1252",
    "fr_FR": "French_France.1252",
    "tr_TR": "Turkish_Turkey.1254",
    "zh_CN": "Chinese_China.936",
    "ar_SA": "Arabic_Saudi Arabia.1256",
}
DATES = (
    "21May2019", "21-May-2019", "21-MAY-19", "21 May 2019", "May 21, 2019", "May 21 2019", "21 october 2019",
    "October 21, 2019", "1Dec2019", "3 Mar 2019", "3 March 2019", "Sep 3, 2019", "September 3, 2019",
)  # fmt: skip


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], None]]:
    """Make a locale from its source where the system has that; it takes a second."""
    compiler = shutil.which("localedef")
    folder = tmp_path_factory.mktemp("locales")
    with pytest.MonkeyPatch.context() as patch:

        def made(name: str) -> None:
            target = folder / f"{name}.UTF-8"
            if compiler and not target.exists():
                command = [compiler, "-i", name, "-f", "UTF-8", str(target)]
                subprocess.run(command, check=False, capture_output=True)
            if target.exists():
                patch.setenv("LOCPATH", str(folder))

        yield made


@contextmanager
def speaking(name: str, compiled: Callable[[str], None]) -> Iterator[None]:
    before = locale.setlocale(locale.LC_ALL)
    compiled(name)
    for spelling in (f"{name}.UTF-8", LOCALES[name]):
        try:
            locale.setlocale(locale.LC_ALL, spelling)
        except locale.Error:
            continue
        break
    else:
        pytest.skip(f"the locale {name} is not installed here, nor can it be compiled")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.fixture(params=LOCALES)
def elsewhere(request: pytest.FixtureRequest, compiled: Callable[[str], None]) -> Iterator[str]:
    with speaking(request.param, compiled):
        yield request.param


def read(folder: Path, date: str) -> pd.DataFrame:
    path = folder / "firm.csv"
    path.write_text(f'Date;Close;Volume\n"{date}";29.5;1200\n', encoding="utf-8")
    return read_prices(path)


@pytest.mark.quick("tr_TR")
def test_files_in_another_locale(elsewhere: str, tmp_path: Path) -> None:
    for date in DATES:
        found = read(tmp_path, date)
        assert found.index[0] == pd.Timestamp(date)
        assert found["close", "firm"].tolist() == [29.5]
        assert f"{found['close', 'firm'].iloc[0]:.2f}" == "29.50"


def answers() -> list[str]:
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    events = es.Events(
        [
            {"security": name, "date": "21 May 2019", "label": "İstanbul report"}
            for name in ("002415.SZ", "002236.SZ")
        ]
    )
    results = es.EventStudy(market, events, estimation=(-120, -21), window=(-2, 2)).fit()
    told = str(results.verdict()), str(results.summary()), results.verdict().to_html()
    return [*told, results.caar_table().to_latex(), results.car().to_csv()]


@pytest.mark.quick("tr_TR")
@pytest.mark.parametrize("name", LOCALES)
def test_answers_in_another_locale(name: str, compiled: Callable[[str], None]) -> None:
    before = answers()
    with speaking(name, compiled):
        assert answers() == before


def test_no_name_of_a_month_is_left_to_the_locale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forms = []
    plain = pd.to_datetime

    def noted(*args: object, **options: object) -> object:
        forms.append(str(options.get("format")))
        return plain(*args, **options)

    monkeypatch.setattr(days.pd, "to_datetime", noted)
    for date in DATES:
        assert read(tmp_path, date).index[0] == pd.Timestamp(date)
    assert any("%m" in form for form in forms)
    assert not [form for form in forms if "%b" in form.lower()]


@pytest.mark.parametrize("text", ["21 Mai 2019", "21 marraskuuta 2019", "21 Marzo 2019", "21 Decem 2019"])
def test_other_names_are_not_taken_for_english_ones(text: str) -> None:
    assert days._MONTH.search(text) is None


@pytest.mark.parametrize(
    "ticker",
    [
        "CON", "nul", "COM1", "LPT9.TXT", "A:B", 'A"B', "A<B>C", "A|B", "A?B", "A*B", "A/B", "A\\B", "..",
        "BRK.", "A ", "A\nB", "x" * 300, "\u00e9", "brk-b",
    ],
)  # fmt: skip
def test_windows_can_hold_the_files_of_a_ticker(ticker: str) -> None:
    folder = cache._price_folder(ticker)
    base = cache.cache_folder()
    assert folder.parent == base / "yahoo"
    name = PureWindowsPath(folder.name)
    assert name.name == folder.name, "a name that Windows cuts in parts"
    assert not name.is_reserved()
    assert not set('<>:"/\\|?*') & set(folder.name)
    assert folder.name.isascii()
    assert folder.name.isprintable()
    assert not folder.name.endswith((".", " "))
    assert len(folder.name) < 120
    # Windows and macOS take upper and lower case for the same.
    assert cache._price_folder(ticker.upper()) == folder
