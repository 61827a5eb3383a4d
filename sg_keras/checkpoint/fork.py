"""A fork: a new run that starts from the exact state of another, with options changed."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping

import tensorflow as tf

from sg_keras.checkpoint.fingerprint import checkpoint_fingerprint
from sg_keras.checkpoint.state import SavedState, check_same_variables
from sg_keras.config import TrainingConfig, format_differences
from sg_keras.config.differences import Difference

PARENT_FILE = "parent.json"
_OF_ADA = "ada_"  # variables that are there with --aug=ada alone


@dataclasses.dataclass(frozen=True)
class Parent:
    """What a fork starts from.

    Attributes:
        config: of that run.
        run_dir: of that run, None where the checkpoint lies elsewhere.
        checkpoint: its prefix.
        nimg: real images seen at that point.
        changed: options that the fork changes, as `compare` gives them.
    """

    config: TrainingConfig
    run_dir: pathlib.Path | None
    checkpoint: pathlib.Path
    nimg: int
    changed: tuple[Difference, ...]

    def lines(self) -> list[str]:
        """Human-readable."""
        where = f"A new run from {self.checkpoint} at kimg {self.nimg / 1000:g}"
        if not self.changed:
            return [f"{where}, with the same options"]
        return [f"{where}, with these options changed:\n{format_differences(list(self.changed))}"]

    def to_json(self) -> str:
        """Text of parent.json."""
        _, digest = checkpoint_fingerprint(self.checkpoint)
        values = {
            "run_dir": None if self.run_dir is None else str(self.run_dir.absolute()),
            "checkpoint": str(self.checkpoint.absolute()),
            "nimg": self.nimg,
            "sha256": digest,
            "changed": {field: {"parent": old, "fork": new} for field, old, new in self.changed},
            "config": dataclasses.asdict(self.config),
        }
        return json.dumps(values, indent=2) + "\n"


def read_parent(run_dir: pathlib.Path) -> Parent | None:
    """The parent of a fork, None of a run that is none. What the fork changed is not repeated.

    Raises:
        OSError: the parent's checkpoint is gone.
    """
    path = run_dir / PARENT_FILE
    if not path.is_file():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    prefix = pathlib.Path(values["checkpoint"])
    SavedState(prefix).check()
    parent_dir = None if values["run_dir"] is None else pathlib.Path(values["run_dir"])
    return Parent(TrainingConfig.from_dict(values["config"]), parent_dir, prefix, values["nimg"], ())


def restore_from_parent(parent: Parent, config: TrainingConfig, variables: Mapping[str, tf.Variable]) -> None:
    """Restore a fork's state from its parent's, and what its own options begin with.

    The noise key stays the parent's unless --seed is another; the augmentation's p stays unless --aug or --p is.

    Args:
        parent: where the state is.
        config: of the fork.
        variables: all of its state, with first values.

    Raises:
        ValueError: the checkpoint holds other variables.
    """
    saved = SavedState(parent.checkpoint)
    common = {name: variable for name, variable in variables.items() if name in saved.shapes}
    missing = [name for name in variables if name not in common and not name.startswith(_OF_ADA)]
    unused = [name for name in saved.shapes if name not in common and not name.startswith(_OF_ADA)]
    if missing or unused:
        check_same_variables(saved, variables)  # says which
    for name, variable in common.items():
        value = saved.value(name)
        if value.shape != tuple(variable.shape):
            raise ValueError(f"{saved.prefix}: found shape {value.shape} of {name}, expected {tuple(variable.shape)}")
        variable.assign(value)
    old, new = parent.config.augment, config.augment
    if new.mode != old.mode or (new.mode != "ada" and new.p != old.p):
        variables["augment_p"].assign(new.p)
    if config.seed != parent.config.seed:
        variables["noise_key"].assign(config.seed)
