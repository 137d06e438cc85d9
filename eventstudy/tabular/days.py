"""Cells → days, by what the whole column says of the order of day and month, and of its kind."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from eventstudy.errors import DataError, EventStudyError
from eventstudy.tabular.date_order import PIVOT, refuse_swapped, year_is_first
from eventstudy.tabular.day_counts import refuse_open_origin, refuse_times_to_come
from eventstudy.tabular.numbers import first_list
from eventstudy.text import regex

__all__ = ["AMBIGUOUS_DAY", "EXCEL", "Days", "Step", "days_of", "end_of_period"]

Step = Literal["D", "W", "M", "Q", "Y"]
#: A date whose day and month may be mistaken for each other, such as 05/06/2019.
AMBIGUOUS_DAY = regex(r"^\s*\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4}\b")
_STEPS: dict[str, Step] = {"W": "W", "M": "M", "Q": "Q", "Y": "Y", "A": "Y"}
#: Days in Excel's count between 1954 and 2064, and the day before its first.
EXCEL, EXCEL_ORIGIN = (20_000, 60_000), pd.Timestamp("1899-12-30")
#: Weekdays without trade if counts of days from another origin are taken for Excel's, and these origins.
SHIFTED: dict[tuple[int, ...], tuple[str, tuple[tuple[str, str], ...]]] = {
    (0, 6): ("Tuesday to Saturday", (("SAS and Stata", "1960-01-01"), ("Excel on old Macs", "1904-01-01"))),
    (0, 1): ("Wednesday to Sunday", (("R, polars and arrow", "1970-01-01"),)),
}
#: Between these times exchanges close; on half days, which are few, from noon on.
CLOSING, NOON = (pd.Timedelta(hours=15), pd.Timedelta(hours=17, minutes=30)), pd.Timedelta(hours=12)
HALF_DAYS = 0.05
#: Zones in whose midnight vendors stamp days.
ZONES = ("America/New_York", "Asia/Shanghai", "Asia/Tokyo", "Europe/London", "Europe/Berlin", "Asia/Kolkata")
_MIDNIGHT = regex(r"[ T](0?0:00(:00(\.0+)?)?|12:00(:00)? ?AM)\s*([+-]\d{2}:?\d{2}|Z|UTC)?$", re.IGNORECASE)
_CLOCK = regex(r"[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AP]M)?)$", re.IGNORECASE)
#: Signs of a time of day; the T of OCT is none.
_TIMED = regex(r"\dT\d|:")
#: A day of the week before or behind a date.
_WEEKDAY = regex(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+"
    r"|\s*\((?:mon|tue|wed|thu|fri|sat|sun|[日月火水木金土])\)$",
    re.IGNORECASE,
)
#: SAS's moments, such as 02JAN2018:16:00:00.
_SAS = regex(r"^(\d{1,2})([a-z]{3})(\d{4}|\d{2}):(?=\d{1,2}:\d{2})", re.IGNORECASE)
_FORMATS = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    (r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
    (r"\d{4}년 ?\d{1,2}월 ?\d{1,2}일", "%Y년 %m월 %d일"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"\d{1,2}-[A-Za-z]{4,}-\d{4}", "%d-%B-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y"),
    (r"\d{1,2}[A-Za-z]{3}\d{4}", "%d%b%Y"),
    (r"\d{1,2}[A-Za-z]{3}\d{2}", "%d%b%y"),
    (r"\d{1,2}[A-Za-z]{4,}\d{4}", "%d%B%Y"),
    (r"\d{1,2}/[A-Za-z]{3}/\d{4}", "%d/%b/%Y"),
    (r"\d{1,2}/[A-Za-z]{4,}/\d{4}", "%d/%B/%Y"),
    (r"\d{1,2}\.[A-Za-z]{3}\.\d{4}", "%d.%b.%Y"),
    (r"\d{4}-[A-Za-z]{3}-\d{1,2}", "%Y-%b-%d"),
    (r"\d{4}-[A-Za-z]{4,}-\d{1,2}", "%Y-%B-%d"),
    (r"[A-Za-z]{3}-\d{1,2}-\d{4}", "%b-%d-%Y"),
    (r"[A-Za-z]{4,}-\d{1,2}-\d{4}", "%B-%d-%Y"),
    (r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y"),
    (r"\d{1,2} [A-Za-z]{4,} \d{4}", "%d %B %Y"),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", "%b %d, %Y"),
    (r"[A-Za-z]{4,} \d{1,2}, \d{4}", "%B %d, %Y"),
    (r"[A-Za-z]{3} \d{1,2} \d{4}", "%b %d %Y"),
    (r"[A-Za-z]{4,} \d{1,2} \d{4}", "%B %d %Y"),
)
#: English names of months, which are read in every locale; strptime knows those of the present one alone.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = regex(
    r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?:(?<=jan)uary|(?<=feb)ruary|(?<=mar)ch|(?<=apr)il|(?<=jun)e|(?<=jul)y|(?<=aug)ust|(?<=sep)t(?:ember)?|"
    r"(?<=oct)ober|(?<=nov)ember|(?<=dec)ember)?(?![a-z])",
    re.IGNORECASE,
)
_EITHER = regex(r"(\d{1,2})([./-])(\d{1,2})([./-])(\d{4}|\d{2})")
_PERIODS = (
    (r"\d{4}-\d{1,2}", "M"), (r"\d{4}/\d{1,2}", "M"), (r"\d{4}M\d{1,2}", "M"), (r"[A-Za-z]{3,9} \d{4}", "M"),
    (r"[A-Za-z]{3}-\d{4}", "M"), (r"\d{4}[- ]?Q[1-4]", "Q"), (r"Q[1-4][- ]\d{4}", "Q"),
)  # fmt: skip


#: Years that nanoseconds since 1970 can hold whole.
FIRST_YEAR, LAST_YEAR = 1678, 2261


def end_of_period(cell: Any, end: str) -> Any:
    """Take a period, such as a month, for its first day or, where `end` is not "start", its last.

    Other cells stay.
    """
    if not isinstance(cell, pd.Period):
        return cell
    return (cell.start_time if end == "start" else cell.end_time).normalize()


class Days(NamedTuple):
    """Days, or times, of a column.

    Attributes
    ----------
    stamps : DatetimeIndex
        Naive and in nanoseconds; NaT where a cell is blank. Of periods, their last day.
    form : str
        How they were written.
    step : {"D", "W", "M", "Q", "Y"}, optional
        Length of the periods, where the cells name periods.
    """

    stamps: pd.DatetimeIndex
    form: str
    step: Step | None = None


def days_of(
    cells: pd.Series | pd.Index,
    where: str,
    *,
    form: str | None = None,
    timezone: str | None = None,
    timed: bool = False,
    name: Callable[[int], str] | None = None,
    periods: bool = True,
    error: type[EventStudyError] = DataError,
) -> Days:
    """Read cells as days, or as times if `timed`.

    Parameters
    ----------
    cells : Series or Index
    where : str
        What they are, for messages.
    form : str, optional
        Format of texts.
    timezone : str, optional
        Zone in which aware times are taken; their own by default.
    timed : bool
        Whether times of day are wanted.
    name : function, optional
        Name of a row by its position, for messages.
    periods : bool
        Whether months and quarters are taken for their last day.
    error : type
        Error to raise.

    Raises
    ------
    error
        If a cell is not a day, or day and month cannot be told apart.
    """
    read = _days_of(cells, where, form, timezone, timed, name, periods, error)
    if not timed and read.step is None:
        refuse_swapped(read.stamps, where, error)
    return read


def _days_of(
    cells: pd.Series | pd.Index,
    where: str,
    form: str | None,
    timezone: str | None,
    timed: bool,
    name: Callable[[int], str] | None,
    periods: bool,
    error: type[EventStudyError],
) -> Days:
    row = name or (lambda i: f"row {i + 1}")
    column = pd.Series(cells).reset_index(drop=True)
    if isinstance(column.dtype, pd.PeriodDtype):
        step: Step | None = _STEPS.get(column.dtype.freq.rule_code[0])
        if step is not None and not periods and column.notna().any():
            first_known = int(np.argmax(column.notna()))
            raise error(
                f"{where}: the period {str(column[first_known])!r} in {row(first_known)} is longer than a "
                "day. Give the day itself; in a market of months, the last of the month will do: "
                "periods.to_timestamp(how='end').normalize()."
            )
        try:
            last = pd.DatetimeIndex(column.dt.end_time).normalize().as_unit("ns")
        except pd.errors.OutOfBoundsDatetime as problem:
            raise error(f"{where}: a period lies beyond the years 1677 to 2262 ({problem}).") from problem
        return Days(last, f"periods of {column.dtype.freq.rule_code}", step)
    if pd.api.types.is_datetime64_any_dtype(column):
        return _daily(pd.DatetimeIndex(column), where, timezone, timed, "dates", row, error)
    if pd.api.types.is_bool_dtype(column):
        raise error(f"{where}: {bool(column.iloc[0])!r} is not a date.")
    if column.dtype == object and (several := first_list(column)) is not None:
        raise error(f"{where}: {row(several)} holds {column[several]!r}, where one date is expected.")
    first, cells = pd.factorize(column)
    kinds = {_kind(cell) for cell in cells} - {"blank"}
    if len(kinds) > 1 and kinds != {"number", "text"}:
        spots = {_kind(cell): (i, cell) for i, cell in reversed(list(enumerate(column)))}
        shown = [f"{spots[kind][1]!r} in {row(spots[kind][0])}" for kind in sorted(kinds)]
        words = [cell for cell in cells if _kind(cell) == "text" and not re.search(r"\d", cell)]
        if words:
            bad = int(np.argmax((column == words[0]).to_numpy()))
            raise error(f"{where}: {row(bad)} holds {words[0]!r}, which is not a date. Leave that row out.")
        raise error(
            f"{where}: {' and '.join(shown)} are of different types. A spreadsheet that reads 03/04/2019 as "
            f"a date "
            "and 13/04/2019 as a text has swapped day and month of the former: read the file anew, the dates "
            "as texts."
        )
    if kinds == {"date"}:
        try:
            stamps = pd.DatetimeIndex(pd.to_datetime(column.where(~column.map(_kind).eq("blank"), None)))
        except (ValueError, TypeError) as problem:
            zones = list(dict.fromkeys(str(getattr(cell, "tzinfo", None)) for cell in cells))
            if len(zones) > 1:
                raise error(
                    f"{where}: the dates are of several zones, {', '.join(zones[:3])}. Drop the zones, if "
                    "each is midnight of its day: [stamp.tz_localize(None) for stamp in dates]."
                ) from problem
            raise error(f"{where}: the dates cannot be read ({str(problem).splitlines()[0]}).") from problem
        return _daily(stamps, where, timezone, timed, "dates", row, error)
    if kinds == {"period"}:
        return _days_of(pd.Series(pd.PeriodIndex(column)), where, form, timezone, timed, name, periods, error)
    if kinds == {"other"}:
        bad = next(i for i, cell in enumerate(column) if _kind(cell) == "other")
        raise error(f"{where}: {row(bad)} holds {column[bad]!r}, which is not a date.")
    if not kinds:
        return Days(pd.DatetimeIndex([pd.NaT] * len(column)).as_unit("ns"), "nothing")
    second, found_texts = pd.factorize(np.array([_text(cell) for cell in cells], dtype=object))
    texts = [str(text) for text in found_texts]
    code = np.where(first < 0, -1, np.append(second, -1)[first])

    def place(i: int) -> str:
        return row(int(np.argmax(code == i)))

    found, told, length = _read(texts, where, form, timezone, timed, place, periods, error)
    every = pd.DatetimeIndex(found.insert(len(found), pd.NaT)) if (code < 0).any() else found
    try:
        return Days(pd.DatetimeIndex(every[code]).as_unit("ns"), told, length)
    except pd.errors.OutOfBoundsDatetime as problem:
        far = int(np.argmax((found.year < FIRST_YEAR) | (found.year > LAST_YEAR)))
        raise error(
            f"{where}: {place(far)} holds {texts[far]!r}; days are read from {FIRST_YEAR} to {LAST_YEAR}."
        ) from problem


def _kind(cell: Any) -> str:
    if isinstance(cell, str):
        return (
            "blank"
            if cell.strip().lower() in ("", "nan", "nat", "none", "null", "na", "n/a", "<na>")
            else "text"
        )
    if isinstance(cell, pd.Period):
        return "period"
    if isinstance(cell, (bool, np.bool_)):
        return "other"
    if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
        return "blank"
    if isinstance(cell, (int, float, np.integer, np.floating)):
        return "number"
    return "date" if hasattr(cell, "year") or isinstance(cell, np.datetime64) else "other"


def _text(cell: Any) -> str | None:
    kind = _kind(cell)
    if kind == "blank":
        return None
    if kind == "number":
        value = float(cell)
        return str(int(value)) if value.is_integer() else repr(value)
    return " ".join(str(cell).split())


def _daily(
    stamps: pd.DatetimeIndex,
    where: str,
    timezone: str | None,
    timed: bool,
    form: str,
    row: Callable[[int], str],
    error: type[EventStudyError],
) -> Days:
    """Take aware stamps in their zone, and refuse times of day where days are wanted."""
    try:
        stamps = stamps.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as problem:
        raise error(f"{where}: a date lies beyond the years 1677 to 2262 ({problem}).") from problem
    aware = stamps.tz is not None
    if aware:
        stamps, form = _naive(stamps, timezone, timed, form)
    if timed:
        return Days(stamps, form)
    known = stamps[stamps.notna()]
    odd = known != known.normalize()
    if odd.any():
        # Midnight of another zone would put days on a Sunday.
        closing = None if aware or (known.day_of_week > 4).any() else _closing(known)
        if closing is not None:
            return Days(stamps.normalize(), f"{form}, at {closing}")
        first = known[odd][0]
        raise error(
            f"{where}: {first} carries a time of day; daily data is needed. If these are days, use "
            "index.normalize(); if the index is UTC, convert it to the exchange's time zone first; if they "
            "are intraday bars, say so: Market.from_prices(..., freq='1min')."
        )
    return Days(stamps, form)


def _closing(stamps: pd.DatetimeIndex) -> str | None:
    """Say at what time of day stamps are, if these are the closing times of several days, each one."""
    stamps = stamps.unique()
    days = stamps.normalize()
    clock = stamps - days
    early = (clock >= NOON) & (clock < CLOSING[0])
    if (
        len(days) < 2
        or not days.is_unique
        or not (early | ((clock >= CLOSING[0]) & (clock <= CLOSING[1]))).all()
        or early.sum() > min(max(HALF_DAYS * len(days), 2), len(days) / 2)
    ):
        return None
    usual = clock.to_series().mode()[0]
    return f"{str(usual)[7:12]} of each day" + ", earlier on half days" * bool(early.any())


def _naive(
    stamps: pd.DatetimeIndex, timezone: str | None, timed: bool, form: str
) -> tuple[pd.DatetimeIndex, str]:
    """Drop the zone: midnight in its own zone is a day, as is midnight in the zone of the exchange."""
    own = stamps.tz_localize(None)
    if not timed and (own[own.notna()] == own[own.notna()].normalize()).all():
        return own, form
    if not timed:
        # Midnight elsewhere, if days there are weekdays and on the clock of the stamps some are Sundays.
        zone = _zone_of_days(stamps[stamps.notna()], timezone)
        there = own if zone is None else stamps.tz_convert(zone).tz_localize(None)
        sundays = bool((own.day_of_week == 6).any() and not (there.day_of_week > 4).any())
        if zone is not None and (sundays or bool((own.normalize() == there)[own.notna()].all())):
            return there, f"{form}, days of {zone}"
    return (own if timezone is None else stamps.tz_convert(timezone).tz_localize(None)), form


def _read(
    texts: list[str],
    where: str,
    form: str | None,
    timezone: str | None,
    timed: bool,
    place: Callable[[int], str],
    periods: bool,
    error: type[EventStudyError],
) -> tuple[pd.DatetimeIndex, str, Step | None]:
    if form is not None:
        stamps = _parse(texts, form, where, place, error)
        return _daily(stamps, where, timezone, timed, form, place, error).stamps, form, None
    if all(re.fullmatch(r"\d+(\.\d+)?(e\+?\d+)?", text) for text in texts):
        return _of_numbers(texts, where, timezone, timed, place, periods, error)
    texts = [_WEEKDAY.sub("", text) for text in texts]
    days, clocks = texts, []
    if any(":" in text for text in texts):
        texts = [_SAS.sub(_iso, text) for text in texts]
        days = [_MIDNIGHT.sub("", text) for text in texts]
        clocks = [_CLOCK.search(day) for day in days]
    if clocks and all(clocks) and not timed:
        code, told = pd.factorize(np.array([clock[1] for clock in clocks if clock], dtype=object))
        moments = [f"2000-01-01 {clock}" for clock in told]
        spent = pd.to_datetime(pd.Series(moments), format="mixed", errors="coerce") - pd.Timestamp(
            "2000-01-01"
        )
        # Only times that may be closings: of others, days and months need not be told apart.
        if spent.between(NOON, CLOSING[1]).all():
            days = [_CLOCK.sub("", day) for day in days]
            stamps, shown, step = _read(days, where, None, timezone, False, place, periods, error)
            there = stamps + pd.TimedeltaIndex(spent.iloc[code])
            abroad = bool((stamps.day_of_week == 6).any()) and not (there.minute > 0).any()
            closing = None if abroad else _closing(there)
            if closing is not None:
                return stamps, f"{shown}, at {closing}", step
            days = texts
    if timed or any(_TIMED.search(day) for day in days):
        try:
            with warnings.catch_warnings():
                # Where zones differ, pandas 2 warns and pandas 3 refuses.
                warnings.simplefilter("error", FutureWarning)
                stamps = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts), format="ISO8601"))
        except (ValueError, TypeError, FutureWarning):
            try:
                stamps = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True))
            except (ValueError, TypeError) as problem:
                bad = next((i for i, day in enumerate(days) if _TIMED.search(day)), 0)
                raise error(_no_day(texts[bad], where, place(bad), "carries a time, or ")) from problem
        found = _daily(stamps, where, timezone, timed, "dates", place, error)
        return found.stamps, found.form, None
    shape, step = _shape(days, texts, where, place, periods, error)
    if step is not None:
        try:
            ends = pd.PeriodIndex([_period(day) for day in days], freq=step)
        except (ValueError, TypeError) as problem:
            raise error(_no_day(texts[0], where, place(0))) from problem
        return pd.DatetimeIndex(ends.to_timestamp(how="end").normalize()), shape, step
    days = [re.sub(r"(?<=[년월]) ", "", day) for day in days] if "년" in shape else days
    return _parse(days, shape.replace(" ", "") if "년" in shape else shape, where, place, error), shape, None


def _iso(found: re.Match[str]) -> str:
    """Day of SAS's moment, as others write it."""
    month = found[2].lower()
    if month not in _MONTHS:
        return found[0]
    year = int(found[3]) + (0 if len(found[3]) == 4 else 1900 if int(found[3]) >= PIVOT else 2000)
    return f"{year:04d}-{_MONTHS.index(month) + 1:02d}-{int(found[1]):02d} "


def _parse(
    texts: list[str], form: str, where: str, place: Callable[[int], str], error: type[EventStudyError]
) -> pd.DatetimeIndex:
    cells, shape = texts, form
    if re.search("%[bB]", form) and all(_MONTH.search(text) for text in texts):
        cells = [_MONTH.sub(lambda found: f" {_MONTHS.index(found[1].lower()) + 1} ", text) for text in texts]
        shape = re.sub("%[bB]", " %m ", form)
    read = pd.to_datetime(pd.Series(cells, dtype=object), format=shape, errors="coerce")
    if read.isna().any():
        bad = int(read.isna().argmax())
        raise error(
            f"{where}: not every cell is a day in the format {form!r} ({texts[bad]!r} in {place(bad)})."
        )
    return pd.DatetimeIndex(read)


def _shape(
    days: list[str],
    texts: list[str],
    where: str,
    place: Callable[[int], str],
    periods: bool,
    error: type[EventStudyError],
) -> tuple[str, Step | None]:
    for pattern, form in _FORMATS:
        if re.fullmatch(pattern, days[0]):
            return form, None
    for pattern, step in _PERIODS:
        if all(re.fullmatch(pattern, day, re.IGNORECASE) for day in days):
            if not periods:
                raise error(_no_day(texts[0], where, place(0), "is a period; "))
            return f"periods such as {days[0]!r}", step  # type: ignore[return-value]
    parts = [_EITHER.fullmatch(day) for day in days]
    if not all(part and part[2] == part[4] for part in parts):
        bad = next(i for i, part in enumerate(parts) if part is None or part[2] != part[4])
        raise error(_no_day(texts[bad], where, place(bad)))
    sign = parts[0][2]  # type: ignore[index]
    year = "%Y" if all(len(part[5]) == 4 for part in parts if part) else "%y"
    cells = np.array([[int(part[k]) for k in (1, 3, 5)] for part in parts if part])
    first, second, third = cells.max(axis=0).tolist()
    if year == "%y" and second <= 12 and 1 <= third <= 31:
        ahead = year_is_first(cells)
        if ahead:
            return f"%y{sign}%m{sign}%d", None
        if ahead is None:
            raise error(
                f"{where}: day, month and year of {texts[0]!r} cannot be told apart. Pass "
                f"date_format='%y{sign}%m{sign}%d' or '%d{sign}%m{sign}%y', or write years in four digits."
            )
    if first > 12 >= second:
        return f"%d{sign}%m{sign}{year}", None
    if second > 12 >= first:
        return f"%m{sign}%d{sign}{year}", None
    if first > 12 and second > 12:
        raise error(
            f"{where}: some dates are written day-month and others month-day, such as {texts[0]!r}. Mend the "
            f"column."
        )
    raise error(
        f"{where}: day and month of {texts[0]!r} cannot be told apart. Pass "
        f"date_format='%d{sign}%m{sign}{year}' or "
        f"'%m{sign}%d{sign}{year}', or read them yourself: pd.to_datetime(..., dayfirst=True)."
    )


def _of_numbers(
    texts: list[str],
    where: str,
    timezone: str | None,
    timed: bool,
    place: Callable[[int], str],
    periods: bool,
    error: type[EventStudyError],
) -> tuple[pd.DatetimeIndex, str, Step | None]:
    """Read whole columns of numbers: yyyymmdd, yyyymm, Excel's days, seconds since 1970."""
    values = np.array([float(text) for text in texts])
    whole = bool((values == np.floor(values)).all())
    if whole and all(re.fullmatch(r"(1[89]|20|21)\d{6}", text.split(".")[0]) for text in texts):
        return _parse([text.split(".")[0] for text in texts], "%Y%m%d", where, place, error), "%Y%m%d", None
    months = whole and all(re.fullmatch(r"(19|20)\d{2}(0[1-9]|1[0-2])", text.split(".")[0]) for text in texts)
    if months and periods and len(texts) >= 3:
        ends = pd.PeriodIndex([f"{text[:4]}-{text[4:6]}" for text in texts], freq="M")
        return pd.DatetimeIndex(ends.to_timestamp(how="end").normalize()), "months such as " + texts[0], "M"
    if ((values >= EXCEL[0]) & (values <= EXCEL[1])).all():
        days = EXCEL_ORIGIN + pd.to_timedelta(values, unit="D")
        _refuse_shifted(days, values, where, error)
        refuse_open_origin(values, where, error)
        found = _daily(days.round("s"), where, timezone, timed, "Excel's count of days", place, error)
        return found.stamps, found.form, None
    for unit, low, high in (
        ("s", 1e8, 4.5e9),
        ("ms", 1e11, 4.5e12),
        ("us", 1e14, 4.5e15),
        ("ns", 1e17, 4.5e18),
    ):
        if whole and ((values >= low) & (values <= high)).all():
            stamps = pd.DatetimeIndex(
                pd.to_datetime(pd.Series([int(float(t)) for t in texts]), unit=unit, utc=True)  # type: ignore[call-overload]
            )
            refuse_times_to_come(stamps, values, where, error)
            zone = _zone_of_days(stamps, timezone)
            if zone is not None and not timed:
                stamps = stamps.tz_convert(zone)
            found = _daily(stamps, where, zone or timezone, timed, f"{unit} since 1970", place, error)
            return found.stamps, found.form + (f", days of {zone}" if zone and zone != "UTC" else ""), None
    shown = (
        f"the index holds numbers ({texts[0]}, ...), not dates"
        if where.endswith("index")
        else (f"{texts[0]!r} in {place(0)} is not a date that can be read")
    )
    counts = ((values >= 1_000) & (values < EXCEL[1])).all() and not (
        (values >= 1_900) & (values <= 2_100)
    ).all()
    cure = (
        " Counts of days need their origin: pd.to_datetime(column, unit='D', origin='1960-01-01') for SAS "
        "and Stata, '1970-01-01' for R."
        if counts
        else ""
    )
    raise error(
        f"{where}: {shown}.{cure} Write days as 2019-05-22 or 20190522"
        + ("; set the date column as index: frame.set_index('date')." if error is DataError else ".")
    )


def _refuse_shifted(
    days: pd.DatetimeIndex, values: npt.NDArray[np.float64], where: str, error: type[EventStudyError]
) -> None:
    """Refuse counts of days from another origin than Excel's, as the weekdays would be no weeks of trade."""
    share = np.bincount(days.day_of_week, minlength=7) / len(days)
    free = tuple(np.flatnonzero(share == 0).tolist())
    if len(days) < 10 or free not in SHIFTED or (share[share > 0] < 0.1).any():
        return
    week, origins = SHIFTED[free]
    spent = pd.Timedelta(days=int(values[0]))
    firsts = {origin: pd.Timestamp(origin) + spent for _, origin in origins}
    likely = next((o for o, first in firsts.items() if first < pd.Timestamp.now()), origins[0][1])
    others = ", ".join(f"{name} from {o}, for {firsts[o]:%Y-%m-%d}" for name, o in origins)
    raise error(
        f"{where}: {values[0]:g} counts days, and by Excel's count, for {days[0]:%Y-%m-%d}, they would run "
        f"from {week}. Others count otherwise: {others}. Say which it is, such as "
        f"pd.to_datetime(column, unit='D', origin={likely!r})."
    )


def _zone_of_days(stamps: pd.DatetimeIndex, timezone: str | None) -> str | None:
    """Return the zone in which all of the stamps are midnight, None if there is none."""
    for zone in dict.fromkeys(["UTC", *([timezone] if timezone else []), *ZONES]):
        local = stamps.tz_convert(zone).tz_localize(None)
        if (local == local.normalize()).all():
            return zone
    return None


def _period(text: str) -> pd.Period:
    month = re.fullmatch(r"(\d{4})[-/M](\d{1,2})", text, re.IGNORECASE)
    if month:
        return pd.Period(f"{month[1]}-{int(month[2]):02d}", freq="M")
    quarter = re.fullmatch(r"(\d{4})[- ]?Q([1-4])", text, re.IGNORECASE)
    other = re.fullmatch(r"Q([1-4])[- ](\d{4})", text, re.IGNORECASE)
    if quarter or other:
        year, q = (quarter[1], quarter[2]) if quarter else (other[2], other[1])  # type: ignore[index]
        return pd.Period(f"{year}Q{q}", freq="Q")
    return pd.Period(pd.Timestamp(text.replace("-", " ")), freq="M")


def _no_day(text: str, where: str, row: str, extra: str = "") -> str:
    return (
        f"{where}: {text!r} in {row} {extra}is not a day that can be read. Pass date_format=, such as "
        f"'%d.%m.%Y', "
        "or write days as 2019-05-22."
    )
