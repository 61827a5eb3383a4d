"""Parts of networks that are not trained, for good or between two numbers of images (arXiv:2002.10964 for D).

A frozen variable is left out of its phases: no gradient is computed for it, and neither it nor its moments and step
count move. G_ema still follows G. Buffers are no parameters, so freezing does not stop them: w_avg and StyleGAN3's
magnitudes go on measuring what the network does, as in the published definition of freeze-D, which knows of parameters
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from sg_keras.config import FreezeRule
from sg_keras.models import Discriminator, Generator
from sg_keras.weights.published_names import published_name


class Freezing:
    """Which variables are frozen, as a function of the real images seen alone.

    Args:
        rules: what to freeze, and when.
        G, D: the networks.

    Raises:
        ValueError: a rule means nothing in these networks. The line begins with the option.
    """

    def __init__(self, rules: tuple[FreezeRule, ...], G: Generator, D: Discriminator) -> None:
        self.rules = rules
        self._networks: dict[str, keras.Model] = {"G": G, "D": D}
        self._parts = {rule: _variables_of(rule, self._networks[rule.network.upper()]) for rule in rules}
        self._frozen = {name: self._frozen_at(name, 0) for name in self._networks}

    def is_frozen(self, variable: keras.Variable) -> bool:
        """Whether a trainable variable is frozen at the point of the last `update`."""
        return any(variable.path in frozen for frozen in self._frozen.values())

    def update(self, active: tuple[FreezeRule, ...]) -> list[str]:
        """Freeze what these rules say, and nothing else.

        Returns:
            Names of the networks of which other variables are frozen than before.
        """
        if not self.rules:
            return []
        frozen = {name: self._frozen_by(name, active) for name in self._networks}
        changed = [name for name in frozen if frozen[name] != self._frozen[name]]
        self._frozen = frozen
        return changed

    def lines(self, cur_nimg: int) -> list[str]:
        """Human-readable: what is frozen at this point, and what was."""
        lines = [f"Frozen: {self._counted(rule)}" for rule in self.rules if rule.is_active(cur_nimg)]
        for rule in self.rules:
            if not rule.is_active(cur_nimg):
                when = "Frozen later" if cur_nimg < rule.from_kimg * 1000 else "Unfrozen before"
                lines.append(f"{when}: {self._counted(rule)}")
        layers = self._networks["D"].frozen_layer_names
        return [*([f"Frozen: --freezed={len(layers)}, of D {', '.join(layers)}"] if layers else []), *lines]

    def changes(self, before: int, cur_nimg: int) -> list[str]:
        """Human-readable: what ceases to be frozen, or is from now on, between two numbers of real images."""
        changed = [rule for rule in self.rules if rule.is_active(before) != rule.is_active(cur_nimg)]
        return [
            f"{'Frozen' if rule.is_active(cur_nimg) else 'Unfrozen'} at kimg {cur_nimg / 1000:g}: {self._counted(rule)}"
            for rule in changed
        ]

    def frozen_parameters(self, cur_nimg: int) -> dict[str, int]:
        """Parameters that are frozen, by network; empty where nothing ever is."""
        if not self.rules and not self._networks["D"].frozen_layer_names:
            return {}
        return {name: _count(self.frozen_variables(name, cur_nimg)) for name in self._networks}

    def frozen_variables(self, network: str, cur_nimg: int) -> list[keras.Variable]:
        """All that is frozen of "G" or "D", by the rules or by --freezed."""
        frozen, model = self._frozen_at(network, cur_nimg), self._networks[network]
        by_rules = [variable for variable in model.trainable_variables if variable.path in frozen]
        return [*by_rules, *(model.non_trainable_variables if network == "D" else [])]  # D has no buffers

    def _frozen_at(self, network: str, cur_nimg: int) -> frozenset[str]:
        return self._frozen_by(network, tuple(rule for rule in self.rules if rule.is_active(cur_nimg)))

    def _frozen_by(self, network: str, active: tuple[FreezeRule, ...]) -> frozenset[str]:
        own = [rule for rule in active if rule.network.upper() == network]
        return frozenset(variable.path for rule in own for variable in self._parts[rule])

    def _counted(self, rule: FreezeRule) -> str:
        variables = self._parts[rule]
        return f"{rule} ({len(variables)} variables, {_count(variables):,} parameters)"


def _variables_of(rule: FreezeRule, network: Any) -> list[keras.Variable]:
    """The variables that a rule freezes; those that --freezed froze count, though they are not trained anyway."""
    is_in = _membership(rule, network)
    # D has no buffers: what is not trainable there is frozen.
    candidates = network.variables if rule.network == "d" else network.trainable_variables
    found = [variable for variable in candidates if is_in(published_name(network, variable))]
    if not found:
        parts = sorted({name for v in candidates for name in _beginnings(published_name(network, v))})
        raise ValueError(f"--freeze: found {str(rule)!r}, expected all, a resolution or one of {', '.join(parts)}")
    return found


def _membership(rule: FreezeRule, network: Any) -> Callable[[str], bool]:
    if rule.part == "all":
        return lambda name: True
    if rule.first_layers is not None:
        layers = network.freezable_layer_names
        if rule.first_layers > len(layers):
            raise ValueError(f"--freeze: found {str(rule)!r}, expected {len(layers)} layers at most, which D has")
        first = set(layers[: rule.first_layers])
        return lambda name: name.rpartition(".")[0] in first
    if rule.resolutions is not None:
        lowest, highest = rule.resolutions
        sides = _resolutions(network)
        return lambda name: any(
            name.startswith(f"{block}.") and lowest <= side <= highest for block, side in sides.items()
        )
    return lambda name: name == rule.part or name.startswith(f"{rule.part}.")


def _resolutions(network: Any) -> dict[str, float]:
    """The level of each block, or the sampling rate of each layer, by published name."""
    if isinstance(network, Discriminator):
        return {f"b{level}": level for level in (*network.levels, 4)}
    synthesis = network.synthesis
    if network.takes_transform:  # StyleGAN3: layers keep their size, and the sampling rate is what grows
        rates = {layer.name: layer.design.out_sampling_rate for layer in synthesis.plan.layers}
        rates["input"] = synthesis.plan.input.sampling_rate
        return {f"synthesis.{name}": rate for name, rate in rates.items()}
    return {f"synthesis.{block.name}": block.level for block in synthesis.blocks}


def _beginnings(name: str) -> Iterator[str]:
    """What is worth naming to somebody who mistyped a part: mapping, synthesis.b8, b4."""
    parts = name.split(".")
    yield parts[0]
    if parts[0] == "synthesis":
        yield ".".join(parts[:2])


def _count(variables: list[keras.Variable]) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)
