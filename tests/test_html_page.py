"""The page: chapters in order, everything escaped, nothing loaded from anywhere."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

import pandas as pd
import pytest

from eventstudy.errors import RequestError
from eventstudy.html_page import Chapter, Listing, Paragraph, Picture, render
from eventstudy.tables import Section, Table

EVIL = "<script>alert(1)</script> & \"quoted\" 'text'"
#: Elements without an end tag.
VOID = {"meta", "link", "img", "br"}


class Outline(HTMLParser):
    """Elements, attributes and text of a page; fails on tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self, tag: str) -> str:
        return " ".join(text for name, text in self.texts if name == tag)


def table(title: str = "Numbers") -> Table:
    frame = pd.DataFrame({EVIL: [EVIL, "2019-05-22"]}, index=[EVIL, "b"])
    return Table(title, (Section(frame, EVIL),), (EVIL,))


def test_every_text_is_escaped() -> None:
    blocks = [Paragraph(EVIL, is_headline=True), Listing(EVIL, EVIL), Picture("image/png", b"x", EVIL, EVIL)]
    page = render(EVIL, [Chapter(EVIL, [*blocks, table(EVIL)])], foot=EVIL)
    assert "<script" not in page
    outline = Outline(page)
    assert {tag for tag, _ in outline.elements}.isdisjoint({"script", "iframe", "object"})
    for tag in ("title", "h1", "h2", "a", "p", "code", "figcaption", "caption", "th", "td"):
        assert EVIL in outline.text(tag), tag
    (picture,) = outline.all("img")
    assert picture["alt"] == EVIL
    assert outline.all("pre")[0]["aria-label"] == EVIL


def test_nothing_is_loaded_or_run() -> None:
    outline = Outline(render("T", [Chapter("C", [Picture("image/svg+xml", b"<svg/>", "a", "b")])]))
    (policy,) = [meta for meta in outline.all("meta") if "http-equiv" in meta]
    assert str(policy["content"]).startswith("default-src 'none'")
    links = [
        value
        for _, attrs in outline.elements
        for name, value in attrs.items()
        if name in ("src", "href", "srcset", "action")
    ]
    assert links
    assert all(str(link).startswith(("#", "data:")) for link in links)
    assert not [name for _, attrs in outline.elements for name in attrs if name.startswith("on")]


def test_outline() -> None:
    outline = Outline(render("Title", [Chapter("One", [Paragraph("text")]), Chapter("Two", [])]))
    assert outline.all("html") == [{"lang": "en"}]
    headings = [tag for tag, _ in outline.elements if tag in ("h1", "h2", "h3")]
    assert headings == ["h1", "h2", "h2"]
    sections = [attrs["id"] for attrs in outline.all("section")]
    assert [attrs["href"] for attrs in outline.all("a")] == [f"#{name}" for name in sections]
    assert any(meta.get("name") == "viewport" for meta in outline.all("meta"))


def test_pictures() -> None:
    image = b"\x89PNG and more"
    pictures = [Picture("image/png", image, "what it shows", f"figure {i}") for i in range(2)]
    page = render("T", [Chapter("C", [*pictures, Paragraph("between"), *pictures])])
    outline = Outline(page)
    assert len(outline.all("figure")) == 4
    assert page.count('<div class="figures">') == 2
    for attrs in outline.all("img"):
        head, data = str(attrs["src"]).split(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data) == image
        assert attrs["alt"] == "what it shows"


def test_styles_of_tables_move_to_the_head() -> None:
    page = render("T", [Chapter("C", [table(), table("More")])])
    head, body = page.split("</head>")
    assert "<style" not in body
    ids = [str(attrs["id"]) for attrs in Outline(page).all("table")]
    assert len(set(ids)) == 2
    assert all(f"#{name}" in head for name in ids)


def test_tables_scroll_by_keyboard_and_keep_dates_whole() -> None:
    page = render("T", [Chapter("C", [table()])])
    (group,) = [attrs for attrs in Outline(page).all("div") if attrs.get("role") == "group"]
    assert group["tabindex"] == "0"
    assert group["aria-label"] == "Numbers"
    assert "<span>2019-05-22</span>" in page


def test_no_chapters() -> None:
    with pytest.raises(RequestError, match="at least one chapter"):
        render("T", [])
