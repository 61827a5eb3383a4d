"""The data set of the tests of training."""

from tests.training.conftest import image_folder

__all__ = ["image_folder"]
