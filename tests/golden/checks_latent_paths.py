"""Films and style mixing of small generators whose weights are given."""

from __future__ import annotations

import numpy as np

from sg_keras.inference import mix
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


FUNCTIONS = {"style mixing": check_mixing}
