"""Tests of networks that see."""
