"""Names of columns, in the words of vendors and in several languages → what the columns hold.

One table for every door: events, prices, returns, factors, benchmarks, in frames and in files.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from eventstudy.errors import DataError, EventStudyError
from eventstudy.text import regex

__all__ = [
    "ADJUSTED_TOO",
    "AFTER_NAMES",
    "CLOCK_NAMES",
    "CURRENCY_NAMES",
    "DATE_NAMES",
    "EVENT_DATE_NAMES",
    "EVENT_DAY_NAMES",
    "EVENT_MOMENT_NAMES",
    "FACTOR_NAMES",
    "FIELD_NAMES",
    "INDEX_RETURNS",
    "LEVEL_NAMES",
    "NOT_PRICES",
    "NO_PRICES_OR_RETURNS",
    "PERCENT_NAMES",
    "SECURITY_NAMES",
    "SESSION_NAMES",
    "SETTING_NAMES",
    "TOTAL_RETURN_NAMES",
    "UNIQUE_IDS",
    "WINDOW_COLUMNS",
    "ZONE_NAMES",
    "factor_name",
    "field_of",
    "find_column",
    "in_percent",
    "may_be_ticker",
    "pick_one",
    "plain_name",
    "says_log",
]

#: Names of date columns, in the order in which they are looked for.
DATE_NAMES = (
    "date",
    "day",
    "tradedate",
    "tradingdate",
    "trddt",
    "trddy",
    "observationdate",
    "trdmnt",
    "tradingday",
    "datadate",
    "caldt",
    "dlycaldt",
    "mthcaldt",
    "pricedate",
    "exchangedate",
    "datetime",
    "dates",
    "session",
    "time",
    "timestamp",
    "month",
    "period",
    "日期",
    "交易日期",
    "时间",
    "datum",
    "data",
    "fecha",
    "дата",
    "tarih",
    "날짜",
    "日付",
)
#: Ids that name one security for good.
UNIQUE_IDS = (
    "permno",
    "kypermno",
    "lpermno",
    "permnum",
    "gvkey",
    "isin",
    "isincode",
    "figi",
    "sedol",
    "cusip",
    "secid",
)
#: Names of security columns, in the order in which they are looked for: tickers change hands.
SECURITY_NAMES = (
    "security",
    *UNIQUE_IDS,
    *[
        "oftic",
        "ticker",
        "tickersymbol",
        "companyticker",
        "symbol",
        "symbols",
        "tic",
        "tsym",
        "ric",
        "instrument",
        "tscode",
        "stkcd",
        "secucode",
        "seccode",
        "windcode",
        "stockcode",
        "stock",
        "code",
        "asset",
        "actticker",
        "sym",
        "代码",
        "股票代码",
        "证券代码",
        "종목코드",
        "firmid",
        "companyid",
        "indexname",
        "company",
        "firm",
        "securityname",
    ],
)

_FIELDS: dict[str, str] = {
    "close": """
        close price last lastprice closeprice closingprice priceclose closelast prc dlyprc dlyclose mthprc
        altprc clsprc mclsprc pxlast lastpx pxclose prccd prccm trdprc1 settlement settle cls 收盘 收盘价
        今收盘 最新价 closeclosepriceadjustedforsplits
        schluss schlusskurs zuletzt cierre dernier zamkniecie chiusura ultimo último 종가 終値 цена
        şimdi laatst laatste ostatnio senaste
    """,
    "adj_close": """
        adjclose adjustedclose adjusted adjcloseprice closeadj adjprc adjprcwd adjpx totalreturnindex
        adjcloseadjustedclosepriceadjustedforsplitsanddividendandorcapitalgaindistributions
        totreturnindex totreturnindexgrossdvds totretind 后复权收盘价 前复权收盘价 复权收盘价
        終値調整値 調整後終値 調整済み終値 修正終値 수정종가 수정주가 cierreajustado
    """,
    "open": """
        open opnprc openprc openprice priceopen dlyopen pxopen prcod 开盘 开盘价 今开盘 今开 apertura
        otwarcie eröffnung eröffn erster 시가 始値 откр aç\u0131l\u0131ş öppen
    """,
    "high": """
        high hiprc askhi highprice pricehigh dlyhigh pxhigh prchd 最高 最高价 hoch najwyzszy alto máximo
        고가 高値 макс yüksek hoog högst högsta
    """,
    "low": """
        low loprc bidlo lowprice pricelow dlylow pxlow prcld 最低 最低价 tief najnizszy bajo mínimo 저가
        安値 мин düşük laag lägst lägsta
    """,
    "volume": """
        volume vol dnshrtrd dlyvol mthvol cshtrd cshtrm pxvolume totalvolume volumetraded acvoluns 成交量
        volumen wolumen 거래량 出来高 объём
    """,
    "previous_close": """
        previousclose preclose prevclose precloseprice previouscloseprice 前收盘 前收盘价 昨收 昨收价 昨收盘
    """,
    "reference": "reference referenceprice",
    "dividends": "dividends dividend divcash dividendamount cashdividend",
    "splits": "splits split stocksplits splitfactor splitcoefficient splitratio",
    "return": """
        return returns ret dlyret mthret dretwd mretwd simplereturn dailyreturn totalreturn totalreturn1day
        pctchg pctchange changepercent changep chgpct changepct pctchange1d 涨跌幅 등락률
    """,
    "price_return": "retx dlyretx mthretx dretnd mretnd retwithoutdividends",
    "log_return": """
        logret logrets logreturn logreturns lret lnret lnrets lnreturn lnreturns retln retlog returnln
        returnlog logrtn lnrtn logdailyreturn dailylogreturn logdiff lndiff logchange lnchange dlogprice
        dlnprice ccret ccreturn ccreturns continuousreturn continuouslycompoundedreturn logarithmicreturn
    """,
    "delisting_return": "dlret delret",
    "cumulative_factor": "cfacpr dlycumfacpr mthcumfacpr ajexdi ajexm",
    "total_return_factor": "trfd trfm",
    "status": """
        status tradestatus tradingstatus trdsta paused tradingstatusflg dlytradingstatusflg suspended halted
        交易状态
    """,
}
# Each field is known by the name that this library gives it too, as frames of read files bear it.
for _field in (*_FIELDS, "rounded_return"):
    _FIELDS[_field] = f"{_FIELDS.get(_field, '')} {_field.replace('_', '')}"
#: Field by plain name; of the fields, `return` and those after it are not prices.
FIELD_NAMES: dict[str, str] = {name: field for field, names in _FIELDS.items() for name in names.split()}
#: Further names of adjusted closes, taken where no column bears one of those above.
ADJUSTED_TOO = frozenset(
    word
    for adjusted in ("adj", "adjust", "adjusted", "adjustment")
    for close in ("c", "close", "closing", "closeprice", "closingprice", "price", "px", "last", "lastprice")
    for word in (adjusted + close, close + adjusted)
) - set(FIELD_NAMES)  # fmt: skip
FIELD_NAMES |= dict.fromkeys(ADJUSTED_TOO, "adj_close")
#: Names that are fields only where every column has a field and a security: alone, they may be tickers.
LEVEL_NAMES = {
    "p": "close", "up": "close", "ri": "adj_close", "po": "open", "ph": "high", "pl": "low", "vo": "volume",
    "trprice": "close", "trpriceclose": "close", "trvolume": "volume", "pxlasteod": "close",
}  # fmt: skip
#: Names of fields that are tickers too: Celestica is CLS, Lowe's is LOW, Opendoor is OPEN.
TICKERS_TOO = frozenset({
    "cls", "last", "open", "high", "low", "vol", "ret", "split", "alto", "bajo", "hoch", "tief",
    *(name for name in LEVEL_NAMES if len(name) <= 2),
})  # fmt: skip
#: Fields that are not prices, and so may be zero or negative.
NOT_PRICES = frozenset(
    [
        "volume",
        "dividends",
        "splits",
        "return",
        "price_return",
        "log_return",
        "delisting_return",
        "cumulative_factor",
        "total_return_factor",
        "status",
        "rounded_return",
    ]
)
#: Numbers of a security that are neither its price nor its return.
NO_PRICES_OR_RETURNS = frozenset(
    [
        "marketcap",
        "mktcap",
        "marketvalue",
        "marketcapitalization",
        "dlycap",
        "mv",
        "shrout",
        "sharesoutstanding",
        "shares",
        "cshoc",
        "turnover",
        "amount",
        "eps",
        "numtrd",
        "transactions",
        "成交额",
        "换手率",
        "总市值",
    ]
)
#: Columns that name the currency, or the unit of it, in which the prices of a row are.
CURRENCY_NAMES = frozenset(
    [
        "currency",
        "currencycode",
        "currencyisocode",
        "isocurrency",
        "ccy",
        "curr",
        "crncy",
        "curcd",
        "curcdd",
        "pricecurrency",
        "tradingcurrency",
        "quotecurrency",
        "quoteunit",
        "priceunit",
        "货币",
        "币种",
    ]
)
#: Names of total returns that vendors give in full precision: they are taken before what prices say.
TOTAL_RETURN_NAMES = frozenset(
    ["ret", "dlyret", "mthret", "dretwd", "mretwd", "return", "returns", "simplereturn", "dailyreturn"]
)
#: Names of returns that are written in percent.
PERCENT_NAMES = frozenset(
    [
        "pctchg",
        "pctchange1d",
        "changepercent",
        "changep",
        "chgpct",
        "changepct",
        "totalreturn",
        "totalreturn1day",
        "涨跌幅",
        "등락률",
    ]
)
#: Returns of an index that long files repeat in the row of each security.
INDEX_RETURNS = frozenset(
    ["vwretd", "vwretx", "ewretd", "ewretx", "sprtrn", "dmretwd", "mktret", "indexreturn", "marketreturn"]
)
#: Factors under other names than the models ask for.
FACTOR_NAMES = {
    "mktrf": "mkt_rf", "rmrf": "mkt_rf", "mktminusrf": "mkt_rf", "mktexcess": "mkt_rf", "rmkt": "mkt",
    "rf": "rf", "rfdly": "rf", "riskfree": "rf", "rfrate": "rf", "riskfreerate": "rf",
    "umd": "mom", "wml": "mom", "rme": "me", "ria": "ia", "rroe": "roe", "reg": "eg",
}  # fmt: skip

#: Days of events, and moments of announcements, in the order in which they are looked for.
EVENT_DATE_NAMES = (
    "date",
    "eventdate",
    "announcementdate",
    "announcedate",
    "announceddate",
    "dateannounced",
    "anndate",
    "anndats",
    "anndatsact",
    "rdq",
    "earningsdate",
    "filingdate",
    "filedate",
    "reportdate",
    "declarationdate",
    "day",
    "公告日期",
    "事件日",
    "公告日",
)
#: Of these, names of the day of the event itself, not of a report or a filing.
EVENT_DAY_NAMES = frozenset(
    ["eventdate", "announcementdate", "announcedate", "announceddate", "anndate", "anndats", "rdq", "事件日"]
)
EVENT_MOMENT_NAMES = (
    "announcedat",
    "acceptancedatetime",
    "acceptancedatetimeutc",
    "acceptedat",
    "accepted",
    "announcedateutc",
    "timestamputc",
    "datetimeutc",
    "announceddateutc",
    "announcementdatetime",
    "announcedatetime",
    "datetime",
    "timestamp",
    "publishedat",
    "earningsdate",
    "announcedate",
    "announceddate",
    "eventdatetime",
    "startdatetime",
)
#: Clock times, zones and sessions (before the opening, after the close) of event lists.
CLOCK_NAMES = frozenset(
    [
        "time",
        "anntims",
        "anntimsact",
        "announcementtime",
        "anntime",
        "announcetime",
        "eventtime",
        "releasetime",
        "timeet",
        "earningscalltime",
        "hour",
        "clock",
    ]
)
ZONE_NAMES = ("timezone", "tz", "zone", "timezonename", "announcedtimezone")
SESSION_NAMES = frozenset(
    [
        "session",
        "when",
        "timing",
        "amcbmo",
        "bmoamc",
        "beforeaftermarket",
        "reporttime",
        "callltime",
        "calltime",
        "releasetiming",
        "marketsession",
        "earningscalltime",
        "hour",
        "timeofday",
    ]
)
#: Columns that say by yes or no whether an announcement came after the close.
AFTER_NAMES = frozenset(
    prefix + name
    for prefix in ("", "is", "announced")
    for name in ("afterhours", "afterclose", "aftermarket", "aftermarketclose", "postmarket")
) | {"isamc", "盘后"}
#: Columns of events that give windows of their own, in sessions relative to day 0 or as dates.
#: The latter two are those of a second estimation window.
WINDOW_COLUMNS = (
    "estimation_start",
    "estimation_end",
    "window_start",
    "window_end",
    "estimation_start_2",
    "estimation_end_2",
)
#: Columns of events that look like settings of a study.
SETTING_NAMES = frozenset(
    [
        "estimation",
        "estimationwindow",
        "eststart",
        "estend",
        "estimationwindowstart",
        "estimationwindowend",
        "eventwindowstart",
        "eventwindowend",
        "window",
        "eventwindow",
        "evtstart",
        "evtend",
        "start",
        "end",
        "model",
        "bench",
        "benchmarkindex",
        "marketindex",
    ]
)

_NUMBERED = regex(r"^\s*\d+[a-z]?\.\s+")
#: A unit in brackets, also in full-width ones.
_BRACKETS = regex(r"\s*[(\uff08\[][^()\uff08\uff09]*[)\uff09\]]\s*$")
_CHANGE = regex(r"(change|chg\.?|var\.?)\s*%|%\s*(change|chg)|\+/-\s*%")
_PERCENT = regex(r"%|(?<![a-z])(percent|pct)(?![a-z])")
#: Words in brackets that change what a column is, unlike units: logs, the day before, a return less another.
_LOG = regex(r"(?<![a-z])(ln|log|logs|logarithmic|continuous(ly compounded)?)(?![a-z])")
_BEFORE = regex(r"(?<![a-z])(prev|previous|prior|yesterday|lag|lagged|t-1)(?![a-z])")
_LESS = regex(r"(?<![a-z])(excess|abnormal|residual|expected|market|index|benchmark)(?![a-z])")
_LAST = regex(r"(?<![a-z])last(?![a-z])|lastp(rice|x)|最新价")
_LOG_R = regex(r"(ln|log)[ _.-]r|r[ _.-](ln|log)")


def plain_name(name: Hashable) -> str:
    """Return the letters and digits of a column's name, in lower case; ``4. close`` is ``close``."""
    return "".join(c for c in _NUMBERED.sub("", str(name)).lower() if c.isalnum())


def field_of(name: Hashable, *, level: bool = False) -> str | None:
    """Return the field that a column's name stands for, with or without a unit in brackets; else None.

    Examples
    --------
    >>> field_of("Close (USD)"), field_of("Return (log)"), field_of("Close (previous)")
    ('close', 'log_return', 'previous_close')
    """
    text = str(name).strip().lower()
    word = plain_name(name)
    found = FIELD_NAMES.get(word)
    if found is None:
        found = _qualified(FIELD_NAMES.get(plain_name(_BRACKETS.sub("", text))), text)
    if found is None and _CHANGE.fullmatch(text):
        return "return"
    if found is None and _LOG_R.fullmatch(text):
        return "log_return"
    return found or (LEVEL_NAMES.get(word) if level else None)


def _qualified(found: str | None, text: str) -> str | None:
    """Return the field of a name whose brackets may hold more than a unit."""
    inner = _BRACKETS.search(text)
    if found is None or inner is None:
        return found
    if _LOG.search(inner[0]):
        return "log_return" if found in ("return", "price_return", "log_return") else None
    if _BEFORE.search(inner[0]):
        return "previous_close" if found == "close" else None
    return None if found in ("return", "price_return") and _LESS.search(inner[0]) else found


def in_percent(name: Hashable) -> bool:
    """Whether a name of returns says that they are in percent.

    Examples
    --------
    >>> [in_percent(name) for name in ("Change %", "pct_chg", "Return (%)", "pct_change", "ret")]
    [True, True, True, False, False]
    """
    text = str(name).strip().lower()
    return plain_name(name) in PERCENT_NAMES or (
        plain_name(name) != "pctchange" and bool(_PERCENT.search(text))
    )


def says_log(name: Hashable) -> bool:
    """Whether a name of returns says that they are log returns."""
    return bool(_LOG.search(str(name).strip().lower().replace("_", " "))) or field_of(name) == "log_return"


def may_be_ticker(name: Hashable) -> bool:
    """Whether a name of a field may be a ticker: it is one, and written in one case.

    Examples
    --------
    >>> may_be_ticker("CLS"), may_be_ticker("Low"), may_be_ticker("Close")
    (True, False, False)
    """
    text = str(name).strip()
    return plain_name(text) in TICKERS_TOO and (text.isupper() or text.islower())


def factor_name(column: str) -> str:
    """Name of a factor as the models ask for it."""
    return FACTOR_NAMES.get(plain_name(column), "_".join(column.strip().lower().replace("-", " ").split()))


def find_column(columns: Iterable[Any], names: Iterable[str]) -> Any | None:
    """Return the column that has the first of some plain names, None if there is none."""
    by_name: dict[str, Any] = {}
    for column in columns:
        by_name.setdefault(plain_name(column), column)
        by_name.setdefault(plain_name(_BRACKETS.sub("", str(column))), column)
    return next((by_name[wanted] for wanted in names if wanted in by_name), None)


def pick_one(
    columns: Mapping[Any, str],
    what: str,
    same: Callable[[Any, Any], bool],
    error: type[EventStudyError] = DataError,
) -> dict[str, Any]:
    """Return the one column of each field; two that differ are an error that names both.

    Parameters
    ----------
    columns : mapping of column to field
    what : str
        Where they stand, for messages.
    same : function
        Whether two columns hold the same values.
    error : type
        Error to raise.
    """
    chosen: dict[str, Any] = {}
    for column, field in columns.items():
        if field in chosen and not same(chosen[field], column):
            # The price of the last trade is less than the official close.
            last = _LAST.search(str(chosen[field]).lower()) and not _LAST.search(str(column).lower())
            out = chosen[field] if last else column
            raise error(
                f"{what}: the columns {str(chosen[field])!r} and {str(column)!r} both look like {field}, and "
                f"differ. Pass columns={{{str(out)!r}: 'ignore'}}, or another name for one of them."
            )
        chosen.setdefault(field, column)
    return chosen
