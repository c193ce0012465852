# make run    simulate recordings and go the whole way to data/08_reporting/report.html
# make test   run every test;  make lint  check style, types and import contracts
# make review look at every cell in the browser, and score it: of the study that make run has made, or another: ENV=myname
# make bench  measure speed, memory and chance level;  make viz  look at the pipelines in a browser

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export OMP_NUM_THREADS ?= 2

.PHONY: run test lint bench review viz environment clean

environment: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

run: $(STAMP)
	$(BIN)/kedro run --pipelines demo

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks

review: $(STAMP)
	$(BIN)/cellfate review $(if $(ENV),--env $(ENV))

viz: $(STAMP)
	$(BIN)/kedro viz run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
