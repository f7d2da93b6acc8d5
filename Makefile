# The one door. `make` alone lists the targets; everything runs in .venv, which `make setup` makes.

PYTHON ?= python3
# The Triton that pip installs needs a Python with a shared library, which that of the system has.
SHARED_PYTHON ?= $(or $(wildcard /usr/bin/python3),$(PYTHON))
CAMERA ?= demo
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-robot test-ray test-kserve test-openvino test-torchrun test-clients test-faults soak test-api fuzz audit lock robot-package deploy check behaviors format bench bench-hour bench-ray bench-kserve bench-peers clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: .venv/ready  ## make .venv with all that serving and the virtual NAO need (no torch)

demo: .venv/ready  ## server, virtual NAO, robot app and monitor together; SECONDS=30 JSON=FILE CAMERA=FILE
	@$(BIN)/python -m robot_app.virtual.demo --camera '$(CAMERA)' $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JSON),--json '$(JSON)')

test: .venv/ready-to-test  ## all tests but those of the robot's own Python, three files at a time, as many wait
	$(BIN)/python -m pytest -n 3 --dist loadfile

test-long: .venv/ready-to-test  ## networks trained, pruned and exported in more ways than make test has time for
	$(BIN)/python -m pytest -n 2 --dist loadfile -m long

test-robot: .venv/ready-to-test  ## the robot's end under a real Python 2.7, against the virtual NAO and the server
	@status=0; sh tests/robot/make_py27.sh || status=$$?; \
	if [ $$status -eq 3 ]; then echo "test-robot: skipped, no Python 2.7 was found (see above)"; exit 0; fi; \
	[ $$status -eq 0 ] && PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 .venv27/run -m pytest tests/robot && $(BIN)/python -m pytest tests/whole/test_python27.py tests/whole/test_deploy.py

test-faults: .venv/ready-to-test  ## what can go wrong, with real networks (root, Linux); FAULT_TIMES=3 for a short one
	@$(BIN)/python -m tests.faults

test-api: .venv/ready-to-test  ## SECONDS=60: made-up requests, right and wrong, to a running service, against its OpenAPI
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'schemathesis>=4.32'
	@$(BIN)/python -m tests.api --seconds $(or $(SECONDS),60)

soak: .venv/ready-to-test  ## MINUTES=60 SEED=7: eight robots and fault after fault, memory and ages drawn (root, Linux)
	@$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

fuzz: .venv/ready-to-test  ## MINUTES=10: rubbish for all that reads what others wrote, until it breaks
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3.0'
	@$(BIN)/python -m tests.fuzz $(or $(MINUTES),10)

audit: .venv/ready  ## whether an installed library has a known hole (asks the internet)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.7'
	$(BIN)/python -m pip_audit --requirement requirements.lock --disable-pip

lock: .venv/ready  ## write requirements.lock anew: what the default install is, to the byte
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
	$(BIN)/uv pip compile pyproject.toml --extra sim --universal --generate-hashes --upgrade --quiet \
	--custom-compile-command 'make lock' --output-file requirements.lock

test-ray: .venv-ray/ready  ## many robots on a Ray cluster of this machine (.venv-ray, some 700 MB more)
	.venv-ray/bin/python -m pytest -s tests/ray/serving.py tests/ray/archives.py

test-kserve: .venv-kserve/ready  ## faces scored by a real Triton, which is killed and comes back (.venv-kserve, Linux)
	.venv-kserve/bin/python -m pytest -s tests/kserve/serving.py

test-openvino: .venv/ready-to-test  ## the networks by OpenVINO, which stays installed then and is used where it is faster
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[openvino]'
	$(BIN)/python -m pytest tests/pc/test_engine.py

test-torchrun: .venv/ready-to-test  ## two processes that train together teach what one teaches
	$(BIN)/python -m pytest -s tests/ray/training.py

test-clients: .venv/ready-to-test  ## 100,000 calls of all kinds to the virtual NAO by two clients at once; CALLS=N
	CALLS=$(or $(CALLS),100000) $(BIN)/python -m pytest -s tests/pc/test_virtual_machine.py

robot-package: .venv/ready  ## build/nao-emotion.pkg: what a NAO gets, with pyzmq for its 32-bit Python 2.7
	$(BIN)/python -m robot_app.package build

deploy: .venv/ready  ## NAO=ip: make the package, install it on that robot and start it there, each step told
	@test -n '$(NAO)' || { echo 'deploy needs the robot: make deploy NAO=192.168.1.20'; exit 2; }
	@$(BIN)/python -m robot_app.package deploy '$(NAO)'

check: .venv/ready-to-test  ## style and behaviours
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python -m behaviors check

behaviors: .venv/ready  ## play every behaviour with a body in a physics simulator, and draw the gallery
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[sim,physics]'
	$(BIN)/python -m behaviors check && $(BIN)/python -m behaviors physics --out behaviors/gallery

format: .venv/ready-to-test  ## rewrite the layout of all Python files
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: .venv/ready-to-test  ## how fast it is, as tables and plots (build/bench); SECONDS=10 JSON=FILE CLIPS=FILM:FILM
	@$(BIN)/python -m tests.bench all $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JSON),--json '$(JSON)')

bench-hour: .venv/ready-to-test  ## MINUTES=60: a long film through replay: memory over time (build/bench/hour.png), x real time
	@$(BIN)/python -m tests.bench hour --minutes $(or $(MINUTES),60)

bench-ray: .venv-ray/ready  ## the same with a Ray cluster of this machine beside the workers; SECONDS=10 JSON=FILE
	@.venv-ray/bin/python -m tests.bench ray $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JSON),--json '$(JSON)')

bench-kserve: .venv-kserve/ready  ## what a score by Triton costs beside one by the worker itself
	@.venv-kserve/bin/python -m tests.kserve.cost

bench-peers: .venv/ready-to-test  ## the same beside fer, facenet-pytorch and mtcnn (3.6 GB in build/peers); SECONDS=10 JSON=FILE
	@PYTHON='$(PYTHON)' sh tests/bench/peers.sh
	@$(BIN)/python -m tests.bench peers $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JSON),--json '$(JSON)')

clean:  ## remove what was built, the environments too
	rm -rf build .venv .venv27 .venv-ray .venv-kserve *.egg-info

.venv/ready: pyproject.toml
	@started=$$(date +%s); test -d .venv || $(PYTHON) -m venv .venv; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[sim]' && touch $@ && \
	echo "setup: $$(du -sm .venv | cut -f1) MB in .venv after $$(( $$(date +%s) - started )) s"

.venv/ready-to-test: .venv/ready
	@started=$$(date +%s); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[sim,train,dev,physics,parquet,lsl]' && touch $@ && \
	echo "setup for tests: $$(du -sm .venv | cut -f1) MB in .venv after $$(( $$(date +%s) - started )) s"

.venv-ray/ready: pyproject.toml
	@test -d .venv-ray || $(PYTHON) -m venv .venv-ray; \
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check -e '.[ray,dev]' && touch $@

.venv-kserve/ready: pyproject.toml
	@test -d .venv-kserve || $(SHARED_PYTHON) -m venv .venv-kserve; \
	.venv-kserve/bin/python -m pip install --quiet --disable-pip-version-check -e '.[kserve,dev]' \
	'opencv-python-headless<4.12' 'nvidia-pytriton>=0.7' && touch $@
