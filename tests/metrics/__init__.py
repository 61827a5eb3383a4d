"""Tests of sg_keras.metrics."""
