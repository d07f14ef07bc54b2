# Two commands do all the set-up: `make run` and `make test`. Both can be repeated; the second time is quick.

# The first Python of 3.11 to 3.13 that can make virtual environments. Another one: make PYTHON=/path/to/python
USABLE = import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(USABLE)' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable
PYTEST_ARGS ?=

.PHONY: help run data test lint clean

help:
	@echo "make run    set up, get the data, then train experiments/baseline.yaml"
	@echo "make test   set up for development, then lint, types, import contracts and tests"
	@echo "make data   set up, then get and check the data"
	@echo "make lint   the same as 'make test', without the tests"
	@echo "make clean  remove the virtual environment and caches (no results)"

run: data
	$(BIN)/dropout-lab run experiments/baseline.yaml

data: $(VENV)/.installed
	$(BIN)/dropout-lab data

test: lint
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# An environment that is there and works is kept, whoever made it.
$(VENV)/.created:
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		if [ -z "$(PYTHON)" ]; then \
			echo "Expected Python 3.11, 3.12 or 3.13 with its venv module, found none." >&2; \
			echo "On Debian and Ubuntu: apt-get install python3-venv. Or name one: make PYTHON=/path/to/python" >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $(PYTHON)"; \
		"$(PYTHON)" -m venv --clear $(VENV); \
	fi
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing dropout_lab (TensorFlow is large: the first time takes a few minutes)"
	@$(INSTALL) .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing dropout_lab and what its tests need (the first time takes a few minutes)"
	@$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/.installed
