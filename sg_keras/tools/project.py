"""Find styles w whose images look like given ones.

    python -m sg_keras.tools.project --network=RUN_DIR --target=face.png --outdir=out
    python -m sg_keras.tools.project --network=RUN_DIR --target=FOLDER --space=w+ --outdir=out
    python -m sg_keras.tools.project --network=RUN_DIR --target=face.png --tune --save-video --outdir=out
    python -m sg_keras.tools.project --network=RUN_DIR --target=digits.zip --class=3 --outdir=out

Writes proj.png, what the network makes of the styles in projected_w.npz; comparison.png, the target
beside it; distances.json. Of several images each has a folder; the same command goes on where it was
killed, and skips those that are done.
"""

from __future__ import annotations

import functools
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.project_options import PROJECT_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.label_options import chosen_labels
from sg_keras.tools.network_option import label_facts, load_generator, load_networks
from sg_keras.tools.projection_features import chosen_features
from sg_keras.tools.projection_files import is_done, write_projection, write_way
from sg_keras.tools.projection_targets import Target, read_targets
from sg_keras.tools.shown_progress import ShownProgress, stages

if TYPE_CHECKING:
    from sg_keras.inference import StyleRenderer
    from sg_keras.inference.projection import Projector
    from sg_keras.inference.projection_settings import ProjectionSettings
    from sg_keras.inference.tuning import Tuner
    from sg_keras.models import Generator

_STEPS, _STEPS_BEFORE_TUNING = 1000, 450  # arXiv:1912.04958, arXiv:2106.05744
_MAX_IMAGES, _MAX_PIXELS = 8, 1 << 19  # of a batch
_FRAMES = 120  # of the film of the way
Tell = Callable[[str, int, int], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Project as the command line says; returns the exit status."""
    return run_tool(_project, __doc__ or "", PROJECT_OPTIONS, argv)


def _project(values: dict[str, Any]) -> int:
    from sg_keras.inference.projection import Projector

    outdir = pathlib.Path(values["outdir"])
    G = load_generator(values["network"], values["ops"])
    label = _label(values, G)
    targets = read_targets(values["target"], G.image_shape, values["align"])
    record = _record(values, G)
    waiting = [one for one in targets if not is_done(outdir / one.name, {**record, "target": one.sha256})]
    if waiting:
        projector = Projector(G, chosen_features(values, G.image_shape), _settings(values))
        work = _Work(values, projector, label, record, outdir)
        with file_errors_explained(outdir), ShownProgress(unit="steps") as shown:
            work.run(waiting, stages(shown))
    skipped = f", {len(targets) - len(waiting)} of them before" if len(waiting) < len(targets) else ""
    print(f"{len(targets)} image{'s' if len(targets) > 1 else ''} projected{skipped} in {outdir}")
    return 0


def _label(values: dict[str, Any], G: Generator) -> np.ndarray:
    """[1,c_dim] of all images."""
    if G.c_dim and values["class"] is None and values["label"] is None:
        raise ValueError(
            f"--class: found none, expected 0 to {G.c_dim - 1}, since the network is conditional (or --label=V,V,...)"
        )
    return chosen_labels({**values, "seeds": (0,)}, G.c_dim, *label_facts(values["network"]))


def _settings(values: dict[str, Any]) -> ProjectionSettings:
    from sg_keras.inference.projection_settings import ProjectionSettings

    steps = values["num_steps"] or (_STEPS_BEFORE_TUNING if values["tune"] else _STEPS)
    return ProjectionSettings(
        space=values["space"],
        num_steps=steps,
        fits_noise=values["noise"] == "fitted",
        stop_below=values["stop_below"],
    )


def _record(values: dict[str, Any], G: Generator) -> dict[str, Any]:
    """What a projection follows from, beside its target."""
    from sg_keras.metrics.fakes import network_digest

    names = ("space", "loss", "noise", "num_steps", "stop_below", "tune", "tune_steps", "seed", "class", "label")
    chosen = {name: list(value) if isinstance(value := values[name], tuple) else value for name in names}
    return {"network": network_digest(G), **chosen}


class _Work:
    """Projects images, batch by batch, and writes what is found."""

    def __init__(
        self,
        values: dict[str, Any],
        projector: Projector,
        label: np.ndarray,
        record: dict[str, Any],
        outdir: pathlib.Path,
    ) -> None:
        from sg_keras.features import EfficientNetTaps
        from sg_keras.inference import StyleRenderer

        self._values, self._projector, self._label, self._record = values, projector, label, record
        self._outdir, self._effnet = outdir, EfficientNetTaps()
        self._renderer = StyleRenderer(projector.G)
        height, width, _ = projector.G.image_shape
        self._batch = values["batch"] or max(1, min(_MAX_IMAGES, _MAX_PIXELS // (height * width)))

    @functools.cached_property
    def _tuner(self) -> Tuner:
        from sg_keras.inference.tuning import Tuner, TuningSettings

        settings = TuningSettings(num_steps=self._values["tune_steps"])
        return Tuner(self._projector.G, self._projector.features, settings)

    @functools.cached_property
    def _tuned_renderer(self) -> StyleRenderer:
        from sg_keras.inference import StyleRenderer

        return StyleRenderer(self._tuner.tuned)

    def run(self, targets: Sequence[Target], tell: Tell) -> None:
        """Project all images; `tell` is told of all batches' steps, and of all images' steps of tuning."""
        steps, tune_steps = self._projector.settings.num_steps, self._values["tune_steps"]
        for number, first in enumerate(range(0, len(targets), self._batch)):
            batch = targets[first : first + self._batch]

            def tell_projecting(done: int, before: int = number * steps) -> None:
                tell("projecting", before + done, -(-len(targets) // self._batch) * steps)

            def tell_tuning(k: int, done: int, before: int = first * tune_steps) -> None:
                tell("tuning", before + k * tune_steps + done, len(targets) * tune_steps)

            self._run_batch(batch, tell_projecting, tell_tuning)

    def _run_batch(
        self,
        batch: Sequence[Target],
        tell_projecting: Callable[[int], None],
        tell_tuning: Callable[[int, int], None],
    ) -> None:
        from sg_keras.inference.image_distances import image_distances

        pixels = np.stack([target.pixels for target in batch])
        way = list(self._way(pixels, tell_projecting))
        ws = way[-1]
        images = np.stack(list(self._renderer.images(ws)))
        distances = image_distances(images, pixels, self._effnet)
        for k, target in enumerate(batch):
            folder = self._outdir / target.name
            folder.mkdir(parents=True, exist_ok=True)
            content: dict[str, Any] = {**distances[k]}
            tuned = None
            if self._values["tune"]:
                tuned, content["tuned"] = self._tune(folder, target, ws[k], functools.partial(tell_tuning, k))
            if self._values["save_video"]:
                write_way(folder, target, self._renderer.images(step[k] for step in way))
            content["projection"] = {**self._record, "target": target.sha256}
            write_projection(folder, target, images[k], ws[k], content, tuned)

    def _way(self, pixels: np.ndarray, tell: Callable[[int], None]) -> Iterator[np.ndarray]:
        """Styles [N,num_ws,w_dim], of some steps for the film if there is one, at last those that were found."""
        from sg_keras.inference.projection_noise import SeededDraws

        labels = np.repeat(self._label, len(pixels), axis=0)
        draws = SeededDraws([self._values["seed"]] * len(pixels))
        shown = False
        for step in self._projector.steps(pixels, labels, draws):
            tell(step.done)
            shown = bool(self._values["save_video"]) and step.done % max(1, step.total // _FRAMES) == 0
            if shown:
                yield step.ws
        if not shown:
            yield step.ws

    def _tune(
        self, folder: pathlib.Path, target: Target, ws: np.ndarray, tell: Callable[[int], None]
    ) -> tuple[np.ndarray, dict[str, float]]:
        """Tune the network to an image, and write it. Returns what it makes of ws, and distances."""
        from sg_keras.inference.image_distances import image_distances

        seed = self._values["seed"]
        for step in self._tuner.steps(ws[np.newaxis], target.pixels[np.newaxis], self._label, seed):
            tell(step.done)
        self._write_snapshot(folder / "tuned", self._tuner.tuned)
        image = next(self._tuned_renderer.images([ws]))
        distances = image_distances(image[np.newaxis], target.pixels[np.newaxis], self._effnet)[0]
        return image, {**distances, "steps": step.done}

    def _write_snapshot(self, folder: pathlib.Path, tuned: Generator) -> None:
        """The tuned G_ema, with G and D as they were where they are known."""
        from sg_keras.files.network_source import parse_network_source
        from sg_keras.weights import training_config, write_snapshot

        typed, ops = self._values["network"], self._values["ops"]
        source = parse_network_source(typed)
        place = pathlib.Path(source.path)
        known = [n for n in ("G", "D") if source.kind != "snapshot" or (place / f"{n}.keras").is_file()]
        others = {} if source.kind == "network" else load_networks("--network", typed, ops, known)
        write_snapshot(folder, [*others.values(), tuned], training_config(typed))


if __name__ == "__main__":
    sys.exit(main())
