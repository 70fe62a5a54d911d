# Everything runs in .venv, which the first target makes. `make PYTHON=/path/to/python3.12` picks another Python.
PYTHON ?= python3
WORKERS ?= 5

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MEMBERS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard adapters/*/pyproject.toml plugins/*/pyproject.toml)))
PROJECTS := pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
LOCKS := configs/requirements.txt configs/requirements-dev.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test prove lint format docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## Make .venv: locked dependencies, the core, every adapter and every plugin

$(STAMP): $(LOCKS) $(PROJECTS)
	@command -v $(PYTHON) >/dev/null || { echo "HCRM needs Python 3.11 or newer; '$(PYTHON)' is not on this machine. Install one or say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "HCRM needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Say which to use: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { echo "'$(PYTHON)' cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r configs/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . $(addprefix -e ./,$(MEMBERS))
	@touch $@

demo: $(STAMP) ## Run a synthetic hospital from its messages to a report
	$(BIN)/hcrm demo --fresh

test: $(STAMP) ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

prove: $(STAMP) ## Run the long proofs
	$(BIN)/python -m pytest -m prove -n $(WORKERS) --dist worksteal

lint: $(STAMP) ## Check style, types and import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code and apply the safe fixes
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs: $(STAMP) ## Build the documentation as a site in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file configs/mkdocs.yml

# hcrm itself is left out: it is installed from this folder, never from an index.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--excludes configs/lock-excludes.txt --all-extras --group build $(if $(UPGRADE),--upgrade) $(PROJECTS)

lock: $(STAMP) ## Lock the dependencies again after a change of a pyproject.toml (UPGRADE=1: to newest versions)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9.8'
	$(COMPILE) --output-file configs/requirements.txt
	$(COMPILE) --group dev --constraints configs/requirements.txt --output-file configs/requirements-dev.txt

clean: ## Remove .venv and the tools' caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
