# Everything that people do with a checkout. `make` alone explains itself.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Relative, so that a path with spaces above this folder does no harm.
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.complete
PEERS_VENV := .venv-bench
PEERS_STAMP := $(PEERS_VENV)/.complete
PEERS_LOCK := tests/bench/peers.lock
PORT ?=
SEEDS ?= 10000
THEME ?=
ARGS ?=
# Test processes, each with servers of its own: as many as there are cores. One more takes less time, and disturbs more.
JOBS ?= auto

UV := $(shell command -v uv 2>/dev/null)
IS_RECENT := import sys; sys.exit(sys.version_info < (3, 11))

# An environment that was copied or moved here, or whose Python is gone, does not count as one.
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell $(PYTHON) -c '$(IS_RECENT)' >/dev/null 2>&1 && cat $(STAMP)),$(CURDIR))
$(shell rm -f $(STAMP))
endif
endif

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: $(STAMP) ## Start PostgreSQL, Valkey and the service (PORT=9000 moves it); Ctrl-C stops all
	@exec $(PYTHON) -m service dev $(if $(PORT),--port $(PORT)) $(ARGS)

.PHONY: demo
demo: $(STAMP) ## Show what the service that `make run` started can do
	@exec $(PYTHON) -m service demo $(if $(PORT),--url http://127.0.0.1:$(PORT)) $(ARGS)

.PHONY: test
test: $(STAMP) ## Run all tests, on real servers (ARGS='-k lease' selects, JOBS=1 one by one)
	@$(PYTHON) -m pytest --numprocesses $(JOBS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-unit
test-unit: $(STAMP) ## Run the tests that need no server
	@$(PYTHON) -m pytest tests/unit $(ARGS)

.PHONY: mutants
mutants: $(STAMP) ## Take each safeguard away and see its test fail (10 minutes)
	@$(PYTHON) -m tests.mutants $(ARGS)

.PHONY: chaos
chaos: $(STAMP) ## Break servers, replicas and links for 3 minutes, check every answer (ARGS='--minutes 35')
	@exec $(PYTHON) -m tests.chaos $(ARGS)

.PHONY: rollout
rollout: $(STAMP) ## Restart and upgrade replicas one by one, under load, and check every answer (5 minutes)
	@exec $(PYTHON) -m tests.rollout $(ARGS)

.PHONY: alerts
alerts: $(STAMP) ## Cause the failure of every alert, and see it fire and end (3 minutes)
	@exec $(PYTHON) -m tests.alerts $(ARGS)

.PHONY: model
model: $(STAMP) ## Explore every interleaving of the protocol in the small (6 minutes)
	@$(PYTHON) -m tests.model $(ARGS)

.PHONY: naive
naive: $(STAMP) ## Do the same work with naive caches, and count what is stale (4 minutes)
	@$(PYTHON) -m tests.naive $(ARGS)

.PHONY: truth
truth: $(STAMP) ## Hold the OpenAPI document against the service with Schemathesis (ARGS='--examples 500')
	@$(PYTHON) -m tests.truth $(ARGS)

.PHONY: cancel
cancel: $(STAMP) ## Cancel a million requests half-way, and check the others (7 minutes)
	@$(PYTHON) -m tests.cancelling $(ARGS)

.PHONY: fuzz
fuzz: $(STAMP) ## Feed every codec and parser with bytes of strangers (25 minutes; ARGS='--seconds 5 --only codec')
	@exec $(PYTHON) -m tests.fuzz $(ARGS)

.PHONY: bench
bench: $(STAMP) peers ## Compare with the ceiling and with other caches (30 minutes; ARGS=--quick: 3)
	@exec $(PYTHON) -m tests.bench $(ARGS)

.PHONY: steering
steering: $(STAMP) ## Time hits while a million rows are warmed and purged (50 minutes; ARGS=--quick: 1)
	@exec $(PYTHON) -m tests.steer $(ARGS)

# What is compared has an environment of its own. Where it cannot be made, the rest is compared, and the report says so.
.PHONY: peers
peers: $(STAMP)
	@if ! { [ -f $(PEERS_STAMP) ] && cmp -s $(PEERS_LOCK) $(PEERS_STAMP); }; then \
	  echo "Making $(PEERS_VENV) with $$(grep -c '^[a-z].*==' $(PEERS_LOCK)) locked packages …"; \
	  if [ -n "$(UV)" ]; then \
	    "$(UV)" venv --quiet --clear --no-python-downloads --python "$$($(PYTHON) -c 'import sys; print(sys._base_executable)')" $(PEERS_VENV) \
	    && "$(UV)" pip sync --quiet --python $(PEERS_VENV)/bin/python --require-hashes $(PEERS_LOCK); \
	  else \
	    $(PYTHON) -m venv --clear $(PEERS_VENV) \
	    && $(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $(PEERS_LOCK); \
	  fi && cp $(PEERS_LOCK) $(PEERS_STAMP) \
	  || { rm -rf $(PEERS_VENV); echo "THE PEERS ARE LEFT OUT: their environment cannot be made." >&2; }; \
	fi

.PHONY: image-root
image-root: $(STAMP) ## Carry out deploy/Dockerfile in a clean Debian and run what it makes (as root; 5 minutes)
	@exec $(PYTHON) -m tests.image $(ARGS)

.PHONY: simulate
simulate: $(STAMP) ## Run the real code under a seeded scheduler, with faults (SEEDS=1000000, THEME=restarts)
	@$(PYTHON) -m tests.simulation --seeds $(SEEDS) $(if $(THEME),--theme $(THEME)) $(ARGS)

.PHONY: simulate-bugs
simulate-bugs: $(STAMP) ## Plant a bug per safeguard and see the simulation find it (4 minutes)
	@$(PYTHON) -m tests.simulation.bugs $(ARGS)

.PHONY: check
check: $(STAMP) ## Lint, formatting, types, direction of imports
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports

.PHONY: format
format: $(STAMP) ## Format the code, and mend what can be mended
	@$(VENV)/bin/ruff check --fix --quiet . ; $(VENV)/bin/ruff format --quiet .

.PHONY: migrate
migrate: $(STAMP) ## Bring the schema of DATABASE_URL up to date
	@exec $(PYTHON) -m service migrate $(ARGS)

.PHONY: install
install: $(STAMP) ## Make the environment in .venv (the other commands do it when needed)

.PHONY: lock
lock: ## Choose the newest versions anew and write the lock files (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv; everything else works without it." >&2; exit 1; }
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
	  pyproject.toml --extra embedded --group dev --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
	  --constraint requirements.lock pyproject.toml --output-file deploy/requirements.lock
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
	  --constraint requirements.lock tests/bench/peers/peers.in --output-file $(PEERS_LOCK)

.PHONY: clean
clean: ## Remove the environment and all caches; the data in .local stays
	rm -rf $(VENV) $(PEERS_VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .grimp_cache .hypothesis dist
	find service tests alembic -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clean-data
clean-data: ## Remove the data of `make run`
	rm -rf .local

$(STAMP): requirements.lock pyproject.toml
	@set -eu; rm -f $(STAMP); \
	is_usable() { \
	  $(PYTHON) -c '$(IS_RECENT)' 2>/dev/null && grep -qF "$$PWD/$(VENV)" $(VENV)/bin/activate 2>/dev/null \
	  && { [ -n "$(UV)" ] || $(PYTHON) -m pip --version >/dev/null 2>&1; }; \
	}; \
	if ! is_usable; then \
	  base=; \
	  for name in python3.13 python3.12 python3.11 python3; do \
	    if "$$name" -c '$(IS_RECENT)' >/dev/null 2>&1 && \
	      { [ -n "$(UV)" ] || "$$name" -c 'import ensurepip, venv' >/dev/null 2>&1; }; then base=$$name; break; fi; \
	  done; \
	  if [ -z "$$base" ]; then \
	    echo "Aside needs Python 3.11 or newer with its venv module, and found none." >&2; \
	    echo "Debian, Ubuntu: apt-get install python3 python3-venv. macOS: brew install python." >&2; exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$("$$base" --version 2>&1) …"; \
	  if [ -n "$(UV)" ]; then "$(UV)" venv --quiet --clear --no-python-downloads --python "$$(command -v "$$base")" $(VENV); \
	  else "$$base" -m venv --clear $(VENV); fi; \
	fi; \
	if [ -n "$(UV)" ]; then \
	  echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) locked packages with uv …"; \
	  "$(UV)" pip sync --quiet --python $(PYTHON) --require-hashes requirements.lock; \
	  "$(UV)" pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .; \
	else \
	  echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) locked packages with pip, which takes a minute …"; \
	  $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock; \
	  $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .; \
	fi; \
	printf '%s\n' "$(CURDIR)" > $(STAMP); \
	echo "The environment is ready."
