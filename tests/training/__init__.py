"""Tests of sg_keras.training."""
