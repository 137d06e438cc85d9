"""Text from anywhere becomes text in LaTeX and Markdown, whatever characters it holds."""

from __future__ import annotations

import re

__all__ = ["latex", "markdown"]

_NEGATIVE = re.compile(r"^-(?=[\d.])")
_MARKDOWN = re.compile(r"([\\`*<>\[\]|~$#]|&(?=#?\w+;)|(?<!\w)_|_(?!\w))")
_GREEK = "αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ"
_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_MATHEMATICS = dict(zip(_GREEK, _NAMES.split(), strict=True))
_MATHEMATICS |= {"≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "→": "to", "∞": "infty"}
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "–": "--",
        "−": "$-$",
        "\N{THIN SPACE}": r"\,",
        "\N{NARROW NO-BREAK SPACE}": r"\,",
        "\N{ZERO WIDTH SPACE}": "",
        **{char: f"$\\{name}$" for char, name in _MATHEMATICS.items()},
        **{char: "\\" + char for char in "&%$#_{}"},
    }
)


def markdown(text: str) -> str:
    """Escape what GitHub-flavoured Markdown would read as markup."""
    return _MARKDOWN.sub(r"\\\1", text)


def latex(text: str) -> str:
    """Escape what LaTeX would read as commands, and write Greek letters and relations as mathematics."""
    # At the head of a row, LaTeX would take "*" or "[" for an option of the line break before it.
    guard = "{}" if text.startswith(("*", "[")) else ""
    return guard + _NEGATIVE.sub("$-$", text.translate(_LATEX))
