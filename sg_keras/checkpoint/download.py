"""Files of networks from the web, kept in a folder so that each is fetched once."""

from __future__ import annotations

import hashlib
import http.client
import pathlib
import urllib.error
import urllib.parse
import urllib.request
import uuid

from sg_keras.checkpoint.whole_files import PARTIAL
from sg_keras.config.places import cache_errors_explained, cache_folder, prepare_cache

_BLOCK = 1 << 20
_TIMEOUT_SEC = 60.0
_MAX_NAME = 100  # characters of a file's own name that are kept


def is_url(source: str) -> bool:
    """Whether a source is an address in the web rather than a path."""
    return source.lower().startswith(("http://", "https://"))


def fetch(url: str) -> tuple[pathlib.Path, bool]:
    """The file at an address, from the cache folder if it is there.

    Args:
        url: http:// or https://.

    Returns:
        Its path, and whether it was fetched just now.

    Raises:
        OSError: it cannot be fetched or kept; one line.
    """
    name = pathlib.PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name[-_MAX_NAME:]
    kept = f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}"
    path = cache_folder() / "networks" / kept
    with cache_errors_explained(path.parent):
        if path.is_file():
            return path, False
    prepare_cache(path.parent)
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SEC) as response:
            _save(response, path)
    except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
        reason = error.reason if isinstance(error, urllib.error.URLError) else str(error) or type(error).__name__
        code = ""
        if isinstance(error, urllib.error.HTTPError):
            code = f"{error.code} "
            error.close()  # it is the answer, too
        raise OSError(
            f"--resume: found that {url} cannot be fetched ({code}{reason}), expected a file there"
        ) from error
    return path, True


def _save(response: http.client.HTTPResponse, path: pathlib.Path) -> None:
    """Write beside and rename. Other processes and machines may be fetching the same file into the same folder."""
    beside = path.with_name(f"{PARTIAL}{uuid.uuid4().hex}-{path.name}")
    expected, received = response.headers.get("Content-Length"), 0
    try:
        with beside.open("wb") as file:
            while block := response.read(_BLOCK):
                file.write(block)
                received += len(block)
        if expected is not None and received != int(expected):
            raise OSError(f"it ended after {received} of {expected} bytes")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def size_and_sha256(paths: list[pathlib.Path]) -> tuple[int, str]:
    """Bytes of some files together, and the SHA-256 of their contents one after another."""
    digest, size = hashlib.sha256(), 0
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    return size, digest.hexdigest()
