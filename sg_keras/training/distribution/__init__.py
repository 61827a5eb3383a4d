"""Devices and workers that share a run, and what they exchange."""
