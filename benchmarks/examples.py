"""CPU time of each example script, start of Python included."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def used() -> float:
    """CPU seconds of finished child processes."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    """Print one line an example."""
    for script in sorted(EXAMPLES.glob("*.py")):
        with tempfile.TemporaryDirectory() as folder:
            before = used()
            environment = os.environ | {"MPLBACKEND": "Agg"}
            done = subprocess.run(
                [sys.executable, script], cwd=folder, env=environment, capture_output=True, check=False
            )
            verdict = "" if done.returncode == 0 else f" (ended with {done.returncode})"
            print(f"{script.name}: {used() - before:.1f} s{verdict}", flush=True)


if __name__ == "__main__":
    main()
