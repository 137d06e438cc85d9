"""The walls of the house: which room may import which, and how large things may grow.

`violations` reads the source as syntax trees, so nothing is imported. The tests below first break each rule
in a made-up package to show that the check can fail, then hold the library to it.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

PACKAGE = "eventstudy"
ROOT = Path(__file__).parents[2] / PACKAGE

# From top to bottom; a room may import rooms above its own line. Rooms on one line are kept apart.
LINES: tuple[tuple[str, ...], ...] = (
    ("_typing", "_version", "distributions", "errors", "files", "immutable", "text", "workers"),
    ("arguments", "column_names", "optional", "versions"),
    ("interop", "lazy", "progress"),
    ("tabular",),
    ("tables", "windows"),
    ("calendars",),
    ("events",),
    ("market",),
    ("sample",),
    ("models",),
    ("abnormal",),
    ("inference",),
    ("plotting", "html_page"),
    ("regressions",),
    ("results",),
    ("study",),
    ("causal",),
    ("lab", "longrun", "stored", "streaming", "volatility"),
    ("quick",),
)
LEVEL = {room: level for level, line in enumerate(LINES) for room in line}

# What every room may import.
GROUND = frozenset(
    {
        "_typing", "arguments", "column_names", "distributions", "errors", "files", "immutable", "interop",
        "optional", "tabular", "text",
    }
)  # fmt: skip

# Rooms that may import fewer than all above them.
ONLY: dict[str, frozenset[str]] = {
    "tables": GROUND,
    "plotting": GROUND,
    "html_page": GROUND,
    "sources": GROUND | {"events", "progress"},
    "datasets": GROUND | {"events"},
}
ONLY_FROM_QUICK = frozenset({"sources", "datasets"})
DRAWING = frozenset({"matplotlib", "seaborn", "mpl_toolkits"})

#: Lines of code of a file; docstrings, comments and blank lines are not counted.
MAX_LINES = 500
MAX_METHODS = 20

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, the room it belongs to, and its syntax tree."""

    name: str
    room: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


#: Nodes that hold statements, or are some.
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)
#: Functions that import what their first argument names.
IMPORTING = ("import_module", "__import__", "load")


@dataclass(frozen=True)
class Import:
    """One imported name, as absolute as the file system can make it."""

    target: str
    line: int
    in_function: bool
    for_types: bool


def modules(root: Path) -> dict[str, Module]:
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        name = ".".join((root.name, *parts))
        found[name] = Module(
            name, parts[0] if parts else "", path, ast.parse(path.read_text(encoding="utf-8"))
        )
    return found


def imports(module: Module, known: dict[str, Module]) -> Iterator[Import]:
    text = module.path.read_text(encoding="utf-8")
    calls = any(f"{name}(" in text for name in IMPORTING)
    for node, in_function, for_types in _walk(module.tree, calls):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            submodules = [f"{base}.{alias.name}" for alias in node.names]
            targets = [submodule if submodule in known else base for submodule in submodules]
        elif isinstance(node, ast.Call):
            targets = _imported_by_call(node)
        for target in dict.fromkeys(targets):
            yield Import(target, getattr(node, "lineno", 0), in_function, for_types)


def _walk(tree: ast.AST, expressions: bool) -> Iterator[tuple[ast.AST, bool, bool]]:
    """Yield each statement, whether it lies in a function, and whether only type checkers read it.

    With `expressions`, which are most of a file, yield their nodes too.
    """
    ahead = [(tree, False, False)]
    while ahead:
        node, in_function, for_types = ahead.pop()
        yield node, in_function, for_types
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typed = node.body if isinstance(node, ast.If) and _is_type_checking(node.test) else []
        children = [
            (child, inside, for_types or child in typed)
            for child in ast.iter_child_nodes(node)
            if expressions or isinstance(child, STATEMENTS)
        ]
        ahead += reversed(children)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield each statement, at whatever depth."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, STATEMENTS):
            yield node
            yield from _statements(node)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _imported_by_call(node: ast.Call) -> list[str]:
    """Return the module that importlib.import_module("x"), __import__("x") or lazy_loader.load("x") names."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if name not in IMPORTING or not node.args:
        return []
    first = node.args[0]
    return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []


def violations(root: Path) -> list[str]:
    """Return what breaks the rules below `root`, one line each; `root` is the folder of the package."""
    known = modules(root)
    found: list[str] = []
    graph: dict[str, set[str]] = {name: set() for name in known}
    for module in known.values():
        found += _too_large(module, root)
        if module.room and module.room not in LEVEL and module.room not in ONLY:
            found.append(f"{_where(module, root)}: room {module.room!r} is not in the list of rooms")
        for item in imports(module, known):
            where = f"{_where(module, root)}:{item.line}"
            top, _, rest = item.target.partition(".")
            if top in DRAWING and module.room != "plotting" and not item.for_types:
                found.append(f"{where}: {top} is imported outside of plotting/")
            if top != root.name:
                continue
            if item.in_function:
                found.append(f"{where}: {item.target} is imported inside a function")
            room = rest.partition(".")[0]
            reason = _forbidden(module.room, room)
            if reason:
                found.append(f"{where}: {reason}")
            if item.target in known and item.target != module.name:
                graph[module.name].add(item.target)
    found += [f"cycle: {' -> '.join(cycle)}" for cycle in _cycles(graph)]
    return found


def _where(module: Module, root: Path) -> str:
    return str(module.path.relative_to(root.parent))


def _forbidden(room: str, target: str) -> str | None:
    """Return why `room` may not import `target`, or None; the room of the package's __init__ is ''."""
    if not room:
        return (
            None if target == "_version" else "the package's __init__ loads names lazily and imports nothing"
        )
    if not target:
        return f"{room} imports the package itself instead of a room"
    if room == target:
        return None
    if target in ONLY_FROM_QUICK:
        return None if room == "quick" else f"{room} imports {target}, which quick alone may"
    if room in ONLY:
        return None if target in ONLY[room] else f"{room} imports {target}, not one of {sorted(ONLY[room])}"
    if room in LEVEL and target in LEVEL and LEVEL[target] >= LEVEL[room]:
        return f"{room} imports {target}, which does not stand above it"
    return None


def _too_large(module: Module, root: Path) -> Iterator[str]:
    text = module.path.read_text(encoding="utf-8")
    # To tell lines of code from others takes time; few files have so many of all kinds.
    count = code_lines(text, module.tree) if text.count("\n") >= MAX_LINES else 0
    if count > MAX_LINES:
        yield f"{_where(module, root)}: {count} lines, over {MAX_LINES}"
    for node in _statements(module.tree):
        if isinstance(node, ast.ClassDef):
            methods = {f.name for f in node.body if isinstance(f, Function)}
            if len(methods) > MAX_METHODS:
                yield (
                    f"{_where(module, root)}:{node.lineno}: class {node.name} has {len(methods)} methods, "
                    f"over {MAX_METHODS}"
                )


def code_lines(text: str, tree: ast.Module) -> int:
    """Count the lines that hold code: no docstring, no comment, no blank line."""
    skipped = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in (tree, *_statements(tree)):
        if (
            isinstance(node, ast.Module | ast.ClassDef | Function)
            and ast.get_docstring(node, clean=False) is not None
        ):
            lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def _cycles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield one shortest cycle for each module that starts one and comes first in it."""
    for start in sorted(graph):
        paths, seen = [[start]], set()
        while paths:
            path = paths.pop(0)
            for target in sorted(graph[path[-1]]):
                if target == start:
                    if start == min(path):
                        yield [*path, start]
                    paths = []
                    break
                if target not in seen:
                    seen.add(target)
                    paths.append([*path, target])


def tree(tmp_path: Path, files: dict[str, str]) -> Path:
    root = tmp_path / PACKAGE
    for name, text in {"__init__.py": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


SOUND = {
    "__init__.py": "import lazy_loader as _lazy\n",
    "errors.py": "class Wrong(Exception): ...\n",
    "windows.py": "from eventstudy.errors import Wrong\n",
    "market/__init__.py": "from eventstudy.market.core import Market\n",
    "market/core.py": "from .. import errors\nfrom . import frames\n",
    "market/frames.py": "from ..errors import Wrong\n",
    "models/__init__.py": "",
    "models/base.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from eventstudy.market import Market\n"
    ),
    "plotting/__init__.py": (
        "from eventstudy.errors import Wrong\n"
        "def draw():\n"
        "    import matplotlib.pyplot as plt\n"
        "    import seaborn as sns\n"
    ),
    "regressions.py": "",
    "results.py": (
        "import typing\n"
        "from eventstudy import plotting, regressions\n"
        "if typing.TYPE_CHECKING:\n"
        "    from matplotlib.axes import Axes\n"
    ),
    "sources/__init__.py": "",
    "sources/yahoo.py": "def get():\n    import yfinance\n",
    "datasets/__init__.py": "from eventstudy.events import Events\n",
    "events.py": "",
    "quick.py": "from eventstudy import results, sources\nfrom eventstudy.datasets import x\n",
}

BROKEN = {
    "imports down": ({"windows.py": "import eventstudy.market\n"}, "windows imports market"),
    "imports down, relative": ({"errors.py": "from .events import Events\n"}, "errors imports events"),
    "imports down, by the package": (
        {"market/core.py": "from eventstudy import results\n"},
        "market imports results",
    ),
    "imports down, two dots": ({"market/core.py": "from ..results import R\n"}, "market imports results"),
    "imports down, for types only": (
        {
            "market/core.py": (
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from eventstudy.results import R\n"
            )
        },
        "market imports results",
    ),
    "imports down, by a call": (
        {"windows.py": "import importlib\nm = importlib.import_module('eventstudy.market')\n"},
        "windows imports market",
    ),
    "imports the package": (
        {"windows.py": "import eventstudy as es\n"},
        "windows imports the package itself",
    ),
    "__init__ imports a room": ({"__init__.py": "from .errors import Wrong\n"}, "loads names lazily"),
    "an unknown room": ({"helpers.py": "x = 1\n"}, "room 'helpers' is not in the list"),
    "matplotlib outside of plotting": (
        {"results.py": "def f():\n    import matplotlib.pyplot\n"},
        "matplotlib is imported outside",
    ),
    "matplotlib where types are not checked": (
        {"study.py": "if TYPE_CHECKING:\n    x = 1\nelse:\n    import matplotlib\n"},
        "matplotlib is imported outside",
    ),
    "seaborn outside of plotting": (
        {"tables.py": "from seaborn import utils\n"},
        "seaborn is imported outside",
    ),
    "seaborn loaded lazily outside of plotting": (
        {"html_page.py": "import lazy_loader\nsns = lazy_loader.load('seaborn')\n"},
        "seaborn is imported outside",
    ),
    "first-party import inside a function": (
        {"windows.py": "def f():\n    from eventstudy.errors import Wrong\n"},
        "eventstudy.errors is imported inside a function",
    ),
    "first-party import inside a method": (
        {"windows.py": "class A:\n    async def f(self):\n        from . import errors\n"},
        "eventstudy.errors is imported inside a function",
    ),
    "tables know a room": ({"tables.py": "from eventstudy.windows import W\n"}, "tables imports windows"),
    "drawing rooms know each other": (
        {"html_page.py": "from eventstudy.tables import T\n"},
        "html_page imports tables",
    ),
    "plotting knows results": (
        {"plotting/core.py": "from eventstudy.results import R\n"},
        "plotting imports results",
    ),
    "sources know the market": (
        {"sources/yahoo.py": "from eventstudy.market import M\n"},
        "sources imports market",
    ),
    "datasets know sources": (
        {"datasets/x.py": "from eventstudy import sources\n"},
        "datasets imports sources",
    ),
    "results fetch prices": (
        {"results.py": "from eventstudy.sources import yahoo\n"},
        "which quick alone may",
    ),
    "study reads datasets": ({"study.py": "from eventstudy import datasets\n"}, "which quick alone may"),
    "cycle in a room": (
        {
            "market/core.py": "from . import frames\n",
            "market/frames.py": "from eventstudy.market import core\n",
        },
        "cycle: eventstudy.market.core -> eventstudy.market.frames -> eventstudy.market.core",
    ),
    "cycle through a room's __init__": (
        {"market/core.py": "from eventstudy.market import Market\n"},
        "cycle: eventstudy.market -> eventstudy.market.core -> eventstudy.market",
    ),
    "cycle of three": (
        {
            "models/a.py": "from . import b\n",
            "models/b.py": "from . import c\n",
            "models/c.py": "from . import a\n",
        },
        "cycle: eventstudy.models.a -> eventstudy.models.b -> eventstudy.models.c -> eventstudy.models.a",
    ),
    "regressions know results": (
        {"results.py": "", "regressions.py": "from eventstudy.results import R\n"},
        "regressions imports results",
    ),
    "a long file": ({"windows.py": "x = 1\n" * 501}, "501 lines, over 500"),
    "a large class": (
        {"windows.py": "class A:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(21))},
        "class A has 21 methods, over 20",
    ),
}


def test_a_sound_tree_passes(tmp_path: Path) -> None:
    assert violations(tree(tmp_path, SOUND)) == []


def test_limits_of_size_are_inclusive(tmp_path: Path) -> None:
    methods = "".join(f"    def m{i}(self): ...\n" for i in range(20))
    files = {
        "errors.py": '"""Text.\n\nMore.\n"""\n# why\n\n' + "x = 1\n" * 500,
        "windows.py": f"class A:\n{methods}",
    }
    assert violations(tree(tmp_path, files)) == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_can_be_broken(tmp_path: Path, name: str) -> None:
    files, expected = BROKEN[name]
    found = violations(tree(tmp_path, {**SOUND, **files}))
    assert len(found) == 1, found
    assert expected in found[0]


def test_the_library_keeps_the_rules() -> None:
    assert len(list(ROOT.rglob("*.py"))) > 5
    found = violations(ROOT)
    assert not found, "\n" + "\n".join(found)


def test_the_design_page_names_every_room() -> None:
    page = (ROOT.parent / "docs" / "explanation" / "design.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name.strip().strip("`") for row in rows for name in row.split(",")}
    assert named == {room for line in LINES for room in line} | ONLY_FROM_QUICK
