"""Stored studies: what is opened again is what was stored, and what is not is refused or said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataError, DataWarning, MissingExtraError, RequestError

pytest.importorskip("pyarrow")
DAYS = pd.bdate_range("2018-01-01", periods=420).as_unit("ns")


def stored(results: es.EventStudyResults, folder: Path) -> es.EventStudyResults:
    results.save(folder)
    return es.load(folder)


def same(first: es.EventStudyResults, again: es.EventStudyResults) -> None:
    pd.testing.assert_frame_equal(first.abnormal_returns, again.abnormal_returns, rtol=0, atol=0)
    pd.testing.assert_frame_equal(first.parameters, again.parameters)
    pd.testing.assert_frame_equal(first.timeline, again.timeline)
    pd.testing.assert_frame_equal(first.car(0, 1), again.car(0, 1))
    assert first.spec.model == again.spec.model
    assert first.spec.asked == again.spec.asked


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(0.01 * rng.standard_normal((420, 5)), DAYS, [*"ABCD", "INDEX"])
    frame.iloc[250:253, 0] = np.nan
    return frame


MODELS = [
    es.MarketModel(),
    es.MarketModel(missing="trade_to_trade", hac_lags=3, lags={"benchmark": 1}),
    es.MarketAdjusted(),
    es.ConstantMean(),
    es.FactorModel(["benchmark", "peers"], excess=False),
    es.AutocorrelatedErrors(es.MarketModel()),
    es.SyntheticPeers(["B", "C"]),
    es.PCAModel(n_components=1),
    es.RollingMarketModel(60),
]


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_models_are_made_again(model, panel, tmp_path):
    peers = panel[["C", "D"]].mean(axis=1).rename("peers").to_frame()
    market = es.Market(panel, benchmark="INDEX", gaps="lumped", factors=peers)
    events = [
        {"event_id": "x", "security": "A", "date": DAYS[350], "label": "ban", "size": 2.5, "named": True}
    ]
    results = es.EventStudy(market, events, model, estimation=(-150, -21), window=(-4, 6)).fit()
    again = stored(results, tmp_path)
    same(results, again)
    assert again.spec.events.frame[["size", "named"]].to_numpy().tolist() == [[2.5, True]]


def test_prices_limits_and_times_are_kept(tmp_path):
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG")
    days = ["2018-08-13 20:00-04:00", "2019-05-21 19:00-04:00", "2019-10-07 17:00-04:00"]
    events = {"security": "002415.SZ", "announced_at": days, "label": ["act", "report", "list"]}
    with pytest.warns(es.errors.EventStudyWarning):
        results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
    results.save(tmp_path)
    with pytest.warns(es.errors.EventStudyWarning):
        again = es.load(tmp_path)
    pd.testing.assert_frame_equal(results.abnormal_returns, again.abnormal_returns, rtol=0, atol=0)
    pd.testing.assert_frame_equal(results.limit_hits, again.limit_hits)
    pd.testing.assert_frame_equal(results.timeline, again.timeline)
    assert str(results.exhibit(0, 0, shares=1e9)) == str(again.exhibit(0, 0, shares=1e9))
    # Only the firm and its benchmark are stored.
    assert set(again.spec.market.columns) == {"002415.SZ", "399001.SZ"}


def test_options_windows_and_outside_benchmarks(panel, tmp_path):
    index = panel["INDEX"].rename("my index")
    market = es.Market(panel[["A", "B"]], benchmark={"A": index, "B": index}, gaps="single")
    events = {"security": ["A", "B"], "date": [DAYS[300], DAYS[301]]}
    results = es.EventStudy(
        market,
        events,
        estimation=[(-150, -21), (21, 35)],
        window=("2019-02-20", "2019-02-28"),
        exclude_dates={"A": ["2018-12-03"]},
        incomplete="partial",
        min_observations=50,
    )
    results = results.fit()
    again = stored(results, tmp_path)
    pd.testing.assert_frame_equal(results.abnormal_returns, again.abnormal_returns, rtol=0, atol=1e-15)
    assert again.spec.exclude_dates.keys() == results.spec.exclude_dates.keys()
    assert again.spec.min_observations == 50
    assert again.spec.incomplete == "partial"


def test_what_is_stored_is_open(panel, tmp_path):
    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    results = es.EventStudy(market, [{"security": "A", "date": DAYS[350]}], window=(-2, 2)).fit()
    results.save(tmp_path)
    told = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    assert told["format"] == "eventstudy.study"
    assert told["versions"]["eventstudy"] == es.__version__
    returns = pd.read_parquet(tmp_path / "returns.parquet")
    pd.testing.assert_series_equal(returns["A"], panel["A"].rename_axis("date"), check_freq=False)
    found = pd.read_parquet(tmp_path / "abnormal_returns.parquet")
    np.testing.assert_array_equal(found.to_numpy(), results.abnormal_returns.to_numpy())
    results.save(tmp_path)


def test_changed_data_are_refused(panel, tmp_path):
    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    results = es.EventStudy(market, [{"security": "A", "date": DAYS[350]}], window=(-2, 2)).fit()
    results.save(tmp_path)
    changed = pd.read_parquet(tmp_path / "returns.parquet")
    changed.iloc[300, 0] += 1e-6
    changed.to_parquet(tmp_path / "returns.parquet")
    with pytest.raises(DataError, match="fingerprints differ"):
        es.load(tmp_path)


def test_other_results_are_told_of(panel, tmp_path):
    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    results = es.EventStudy(market, [{"security": "A", "date": DAYS[350]}], window=(-2, 2)).fit()
    results.save(tmp_path)
    changed = pd.read_parquet(tmp_path / "abnormal_returns.parquet") + 0.001
    changed.to_parquet(tmp_path / "abnormal_returns.parquet")
    with pytest.warns(DataWarning, match=r"are not those stored by eventstudy .*differ by up to 0\.001"):
        es.load(tmp_path)


def test_what_is_no_stored_study_is_refused(panel, tmp_path):
    with pytest.raises(DataError, match="holds no stored study"):
        es.load(tmp_path)
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(DataError, match="does not describe a stored study"):
        es.load(tmp_path)
    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    results = es.EventStudy(market, [{"security": "A", "date": DAYS[350]}], window=(-2, 2)).fit()
    results.save(tmp_path)
    told = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    (tmp_path / "study.json").write_text(json.dumps(told | {"format_version": 99}))
    with pytest.raises(DataError, match="in a later format"):
        es.load(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps(told | {"model": {"model": "Gone", "options": {}}}))
    with pytest.raises(DataError, match="has no model 'Gone'"):
        es.load(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps(told))
    (tmp_path / "returns.parquet").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        es.load(tmp_path)


def test_a_folder_with_something_else_is_left_alone(panel, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    results = es.EventStudy(market, [{"security": "A", "date": DAYS[350]}], window=(-2, 2)).fit()
    with pytest.raises(RequestError, match="not a stored study"):
        results.save(tmp_path)
    with pytest.raises(RequestError, match="cannot be stored in"):
        results.save(tmp_path / "thesis.tex" / "x")


def test_own_models_and_strange_cells_are_refused(panel, tmp_path):
    class Mine(es.MarketModel):
        pass

    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    event = {"security": "A", "date": DAYS[350]}
    with pytest.raises(RequestError, match="Mine is a model of your own"):
        es.EventStudy(market, [event], Mine(), window=(-2, 2)).fit().save(tmp_path)
    odd = pd.DataFrame([event | {"who": ["a", "b"]}])
    with pytest.raises(RequestError, match="cannot be stored; leave that column out"):
        es.EventStudy(market, odd, window=(-2, 2)).fit().save(tmp_path)


def test_without_pyarrow_the_error_names_the_extra(panel, tmp_path, monkeypatch):
    market = es.Market(panel, benchmark="INDEX", gaps="lumped")
    results = es.EventStudy(market, [{"security": "A", "date": DAYS[350]}], window=(-2, 2)).fit()

    def missing(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr("eventstudy.optional.import_module", missing)
    with pytest.raises(MissingExtraError, match=r"abnormal-returns\[scale\]"):
        results.save(tmp_path)
