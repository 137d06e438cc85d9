"""Install the built wheel into bare environments of every Python supported, and try what a user tries first.

For each interpreter that is found: a fresh environment with the wheel and its required dependencies only,
in which the code of the README runs, the data sets check themselves and every missing extra says what to
install; then, with ``--tests``, the extras and the fast tests out of the source distribution. Interpreters
that are not there are named as skipped.

    python scripts/pythons.py [--tests] [--locale de_DE.UTF-8] [python3.12 ...]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUPPORTED = ("python3.11", "python3.12", "python3.13")

BARE = """
import importlib.util, re, sys, warnings
import eventstudy as es
from eventstudy.errors import MissingExtraError

assert "site-packages" in es.__file__, es.__file__
prices = es.datasets.surveillance_prices()
market = es.Market.from_prices(prices, benchmark="399001.SZ", calendar="XSHG")
events = [{"security": "002415.SZ", "announced_at": "2019-05-21 19:00-04:00"}]
results = es.EventStudy(market, events, estimation=(-270, -21)).fit()
results.report("report.html")
garch, forest = es.GARCHMarketModel(), es.ElasticNetModel()
attempts = {
    "arch": lambda: es.EventStudy(market, events, model=garch, estimation=(-270, -21)).fit(),
    "sklearn": lambda: es.EventStudy(market, events, model=forest, estimation=(-270, -21)).fit(),
    "openpyxl": lambda: results.summary().to_excel("t.xlsx"),
    "pyarrow": lambda: es.Market.scan_parquet("x.parquet"),
}
for module, attempt in attempts.items():
    assert importlib.util.find_spec(module) is None, f"{module} is installed"
    try:
        attempt()
    except MissingExtraError as error:
        assert re.search(r"pip install 'abnormal-returns\\[\\w+\\]'", str(error)), error
    else:
        raise AssertionError(f"{module} is missing and was not missed")
print("bare environment: fine on", sys.version.split()[0])
"""


def readme_code() -> str:
    """Python of the README, as one script."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Run a command, and stop where it fails."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True, env=env)


def find(name: str) -> str | None:
    """Path of an interpreter that starts and is of the version that its name says."""
    version = name.removeprefix("python")
    candidates = [shutil.which(name), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for candidate in filter(None, candidates):
        told = subprocess.run(
            [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if told.stdout.strip() == version:
            return str(candidate)
    return None


def build(folder: Path) -> tuple[Path, Path]:
    """Build the wheel and the source distribution."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    run(uv, "build", "--quiet", "--system-certs", "--out-dir", folder, ROOT, cwd=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def check(python: str, wheel: Path, sdist: Path, folder: Path, tests: bool, locale: str | None) -> None:
    """Try one interpreter in an environment of its own."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    environment = folder / "venv"
    run(uv, "venv", "--quiet", "--python", python, environment, cwd=folder)
    inside = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = (uv, "pip", "install", "--quiet", "--system-certs", "--python", inside)
    run(*install, wheel, cwd=folder)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"MPLBACKEND": "Agg"}
    if locale is not None:
        env |= {"LC_ALL": locale}
    run(inside, "-c", BARE, cwd=folder, env=env)
    run(inside, "-m", "eventstudy.datasets.check", cwd=folder, env=env)
    run(inside, "-c", readme_code(), cwd=folder, env=env)
    if tests:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (source,) = [path for path in folder.iterdir() if path.name.startswith("abnormal_returns-")]
        run(*install, f"{wheel}[test]", cwd=folder)
        run(inside, "-m", "pytest", "-q", "-n", "2", "-m", "not slow", cwd=source, env=env)


def main() -> None:
    """Build once, and try the interpreters one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pythons", nargs="*", default=SUPPORTED)
    parser.add_argument("--tests", action="store_true", help="run the fast tests of the source distribution")
    parser.add_argument("--locale", help="value of LC_ALL, such as de_DE.UTF-8")
    given = parser.parse_args()
    tried = []
    with tempfile.TemporaryDirectory() as built:
        wheel, sdist = build(Path(built))
        for name in given.pythons:
            python = find(name)
            if python is None:
                print(f"{name}: skipped, it is not installed here")
                continue
            with tempfile.TemporaryDirectory() as folder:
                check(python, wheel, sdist, Path(folder), given.tests, given.locale)
            tried.append(name)
            print(f"{name}: fine")
    if not tried:
        raise SystemExit("No interpreter was tried.")


if __name__ == "__main__":
    main()
