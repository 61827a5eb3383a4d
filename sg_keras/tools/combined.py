"""What tools that make networks of several have in common: where these go, and what is said of them."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sg_keras.files.errors import file_errors_explained
from sg_keras.tools.network_option import named_errors

if TYPE_CHECKING:
    import keras


def write_combined(typed: str, combine: Callable[[], Mapping[str, keras.Model]], how: str) -> None:
    """Make networks and write them, once it is known that they can go where --output says.

    Args:
        typed: the value of --output.
        combine: makes G, D and G_ema.
        how: they were made, in words.

    Raises:
        ValueError: they cannot go there, or as of `combine`; one line.
        OSError: they cannot be written; one line.
    """
    from sg_keras.weights.network_file import check_destination, write_networks

    output = pathlib.Path(typed)
    named_errors("--output", lambda: check_destination(output))
    networks = combine()
    with file_errors_explained(output):
        written = write_networks(output, networks)
    G = networks["G_ema"]
    print(f"{G.cfg} {G.size}, {how}: {written} in {output}")
