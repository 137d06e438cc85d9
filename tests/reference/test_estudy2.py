"""Seven US stocks in March 2020, as R estudy2 0.10 (the copy read) measures them.

Each of its statistics must equal ours, or equal ours after one stated convention is undone by a factor that
is computed here. Where it is wrong rather than different, that is shown, not reproduced.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.inference import TestInput
from eventstudy.inference.ranks import grank_profile, independent_ranks_z, rank_z, t_of_rank_z
from eventstudy.inference.signs import positive_share

MODELS = {"sim": es.MarketModel(), "mrkt_adj": es.MarketAdjusted(), "mean_adj": es.ConstantMean()}
DAYS = range(5)
LAST = DAYS[-1]
TOLERANCE = 5e-7
GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())


@cache
def market(folder: Path) -> es.Market:
    rates, index = (
        pd.read_csv(folder / f"{name}.csv", index_col="date", parse_dates=True)
        for name in ("rates", "rates_indx")
    )
    return es.Market(rates, benchmark=index["GSPC"], kind="log")


@cache
def study(folder: Path, model: str, only: str | None = None) -> es.EventStudyResults:
    made = market(folder)
    names = made.securities if only is None else [only]
    events = es.Events(pd.DataFrame({"security": names, "date": "2020-03-16"}))
    return es.EventStudy(made, events, model=MODELS[model], estimation=(-240, -1), window=(0, LAST)).fit()


@pytest.fixture(scope="session")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "estudy2"


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv")


@dataclass(frozen=True)
class Seen:
    """What factors are computed from: abnormal returns of N firms, the tested days, the index's returns."""

    data: TestInput
    index: np.ndarray

    @property
    def fit(self):
        return self.data.abnormal

    @cached_property
    def theirs(self) -> np.ndarray:
        """SCARs by their scale, shape (N, L): residual s.d. with M - 1, and the mean and sum of squares of
        the index over all estimation days, whether or not the firm was listed."""
        sd = np.nanstd(self.fit.past.residuals(), axis=1, ddof=1)
        error = 1 + 1 / self.fit.n_obs[:, None] + self.distance
        return self.fit.ar[:, self.data.cols] / (sd[:, None] * np.sqrt(error))

    @property
    def distance(self) -> np.ndarray:
        """Squared distance of the index from its mean, over its sum of squares; shape (L,)."""
        x = self.fit.design[0, self.data.cols, 1]
        return (x - self.index.mean()) ** 2 / ((self.index - self.index.mean()) ** 2).sum()

    @property
    def all_days(self) -> np.ndarray:
        return np.concatenate([self.fit.past.residuals(), self.fit.ar], axis=1)

    @property
    def tested(self) -> slice:
        width = self.fit.past.residuals().shape[1]
        return slice(width + self.data.cols.start, width + self.data.cols.stop)


def sum_over_s(values: np.ndarray, tested: slice, power: float | None = None) -> float:
    """Mean of N firms' values summed over the tested days, over S sqrt(L).

    Ours (no `power`): ``S^2 = (1/T) sum (n_t / N) mean_t^2`` for n_t firms with a value on each of T days.
    Theirs: ``S^2 = (1/T') sum (N / n_t)^power mean_t^2``, T' being the mean number of days of a firm, so
    that days which few firms have count more instead of less.
    """
    seen = ~np.isnan(values)
    share = seen.mean(axis=0)
    mean = np.nanmean(values, axis=0)
    if power is None:
        variance = (share * mean**2).mean()
    else:
        variance = (share**-power * mean**2).sum() / seen.sum(axis=1).mean()
    return float(mean[tested].sum() / np.sqrt(variance * (tested.stop - tested.start)))


def days_ranked(seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Rank of each day among its firm's days, and the number of those days."""
    missing = np.isnan(seen.all_days)
    ranks = stats.rankdata(np.where(missing, np.inf, seen.all_days), axis=1)
    return np.where(missing, np.nan, ranks), (~missing).sum(axis=1, keepdims=True)


def scaled(seen: Seen) -> np.ndarray:
    ranks, days = days_ranked(seen)
    return ranks / (days + 1) - 0.5


def centred(seen: Seen) -> np.ndarray:
    ranks, days = days_ranked(seen)
    return ranks - (days + 1) / 2


def without_replacement(seen: Seen) -> float:
    days, length = seen.all_days.shape[1], len(seen.data.window)
    return float(np.sqrt((days - 1) / (days - length)))


def one(_: Seen) -> float:
    return 1.0


def bw_1980(seen: Seen) -> float:
    sd = np.nanstd(seen.fit.past.residuals(), axis=1, ddof=1)
    return float(np.sqrt(seen.data.cumulative.variance.sum() / (sd**2).sum()))


def patell(seen: Seen) -> float:
    return float(seen.theirs.sum() / seen.data.scar.sum())


def bmp(seen: Seen) -> float:
    ours, theirs = seen.data.scar, seen.theirs[:, 0]
    return float(theirs.mean() / theirs.std(ddof=1) * ours.std(ddof=1) / ours.mean())


def lamb(seen: Seen) -> float:
    ours = (seen.fit.ar_variance / seen.fit.s2[:, None])[:, seen.data.cols].mean(axis=0)
    theirs = 1 + 1 / seen.fit.n_obs.mean() + seen.distance
    aar = seen.fit.ar[:, seen.data.cols].mean(axis=0)
    return float((aar / np.sqrt(theirs)).sum() / (aar / np.sqrt(ours)).sum())


def rank(seen: Seen) -> float:
    ours = sum_over_s(scaled(seen), seen.tested) * without_replacement(seen)
    return sum_over_s(centred(seen), seen.tested, power=2) / ours


def rank_of_window(seen: Seen) -> float:
    ranks, days = days_ranked(seen)
    ours = sum_over_s(scaled(seen), seen.tested) * without_replacement(seen)
    return sum_over_s(ranks - (days.mean() + 1) / 2, seen.tested, power=0) / ours


def scaled_rank(seen: Seen) -> float:
    ours, theirs = (sum_over_s(scaled(seen), seen.tested, power) for power in (None, 1))
    return theirs / ours


def median_sign(seen: Seen) -> float:
    def signs(values: np.ndarray) -> np.ndarray:
        return np.sign(values - np.nanmedian(values, axis=1, keepdims=True))

    past, event = seen.fit.past.residuals(), seen.fit.ar[:, seen.data.cols]
    used = signs(np.concatenate([past, event], axis=1))
    g = np.nansum(used, axis=0) / np.sqrt((~np.isnan(used)).sum(axis=0))
    ours = g[-1] / np.sqrt((g**2).mean())
    return sum_over_s(signs(seen.all_days), seen.tested, power=1) / float(ours)


def pooled_share(seen: Seen) -> float:
    n, positive = len(seen.fit.ar), (seen.data.car > 0).sum()
    ours = positive_share(seen.fit.past.residuals()).mean()
    theirs = (seen.fit.past.residuals() > 0).sum() / (~np.isnan(seen.fit.past.residuals())).sum()
    return float(
        (positive - n * theirs) / (positive - n * ours) * np.sqrt(ours * (1 - ours) / theirs / (1 - theirs))
    )


@dataclass(frozen=True)
class Row:
    """One of their columns, our key for it, the factor that undoes the convention, and the convention."""

    column: str
    key: str
    factor: Callable[[Seen], float]
    reason: str

    def __str__(self) -> str:
        return self.column


ALL_DAYS = "all days of a window are ranked, and days with few firms weigh more instead of less in S"
PARAMETRIC = [
    Row("bw_1980_stat", "independence", bw_1980, "s from M - 1, no prediction error"),
    Row("bw_1985_stat", "time_series", one, "equal"),
    Row("t_test_stat", "cross_sectional", one, "equal"),
]
REGRESSION = [
    Row(
        "pt_stat",
        "patell",
        patell,
        "s from M - 1; mean and squares of the index over days before the listing",
    ),
    Row("bh_stat", "bmp", bmp, "the scale of pt_stat"),
    Row("lmb_stat", "lamb", lamb, "prediction error of the mean firm: 1 / mean M, index of all days"),
]
NON_PARAMETRIC = [
    Row("sign_stat", "sign", one, "equal"),
    Row("gsign_stat", "generalized_sign", pooled_share, "expected share pooled over firms, not averaged"),
    Row(
        "csign_stat", "sign_zivney", median_sign, f"the median and S are those of all event days; {ALL_DAYS}"
    ),
    Row("rank_stat", "rank", rank, f"ranks less their mean, not scaled by the firm's days; {ALL_DAYS}"),
    Row("mrank_stat", "rank", scaled_rank, ALL_DAYS),
]
OF_ONE_DAY = [
    *((model, "parametric", row) for model in MODELS for row in PARAMETRIC),
    *(("sim", "parametric", row) for row in REGRESSION),
    *((model, "nonparametric", row) for model in MODELS for row in NON_PARAMETRIC),
]
RANK_OF_WINDOW = Row(
    "car_rank_test", "rank", rank_of_window,
    "ranks less the mean of the mean firm's ranks, S over as many days, drawn as if with replacement",
)  # fmt: skip
OF_THE_WINDOW = [
    *(
        (model, "car_parametric", Row("car_brown_warner_1985", "time_series", one, "equal"))
        for model in MODELS
    ),
    ("sim", "car_parametric", Row("car_lamb", "lamb", lamb, "as lmb_stat")),
    *((model, "car_nonparametric", RANK_OF_WINDOW) for model in MODELS),
]


def seen(folder: Path, model: str, first: int, last: int) -> Seen:
    past = pd.read_csv(folder / "rates_indx.csv", index_col="date").loc[:"2020-03-13", "GSPC"].to_numpy()
    return Seen(study(folder, model).fitted.test_input(es.Window(first, last)), past)


def ours(folder: Path, model: str, key: str, first: int, last: int) -> float:
    return float(study(folder, model).test(first, last, tests=[key])["statistic"].iloc[0])


@pytest.mark.parametrize("model", MODELS)
def test_abnormal_returns_and_their_average(folder: Path, model: str) -> None:
    theirs = pd.read_csv(folder / f"{model}_abnormal.csv", index_col="date", parse_dates=True)
    fit = study(folder, model).fitted.abnormal
    found = np.concatenate([fit.past.residuals(), fit.ar], axis=1).T
    assert found == pytest.approx(theirs.loc[:"2020-03-20"].to_numpy(), abs=1e-15, nan_ok=True)
    assert fit.n_obs.tolist() == table(folder, f"{model}_model")["n_est"].tolist()
    aar = study(folder, model).aar()["aar"].to_numpy()
    assert aar == pytest.approx(table(folder, f"{model}_parametric")["mean"].to_numpy(), abs=1e-15)
    # Their CAR is a mean daily one.
    car = study(folder, model).caar(0, LAST)["caar"].iloc[0] / len(DAYS)
    assert car == pytest.approx(table(folder, f"{model}_car_parametric")["car_mean"].iloc[0], abs=1e-15)


def test_market_model(folder: Path) -> None:
    theirs = table(folder, "sim_model")
    for name in ("alpha", "beta"):
        assert study(folder, "sim").parameters[name].to_numpy() == pytest.approx(
            theirs[name].to_numpy(), abs=1e-14
        )


@pytest.mark.parametrize(("model", "kind", "row"), OF_ONE_DAY, ids=str)
def test_statistics_by_day(folder: Path, model: str, kind: str, row: Row) -> None:
    theirs = table(folder, f"{model}_{kind}")[row.column]
    for day in DAYS:
        factor = row.factor(seen(folder, model, day, day))
        assert ours(folder, model, row.key, day, day) * factor == pytest.approx(theirs[day], abs=TOLERANCE)
        assert 0.75 < factor < 1.5
    assert (row.factor is one) == (row.reason == "equal")


@pytest.mark.parametrize(("model", "kind", "row"), OF_THE_WINDOW, ids=str)
def test_statistics_of_the_window(folder: Path, model: str, kind: str, row: Row) -> None:
    theirs = table(folder, f"{model}_{kind}").set_index("name").loc[row.column, "statistic"]
    found = ours(folder, model, row.key, 0, LAST) * row.factor(seen(folder, model, 0, LAST))
    assert found == pytest.approx(theirs, abs=TOLERANCE)


@pytest.mark.parametrize("model", MODELS)
def test_wilcoxon(folder: Path, model: str) -> None:
    theirs = table(folder, f"{model}_nonparametric")["wlcx_stat"]
    data = [study(folder, model).fitted.test_input(es.Window(day, day)) for day in DAYS]
    found = [es.inference.TESTS["wilcoxon"].run(d, es.inference.Options()).extra for d in data]
    assert [e["signed_rank_sum"] for e in found] == theirs.tolist()


def test_wilcoxon_stars_are_wrong_and_our_p_values_right(folder: Path) -> None:
    """A star means p <= 10% there; R's own wilcox.test says 16% for the sum of 23."""
    exact = table(folder, "wilcox_base_R_reference")
    p = [study(folder, "sim").test(day, day, tests=["wilcoxon"])["p_value"].iloc[0] for day in DAYS]
    assert p == pytest.approx(exact["p_exact_two_sided"].tolist(), rel=1e-12)
    stars = table(folder, "sim_nonparametric")["wlcx_signif"].fillna("")
    assert (stars[0], round(p[0], 3)) == ("*", 0.156)


def test_every_statistic_of_theirs_is_in_the_tables(folder: Path) -> None:
    columns = {
        (kind, column)
        for kind in ("parametric", "nonparametric")
        for column in table(folder, f"sim_{kind}").columns
        if column.endswith("_stat")
    }
    rows = {(kind, row.column) for model, kind, row in OF_ONE_DAY if model == "sim"}
    assert columns == rows | {("nonparametric", "wlcx_stat")}
    assert len(columns) == 12


def without_fpc(s: Seen) -> float:
    return 1 / without_replacement(s)


def daily_prediction_error(s: Seen) -> float:
    """Patell's multi-day form: standardised abnormal returns summed, over sqrt(L)."""
    sar = s.fit.sar[:, s.data.cols]
    return float(sar.sum() / np.sqrt(sar.shape[1]) / s.data.scar.sum())


#: Our key, and the factor, of each value kept in golden.json.
GOLDEN_KEYS: dict[str, tuple[str, Callable[[Seen], float]]] = {
    "cross_t": ("cross_sectional", one),
    "indep_z": ("independence", one),
    "cda": ("time_series", one),
    "patell": ("patell", one),
    "patell_orig": ("patell", daily_prediction_error),
    "adj_patell": ("adjusted_patell", one),
    "bmp": ("bmp", one),
    "adj_bmp": ("adjusted_bmp", one),
    "hall": ("skewness_adjusted", one),
    "jaffe": ("jaffe", one),
    "sign": ("sign", one),
    "gsign": ("generalized_sign", one),
    "wilcoxon": ("wilcoxon", one),
    "corrado": ("rank", without_fpc),
    "corrado_fpc": ("rank", one),
    "cumrank": ("cumrank_t", one),
    "cz_rank": ("rank_zivney", one),
    "cz_sign": ("sign_zivney", one),
}
WINDOWS = {"d0": (0, 0), "d3": (3, 3), "w5": (0, LAST)}


@pytest.mark.parametrize("window", WINDOWS)
def test_golden_values_from_returns(folder: Path, window: str) -> None:
    want, (first, last) = GOLDEN[window], WINDOWS[window]
    of_day = seen(folder, "sim", first, last)
    results = study(folder, "sim")
    rest = set(want) - set(GOLDEN_KEYS)
    assert rest <= {"johnson", "grank", "sq_firm0", "single_firm0"}
    for name in set(want) & set(GOLDEN_KEYS):
        key, factor = GOLDEN_KEYS[name]
        row = results.test(first, last, tests=[key]).iloc[0]
        assert row["statistic"] * factor(of_day) == pytest.approx(want[name]["stat"], abs=1e-9), name
        if factor is one and name != "wilcoxon":  # normal in the file, exact here
            assert row["p_value"] == pytest.approx(want[name].get("p_exact", want[name]["p"]), rel=1e-7), name
    skewed = es.inference.TESTS["skewness_adjusted"].run(of_day.data, es.inference.Options())
    assert skewed.extra["johnson"] == pytest.approx(want["johnson"]["stat"], abs=1e-9)
    # The file's GRANK is not un-shrunk for the mean correlation.
    abnormal = of_day.data.abnormal
    est_sar = abnormal.past.residuals() / np.sqrt(abnormal.s2)[:, None]
    profile = grank_profile(est_sar, of_day.data.scar)
    z = rank_z(profile)
    assert z == pytest.approx(want["grank"]["Z"], abs=1e-9)
    assert t_of_rank_z(z, profile.n_days) == pytest.approx(want["grank"]["stat"], abs=1e-9)
    assert independent_ranks_z(profile) == pytest.approx(want["grank"]["grank_z"], abs=1e-9)
    cumulated = results.test(first, last, tests=["cumrank_z", "grank_z"])["statistic"]
    assert cumulated.tolist() == pytest.approx(
        [want["cumrank"]["cumrank_z"], want["grank"]["grank_z"]], abs=1e-9
    )


def test_golden_inputs_from_returns(folder: Path) -> None:
    results = study(folder, "sim")
    fit, car = results.fitted.abnormal, results.car(0, LAST)
    assert results.clustering(0, LAST).mean_correlation == pytest.approx(GOLDEN["rbar"], abs=1e-12)
    assert fit.n_obs.tolist() == GOLDEN["M"]
    assert fit.s2 == pytest.approx(np.array(GOLDEN["s2"]), rel=1e-12)
    assert fit.ar == pytest.approx(np.array(GOLDEN["AR"]), abs=1e-14)
    assert car["car"].to_numpy() == pytest.approx(np.array(GOLDEN["CAR5"]), abs=1e-14)
    assert car["se"].to_numpy() == pytest.approx(np.array(GOLDEN["SE_CAR5"]), rel=1e-12)


@pytest.mark.parametrize("window", WINDOWS)
def test_golden_values_of_one_firm(folder: Path, window: str) -> None:
    want, (first, last) = GOLDEN[window], WINDOWS[window]
    results = study(folder, "sim", market(folder).securities[0])
    rows = results.test(first, last, tests=["t", "sq"]).set_index("test")
    single = want["single_firm0"]
    assert rows.loc["t", "statistic"] == pytest.approx(single["stat"], abs=1e-9)
    assert rows.loc["t", "p_value"] == pytest.approx(single["p"], rel=1e-7)
    assert rows.loc["t", "dof"] == single["df"]
    interval = results.car(first, last)[["ci_low", "ci_high"]].iloc[0]
    assert interval.tolist() == pytest.approx(single["ci"], abs=1e-9)
    if "sq_firm0" in want:
        assert rows.loc["sq", "p_value"] == pytest.approx(want["sq_firm0"]["p"], abs=1e-12)
        scale = np.sqrt(results.fitted.abnormal.s2[0])  # the file's statistic is in returns
        assert rows.loc["sq", "statistic"] * scale == pytest.approx(want["sq_firm0"]["stat"], abs=1e-9)
