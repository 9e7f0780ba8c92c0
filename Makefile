PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
unexport PYTHONDONTWRITEBYTECODE
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
.DEFAULT_GOAL := help

help:            ## list targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/.base:
	@$(PY) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is %d.%d: try make PY=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PY) -c 'import ensurepip' 2>/dev/null || { echo "This Python has no ensurepip. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PY) -m venv $(VENV)
	@$(BIN)/pip install -q 'uv>=0.9' 2>/dev/null || echo 'no uv, using pip (slower)'
	@touch $@

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/.base
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r $<; else $(BIN)/pip install -q --require-hashes -r $<; fi
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install -q --python $(BIN)/python --no-build-isolation --no-deps -e .; else $(BIN)/pip install -q --no-build-isolation --no-deps -e .; fi
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/.run
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r $<; else $(BIN)/pip install -q --require-hashes -r $<; fi
	@touch $@

run: $(VENV)/.run ## the whole product against local sandbox servers; prints the address
	$(BIN)/loaso demo

test: $(VENV)/.dev ## every test, with a real PostgreSQL from a wheel
	$(BIN)/python -m pytest -m "not alone"
	$(BIN)/python -m pytest -m alone -n 0

check: $(VENV)/.dev ## formatting, lint, types, import direction, content: fastest first
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/loaso content check

format: $(VENV)/.dev ## format and fix what can be fixed by machine
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## what a message costs, ours beside others' (benchmarks/README.md)
	$(BIN)/python -m benchmarks

lock: $(VENV)/.base ## refresh both lock files
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

.PHONY: help run test check format bench lock
