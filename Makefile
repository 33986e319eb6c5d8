# Two commands for a newcomer: `make demo` and `make test`. Everything they need they set up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-fast lint types bench soak mutants schema clean

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("trueup needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,postgres]'
	touch $@

demo: $(VENV)/.demo  ## a full two-way sync over three stand-ins, in under two minutes
	$(BIN)/trueup demo

test: $(VENV)/.test  ## everything, with its own PostgreSQL and Tryton
	$(BIN)/python -m pytest -n auto --dist loadfile

test-fast: $(VENV)/.test  ## no servers, no browser
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not server and not slow"

lint: $(VENV)/.test
	$(BIN)/ruff check trueup tests benchmarks
	$(BIN)/ruff format --check trueup tests benchmarks

types: $(VENV)/.test
	$(BIN)/mypy

soak: SEEDS ?= 100000
soak: FROM ?= 0
soak: $(VENV)/.test  ## the same proofs at their full figures; many hours on two cores (SEEDS=… histories, FROM=…)
	$(BIN)/trueup-world --seeds $(FROM)-$$(($(FROM) + $(SEEDS))) --jobs 2
	$(BIN)/python -m tests.simulation.killing --seeds 10000
	TRUEUP_CONVERGENCE_SEEDS=200 TRUEUP_CONVERGENCE_ACTS=60 \
	TRUEUP_FIRST_LOAD_PEOPLE=10000 TRUEUP_EFFORT_PEOPLE=2000 \
	TRUEUP_KILLED_PEOPLE=2000 TRUEUP_KILLS=100 TRUEUP_CHAOS_PEOPLE=100 TRUEUP_CHAOS_KILLS=200 \
	TRUEUP_MEMORY_CONTACTS=10000,100000 TRUEUP_FEBRL_PEOPLE=5000 TRUEUP_CONFINED_SEEDS=1000 \
	TRUEUP_WORLD_SEEDS=2000 TRUEUP_DEFECT_SEEDS=1000 \
	TRUEUP_FAIL_AT_PERCENT=100 TRUEUP_DATABASE_SEEDS=500 TRUEUP_LAW_CASES=20000 \
	TRUEUP_CREATES=100000 TRUEUP_ROWS=100000 TRUEUP_REASON_SEEDS=200 \
	$(BIN)/python -m pytest -n auto tests/acceptance tests/live tests/sync/test_confined.py tests/simulation \
	tests/mapping/test_shipped.py tests/demands/test_creates.py tests/connectors/sql/test_reading.py

mutants: SHARE ?= 1
mutants: $(VENV)/.test  ## small mistakes in the code that decides, and whether its tests see them; hours (SHARE=20: every 20th)
	$(BIN)/python -m tests.mutation --share $(SHARE)

bench: $(VENV)/.test  ## writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

schema: $(VENV)/.demo  ## JSON Schemas of config/ for editors
	$(BIN)/trueup config schema --to schema

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache
