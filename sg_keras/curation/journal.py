"""How far a conversion has come, kept beside its destination: one line for each image."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterable
from typing import Any

from sg_keras.curation.partial_files import partial_path

BAD, LEFT_OUT, TRANSPARENT, NO_FACE, UNLABELLED = "bad", "left out", "transparent", "no face", "unlabelled"


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What became of an image.

    Attributes:
        index: of the image in its source.
        images: name, box (None = whole) and receipt of the destination of each image made of it.
        notes: what had to be converted.
        kind: why there is no image: BAD, LEFT_OUT (too small), TRANSPARENT, NO_FACE or UNLABELLED; "" = there is.
        reason: of BAD, in words.
    """

    index: int
    images: list[list[Any]]
    notes: tuple[str, ...] = ()
    kind: str = ""
    reason: str = ""


class Journal:
    """The entries of a conversion, which is known by a digest of all that its bytes follow from.

    Attributes:
        entries: of the images that are done, in their order.
    """

    def __init__(self, destination: pathlib.Path, plan: str) -> None:
        self._path = partial_path(destination.with_name(destination.name + ".journal"))
        self.entries = _read(self._path, plan)
        self._rewrite(plan)  # without a line that was torn, or with the plan alone
        self._file = self._path.open("a", encoding="ascii")

    def add(self, entries: Iterable[Entry]) -> None:
        """Keep entries, whose images are safe."""
        new = list(entries)
        self.entries += new
        self._file.write("".join(_line(entry) for entry in new))
        self._file.flush()

    def receipts(self) -> list[Any]:
        """Receipts of all images, in their order."""
        return [image[2] for entry in self.entries for image in entry.images]

    def restart(self, plan: str) -> None:
        """Forget all entries."""
        self._file.close()
        self.entries = []
        self._rewrite(plan)
        self._file = self._path.open("a", encoding="ascii")

    def close(self) -> None:
        """Release the file, which stays."""
        self._file.close()

    def remove(self) -> None:
        """The conversion is complete."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _rewrite(self, plan: str) -> None:
        lines = [json.dumps({"plan": plan}) + "\n", *map(_line, self.entries)]
        self._path.write_text("".join(lines), encoding="ascii")


def _line(entry: Entry) -> str:
    return json.dumps(dataclasses.astuple(entry)) + "\n"


def _read(path: pathlib.Path, plan: str) -> list[Entry]:
    """The whole entries of a journal with this plan, none where there is no such journal."""
    try:
        lines = path.read_text(encoding="ascii").splitlines(keepends=True)
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    entries: list[Entry] = []
    try:
        if not lines or json.loads(lines[0]) != {"plan": plan}:
            return []
        for line in lines[1:]:
            if not line.endswith("\n"):
                break
            index, images, notes, kind, reason = json.loads(line)
            if index != len(entries):
                break
            entries.append(Entry(index, images, tuple(notes), kind, reason))
    except (ValueError, TypeError):
        pass  # torn: what comes before it counts
    return entries
