"""Event time as reported cases need it: each gives the right number, or is refused with the cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import IncompleteWindowWarning, RequestError, WindowError
from eventstudy.results.data_warnings import shared_days, shared_days_of


def panel(
    n: int, t: int, seed: int, beta: tuple[float, float] = (0.6, 1.4)
) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    days = pd.date_range("2018-01-01", periods=t, freq="B").as_unit("ns")
    m = rng.normal(0.0004, 0.010, t)
    b = rng.uniform(*beta, n)
    rng.normal(size=t)
    r = 0.0002 + m[:, None] * b + 0.018 * rng.normal(size=(t, n))
    return pd.DataFrame(r, days, [f"F{i}" for i in range(n)]), pd.Series(m, days, name="idx")


def by_hand(
    r: np.ndarray, m: np.ndarray, row: int, estimation: tuple[int, int], window: tuple[int, int]
) -> np.ndarray:
    """Abnormal returns of the market model, by least squares."""
    past = slice(row + estimation[0], row + estimation[1] + 1)
    event = slice(row + window[0], row + window[1] + 1)
    x = np.column_stack([np.ones(len(m)), m])
    b = np.linalg.lstsq(x[past], r[past], rcond=None)[0]
    return r[event] - x[event] @ b


# Windows that the returns do not cover


def cut_windows(**options: object) -> es.EventStudyResults:
    """Events 0, 2 and 49 days before the data end."""
    r, m = panel(3, 300, 31)
    events = [{"security": f, "date": r.index[k]} for f, k in (("F0", 299), ("F1", 297), ("F2", 250))]
    market = es.Market(r, benchmark=m)
    return es.EventStudy(market, events, estimation=(-120, -11), window=(-5, 5), **options).fit()


def test_no_number_bears_the_name_of_a_window_it_does_not_cover() -> None:
    with pytest.warns(
        IncompleteWindowWarning, match=r"2 events.*end on day 0 \(2019-02-22, as the data does\)"
    ):
        results = cut_windows()
    r, m = (each.to_numpy() for each in panel(3, 300, 31))
    ar = [
        by_hand(r[:, i], m, row, (-120, -11), (-5, min(5, 299 - row)))
        for i, row in enumerate((299, 297, 250))
    ]
    car = results.car(0, 5)
    assert car["uncovered"].tolist() == [5, 3, 0]
    assert car["n_days"].tolist() == [1, 3, 6]
    np.testing.assert_allclose(car["car"], [np.nan, np.nan, ar[2][5:].sum()], atol=1e-12)
    mean = results.caar(0, 5).iloc[0]
    assert mean["n_events"] == 1
    assert mean["caar"] == pytest.approx(ar[2][5:].sum(), abs=1e-12)
    # Shorter windows are covered by more.
    np.testing.assert_allclose(results.car(-1, 0)["car"], [each[4:6].sum() for each in ar], atol=1e-12)
    assert results.caar(0, 2)["n_events"].tolist() == [2]
    assert results.test(0, 5)["n_events"].max() == 1
    assert "Returns that do not cover (0, +5) and are in no number of that window: event 0, 1." in str(
        results.summary(0, 5)
    )


def test_incomplete_windows_as_asked() -> None:
    with pytest.warns(es.errors.ExcludedEventsWarning):
        whole = cut_windows(incomplete="exclude")
    assert whole.excluded.index.tolist() == [0, 1]
    assert whole.excluded["reason"].str.contains("its abnormal returns end on day").all()
    assert whole.caar(0, 5)["n_events"].tolist() == [1]
    with pytest.warns(IncompleteWindowWarning, match="CARs sum what there is"):
        partial = cut_windows(incomplete="partial")
    np.testing.assert_allclose(
        partial.car(0, 5)["car"], partial.abnormal_returns.loc[:, 0:].sum(axis=1), atol=1e-15
    )
    assert partial.car(0, 5)["uncovered"].tolist() == [5, 3, 0]
    assert partial.caar(0, 5)["n_events"].tolist() == [3]
    with pytest.raises(WindowError, match=r"Event 0 \(F0\).*incomplete='exclude'"):
        cut_windows(incomplete="raise")
    with pytest.raises(RequestError, match="incomplete must be one of"):
        cut_windows(incomplete="drop")
    with pytest.raises(RequestError, match="exclude_events is True or False"):
        cut_windows(exclude_events=["2018-03-01"])


def test_listings_and_halts_at_the_edges_of_a_window() -> None:
    r, m = panel(3, 300, 31)
    price = 100 * (1 + r).cumprod()
    price.loc[: r.index[247], "F0"] = np.nan  # listed inside the window
    price.loc[r.index[252] :, "F1"] = np.nan  # delisted
    price.loc[r.index[253:257], "F2"] = np.nan  # halted beyond the end
    events = [{"security": f, "date": r.index[250]} for f in r]
    index = 1000 * (1 + m).cumprod()
    study = es.EventStudy(
        es.Market.from_prices(price, benchmark=index), events, estimation=(10, 45), window=(-5, 5)
    )
    with (
        pytest.warns(es.errors.ExcludedEventsWarning),
        pytest.warns(IncompleteWindowWarning, match="2 events"),
    ):
        results = study.fit()
    assert results.excluded.index.tolist() == [1]  # it has no estimation returns
    assert results.car(-5, 5)["uncovered"].tolist() == [4, 3]
    assert results.car(-5, 5)["car"].isna().all()
    assert results.car(-1, 2)["car"].notna().all()


@pytest.mark.usefixtures("no_pictures")
def test_news_of_this_week(tmp_path) -> None:
    """The last sessions of the data: figures and report are made all the same."""
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    with pytest.warns(IncompleteWindowWarning, match=r"end on day \+3 \(2019-11-29, as the data does\)"):
        results = es.EventStudy(market, {"security": "002415.SZ", "date": "2019-11-26"}).fit()
    results.plot.reaction()
    page = results.report(tmp_path / "x.html").read_text()
    assert "Event windows that the returns do not cover" in page
    assert results.car(0, 3)["car"].notna().all()
    assert results.car(0, 5)["car"].isna().all()
    row = results.test(0, 5, tests=["t"]).iloc[0]
    assert not row["applicable"]


@pytest.mark.usefixtures("no_pictures")
def test_shared_days_are_told_beside_the_number(tmp_path: Path) -> None:
    """Two events of one firm three days apart: (0, +5) of both hold three common days."""
    r, m = panel(2, 300, 5)
    events = [{"security": "F0", "date": r.index[k]} for k in (250, 253)]
    events += [{"security": "F1", "date": r.index[250]}]
    with pytest.warns(es.errors.OverlapWarning):
        found = es.EventStudy(es.Market(r, benchmark=m), events, estimation=(-120, -11), window=(-5, 5)).fit()
    change = found.value_change({"F0": 100.0, "F1": 50.0}, 0, 5)
    assert change["shared_days"].tolist() == [0, 0, 0, 3]
    by_firm = found.value_change({"F0": 100.0, "F1": 50.0}, 0, 5, by="security")
    assert by_firm["shared_days"].tolist() == [3, 0, 3]
    told = "share days: 3 of them count more than once"
    page = found.report(tmp_path / "x.html", 0, 5).read_text()
    tables = found.caar_table([(0, 1), (0, 5)]), found.aar_table(0, 5), es.event_table([found], 0, 5)
    for text in (page, found.caar(0, 5)["note"].item(), *map(str, (found.summary(0, 5), *tables))):
        assert told in " ".join(text.split())
    for text in (
        found.caar(0, 1)["note"].item(),
        *map(str, (found.summary(0, 1), found.caar_table([(0, 1)]))),
    ):
        assert "share days" not in text


def test_shared_days_by_session_are_those_by_date() -> None:
    """Three firms, sixty events: windows that share days in pairs, threes and more."""
    r, m = panel(3, 500, 6)
    rng = np.random.default_rng(8)
    drawn = sorted(
        {(int(s), int(d)) for s, d in zip(rng.integers(0, 3, 60), rng.integers(260, 490, 60), strict=True)}
    )
    events = [{"security": f"F{s}", "date": r.index[d]} for s, d in np.unique(drawn, axis=0).tolist()]
    with pytest.warns(es.errors.OverlapWarning):
        found = es.EventStudy(es.Market(r, benchmark=m), events, estimation=(-200, -21), window=(-5, 5)).fit()
    for window in ((0, 0), (0, 1), (-5, 5)):
        tested = found.fitted.test_input(es.Window(*window)).with_car
        security = found.fitted.securities
        by_date = shared_days(tested.tested_dates, security)
        assert shared_days_of(tested, security) == by_date
        assert (by_date == 0) is (window == (0, 0))


def test_shared_days_of_several_exchanges_name_the_studies() -> None:
    """`stacked` is of one study, so the note does not send to one that a pool lacks."""
    days = {code: es.Exchange(code).sessions("2018-01-02", "2019-06-28") for code in ("XNYS", "XHKG")}
    steps = np.random.default_rng(3)
    table = pd.concat(
        [pd.Series(steps.normal(0, 0.01, len(on)), on, name=code) for code, on in days.items()],
        axis=1,
        sort=True,
    )
    market = es.Market(table, calendar={code: code for code in days})
    events = [{"security": code, "date": day} for code in days for day in ("2019-03-12", "2019-03-14")]
    with pytest.warns(es.errors.OverlapWarning):
        found = es.EventStudy(market, events, es.ConstantMean(), (-200, -21), (-5, 5)).fit()
    note = found.caar(0, 3)["note"].item()
    assert "4 of them count more than once; stacked() of results.studies[...] shares them out" in note
    assert all(study.stacked(0, 3)["shared_days"].tolist() == [2, 2] for study in found.studies.values())
