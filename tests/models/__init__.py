"""Tests of sg_keras.models."""
