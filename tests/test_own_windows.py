"""Windows of each event's own, by sessions and by dates, after the event, on both sides, and none at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import EventError, IncompleteWindowWarning, ModelError, RequestError, WindowError
from eventstudy.results import plot_data
from eventstudy.sample.own_windows import OwnWindows

DAYS = pd.bdate_range("2018-01-01", periods=500).as_unit("ns")
N = 6


def panel(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    m = rng.normal(0, 0.01, len(DAYS))
    r = m[:, None] * rng.uniform(0.6, 1.4, N) + rng.normal(0, 0.015, (len(DAYS), N))
    return pd.DataFrame(np.column_stack([r, m]), DAYS, [*(f"F{i}" for i in range(N)), "idx"])


FRAME = panel()
MARKET = es.Market(FRAME, benchmark="idx")
EVENTS = pd.DataFrame({"security": [f"F{i}" for i in range(N)], "date": DAYS[[200, 220, 240, 300, 320, 200]]})
OWN = [
    (-150, -11, -5, 5),
    (-120, -21, 0, 3),
    (-100, -6, -2, 8),
    (20, 150, -1, 1),
    (-200, -50, -3, 3),
    (-90, -9, 0, 0),
]
COLUMNS = ["estimation_start", "estimation_end", "window_start", "window_end"]
SAME = {"rtol": 1e-12, "check_names": False, "check_dtype": False}
SHOWN = ["car", "se", "dof", "n_days", "expected"]


def own(events: pd.DataFrame, windows: list[tuple[int, int, int, int]]) -> pd.DataFrame:
    return events.assign(**dict(zip(COLUMNS, np.array(windows).T, strict=True)))


def one(row: int, model: es.models.NormalReturnModel) -> es.EventStudyResults:
    a, b, c, d = OWN[row]
    return es.EventStudy(MARKET, EVENTS.iloc[[row]], model, estimation=(a, b), window=(c, d)).fit()


@pytest.mark.quick("False-RobustMarketModel(method='huber')", every=9)
@pytest.mark.parametrize(
    "model",
    [
        es.MarketModel(),
        es.MarketAdjusted(),
        es.RawReturn(),
        es.ConstantMean(),
        es.EWMarketModel(30),
        es.RobustMarketModel(),
        es.ScholesWilliams(),
        es.MarketModel(missing="trade_to_trade"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("dated", [False, True])
def test_each_event_has_its_own_windows(model: es.models.NormalReturnModel, dated: bool) -> None:
    events = own(EVENTS, OWN)
    if dated:  # as texts, as a spreadsheet has them; one cell stays a number
        row = DAYS.get_indexer(pd.DatetimeIndex(events["date"]))
        for column in COLUMNS:
            events[column] = DAYS[row + events[column].to_numpy()].strftime("%Y-%m-%d").astype(object)
        events.loc[2, "estimation_end"] = -6
    found = es.EventStudy(MARKET, events, model, window=(-5, 8)).fit()
    for row in range(N):
        want = one(row, model)
        pd.testing.assert_series_equal(found.parameters.loc[row], want.parameters.iloc[0], **SAME)
        _, _, start, end = OWN[row]
        pd.testing.assert_series_equal(
            found.car(start, end).loc[row, SHOWN], want.car(start, end)[SHOWN].iloc[0], **SAME
        )
        pd.testing.assert_series_equal(
            found.abnormal_returns.loc[row, start:end], want.abnormal_returns.iloc[0], **SAME
        )
        past = [r.fitted.abnormal.past for r in (found, want)]
        seen = ~np.isnan(past[0].residuals()[row])
        kept = ~np.isnan(past[1].residuals()[0])
        np.testing.assert_allclose(past[0].residuals()[row][seen], past[1].residuals()[0][kept], atol=1e-14)
        np.testing.assert_array_equal(past[0].dates()[row][seen], past[1].dates()[0][kept])
    outside = found.abnormal_returns.loc[5]
    assert outside.drop(0).isna().all()
    # A window that an event does not have is no number of that window.
    assert found.car(0, 1)["car"].isna().tolist() == [False] * 5 + [True]
    assert found.caar(0, 1)["n_events"].tolist() == [5]


def test_shuffling_events_of_own_windows_changes_nothing() -> None:
    events = own(EVENTS, OWN).assign(event_id=list("abcdef"))
    first = es.EventStudy(MARKET, events, window=(-5, 8)).fit()
    other = es.EventStudy(MARKET, events.iloc[[3, 5, 0, 4, 2, 1]], window=(-5, 8)).fit()
    pd.testing.assert_frame_equal(other.car(-1, 1).loc[list("abcdef")], first.car(-1, 1), rtol=1e-12)
    tests = [r.test(-1, 1, seed=1).set_index("test")["statistic"] for r in (first, other)]
    np.testing.assert_allclose(tests[0].drop("wild_bootstrap"), tests[1].drop("wild_bootstrap"), rtol=1e-9)


def test_columns_for_some_events_only() -> None:
    events = EVENTS.assign(estimation_start=[-100, np.nan, np.nan, np.nan, np.nan, np.nan])
    found = es.EventStudy(MARKET, events, estimation=(-150, -11), window=(-2, 2)).fit()
    assert found.parameters["n_obs"].tolist() == [90, 140, 140, 140, 140, 140]
    text = str(found.summary())
    assert "(-150, -11), or each event's own" in text


def test_windows_by_dates() -> None:
    """One quiet period before a chain of events."""
    found = es.EventStudy(MARKET, EVENTS, estimation=("2018-03-01", "2018-09-30"), window=(-2, 2)).fit()
    first, last = (
        DAYS.searchsorted(pd.Timestamp("2018-03-01")),
        DAYS.searchsorted(pd.Timestamp("2018-09-30"), "right") - 1,
    )
    for row, day in enumerate(EVENTS["date"]):
        at = DAYS.get_loc(day)
        want = es.EventStudy(
            MARKET, EVENTS.iloc[[row]], estimation=(int(first - at), int(last - at)), window=(-2, 2)
        ).fit()
        pd.testing.assert_series_equal(found.car(0, 1).loc[row], want.car(0, 1).iloc[0], **SAME)
    whole = es.EventStudy(
        MARKET,
        EVENTS.iloc[:1],
        estimation=(-150, -11),
        window=(pd.Timestamp(DAYS[198]), pd.Timestamp(DAYS[203])),
    ).fit()
    assert whole.abnormal_returns.columns.tolist() == [-2, -1, 0, 1, 2, 3]
    assert "('2018-03-01', '2018-09-30')" in es.results.report.reproduce.code(found.fitted, es.Window(0, 1))


def test_estimation_after_the_event_turns_time_round() -> None:
    """Betas of 3 far from the event and of 1 beside it: new listings have no past."""
    rng = np.random.default_rng(0)
    m, near = rng.normal(0, 0.01, 500), np.arange(500) < 300
    y = np.where(near, 1.0, 3.0) * m + np.where(near, 0.01, 0.05) * rng.normal(size=500)
    listed = pd.Series(y, DAYS, name="A")
    listed.iloc[:200] = np.nan
    market = es.Market(listed.to_frame(), benchmark=pd.Series(m, DAYS, name="idx"))
    event = {"security": "A", "date": DAYS[200]}

    def fit(model: es.models.NormalReturnModel) -> es.EventStudyResults:
        return es.EventStudy(market, event, model, estimation=(21, 200), window=(0, 20)).fit()

    past = slice(221, 401)
    x, z = np.column_stack([np.ones(180), m[past]]), y[past]

    def wls(w: np.ndarray) -> float:
        return float(np.linalg.lstsq(x * np.sqrt(w)[:, None], z * np.sqrt(w), rcond=None)[0][1])

    assert fit(es.MarketModel()).parameters.loc[0, "beta"] == pytest.approx(wls(np.ones(180)), rel=1e-10)
    ew = fit(es.EWMarketModel(20))
    assert ew.parameters.loc[0, "beta"] == pytest.approx(wls(0.5 ** (np.arange(180) / 20)), rel=1e-10)
    assert ew.regression().params.iloc[1] == pytest.approx(ew.parameters.loc[0, "beta"], rel=1e-10)
    rolling = fit(es.RollingMarketModel(40))
    b = np.linalg.lstsq(x[:40], z[:40], rcond=None)[0]
    assert rolling.parameters.loc[0, "beta"] == pytest.approx(b[1], rel=1e-10)
    residuals = rolling.fitted.abnormal.past.residuals()[0]
    assert np.isnan(residuals[-40:]).all()
    assert not np.isnan(residuals[:-40]).any()
    for model in (es.GARCHMarketModel(), es.AutocorrelatedErrors(lags=1), es.Dimson()):
        with pytest.raises(ModelError, match=r"needs one estimation window for all events.*ends before them"):
            fit(model)


def test_estimation_on_both_sides() -> None:
    found = es.EventStudy(MARKET, EVENTS, estimation=[(-120, -11), (11, 60)], window=(-5, 5)).fit()
    row = 200
    past = np.r_[row - 120 : row - 10, row + 11 : row + 61]
    x = np.column_stack([np.ones(500), FRAME["idx"]])
    y = FRAME["F0"].to_numpy()
    b, sse, _, _ = np.linalg.lstsq(x[past], y[past], rcond=None)
    np.testing.assert_allclose(found.parameters.loc[0, ["alpha", "beta"]].to_numpy(float), b, rtol=1e-9)
    assert found.parameters.loc[0, "sigma"] == pytest.approx(np.sqrt(sse[0] / (len(past) - 2)), rel=1e-10)
    assert found.car(0, 5).loc[0, "car"] == pytest.approx((y - x @ b)[row : row + 6].sum(), abs=1e-12)
    with pytest.raises(
        ModelError, match=r"last 40 sessions\) needs one estimation window and one event window"
    ):
        es.EventStudy(MARKET, own(EVENTS, OWN), es.RollingMarketModel(40))
    with pytest.raises(ModelError, match="on one side"):
        es.EventStudy(MARKET, EVENTS, es.EWMarketModel(20), estimation=[(-120, -11), (11, 60)])


SECOND = ["estimation_start_2", "estimation_end_2"]


def test_both_sides_by_event() -> None:
    """Some events have a second estimation window, each its own, in sessions or as dates."""
    events = own(EVENTS, OWN)
    row = int(DAYS.get_loc(EVENTS["date"].iloc[1]))
    events = events.assign(
        estimation_start_2=[11, f"{DAYS[row + 12]:%Y-%m-%d}", None, None, 15, None],
        estimation_end_2=[60, f"{DAYS[row + 50]:%Y-%m-%d}", None, None, 40, None],
    )
    events.loc[[0, 1, 4], ["estimation_start", "estimation_end"]] = -120, -11
    events.loc[[0, 1, 4], ["window_start", "window_end"]] = -2, 3
    found = es.EventStudy(MARKET, events, window=(-5, 8)).fit()
    for at, second in ((0, (11, 60)), (1, (12, 50)), (4, (15, 40))):
        want = es.EventStudy(
            MARKET, EVENTS.iloc[[at]], estimation=[(-120, -11), second], window=(-2, 3)
        ).fit()
        pd.testing.assert_series_equal(found.parameters.loc[at], want.parameters.iloc[0], **SAME)
        pd.testing.assert_series_equal(found.car(0, 1).loc[at, SHOWN], want.car(0, 1)[SHOWN].iloc[0], **SAME)
    for at in (2, 3, 5):
        want = one(at, es.MarketModel())
        pd.testing.assert_series_equal(found.parameters.loc[at], want.parameters.iloc[0], **SAME)


def test_columns_beside_two_windows_of_the_study() -> None:
    """estimation_start and estimation_end are those of the first window, those with _2 of the second."""
    options = {"window": (-5, 5)}
    events = EVENTS.assign(estimation_end=[-20] + [None] * 5, estimation_end_2=[None, 40] + [None] * 4)
    found = es.EventStudy(MARKET, events, estimation=[(-120, -11), (11, 60)], **options).fit()
    for at, windows in enumerate([[(-120, -20), (11, 60)], [(-120, -11), (11, 40)], [(-120, -11), (11, 60)]]):
        want = es.EventStudy(MARKET, EVENTS.iloc[[at]], estimation=windows, **options).fit()
        pd.testing.assert_series_equal(found.parameters.loc[at], want.parameters.iloc[0], **SAME)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ((11, None), r"Event 0 \(F0\): a second estimation window has both ends; fill in estimation_end_2"),
        ((None, 60), "fill in estimation_start_2"),
        ((60, 11), r"second estimation window \(\+60, \+11\) ends before it starts"),
        ((-60, 60), r"second estimation window \(-60, \+60\) overlaps its event window"),
        (
            (-90, -20),
            r"second estimation window \(-90, -20\) begins before the first one, \(-120, -11\), ends",
        ),
    ],
)
def test_second_windows_that_cannot_be(cells: tuple[object, object], told: str) -> None:
    events = EVENTS.iloc[:1].assign(**dict(zip(SECOND, cells, strict=True)))
    with pytest.raises(WindowError, match=told):
        es.EventStudy(MARKET, events, estimation=(-120, -11), window=(-5, 5)).fit()


def test_second_windows_that_the_model_does_not_know() -> None:
    events = EVENTS.iloc[:1].assign(estimation_start_2=11, estimation_end_2=60)
    with pytest.raises(ModelError, match="on one side"):
        es.EventStudy(MARKET, events, es.EWMarketModel(20), estimation=(-120, -11))
    with pytest.raises(WindowError, match="need a first one; estimation is None"):
        es.EventStudy(MARKET, events, es.MarketAdjusted(), estimation=None)


def test_a_window_without_day_0() -> None:
    found = es.EventStudy(MARKET, EVENTS, estimation=(-120, -11), window=(2, 5)).fit()
    want = es.EventStudy(MARKET, EVENTS, estimation=(-120, -11), window=(0, 5)).fit()
    pd.testing.assert_frame_equal(found.car(), want.car(2, 5), rtol=1e-12)
    assert found.car(0, 1)["car"].isna().all()
    # Normal returns may be estimated up to the window.
    near = es.EventStudy(MARKET, EVENTS, estimation=(-120, 1), window=(2, 5)).fit()
    assert near.parameters["n_obs"].tolist() == [122] * N


def test_models_that_estimate_nothing_need_no_past() -> None:
    rng = np.random.default_rng(7)
    m = rng.normal(0, 0.01, 500)
    r = pd.DataFrame(m[:, None] + rng.normal(0, 0.02, (500, 12)), DAYS, [f"F{i}" for i in range(12)])
    for i in range(12):
        r.iloc[: 200 + 5 * i, i] = np.nan
    events = [{"security": f"F{i}", "date": DAYS[200 + 5 * i]} for i in range(12)]
    market = es.Market(r, benchmark=pd.Series(m, DAYS, name="idx"))
    found = es.EventStudy(market, events, es.MarketAdjusted(), estimation=None, window=(0, 20)).fit()
    car = np.array(
        [(r.iloc[200 + 5 * i : 221 + 5 * i, i] - m[200 + 5 * i : 221 + 5 * i]).sum() for i in range(12)]
    )
    np.testing.assert_allclose(found.car(0, 20)["car"], car, atol=1e-14)
    assert np.isnan(
        found.caar(0, 20)["se"].iloc[0]
    )  # windows share days, and no past tells of their correlation
    mean = found.caar(0, 20, test="cross_sectional").iloc[0]
    assert mean["statistic"] == pytest.approx(car.mean() / (car.std(ddof=1) / np.sqrt(12)), rel=1e-10)
    tests = found.test(0, 20, seed=1).set_index("test")
    assert tests.loc[["cross_sectional", "sign", "wilcoxon", "wild_bootstrap"], "applicable"].all()
    assert not tests.loc[["patell", "bmp", "rank"], "applicable"].any()
    assert found.parameters["n_obs"].eq(0).all()
    raw = es.EventStudy(market, events, es.RawReturn(), estimation=None, window=(0, 20)).fit()
    np.testing.assert_allclose(raw.car(0, 20)["car"], raw.car(0, 20)["actual"])
    with pytest.raises(WindowError, match="needs an estimation window"):
        es.EventStudy(market, events, estimation=None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"estimation_end": -3}, r"Event 0 \(F0\): its estimation window .* overlaps its event window"),
        ({"estimation_start": 5, "estimation_end": 3}, "ends before it starts"),
        ({"window_start": "soon"}, "column window_start of event 0 is 'soon', neither"),
        ({"window_start": -1.5}, "give a whole number of sessions"),
    ],
)
def test_windows_that_cannot_be(change: dict[str, object], told: str) -> None:
    study = es.EventStudy(MARKET, EVENTS.iloc[:2].assign(**change), estimation=(-120, -11), window=(-5, 5))
    with pytest.raises(WindowError, match=told):
        study.fit()


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (
            lambda: es.EventStudy(MARKET, EVENTS, estimation=("2019-01-02", "2018-01-02")),
            "ends before it starts",
        ),
        (lambda: es.EventStudy(MARKET, EVENTS, estimation=("soon", "2018")), "pair of sessions, or of dates"),
        (
            lambda: es.EventStudy(MARKET, EVENTS, window=("2018-10-01 19:00-04:00", "2018-10-05")),
            "pair of sessions, or of dates",
        ),
        (lambda: es.EventStudy(MARKET, EVENTS, estimation=[(-50, -11), (-20, -12)]), "overlap"),
        (
            lambda: es.EventStudy(
                MARKET, EVENTS, estimation=("2018-01-01", "2018-05-01"), exclude_events=True
            ),
            "exclude_events=True needs one event window",
        ),
    ],
)
def test_windows_that_are_refused(ask: Callable[[], object], told: str) -> None:
    with pytest.raises(WindowError, match=told):
        ask()


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
def test_midnights_of_any_zone_are_days(zone: str) -> None:
    """As a window, as columns of the events, and as days that are kept out."""
    plain = {"window": ("2018-10-01", "2018-10-05"), "exclude_dates": ["2018-06-01"]}
    aware = {
        "window": tuple(pd.Timestamp(day, tz=zone) for day in plain["window"]),
        "exclude_dates": [pd.Timestamp("2018-06-01", tz=zone)],
    }
    event = [{"security": "F0", "date": "2018-10-02"}]
    wanted, found = (es.EventStudy(MARKET, event, **days).fit().car(-1, 3) for days in (plain, aware))
    pd.testing.assert_frame_equal(found, wanted)
    start, end = aware["window"]
    columns = [event[0] | {"window_start": start, "window_end": end}]
    by_column = es.EventStudy(MARKET, columns, exclude_dates=["2018-06-01"]).fit()
    pd.testing.assert_frame_equal(by_column.car(-1, 3), wanted)


def test_times_of_day_are_not_cut_off() -> None:
    """An evening in New York is the next day in Shenzhen: which day is meant must be said."""
    evening = "2018-10-01 19:00-04:00"
    columns = [{"security": "F0", "date": "2018-10-02", "window_start": evening, "window_end": "2018-10-05"}]
    with pytest.raises(WindowError, match=r"column window_start of event 0 is '2018-10-01 19:00-04:00'"):
        es.EventStudy(MARKET, columns).fit()
    with pytest.raises(RequestError, match="exclude_dates is a list of days without a time of day"):
        es.EventStudy(MARKET, EVENTS, exclude_dates=[evening])


def test_what_needs_common_windows_says_so() -> None:
    found = es.EventStudy(MARKET, own(EVENTS, OWN), window=(-5, 8)).fit()
    with pytest.raises(RequestError, match="needs one estimation window and one event window"):
        es.lab.placebo(found, 0, 1)


def test_a_period_without_sessions_excludes_the_event() -> None:
    events = EVENTS.assign(
        estimation_start=["2030-01-01", *[None] * 5], estimation_end=["2030-06-01", *[None] * 5]
    )
    with pytest.warns(
        es.errors.ExcludedEventsWarning, match="no session of the data lies in its estimation window"
    ):
        found = es.EventStudy(MARKET, events, estimation=(-120, -11), window=(-2, 2)).fit()
    assert found.excluded.index.tolist() == [0]


def test_own_windows_that_the_data_does_not_cover() -> None:
    events = EVENTS.assign(window_end=[5, 5, 5, 5, 5, 400])
    with pytest.warns(IncompleteWindowWarning, match=r"event 5 \(F5\).*its event window is \(-2, \+400\)"):
        found = es.EventStudy(MARKET, events, estimation=(-120, -11), window=(-2, 2)).fit()
    assert found.warnings["event_id"].tolist() == [5]


# Dates kept out


def test_dates_are_kept_out_of_the_estimation() -> None:
    frame = FRAME.copy()
    days = [DAYS[150], DAYS[163]]
    saturday = DAYS[170] + pd.Timedelta(days=1 if DAYS[170].day_of_week == 4 else 0)
    options = {"estimation": (-120, -11), "window": (-2, 2)}
    plain = es.EventStudy(MARKET, EVENTS, **options).fit()
    every = es.EventStudy(MARKET, EVENTS, exclude_dates=days, **options).fit()
    named = es.EventStudy(
        MARKET, EVENTS, exclude_dates={"F0": [f"{day:%Y-%m-%d}" for day in days]}, **options
    ).fit()
    frame.loc[days, "F0"] = np.nan
    holed = es.EventStudy(es.Market(frame, benchmark="idx", gaps="single"), EVENTS, **options).fit()
    for found in (every, named):
        pd.testing.assert_series_equal(found.parameters.loc[0], holed.parameters.loc[0], rtol=1e-12)
        pd.testing.assert_series_equal(found.car(0, 1).loc[0], holed.car(0, 1).loc[0], rtol=1e-12)
    assert every.parameters["n_obs"].tolist() == [108, 108, 108, 110, 110, 108]
    assert named.parameters["n_obs"].tolist() == [108, 110, 110, 110, 110, 110]
    pd.testing.assert_frame_equal(named.car(0, 1).iloc[1:], plain.car(0, 1).iloc[1:])
    assert "2, of F0" in str(named.summary())
    code = es.results.report.reproduce.code(named.fitted, es.Window(0, 1))
    assert f"exclude_dates={{'F0': ['{days[0]:%Y-%m-%d}', '{days[1]:%Y-%m-%d}']}}," in code
    # A day without a session stands for the next one, and days of the event window stay in it.
    weekend = es.EventStudy(MARKET, EVENTS[:1], exclude_dates=[saturday, DAYS[200]], **options).fit()
    assert weekend.parameters["n_obs"].tolist() == [109]
    assert weekend.abnormal_returns.notna().all(axis=None)


@pytest.mark.parametrize("given", [["soon"], [5], {"F0": 3}])
def test_what_is_no_date_to_keep_out(given: object) -> None:
    with pytest.raises(RequestError, match=r"exclude_dates.* is a list of days"):
        es.EventStudy(MARKET, EVENTS, exclude_dates=given)


def test_dates_of_a_security_that_is_not_there() -> None:
    with pytest.raises(RequestError, match="names the security 'ZZ'"):
        es.EventStudy(MARKET, EVENTS, exclude_dates={"ZZ": ["2018-03-01"]})


@pytest.mark.parametrize("two", [False, True])
def test_effects_of_dates_are_those_of_dummies(two: bool) -> None:
    days = [DAYS[150], DAYS[163], DAYS[230]]
    options = {"estimation": [(-120, -11), (11, 60)] if two else (-120, -11), "window": (-2, 2)}
    found = es.EventStudy(MARKET, EVENTS, exclude_dates=days, **options).fit().date_effects()
    for event, group in found.groupby("event_id"):
        row = int(DAYS.get_loc(EVENTS["date"].iloc[event]))
        used = np.r_[row - 120 : row - 10, row + 11 : row + 61] if two else np.arange(row - 120, row - 10)
        inside = [day for day in days if DAYS.get_loc(day) in used]
        assert group["date"].tolist() == inside
        assert group["day"].tolist() == [DAYS.get_loc(day) - row for day in inside]
        dummies = [DAYS[used] == day for day in inside]
        design = np.column_stack([np.ones(len(used)), FRAME["idx"].iloc[used], *dummies]).astype(float)
        want = sm.OLS(FRAME[EVENTS["security"].iloc[event]].iloc[used].to_numpy(), design).fit()
        for name, value in (("effect", want.params), ("se", want.bse), ("t", want.tvalues)):
            np.testing.assert_allclose(group[name], value[2:], rtol=1e-10)
        np.testing.assert_allclose(group["p_value"], want.pvalues[2:], rtol=1e-9)
        assert (group["dof"] == want.df_resid).all()


@pytest.mark.parametrize("side", ["less", "greater"])
def test_effects_of_dates_of_one_side(side: str) -> None:
    study = es.EventStudy(MARKET, EVENTS, exclude_dates=[DAYS[150], DAYS[163]], estimation=(-120, -11))
    results = study.fit()
    both, one = results.date_effects(), results.date_effects(alternative=side)
    towards = (both["t"] < 0) == (side == "less")
    half = both["p_value"] / 2
    np.testing.assert_allclose(one["p_value"], np.where(towards, half, 1 - half), rtol=1e-12)
    assert towards.any()
    pd.testing.assert_frame_equal(one.drop(columns="p_value"), both.drop(columns="p_value"))
    with pytest.raises(RequestError, match="alternative must be"):
        results.date_effects(alternative="down")


def test_effects_of_dates_in_models_that_estimate_nothing() -> None:
    """Nothing but the variance is estimated, so an effect is the difference to the benchmark."""
    day = DAYS[163]
    study = es.EventStudy(MARKET, EVENTS[:1], es.MarketAdjusted(), (-120, -11), (-2, 2), exclude_dates=[day])
    found = study.fit()
    effect = found.date_effects().iloc[0]
    assert effect["effect"] == pytest.approx(FRAME.loc[day, "F0"] - FRAME.loc[day, "idx"], rel=1e-12)
    assert effect["se"] == pytest.approx(found.parameters.loc[0, "sigma"], rel=1e-12)


def test_effects_of_dates_that_cannot_be_told() -> None:
    options = {"estimation": (-120, -11), "window": (-2, 2)}
    with pytest.raises(RequestError, match="leaves no dates out"):
        es.EventStudy(MARKET, EVENTS, **options).fit().date_effects()
    model = es.MarketModel(missing="trade_to_trade")
    found = es.EventStudy(MARKET, EVENTS, model, exclude_dates=[DAYS[150]], **options).fit()
    with pytest.raises(RequestError, match="does not tell abnormal returns of the dates left out"):
        found.date_effects()
    frame = FRAME.copy()
    frame.loc[DAYS[150], "F0"] = np.nan
    market = es.Market(frame, benchmark="idx", gaps="single")
    lacking = es.EventStudy(market, EVENTS[:1], exclude_dates=[DAYS[150]], **options).fit().date_effects()
    assert lacking[["effect", "se", "t", "p_value"]].isna().all(axis=None)


@pytest.mark.slow
def test_garch_t_of_own_windows() -> None:
    """Beside other events, and alone, it is that of a study with the same windows."""
    pytest.importorskip("arch")
    events = own(EVENTS, OWN).assign(group=list("abcdef"))
    beside = es.EventStudy(MARKET, events, window=(-5, 8)).fit()
    for row, (*_, start, end) in enumerate(OWN):
        alone = es.EventStudy(MARKET, events.iloc[[row]], window=(-5, 8)).fit()
        want = one(row, es.MarketModel()).test(start, end, tests=["garch_t"]).iloc[0]
        by_group = beside.test(start, end, tests=["garch_t"], by="group").set_index("group")
        for found in (alone.test(start, end, tests=["garch_t"]).iloc[0], by_group.loc["abcdef"[row]]):
            if OWN[row][0] > 0:
                assert "must end before the event" in found["note"]
                continue
            assert found["statistic"] == pytest.approx(want["statistic"], rel=1e-12)
            assert found["p_value"] == pytest.approx(want["p_value"], rel=1e-12)


def test_past_days_of_one_date_meet_whatever_the_estimation_windows() -> None:
    """Tests across events see the same sessions side by side, as if the other days were left out by date."""
    day0, ends = 200, [(-150, -6), (-140, -11), (-150, -31), (-120, -6), (-150, -18), (-135, -25)]
    events = EVENTS.assign(date=DAYS[day0])
    columns = dict(zip(["estimation_start", "estimation_end"], np.array(ends).T, strict=True))
    found = es.EventStudy(MARKET, events.assign(**columns), window=(-5, 5)).fit()
    others = {
        name: [DAYS[day0 + day] for day in range(-150, -5) if not first <= day <= last]
        for name, (first, last) in zip(events["security"], ends, strict=True)
    }
    want = es.EventStudy(
        MARKET,
        events,
        estimation=(-150, -6),
        window=(-5, 5),
        exclude_dates={k: v for k, v in others.items() if v},
    ).fit()
    tests = ["filtered_bmp", "filtered_t", "filtered_sq", "grank_t", "rank", "permutation", "block_bootstrap"]
    for window in ((0, 0), (-1, 1)):
        two = [each.test(*window, tests=tests).set_index("test") for each in (found, want)]
        assert two[0]["applicable"].all()
        for column in ("statistic", "p_value"):
            np.testing.assert_allclose(*(each[column] for each in two), rtol=1e-9)


@pytest.mark.parametrize("estimation", [(21, 150), [(-120, -11), (21, 80)]])
def test_volatility_is_not_forecast_from_days_after_the_event(estimation: object) -> None:
    for n in (1, 3):
        found = es.EventStudy(MARKET, EVENTS[:n], estimation=estimation, window=(-2, 3)).fit()
        done = found.test(
            0, 1, tests=["filtered_sq", "filtered_t", *["filtered_bmp", "filtered_rank"] * (n > 1)]
        )
        assert not done["applicable"].any()
        assert done["note"].str.contains("estimation windows, so these must end before the event").all()
        assert np.isfinite(found.caar(0, 1)["se"]).all()
        assert "filtered_sq" not in found.recommended(0, 1)["test"].tolist()


def test_own_windows_of_several_exchanges_are_those_of_each() -> None:
    rng = np.random.default_rng(3)
    parts = {}
    for code, names in (("XNYS", ["US0", "US1", "USX"]), ("XHKG", ["HK0", "HK1", "HKX"])):
        days = es.Exchange(code).sessions("2017-01-02", "2019-06-28")
        m = rng.normal(0, 0.012, len(days))
        own = m[:, None] + rng.normal(0, 0.015, (len(days), 2))
        parts[code] = pd.DataFrame(np.exp(np.column_stack([own, m]).cumsum(axis=0)), days, names)
    calendar = {name: code for code, frame in parts.items() for name in frame}
    listed = pd.DataFrame(
        [
            ("u", "US0", "2019-03-28", -2, 8),
            ("v", "US1", "2019-02-22", 0, 3),
            ("h", "HK1", "2019-03-25", -5, 2),
            ("g", "HK0", "2019-03-14", -1, 12),
        ],
        columns=["event_id", "security", "date", "window_start", "window_end"],
    )
    both = es.Market.from_prices(
        pd.concat(parts.values(), axis=1, sort=True),
        benchmark={"US0": "USX", "US1": "USX", "HK0": "HKX", "HK1": "HKX"},
        calendar=calendar,
    )
    found = es.EventStudy(both, listed, estimation=(-150, -20)).fit()
    assert found.abnormal_returns.columns[[0, -1]].tolist() == [-5, 12]
    for code, rows in (("XNYS", [0, 1]), ("XHKG", [2, 3])):
        market = es.Market.from_prices(parts[code], benchmark=parts[code].columns[2], calendar=code)
        alone = es.EventStudy(market, listed.iloc[rows], estimation=(-150, -20)).fit()
        want = alone.abnormal_returns
        got = found.abnormal_returns.loc[want.index, want.columns]
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-14)
        rest = found.abnormal_returns.loc[want.index].drop(columns=want.columns)
        assert rest.isna().all(axis=None)


def test_a_second_estimation_window_beyond_the_data_is_not_left_out_silently() -> None:
    listed = EVENTS.iloc[[0, 1]].assign(date=DAYS[[300, 470]])
    with pytest.warns(es.errors.ExcludedEventsWarning, match=r"second estimation window \(\+40, \+90\) lies"):
        found = es.EventStudy(MARKET, listed, estimation=[(-120, -11), (40, 90)], window=(-5, 5)).fit()
    assert len(found.excluded) == 1


def test_models_that_estimate_nothing_say_that_they_need_no_past() -> None:
    study = es.EventStudy(MARKET, EVENTS.iloc[[0]].assign(date=DAYS[5]), es.MarketAdjusted(), window=(-2, 2))
    with pytest.raises(es.errors.NoUsableEventsError, match="with estimation=None no past is needed"):
        study.fit()
    none = es.EventStudy(MARKET, EVENTS.iloc[:2], es.MarketAdjusted(), estimation=None).fit()
    assert none.intervals(0, 1)["note"].str.contains("nothing is estimated").all()


def test_averages_say_which_events_do_not_cover_the_window() -> None:
    listed = EVENTS.assign(date=DAYS[[200, 220, 240, 300, 497, 498]])
    with pytest.warns(IncompleteWindowWarning):
        found = es.EventStudy(
            MARKET, listed, estimation=(-120, -11), window=(-5, 10), incomplete="partial"
        ).fit()
    told = "2 events of 6 count with the 2 to 3 of 11 days of (0, +10) that their returns cover"
    assert told in found.caar(0, 10)["note"].iloc[0]
    assert told in " ".join(str(found.verdict(0, 10)).split())
    assert found.test(0, 10).query("applicable")["note"].str.contains(told, regex=False).all()
    assert "count with" not in found.caar(0, 1)["note"].iloc[0]


def test_periods_are_left_out_whole_and_days_left_out_do_not_overlap() -> None:
    plain = es.EventStudy(MARKET, EVENTS.iloc[[3]], estimation=(-120, -11)).fit()
    month = DAYS[DAYS.strftime("%Y-%m") == "2018-12"]
    assert month.isin(DAYS[180:290]).all()
    for dates in (pd.PeriodIndex(["2018-12"], freq="M"), {"F3": [pd.Period("2018-12")]}, month):
        found = es.EventStudy(MARKET, EVENTS.iloc[[3]], estimation=(-120, -11), exclude_dates=dates).fit()
        assert found.parameters["n_obs"].iloc[0] == plain.parameters["n_obs"].iloc[0] - len(month)
    twice = pd.DataFrame({"security": "F0", "date": DAYS[[300, 400]]})
    options = {"estimation": (-200, -11), "window": (-2, 2)}
    es.EventStudy(MARKET, twice, exclude_dates=DAYS[298:303], **options).fit()  # without a warning
    with pytest.warns(es.errors.OverlapWarning, match="event 1 has event 0 in its estimation window"):
        es.EventStudy(MARKET, twice, exclude_dates=DAYS[298:302], **options).fit()


@pytest.mark.parametrize(("after", "incomplete"), [(1, False), (2, False), (3, True)])
def test_a_window_that_ends_on_the_weekend_after_the_data_is_complete(after: int, incomplete: bool) -> None:
    friday = FRAME.index.get_loc(pd.Timestamp("2019-11-29"))
    market = es.Market(FRAME.iloc[: friday + 1], benchmark="idx")
    last = market.sessions[-1]
    assert last.day_name() == "Friday"
    events = pd.DataFrame(
        {
            "security": ["F0"],
            "date": [market.sessions[-3]],
            "window_start": [market.sessions[-3]],
            "window_end": [last + pd.Timedelta(days=after)],
        }
    )
    study = es.EventStudy(market, events, estimation=(-150, -11), window=(0, 1))
    if incomplete:
        with pytest.warns(IncompleteWindowWarning):
            study.fit()
    else:
        assert str(study.fit().spec.window) == "(0, +2)"


@pytest.mark.parametrize(
    ("weekdays", "last", "end", "beyond"),
    [
        ("Mon Tue Wed Thu Fri Sat Sun", "2019-11-29", "2019-12-01", 2),  # round the clock, to a Friday
        ("Sun Mon Tue Wed Thu", "2019-11-28", "2019-11-30", 0),  # Riyadh, to a Thursday
        ("Sun Mon Tue Wed Thu", "2019-11-28", "2019-12-01", 1),
        ("Fri", "2019-11-29", "2019-12-13", 2),  # weeks
        ("Fri", "2019-11-29", "2019-12-12", 1),
    ],
)
def test_days_beyond_the_data_are_those_of_its_weekdays(
    weekdays: str, last: str, end: str, beyond: int
) -> None:
    days = pd.date_range(end=last, periods=400, freq=pd.offsets.CustomBusinessDay(weekmask=weekdays))
    frame = FRAME.iloc[:400].set_index(days)
    events = pd.DataFrame({"security": ["F0"], "date": [days[-3]], "window_end": [end]})
    study = es.EventStudy(
        es.Market(frame, benchmark="idx", sessions="data"), events, estimation=(-150, -11), window=(0, 1)
    )
    if beyond:
        with pytest.warns(IncompleteWindowWarning):
            found = study.fit()
    else:
        found = study.fit()
    assert str(found.spec.window) == f"(0, {2 + beyond:+d})"


@pytest.mark.parametrize(("start", "fine"), [(-20, False), (-19, True)])
def test_a_second_window_begins_after_the_first_ends(start: int, fine: bool) -> None:
    events = EVENTS.iloc[:1].assign(
        estimation_start=-90, estimation_end=-20, estimation_start_2=start, estimation_end_2=-11
    )
    study = es.EventStudy(MARKET, events, window=(0, 1))
    if fine:
        assert study.fit().parameters["n_obs"].item() == 80
    else:
        with pytest.raises(WindowError, match=r"begins before the first one, \(-90, -20\), ends"):
            study.fit()


@pytest.mark.parametrize("cell", [-200_000, 200_000, -10.5, 10.5])
def test_a_cell_that_is_no_session_is_named(cell: float) -> None:
    events = EVENTS.assign(estimation_start=-90.0)
    events.loc[3, "estimation_start"] = cell
    with pytest.raises((RequestError, WindowError, EventError), match=r"vent 3\b") as told:
        es.EventStudy(MARKET, events, window=(0, 1)).fit()
    assert "estimation_start" in str(told.value)


@pytest.mark.parametrize(("estimation", "late"), [((-90, -11), None), ((11, 90), [True] * 3)])
def test_days_after_the_event_are_known_to_be(estimation: tuple[int, int], late: list[bool] | None) -> None:
    for events in (EVENTS.iloc[:3], EVENTS.iloc[:3].assign(window_start=0, window_end=[1, 2, 3])):
        found = es.EventStudy(MARKET, events, estimation=estimation, window=(0, 3)).fit().fitted.abnormal
        assert (found.estimated_after is None) if late is None else (found.estimated_after.tolist() == late)


@pytest.mark.filterwarnings("ignore::eventstudy.errors.ExcludedEventsWarning")
def test_an_end_in_sessions_before_a_start_on_a_day_leaves_no_window() -> None:
    """Only windows whose two ends are counted in sessions are a mistake; those of dates may miss an event."""
    events = EVENTS.iloc[:3].assign(date=DAYS[200], window_end=[np.nan, -3, 2])
    found = es.EventStudy(MARKET, events, estimation=(-90, -11), window=(DAYS[200], DAYS[205])).fit()
    assert found.excluded["reason"].to_dict() == {1: "its event window (+0, -3) ends before it starts"}
    with pytest.raises(WindowError, match="ends before it starts"):
        es.EventStudy(MARKET, events, estimation=(-90, -11), window=(0, 5)).fit()


@pytest.mark.parametrize(("first", "last"), [("2018-02", "2018-07"), ("2018-02-01", "2018-07-31")])
def test_periods_are_their_first_and_last_days(first: str, last: str) -> None:
    """A period is not a count of sessions, although July 2018 is number 582 of its kind."""
    start, end = pd.Period(first), pd.Period(last)
    columns = EVENTS.assign(
        estimation_start=pd.PeriodIndex([start] * N), estimation_end=pd.PeriodIndex([end] * N)
    )
    cells = EVENTS.assign(estimation_start=[start, *[None] * 5], estimation_end=[end, *[None] * 5])
    for events, estimation, n_obs in (
        (columns, (-90, -11), [129] * N),
        (cells, (-90, -11), [129, *[80] * 5]),
        (EVENTS, (start, end), [129] * N),
    ):
        found = es.EventStudy(MARKET, events, estimation=estimation, window=(0, 1)).fit()
        assert found.parameters["n_obs"].tolist() == n_obs
    rows = es.Events(cells).frame  # days from here on, which a recipe writes and a stored study holds
    assert rows["estimation_start"].tolist()[0] == start.start_time
    assert rows["estimation_end"].tolist()[0] == end.end_time.normalize()


def test_window_columns_by_other_spellings() -> None:
    events = EVENTS.assign(**{"Estimation Start": -60, "EstimationEnd": -11})
    found = es.EventStudy(MARKET, events, window=(0, 1))
    assert found.fit().parameters["n_obs"].tolist() == [50] * N
    assert {"Estimation Start", "EstimationEnd"} <= set(found.spec.events.reading["column"])
    with pytest.warns(
        es.errors.DataWarning, match="are columns estimation_start, estimation_end, window_start"
    ):
        es.Events(EVENTS.assign(**{"window start": -1, "Window_Start": -2, "event_window_end": 3}))


def test_windows_that_end_before_they_start_are_told_apart_from_empty_ones() -> None:
    as_text = EVENTS.assign(window_start=["3", *[""] * 5], window_end=["1", *[""] * 5])
    with pytest.raises(WindowError, match=r"event window \(\+3, \+1\) ends before it starts"):
        es.EventStudy(MARKET, as_text, window=(-1, 3)).fit()
    early = EVENTS.assign(window_end=[DAYS[185], *[None] * 5])
    with pytest.warns(es.errors.ExcludedEventsWarning, match=r"window \(-3, -15\) ends before it starts"):
        es.EventStudy(MARKET, early, estimation=(-120, -30), window=(-3, 5)).fit()


@pytest.mark.parametrize(
    "ask",
    [
        lambda events: es.BuyAndHold(MARKET, events, horizon=(1, 20)),
        lambda events: es.CalendarTimePortfolio(MARKET, events, horizon=(1, 20)),
        lambda events: es.EventGARCH(MARKET, events),
        lambda events: es.CausalStudy(MARKET, events),
        lambda events: es.lab.specification_curve(MARKET, events),
    ],
    ids=["BuyAndHold", "CalendarTimePortfolio", "EventGARCH", "CausalStudy", "specification_curve"],
)
def test_what_takes_one_window_for_all_events_ignores_none_of_their_own(
    ask: Callable[[pd.DataFrame], object], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(WindowError, match=f"window_end.*{request.node.callspec.id} takes one window for all"):
        ask(EVENTS.assign(window_end=[3, *[None] * 5]))


def test_dates_of_an_iterator_and_of_a_series_by_security() -> None:
    days = [DAYS[150], DAYS[151]]

    def n_obs(given: object) -> list[int]:
        found = es.EventStudy(
            MARKET, EVENTS.iloc[:1], estimation=(-90, -11), window=(0, 1), exclude_dates=given
        )
        return found.fit().parameters["n_obs"].tolist()

    assert (
        n_obs(day for day in days) == n_obs(iter(days)) == n_obs(pd.DatetimeIndex(days).to_series()) == [78]
    )
    by_security = pd.Series(days, ["F1", "F2"])
    with pytest.raises(RequestError, match="Series with names in its index"):
        n_obs(by_security)
    assert n_obs(by_security.groupby(level=0).agg(list).to_dict()) == [80]


def test_an_index_of_two_days_is_a_window() -> None:
    found = es.EventStudy(MARKET, EVENTS, estimation=DAYS[[10, 99]], window=(0, 1)).fit()
    assert found.parameters["n_obs"].tolist() == [90] * N


@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_stacked_effects_of_own_windows_are_least_squares_by_hand(order: list[int]) -> None:
    """Estimation days are those of any announcement, and a dummy is one in its announcement's own window."""
    own_windows = [(-60, -11, -3, 4), (-150, -40, -1, 5)]
    rows = [200, 203]
    both = pd.DataFrame({"event_id": [0, 1], "security": "F0", "date": DAYS[rows]})
    events = own(both, own_windows).iloc[order]
    found = es.EventStudy(MARKET, events, window=(-1, 3)).fit().stacked(-1, 3).loc[[0, 1]]
    windows = [set(range(row + c, row + d + 1)) for row, (_, _, c, d) in zip(rows, own_windows, strict=True)]
    past = [range(row + a, row + b + 1) for row, (a, b, _, _) in zip(rows, own_windows, strict=True)]
    days = sorted(set().union(*past) - set.union(*windows))
    y, x = FRAME["F0"].to_numpy(), sm.add_constant(FRAME["idx"].to_numpy())
    fit = sm.OLS(y[days], x[days]).fit()
    tested = [range(row - 1, row + 4) for row in rows]
    days_tested = sorted(set().union(*tested))
    dummies = np.array([[float(day in each) for each in tested] for day in days_tested])
    effects = np.linalg.lstsq(dummies, (y - x @ fit.params)[days_tested], rcond=None)[0]
    np.testing.assert_allclose(found["car"], 5 * effects, rtol=1e-10)
    assert found["dof"].tolist() == [len(days) - 2] * 2


@pytest.mark.filterwarnings("ignore::eventstudy.errors.OverlapWarning")
def test_stacked_effects_of_windows_that_are_not_covered() -> None:
    events = pd.DataFrame({"security": ["F0", "F0"], "date": DAYS[[490, 497]]})
    with pytest.warns(IncompleteWindowWarning):
        found = es.EventStudy(MARKET, events, estimation=(-120, -21), window=(-5, 5)).fit()
    stacked = found.stacked(-3, 5)
    assert stacked["car"].isna().tolist() == found.car(-3, 5)["car"].isna().tolist() == [False, True]
    assert stacked["note"].iloc[1] == "its returns do not cover (-3, +5)"
    with pytest.warns(IncompleteWindowWarning):
        found = es.EventStudy(
            MARKET, events, estimation=(-120, -21), window=(-5, 5), incomplete="partial"
        ).fit()
    assert found.stacked(-3, 5)["car"].notna().all()


def test_what_is_told_of_an_event_is_of_its_own_windows() -> None:
    """Windows are laid out for all events at once; days outside of its own say nothing of an event."""
    frame = FRAME.copy()
    frame.iloc[[100, 150, 207], 0] = np.nan
    market = es.Market(frame, benchmark="idx", gaps="lumped")
    events = own(EVENTS.iloc[:3], [(-90, -11, -2, 3), (-150, -60, -5, 8), (20, 150, 0, 2)])
    found = es.EventStudy(market, events, window=(-5, 8)).fit()
    missing = found.diagnostics()["missing_returns"]
    np.testing.assert_allclose(missing, [2 / 80, 0, 0])  # row 150 and the return over it
    left_out = es.EventStudy(market, events, window=(-5, 8), exclude_dates=DAYS[[120, 150]]).fit()
    np.testing.assert_allclose(left_out.diagnostics()["missing_returns"], missing)
    assert found.halts.empty
    # The day without trade lies in the common window of the first event.
    assert len(es.EventStudy(market, EVENTS.iloc[:1], estimation=(-90, -11), window=(-2, 8)).fit().halts) == 1
    for row, (first, last) in enumerate([(-90, -11), (-150, -60), (20, 150)]):
        for drawn in (plot_data.fit, plot_data.null):
            past = drawn(found.fitted, row, es.Window(0, 1)).query("role == 'estimation'")
            assert first <= past["day"].min() <= first + 1
            assert past["day"].max() == last


def test_the_limits_of_an_event_are_of_its_own_window() -> None:
    days = es.Exchange("XSHG").sessions("2018-01-02", "2018-12-28")
    steps = np.random.default_rng(1).normal(0, 0.01, (len(days), 2))
    steps[[204, 210]] = [[0.0953, 0], [-0.105, 0]]
    prices = pd.DataFrame(20 * np.exp(steps.cumsum(axis=0)), days, ["600001.SS", "idx"]).round(2)
    for row, limit in ((204, 1.1), (210, 0.9)):
        prices.iloc[row, 0] = np.floor(prices.iloc[row - 1, 0] * limit * 100 + 0.5) / 100
    market = es.Market.from_prices(prices, benchmark="idx", calendar="XSHG", price_limit=0.1)
    events = pd.DataFrame({"security": "600001.SS", "date": days[[200, 207]], "window_end": [2, 5]})
    found = es.EventStudy(market, events, estimation=(-120, -11), window=(0, 5))
    with pytest.warns(es.errors.PriceLimitWarning, match="event 1"):
        hits = found.fit().limit_hits
    assert hits[["event_id", "day"]].to_numpy().tolist() == [[1, 3]]


def test_windows_of_no_event_leave_out_nothing():
    none = np.zeros((0, 2), dtype=np.int64)
    own = OwnWindows(none, none, none[:, 0])
    assert own.outside_estimation(slice(None), np.arange(-5, 0)).shape == (0, 5)
