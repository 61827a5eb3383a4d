"""Time lines of films: JSON files of keyframes."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import pathlib
from typing import Any

from sg_keras.files.errors import explain_file_error
from sg_keras.inference.film_path import EASINGS

DEFAULT_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class TimelineEntry:
    """A keyframe as a time line says it; what is None there follows from elsewhere.

    Attributes:
        where: for messages: the file and the keyframe's number.
        seeds: one, or one for each image of the grid; none where `w` is given.
        w: a file of styles, as `read_styles` takes them, and which of these.
        index: which of the file's styles.
        class_choice: a class's index or name.
        label: a label of numbers.
        truncation: psi.
        translate, rotate: of the transform.
        seconds: to the next keyframe.
        easing: of EASINGS.
    """

    where: str
    seeds: tuple[int, ...] = ()
    w: pathlib.Path | None = None
    index: int = 0
    class_choice: int | str | None = None
    label: tuple[float, ...] | None = None
    truncation: float | None = None
    translate: tuple[float, float] = (0.0, 0.0)
    rotate: float = 0.0
    seconds: float = DEFAULT_SECONDS
    easing: str | None = None


_KEYS = ("seed", "w", "index", "class", "label", "truncation", "transform", "seconds", "easing")


def read_timeline(path: pathlib.Path) -> tuple[TimelineEntry, ...]:
    """Keyframes of a JSON file: a list of objects with `seed` or `w`, and what of the rest they say.

    Args:
        path: of the file; paths in it start from its folder.

    Raises:
        ValueError: it is no such list; one line that names the file and the keyframe.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(explain_file_error(error, path)) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: found no JSON ({' '.join(str(error).split())}), expected a list of keyframes"
        ) from error
    if not isinstance(content, list) or not content:
        raise ValueError(f'{path}: found no keyframes, expected a list such as [{{"seed": 1}}, {{"seed": 2}}]')
    return tuple(_entry(f"{path}: keyframe {number}", path.parent, entry) for number, entry in enumerate(content, 1))


def _entry(where: str, folder: pathlib.Path, entry: Any) -> TimelineEntry:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: found {json.dumps(entry)}, expected an object with a seed or w")
    _check_keys(where, entry, _KEYS)
    if ("seed" in entry) == ("w" in entry):
        raise ValueError(f"{where}: found {'both' if 'w' in entry else 'neither'}, expected a seed or w (a file)")
    transform = entry.get("transform", {})
    if not isinstance(transform, dict):
        raise _wrong(where, "transform", transform, "an object with translate and rotate")
    _check_keys(f"{where}: transform", transform, ("translate", "rotate"))
    choice = entry.get("class")
    if choice is not None and (isinstance(choice, bool) or not isinstance(choice, int | str)):
        raise _wrong(where, "class", choice, "a class's index or name")
    if entry.get("easing", "linear") not in tuple(EASINGS):
        raise _wrong(where, "easing", entry["easing"], f"one of {', '.join(EASINGS)}")
    seconds = _number(where, "seconds", entry.get("seconds", DEFAULT_SECONDS))
    if seconds <= 0:
        raise _wrong(where, "seconds", entry["seconds"], "more than 0")
    return TimelineEntry(
        where,
        seeds=_seeds(where, entry["seed"]) if "seed" in entry else (),
        w=folder / _text(where, "w", entry["w"]) if "w" in entry else None,
        index=_whole(where, "index", entry.get("index", 0)),
        class_choice=choice,
        label=_numbers(where, "label", entry["label"]) if "label" in entry else None,
        truncation=_number(where, "truncation", entry["truncation"]) if "truncation" in entry else None,
        translate=_point(where, transform.get("translate", [0, 0])),
        rotate=_number(where, "rotate", transform.get("rotate", 0)),
        seconds=seconds,
        easing=entry.get("easing"),
    )


def _wrong(where: str, key: str, found: Any, expected: str) -> ValueError:
    return ValueError(f"{where}: {key}: found {json.dumps(found)}, expected {expected}")


def _check_keys(where: str, entry: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in entry:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"{where}: found the key {key!r}, expected {', '.join(known)}{hint}")


def _number(where: str, key: str, found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise _wrong(where, key, found, "a number")
    return float(found)


def _whole(where: str, key: str, found: Any) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise _wrong(where, key, found, "a whole number, 0 or more")
    return found


def _text(where: str, key: str, found: Any) -> str:
    if not isinstance(found, str) or not found or "\0" in found:
        raise _wrong(where, key, found, "the name of a file")
    return found


def _seeds(where: str, found: Any) -> tuple[int, ...]:
    seeds = found if isinstance(found, list) else [found]
    if not seeds:
        raise _wrong(where, "seed", found, "a seed, or one for each image of the grid")
    return tuple(_whole(where, "seed", seed) for seed in seeds)


def _numbers(where: str, key: str, found: Any) -> tuple[float, ...]:
    if not isinstance(found, list) or not found:
        raise _wrong(where, key, found, "a list of numbers")
    return tuple(_number(where, key, number) for number in found)


def _point(where: str, found: Any) -> tuple[float, float]:
    numbers = _numbers(where, "translate", found)
    if len(numbers) != 2:
        raise _wrong(where, "translate", found, "two numbers")
    return numbers[0], numbers[1]
