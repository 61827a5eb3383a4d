"""Conversion of data sets: originals go in as files, and the images that come out are compared pixel by pixel."""

from __future__ import annotations

import io
import json
import pathlib
import tempfile
import zipfile
from typing import Any

import numpy as np
from PIL import Image

from sg_keras.curation.convert import Request, convert
from sg_keras.curation.recipe import Recipe, Transform
from sg_keras.curation.sources import open_originals
from tests.golden.manifest import Case, take_args
from tests.golden.report import Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import same

FUNCTION = "convert a data set"


def check(case: Case, options: Options) -> Result:
    """Run one case. Uncovered where it has no code yet."""
    if case.function != FUNCTION:
        raise UncoveredError(f"no code for {case.function!r}")
    args = take_args(case, "transform", "resolution", "max_images", "labels")
    with tempfile.TemporaryDirectory() as folder:
        images, written = _converted(case, args, pathlib.Path(folder))
    expected = case.entry["derived"]
    judgements = [
        same("converted", sorted(images), expected["converted"]),
        same("dataset_json", written["labels"], expected["dataset_json"]["labels"]),
    ]
    return judge_outputs(case, {f"out_{name}": pixels for name, pixels in images.items()}, options, judgements)


def _converted(case: Case, args: dict[str, Any], folder: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Images by name, and what dataset.json says."""
    originals = folder / "images"
    for name, pixels in case.below("in_").items():
        (originals / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(originals / name)
    (originals / "dataset.json").write_text(json.dumps({"labels": args["labels"]}))
    size = args["resolution"]
    recipe = Recipe(
        transform=Transform(name=args["transform"] or "none"), resolution=None if size is None else (size[0], size[1])
    )
    destination = folder / "images.zip"
    source = open_originals(str(originals))
    convert(source, recipe, Request(destination=str(destination), max_images=args["max_images"]))
    source.close()
    with zipfile.ZipFile(destination) as archive:
        names = [name for name in archive.namelist() if name != "dataset.json"]
        images = {name: np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names}
        return images, json.loads(archive.read("dataset.json"))
