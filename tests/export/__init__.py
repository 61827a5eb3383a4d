"""Tests of sg_keras.export."""
