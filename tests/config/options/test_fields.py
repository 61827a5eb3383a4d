"""What a continuation may do to each field."""

import dataclasses

from sg_keras.config.options.declaration import Resume
from sg_keras.config.options.fields import FIELD_OPTIONS, field_rules, fields_with, flatten
from tests.config.test_training_config import make


def test_rules_are_for_fields():
    assert set(field_rules()) | set(FIELD_OPTIONS) <= set(dict(flatten(dataclasses.asdict(make()))))


def test_fields_without_an_option_have_rules_too():
    assert "discriminator.mbstd_num_channels" in fields_with(Resume.SHAPE) and "dataset.name" in fields_with(Resume.ANY)


def test_rules_by_field():
    assert fields_with(Resume.DEVICES) == {"gpus", "cpu_devices", "cluster_size"}
    assert fields_with(Resume.MICRO_BATCH) == {"batch_gpu"}
    assert fields_with(Resume.DATA) == {"dataset.path", "dataset.num_images", "dataset.fingerprint"}
    assert {"run.total_kimg", "batch_gpu_auto"} <= fields_with(Resume.ANY)
    assert {"batch", "seed", "loss.r1_gamma"} <= fields_with(Resume.SAME)


def test_flatten():
    assert list(flatten({"a": {"b": 1, "c": ()}, "d": None})) == [("a.b", 1), ("a.c", ()), ("d", None)]
