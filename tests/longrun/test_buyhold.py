"""Buy-and-hold abnormal returns against loops over months: benchmarks, delisting, tests, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.errors import (
    DataError,
    DataWarning,
    ExcludedEventsWarning,
    NoUsableEventsError,
    OverlapWarning,
    RequestError,
)
from eventstudy.inference.bootstrap import johnson_bootstrap
from eventstudy.inference.engine.draws import equal_tails
from eventstudy.longrun.benchmarks import portfolio_wealth
from eventstudy.longrun.buyhold import johnson, standardised_mean, variance_inflation

H = 12


def months_of(returns: pd.DataFrame, event: pd.Series) -> range:
    start = returns.index.get_loc(event["date"])
    return range(start + 1, start + 1 + H)


def own_growth(returns: pd.DataFrame, security: str, months: range, fill: pd.Series | None) -> float:
    """Growth of one unit; a gap within earns nothing (the next return spans it), after the last: `fill`."""
    last, value = returns[security].last_valid_index(), 1.0
    for t in months:
        r = returns[security].iloc[t]
        if returns.index[t] > last:
            r = 0.0 if fill is None else fill.iloc[t]
        value *= 1.0 + (0.0 if np.isnan(r) else r)
    return value


def index_growth(returns: pd.DataFrame, months: range) -> float:
    return float(np.prod(1.0 + returns["index"].iloc[list(months)]))


@pytest.mark.parametrize("delisted", ["reference", "cash", "truncate"])
def test_against_an_index(
    market: es.Market, events: pd.DataFrame, returns: pd.DataFrame, delisted: str
) -> None:
    found = es.BuyAndHold(market, events, (1, H), delisted=delisted).fit().bhar()
    assert found["n_periods"].min() < H
    for i, event in events.iterrows():
        months = months_of(returns, event)
        if delisted == "truncate":
            last = returns.index.get_loc(returns[event["security"]].last_valid_index())
            months = range(months.start, min(months.stop, last + 1))
        fill = returns["index"] if delisted == "reference" else None
        own = own_growth(returns, event["security"], months, fill)
        assert found.loc[i, "actual"] == pytest.approx(own - 1, abs=1e-12)
        assert found.loc[i, "bhar"] == pytest.approx(own - index_growth(returns, months), abs=1e-12)
        assert found.loc[i, "reference"] == "index"


def test_log_returns_are_compounded_as_simple_ones(
    market: es.Market, events: pd.DataFrame, returns: pd.DataFrame
) -> None:
    logs = es.Market(np.log1p(returns), benchmark="index", kind="log")
    a, b = (es.BuyAndHold(m, events, (1, H)).fit().bhar()["bhar"] for m in (market, logs))
    assert a.to_numpy() == pytest.approx(b.to_numpy(), abs=1e-12)


def test_a_delisting_return_is_compounded_with_the_last(
    market: es.Market, events: pd.DataFrame, returns: pd.DataFrame
) -> None:
    plain = es.BuyAndHold(market, events, (1, H), delisted="cash").fit().bhar()
    found = es.BuyAndHold(market, events, (1, H), delisted="cash", delisting={"F05": -0.3}).fit().bhar()
    changed = (found["actual"] - plain["actual"]).abs() > 1e-12
    assert changed.sum() == 1
    i = changed.idxmax()
    assert found.loc[i, "security"] == "F05"
    assert 1 + found.loc[i, "actual"] == pytest.approx((1 + plain.loc[i, "actual"]) * 0.7)


def groups_of(returns: pd.DataFrame) -> pd.DataFrame:
    labels = pd.DataFrame([["small" if i % 2 else "large" for i in range(30)]], [returns.index[0]])
    labels.columns = returns.columns[1:]
    later = labels.copy()
    later.iloc[0, :4] = ["small", "large", "small", "large"]
    return pd.concat([labels, later.set_axis([returns.index[65]])])


def like(returns: pd.DataFrame, security: str, formed: int, groups: pd.DataFrame, row: int) -> list[str]:
    """Firms of the security's group at `formed`, by their label in month `row`, that are listed or to be."""
    now, then = groups.loc[: returns.index[row]].iloc[-1], groups.loc[: returns.index[formed]].iloc[-1]
    return [n for n in returns.columns[1:] if n != security and now[n] == then[security]]


@pytest.mark.quick(every=2)
@pytest.mark.parametrize("rebalanced", [False, True])
def test_against_portfolios_of_formation(
    market: es.Market, events: pd.DataFrame, returns: pd.DataFrame, rebalanced: bool
) -> None:
    groups = groups_of(returns)
    reference = es.ReferencePortfolios(groups, rebalanced=rebalanced)
    found = es.BuyAndHold(market, events, (1, H), reference).fit().bhar()
    for i, event in events.iterrows():
        months = months_of(returns, event)
        formed = months.start - 1
        firms = [
            n for n in like(returns, event["security"], formed, groups, formed)
            if returns.index.get_loc(returns[n].last_valid_index()) >= months.start
            and returns.index.get_loc(returns[n].first_valid_index()) <= formed
        ]  # fmt: skip
        wealth = dict.fromkeys(firms, 1.0)
        total = 1.0
        for t in months:
            known = {}
            for n in firms:
                r = returns[n].iloc[t]
                # F07's gap is spanned by its next return; F05 and F29 are gone.
                known[n] = 0.0 if n == "F07" and np.isnan(r) else r
            alive = [r for r in known.values() if not np.isnan(r)]
            mean = np.mean(alive)
            for n in firms:
                wealth[n] *= 1.0 + (mean if np.isnan(known[n]) else known[n])
            total *= 1.0 + mean
        want = total if rebalanced else np.mean(list(wealth.values()))
        assert found.loc[i, "expected"] == pytest.approx(want - 1, abs=1e-12)
        assert found.loc[i, "n_firms"] == len(firms)


def test_a_firm_listed_after_formation_is_no_constituent_of_it(returns: pd.DataFrame) -> None:
    """F28 is listed in month 60 and trebles at once: a portfolio of current constituents buys it."""
    changed = returns.copy()
    changed.loc[changed.index[61], "F28"] = 2.0
    market = es.Market(changed, benchmark="index")
    groups = pd.DataFrame("all", changed.index, changed.columns[1:])
    event = [{"security": "F01", "date": changed.index[58]}]
    results = {}
    for constituents in ("formation", "current"):
        reference = es.ReferencePortfolios(groups, rebalanced=True, constituents=constituents)
        results[constituents] = es.BuyAndHold(market, event, (1, 6), reference).fit().bhar().iloc[0]
    assert results["current"]["expected"] > results["formation"]["expected"] + 0.03
    total = 1.0
    for t in range(59, 65):
        listed = [n for n in changed.columns[1:] if changed[n].first_valid_index() <= changed.index[t - 1]]
        firms = [n for n in listed if n != "F01"]
        total *= 1.0 + changed[firms].iloc[t].mean()
    assert results["current"]["expected"] == pytest.approx(total - 1, abs=1e-12)


def test_value_weights_are_those_of_formation(market: es.Market, returns: pd.DataFrame) -> None:
    groups = pd.DataFrame("all", returns.index[:1], returns.columns[1:])
    cap = pd.DataFrame([np.arange(1.0, 31.0)], returns.index[:1], returns.columns[1:])
    event = [{"security": "F01", "date": returns.index[20]}]
    found = (
        es.BuyAndHold(market, event, (1, 6), es.ReferencePortfolios(groups, weights=cap)).fit().bhar().iloc[0]
    )
    firms = [n for n in returns.columns[1:] if n not in ("F01", "F28")]  # F28 is not listed yet
    growth = (1 + returns[firms].iloc[21:27]).prod()
    assert found["expected"] == pytest.approx(
        (growth * cap.iloc[0][firms]).sum() / cap.iloc[0][firms].sum() - 1
    )


def test_matched_firms(market: es.Market, events: pd.DataFrame, returns: pd.DataFrame) -> None:
    named = events.assign(twin=[f"F{(i + 8) % 28:02d}" for i in range(24)])
    pool = {"F05", "F07", "F28", "F29"}
    keep = named[~named["twin"].isin(pool)]
    found = es.BuyAndHold(market, keep, (1, H), es.MatchedFirms(column="twin")).fit().bhar()
    for i, event in keep.iterrows():
        months = months_of(returns, event)
        want = float(np.prod(1 + returns[event["twin"]].iloc[list(months)]))
        assert found.loc[i, "expected"] == pytest.approx(want - 1, abs=1e-12)
        assert found.loc[i, "reference"] == event["twin"]


def test_nearest_firms_by_size_band_and_ratio(market: es.Market, returns: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    size = pd.DataFrame([rng.lognormal(0, 0.5, 30)], returns.index[:1], returns.columns[1:])
    ratio = pd.DataFrame([rng.uniform(0, 2, 30)], returns.index[:1], returns.columns[1:])
    events = [{"security": n, "date": returns.index[30]} for n in ("F01", "F02", "F04")]
    for by, reference in (
        (ratio, es.MatchedFirms(size=size, ratio=ratio, exclude=("F10",))),
        (size, es.MatchedFirms(size=size, exclude=("F10",))),
    ):
        found = es.BuyAndHold(market, events, (1, 6), reference).fit().bhar()
        for row in found.itertuples():
            s = size.iloc[0] / size.iloc[0][row.security]
            fits = s[(s >= 0.7) & (s <= 1.3)].index.difference([row.security, "F10", "F28"])
            distance = (by.iloc[0][fits] - by.iloc[0][row.security]).abs()
            assert row.reference == distance.idxmin()


def test_tests_by_scipy_and_by_resampling_again(market: es.Market, events: pd.DataFrame) -> None:
    results = es.BuyAndHold(market, events, (1, H)).fit()
    values = results.bhar()["bhar"].to_numpy()
    table = results.test(seed=3)
    t = stats.ttest_1samp(values, 0)
    assert table.loc["t", ["statistic", "p_value"]].tolist() == pytest.approx(
        [t.statistic, t.pvalue], rel=1e-10
    )
    n, s = len(values), values.mean() / values.std(ddof=1)
    g = stats.skew(values, bias=False)
    tj = np.sqrt(n) * (s + g * s**2 / 3 + g / (6 * n))
    assert table.loc["johnson", "statistic"] == pytest.approx(tj, rel=1e-10)
    assert table.loc["johnson", "p_value"] == pytest.approx(2 * stats.norm.sf(abs(tj)), rel=1e-10)
    # The same resamples, one by one.
    drawn = values[np.random.default_rng(3).integers(n, size=(1000, n // 4))]
    centred = []
    for x in drawn:
        s, g, m = (x.mean() - values.mean()) / x.std(ddof=1), stats.skew(x, bias=False), len(x)
        centred.append(np.sqrt(m) * (s + g * s**2 / 3 + g / (6 * m)))
    boot = table.loc["bootstrap"]
    assert boot["statistic"] == pytest.approx(tj, rel=1e-10)
    assert boot["critical_low"] == pytest.approx(np.quantile(centred, 0.025), rel=1e-9)
    assert boot["critical_high"] == pytest.approx(np.quantile(centred, 0.975), rel=1e-9)
    tails = [(1 + (np.array(centred) >= tj).sum()) / 1001, (1 + (np.array(centred) <= tj).sum()) / 1001]
    assert boot["p_value"] == pytest.approx(2 * min(tails))
    assert "of pairs of events overlap in time" in boot["note"]
    one_sided = results.test(seed=3, alternative="greater")["p_value"]
    assert one_sided["bootstrap"] == pytest.approx(tails[0])


def test_johnson_of_the_published_example() -> None:
    """N = 74, S = 2.0903, skewness 1.6534: 38.72841 (help of Stata's skewt)."""
    values = np.random.default_rng(0).gamma(2.0, size=74)
    s, g = values.mean() / values.std(ddof=1), stats.skew(values, bias=False)
    assert johnson(values) == pytest.approx(np.sqrt(74) * (s + g * s**2 / 3 + g / (6 * 74)))
    s, g = 2.09027474443816, 1.653433511704859
    assert np.sqrt(74) * (s + g * s**2 / 3 + g / (6 * 74)) == pytest.approx(38.72841, abs=5e-6)


def test_resamples_of_equal_values_are_drawn_again() -> None:
    values = np.r_[np.zeros(19), 1.0]
    draws = johnson_bootstrap(values, 200, np.random.default_rng(0))
    assert len(draws) == 200
    assert np.isfinite(draws).all()
    assert equal_tails(draws.max() + 1, draws, "greater") == pytest.approx(1 / 201)


def test_means_and_paths(market: es.Market, events: pd.DataFrame) -> None:
    results = es.BuyAndHold(market, events, (1, H)).fit()
    path = results.mean_path()
    for end in (1, 5, H):
        values = results.bhar(end)["bhar"]
        assert path.loc[end, "mean"] == pytest.approx(values.mean())
        assert path.loc[end, "se"] == pytest.approx(values.std() / np.sqrt(len(values)))
        assert path.loc[end, "skewness"] == pytest.approx(stats.skew(values, bias=False))
    assert path["n_delisted"].iloc[-1] == (results.bhar()["n_periods"] < H).sum() > 0
    text = str(results.summary())
    assert "Proceeds of delisted firms: reference" in text
    assert "bootstrap" in text


def test_portfolio_of_two_by_hand() -> None:
    returns = np.array([[0.1, np.nan], [0.2, 0.5]])
    wealth, period = portfolio_wealth(returns, np.array([1.0, 1.0]), rebalanced=False)
    assert wealth == pytest.approx([1.15, (1.1 * 1.5 + 1.2 * 1.5) / 2])
    assert period == pytest.approx([0.15, 0.5])
    wealth, period = portfolio_wealth(returns, np.array([1.0, 3.0]), rebalanced=True)
    assert period == pytest.approx([0.175, 0.5])
    assert wealth == pytest.approx([1.175, 1.175 * 1.5])


def test_daily_months_and_dates_between_sessions(market: es.Market, returns: pd.DataFrame) -> None:
    """A mid-month date belongs to its month, which is day 0; the horizon starts with the next."""
    a = es.BuyAndHold(market, [{"security": "F01", "date": "2003-05-14"}], (1, 6)).fit().bhar()
    assert str(a["start"].iloc[0].date()) == "2003-05-31"
    event = pd.Series({"security": "F01", "date": pd.Timestamp("2003-05-31")})
    months = list(months_of(returns, event))[:6]
    assert a["actual"].iloc[0] == pytest.approx(np.prod(1 + returns["F01"].iloc[months]) - 1)


def test_a_study_of_monthly_returns(market: es.Market, returns: pd.DataFrame) -> None:
    """Windows of the plain event study are months as well."""
    event = [{"security": "F01", "date": "2006-05-14"}]
    results = es.EventStudy(market, event, estimation=(-60, -1), window=(0, 6)).fit()
    at = returns.index.get_loc(pd.Timestamp("2006-05-31"))
    x = np.column_stack([np.ones(60), returns["index"].iloc[at - 60 : at]])
    theta = np.linalg.lstsq(x, returns["F01"].iloc[at - 60 : at], rcond=None)[0]
    want = returns["F01"].iloc[at : at + 7] - theta[0] - theta[1] * returns["index"].iloc[at : at + 7]
    assert results.abnormal_returns.iloc[0].to_numpy() == pytest.approx(want.to_numpy(), abs=1e-12)


def test_what_cannot_be_used_is_said(market: es.Market, returns: pd.DataFrame) -> None:
    late = [
        {"security": "F01", "date": returns.index[-5]},
        {"security": "F29", "date": returns.index[74]},
        {"security": "F02", "date": returns.index[50]},
        {"security": "F99", "date": returns.index[50]},
        {"security": "F07", "date": returns.index[65]},
    ]
    with pytest.warns(ExcludedEventsWarning, match="4 of 5 events"):
        results = es.BuyAndHold(market, late, (2, H)).fit()
    told = results.excluded
    assert "reaches beyond the data" in told[0]
    assert "no return from the start" in told[1]
    assert "no security 'F99'" in told[3]
    assert "spans sessions from before it" in told[4]
    assert "4 excluded" in repr(results)
    with pytest.raises(NoUsableEventsError, match="beyond the data"):
        es.BuyAndHold(market, late[:1], (1, H)).fit()
    twice = [{"security": "F02", "date": returns.index[i]} for i in (50, 55)]
    with pytest.warns(OverlapWarning, match="1 pair of events of one security"):
        few = es.BuyAndHold(market, twice, (1, H)).fit()
    notes = few.test()["note"]
    assert "needs 16 or more" in notes["bootstrap"]
    assert np.isnan(few.test().loc["johnson", "p_value"])
    with pytest.raises(RequestError, match="outside of the horizon"):
        few.bhar(40)
    with pytest.raises(RequestError, match="alternative must be"):
        few.test(alternative="both")  # type: ignore[arg-type]


def test_bad_specifications(market: es.Market, events: pd.DataFrame, returns: pd.DataFrame) -> None:
    with pytest.raises(RequestError, match="delisted must be"):
        es.BuyAndHold(market, events, delisted="zero")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="reference must be"):
        es.BuyAndHold(market, events, reference="index")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="-1 or more"):
        es.BuyAndHold(market, events, delisting={"F05": -30})
    with pytest.raises(DataError, match="no return in the market"):
        es.BuyAndHold(market, events, delisting={"F77": -0.3})
    with pytest.raises(RequestError, match="pass rebalanced=True"):
        es.ReferencePortfolios(groups_of(returns), constituents="current")
    with pytest.raises(RequestError, match="frame of sizes"):
        es.MatchedFirms()
    wrong = groups_of(returns).add_prefix("x")
    with pytest.raises(DataError, match="no column in common"):
        es.BuyAndHold(market, events, (1, 6), es.ReferencePortfolios(wrong)).fit()
    with pytest.raises(RequestError, match="no column 'twin'"):
        es.BuyAndHold(market, events, (1, 6), es.MatchedFirms(column="twin")).fit()
    volume = es.volume_market(pd.DataFrame(np.ones((40, 2)), pd.bdate_range("2020-01-01", periods=40)))
    with pytest.raises(RequestError, match="market of returns"):
        es.BuyAndHold(volume, [{"security": "0", "date": "2020-01-10"}], (1, 6))


def eight_firms(gone: str = "B") -> tuple[es.Market, pd.DataFrame, pd.Series]:
    """Five years of eight firms, of which one disappears after month 35."""
    months = pd.date_range("2000-01-31", periods=60, freq="ME")
    rng = np.random.default_rng(0)
    returns = pd.DataFrame(rng.normal(0.01, 0.05, (60, 8)), months, list("ABCDEFGH"))
    index = pd.Series(rng.normal(0.01, 0.03, 60), months, name="i")
    returns.loc[months[36] :, gone] = np.nan
    return es.Market(returns, benchmark=index), returns, index


@pytest.mark.parametrize("delisted", ["reference", "cash", "truncate"])
def test_the_proceeds_of_a_named_match_that_disappears_go_into_the_index(delisted: str) -> None:
    market, returns, index = eight_firms()
    events = [
        {"security": a, "date": returns.index[t], "match": b}
        for a, b, t in (("A", "B", 30), ("C", "D", 30), ("E", "F", 20))
    ]
    results = es.BuyAndHold(market, events, (1, 12), es.MatchedFirms(column="match"), delisted=delisted).fit()
    found = results.bhar()
    want = (1 + returns["B"].iloc[31:36]).prod() * (1 + index.iloc[36:43]).prod()
    assert found.loc[0, "expected"] == pytest.approx(want - 1, abs=1e-12)
    assert found.loc[0, "reference"] == "B, then i"
    assert found.loc[[1, 2], "reference"].tolist() == ["D", "F"]
    assert found.loc[[1, 2], "bhar"].mean() == pytest.approx(0.1211, abs=5e-5)
    t = stats.ttest_1samp(found["bhar"], 0)
    assert results.test().loc["t", "p_value"] == pytest.approx(t.pvalue)


def test_a_match_that_disappears_without_an_index_excludes_the_event() -> None:
    _, returns, _ = eight_firms()
    events = [
        {"security": a, "date": returns.index[30], "match": b}
        for a, b in (("A", "B"), ("C", "D"), ("E", "F"))
    ]
    with pytest.warns(ExcludedEventsWarning, match="1 of 3 events"):
        results = es.BuyAndHold(
            es.Market(returns, benchmark=None), events, (1, 12), es.MatchedFirms(column="match")
        ).fit()
    assert "matched firm B is gone after 2002-12-31, and no benchmark" in results.excluded[0]
    assert results.test().loc["t", "n_events"] == 2


def test_the_proceeds_of_a_nearest_match_go_into_the_next_nearest_that_is_left() -> None:
    market, returns, index = eight_firms()
    size = pd.DataFrame([[1.0, 1.01, 5.0, 1.2, 5.0, 1.1, 5.0, 5.0]], returns.index[:1], returns.columns)
    event = [{"security": "A", "date": returns.index[30]}]
    found = es.BuyAndHold(market, event, (1, 12), es.MatchedFirms(size=size)).fit().bhar().iloc[0]
    want = (1 + returns["B"].iloc[31:36]).prod() * (1 + returns["F"].iloc[36:43]).prod()
    assert (found["reference"], found["n_firms"]) == ("B, then F", 1)
    assert found["expected"] == pytest.approx(want - 1, abs=1e-12)
    changed = returns.copy()
    changed.loc[returns.index[38] :, "F"] = np.nan
    changed.loc[returns.index[37], "D"] = np.nan  # its next return spans months in which it is not held
    market = es.Market(changed, benchmark=index)
    spec = es.BuyAndHold(market, event, (1, 12), es.MatchedFirms(size=size), delisting={"B": -0.5})
    found = spec.fit().bhar().iloc[0]
    want = (1 + changed["B"].iloc[31:36]).prod() * 0.5 * (1 + changed["F"].iloc[36:38]).prod()
    want *= (1 + index.iloc[38:43]).prod()
    assert found["reference"] == "B, then F, then i"
    assert found["expected"] == pytest.approx(want - 1, abs=1e-12)


def test_a_label_that_goes_missing_is_not_carried_on() -> None:
    market, returns, _ = eight_firms("H")
    labels = pd.DataFrame("all", returns.index[[0, 20]], returns.columns)
    labels.loc[returns.index[20], "D"] = np.nan
    events = [{"security": s, "date": returns.index[30]} for s in ("A", "D")]
    with pytest.warns(ExcludedEventsWarning, match="1 of 2 events"):
        results = es.BuyAndHold(market, events, (1, 5), es.ReferencePortfolios(labels)).fit()
    assert "has no group on 2002-07-31" in results.excluded[1]
    found = results.bhar().loc[0]
    assert found["n_firms"] == 6
    want = (1 + returns[list("BCEFGH")].iloc[31:36]).prod().mean()
    assert found["expected"] == pytest.approx(want - 1, abs=1e-12)
    twice = pd.concat([labels, labels])
    with pytest.raises(DataError, match="several rows of 2000-01-31"):
        es.BuyAndHold(market, events, (1, 5), es.ReferencePortfolios(twice)).fit()


def late_market() -> tuple[es.Market, pd.DataFrame]:
    """Firm A is listed in month 90; B is suspended from month 20 to 33, C for that one month."""
    months = pd.date_range("2000-01-31", periods=160, freq="ME")
    rng = np.random.default_rng(0)
    returns = pd.DataFrame(rng.normal(0.01, 0.05, (160, 4)), months, list("ABCD"))
    returns.iloc[:90, 0] = np.nan
    returns.iloc[20:34, 1] = np.nan
    returns.iloc[20, 2] = np.nan
    return es.Market(returns, benchmark=pd.Series(rng.normal(0.01, 0.03, 160), months, name="i")), returns


def test_a_firm_that_is_not_there_at_the_event_is_not_measured_later() -> None:
    market, returns = late_market()
    events = [{"security": s, "date": returns.index[20]} for s in "ABCD"]
    with pytest.warns(ExcludedEventsWarning, match="2 of 4 events"):
        results = es.BuyAndHold(market, events, (1, 12)).fit()
    assert "no return before 2007-07-31" in results.excluded[0]
    assert "suspended at the event: no return from 2001-09-30 until 2002-11-30" in results.excluded[1]
    found = results.bhar()
    assert found["start"].tolist() == [returns.index[21], returns.index[20]]
    assert found.loc[2, "actual"] == pytest.approx((1 + returns["C"].iloc[22:34]).prod() - 1)


def test_the_first_month_of_a_new_listing_is_in_its_horizon() -> None:
    """The month of the listing has no return; the horizon starts with the next, which has."""
    market, returns = late_market()
    found = es.BuyAndHold(market, [{"security": "A", "date": returns.index[89]}], (1, 12)).fit().bhar()
    assert found.loc[0, "actual"] == pytest.approx((1 + returns["A"].iloc[90:102]).prod() - 1)


def test_standardised_returns_of_matched_firms_by_statsmodels(
    market: es.Market, events: pd.DataFrame, returns: pd.DataFrame
) -> None:
    """The mean of log abnormal returns over their own root mean square, clustered by month."""
    named = events.assign(twin=[f"F{(i + 8) % 28:02d}" for i in range(24)])
    keep = named[~named["twin"].isin({"F05", "F07", "F28", "F29"}) & (named["security"] != "F07")]
    results = es.BuyAndHold(market, keep, (1, H), es.MatchedFirms(column="twin")).fit()
    u, month = [], []
    for event in keep.itertuples():
        rows = list(months_of(returns, pd.Series(event._asdict())))
        last = returns.index.get_loc(returns[event.security].last_valid_index())
        rows = [t for t in rows if t <= last]
        own = np.log1p(returns[event.security].iloc[rows]) - np.log1p(returns[event.twin].iloc[rows])
        u += (own / np.sqrt((own**2).mean())).tolist()
        month += rows
    fit = sm.OLS(u, np.ones(len(u))).fit(
        cov_type="cluster", cov_kwds={"groups": month, "use_correction": False}, use_t=True
    )
    g = len(set(month))
    t = fit.tvalues[0] / np.sqrt(g / (g - 1))
    row = results.test(seed=0).loc["standardised"]
    assert row["statistic"] == pytest.approx(t, rel=1e-9)
    assert row["dof"] == g - 1
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), g - 1))
    assert row["estimate"] == pytest.approx(np.mean(u))


def test_the_test_to_read_depends_on_the_reference(
    market: es.Market, events: pd.DataFrame, returns: pd.DataFrame
) -> None:
    index = es.BuyAndHold(market, events, (1, H)).fit().test(seed=0)
    assert index.index[index["recommended"]].tolist() == ["bootstrap"]
    assert "standardised" not in index.index
    few = es.BuyAndHold(market, events.iloc[:6], (1, H)).fit().test(seed=0)
    assert few.index[few["recommended"]].tolist() == ["t"]
    named = events.assign(twin=[f"F{(i + 8) % 28:02d}" for i in range(24)])
    keep = named[~named["twin"].isin({"F05", "F07", "F28", "F29"})]
    matched = es.BuyAndHold(market, keep, (1, H), es.MatchedFirms(column="twin")).fit().test(seed=0)
    assert matched.index[matched["recommended"]].tolist() == ["standardised"]
    assert matched["note"].str.contains("skewness is noise").tolist() == [False, True, True, False]
    apart = keep.iloc[:3].assign(date=returns.index[[20, 40, 60]])
    alone = es.BuyAndHold(market, apart, (1, H), es.MatchedFirms(column="twin")).fit().test(seed=0)
    assert alone.index[alone["recommended"]].tolist() == ["t"]


def test_a_firm_that_loses_everything_has_no_log_return(market: es.Market, returns: pd.DataFrame) -> None:
    events = [
        {"security": a, "date": returns.index[65], "twin": b}
        for a, b in (("F05", "F01"), ("F02", "F03"), ("F04", "F06"))
    ]
    spec = es.BuyAndHold(market, events, (1, H), es.MatchedFirms(column="twin"), delisting={"F05": -1.0})
    row = spec.fit().test().loc["standardised"]
    assert row["n_events"] == 2
    assert "1 event left out" in row["note"]


def shocked(correlation: float, n: int = 40) -> tuple[es.Market, pd.DataFrame]:
    """Events of one month, whose firms and matched firms share a shock each month."""
    rng = np.random.default_rng(4)
    months = pd.date_range("2000-01-31", periods=60, freq="ME")
    index = rng.normal(0.01, 0.04, 60)
    own = 0.1 * np.sqrt(1 - correlation) * rng.normal(size=(60, 2 * n))
    own[:, :n] += 0.1 * np.sqrt(correlation) * rng.normal(size=(60, 1))
    names = [f"F{i}" for i in range(n)] + [f"M{i}" for i in range(n)]
    returns = pd.DataFrame(np.maximum(index[:, None] + own, -0.9), months, names)
    events = pd.DataFrame({"security": names[:n], "date": months[20], "match": names[n:]})
    return es.Market(returns, benchmark=pd.Series(index, months, name="index")), events


def test_events_that_share_shocks_have_no_test_of_independent_events() -> None:
    market, events = shocked(0.3)
    results = es.BuyAndHold(market, events, (1, 24)).fit()
    table = results.test()
    assert not table["recommended"].any()
    # The variance of the month's sum over that of independent returns, by hand.
    values = np.log1p(market.returns[events["security"]].iloc[21:45])
    values = values.sub(np.log1p(market.bank.single[0][21:45]), axis=0).to_numpy()
    values = values - values.mean()
    want = (values.sum(axis=1) ** 2).sum() / (values**2).sum()
    assert want > 5
    returns, periods = results._log_abnormal(23)
    assert variance_inflation(returns, periods) == pytest.approx(want)
    assert table["note"].str.contains(f"is {want:.1f} times that of independent events").all()
    matched = es.BuyAndHold(market, events, (1, 24), es.MatchedFirms(column="match")).fit().test()
    assert matched.index[matched["recommended"]].tolist() == ["standardised"]
    # Without a shock of their own they may be read as independent.
    apart = es.BuyAndHold(*shocked(0.0), (1, 24)).fit().test()
    assert apart.index[apart["recommended"]].tolist() == ["bootstrap"]


def test_horizons_of_one_month_have_no_standardised_return() -> None:
    market, events = shocked(0.0)
    dates = events.assign(date=market.sessions[10 + np.arange(40)])
    table = es.BuyAndHold(market, dates, (1, 1), es.MatchedFirms(column="match")).fit().test()
    assert "0 events of two periods or more" in table["note"]["standardised"]
    assert table.index[table["recommended"]].tolist() == ["t"]
    # One month of all events cannot tell whether they share a shock.
    one = es.BuyAndHold(market, events, (1, 1), es.MatchedFirms(column="match")).fit().test()
    assert not one["recommended"].any()
    assert "fewer than 3 periods cannot tell" in one["note"]["t"]


def test_a_match_of_the_same_returns_is_left_out_of_standardised_ones() -> None:
    market, events = shocked(0.0)
    returns = market.returns.assign(M0=market.returns["F0"])
    laid = es.Market(returns, benchmark=pd.Series(market.bank.single[0], returns.index, name="index"))
    row = es.BuyAndHold(laid, events, (1, 12), es.MatchedFirms(column="match")).fit().test()
    assert row["n_events"]["standardised"] == 39
    assert np.isfinite(row["p_value"]["standardised"])
    assert "the returns of the matched firm" in row["note"]["standardised"]


@pytest.mark.slow
def test_standardised_returns_hold_where_the_scale_is_of_few_months() -> None:
    """Over their deviation about their mean, six returns a firm reject 10% of true nulls."""
    rejected = {"about zero": 0, "about the mean": 0}
    rng = np.random.default_rng(8)
    periods = [np.arange(6) + first for first in rng.integers(0, 200, 60)]
    for _ in range(1000):
        returns = list(rng.normal(0, 0.1, (60, 6)))
        _, t, dof = standardised_mean(returns, periods)
        rejected["about zero"] += 2 * stats.t.sf(abs(t), dof) <= 0.05
        u = np.concatenate([own / own.std(ddof=1) for own in returns])
        sums = np.bincount(np.concatenate(periods), u - u.mean())
        g = len(set(np.concatenate(periods)))
        t = u.mean() / np.sqrt(g / (g - 1) * (sums**2).sum() / len(u) ** 2)
        rejected["about the mean"] += 2 * stats.t.sf(abs(t), g - 1) <= 0.05
    assert 30 <= rejected["about zero"] <= 70
    assert rejected["about the mean"] > 85


def test_missing_months_and_matches_are_told_of() -> None:
    market, events = shocked(0.0)
    returns, index = market.returns, pd.Series(market.bank.single[0], market.sessions, name="index")
    lacking = [*range(30), *range(33, 60)]
    laid = es.Market(returns.iloc[lacking], benchmark=index.iloc[lacking])
    with pytest.warns(DataWarning, match="no row between 2002-06-30 and 2002-10-31: horizons count rows"):
        es.BuyAndHold(laid, events, (1, 12))
    with pytest.warns(DataWarning, match="no row between"):
        es.CalendarTimePortfolio(laid, events, (1, 12))
    quarterly = es.Market(returns.iloc[::3], benchmark=index.iloc[::3])
    es.BuyAndHold(quarterly, events.assign(date=returns.index[21]), (1, 4)).fit()
    unnamed = events.assign(match=[None, *events["match"].tolist()[1:]])
    with pytest.warns(ExcludedEventsWarning, match="1 of 40 events"):
        found = es.BuyAndHold(market, unnamed, (1, 12), es.MatchedFirms(column="match")).fit()
    assert found.excluded[0] == "column 'match' names no matched firm"
