"""Does the answer depend on how it was reached? The Hikvision study of May 2019 in every reasonable way.

The main example (hikvision_2019.py) chose one benchmark, one model, one estimation window before looking.
This one makes the study under all combinations of the choices a reader could ask for, on the bundled prices,
and asks on placebo dates whether so many agreeing estimates could be chance:

    python examples/specification_curve.py
    python examples/specification_curve.py --out figures --jobs 2
"""

# %%
from __future__ import annotations

import argparse
import time
from pathlib import Path

import eventstudy as es
from eventstudy.lab import SpecificationCurve

HIKVISION, BENCHMARKS = "002415.SZ", ["399001.SZ", "000300.SS"]
#: The report reached Shenzhen on 22 May 2019; every window of the effect begins there.
EVENTS = [{"security": HIKVISION, "announced_at": "2019-05-21 19:00-04:00", "label": "NYT report"}]
MODELS = {
    "market model": es.MarketModel(),
    "market adjusted": es.MarketAdjusted(),
    "constant mean": es.ConstantMean(),
    "Scholes-Williams": es.ScholesWilliams(),
    "Dimson": es.Dimson(),
    "exponential weights": es.EWMarketModel(half_life=60),
}
ESTIMATIONS = [(-270, -21), (-250, -30), (-210, -11), (-150, -21), (-120, -11), (-90, -11)]
WINDOWS = [(0, 0), (0, 1), (0, 2), (-1, 1)]


# %%
def curve(jobs: int | None = None) -> SpecificationCurve:
    """Measure the report in every combination of the choices above."""
    market = es.Market.from_prices(
        es.datasets.surveillance_prices(), benchmark=BENCHMARKS[0], calendar="XSHG"
    )
    return es.lab.specification_curve(
        market,
        EVENTS,
        models=MODELS,
        benchmarks=BENCHMARKS,
        estimations=ESTIMATIONS,
        windows=WINDOWS,
        returns=["simple", "log"],
        tests=["t", "sq"],
        n_placebo=99,
        seed=20190522,
        n_jobs=jobs,
    )


# %%
def headline(found: SpecificationCurve) -> str:
    """Say what share of the specifications of CAR(0, 1) finds a negative, significant effect."""
    chosen = found.frame[found.frame["window"] == "(0, +1)"]
    hits = int((chosen["significant"] & (chosen["estimate"] < 0)).sum())
    return (
        f"{hits} of {len(chosen)} specifications of CAR(0, 1) ({hits / len(chosen):.0%}) find a negative "
        f"abnormal return that is significant at {found.alpha:.0%}; their median is "
        f"{chosen['estimate'].median():+.2%}."
    )


# %% tags=["notebook"]
# # Figure: Nearly all of the estimates are negative, and most differ from zero at 5%. The choices behind
# # each estimate are marked below it.
# found = curve()
# print(headline(found))
# found.plot();

# %% [markdown]
# Which choice matters? Here the windows:

# %% tags=["notebook"]
# found.by("window")

# %% [markdown]
# Could so many agreeing estimates be chance? The same curve on placebo dates says how often it would come out
# as extreme as this one:

# %% tags=["notebook"]
# found.joint


# %% tags=["script"]
def main() -> None:
    """Print the sentences, the choices that matter, the joint test, and save the figure."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    out = Path(__file__).parent / "output"
    asked.add_argument("--out", type=Path, default=out, metavar="DIR", help="folder of the figure")
    asked.add_argument("--jobs", type=int, help="workers")
    wanted = asked.parse_args()
    start = time.perf_counter()
    found = curve(wanted.jobs)
    print(headline(found))
    print(f"Of all windows: {found.describe()}")
    print()
    for choice in ("model", "benchmark", "estimation", "window", "returns", "test"):
        print(
            found.by(choice).to_string(
                formatters={"median": "{:+.2%}".format, "share_significant": "{:.0%}".format}
            )
        )
        print()
    print(found.joint.round(4).to_string())
    print(f"\n{len(found.frame)} specifications and their placebos in {time.perf_counter() - start:.1f} s")
    wanted.out.mkdir(parents=True, exist_ok=True)
    found.plot().figure.savefig(wanted.out / "specification_curve.png", dpi=150)


if __name__ == "__main__":
    main()
