"""Frames of vendors' clients work as they come, with no `columns=`, and give the number of clean closes."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataWarning
from tests.market.client_frames import CLIENTS, CLOSE, EVENT_DAY, INDEX

STUDY = {"estimation": (-120, -21), "window": (-2, 5)}


def car(market: es.Market) -> float:
    event = {"security": market.securities[0], "date": EVENT_DAY}
    return float(es.EventStudy(market, event, **STUDY).fit().car(0, 1)["car"].iloc[0])


@pytest.fixture(scope="module")
def wanted() -> float:
    return car(es.Market.from_prices(CLOSE, benchmark=INDEX))


@pytest.mark.quick(every=3)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_frame_of_a_client_works_as_it_comes(client: str, wanted: float) -> None:
    if client in ("polars", "pyarrow"):
        pytest.importorskip(client)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Prices.*out of order", DataWarning)
        market = es.Market.from_prices(CLIENTS[client](), benchmark=INDEX)
    assert len(market.securities) == 2
    np.testing.assert_allclose(car(market), wanted, rtol=0, atol=1e-9)
    reading = market.reading
    assert reading.columns.tolist() == ["column", "taken_for", "unit", "adjustment", "evidence"]
    assert "date" in reading["taken_for"].tolist()


def test_at_least_25_clients() -> None:
    assert len(CLIENTS) >= 25


@pytest.mark.slow
def test_the_page_of_clients_runs_and_every_car_on_it_is_the_same(
    wanted: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks of the page, in one namespace as its build has them; the last expression of each is printed."""
    pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    names: dict[str, object] = {}
    page = Path(__file__).parents[2] / "docs" / "data" / "vendor_clients.md"
    for code in re.findall(r"^```\{code-cell\} python\n(.*?)^```\n", page.read_text("utf-8"), re.M | re.S):
        body = ast.parse(re.sub(r"^:tags: .*", "", code))
        last = body.body.pop() if isinstance(body.body[-1], ast.Expr) else None
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Prices.*out of order", DataWarning)
            exec(compile(body, str(page), "exec"), names)
            if last is not None:
                print(eval(compile(ast.Expression(last.value), str(page), "eval"), names))
    cars = re.findall(r"^-?0\.\d{5,6}$", capsys.readouterr().out, re.M)
    assert len(cars) >= 25
    assert {round(float(car), 6) for car in cars} == {round(wanted, 6)}


def test_ids_come_before_tickers_and_index_returns_are_at_hand(wanted: float) -> None:
    market = es.Market.from_prices(CLIENTS["WRDS crsp.dsf"](), benchmark="vwretd")
    assert market.securities == ["10107", "14593"]
    np.testing.assert_allclose(car(market), wanted, rtol=0, atol=1e-9)
    told = market.reading.set_index("column")
    assert told.at["permno", "evidence"].startswith("an id that stays with its security; ticker")
    assert told.at["cfacpr", "evidence"] == "left aside: returns are given"
    assert "prc: close" in repr(market) or "ret: return" in repr(market)


def test_returns_of_a_long_frame() -> None:
    frame = CLIENTS["WRDS crsp.dsf"]()
    market = es.Market(frame, benchmark="vwretd")
    again = es.Market.from_prices(frame, benchmark="vwretd")
    pd.testing.assert_frame_equal(market.returns, again.returns)
