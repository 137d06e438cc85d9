"""One study under several normal-return models, side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._typing import FloatArray
from eventstudy.errors import EventStudyWarning, RequestError, warn
from eventstudy.events import Events
from eventstudy.market import Market
from eventstudy.models import NormalReturnModel
from eventstudy.results import EventStudyResults
from eventstudy.results.fitted import WindowLike, refuse_own_windows, window_of
from eventstudy.results.pooled.pool import of_one_exchange
from eventstudy.study import EventStudy
from eventstudy.windows import Window

__all__ = ["compare_models", "named_models", "prediction_errors"]


def compare_models(
    market: Market,
    events: Events | pd.DataFrame | Sequence[Mapping[str, Any]],
    models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel],
    start: WindowLike = None,
    end: int | None = None,
    *,
    estimation: Window | Sequence[int] = (-250, -30),
    window: Window | Sequence[int] = (-10, 10),
    min_observations: int = 30,
    by_event: bool = False,
) -> pd.DataFrame:
    r"""Measure the same events with several models, and how well each predicts.

    The out-of-sample measure is the mean squared prediction error, in each event's own estimation
    window, of its last quarter by the model fitted on the days before it, with the study's gap between
    (at most a quarter of the window):

    .. math:: \frac{1}{\#} \sum_i \sum_t \frac{(R_{it} - \hat E[R_{it}])^2}{d_{it}}

    where d are the sessions a return spans. It is over the events and days that all models predict.

    Parameters
    ----------
    market : Market
    events : Events, or what `Events` takes
    models : sequence of models, or mapping of name to model
        Names are the models' labels, unless given.
    start, end : int
        First and last relative day of the CAR; the headline window by default.
    estimation, window, min_observations
        As for `EventStudy`.
    by_event : bool, default False
        One row per model and event, with the events' own standard errors.

    Returns
    -------
    DataFrame
        By model: n_events, ar, ar_se and ar_p (mean abnormal return of day 0), car, car_se, car_p,
        ci_low and ci_high (mean CAR with its 95% interval), test (where the standard error comes
        from, as in `results.caar`), prediction_variance and prediction_ratio (to the first model).
        With `by_event` indexed by model and event_id, without n_events and test.

    Raises
    ------
    RequestError
        If no model is given, or two have one label and no name.

    Notes
    -----
    Draw it with ``es.plotting.plot_models(frame)``. Baker and Gelbach (2020) compare models so.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(
    ...     es.datasets.surveillance_prices(), benchmark="399001.SZ", calendar="XSHG"
    ... )
    >>> events = es.Events([{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}])
    >>> models = [es.MarketModel(), es.MarketAdjusted()]
    >>> table = es.compare_models(market, events, models, estimation=(-270, -21))
    >>> table[["ar", "car", "car_se", "prediction_variance"]].round(5)
                             ar      car   car_se  prediction_variance
    model
    Market model (OLS) -0.04886 -0.07511  0.02626              0.00026
    Market adjusted    -0.05034 -0.08264  0.02647              0.00022
    """
    named = named_models(models)
    events = events if isinstance(events, Events) else Events(events)
    estimation, window = Window.of(estimation), Window.of(window)
    tested = window_of(window, start, end)
    fitted = _fit_all(market, events, named, estimation, window, min_observations)
    errors = {name: prediction_errors(results) for name, results in fitted.items()}
    first = next(iter(errors.values()))
    predicted = np.logical_and.reduce([e.reindex(first.index).notna().to_numpy() for e in errors.values()])
    parts = []
    for name, results in fitted.items():
        squares = errors[name] ** 2
        if by_event:
            day, cars = results.car(0, 0), results.car(tested)
            frame = pd.DataFrame(
                index=pd.MultiIndex.from_product([[name], cars.index], names=["model", "event_id"])
            )
            averages = squares.mean(axis=1).reindex(cars.index).to_numpy()
        else:
            day, cars = results.caar(0, 0), results.caar(tested)
            day, cars = (each.rename(columns={"caar": "car"}) for each in (day, cars))
            frame = pd.DataFrame(
                {"n_events": cars["n_events"].to_numpy()}, index=pd.Index([name], name="model")
            )
            both = squares.reindex(first.index).to_numpy()[predicted]
            averages = np.array([both.mean() if both.size else np.nan])
        for column, values in (
            ("ar", day["car"]), ("ar_se", day["se"]), ("ar_p", day["p_value"]),
            ("car", cars["car"]), ("car_se", cars["se"]), ("car_p", cars["p_value"]),
            ("ci_low", cars["ci_low"]), ("ci_high", cars["ci_high"]),
        ):  # fmt: skip
            frame[column] = values.to_numpy()
        if not by_event:
            frame["test"] = cars["test"].to_numpy()
        frame["prediction_variance"] = averages
        parts.append(frame)
    table = pd.concat(parts)
    base = table["prediction_variance"].xs(next(iter(fitted)), level=0) if by_event else None
    if base is None:
        table["prediction_ratio"] = table["prediction_variance"] / table["prediction_variance"].iloc[0]
    else:
        ids = table.index.get_level_values("event_id")
        table["prediction_ratio"] = table["prediction_variance"] / base.reindex(ids).to_numpy()
    return table


def prediction_errors(results: EventStudyResults) -> pd.DataFrame:
    """Out-of-sample errors of a study's model in the last quarter of each estimation window.

    Parameters
    ----------
    results : EventStudyResults

    Returns
    -------
    DataFrame
        event_id × relative day, decimals; a return over d sessions is divided by the root of d, NaN
        where there is no return or no prediction.
    """
    spec, sample = results.spec, results.sample
    refuse_own_windows(spec, "compare_models")
    length = len(spec.estimation) // 4
    gap = min(spec.window.start - spec.estimation.end - 1, length)
    tested = Window(spec.estimation.end - length + 1, spec.estimation.end)
    before = replace(sample, estimation=Window(spec.estimation.start, tested.start - gap - 1), window=tested)
    arrays = spec.model.arrays(before)
    expected = spec.model.fit(arrays).expected
    errors: FloatArray = (arrays.y_evt - expected) / np.sqrt(np.maximum(arrays.span_evt, 1))
    return pd.DataFrame(errors, sample.timeline.index, pd.Index(tested.offsets, name="day"))


def named_models(
    models: Sequence[NormalReturnModel] | Mapping[str, NormalReturnModel],
) -> dict[str, NormalReturnModel]:
    """Name models by their labels, unless names are given; refuse two of one name, and none at all."""
    each = models.values() if isinstance(models, Mapping) else models
    if not isinstance(each, Iterable) or not all(isinstance(model, NormalReturnModel) for model in each):
        raise RequestError(f"models is a list of models, or names with models; got {models!r}.")
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        labels = [model.label for model in models]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise RequestError(
                f"Two models are labelled {twice[0]!r}: name them, models={{'one': ..., 'other': ...}}."
            )
        named = dict(zip(labels, models, strict=True))
    if not named:
        raise RequestError("models is empty; give, say, [MarketModel(), MarketAdjusted()].")
    return named


def _fit_all(
    market: Market,
    events: Events,
    models: Mapping[str, NormalReturnModel],
    estimation: Window,
    window: Window,
    min_observations: int,
) -> dict[str, EventStudyResults]:
    """Fit each model; what several of them warn of is warned of once."""
    fitted, told = {}, set()
    for name, model in models.items():
        study = EventStudy(market, events, model, estimation, window, min_observations)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted[name] = of_one_exchange(study.fit())
        for each in caught:
            text = str(each.message)
            if text in told:
                continue
            told.add(text)
            if issubclass(each.category, EventStudyWarning):
                warn(text, each.category)
            else:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return fitted
