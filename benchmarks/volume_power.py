"""Whether tests that scale volume's past as they scale its event find as much as tests that scale neither.

Run ``python benchmarks/volume_power.py`` to make ``docs/data/volume_power.csv`` anew. Log turnover has AR(1)
errors, and the event adds the same to every day of its window. `sq` ranks one event among blocks of its
past, `permutation` the mean of eight firms of one date among its pseudo-dates; the unscaled tests rank the
plain sums of the same residuals, without any standard error.

The columns `scaled_size` and `unscaled_size` are rejections of true nulls at 5%; `scaled_power` and
`unscaled_power` those of false ones at the level at which each rejects 5% of true ones. Both tests see the
same draws: `difference` of the powers has a 95% interval by resampling studies, and `as_powerful` is its
verdict, whether it reaches zero.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from measures_size import one_by_one, turnover

import eventstudy as es
from eventstudy.inference import Options, TestInput, run_tests

TABLE = Path(__file__).parents[1] / "docs" / "data" / "volume_power.csv"
SEED, LEVEL = 20190522, 0.05
WINDOWS = ((0, 0), (0, 1), (-5, 5))
#: Studies of twenty single events, and of eight firms of one date.
STUDIES = {"sq": 100, "permutation": 500}
#: What the event adds to a sum, in standard deviations of it.
EFFECT = 2.5
RESAMPLES = 500


def rank(value: float, sums: np.ndarray) -> float:
    """Two-sided p-value of a value among sums."""
    return float((1 + (np.abs(sums) >= abs(value)).sum()) / (len(sums) + 1))


def single(data: TestInput) -> tuple[np.ndarray, np.ndarray]:
    """P-values of each event by `sq` and by the rank of its plain CAR among plain sums of blocks."""
    cars, length = data.cumulative, len(data.window)
    scaled = one_by_one("sq", data)
    plain = []
    for car, own in zip(cars.car, data.abnormal.past.residuals(), strict=True):
        seen = own[~np.isnan(own)]
        blocks = seen[len(seen) % length :].reshape(-1, length).sum(axis=1)
        plain.append(rank(car, blocks))
    return scaled, np.array(plain)


def common(data: TestInput) -> tuple[np.ndarray, np.ndarray]:
    """P-values of the mean by `permutation`, and by its rank among plain sums of consecutive days."""
    scaled = run_tests(data, ["permutation"], Options())["p_value"].to_numpy()
    series = np.nanmean(data.abnormal.past.residuals(), axis=0)
    sums = np.lib.stride_tricks.sliding_window_view(series, len(data.window)).sum(axis=1)
    return scaled, np.array([rank(float(data.car.mean()), sums)])


def shifted(data: TestInput, size: float) -> TestInput:
    """Add the same abnormal log turnover to every day."""
    return TestInput(replace(data.abnormal, ar=data.abnormal.ar + size), data.window)


def power(null: np.ndarray, false: np.ndarray) -> float:
    """Share of false nulls rejected at the level that rejects 5% of true ones, between levels by a line."""
    levels = np.unique(np.concatenate([[0.0], null.ravel(), false.ravel()]))
    sizes, powers = (np.searchsorted(np.sort(p.ravel()), levels, "right") / p.size for p in (null, false))
    return float(np.interp(LEVEL, sizes, powers))


def compare(test: str, phi: float) -> list[dict[str, object]]:
    """Size and power with and without scaling, by window."""
    shared = test == "permutation"
    n = 8 if shared else 20
    found: dict[tuple[int, int], list[np.ndarray]] = {window: [] for window in WINDOWS}
    for number in range(STUDIES[test]):
        rng = np.random.default_rng([SEED, int(10 * phi), n, number])
        laid, events = turnover(rng, phi, n, common=shared)
        model = es.AutocorrelatedErrors()
        study = es.EventStudy(laid, events, model, estimation=(-250, -31), window=(-5, 5)).fit()
        for window in WINDOWS:
            data = study.fitted.test_input(es.Window.of(window))
            length = len(data.window)
            lags = np.arange(1, length)
            variance = 0.4**2 / (1 - phi**2) * (length + 2 * ((length - lags) * phi**lags).sum())
            effect = EFFECT * np.sqrt(variance / (n if shared else 1)) / length
            read = common if shared else single
            # Shape (null or false, scaled or not, p-values).
            found[window].append(np.array([read(data), read(shifted(data, effect))]))
    rows = []
    rng = np.random.default_rng(SEED)
    for window, parts in found.items():
        p = np.stack(parts, axis=-1)
        powers = [power(p[0, i], p[1, i]) for i in range(2)]
        drawn = (p[..., rng.integers(p.shape[-1], size=p.shape[-1])] for _ in range(RESAMPLES))
        gaps = [power(d[0, 0], d[1, 0]) - power(d[0, 1], d[1, 1]) for d in drawn]
        low, high = np.quantile(gaps, [0.025, 0.975])
        sizes = (p[0] <= LEVEL).mean(axis=(1, 2))
        rows.append(
            {
                "test": test, "autocorrelation": phi, "window": str(window),
                "scaled_size": sizes[0], "unscaled_size": sizes[1],
                "scaled_power": powers[0], "unscaled_power": powers[1],
                "difference": powers[0] - powers[1], "low": low, "high": high,
                "as_powerful": high >= 0.0, "replications": p[0, 0].size,
            }
        )  # fmt: skip
    return rows


def main() -> None:
    rows = [row for test in STUDIES for phi in (0.0, 0.5) for row in compare(test, phi)]
    frame = pd.DataFrame(rows)
    print(frame.round(3).to_string(index=False))
    frame.to_csv(TABLE, index=False, float_format="%.4f", lineterminator="\n")


if __name__ == "__main__":
    main()
