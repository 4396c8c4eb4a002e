PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install dev demo run test lint style lock bench drill-faults attack screenshots sbom audit-parts

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kairanban needs Python 3.11 or newer"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "Debian keeps this part of Python in a package of its own: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: .venv/run.stamp ## make .venv and install kairanban from the hashed lock
dev: .venv/dev.stamp ## the same with the tools for tests

demo: install ## the whole service on this machine, with stand-ins and a seeded town
	$(BIN)/kairanban demo

screenshots: dev ## take the picture of the README anew (needs Chromium)
	$(BIN)/python -m tests.journeys.pictures

run: install ## the service with your own settings (kairanban.toml or KAIRANBAN_…)
	$(BIN)/kairanban serve

bench: install ## measure, each figure beside its reference; one alone: make bench NAME=line
	$(BIN)/python $(if $(NAME),benchmarks/$(NAME).py,benchmarks/all.py) $(ARGS)

bench-%: install
	$(BIN)/python benchmarks/$*.py $(ARGS)

ROUNDS ?= 200
drill-faults: dev ## kill, restart, unplug for an hour or more, with a seed (ROUNDS=… kills per database)
	$(BIN)/python -m tests.faults.drill --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.faults.post_kills --rounds 50 $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.channels.fitting --texts 100000 $(if $(SEED),--seed $(SEED))

attack: dev ## what strangers may do to the door, with an urgent notice sent meanwhile
	$(BIN)/python -m tests.faults.attack $(ARGS)

# Two a processor, eight at the most: many tests wait for a process, a browser or the clock. Three took longer.
WORKERS ?= $(shell n=$$((2 * $$(nproc))); echo $$((n < 8 ? n : 8)))
test: style ## every check and test that this machine can run, side by side (WORKERS=… at a time)
	$(BIN)/python -m tests.suite -n $(WORKERS) $(ARGS)

lint: style ## format, style, types, import direction
	$(BIN)/mypy

style: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

lock: dev ## renew the lock files (needs uv in .venv: pip install uv)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-find-links --no-header pyproject.toml --extra build -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-find-links --no-header pyproject.toml --extra build --extra pdf --extra dev -c requirements.lock -o requirements-dev.lock

sbom: install ## the parts of the service with versions and licences, into sbom.json (CycloneDX)
	$(BIN)/kairanban sbom > sbom.json

audit-parts: install ## known weaknesses of the parts, by pip-audit in an environment of its own (asks a database on the Internet)
	@test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit && .venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit; }
	.venv/audit/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict \
	  || { echo "if the database could not be reached: run this on a machine that reaches it, with requirements.lock"; exit 1; }
