# The course's commands. `make` alone lists them.
#
# What you may add:   make course LESSON=02        one lesson, or several: LESSON="00 02"
#                     make course PROFILE=cpu      ci, cpu, colab or full (default: what the machine can do)
#                     make setup PYTHON=python3.12

PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
LESSONS := $(wildcard notebooks/[0-9]*.ipynb)

# The oldest Python that the course supports, for test-oldest.
OLDEST ?= python3.10

.PHONY: help setup course test test-oldest lab notebooks record pages

help:
	@echo "make course      run every lesson; look at build/ afterwards   (LESSON=02 PROFILE=cpu to choose)"
	@echo "make lab         open the first lesson in JupyterLab"
	@echo "make pages       the course as web pages and slides whose widgets need no Python, in build/pages/ (npm fetches KaTeX once)"
	@echo "make test        run all the tests"
	@echo "make test-oldest the same with Python 3.10 and every package at its lower bound (OLDEST=python3.10 to choose)"
	@echo "make notebooks   build the notebooks, the README's table and its links from the sources"
	@echo "make record      run the lessons and keep their outputs in the committed notebooks"
	@echo "make setup       only set up .venv; every command above does it when it is needed"

setup: $(READY)
	@echo "setup: ready"

# Once, and again whenever pyproject.toml changes. uv where it is installed, venv and pip otherwise.
# A system python3 without ensurepip (Debian without python3-venv) still works: its own pip fills the .venv.
$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "setup: $(PYTHON) is not installed; install Python 3.10 or newer, or name one: make setup PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "setup: the course needs Python 3.10 or newer and $(PYTHON) is `$(PYTHON) -V 2>&1`; name another: make setup PYTHON=python3.12"; exit 1; }
	@echo "setup: installing the course into .venv (PyTorch is large: minutes the first time)"
	@if command -v uv >/dev/null; then \
	  { test -x $(PY) || { rm -rf .venv; uv venv --quiet --python "$$(command -v $(PYTHON))" .venv; }; } && \
	  uv pip install --quiet --python $(PY) --editable '.[dev]'; \
	else \
	  pip="$(PY) -m pip"; \
	  if ! $$pip --version >/dev/null 2>&1; then \
	    $(PYTHON) -m venv --clear .venv >/dev/null 2>&1 || { \
	      $(PYTHON) -m venv --clear --without-pip .venv && \
	      $(PYTHON) -m pip --python $(PY) --version >/dev/null 2>&1 && \
	      pip="$(PYTHON) -m pip --python $(PY)"; } || { \
	      rm -rf .venv; \
	      echo "setup: $(PYTHON) cannot make a virtual environment; install its venv module (Debian, Ubuntu: apt install python3-venv)"; exit 1; }; \
	  fi; \
	  $$pip install --quiet --disable-pip-version-check --editable '.[dev]'; \
	fi || { echo "setup: the installation did not finish; mend what is said above and repeat"; exit 1; }
	@$(PY) -c 'import sys, torch, gan_course; print("setup: gan-course", gan_course.__version__, "with torch", torch.__version__, "on Python", sys.version.split()[0])'
	@touch $@

course: $(READY)
	@$(PY) notebooks/tools/run.py $(if $(LESSON),--lesson $(LESSON)) $(if $(PROFILE),--profile $(PROFILE)) --out build

record: notebooks
	@$(PY) notebooks/tools/run.py $(if $(LESSON),--lesson $(LESSON)) $(if $(PROFILE),--profile $(PROFILE)) --out build --record

notebooks: $(READY)
	@$(PY) notebooks/tools/build.py

pages: $(READY)
	@$(PY) notebooks/tools/pages.py

lab: $(READY)
	@$(PY) -m jupyterlab notebooks/00_start_here.ipynb

# The package's tests, and every lesson run cell by cell at the smallest profile on the embedded images.
# A process more than there are cores, because browsers, servers and a test's children are waited for, and a thread
# each. A lesson's cells share a kernel and a file's tests a set-up: each file stays in one process.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 4 ? n + 1 : 4)))
RUN_TESTS = env -u GAN_COURSE_DATA -u GAN_COURSE_CELEBA GAN_COURSE_PROFILE=ci OMP_NUM_THREADS=1 \
  PYDEVD_DISABLE_FILE_VALIDATION=1 $(PY) -m pytest -n $(WORKERS) --dist loadscope --nbval-lax --nbval-current-env --nbval-cell-timeout=600 tests $(LESSONS)

test: $(READY)
	@test -n "$(LESSONS)" || { echo "test: there are no notebooks; run make notebooks"; exit 1; }
	@$(RUN_TESTS)

# uv alone can choose the lowest versions; it is installed beside them.
test-oldest: PY := .venv-oldest/bin/python
test-oldest: .venv-oldest/.ready
	@$(RUN_TESTS)

.venv-oldest/.ready: pyproject.toml
	@$(OLDEST) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null || { \
	  echo "test-oldest: $(OLDEST) is no Python 3.10; name one: make test-oldest OLDEST=..."; exit 1; }
	@echo "test-oldest: installing the lower bounds into .venv-oldest (PyTorch is large: minutes the first time)"
	@$(OLDEST) -m venv --clear .venv-oldest
	@.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check uv
	@.venv-oldest/bin/python -m uv pip install --quiet --python .venv-oldest/bin/python --resolution lowest-direct --editable '.[dev]'
	@touch $@
