"""Recommendations in the light of a calibration: order, numbers and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import RequestError
from eventstudy.lab import Calibration
from eventstudy.windows import Window


@pytest.fixture(scope="module")
def calibration(study: es.EventStudyResults) -> Calibration:
    return es.lab.calibrate(like=study, n_samples=200, shift=[0, 0.02], variance=[1, 2], seed=4)


@dataclass(frozen=True)
class Known:
    """A calibration whose rates are given."""

    rate: dict[str, float]
    n: int = 1000
    n_events: int = 12
    n_dates: int = 1
    window: Window = field(default_factory=lambda: Window(0, 1))
    model: str = "Market model (OLS)"

    def rates(self, alpha: float = 0.05) -> pd.DataFrame:
        frame = pd.DataFrame({"test": list(self.rate), "rate": list(self.rate.values())})
        half = 1.96 * np.sqrt(frame["rate"] * (1 - frame["rate"]) / self.n)
        return frame.assign(
            model=self.model, variance=1.0, shift=0.0, n_samples=self.n,
            ci_low=frame["rate"] - half, ci_high=frame["rate"] + half,
        )  # fmt: skip


def test_each_row_has_the_simulated_size_of_its_test(
    study: es.EventStudyResults, calibration: Calibration
) -> None:
    frame = study.recommended(0, 1, calibration=calibration).set_index("test")
    rates = calibration.rates().query("shift == 0 and variance == 1").set_index("test")
    simulated = frame.dropna(subset=["size"])
    assert len(simulated) >= 3
    for test, row in simulated.iterrows():
        assert row["size"] == rates.loc[test, "rate"]
        assert (row["size_low"], row["size_high"]) == tuple(rates.loc[test, ["ci_low", "ci_high"]])
        assert row["well_specified"] == (rates.loc[test, "ci_low"] <= 0.05)
        assert f"with 12 events on one date, it rejects {row['size']:.1%} of true nulls" in row["reason"]
    plain = study.recommended(0, 1).set_index("test")
    assert set(plain.index) <= set(frame.index)
    same = plain.index.intersection(frame.index)
    pd.testing.assert_series_equal(frame.loc[same, "p_value"], plain.loc[same, "p_value"])


def test_tests_that_fail_come_last_and_say_so(study: es.EventStudyResults) -> None:
    plain = list(study.recommended(0, 1)["test"])
    first, *others = plain
    known = Known({first: 0.2, **dict.fromkeys(others, 0.05)})
    frame = study.recommended(0, 1, calibration=known)
    assert list(frame["test"]) == [*others, first]
    assert frame["well_specified"].tolist() == [True] * len(others) + [False]
    assert "rejects 20.0% of true nulls" in frame["reason"].iloc[-1]
    assert frame["reason"].iloc[-1].endswith("too often to be relied on here")
    assert not frame["reason"].iloc[:-1].str.contains("too often").any()


@pytest.mark.parametrize(("low", "held"), [(0.05, True), (np.nextafter(0.05, 1), False)])
def test_a_size_whose_interval_begins_at_alpha_holds(
    study: es.EventStudyResults, low: float, held: bool
) -> None:
    first, *others = study.recommended(0, 1)["test"]

    @dataclass(frozen=True)
    class Bounded(Known):
        def rates(self, alpha: float = 0.05) -> pd.DataFrame:
            frame = super().rates(alpha)
            return frame.assign(ci_low=frame["ci_low"].where(frame["test"] != first, low))

    known = Bounded({first: 0.06, **dict.fromkeys(others, 0.04)})
    frame = study.recommended(0, 1, calibration=known).set_index("test")
    assert frame.loc[first, "well_specified"] == held
    assert list(frame.index) == ([first, *others] if held else [*others, first])


def test_where_all_fail_tests_that_held_are_added(study: es.EventStudyResults) -> None:
    plain = list(study.recommended(0, 1)["test"])
    known = Known({**dict.fromkeys(plain, 0.3), "lamb": 0.05, "t": 0.05, "rank": 0.01})
    frame = study.recommended(0, 1, calibration=known)
    # The t is of one event, and does not apply to twelve.
    assert list(frame["test"]) == ["lamb", "rank", *plain]
    assert frame["reason"].iloc[0].startswith("not among the tests of this design, but it held its size")


def test_a_test_that_was_not_simulated_stays_and_says_so(study: es.EventStudyResults) -> None:
    plain = list(study.recommended(0, 1)["test"])
    known = Known({plain[0]: 0.05})
    frame = study.recommended(0, 1, calibration=known)
    assert list(frame["test"]) == plain
    assert frame["reason"].iloc[1:].str.endswith("; not simulated").all()
    assert frame["size"].isna().tolist() == [False] + [True] * (len(plain) - 1)
    assert frame["well_specified"].isna().tolist() == [False] + [True] * (len(plain) - 1)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (Known({"bmp": 0.05}, n_events=30), "30 events on one date"),
        (Known({"bmp": 0.05}, n_dates=12), "12 events on 12 dates"),
        (Known({"bmp": 0.05}, window=Window(0, 0)), r"this is a test of 12 events on one date and window"),
        (Known({"bmp": 0.05}, model="Constant mean return"), "no model 'Market model"),
        (Known({}), "no model"),
    ],
)
def test_a_calibration_of_something_else_is_refused(
    study: es.EventStudyResults, known: Known, told: str
) -> None:
    with pytest.raises(RequestError, match=told):
        study.recommended(0, 1, calibration=known)


def test_a_calibration_without_size_is_refused(study: es.EventStudyResults) -> None:
    found = es.lab.calibrate(like=study, n_samples=5, tests=["bmp"], shift=[0.02], seed=4)
    with pytest.raises(RequestError, match="nothing of size"):
        study.recommended(0, 1, calibration=found)


def test_what_is_no_calibration_is_refused(study: es.EventStudyResults) -> None:
    with pytest.raises(RequestError, match=r"lab\.calibrate\(like=results\) returns, got DataFrame"):
        study.recommended(0, 1, calibration=pd.DataFrame())
