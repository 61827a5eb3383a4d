"""Files of JSON objects, one a line, which a killed process may have left torn."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

from sg_keras.files.atomic import write_text


def append_line(path: pathlib.Path, row: dict[str, Any]) -> None:
    """Add an object at the end. OSError: it cannot be written."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_lines(path: pathlib.Path) -> list[dict[str, Any]]:
    """The objects of a file in their order, without lines that are none; no file has none."""
    if not path.is_file():
        return []
    found = (_parsed(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [row for row in found if row is not None]


def keep_lines(path: pathlib.Path, is_kept: Callable[[dict[str, Any]], bool]) -> int:
    """Remove lines that hold no object, or one that is not to be kept. LookupError and the like count as that.

    Returns:
        How many were removed.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    kept = [line for line in lines if _says_so(is_kept, _parsed(line))]
    if kept != lines:
        write_text(path, "".join(line + "\n" for line in kept))
    return len(lines) - len(kept)


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _says_so(is_kept: Callable[[dict[str, Any]], bool], row: dict[str, Any] | None) -> bool:
    try:
        return row is not None and is_kept(row)
    except (ValueError, LookupError, TypeError):
        return False
