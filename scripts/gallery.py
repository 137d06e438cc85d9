"""Draw every figure of docs/reference/gallery.md as a PNG, and one contact sheet of them all.

Run as ``python scripts/gallery.py [folder]``; the default folder is build/gallery.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "gallery.md"
CELL = re.compile(r"```\{code-cell\} python\n(.*?)```", flags=re.DOTALL)
COLUMNS = 4


def figures(folder: Path) -> dict[str, Path]:
    """Run the cells of the page and save what each draws; the image by the call that drew it."""
    drawn: dict[str, Path] = {}
    names: dict[str, Any] = {}
    for cell in CELL.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(cell, str(PAGE), "exec"), names)
        for number in plt.get_fignums():
            call = re.findall(r"\w+\.plot(?:_\w+|\.\w+)?(?=\()", cell)[-1]
            path = folder / f"{len(drawn) + 1:02}_{re.sub(r'[^a-z]+', '_', call)}.png"
            figure = plt.figure(number)
            figure.savefig(path, dpi=110, bbox_inches="tight")
            plt.close(figure)
            drawn[f"{len(drawn) + 1}. {call}"] = path
    return drawn


def main(folder: Path) -> None:
    """Write one image per figure, and contact_sheet.png."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = figures(folder)
    rows = -(-len(drawn) // COLUMNS)
    sheet, axes = plt.subplots(rows, COLUMNS, figsize=(5 * COLUMNS, 4.6 * rows), layout="constrained")
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (call, path) in zip(axes.flat, drawn.items(), strict=False):
        ax.imshow(plt.imread(path))
        ax.set_title(call)
    sheet.savefig(folder / "contact_sheet.png", dpi=110)
    plt.close(sheet)
    print(folder / "contact_sheet.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/gallery"))
