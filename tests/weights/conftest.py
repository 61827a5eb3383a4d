"""The data set of the tests of training."""

from tests.training.conftest import pictures

__all__ = ["pictures"]
