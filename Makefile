# Front door for people: `make` says what there is. Everything happens in .venv, nothing outside the project changes.

PYTHON ?= python3
CORES ?= all
TEST_ARGS ?=

VENV := .venv
READY := $(VENV)/.ready
SNAKEMAKE := $(VENV)/bin/snakemake --cores $(CORES)
PARALLEL_TESTS := $(VENV)/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
SNAKEFILES = Snakefile workflow/Snakefile $(wildcard workflow/rules/*.smk)

# A report as a plain folder, beside its zip and of the same name.
unpack = rm -rf $(1) && $(VENV)/bin/python -m zipfile -e $(1).zip results

.PHONY: help setup plan demo demo-small test test-slow test-install release docs bench lint audit licences format lock clean

help:
	@echo "Start here: make demo (3 GB to download, 10 to 30 minutes on two cores, no GPU)"
	@echo
	@echo "make demo        set up .venv, run the demonstration study, write its report (CORES=all)"
	@echo "make demo-small  the same, smaller: every rule in two minutes, nothing to learn from"
	@echo "make plan        how long the full study takes here and how much disk (CONFIG=config/config.yaml)"
	@echo "make test        set up .venv, run the tests (TEST_ARGS='-x -k splits' reaches pytest)"
	@echo "make test-slow   the same with the tests that take long"
	@echo "make test-install test the wheel in an environment of its own, and the workflow in another one"
	@echo "make release     build dist/ (wheel and source archive) and check both"
	@echo "make docs        build the documentation as a site (site/index.html)"
	@echo "make bench       measure: a training step, a cell against other systems, bf16 against fp32 (docs/speed.md; an hour or more)"
	@echo "make lint        style, types and workflow checks"
	@echo "make audit       check the locked packages for known vulnerabilities (needs internet)"
	@echo "make licences    print the licence of every locked package"
	@echo "make format      format Python and Snakemake files"
	@echo "make setup       only the set-up: .venv with the locked packages and this library"
	@echo "make lock        resolve envs/*.lock again from pyproject.toml (needs uv)"
	@echo "make clean       remove .venv and caches; results and resources stay"
	@echo
	@echo "Another interpreter, for a new .venv: make PYTHON=python3.12 demo"

setup: $(READY)

# The stamp is written last, so a set-up that was interrupted is done again.
$(READY): envs/requirements.lock envs/bootstrap.sh pyproject.toml
	@bash envs/bootstrap.sh "$(PYTHON)" $(VENV) envs/requirements.lock

demo: $(READY)
	@echo "demo: running the workflow with profiles/demo"
	@$(SNAKEMAKE) --profile profiles/demo
	@echo "demo: writing the report"
	@$(SNAKEMAKE) --profile profiles/demo --report results/report.zip
	@$(call unpack,results/report)
	@echo "demo: done. The report, to pass on: results/report.zip. The answer:"
	@cat results/demo/answer.txt
	@echo "Open results/demo/index.html"

demo-small: $(READY)
	@echo "demo-small: running the workflow with profiles/demo and config/ci.yaml"
	@$(SNAKEMAKE) --profile profiles/demo --configfile config/ci.yaml
	@echo "demo-small: writing the report"
	@$(SNAKEMAKE) --profile profiles/demo --configfile config/ci.yaml --report results/report-small.zip
	@$(call unpack,results/report-small)

# Another file: make plan CONFIG=config/demo.yaml
plan: $(READY)
	@$(VENV)/bin/python -m sonotune plan --configfile $(or $(CONFIG),config/config.yaml)

test: $(READY)
	@echo "test: all tests except the slow ones"
	@$(PARALLEL_TESTS) -m "not slow" $(TEST_ARGS)

test-slow: $(READY)
	@echo "test-slow: everything, with a thousand odd inputs of each kind"
	@SONOTUNE_FUZZ=$${SONOTUNE_FUZZ:-1000} $(PARALLEL_TESTS) $(TEST_ARGS)

# The wheel in an environment of its own, the workflow as a module, and deployed by snakedeploy.
test-install: $(READY)
	@echo "test-install: the wheel, modules and deployments"
	@$(VENV)/bin/python -m pytest tests/workflow/test_install.py tests/workflow/test_catalog.py $(TEST_ARGS)

# Checks the very files that are to be published. Tag, heading and upload: docs/development.md.
release: $(READY)
	@rm -rf dist
	@echo "release: building wheel and source archive"
	@$(VENV)/bin/python -m hatchling build
	@echo "release: checking both"
	@SONOTUNE_DIST=dist $(VENV)/bin/python -m pytest tests/workflow/test_install.py tests/workflow/test_catalog.py
	@ls -l dist

docs: $(READY)
	@echo "docs: building the site"
	@$(VENV)/bin/python -m mkdocs build --strict --quiet

# One after the other: what is measured wants the machine for itself.
BENCHMARKS ?= step cell

bench: $(READY)
	@for one in $(BENCHMARKS); do \
		echo "bench: $$one"; \
		$(VENV)/bin/python benchmarks/$$one.py || exit 1; \
	done

lint: $(READY)
	@echo "lint: ruff"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@echo "lint: snakefmt"
	@$(VENV)/bin/snakefmt --check $(SNAKEFILES)
	@echo "lint: snakemake"
	@$(VENV)/bin/snakemake --lint
	@echo "lint: mypy"
	@$(VENV)/bin/mypy

# Against published advisories, in an environment of its own; --strict: what cannot be looked up is an error.
audit: $(READY)
	@echo "audit: looking up every package of envs/*.lock"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(VENV)/bin/python -m venv $$folder && \
		$$folder/bin/pip install --quiet --require-hashes --no-deps --requirement envs/audit.lock && \
		for lock in envs/*.lock; do \
			$$folder/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$lock || exit 1; \
		done

licences: $(READY)
	@$(VENV)/bin/python envs/licences.py

format: $(READY)
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/snakefmt $(SNAKEFILES)

# Keeps the versions in the present locks where they still fit; delete a lock first to take the newest.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url
lock:
	$(COMPILE) --extra dev --extra docs --extra cluster --extra export --output-file envs/requirements.lock pyproject.toml
	$(COMPILE) --extra kubernetes --constraint envs/requirements.lock --output-file envs/kubernetes.lock pyproject.toml
	echo pip-audit | $(COMPILE) --output-file envs/audit.lock -

clean:
	@echo "clean: removing .venv and caches (kept: results, resources and .snakemake, which knows what is up to date)"
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build dist site
	@find sonotune tests workflow benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
