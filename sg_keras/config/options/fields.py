"""Fields of the configuration, part.field: which option sets each, and what a continuation of a run may do to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sg_keras.config.options.declaration import Resume, options_of
from sg_keras.config.options.run import TrainingOptions

#: Rules of fields that no option sets. A field that is not here has to stay as it was.
_WITHOUT_OPTION = {
    "dataset.name": Resume.ANY,
    "dataset.label_kind": Resume.ANY,
    "dataset.label_examples": Resume.ANY,
    "dataset.class_names": Resume.ANY,
    "dataset.conversion": Resume.ANY,
    "dataset.resolution": Resume.SHAPE,
    "dataset.channels": Resume.SHAPE,
    "discriminator.mapping_layers": Resume.SHAPE,
    "discriminator.mbstd_num_channels": Resume.SHAPE,
}


def field_options(table: type = TrainingOptions) -> dict[str, str]:
    """Field -> name of the option that sets it, the first of several. Fields that no option sets are left out."""
    return {field: names[0] for field, names in options_of_fields(table).items()}


def options_of_fields(table: type = TrainingOptions) -> dict[str, list[str]]:
    """Field -> names of the options that set it; the last that was typed counts."""
    found: dict[str, list[str]] = {}
    for declared in options_of(table):
        for field in declared.sets:
            found.setdefault(field, []).append(declared.name)
    return found


def field_rules(table: type = TrainingOptions) -> dict[str, Resume]:
    """Field -> what a continuation may do to it. Fields that have to stay as they were may be left out."""
    by_option = {field: rule for declared in options_of(table) for field, rule in declared.sets.items()}
    return {**_WITHOUT_OPTION, **by_option}


FIELD_OPTIONS: Mapping[str, str] = field_options()
_RULES = field_rules()


def fields_with(*rules: Resume) -> frozenset[str]:
    """Fields for which one of these rules holds, where it is another than `Resume.SAME`."""
    return frozenset(field for field, rule in _RULES.items() if rule in rules)


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ("part.field", value) pairs of nested dictionaries as `dataclasses.asdict` makes them."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
