"""Write the notebooks of the examples from their scripts, so that each example has one source.

Run as ``python scripts/notebooks.py`` after changing a script in ``examples/``. A script is divided into
cells by lines ``# %%``, as editors and Jupytext know them:

- The docstring becomes the title and the first paragraphs.
- ``# %% [markdown]`` begins a comment, which becomes text.
- ``# %% tags=["script"]`` begins code for the script alone: it saves figures, reads the command line.
- ``# %% tags=["notebook"]`` begins commented code for the notebook alone.
- In a notebook a table should be a table: ``print(x)`` at the end of a cell becomes ``x``, unless x is text.
- Imports that only the script needs are left out.

Notebooks named in EXECUTED are run and stored with their outputs, for those who read them where they are.
Run with ``--execute`` after changing what they show.

examples/hikvision_2019.ipynb is written by hand, for its script is a program with options.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
#: Notebooks that are stored with their outputs.
EXECUTED = frozenset({"five_disclosures", "sector_to_paper"})
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
    if (
        not shows
        or isinstance(call.args[0], ast.JoinedStr | ast.Constant | ast.Starred)
        or _is_text(call.args[0])
    ):
        return code
    before = code.splitlines()[: last.lineno - 1]
    return "\n".join([*before, str(ast.get_source_segment(code, call.args[0]))])


def _is_text(node: ast.expr) -> bool:
    """Whether an expression is text by its name: of a method such as to_latex, or an attribute as answer."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr.startswith("to_")
    return isinstance(node, ast.Attribute) and node.attr == "answer"


def _without_idle_imports(code: str, used: set[str]) -> str:
    lines = code.splitlines()
    for node in reversed(ast.parse(code).body):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        if not bound & used:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n")


class ThisInterpreter(AsyncKernelManager):
    """Starts the running interpreter, whatever kernels are or are not installed elsewhere."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel of this interpreter."""
        return KernelSpec(resource_dir="", **get_kernel_dict())


def execute(made: Any) -> Any:
    """Run a notebook in the folder of the examples and return it with its outputs."""
    client = NotebookClient(
        made,
        kernel_manager_class=ThisInterpreter,
        timeout=300,
        record_timing=False,
        resources={"metadata": {"path": str(EXAMPLES)}},
    )
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONDONTWRITEBYTECODE": "1"}
    done = client.execute(env=os.environ | inline)
    done["metadata"] = METADATA
    return done


def without_outputs(stored: Any) -> Any:
    """Return a notebook as it was before it ran."""
    bare = nbformat.from_dict(stored)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def main() -> None:
    """Write every notebook that is not as its script has it."""
    for path in sources():
        target, made = path.with_suffix(".ipynb"), notebook(path.read_text(encoding="utf-8"))
        again = path.stem in EXECUTED and "--execute" in sys.argv
        if not again and target.exists() and without_outputs(nbformat.read(target, as_version=4)) == made:
            continue
        made = execute(made) if path.stem in EXECUTED else made
        target.write_text(nbformat.writes(made) + "\n", encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
