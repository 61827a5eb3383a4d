"""Tests of sg_keras.layers."""
