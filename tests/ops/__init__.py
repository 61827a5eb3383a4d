"""Tests of the fused image ops: NumPy oracles, golden numbers, gradients, bad input."""
