"""How many devices share a batch does not matter: 1, 2 and 4 of them, so 4, 2 and 1 rounds, with everything on."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.training.tiny_run import ROOT

pytestmark = [pytest.mark.rounding, pytest.mark.long]

# Rounding in float64: sums over micro-batches are taken in another order. 5e-16 was measured, a step of Adam is 2e-3.
LARGEST_DIFFERENCE = {"G": 1e-12, "D": 1e-12, "G_ema": 1e-12, "pl_mean": 1e-12}


@pytest.fixture(scope="module")
def states(image_folder, tmp_path_factory):
    """The state after 8 iterations by number of devices, and before them as "before/..."."""
    folder = tmp_path_factory.mktemp("states")
    for count in (1, 2, 4):  # one after another: each holds more than 1 GB
        words = ["-m", "tests.training.one_two_four", str(image_folder), str(count), str(folder / f"{count}.npz")]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800
        )
        assert done.returncode == 0, done.stderr
    return {count: dict(np.load(folder / f"{count}.npz")) for count in (1, 2, 4)}


def differences(state: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest difference by part of the state."""
    found: dict[str, float] = {}
    for name, value in state.items():
        part, difference = name.partition("/")[0], np.abs(value.astype(np.float64) - reference[name])
        found[part] = max(float(np.max(difference, initial=0)), found.get(part, 0.0))
    return found


@pytest.mark.parametrize("count", [2, 4])
def test_weights_and_running_means_are_the_same(states, count):
    found = differences(states[count], states[1])
    assert found["before"] == 0
    assert {part: found[part] for part, most in LARGEST_DIFFERENCE.items() if found[part] > most} == {}


def test_everything_was_on(states):
    state = states[1]
    assert state["pl_mean"] > 0 and state["augment_p"] > 0 and state["cur_nimg"] == 128
    still = [n for n, v in state.items() if n.startswith(("G/", "D/")) and np.array_equal(v, state[f"before/{n}"])]
    assert all(name.endswith(("noise_const", "resample_filter")) for name in still), still


def test_augmentation_goes_the_same_way(states):
    assert states[1]["augment_p"] == states[2]["augment_p"] == states[4]["augment_p"]
