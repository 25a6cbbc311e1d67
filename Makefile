# Every command of the project. `make` alone lists them.

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
ENV := .venv
BIN := $(ENV)/bin
# With PROFILE=profiles/slurm the profile says where jobs run, and with how many cores.
SNAKEMAKE := $(BIN)/snakemake $(if $(PROFILE),--workflow-profile $(PROFILE),--cores $(CORES))

# Some containers switch bytecode off; importing torch then costs seconds in every job.
unexport PYTHONDONTWRITEBYTECODE
# Encoders are fetched by one rule and read from disk ever after.
export HF_HUB_OFFLINE ?= 1

.PHONY: help env demo full run spread recover status soak calibrate fuzz report graph reference test check format bench docs lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(ENV)/synced ## the environment, exactly as requirements.lock pins it

# uv is itself one of the pinned, hashed packages: pip installs that one, uv the rest.
$(ENV)/synced: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  f"bakeoff needs Python 3.11 or newer, {sys.version.split()[0]} was found: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(ENV)/bootstrap
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(ENV)/uv.lock
	$(ENV)/bootstrap/bin/python -m pip install --quiet --require-hashes -r $(ENV)/uv.lock
	$(ENV)/bootstrap/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(ENV)
	$(ENV)/bootstrap/bin/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(ENV)/bootstrap/bin/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## resolve requirements.lock anew from pyproject.toml
	$(ENV)/bootstrap/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade --output-file requirements.lock
	$(BIN)/python -m planning.conda > envs/bakeoff.yaml

demo: env ## the embedded demo, end to end: results/*/summary.html
	$(SNAKEMAKE)
	@echo "Open results/activities/summary.html and results/otoliths/summary.html"

full: env ## the demo at full length: 10 x 10 folds, four probes
	$(SNAKEMAKE) --configfile config/config.yaml config/full.yaml

run: env ## your own study: make run CONFIG=my-study.yaml
	$(SNAKEMAKE) --configfile $(CONFIG)

spread: env ## embeddings by many jobs, before `make run`: make spread CONFIG=my-study.yaml PROFILE=profiles/slurm
	$(SNAKEMAKE) manifests $(if $(CONFIG),--configfile $(CONFIG))
	$(SNAKEMAKE) spread $(if $(CONFIG),--configfile $(CONFIG))

recover: ## after a killed run: end its jobs, unlock; with CONFIG=... as in `make run`
	$(BIN)/python -m planning.recover
	$(SNAKEMAKE) --unlock $(if $(CONFIG),--configfile $(CONFIG))

status: ## what a run would do and why, and this folder's jobs in SLURM's queue; with CONFIG=...
	@$(BIN)/python -m planning.status $(if $(CONFIG),--configfile $(CONFIG))
	@if command -v squeue >/dev/null && [ -d .snakemake/slurm_logs ]; then \
	  squeue --me --format='%.10i %.9T %.10M %.4C %.8m %k|%Z' | awk -F'|' 'NR == 1 || $$2 == "$(CURDIR)" {print $$1}'; fi

report: env ## Snakemake's report of the demo, one file: results/report.html
	$(SNAKEMAKE) --report results/report.html

graph: env ## the pictures of rules and imports (needs graphviz), in docs/
	$(BIN)/snakemake --rulegraph dot 2>/dev/null | $(BIN)/python -m planning.rulegraph > docs/rulegraph.dot
	$(BIN)/python -m planning.import_graph > docs/imports.dot
	for name in rulegraph imports; do dot -Tsvg docs/$$name.dot > docs/images/$$name.svg; done

reference: env ## config/README.md and docs/tables.md, from the schemas
	$(BIN)/python -m planning.reference > config/README.md
	$(BIN)/python -m planning.tables_page > docs/tables.md

docs: env ## the documentation as pages, without a network: docs/site/index.html
	$(BIN)/python -m planning.site

# Two files at a time: those with a SLURM mostly wait for it.
test: env ## all tests
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

bench: env ## all benchmarks (hours), or one: make bench ONLY=probes-ridge; docs/benchmarks.md
	$(BIN)/python benchmarks/run.py $(ONLY)

calibrate: env ## what is missing of the simulated studies, and their table in docs/benchmarks.md
	$(BIN)/python benchmarks/run.py calibration

soak: env ## kill runs at random and compare: make soak KILLS=200 SEED=1
	$(BIN)/python benchmarks/soak.py --kills $(or $(KILLS),50) --seed $(or $(SEED),1)

fuzz: env ## hostile input to every parser: make fuzz CASES=100000 SEED=1
	$(BIN)/python benchmarks/fuzz.py --cases $(or $(CASES),100000) --seed $(or $(SEED),1)

check: env ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

format: env ## put code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules
