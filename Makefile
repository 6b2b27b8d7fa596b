# Thin targets; the work is in `stock-platform`. Each installed piece is rebuilt only when what it is made of changes,
# and a half-finished one is finished by the next run.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
PLATFORM := $(BIN)/stock-platform
PYTEST := $(BIN)/pytest
FLINK_JAR := .cache/jars/flink/stock-platform-functions.jar
KAFKA_JARS := .cache/jars/kafka/.installed
NODE_MODULES := frontend/node_modules/.installed
PAGE := frontend/dist/index.html
MVN := mvn --batch-mode --no-transfer-progress

.PHONY: help install up down status test lint unit soak bench clean tools

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | column -t -s "$$(printf '\t')"

install: tools .venv/.installed $(FLINK_JAR) $(KAFKA_JARS) $(PAGE)  ## Set-up alone: Python, Java and Node packages, and what is built from them
	@echo "installed"

up: install  ## Start the stack (options: make up ARGS="--feed tape --tape FILE")
	@$(PLATFORM) up $(ARGS)

down:  ## Stop the stack; its data stays
	@$(PLATFORM) down $(ARGS)

status:  ## Show services, feed and freshness
	@$(PLATFORM) status $(ARGS)

test: install browser  ## Check everything, on servers of its own
	$(MAKE) --no-print-directory --jobs=2 lint unit
	$(PYTEST) --numprocesses 2 --dist loadfile stock_platform_tests/integration
	$(PYTEST) stock_platform_tests/end_to_end stock_platform_tests/browser stock_platform_tests/faults

lint: install  ## Style, types, import law, SQL, rendered files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar stock_platform/contracts/migrations
	cd flink/sql && ../../$(BIN)/sqlfluff lint --disable-progress-bar .
	$(PLATFORM) render --check
	cd frontend && npm run --silent check

unit: install  ## Tests without servers
	$(PYTEST) stock_platform_tests/unit stock_platform_tests/architecture

soak: install  ## Faults that take their time: an outage as it is lived, then kills at random moments for as long as MINUTES says
	$(PYTEST) -s --timeout 20000 stock_platform_tests/soak --soak-minutes $${MINUTES:-30}

bench: install  ## Measure; results go to benchmarks/results
	$(PLATFORM) bench

clean:  ## Stop the stack and forget all local data
	@-[ ! -x $(PLATFORM) ] || $(PLATFORM) down
	rm -rf .stack

tools:
	@PYTHON=$(PYTHON) tools/check-tools

.venv/.installed: requirements-dev.lock requirements-uv.lock pyproject.toml | tools
	@echo "installing Python packages"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --compile-bytecode --require-hashes requirements-dev.lock requirements-uv.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q stock_platform
	@touch $@

$(FLINK_JAR): flink/functions/pom.xml $(shell find flink/functions/src -name '*.java') | tools
	@echo "fetching Flink and building its functions"
	cd flink/functions && $(MVN) package
	@touch $@

$(KAFKA_JARS): stock_platform/stack/jars/kafka/pom.xml | tools
	@echo "fetching Kafka"
	cd stock_platform/stack/jars/kafka && $(MVN) package
	@touch $@

$(NODE_MODULES): frontend/package-lock.json | tools
	@echo "installing the page's packages"
	cd frontend && npm ci --no-fund --no-audit
	@touch $@

$(PAGE): $(NODE_MODULES) frontend/index.html $(shell find frontend/src frontend/public -type f)
	@echo "building the page"
	cd frontend && npm run --silent build
	@touch $@

.PHONY: browser
browser:
	@command -v $${CHROMIUM:-chromium} >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium; } || { \
	  echo "missing: Chromium, for the browser tests. On Debian: apt-get install chromium, or name one: CHROMIUM=/path" >&2; exit 1; }
