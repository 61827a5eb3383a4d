"""Films and style mixing of small generators whose weights are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from sg_keras.inference import mix
from sg_keras.inference.film import Film
from sg_keras.inference.film_keyframes import Keyframe, keyframe_seeds, style_path
from sg_keras.models import Generator
from tests.golden.manifest import Case, take_args
from tests.golden.networks import build_generator, load_weights
from tests.golden.report import Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import Judgement


def check(case: Case, options: Options) -> Result:
    """Run one case. Uncovered where it has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def _generator(case: Case, options: Options) -> tuple[Generator, list[Judgement]]:
    """The case's generator, and judgements of what follows from its arguments."""
    G = build_generator(case.args["G_kwargs"], options.impl, case.args["generation"])
    return G, load_weights(case, G, "", [1, 3, 3, 1], options)


def check_mixing(case: Case, options: Options) -> Result:
    """Images of the rows' and columns' seeds, and of their mixed styles."""
    args = take_args(case, "generation", "G_kwargs", "rows", "cols", "styles", "truncation_psi", "noise_mode")
    G, judgements = _generator(case, options)
    rows, columns = args["rows"], args["cols"]
    how = {name: args[name] for name in ("truncation_psi", "noise_mode")}
    images = np.stack(list(mix(G, rows, columns, args["styles"], **how)))
    table = images[len(columns) :].reshape(len(rows), 1 + len(columns), *images.shape[1:])
    found = {"col_images": images[: len(columns)], "row_images": table[:, 0], "mixed": table[:, 1:]}
    return judge_outputs(case, found, options, judgements)


def check_film(case: Case, options: Options) -> Result:
    """Styles and frames of a film at some of its frames."""
    args = take_args(case, *_FILM_ARGUMENTS)
    G, judgements = _generator(case, options)
    columns, rows = args["grid"]
    path = style_path(G, _keyframes(args, columns * rows), interpolation=args["kind"], wraps=args["wraps"])
    film = Film(G, path, columns, noise=args["noise_mode"])
    if film.num_frames != args["num_frames"]:
        raise ValueError(f"found {film.num_frames} frames, expected {args['num_frames']}")
    numbers = args["frames"]
    frames = np.stack([next(film.frames(number, number + 1)) for number in numbers])
    return judge_outputs(case, {"ws": film.styles(numbers), "frames": frames}, options, judgements)


_FILM_ARGUMENTS = ("generation", "G_kwargs", "seeds", "shuffle_seed", "grid", "num_keyframes", "w_frames", "kind")
_FILM_ARGUMENTS += ("wraps", "truncation_psi", "noise_mode", "num_frames", "frames")


def _keyframes(args: dict[str, Any], num_cells: int) -> list[Keyframe]:
    seeds = keyframe_seeds(args["seeds"], num_cells, args["num_keyframes"], args["shuffle_seed"])
    return [Keyframe(args["w_frames"], row, truncation_psi=args["truncation_psi"]) for row in seeds]


FUNCTIONS = {"interpolation video": check_film, "style mixing": check_mixing}
