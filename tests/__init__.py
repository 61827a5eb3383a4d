"""Tests of sg_keras: rooms as in the package, golden/ the runner for numeric reference data."""

from sg_keras.config.environment import settle_environment

settle_environment()  # before Keras is loaded: tests hold whatever the user's keras.json says
