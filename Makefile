# Countersign. `make` alone lists what there is.
PYTHON ?= python3
UV_VERSION = 0.13.9
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos evaluate texts pins setup chromium checks

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: setup ## run everything here on made-up tickets, on services of its own; Ctrl-C ends it
	@trap : INT; COUNTERSIGN_DEMO=1 $(BIN)/python manage.py demo $(DEMO_ARGS); status=$$?; \
		test $$status -eq 130 && exit 0; exit $$status

test: setup chromium ## run the tests; PYTEST_ARGS="-k webhook" passes more to pytest
	$(BIN)/pytest -n 3 --dist loadgroup $(PYTEST_ARGS)

check: setup ## lint, format, types, templates, migrations, settings and the API's description
	@$(BIN)/python -m config.embedded --data .data/check -- $(MAKE) --no-print-directory checks

bench: setup ## measure speed and cost as ratios; BENCH_ARGS="--help" lists the options
	$(BIN)/python -m bench $(BENCH_ARGS)

chaos: setup ## break parts of the service while tickets come; CHAOS_ARGS="--small" is quick
	$(BIN)/python -m bench.chaos $(CHAOS_ARGS)

evaluate: setup ## judge the models on public texts and write docs/evaluation.md: 40 minutes
	$(BIN)/python manage.py evaluate --all $(EVALUATE_ARGS)

texts: setup ## collect the texts to translate and compile translations; needs GNU gettext
	$(BIN)/python manage.py makemessages -l de --no-location -i tests -i bench
	$(BIN)/python manage.py compilemessages -l de -i .venv

pins: setup ## renew the pinned versions in requirements*.txt from pyproject.toml
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(COMPILE) --extra dev -c requirements.txt pyproject.toml \
		-o requirements-dev.txt
	$(BIN)/uv pip compile $(COMPILE) --generate-hashes -c requirements-dev.txt \
		--group pyproject.toml:semantic -o requirements-semantic.txt

COMPILE = --quiet --upgrade --python-version 3.11 --no-annotate --no-header --no-emit-index-url

# --- What the targets above stand on --------------------------------------------------------

setup: .venv/.installed

.venv/.installed: requirements-dev.txt requirements-semantic.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Countersign needs Python 3.11 or newer, and $(PYTHON) is not one." \
			"Name one: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --compile-bytecode -r requirements-dev.txt
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes \
		-r requirements-semantic.txt
	@touch $@

# Debian's browser as root, Playwright's own otherwise.
HAS_CHROMIUM = for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name >/dev/null && exit 0; done; \
	for place in "$${PLAYWRIGHT_BROWSERS_PATH:-/none}" ~/.cache/ms-playwright \
			~/Library/Caches/ms-playwright; do \
		ls -d "$$place"/chromium-* >/dev/null 2>&1 && exit 0; done; \
	test -d "/Applications/Google Chrome.app" && exit 0

chromium: setup
	@$(HAS_CHROMIUM); \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else $(BIN)/playwright install chromium; fi; \
	$(HAS_CHROMIUM); \
	echo "The browser tests need Chromium: install your system's package 'chromium'."; exit 1

checks:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	files="$$(find triage review -path '*/templates/*' -name '*.html')"; \
		test -z "$$files" || $(BIN)/djade --check --target-version 5.2 $$files
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
