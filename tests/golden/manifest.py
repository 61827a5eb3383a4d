"""manifest.json of a reference folder (format 2), as a list of cases."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 2


@dataclasses.dataclass(frozen=True)
class Case:
    """One entry of the manifest: a file of arrays (or a JSON table) and how it was computed."""

    group: str
    path: Path
    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The file relative to the folder, which names the case in the report."""
        return self.entry["file"]

    @property
    def function(self) -> str:
        """What was computed, in the manifest's words."""
        return self.entry["function"]

    @property
    def args(self) -> Mapping[str, Any]:
        """Every argument of the function."""
        return self.entry.get("args") or {}

    @property
    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Call options of single output arrays, by array name."""
        return self.entry.get("variants") or {}

    @property
    def tolerance(self) -> Mapping[str, Any]:
        """Rule, limits and overrides."""
        return self.entry["tolerance"]

    def names(self, role: str) -> list[str]:
        """Arrays of one role, in the manifest's order."""
        return [name for name, info in self.entry.get("arrays", {}).items() if info["role"] == role]

    @functools.cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays of the file, read once. ValueError where the file and the manifest differ."""
        with np.load(self.path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        for name, info in self.entry["arrays"].items():
            if name not in arrays:
                raise ValueError(f"{self.name}: array {name} of the manifest is not in the file")
            found = (list(arrays[name].shape), str(arrays[name].dtype))
            if found != (list(info["shape"]), info["dtype"]):
                raise ValueError(f"{self.name}: array {name} is {found}, the manifest says {info}")
        return arrays

    def get(self, name: str) -> np.ndarray | None:
        """An array, or None where the optional argument was absent."""
        return self.arrays.get(name)

    def below(self, prefix: str) -> dict[str, np.ndarray]:
        """Arrays whose name starts with prefix, by the rest of their name."""
        return {name[len(prefix) :]: a for name, a in self.arrays.items() if name.startswith(prefix)}

    def read_json(self) -> Any:
        """Content of a case that is a JSON file."""
        return json.loads(self.path.read_text())


def load_manifest(folder: Path, groups: Iterable[str] = (), without: Iterable[str] = ()) -> list[Case]:
    """Cases of folder/manifest.json, all or those of some groups, but none of other groups.

    Raises:
        FileNotFoundError: there is no manifest.
        ValueError: it is no manifest of format 2, or has no group of a name in `groups`.
    """
    path = Path(folder) / "manifest.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected the manifest of a reference folder")
    try:
        content = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path}: format {found!r}, expected {FORMAT}")
    known = [group["group"] for group in content["groups"]]
    for name in groups:
        if name not in known:
            raise ValueError(f"--group: found {name!r}, expected one of {', '.join(known)}")
    wanted = (set(groups) or set(known)) - set(without)
    return [
        Case(group["group"], Path(folder) / entry["file"], entry)
        for group in content["groups"]
        if group["group"] in wanted
        for entry in group["cases"]
    ]


def take_args(case: Case, *known: str) -> dict[str, Any]:
    """The case's arguments, all of which have to be known: an argument that nobody reads would be a silent gap."""
    unknown = sorted(set(case.args) - set(known))
    if unknown:
        raise ValueError(f"arguments {unknown} of {case.function!r} are not understood")
    return dict(case.args)
