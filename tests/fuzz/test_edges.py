"""Single edges that random cases found, or might miss: each is refused, told or right."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import openpyxl
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import arguments, errors, streaming
from eventstudy.calendars import exchange_of
from eventstudy.errors import CalendarError, DataError, DataWarning, NoUsableEventsError, RequestError, warn
from eventstudy.tables import Section, Table

DAYS = pd.bdate_range("2019-01-01", periods=120)


def closes(seed: int = 1) -> pd.DataFrame:
    returns = 0.01 * np.random.default_rng(seed).standard_normal((120, 4))
    return pd.DataFrame(50 * np.exp(returns.cumsum(axis=0)), DAYS, ["A", "B", "C", "INDEX"])


@pytest.mark.parametrize("price", [5e-324, 1e-300, 1e300, np.inf, 0.0])
def test_prices_that_no_return_can_be_made_of(price: float) -> None:
    prices = closes()
    prices.iloc[60, 0] = price
    with pytest.raises(DataError, match=r"within a factor of 1e\+07 of their median: A is"):
        es.Market.from_prices(prices, benchmark="INDEX")
    with pytest.warns(DataWarning, match="taken for missing"):
        market = es.Market.from_prices(prices, benchmark="INDEX", bad_prices="missing")
    assert np.isnan(market.returns["A"].iloc[60])
    assert np.isfinite(market.returns["A"].iloc[61])


def test_prices_that_shrink_by_reverse_splits_are_possible() -> None:
    prices = closes()
    prices["A"] *= np.geomspace(1e6, 1, 120)
    assert np.isfinite(es.Market.from_prices(prices, benchmark="INDEX").returns["A"].iloc[1:]).all()


def calendar_time(lags: object, benchmark: object = None) -> es.CalendarTimeResults:
    rng = np.random.default_rng(2)
    months = pd.date_range("2010-01-31", periods=90, freq="ME")
    returns = pd.DataFrame(0.05 * rng.standard_normal((90, 6)), months, [*"ABCDE", "INDEX"])
    if benchmark is not None:
        returns.iloc[2:, 5] = benchmark
    market = es.Market(returns, benchmark="INDEX", kind="simple")
    events = [{"security": s, "date": months[1]} for s in "ABCDE"]
    return es.CalendarTimePortfolio(market, events, horizon=(1, 88), min_firms=3, cov="hac", lags=lags).fit()


@pytest.mark.parametrize("lags", [-1, 2.5, True, "3", 45, 85, 500])
def test_lags_of_a_calendar_time_portfolio(lags: object) -> None:
    with pytest.raises(RequestError, match="lags"):
        calendar_time(lags)


def test_sound_lags_of_a_calendar_time_portfolio() -> None:
    assert calendar_time(0).alpha()["se"].item() > 0
    assert calendar_time(12).alpha()["se"].item() > 0


@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_a_benchmark_that_does_not_move_tells_no_alpha() -> None:
    with pytest.raises(NoUsableEventsError, match="do not vary"):
        calendar_time(None, benchmark=0.0)


def test_a_benchmark_of_zeros_is_refused() -> None:
    with pytest.raises(DataError, match="'INDEX' does not move: each of its 119 returns is zero"):
        es.Market(closes().pct_change().iloc[1:, :3].assign(INDEX=0.0), benchmark="INDEX")


def test_a_benchmark_that_moves_on_few_days_moves_nothing_infinitely() -> None:
    returns = closes().pct_change().iloc[1:]
    returns.loc[returns.index[10:], "INDEX"] = 0.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        es.Market(returns, benchmark="INDEX")
    assert not [one for one in caught if "inf" in str(one.message)]


@pytest.mark.parametrize("option", [{"estimation": 0}, {"minimum": 0}, {"minimum": -3}])
def test_numbers_of_standardised_periods(option: dict[str, int]) -> None:
    with pytest.raises(RequestError, match="must be a whole number"):
        calendar_time(None).jaffe_mandelker(**option)


def test_bars_finer_than_told_are_refused() -> None:
    bars = es.lab.simulate_bars(2, 3, freq="5min", seed=1).prices
    for stamps in ("open", "close"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", es.errors.EventStudyWarning)
            if stamps == "open":
                with pytest.raises(DataError, match="finer than freq"):
                    es.Market.from_prices(
                        bars, benchmark="market", calendar="XSHG", freq="10min", stamps=stamps
                    )
            else:
                market = es.Market.from_prices(
                    bars, benchmark="market", calendar="XSHG", freq="10min", stamps=stamps
                )
                assert market.sessions.is_unique


@pytest.mark.parametrize("ticker", ["BTC-USD", "ETH-EUR", "DOGE-USDT"])
def test_pairs_of_currencies_are_on_no_exchange(ticker: str) -> None:
    with pytest.raises(CalendarError, match="round the clock"):
        exchange_of(ticker)
    assert exchange_of("BRK-B") == exchange_of("BAC-PL") == "XNYS"


@pytest.mark.usefixtures("no_pictures")
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = es.Market.from_prices(closes(), benchmark="INDEX")
    results = es.EventStudy(
        market, [{"security": "A", "date": DAYS[100]}], estimation=(-60, -11), window=(-5, 5)
    ).fit()
    page, sheet = tmp_path / "page.html", tmp_path / "table.xlsx"
    results.report(page)
    results.summary().to_excel(sheet)
    before = page.read_bytes(), sheet.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RequestError, match="cannot be written"):
        results.report(page)
    with pytest.raises(RequestError, match="cannot be written"):
        results.summary().to_excel(sheet)
    assert (page.read_bytes(), sheet.read_bytes()) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["page.html", "table.xlsx"]


@pytest.mark.parametrize("spec", ["{}{}", "{x}", "{:q}", "{0.real.x}", "{!z}"])
def test_formats_that_cannot_be_used(spec: str) -> None:
    for values in ([1.5], [3]):
        table = Table("T", [Section(pd.DataFrame({"x": values}), formats={"x": spec})])
        with pytest.raises(RequestError, match="cannot write"):
            str(table)


def test_tables_of_two_levels_without_names(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]}, pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
    table = Table("T", [Section(frame)])
    for text in (str(table), table.to_markdown(), table.to_latex(), table.to_html()):
        assert "b" in text
    wide = pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_tuples([("u", "x"), ("u", "y")]))
    Table("T", [Section(wide, index=False)]).to_excel(tmp_path / "wide.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "wide.xlsx").active
    assert ["u x", "u y"] in [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_labels_of_what_is_no_character(tmp_path: Path) -> None:
    label = "a\ufffeb\x00cd"
    table = Table(label, [Section(pd.DataFrame({"x": [1.0]}, [label]), label)], (label,))
    table.to_excel(tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert sheet["A1"].value == "abcd"
    assert "abcd" in table.to_html()


class Talking(es.MarketModel):
    """A model that warns of each part of the events it fits."""

    def fit_sample(self, sample: Any, rows: Any) -> Any:
        warn("said of a part", DataWarning)
        return super().fit_sample(sample, rows)


def several(model: es.MarketModel | None = None, **how: Any) -> es.EventStudyResults:
    market = es.Market.from_prices(closes(), benchmark="INDEX")
    events = [{"security": name, "date": DAYS[100]} for name in "ABC"]
    study = es.EventStudy(market, events, model=model, estimation=(-60, -11), window=(-5, 5))
    return study.fit(**how)


@pytest.mark.parametrize("methods", [(), [], None, "t", ["t", "no"]])
def test_methods_of_intervals(methods: object) -> None:
    with pytest.raises(RequestError, match="methods is a list out of t, conformal, bootstrap_t"):
        several().intervals(0, 1, methods=methods)


def test_the_alternative_of_a_joint_test() -> None:
    with pytest.raises(RequestError, match="alternative must be one of"):
        several().joint_test(0, 1, alternative="bigger")


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_warnings_of_workers_reach_the_results(backend: str) -> None:
    with pytest.warns(DataWarning, match="said of a part"):
        alone = several(Talking()).warnings
    with pytest.warns(DataWarning, match="said of a part"), joblib.parallel_config(backend=backend):
        shared = several(Talking(), n_jobs=2).warnings
    pd.testing.assert_frame_equal(shared, alone)
    assert (alone["category"] == "DataWarning").sum() == 1


@pytest.mark.parametrize("name", ["residuals", "qq", "autocorrelation"])
def test_what_is_passed_without_its_name(name: str) -> None:
    with pytest.raises(RequestError, match=rf"{name}\(\) takes no window, .*\(event, .*got 'NYT'"):
        getattr(several().plot, name)("NYT")
    with pytest.raises(RequestError, match=r"aar\(\) takes no window, .* \(test, weights, .*\); got 0, 1"):
        several().aar(0, 1)
    with pytest.raises(RequestError, match=r"Write alpha\(level=...\)"):
        calendar_time(None).alpha(0.9)


def test_groups_of_a_streamed_study_warn_once_of_each_kind() -> None:
    limit, suspect = errors.PriceLimitWarning, errors.SuspectDataWarning
    told = [
        [(limit, "A closed at its limit"), (errors.ExcludedEventsWarning, "said at the end")],
        [(limit, "A closed at its limit"), (limit, "B closed at its limit"), (suspect, "odd")],
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        streaming._warn_once(told)
    assert [(one.category, str(one.message)) for one in caught] == [
        (limit, "A closed at its limit (And 1 more of this kind, of other groups of securities.)"),
        (suspect, "odd"),
    ]


def test_misspelt_choices_are_recognised() -> None:
    with pytest.raises(RequestError, match=r"got 'truncat'\. Did you mean 'truncate'"):
        arguments.check_choice("delisted", "truncat", ("reference", "truncate"))
    with pytest.raises(RequestError, match=r"got 'zzz'\.$"):
        arguments.check_choice("delisted", "zzz", ("reference", "truncate"))


@pytest.mark.parametrize(
    ("check", "good", "bad", "told"),
    [
        (
            arguments.check_fraction,
            (0.95, np.float32(0.5), 1e-9),
            (0, 1, 2, np.nan, "0.9", None, True, 1j),
            "between 0 and 1",
        ),
        (arguments.check_whole, (0, -3, np.int8(4), 10**30), (1.0, True, "1", None), "a whole number;"),
        (lambda n, v: arguments.check_whole(n, v, 1), (1, 7), (0, -1, 2.5), "from 1 on"),
        (lambda n, v: arguments.check_whole(n, v, 1, 3), (1, 3), (0, 4), "from 1 to 3"),
        (lambda n, v: arguments.check_number(n, v, 0, below=1), (0, 0.9), (-0.1, 1), "from 0 below 1"),
        (lambda n, v: arguments.check_number(n, v, above=0), (1e-9, 5), (0, np.inf, -1), "above 0"),
    ],
)  # fmt: skip
def test_bounds_of_numbers(check, good, bad, told) -> None:
    for value in good:
        check("level", value)
    for value in bad:
        with pytest.raises(RequestError, match=f"level must be .*{told}"):
            check("level", value)
