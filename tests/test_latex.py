"""LaTeX tables compile with pdflatex, whatever the user's labels hold."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.tables import Section, Table

pytestmark = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")

#: Each of them has made some LaTeX writer fail, or lost the rest of a row.
LABELS = [
    r"100% & a_b # c ~ d ^ e \ f { g } $h$ <script>alert(1)</script>",
    "*", "[x]", "%", "\\", "{", "}", "--", "-5", r"\input{/etc/passwd}", r"\end{tabular}", "^^5c^^M",
    "a\tb\nc\x07\x00", "Ünïcode é ß – — − “q” … €", "§ ° µ ± × ² ½", "α β Δ Ω ≤ ≥ ≠ ≈ → ∞ R²",
    "a\u2009b\u200bc\u00a0d",
]  # fmt: skip
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs}
\usepackage[paperwidth=60cm,paperheight=80cm,margin=1cm]{geometry}
\begin{document}
%s
\end{document}
"""


def compiled(tables: list[Table], folder: Path) -> str:
    """Compile tables and return the log; the first error ends it."""
    body = "\n\\clearpage\n".join(table.to_latex() for table in tables)
    (folder / "tables.tex").write_text(DOCUMENT % body, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "tables.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-3000:]
    assert (folder / "tables.pdf").stat().st_size > 1000
    return log


def test_labels_captions_notes_and_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({label: [1.0, -2.0] for label in LABELS[:6]}, index=LABELS[:2]).rename_axis(
        LABELS[0]
    )
    names = Section(pd.DataFrame({"n": range(len(LABELS))}, index=LABELS))
    texts = Section(pd.DataFrame({"text": LABELS}), index=False)
    tables = [
        Table(LABELS[0], (Section(frame, LABELS[0]), names, texts), tuple(LABELS)),
        *(Table(label, (texts,)) for label in LABELS),
    ]
    log = compiled(tables, tmp_path)
    assert "Missing character" not in log
    assert f"({1 + len(LABELS)} pages" in log.replace("\n", "")


def test_tables_of_a_study(tmp_path: Path) -> None:
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    firms = ("002415.SZ", "002236.SZ", "300188.SZ")
    news = [{"security": name, "date": "2019-05-22", "label": LABELS[0]} for name in firms]
    results = es.EventStudy(market, news, estimation=(-200, -21), window=(-3, 3)).fit()
    tables = [
        results.summary(),
        results.aar_table(),
        results.caar_table(),
        results.car_table(),
        es.event_table([results, results], names=LABELS[:2]),
    ]
    compiled(tables, tmp_path)


def test_an_error_is_seen(tmp_path: Path) -> None:
    class Broken(Table):
        def to_latex(self) -> str:
            return super().to_latex().replace(r"\%", "%")

    rows = Section(pd.DataFrame({"a": [0.5, 0.1]}), formats="{:.0%}")
    with pytest.raises(AssertionError):
        compiled([Broken("100%", (rows,))], tmp_path)
