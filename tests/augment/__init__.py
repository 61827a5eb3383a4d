"""Tests of sg_keras.losses."""
