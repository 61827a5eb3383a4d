"""What looks at images gave, kept by the content of the files: audit and curate go on where they were killed.

A set that was looked at is not looked at again, by whatever name it goes; of one that was changed, what is new is.
Results are the same bits, taken from the cache or not: features depend on which images share a batch, and so those of a
batch are kept under the content of all of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
import PIL

import sg_keras
from sg_keras.curation.content_store import BLOCK, ContentStore
from sg_keras.curation.original_source import OriginalSource
from sg_keras.curation.quality import LOOK_VERSION, SMALL_SIDE, Looked, LookJob, Measures, look_at
from sg_keras.curation.work import Job, Ready, in_order

_SMALL_BYTES = 3 * SMALL_SIDE**2


class LookMemory:
    """What was found out about images, by the content of their files. As a context it writes all at its end.

    Args:
        folder: to keep it in, which is made; None = nothing is kept.
        block: results that are written at a time.

    Attributes:
        taken: how many images were taken from what was kept before.

    Raises:
        OSError: the folder cannot be used; one line, also of all that keeps something.
    """

    def __init__(self, folder: pathlib.Path | None = None, block: int = BLOCK) -> None:
        versions = (sg_keras.__version__, LOOK_VERSION, PIL.__version__)  # Pillow decodes and resizes
        version = hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:16]
        self._folder, self._block = None if folder is None else folder / version, block
        self._stores: dict[str, ContentStore] = {}
        self._looks = self._store("images")
        self._own: set[str] = set()  # what was looked at meanwhile
        self.taken = 0

    def __enter__(self) -> LookMemory:
        return self

    def __exit__(self, *exception: object) -> None:
        for store in self._stores.values():
            store.flush()

    def content(self, data: bytes) -> str:
        """What a file is known by; "" where nothing is kept."""
        return "" if self._folder is None else hashlib.sha256(data).hexdigest()

    def look(self, index: int, content: str) -> Looked | None:
        """What a look at a file gave, without what networks see; None = nobody looked."""
        record = self._looks.get(content) if content else None
        if record is None:
            return None
        self.taken += content not in self._own
        return _decoded(record, index, content)

    def keep_look(self, looked: Looked) -> None:
        """Keep what a look gave, if the image could be read: if not, another time it might."""
        if looked.content and looked.measures is not None and looked.content not in self._looks:
            self._own.add(looked.content)
            self._looks.put(looked.content, _encoded(looked))

    def has_features(self, network: str, content: str) -> bool:
        """Whether a network, known by its fingerprint, has seen a file, in whatever batch."""
        return bool(content) and content in self._store(_features(network))

    def features(self, network: str, contents: Sequence[str], mirrored: bool) -> np.ndarray | None:
        """float32 [n,D] of a batch; None = it was not seen as that."""
        record = self._store(_features(network)).get(_batch(contents, mirrored)) if all(contents) else None
        return None if record is None else np.frombuffer(record, np.float32).reshape([len(contents), -1])

    def keep_features(self, network: str, contents: Sequence[str], mirrored: bool, values: np.ndarray) -> None:
        """Keep features of a batch."""
        if all(contents):
            store = self._store(_features(network))
            store.put(_batch(contents, mirrored), np.ascontiguousarray(values, np.float32).tobytes())
            for content in contents:
                store.put(content, b"")

    def symmetry(self, masks: str, content: str) -> float | None:
        """Symmetry of a silhouette, by the name of what found it; None = nobody looked for it."""
        record = self._store(f"silhouettes-{masks}").get(content) if content else None
        return None if record is None else float(json.loads(record))

    def keep_symmetry(self, masks: str, content: str, value: float) -> None:
        """Keep the symmetry of a silhouette."""
        if content:
            self._store(f"silhouettes-{masks}").put(content, json.dumps(value).encode())

    def _store(self, name: str) -> ContentStore:
        if name not in self._stores:
            self._stores[name] = ContentStore(None if self._folder is None else self._folder / name, self._block)
        return self._stores[name]


def looks(source: OriginalSource, count: int, workers: int, memory: LookMemory, network: str) -> Iterator[Looked]:
    """Looks at the first images of a source, in their order.

    Args:
        source: of the images.
        count: how many.
        workers: processes that look at those that nobody looked at.
        memory: of looks, which takes the new ones.
        network: that is to see the images, by its fingerprint: those that it has not seen come with what it sees; "" =
            none.

    Raises:
        OSError: as of `in_order` and `LookMemory`.
    """
    for looked in in_order(_jobs(source, count, memory, network), look_at, workers):
        memory.keep_look(looked)
        yield looked


def _jobs(source: OriginalSource, count: int, memory: LookMemory, network: str) -> Iterator[Job | Ready[Looked]]:
    for index in range(count):
        name, reason = source.names[index], source.refused.get(index, "")
        try:
            data = b"" if reason else source.read(index)
        except OSError as error:
            yield Job(index, name, reason=str(error))
            continue
        content = "" if reason else memory.content(data)
        known = memory.look(index, content)
        if known is not None and (not network or memory.has_features(network, content)):
            yield Ready(known)
        else:
            yield LookJob(index, name, data, reason, content=content, known=known)


def _features(network: str) -> str:
    return f"features-{network[:16]}"


def _batch(contents: Sequence[str], mirrored: bool) -> str:
    words = ["mirrored" if mirrored else "batch", *contents]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def _encoded(looked: Looked) -> bytes:
    """A line of JSON, the small copy, the thumbnail."""
    if looked.measures is None or looked.small is None:
        raise ValueError(f"found a look at image {looked.index} without measures, expected one that can be kept")
    header = json.dumps(dataclasses.asdict(looked.measures), ensure_ascii=True).encode() + b"\n"
    return header + looked.small.tobytes() + looked.thumbnail


def _decoded(record: bytes, index: int, content: str) -> Looked:
    header, _, rest = record.partition(b"\n")
    values = json.loads(header)
    small = np.frombuffer(rest[:_SMALL_BYTES], np.uint8).reshape([SMALL_SIDE, SMALL_SIDE, 3])
    measures = Measures(**values | {"notes": tuple(values["notes"])})
    return Looked(index, measures, None, small, rest[_SMALL_BYTES:], content=content)
