"""The real images that fakes are compared with."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.data import ImageDataset
from sg_keras.features import FeatureExtractor
from sg_keras.metrics.feature_blocks import BLOCK, FeatureCache, Features, ImageBlock, features_of

_AS_TRAINED = " as training reads them"  # neither upright by EXIF nor in sRGB by a profile


class Reals:
    """Real images, which each network sees once, whatever is compared with them.

    Args:
        blocks: of the images in the order of their files; copies, if any, come after all of them.
        num_images: without copies.
        copies: what the copies of all images are that come after them, such as ("mirrored",).
        conversion: how they were made of originals, where that is known.
    """

    def __init__(
        self,
        blocks: Callable[[], Iterable[ImageBlock]],
        num_images: int,
        copies: tuple[str, ...] = (),
        conversion: str = "",
    ) -> None:
        self.blocks, self.num_images, self.copies, self.conversion = blocks, num_images, copies, conversion
        self._seen: dict[str, Features] = {}

    def count_for(self, spec: MetricSpec) -> int:
        """How many of them a score takes, the first ones."""
        count = self.num_images * (1 + len(self.copies) if spec.counts_copies else 1)
        return count if spec.max_real is None else min(count, spec.max_real)

    def seen_by(self, extractor: FeatureExtractor) -> Features | None:
        """Features of those that an extractor has seen, if it has seen any."""
        return self._seen.get(extractor.fingerprint)

    def remember(self, fingerprint: str, features: Features) -> None:
        """Have features of the first images by an extractor of this fingerprint, which need not see them."""
        self._seen[fingerprint] = features

    def is_beginning_of(self, others: Reals) -> bool:
        """Whether what was seen of these are the first ones of others, whose files are read, and none decoded."""
        known = max((features.contents for features in self._seen.values()), key=len, default=())
        found = tuple((block.count, block.content) for block in itertools.islice(others.blocks(), len(known)))
        return (self.num_images, self.copies, known) == (others.num_images, others.copies, found)

    def features(
        self,
        extractors: Mapping[str, FeatureExtractor],
        most: Mapping[str, int],
        cache: FeatureCache,
        on_images: Callable[[int], None] | None = None,
    ) -> dict[str, Features]:
        """Features of the first images: arguments and errors as of `features_of`."""
        missing = {
            name: extractor
            for name, extractor in extractors.items()
            if most[name] > (len(kept.values) if (kept := self.seen_by(extractor)) else 0)
        }
        if missing:
            for name, found in features_of(self.blocks(), missing, most, cache, on_images).items():
                self.remember(missing[name].fingerprint, found)
        nothing = Features(np.zeros([0, 0], np.float32), ())
        return {
            name: self._seen.get(extractor.fingerprint, nothing).first(most[name])
            for name, extractor in extractors.items()
        }


#: For scores that take none.
NO_REALS = Reals(lambda: [], 0)


def dataset_reals(dataset: ImageDataset) -> Reals:
    """The images of a data set as training reads them, with its mirrored copies."""
    conversion = dataset.description.conversion
    return Reals(lambda: _dataset_blocks(dataset), dataset.num_images, dataset.copies, conversion)


def _dataset_blocks(dataset: ImageDataset) -> Iterator[ImageBlock]:
    contents = []
    for rows in _rows(dataset.num_images):
        contents.append(content_of_files(dataset.file(int(row)) for row in rows))
        yield ImageBlock(len(rows), contents[-1], functools.partial(dataset.images, rows), _AS_TRAINED)
    for number, kind in enumerate(dataset.copies, start=1):
        for rows, content in zip(_rows(dataset.num_images), contents, strict=True):
            images = functools.partial(dataset.images, rows + number * dataset.num_images)
            yield ImageBlock(len(rows), copied(kind, content), images, _AS_TRAINED)


def _rows(count: int) -> Iterator[np.ndarray]:
    for start in range(0, count, BLOCK):
        yield np.arange(start, min(start + BLOCK, count))


def content_of_files(files: Iterable[bytes]) -> str:
    """What the images of some files hold, as an ImageBlock says it."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file).digest())
    return f"files {digest.hexdigest()}"


def copied(kind: str, content: str) -> str:
    """What copies of a kind hold, such as mirrored ones, of images that hold `content`."""
    return f"{kind} {content}"
