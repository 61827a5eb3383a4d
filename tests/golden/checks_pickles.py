"""Official pickle files: every weight in them, and what the networks that they become compute."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from sg_keras.weights.network_file import read_network_file
from sg_keras.weights.official import read_official_pickle
from tests.golden.layout import images_in, images_out, tensor
from tests.golden.manifest import Case
from tests.golden.report import Options, Result, UncoveredError, judge_outputs, judged
from tests.golden.tolerance import Judgement, compare

_EXACT = {"rule": "equal"}


def check(case: Case, options: Options) -> Result:
    """Run one case. Uncovered where it has no code yet."""
    if case.function not in FUNCTIONS:
        raise UncoveredError(f"no code for {case.function!r}")
    return FUNCTIONS[case.function](case, options)


def check_file(case: Case, options: Options) -> Result:
    """Weights and filters as they are in the file, bit by bit, against those of its companion."""
    with np.load(case.path.parents[1] / case.entry["companion"], allow_pickle=False) as archive:
        expected = dict(archive)
    judgements = []
    for name, description in read_official_pickle(case.path).items():
        found = {**description.weights, **description.filters}
        names = [key for key in expected if key.startswith((f"{name}/param/", f"{name}/buffer/"))]
        missing = {key.split("/", 2)[2] for key in names} ^ set(found)
        # TensorFlow's files have no filters.
        missing = {key for key in missing if description.filters or not key.endswith("resample_filter")}
        judgements.append(Judgement(f"{name}: names", len(missing), 0.0, ", ".join(sorted(missing)[:4])))
        for key in names:
            leaf = key.split("/", 2)[2]
            if leaf in found:
                judgements.append(compare(key, found[leaf], expected[key], _EXACT, options.dtype))
    return judged(case.name, judgements)


def check_outputs(case: Case, options: Options) -> Result:
    """Styles, images and logits of the networks of the file beside the case, in the precision of this run."""
    networks = read_network_file(case.path.with_name(case.entry["pickle"]), options.impl)
    found = {name: _output(case, networks, name, options) for name in case.names("output")}
    return judge_outputs(case, {name: value for name, value in found.items() if value is not None}, options)


def _output(case: Case, networks: dict[str, keras.Model], name: str, options: Options) -> np.ndarray | None:
    z, c = (tensor(case.arrays[key], options.dtype) for key in ("z", "c"))
    network, _, what = name.partition("/")
    variant: dict[str, Any] = dict(case.variants.get(name, {}))
    if what.startswith("logits_of_"):
        source = what.removeprefix("logits_of_").removesuffix("_img")
        images = tensor(images_in(case.arrays[f"{source}/img"]), options.dtype)
        return np.asarray(networks[network](images, c))
    if what == "w":
        return np.asarray(networks[network].mapping(z, c, **variant))
    if what.startswith("img"):
        return images_out(networks[network](z, c, **variant))
    return None


FUNCTIONS = {"pickle file": check_file, "expected outputs of a pickle": check_outputs}
