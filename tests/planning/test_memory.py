"""Parts of the memory, and the micro-batch that fits."""

import dataclasses

import pytest

from sg_keras.planning.memory import memory_plan
from tests.planning.tiny_plan import tiny_config, tiny_step


def test_parts_add_up_on_a_cpu():
    memory = memory_plan(tiny_config(), tiny_step(), 600_000_000, 50_000_000)
    assert sum(size for _, size in memory.parts()) == memory.process_bytes == memory.limiting_bytes
    assert memory.peak_phase in ("Gmain", "Greg", "Dmain", "Dreg") and memory.micro_batch == 8


def test_gpus_hold_tensors_and_state_and_the_process_the_rest():
    config = dataclasses.replace(tiny_config(), gpus=1)
    memory = memory_plan(config, tiny_step(), 600_000_000, 50_000_000)
    assert sum(size for _, size in memory.parts()) == memory.process_bytes + memory.device_bytes
    assert memory.fragmented == 0 and memory.limiting_bytes == memory.device_bytes < 100_000_000


def test_the_largest_micro_batch_fits_just_so():
    memory = memory_plan(tiny_config(), tiny_step(), 600_000_000, 50_000_000)
    assert memory.largest_micro_batch(memory.process_bytes) == pytest.approx(8, abs=1)
    assert memory.largest_micro_batch(memory.process_bytes + round(8 * memory.bytes_per_image)) == pytest.approx(
        16, abs=1
    )
    assert memory.largest_micro_batch(0) == 0
