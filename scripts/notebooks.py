"""Write the notebooks of the examples from their scripts, so that each example has one source.

Run as ``python scripts/notebooks.py`` after changing a script in ``examples/``. A script is divided into
cells by lines ``# %%``, as editors and Jupytext know them:

- The docstring becomes the title and the first paragraphs.
- ``# %% [markdown]`` begins a comment, which becomes text.
- ``# %% tags=["script"]`` begins code for the script alone: it saves figures, reads the command line.
- ``# %% tags=["notebook"]`` begins commented code for the notebook alone.
- In a notebook a table should be a table: ``print(x)`` at the end of a cell becomes ``x``, unless x is text.
- Imports that only the script needs are left out.

examples/hikvision_2019.ipynb is written by hand, for its script is a program with options.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat

EXAMPLES = Path(__file__).parents[1] / "examples"
CELL = re.compile(r"^# %%(.*)$\n", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources() -> list[Path]:
    """Return the scripts that are divided into cells."""
    return [path for path in sorted(EXAMPLES.glob("*.py")) if CELL.search(path.read_text(encoding="utf-8"))]


def notebook(script: str) -> Any:
    """Return a script as a notebook without outputs."""
    head, *parts = CELL.split(script)
    told = ast.get_docstring(ast.parse(head))
    if told is None:
        raise SystemExit("A script begins with a docstring, which becomes the notebook's title.")
    title, _, text = told.partition("\n")
    cells = [nbformat.v4.new_markdown_cell(f"# {title.rstrip('.')}\n{text}")]
    for kind, source in zip(parts[::2], parts[1::2], strict=True):
        if '"script"' in kind:
            continue
        if "[markdown]" in kind:
            cells.append(nbformat.v4.new_markdown_cell(_uncommented(source)))
        else:
            shown = _uncommented(source) if '"notebook"' in kind else source.strip("\n")
            cells.append(nbformat.v4.new_code_cell(_shown(shown)))
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    used = {n.id for cell in code for n in ast.walk(ast.parse(cell["source"])) if isinstance(n, ast.Name)}
    for cell in code:
        cell["source"] = _without_idle_imports(cell["source"], used)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:02d}"
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def _uncommented(source: str) -> str:
    return re.sub(r"^# ?", "", source, flags=re.MULTILINE).strip("\n")


def _shown(code: str) -> str:
    """Replace a last ``print(x)`` by ``x``, which a notebook shows at its best."""
    last = ast.parse(code).body[-1]
    if not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)):
        return code
    call = last.value
    shows = isinstance(call.func, ast.Name) and call.func.id == "print" and len(call.args) == 1
    if not shows or isinstance(call.args[0], ast.JoinedStr | ast.Constant | ast.Starred):
        return code
    before = code.splitlines()[: last.lineno - 1]
    return "\n".join([*before, str(ast.get_source_segment(code, call.args[0]))])


def _without_idle_imports(code: str, used: set[str]) -> str:
    lines = code.splitlines()
    for node in reversed(ast.parse(code).body):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        if not bound & used:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n")


def main() -> None:
    """Write every notebook that is not as its script has it."""
    for path in sources():
        target = path.with_suffix(".ipynb")
        text = nbformat.writes(notebook(path.read_text(encoding="utf-8"))) + "\n"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
            print(target)


if __name__ == "__main__":
    main()
