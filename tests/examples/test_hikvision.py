"""The main example: its numbers, its words, its figures, and what it says where Yahoo does not answer."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import eventstudy as es
from eventstudy.errors import CalendarWarning, DataError, DataWarning

FIGURES = {
    "reaction",
    "decomposition",
    "car",
    "fit",
    "null",
    "sector_caar",
    "sector_heatmap",
    "listing_reaction",
}


@pytest.fixture(scope="module")
def story(example: ModuleType) -> Any:
    return example.studies(es.datasets.surveillance_prices())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figures") / "new"


@pytest.fixture(scope="module")
def output(example: ModuleType, folder: Path) -> str:
    """What the script prints, with its figures drawn but not saved."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", lambda *args, **kwargs: None)
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        assert example.main(["--out", str(folder)]) == 0
    return "\n".join(printed)


@pytest.mark.slow
def test_output_fits_a_terminal_of_100_columns(output: str) -> None:
    assert max(map(len, output.splitlines())) <= 100


@pytest.mark.parametrize(
    "line",
    [
        "report, clock of Shenzhen Wed 2019-05-22 07:00",
        "low 24.84 -10.00% yes",
        "close 26.07 -5.54% no",
        "against the SZSE Component: beta 1.223, R2 0.54, daily s.d. 1.84%, 250 estimation days",
        "AR 0 -5.54% -0.66% -4.89% 1.85% -2.65 0.0087 -8.52% -1.25% 0.0319",
        "CAR (0, +1) -11.34% -3.82% -7.51% 2.63% -2.86 0.0046 -12.68% -2.34% 0.0159",
        "CAR (0, +1) -11.34% -3.22% -8.12% 2.64% -3.07 0.0024 -13.32% -2.91% 0.0079",  # CSI 300
        "CAR (0, +1) -19.4 -32.7 -6.0",  # billion yuan
        "all six, CAR (0, +1) -24.4 -44.6 -4.2",
        "Dahua -5.07% 2.20% -2.31 0.0218 -9.39% -0.74%",
        "Hikvision 7 2 2019-10-10 3",
        "Hikvision -4.33% 2.46% -6.79% 3.49% -1.95 0.0525 -13.65% 0.07% 0.0952",
        "Dahua -5.79% 2.99% -8.79% 3.59% -2.44 0.0152 -15.86% -1.71% 0.0595",
    ],
)
def test_output_holds_the_known_figures(output: str, line: str) -> None:
    assert line in [" ".join(printed.split()) for printed in output.splitlines()]


def test_any_time_between_two_closes_leads_to_the_session(output: str) -> None:
    told = "from Tue 2019-05-21 03:00 to just before Wed 2019-05-22 03:00 in New York"
    assert told in " ".join(output.split())
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    for time, day in (("2019-05-21 03:00", "2019-05-22"), ("2019-05-22 02:59", "2019-05-22")):
        events = es.Events([{"security": "002415.SZ", "announced_at": f"{time}-04:00"}])
        results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
        assert f"{results.timeline['day_0'].iloc[0]:%Y-%m-%d}" == day


@pytest.mark.slow
def test_figures_are_pictures_with_something_on_them(example: ModuleType, output: str, folder: Path) -> None:
    assert example.main(["--out", str(folder)]) == 0
    paths = sorted(folder.glob("*.png"))
    assert {path.stem.removeprefix("hikvision_") for path in paths} == FIGURES
    for path in paths:
        assert path.name in output
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB")).astype(np.int32)
        assert min(pixels.shape[:2]) > 300
        assert len(np.unique(pixels @ [1 << 16, 1 << 8, 1])) > 20


def test_conclusion_states_what_the_numbers_say(example: ModuleType, story: Any) -> None:
    said = example.conclusion(story)
    assert said[0].startswith("In the 2 sessions from 22 May 2019 Hikvision returned 7.51% less than")
    p = story.report.recommended(0, 1).set_index("test")["p_value"]
    assert 0.05 < p.max() <= 0.10
    assert f"weak evidence against mere chance: all {len(p)} recommended tests reject it at 10%" in said[0]
    assert all(f"{key} p = {value:.4f}" in said[0] for key, value in p.items())
    assert "same sign: -8.12%" in said[1]
    assert "-10.00%, 24.84 yuan, the lowest the exchange allows" in said[2]
    assert "close was -5.54%" in said[2]
    assert "loss of 19.4 billion yuan" in said[3]
    assert "(day -4, outside" in said[-1]
    assert "(day 0, inside" in said[-1]


def test_words_tell_the_blind_spot_where_a_test_does_not_reject(example: ModuleType, story: Any) -> None:
    for results, window in ((story.report, (0, 1)), (story.sector, (0, 1)), (story.report, (2, 5))):
        verdict, said = results.verdict(window), example.finding("X", results, window)
        row = results.caar(window).iloc[0]
        side = "less" if row["caar"] < 0 else "more"
        assert said.startswith(f"X returned {abs(row['caar']):.2%} {side} than the market model expects")
        assert verdict.evidence in said
        assert ("with probability 0.8" in said) == (not verdict.tests["rejects"].all())


def test_rising_prices_turn_the_conclusion(example: ModuleType) -> None:
    """A market in which Hikvision rises as much as it fell: other words, though no sentence was changed."""
    prices = es.datasets.surveillance_prices()
    close = prices["close", "002415.SZ"]
    rise = close["2019-05-21"] ** 2 / close["2019-05-22"] ** 2
    after = prices.index >= "2019-05-22"
    for field in ("close", "open", "high", "low", "previous_close", "reference"):
        later = after if field not in ("previous_close", "reference") else prices.index > "2019-05-22"
        prices.loc[later, (field, "002415.SZ")] *= rise
    said = example.conclusion(example.studies(prices))
    assert "% more than the market model expects" in said[0]
    assert "gain of" in said[3]


def yahoo(tickers: list[str], start: Any, end: Any, **_: Any) -> pd.DataFrame:
    """Stand in for es.prices: the bundled prices as Yahoo would give them, dirt and all."""
    bundled = es.datasets.surveillance_prices()
    assert (sorted(tickers), start, end) == (list(bundled["close"]), bundled.index[0], bundled.index[-1])
    market = es.Market.from_prices(bundled, benchmark="399001.SZ", calendar="XSHG")
    frame = bundled[["close", "open", "low", "high"]].drop(columns="000300.SS", level="security")
    for ticker in frame["close"]:
        frame["adj_close", ticker] = (1 + market.returns[ticker].fillna(0.0)).cumprod()
        frame["volume", ticker] = 1000.0
    # Days on which Hikvision was suspended, as vendors show them.
    for field in ("close", "adj_close", "volume"):
        frame.loc["2019-10-08":"2019-10-09", (field, "002415.SZ")] = (
            0.0 if field == "volume" else frame.at["2019-09-30", (field, "002415.SZ")]
        )
    warnings.warn("1 of 8 tickers have no prices: 000300.SS", DataWarning, stacklevel=2)
    return frame.drop(pd.to_datetime(["2019-04-29", "2019-04-30"]))


@pytest.mark.slow
def test_live_prices_give_the_same_answer(
    example: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(es, "prices", yahoo)
    with (
        pytest.warns(CalendarWarning, match="lacks 2 session"),
        pytest.warns(DataWarning, match="000300.SS"),
        pytest.warns(DataWarning, match=r"missing session on 2019-04-29"),
    ):
        assert example.main(["--live", "--out", str(tmp_path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "CSI 300" not in told
    assert "CAR (0, +1) -11.34% -3.82% -7.51% 2.63% -2.86 0.0046" in told
    assert "Hikvision 7 2 2019-10-10 3" in told


def test_yahoo_out_of_reach_is_said_in_plain_words(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: Any, **__: Any) -> pd.DataFrame:
        raise DataError("No prices came: no connection to Yahoo")

    monkeypatch.setattr(es, "prices", unreachable)
    assert example.main(["--live"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "No prices came: no connection to Yahoo\n\n"
        "Without --live the same study runs on the bundled prices.\n"
    )


def test_money_is_share_times_shares(example: ModuleType, story: Any) -> None:
    """19.4 billion yuan: 7.51% of 27.60 yuan times 9,348 million shares."""
    change = example.value(story).sections[0].frame.at["CAR (0, +1)", "abnormal"]
    assert change == pytest.approx(-0.075111 * 27.60 * 9.348, abs=5e-4)


def test_without_a_number_of_shares_the_demo_says_so(
    example: ModuleType, story: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = es.datasets.surveillance_shares() * np.nan
    monkeypatch.setattr(es.datasets, "surveillance_shares", lambda: unknown)
    told = str(example.value(story))
    assert told.startswith("5. Abnormal change in value")
    assert "No number of shares is known for that day" in told
    assert not any("In money" in sentence for sentence in example.conclusion(story))
