"""What a run's configuration keeps of its labels."""

import json

import numpy as np
import pytest
from PIL import Image

from sg_keras.config import TrainingConfig
from sg_keras.data import open_dataset
from sg_keras.flags import parse_command_line
from tests.curation.originals import classes_of_noise, write
from tests.curation.originals import run as convert
from tests.flags.conftest import REQUIRED


def config_of(folder, labels, *words) -> TrainingConfig:
    folder.mkdir()
    for index in range(len(labels)):
        Image.fromarray(np.full((8, 8, 3), 20 * index, np.uint8)).save(folder / f"{index}.png")
    text = json.dumps({"labels": [[f"{index}.png", label] for index, label in enumerate(labels)]})
    (folder / "dataset.json").write_text(text)
    config = parse_command_line([*REQUIRED, f"--data={folder}", *words], open_dataset=open_dataset).config
    assert TrainingConfig.from_json(config.to_json()) == config
    return config


@pytest.mark.parametrize(
    "labels, kind, examples",
    [
        ([1, 0, 2], "classes", ()),
        ([[0.5, 20], [1, 40], [0.5, 20]], "vectors", (0.5, 20.0, 1.0, 40.0)),
        ([[0.0] * 65, [1.0] * 65], "vectors", ()),  # too long to be kept for people
    ],
)
def test_kind_and_examples_of_labels(labels, kind, examples, tmp_path):
    data = config_of(tmp_path / "data", labels, "--cond=1").dataset
    assert (data.label_kind, data.label_examples) == (kind, examples)


def test_names_of_classes_and_the_conversion_are_kept(tmp_path):
    write(tmp_path / "photos", classes_of_noise())
    convert(str(tmp_path / "photos"), tmp_path / "images.zip", labels="folders")
    for words, names in ((["--cond=1"], ("cat", "dog", "owl")), ([], ())):
        config = parse_command_line([*REQUIRED, f"--data={tmp_path / 'images.zip'}", *words], open_dataset=open_dataset)
        data = config.config.dataset
        assert data.class_names == names
        assert "transform=center-crop, size=16x16, filter=lanczos" in data.conversion
        assert TrainingConfig.from_json(config.config.to_json()) == config.config


def test_labels_that_are_not_used_are_not_kept(tmp_path):
    data = config_of(tmp_path / "data", [[1, 2], [3, 4]]).dataset
    assert (data.c_dim, data.label_kind, data.label_examples) == (0, "", ())
