"""Captions and alternative texts of the figures that code cells draw: sentences, the same for both.

A cell may bring its own in a comment, ``# Figure: Prices fall after bad news.``, which may go on over
further lines. Any other figure is described by the docstring of the function that draws it, and by its title.
A figure without either is a warning.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

from eventstudy import plotting

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
GALLERY = "reference/gallery"
#: The comment of a cell that describes its figure, and the title that a call gives.
OWN = re.compile(r"^[ ]*# Figure: (?P<text>.*(?:\n[ ]*# .*)*)", re.MULTILINE)
TITLE = re.compile(r"\btitle=(?P<quote>[\"'])(?P<text>[^{}]+?)(?P=quote)")
#: A call of a drawing function: the object before ``.plot``, and the name of the figure.
CALL = re.compile(r"(?P<function>plot_\w+)\(|(?P<of>[\w.]+|\))\.plot(?:\.(?P<figure>\w+))?\(")
#: Figures whose method has another name than their function.
OTHER_NAMES = {"path": "counterfactual", "placebos": "placebo_paths", "weights": "donor_weights"}
#: Objects of the lab that draw themselves, by a part of the name that pages give them.
LAB = {"placebo": "placebo", "spec": "specification", "curve": "specification", ")": "power"}


def caption(code: str) -> str | None:
    r"""Say in a sentence what a cell draws.

    Examples
    --------
    >>> caption("results.plot.heatmap(-5, 5);")
    'The figure shows abnormal returns as colours, events down and days across.'
    >>> caption("plot_aar(frame, title='Two days')")
    'The figure shows the average abnormal return of each day as a bar, with its interval (“Two days”).'
    >>> caption("# Figure: Targets rise,\n# and bidders fall.\naxes.plot(x)")
    'Targets rise, and bidders fall.'
    >>> caption("axes.hist(x);") is None
    True
    """
    if own := OWN.search(code):
        return re.sub(r"\s*\n\s*# ", " ", own["text"])
    for call in reversed(list(CALL.finditer(code))):
        told = inspect.getdoc(getattr(plotting, _function(call, code), None))
        if told:
            rest = code[call.start() :]
            shown = (
                told.splitlines()[0].removeprefix("Draw ").replace("in calendar time ", "").removesuffix(".")
            )
            title = f" (“{found['text']}”)" if (found := TITLE.search(rest)) else ""
            groups = " Each group has its colour." if "hue=" in rest else ""
            return f"The figure shows {shown}{title}.{groups}"
    return None


def _function(call: re.Match[str], code: str) -> str:
    if call["function"]:
        return call["function"]
    name = call["figure"]
    if name is None:
        name = next((figure for part, figure in LAB.items() if part in call["of"]), "")
    if name == "caar" and "by=" in code[call.start() :]:
        name = "caar_groups"
    return f"plot_{OTHER_NAMES.get(name, name)}"


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Give each figure of a code cell its caption and alternative text."""
    number = 0
    for cell in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell" in node["classes"]):
        code = "\n".join(node.astext() for node in cell.findall(nodes.literal_block) if _is_input(node))
        for image in list(cell.findall(nodes.image)):
            text = caption(code)
            if text is None:
                LOGGER.warning("a figure has no description: add a comment `# Figure: ...`", location=cell)
                continue
            image["alt"] = text
            number += 1
            figure = nodes.figure("", ids=[f"figure-{number}"], classes=["cell-figure"])
            image.replace_self(figure)
            figure += image
            figure += nodes.caption("", text)


def show_thumbnails(app: Sphinx, doctree: nodes.document) -> None:
    """Show all figures of the gallery small on top of it, each linked to its place."""
    if app.env.docname != GALLERY:
        return
    small = nodes.container(classes=["thumbnails"])
    for figure in doctree.findall(nodes.figure):
        if "cell-figure" in figure["classes"]:
            link = nodes.reference("", "", internal=True, refid=figure["ids"][0])
            link += next(iter(figure.findall(nodes.image))).deepcopy()
            small += link
    page = next(iter(doctree.findall(nodes.section)))
    page.insert(next(i for i, child in enumerate(page) if isinstance(child, nodes.section)), small)


def _is_input(node: nodes.Node) -> bool:
    return "cell_input" in node.parent.get("classes", [])


def setup(app: Sphinx) -> dict[str, object]:
    """Describe figures once a page has been read."""
    app.connect("doctree-read", describe)
    app.connect("doctree-read", show_thumbnails)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
