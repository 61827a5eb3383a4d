"""Packages that only some people need, and the line that says how to install one that is missing."""

from __future__ import annotations

import importlib
from typing import Any


def optional_package(module: str, extra: str, asker: str) -> Any:
    """Import a module of a package that belongs to an extra.

    Args:
        module: its full name, which begins with the package's.
        extra: of this package, that has it.
        asker: the option or file that needs it, to begin the line with.

    Raises:
        ValueError: the package is not installed. One line, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ValueError(
            f"{asker}: found no package {package}, expected it: pip install 'sg-keras[{extra}]'"
        ) from error
