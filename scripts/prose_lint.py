"""Find turns of phrase that are not idiomatic English in docstrings, comments, messages and pages.

Run ``python scripts/prose_lint.py``, or with the files to read. A line that is right as it stands carries the
comment ``prose: ok`` (in Markdown ``<!-- prose: ok -->``).
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = (
    "eventstudy",
    "docs",
    "examples",
    "benchmarks",
    "scripts",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)
ALLOWED = "prose: ok"
#: What may follow "is no" and "are no" in good English.
AFTER_NO = (
    "longer|more|less|fewer|better|worse|larger|smaller|wider|narrower|different|evidence|way|reason|need|one|such|"
    "event|events|other|others|effect|correlation|dependence|bound|bounds|limit|limits|rule|release|network"
)

#: Pattern and what to write instead.
PATTERNS = {
    rf"(?<!there )\b(?:is|are|was|were) no (?!(?:{AFTER_NO})\b)[a-z]+": "'is not a ...'",
    # The noun stands on the next line, or is put in.
    r"\b(?:is|are|was|were) no (?=[\"'{]|$)|'(?:is|are)'\} no ": "'is not a ...'",
    r"\bstands? twice\b": "'duplicate'",
    r"\btold of\b|\b(?:is|are) told\b(?! (?:to|apart)\b)": "'reported', 'named'",
    r"\btold from\b": "'distinguished from'",
    r"\breckon(?:s|ed|ing)?\b": "'compute', 'count'",
    r"\bmet with\b": "'matched with', 'compared with'",
    r"\blets? expect\b": "'implies', 'suggests'",
    r"\b(?:by itself|by themselves)\b": "'on its own', 'alone'",
    r"\ba event\b": "'an event'",
    r"\bof which not\b": "a clause with its own verb",
    r"\bas well one\b": "'also one'",
    r"\bone (?!where\b)\w+ an? (?:date|day|event|family|figure|firm|group|model|security|test)\b": "'per'",
    r"\bmatrix a run\b|\bs an event\b|\bms a \w+|\d ?% a day\b": "'per'",
    r"\bor no whole\b": "'or not a whole'",
    r"\band then some\b": "the number and its reason",
    r"\bbut for rounding\b": "'up to rounding'",
    r"\bfour times in five\b": "'with 80% power'",
    r"\bof them alone\b": "'only of them'",
    r"\bhangs? on\b": "'depends on'",
    r"\bbelongs? into\b": "'belongs in'",
    r"\bsays so of\b": "'reports'",
    r"\d %(?! ?\d|[\w(])": "'5%'",
}
#: The same, of pages and examples only.
PAGES = {
    r"\b(?:take|takes|taking|took) [\w' ]{1,30} for (?:independent|symmetric|known|effects)\b": "assume",
    r"\b(?:tell|tells|know|knows) of\b": "'name', 'cover', 'allow for'",
    r"\bfour times out of five\b": "'with probability 0.8'",
    r"\banew\b": "'again'",
    r"\bmend(?:s|ed|ing)?\b": "'correct'",
    r"\btries\b(?! to\b)": "'tests'",
    r"\bworth a (?:look|second)\b": "what to do",
    r"\bdear(?:er|est)\b": "'costly', 'expensive'",
}
FOUND = [(re.compile(pattern, re.IGNORECASE), hint) for pattern, hint in PATTERNS.items()]
IN_PAGES = [(re.compile(pattern, re.IGNORECASE), hint) for pattern, hint in PAGES.items()]
#: Mean number of words that the sentences of a page may have.
WORDS = 25
#: What is not a sentence: the head of a page, fenced blocks, formulas, code, tables, headings and labels.
ELSE = re.compile(
    r"\A---\n.*?^---$|^(?P<fence>`{3,}|:{3,}).*?^(?P=fence)[ ]*$|^\$\$.*?\$\$.*?$|^(?:[ ]{4}|[|#(]).*?$",
    re.MULTILINE | re.DOTALL,
)


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that hold text: of Python only strings and comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    lines = text.splitlines()
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
    numbers = {
        number
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type in kinds
        for number in range(token.start[0], token.end[0] + 1)
    }
    yield from ((number, lines[number - 1]) for number in sorted(numbers))


def faults(path: Path) -> Iterator[str]:
    """Yield a message for each turn of phrase found in a file."""
    for number, line in prose(path):
        if ALLOWED in line:
            continue
        for pattern, hint in [*FOUND, *(IN_PAGES if of_the_pages(path) else ())]:
            for match in pattern.finditer(line):
                yield f"{path}:{number}: {match.group()!r}: write {hint}"


def of_the_pages(path: Path) -> bool:
    """Say whether a file is a page or an example; the report of the mutants is written by its script."""
    return (path.suffix == ".md" and path.stem != "mutation") or "examples" in path.parts


def sentence_lengths(text: str) -> list[int]:
    r"""Count the words of each sentence of a page.

    Examples
    --------
    >>> sentence_lengths("# Title\n\nOne sentence. And `code`, of\nfive words.\n\n- An item\n")
    [2, 5, 2]
    """
    text = ELSE.sub("\n", text)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`|\$[^$]*\$", "x", text))
    text = re.sub(r"^\s*(?:[-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    parts = (part for block in re.split(r"\n\s*\n", text) for part in re.split(r"(?<=[.!?:;])\s+", block))
    return [count for part in parts if (count := len(re.findall(r"[\w'’-]+", part)))]


def long_winded(path: Path) -> Iterator[str]:
    """Yield a message if the sentences of a page are long on average."""
    if path.suffix != ".md":
        return
    lengths = sentence_lengths(path.read_text(encoding="utf-8"))
    if lengths and (mean := sum(lengths) / len(lengths)) > WORDS:
        yield f"{path}: {mean:.1f} words a sentence: divide some"


def files(places: list[str]) -> Iterator[Path]:
    """Yield the files to read; generated pages are left out."""
    for place in places:
        path = ROOT / place
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for each in found:
            if each.suffix in {".py", ".md"} and not {"_build", "generated"} & set(each.parts):
                yield each


def main() -> int:
    """Print what was found; the exit code is 1 if anything was."""
    found = [
        fault for path in files(sys.argv[1:] or list(PLACES)) for fault in [*faults(path), *long_winded(path)]
    ]
    found = [fault.removeprefix(f"{ROOT}/") for fault in found if "scripts/prose_lint.py" not in fault]
    print(*found, sep="\n")
    print(f"{len(found)} turns of phrase to change" if found else "prose: ok")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
