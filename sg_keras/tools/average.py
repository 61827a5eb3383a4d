"""Average networks of one shape, such as several snapshots of a run.

    python -m sg_keras.tools.average --network=RUN_DIR@100 --network=RUN_DIR@200 --output=averaged
    python -m sg_keras.tools.average --network=ONE --network=TWO --weights=1,2 --output=averaged.safetensors

All variables of G, D and G_ema are averaged in float64. That makes sense where one was trained from
the other, or both from a third. The result is read as any other network.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.flags.arguments import normalise
from sg_keras.flags.combine_options import AVERAGE_OPTIONS
from sg_keras.flags.command_line import check_required, read_values
from sg_keras.flags.tool_options import tool_help_text
from sg_keras.tools.combined import write_combined
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import load_networks, named_errors
from sg_keras.tools.quiet_start import load_quietly

if TYPE_CHECKING:
    import keras


def main(argv: Sequence[str] | None = None) -> int:
    """Average as the command line says; returns the exit status."""
    return run_words(_average, lambda: tool_help_text(__doc__ or "", AVERAGE_OPTIONS), argv)


def _average(words: list[str]) -> int:
    places, values = _values(words)
    load_quietly("tensorflow", "keras")
    from sg_keras.weights.combine import average_networks

    def averaged() -> Mapping[str, keras.Model]:
        networks = [load_networks("--network", place, "auto", NETWORK_NAMES) for place in places]
        return named_errors("--network", lambda: average_networks(networks, values["weights"]))

    write_combined(values["output"], averaged, f"the average of {len(places)}")
    return 0


def _values(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The networks, which may be named several times, and the values of all options by key.

    Raises:
        ValueError: there are fewer than two networks, or not a weight for each; one line.
    """
    arguments = normalise(words, AVERAGE_OPTIONS)
    networks = [argument for argument in arguments if argument.option.key == "network"]
    others = [argument for argument in arguments if argument not in networks]
    values, typed = read_values([*others, *networks[-1:]], AVERAGE_OPTIONS)
    check_required(typed, AVERAGE_OPTIONS)
    places = [read_values([network], AVERAGE_OPTIONS)[0]["network"] for network in networks]
    if len(places) < 2:
        raise ValueError("--network: found one, expected two at least: the option is given for each of them")
    weights = values["weights"]
    if weights is not None and (len(weights) != len(places) or abs(sum(weights)) < 1e-9):
        found = ",".join(f"{weight:g}" for weight in weights)
        raise ValueError(
            f"--weights: found {found}, expected {len(places)} numbers, one for each --network, whose sum is not 0"
        )
    return places, values


if __name__ == "__main__":
    sys.exit(main())
