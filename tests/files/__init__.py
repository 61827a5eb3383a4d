"""Tests of sg_keras.files."""
