"""Data sets for command lines: one that exists in name only, and flat images of any size."""

import types

import numpy as np
import pytest
from PIL import Image

REQUIRED = ["--outdir=runs", "--cfg=stylegan2", "--data=images.zip", "--gpus=0", "--batch=32", "--gamma=1"]


def make_opener(resolution=32, channels=3, has_labels=True, data_notes=(), num_images=100):
    """An open_dataset that opens nothing."""

    def open_dataset(path, *, use_labels=False, mirror=False, mirrory=False, skip_bad=False, cfg="stylegan2"):
        return types.SimpleNamespace(
            name="images",
            resolution=resolution,
            channels=channels,
            num_images=num_images,
            has_labels=has_labels,
            c_dim=10 if use_labels else 0,
            fingerprint="names:0 sizes:0",
            notes=data_notes,
            close=lambda: None,
            label_kind="classes" if use_labels else "",
            label_examples=lambda most: np.zeros([0, 10]),
        )

    return open_dataset


@pytest.fixture
def parse():
    """parse(*words) -> ParsedCommandLine of the required options and these, on a data set in name only."""
    from sg_keras.flags import parse_command_line

    def parse(*words, required=REQUIRED, gpus_there=0, **facts):
        return parse_command_line([*required, *words], open_dataset=make_opener(**facts), count_gpus=lambda: gpus_there)

    return parse


@pytest.fixture(scope="session")
def flat_images(tmp_path_factory):
    """flat_images(width, height=width) -> folder with two flat images of that size."""
    folders = {}

    def flat_images(width, height=None):
        size = (height or width, width)
        if size not in folders:
            folder = tmp_path_factory.mktemp(f"flat{width}")
            for gray in (80, 160):
                Image.fromarray(np.full((*size, 3), gray, np.uint8)).save(folder / f"{gray}.png")
            folders[size] = str(folder)
        return folders[size]

    return flat_images
