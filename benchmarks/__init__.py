"""Benchmarks: speed of the training step, the data pipeline and the ops; quality of the demo."""

import os

from sg_keras.config.environment import settle_environment

settle_environment()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is loaded; its chatter would bury the figures
