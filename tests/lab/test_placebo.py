"""Placebos are the studies they say they are, and ranks count them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.lab import Placebo, SimulatedMarket


@pytest.fixture(scope="module")
def found(study: es.EventStudyResults) -> Placebo:
    return es.lab.placebo(study, n_firms=60, seed=1)


def test_the_real_study_is_the_study(found: Placebo, study: es.EventStudyResults) -> None:
    assert found.real["caar"] == pytest.approx(study.caar(0, 1)["caar"].iloc[0])
    assert found.real["scaar"] == pytest.approx(study.car(0, 1)["t"].mean())
    assert found.real["n_events"] == 12


def test_every_admissible_earlier_date_is_used(
    found: Placebo, study: es.EventStudyResults, world: SimulatedMarket
) -> None:
    sessions, row = world.market.sessions, int(study.sample.day0[0])
    expected = [f"{sessions[d]:%Y-%m-%d}" for d in range(row - 11, 149, -1)]
    dates = found.frame[found.frame["against"] == "dates"]
    assert dates["label"].tolist() == expected
    for i in (0, len(dates) - 1):
        events = world.truth.events.assign(date=pd.Timestamp(dates["label"].iloc[i]))
        other = es.EventStudy(world.market, events, estimation=(-150, -11), window=(-5, 5)).fit()
        assert dates["caar"].iloc[i] == pytest.approx(other.caar(0, 1)["caar"].iloc[0])
        assert dates["scaar"].iloc[i] == pytest.approx(other.car(0, 1)["t"].mean())


def test_untouched_firms_stand_in(
    found: Placebo, study: es.EventStudyResults, world: SimulatedMarket
) -> None:
    firms = found.frame[found.frame["against"] == "firms"]
    assert len(firms) == 60
    touched = set(world.truth.events["security"])
    for label in firms["label"]:
        names = label.split(", ")
        assert len(set(names)) == 12
        assert not touched & set(names)
    day = world.truth.events["date"].iloc[0]
    events = [{"security": name, "date": day} for name in firms["label"].iloc[3].split(", ")]
    other = es.EventStudy(world.market, events, estimation=(-150, -11), window=(-5, 5)).fit()
    assert firms["caar"].iloc[3] == pytest.approx(other.caar(0, 1)["caar"].iloc[0])


def test_ranks_count_the_placebos(found: Placebo) -> None:
    for statistic in ("caar", "scaar"):
        ranks = found.ranks(statistic)
        for against in ("dates", "firms"):
            drawn = found.frame.loc[found.frame["against"] == against, statistic].to_numpy()
            value, row, n = found.real[statistic], ranks.loc[against], len(drawn)
            assert row["n_placebo"] == n
            assert row["rank"] == 1 + sum(d < value for d in drawn)
            assert row["p_less"] == pytest.approx((1 + sum(d <= value for d in drawn)) / (n + 1))
            assert row["p_greater"] == pytest.approx((1 + sum(d >= value for d in drawn)) / (n + 1))
            assert row["p_value"] == pytest.approx((1 + sum(abs(d) >= abs(value) for d in drawn)) / (n + 1))
    # A shock of -3% hit the 12 firms, and no other.
    assert found.ranks().loc["firms", "rank"] == 1
    assert "among firms (two-sided p = 0.016)" in repr(found)
    with pytest.raises(RequestError, match="statistic"):
        found.ranks("median")


def test_one_event_is_compared_with_every_untouched_firm(world: SimulatedMarket) -> None:
    events = world.truth.events.iloc[:1]
    one = es.EventStudy(world.market, events, estimation=(-150, -11), window=(0, 1)).fit()
    found = es.lab.placebo(one)
    firms = found.frame.loc[found.frame["against"] == "firms", "label"]
    assert sorted(firms) == sorted(set(world.market.securities) - set(events["security"]))


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_workers_and_any_checkpoint_give_the_same_frame(
    study: es.EventStudyResults, found: Placebo, tmp_path: Path, jobs: int
) -> None:
    for _ in range(2):  # the second time from the file
        again = es.lab.placebo(study, n_firms=60, seed=1, n_jobs=jobs, checkpoint=tmp_path / "run")
        pd.testing.assert_frame_equal(again.frame, found.frame)


def test_a_study_without_any_placebo_says_so(world: SimulatedMarket) -> None:
    day = world.market.sessions[150]
    events = [{"security": name, "date": day} for name in world.market.securities]
    early = es.EventStudy(world.market, events, estimation=(-150, -11), window=(0, 1)).fit()
    with pytest.raises(RequestError, match="neither an earlier date nor an untouched firm"):
        es.lab.placebo(early)
    with pytest.raises(RequestError, match="n_firms"):
        es.lab.placebo(early, n_firms=-1)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_dates_of_missing_trade_move_on_as_in_a_study() -> None:
    thin, _ = es.lab.simulate_market(5, 300, thin=0.2, seed=3)
    event = [{"security": "S1", "date": thin.sessions[250]}]
    study = es.EventStudy(thin, event, estimation=(-150, -11), window=(0, 1), incomplete="partial")
    results = study.fit()
    dates = es.lab.placebo(results, n_firms=0).frame
    returns = thin.returns["S1"]
    assert not returns.loc[dates["label"]].isna().any()
    assert (dates["against"] == "dates").all()
    assert np.isfinite(dates["caar"]).mean() > 0.7


def test_the_figure_shows_the_placebos(found: Placebo) -> None:
    ax = found.plot()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    ranks = found.ranks()
    for against in ("dates", "firms"):
        n, rank = ranks.loc[against, "n_placebo"], ranks.loc[against, "rank"]
        assert f"{n} placebo {against}: {rank} of {n + 1} from below" in texts
    assert found.plot("scaar").get_xlabel() == "Mean standardised CAR"
    with pytest.raises(RequestError, match="statistic"):
        found.plot("median")


def test_placebos_keep_the_benchmark_that_an_event_names(world: SimulatedMarket) -> None:
    event = world.truth.events.iloc[[0]].assign(benchmark="S59")
    one = es.EventStudy(world.market, event, estimation=(-150, -11), window=(0, 1)).fit()
    dates = es.lab.placebo(one, n_firms=0).frame
    earlier = event.assign(date=pd.Timestamp(dates["label"].iloc[5]))
    other = es.EventStudy(world.market, earlier, estimation=(-150, -11), window=(0, 1)).fit()
    assert dates["caar"].iloc[5] == pytest.approx(other.caar(0, 1)["caar"].iloc[0])
    calibration = es.lab.calibrate(like=one, n_samples=3, tests=["t"], shift=[0], variance=[1])
    sample, _ = calibration.design.sample(0)
    assert sample.events["benchmark"].tolist() == ["S59"]


def halted_study() -> es.EventStudyResults:
    """One firm, suspended for forty sessions before it falls on its return, and its event later on."""
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2016-01-01", periods=500)
    index = rng.normal(0, 0.01, 500)
    own = index + rng.normal(0, 0.02, 500)
    own[340:380] = np.nan
    own[380] = -0.16
    own[460] = -0.12
    market = es.Market(
        pd.DataFrame({"A": own}, days), benchmark=pd.Series(index, days, name="index"), gaps="single"
    )
    return es.EventStudy(
        market, [{"security": "A", "date": days[460]}], estimation=(-150, -11), window=(-5, 5)
    ).fit()


def test_the_days_of_a_suspension_are_one_placebo() -> None:
    study = halted_study()
    found = es.lab.placebo(study, 0, 0, n_firms=0)
    dates = found.frame["label"]
    assert dates.is_unique
    sessions = study.spec.market.sessions
    assert f"{sessions[380]:%Y-%m-%d}" in set(dates)
    assert len(dates) == 460 - 11 - 150 + 1 - 40
    row = found.ranks().iloc[0]
    assert row["n_placebo"] == len(dates)
    assert row["p_value"] == pytest.approx(2 / (len(dates) + 1))
    assert row["p_value"] < 0.01


@pytest.mark.filterwarnings("ignore::eventstudy.errors.IncompleteWindowWarning")
def test_no_placebo_date_leads_to_the_event_itself() -> None:
    """The sessions of a suspension that ends with the event lead to the event's own day 0."""
    spec = halted_study().spec
    sessions = spec.market.sessions
    event = [{"security": "A", "date": sessions[380]}]
    study = es.EventStudy(
        spec.market, event, estimation=(-150, -11), window=(-5, 5), incomplete="partial"
    ).fit()
    found = es.lab.placebo(study, 0, 0, n_firms=0)
    assert found.frame["label"].is_unique
    assert f"{sessions[380]:%Y-%m-%d}" not in set(found.frame["label"])
    assert max(found.frame["label"]) == f"{sessions[339]:%Y-%m-%d}"
