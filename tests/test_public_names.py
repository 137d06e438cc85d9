"""What is public is written down, exists from the first moment, and stands in the reference."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import eventstudy

ROOT = Path(__file__).parents[1]
LIST = ROOT / "docs" / "reference" / "public_names.txt"
PACKAGES = (
    "causal",
    "datasets",
    "errors",
    "inference",
    "lab",
    "models",
    "plotting",
    "results",
    "sources",
    "tables",
)


def public_names() -> set[str]:
    """Names that a user may import: those of the package, and those of its public subpackages."""
    names = {f"eventstudy.{name}" for name in eventstudy.__all__}
    for package in PACKAGES:
        module = import_module(f"eventstudy.{package}")
        names |= {f"eventstudy.{package}.{name}" for name in module.__all__}
    return names


def written_down() -> dict[str, str]:
    """Status of each name on the list: public or provisional."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_the_list_holds_every_public_name_and_no_other() -> None:
    listed = set(written_down())
    added, removed = sorted(public_names() - listed), sorted(listed - public_names())
    assert not added, f"list these in docs/reference/public_names.txt, and in CHANGELOG.md: {added}"
    assert not removed, f"gone from the package, but promised in docs/reference/public_names.txt: {removed}"


def test_every_name_is_public_or_provisional_and_in_order() -> None:
    listed = written_down()
    assert set(listed.values()) == {"public", "provisional"}
    assert list(listed) == sorted(listed)


def test_every_name_on_the_list_is_there() -> None:
    for name in written_down():
        home, _, attribute = name.rpartition(".")
        assert hasattr(import_module(home), attribute), name


@pytest.mark.parametrize("folder", ["docs", "examples"])
def test_pages_import_public_names_only(folder: str) -> None:
    listed = {*written_down(), *(f"eventstudy.{name}" for name in PACKAGES)}
    for path in sorted((ROOT / folder).rglob("*.md" if folder == "docs" else "*.py")):
        told = path.read_text(encoding="utf-8")
        for home, names in re.findall(
            r"^from (eventstudy[\w.]*) import ([^(#\n]+)$", told, flags=re.MULTILINE
        ):
            for name in names.split(","):
                assert f"{home}.{name.split(' as ')[0].strip()}" in listed, (path.name, home, name)
        assert not re.findall(r"^from eventstudy[\w.]* import \(", told, flags=re.MULTILINE), path.name


def test_public_subpackages_are_those_of_the_stub() -> None:
    stub = (ROOT / "eventstudy" / "__init__.pyi").read_text(encoding="utf-8")
    assert set(re.findall(r"^from \. import (\w+)", stub, flags=re.MULTILINE)) == set(PACKAGES)


#: Other packages stay loaded between the two, as they take most of the time.
ANSWERS = """
import sys
def answers(use):
    for name in [name for name in sys.modules if name.partition(".")[0] == "eventstudy"]:
        del sys.modules[name]
    import eventstudy as es
    assert not [name for name in vars(es) if name in rooms]
    use(es)
    return [type(getattr(es, name, None)).__name__ for name in rooms], sorted(dir(es))
found = answers(lambda es: None)
assert found == answers(lambda es: (es.Market, es.EventStudy, es.lab.calibrate, es.plotting.plot_car))
assert "market" not in found[1]  # reached, yet not shown
"""


def test_what_exists_does_not_depend_on_what_was_used_before() -> None:
    rooms = sorted({path.stem for path in (ROOT / "eventstudy").iterdir() if not path.stem.startswith("_")})
    program = f"rooms = {rooms!r}\n{ANSWERS}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_the_one_of_the_page() -> None:
    page = (ROOT / "docs" / "reference" / "stability.md").read_text(encoding="utf-8")
    assert f"version {eventstudy.__version__}" in page
