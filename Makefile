# Every target sets up what it needs: the virtual environment from pinned versions, and for `live` the real servers.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEEDS ?= 10000
LIVE ?= tests/live tests/contract tests/acceptance

.PHONY: help run test check format live test-live simulate bench docs clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

run: $(READY) ## Set everything up and show the main job, on the embedded stand-ins
	@$(BIN)/python -m reconciler.demo

test: $(READY) ## Run every test that needs no server
	@$(BIN)/python -m pytest -n 3 --dist worksteal

check: $(READY) ## Format, lint, types, imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

format: $(READY) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

live: $(READY) ## Install the real servers from PyPI and start them
	@$(BIN)/python -m tests.live

test-live: $(READY) ## Run what has a real side against a real Letta and Open WebUI, with Chromium where it is installed
	@$(BIN)/python -m tests.live.install letta
	@$(BIN)/python -m tests.live.install openwebui
	@RECONCILER_LIVE=1 $(BIN)/python -m pytest -k "not embedded" $(LIVE)

simulate: $(READY) ## Run the simulation over SEEDS seeds, by turns without and with Open WebUI
	@$(BIN)/python -m reconciler.simulation --seeds $(SEEDS) --jobs 2

bench: $(READY) ## Measure against the real servers, with ratios in one run
	@$(BIN)/python -m tests.live.install letta
	@$(BIN)/python -m tests.live.install openwebui
	@$(BIN)/python -m benchmarks

docs: $(READY) ## Write the generated pages again
	@$(BIN)/python -m reconciler.manifest.reference > docs/course-reference.md

clean: ## Remove what the targets made here
	rm -rf $(VENV) .run .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
