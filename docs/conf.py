"""Sphinx configuration; `make docs` builds with warnings as errors."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

import eventstudy

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

project = "eventstudy"
author = "eventstudy contributors"
project_copyright = "2026, eventstudy contributors"
release = version = installed_version("abnormal-returns")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_nb",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

autosummary_generate = True
# A name of the package has its page there, and none in the subpackage that exports it as well.
autosummary_context = {"of_the_package": eventstudy.__all__}
autosummary_imported_members = True
autodoc_typehints = "none"  # numpydoc's Parameters section says it
numpydoc_show_class_members = False  # the class template lists them

# Numbers on a page come from running it: a code cell that fails, fails the build.
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]

# The notebooks of the examples are pages too; they import the script of the first.
DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
for notebook in EXAMPLES.glob("*.ipynb"):
    shutil.copyfile(notebook, DOCS / "cases" / notebook.name)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(EXAMPLES), os.environ.get("PYTHONPATH")]))

# A kernel draws into the page unless the environment names another backend.
os.environ.pop("MPLBACKEND", None)

html_theme = "pydata_sphinx_theme"
html_title = f"eventstudy {release}"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False, "navbar_center": []}
# One list of all pages under their headings, since the pages are not nested.
html_sidebars = {"**": ["globaltoc.html"]}


def show_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Show an equation's label in place of its number, which starts anew on each page.

    Docstrings cite a page and a label.
    """
    equations = app.env.domains["math"].data["objects"]
    for equation in doctree.findall(lambda node: node.tagname == "math_block"):
        label = equation.get("label")
        if label in equations:
            equation["number"] = label
            equations[label] = (app.env.docname, label)


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", show_labels)
