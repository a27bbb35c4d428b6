# Every target makes .venv when it is missing or its pins have changed. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
# Prints what was made and checked (pipelines/console.py) instead of every engine event.
QUIET := --config-json '{"loggers": {"console": {}}}'

BENCHMARKS := feature_reading projector_epoch prototypes projector_cross_validation preprocessing \
	picture_inspection rerun leakage ingest asking asking_memory batch_packing rendering planted_bias planted_pixels planted_text \
	audit_scale interpretability mm_llm_training staging

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test test-faults test-search lint format bench unstick snapshot screenshots clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv with the pinned packages

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(f"Python 3.11 or newer is needed; $(PYTHON) is {v.major}.{v.minor}: run make PYTHON=python3.11 …" if v < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (about 2 minutes, 6 GB) …"
	@$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable '.[dev]'
	@$(BIN)/python -m pip check
	@touch $@

demo: $(READY) ## draw pictures, run the whole graph on them offline, and say what was made
	@TINYEMO_PROFILE=demo PYTHONWARNINGS=ignore $(BIN)/dagster asset materialize --select '*' -m pipelines.definitions $(QUIET)
	@TINYEMO_PROFILE=demo $(BIN)/tinyemo show

dev: $(READY) ## open the Dagster UI (profile: TINYEMO_PROFILE, default demo)
	$(BIN)/dagster dev -m pipelines.definitions

test: lint ## lint, check types and imports, run the tests
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

test-faults: $(READY) ## all seeds of the long fault trials (kill, corrupt, throttle)
	TINYEMO_FAULT_TRIALS=all $(BIN)/python -m pytest -m faults --numprocesses $(WORKERS) --dist worksteal -s

test-search: $(READY) ## property tests on new, random examples (make test repeats the same ones)
	$(BIN)/python -m pytest --hypothesis-profile=search -m "not faults" --numprocesses $(WORKERS) --dist worksteal

lint: $(READY) ## ruff, mypy --strict, the import arrows, Dagster's own validation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate -m pipelines.definitions

format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## the committed measurements, one after another (installs what they are compared with)
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	@for name in $(BENCHMARKS); do \
		echo; echo "== benchmarks/$$name.py"; $(BIN)/python -m benchmarks.$$name || exit 1; done

snapshot: $(READY) ## accept the graph as it is now: keys, dependencies, checks, jobs
	$(BIN)/python -m tests.integration.graph_contract

screenshots: $(READY) ## pictures of the UI for the README, by a headless Chromium (CHROMIUM, default /usr/bin/chromium)
	$(BIN)/python -m docs.screenshots

unstick: $(READY) ## mark runs that a killed process left behind as cancelled, so that they free their pool
	$(BIN)/python -m pipelines.unstick

clean: ## remove the demo's data and caches (never data/raw or data/store)
	rm -rf data/demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
