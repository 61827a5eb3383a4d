"""The resolved configuration for people to read (--dry-run)."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sg_keras.config import TrainingConfig, TrainingOptions, next_run_number, run_directory_name
from sg_keras.config.channels import channels_of
from sg_keras.config.freeze import FreezeRule, frozen_text, parse_freeze
from sg_keras.config.options.declaration import options_of
from sg_keras.config.options.fields import flatten, options_of_fields
from sg_keras.config.options.schedule_kinds import ScheduleOf
from sg_keras.config.schedule import Schedule
from sg_keras.config.sizes import ImageSize, block_sizes, resolution_text
from sg_keras.flags.command_line import ParsedCommandLine

_TITLES = {
    "": "Training",
    "dataset": "Data",
    "generator": "Generator",
    "discriminator": "Discriminator",
    "optimizer": "Optimizer",
    "loss": "Losses",
    "augment": "Augmentation",
    "run": "Run",
}


def resolved_configuration(
    parsed: ParsedCommandLine,
    table: type[TrainingOptions] = TrainingOptions,
    networks: Mapping[str, object] | None = None,
) -> str:
    """Every field of the configuration by part, with the option that sets it.

    Args:
        parsed: the command line.
        table: of the options.
        networks: what the summary says of each network by name, such as how many parameters it has.
    """
    lines = ["Resolved configuration (dry run: nothing is written)", ""]
    lines += [f"  {label:<16}{value}" for label, value in _summary(parsed)]
    lines += [f"  {name:<16}{what}" for name, what in (networks or {}).items()]
    fields, options = dict(flatten(dataclasses.asdict(parsed.config))), options_of_fields(table)
    for part, title in _TITLES.items():
        lines += ["", f"{title}:"]
        for field, value in fields.items():
            owner, _, name = field.rpartition(".")
            if owner == part:
                lines.append(_field_line(name, value, options.get(field, []), parsed))
    lines += _schedule_table(parsed.config, table)
    lines += ["", *(f"Note: {note}" for note in parsed.notes)]
    return "\n".join(lines).rstrip()


def scheduled_options(config: TrainingConfig, table: type[TrainingOptions] = TrainingOptions) -> dict[str, Schedule]:
    """What changes over the run, by the name of its option."""
    fields, found = dict(flatten(dataclasses.asdict(config))), {}
    for option in options_of(table):
        values = [fields[field] for field in option.sets if isinstance(option.kind, ScheduleOf)]
        if values and isinstance(values[0], str):
            found[option.name] = Schedule.of(values[0])
    return found


def freeze_schedule(config: TrainingConfig) -> tuple[FreezeRule, ...]:
    """What is frozen over the run, if that changes; no rule where it stays the same."""
    rules = parse_freeze(config.freeze)
    return rules if any(rule.changes_kimg for rule in rules) else ()


def _schedule_table(config: TrainingConfig, table: type[TrainingOptions]) -> list[str]:
    """The values where something begins or ends, one row each; what is frozen comes last, being long."""
    schedules, freeze, total_kimg = scheduled_options(config, table), freeze_schedule(config), config.run.total_kimg
    if not schedules and not freeze:
        return []
    changes = {kimg for schedule in schedules.values() for kimg in schedule.changes_kimg}
    changes |= {kimg for rule in freeze for kimg in rule.changes_kimg}
    points = [0.0, *sorted(kimg for kimg in changes if kimg < total_kimg), total_kimg]
    rows = [("kimg", *schedules)]
    rows += [
        (value_text(kimg), *(f"{schedule.at(round(kimg * 1000)):.6g}" for schedule in schedules.values()))
        for kimg in points
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    frozen = ["freeze", *(frozen_text(freeze, round(kimg * 1000)) for kimg in points)] if freeze else [""] * len(rows)
    return ["", "Schedules (each value holds from its row on, or moves towards the next):"] + [
        "  " + "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=True)), what]).rstrip()
        for row, what in zip(rows, frozen, strict=True)
    ]


def _field_line(name: str, value: Any, options: Sequence[str], parsed: ParsedCommandLine) -> str:
    typed = [option for option in options if option.replace("-", "_") in parsed.typed]
    source = f"--{typed[-1]}" if typed else f"--{options[0]} (default)" if options else ""
    if options == ["gamma"] and not typed:
        source = "--auto_gamma"
    text = resolution_text(value) if name == "resolution" else value_text(value)
    return f"  {name:<24}{text:<22} {source}".rstrip()


def _summary(parsed: ParsedCommandLine) -> Iterator[tuple[str, str]]:
    config = parsed.config
    if parsed.resume is not None:
        at_tick = "" if parsed.resume.tick is None else f" at tick {parsed.resume.tick}"
        verb, how = ("forks", "from its exact state") if parsed.resume.fork else ("continues", "to the same bits")
        yield verb, f"{parsed.resume.kind} {parsed.resume.path}{at_tick}, {how}"
    else:
        outdir = config.run.outdir
        yield "run directory", str(pathlib.Path(outdir) / run_directory_name(config, next_run_number(outdir)))
    dataset = config.dataset
    mirrored = f", {dataset.num_items} with mirrored copies" if dataset.mirror or dataset.mirrory else ""
    labels = f", labels of width {dataset.c_dim}" if dataset.c_dim else ", no labels"
    yield (
        "images",
        f"{dataset.num_images}{mirrored}, {dataset.size}, {dataset.colors}{labels}",
    )
    device = "GPU" if config.gpus else "CPU device"
    yield (
        "batch",
        (
            f"{config.batch} = {config.num_replicas} {device}{'s' if config.num_replicas > 1 else ''} x "
            f"{config.num_rounds} round{'s' if config.num_rounds > 1 else ''} x {config.batch_gpu} images"
        ),
    )
    yield "length", f"{value_text(config.run.total_kimg)} kimg = {_iterations(config)} iterations"
    if config.run.snapshot_ticks:
        yield "snapshot", f"every {value_text(config.run.snapshot_ticks * config.run.tick_kimg)} kimg"
    if config.generator.cfg == "stylegan2":
        yield "G channels", _channels(config.generator, dataset.size)
    yield "D channels", _channels(config.discriminator, dataset.size)


def _iterations(config: TrainingConfig) -> int:
    return int(-(-config.run.total_kimg * 1000 // config.batch))


def _channels(network: Any, size: ImageSize) -> str:
    """Channels of each block, which is called by its side, or where that is not its level by its size."""

    def name(level: int, block: ImageSize) -> str:
        return f"{level}px" if block == ImageSize(level, level) else f"{block}"

    blocks = block_sizes(size).items()
    return ", ".join(f"{name(level, block)} {channels_of(network, level)}" for level, block in blocks)


def value_text(value: Any) -> str:
    """A value as people read it: whole numbers without a fraction, sequences joined, None as none."""
    if value is None or value in ((), ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    if isinstance(value, tuple):
        return ("x" if all(isinstance(part, int) for part in value) else ",").join(map(str, value))
    return str(value)
