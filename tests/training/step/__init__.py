"""Tests of one iteration."""
