"""Crawl the pages that `make docs` wrote: links, anchors, orphans, and the texts of images.

Run as ``python scripts/check_pages.py docs/_build/html``. Pages that an earlier build left behind are not
read, and links to other sites are not followed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Pages that Sphinx adds; nothing needs to link to them.
ADDED = ("genindex", "py-modindex", "search")
#: Finite verbs of texts that describe images. A sentence has a subject before one, and ends in a full stop.
VERBS = (
    r"is|are|was|were|has|have|does?|can|shows?|falls?|fell|rises?|rose|loses?|lost|lies?|stays?|ends?|begins?|"
    r"crosses|covers?|names?|leads?|leaves?|compares?|marks?|follows?|asks?|finds?|rejects?|reverses?|grows?|"
    r"jumps?|drops?|scatters?|agrees?|disagrees?|repeats?|exceeds?|reaches|divides?|goes|widens?|includes?|excludes?"
)
SENTENCE = re.compile(rf"[^a-z\s].*\s(?:{VERBS})\b.*\.", re.DOTALL)


@dataclass
class Page(HTMLParser):
    """What a page links to, what can be linked to on it, and its images."""

    links: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    images: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep ids, links and images."""
        found = dict(attrs)
        if found.get("id"):
            self.anchors.append(str(found["id"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag == "img":
            self.images.append((str(found.get("src")), found.get("alt")))


def names(root: Path) -> list[str]:
    """Return the pages of the last build, without their ending."""
    text = (root / "searchindex.js").read_text(encoding="utf-8")
    listed = json.loads(text.removeprefix("Search.setIndex(").rstrip().removesuffix(")"))["docnames"]
    return [*listed, *(name for name in ADDED if (root / f"{name}.html").is_file())]


def read(root: Path) -> dict[Path, Page]:
    """Parse the pages of the last build."""
    pages = {}
    for name in names(root):
        path = root / f"{name}.html"
        pages[path] = Page()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return pages


def faults(root: Path) -> Iterator[str]:
    """Yield a line for each broken link or anchor, duplicate id, orphan, and image without a sentence."""
    root = root.resolve()
    pages = read(root)
    reached = {root / "index.html"}
    for path, page in pages.items():
        here = path.relative_to(root)
        for anchor in sorted({name for name in page.anchors if page.anchors.count(name) > 1}):
            yield f"{here}: the id {anchor} is a duplicate"
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{here}: {link} leads nowhere"
            elif target in pages:
                if target != path and path.stem not in ADDED:
                    reached.add(target)
                if parts.fragment and unquote(parts.fragment) not in pages[target].anchors:
                    yield f"{here}: {link} names an anchor that is not there"
        for source, text in page.images if path.stem not in ADDED else ():
            if not source.startswith("http") and not SENTENCE.fullmatch(text or ""):
                yield f"{here}: the image {source} is described by {text!r}, which is not a sentence"
        if here.parts[:-1] == ("api", "generated") and "In the guides" not in path.read_text(
            encoding="utf-8"
        ):
            yield f"{here}: no guide is linked"
    for path in pages:
        if path not in reached and path.stem not in ADDED:
            yield f"{path.relative_to(root)}: no page links here"


def main() -> int:
    """Print what was found; the exit code is 1 if anything was."""
    root = Path(sys.argv[1])
    found = list(faults(root))
    print(*found, f"{len(found)} faults" if found else f"{len(names(root))} pages: ok", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
