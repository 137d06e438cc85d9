"""Sphinx configuration; `make docs` builds with warnings as errors."""

from __future__ import annotations

from importlib.metadata import version as installed_version

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
autosummary_imported_members = True
autodoc_typehints = "none"  # numpydoc's Parameters section says it
numpydoc_show_class_members = False  # the class template lists them

# Numbers on a page come from running it: a code cell that fails, fails the build.
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]

html_theme = "pydata_sphinx_theme"
html_title = f"eventstudy {release}"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
