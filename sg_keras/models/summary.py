"""Tables of a network's resolution blocks, for people."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import keras
import numpy as np
from rich.console import Console
from rich.table import Table


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
            " ".join(sub.name for sub in layer._layers),
            " x ".join(str(n) for n in shape),
            layer.compute_dtype,
            f"{_count(layer.trainable_variables):,}",
            f"{_count(layer.non_trainable_variables):,}",
        )
    table.add_section()
    total, fixed = _count(model.trainable_variables), _count(model.non_trainable_variables)
    table.add_row("total", "", "", "", f"{total:,}", f"{fixed:,}")
    text = io.StringIO()
    Console(file=text, width=110).print(table)
    (print_fn or print)(text.getvalue())


def _count(variables: Sequence[keras.Variable]) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)
