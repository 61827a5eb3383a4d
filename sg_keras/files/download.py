"""Files of networks from the web and from object storage, kept in a folder so that each is fetched once."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import pathlib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained, cache_folder, prepare_cache
from sg_keras.files.errors import first_line
from sg_keras.files.network_source import WEB_SCHEMES, file_format

_BLOCK = 1 << 20
_TIMEOUT_SEC = 60.0
_MAX_NAME = 100  # bytes of a file's own name that are kept
_RESERVED = "%/:?#[]@!$&'()*+,;=~"  # of addresses; what else is no letter is escaped
_OTHER_FILES = ((b"<", "a web page"), (b"version ", "a Git LFS pointer"), (b"PK", "a zip file"), (b"{", "JSON"))


def fetch(address: str) -> tuple[pathlib.Path, bool]:
    """The file of networks at an address, from the cache folder if it is there.

    Args:
        address: http:// or https://, or of object storage that TensorFlow can read, such as gs://.

    Returns:
        Its path, and whether it was fetched just now.

    Raises:
        OSError: it cannot be fetched or kept, or is no file of networks; one line. Nothing is kept then.
    """
    path = cache_folder() / "networks" / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}-{_own_name(address)}"
    with cache_errors_explained(path.parent):
        if path.is_file():
            return path, False
    prepare_cache(path.parent)
    try:
        with _opened(address) as (file, size):
            _save(file, size, path)
    except (OSError, http.client.HTTPException, tf.errors.OpError, UnicodeError) as error:
        raise OSError(
            f"found that {address} cannot be fetched ({_reason(error)}), expected a file of networks there"
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


def _save(file: Any, expected: int | None, path: pathlib.Path) -> None:
    """Keep a file whole. Other processes and workers may be fetching the same one into the same folder."""
    received = 0
    with atomic_shared_file(path) as beside:
        with beside.open("wb") as kept:
            while block := file.read(_BLOCK):
                if received == 0:
                    _check_beginning(block, path)
                kept.write(block)
                received += len(block)
        if expected is not None and received != expected:
            raise OSError(f"it ended after {received} of {expected} bytes")
        if received == 0:
            raise OSError("it is empty")


def _check_beginning(block: bytes, path: pathlib.Path) -> None:
    """Refuse what is no file of networks: pages that ask for a password would stay in the cache folder for good."""
    found = file_format(block)
    if found == "keras" and path.suffix.lower() != ".keras":
        found = None
    if found is None:
        kind = next((kind for mark, kind in _OTHER_FILES if block.lstrip().startswith(mark)), "something else")
        raise OSError(f"it is {kind}, not a pickle or a .safetensors file")


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
