"""The summary tells the numbers of the results, in text and in HTML."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

import eventstudy as es
from eventstudy.errors import DataWarning, ExcludedEventsWarning

NASTY = "<script>alert(1)</script>"


def flat(text: str) -> str:
    return " ".join(text.split())


def told(table) -> list[str]:
    """Text and HTML of a table, the latter without its tags."""
    return [
        flat(str(table)),
        flat(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", table._repr_html_(), flags=re.S))),
    ]


def test_numbers_of_one_event(one):
    car, day = one.car(0, 1).iloc[0], one.car(0, 0).iloc[0]
    for text in told(one.summary()):
        for row in (car, day):
            for name in ("car", "se", "ci_low", "ci_high"):
                assert f"{row[name]:.2%}" in text
            assert f"{row['t']:.2f}" in text
            assert f"{row['p_value']:.4f}" in text
        assert f"{one.parameters.loc[0, 'beta']:.3f}" in text
        assert "CAR (0, +1)" in text
        assert "AR 0" in text
        assert "1 of 1 used, 1 security" in text
        assert "130 of 130 returns used" in text
        assert "Market model (OLS)" in text
        assert "(-150, -21)" in text
        assert "INDEX" in text


def test_numbers_of_many_events(common):
    average = common.caar(0, 1).iloc[0]
    chosen = common.recommended(0, 1)
    for text in told(common.summary()):
        assert f"{average['caar']:.2%}" in text
        assert f"{average['p_value']:.4f}" in text
        assert "portfolio" in text
        for _, row in chosen.iterrows():
            assert row["test"] in text
            assert f"{row['statistic']:.3f}" in text
        for security in common.timeline["security"]:
            assert security in text


def test_the_window_of_the_summary(common):
    text = flat(str(common.summary(-2, 4)))
    assert "CAR (-2, +4)" in text
    assert "CAR (0, +1)" not in text
    assert f"{common.caar(-2, 4).iloc[0]['caar']:.2%}" in text
    # S7 has no return on two days of it.
    assert "Fewer than 7 returns in (-2, +4): event e7." in text
    assert "no CAR over" not in text


def test_an_event_without_a_car_is_told(common):
    text = flat(str(common.summary(4, 6)))
    told = "no return in it, or one that spans sessions before the announcement."
    assert f"1 event without a CAR over (+4, +6): {told}" in text


def test_a_window_that_ends_at_day_0(market, refit):
    results = refit(market, [{"security": "S0", "date": market.sessions[300]}], window=(-3, 0))
    text = flat(str(results.summary()))
    assert "AR 0" in text
    assert "the abnormal return of day 0" in text


def test_excluded_events_stand_in_the_summary(market, refit):
    events = [{"security": name, "date": market.sessions[300]} for name in ("S0", "Huawei")]
    with pytest.warns(ExcludedEventsWarning):
        results = refit(market, events)
    for text in told(results.summary()):
        assert "1 of 2 used" in text
        assert "Excluded events (1)" in text
        assert "Huawei is not listed" in text


@pytest.mark.quick(every=4)
@pytest.mark.parametrize("label", [NASTY, "a | b & c_d $x$ 100%", "禁令 – Запрет", "", None])
def test_labels_are_text_everywhere(market, refit, label):
    results = refit(market, [{"security": "S0", "date": market.sessions[300], "label": label}])
    table = results.summary()
    page = table._repr_html_()
    assert "<script>" not in page
    if label:
        assert html.escape(label) in page
        assert flat(label) in flat(str(table))
        assert label in told(table)[1]
    else:
        assert "label" not in flat(str(table))
        assert "None" not in str(table)
    assert results._repr_html_() == page
    assert "<script>" not in table.to_markdown().replace("\\<", "")
    assert table.to_latex().count("{") == table.to_latex().count("}") or "%" in str(label)


def test_many_events_are_averaged_and_not_listed(market, refit):
    days = [*range(160, 420 - 7, 13)]
    events = [{"security": f"S{i % 7}", "date": market.sessions[d]} for i, d in enumerate(days)]
    with pytest.warns(es.errors.OverlapWarning):
        results = refit(market, events)
    n = len(results.timeline)
    assert n > 12
    text = flat(str(results.summary()))
    assert f"(first 12; {n - 12} more)" in text
    assert "Abnormal returns event_id" not in text
    assert f"{results.caar(0, 1).iloc[0]['caar']:.2%}" in text


@pytest.mark.parametrize("model", [es.ConstantMean(), es.MarketAdjusted()], ids=lambda m: m.label)
def test_other_models(market, refit, model):
    results = refit(market, [{"security": "S0", "date": market.sessions[300]}], model=model)
    text = flat(str(results.summary()))
    assert f"Event study: {model.label}" in text
    assert f"{results.car(0, 1).loc[0, 'car']:.2%}" in text
    assert "beta" not in text
    assert ("INDEX" in text) == isinstance(model, es.MarketAdjusted)
    assert ("benchmark not used by this model" in text) == isinstance(model, es.ConstantMean)


def test_an_event_whose_headline_cannot_be_computed(market, refit):
    returns = market.returns
    returns.iloc[300:302, returns.columns.get_loc("INDEX")] = np.nan
    gapped = es.Market(returns, benchmark="INDEX", gaps="single")
    with pytest.warns(DataWarning):
        results = refit(gapped, [{"security": "S0", "date": gapped.sessions[300]}])
    text = flat(str(results.summary()))
    assert "1 event without a CAR over (0, +1)" in text
    assert len(results.recommended(0, 1)) == 0
    assert results.caar(0, 1).iloc[0]["n_events"] == 0
    assert results.test(0, 1)["applicable"].sum() == 0


def test_an_insignificant_average_says_what_it_could_have_found(common, distinct):
    said = False
    for study in (common, distinct):
        for window in ((0, 0), (0, 1), (-4, -1), (2, 4)):
            mean = study.caar(*window).iloc[0]
            text = flat(str(study.summary(*window)))
            name = f"has 80% power to detect a mean of {mean['detectable']:.1%}."
            assert (name in text) == (mean["p_value"] > 0.05)
            said |= name in text
    assert said
