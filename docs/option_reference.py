"""Writes the option reference, a page of tables, from the tables of options themselves."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence

from sg_keras.flags.activation_options import ACTIVATIONS_OPTIONS
from sg_keras.flags.audit_options import AUDIT_OPTIONS
from sg_keras.flags.combine_options import AVERAGE_OPTIONS, BLEND_OPTIONS
from sg_keras.flags.convert_options import CONVERT_OPTIONS
from sg_keras.flags.curate_options import CURATE_OPTIONS
from sg_keras.flags.direction_options import DIRECTIONS_OPTIONS
from sg_keras.flags.drag_options import DRAG_OPTIONS
from sg_keras.flags.export_options import EXPORT_OPTIONS
from sg_keras.flags.generate_options import GENERATE_OPTIONS
from sg_keras.flags.metric_options import CALC_METRICS_OPTIONS
from sg_keras.flags.options import GROUPS, OPTIONS, REQUIRED, Option
from sg_keras.flags.project_options import PROJECT_OPTIONS
from sg_keras.flags.style_mixing_options import STYLE_MIXING_OPTIONS
from sg_keras.flags.tool_options import DOCTOR_OPTIONS
from sg_keras.flags.video_options import VIDEO_OPTIONS

_INTRODUCTION = """\
# Options

Made from the code. Options are written `--name=value` or `--name value`; hyphens and underscores in names mean the
same; BOOL is 0 or 1. `--help` prints the same.
"""

#: Heading -> options of each program.
PROGRAMS: dict[str, Sequence[Option]] = {
    "Training: `run_training.py`, `sg-keras-train`": OPTIONS,
    "Images: `sg-keras-generate`": GENERATE_OPTIONS,
    "Films: `sg-keras-video`": VIDEO_OPTIONS,
    "Editing: `sg-keras-directions`": DIRECTIONS_OPTIONS,
    "Editing: `sg-keras-blend`": BLEND_OPTIONS,
    "Editing: `sg-keras-average`": AVERAGE_OPTIONS,
    "Layers: `sg-keras-activations`": ACTIVATIONS_OPTIONS,
    "Style mixing: `sg-keras-style-mixing`": STYLE_MIXING_OPTIONS,
    "Projection: `sg-keras-project`": PROJECT_OPTIONS,
    "Dragging points: `sg-keras-drag`": DRAG_OPTIONS,
    "Exports: `sg-keras-export`": EXPORT_OPTIONS,
    "Scores: `sg-keras-calc-metrics`": CALC_METRICS_OPTIONS,
    "Data sets: `sg-keras-dataset convert`": CONVERT_OPTIONS,
    "Data sets: `sg-keras-dataset audit`": AUDIT_OPTIONS,
    "Data sets: `sg-keras-dataset curate`": CURATE_OPTIONS,
    "What is installed: `sg-keras-doctor`": DOCTOR_OPTIONS,
}


def write_option_reference(path: pathlib.Path) -> None:
    """Write the page, unless it is there already with the same text."""
    text = option_reference()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def option_reference(programs: Mapping[str, Sequence[Option]] = PROGRAMS) -> str:
    """The page, in Markdown."""
    return "\n".join(line for lines in _sections(programs) for line in lines)


def _sections(programs: Mapping[str, Sequence[Option]]) -> Iterator[list[str]]:
    yield [_INTRODUCTION]
    for heading, options in programs.items():
        yield [f"## {heading}", ""]
        for group in GROUPS:
            members = [option for option in options if option.group == group]
            if members:
                yield [f"**{group}**", "", *_table(members, any(option.key == "resume" for option in options)), ""]


def _table(options: Sequence[Option], continues: bool) -> Iterator[str]:
    """Rows by option, with a column more where runs can be continued: what becomes of the option then."""
    yield "| option | meaning | default |" + (" when a run is continued |" if continues else "")
    yield "|---|---|---|" + ("---|" if continues else "")
    for option in options:
        yield _row(option) + (f" {_when_continued(option)} |" if continues else "")


def _when_continued(option: Option) -> str:
    """The rule of its first field; options that set none say something of one command alone."""
    if option.key == "resume":
        return "asks for that"
    return next((rule.value for rule in option.sets.values()), "")


def _row(option: Option) -> str:
    usage = f"--{option.name}" + (f"={option.metavar}" if option.metavar else "")
    default = "required" if option.group == REQUIRED else option.shown_default
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in (f"`{usage}`", _text(option.help), default)) + " |"


def _text(words: str) -> str:
    """Help is plain text: what Markdown would take for its own is escaped."""
    for character in "\\`*_<>":
        words = words.replace(character, "\\" + character)
    return words
