"""Images as TFRecords, in the layout of StyleGAN2-ADA."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sg_keras.curation.partial_files import Receipt, opened_at, partial_path, take_place
from sg_keras.data.label_file import LABEL_FILE
from sg_keras.data.tfrecord_source import LABELS_SUFFIX

_SHARD_BYTES = 2**28


class TFRecordDestination:
    """A folder of NAME-rNN.tfrecords, in shards if it is large, with NAME-rxx.labels: StyleGAN2-ADA's layout."""

    def __init__(self, path: pathlib.Path, receipts: Sequence[Receipt], side: int) -> None:
        self._path, self._partial = path, partial_path(path)
        self._partial.mkdir(exist_ok=True)
        self._level = max(side - 1, 0).bit_length()
        last: Receipt = receipts[-1] if receipts else [0, 0]
        self._shard, end = int(last[0]), int(last[1])
        for file in self._partial.iterdir():
            if file.name > self._shard_file(self._shard).name:
                file.unlink()
        self._file = opened_at(self._shard_file(self._shard), end)

    def add(self, name: str, content: bytes) -> Receipt:
        if self._file.tell() and self._file.tell() + len(content) > _SHARD_BYTES:
            self._file.close()
            self._shard += 1
            self._file = opened_at(self._shard_file(self._shard), 0)
        self._file.write(content)
        return [self._shard, self._file.tell()]

    def flush(self) -> None:
        self._file.flush()

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        self._file.close()
        stem, count = self._path.stem, self._shard + 1
        for shard in range(count):
            part = f"-{shard:05d}-of-{count:05d}" if count > 1 else ""
            self._shard_file(shard).rename(self._partial / f"{stem}-r{self._level:02d}{part}.tfrecords")
        if labels is not None:
            with (self._partial / f"{stem}-rxx{LABELS_SUFFIX}").open("wb") as file:
                np.save(file, _label_rows(labels), allow_pickle=False)
        (self._partial / LABEL_FILE).write_bytes(dataset_json)
        take_place(self._partial, self._path)

    def close(self) -> None:
        self._file.close()

    def _shard_file(self, shard: int) -> pathlib.Path:
        return self._partial / f"shard-{shard:05d}"


def _label_rows(labels: Sequence[Any]) -> np.ndarray:
    """float32 [N,L], one-hot for classes."""
    if not isinstance(labels[0], int):
        return np.array(labels, np.float32)
    rows = np.zeros((len(labels), max(labels) + 1), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows
