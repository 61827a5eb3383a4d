"""Tests of sg_keras.checkpoint."""
