"""The film that the options of the tool video ask for."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.flags.video_options import is_direction
from sg_keras.tools.film_keyframes import film_keyframes
from sg_keras.tools.network_option import label_facts
from sg_keras.tools.style_changes import direction_files, film_changes

if TYPE_CHECKING:
    from sg_keras.inference.film import Change, Film
    from sg_keras.inference.film_keyframes import Keyframe, StylePath
    from sg_keras.inference.film_noise import MovingNoise
    from sg_keras.inference.film_sound import Sound
    from sg_keras.models import Generator

_FACTORS = Callable[[np.ndarray], np.ndarray]
_THIRDS = {"coarse": (0, 1), "middle": (1, 2), "fine": (2, 3), "all": (0, 3)}
_NOT_OF_FRAMES = ("output", "debug", "network")  # options that no frame depends on, or by its digest alone


def film_of(values: dict[str, Any], G: Generator, sound: Sound | None) -> Film:
    """The film of the values of the options.

    Raises:
        ValueError: something does not fit the network; one line that names an option or a file.
    """
    from sg_keras.inference.film import Film
    from sg_keras.inference.film_keyframes import style_path
    from sg_keras.inference.film_sound import levels

    seconds = values["seconds"]
    if sound is not None and seconds is None and values["w_frames"] is None and not values["timeline"]:
        seconds = sound.seconds
    keyframes = film_keyframes(values, G, seconds)
    closed = values["loop"] or len(keyframes) == 1
    path = style_path(
        G,
        keyframes,
        interpolation=values["interpolation"],
        closed=closed,
        truncation_cutoff=values["trunc_cutoff"],
        harmonics=values["harmonics"],
    )
    heard = {} if sound is None else levels(sound, values["fps"], path.num_frames)
    return Film(
        G,
        path,
        values["grid"][0],
        tuple(_changes(values, G, keyframes, path, heard)),
        _transforms(values, G, keyframes, path.num_frames, closed),
        _noise(values, G, path.num_frames, closed, heard),
    )


def made_from(values: dict[str, Any], network_sha256: str) -> dict[str, Any]:
    """What the frames of a film follow from, for `write_film`: the network, options, and the files that they name."""
    options = {name: repr(value) for name, value in values.items() if name not in _NOT_OF_FRAMES}
    files = [values["audio"], values["timeline"], *(values["projected_w"] or ()), *direction_files(values)]
    if values["timeline"]:
        from sg_keras.inference.film_timeline import read_timeline

        files += [entry.w for entry in read_timeline(pathlib.Path(values["timeline"])) if entry.w]
    digests = [hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest() for file in files if file]
    return {"network": network_sha256, "files": digests, **options}


def chosen_layers(choice: tuple[int, ...] | str, num_ws: int, option: str) -> tuple[int, ...]:
    """Numbers of layers that a word or numbers stand for.

    Raises:
        ValueError: the network has no such layer; one line that begins with the option.
    """
    if isinstance(choice, str):
        first, last = (round(third * num_ws / 3) for third in _THIRDS[choice])
        return tuple(range(first, last))
    if max(choice) >= num_ws:
        raise ValueError(f"{option}: found layer {max(choice)}, expected 0 to {num_ws - 1}, the layers of the network")
    return choice


def _changes(
    values: dict[str, Any],
    G: Generator,
    keyframes: Sequence[Keyframe],
    path: StylePath,
    heard: dict[str, np.ndarray],
) -> list[Change]:
    from sg_keras.inference.film import held_styles, pulse, pulsing
    from sg_keras.inference.film_sound import driven_styles, driven_truncation

    changes: list[Change] = []
    cutoff = values["trunc_cutoff"]
    if values["mix_seed"] is not None:
        layers = chosen_layers(values["mix_styles"], G.num_ws, "--mix-styles")
        changes.append(held_styles(layers, _mixed_style(values, G, keyframes[0])))
    if values["trunc_pulse"]:
        changes.append(pulsing(G, pulse(path.num_frames, values["trunc_pulse"], values["pulses"]), cutoff))
    for source, target, amount in values["audio_drives"] if heard else ():
        if target == "trunc":
            changes.append(pulsing(G, driven_truncation(heard[source], amount), cutoff))
        elif target != "noise" and not is_direction(target):
            layers = chosen_layers(target, G.num_ws, "--audio-drives")
            changes.append(driven_styles(path, heard[source], layers, amount))
    changes += film_changes(values, G, path.num_frames, heard)
    return changes


def _mixed_style(values: dict[str, Any], G: Generator, first: Keyframe) -> np.ndarray:
    """Styles [num_ws,w_dim] of --mix-seed, with the label of the film's first image."""
    from sg_keras.inference import latents, styles
    from sg_keras.tools.label_options import chosen_labels

    seed = values["mix_seed"]
    labels = None if first.labels is None else first.labels[:1]
    if labels is None:
        facts = label_facts(values["network"]) if G.c_dim else ("", np.zeros([0, 0], np.float32), ())
        labels = chosen_labels({"seeds": (seed,), "class": None, "label": values["label"]}, G.c_dim, *facts)
    psi, cutoff = values["trunc"], values["trunc_cutoff"]
    w = styles(G, latents([seed], G.z_dim), labels, truncation_psi=psi, truncation_cutoff=cutoff)
    return np.asarray(w[0], np.float64)


def _transforms(
    values: dict[str, Any], G: Generator, keyframes: Sequence[Keyframe], num_frames: int, closed: bool
) -> _FACTORS | None:
    from sg_keras.inference.film import moving_transforms, steady_transforms
    from sg_keras.inference.film_keyframes import film_times

    given = [f"--{name}" for name in ("translate", "rotate") if values[name] is not None]
    moving = moving_transforms(keyframes, film_times(keyframes, closed), values["interpolation"])
    if (given or moving) and not G.takes_transform:
        what = given[0] if given else f"{values['timeline']}: transform"
        raise ValueError(f"{what}: found it with StyleGAN2, expected StyleGAN3, which alone can move its images")
    if not given:
        return moving
    if moving:
        raise ValueError(f"{given[0]}: found it beside a transform in --timeline, expected one of them")
    places, angles = values["translate"] or (0.0, 0.0), values["rotate"] or (0.0,)
    translate = (places[:2], places[-2:])
    return steady_transforms(num_frames, translate, (angles[0], angles[-1]), closed)


def _noise(
    values: dict[str, Any], G: Generator, num_frames: int, closed: bool, heard: dict[str, np.ndarray]
) -> str | MovingNoise:
    from sg_keras.inference.film_noise import MovingNoise, steady_phases
    from sg_keras.inference.film_sound import driven_phases

    mode = str(values["noise_mode"])
    drives = [(source, amount) for source, target, amount in values["audio_drives"] if target == "noise" and heard]
    if mode not in ("drift", "loop") and not drives:
        return mode
    try:
        if drives:
            source, amount = drives[0]
            per_sec = amount / values["noise_seconds"]
            return MovingNoise(G, driven_phases(heard[source], 4 * per_sec, values["fps"]), closed=False)
        phases = steady_phases(num_frames, values["fps"], values["noise_seconds"], mode == "loop")
        return MovingNoise(G, phases, closed=mode == "loop")
    except ValueError as error:
        option = "--audio-drives" if drives else "--noise-mode"
        raise ValueError(f"{option}: {str(error).partition(': ')[2]}") from error
