"""Long panels in Parquet: what a study reads of them gives the numbers of the panel held in memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import CalendarWarning, DataError, ExcludedEventsWarning, ModelError, RequestError
from eventstudy.market.parquet_panel import PAD

pa = pytest.importorskip("pyarrow", reason="pyarrow is an extra")
pq = pytest.importorskip("pyarrow.parquet")

ESTIMATION, WINDOW = (-120, -21), (-5, 5)
TIGHT = {"rtol": 1e-12, "atol": 1e-14}
N, T = 200, 700
DAYS = pd.bdate_range("2015-01-05", periods=T).as_unit("ns")
quiet = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")


def wide() -> pd.DataFrame:
    """Returns with late listings, delistings, days without trade, long halts, and one security never seen."""
    rng = np.random.default_rng(11)
    values = 0.01 * rng.standard_normal((T, 1)) + 0.02 * rng.standard_normal((T, N))
    values[rng.random(values.shape) < 0.02] = np.nan
    for security in range(0, N, 5):
        values[: rng.integers(1, 300), security] = np.nan
    for security in range(1, N, 5):
        values[rng.integers(450, T) :, security] = np.nan
    for security in range(2, N, 5):
        start = rng.integers(50, 400)
        values[start : start + rng.integers(20, 150), security] = np.nan
    return pd.DataFrame(values, DAYS, [str(10_000 + i) for i in range(N)]).rename_axis("date")


def index() -> pd.Series:
    return pd.Series(0.01 * np.random.default_rng(12).standard_normal(T), DAYS, name="index")


def factors() -> pd.DataFrame:
    values = 0.01 * np.random.default_rng(13).standard_normal((T, 3))
    return pd.DataFrame(values, DAYS, ["mkt_rf", "smb", "hml"]).assign(rf=0.0001)


def long(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a security-day, without those that have no return, as integers like CRSP's, by security."""
    rows = frame.melt(var_name="permno", value_name="ret", ignore_index=False).reset_index().dropna()
    return rows.astype({"permno": "int32"}).sort_values(["permno", "date"], ignore_index=True)


def events(first: int = 380, n: int = 300, seed: int = 14) -> es.Events:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "security": (10_000 + rng.integers(0, N, n)).astype(str),
            "date": DAYS[rng.integers(first, T - 30, n)] + pd.to_timedelta(rng.integers(0, 3, n), "D"),
        }
    ).drop_duplicates()
    return es.Events(frame)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    target = tmp_path_factory.mktemp("panel") / "crsp.parquet"
    pq.write_table(pa.Table.from_pandas(long(wide()), preserve_index=False), target, row_group_size=5_000)
    return target


def assert_same(found: es.EventStudyResults, wanted: es.EventStudyResults) -> None:
    pd.testing.assert_frame_equal(found.timeline, wanted.timeline)
    pd.testing.assert_frame_equal(found.parameters, wanted.parameters, **TIGHT)
    for name in ("ar", "actual", "expected", "noise", "s2"):
        np.testing.assert_allclose(
            getattr(found.fitted.abnormal, name), getattr(wanted.fitted.abnormal, name), **TIGHT
        )
    past, wanted_past = found.fitted.abnormal.past, wanted.fitted.abnormal.past
    np.testing.assert_allclose(past.residuals(), wanted_past.residuals(), **TIGHT)
    np.testing.assert_allclose(past.leverage(), wanted_past.leverage(), **TIGHT)
    np.testing.assert_array_equal(found.fitted.abnormal.span, wanted.fitted.abnormal.span)
    pd.testing.assert_frame_equal(found.car(0, 1), wanted.car(0, 1), **TIGHT)
    tests = ["patell", "bmp", "adjusted_bmp", "rank", "grank_t", "generalized_sign"]
    told = [results.test(0, 1, tests=tests)[["statistic", "p_value"]] for results in (found, wanted)]
    pd.testing.assert_frame_equal(*told, **TIGHT)
    assert list(found.excluded.index) == list(wanted.excluded.index)
    known = ~wanted.excluded["reason"].str.contains("no security")
    pd.testing.assert_frame_equal(found.excluded[known], wanted.excluded[known])


@pytest.mark.quick(every=8)
@quiet
@pytest.mark.parametrize("gaps", ["lumped", "single"])
@pytest.mark.parametrize(
    "model",
    [es.MarketModel(), es.MarketModel(missing="trade_to_trade"), es.FamaFrench3(), es.Dimson(1, 1)],
    ids=["market", "trade to trade", "factors", "dimson"],
)
def test_a_study_is_that_of_the_panel_in_memory(path, model, gaps):
    options = {"benchmark": index(), "factors": factors(), "gaps": gaps}
    panel = es.Market.scan_parquet(path, **options)
    found = es.EventStudy(panel, events(), model, ESTIMATION, WINDOW).fit()
    wanted = es.EventStudy(es.Market(wide(), **options), events(), model, ESTIMATION, WINDOW).fit()
    assert len(found.timeline) > 200
    assert_same(found, wanted)


@quiet
def test_a_benchmark_of_the_panel_is_read_from_the_beginning(path):
    some = es.Events(events().frame.head(20)[["security", "date"]])
    panel = es.Market.scan_parquet(path, gaps="lumped", benchmark="10003")
    study = es.EventStudy(panel, some, None, ESTIMATION, WINDOW)
    wanted = es.EventStudy(
        es.Market(wide(), gaps="lumped", benchmark="10003"), some, None, ESTIMATION, WINDOW
    )
    assert_same(study.fit(), wanted.fit())
    market = study.spec.market
    assert market.columns == tuple(sorted({*some.securities, "10003"}))
    pd.testing.assert_series_equal(market.returns["10003"], wide()["10003"], check_freq=False)


@pytest.mark.slow
@quiet
def test_benchmarks_by_security_and_by_event(path):
    given = {str(10_000 + i): ("10003" if i % 2 else index()) for i in range(N)}
    frame = events().frame[["security", "date"]].assign(benchmark=None).astype({"benchmark": object})
    frame.loc[frame.index[:40], "benchmark"] = "10008"
    named = es.Events(frame)
    found = es.EventStudy(
        es.Market.scan_parquet(path, gaps="lumped", benchmark=given), named, None, ESTIMATION, WINDOW
    )
    wanted = es.EventStudy(es.Market(wide(), gaps="lumped", benchmark=given), named, None, ESTIMATION, WINDOW)
    assert_same(found.fit(), wanted.fit())


@quiet
def test_nothing_but_what_the_events_need_is_read(path):
    few = es.Events({"security": ["10003", "10008"], "date": [DAYS[500], DAYS[520]]})
    market = es.EventStudy(
        es.Market.scan_parquet(path, gaps="lumped", benchmark=index()), few, None, ESTIMATION, WINDOW
    ).spec.market
    assert market.securities == ["10003", "10008"]
    assert market.sessions.tolist() == DAYS.tolist()
    read = market.returns.notna().any(axis=1).to_numpy()
    first = int(np.argmax(read))
    assert 500 - 120 - 20 - PAD <= first <= 500 - 120
    pd.testing.assert_frame_equal(
        market.returns.iloc[first:],
        wide()[["10003", "10008"]].iloc[first:],
        check_freq=False,
        check_names=False,
    )


@quiet
def test_a_return_after_a_halt_that_began_before_what_is_read(path, tmp_path):
    """Its span reaches back to the last trade, years before the estimation window."""
    halted = wide()[["10003", "10004"]].fillna(0.001)
    halted.iloc[100:420, 0] = np.nan
    target = tmp_path / "halted.parquet"
    long(halted).to_parquet(target)
    few = es.Events({"security": ["10003", "10004"], "date": [DAYS[500], DAYS[510]]})
    for model in (es.MarketModel(), es.MarketModel(missing="trade_to_trade")):
        found = es.EventStudy(
            es.Market.scan_parquet(target, gaps="lumped", benchmark=index()), few, model, ESTIMATION, WINDOW
        )
        wanted = es.EventStudy(
            es.Market(halted, gaps="lumped", benchmark=index()), few, model, ESTIMATION, WINDOW
        )
        assert found.spec.market.spans["10003"].max() == 321
        assert_same(found.fit(), wanted.fit())


@pytest.mark.quick(every=6)
@quiet
@pytest.mark.parametrize("form", ["texts", "categories", "date32", "zoned", "folder", "by date"])
def test_forms_of_files(form, tmp_path):
    rows, target = long(wide()), tmp_path / "panel.parquet"
    if form == "texts":
        rows = rows.assign(permno=rows["permno"].astype(str), date=rows["date"].dt.strftime("%Y-%m-%d"))
    elif form == "categories":
        rows = rows.assign(permno=rows["permno"].astype(str).astype("category"))
    elif form == "date32":
        rows = rows.assign(date=rows["date"].dt.date)
    elif form == "zoned":
        rows = rows.assign(date=rows["date"].dt.tz_localize("America/New_York"))
    elif form == "by date":
        rows = rows.sort_values(["date", "permno"])
    if form == "folder":
        target = tmp_path / "panel"
        target.mkdir()
        for number, part in enumerate((rows[rows["permno"] < 10_090], rows[rows["permno"] >= 10_090])):
            part.to_parquet(target / f"{number}.parquet")
    else:
        rows.to_parquet(target)
    found = es.EventStudy(
        es.Market.scan_parquet(target, gaps="lumped", benchmark=index()), events(), None, ESTIMATION, WINDOW
    ).fit()
    wanted = es.EventStudy(
        es.Market(wide(), gaps="lumped", benchmark=index()), events(), None, ESTIMATION, WINDOW
    ).fit()
    assert_same(found, wanted)


def test_unknown_securities_are_excluded_with_the_reason(path):
    frame = pd.DataFrame({"security": ["10003", "99999", "Huawei"], "date": DAYS[500]})
    study = es.EventStudy(
        es.Market.scan_parquet(path, gaps="lumped", benchmark=index()), frame, None, ESTIMATION, WINDOW
    )
    with pytest.warns(ExcludedEventsWarning, match="2 of 3 events"):
        results = study.fit()
    assert results.excluded["reason"].str.contains("99999|Huawei is not listed").all()
    with pytest.raises(DataError, match="none of the 1 securities asked for, such as '99999'"):
        es.EventStudy(es.Market.scan_parquet(path, gaps="lumped", benchmark=index()), frame.iloc[[1]])


@pytest.mark.parametrize("apart", [False, True])
def test_a_day_that_stands_twice_is_an_error(apart, tmp_path):
    rows = long(wide())
    again = rows[(rows["permno"] == 10_003) & (rows["date"] == DAYS[450])]
    assert len(again) == 1
    twice = pd.concat([rows, again])
    twice = twice if apart else twice.sort_values(["permno", "date"])
    twice.to_parquet(tmp_path / "twice.parquet")
    panel = es.Market.scan_parquet(tmp_path / "twice.parquet", gaps="lumped", benchmark=index())
    few = pd.DataFrame({"security": ["10003"], "date": DAYS[500]})
    with pytest.raises(DataError, match=rf"10003 has more than one row for {DAYS[450]:%Y-%m-%d}"):
        es.EventStudy(panel, few, None, ESTIMATION, WINDOW)


def test_a_day_that_stands_twice_in_parts_read_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("eventstudy.market.parquet_panel.ROWS", 1)
    rows = long(wide()[["10003"]])
    folder = tmp_path / "parts"
    folder.mkdir()
    rows.to_parquet(folder / "a.parquet")
    rows.tail(1).to_parquet(folder / "b.parquet")
    panel = es.Market.scan_parquet(folder, gaps="lumped", benchmark=index())
    with pytest.raises(DataError, match="10003 has more than one row"):
        panel.market(es.Events({"security": ["10003"], "date": [DAYS[500]]}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.rename(columns={"permno": "id"}), "has no column 'permno'"),
        (lambda rows: rows.assign(ret=rows["ret"].astype(str)), "'ret' holds .*, not numbers"),
        (lambda rows: rows.assign(date=rows["date"].dt.year), "'date' holds .*, not dates"),
        (lambda rows: rows.assign(permno=rows["permno"] / 2), "'permno' holds double.*Int64"),
        (
            lambda rows: rows.assign(**{"return": rows["ret"]}),
            "'ret' and 'return' both look like returns.*ret='ret'",
        ),
    ],
)
def test_columns_that_cannot_be_used(change, told, tmp_path):
    change(long(wide()[["10003"]])).to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(DataError, match=told):
        es.Market.scan_parquet(tmp_path / "odd.parquet")


def test_decimals_are_numbers(tmp_path):
    rows = long(wide()[["10003"]]).dropna()
    exact = pd.array([Decimal(f"{x:.8f}") for x in rows["ret"]], dtype=pd.ArrowDtype(pa.decimal128(12, 8)))
    rows.assign(ret=exact).to_parquet(tmp_path / "decimals.parquet")
    event = es.Events({"security": ["10003"], "date": [DAYS[500]]})
    market = es.Market.scan_parquet(tmp_path / "decimals.parquet").market(event)
    known = market.returns["10003"].dropna()
    assert len(known) == len(rows)
    np.testing.assert_allclose(known, rows.sort_values("date")["ret"].round(8), atol=1e-12)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda rows: rows.assign(permno=rows["permno"].astype("Int32").where(rows.index > 3)),
            "no 'permno'",
        ),
        (lambda rows: rows.assign(date=rows["date"].where(rows.index > 3)), "no 'date'"),
        (lambda rows: rows.iloc[:0], "has no rows"),
        (lambda rows: rows.assign(ret=100 * rows["ret"]), "Are these percent"),
    ],
)
def test_rows_that_cannot_be_used(change, told, tmp_path):
    change(long(wide()[["10003"]])).to_parquet(tmp_path / "odd.parquet")
    panel = es.Market.scan_parquet(tmp_path / "odd.parquet", gaps="lumped", benchmark=index())
    with pytest.raises(DataError, match=told):
        panel.market(es.Events({"security": ["10003"], "date": [DAYS[500]]}))


def test_no_parquet_is_an_error(tmp_path):
    (tmp_path / "no.parquet").write_text("permno,date,ret\n")
    for name, told in (("no.parquet", "cannot be read as Parquet"), ("absent.parquet", "no file or folder")):
        with pytest.raises(DataError, match=told):
            es.Market.scan_parquet(tmp_path / name)


def test_options_are_checked_before_anything_is_read(path):
    with pytest.raises(RequestError, match="gaps must be one of"):
        es.Market.scan_parquet(path, gaps="filled")


@quiet
def test_dates_follow_the_calendar(tmp_path):
    frame = wide()[["10003", "10004", "10008"]].fillna(0.001)  # weekdays: holidays of New York among them
    long(frame).to_parquet(tmp_path / "panel.parquet")
    panel = es.Market.scan_parquet(
        tmp_path / "panel.parquet", gaps="lumped", benchmark=index(), calendar="XNYS"
    )
    few = es.Events({"security": ["10003"], "announced_at": [f"{DAYS[500]:%Y-%m-%d} 17:00-04:00"]})
    with pytest.warns(CalendarWarning, match="not a? ?sessions? of XNYS"):
        study = es.EventStudy(panel, few, None, ESTIMATION, WINDOW)
    found = study.fit()
    with pytest.warns(CalendarWarning, match="not a? ?sessions? of XNYS"):
        market = es.Market(frame, gaps="lumped", benchmark=index(), calendar="XNYS")
    wanted = es.EventStudy(market, few, None, ESTIMATION, WINDOW).fit()
    pd.testing.assert_frame_equal(found.timeline, wanted.timeline)
    pd.testing.assert_frame_equal(found.car(), wanted.car(), **TIGHT)


@quiet
def test_models_of_peers_read_the_peers_they_name(path):
    few = es.Events({"security": ["10003"], "date": [DAYS[500]]})
    panel = es.Market.scan_parquet(path, gaps="lumped", benchmark=index())
    with pytest.raises(ModelError, match=r"name the peers, MatchedPortfolio\(peers="):
        es.EventStudy(panel, few, es.MatchedPortfolio(), ESTIMATION, WINDOW)
    model = es.MatchedPortfolio(peers=["10004", "10008", "10009"])
    found = es.EventStudy(panel, few, model, ESTIMATION, WINDOW).fit()
    wanted = es.EventStudy(
        es.Market(wide(), gaps="lumped", benchmark=index()), few, model, ESTIMATION, WINDOW
    ).fit()
    pd.testing.assert_frame_equal(found.car(), wanted.car(), **TIGHT)


def test_a_panel_travels_to_another_process(path):
    panel = pickle.loads(pickle.dumps(es.Market.scan_parquet(path, gaps="lumped", benchmark=index())))
    assert panel.securities == sorted(wide().columns)
    assert panel.market(es.Events({"security": ["10003"], "date": [DAYS[500]]})).securities == ["10003"]


@pytest.mark.slow
def test_without_pyarrow_the_error_names_the_extra(path):
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import eventstudy as es\n"
        f"try: es.Market.scan_parquet({str(path)!r})\n"
        "except es.errors.MissingExtraError as problem: print(problem)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'abnormal-returns[scale]'" in told


@pytest.mark.filterwarnings("ignore::eventstudy.errors.CalendarWarning")
@pytest.mark.parametrize("names", [["HK0"], ["HK0", "HK1"], ["HK0", "US0"]])
def test_a_panel_of_several_exchanges_needs_a_calendar(tmp_path: Path, names: list[str]) -> None:
    """Its days would be the sessions of all, also those on which an exchange was closed."""
    rng = np.random.default_rng(1)
    days = {code: es.Exchange(code).sessions("2018-01-02", "2019-12-31") for code in ("XHKG", "XNYS")}
    parts = [
        pd.DataFrame({"date": on, "permno": f"{name}{i}", "ret": rng.normal(0, 0.01, len(on))})
        for name, on in (("HK", days["XHKG"]), ("US", days["XNYS"]))
        for i in range(3)
    ]
    pd.concat(parts).to_parquet(tmp_path / "both.parquet")
    pd.concat(parts[:3]).to_parquet(tmp_path / "one.parquet")
    events = [{"security": name, "date": "2019-05-21"} for name in names]
    both = es.Market.scan_parquet(tmp_path / "both.parquet")
    with pytest.raises(DataError, match=r"trade on different days: HK0.*the panel\. Give calendar="):
        es.EventStudy(both, events, es.ConstantMean(), (-120, -11), (-3, 3)).fit()
    if names[-1] != "US0":
        cars = [
            es.EventStudy(panel, events, es.ConstantMean(), (-120, -11), (-3, 3)).fit().car(-3, 3)["car"]
            for panel in (
                es.Market.scan_parquet(tmp_path / "one.parquet"),
                es.Market.scan_parquet(tmp_path / "both.parquet", calendar="XHKG"),
            )
        ]
        np.testing.assert_allclose(cars[0], cars[1], rtol=1e-12)


def delisted(ret: float, dlret: object) -> pd.DataFrame:
    """A panel whose first security is delisted on its last day."""
    rows = long(wide()[["10001", "10003", "10004"]])
    last = rows.index[rows["permno"] == 10001][-1]
    rows = rows.assign(dlret=pd.Series(np.nan, rows.index).mask(rows.index == last, dlret))
    return rows.assign(ret=rows["ret"].mask(rows.index == last, ret))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("ret", "dlret"), [(0.01, -0.5), (np.nan, -0.5), (0.01, -1.0), (0.01, -55.0), (-66.0, 0.1)]
)
def test_delisting_returns_are_compounded_as_in_memory(
    ret: float, dlret: float, log: bool, tmp_path: Path
) -> None:
    frame = delisted(ret, dlret)
    if log and dlret == -1.0:
        return
    right = es.Market(frame).returns["10001"]
    if log:
        codes = frame["ret"].isin([-66.0])
        frame = frame.assign(ret=np.log1p(frame["ret"].mask(codes)).mask(codes, -66.0))
        right = np.log1p(right)
    frame.to_parquet(tmp_path / "crsp.parquet", index=False)
    panel = es.Market.scan_parquet(tmp_path / "crsp.parquet", kind="log" if log else "simple")
    last = frame.loc[frame["permno"] == 10001, "date"].iloc[-1]
    one = [{"security": "10001", "date": last}]
    for reach in (None, 30):
        read = (
            pickle.loads(pickle.dumps(panel)).market(es.Events(one), reach=reach).returns["10001"].iloc[-200:]
        )
        pd.testing.assert_series_equal(read[read.index >= last], right[right.index >= last], check_freq=False)


def test_delisting_returns_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "crsp.parquet"
    frame = delisted(0.01, -0.5)
    rows = frame.index[frame["permno"] == 10001][-3:]
    one = es.Events([{"security": "10001", "date": frame.loc[rows[0], "date"]}])
    frame.assign(dlret=frame["dlret"].mask(frame.index.isin(rows), 0.1)).to_parquet(path, index=False)
    with pytest.raises(DataError, match=r"10001 has a delisting return in 'dlret' on 20.* delisted once"):
        es.Market.scan_parquet(path).market(one)
    frame.assign(dlret=frame["dlret"].fillna(0.0)).to_parquet(path, index=False)
    assert es.Market.scan_parquet(path).market(one).returns["10001"].min() < -0.49
    frame.assign(dlret="A").to_parquet(path, index=False)
    with pytest.raises(DataError, match=r"'dlret' holds .*CRSP writes letters"):
        es.Market.scan_parquet(path)
    frame.assign(dlret=None).to_parquet(path, index=False)
    assert es.Market.scan_parquet(path).market(one).returns["10001"].min() > -0.49
