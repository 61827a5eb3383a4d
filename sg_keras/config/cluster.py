"""Which workers share a run, and which of them this process is. Like resuming, a fact of one command."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\],]+):([0-9]{1,5})")


@dataclasses.dataclass(frozen=True, slots=True)
class Cluster:
    """Workers that train one run together; the first one, the chief, is the one that writes.

    Attributes:
        hosts: "name:port" of every worker, the same list in the same order everywhere.
        index: position of this process in it.
    """

    hosts: tuple[str, ...]
    index: int

    def __post_init__(self) -> None:
        for host in self.hosts:
            match = _HOST.fullmatch(host)
            if match is None or not 0 < int(match.group(2)) < 65536:
                raise ValueError(f"workers_hosts: found {host!r}, expected name:port such as node1:12345")
        if len(set(self.hosts)) != len(self.hosts):
            raise ValueError(f"workers_hosts: found a host twice in {','.join(self.hosts)}, expected each once")
        if not 0 <= self.index < len(self.hosts):
            raise ValueError(
                f"worker_index: found {self.index}, expected 0 to {len(self.hosts) - 1}, a position in "
                f"{','.join(self.hosts)}"
            )

    @property
    def is_chief(self) -> bool:
        """Whether this process writes run directory, checkpoints and log."""
        return self.index == 0


def cluster_of_tf_config(text: str) -> Cluster | None:
    """The workers that the environment variable TF_CONFIG names; None where it names one at most.

    Raises:
        ValueError: it is no such JSON, or holds tasks other than chief and worker; one line.
    """
    try:
        values = json.loads(text)
        tasks, task = values.get("cluster", {}), values.get("task", {})
        hosts = (*tasks.get("chief", ()), *tasks.get("worker", ()))
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"TF_CONFIG: found {text!r}, expected a JSON object with cluster and task") from error
    others = sorted(set(tasks) - {"chief", "worker"})
    if others:
        raise ValueError(f"TF_CONFIG: found tasks {', '.join(others)}, expected chief and worker alone")
    if len(hosts) < 2:
        return None
    return Cluster(hosts, _index(task, len(tasks.get("chief", ())), text))


def _index(task: dict[str, Any], chiefs: int, text: str) -> int:
    kind, index = task.get("type"), task.get("index")
    if kind not in ("chief", "worker") or not isinstance(index, int):
        raise ValueError(
            f'TF_CONFIG: found {text!r}, expected "task": {{"type": "worker", "index": N}} in it: which one this is'
        )
    return index if kind == "chief" else chiefs + index
