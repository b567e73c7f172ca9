# `make check` runs every check, as continuous integration does; run `make dist` before a release.
.PHONY: demo setup check lint types test validators golden translations bench dist

VENV ?= .venv
BIN = $(VENV)/bin

demo: $(VENV)/.installed
	$(BIN)/mps-bill bill samples/studio-2023-11-10.csv --prices mps-china

setup: $(VENV)/.ready

# Only the program, which is all that the demo needs; with the tools for checks the environment is seven times as large.
$(VENV)/.installed: pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.ready: pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $(VENV)/.installed $@

check: lint types test

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

test: setup
	$(BIN)/pytest

# The published FOCUS validators, each in its own environment. Without them their tests are skipped, or fail in CI.
validators:
	tests/view/focus_validators.sh

# Rewrite the expected output of golden cases, examples of mistakes and documents. Read the difference before you commit it.
golden: setup
	$(BIN)/pytest tests/golden tests/invalid tests/pricing --rewrite-golden
	$(BIN)/python tests/docs/readme.py --rewrite

# Ratios against a bare scan and other engines. `--write` stores them in benchmarks/RESULTS.md; `--small` takes a minute.
bench: setup
	$(BIN)/python benchmarks/run.py

# Update the catalogues in `mps_bill/locale` from the texts in the source, compile them, and list what has no translation.
translations: setup
	$(BIN)/python tests/locale/catalogue.py --rewrite

# Build the release in dist/ and install it on every supported Python, away from the checkout.
dist: setup
	.ci/dist $(BIN)
