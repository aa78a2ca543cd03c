# Everything a developer runs. `make run` and `make test` set themselves up; nothing is installed outside .venv.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

# Passed on to the service; `make run PORT=9000` or `PORT=9000 make run`.
export HOST ?= 127.0.0.1
export PORT ?= 8000

.PHONY: help setup run test check pages docs screenshots bench endure fuzz mutate lint format lock clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.ready  ## create .venv from the locked dependencies

run: $(VENV)/.ready  ## start the service on HOST and PORT (127.0.0.1:8000)
	exec $(BIN)/cds-service serve

test: $(VENV)/.ready  ## lint, types, import contracts, content check, documentation and every test; stops at the first failure
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cds-service check
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs
	$(BIN)/pytest

check: $(VENV)/.ready  ## check the clinical content in cards/
	$(BIN)/cds-service check

pages: $(VENV)/.ready  ## write docs/trace.md, docs/clinical-review.md and docs/conformance.md again
	$(BIN)/cds-service trace --write docs/trace.md
	$(BIN)/cds-service review --write docs/clinical-review.md
	$(BIN)/python -m tests.support.conformance

docs: $(VENV)/.ready  ## build the documentation site into build/docs; a broken link or page is an error
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs

screenshots: $(VENV)/.ready  ## take the pictures of docs/images again, in Chromium
	CDS_TESTS_REQUIRE=browser CDS_TESTS_SCREENSHOTS=docs/images $(BIN)/pytest tests/browser/test_screenshots.py

bench: $(VENV)/.ready  ## measure the hot path against its budgets
	$(BIN)/python -m tests.load.bench
	$(BIN)/python -m tests.load.trust_cost

endure: $(VENV)/.ready  ## lay overload and slow clients on a service of its own and print how it fares; two minutes
	$(BIN)/python -m tests.load.endurance

fuzz: $(VENV)/.ready  ## break the form of sample calls ten thousand times; ends by itself after some minutes
	CDS_FUZZ_EXAMPLES=10000 $(BIN)/pytest tests/functional/test_broken_forms.py

mutate: $(VENV)/.ready  ## change content and engine bit by bit and list what no test notices (the engine takes an hour)
	$(BIN)/python -m tests.mutation.content
	$(BIN)/python -m tests.mutation.engine

lint: $(VENV)/.ready  ## ruff, mypy and the import contracts, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.ready  ## format the code and apply what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Its own environment, so that a lock that cannot be installed can still be mended. Keeps pinned versions
# that still fit; `make lock UPGRADE=--upgrade` takes the newest ones.
lock: $(VENV)-lock/bin/uv  ## pin the dependencies of pyproject.toml again, with hashes
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

LOCK = $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

$(VENV)-lock/bin/uv: Makefile
	@$(FIND_PYTHON); $$python -m venv --clear $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

clean:  ## remove the environments, caches and builds
	rm -rf $(VENV) $(VENV)-lock build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find cds_service tests -type d -name __pycache__ -prune -exec rm -rf {} +

# The project's own metadata changed: install it again, without touching the dependencies. The editable install
# also copies cards/ into the environment; that copy would only ever grow stale, so it goes.
$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@rm -rf $(VENV)/lib/python3*/site-packages/cds_service
	@touch $@

# The lock changed: start from an empty environment, so that nothing unlocked is left behind.
$(VENV)/.locked: requirements-dev.lock
	@$(FIND_PYTHON); echo "Setting up $(VENV) with $$($$python --version); this takes a minute."; \
		$$python -m venv --clear $(VENV)
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@touch $@

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 5

# Sets $$python to the first interpreter that is new enough, or says what to install. PYTHON=... overrides.
define FIND_PYTHON
for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	python=; \
done; \
if [ -z "$$python" ]; then \
	echo "Python 3.11 or newer is needed and was not found." >&2; \
	echo "On Debian 12 or Ubuntu 24.04 and newer: sudo apt-get install python3 python3-venv" >&2; \
	exit 1; \
fi; \
if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	echo "$$python cannot make virtual environments: its venv module is a package of its own." >&2; \
	echo "On Debian and Ubuntu: sudo apt-get install python$$version-venv" >&2; \
	exit 1; \
fi
endef
