# Needs Python 3.11 to 3.13 and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST_READY := $(LOWEST)/.ready
PYTEST_ARGS ?=
# A file's tests go to one worker, so that what they share is made once.
WORKERS := -n 2 --dist loadfile
# Before two workers compile the package at once.
COMPILE := $(BIN)/python -m compileall -q eventstudy

# Two workers share the cores; a BLAS with threads of its own would slow both.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MPLBACKEND := Agg
# Where this is set, each process compiles package and tests anew, 12 seconds for each of the two workers.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage test-slow test-lowest test-pythons lint format docs bench bench-peers bench-dask mutation
.PHONY: gallery reports clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with the library and its tools

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "uv>=0.13"
	$(BIN)/uv pip install --quiet --system-certs --compile-bytecode --python $(BIN)/python --editable ".[dev]"
	@touch $@

demo: $(READY) ## the main example, offline; with live prices: make demo ARGS=--live
	$(BIN)/python examples/hikvision_2019.py $(ARGS)

test: $(READY) ## all tests but the slow ones
	@$(COMPILE)
	$(BIN)/python -m pytest $(WORKERS) -m "not slow" $(PYTEST_ARGS)

coverage: $(READY) ## the same under coverage, which doubles their time
	@$(COMPILE)
	$(BIN)/python -m pytest $(WORKERS) -m "not slow" --cov --cov-report=term $(PYTEST_ARGS)

test-slow: $(READY) ## the slow tests
	@$(COMPILE)
	$(BIN)/python -m pytest -n 2 -m slow $(PYTEST_ARGS)

# The oldest numpy allowed has no build for Python 3.13: use 3.11 or 3.12 here.
$(LOWEST_READY): pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet "uv>=0.13"
	$(LOWEST)/bin/uv pip install --quiet --system-certs --compile-bytecode --python $(LOWEST)/bin/python \
		--resolution lowest-direct --editable ".[test]"
	@touch $@

# matplotlib 3.10.0 calls names that the current pyparsing, which it does not cap, has deprecated.
test-lowest: $(LOWEST_READY) ## the tests on the lowest versions pyproject.toml declares
	$(LOWEST)/bin/python -m pytest $(WORKERS) -m "not slow" \
		-W "ignore::pyparsing.warnings.PyparsingDeprecationWarning" $(PYTEST_ARGS)

test-pythons: $(READY) ## the wheel in bare environments of Python 3.11 to 3.13; with tests: ARGS=--tests
	$(BIN)/python scripts/pythons.py $(ARGS)

lint: $(READY) ## ruff, mypy and the wording of texts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/prose_lint.py

format: $(READY) ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## the documentation, in docs/_build/html
	$(BIN)/python scripts/prose_lint.py docs README.md
	$(BIN)/sphinx-build -W --keep-going -q -j auto -b html docs docs/_build/html
	$(BIN)/python scripts/check_pages.py docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(READY) ## many events against copying their windows; the first import, summary and figure; the lab
	$(BIN)/python -m pytest -o addopts= -q benchmarks --benchmark-timer=time.process_time \
		--benchmark-columns=min,median,rounds --benchmark-sort=fullname
	$(BIN)/python benchmarks/many_events.py --big
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/laboratory.py

bench-peers: $(READY) ## other event-study packages, each in an environment of its own, on one panel
	$(BIN)/python benchmarks/peers.py

bench-dask: $(READY) ## two million events from Parquet on a Dask cluster of this machine
	$(BIN)/python benchmarks/dask_events.py --table docs/data/dask_events.csv

mutation: $(READY) ## change the library at random and see whether the tests notice; report in docs/contributing
	$(BIN)/python benchmarks/mutation.py --write

gallery: $(READY) ## every figure as a PNG and a contact sheet, in build/gallery
	$(BIN)/python scripts/gallery.py

reports: $(READY) ## reports in a browser: barriers, markup and pictures at two widths, in build/reports
	$(BIN)/python scripts/check_reports.py

clean: ## remove what the other targets made
	rm -rf $(VENV) $(LOWEST) build dist docs/_build docs/api/generated examples/output htmlcov
	rm -rf .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
