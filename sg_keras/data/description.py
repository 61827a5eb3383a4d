"""What dataset.json says beside the labels: names of classes, and how a conversion made the images."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any

from sg_keras.data.image_source import ImageSource
from sg_keras.data.label_file import find_label_file

#: Of a conversion's record what says where pixels come from; the rest is counts.
_TOLD = ("tool", "source", "transform", "size", "filter", "linear_light", "channels", "alpha", "background", "format")


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """Names of classes by their index, and how the images were made, as "key=value" by key; empty where nobody says."""

    class_names: tuple[str, ...] = ()
    conversion: str = ""


def describe(source: ImageSource) -> Description:
    """What the label file of a source says. What cannot be read says nothing here: labels that are used complain."""
    name = find_label_file(source)
    if name is None:
        return Description()
    with contextlib.suppress(OSError, ValueError, RecursionError):
        found = json.loads(source.read_other(name))
        if isinstance(found, dict):
            return Description(names_of_classes(found), _told(found.get("conversion")))
    return Description()


def names_of_classes(content: Any) -> tuple[str, ...]:
    """Names of classes in the content of a label file, empty where there are none."""
    names = content.get("class_names") if isinstance(content, dict) else None
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def _told(conversion: Any) -> str:
    if not isinstance(conversion, dict):
        return ""
    return ", ".join(f"{key}={conversion[key]}" for key in _TOLD if conversion.get(key) is not None)
