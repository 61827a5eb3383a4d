"""Tests of networks as files."""
