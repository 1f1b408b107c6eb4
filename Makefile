# Every target installs what it needs: Python 3.11 or newer, git and make are enough.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never

UV := .tools/uv/bin/uv
SAM := .tools/sam/bin/sam
PY := .venv/bin/python

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: help setup demo origin cloud compare bench bench-worker test interrupt churn hostile check audit advisories format clean faults

$(UV):
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet "uv==$(UV_VERSION)"

.venv/.installed: pyproject.toml uv.lock | $(UV)
	$(UV) sync --locked --quiet --all-extras --python $(PYTHON)
	@touch $@

# Tools whose pins clash with ours, each with a lock file of its own.
.tools/%/.installed: tools/%/pyproject.toml tools/%/uv.lock | $(UV)
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/.tools/$* $(UV) sync --locked --quiet --project tools/$* --python $(PYTHON)
	@touch $@

setup: .venv/.installed .tools/sam/.installed .tools/lambda-runtime/.installed ## install everything, run nothing

demo: setup ## deploy to an embedded AWS, warm the pool, run PyTorch jobs, report
	.venv/bin/pilotlight demo

origin: setup ## raise desired capacity by hand from 1 to 2 and read torch's version inside the new instance
	.venv/bin/pilotlight origin

cloud: setup ## start the embedded AWS alone, until Ctrl-C
	$(PY) -m local $(CLOUD_ARGS)

# Traces are not in the repository: docs/compare.md says where they are published.
TRACES ?= $(wildcard ../shared/traces)

compare: setup ## our scaling policy beside everybody else's, on the traces in TRACES or on made ones
	.venv/bin/pilotlight compare $(if $(TRACES),--traces $(TRACES)) $(COMPARE_ARGS)

# Real processes, so what is drawn from SEED meets a different moment each time.
SEED ?= 1

interrupt: setup ## interrupt a PyTorch training twice, and compare its losses with one left alone
	.venv/bin/pilotlight interrupt

churn: setup ## 300 jobs through a fleet that is pulled apart for ten minutes: one result each
	.venv/bin/pilotlight churn --seed $(SEED)

hostile: setup ## 10,000 messages to one worker, 1,000 of them malformed, oversized or an attack
	.venv/bin/pilotlight hostile --seed $(SEED)

# The shipped code in virtual time with faults drawn from seeds; one seed is replayed with SEEDS=1.
SEEDS ?= 2000
FIRST ?= 1

faults: setup ## run SEEDS seeds of faults from FIRST on; a failing one is made short and told
	PYTHONHASHSEED=0 $(PY) -m faults --seeds $(SEEDS) --first $(FIRST)

bench-worker: setup ## empty jobs a second of one worker, beside loops that only receive and delete
	$(PY) -m benchmarks.worker_throughput $(BENCH_ARGS)

bench: setup ## cold starts, handlers, calls to AWS, decision and simulator, measured against what is wanted
	$(PY) -m benchmarks.bench $(BENCH_ARGS)

check: setup ## style, types, template: no test runs
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/cfn-lint template.yaml
	$(SAM) validate --lint --template template.yaml --region us-east-1

audit: .venv/.installed .tools/checkov/.installed ## the template by checkov, and every dependency pinned with its hash
	.tools/checkov/bin/checkov --config-file tools/checkov/checkov.yaml
	.venv/bin/pytest -q tests/template/test_pins.py

# Asks osv.dev, so it is not part of audit, which runs without a network.
advisories: $(UV) ## known vulnerabilities of what the lock files pin
	$(UV) audit --locked
	for tool in tools/*/; do $(UV) audit --locked --project $$tool || exit 1; done

test: check ## everything CI runs; ends with a short form of the demo
	.venv/bin/pytest -n auto
	.venv/bin/pilotlight demo --short

format: .venv/.installed ## rewrite the code in its one style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean: ## remove what was built; environments stay
	rm -rf build .aws-sam
