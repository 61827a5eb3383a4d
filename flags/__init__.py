"""Command-line options of the trainer (absl flags) and their translation into configuration dataclasses.

Imported as `sg_keras.flags`. The package holds flags alone: entry points use it, nothing below them does.
"""

from sg_keras.flags.arguments import debug_requested, help_requested, refuse_control_characters
from sg_keras.flags.command_line import ParsedCommandLine, PlanRequest, parse_command_line
from sg_keras.flags.help_text import help_text
from sg_keras.flags.option_files import list_requested
from sg_keras.flags.parsers import path_argument
from sg_keras.flags.printout import freeze_schedule, resolved_configuration, scheduled_options
from sg_keras.flags.recipes import recipe_lines

__all__ = [
    "ParsedCommandLine",
    "PlanRequest",
    "debug_requested",
    "freeze_schedule",
    "help_requested",
    "help_text",
    "list_requested",
    "parse_command_line",
    "path_argument",
    "recipe_lines",
    "refuse_control_characters",
    "resolved_configuration",
    "scheduled_options",
]
