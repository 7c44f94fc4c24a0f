# Everything sets itself up: only git, make and a python3 have to be there.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench format vendor clean
SHELL := /bin/bash

UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := .venv/bin
export SAM_CLI_TELEMETRY := 0

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready ## Bring uv and everything the lock file names, into this folder

$(UV):
	@echo "Bringing uv $(UV_VERSION) into .tools"
	@python3 -m venv .tools 2>/dev/null || python3 -m venv --without-pip .tools
	@if [ -x .tools/bin/pip ]; then .tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	 else python3 -m pip install --quiet --disable-pip-version-check --prefix .tools uv==$(UV_VERSION); fi

# uv finds Python 3.13 on the PATH or among pyenv's versions, and brings its own where there is none.
.venv/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet --all-extras --python "$$(ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13 2>/dev/null | head -1 | grep . || echo 3.13)"
	@touch $@

demo: setup ## Run real training files through the whole system, deployed into the embedded cloud
	@$(RUN)/tunegate demo

test: check ## Run every check and every test
	@$(RUN)/pytest

check: setup ## Lint, format, types and templates
	@$(RUN)/ruff check
	@$(RUN)/ruff format --check --quiet
	@$(RUN)/mypy
	@$(RUN)/sam validate --lint --region us-east-1
	@$(RUN)/cfn-lint --regions us-east-1 -- stacks/*.yaml

bench: setup ## Measure detection; results in build/bench.json
	@$(RUN)/python benchmarks/detection.py --json build/bench.json

format: setup ## Put the code in its one format
	@$(RUN)/ruff check --fix --quiet; $(RUN)/ruff format --quiet

vendor: setup ## Rewrite the pinned packages of the vendor layer from the lock file
	@$(UV) export --frozen --no-default-groups --no-emit-project --no-header --no-annotate --quiet --output-file layers/vendor/requirements.txt

clean: ## Remove what was built, and the environment
	@rm -rf .venv .tools .aws-sam build .tunegate .mypy_cache .ruff_cache .pytest_cache
