"""Tests of sg_keras.curation."""
