"""Store the results of the designs anew, and print what differs from those stored: read it before you commit.

Run ``python tests/pinned/write.py``; with ``--check`` nothing is written.
"""

from __future__ import annotations

import sys

from pinned_designs import designs, outcome
from pinned_file import as_texts, differences, read, write

SHOWN = 12  # differences of one design


def main(arguments: list[str]) -> int:
    """Compare, and write unless asked to check only."""
    made = designs()
    before, after = read(), {name: as_texts(outcome(design)) for name, design in made.items()}
    changed = 0
    for name, design in made.items():
        found = list(differences(before.get(name, {}), after[name], design.digits)) if name in before else []
        if name not in before:
            print(f"{name}: new")
        elif found:
            changed += 1
            more = len(found) - SHOWN
            print("\n  ".join([f"{name}:", *found[:SHOWN], *([f"and {more} more"] if more > 0 else [])]))
    for name in before.keys() - after.keys():
        print(f"{name}: gone")
    print(f"{changed} of {len(after)} designs differ")
    if "--check" in arguments:
        return int(changed > 0)
    # A design whose numbers are the same stays as it was stored, so that a rewrite shows changes only.
    kept = {
        name: before[name]
        if name in before and not list(differences(before[name], after[name], design.digits))
        else after[name]
        for name, design in made.items()
    }
    write(kept)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
