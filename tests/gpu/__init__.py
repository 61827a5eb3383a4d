"""Checks of the CUDA kernels: a harness on their plain C launchers, emulated or on a GPU, and the ops in TensorFlow."""
