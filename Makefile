# Everything sets itself up: only git, make and a python3 have to be there.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench fuzz faults attacks docs format vendor clean
SHELL := /bin/bash

UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := .venv/bin
VENDORED := $(UV) export --frozen --no-default-groups --no-emit-project --no-header --no-annotate --quiet
export SAM_CLI_TELEMETRY := 0

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready build/sieve/.ready ## Bring uv and everything the lock file names, into this folder, and build the sieve

$(UV):
	@echo "Bringing uv $(UV_VERSION) into .tools"
	@python3 -m venv .tools 2>/dev/null || python3 -m venv --without-pip .tools
	@if [ -x .tools/bin/pip ]; then .tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	 else python3 -m pip install --quiet --disable-pip-version-check --prefix .tools uv==$(UV_VERSION); fi

# Python 3.13 is taken from the PATH or from pyenv, in this HOME or the account's own; where there is none, uv brings it.
PYTHON := $(firstword $(shell command -v python3.13 >/dev/null && python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null) \
	$(wildcard $(PYENV_ROOT)/versions/3.13*/bin/python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3.13 \
	$(shell echo ~$$(id -un))/.pyenv/versions/3.13*/bin/python3.13) 3.13)

.venv/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet --all-extras --python $(PYTHON)
	@touch $@

SCREEN := layers/tunegate/tunegate/scan/screen
build/sieve/.ready: .venv/.ready $(wildcard native/* $(SCREEN)/*.py $(SCREEN)/data/* layers/tunegate/tunegate/scan/sieve/*.py)
	@$(RUN)/python native/build.py
	@touch $@

demo: setup ## Run real training files through the whole system, deployed into the embedded cloud
	@$(RUN)/tunegate demo

test: check ## Run every check and every test
	@$(RUN)/pytest

check: setup build/checkov.ok ## Lint, format, types, templates, pins and known vulnerabilities
	@$(RUN)/ruff check
	@$(RUN)/ruff format --check --quiet
	@$(RUN)/mypy
	@$(RUN)/python -m ziglang fmt --check native
	@$(RUN)/sam validate --lint --region us-east-1
	@$(RUN)/cfn-lint --regions us-east-1 -- stacks/*.yaml
	@$(VENDORED) | cmp -s - layers/vendor/requirements.txt || { echo "The vendor layer is not what uv.lock says: make vendor"; exit 1; }
	@$(RUN)/python checks/audit.py $(UV)

bench: setup ## Measure speed, detection, memory, cost and latency beside what else there is; results in build/bench.json
	@$(RUN)/python benchmarks --json build/bench.json

# Apart from the project's own packages, some of which it would have in other versions.
.tools/checkov/.ready: checks/checkov.txt | $(UV)
	@$(UV) venv --quiet --clear --python $(PYTHON) .tools/checkov
	@$(UV) pip install --quiet --require-hashes --python .tools/checkov/bin/python --requirements $<
	@touch $@

# What Globals says of every function, checkov takes only as an option.
EVERYWHERE := sed -n '/^Globals:/,/^Resources:/s/.*checkov:skip=\([A-Z0-9_]*\):.*/\1/p' template.yaml | paste -sd,

# Again only when what it looks at has changed: it takes half a minute.
build/checkov.ok: template.yaml $(wildcard stacks/*.yaml) .tools/checkov/.ready
	@mkdir -p build
	@.tools/checkov/bin/checkov --framework cloudformation --skip-download --compact --quiet --skip-check "$$($(EVERYWHERE))" \
	 --file template.yaml stacks/*.yaml
	@touch $@

fuzz: setup ## Five minutes of rubbish for everything that reads what strangers write, then bombs; counts in build/fuzz.json
	@$(UV) sync --frozen --quiet --all-extras --inexact --group fuzz --python $(PYTHON)
	@PYTHONPATH=tests $(RUN)/python -m fuzz --json build/fuzz.json

faults: setup ## Make every AWS call of every flow fail in every way, and put a thousand uploads at once; results in build/faults.json
	@PYTHONPATH=tests $(RUN)/python -m faults
	@LOAD_UPLOADS=1000 $(RUN)/pytest -q tests/e2e/test_load.py

attacks: setup ## Try every attack as everybody on the deployed system; results in build/attacks.json
	@PYTHONPATH=tests $(RUN)/python -m attacks

docs: setup ## Write docs/controls.md from the table of controls
	@$(RUN)/python -m tunegate_cli.controls_page

format: setup ## Put the code in its one format
	@$(RUN)/ruff check --fix --quiet; $(RUN)/ruff format --quiet; $(RUN)/python -m ziglang fmt native

vendor: setup ## Rewrite the pinned packages of the vendor layer from the lock file, and those of checkov
	@$(VENDORED) --output-file layers/vendor/requirements.txt
	@$(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-header --no-annotate checks/checkov.in --output-file checks/checkov.txt

clean: ## Remove what was built, and the environment
	@rm -rf layers/tunegate/tunegate/scan/sieve/*.lib .venv .tools .aws-sam build .tunegate .mypy_cache .ruff_cache .pytest_cache
