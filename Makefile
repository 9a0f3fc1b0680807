# The two commands of the README. PYTHON may name another interpreter (3.11 or newer).
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
SAMPLES := assignments/hw2_gradient_descent/samples/submissions

.PHONY: demo test lint clean

demo: $(VENV)/installed
	@$(BIN)/grader grade hw2 $(SAMPLES) --gradebook out/gradebook.db --out out
	@$(BIN)/grader report hw2 --gradebook out/gradebook.db --out out

test: $(VENV)/installed-for-tests lint
	$(BIN)/python -m pytest

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# `--group` of pip needs pip 25.1, hence the upgrade.
$(VENV)/installed-for-tests: constraints.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test
	touch $@

clean:
	rm -rf $(VENV) out dist build
