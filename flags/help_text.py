"""The text of --help: options by group, each with its default."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from sg_keras.flags.options import GROUPS, OPTIONS, REQUIRED, Option

_COLUMN = 28  # where descriptions begin
_WIDTH = 100

_INTRODUCTION = """\
usage: {program} --outdir=DIR --cfg=CFG --data=PATH --gpus=N --batch=N --gamma=X
       [options]

Train a StyleGAN on a folder or zip of images of one size. Options are written --name=value or
--name value; hyphens and underscores in names mean the same; BOOL is 0 or 1.

Examples:
  # Handwritten digits, class by class, on the CPU:
  {program} --outdir=runs --cfg=stylegan2 --data=digits --cond=1 --gpus=0 --batch=32 \\
      --gamma=0.01 --cbase=2048 --cmax=64 --aug=noaug
  # See what a command would do, without doing it:
  {program} ... --dry-run
  # Go on where the newest run in --outdir stopped, to the same bits:
  {program} ... --resume=latest
"""


def help_text(program: str = "run_training.py", options: Sequence[Option] = OPTIONS) -> str:
    """All options, grouped as they are thought of, ready to print."""
    parts = [_INTRODUCTION.format(program=program), *grouped_options(options)]
    parts.append("Which options to choose, with the 66 published configurations: docs/training_configs.md")
    return "\n".join(parts)


def grouped_options(options: Sequence[Option]) -> list[str]:
    """A paragraph for each group that has options."""
    paragraphs = []
    for group in GROUPS:
        members = [_option_text(option) for option in options if option.group == group]
        if members:
            paragraphs.append("\n".join([f"{group}:", *members]) + "\n")
    return paragraphs


def _option_text(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    usage = f"  {short}--{option.name}" + (f"={option.metavar}" if option.metavar else "")
    default = "" if option.group == REQUIRED else f" [default: {option.shown_default}]"
    if len(default) < _WIDTH - _COLUMN:
        default = " " + default[1:].replace(" ", "\N{NO-BREAK SPACE}")
    indent = " " * _COLUMN
    body = textwrap.fill(
        option.help + default, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ).replace("\N{NO-BREAK SPACE}", " ")
    if len(usage) < _COLUMN - 1:
        return usage + body[len(usage) :]
    return f"{usage}\n{body}"
