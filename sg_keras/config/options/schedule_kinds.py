"""Kinds of values of options that may change over a run."""

from __future__ import annotations

import re

from sg_keras.config.freeze import format_freeze, parse_freeze
from sg_keras.config.options.kinds import Integer, Number
from sg_keras.config.schedule import Scheduled, scheduled, whole_steps


class ScheduleOf:
    """A number of a kind, or a schedule of such numbers, or of those of another kind."""

    def __init__(self, number: Number | Integer, in_schedule: Number | None = None):
        self.number, self.in_schedule = number, in_schedule or number
        self.metavar = f"{number.metavar}|SCHEDULE"

    def parse(self, argument: str) -> Scheduled:
        """Return the number, or the text of the schedule as the configuration spells it."""
        if re.fullmatch(r"\s*[a-z+-]*[0-9.e+-]*\s*", argument, re.IGNORECASE):
            return float(self.number.parse(argument))  # its own words for what is wrong
        return scheduled(argument, lambda value: self.in_schedule.parse(f"{value:.17g}"))


class StepsOf(ScheduleOf):
    """A whole number, or a schedule of such numbers that goes from one to the next in steps."""

    def __init__(self, number: Integer):
        super().__init__(number)

    def parse(self, argument: str) -> Scheduled:
        """Return the number, or the text of the schedule as the configuration spells it."""
        if re.fullmatch(r"\s*[a-z0-9+.-]*\s*", argument, re.IGNORECASE):
            return int(self.number.parse(argument))
        return whole_steps(scheduled(argument, lambda value: self.number.parse(f"{value:.17g}")))


class Freeze:
    """Rules of what is not trained, or none."""

    metavar = "RULES"

    def parse(self, argument: str) -> str:
        """Return the rules as the configuration spells them; none is an empty text."""
        return "" if argument.lower() == "none" else format_freeze(parse_freeze(argument))
