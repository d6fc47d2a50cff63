# The whole vocabulary of a developer. On a fresh Debian machine: apt-get install make python3, then any of these.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: bench help demo test lint package inspect clean

help:
	@echo "make demo      index a sample hospital and copy a cohort between two real Orthanc servers"
	@echo "               (KEEP=1 leaves the servers up until Ctrl-C; VIEWS=1 also shows the dashboards in a"
	@echo "               browser, with their pictures in build/demo)"
	@echo "make test      all tests: unit, live on real Orthanc servers, on every Python that Splunk bundles"
	@echo "make lint      ruff, mypy"
	@echo "make package   dist/copydicom_app-<version>.spl, the file that Splunk installs"
	@echo "make bench     ours and its peers side by side, into docs/benchmarks.md (an hour; QUICK=1 small,"
	@echo "               ONLY=indexing,latency some of it, BIG=1 with 100,000 instances)"
	@echo "make inspect   Splunk's AppInspect over the package"
	@echo "make clean     remove what was built and the virtual environments"

$(VENV)/ready: pyproject.toml testbench/install.sh
	@testbench/install.sh $(PYTHON)
	@$(PYTHON) -m venv $(VENV)
	@echo "installing the development tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# for its four real dose reports; the plotting libraries that it wants are not needed for them
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps pyskindose==25.1.1
	@touch $@

package: $(VENV)/ready
	@testbench/install.sh $(PYTHON) pages
	@$(BIN)/python packaging/build.py

demo: package $(if $(VIEWS),build/views/ready)
	@$(BIN)/python -m testbench.demo $(if $(KEEP),--keep) $(if $(VIEWS),--views)

test: package build/orthanc-1.12
	-@$(MAKE) --no-print-directory build/views/ready
	@$(BIN)/python -m testbench.unit_tests_on_pythons
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --durations 25

# The second Orthanc that the tests run on. Where it cannot be had they skip, and say so.
build/orthanc-1.12: $(VENV)/ready
	-@[ -e $@ ] || $(BIN)/python -m testbench.fetch_orthanc_112

# The page that renders the dashboards: Splunk's own components from npm, bundled. Never shipped.
PAGE := testbench/views
build/views/ready: $(VENV)/ready $(PAGE)/package-lock.json $(PAGE)/build.mjs $(wildcard $(PAGE)/page/*)
	@testbench/install.sh $(PYTHON) views
	@[ $(PAGE)/node_modules/.package-lock.json -nt $(PAGE)/package-lock.json ] || \
		{ echo "installing what renders the dashboards into $(PAGE)/node_modules"; \
		cd $(PAGE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; }
	@cd $(PAGE) && node build.mjs
	@touch $@

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The peers want versions of their own of what the development tools want, so they have an environment too.
.venv-bench/ready: pyproject.toml $(VENV)/ready
	@$(PYTHON) -m venv .venv-bench
	@echo "installing the peers into .venv-bench"
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

bench: .venv-bench/ready build/orthanc-1.12
	.venv-bench/bin/python -m benchmarks $(if $(QUICK),--quick) $(if $(BIG),--big) $(if $(ONLY),--only $(ONLY))

inspect: package
	$(BIN)/python packaging/inspect_package.py

clean:
	rm -rf build dist .venv .venv-* *.egg-info testbench/views/node_modules pages/node_modules
