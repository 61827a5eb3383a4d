"""Tests of sg_keras.inference."""
