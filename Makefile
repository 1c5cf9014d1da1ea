# Every target does the set-up it needs by itself; `make setup` is instant when nothing changed.

PORT ?= 8080
DATA ?= ./data
UV ?= uv

PYTHON := .venv/bin/python
STAMP := .venv/.installed
PARALLEL := -n logical --dist worksteal
TWO_AT_A_TIME := -n 2 --dist loadfile
LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
	--custom-compile-command "make locks"

.PHONY: setup up check test bench soak docs locks kafka-jars

setup: $(STAMP)

# The first interpreter that really runs and is new enough: a version manager's stub may be on the path and dead.
$(STAMP): requirements-dev.lock pyproject.toml
	@if ! $(PYTHON) -c '' 2>/dev/null; then \
		for found in python3 python3.13 python3.12 python3.11; do \
			$$found -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; found=; \
		done; \
		if [ -z "$$found" ]; then \
			echo "pulsebook needs Python 3.11 or newer as python3 (or python3.11, python3.12, python3.13); none was found" >&2; \
			exit 1; \
		fi; \
		echo "setup: making .venv with $$($$found --version); the first time takes a minute or two"; \
		$$found -m venv --clear .venv || { \
			echo "setup: $$found has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	fi
	@echo "setup: installing what requirements-dev.lock pins"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable .
	@touch $(STAMP)

# exec, so that Ctrl-C and SIGTERM meet pulsebook itself and no shell in between.
up: setup
	@exec .venv/bin/pulsebook up --port $(PORT) --data $(DATA)

check: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	.venv/bin/lint-imports
	$(PYTHON) -m pytest -q -m "not kafka and not slow" --hypothesis-profile quick $(PARALLEL)

# First what needs nothing outside, on all cores; then what needs a broker or the time, and last the schedules of chaos:
# both mostly wait, so two files at a time, each of the two with brokers of its own.
test: setup
	$(PYTHON) -m pytest -m "not kafka and not slow" $(PARALLEL)
	$(PYTHON) -m pytest -m "kafka or slow" --ignore tests/chaos $(TWO_AT_A_TIME)
	$(PYTHON) -m pytest -m "kafka or slow" tests/chaos $(TWO_AT_A_TIME)

bench: setup
	$(PYTHON) -m benchmarks.engine
	$(PYTHON) -m benchmarks.flow
	$(PYTHON) -m benchmarks.matching
	$(PYTHON) -m benchmarks.live_rows
	$(PYTHON) -m benchmarks.codec
	$(PYTHON) -m benchmarks.admission
	$(PYTHON) -m benchmarks.audit
	$(PYTHON) -m benchmarks.read_model
	$(PYTHON) -m benchmarks.executor
	$(PYTHON) -m benchmarks.webhooks
	$(PYTHON) -m benchmarks.path throughput
	$(PYTHON) -m benchmarks.path latency
	$(PYTHON) -m benchmarks.recovery
	$(PYTHON) -m benchmarks.rebuild
	$(PYTHON) -m benchmarks.storm
	$(PYTHON) -m benchmarks.whatif
	$(PYTHON) -m benchmarks.audit_file

soak: setup
	$(PYTHON) -m tests.chaos.soak --kills 50
	$(PYTHON) -m benchmarks.path throughput --alerts 100000 --web

docs: setup
	@sed "/^| setting |/,$$ d" docs/settings.md > docs/.settings.md
	@$(PYTHON) -m settings >> docs/.settings.md
	@mv docs/.settings.md docs/settings.md

# After a change of dependencies in pyproject.toml; needs uv.
locks:
	$(UV) pip compile $(LOCK_OPTIONS) pyproject.toml --output-file requirements.lock
	$(UV) pip compile $(LOCK_OPTIONS) pyproject.toml --extra local --extra dev \
		--constraints requirements.lock --output-file requirements-dev.lock
	$(UV) pip compile $(LOCK_OPTIONS) --group build --constraints requirements-dev.lock \
		--output-file requirements-build.lock
	$(UV) pip compile $(LOCK_OPTIONS) examples/readers/python/requirements.in --constraints requirements.lock \
		--output-file examples/readers/python/requirements.lock

# After a change of KAFKA_VERSION in connectors/local_kafka_jars.py; needs the network.
kafka-jars: setup
	$(PYTHON) -m connectors.local_kafka_pin
