"""What a typed network is: one decision for --network of every tool, for --resume and for `sg_keras.load`.

It is taken from the spelling, from what is on the disk and from the first bytes of a file. No address is opened.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import urllib.parse
import urllib.request
from typing import Literal

from sg_keras.files.cache import is_url
from sg_keras.files.errors import explain_file_error

EXPECTED = (
    "a run directory, RUN_DIR@TICK, a checkpoint, a network snapshot, an official pickle (.pkl), a .safetensors file, "
    "or the address of one of these files"
)
#: A run directory has these: its configuration, as JSON, and the folder of its exact checkpoints.
CONFIG_FILE = "training_config.json"
CHECKPOINT_FOLDER = "checkpoints"
#: Networks of a run, of a snapshot and of a file: generator, discriminator, averaged generator.
NETWORK_NAMES = ("G", "D", "G_ema")
#: Schemes of addresses: the web, and object storage by TensorFlow's file systems.
WEB_SCHEMES = ("http", "https")
STORAGE_SCHEMES = ("gs", "s3", "hdfs", "viewfs", "ram")
_ENDINGS = (".pkl", ".pickle", ".safetensors")  # of files of networks
_NETWORK_FILES = tuple(f"{name}.keras".lower() for name in NETWORK_NAMES)  # of a snapshot
_G_EMA = "G_ema.keras"
_RUN_AT_TICK = re.compile(r"^(?P<run>.+)@(?P<tick>[0-9]+)$", re.DOTALL)
_CHECKPOINT_FILE = re.compile(r"\.(index|json|data-[0-9]{5}-of-[0-9]{5})$")
_LARGEST_HEADER = 100 << 20  # of a safetensors file
_BEGINNING = 16  # bytes that tell files of networks apart

FileFormat = Literal["pickle", "safetensors", "keras"]


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkSource:
    """Where networks come from.

    Attributes:
        kind: "address" of a file, "file" (a pickle or safetensors), "snapshot" (its folder), "network" (one .keras file
            without the others of a snapshot), "run_dir" or "checkpoint".
        typed: as it was typed, for messages.
        path: the address, or the path; that of a checkpoint is its prefix, without ".index".
        tick: with kind "run_dir", the tick whose checkpoint is meant; None = the newest.
    """

    kind: Literal["address", "file", "snapshot", "network", "run_dir", "checkpoint"]
    typed: str
    path: str
    tick: int | None = None


def parse_network_source(value: str, also: str = "") -> NetworkSource:
    """Decide what a typed network is.

    Args:
        value: as typed.
        also: what else the option takes, for messages, such as "latest, ".

    Raises:
        ValueError: it is none of the forms, or what it names does not exist. One line, "found ..., expected ...".
        OSError: it cannot be read.
    """
    if is_url(value):
        return _addressed(value, also)
    return _on_disk(value, value, also)


def file_format(beginning: bytes) -> FileFormat | None:
    """The format of a file of networks by its first 16 bytes, None if it is none."""
    if beginning.startswith(b"\x80") and beginning[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    if beginning.startswith(b"PK\x03\x04"):
        return "keras"
    length = int.from_bytes(beginning[:8], "little")
    return "safetensors" if beginning[8:9] == b"{" and 2 <= length <= _LARGEST_HEADER else None


def format_of_file(path: pathlib.Path) -> FileFormat | None:
    """The format of a file by its ending in any letter case, or else by its beginning; None if it is none."""
    ending = path.suffix.lower()
    if ending in _ENDINGS:
        return "safetensors" if ending == ".safetensors" else "pickle"
    with path.open("rb") as file:
        found = file_format(file.read(_BEGINNING))
    return found if found != "keras" or ending == ".keras" else None


def _addressed(value: str, also: str) -> NetworkSource:
    scheme = value.partition("://")[0].lower()
    try:
        parts = urllib.parse.urlsplit(value)
        _ = parts.port  # ValueError where it is none
    except ValueError as error:
        raise ValueError(f"found {value!r}, expected an address such as https://host/network.pkl ({error})") from error
    if scheme == "file" and parts.netloc in ("", "localhost"):
        return _on_disk(value, urllib.request.url2pathname(parts.path), also)
    if scheme not in (*WEB_SCHEMES, *STORAGE_SCHEMES):
        raise ValueError(
            f"found {value!r}, expected an address that starts with https://, http://, gs://, s3:// or file:///"
        )
    if not parts.netloc or parts.path in ("", "/"):
        raise ValueError(f"found {value!r}, expected an address of a file such as {scheme}://host/network.pkl")
    return NetworkSource("address", value, value)


def _on_disk(typed: str, value: str, also: str) -> NetworkSource:
    path = pathlib.Path(value)
    try:
        exists = path.exists()
        at_tick = None if exists else _RUN_AT_TICK.match(value)
        if at_tick is not None:
            if _is_run_directory(pathlib.Path(at_tick["run"])):
                return NetworkSource("run_dir", typed, at_tick["run"], int(at_tick["tick"]))
            raise ValueError(
                f"found {typed!r}, expected RUN_DIR@TICK with a run directory, which {at_tick['run']!r} is not"
            )
        prefix = _CHECKPOINT_FILE.sub("", value)
        if pathlib.Path(f"{prefix}.index").is_file():
            return NetworkSource("checkpoint", typed, prefix)
        if not exists:
            raise ValueError(f"found {typed!r}, which does not exist, expected {also}{EXPECTED}")
        found = _folder(typed, path, value) if path.is_dir() else _file(typed, path)
    except OSError as error:
        raise OSError(explain_file_error(error, value)) from error
    if found is None:
        raise ValueError(f"found {typed!r}, expected {also}{EXPECTED}{_hint(path)}")
    return found


def _folder(typed: str, path: pathlib.Path, value: str) -> NetworkSource | None:
    if (path / _G_EMA).is_file():
        return NetworkSource("snapshot", typed, value)
    if _is_run_directory(path):
        return NetworkSource("run_dir", typed, value)
    if path.name == CHECKPOINT_FOLDER and _is_run_directory(path.parent):
        return NetworkSource("run_dir", typed, str(path.parent))
    return None


def _file(typed: str, path: pathlib.Path) -> NetworkSource | None:
    if not path.is_file():
        return None
    if path.name.lower() in _NETWORK_FILES and (path.parent / _G_EMA).is_file():
        return NetworkSource("snapshot", typed, str(path.parent))  # a snapshot's networks go together
    if path.name == CONFIG_FILE:
        return _folder(typed, path.parent, str(path.parent))
    if path.name == "checkpoint" and path.parent.name == CHECKPOINT_FOLDER:  # TensorFlow's list
        return _folder(typed, path.parent, str(path.parent))
    found = format_of_file(path)
    if found is None:
        return None
    return NetworkSource("network" if found == "keras" else "file", typed, str(path))


def _is_run_directory(path: pathlib.Path) -> bool:
    return (path / CONFIG_FILE).is_file() and not (path / _G_EMA).is_file()


def _hint(path: pathlib.Path) -> str:
    """The newest run in a folder of runs, which is what people mean by it."""
    runs = sorted(entry.name for entry in path.iterdir() if _is_run_directory(entry)) if path.is_dir() else []
    return f"; in it there is {runs[-1]}" if runs else ""
