"""Normal and abnormal returns of the events of a sample, a chunk at a time, on one core or many.

What is kept grows with the events times the days of the event window; estimation windows are laid out,
fitted and dropped a chunk at a time. A chunk is small enough for its windows to stay in the cache of a core,
and holds events of neighbouring days, which share their regressors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from eventstudy import lazy
from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.abnormal.estimation_windows import EstimationWindows, HeldWindows, RefittedWindows
from eventstudy.abnormal.event_windows import SampledEventWindows
from eventstudy.abnormal.gap_windows import GapWindows
from eventstudy.abnormal.returns import AbnormalReturns
from eventstudy.errors import EventStudyError, EventStudyWarning, ModelError, Told, heard, warn
from eventstudy.models import ModelFit, ModelParameters, NormalReturnModel
from eventstudy.models.night_variance import GapVariance, widen_gaps
from eventstudy.progress import progress_bar
from eventstudy.sample import EventSample
from eventstudy.windows import Window
from eventstudy.workers import n_workers, on_threads

__all__ = ["Estimates", "estimate", "gap_windows"]

#: Why events, by position, could not be computed.
Failures = dict[int, str]
#: Partitions per worker, so a slow one does not keep the others waiting.
SHARES = 4
#: Fields of a fit that are the same for all events.
COMMON = ("param_names", "se_source", "exact")
#: Arrays of the event window, which lie side by side.
DAILY = ("ar", "actual", "noise", "design")
NUMBERS = ("params", "param_cov", "s2", "n_obs", "dof", "r_squared")
#: Fields not stored where they are made again from the sample.
DESIGN = ("noise", "design")
WORDS = ("failure", "left_out")
#: Fields of `GapVariance`.
GAPS = ("gap_kinds", "gap_variance", "gap_count")
#: Fields not stored where the model is fitted again quickly.
PAST = ("residuals", "leverage")


class Estimates(NamedTuple):
    """Parameters and abnormal returns of N events.

    Attributes
    ----------
    fit : ModelParameters
    abnormal : AbnormalReturns
        Estimation windows are made again where the model is fitted again quickly.
    gaps : array of bool, shape (N, L)
        Days on which a security traded, but its normal return is not known; shape (N, 0) if there are none.
    failures : dict of int to str
        Events, by position, on which the model raised an exception, and which; their numbers are
        missing. A chunk that fails is halved until the events that fail are found.
    """

    fit: ModelParameters
    abnormal: AbnormalReturns
    gaps: BoolArray
    failures: dict[int, str]


class _Store:
    """Arrays of one row per event, filled in chunks of events.

    What has a number for each day of the event window lies side by side, all of an event in one row: events
    are fitted in the order of their days, and one long row is written faster than many short ones.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.common: dict[str, Any] = {}
        self.peers: dict[str, int] = {}
        self.block: FloatArray = np.empty((n, 0))
        self.lock = Lock()

    def put(self, rows: IntArray, values: dict[str, Any]) -> None:
        """Take what `_values` made of the events `rows`; threads may put different events at once."""
        values = {name: value for name, value in values.items() if value is not None}
        common = values.pop("common")
        names = [name for name in DAILY if name in values]
        side = [np.asarray(values.pop(name), dtype=np.float64) for name in names]
        with self.lock:
            self.common = self.common or common
            self._put_peers(rows, values.pop("peer_names"), values.pop("peer_weights", None))
            if not self.block.size:
                self._lay_out(names, side)
            for name, value in values.items():
                if name not in self.arrays:
                    self.arrays[name] = self._empty(name, value)
        self.block[rows] = np.concatenate([part.reshape(len(rows), -1) for part in side], axis=1)
        for name, value in values.items():
            self.arrays[name][rows] = value

    def blank(self, rows: Iterable[int]) -> None:
        """Leave events without numbers."""
        out = list(rows)
        for value in self.arrays.values():
            value[out] = np.nan if value.dtype.kind == "f" else "" if value.dtype.kind == "O" else 0

    def _lay_out(self, names: list[str], like: list[npt.NDArray[Any]]) -> None:
        sizes = [int(np.prod(part.shape[1:])) for part in like]
        self.block = np.empty((self.n, sum(sizes)))
        ends = np.cumsum(sizes)
        for name, part, size, end in zip(names, like, sizes, ends.tolist(), strict=True):
            self.arrays[name] = self.block[:, end - size : end].reshape(self.n, *part.shape[1:])

    def _empty(self, name: str, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
        shape = (self.n, *like.shape[1:])
        if like.dtype.kind in "UO":
            return np.full(shape, "", dtype=object)
        # Chunks report `gaps` and `span` only where they differ from the defaults: no gap, one session.
        if like.dtype.kind == "b" or name == "span":
            return np.full(shape, name == "span", dtype=like.dtype)
        return np.empty(shape, dtype=like.dtype)

    def _put_peers(self, rows: IntArray, names: tuple[str, ...], weights: Any) -> None:
        """Chunks may have different peers: the columns are those of all."""
        if weights is None:
            return
        fresh = [name for name in names if name not in self.peers]
        self.peers |= {name: len(self.peers) + i for i, name in enumerate(fresh)}
        have = self.arrays.get("peer_weights", np.empty((self.n, 0)))
        if fresh:
            have = np.hstack([have, np.full((self.n, len(fresh)), np.nan)])
        have[np.ix_(rows, np.array([self.peers[name] for name in names], dtype=np.int64))] = weights
        self.arrays["peer_weights"] = have


def estimate(
    model: NormalReturnModel,
    sample: EventSample,
    *,
    n_jobs: int | None = None,
    chunk_size: int | None = None,
) -> Estimates:
    """Fit a model to the events of a sample and compute their abnormal returns.

    Parameters
    ----------
    model : NormalReturnModel
    sample : EventSample
    n_jobs : int, optional
        Workers, as for `joblib.Parallel`: None is 1, unless `joblib.parallel_config` says otherwise.
        Threads, unless it names another backend.
    chunk_size : int, optional
        Events laid out at a time; by default 2,048, and 16,384 for threads and a model of least squares.

    Returns
    -------
    Estimates

    Raises
    ------
    ModelError
        If the model fails on every event.
    """
    chunk_size = _chunk_size(model, n_jobs) if chunk_size is None else chunk_size
    store, failures = _Store(len(sample)), Failures()
    # With one chunk, the model shows its own progress.
    shown = None if len(sample) > chunk_size or n_workers(n_jobs) > 1 else False
    with progress_bar(len(sample), model.label, "event", shown=shown) as bar:
        for n, done, failed in _partitions(model, sample, store, n_jobs, chunk_size):
            for rows, values in done:
                store.put(rows, values)
            failures |= failed
            bar.update(n)
    if len(failures) == len(sample):
        raise ModelError(f"{model.label} fails on every event: {next(iter(failures.values()))}.")
    store.blank(failures)
    fit = _parameters(store)
    gaps = store.arrays.get("gaps", np.zeros((len(sample), 0), dtype=bool))
    return Estimates(fit, _abnormal(model, sample, store, fit), gaps, failures)


Done = list[tuple[IntArray, dict[str, Any]]]
Apart = tuple[tuple[int, Done, Failures], Told]


def _partitions(
    model: NormalReturnModel, sample: EventSample, store: _Store, n_jobs: int | None, chunk_size: int
) -> Iterator[tuple[int, Done, Failures]]:
    """Fit all events: yield how many were fitted, those not in the store yet, and the failures."""
    order = _by_day(sample)
    workers = n_workers(n_jobs)
    if sample.market.arrays.gap is not None:  # what is said of nights is said once, of all events
        workers, chunk_size = 1, len(order)
    if workers == 1:
        for rows in _cut(order, chunk_size):
            yield _partition(model, sample, rows, chunk_size, store)
        return
    shares = np.array_split(order, min(SHARES * workers, max(len(order), 1)))
    said: set[tuple[type[EventStudyWarning], str]] = set()
    for made, told in _on_workers(model, sample, shares, chunk_size, store, n_jobs):
        for category, message in told:
            if (category, message) not in said:
                said.add((category, message))
                warn(message, category)
        yield made


def _on_workers(
    model: NormalReturnModel,
    sample: EventSample,
    shares: list[IntArray],
    chunk_size: int,
    store: _Store,
    n_jobs: int | None,
) -> Iterable[Apart]:
    """Fit shares of the events on the workers."""
    if _threads():  # they write where it is kept; other workers send what they made
        return on_threads(
            lambda share: _apart(model, sample, share, chunk_size, store), shares, n_workers(n_jobs)
        )
    from joblib import Parallel, delayed

    run = Parallel(n_jobs=n_jobs, return_as="generator")
    made: Iterable[Apart] = run(delayed(_apart)(model, sample, share, chunk_size, None) for share in shares)
    return made


def _apart(*arguments: Any) -> Apart:
    """Fit events where no warning is heard; returns with them what was to be warned of."""
    with heard(quietly=True) as told:
        return _partition(*arguments), told


def _threads() -> bool:
    """Whether workers are threads."""
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend(prefer="threads")
    return bool(getattr(backend, "supports_sharedmem", False))


def _chunk_size(model: NormalReturnModel, n_jobs: int | None) -> int:
    # Threads wait for each other at every call of NumPy, so theirs should be long.
    several = model.refits_quickly and n_workers(n_jobs) > 1 and _threads()
    return 16 * lazy.CHUNK if several else 2 * lazy.CHUNK


def _by_day(sample: EventSample) -> IntArray:
    """Order in which events of one day, benchmark and set of factors follow each other."""
    keys = [key for key in (sample.benchmark, sample.factor_set) if len(key) and (key != key[0]).any()]
    return lazy.group_order(sample.day0, *keys)


def _cut(rows: IntArray, size: int) -> list[IntArray]:
    return [rows[b : b + size] for b in range(0, max(len(rows), 1), size)]


def _partition(
    model: NormalReturnModel, sample: EventSample, rows: IntArray, chunk_size: int, store: _Store | None
) -> tuple[int, Done, Failures]:
    """Fit events, and put them into the store if there is one."""
    done, failures = Done(), Failures()
    for part in _cut(rows, chunk_size):
        made, failed = _attempt(model, sample, part)
        if store is None:
            done += made
        else:
            for some, values in made:
                store.put(some, values)
        failures |= failed
    return len(rows), done, failures


def _attempt(model: NormalReturnModel, sample: EventSample, rows: IntArray) -> tuple[Done, Failures]:
    """Fit events; if the model fails, fit halves of them, down to the events it fails on."""
    try:
        return [(rows, _values(model, sample, rows))], {}
    except (EventStudyError, Warning):  # a warning is raised where its user wants it to be an error
        raise
    except Exception as problem:
        if len(rows) <= 1:
            what = f"{type(problem).__name__}: {problem}"
            return [], {int(row): f"{model.label} failed on it ({what})" for row in rows}
    half = len(rows) // 2
    first, second = _attempt(model, sample, rows[:half]), _attempt(model, sample, rows[half:])
    return first[0] + second[0], first[1] | second[1]


def _values(model: NormalReturnModel, sample: EventSample, rows: IntArray) -> dict[str, Any]:
    """Everything that is kept for some events."""
    made = model.fit_sample(sample, rows)
    fit, span = made.fit, made.span_evt
    gaps: GapVariance | None = None
    if isinstance(fit, ModelFit) and span is not None:
        fit, gaps = widen_gaps(model, sample, span, fit, rows)
    ar = made.y_evt - made.expected
    values: dict[str, Any] = {
        "ar": ar,
        "actual": made.y_evt + made.rf_evt if isinstance(made.rf_evt, np.ndarray) else made.y_evt,
        "common": {name: getattr(fit, name) for name in COMMON},
    }
    missing = np.isnan(ar)
    if span is not None or missing.any():
        span = np.ones(ar.shape, dtype=np.int64) if span is None else span
        unknown = missing & (span > 0)
        values["gaps"] = unknown if unknown.any() else None
        values["span"] = np.where(missing, 0, span)
    if gaps is not None:
        values |= dict(zip(GAPS, (gaps.kinds, gaps.variance, gaps.count), strict=True))
    names = (*NUMBERS, *WORDS, "peer_names", "peer_weights")
    if isinstance(fit, ModelFit):
        names = (*names, *DESIGN, "autocorrelation", *(() if model.refits_quickly else PAST))
    return values | {name: getattr(fit, name) for name in names}


def _parameters(store: _Store) -> ModelParameters:
    held = store.arrays
    values: dict[str, Any] = {name: held[name] for name in NUMBERS}
    values |= {name: held[name].astype(np.str_) for name in WORDS if name in held}
    return ModelParameters(
        **values, **store.common, peer_names=tuple(store.peers), peer_weights=held.get("peer_weights")
    )


def _abnormal(
    model: NormalReturnModel, sample: EventSample, store: _Store, fit: ModelParameters
) -> AbnormalReturns:
    held, everyone = store.arrays, np.arange(len(sample))
    ones = np.broadcast_to(np.int64(1), (len(sample), len(sample.window)))
    span = held.get("span", ones)
    return AbnormalReturns(
        window=sample.window,
        ar=held["ar"],
        actual=held["actual"],
        span=span,
        param_cov=fit.param_cov,
        s2=fit.s2,
        n_obs=fit.n_obs,
        dof=fit.dof,
        n_params=fit.params.shape[1],
        exact=fit.exact,
        past=RefittedWindows(
            model=model,
            sample=sample,
            params=fit.params,
            events=everyone,
            held={name: held[name] for name in PAST if name in held},
        ),
        event_windows=SampledEventWindows(
            model=model,
            sample=sample,
            s2=fit.s2,
            span=span,
            events=everyone,
            held={name: held[name] for name in DESIGN if name in held},
        ),
        day0=sample.day0 if sample.own is None and not sample.market.undated else None,
        estimated_after=_estimated_after(sample),
        between=gap_windows(model, sample, fit.params),
        autocorrelation=held.get("autocorrelation"),
        bars=GapWindows(model, sample, everyone, GapVariance(*(held[name] for name in GAPS)))
        if "gap_kinds" in held
        else None,
    )


def _estimated_after(sample: EventSample) -> BoolArray | None:
    """Which events have estimation days after their event windows; None where none has."""
    if sample.own is None:
        late = np.full(len(sample), sample.estimation.start > sample.window.end)
    else:
        late = sample.own.estimation[:, 1] > sample.own.window[:, 1]
    return late if late.any() else None


def gap_windows(
    model: NormalReturnModel, sample: EventSample, params: FloatArray
) -> EstimationWindows | None:
    """Return the sessions between estimation and event window, where parameters tell abnormal returns."""
    first, last = sample.estimation.end + 1, sample.window.start - 1
    if sample.own is None and first == last + 1:
        none = np.zeros((len(sample), 0))
        return HeldWindows(none, none, sample.dates(sample.window, slice(0)).reshape(none.shape))
    if (
        sample.own is not None
        or first > last
        or not model.residuals_take_params
        or sample.market.arrays.gap is not None
    ):
        return None
    gap = replace(sample, estimation=Window(first, last))
    return RefittedWindows(model, gap, params, np.arange(len(sample)))
