"""What a run says about itself before it starts."""

from __future__ import annotations

import io
import pathlib

import rich.console
import rich.table

import sg_keras
from sg_keras.config import AugmentConfig, TrainingConfig, devices_text
from sg_keras.config.schedule import scheduled_text
from sg_keras.training.step.stylegan import StyleGAN

_WIDTH = 120


def run_summary(config: TrainingConfig, model: StyleGAN, run_dir: pathlib.Path) -> str:
    """Tables of the run and of both networks, as text."""
    table = rich.table.Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for label, value in _rows(config, model, run_dir):
        table.add_row(label, value)
    text = io.StringIO()
    rich.console.Console(file=text, width=_WIDTH, highlight=False, markup=False).print(table)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    for network in (model.G, model.D):
        network.summary(print_fn=lambda text: lines.extend(["", *(line.rstrip() for line in text.splitlines())]))
    return "\n".join([*lines, ""])


def _rows(config: TrainingConfig, model: StyleGAN, run_dir: pathlib.Path) -> list[tuple[str, str]]:
    data, loss, run = config.dataset, config.loss, config.run
    mirrored = f", {data.num_items} with mirrored copies" if data.mirror or data.mirrory else ""
    labels = f"labels of width {data.c_dim}" if data.c_dim else "no labels"
    rounds = f"{config.num_rounds} round{'s' if config.num_rounds > 1 else ''}"
    phases = ", ".join(f"{p.name} every {p.interval}" if p.interval > 1 else p.name for p in model.phases)
    return [
        ("sg_keras", sg_keras.__version__),
        ("run directory", str(run_dir)),
        (
            "images",
            f"{data.path}: {data.num_images}{mirrored}, {data.size}, {data.colors}, {labels}",
        ),
        *([("fingerprint", data.fingerprint)] if data.fingerprint else []),
        ("batch", f"{config.batch} = {devices_text(config)} x {rounds} x {config.batch_gpu}"),
        ("phases", phases),
        ("gamma", scheduled_text(loss.r1_gamma)),
        ("learning rates", f"G {scheduled_text(config.optimizer.g_lr)}, D {scheduled_text(config.optimizer.d_lr)}"),
        ("moving average", f"half-life {scheduled_text(config.ema_kimg)} kimg"),
        ("augmentation", _augmentation(config.augment)),
        ("ops", config.ops),
        ("precision", _precision(config)),
        ("parameters", f"G {model.G.count_params():,}, D {model.D.count_params():,}"),
        ("length", f"{run.total_kimg:g} kimg, a tick every {run.tick_kimg:g} kimg"),
    ]


def _precision(config: TrainingConfig) -> str:
    count = config.generator.num_fp16_res or config.discriminator.num_fp16_res
    if isinstance(count, str):
        return f"{config.precision} at the highest resolutions (never 4x4), so many: {count}; the rest float32"
    if config.precision == "float32" or count == 0:
        return "float32"
    return f"{config.precision} at the {count} highest resolutions (never 4x4), weights and the rest float32"


def _augmentation(augment: AugmentConfig) -> str:
    if augment.mode == "ada":
        pace = (
            f"p moves by 1 in {scheduled_text(augment.ada_kimg)} kimg at most, every {augment.ada_interval} iterations"
        )
        return f"ada, {augment.pipe}, target {scheduled_text(augment.target)}; p moves {pace}"
    if augment.mode == "fixed":
        return f"fixed, {augment.pipe}, p {scheduled_text(augment.p)}"
    return f"diffaug, {', '.join(augment.diffaug)}" if augment.mode == "diffaug" else augment.mode
