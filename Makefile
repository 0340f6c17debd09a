# Every target sets itself up: a bare Python 3.11+ and make are enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

# GRAPH=neo4j keeps the graph in Neo4j: of our own (Java 17 and Maven), or the one of NEO4J_URI.
ifeq ($(GRAPH),neo4j)
export GRAPH_STORAGE := Neo4JStorage
else ifneq ($(GRAPH),)
$(error GRAPH=$(GRAPH) is unknown; leave it out or say GRAPH=neo4j)
endif

.PHONY: help
help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(VENV)/runtime.stamp: requirements/runtime.txt pyproject.toml
	@test -x $(UV) || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet --require-hashes -r requirements/installer.txt; }
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/runtime.stamp
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: demo
demo: $(VENV)/runtime.stamp ## Ingest the sample documents, ask three questions, stop everything
	@$(BIN)/ragfleet demo

.PHONY: up
up: $(VENV)/runtime.stamp ## Run the whole system here until Ctrl-C (API_PORT, FLOWER_PORT, DATA_DIR, GRAPH=neo4j)
	@exec $(BIN)/ragfleet up

.PHONY: otel
otel: $(VENV)/runtime.stamp ## Add what OTEL_ENABLED=true needs (docs/observability.md)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/otel.txt

.PHONY: test
test: $(VENV)/dev.stamp promtool ## Unit, contract, integration and acceptance tests (under 12 minutes)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long"

.PHONY: promtool
promtool: $(VENV)/dev.stamp
	@test -x $(BIN)/promtool || deploy/monitoring/get-promtool $(BIN)/promtool

.PHONY: test-unit
test-unit: $(VENV)/dev.stamp promtool ## Only what needs no server (seconds)
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/unit tests/architecture

.PHONY: test-long
test-long: .venv-bench/stamp ## Faults, many kills, large uploads, beside a lightrag-server
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m long --timeout 1500 --durations 25

.PHONY: check
check: $(VENV)/dev.stamp ## Format, lint, types, import arrows, house laws
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

.PHONY: format
format: $(VENV)/dev.stamp ## Format the code and mend what ruff can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.venv-bench/stamp: requirements/bench.txt $(VENV)/dev.stamp
	@$(PYTHON) -m venv .venv-bench
	@$(UV) pip install --quiet --python .venv-bench/bin/python --require-hashes -r requirements/bench.txt
	@touch $@

.PHONY: bench
bench: .venv-bench/stamp ## Measure everything beside lightrag-server (an hour; CORPUS=folder of texts)
	@exec $(BIN)/python -m bench $(if $(CORPUS),--corpus $(CORPUS))

.PHONY: bench-quick
bench-quick: .venv-bench/stamp ## The comparison with lightrag-server alone (under 8 minutes)
	@exec $(BIN)/python -m bench --quick

.venv-terraform/stamp: requirements/terraform.txt $(VENV)/runtime.stamp
	@$(PYTHON) -m venv .venv-terraform
	@$(UV) pip install --quiet --python .venv-terraform/bin/python --require-hashes -r requirements/terraform.txt
	@touch $@

.PHONY: terraform-check
terraform-check: .venv-terraform/stamp ## Check deploy/terraform without AWS (wants Go; MODULE=edge: only that one)
	@command -v go >/dev/null || { echo "Go is missing: it builds the stand-in for the AWS provider."; exit 2; }
	@deploy/terraform/offline/check .venv-terraform/bin/python .venv-terraform/offline $(MODULE)

.PHONY: terraform-format
terraform-format: .venv-terraform/stamp ## Format deploy/terraform
	@.venv-terraform/bin/python deploy/terraform/offline/terraform.py fmt -recursive deploy/terraform

.PHONY: costs
costs: $(VENV)/runtime.stamp ## Compute what the profiles cost on AWS, into docs/operations/costs.md
	@$(BIN)/python -m deploy.terraform.costs --page

.PHONY: rehearse
rehearse: $(VENV)/runtime.stamp ## Really run images and compose file: TLS, kills, restarts (with Docker, or as root without)
	@exec $(BIN)/python -m deploy.rehearsal

.PHONY: lock
lock: $(VENV)/dev.stamp ## Pin every requirement by hash again
	@requirements/lock $(UV)

include deploy/images.mk
include deploy/pipelines.mk

.PHONY: clean
clean: ## Remove the environment and caches (data stays)
	@rm -rf $(VENV) .venv-bench .venv-terraform .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
