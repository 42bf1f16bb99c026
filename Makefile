# Two commands on a fresh machine: `make demo` and `make test`. They need Python 3.11 or newer, git and make.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo install test lint format bench bench-ingest bench-questions bench-selectors bench-snippet bench-suggestions snippet dist

BIN := .venv/bin
# Tests start some hundred processes of Expost: none of them is to compile its modules anew, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

# Worker processes of the tests, two more than the cores of a small machine: half of them begin with browser tests, which
# mostly wait for a timer of the snippet. `make test JOBS=8` on a bigger one. A file stays whole.
JOBS ?= 4
FOLDERS := $(wildcard expost/*/)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: install ## a small shop with data in it, on this machine only
	$(BIN)/expost demo

install: .venv/installed ## .venv with Expost in it

test: .venv/installed-dev snippet/node_modules/.package-lock.json ## every test, in a real browser too
	@.ci/chromium
	.ci/with-node npm --prefix snippet run --if-present test
	.ci/with-node node bench/pages/pages.mjs
	.ci/with-node $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=40

torture: .venv/installed-dev ## lives ended by kill -9, power cuts and bad disks: what was acknowledged, lost, doubled
	$(BIN)/python -m tests.torture.rounds --kills 1000 --cuts 300 --faults 50 --flips 50 --corrupt 50 --replays 50 --erasures 100 --slow 1

lint: .venv/installed-dev snippet/node_modules/.package-lock.json ## style, types, layers, size of the snippet
	@# The second ruff looks through the links: for a folder that imports another by its bare name.
	@.ci/together \
		"$(BIN)/mypy expost tests" \
		".ci/with-node $(BIN)/pyright" \
		"$(BIN)/ruff check && $(BIN)/ruff check --select TID251 $(FOLDERS) && $(BIN)/ruff format --check && $(BIN)/lint-imports" \
		".ci/with-node npm --prefix snippet run check"

format: .venv/installed-dev ## what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The others are parts of these.
BENCHES := $(filter-out bench/clickhouse.py bench/memory.py bench/question_alone.py,$(sort $(wildcard bench/[a-z]*.py)))

bench: .venv/installed-dev snippet/node_modules/.package-lock.json bench/peers/node_modules/.package-lock.json ## prints every figure the README claims
	@.ci/chromium
	.ci/with-node node bench/pages/pages.mjs
	@set -e; for script in $(BENCHES); do echo "== $$script"; PYTHONPATH=. .ci/with-node $(BIN)/python -P $$script; done
	@set -e; for script in bench/*.mjs; do echo "== $$script"; .ci/with-node node $$script; done

bench-ingest: .venv/installed-dev ## the collector beside nginx; needs nginx and wrk and says so
	$(BIN)/python -P bench/ingest.py

bench-questions: .venv/installed-dev ## funnels and retention beside ClickHouse, and where memory ends; how both grow to 100 million events; takes half an hour
	PYTHONPATH=. $(BIN)/python -P bench/questions.py

bench-selectors: .venv/installed-dev ## selectors by distinct elements, and beside a regex over chains in ClickHouse
	PYTHONPATH=. $(BIN)/python -P bench/selectors.py
	PYTHONPATH=. $(BIN)/python -P bench/chains.py

bench-snippet: snippet/node_modules/.package-lock.json bench/peers/node_modules/.package-lock.json ## the snippet beside its peers' scripts
	@.ci/chromium
	.ci/with-node node bench/pages/pages.mjs
	.ci/with-node node bench/snippet.mjs

bench-suggestions: .venv/installed-dev snippet/node_modules/.package-lock.json bench/peers/node_modules/.package-lock.json ## suggested selectors over redesigns
	@.ci/chromium
	.ci/with-node node bench/pages/pages.mjs
	.ci/with-node $(BIN)/python -P bench/suggestions.py

snippet: .venv/installed snippet/node_modules/.package-lock.json ## builds snippet/dist
	.ci/with-node npm --prefix snippet run build

dist: .venv/installed-dev ## wheel and source archive
	$(BIN)/python -m build

.venv/installed: pyproject.toml
	@.ci/venv

.venv/installed-dev: pyproject.toml
	@.ci/venv dev
	@touch .venv/installed

snippet/node_modules/.package-lock.json: snippet/package-lock.json | .venv/installed
	.ci/with-node npm --prefix snippet ci --no-audit --no-fund

bench/peers/node_modules/.package-lock.json: bench/peers/package-lock.json | .venv/installed
	.ci/with-node npm --prefix bench/peers ci --no-audit --no-fund --ignore-scripts
