# What a checkout needs: `make demo`, `make test`, `make bench`. Each makes the environment and compiles the ops first,
# which takes minutes the first time and a moment afterwards. Needs Python 3.10+ with venv, and g++.
#
# PYTHON=python3.12 chooses the interpreter, VENV=DIR the environment's folder, SG_KERAS_TENSORFLOW="tensorflow==2.21.*"
# the TensorFlow to install (otherwise tensorflow[and-cuda] where nvidia-smi is found, else tensorflow-cpu).

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CXX ?= g++
export CXX

# Stamps record what is done. The ops are compiled again when their sources change or TensorFlow is replaced.
INSTALLED := $(VENV)/.installed
OPS := $(VENV)/.ops
OPS_SOURCES := $(shell find custom_ops -name '*.cc' -o -name '*.cu' -o -name '*.h' -o -name '*.py')
TENSORFLOW := $(wildcard $(VENV)/lib/python3*/site-packages/tensorflow/__init__.py)

GOLDEN_DIR ?= ../shared/golden
DEMO_CFG ?= stylegan3-t
# Tests run in so many processes, and fail where all of them together hold more memory than a laptop has to spare.
TEST_PROCESSES ?= 2
export SG_KERAS_TEST_MEMORY_GB ?= 4
QUICK_TESTS = $(wildcard tests/*_test.py) $(addprefix tests/,config flags data curation augment layers losses models checkpoint \
  inference ops training/test_stylegan_state.py)
# Long proofs of a module share what is long about them, so that one process has all of a module.
DIST = worksteal
TEST = $(BIN)/python -m tests.peak_memory $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist $(DIST) --durations=15
FUZZ_ROUNDS ?= 20
BENCH_STEP := $(BIN)/python -m benchmarks.training_step --batch=16 --threads=2 --json

.PHONY: help docs venv install ops test test-long test-quick test-gpu test-machines fuzz bazel sanitize golden demo \
  demo-stylegan3 bench lint format clean distclean

help:
	@echo "make demo    train on handwritten digits, write an image grid and an exported model"
	@echo "make demo-stylegan3  the same with StyleGAN3-T, and a film; DEMO_CFG=stylegan3-r for R"
	@echo "make test    all tests but the long proofs: twelve minutes;  make test-long  those"
	@echo "make test-quick  two minutes of it;  make test-gpu  those that need a GPU"
	@echo "make test-machines  the tests that depend on rounding, as on other processors and numbers of threads; CI=true: on few"
	@echo "make fuzz    the tests with random input, FUZZ_ROUNDS=$(FUZZ_ROUNDS) times with other input than make test"
	@echo "make bazel   the compiled ops built by Bazel, and their tests on them"
	@echo "make sanitize  the compiled ops built with AddressSanitizer and UBSan, and their tests on them"
	@echo "make golden  compare with the numbers in $(GOLDEN_DIR)"
	@echo "make docs    the documentation as a site in build/docs, which opens from disk"
	@echo "make bench   benchmarks of the ops, the training step, data and scores"
	@echo "make lint    style and types;  make format  mend what can be mended"
	@echo "make install | ops    the environment in $(VENV) | the compiled ops"
	@echo "make clean | distclean  remove what was built | the environment too"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

venv: $(BIN)/python

# TensorFlow first: the package is then built against it, and depends on that very distribution.
$(INSTALLED): pyproject.toml setup.py | $(BIN)/python
	@$(BIN)/python -c 'import tensorflow' 2>/dev/null || \
	  $(PIP) install "$${SG_KERAS_TENSORFLOW:-$$(command -v nvidia-smi >/dev/null && echo 'tensorflow[and-cuda]' || echo tensorflow-cpu)}"
	SG_KERAS_NO_OPS=1 $(PIP) install --editable '.[demo,dev,docs]'
	@touch $@

install: $(INSTALLED)

$(OPS): $(INSTALLED) $(OPS_SOURCES) $(TENSORFLOW)
	$(BIN)/python custom_ops/compile_ops.py
	@touch $@

ops: $(OPS)

test: ops
	$(TEST) -m 'not long'

# Beside pytest's workers they start runs, some of several processes, each with a TensorFlow of its own.
test-long: export SG_KERAS_TEST_MEMORY_GB = 5
test-long: DIST = loadscope
test-long: ops
	$(TEST) -m long

test-quick: ops
	$(TEST) -m 'not long' $(QUICK_TESTS)

test-machines: ops
	$(BIN)/python -m tests.machines $(MACHINES_OPTIONS) -n $(TEST_PROCESSES) --dist loadfile

test-gpu: ops
	$(BIN)/python -m tests.gpu

fuzz: ops
	for round in $$(seq $(FUZZ_ROUNDS)); do \
	  $(BIN)/python -m pytest -q -m hypothesis --hypothesis-profile=searching tests/checkpoint tests/ops || exit 1; done

bazel: $(INSTALLED)
	PYTHON_BIN_PATH="$(abspath $(BIN))/python" bazel test //:ops_test

# Python itself is not built with the sanitizers, so that their libraries have to be there before it starts. It never frees
# some of what it takes: leaks say nothing here.
sanitize: export ASAN_OPTIONS := detect_leaks=0:detect_odr_violation=0:abort_on_error=0
sanitize: export UBSAN_OPTIONS := print_stacktrace=1:halt_on_error=1
sanitize: $(INSTALLED)
	rm -rf build/sanitized
	SG_KERAS_SANITIZE=address,undefined $(BIN)/python custom_ops/compile_ops.py build/sanitized
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
	  SG_KERAS_OPS_LIBRARY="$$(echo build/sanitized/*.so)" $(BIN)/python -m pytest -p no:cacheprovider --capture=sys tests/ops --ignore=tests/ops/test_cuda_build.py

golden: golden-reference-float64 golden-reference-float32 golden-custom-float32

# Tables depend on neither implementation nor precision: once is enough.
golden-reference-float32 golden-custom-float32: GOLDEN_OPTIONS = --without=design_tables --without=dataset_conversion
golden-%: ops
	$(BIN)/python -m tests.golden $(GOLDEN_DIR) --impl=$(word 1,$(subst -, ,$*)) --dtype=$(word 2,$(subst -, ,$*)) $(GOLDEN_OPTIONS)

demo: ops
	$(BIN)/python -m examples.demo_digits

demo-stylegan3: ops
	$(BIN)/python -m examples.demo_digits --cfg=$(DEMO_CFG)

docs: $(INSTALLED)
	rm -rf build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs
	$(BIN)/python -m docs.check_site build/docs

bench: ops
	$(BIN)/python -m benchmarks.ops
	$(BENCH_STEP) --cfg=stylegan2 --map_depth=8 --resolution=32 --cbase=2048 --cmax=64
	$(BENCH_STEP) --cfg=stylegan2 --map_depth=8 --resolution=64 --cbase=4096 --cmax=128
	$(BENCH_STEP) --cfg=stylegan2 --map_depth=8 --resolution=64 --cbase=4096 --cmax=128 --precision=bfloat16
	$(BENCH_STEP) --cfg=stylegan2 --map_depth=8 --resolution=32 --cbase=2048 --cmax=64 --aug=ada --p=0.3
	$(BENCH_STEP) --cfg=stylegan3-t --resolution=32 --cbase=2048 --cmax=64
	$(BENCH_STEP) --cfg=stylegan3-r --resolution=32 --cbase=1024 --cmax=32
	$(BIN)/python -m benchmarks.data_pipeline
	$(BIN)/python -m benchmarks.dataset_conversion
	$(BIN)/python -m benchmarks.metrics
	$(BIN)/python -m benchmarks.generate

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist *.egg-info sg_keras/ops/sg_keras_ops-tf*.so $(OPS)
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
