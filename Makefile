# Two commands are all a newcomer needs: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV   ?= .venv
# Two files of one module never run on two workers at once; more than eight workers do not pay.
WORKERS ?= -n auto --maxprocesses 8 --dist loadfile
# Where nothing may be written, each worker and each command under test would compile every module anew (5 s each).
test unit test-dates: export PYTHONDONTWRITEBYTECODE =
BENCHMARKS = $(sort $(wildcard benchmarks/bench_*.py))

.DEFAULT_GOAL := help
.PHONY: help venv demo test unit test-dates check lint format types arch lock-check docs fuzz bench messages lock lock-upgrade wheel clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

venv: ## Build the virtual environment, if the lock changed
	@$(PYTHON) deploy/bootstrap.py --venv $(VENV)

demo: venv ## Show Forestall at work on sample shops; two minutes, no server, nothing leaves the machine
	@$(VENV)/bin/forestall demo

test: venv ## Run every test, PostgreSQL's included (ARGS="-k name" to choose)
	@$(VENV)/bin/python -m pytest $(WORKERS) $(ARGS)

unit: venv ## Run the quick tests only
	@$(VENV)/bin/python -m pytest $(WORKERS) -m "not postgres and not slow" $(ARGS)

test-dates: venv ## Run the quick tests on other days, in other zones and languages (RUNS=5: five such runs instead of all)
	@$(VENV)/bin/python -m tests.dates $(RUNS) $(ARGS)

check: lint types arch lock-check docs ## Everything but the tests: style, types, layers, lock and docs in sync

lint: venv ## Check style and formatting
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet --diff .

format: venv ## Mend style and formatting
	@$(VENV)/bin/ruff check --quiet --fix .
	@$(VENV)/bin/ruff format .

types: venv ## Check types (strict)
	@$(VENV)/bin/python -m mypy

arch: venv ## Check the layers: daemon -> adapters -> rules
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/python -m pytest -q tests/test_architecture.py

lock-check: venv ## Check that the locks fit pyproject.toml
	@$(VENV)/bin/python -m pytest -q tests/test_lock.py

docs: venv ## Check that the documents say what the code does
	@$(VENV)/bin/python -m pytest -q tests/test_packaging.py $(wildcard tests/test_docs.py)

fuzz: venv ## Read 10,000 generated export files, each beside its truth (ARGS="--files 500 --seed 9")
	@$(VENV)/bin/python -m tests.adapters.fuzz --files 10000 $(ARGS)

bench: venv ## Run the benchmarks
	@for bench in $(BENCHMARKS); do echo "== $$bench"; $(VENV)/bin/python $$bench || exit 1; done

messages: venv ## Compile the Chinese texts, and list those that are missing
	@$(VENV)/bin/python -m tests.catalogue

lock: venv ## Resolve pyproject.toml into the locks, keeping the versions already locked
	@$(PYTHON) deploy/bootstrap.py lock --venv $(VENV)

lock-upgrade: venv ## Resolve pyproject.toml into the locks with the newest versions
	@$(PYTHON) deploy/bootstrap.py lock --venv $(VENV) --upgrade

wheel: venv ## Build dist/forestall-*.whl
	@$(VENV)/bin/python -m hatchling build -t wheel

clean: ## Remove the virtual environment and everything that was built
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
