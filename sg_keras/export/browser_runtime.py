"""onnxruntime-web, which runs ONNX models in browsers: taken from the package that npm brings, or from a copy of it."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import tarfile
import tempfile

from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained, cache_folder, prepare_cache
from sg_keras.files.npm_package import npm_archive

PACKAGE = "onnxruntime-web@1.30.0"  # MIT licence
_PROGRAM, _BINARY = "dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"
_LONGEST_SEC = 600


@dataclasses.dataclass(frozen=True)
class BrowserRuntime:
    """What a page needs of onnxruntime-web.

    Attributes:
        program: a module of JavaScript.
        binary: its WebAssembly.
    """

    program: bytes
    binary: bytes


def browser_runtime(place: str | pathlib.Path | None = None) -> BrowserRuntime:
    """The runtime of a copy of the package, or of the package that npm brings, which is kept in the cache folder.

    Args:
        place: the package's folder (node_modules/onnxruntime-web) or archive (.tgz); None = the kept one, or npm's.

    Raises:
        ValueError: the place is no such package, or there is no npm; one line.
        OSError: npm cannot bring the package, or a file cannot be read; one line.
    """
    path = _kept() if place is None else pathlib.Path(place)
    try:
        if path.is_dir():
            folder = next((folder for folder in (path, path / "package") if (folder / _PROGRAM).is_file()), path)
            return BrowserRuntime((folder / _PROGRAM).read_bytes(), (folder / _BINARY).read_bytes())
        with tarfile.open(path) as archive:
            return BrowserRuntime(_content(archive, _PROGRAM), _content(archive, _BINARY))
    except (FileNotFoundError, KeyError, tarfile.TarError, EOFError) as error:
        raise ValueError(
            f"{path}: found no {_PROGRAM} and {_BINARY} in it, expected the folder or the archive of the npm package "
            f"{PACKAGE}"
        ) from error


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/{name}")
    if file is None:
        raise KeyError(name)
    return file.read()


def _kept() -> pathlib.Path:
    """The folder in the cache with the package's two files, which npm fetches where they are not there."""
    folder = cache_folder() / "packages" / PACKAGE.replace("@", "-")
    if all((folder / name).is_file() for name in (_PROGRAM, _BINARY)):
        return folder
    prepare_cache(folder / "dist")
    with tempfile.TemporaryDirectory() as place, tarfile.open(_fetched(place)) as archive:
        for name in (_PROGRAM, _BINARY):
            with cache_errors_explained(folder), atomic_shared_file(folder / name) as beside:
                beside.write_bytes(_content(archive, name))
    return folder


def _fetched(folder: str) -> pathlib.Path:
    """The package's archive, which npm puts into a folder."""
    if shutil.which("npm") is None:
        raise ValueError(
            f"web: found no npm, which brings {PACKAGE}, expected it to be installed, or --runtime to name the "
            "package's folder or archive"
        )
    try:
        return npm_archive(PACKAGE, folder, _LONGEST_SEC)
    except OSError as error:
        raise OSError(f"{error}; --runtime names a folder or archive of it") from error
