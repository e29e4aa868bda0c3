# make run      the whole platform with a demo, at http://localhost:8080   (PORT=, YIJU_HOME=, ARGS=)
# make test     every test                                                  (ARGS= for pytest)
# make check    style, types, import rules, catalogues and documentation
# make install  .venv with the pinned packages and .venv/bin/yiju
# make clean    removes .venv and caches; data (YIJU_HOME) stays

PORT ?= 8080
YIJU_HOME ?= .yiju
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
ARGS ?=
BIN := .venv/bin

.PHONY: run install check test clean

run: export YIJU_PORT := $(PORT)
run: export YIJU_HOME := $(YIJU_HOME)
run: install
	@exec $(BIN)/yiju up --demo --with-parent $(ARGS)

install: .venv/installed

test: .venv/installed-dev
	@$(BIN)/python -m pytest -n 2 $(ARGS)

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m yiju.checks

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Yiju needs Python 3.11 or later: apt-get install python3.11 python3.11-venv" \
		"(or name yours: make PYTHON=/path/to/python3)" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old, Yiju needs" \
		"Python 3.11 or later: apt-get install python3.11 python3.11-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "the venv module of $(PYTHON) is missing:" \
		"apt-get install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 2; }
	@$(PYTHON) -m venv .venv

# The command is a path file and a three-line script: an editable install would need a build tool at run time.
.venv/installed: requirements.lock .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@pwd > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/yiju.pth"
	@printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m yiju "$$@"\n' "$$(pwd)" > $(BIN)/yiju
	@chmod +x $(BIN)/yiju
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
