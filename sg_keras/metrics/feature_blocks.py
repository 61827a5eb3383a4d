"""Features of many images, block by block, each kept under a key made of its content: what is done is never repeated.

A killed score goes on where it was, and a set that was changed, or has another name, is seen for what it holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from sg_keras.features import FeatureExtractor
from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained

#: Images of a block: with 1280 features each 1.3 MB.
BLOCK = 256
_MOST_BYTES = 1 << 27  # of decoded images at a time


@dataclasses.dataclass(frozen=True, slots=True)
class ImageBlock:
    """Some images in a row.

    Attributes:
        count: of them.
        content: says what they hold: equal for equal images alone, such as a digest of their files.
        images: makes or decodes them, one after another: uint8 [H,W,C] each, of any sizes.
        decoding: how, where equal content can give other images.
    """

    count: int
    content: str
    images: Callable[[], Iterable[np.ndarray]]
    decoding: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Features:
    """Features of a set of images.

    Attributes:
        values: float32 [N,D].
        contents: of the blocks in their order, how many images each has and what they hold.
    """

    values: np.ndarray
    contents: tuple[tuple[int, str], ...]

    @property
    def content(self) -> str:
        """SHA-256 of what the images hold."""
        digest = hashlib.sha256()
        for count, content in self.contents:
            digest.update(f"{count} {content} ".encode())
        return digest.hexdigest()

    def first(self, count: int) -> Features:
        """Of the first images; the content is that of the blocks in which they are."""
        before = itertools.accumulate((size for size, _ in self.contents), initial=0)
        blocks = tuple(block for block, start in zip(self.contents, before, strict=False) if start < count)
        return Features(self.values[:count], blocks)


class FeatureCache:
    """Features by block in a folder that several processes may use at the same time.

    Args:
        folder: to keep them in, which is made; None = keep nothing.
    """

    def __init__(self, folder: pathlib.Path | None) -> None:
        self._folder = folder

    def load(self, key: str, count: int) -> np.ndarray | None:
        """float32 [count,D]; None where there are none, or no whole file."""
        if self._folder is None:
            return None
        try:
            values = np.load(_place(self._folder, key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return values if values.ndim == 2 and len(values) == count and values.dtype == np.float32 else None

    def store(self, key: str, values: np.ndarray) -> None:
        """Keep features. OSError, one line: they cannot be."""
        if self._folder is None:
            return
        path = _place(self._folder, key)
        with cache_errors_explained(self._folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_shared_file(path) as beside, beside.open("wb") as file:
                np.save(file, values)


def _place(folder: pathlib.Path, key: str) -> pathlib.Path:
    return folder / key[:2] / f"{key}.npy"


def features_of(
    blocks: Iterable[ImageBlock],
    extractors: Mapping[str, FeatureExtractor],
    most: Mapping[str, int],
    cache: FeatureCache,
    on_images: Callable[[int], None] | None = None,
) -> dict[str, Features]:
    """Features of the first images, in their order; one pass over the images, whoever looks at them.

    Args:
        blocks: of the images.
        extractors: see them, under names of the caller's.
        most: how many images each of the extractors sees.
        cache: has some of the features, and takes the others.
        on_images: is told how many images are done.

    Returns:
        By the names of the extractors; fewer than `most` where there are fewer images.

    Raises:
        ValueError, OSError: as of reading the images.
    """
    found: dict[str, list[np.ndarray]] = {name: [] for name in extractors}
    contents, done, total = list[tuple[int, str]](), 0, max(most.values())
    for block in blocks:
        for name, values in block_features(block, extractors, cache).items():
            found[name].append(values)
        contents.append((block.count, block.content))
        done += block.count
        extractors = {name: extractor for name, extractor in extractors.items() if most[name] > done}
        if on_images is not None:
            on_images(min(done, total))
        if not extractors:
            break
    return {name: _joined(parts, contents).first(most[name]) for name, parts in found.items()}


def _joined(parts: Sequence[np.ndarray], contents: Sequence[tuple[int, str]]) -> Features:
    values = _concatenated(parts) if parts else np.zeros([0, 0], np.float32)
    return Features(values, tuple(contents[: len(parts)]))


def _concatenated(parts: Sequence[np.ndarray]) -> np.ndarray:
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise ValueError(
            f"images: found some of which there are {widths[0]} features and some of which there are {widths[1]}, "
            "expected all gray or all in colours"
        )
    return np.concatenate(parts)


def block_features(
    block: ImageBlock, extractors: Mapping[str, FeatureExtractor], cache: FeatureCache
) -> dict[str, np.ndarray]:
    """Features of a block by each extractor; images are made only if one of them has not seen them yet.

    Raises:
        ValueError, OSError: as of reading the images.
    """
    keys = {name: _key(extractor, block) for name, extractor in extractors.items()}
    loaded = {name: cache.load(key, block.count) for name, key in keys.items()}
    missing = [name for name, values in loaded.items() if values is None]
    made = _seen(block.images(), {name: extractors[name] for name in missing}) if missing else {}
    for name, values in made.items():
        cache.store(keys[name], values)
    return {name: values for name, values in {**loaded, **made}.items() if values is not None}


def keep_features(block: ImageBlock, extractor: FeatureExtractor, values: np.ndarray, cache: FeatureCache) -> None:
    """Have features [n,D] of a block that were computed elsewhere. OSError as of `FeatureCache.store`."""
    cache.store(_key(extractor, block), values)


def _key(extractor: FeatureExtractor, block: ImageBlock) -> str:
    parts = f"{extractor.fingerprint} {block.count} {block.content}{block.decoding}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _seen(images: Iterable[np.ndarray], extractors: Mapping[str, FeatureExtractor]) -> dict[str, np.ndarray]:
    """Features of images of any sizes: those in a row that have one size are seen together."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in extractors}
    for batch in _of_one_size(images):
        for name, extractor in extractors.items():
            found[name].append(extractor.features(batch))
    return {name: _concatenated(parts) for name, parts in found.items()}


def _of_one_size(images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """uint8 [n,H,W,C] of some images after others."""
    waiting: list[np.ndarray] = []
    for image in images:
        if waiting and (image.shape != waiting[0].shape or len(waiting) * image.size >= _MOST_BYTES):
            yield np.stack(waiting)
            waiting.clear()
        waiting.append(image)
    yield np.stack(waiting)
