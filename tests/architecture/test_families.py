"""Families of significance tests stand beside each other: none imports another."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "eventstudy" / "inference"


def families(folder: Path) -> dict[str, ast.Module]:
    """Modules that declare tests, by name."""
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")}

    def declares(tree: ast.Module) -> bool:
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        return any(getattr(call.func, "id", "") == "SignificanceTest" for call in calls)

    return {name: tree for name, tree in trees.items() if declares(tree)}


def crossings(folder: Path) -> list[str]:
    """Imports of one family by another."""
    found, every = [], families(folder)
    for name, tree in every.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                other = node.module.removeprefix("eventstudy.inference.")
                if other != node.module and other in every:
                    found.append(f"{name} imports {other}")
    return found


def test_a_crossing_is_found(tmp_path):
    (tmp_path / "a.py").write_text("from eventstudy.inference.b import x\nT = SignificanceTest()\n")
    (tmp_path / "b.py").write_text("T = (SignificanceTest(),)\n")
    (tmp_path / "c.py").write_text("from eventstudy.inference.a import T\n")
    assert crossings(tmp_path) == ["a imports b"]


def test_families_do_not_import_each_other():
    assert len(families(FOLDER)) >= 10
    assert crossings(FOLDER) == []
