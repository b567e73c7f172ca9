# `make check` is every check there is; continuous integration runs the same, and `make dist` before a release.
.PHONY: demo setup check lint types test validators golden translations bench dist

VENV ?= .venv
BIN = $(VENV)/bin

demo: $(VENV)/.installed
	$(BIN)/mps-bill bill samples/studio-2023-11-10.csv --prices mps-china

setup: $(VENV)/.ready

# The program alone, which is all that the demo needs; the checkers and what they compare with are seven times as much.
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

# The published validators of FOCUS, each in an environment of its own; without them their tests are skipped, but not in CI.
validators:
	tests/view/focus_validators.sh

# Rewrite what the golden cases, the gallery of bad sheets and the documents expect; read the difference before you commit it.
golden: setup
	$(BIN)/pytest tests/golden tests/invalid tests/pricing --rewrite-golden
	$(BIN)/python tests/docs/readme.py --rewrite

# Ratios against the floor and the peers; `--write` keeps them in benchmarks/RESULTS.md, `--small` takes a minute.
bench: setup
	$(BIN)/python benchmarks/run.py

# Bring the catalogues of `mps_bill/locale` up to date with the texts of the source, and compile them; says what has no translation.
translations: setup
	$(BIN)/python tests/locale/catalogue.py --rewrite

# The release in dist/, installed on every Python that it is for, away from the checkout.
dist: setup
	.ci/dist $(BIN)
