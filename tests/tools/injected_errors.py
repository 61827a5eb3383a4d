"""Makes operations on files fail: the k-th one below a folder, with any error of the operating system.

Python's own operations are met at their lowest common point, the audit events, which every way to open, list, make,
rename or remove a file raises; os.stat, which raises none, is replaced.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

_EVENTS = {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link"}
_EVENTS |= {"os.symlink"}
_CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "open for writing"}


@dataclasses.dataclass(frozen=True)
class Operation:
    """What is done to which path, with numbers in the path replaced so that repeated runs do the same."""

    event: str
    path: str


class Injector:
    """Watches the operations below some folders, and lets some fail.

    Attributes:
        seen: operations in their order.
        failed: those that were made to fail.
        folders: whose files count.

    Args:
        folders: whose files count.
        fails: which operation fails, None = none.
        number: of the error.
        lasting: whether everything that changes files fails from then on, as on a disk that is full or read-only.
    """

    def __init__(self, folders: list[pathlib.Path], fails: Operation | None, number: int, lasting: bool) -> None:
        self.folders = [os.path.realpath(folder) for folder in folders]
        self._fails, self._number, self._lasting = fails, number, lasting
        self.seen: list[Operation] = []
        self.failed: list[Operation] = []

    def meet(self, event: str, path: Any) -> None:
        """An operation is about to be done.

        Raises:
            OSError: it is to fail.
        """
        if not isinstance(path, str | bytes | os.PathLike):
            return
        place = pathlib.Path(os.fsdecode(path))
        name = os.fspath(pathlib.Path(os.path.realpath(place.parent), place.name))
        folder = next((folder for folder in self.folders if name == folder or name.startswith(folder + "/")), None)
        if folder is None:
            return
        operation = Operation(event, re.sub(r"(?<=resume-)[0-9a-z_]{8}|[0-9]+", "N", name.removeprefix(folder)))
        self.seen.append(operation)
        lasts = self._lasting and self.failed and event in _CHANGES
        if lasts or (operation == self._fails and not self.failed):
            self.failed.append(operation)
            raise OSError(self._number, os.strerror(self._number), os.fsdecode(path))


_active: Injector | None = None
_hooked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _active is None or event not in _EVENTS:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = (flags or 0) & (os.O_WRONLY | os.O_RDWR) or set(mode or "") & set("wax+")
        event = "open for writing" if writes else "open"
        _active.meet(event, path)
    elif event == "os.rename":
        _active.meet(event, arguments[1])
    else:
        _active.meet(event, arguments[0])


@contextlib.contextmanager
def injected(
    folders: list[pathlib.Path], fails: Operation | None = None, number: int = 0, lasting: bool = False
) -> Iterator[Injector]:
    """Within, an operation below some folders fails (see Injector), or none and all are only seen."""
    global _active, _hooked
    if not _hooked:
        sys.addaudithook(_hook)  # for good: hooks cannot be taken away, so it is the same one every time
        _hooked = True
    injector = Injector(folders, fails, number, lasting)
    stat = os.stat

    def watched_stat(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if _active is not None:
            _active.meet("os.stat", path)
        return stat(path, *args, **kwargs)

    os.stat = watched_stat
    _active = injector
    try:
        yield injector
    finally:
        _active = None
        os.stat = stat
