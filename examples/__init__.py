"""Demos and experiments: whole programs on top of the package."""
