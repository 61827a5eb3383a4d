"""Files of networks from the web and from object storage, kept in a folder so that each is fetched once."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import http.client
import os
import pathlib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained, cache_folder, home_folder, prepare_cache
from sg_keras.files.errors import first_line
from sg_keras.files.network_source import WEB_SCHEMES, file_format

_BLOCK = 1 << 20
_TIMEOUT_SEC = 60.0
_MAX_NAME = 100  # bytes of a file's own name that are kept
_RESERVED = "%/:?#[]@!$&'()*+,;=~"  # of addresses; what else is no letter is escaped
CheckBeginning = Callable[[bytes, pathlib.Path], None]
Check = Callable[[pathlib.Path], None]
_SOMETHING = "something else"
_OTHER_FILES = ((b"<", "a web page"), (b"version ", "a Git LFS pointer"), (b"PK", "a zip file"), (b"{", "JSON"))


@dataclasses.dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that others publish and we may not ship.

    Attributes:
        name: its own.
        address: where it is published.
        beginnings: first bytes that it, or what it holds, may have.
        md5: of its content, as its publisher gives it; "" = none is known: fingerprints alone tell copies apart.
    """

    name: str
    address: str
    beginnings: tuple[bytes, ...]
    md5: str = ""


def fetch(address: str) -> tuple[pathlib.Path, bool]:
    """The file of networks at an address, from the cache folder if it is there.

    Args:
        address: http:// or https://, or of object storage that TensorFlow can read, such as gs://.

    Returns:
        Its path, and whether it was fetched just now.

    Raises:
        OSError: it cannot be fetched or kept, or is no file of networks; one line. Nothing is kept then.
    """
    return _fetch(address, "a file of networks", _check_beginning, lambda content: None)


def fetch_published(file: PublishedFile, address: str | None = None) -> pathlib.Path:
    """A file that others publish: Keras' copy of it, our copy, or fetched now.

    Args:
        file: which; its checksum is asked of copies and of what is fetched.
        address: where else it lies; None = where it is published.

    Returns:
        Its path.

    Raises:
        OSError: it cannot be fetched or kept, or is another file; one line. Nothing is kept then.
    """
    of_keras = _keras_folder() / file.name
    if address is None and of_keras.is_file() and not _is_other(file, of_keras):
        return of_keras

    def check_beginning(block: bytes, path: pathlib.Path) -> None:
        if not block.startswith(file.beginnings) or _kind(block) != _SOMETHING:
            raise OSError(f"it is {_kind(block)}, not {file.name}")

    def check_whole(content: pathlib.Path) -> None:
        if _is_other(file, content):
            raise OSError(f"its MD5 is not {file.md5}")

    return _fetch(address or file.address, file.name, check_beginning, check_whole)[0]


def _fetch(address: str, expected: str, check_beginning: CheckBeginning, check: Check) -> tuple[pathlib.Path, bool]:
    path = cache_folder() / "networks" / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}-{_own_name(address)}"
    with cache_errors_explained(path.parent):
        if path.is_file():
            return path, False
    prepare_cache(path.parent)
    try:
        with _opened(address) as (file, size):
            _save(file, size, path, check_beginning, check)
    except (OSError, http.client.HTTPException, tf.errors.OpError, UnicodeError) as error:
        raise OSError(
            f"found that {address} cannot be fetched ({_reason(error)}), expected {expected} there"
        ) from error
    return path, True


def _own_name(address: str) -> str:
    """The file's own name, as far as every file system takes it."""
    name = pathlib.PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(address).path)).name
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return plain[-_MAX_NAME:]


@contextlib.contextmanager
def _opened(address: str) -> Iterator[tuple[Any, int | None]]:
    """What lies at an address, and its length where that is known."""
    scheme = address.partition("://")[0].lower()
    if scheme not in WEB_SCHEMES:
        with tf.io.gfile.GFile(address, "rb") as file:
            yield file, tf.io.gfile.stat(address).length
        return
    parts = urllib.parse.urlsplit(address)
    host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    url = urllib.parse.urlunsplit(
        parts._replace(
            netloc=host,
            path=urllib.parse.quote(parts.path, safe=_RESERVED),
            query=urllib.parse.quote(parts.query, safe=_RESERVED),
            fragment="",
        )
    )
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SEC) as response:
        length = response.headers.get("Content-Length")
        yield response, None if length is None else int(length)


def _save(file: Any, expected: int | None, path: pathlib.Path, check_beginning: CheckBeginning, check: Check) -> None:
    """Keep a file whole. Other processes and workers may be fetching the same one into the same folder."""
    received = 0
    with atomic_shared_file(path) as beside:
        with beside.open("wb") as kept:
            while block := file.read(_BLOCK):
                if received == 0:
                    check_beginning(block, path)
                kept.write(block)
                received += len(block)
        if expected is not None and received != expected:
            raise OSError(f"it ended after {received} of {expected} bytes")
        if received == 0:
            raise OSError("it is empty")
        check(beside)


def _check_beginning(block: bytes, path: pathlib.Path) -> None:
    """Refuse what is no file of networks: pages that ask for a password would stay in the cache folder for good."""
    found = file_format(block)
    if found == "keras" and path.suffix.lower() != ".keras":
        found = None
    if found is None:
        raise OSError(f"it is {_kind(block)}, not a pickle or a .safetensors file")


def _kind(block: bytes) -> str:
    return next((kind for mark, kind in _OTHER_FILES if block.lstrip().startswith(mark)), _SOMETHING)


def _is_other(file: PublishedFile, path: pathlib.Path) -> bool:
    """Whether a file is certainly not the one that is published."""
    if not file.md5:
        return False
    digest = hashlib.md5(usedforsecurity=False)  # what is published of it
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest() != file.md5


def _keras_folder() -> pathlib.Path:
    """Where Keras keeps weights that it fetched."""
    return pathlib.Path(os.environ.get("KERAS_HOME") or pathlib.Path(home_folder() or "/", ".keras")) / "models"


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it is the answer, too
        return f"{error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    if isinstance(error, tf.errors.UnimplementedError):
        return "this TensorFlow has no support for such addresses; copy the file to this computer"
    if isinstance(error, tf.errors.OpError):
        return first_line(error)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def size_and_sha256(paths: list[pathlib.Path]) -> tuple[int, str]:
    """Bytes of some files together, and the SHA-256 of their contents one after another."""
    digest, size = hashlib.sha256(), 0
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    return size, digest.hexdigest()
