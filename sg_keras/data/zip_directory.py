"""The directory of a zip file: its members by names as the files had them, whatever program wrote it."""

from __future__ import annotations

import pathlib
import struct
import zipfile
import zlib

from sg_keras.files.garbage import nothing_collected

_UTF8_NAME = 0x800  # flag
_UNICODE_PATH = 0x7075  # extra field of Info-ZIP: the name in UTF-8 beside one in the writer's own encoding
_UNICODE_PATH_START = 5  # its version and the check sum of the other name come first


def read_zip_directory(path: str) -> dict[str, zipfile.ZipInfo]:
    """Members that are files, by name with forward slashes. Only the directory at the end of the file is read.

    Windows PowerShell writes backslashes, and several programs write UTF-8 without saying so; both are mended. Of
    several members of one name the last counts.

    Raises:
        OSError: the file is truncated, damaged or unreadable; one line.
        ValueError: it is no zip file, or has members that cannot be read here; one line.
    """
    try:
        with nothing_collected(), zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: found a file name in it that is marked as UTF-8 and is none, expected an intact zip file, or the "
            "folder that it is unpacked to"
        ) from error
    except (zipfile.BadZipFile, struct.error, NotImplementedError) as error:
        if not path.lower().endswith(".zip"):
            raise ValueError(
                f"{path}: found a file that is not a zip, expected a folder or zip file of images, or 'digits'"
            ) from error
        size = pathlib.Path(path).stat().st_size
        raise OSError(
            f"{path}: found a truncated or damaged zip file of {size} bytes ({error}), expected a complete one"
        ) from error
    except OSError as error:
        raise OSError(
            f"{path}: found an unreadable file ({error.strerror or error}), expected a readable one"
        ) from error
    members = {}
    taken = {info.filename for info in entries}
    for info in entries:
        name = member_name(info)
        if not name.endswith("/"):
            _check_readable(path, info)
            members[info.filename if name in taken else name] = info  # two names must not become one
    return members


def member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member as its file had it, with forward slashes; one that ends in a slash is a folder."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        name = _unicode_path(info) or _as_utf8(name)
    return name.replace("\\", "/")


def _check_readable(path: str, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise ValueError(f"{path}/{info.filename}: found an encrypted member, expected none")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(
            f"{path}/{info.filename}: found zip compression method {info.compress_type}, expected stored or deflated"
        )


def _as_utf8(name: str) -> str:
    """A name that zipfile took for code page 437, which is the standard's, though most write UTF-8 or their own."""
    try:
        return name if name.isascii() else name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _unicode_path(info: zipfile.ZipInfo) -> str | None:
    extra, position = info.extra, 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        field = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == _UNICODE_PATH and len(field) > _UNICODE_PATH_START:
            _, checksum = struct.unpack_from("<BI", field)
            try:
                name = field[_UNICODE_PATH_START:].decode("utf-8")
                # Of another name, where a program renamed the member and left the field as it was.
                return name if zlib.crc32(info.filename.encode("cp437")) == checksum else None
            except UnicodeError:
                return None
    return None
