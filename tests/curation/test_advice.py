"""The options that a set asks for."""

from __future__ import annotations

import dataclasses

import pytest

from sg_keras.curation.advice import advise, label_counts
from sg_keras.curation.feature_space import MirrorFinding
from sg_keras.curation.quality import Measures
from sg_keras.flags.command_line import parse_command_line

ONE = Measures(256, 256, 3, 1000, "0", 0, 100.0, 50.0, 500.0, 20.0, 0.5, ())
NATURAL, LOPSIDED = MirrorFinding(1.0, 1.0, 0.5, 100), MirrorFinding(1.0, 1.6, 0.5, 100)


def _values(measures: list[Measures], mirror: MirrorFinding | None = NATURAL, classes: tuple[int, ...] = ()):
    return {choice.option: choice.value for choice in advise("set.zip", measures, mirror, classes, []).choices}


def test_a_ready_set_of_few_images():
    found = _values([ONE] * 2000)
    expected = {"--resolution": "256x256", "--mirror": "1", "--aug": "ada", "--batch": "32", "--gamma": "0.4096"}
    assert found == expected | {"--cbase": "16384", "--kimg": "5000"}


@pytest.mark.parametrize(
    "count, mirror, aug", [(14_000, NATURAL, "ada"), (50_000, NATURAL, "noaug"), (99_999, None, "ada")]
)
def test_augmentation_follows_the_number_of_images(count: int, mirror: MirrorFinding | None, aug: str):
    assert _values([ONE] * count, mirror)["--aug"] == aug


def test_mirroring():
    assert _values([ONE], LOPSIDED)["--mirror"] == "0"
    assert _values([ONE], None)["--mirror"] == "0"


def test_large_images_and_classes():
    large = dataclasses.replace(ONE, width=1024, height=1024)
    found = _values([large] * 10, NATURAL, (7, 3))
    assert (found["--cbase"], found["--gamma"], found["--cond"]) == ("32768", "6.554", "1")


def test_a_set_that_is_not_ready_is_converted_first():
    odd = [dataclasses.replace(ONE, width=300 + i, height=290) for i in range(20)]
    odd[0] = dataclasses.replace(ONE, width=40, channels=4)  # one in twenty decides nothing about the size
    found = advise("photos", odd, None, (), [(3, "are dark")])
    assert found.commands[0] == (
        "python -m sg_keras.tools.dataset convert --source=photos --dest=photos-256.zip --resolution=256x256 "
        "--transform=center-crop --alpha=white"
    )
    assert "--data=photos-256.zip" in found.commands[1]
    assert found.cautions[0] == "images that are dark: 3" and len(found.cautions) == 2


def test_the_command_is_one_that_training_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ready = [dataclasses.replace(ONE, width=32, height=32)] * 100
    words = advise("digits", ready, LOPSIDED, (50, 50), []).commands[-1].split()
    assert words[:2] == ["python", "run_training.py"]
    parse_command_line([*words[2:], "--gpus=0", "--dry-run"])


def test_rectangles_and_transparency_are_trained_as_they_are():
    wide = dataclasses.replace(ONE, width=384, height=256, channels=4)
    found = advise("set.zip", [wide] * 3, None, (), [])
    values = {choice.option: choice.value for choice in found.choices}
    assert values["--resolution"] == "384x256" and values["--gamma"] == "0.6144" and len(found.commands) == 1
    assert len(advise("set.zip", [dataclasses.replace(wide, width=380)], None, (), []).commands) == 2


def test_label_counts():
    assert label_counts([0, 2, 0], ("cat", "dog", "owl")) == {"cat": 2, "dog": 0, "owl": 1}
    assert label_counts([1], ()) == {"0": 0, "1": 1}
    assert label_counts([[1, 0], [1, 1]], ("a", "b")) == {"a": 2, "b": 1}
    assert label_counts([[0.5, 0.1]], ()) == {} and label_counts([], ()) == {}
