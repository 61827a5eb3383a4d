"""Show what the layers of a network make on the way to an image: channels as images, as spectra, as films.

    python -m sg_keras.tools.activations --network=RUN_DIR --outdir=layers
    python -m sg_keras.tools.activations --network=RUN_DIR --outdir=layers --layers=b16.conv1,b32.conv1 --channels=0-15
    python -m sg_keras.tools.activations --network=RUN_DIR --outdir=layers --layers=image --seeds=0-3 --film

Writes LAYER.png, the channels side by side (mid-gray is 0, each channel scaled by itself), and
LAYER-spectrum.png, their log power (80 dB from white to black, low frequencies in the middle).
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.activation_options import ACTIVATIONS_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.label_options import chosen_labels
from sg_keras.tools.network_option import label_facts, load_generator
from sg_keras.tools.shown_progress import ShownProgress, stages

if TYPE_CHECKING:
    import numpy as np

    from sg_keras.models import Generator

_MOST_CHANNELS = 64  # where none are named


def main(argv: Sequence[str] | None = None) -> int:
    """Show layers as the command line says; returns the exit status."""
    return run_tool(_activations, __doc__ or "", ACTIVATIONS_OPTIONS, argv)


def _activations(values: dict[str, Any]) -> int:
    from sg_keras.inference import ActivationReader, latents, styles

    outdir, seeds = pathlib.Path(values["outdir"]), values["seeds"]
    if values["film"] and len(seeds) < 2:
        raise ValueError(f"--film: found {len(seeds)} seed, expected --seeds of two at least to walk between")
    G = load_generator(values["network"], values["ops"])
    labels = chosen_labels(values, G.c_dim, *label_facts(values["network"]))
    try:
        reader = ActivationReader(G, values["layers"])
    except ValueError as error:
        raise ValueError(f"--{error}") from error
    truncation = {"truncation_psi": values["trunc"], "truncation_cutoff": values["trunc_cutoff"]}
    ws = styles(G, latents(seeds, G.z_dim), labels, **truncation)
    maps = reader.maps(ws[:1])
    channels = _channels(values["channels"], {name: found.shape[3] for name, found in maps.items()})
    with file_errors_explained(outdir):
        outdir.mkdir(parents=True, exist_ok=True)
        _write_images(outdir, maps, channels)
        if values["film"]:
            _write_films(values, outdir, G, ws, channels)
    films = ", LAYER.webp" if values["film"] else ""
    print(f"LAYER.png, LAYER-spectrum.png{films} of {', '.join(channels)} in {outdir}")
    return 0


def _channels(chosen: Sequence[int] | None, widths: Mapping[str, int]) -> dict[str, list[int]]:
    """Channels of each layer that has some of those that were chosen.

    Raises:
        ValueError: no layer has; one line.
    """
    wanted = range(_MOST_CHANNELS) if chosen is None else chosen
    found = {layer: [channel for channel in wanted if channel < width] for layer, width in widths.items()}
    found = {layer: channels for layer, channels in found.items() if channels}
    if not found:
        layer, width = max(widths.items(), key=lambda item: item[1])
        raise ValueError(f"--channels: found {min(wanted)} and more, expected 0 to {width - 1}, those of {layer}")
    return found


def _write_images(outdir: pathlib.Path, maps: Mapping[str, np.ndarray], channels: Mapping[str, list[int]]) -> None:
    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import channel_images, channel_scales, channel_sheet, channel_spectra, png_bytes

    for layer, wanted in channels.items():
        shown = maps[layer][..., wanted]
        sheets = {
            f"{layer}.png": channel_images(shown[0], channel_scales(shown)),
            f"{layer}-spectrum.png": channel_spectra(shown[0]),
        }
        for name, images in sheets.items():
            with atomic_file(outdir / name) as path:
                path.write_bytes(png_bytes(channel_sheet(images)))


def _write_films(
    values: dict[str, Any],
    outdir: pathlib.Path,
    G: Generator,
    ws: np.ndarray,
    channels: Mapping[str, list[int]],
) -> None:
    """A film for each layer, whose channels keep their scale throughout: that of the keyframes together."""
    import numpy as np

    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import (
        ActivationReader,
        channel_images,
        channel_scales,
        channel_sheet,
        closed_walk,
        film_bytes,
    )

    total = len(channels) * len(ws) * values["frames"]
    with ShownProgress() as shown:
        tell, made = stages(shown), 0

        def frames(layer: str, wanted: list[int]) -> Iterator[np.ndarray]:
            nonlocal made
            reader = ActivationReader(G, [layer])  # alone: what follows it is not computed then
            keyframes = [reader.maps(w[np.newaxis])[layer][..., wanted] for w in ws]
            scales = channel_scales(np.concatenate(keyframes))
            for w in closed_walk(ws, values["frames"]):
                maps = reader.maps(w[np.newaxis])[layer][..., wanted]
                made += 1
                tell("films", made, total)
                yield channel_sheet(channel_images(maps[0], scales))

        for layer, wanted in channels.items():
            with atomic_file(outdir / f"{layer}.webp") as path:
                path.write_bytes(film_bytes(frames(layer, wanted), ".webp", frames_per_sec=values["fps"]))


if __name__ == "__main__":
    sys.exit(main())
