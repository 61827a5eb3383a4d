"""Tests of what happens at ticks."""
