"""Labels in tables: CSV files with commas, semicolons or tabs, with or without a header and a byte order mark."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from typing import Any

from sg_keras.curation.decode import original_suffixes
from sg_keras.data.image_source import suffix

_DELIMITERS = ",;\t"
_NAME_COLUMNS = ("file", "filename", "file_name", "image", "img", "path", "picture", "name", "id")


def read_csv_labels(content: bytes, path: str, columns: Sequence[str], separator: str | None) -> dict[str, Any]:
    """Labels by file name: names of classes, class indices, lists of numbers, or sets of classes.

    Args:
        content: of the file, UTF-8 or UTF-16 with a byte order mark.
        path: its name for messages.
        columns: whose cells are the label, by name in the header or by number from 1 on; none = all but the file name.
        separator: between several classes in a cell.

    Raises:
        ValueError: it is no such table; one line.
    """
    rows = _rows(content, path)
    header = None if suffix(rows[0][1][0]).lower() in original_suffixes() else [cell.strip() for cell in rows[0][1]]
    if header is not None:
        rows = rows[1:]
    name_at = _name_column(header)
    chosen = _positions(header, len(rows[0][1]) if rows else 0, columns, name_at, path)
    cells: dict[str, list[str]] = {}
    for number, row in rows:
        if len(row) <= max(*chosen, name_at):
            raise ValueError(f"{path}: found {len(row)} cells in line {number}, expected {max(*chosen, name_at) + 1}")
        name, found = row[name_at].strip().replace("\\", "/"), [row[position].strip() for position in chosen]
        if cells.setdefault(name, found) != found:
            raise ValueError(f"{path}: found two different labels for {name} (line {number}), expected one")
    return _labels(cells, path, separator)


def _rows(content: bytes, path: str) -> list[tuple[int, list[str]]]:
    """Rows that are not empty, with their line numbers."""
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: found text that is not UTF-8, expected a CSV file in UTF-8") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"{path}: found a damaged table ({error}), expected a CSV file") from error
    if not rows or len(rows[0][1]) < 2:
        raise ValueError(f"{path}: found no two columns, expected file names and labels, separated by , ; or tabs")
    return rows


def _name_column(header: list[str] | None) -> int:
    if header is None:
        return 0
    lowered = [cell.lower() for cell in header]
    return next((lowered.index(name) for name in _NAME_COLUMNS if name in lowered), 0)


def _positions(header: list[str] | None, width: int, columns: Sequence[str], name_at: int, path: str) -> list[int]:
    if not columns:
        return [position for position in range(len(header or []) or width) if position != name_at]
    positions = []
    for column in columns:
        if header is not None and column in header:
            positions.append(header.index(column))
        elif column.isdigit() and 0 < int(column) <= width:
            positions.append(int(column) - 1)
        else:
            known = ", ".join(header) if header is not None else f"1 to {width} (it has no header)"
            raise ValueError(f"{path}: found no column {column}, expected one of {known}")
    return positions


def _labels(cells: dict[str, list[str]], path: str, separator: str | None) -> dict[str, Any]:
    width = len(next(iter(cells.values()), []))
    if width > 1:
        return {name: [_number(cell, name, path) for cell in row] for name, row in cells.items()}
    single = {name: row[0] for name, row in cells.items()}
    if separator:
        split = {name: [part.strip() for part in cell.split(separator)] for name, cell in single.items()}
        return {name: frozenset(filter(None, parts)) for name, parts in split.items()}
    if all(cell.isascii() and cell.isdigit() for cell in single.values()):
        return {name: int(cell) for name, cell in single.items()}
    if all(map(_is_number, single.values())):
        return {name: [float(cell)] for name, cell in single.items()}
    return {name: cell or None for name, cell in single.items()}


def _number(cell: str, name: str, path: str) -> float:
    if not _is_number(cell):
        raise ValueError(
            f"{path}: found {cell!r} for {name}, expected numbers in several columns; choose one of class names by "
            "csv:FILE:COLUMN"
        )
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
