"""Names of zip members as their files had them, whatever program wrote the archive."""

from __future__ import annotations

import pathlib
import struct
import zipfile
import zlib

import pytest

from sg_keras.data.zip_directory import member_name, read_zip_directory


def member(name: str, extra: bytes = b"", utf8: bool = False) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.filename, info.extra, info.flag_bits = name, extra, 0x800 if utf8 else 0
    return info


def unicode_path(name: bytes, other_name: bytes) -> bytes:
    field = struct.pack("<BI", 1, zlib.crc32(other_name)) + name
    return struct.pack("<HHH", 0x5455, 2, 0) + struct.pack("<HH", 0x7075, len(field)) + field


def test_names() -> None:
    assert member_name(member("a\\b\\c.png")) == "a/b/c.png"
    assert member_name(member("Käse.png", utf8=True)) == "Käse.png"
    assert member_name(member("Käse.png".encode().decode("cp437"))) == "Käse.png"
    assert member_name(member("Käse.png")) == "Käse.png"  # code page 437, as the standard has it
    assert member_name(member("├ñ.png", utf8=True)) == "├ñ.png"


def test_a_name_in_the_extra_field() -> None:
    assert member_name(member("K?se.png", unicode_path("Käse.png".encode(), b"K?se.png"))) == "Käse.png"
    assert member_name(member("b.png", unicode_path(b"a.png", b"a.png"))) == "b.png"  # renamed afterwards
    assert member_name(member("b.png", unicode_path(b"\xff", b"b.png"))) == "b.png"
    assert member_name(member("b.png", b"up\xff\xff")) == "b.png"
    assert member_name(member("b.png", b"up")) == "b.png"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_folders_are_no_members_and_the_last_of_a_name_counts(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (
            ("d/", b""),
            ("e\\", b""),
            ("e\\a", b"1"),
            ("e\\a", b"22"),
            ("b/a", b"3"),
            ("b\\a", b"4"),
        ):
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, content)
    sizes = {name: info.file_size for name, info in read_zip_directory(str(path)).items()}
    assert sizes == {"e/a": 2, "b/a": 1, "b\\a": 1}
