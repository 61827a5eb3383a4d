"""Images in a column of parquet files, as data sets on hubs have them: bytes, or structs of bytes and path."""

from __future__ import annotations

import contextlib
import json
import pathlib
from typing import Any

import numpy as np

from sg_keras.curation.original_source import OwnLabels
from sg_keras.data.image_source import unreadable_source
from sg_keras.files.optional import optional_package

_IMAGE_COLUMNS = ("image", "img", "picture", "jpg", "png", "bytes")
_LABEL_COLUMNS = ("label", "labels", "fine_label", "class")
_HUB = b"huggingface"  # metadata that has the names of classes


class ParquetOriginals:
    """Images of one or several parquet files, row by row; one group of rows is in memory at a time."""

    def __init__(self, path: str, column: str | None) -> None:
        self.path = path
        parquet = optional_package("pyarrow.parquet", "parquet", path)
        place = pathlib.Path(path)
        paths = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
        try:
            self._files = [parquet.ParquetFile(file) for file in paths]
        except Exception as error:  # pyarrow's errors have no common ancestor of their own
            raise unreadable_source(path, error, "parquet files") from error
        schema = self._files[0].schema_arrow
        self._column = _column(schema.names, column, path)
        groups = [(f, g) for f, file in enumerate(self._files) for g in range(file.num_row_groups)]
        sizes = [self._files[f].metadata.row_group(g).num_rows for f, g in groups]
        self._groups, self._starts = groups, np.cumsum([0, *sizes])
        self._loaded: tuple[int, list[Any]] = (-1, [])
        self.names = [f"{index:08d}" for index in range(int(self._starts[-1]))]
        self.other_names: list[str] = []
        self.refused: dict[int, str] = {}
        self.notes: list[str] = []
        if not self.names:
            raise ValueError(f"{path}: found no rows, expected images")

    def read(self, index: int) -> bytes:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        if self._loaded[0] != number:
            file, group = self._groups[number]
            try:
                table = self._files[file].read_row_group(group, columns=[self._column])
            except Exception as error:
                raise OSError(f"{self.path}: found damaged rows ({error}), expected intact ones") from error
            self._loaded = number, table.column(0).to_pylist()
        value = self._loaded[1][index - int(self._starts[number])]
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise OSError(f"{self.path}: found no bytes in row {index}, expected an image")
        return content

    def head(self, index: int, count: int) -> bytes:
        return self.read(index)

    def read_other(self, name: str) -> bytes:
        raise OSError(f"{self.path}: found no file {name} in it, expected one that is there")

    def own_labels(self) -> OwnLabels | None:
        schema = self._files[0].schema_arrow
        column = next((name for name in _LABEL_COLUMNS if name in schema.names), None)
        if column is None:
            return None
        values = [value for file in self._files for value in file.read(columns=[column]).column(0).to_pylist()]
        if any(value is None for value in values):
            return None
        if values and isinstance(values[0], str):
            names = sorted(set(values))
            return OwnLabels([names.index(value) for value in values], tuple(names))
        return OwnLabels(values, _class_names(schema.metadata or {}, column))

    def close(self) -> None:
        for file in self._files:
            file.close()


def _column(names: list[str], wanted: str | None, path: str) -> str:
    candidates = _IMAGE_COLUMNS if wanted is None else (wanted,)
    found = next((name for name in candidates if name in names), None)
    if found is None:
        raise ValueError(
            f"{path}: found the columns {', '.join(names)}, expected {wanted or 'image'} among them (--image-column)"
        )
    return found


def _class_names(metadata: dict[bytes, bytes], column: str) -> tuple[str, ...]:
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return tuple(json.loads(metadata[_HUB])["info"]["features"][column]["names"])
    return ()
