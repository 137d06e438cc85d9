"""The notebooks run from top to bottom in the running interpreter; most are stored without outputs.

The slow tests run them; test_scripts.py and test_hikvision.py run the scripts that they are made of.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"
#: The others are made from their scripts, by scripts/notebooks.py.
EXECUTED = ("five_disclosures", "sector_to_paper")
MADE = sorted(path.stem for path in EXAMPLES.glob("*.ipynb") if path.stem != "hikvision_2019")


class ThisInterpreter(AsyncKernelManager):
    """Starts the running interpreter, whatever kernels are or are not installed elsewhere."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(resource_dir="", **get_kernel_dict())


@cache
def execute(name: str) -> Any:
    client = NotebookClient(
        nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4),
        kernel_manager_class=ThisInterpreter,
        timeout=300,
        resources={"metadata": {"path": str(EXAMPLES)}},
    )
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONDONTWRITEBYTECODE": "1"}
    return client.execute(env=os.environ | inline)


@pytest.fixture(scope="module")
def executed() -> Any:
    return execute("hikvision_2019")


def outputs(executed: Any, mime: str) -> list[str]:
    return [
        output["data"][mime]
        for cell in executed.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if mime in output.get("data", {})
    ]


def check_all_ran_in_silence(executed: Any) -> None:
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    told = [o["text"] for c in code for o in c.outputs if o.get("name") == "stderr"]
    progress = re.compile(r"\s*[\w ]+:.*\d+/\d+ \[.*\]\s*")  # the bar of long work
    lines = [line for text in told for line in text.split("\r") if line.strip()]
    assert [line for line in lines if not progress.fullmatch(line)] == []


@pytest.mark.slow
def test_every_cell_runs_without_a_word_of_warning(executed: Any) -> None:
    check_all_ran_in_silence(executed)


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_notebooks_of_scripts_show_tables_a_figure_and_sentences(name: str) -> None:
    executed = execute(name)
    check_all_ran_in_silence(executed)
    assert len(outputs(executed, "image/png")) == (2 if name == "sector_to_paper" else 1)
    assert outputs(executed, "text/html")
    # A figure is no more than its picture; what the last call of a cell returned is not shown beside it.
    assert [t for t in outputs(executed, "text/plain") if re.match(r"<(?!\w*Figure size)|\[?Text\(", t)] == []
    said = [o["text"] for c in executed.cells for o in c.get("outputs", []) if o.get("name") == "stdout"]
    assert said[-1].endswith(".\n")


@pytest.mark.slow
def test_figures_are_shown(executed: Any) -> None:
    drawn = sum(".plot." in cell.source for cell in executed.cells if cell.cell_type == "code")
    assert len(outputs(executed, "image/png")) == drawn > 5


@pytest.mark.slow
def test_tables_are_html(executed: Any) -> None:
    html = outputs(executed, "text/html")
    assert any(">-7.51%<" in table for table in html)
    assert any("<strong>Event study: Market model" in table for table in html)


@pytest.mark.slow
def test_conclusion_is_that_of_the_script(executed: Any) -> None:
    said = executed.cells[-1].outputs[0]["text"]
    assert "Hikvision returned 7.51% less than the market model expects" in said
    assert "loss of 19.4 billion yuan" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", EXECUTED)
def test_stored_outputs_are_those_of_today(name: str) -> None:
    """Run ``python scripts/notebooks.py --execute`` where what they show has changed."""
    stored, today = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4), execute(name)
    for mime in ("text/html", "text/plain"):
        assert outputs(stored, mime) == outputs(today, mime)
    assert len(outputs(stored, "image/png")) == len(outputs(today, "image/png"))
    assert all(cell.execution_count for cell in stored.cells if cell.cell_type == "code")


@pytest.mark.parametrize("name", sorted({*MADE, "hikvision_2019"} - set(EXECUTED)))
def test_it_is_stored_without_outputs(name: str) -> None:
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"
