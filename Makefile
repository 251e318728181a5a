# `make demo` and `make test` need git, make and Python >= 3.10; all else is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
INPUTS := pyproject.toml Makefile

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help demo test stories lint docs bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    a team's day in a temporary git repository"
	@echo "make test    the test suite, with its coverage limits; ARGS='-k word' for a part of it without them"
	@echo "make stories the tests that play a user's day in processes of their own; CI runs both"
	@echo "make lint    ruff and mypy"
	@echo "make docs    the documentation as a site, in build/site"
	@echo "make bench   the benchmarks"
	@echo "make clean   remove what these made, .venv included"

demo: $(STAMP)
	$(BIN)/python examples/demo.py

ifdef ARGS
test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)
else
test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -m 'not story' --cov --cov-report=
	$(BIN)/coverage report --include='pytest_genaiver/core/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95
endif

stories: $(STAMP)
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -m story

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/python -m mkdocs build --strict

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find pytest_genaiver tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Dependency groups need pip 25.1, newer than the one that most Pythons bring.
$(STAMP): $(INPUTS)
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(sys.version_info < (3, 10) and \
		f"$(PYTHON) is Python {v}; at least 3.10 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group lint --group test
	@touch $@
