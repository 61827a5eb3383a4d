"""Images that an option of a tool names, of any source that conversions read; for scores block by block."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.files.cache import cache_folder, is_url
from sg_keras.tools.network_option import load_generator, named_errors
from sg_keras.tools.quiet_start import load_quietly

if TYPE_CHECKING:
    from sg_keras.config import TrainingConfig
    from sg_keras.config.metric_specs import MetricSpec
    from sg_keras.curation.original_source import OriginalSource
    from sg_keras.data import ImageDataset
    from sg_keras.metrics.fakes import Fakes
    from sg_keras.metrics.feature_blocks import ImageBlock
    from sg_keras.metrics.reals import Reals
    from sg_keras.metrics.rendering import MakesImages


@contextlib.contextmanager
def opened_originals(option: str, path: str, **how: Any) -> Iterator[OriginalSource]:
    """The images that an option names; `how` as of `open_originals`."""
    from sg_keras.curation.sources import open_originals

    if is_url(path):
        load_quietly("tensorflow")  # which has the file systems
    source = named_errors(option, lambda: open_originals(path, **how))
    try:
        yield source
    finally:
        source.close()


class Compared:
    """What one call of the tool compares with, each opened and seen once, however many networks are scored.

    Args:
        values: of the options.
        stack: closes what is opened.

    Raises:
        ValueError, OSError: networks that see cannot be had; one line.
    """

    def __init__(self, values: dict[str, Any], stack: contextlib.ExitStack) -> None:
        from sg_keras.metrics.extractors import open_extractors
        from sg_keras.metrics.feature_blocks import FeatureCache

        self.specs: Sequence[MetricSpec] = values["metrics"]
        self.cache = FeatureCache(None if values["no_cache"] else _folder(values))
        named = (values["features"], values["inception"], values["vgg16"])
        self.extractors = open_extractors(self.specs, *named)
        self._reference, self._mirror, self._stack = values["reference"], values["mirror"], stack
        self._opened: dict[str, Reals] = {}

    def reals_for(self, values: dict[str, Any]) -> Reals:
        """The images of --data, or what the network was trained on; or the features that --reference has of them.

        Raises:
            ValueError: there are none, or others than those of --reference; one line.
        """
        from sg_keras.metrics.reals import NO_REALS

        if not needs_reals(self.specs):
            return NO_REALS
        data = values["data"]
        config = None if data or is_reference(self._reference) else trained_on(values["network"])
        place = str(config.dataset if config else data)
        if place not in self._opened:
            if is_reference(self._reference):
                self._opened[place] = self._referred(data)
            else:
                opened = opened_training_reals(config, self._mirror) if config else opened_reals(data, self._mirror)
                self._opened[place] = self._stack.enter_context(opened)
        return self._opened[place]

    def keep_reference(self) -> None:
        """Make the file of --reference if it is asked for and does not exist."""
        from sg_keras.metrics.reference import write_reference

        if self._opened and self._reference and not is_reference(self._reference):
            first = next(iter(self._opened.values()))
            write_reference(pathlib.Path(self._reference), first, self.extractors.values())

    def _referred(self, data: str | None) -> Reals:
        from sg_keras.metrics.reference import read_reference

        path = pathlib.Path(self._reference)
        reals = named_errors(
            "--reference", lambda: read_reference(path, self.specs, self.extractors, _copies(self._mirror))
        )
        if data is not None:
            with opened_reals(data, self._mirror) as given:
                if not reals.is_beginning_of(given):
                    raise ValueError(f"--reference: {path}: found features of other images than those of {data}")
        return reals


def _copies(mirror: bool) -> tuple[str, ...]:
    from sg_keras.data.dataset import MIRRORED

    return (MIRRORED,) if mirror else ()


def needs_reals(specs: Sequence[MetricSpec]) -> bool:
    """Whether one of the scores compares with reals."""
    return any(spec.max_real != 0 for spec in specs)


def is_reference(path: str | None) -> bool:
    """Whether there is a file of --reference yet."""
    return path is not None and pathlib.Path(path).exists()


def _folder(values: dict[str, Any]) -> pathlib.Path:
    return pathlib.Path(values["cache_dir"]) if values["cache_dir"] else cache_folder() / "features"


def trained_on(network: str) -> TrainingConfig:
    """How a network was trained, and on what. ValueError, one line: it does not say."""
    from sg_keras.export.saved_generator import is_saved_model
    from sg_keras.weights import training_config

    config = None if is_saved_model(network) else named_errors("--network", lambda: training_config(network))
    if config is None:
        raise ValueError(f"--data: found none, and {network} does not say what it was trained on, expected the reals")
    return config


@contextlib.contextmanager
def opened_training_reals(config: TrainingConfig, mirror: bool) -> Iterator[Reals]:
    """The images that a network was trained on, as its run scores them; with mirrored copies in any case, if so."""
    from sg_keras.metrics.reals import dataset_reals
    from sg_keras.training.run_data import open_run_dataset

    data = dataclasses.replace(config.dataset, mirror=config.dataset.mirror or mirror)
    as_trained = dataclasses.replace(config, dataset=data)
    with contextlib.closing(named_errors("--data", lambda: open_run_dataset(as_trained))) as dataset:
        yield dataset_reals(dataset)


@contextlib.contextmanager
def opened_reals(data: str, mirror: bool) -> Iterator[Reals]:
    """The images of --data, with mirrored copies or without."""
    from sg_keras.metrics.reals import Reals

    with opened_originals("--data", data) as source:
        count = len(source.names)
        yield Reals(lambda: original_blocks(source, count, mirror), count, _copies(mirror))


@contextlib.contextmanager
def opened_fakes(values: dict[str, Any]) -> Iterator[Fakes]:
    """What is scored: the images of --images, or those that a network makes with labels of --data."""
    from sg_keras.metrics.fakes import Fakes, network_fakes
    from sg_keras.metrics.rendering import FakeSampling, Renderer

    if values["images"]:
        with opened_originals("--images", values["images"]) as source:
            yield Fakes(lambda count: _first_blocks(source, count, values["metrics"]), {})
        return
    G, noise_mode = _generator(values)
    dataset = _labelled(values["data"] or trained_on(values["network"]).dataset.path) if G.c_dim else None
    sampling = FakeSampling(values["seed"], values["trunc"], noise_mode)
    try:
        yield named_errors("--data", lambda: network_fakes(Renderer(G, sampling), values["network"], dataset))
    finally:
        if dataset is not None:
            dataset.close()


def _generator(values: dict[str, Any]) -> tuple[MakesImages, str]:
    """G_ema of --network, and the noise that it has: that of a SavedModel is always its own."""
    from sg_keras.export.saved_generator import SavedGenerator, is_saved_model

    network = values["network"]
    if is_saved_model(network):
        saved = named_errors("--network", lambda: SavedGenerator(network))
        return saved, saved.noise_mode
    return load_generator(network, values["ops"]), values["noise_mode"]


def _labelled(data: str) -> ImageDataset:
    from sg_keras.data import open_dataset

    return named_errors("--data", lambda: open_dataset(data, use_labels=True, cfg=None))


def _first_blocks(source: OriginalSource, count: int, specs: Sequence[MetricSpec]) -> Iterator[ImageBlock]:
    there = len(source.names)
    if there < count:
        names = [spec.name for spec in specs if spec.num_generated > there]
        raise ValueError(
            f"--images: {source.path}: found {there} images, expected {count} at least for {', '.join(names)}; "
            f"fd{there} takes them all"
        )
    return original_blocks(source, count)


def original_blocks(source: OriginalSource, count: int, mirror: bool = False) -> Iterator[ImageBlock]:
    """The first images of a source, known by the bytes of their files.

    Args:
        source: of the images.
        count: how many; no more than there are.
        mirror: mirrored copies follow the images.

    Raises:
        ValueError, OSError: a file cannot be read; one line. What is in it shows when the images are asked for.
    """
    from sg_keras.data.dataset import MIRRORED
    from sg_keras.metrics.feature_blocks import BLOCK, ImageBlock
    from sg_keras.metrics.reals import content_of_files, copied

    contents = []
    for start in range(0, count, BLOCK):
        rows = range(start, min(start + BLOCK, count))
        contents.append((rows, content_of_files(_bytes(source, index) for index in rows)))
        yield ImageBlock(len(rows), contents[-1][1], functools.partial(_decoded, source, rows, False))
    for rows, content in contents if mirror else []:
        yield ImageBlock(len(rows), copied(MIRRORED, content), functools.partial(_decoded, source, rows, True))


def _bytes(source: OriginalSource, index: int) -> bytes:
    if index in source.refused:
        raise ValueError(f"{source.path}: {source.names[index]}: {source.refused[index]}")
    return source.read(index)


def _decoded(source: OriginalSource, rows: range, mirror: bool) -> Iterator[np.ndarray]:
    """Upright, in sRGB, 8 bits: uint8 [H,W,1, 3 or 4] each."""
    from sg_keras.curation.decode import UnreadableOriginalError, decode_original

    for index in rows:
        try:
            image = decode_original(_bytes(source, index)).image
        except UnreadableOriginalError as error:
            raise ValueError(f"{source.path}: {source.names[index]}: {error}") from error
        pixels = np.asarray(image.convert("RGBA") if image.mode == "LA" else image)
        pixels = pixels.reshape([*pixels.shape[:2], -1])
        yield pixels[:, ::-1] if mirror else pixels
