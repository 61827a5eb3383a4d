"""Weights of other networks for a run: what fits is taken over, and all that does not is listed by published name.

A graft makes more fit: see `sg_keras.weights.graft`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.config.sizes import resolution_text
from sg_keras.models.mapping import Mapping as MappingNetwork
from sg_keras.weights.graft import GraftedNetwork, graft_network
from sg_keras.weights.network_description import shaping_arguments
from sg_keras.weights.published_names import (
    from_published_layout,
    published_name,
    published_weights,
    to_published_layout,
)

Shape = tuple[int, ...]
_NAMED = 3  # tensors in an error
#: Arguments that say how a network is trained or measured, not what its weights mean.
_NOT_OF_WEIGHTS = ("freeze_layers", "magnitude_ema_beta", "embed_features", "layer_features", "w_avg_beta")


@dataclasses.dataclass(frozen=True)
class NetworkTransfer:
    """How the tensors of one network met those of its source. Names and shapes are the published ones.

    Attributes:
        name: "G", "D" or "G_ema".
        taken: names of the tensors that were taken over.
        mismatched: (name, shape in the source, shape here).
        missing: (name, shape here) of tensors that the source lacks.
        unused: (name, shape in the source) of tensors that there is no place for.
        arguments: (name, value in the source, value here) of constructor arguments that differ.
        fitted: (name, shape in the source, shape here) of tensors that a graft has widened, narrowed or rescaled.
        new: (name, shape here) of tensors of layers that a graft has added.
        kept: what a graft keeps of the network's function, in words; "" without a graft.
    """

    name: str
    taken: tuple[str, ...]
    mismatched: tuple[tuple[str, Shape, Shape], ...]
    missing: tuple[tuple[str, Shape], ...]
    unused: tuple[tuple[str, Shape], ...]
    arguments: tuple[tuple[str, Any, Any], ...]
    fitted: tuple[tuple[str, Shape, Shape], ...] = ()
    new: tuple[tuple[str, Shape], ...] = ()
    kept: str = ""

    def counts(self) -> str:
        """How many tensors there are of each kind, in words."""
        grafted = f"{len(self.fitted)} fitted, {len(self.new)} new, " if self.kept else ""
        return (
            f"{len(self.taken)} tensors taken, {grafted}{len(self.mismatched)} of another shape, "
            f"{len(self.missing)} missing, {len(self.unused)} unused"
        )


@dataclasses.dataclass(frozen=True)
class TransferReport:
    """What became of the tensors of all networks.

    Attributes:
        source: path or URL of the networks that they come from.
        file: which file that was, in words.
        networks: one each.
    """

    source: str
    file: str
    networks: tuple[NetworkTransfer, ...]

    def check(self, partial: bool) -> None:
        """Refuse a source that does not fit.

        Args:
            partial: whether it is enough that something fits.

        Raises:
            ValueError: one line with the first of what does not fit.
        """
        mismatched = [(f"{n.name}.{name}", *shapes) for n in self.networks for name, *shapes in n.mismatched]
        missing = [f"{n.name}.{name}" for n in self.networks for name, _ in n.missing]
        if partial:
            if not any(network.taken or network.fitted for network in self.networks):
                raise ValueError(f"--resume: found no tensor in {self.source} that fits these networks, expected some")
            return
        if not mismatched and not missing:
            return
        found = [f"{name} is {list(there)} there and {list(here)} here" for name, there, here in mismatched[:_NAMED]]
        found += [f"{name} is not there" for name in missing[: _NAMED if not mismatched else 1]]
        grafted = any(network.kept for network in self.networks)
        raise ValueError(
            f"--resume: found {len(mismatched)} tensors of another shape and {len(missing)} missing in {self.source} "
            f"({', '.join(found)}{', ...' if len(mismatched) + len(missing) > len(found) else ''}), expected networks "
            f"built alike{' but for channels and size' if grafted else ''}; --resume_partial=1 takes what fits and "
            f"starts the rest anew{'' if grafted else ', --graft=1 fits other channels and sizes'}"
        )

    def summary(self) -> str:
        """The source, counts for each network, and all that was not taken over."""
        lines = [f"Transfer from {self.source} ({self.file})"]
        for network in self.networks:
            lines.append(f"{network.name}: {network.counts()}")
            lines += [f"  {network.kept}"] if network.kept else []
            lines += _section("fitted", [
                (name, f"{list(there)} there, {list(here)} here" if there != here else f"{list(here)}, other values")
                for name, there, here in network.fitted
            ])  # fmt: skip
            lines += _section("new", [(name, f"{list(shape)}") for name, shape in network.new])
            lines += _section("another shape, started anew", [
                (name, f"{list(there)} there, {list(here)} here") for name, there, here in network.mismatched
            ])  # fmt: skip
            lines += _section("missing, started anew", [(name, f"{list(shape)}") for name, shape in network.missing])
            lines += _section("unused", [(name, f"{list(shape)}") for name, shape in network.unused])
            lines += _section("arguments that differ", [
                (name, f"{_text(name, there)} there, {_text(name, here)} here")
                for name, there, here in network.arguments
            ])  # fmt: skip
        return "\n".join(lines)

    def text(self) -> str:
        """The summary, and the name of every tensor that was taken over."""
        taken = [f"  {network.name}.{name}" for network in self.networks for name in network.taken]
        return "\n".join([self.summary(), "", "Taken:", *taken, ""])


def _text(argument: str, value: Any) -> str:
    return resolution_text(value) if argument == "img_resolution" else f"{value}"


def _section(title: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return [f"  {title}:", *(f"    {name.ljust(width)}  {text}" for name, text in rows)] if rows else []


def graft_networks(source: Mapping[str, keras.Model], targets: Iterable[keras.Model]) -> dict[str, GraftedNetwork]:
    """Fit networks to others of other channels or sizes, by name. Nothing is changed.

    Args:
        source: networks by name: "G", "D" and "G_ema".
        targets: networks of a run, named alike.
    """
    return {
        target.name: graft_network(
            source[target.name],
            target,
            [name for name, *_ in _different_arguments(source[target.name], target)],
            source["G_ema"] if target.name == "G" else None,
        )
        for target in targets
    }


def compare_networks(
    source: Mapping[str, keras.Model],
    targets: Iterable[keras.Model],
    where: str,
    file: str,
    grafts: Mapping[str, GraftedNetwork] | None = None,
) -> TransferReport:
    """Find out what fits. Nothing is changed.

    Args:
        source: networks by name.
        targets: networks of a run, named alike.
        where: path or URL of the source.
        file: which file that is, in words.
        grafts: what `graft_networks` made of them; None = what has another shape does not fit.
    """
    grafts = grafts or {}
    networks = tuple(_compare(source[target.name], target, grafts.get(target.name)) for target in targets)
    return TransferReport(where, file, networks)


def assign_grafts(grafts: Mapping[str, GraftedNetwork], targets: Iterable[keras.Model]) -> None:
    """Assign what grafts made; other variables keep their values."""
    for target in targets:
        values = grafts[target.name].values
        for variable in target.variables:
            name = published_name(target, variable)
            if name in values:
                variable.assign(from_published_layout(name, values[name].astype(variable.dtype)))


def copy_matching_weights(
    source: Mapping[str, keras.Model], targets: Iterable[keras.Model], report: TransferReport
) -> None:
    """Assign the tensors that a report calls taken; the others keep their values.

    Layers with another learning rate multiplier get what makes them the same function.
    """
    taken = {network.name: set(network.taken) for network in report.networks}
    for target in targets:
        weights = published_weights(source[target.name])
        for variable in target.variables:
            name = published_name(target, variable)
            if name in taken[target.name]:
                factor = _rescaling(source[target.name], target, name)
                variable.assign(from_published_layout(name, weights[name] * np.float32(factor)))


def _rescaling(source: keras.Model, target: keras.Model, name: str) -> float:
    """Factor on a weight: those of a mapping's layers are kept divided by their learning rate multiplier."""
    part, _, layer = name.rpartition(".")[0].partition(".")
    if part != "mapping" or not layer.startswith("fc"):
        return 1.0
    there, here = (getattr(network.mapping, layer).lr_multiplier for network in (source, target))
    return float(there / here)


def _compare(source: keras.Model, target: keras.Model, graft: GraftedNetwork | None) -> NetworkTransfer:
    there, here = _shapes(source), _shapes(target)
    if graft is not None:
        return _compare_grafted(source, target, graft)
    return NetworkTransfer(
        name=target.name,
        taken=tuple(name for name, shape in here.items() if there.get(name) == shape),
        mismatched=tuple((n, there[n], shape) for n, shape in here.items() if n in there and there[n] != shape),
        missing=tuple((name, shape) for name, shape in here.items() if name not in there),
        unused=tuple((name, shape) for name, shape in there.items() if name not in here),
        arguments=tuple(_different_arguments(source, target)),
    )


def _compare_grafted(source: keras.Model, target: keras.Model, graft: GraftedNetwork) -> NetworkTransfer:
    there, here, weights = _shapes(source), _shapes(target), published_weights(source)
    origins, used = graft.origins, {*graft.origins.values(), *graft.also_used}
    taken = {name for name, old in origins.items() if np.array_equal(graft.values[name], weights[old])}
    left = [name for name in here if name not in origins and name not in graft.new]
    return NetworkTransfer(
        name=target.name,
        taken=tuple(name for name in here if name in taken),
        mismatched=tuple((name, there[name], here[name]) for name in left if name in there),
        missing=tuple((name, here[name]) for name in left if name not in there),
        unused=tuple((name, shape) for name, shape in there.items() if name not in used and name not in left),
        arguments=tuple(_different_arguments(source, target)),
        fitted=tuple((n, there[origins[n]], here[n]) for n in here if n in origins and n not in taken),
        new=tuple((name, here[name]) for name in graft.new),
        kept=graft.kept,
    )


def _shapes(network: keras.Model) -> dict[str, Shape]:
    """Shapes of all variables by published name, in the published layout."""
    names = {published_name(network, v): tuple(v.shape) for v in network.variables}
    # A view of one number: axes move, and nothing takes memory.
    return {name: to_published_layout(name, np.broadcast_to(0, shape)).shape for name, shape in names.items()}


def _different_arguments(source: keras.Model, target: keras.Model) -> list[tuple[str, Any, Any]]:
    there, here = _flat_arguments(source), _flat_arguments(target)
    names = [name for name in here if name in there and name.rpartition(".")[2] not in _NOT_OF_WEIGHTS]
    return [(name, there[name], here[name]) for name in names if there[name] != here[name]]


def _flat_arguments(network: keras.Model) -> dict[str, Any]:
    """Arguments that shape a network, those of its mapping with their defaults."""
    parameters = inspect.signature(MappingNetwork.__init__).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty and p.name != "ops"}
    flat = {}
    for name, value in shaping_arguments(network).items():
        if name == "mapping_kwargs":
            value = {**defaults, **value}
        flat.update(
            {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
        )
    return flat
