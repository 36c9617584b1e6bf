# Two commands do everything on a fresh Debian machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LANGUAGE_OF_DEMO ?= zh

.PHONY: demo test check bench lab load model clean help

help:
	@echo "make demo   put one real call through a private Asterisk (report in demo-report/)"
	@echo "make test   style, types, import rules and all tests, real Asterisk included"
	@echo "make bench  measure; results in bench-results/"
	@echo "make lab    callers through a real Asterisk: reply times, cut-offs, interruptions"
	@echo "make load   whole calls a core until replies are twice as late (N=.. at most; VOSK_SERVER=.. compares)"
	@echo "make model  train the bundled demo model anew (about an hour)"

# The runtime.  silero-vad is installed without its dependencies: only its ONNX file is used, torch is not.
$(BIN)/agi-bot: setup.cfg pyproject.toml
	@test -x $(BIN)/python || sh .ci/make-venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[web]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "silero-vad>=6"
	@touch $@

$(BIN)/pytest: $(BIN)/agi-bot
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[web,dev]"
	@touch $@

demo: $(BIN)/agi-bot
	$(BIN)/agi-bot demo --language $(LANGUAGE_OF_DEMO) --report demo-report

check: $(BIN)/pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: check
	$(BIN)/pytest

bench: $(BIN)/pytest
	$(BIN)/python -m tests.bench

lab: $(BIN)/pytest
	$(BIN)/python -m tests.bench.lab

load: $(BIN)/pytest
	$(BIN)/python -m tests.bench.load $(if $(N),--most $(N))

model:
	$(MAKE) -C models/demo/recipe

clean:
	rm -rf $(VENV) build dist *.egg-info demo-report bench-results .pytest_cache .mypy_cache .ruff_cache
