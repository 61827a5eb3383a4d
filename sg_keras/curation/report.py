"""What a conversion did, for people and for report.json."""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from sg_keras.curation.journal import BAD, LEFT_OUT, NO_FACE, TRANSPARENT, UNLABELLED, Entry
from sg_keras.files.atomic import write_text

_SIZES_KEPT = 20


@dataclasses.dataclass(frozen=True, slots=True)
class ConversionReport:
    """What a conversion did.

    Attributes:
        destination: what was written, "" where that is nothing.
        originals: how many there were.
        images: how many were made of them.
        bad: images that could not be read, and why.
        left_out: images that are too small for the transform.
        transparent: images that were dropped since they are transparent.
        faceless: images in which no face was found, where one is asked for.
        unlabelled: images that were dropped since they have no label.
        converted: what had to be converted, and in how many images.
        sizes_before: "WxH" of the images and how many have it, the most frequent ones.
        continued_from: how many images an earlier process had done.
        path: of report.json.
    """

    destination: str
    originals: int
    images: int
    bad: Mapping[str, str]
    left_out: Sequence[str]
    transparent: Sequence[str]
    faceless: Sequence[str]
    unlabelled: Sequence[str]
    converted: Mapping[str, int]
    sizes_before: Mapping[str, int]
    continued_from: int
    path: str

    def counts(self) -> dict[str, Any]:
        """What dataset.json tells of it; nothing that depends on how often the work was interrupted."""
        return {
            "originals": self.originals,
            "images": self.images,
            "unreadable": len(self.bad),
            "too_small": len(self.left_out),
            "transparent_dropped": len(self.transparent),
            **({"no_face": len(self.faceless)} if self.faceless else {}),
            **({"unlabelled_dropped": len(self.unlabelled)} if self.unlabelled else {}),
            "sizes_before": dict(list(self.sizes_before.items())[:_SIZES_KEPT]),
            "converted": dict(self.converted),
        }

    def lines(self) -> list[str]:
        """What people should see at the end, numbers of images; what could not be read is in the last line."""
        lines = [f"{what}: {count}" for what, count in self.converted.items()]
        if self.left_out:
            lines.append(f"too small for the transform, left out: {len(self.left_out)}")
        if self.transparent:
            lines.append(f"transparent, dropped: {len(self.transparent)}")
        if self.faceless:
            lines.append(f"no face found, left out: {len(self.faceless)}")
        made = f"{self.images} images of {self.originals} originals in {self.destination or 'nothing'}"
        if self.unlabelled:
            made += f"; {len(self.unlabelled)} without a label dropped"
        if not self.bad:
            return [*lines, made]
        name, reason = next(iter(self.bad.items()))
        few = "1 image was" if len(self.bad) == 1 else f"{len(self.bad)} images were"
        warning = f"warning: {few} left out as unreadable ({name}: {reason}), see {self.path}"
        return [*lines, f"{made}; {warning}"]


def make_report(
    names: Sequence[str], entries: Sequence[Entry], sizes: Sequence[tuple[str, int]], **places: Any
) -> ConversionReport:
    """The report on all entries of a journal; `places` are its fields destination, continued_from and path."""
    notes = collections.Counter(note for entry in entries for note in entry.notes)
    kinds: dict[str, list[int]] = {BAD: [], LEFT_OUT: [], TRANSPARENT: [], NO_FACE: [], UNLABELLED: []}
    for entry in entries:
        if entry.kind:
            kinds[entry.kind].append(entry.index)
    return ConversionReport(
        originals=len(entries),
        images=sum(len(entry.images) for entry in entries),
        bad={names[index]: entries[index].reason for index in kinds[BAD]},
        left_out=[names[index] for index in kinds[LEFT_OUT]],
        transparent=[names[index] for index in kinds[TRANSPARENT]],
        faceless=[names[index] for index in kinds[NO_FACE]],
        unlabelled=[names[index] for index in kinds[UNLABELLED]],
        converted=dict(sorted(notes.items())),
        sizes_before=dict(sizes),
        **places,
    )


def report_path(destination: pathlib.Path) -> pathlib.Path:
    """Where the report of a destination lies."""
    return destination.with_name(destination.name + ".report.json")


def write_report(report: ConversionReport) -> None:
    """Write report.json beside the destination."""
    content = dataclasses.asdict(report)
    write_text(pathlib.Path(report.path), json.dumps(content, indent=1, ensure_ascii=True) + "\n")
