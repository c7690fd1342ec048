# Every target needs git, make and Python 3.11 with venv; nothing else.
# `make system-packages` brings what the tests of browser, PostgreSQL and Prometheus need.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
JOBS ?= 2
UV ?= uv
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: install demo test check coverage bench docs system-packages lock clean

install: .make/development

# What runs, and what builds and tests it too: one environment, two sets of pinned packages.
.make/runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --editable .
	@mkdir -p .make && touch $@

.make/development: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --editable .
	@mkdir -p .make && touch .make/runtime $@

$(BIN)/python:
	$(PYTHON) -m venv .venv

demo: .make/runtime
	$(BIN)/seakeeping up --demo

test: .make/development
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile $(PYTEST_ARGS)

check: .make/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/house

coverage: PYTEST_ARGS := --cov --cov-report=term:skip-covered --cov-fail-under=90
coverage: test

# Each benchmark prints its figures; docs/benchmarks.md says what they were, when and where.
bench: .make/development
	@for run in $(subst /,.,$(basename $(wildcard bench/*/run.py))); do \
		echo "== $$run"; $(BIN)/python -m "$$run" || exit 1; done

docs: .make/development
	$(BIN)/python scripts/reference.py

SYSTEM := chromium postgresql curl prometheus prometheus-alertmanager

system-packages:
	@dpkg --status $(SYSTEM) >/dev/null 2>&1 || { $(SUDO) apt-get update --quiet=2 && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes \
		--no-install-recommends $(SYSTEM); }

# After a change of the dependencies in pyproject.toml; needs uv.
lock:
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --extra postgres \
		--no-emit-index-url --no-header pyproject.toml --output-file requirements.lock
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --extra postgres \
		--no-emit-index-url --no-header --group dev pyproject.toml \
		--output-file requirements-dev.lock

clean:
	rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
