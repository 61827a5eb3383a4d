"""Tests of sg_keras.data."""
