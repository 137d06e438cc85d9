"""Sphinx configuration; `make docs` builds with warnings as errors."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import eventstudy

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
sys.path.insert(0, str(DOCS / "_ext"))

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
    "sphinx_design",
    "sphinx_copybutton",
    "crosslinks",
    "figures",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "autolink"  # `EventStudy` in a docstring links to its page; a parameter stays as it is
smartquotes_action = "qe"  # quotes and ellipses; "--live" is an option, not a dash

autosummary_generate = True
# A name of the package has its page there, and none in the subpackage that exports it as well.
# Methods that a frame has from pandas are documented there.
autosummary_context = {"of_the_package": eventstudy.__all__, "of_pandas": ["PrintedFrame"]}
autosummary_imported_members = True
autodoc_typehints = "none"  # numpydoc's Parameters section says it
numpydoc_show_class_members = False  # the class template lists them

# Numbers on a page come from running it: a code cell that fails, fails the build.
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]
DESCRIPTION = "Event studies in Python: abnormal stock returns around announcements, and valid tests."
myst_html_meta = {
    "description": DESCRIPTION,
    "property=og:title": "eventstudy",
    "property=og:description": DESCRIPTION,
}
copybutton_prompt_text = ">>> |\\.\\.\\. |\\$ "
copybutton_prompt_is_regexp = True

# The notebooks of the examples are pages too; they import the script of the first. Pages import size_tables.
for notebook in EXAMPLES.glob("*.ipynb"):
    shutil.copyfile(notebook, DOCS / "cases" / notebook.name)
IMPORTED = [str(EXAMPLES), str(DOCS / "_ext")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*IMPORTED, os.environ.get("PYTHONPATH")]))

# A kernel draws into the page unless the environment names another backend. Figures are sharp on every
# screen, and a progress bar is not a result.
os.environ.pop("MPLBACKEND", None)
os.environ["TQDM_DISABLE"] = "1"
PROFILE = DOCS / "_build" / "ipython" / "profile_default"
PROFILE.mkdir(parents=True, exist_ok=True)
(PROFILE / "ipython_kernel_config.py").write_text('get_config().InlineBackend.figure_formats = {"retina"}\n')
os.environ["IPYTHONDIR"] = str(PROFILE.parent)

PROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
# No link before there is something behind it.
LINKS = [{"name": "Repository", "url": REPOSITORY, "icon": "fa-solid fa-code-branch"}]
LINKS = [] if "example.org" in REPOSITORY else LINKS

html_theme = "pydata_sphinx_theme"
html_title = f"eventstudy {release}"
# A copy of MathJax: formulas are shown without a network, too. Its own extension would read pages one by one.
MATHJAX = Path(str(find_spec("sphinx-mathjax-offline").origin)).parent / "static"
html_static_path = ["_static", str(MATHJAX)]
mathjax_path = "mathjax/tex-chtml.js"
html_favicon = "_static/favicon.svg"
html_css_files = ["pages.css"]
html_js_files = ["names.js"]
html_extra_path = ["llms.txt"]
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "show_nav_level": 1,
    "icon_links": LINKS,
}
# The landing page is read across its whole width.
html_sidebars = {"index": []}


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
