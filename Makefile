# Two commands do all the set-up: `make run` and `make test`. Both can be repeated; the second time is quick.

# The first Python of 3.11 to 3.13 that can make virtual environments. Another one: make PYTHON=/path/to/python
USABLE = import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(USABLE)' 2>/dev/null && echo $$p && break; done)

VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# Test files that run at the same time, one per processor. One after the other: make test WORKERS=0
WORKERS ?= logical
PARALLEL := --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile
# Tests that use every dependency and take a few minutes.
QUICK_TESTS := tests/spec tests/statistics tests/comparison tests/evaluation tests/plotting tests/reporting tests/data \
	tests/models tests/training/engines/test_keras_engine.py tests/tracking/test_mlflow_internals.py \
	tests/tracking/test_models.py tests/cli/test_app.py tests/cli/test_run.py tests/cli/test_compare.py \
	tests/cli/test_plan.py tests/cli/test_doctor.py

# Scripts in benchmarks/ that measure times, with their options.
BENCHMARKS := "step.py --growth" bfloat16.py keras_engine.py keras_precision.py kinds.py monte_carlo.py \
	between_runs.py overlap.py cold_start.py workers.py executors.py "store_scale.py --rounds 3" \
	"whole_run.py --rounds 1"

.PHONY: help run demo data test pytest test-quick test-lowest lint benchmarks docs clean

help:
	@echo "make run          set up, get the data, then train experiments/baseline.yaml"
	@echo "make demo         set up, get the data, then train and compare experiments/quick.yaml"
	@echo "make test         set up for development, then lint, types, import contracts and tests"
	@echo "make pytest       the same as 'make test', without lint, types and contracts"
	@echo "make data         set up, then get and check the data"
	@echo "make lint         the same as 'make test', without the tests"
	@echo "make test-quick   a few minutes of tests that use every dependency"
	@echo "make test-lowest  the same with the lowest versions that pyproject.toml allows, in $(LOWEST)"
	@echo "make benchmarks   measure all times on a quiet machine, about 100 minutes, into benchmarks/RESULTS.md"
	@echo "make docs         set up, then build the documentation site in site/"
	@echo "make clean        remove virtual environments and caches (no results)"

run: data
	$(BIN)/dropout-lab run experiments/baseline.yaml

demo: data
	$(BIN)/dropout-lab run experiments/quick.yaml
	$(BIN)/dropout-lab compare quick

data: $(VENV)/.installed
	$(BIN)/dropout-lab data --install

test: lint pytest

pytest: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

test-quick: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(PARALLEL) $(QUICK_TESTS) $(PYTEST_ARGS)

test-lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest $(PARALLEL) $(QUICK_TESTS) $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmarks: $(VENV)/.installed-dev
	@for script in $(BENCHMARKS); do $(BIN)/python benchmarks/$$script --write || exit; done
	$(BIN)/python benchmarks/plot_step.py

# MkDocs reports no news of its theme's makers.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean

clean:
	rm -rf $(VENV) $(LOWEST) build dist site *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache

# A virtual environment that exists and works is kept, whoever made it.
$(VENV)/.created $(LOWEST)/.created:
	@if ! $(@D)/bin/python -m pip --version >/dev/null 2>&1; then \
		if [ -z "$(PYTHON)" ]; then \
			echo "Python 3.11, 3.12 or 3.13 with its venv module not found." >&2; \
			echo "On Debian and Ubuntu: apt-get install python3-venv. Or name one: make PYTHON=/path/to/python" >&2; \
			exit 1; \
		fi; \
		echo "Creating $(@D) with $(PYTHON)"; \
		"$(PYTHON)" -m venv --clear $(@D); \
	fi
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing dropout_lab (TensorFlow is large: the first time takes a few minutes)"
	@$(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing dropout_lab and what its tests need (the first time takes a few minutes)"
	@$(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-docs

$(VENV)/.installed-docs: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing dropout_lab and what its documentation needs (the first time takes a few minutes)"
	@$(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@ $(VENV)/.installed

$(LOWEST)/.installed: $(LOWEST)/.created pyproject.toml constraints-lowest.txt
	@echo "Installing the lowest versions that dropout_lab allows (the first time takes a few minutes)"
	@$(LOWEST)/bin/python -m pip install --quiet --quiet --constraint constraints-lowest.txt --editable '.[test]'
	@$(LOWEST)/bin/python -m pip check
	@touch $@
