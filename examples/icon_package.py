"""Icons with transparency, each of a category, from a package that npm brings: images of Noto Emoji (Apache-2.0)."""

from __future__ import annotations

import json
import pathlib
import tarfile
import tempfile
from collections.abc import Iterator
from typing import Any

from sg_keras.files.npm_package import npm_archive

PACKAGE = "emoji-datasource-google@16.0.0"
_TABLE, _IMAGES = "package/emoji.json", "package/img/google/64/"
_LONGEST_SEC = 300


def icons_from_npm(package: str = PACKAGE) -> list[tuple[str, str, bytes]]:
    """Category, name and PNG file of each icon of the package, which is fetched.

    Raises:
        OSError: there is no npm, or it cannot bring the package; one line.
        ValueError: the package is another than expected; one line.
    """
    with tempfile.TemporaryDirectory() as folder:
        return list(icons_of(npm_archive(package, folder, _LONGEST_SEC)))


def icons_of(archive: pathlib.Path) -> Iterator[tuple[str, str, bytes]]:
    """Category, name and PNG file of each icon of a package, by category and then in the order of its table.

    Raises:
        ValueError: it is another package than expected; one line.
    """
    with tarfile.open(archive) as package:
        try:
            for row in sorted(json.loads(_content(package, _TABLE)), key=_place):
                if row["has_img_google"]:
                    yield row["category"], row["image"], _content(package, _IMAGES + row["image"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{archive.name}: found {error} in it, expected a package such as {PACKAGE}") from error


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["category"], row["sort_order"]


def _content(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(name)
    if file is None:
        raise ValueError(f"{name}, which is no file,")
    return file.read()
