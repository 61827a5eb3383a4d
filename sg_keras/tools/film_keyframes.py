"""Keyframes of a film as the options of the tool video, or a time line, say them."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.tools.label_options import chosen_labels
from sg_keras.tools.network_option import label_facts

if TYPE_CHECKING:
    from sg_keras.inference.film_keyframes import Keyframe
    from sg_keras.inference.film_timeline import TimelineEntry
    from sg_keras.models import Generator

DEFAULT_FRAMES = 120  # from keyframe to keyframe, as published
_SAID_BY_TIMELINE = ("num_keyframes", "w_frames", "seconds", "shuffle_seed")
_Labels = Callable[..., np.ndarray]


def check_sources(values: dict[str, Any]) -> None:
    """Refuse options of keyframes that contradict one another.

    Raises:
        ValueError: one line that names an option.
    """
    given = [f"--{name}" for name in ("seeds", "projected-w", "timeline") if values[name.replace("-", "_")]]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise ValueError(f"--seeds, --projected-w, --timeline: found {found}, expected one of them: the keyframes")
    if values["timeline"]:
        for name in _SAID_BY_TIMELINE:
            if values[name] is not None:
                option = name.replace("_", "-")
                raise ValueError(f"--{option}: found it beside --timeline, expected none: its keyframes say that")
    if values["w_frames"] is not None and values["seconds"] is not None:
        raise ValueError("--seconds: found it beside --w-frames, expected one of them")
    if values["projected_w"] and values["class"]:
        raise ValueError("--class: found it beside --projected-w, expected none: styles have their class in them")


def film_keyframes(values: dict[str, Any], G: Generator, seconds: float | None) -> list[Keyframe]:
    """Keyframes of a film.

    Args:
        values: of the options, by key.
        G: generator.
        seconds: length of the film, None where --w-frames or the time line says it.

    Raises:
        ValueError: something cannot be read or does not fit the network; one line that names an option or a file.
    """
    facts = label_facts(values["network"]) if G.c_dim else ("", np.zeros([0, 0], np.float32), ())

    def labels(seeds: Sequence[int], choice: int | str | None = None, label: Any = None) -> np.ndarray:
        return chosen_labels({"seeds": tuple(seeds), "class": choice, "label": label}, G.c_dim, *facts)

    if values["timeline"]:
        return _of_timeline(values, G, labels)
    rows = _of_styles(values, G) if values["projected_w"] else _of_seeds(values, labels)
    lengths = _lengths(values, len(rows), seconds)
    return [_keyframe(length, values, **row) for length, row in zip(lengths, rows, strict=True)]


def _keyframe(length: int, values: dict[str, Any], **what: Any) -> Keyframe:
    from sg_keras.inference.film_keyframes import Keyframe

    return Keyframe(length, **{"easing": values["easing"], "truncation_psi": values["trunc"], **what})


def _arranged(values: dict[str, Any], items: Sequence[int], option: str) -> list[tuple[int, ...]]:
    from sg_keras.inference.film_keyframes import keyframe_seeds

    columns, rows = values["grid"]
    try:
        return keyframe_seeds(items, columns * rows, values["num_keyframes"], values["shuffle_seed"])
    except ValueError as error:
        raise ValueError(f"--{option}: {str(error).partition(': ')[2]}, or --num-keyframes") from error


def _of_seeds(values: dict[str, Any], labels: _Labels) -> list[dict[str, Any]]:
    rows = _arranged(values, values["seeds"], "seeds")
    if values["interpolation"] == "circle" and len(rows) == 1:
        rows.append(tuple((seed + 1) % 2**32 for seed in rows[0]))  # any other: it gives the circle its plane
    classes, label = values["class"], values["label"]
    if classes or label is not None:
        choices = [classes[index % len(classes)] if classes else None for index in range(len(rows))]
        every = [labels(row, choice, label) for row, choice in zip(rows, choices, strict=True)]
    else:
        every = np.split(labels([seed for row in rows for seed in row]), len(rows))
    return [{"seeds": row, "labels": label} for row, label in zip(rows, every, strict=True)]


def _of_styles(values: dict[str, Any], G: Generator) -> list[dict[str, Any]]:
    w = np.concatenate([_read_w(pathlib.Path(name), G) for name in values["projected_w"]])
    return [{"w": w[list(row)]} for row in _arranged(values, range(len(w)), "projected-w")]


def _read_w(path: pathlib.Path, G: Generator) -> np.ndarray:
    from sg_keras.files.errors import explain_file_error
    from sg_keras.inference import read_styles

    try:
        return read_styles(path, G.num_ws, G.w_dim)
    except OSError as error:
        raise ValueError(f"--projected-w: {explain_file_error(error, path)}") from error


def _lengths(values: dict[str, Any], count: int, seconds: float | None) -> tuple[int, ...]:
    from sg_keras.inference.film_path import whole_frames

    if seconds is None:
        return (values["w_frames"] or DEFAULT_FRAMES,) * count
    fps = values["fps"]
    try:
        if values["loop"] or count == 1:
            return whole_frames([seconds / count] * count, fps)
        return (*whole_frames([(seconds - 1 / fps) / (count - 1)] * (count - 1), fps), 1)
    except ValueError as error:
        raise ValueError(f"--seconds: {error} for each of {count} keyframes") from error


def _of_timeline(values: dict[str, Any], G: Generator, labels: _Labels) -> list[Keyframe]:
    from sg_keras.inference.film_path import whole_frames
    from sg_keras.inference.film_timeline import read_timeline

    entries = read_timeline(pathlib.Path(values["timeline"]))
    try:
        lengths = whole_frames([entry.seconds for entry in entries], values["fps"])
    except ValueError as error:
        raise ValueError(f"{values['timeline']}: seconds: {error}") from error
    columns, rows = values["grid"]
    contents = [_content(entry, G, columns * rows) for entry in entries]
    by_turns = [
        row
        for entry, row in zip(entries, contents, strict=True)
        if row.get("seeds") and not _is_labelled(entry, values)
    ]
    every = labels([seed for row in by_turns for seed in row["seeds"]]) if by_turns else np.zeros([0, G.c_dim])
    for row, label in zip(by_turns, np.split(every, len(by_turns)) if by_turns else [], strict=True):
        row["labels"] = label
    for number, (entry, row) in enumerate(zip(entries, contents, strict=True)):
        if row.get("seeds") and "labels" not in row:
            row["labels"] = _labels_of_entry(entry, number, row["seeds"], values, labels)
    return [
        _keyframe(length, values, **row, **_given(entry))
        for length, entry, row in zip(lengths, entries, contents, strict=True)
    ]


def _is_labelled(entry: TimelineEntry, values: dict[str, Any]) -> bool:
    own = entry.class_choice is not None or entry.label is not None
    return own or bool(values["class"]) or values["label"] is not None


def _labels_of_entry(
    entry: TimelineEntry, number: int, seeds: Sequence[int], values: dict[str, Any], labels: _Labels
) -> np.ndarray:
    if entry.class_choice is None and entry.label is None:
        classes = values["class"]
        return labels(seeds, classes[number % len(classes)] if classes else None, values["label"])
    try:
        return labels(seeds, entry.class_choice, entry.label)
    except ValueError as error:
        raise ValueError(f"{entry.where}: {str(error).removeprefix('--')}") from error


def _content(entry: TimelineEntry, G: Generator, num_cells: int) -> dict[str, Any]:
    """Seeds or styles of all images of the grid."""
    if entry.w is None:
        if len(entry.seeds) != num_cells:
            raise ValueError(
                f"{entry.where}: found {len(entry.seeds)} seeds, expected {num_cells}, one for each image of the grid"
            )
        return {"seeds": entry.seeds}
    try:
        w = _read_w(entry.w, G)
    except ValueError as error:
        raise ValueError(f"{entry.where}: {str(error).removeprefix('--projected-w: ')}") from error
    if entry.index >= len(w):
        raise ValueError(
            f"{entry.where}: found index {entry.index}, expected 0 to {len(w) - 1}, the styles of {entry.w}"
        )
    return {"w": np.repeat(w[entry.index : entry.index + 1], num_cells, axis=0)}


def _given(entry: TimelineEntry) -> dict[str, Any]:
    """What else a keyframe of a time line says."""
    said: dict[str, Any] = {"translate": entry.translate, "rotate": entry.rotate}
    if entry.easing is not None:
        said["easing"] = entry.easing
    if entry.truncation is not None:
        said["truncation_psi"] = entry.truncation
    return said
