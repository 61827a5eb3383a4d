"""Tests of sg_keras: rooms as in the package, golden/ the runner for numeric reference data."""
