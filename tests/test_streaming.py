"""Studies streamed to Parquet: group by group what the study of the whole panel in memory measures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import (
    ExcludedEventsWarning,
    ModelError,
    NoUsableEventsError,
    RequestError,
    WindowError,
)

pytest.importorskip("pyarrow", reason="pyarrow is an extra")

ESTIMATION, WINDOW = (-120, -21), (-5, 5)
TIGHT = {"rtol": 1e-12, "atol": 1e-14}
N, T = 200, 600
DAYS = pd.bdate_range("2015-01-05", periods=T).as_unit("ns")
quiet = pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")


def wide() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    values = 0.01 * rng.standard_normal((T, 1)) + 0.02 * rng.standard_normal((T, N))
    values[rng.random(values.shape) < 0.02] = np.nan
    for security in range(0, N, 4):
        values[: rng.integers(1, 400), security] = np.nan
    for security in range(1, N, 4):
        values[rng.integers(300, T) :, security] = np.nan
    return pd.DataFrame(values, DAYS, [str(10_000 + i) for i in range(N)]).rename_axis("date")


def index() -> pd.Series:
    return pd.Series(0.01 * np.random.default_rng(22).standard_normal(T), DAYS, name="index")


def long() -> pd.DataFrame:
    rows = wide().melt(var_name="permno", value_name="ret", ignore_index=False).reset_index().dropna()
    return rows.astype({"permno": "int32"}).sort_values(["permno", "date"], ignore_index=True)


def events(ids: bool = False) -> es.Events:
    rng = np.random.default_rng(23)
    n = 260
    frame = pd.DataFrame(
        {
            "security": [*(10_000 + rng.integers(0, N, n)).astype(str), "99999", "Huawei"],
            "date": DAYS[rng.integers(200, T - 20, n + 2)],
            "label": [f"event {i}" for i in range(n + 2)],
        }
    ).drop_duplicates(["security", "date"])
    return es.Events(frame.assign(event_id=[f"e{i}" for i in range(len(frame))]) if ids else frame)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    target = tmp_path_factory.mktemp("panel") / "crsp.parquet"
    long().to_parquet(target, row_group_size=5_000)
    return target


@pytest.mark.quick(every=3)
@quiet
@pytest.mark.parametrize("size", [pytest.param(7, marks=pytest.mark.slow), 60, 1000])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("exclude_events", [False, True])
def test_what_is_streamed_is_what_is_measured_in_memory(path, tmp_path, size, ids, exclude_events):
    given = events(ids)
    options = {"estimation": ESTIMATION, "window": WINDOW, "exclude_events": exclude_events}
    panel = es.Market.scan_parquet(path, gaps="lumped", benchmark=index())
    found = es.stream_study(panel, given, tmp_path / "out", securities=size, **options)
    wanted = es.EventStudy(es.Market(wide(), gaps="lumped", benchmark=index()), given, **options).fit()
    assert (found.n_events, found.n_excluded) == (len(wanted.timeline), len(wanted.excluded))
    assert found.n_events > 150
    assert found.n_excluded > 10
    same = {"check_dtype": False, "check_index_type": False, **TIGHT}
    order = wanted.timeline.index
    pd.testing.assert_frame_equal(found.read("parameters").loc[order], wanted.parameters, **same)
    pd.testing.assert_frame_equal(found.read("timeline").loc[order], wanted.timeline, **same)
    cars = found.read("car")
    for window in ((0, 1), WINDOW):
        part = cars[(cars["start"] == window[0]) & (cars["end"] == window[1])]
        pd.testing.assert_frame_equal(
            part.drop(columns=["start", "end"]).loc[order], wanted.car(*window).loc[:, "car":], **same
        )
    rows = found.read("abnormal_returns")
    abnormal = wanted.fitted.abnormal
    for name, values in {
        "ar": abnormal.ar,
        "se": np.sqrt(abnormal.variance()),
        "actual": abnormal.actual,
        "expected": abnormal.expected,
        "span": abnormal.span,
    }.items():
        np.testing.assert_allclose(
            rows.pivot_table(index="event_id", columns="day", values=name, dropna=False).loc[order],
            values,
            **TIGHT,
        )
    excluded = found.read("excluded")
    assert excluded.index.tolist() == wanted.excluded.index.tolist()
    known = ~wanted.excluded["reason"].str.startswith("no security")
    pd.testing.assert_frame_equal(excluded[known], wanted.excluded[known], **same)
    assert excluded["reason"].str.contains("no security '99999'").sum() == 1


@quiet
@pytest.mark.parametrize("named", [pytest.param(False, marks=pytest.mark.slow), True])
def test_dates_and_incomplete_windows_are_left_out_as_in_memory(path, tmp_path, named):
    given = events()
    days = DAYS[150:400:3]
    # 10005 has no event, so its days change nothing.
    barred = {"10005": days, **dict.fromkeys(given.frame["security"][:9], days)} if named else days
    given = es.Events(given.frame[given.frame["security"] != "10005"])
    options = {"estimation": ESTIMATION, "window": WINDOW, "exclude_dates": barred, "incomplete": "exclude"}
    panel = es.Market.scan_parquet(path, gaps="lumped", benchmark=index())
    found = es.stream_study(panel, given, tmp_path / "out", securities=60, **options)
    wanted = es.EventStudy(es.Market(wide(), gaps="lumped", benchmark=index()), given, **options).fit()
    assert wanted.excluded["reason"].str.contains("event window").sum() >= 3
    order = wanted.timeline.index
    pd.testing.assert_frame_equal(
        found.read("parameters").loc[order], wanted.parameters, check_dtype=False, **TIGHT
    )
    read = es.EventStudy(panel, given, **options).fit()
    pd.testing.assert_frame_equal(read.parameters, wanted.parameters, **TIGHT)
    with pytest.raises(RequestError, match="names the security '77', which is not in the market"):
        es.stream_study(panel, given, tmp_path / "no", **options | {"exclude_dates": {"77": days}})
    with pytest.raises(WindowError, match="do not cover the event window"):
        es.stream_study(panel, given, tmp_path / "raise", **options | {"incomplete": "raise"})


@quiet
def test_a_group_that_fails_names_its_events_and_loses_nothing_else(tmp_path):
    rows = long()
    broken = rows[(rows["permno"] == 10_003)].tail(1)
    pd.concat([rows, broken]).sort_values(["permno", "date"]).to_parquet(tmp_path / "twice.parquet")
    panel = es.Market.scan_parquet(tmp_path / "twice.parquet", gaps="lumped", benchmark=index())
    given = events()
    options = {"estimation": ESTIMATION, "window": WINDOW}
    with pytest.warns(ExcludedEventsWarning, match=r"cannot be used \(see read\('excluded'\)\)"):
        found = es.stream_study(panel, given, tmp_path / "out", securities=40, **options)
    wanted = es.EventStudy(es.Market(wide(), gaps="lumped", benchmark=index()), given, **options).fit()
    failed = found.read("excluded").query("reason.str.contains('its group of securities failed')")
    assert failed["reason"].str.contains("DataError: .*10003 has more than one row").all()
    named = sorted(set(given.frame["security"]) - {"99999", "Huawei"})[:40]
    assert set(failed["security"]) == {*named, "99999", "Huawei"}
    kept = wanted.timeline.index[~wanted.timeline["security"].isin(named)]
    assert sorted(found.read("timeline").index) == sorted(kept)
    pd.testing.assert_frame_equal(
        found.read("parameters").loc[kept], wanted.parameters.loc[kept], check_index_type=False, **TIGHT
    )


@quiet
def test_groups_without_a_usable_event(path, tmp_path):
    early = es.Events({"security": ["10002", "10003"], "date": [DAYS[10], DAYS[300]]})
    panel = es.Market.scan_parquet(path, gaps="lumped", benchmark=index())
    options = {"estimation": ESTIMATION, "window": WINDOW, "securities": 1}
    found = es.stream_study(panel, early, tmp_path / "out", **options)
    assert found.read("excluded")["reason"].str.contains("wholly before the data").tolist() == [True]
    assert found.read("timeline")["security"].tolist() == ["10003"]
    with pytest.raises(NoUsableEventsError, match="The event cannot be used") as alone:
        es.stream_study(panel, early.take([0]), tmp_path / "none", **options)
    assert alone.value.excluded["security"].tolist() == ["10002"]


def test_what_cannot_be_streamed(path, tmp_path):
    panel = es.Market.scan_parquet(path, gaps="lumped", benchmark=index())
    given = es.Events({"security": ["10003"], "date": [DAYS[300]]})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("")
    out = tmp_path / "out"
    with pytest.raises(RequestError, match="is not empty"):
        es.stream_study(panel, given, tmp_path / "full")
    with pytest.raises(RequestError, match="stream_study reads a panel in Parquet, got Market"):
        es.stream_study(panel.market(given), given, out)
    with pytest.raises(ModelError, match="compares securities with each other"):
        es.stream_study(panel, given, out, model=es.MatchedPortfolio(peers=["10004"]))
    with pytest.raises(RequestError, match="reaches outside the event window"):
        es.stream_study(panel, given, out, window=WINDOW, cars=[(0, 20)])
    with pytest.raises(RequestError, match="whole number from 1 on"):
        es.stream_study(panel, given, out, securities=0)
    with pytest.raises(RequestError, match="chunk_size must be a positive number of events"):
        es.stream_study(panel, given, out, chunk_size=0)
    with pytest.raises(WindowError, match="overlaps"):
        es.stream_study(panel, given, out, estimation=(-100, -3), window=WINDOW)
    with pytest.raises(ModelError, match="needs a benchmark"):
        es.stream_study(es.Market.scan_parquet(path), given, out, estimation=ESTIMATION, window=WINDOW)
    assert not out.exists()
    found = es.stream_study(panel, given, out, estimation=ESTIMATION, window=WINDOW, cars=[(-1, 1)])
    assert found.read("car")[["start", "end"]].to_numpy().tolist() == [[-1, 1]]
    assert found.read("excluded").empty
    with pytest.raises(RequestError, match="no table 'tests'; there are abnormal_returns"):
        found.read("tests")
