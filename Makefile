# make demo    everything under one process: http://localhost:8000 (PORT=… moves it)
# make test    the whole suite on SQLite and on PostgreSQL, both with a real Redis; ARGS="-k name -x" narrows it
# make lint    style, types, layers, migrations, production settings, translations
# make bench   the numbers of docs/benchmarks.md, measured here
# make messages  collect new texts into locale/

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV ?= .venv
PORT ?= 8000
ARGS ?=
# two for each processor of a small machine: half of the time the tests wait for processes that they have started
WORKERS ?= 4

# pytest's exit code: ARGS may leave nothing of one of the two parts
NOTHING_MATCHED := 5

BIN := $(VENV)/bin
PY := $(BIN)/python

.PHONY: demo test test-sqlite test-postgres lint bench messages
.DEFAULT_GOAL := demo
# compiled tests serve all workers and the second database
unexport PYTHONDONTWRITEBYTECODE

demo: $(VENV)/runtime.stamp
	@$(PY) manage.py demo --port $(PORT)

test: test-sqlite test-postgres

test-sqlite test-postgres: test-%: $(VENV)/development.stamp
	@echo "=== tests on $* ==="
	@TEST_DATABASE=$* $(PY) -m pytest -n $(WORKERS) --dist loadscope -m "not timed" $(ARGS) || test $$? -eq $(NOTHING_MATCHED)
	@TEST_DATABASE=$* $(PY) -m pytest -m timed $(ARGS) || test $$? -eq $(NOTHING_MATCHED)

lint: $(VENV)/development.stamp
	@PYTHON=$(PY) .ci/lint

bench: $(VENV)/development.stamp
	@$(PY) -m config.bench $(ARGS)

messages: $(VENV)/development.stamp
	@$(PY) .ci/messages.py collect

# uv installs ten times faster than pip; where it cannot be had, pip does it.
define install
	@$(PY) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed: make PYTHON=…"; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check uv \
		&& $(PY) -m uv pip install --quiet --compile-bytecode --python $(PY) -r $(1) \
		|| $(PY) -m pip install --quiet --disable-pip-version-check -r $(1)
	@touch $@
endef

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; name another one: make PYTHON=python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: requirements.txt | $(VENV)/bin/python
	@echo "Installing what requirements.txt names …"
	$(call install,requirements.txt)

$(VENV)/development.stamp: requirements-dev.txt requirements-sms.txt requirements.txt | $(VENV)/bin/python
	@echo "Installing what requirements-dev.txt names …"
	$(call install,requirements-dev.txt)
