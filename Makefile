# 问渠 Wenqu. Needs Python >= 3.11 and make; everything else is fetched into .venv.
#   make run     the demo company at once        make check   what a change must pass
#   make test    all tests                       make bench   measurements
MAKEFLAGS += --no-print-directory
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
EXTRAS ?=
# What is installed depends on pyproject.toml; a stamp carries its checksum.
KEY := $(shell cksum < pyproject.toml | cut -d ' ' -f 1)
STAMPS := $(VENV)/stamps
TESTS := $(STAMPS)/test-$(KEY)-$(EXTRAS)
# The first interpreter that is new enough.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

.PHONY: help run test check lint types contracts console browser bench docs revision clean

help:
	@sed -n '2,3s/^# *//p' Makefile

run: $(STAMPS)/app-$(KEY) console
	@exec $(BIN)/wenqu demo

test: $(TESTS) console browser
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: lint types contracts test
	$(BIN)/python -m tools.console check

lint: $(STAMPS)/lint-$(KEY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TESTS)
	$(BIN)/mypy

contracts: $(STAMPS)/lint-$(KEY)
	$(BIN)/lint-imports

# Built when a source changed; Node comes from the machine or from a wheel.
console: $(STAMPS)/app-$(KEY)
	@$(BIN)/python -m tools.console build

# Debian's Chromium, for the tests that drive a browser.
browser:
	@sh tools/browser.sh

bench: $(TESTS) console
	$(BIN)/python -m tools.bench $(ARGS)

# The generated pages under docs/.
docs: $(STAMPS)/app-$(KEY)
	@$(BIN)/python -m tools.docs

# The next migration, written from the models: make revision m="Add the due date."
revision: $(STAMPS)/app-$(KEY)
	@$(BIN)/python -m tools.revision "$(m)"

clean:
	rm -rf $(VENV) build dist admin_api/static console/dist console/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "Python >= 3.11 is needed (set PYTHON=/path/to/python3)." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/app-$(KEY): | $(STAMPS)/venv
	@echo "Installing wenqu (a minute or two the first time)"
	@$(BIN)/python -m pip install --quiet -e .
	@rm -f $(STAMPS)/app-* && touch $@

$(TESTS): $(STAMPS)/app-$(KEY) $(STAMPS)/lint-$(KEY)
	@echo "Installing what the tests need"
	@$(BIN)/python -m pip install --quiet --group test $(if $(EXTRAS),-e '.[$(EXTRAS)]')
	@rm -f $(STAMPS)/test-* && touch $@

# The architecture tests run the linters' contracts, so tests need them too.
$(STAMPS)/lint-$(KEY): $(STAMPS)/app-$(KEY)
	@echo "Installing the linters"
	@$(BIN)/python -m pip install --quiet --group lint
	@rm -f $(STAMPS)/lint-* && touch $@
