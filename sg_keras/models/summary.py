"""Tables of a network's resolution blocks, human-readable."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from sg_keras.config.sizes import resolution_text
from sg_keras.layers.configured_layer import sublayers
from sg_keras.models.layer_plan import LayerPlan


def print_blocks(
    model: keras.Model,
    blocks: Sequence[tuple[str, keras.layers.Layer, Sequence[int]]],
    print_fn: Callable[[str], None] | None = None,
) -> None:
    """Print a table with a row for each (name, layer, output shape without the batch) and the totals."""
    table = Table(title=f"{type(model).__name__} {model.name}")
    for column in ("block", "layers", "output", "dtype"):
        table.add_column(column)
    for column in ("parameters", "buffers"):
        table.add_column(column, justify="right")
    for name, layer, shape in blocks:
        table.add_row(
            name,
            " ".join(sub.name for sub in sublayers(layer)),
            " x ".join(str(n) for n in shape),
            layer.compute_dtype,
            f"{_count(layer.trainable_variables):,}",
            f"{_count(layer.non_trainable_variables):,}",
        )
    table.add_section()
    total, fixed = _count(model.trainable_variables), _count(model.non_trainable_variables)
    table.add_row("total", "", "", "", f"{total:,}", f"{fixed:,}")
    _print(table, 110, print_fn)


def print_plan(model: keras.Model, print_fn: Callable[[str], None] | None = None) -> None:
    """Print a table with a row for each layer of a StyleGAN3 generator, and the totals.

    Rates are in samples across the image's shorter side, frequencies in periods across it.
    """
    synthesis = model.synthesis
    table = Table(title=f"{type(model).__name__} {model.name}, {model.cfg}")
    for column in ("layer", "size", "channels", "rate", "inside", "cutoff", "stopband", "up", "down", "padding"):
        table.add_column(column, justify="left" if column == "layer" else "right")
    for column in ("precision", "parameters", "buffers"):
        table.add_column(column, justify="left" if column == "precision" else "right")
    start = synthesis.plan.input
    table.add_row("mapping", f"{model.num_ws} x {model.w_dim}", *[""] * 8, *_precision_and_counts(model.mapping))
    table.add_row(
        "input",
        resolution_text(start.size),
        f"{start.channels}",
        f"{start.sampling_rate:g}",
        "",
        f"{start.bandwidth:.4g}",
        *[""] * 4,
        *_precision_and_counts(synthesis.input_layer),
    )
    for planned, layer in zip(synthesis.plan.layers, synthesis.alias_free_layers, strict=True):
        table.add_row(planned.name, *layer_cells(planned), *_precision_and_counts(layer))
    table.add_section()
    table.add_row("total", *[""] * 9, *_precision_and_counts(model, precision=False))
    _print(table, 150, print_fn)


def layer_cells(planned: LayerPlan) -> list[str]:
    """Cells of a layer: size, channels, rates, frequencies, resampling (factor, filter taps, R = radial), padding."""
    design = planned.design
    x0, x1, y0, y1 = design.padding
    down = f"{design.down_taps}{'R' if design.down_radial else ''}"
    return [
        _step(resolution_text(design.in_size), resolution_text(design.out_size)),
        _step(design.in_channels, design.out_channels),
        _step(f"{design.in_sampling_rate:g}", f"{design.out_sampling_rate:g}"),
        f"{design.internal_sampling_rate:g}",
        _step(f"{design.in_cutoff:.4g}", f"{design.out_cutoff:.4g}"),
        _step(f"{planned.in_stopband:.4g}", f"{planned.out_stopband:.4g}"),
        f"{design.up} ({design.up_taps})" if design.up_taps > 1 else f"{design.up}",
        f"{design.down} ({down})" if design.down_taps > 1 else f"{design.down}",
        f"{x0}, {x1}" if (x0, x1) == (y0, y1) else f"{x0}, {x1}, {y0}, {y1}",
    ]


def _step(before: object, after: object) -> str:
    return f"{after}" if before == after else f"{before} > {after}"


def _precision_and_counts(layer: keras.layers.Layer, precision: bool = True) -> list[str]:
    return [
        layer.compute_dtype if precision else "",
        f"{_count(layer.trainable_variables):,}",
        f"{_count(layer.non_trainable_variables):,}",
    ]


def _print(table: Table, width: int, print_fn: Callable[[str], None] | None) -> None:
    text = io.StringIO()
    Console(file=text, width=width).print(table)
    (print_fn or print)(text.getvalue())


def _count(variables: Sequence[keras.Variable]) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)
