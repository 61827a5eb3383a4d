"""Options that are understood but whose engine does not exist yet, each with the way round it.

Such an option is marked under --dry-run and refused in a real run. Building the engine means deleting its row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sg_keras.config.metric_specs import METRICS


@dataclasses.dataclass(frozen=True, slots=True)
class NotBuilt:
    """A use of an option that a real run cannot honour."""

    key: str
    shown: str  # for --help
    in_use: Callable[[Mapping[str, Any]], bool]  # of all option values by key
    way_round: str


NOT_BUILT = (
    NotBuilt(
        "metrics",
        "--metrics of published names",
        lambda values: any(name in METRICS for name in values["metrics"] or ()),
        "use scores by the network that comes along, such as fd5k,kd5k",
    ),
)


def not_built_options(values: Mapping[str, Any]) -> dict[str, str]:
    """Options in use that a real run cannot honour.

    Args:
        values: every option's value by key, defaults included.

    Returns:
        Option key -> what to type instead.
    """
    return {row.key: row.way_round for row in NOT_BUILT if row.in_use(values)}
