"""The comparison table against the studies it is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import ExcludedEventsWarning, IncompleteWindowWarning, RequestError
from eventstudy.lab.model_comparison import prediction_errors

# Windows of its markets end on missing days.
pytestmark = pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")

MODELS = [es.MarketModel(), es.MarketAdjusted(), es.FamaFrench3(), es.Dimson()]
WINDOWS = {"estimation": (-250, -21), "window": (-3, 3)}


def test_rows_are_those_of_the_studies(market, events):
    table = es.compare_models(market, events, MODELS, **WINDOWS)
    assert table.index.tolist() == [model.label for model in MODELS]
    for model in MODELS:
        results = es.EventStudy(market, events, model, **WINDOWS).fit()
        row, caar, aar = table.loc[model.label], results.caar(0, 1).iloc[0], results.caar(0, 0).iloc[0]
        assert (row["ar"], row["ar_se"], row["ar_p"]) == (aar["caar"], aar["se"], aar["p_value"])
        assert (row["car"], row["car_se"], row["car_p"]) == (caar["caar"], caar["se"], caar["p_value"])
        assert (row["ci_low"], row["ci_high"], row["test"]) == (caar["ci_low"], caar["ci_high"], caar["test"])
        expected = np.nanmean(prediction_errors(results) ** 2)
        assert row["prediction_variance"] == pytest.approx(expected)
    assert table["prediction_ratio"].iloc[0] == 1
    # Returns load on smb, which the three factors see.
    assert table.loc["Fama-French three factors", "n_events"] == 6


def test_by_event(market, events):
    table = es.compare_models(market, events, MODELS[:2], -1, 1, by_event=True, **WINDOWS)
    results = es.EventStudy(market, events, MODELS[1], **WINDOWS).fit()
    part = table.loc["Market adjusted"]
    np.testing.assert_array_equal(part[["car", "car_se"]], results.car(-1, 1)[["car", "se"]])
    np.testing.assert_allclose(part["prediction_variance"], (prediction_errors(results) ** 2).mean(axis=1))
    ratio = part["prediction_variance"] / table.loc["Market model (OLS)", "prediction_variance"]
    np.testing.assert_allclose(part["prediction_ratio"], ratio)


def test_prediction_errors_are_out_of_sample(market, events):
    """Fitted before the last quarter of the estimation window less the gap; by hand for one security."""
    results = es.EventStudy(market, events, es.MarketModel(), **WINDOWS).fit()
    errors = prediction_errors(results)
    assert errors.columns.tolist() == list(range(-77, -20))
    y, m = market.returns["S2"].to_numpy(), sm.add_constant(market.bank.single[0])
    train = slice(50, 300 - 77 - 17)
    used = ~np.isnan(y[train])
    fit = sm.OLS(y[train][used], m[train][used]).fit()
    np.testing.assert_allclose(errors.loc[2], (y - fit.predict(m))[223:280], rtol=1e-9)


def test_variance_is_over_events_that_all_models_can_use(market, events):
    lists = {name: [n for n in market.securities if n != name] for name in market.securities[1:]}
    dates = market.sessions[[300, 310, 320, 330, 340, 350]]
    spread = es.Events(events.frame.assign(date=dates)[["security", "date"]])
    # S5 alone is measured against S1, and cannot be predicted on days on which that did not trade.
    models = [es.MarketModel(), es.MatchedPortfolio(lists | {"S5": ["S1"]})]
    with pytest.warns(ExcludedEventsWarning):
        table = es.compare_models(market, spread, models, **WINDOWS)
    # One event lacks a day of (0, +1), another one a peer.
    assert table["n_events"].tolist() == [5, 4]
    with pytest.warns(ExcludedEventsWarning):
        plain, matched = (
            prediction_errors(es.EventStudy(market, spread, model, **WINDOWS).fit()) for model in models
        )
    plain = plain.loc[matched.index]
    assert (plain.notna() & matched.isna()).loc[5].any()
    both = (plain.notna() & matched.notna()).to_numpy()
    wanted = [(errors.to_numpy()[both] ** 2).mean() for errors in (plain, matched)]
    np.testing.assert_allclose(table["prediction_variance"], wanted, rtol=1e-12)


def test_a_warning_is_given_once(market, events):
    unknown = pd.DataFrame({"security": ["S9"], "date": events.frame["date"].iloc[:1]})
    short = pd.concat([events.frame[["security", "date"]], unknown], ignore_index=True)
    with pytest.warns(ExcludedEventsWarning) as caught:
        es.compare_models(market, es.Events(short), MODELS, **WINDOWS)
    kinds = [each.category for each in caught]
    assert kinds.count(ExcludedEventsWarning) == kinds.count(IncompleteWindowWarning) == 1 == len(kinds) - 1


def test_names(market, events):
    twins = [es.MarketModel(), es.MarketModel(missing="trade_to_trade")]
    with pytest.raises(RequestError, match="name them"):
        es.compare_models(market, events, twins, **WINDOWS)
    table = es.compare_models(market, events, dict(zip(["drop", "trade"], twins, strict=True)), **WINDOWS)
    assert table.index.tolist() == ["drop", "trade"]
    with pytest.raises(RequestError, match="empty"):
        es.compare_models(market, events, [], **WINDOWS)


@pytest.mark.slow
def test_the_table_can_be_drawn(market, events):
    table = es.compare_models(market, events, MODELS, **WINDOWS)
    axes = es.plotting.plot_forest(table.rename_axis("event").reset_index(), sort=False)
    assert {label.get_text().replace("\n", " ") for label in axes.get_yticklabels()} == set(table.index)
    axes = es.plotting.plot_models(table)
    assert [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()] == list(table.index)
