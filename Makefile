# Two commands do everything on a fresh machine:
#   make run     sets up, and serves the model that comes with Finback, with a chat page
#   make test    sets up, and runs the tests (make test-all: the slow ones too)
# They need Python 3.11 or newer. PYTHON=... chooses another interpreter, VENV=... another place.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test test-all mini setup

run: $(VENV)/ready
	$(BIN)/finback serve

# A process for each of two cores: 4,092 tests in 3 min 52 s, where one process took 6 min 22 s. test-all stays in one.
test: $(VENV)/test-ready
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: $(VENV)/test-ready
	$(BIN)/python -m pytest -m ""

# Finback-Mini from nothing, stage by stage; a finished stage is kept, a killed one goes on. Needs FINBACK_DATA.
# (A model's tokenizer_config.json is what is written last.)
mini: $(VENV)/ready
	test -e runs/mini-begin/model/tokenizer_config.json || $(BIN)/finback train recipes/mini/1-begin.toml
	test -e runs/mini-recall/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/2-recall.toml
	test -e runs/mini-plan/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/3-plan.toml
	test -e runs/mini-more/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/4-more.toml
	test -e runs/mini-all/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/5-all.toml
	test -e runs/mini-every/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/6-every.toml
	test -e runs/mini-wide/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/7-wide.toml
	test -e runs/mini-look/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/8-look.toml
	test -e runs/mini-find/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/9-find.toml
	test -e runs/mini-compare/model/tokenizer_config.json || $(BIN)/finback sft recipes/mini/10-compare.toml
	test -e runs/mini/tokenizer_config.json || $(BIN)/finback convert runs/mini-compare/model runs/mini --weights fp8 --experts fp8

setup: $(VENV)/ready

# PyTorch is installed first and by itself: its CPU build is all that Finback needs, and where pip is
# pointed at one it is taken; the rest must not pull in another.
$(VENV)/ready: pyproject.toml $(wildcard finback/ops/cpu/CMakeLists.txt finback/ops/cpu/src/*)
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/test-ready: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@
