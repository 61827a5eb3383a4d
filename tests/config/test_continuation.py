"""What a continuation takes from its run."""

import dataclasses

import pytest

from sg_keras.config import continued_config, forked_config
from tests.config.test_training_config import make


def with_gamma(gamma):
    config = make()
    return dataclasses.replace(config, loss=dataclasses.replace(config.loss, r1_gamma=gamma))


def test_a_gamma_that_was_not_asked_for_is_that_of_the_run():
    saved, requested = with_gamma("10; 5 from 20"), with_gamma(0.0064)
    assert continued_config(saved, requested, "x", batch_gpu_typed=False, keep_gamma=True) == (saved, [])
    with pytest.raises(ValueError, match=r"--gamma"):
        continued_config(saved, requested, "x", batch_gpu_typed=False)
    assert forked_config(saved, requested, "x", batch_gpu_typed=False)[0].loss.r1_gamma == 0.0064
