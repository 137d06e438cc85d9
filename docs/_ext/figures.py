"""Captions and alternative texts of the figures that code cells draw.

A cell may bring its own (``mystnb: image: alt``). Any other figure is described by the first sentence of the
docstring of the function that draws it.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from docutils import nodes

from eventstudy import plotting

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GALLERY = "reference/gallery"
#: A call of a drawing function: the object before ``.plot``, and the name of the figure.
CALL = re.compile(r"(?P<function>plot_\w+)\(|(?P<of>[\w.]+|\))\.plot(?:\.(?P<figure>\w+))?\(")
#: Figures whose method has another name than their function.
OTHER_NAMES = {"path": "counterfactual", "placebos": "placebo_paths", "weights": "donor_weights"}
#: Objects of the lab that draw themselves, by a part of the name that pages give them.
LAB = {"placebo": "placebo", "spec": "specification", "curve": "specification", ")": "power"}


def caption(code: str, section: str) -> str:
    """Say in a sentence what a cell draws.

    Examples
    --------
    >>> caption("results.plot.heatmap(-5, 5);", "Several firms")
    'Abnormal returns as colours, events down and days across.'
    >>> caption("results.plot.caar(hue='group');", "Several firms")
    'Cumulative average abnormal returns with their confidence band. Each group has its colour.'
    >>> caption("axes.hist(x);", "Placebos")
    'Figure of the section “Placebos”.'
    """
    for call in reversed(list(CALL.finditer(code))):
        told = inspect.getdoc(getattr(plotting, _function(call, code), None))
        if told:
            sentence = told.splitlines()[0].removeprefix("Draw ").replace("in calendar time ", "")
            groups = " Each group has its colour." if "hue=" in code[call.start() :] else ""
            return sentence[0].upper() + sentence[1:] + groups
    return f"Figure of the section “{section}”."


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
    """Give each figure of a code cell without its own text a caption and an alternative text."""
    number = 0
    for cell in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell" in node["classes"]):
        code = "\n".join(node.astext() for node in cell.findall(nodes.literal_block) if _is_input(node))
        for image in list(cell.findall(nodes.image)):
            if image.get("alt"):
                continue
            text = caption(code, _section(cell))
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


def _section(node: nodes.Node) -> str:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node.next_node(nodes.title).astext() if node is not None else "of this page"


def setup(app: Sphinx) -> dict[str, object]:
    """Describe figures once a page has been read."""
    app.connect("doctree-read", describe)
    app.connect("doctree-read", show_thumbnails)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
