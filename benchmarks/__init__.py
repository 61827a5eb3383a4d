"""Benchmarks: speed of the training step, the data pipeline and the ops; quality of the demo."""
