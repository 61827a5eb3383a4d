"""How an option is declared, and what can be asked about a table of declarations.

Options of a run are fields of a dataclass, made by `option`; those of the tools are rows, `Option(...)`. A hyphen and
an underscore in a name mean the same.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from sg_keras.config.options.kinds import Kind

REQUIRED, TRAINING, MODEL, DATA, RUN, MISC = "Required", "Training", "Model", "Data", "Run", "Misc"
GROUPS = (REQUIRED, TRAINING, MODEL, DATA, RUN, MISC)


class Resume(enum.Enum):
    """What may become of a field of the configuration when a run is continued. The values are for the reference."""

    ANY = "may change"  # no bit of the training state depends on it
    DEVICES = "may change: the same but for rounding"  # the same micro-batches are shared out otherwise
    MICRO_BATCH = "may change, with a note"  # alters what is defined within a micro-batch
    DATA = "the same images, or `--data_changed=accept`"
    SAME = "stays, or `--fork`"
    SHAPE = "stays"  # variables depend on it: not even in a fork


@dataclasses.dataclass(frozen=True, slots=True)
class OnlyWith:
    """With which values of another option, by its key, an option has an effect."""

    key: str
    values: tuple[str, ...]
    is_refused: bool = False  # beside other values, rather than noted


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One option.

    Attributes:
        group: of GROUPS. Those of REQUIRED have to be typed.
        name: in its published spelling.
        kind: which values it takes.
        help: what it means, a sentence or two.
        metavar: stands for the value in --help; by default the kind's word.
        default: value where it is not typed.
        default_text: in words, what a default of None follows from.
        switch: it may stand without a value.
        short: its one letter.
        none_words: that say none, beside that word, where none is the default.
        sets: fields of TrainingConfig ("part.field") that follow from it, each with its rule for continuations.
        only_with: the option without which it has no effect.
        no_effect: why it never has one here; a note where it is typed.
        tools: names of those that have it, too.
    """

    group: str
    name: str
    kind: Kind
    help: str
    metavar: str = ""
    default: Any = None
    default_text: str = ""
    switch: bool = False
    short: str = ""
    none_words: tuple[str, ...] = ()
    sets: Mapping[str, Resume] = dataclasses.field(default_factory=dict)
    only_with: OnlyWith | None = None
    no_effect: str = ""
    tools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.metavar and not self.switch:
            object.__setattr__(self, "metavar", self.kind.metavar)

    def is_none(self, value: str) -> bool:
        """Whether a value says that there is none: a word for it, or nothing, as an empty variable of a script."""
        return self.shown_default == "none" and value.strip().lower() in ("", "none", *self.none_words)

    @property
    def key(self) -> str:
        """The name as an identifier."""
        return self.name.replace("-", "_")

    @property
    def shown_default(self) -> str:
        """The default in human-readable form."""
        if self.default_text:
            return self.default_text
        if isinstance(self.default, tuple):
            return ",".join(self.default)
        if isinstance(self.default, bool):
            return str(int(self.default))
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


def option(
    group: str,
    kind: Kind,
    help: str,
    metavar: str = "",
    *,
    spelled: str = "",
    default: Any = dataclasses.MISSING,
    sets: str | tuple[str, ...] | Mapping[str, Resume] = (),
    resume: Resume = Resume.SAME,
    **more: Any,
) -> Any:
    """A field of a table that is an option.

    Args:
        group, kind, help, metavar, more: as of `Option`.
        spelled: its name where hyphens are published; by default that of the field.
        default: value where it is not typed; without one, whoever makes the table has to give it.
        sets: field or fields of the configuration that follow from it, for which `resume` holds, or a rule for each.
        resume: what a continuation may do to these fields.

    Returns:
        A `dataclasses.field`, for a frozen dataclass.
    """
    names = (sets,) if isinstance(sets, str) else sets
    rules = dict(names) if isinstance(names, Mapping) else dict.fromkeys(names, resume)
    shown = None if default is dataclasses.MISSING else default
    declared = Option(group, spelled, kind, help, metavar, shown, sets=rules, **more)
    return dataclasses.field(default=default, metadata={"option": declared})


def options_of(table: type) -> tuple[Option, ...]:
    """The options among the fields of a table, in the order of their declaration; the same objects each time."""
    return _options(table)


@functools.cache
def _options(table: type) -> tuple[Option, ...]:
    return tuple(_named_options(table))


def _named_options(table: type) -> Iterator[Option]:
    for field in dataclasses.fields(table):
        declared = field.metadata.get("option")
        if declared is None:
            continue
        named = dataclasses.replace(declared, name=declared.name or field.name)
        if named.key != field.name:
            raise TypeError(f"{table.__name__}.{field.name}: found the spelling {named.name}, expected the same name")
        yield named


def values_of(table: type, values: Mapping[str, Any], part: str = "") -> dict[str, Any]:
    """Fields of one part of the configuration, each with the value of the option that it follows from.

    Most are the fields' values as they are. Others take more than a copy: a default that follows from other options,
    a factor, a fact of the data set.

    Args:
        table: of options.
        values: theirs, by key.
        part: of the configuration; "" = what concerns all parts.
    """
    fields = {}
    for declared in options_of(table):
        for field in declared.sets:
            owner, _, name = field.rpartition(".")
            if owner == part:
                fields[name] = values[declared.key]
    return fields
