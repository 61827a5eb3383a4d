"""Tests of devices and workers."""
