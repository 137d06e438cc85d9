"""Published numbers beside ours: docs/data/replications.csv.

Run as ``python benchmarks/replications.py [folder]``. The folder, ``../shared`` by default, holds outputs and
samples of other packages. Each row is a number that somebody published or that a named
release of another package printed, the same quantity by this library, and why the two differ if they do. If
the other number rests on a convention of its own, the convention is undone, and `undone` must equal it.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.causal.kernels.conformal import cross_fit, moving_block_p_value
from eventstudy.causal.kernels.factor_model import interactive_fixed_effects
from eventstudy.causal.kernels.weighting import (
    difference_in_differences,
    goodness_of_match,
    matched_effect,
    synthetic_control,
    synthetic_did,
)
from eventstudy.inference.few_dates import ibragimov_muller_t, ibragimov_muller_two_sample_t
from eventstudy.regressions import cross_section

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "data" / "replications.csv"


@dataclass(frozen=True)
class Row:
    """One number of somebody else's beside ours.

    Attributes
    ----------
    source, quantity : str
    published, ours : float
    tolerance : float
        Largest difference that rounding of the published number, or of its algorithm, explains.
    undone : float
        Ours with the other's convention; NaN where none is needed.
    reason : str
        Why `ours` is not `published`; empty where it is.
    """

    source: str
    quantity: str
    published: float
    ours: float
    tolerance: float
    undone: float = np.nan
    reason: str = ""

    @property
    def verdict(self) -> str:
        """``equal``, ``explained`` (equal once a convention is undone) or ``differs``."""
        if abs(self.ours - self.published) <= self.tolerance:
            return "equal"
        return "explained" if abs(self.undone - self.published) <= self.tolerance else "differs"


def r_estudy2(folder: Path) -> Iterator[Row]:
    """Seven US stocks in March 2020."""
    source = "R estudy2 0.10, its example of seven US stocks"
    rates, index = (
        pd.read_csv(folder / f"{name}.csv", index_col="date", parse_dates=True)
        for name in ("rates", "rates_indx")
    )
    market = es.Market(rates, benchmark=index["GSPC"], kind="log")
    events = [{"security": name, "date": "2020-03-16"} for name in market.securities]
    results = es.EventStudy(market, events, estimation=(-240, -1), window=(0, 4)).fit()
    abnormal = pd.read_csv(folder / "sim_abnormal.csv", index_col="date")
    model = pd.read_csv(folder / "sim_model.csv", index_col="security")
    daily = pd.read_csv(folder / "sim_parametric.csv").iloc[0]
    exact = 5e-7
    first = results.timeline.index[results.timeline["security"] == "AMZN"][0]
    yield Row(source, "beta of AMZN", model.at["AMZN", "beta"], results.parameters.at[first, "beta"], exact)
    yield Row(
        source,
        "abnormal return of AMZN, 16 March",
        abnormal.at["2020-03-16", "AMZN"],
        results.abnormal_returns.at[first, 0],
        exact,
    )
    yield Row(
        source, "mean abnormal return, 16 March", daily["mean"], results.caar(0, 0)["caar"].iloc[0], exact
    )
    t = results.test(0, 0, tests=["cross_sectional"])["statistic"].iloc[0]
    yield Row(source, "cross-sectional t, 16 March", daily["t_test_stat"], t, exact)
    wilcoxon = results.test(0, 0, tests=["wilcoxon"]).iloc[0]
    star = 0.10  # its one star stands for 10%
    yield Row(
        source,
        "p of a signed-rank sum of 23 of 28 (one star: at most 0.10)",
        star,
        wilcoxon["p_value"],
        0.0,
        np.nan,
        "the star is wrong: the exact two-sided p of 23 with seven firms is 0.156",
    )


def r_eventstudy(folder: Path) -> Iterator[Row]:
    """Five firms of one date, and a thousand simulated events."""
    source = "R EventStudy 0.50, its fixture of five firms"
    dated = {"parse_dates": ["date"], "dayfirst": True}
    prices = pd.read_csv(folder / "mock_firm.csv", **dated).pivot(
        index="date", columns="symbol", values="adjusted"
    )
    index = pd.read_csv(folder / "mock_market.csv", **dated).set_index("date")["adjusted"].pct_change()
    market = es.Market(prices.pct_change().iloc[1:], benchmark=index.iloc[1:])
    events = [{"security": name, "date": "2020-09-08"} for name in prices.columns]
    results = es.EventStudy(market, events, estimation=(-125, -6), window=(-5, 5)).fit()

    def printed(name: str) -> pd.Series:
        return pd.read_csv(folder / f"mock_mm_simple_{name}.csv").set_index("relative_index").loc[0]

    ar = pd.read_csv(folder / "mock_mm_simple_ar.csv").query("term == 0 and firm_symbol == 'FIRM_A'").iloc[0]
    first = results.timeline.index[results.timeline["security"] == "FIRM_A"][0]
    exact = 5e-7
    yield Row(
        source,
        "abnormal return of FIRM_A, day 0",
        ar["estimate"],
        results.abnormal_returns.at[first, 0],
        exact,
    )
    own = results.car(0, 0).loc[first]
    sigma = float(results.parameters.at[first, "sigma"])
    yield Row(
        source,
        "its standard error",
        ar["std.error"],
        own["se"],
        exact,
        sigma,
        "theirs is the residual σ; ours adds the error of alpha and beta",
    )
    tests = results.test(0, 0, tests=["cross_sectional", "patell", "bmp", "generalized_sign"]).set_index(
        "test"
    )
    yield Row(
        source,
        "mean abnormal return, day 0",
        printed("CSectT")["aar"],
        results.caar(0, 0)["caar"].iloc[0],
        exact,
    )
    yield Row(
        source,
        "cross-sectional t, day 0",
        printed("CSectT")["aar_t"],
        tests.at["cross_sectional", "statistic"],
        exact,
    )
    yield Row(
        source, "Patell's Z, day 0", printed("PatellZ")["aar_z"], tests.at["patell", "statistic"], exact
    )
    yield Row(source, "BMP t, day 0", printed("BMP")["bmp_t"], tests.at["bmp", "statistic"], exact)
    yield Row(
        source,
        "generalised sign z, day 0",
        printed("GSignT")["gsign_z"],
        tests.at["generalized_sign", "statistic"],
        exact,
    )

    source = "R EventStudy 0.50, 1,000 simulated events"
    returns = pd.read_csv(folder / "returns.csv.gz", index_col="date", parse_dates=True).iloc[1:]
    events = pd.read_csv(folder / "events1000.csv").rename(columns={"stock": "security"})
    market = es.Market(returns.drop(columns="market"), benchmark=returns["market"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        study = es.EventStudy(
            market, events[["event_id", "security", "date"]], estimation=(-260, -11), window=(-10, 10)
        )
        results = study.fit()
    for name, key, column in (("CSectT", "cross_sectional", "aar_t"), ("PatellZ", "patell", "aar_z")):
        theirs = pd.read_csv(folder / f"sim1000_{name}.csv").set_index("relative_index").at[0, column]
        ours = results.test(0, 0, tests=[key])["statistic"].iloc[0]
        yield Row(source, f"{key} statistic, day 0", theirs, ours, exact)


def causal(folder: Path) -> Iterator[Row]:
    """Counterfactuals from other units: R's packages on California and on simulated returns."""

    def read(name: str) -> dict[str, dict[str, float]]:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    theirs, exact = read("synthdid/estimates.json"), read("synthdid/exact.json")
    wide = pd.read_csv(folder / "data" / "california_prop99.csv").pivot(
        index="Year", columns="State", values="PacksPerCapita"
    )
    x, y = wide.drop(columns="California").to_numpy(), wide[["California"]].to_numpy()
    source = "Arkhangelsky et al. (2021), California's tobacco tax, by R synthdid 0.0.9"
    fits = {
        "sdid": ("synthetic difference-in-differences", synthetic_did(x, y, 19)),
        "sc": ("synthetic control", synthetic_control(x, y, 19, pooled=True)),
        "did": ("difference-in-differences", difference_in_differences(x, y, 19)),
    }
    stops = "their algorithm stops after 10,000 steps, short of the optimum; ours solves the program exactly"
    for key, (name, fit) in fits.items():
        ours = float((y - fit.counterfactual)[19:].mean())
        reason = stops if key == "sc" else ""
        loose = 1e-9 if key == "did" else 5e-3
        printed = theirs[f"california_{key}"]["tau"]
        yield Row(source, f"effect on packs per head, {name}", printed, ours, loose, np.nan, reason)
        if key == "sc":
            solved = exact["california_sc"]["tau_exact"]
            yield Row(source, "the same, their program solved by R quadprog 1.5-8", solved, ours, 2e-6)

    panel = pd.read_csv(folder / "data" / "sim_returns_wide.csv", index_col="day")
    donors, treated = panel[[f"D{i:02d}" for i in range(1, 61)]].to_numpy(), panel[["T1"]].to_numpy()
    ours = float((treated - synthetic_did(donors, treated, 250).counterfactual)[250:].mean())
    source, quantity = (
        "R synthdid 0.0.9, simulated returns",
        "mean effect per day, synthetic difference-in-differences",
    )
    yield Row(source, quantity, theirs["sim_n1_sdid"]["tau"], ours, 1e-7, np.nan, stops)
    solved = exact["sim_n1_sdid"]["tau_exact"]
    yield Row(source, "the same, their program solved by R quadprog 1.5-8", solved, ours, 2e-6)
    for key, force in (("n1_unit_r3", "unit"), ("n1_two-way_r2", "two-way")):
        r = int(key[-1])
        fit = interactive_fixed_effects(donors, treated, 250, n_factors=r, fixed_effects=force)
        ours = float((treated - fit.counterfactual)[250:].mean())
        stored = read("ife/gsynth121_estimates.json")[key]["att_avg"]
        yield Row(
            "R gsynth 1.2.1, simulated returns",
            f"mean effect per day, {r} factors, {force} effects",
            stored,
            ours,
            1e-9,
        )
    fit = interactive_fixed_effects(donors, treated, 250, n_factors=2, fixed_effects="unit")
    stored = read("ife/fect241_estimates.json")["n1_gsynth_unit_r2"]["att_avg"]
    ours = float((treated - fit.counterfactual)[250:].mean())
    yield Row(
        "R fect 2.4.1, simulated returns", "mean effect per day, 2 factors, unit effects", stored, ours, 1e-7
    )

    frame = pd.read_csv(folder / "data" / "ret_two_evdates_num.csv")
    hit = frame["treat"].astype(bool)
    controls = frame[~hit].pivot(index="date", columns="unit", values="ret")
    gaps = []
    for _, rows in frame[hit].groupby("unit"):
        days = range(int(rows["eventdate"].iloc[0]) - 100, int(rows["eventdate"].iloc[0]) + 6)
        own = rows.set_index("date")["ret"].reindex(days).to_numpy()[:, None]
        others = controls.reindex(days).dropna(axis=1).to_numpy()
        gaps.append((own - synthetic_control(others, own, 100, pooled=False).counterfactual)[:, 0])
    before, after = np.stack(gaps)[:, :100], np.stack(gaps)[:, 100:].cumsum(axis=1)
    phi = pd.read_csv(folder / "synthreturn" / "phi.csv").set_index("tau")
    source = "R synthReturn 1.0, its example of two event dates"
    ours = matched_effect(after, goodness_of_match(before))
    as_coded = matched_effect(after, goodness_of_match(before, "synthReturn"))
    yield Row(source, "effect of day 0 by the published weights", phi.at[0, "phi_rmse"], float(ours[0]), 1e-7)
    yield Row(
        source,
        "cumulative effect of days 0 to 5, as the package prints it",
        phi.at[5, "phi_pkg"],
        float(ours[5]),
        1e-7,
        float(as_coded[5]),
        "the package weights by |Σ AR| where its paper has the root of the mean squared AR",
    )


def conformal(folder: Path) -> Iterator[Row]:
    """Mean-difference counterfactual of one simulated firm: tests against the days before."""
    stored = json.loads((folder / "sc" / "conformal.json").read_text(encoding="utf-8"))
    panel = pd.read_csv(folder / "data" / "sim_returns_wide.csv", index_col="day")
    donors, treated = panel[[f"D{i:02d}" for i in range(1, 61)]].to_numpy(), panel["T1"].to_numpy()

    def fit(others: np.ndarray, own: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        level = own.mean() - others.mean()
        return lambda days: days.mean(axis=1) + level

    source = "R scinference (commit 567c688), simulated returns"
    residuals = treated - fit(donors, treated)(donors)
    ours = moving_block_p_value(residuals, np.arange(260) >= 250)
    yield Row(source, "p of moving blocks", stored["T1_did"]["p_moving_block"], ours, 1e-12)
    found, printed = cross_fit(donors, treated, 250, 3, fit), stored["T1_did_ttest_3"]
    yield Row(source, "effect by cross-fitting, three folds", printed["att"], found.effect, 1e-10)
    yield Row(source, "its standard error", printed["se"], found.se, 1e-10)


def few_clusters(folder: Path) -> Iterator[Row]:
    """Six and five numbers, one per cluster."""
    stored = json.loads((folder / "fewcluster" / "robust_eventstudy_010.json").read_text(encoding="utf-8"))
    a, b = np.array(stored["group_a"]), np.array(stored["group_b"])
    source = "Python robust-eventstudy 0.1.0, eleven numbers"
    one, printed = ibragimov_muller_t(a), stored["ibragimov_mueller_2010_one_sample"]
    yield Row(source, "t of six clusters", printed["t"], one[0], 1e-12)
    yield Row(source, "its p", printed["p"], float(2 * stats.t.sf(abs(one[0]), one[2])), 1e-12)
    two = ibragimov_muller_two_sample_t(a, b)
    welch = stored["im_test"]
    yield Row(
        source,
        "p of the difference of six and five clusters",
        welch["p"],
        float(2 * stats.t.sf(abs(two[0]), two[2])),
        1e-12,
        float(2 * stats.t.sf(abs(two[0]), welch["df"])),
        "its im_test has Welch's degrees of freedom; Ibragimov and Müller take those of the smaller group",
    )


def repurchases(folder: Path) -> Iterator[Row]:
    """German share repurchases by month, as tested by the package that brings them."""
    months = pd.read_csv(folder / "demo_share_repurchases.csv").rename(columns={"ars": "car"})
    found = cross_section(months, "car ~ 1", "", clusters="date", n_resamples=9, seed=0)
    source = "R crseEventStudy 1.2.2, its tests on 2,340 firm-months"
    mean, variance = found.params.iloc[0], found.covariance.iloc[0, 0]
    usual = found.fit.get_robustcov_results("cluster", groups=pd.factorize(months["date"])[0])
    yield Row(source, "mean abnormal standardised return", -0.006964425, float(mean), 5e-10)
    yield Row(
        source,
        "its variance, clustered by month",
        0.001883136,
        float(variance),
        5e-10,
        float(usual.cov_params()[0, 0]),
        "theirs has the usual factor for few clusters; ours allows for the size of each (CR2)",
    )


def simulation() -> Iterator[Row]:
    """Bias of day 0 in percentage points where dates, or dates and firms, are chosen by an omitted factor."""
    table = pd.read_csv(ROOT / "docs" / "data" / "causal_table1.csv").set_index(["selection", "method"])
    source = "Goldsmith-Pinkham and Lyu (2025), Table 1"
    tails = "ours has Gaussian factors; the largest days of their historical factors are larger"
    for selection, method, told, reason in (
        ("timing", "Difference in means", 0.00, ""),
        ("timing", "CAPM", 2.71, tails),
        ("timing", "Both factors", 0.00, ""),
        ("timing", "Interactive fixed effects", 0.01, ""),
        ("both", "Difference in means", -0.52, tails),
        ("both", "CAPM", 2.26, tails),
        ("both", "Both factors", 0.01, ""),
        ("both", "Interactive fixed effects", -0.01, ""),
    ):
        row = table.loc[(selection, method)]
        chosen = "date chosen" if selection == "timing" else "date and firms chosen"
        loose = 0.005 + 2 * float(row["monte_carlo_error"])
        yield Row(
            source, f"{method}: bias on day 0, {chosen}", told, float(row["bias"]), loose, np.nan, reason
        )


def own_prices() -> Iterator[Row]:
    """Press figures and other libraries, on the bundled prices; needs nothing beside the checkout."""
    prices = es.datasets.surveillance_prices()
    market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
    closes = prices["close"]
    change = closes.pct_change(fill_method=None)
    press = (
        (
            "SCMP, 3 August 2018",
            "Hikvision's fall at the close",
            -0.059,
            change.at[pd.Timestamp("2018-08-03"), "002415.SZ"],
        ),
        (
            "SCMP, 3 August 2018",
            "Dahua's fall at the close",
            -0.059,
            change.at[pd.Timestamp("2018-08-03"), "002236.SZ"],
        ),
        (
            "SCMP, 23 November 2018",
            "SZSE Component",
            -0.033,
            change.at[pd.Timestamp("2018-11-23"), "399001.SZ"],
        ),
        (
            "Reuters, 12 July 2018",
            "ZTE's rise, the limit",
            0.10,
            change.at[pd.Timestamp("2018-07-12"), "000063.SZ"],
        ),
    )
    for source, quantity, told, ours in press:
        yield Row(f"Press: {source}", quantity, told, float(ours), 0.0006 if told != 0.10 else 0.001)
    events = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00", "label": "report"}]
    results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
    day = results.decomposition()
    yield Row(
        'Press: headlines of 22 May 2019, "10 percent"',
        "Hikvision's return on the day",
        -0.10,
        float(day.at["close", "change"]),
        0.0006,
        float(day.at["low", "change"]),
        "the headlines have the day's low, which was the price limit; the close is the return",
    )

    returns = market.returns[["002415.SZ", "399001.SZ"]]
    position = returns.index.get_loc("2019-05-22")
    past = returns.iloc[position - 270 : position - 20]
    ols = sm.OLS(past["002415.SZ"], sm.add_constant(past["399001.SZ"])).fit()
    tested = sm.add_constant(returns["399001.SZ"].iloc[[position]], has_constant="add")
    predicted = ols.get_prediction(tested).summary_frame()
    source = "statsmodels OLS, Hikvision, 22 May 2019"
    yield Row(source, "beta", float(ols.params.iloc[1]), float(results.parameters["beta"].iloc[0]), 1e-9)
    se = float((predicted["obs_ci_upper"] - predicted["mean"]).iloc[0] / stats.t.ppf(0.975, ols.df_resid))
    yield Row(source, "standard error of a forecast", se, float(results.car(0, 0)["se"].iloc[0]), 1e-9)
    loop = float(np.sqrt(ols.mse_resid * 21))
    span = results.car(-10, 10).iloc[0]
    yield Row(
        "A loop over statsmodels, Hikvision",
        "standard error of CAR (−10, +10) as σ√L",
        loop,
        float(span["se"]),
        1e-9,
        float(results.parameters["sigma"].iloc[0] * np.sqrt(21)),
        "σ√L leaves out the error of alpha and beta, which adds up over the window",
    )
    firms = ["002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ", "002583.SZ", "000063.SZ"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.errors.EventStudyWarning)
        six = es.EventStudy(
            market, [{"security": f, "date": "2019-05-22"} for f in firms], estimation=(-270, -21)
        ).fit()
    cars = six.car(0, 1)["car"]
    tests = six.test(0, 1, tests=["cross_sectional", "wilcoxon"]).set_index("test")["p_value"]
    source = "scipy.stats, six firms of 22 May 2019"
    yield Row(
        source,
        "p of ttest_1samp",
        float(stats.ttest_1samp(cars, 0.0).pvalue),
        tests["cross_sectional"],
        1e-12,
    )
    yield Row(source, "p of wilcoxon", float(stats.wilcoxon(cars).pvalue), tests["wilcoxon"], 1e-12)


def paper() -> Iterator[Row]:
    """Medians of Jacobs, Singhal and Zhan beside those of the case page, of fewer and other firms."""
    means = pd.read_csv(ROOT / "docs" / "data" / "case_means.csv").query("window == '(0, 0)'")
    median = means.set_index(["study", "sample"])["median"]
    source = "Jacobs, Singhal and Zhan (2022), medians"
    other = "another sample: {} instead of their hand-collected list"
    for quantity, told, study, sample, who in (
        (
            "suppliers, day of ZTE's ban",
            -0.0333,
            "ZTE denial order",
            "parts makers",
            "25 American parts makers",
        ),
        ("suppliers, day of the reversal", 0.0156, "ZTE tweet", "parts makers", "the same parts makers"),
        ("rivals, day of the ban", 0.0134, "ZTE denial order", "rivals", "three American rivals"),
        ("rivals, day of the reversal", 0.0135, "ZTE tweet", "rivals", "the same three rivals"),
    ):
        ours = float(median[study, sample])
        sign = "same sign" if ours * told > 0 else "opposite sign"
        yield Row(source, quantity, told, ours, 5e-5, np.nan, f"{sign}; {other.format(who)}")


def rows(folder: Path) -> list[Row]:
    """Return all rows; those of other packages need their stored outputs."""
    reference = folder / "reference"
    return [
        *r_estudy2(reference / "estudy2"),
        *r_eventstudy(reference / "r_eventstudy"),
        *causal(reference / "causal"),
        *conformal(reference / "causal"),
        *few_clusters(reference / "causal"),
        *repurchases(folder / "data" / "samples"),
        *simulation(),
        *own_prices(),
        *paper(),
    ]


def frame(found: list[Row]) -> pd.DataFrame:
    """Return rows as a table."""
    return pd.DataFrame([asdict(row) | {"verdict": row.verdict} for row in found])


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared"
    made = frame(rows(folder))
    made.to_csv(TABLE, index=False, float_format="%.9g")
    print(made.drop(columns="reason").to_string())
