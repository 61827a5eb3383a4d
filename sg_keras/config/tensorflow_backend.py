"""Imported by every subpackage that loads Keras, before it does: another backend is an error of one line."""

from sg_keras.config.environment import check_backend

check_backend()
