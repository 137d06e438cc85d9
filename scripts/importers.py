"""List the modules of the package that exactly one other module imports.

Run ``python scripts/importers.py``, or with the root of another checkout. A module that only one other module
needs may belong in that module. Imports by ``__init__.py`` (of a module and of the names it passes on), by
registries and by the stubs of lazy loading do not count. A star marks modules of families, with one file per
family of tests, model, estimator, figure or source, or per group of the methods that results have.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "eventstudy"
#: Modules that import every member of a family in order to list it.
REGISTRIES = {"inference.registry", "inference.families"}
#: Rooms with one file per family.
FAMILIES = ("causal.kernels", "inference", "inference.procedures", "models", "plotting", "sources")
#: Where classes hold a group of the methods of results, and the class they come from.
RESULTS, GROUP = "results", "MethodGroup"


def modules(root: Path) -> dict[str, Path]:
    """Return the files of the package by dotted name."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield what a file imports: a module, and the name that is taken from it."""
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            yield from ((base, alias.name) for alias in node.names)


def home(module: str, name: str | None, known: dict[str, Path], passed_on: dict[str, dict[str, str]]) -> str:
    """Return the module that a name comes from, through the ``__init__`` that passes it on."""
    if name is not None and f"{module}.{name}" in known:
        return f"{module}.{name}"
    return passed_on.get(module, {}).get(name or "", module)


def importers(root: Path) -> dict[str, set[str]]:
    """Return, by module, the modules that import it."""
    known = modules(root)
    passed_on = {
        name: {taken: base for base, taken in imports(name, path) if taken is not None and base in known}
        for name, path in known.items()
        if path.stem == "__init__"
    }
    found: dict[str, set[str]] = {name: set() for name, path in known.items() if path.stem != "__init__"}
    for name, path in known.items():
        if path.stem == "__init__" or name.removeprefix(f"{PACKAGE}.") in REGISTRIES:
            continue
        for base, taken in imports(name, path):
            target = home(base, taken, known, passed_on)
            if target in found and target != name:
                found[target].add(name)
    return found


def method_groups(root: Path) -> set[str]:
    """Return the modules that define a group of the methods of results."""
    bases, owner = {}, {}
    for name, path in modules(root).items():
        if name.startswith(f"{PACKAGE}.{RESULTS}."):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
                    owner[node.name] = name
    groups = {GROUP}
    while more := {name for name, above in bases.items() if above & groups} - groups:
        groups |= more
    return {owner[name] for name in groups if name in owner}


def main() -> None:
    """Print the modules with one importer, and how many there are."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    found = importers(root)
    single = {name: next(iter(by)) for name, by in found.items() if len(by) == 1}
    families, groups = 0, method_groups(root)
    for name, by in sorted(single.items()):
        short = name.removeprefix(f"{PACKAGE}.")
        room, _, file = short.rpartition(".")
        family = (room in FAMILIES and not file.startswith("_")) or name in groups
        families += family
        print(f"{'*' if family else ' '} {short:45} {by.removeprefix(PACKAGE + '.')}")
    print(
        f"{len(single)} of {len(found)} modules have exactly one importer; "
        f"{len(single) - families} without those that hold one family each"
    )


if __name__ == "__main__":
    main()
