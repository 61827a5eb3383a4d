"""Which layers of real networks compute in half precision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import keras

from sg_keras.models import Generator, computes_in_half
from tests.golden.manifest import Case
from tests.golden.networks import build_discriminator, build_generator
from tests.golden.report import Options
from tests.golden.tolerance import Judgement, same

HALF_PRECISION = re.compile(r"[GD]_block_use_fp16")  # fields of the parameter counts


def check_half_precision(case: Case, options: Options) -> Iterator[Judgement]:
    """Entries "stylegan2 G 16 n2": the blocks or layers of a network with num_fp16_res."""
    for key, entry in case.read_json().items():
        kind = key.split()[0]
        if kind == "D":
            network = build_discriminator(entry["arguments"], options.impl)
        else:
            network = build_generator(entry["arguments"], options.impl, kind)
        yield same(key, _half_layers(network), entry["half"])
        keras.backend.clear_session()


def _half_layers(network: keras.Model) -> dict[str, bool]:
    if not isinstance(network, Generator):
        return {block.name: computes_in_half(block) for block in [*network.blocks, network.b4]}
    synthesis = network.synthesis
    layers = synthesis.blocks if network.cfg == "stylegan2" else synthesis.alias_free_layers
    return {f"synthesis.{layer.name}": computes_in_half(layer) for layer in layers}


def half_by_side(blocks: Iterable[keras.layers.Layer]) -> dict[str, bool]:
    """Whether a block computes in half precision, by its side in pixels."""
    return {str(block.level): computes_in_half(block) for block in blocks}
