"""Packages of npm's registry, as archives."""

from __future__ import annotations

import pathlib
import shutil
import subprocess


def npm_archive(package: str, folder: str, longest_sec: float) -> pathlib.Path:
    """The archive of a package, which npm puts into a folder.

    Args:
        package: name@version.
        folder: that is there, for the archive alone.
        longest_sec: that it may take.

    Raises:
        OSError: there is no npm, or it cannot bring the package; one line.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(f"npm: found no such program, expected one that brings {package}")
    words = [npm, "pack", package, "--silent", f"--pack-destination={folder}"]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=longest_sec)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"npm: found that {package} was not there after {longest_sec} s") from error
    archives = list(pathlib.Path(folder).glob("*.tgz"))
    if done.returncode or not archives:
        said = (done.stderr.strip() or "nothing").splitlines()[0]
        raise OSError(f"npm: found exit status {done.returncode} ({said}), expected the package {package}")
    return archives[0]
