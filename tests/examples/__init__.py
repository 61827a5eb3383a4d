"""Tests of the demos and experiments."""
