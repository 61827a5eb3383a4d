#!/bin/sh
# run_tests.sh PYTHON FOLDER [WORD ...]: runs tests on the sources and the library that Bazel provides, laid out as installed.
set -eu
python=$1
folder=$2
shift 2
tree=$TEST_TMPDIR/checkout
mkdir -p "$tree"
cp -RL . "$tree"
cd "$tree"
cp -R flags sg_keras/flags
cp custom_ops/sg_keras_ops-tf*.so sg_keras/ops/
exec "$python" -m pytest -n 2 --dist worksteal -p no:cacheprovider "$folder" "$@"
