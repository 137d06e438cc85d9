"""Links between guides and the reference, in both directions.

A name of the library in a guide, such as ``es.Market``, ``results.car(0, 1)`` or ``adjusted_bmp``, links to
its page or, for a test, to its section of the methods. The page of an object lists the guides that use it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes

from eventstudy.inference import TESTS

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

#: Names that the guides give to objects, and what these are.
HOLDERS = {
    "es": "eventstudy",
    "eventstudy": "eventstudy",
    "results": "eventstudy.EventStudyResults",
    "market": "eventstudy.Market",
    "es.Market": "eventstudy.Market",
    "es.datasets": "eventstudy.datasets",
}
#: A dotted name, called or not, and nothing else.
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?=\(.*\)$|\(\)$|$)", re.DOTALL)
#: Names in a block of code that begin with one of the holders.
IN_CODE = re.compile(r"\b(?:es|results|market)(?:\.[A-Za-z_]\w*)+")
#: Folders whose pages are the reference itself.
REFERENCE = ("api/",)
#: Pages whose names link to the reference and that are not guides to them.
SILENT = ("reference/changelog",)
#: Guides of an object that no guide names, by the beginning of its name; the longest beginning counts.
TOPICS = {
    "eventstudy.causal.": ("how_to/causal",),
    "eventstudy.Causal": ("how_to/causal",),
    "eventstudy.datasets.": ("data/ban_announcements", "how_to/data_sources"),
    "eventstudy.inference.": ("how_to/own_test", "explanation/which_test_when"),
    "eventstudy.lab.": ("how_to/lab",),
    "eventstudy.models.": ("how_to/own_model", "explanation/models"),
    "eventstudy.plotting.": ("reference/gallery", "how_to/own_figure"),
    "eventstudy.results.": ("reference/columns", "how_to/own_test"),
    "eventstudy.sources.": ("how_to/data_sources",),
    "eventstudy.tables.": ("how_to/publication_table",),
    "eventstudy.AbnormalVolatility": ("how_to/volume_and_volatility",),
    "eventstudy.EventGARCH": ("how_to/volume_and_volatility",),
    "eventstudy.BuyAndHold": ("how_to/long_horizon",),
    "eventstudy.CalendarTime": ("how_to/long_horizon",),
    "eventstudy.CrossSection": ("how_to/characteristics_and_money",),
    "eventstudy.ParquetPanel": ("how_to/many_events",),
    "eventstudy.StreamedStudy": ("how_to/many_events",),
    "eventstudy.PooledResults": ("how_to/several_markets",),
    "eventstudy.": ("tutorials/quickstart", "reference/cheat_sheet"),
}
#: At most so many guides are listed on the page of an object.
SHOWN = 8


def full_name(text: str) -> str | None:
    """Return the full name of what a literal of a guide names, if its form shows it.

    Examples
    --------
    >>> full_name("results.plot.car(0, 1)")
    'eventstudy.results.ResultsPlotter.car'
    >>> full_name("MarketModel()")
    'eventstudy.MarketModel'
    >>> full_name("window=(-5, 5)") is None
    True
    """
    found = NAME.match(text)
    if found is None:
        return None
    first, _, rest = found[0].partition(".")
    if first in HOLDERS and rest:
        if first == "results" and rest.startswith("plot."):
            return f"eventstudy.results.ResultsPlotter.{rest.removeprefix('plot.')}"
        return f"{HOLDERS[first]}.{rest}"
    if found[0].startswith("plot_"):
        return f"eventstudy.plotting.{found[0]}"
    return f"eventstudy.{found[0]}" if found[0][0].isupper() else None


def is_guide(page: str) -> bool:
    """Say whether a page is not of the reference."""
    return not page.startswith(REFERENCE)


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Remember which names a guide mentions, in its text and in its code."""
    page = app.env.docname
    if not is_guide(page) or page in SILENT:
        return
    names = set()
    for node in doctree.findall(nodes.literal):
        names.add(full_name(node.astext()))
    for node in doctree.findall(nodes.literal_block):
        names |= {full_name(text) for text in IN_CODE.findall(node.astext())}
    mentions(app.env)[page] = {name for name in names if name}


def mentions(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the names that each guide mentions."""
    if not hasattr(env, "crosslinks"):
        env.crosslinks = {}  # type: ignore[attr-defined]
    return env.crosslinks  # type: ignore[attr-defined,no-any-return]


def forget(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Drop what a page mentioned, as it is read again."""
    mentions(env).pop(page, None)


def merge(app: Sphinx, env: BuildEnvironment, pages: list[str], other: BuildEnvironment) -> None:
    """Take over what the pages that another process read mention."""
    mentions(env).update({page: mentions(other)[page] for page in pages if page in mentions(other)})


def link(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link the names of a guide, or list the guides on a page of the reference."""
    if is_guide(page):
        for node in list(doctree.findall(nodes.literal)):
            if not isinstance(node.parent, nodes.reference) and not _in_heading(node):
                _wrap(app, node, page)
    else:
        _list_guides(app, doctree, page)


def _in_heading(node: nodes.Node) -> bool:
    return isinstance(node.parent, nodes.title)


def _wrap(app: Sphinx, node: nodes.literal, page: str) -> None:
    text = node.astext()
    if text in TESTS:
        target, anchor, _ = app.env.domains["std"].labels.get(
            f"methods-{text.replace('_', '-')}", ("", "", "")
        )
    else:
        entry = app.env.domains["py"].objects.get(full_name(text) or "")
        target, anchor = (entry.docname, entry.node_id) if entry else ("", "")
    if not target or target == page:
        return
    uri = f"{app.builder.get_relative_uri(page, target)}#{anchor}"
    reference = nodes.reference("", "", internal=True, refuri=uri)
    node.replace_self(reference)
    reference += node


def _list_guides(app: Sphinx, doctree: nodes.document, page: str) -> None:
    own = {name for name, entry in app.env.domains["py"].objects.items() if entry.docname == page}
    if not own or page.endswith("api/index"):
        return
    guides = [
        guide for guide, names in sorted(mentions(app.env).items()) if own & names and guide in app.env.titles
    ]
    if not guides:
        longest = max((part for part in TOPICS for name in own if name.startswith(part)), key=len)
        guides = list(TOPICS[longest])
    # Pages that mention few names are about these; those that mention many come last.
    named = {guide: mentions(app.env).get(guide, set()) for guide in guides}
    guides.sort(key=lambda guide: (-len(own & named[guide]), len(named[guide])))
    listed = nodes.bullet_list()
    for guide in guides[:SHOWN]:
        uri = app.builder.get_relative_uri(page, guide)
        reference = nodes.reference("", app.env.titles[guide].astext(), internal=True, refuri=uri)
        listed += nodes.list_item("", nodes.paragraph("", "", reference))
    body = next(iter(doctree.findall(nodes.section)), doctree)
    body += nodes.rubric("", "In the guides")
    body += listed


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the steps."""
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
