"""Results for other programs: panels, tidy frames, JSON, Stata, and tables of maketables."""

from __future__ import annotations

import json
import re
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.arguments import check_path
from eventstudy.errors import DataWarning, RequestError, warn
from eventstudy.files import write_atomic
from eventstudy.results import averages
from eventstudy.results.event_names import named_events
from eventstudy.results.fitted import FittedStudy, Windows, are_several, refuse_own_windows
from eventstudy.results.significance import Significance
from eventstudy.windows import Window

__all__ = ["Onward"]

#: Columns of a tidy frame, and what they are called in the averages.
TIDY = {
    "caar": "estimate",
    "se": "std_error",
    "statistic": "statistic",
    "dof": "dof",
    "p_value": "p_value",
    "ci_low": "conf_low",
    "ci_high": "conf_high",
    "n_events": "n",
    "test": "test",
}
#: Longest name of a variable, longest label, and bytes of the longest text, in files that any version reads.
LONGEST_NAME, LONGEST_LABEL, LONGEST_TEXT = 32, 80, 2045
#: Largest whole number up to which all are doubles.
EXACT = 2**53
#: Words that no variable of Stata may be named by.
RESERVED = frozenset([
    "aggregate", "array", "boolean", "break", "byte", "case", "catch", "class", "colvector", "complex",
    "const", "continue", "default", "delegate", "delete", "do", "double", "else", "eltypedef", "end",
    "enum", "explicit", "export", "external", "float", "for", "friend", "function", "global", "goto",
    "if", "in", "inline", "int", "local", "long", "NULL", "pragma", "protected", "quad", "rowvector",
    "short", "strL", "typedef", "typename", "using", "virtual", "with", "_all", "_b", "_coef", "_cons",
    "_n", "_N", "_pi", "_pred", "_rc", "_se", "_skip", "_weight",
])  # fmt: skip


class Onward(Significance):
    """Results for other programs."""

    def to_panel(self) -> pd.DataFrame:
        """Return the days of all events as one long frame, such as for pyfixest or linearmodels.

        Returns
        -------
        DataFrame
            One row per event and day with a return: event_id, security, label (where there are any), day_0,
            period (``"estimation"`` or ``"event"``), day (relative), date, actual (return; in the estimation
            window of models in excess of the risk-free rate, the excess return), expected, abnormal, the
            regressors of the model by name, such as benchmark, and the columns of the events; one that is
            named like a column of these has ``_event`` behind its name.

        Raises
        ------
        RequestError
            If events have windows of their own, or one is the average of several listings.

        Warns
        -----
        DataWarning
            If columns of the events are renamed.

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> panel = es.EventStudy(market, news, window=(-1, 1)).fit().to_panel()
        >>> panel.groupby("period").size().to_dict()
        {'estimation': 221, 'event': 3}
        """
        data = self.fitted
        for row in range(len(data.index)):
            data.part(row)  # refuses the average of several listings, which has no days of its own
        parts = [
            _panel(part.study, int(row), data.index[at])
            for part in data.parts()
            for row, at in zip(part.rows, part.at, strict=True)
        ]
        frame = pd.concat(parts, ignore_index=True)
        who = named_events(data).rename_axis("event_id").reset_index()
        given = data.events.drop(columns=["security", "label", "date", "announced_local"], errors="ignore")
        given = given.rename(columns=_apart([*frame, *who], list(given)))
        given = given.dropna(axis=1, how="all").rename_axis("event_id").reset_index()
        return who.merge(frame, on="event_id").merge(given, on="event_id")

    def tidy(self, windows: Windows = None) -> pd.DataFrame:
        """Return mean CARs as a tidy frame, one row per window, in the names of R's broom.

        Parameters
        ----------
        windows : list of (int, int), optional
            By default day 0, the headline window and the whole event window.

        Returns
        -------
        DataFrame
            term (the window), estimate, std_error, statistic, dof, p_value, conf_low, conf_high (95%), n
            (events) and test (where the standard error is from).

        Examples
        --------
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
        >>> results.tidy([(0, 0), (0, 1)])[["term", "estimate", "n"]].round(3).values.tolist()
        [['(0, 0)', -0.049, 1], ['(0, +1)', -0.075, 1]]
        """
        data = self.fitted
        chosen = list(dict.fromkeys([Window(0, 0), data.checked_window(), data.event_window]))
        chosen = [window for window in chosen if window in data.event_window]
        if windows is not None:
            chosen = data.checked_windows(windows) if are_several(windows) else [data.checked_window(windows)]
        frame = averages.averages([data.test_input(window) for window in chosen], None, 0.95)
        frame = frame[list(TIDY)].rename(columns=TIDY)
        frame.insert(0, "term", [str(window) for window in chosen])
        return frame

    def to_json(self, path: str | PathLike[str] | None = None, windows: Windows = None) -> str:
        """Return the results as JSON: events, CARs, mean CARs and recommended tests.

        Parameters
        ----------
        path : path, optional
            File to write as well.
        windows : list of (int, int), optional
            As for `tidy`.

        Returns
        -------
        str
            An object of model, event_window, events, averages, cars (by event and window), tests (recommended
            for the first window) and excluded. Returns are decimals, days ISO dates, and missing is null.

        Raises
        ------
        RequestError
            If the file does not end in .json, or cannot be written.

        Examples
        --------
        >>> import json, eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> news = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> told = json.loads(es.EventStudy(market, news, window=(-1, 1)).fit().to_json())
        >>> told["events"][0]["day_0"], round(told["cars"][0]["car"], 4)
        ('2019-05-22', -0.0491)
        """
        data = self.fitted
        averaged = self.tidy(windows)
        chosen = [Window(*map(int, term.strip("()").split(","))) for term in averaged["term"]]
        cars = [data.cars(window).assign(window=str(window)) for window in chosen]
        tests = self.recommended(chosen[0]).assign(window=str(chosen[0]))
        told = {
            "model": data.model_label,
            "event_window": [data.event_window.start, data.event_window.end],
            "events": _records(data.timeline.rename_axis("event_id").reset_index()),
            "averages": _records(averaged),
            "cars": _records(pd.concat(cars).rename_axis("event_id").reset_index()),
            "tests": _records(pd.DataFrame(tests)),
            "excluded": _records(data.excluded.rename_axis("event_id").reset_index()),
        }
        text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        if path is not None:
            _write(check_path("path", path, ".json"), text.encode(), "JSON")
        return text

    def to_stata(self, path: str | PathLike[str]) -> None:
        """Write `to_panel` as a data set of Stata, one observation per event and day.

        Parameters
        ----------
        path : path
            File to write, such as ``"study.dta"``; one that exists is replaced.

        Raises
        ------
        RequestError
            If the file does not end in .dta or cannot be written, names of columns are the same in Stata, a
            text is too long for it, or a number is infinite or a whole one beyond 2**53.

        Notes
        -----
        Names are cut to 32 letters, and a word that Stata reserves has ``_`` behind it; labels of variables
        hold the names of the columns. What is neither number nor time, such as a period, is text.

        Examples
        --------
        >>> import tempfile
        >>> import pandas as pd
        >>> import eventstudy as es
        >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
        >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
        >>> results = es.EventStudy(market, nyt, window=(-1, 1)).fit()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results.to_stata(f"{folder}/study.dta")
        ...     len(pd.read_stata(f"{folder}/study.dta"))
        224
        """
        target = check_path("path", path, ".dta")
        write_stata(self.to_panel(), target)

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Mean CARs by window, as maketables takes them."""
        frame = self.tidy().set_index("term").rename_axis("Coefficient")
        names = {"estimate": "b", "std_error": "se", "statistic": "t", "p_value": "p"}
        names |= {"conf_low": "ci95l", "conf_high": "ci95u"}
        return frame[list(names)].rename(columns=names)

    @property
    def __maketables_depvar__(self) -> str:
        """What the coefficients are of."""
        return "CAR"

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """Statistics below a table."""
        return ["N"]

    def __maketables_stat__(self, key: str) -> Any:
        """Statistic by key: the number of events."""
        return len(self.fitted.index) if key == "N" else None


def _panel(study: FittedStudy, row: int, event_id: object) -> pd.DataFrame:
    """Days of one event."""
    refuse_own_windows(study.spec, "A panel")
    arrays = study.spec.model.arrays(study.sample, slice(row, row + 1))
    abnormal, rows = study.abnormal, slice(row, row + 1)
    residual = abnormal.past.residuals(rows)[0]
    past = {
        "event_id": event_id,
        "period": "estimation",
        "day": study.spec.estimation.offsets,
        "date": arrays.dates_est[0].astype("datetime64[ns]"),
        "actual": arrays.y_est[0],
        "expected": arrays.y_est[0] - residual,
        "abnormal": residual,
    }
    event = {
        "event_id": event_id,
        "period": "event",
        "day": study.spec.window.offsets,
        "date": abnormal.event_dates[row].astype("datetime64[ns]"),
        "actual": abnormal.actual[row],
        "expected": abnormal.expected[row],
        "abnormal": abnormal.ar[row],
    }
    for k, regressor in enumerate(study.spec.model.regressors):
        past[regressor.name], event[regressor.name] = arrays.x_est[0, :, k], arrays.x_evt[0, :, k]
    frame = pd.concat([pd.DataFrame(past), pd.DataFrame(event)], ignore_index=True)
    return frame[frame["actual"].notna() & frame["abnormal"].notna()]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _jsonable(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value.tzinfo or value != value.normalize() else f"{value:%Y-%m-%d}"
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | bool | int | float) else str(value)


def _apart(taken: list[Any], given: list[Any]) -> dict[Any, str]:
    """Rename columns of the events that are named like one of the panel, and say so."""
    names: dict[Any, str] = {}
    for name in given:
        new = name
        while new in taken or (new != name and new in given) or new in names.values():
            new = f"{new}_event"
        if new != name:
            names[name] = new
    if names:
        told = ", ".join(f"{old} is {new}" for old, new in names.items())
        warn(
            f"Columns of the events are named like columns of the panel, and are renamed: {told}.",
            DataWarning,
        )
    return names


def _write(path: Path, content: bytes, what: str) -> None:
    try:
        write_atomic(path, content)
    except OSError as problem:
        raise RequestError(f"The {what} cannot be written to {str(path)!r}: {problem}.") from problem


def write_stata(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as a data set of Stata; see `Onward.to_stata`.

    Raises
    ------
    RequestError
        If two columns would have one name, a column holds what Stata has no number or text for, or the file
        cannot be written.
    """
    names = [_stata_name(column) for column in frame]
    if len(set(names)) < len(names):
        again = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"Two columns would both be named {again!r} in Stata; rename one of the events'.")
    labels = {name: str(column)[:LONGEST_LABEL] for name, column in zip(names, frame, strict=True)}
    columns = {
        name: _stata_column(frame.iloc[:, at], labels[name]).reset_index(drop=True)
        for at, name in enumerate(names)
    }
    try:
        pd.DataFrame(columns).to_stata(path, write_index=False, version=118, variable_labels=labels)
    except (OSError, ValueError, TypeError, NotImplementedError, OverflowError) as problem:
        raise RequestError(f"The Stata file cannot be written to {str(path)!r}: {problem}.") from problem


def _stata_column(column: pd.Series, label: str) -> pd.Series:
    """Return a column in a type that Stata has."""
    kind = column.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        return pd.Series(column.dt.tz_convert(None))
    if pd.api.types.is_datetime64_any_dtype(kind):
        return column
    if pd.api.types.is_bool_dtype(kind):
        return column.astype("int8" if column.notna().all() else "float64")
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        return _stata_texts(column, label)
    whole = pd.api.types.is_integer_dtype(kind)
    if whole and column.notna().any() and int(column.abs().max()) > EXACT:
        raise RequestError(f"Column {label!r} holds whole numbers beyond 2**53, which Stata would round.")
    numbers = column.astype("float64") if kind not in (np.int8, np.int16, np.int32, np.int64) else column
    if np.isinf(numbers.to_numpy(dtype=float)).any():
        raise RequestError(f"Column {label!r} holds an infinity, which Stata has no number for.")
    return numbers


def _stata_texts(column: pd.Series, label: str) -> pd.Series:
    texts = ["" if pd.isna(value) else str(value) for value in column.astype(object)]
    if max((len(text.encode("utf-8", "replace")) for text in texts), default=0) > LONGEST_TEXT:
        raise RequestError(f"A text of column {label!r} is longer than {LONGEST_TEXT} bytes.")
    return pd.Series(texts, dtype=object)


def _stata_name(column: object) -> str:
    text = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in str(column))
    text = text if text[:1].isalpha() or text[:1] == "_" else f"_{text}"
    reserved = text in RESERVED or re.fullmatch(r"str\d+", text)
    return f"{text}_" if reserved else text[:LONGEST_NAME]
