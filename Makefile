# Every verb sets up what it needs. Another interpreter: make figures PYTHON=python3.12

SHELL := bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
BENCH := $(VENV)/.installed-bench
# Waiting threads sleep: spinning ones cost minutes when another process needs the cores. Benchmarks run alone.
figures test test-gpu test-browser lab site: export OMP_WAIT_POLICY := PASSIVE

.PHONY: help figures test test-gpu test-browser bench lab site clean
.DEFAULT_GOAL := help
# The verbs run one after the other, also under -j: each already uses every core.
.NOTPARALLEL:

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s  %s\n", $$1, $$2 }' Makefile

figures: $(STAMP) ## run the notebooks over the sample: data/results/ and figures/
	@$(PY) -m actalign.runner

test: $(STAMP) ## lint, types, tests, doctests and import layers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	HF_HUB_OFFLINE=1 $(PY) -m pytest -n auto --maxprocesses 4

test-gpu: $(STAMP) ## what make test leaves out because it needs a GPU; fails without one
	HF_HUB_OFFLINE=1 $(PY) -m pytest -W default -o addopts="-ra --strict-markers --strict-config" tests/gpu tests/test_gpu.py tests/test_gpu_kernels.py

test-browser: $(STAMP) ## the notebooks in JupyterLab and a real headless Chromium; fails without a browser
	HF_HUB_OFFLINE=1 $(PY) -m pytest -o addopts="-ra --strict-markers --strict-config" tests/browser

bench: $(BENCH) ## measure speed and memory against others: benchmarks/results/, README table
	@for subject in dtw stage encoding memory explorer chart table; do \
	  echo "benchmarks: $$subject"; \
	  HF_HUB_OFFLINE=1 $(PY) -m benchmarks.$$subject || exit 1; \
	done

lab: $(STAMP) ## open the notebooks in JupyterLab
	@$(PY) -m jupyterlab --notebook-dir=notebooks

site: $(STAMP) ## build the notebooks, figures and the package's pages as a site: build/site/
	@$(PY) -m actalign.runner
	@$(PY) -m docs.build

clean: ## remove caches of the tools; results, embeddings and .venv stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@for room in actalign benchmarks tests notebooks; do \
	  test ! -d $$room || find $$room -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +; \
	done

# The stamp is written last, so an install that was interrupted or failed is done again. It holds the folder, since a
# .venv that was moved or copied still names the old one: its commands are gone, or run what lies there.
MOVED := $(shell test -s $(STAMP) && test "$$(cat $(STAMP))" != "$$(pwd -P)" && echo moved)
.PHONY: moved
$(STAMP): pyproject.toml constraints.txt $(MOVED)
	@if test -n "$(MOVED)" || ! $(PY) -m pip --version >/dev/null 2>&1; then \
	  if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "error: $(PYTHON) is $$("$(PYTHON)" --version 2>/dev/null || echo "not to be found"); ActAlign needs" \
	      "Python 3.11 or newer. Name one: make $(or $(firstword $(MAKECMDGOALS)),figures) PYTHON=python3.12" >&2; \
	    exit 1; \
	  fi; \
	  echo "creating $(VENV) with $$("$(PYTHON)" --version)"; \
	  "$(PYTHON)" -m venv --clear $(VENV); \
	fi
	@rm -f $(STAMP)
	@echo "installing the pinned packages into $(VENV) (some minutes the first time; later runs skip this)"
	@set -o pipefail; \
	$(PY) -m pip install --disable-pip-version-check --no-input -c constraints.txt -e ".[all]" | while read -r line; do \
	  case "$$line" in \
	    Downloading*[MG]B\)) echo "  $$line" ;; \
	    "Installing collected packages"*) set -- $$line; echo "  unpacking $$(( $$# - 3 )) packages" ;; \
	  esac; \
	done
	@pwd -P > $(STAMP)

# What only the benchmarks need: the peers.
$(BENCH): $(STAMP)
	@rm -f $(BENCH)
	@$(PY) -m pip install --disable-pip-version-check --no-input --quiet -c constraints.txt -e ".[all,bench]"
	@touch $(BENCH)
