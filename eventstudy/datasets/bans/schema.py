"""Columns and closed vocabularies of the ban announcements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ANNOUNCEMENTS", "CHANGES", "MARKETS", "SECURITIES", "SOURCES", "TABLES", "Column", "MarketRule"]

Form = Literal["text", "list", "day", "time", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    meaning : str
        What it says, as the documentation prints it.
    form : {"text", "list", "day", "time", "flag"}
        How it is written: text, names separated by ``"; "``, ``2019-05-22``, ``2019-05-21T21:00Z``
        (UTC), or yes/no.
    values : dict, optional
        All that is allowed, each with its meaning.
    required : bool
        Whether it must be filled in.
    """

    meaning: str
    form: Form = "text"
    values: dict[str, str] | None = None
    required: bool = False


@dataclass(frozen=True)
class MarketRule:
    """What a market identifier code implies.

    Parameters
    ----------
    name : str
        The exchange.
    calendar : str
        Calendar of exchange_calendars with its sessions.
    suffix : str
        What its tickers end in, after Yahoo's custom.
    benchmark : str
        Index that its securities are compared with.
    """

    name: str
    calendar: str
    suffix: str
    benchmark: str


MARKETS = {
    "XSHE": MarketRule("Shenzhen", "XSHG", ".SZ", "399001.SZ"),
    "XSHG": MarketRule("Shanghai", "XSHG", ".SS", "000001.SS"),
    "XHKG": MarketRule("Hong Kong", "XHKG", ".HK", "^HSI"),
    "XNAS": MarketRule("Nasdaq", "XNAS", "", "^GSPC"),
    "XNYS": MarketRule("New York", "XNYS", "", "^GSPC"),
    "OTCM": MarketRule("US over the counter", "XNYS", "", "^GSPC"),
    "XTAI": MarketRule("Taiwan", "XTAI", ".TW", "^TWII"),
    "XTKS": MarketRule("Tokyo", "XTKS", ".T", "^N225"),
    "XKRX": MarketRule("Korea", "XKRX", ".KS", "^KS11"),
    "XAMS": MarketRule("Amsterdam", "XAMS", ".AS", "^AEX"),
    "XSTO": MarketRule("Stockholm", "XSTO", ".ST", "^OMX"),
    "XHEL": MarketRule("Helsinki", "XHEL", ".HE", "^OMXH25"),
}

KINDS = {
    "press_report": "journalists report what is considered, planned or happening",
    "leak": "journalists report a decision hours or days before it is published",
    "official": "a government, legislature, court or exchange acts",
    "reversal": "a measure is suspended, eased or lifted, or that is promised",
    "allied": "a government other than that of the US acts",
    "company": "a firm discloses what concerns it",
}

INSTRUMENTS = {
    "entity_list": "US Commerce Department's list of firms that need a licence to be supplied",
    "denial_order": "US Commerce Department's ban on supplying one firm at all",
    "military_end_use": "letter that subjects supplies to one firm to licences",
    "unverified_list": "list of firms whose end use could not be checked",
    "fdp_rule": "foreign direct product rule: foreign goods made with US technology",
    "chip_rule": "export controls on advanced chips, chip tools and design software",
    "ndaa_889": "ban on federal purchases (section 889 of the defence act for 2019)",
    "fcc_covered_list": "telecom regulator's list of equipment that is a security risk",
    "cmc_list": "Pentagon's lists of Chinese military companies (sections 1237 and 1260H)",
    "cmic_list": "Treasury's list of firms whose securities may not be bought",
    "investment_ban": "executive orders against buying securities, and delistings under them",
    "sdn_list": "Treasury's full sanctions",
    "executive_order": "other executive orders",
    "biosecure": "bill and act against contracts with Chinese biotechnology firms",
    "network_ban": "exclusion from an allied country's 5G networks",
    "allied_order": "order of another government against one firm",
    "prosecution": "indictment, arrest or probation",
    "injunction": "court order against sales",
    "settlement": "settlement with the US government",
    "campaign": "diplomatic pressure",
    "warning": "security warning without legal force",
}

STAGES = {
    "proposed": "reported, considered, threatened or about to come",
    "step": "one step of legislation",
    "imposed": "decided or in force",
    "widened": "an existing measure reaches further",
    "aftermath": "firms and markets act on an earlier measure",
    "eased": "suspended, eased, lifted, or on the way to it",
}

CHANNELS = {
    "press_report": "press report",
    "leak": "leak",
    "leak_then_executive_order": "leak, and the order on the same day",
    "official_announcement": "announcement of a department",
    "executive_order": "executive order",
    "rule_filed": "rule placed on public inspection",
    "rule_published": "rule published",
    "fr_publication": "notice in the Federal Register",
    "agency_notice": "notice of an agency",
    "agency_order": "order of an agency",
    "statute": "act signed",
    "legislation_step": "vote of one chamber",
    "court": "court",
    "exchange_action": "exchange",
    "company_filing": "filing or notice of a firm",
    "ally_government": "government other than that of the US",
    "social_media": "social media",
}

ROLES = {
    "target": "named, or a share of the named firm",
    "affiliate": "listed arm or parent of a named group",
    "supplier": "sells to the firm that is hit, or exports what the rule restricts",
    "customer": "buys what the rule restricts",
    "rival": "competes with the firm that is hit, and may gain",
    "peer": "same sector or position, and may be next",
    "index": "an index, for comparison only",
}

PHASES = {"closed": "the exchange is closed", "intraday": "between opening and close"}

ANNOUNCEMENTS = {
    "announcement_id": Column("Unique: date and a short name, such as 2019-05-21_NYT_HIK.", required=True),
    "title": Column("What was announced, in our own words.", required=True),
    "earliest": Column("Earliest moment (UTC) at which it can have been known.", "time", required=True),
    "latest": Column("Latest such moment (UTC).", "time", required=True),
    "precision": Column(
        "How closely the sources date it.",
        values={
            "minute": "one end of the window is known to the minute",
            "hour": "to the hour or so",
            "window": "between two known moments, such as an evening and the next opening",
            "day": "to the day",
        },
        required=True,
    ),
    "time_evidence": Column(
        "Where the ends of the window come from.",
        values={
            "stated": "a time stamp or a phrase of the sources",
            "latest_stated": "the latest moment is in the sources, the earliest is assumed",
            "assumed": "the sources give the day, its hours are assumed: unverified",
        },
        required=True,
    ),
    "time_note": Column("How the window was found; source keys in brackets.", required=True),
    "kind": Column("What kind of news it is.", values=KINDS, required=True),
    "channel": Column("Through what it became known.", values=CHANNELS, required=True),
    "instrument": Column("Which measure it is about.", values=INSTRUMENTS, required=True),
    "stage": Column("How far the measure has come.", values=STAGES, required=True),
    "jurisdiction": Column(
        "Who acts.",
        "list",
        {
            "US": "United States",
            "CN": "China",
            "CA": "Canada",
            "AU": "Australia",
            "UK": "United Kingdom",
            "NL": "Netherlands",
            "TW": "Taiwan",
        },
        required=True,
    ),
    "entities": Column("Firms and institutes named, as far as the sources name them.", "list"),
    "others": Column("Who else is meant, in words."),
    "private_entities": Column("Those named or concerned that were not listed at the time.", "list"),
    "citation": Column("Legal citation."),
    "effective": Column("Day on which it took effect.", "day"),
    "confirmed_by": Column("The announcement that later did what this one reported (our judgement)."),
    "confounders": Column("Other news and closed exchanges close by."),
    "status": Column(
        "Whether sources were seen.",
        values={
            "verified": "day and content are in the sources",
            "partly_verified": "something is not; `unverified` says what",
            "unverified": "no source was seen",
        },
        required=True,
    ),
    "unverified": Column("Columns of this row that rest on general knowledge.", "list"),
    "sources": Column("Keys of the sources.", "list"),
}

SECURITIES = {
    "announcement_id": Column("The announcement.", required=True),
    "security": Column("Ticker, after Yahoo's custom; unique within an announcement.", required=True),
    "company": Column("The company.", required=True),
    "mic": Column(
        "Market identifier code (ISO 10383) of the exchange at that time.",
        values={mic: rule.name for mic, rule in MARKETS.items()},
        required=True,
    ),
    "board": Column(
        "Board of a mainland Chinese exchange.",
        values={
            "main": "main board",
            "ChiNext": "Shenzhen's growth board",
            "STAR": "Shanghai's growth board",
        },
    ),
    "role": Column("What the announcement makes of it.", values=ROLES, required=True),
    "role_detail": Column("The role more closely."),
    "expected_sign": Column(
        "Sign of the reaction that theory expects.",
        values={"-": "negative", "+": "positive", "0/-": "none or negative", "open": "theory does not say"},
        required=True,
    ),
    "benchmark": Column("Index to compare it with.", required=True),
    "session_earliest": Column(
        "First session that could react to an announcement at `earliest`.", "day", required=True
    ),
    "session_latest": Column("The same for `latest`.", "day", required=True),
    "phase_earliest": Column("Whether the exchange was open at `earliest`.", values=PHASES, required=True),
    "phase_latest": Column("The same for `latest`.", values=PHASES, required=True),
    "first_trade": Column(
        "First session on which it traded from then on; empty where the session is ambiguous.", "day"
    ),
    "price_limit": Column(
        "Daily price limit in percent.",
        values={"10": "10%", "20": "20%", "30": "30%", "table": "by price, in yen", "none": "none"},
        required=True,
    ),
    "halted_from": Column("First session of a suspension over the announcement.", "day"),
    "halted_to": Column("Its last session.", "day"),
    "confounder": Column("Other news that can have moved this security on day 0 or +1."),
    "note": Column("Remarks; source keys in brackets."),
    "in_sources": Column("Whether the sources seen name the company.", "flag", required=True),
    "unverified": Column("Columns of this row that rest on general knowledge.", "list"),
}

SOURCES = {
    "source": Column("Unique key.", required=True),
    "publication": Column("Who published it, and where the copy seen lies.", required=True),
    "date": Column("Day of publication, where the source list or the address gives it.", "day"),
    "url": Column("Address."),
    "status": Column(
        "Whether others can find it.",
        values={
            "public": "has an address",
            "no_address": "was read, but its publisher and address were not recorded",
            "unverified": "general knowledge: no source",
        },
        required=True,
    ),
}

CHANGES = {
    "version": Column("Version of the dataset that made the change.", required=True),
    "date": Column("Its day.", "day", required=True),
    "announcement_id": Column("The announcement; empty for a version as a whole."),
    "security": Column("The security, where the change is to the table of securities."),
    "change": Column(
        "What was done.",
        values={
            "added": "a new row",
            "corrected": "another value in one column of a row",
            "moved": "the row takes another place among the events: another session, left out, or let in",
        },
        required=True,
    ),
    "column": Column("Column that changed."),
    "before": Column("Its value before."),
    "after": Column("Its value from this version on."),
    "why": Column("Why; source keys in brackets."),
}

TABLES = {"announcements": ANNOUNCEMENTS, "securities": SECURITIES, "sources": SOURCES}
