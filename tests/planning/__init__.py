"""Tests of the benchmarks that the demo relies on."""
