"""Files that are damaged, hostile or odd: each is told in one line and stops nothing else. Nothing is half-written."""

from __future__ import annotations

import errno
import io
import pathlib
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from sg_keras.curation.partial_files import partial_path
from sg_keras.curation.sources import open_originals
from tests.curation.originals import classes_of_noise, file_of, images_of, noise, run, write
from tests.curation.test_decode import huge_png
from tests.tools.injected_errors import Operation, injected

GOOD = {"good.png": file_of(noise(0))}

BAD_FILES = {
    "empty.png": (b"", "found an empty file"),
    "text.jpg": (b"<html></html>", "found no image of a format"),
    "truncated.png": (file_of(noise(1))[:-200], "found a damaged image"),
    "truncated.jpg": (file_of(noise(1), "JPEG")[:-200], "found a damaged image"),
    "zeroed.png": (file_of(noise(1))[:300] + bytes(len(file_of(noise(1))) - 300), "found a damaged image"),
    "bomb.png": (huge_png(60000, 40000), "found an image of more than 178956970 pixels"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_bad_original_is_listed_with_its_reason(name: str, kind: str, tmp_path: pathlib.Path):
    content, reason = BAD_FILES[name]
    files = {**GOOD, name: content}
    source = write(tmp_path / "set", files) if kind == "folder" else zipped(tmp_path / "set.zip", files)
    report = run(source, tmp_path / "out.zip")
    assert (report.images, list(report.bad)) == (1, [name]) and reason in report.bad[name]
    assert len(report.lines()) == 1 and name in report.lines()[0] and "\n" not in report.lines()[0]
    with pytest.raises(OSError, match=f"set.*{name}: {reason}") as caught:
        run(source, tmp_path / "stopped.zip", skip_bad=False)
    assert "\n" not in str(caught.value) and not (tmp_path / "stopped.zip").exists()


def zipped(path: pathlib.Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> str:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return str(path)


def test_wrong_endings_and_wide_originals_are_read(tmp_path: pathlib.Path):
    wide = Image.new("RGB", (60000, 30), (1, 2, 3))
    files = {"a.png": file_of(noise(0), "JPEG"), "b.jpg": file_of(noise(1)), "wide.png": file_of(wide)}
    report = run(write(tmp_path / "set", files), tmp_path / "out.zip")
    assert (report.images, report.bad) == (3, {})
    assert (images_of(tmp_path / "out.zip")["00000/img00000002.png"] == (1, 2, 3)).all()


def test_nothing_that_can_be_read(tmp_path: pathlib.Path):
    report = run(write(tmp_path / "set", {"a.png": b"x", "b.png": b""}), tmp_path / "out.zip")
    assert (report.images, report.destination, len(report.bad)) == (0, "", 2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.zip.report.json", "set"]


def patched(path: str, name: str, size: int) -> None:
    """Let the directory of a zip file say another size of a member."""
    data = bytearray(pathlib.Path(path).read_bytes())
    position = data.rindex(name.encode()) - 46
    struct.pack_into("<I", data, position + 24, size)
    pathlib.Path(path).write_bytes(data)


def test_zip_bombs(tmp_path: pathlib.Path):
    files = {**GOOD, "bomb.png": bytes(2_000_000)}
    source = zipped(tmp_path / "set.zip", files, zipfile.ZIP_DEFLATED)
    for size, reason in ((2**30 + 1, "found a member of 1073741825 bytes when inflated, expected 1073741824 at most"),):
        patched(source, "bomb.png", size)
        report = run(source, tmp_path / "out.zip")
        assert reason in report.bad["bomb.png"] and report.images == 1
        (tmp_path / "out.zip").unlink()
    patched(source, "bomb.png", 100)  # which lies
    assert "found a wrong check sum" in run(source, tmp_path / "out.zip").bad["bomb.png"]


def test_a_bomb_of_numpy(tmp_path: pathlib.Path, monkeypatch):
    monkeypatch.setattr("sg_keras.data.numpy_file._MAX_ARRAY_BYTES", 1000)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((40, 8, 8), np.uint8))
    with pytest.raises(ValueError, match=r"a.npz: found a file that cannot be read \(it inflates to .* above 1000"):
        open_originals(str(tmp_path / "a.npz"))


HOSTILE = ["../out.png", "/tmp/out.png", "a/../../out.png", "C:\\out.png"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_leave_the_archive(kind: str, tmp_path: pathlib.Path):
    files = {**GOOD, **{name: file_of(noise(2)) for name in HOSTILE}}
    if kind == "zip":
        source = zipped(tmp_path / "set.zip", files)
    else:
        source = str(tmp_path / "set.tar")
        with tarfile.open(source, "w") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name.replace("\\", "/"))
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    report = run(source, tmp_path / "out.zip")
    assert report.images == 1 and len(report.bad) == len(HOSTILE)
    assert all("found an absolute name" in why or "found a name that leaves" in why for why in report.bad.values())


def test_links_in_archives_are_left_out(tmp_path: pathlib.Path):
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        info = tarfile.TarInfo("good.png")
        info.size = len(GOOD["good.png"])
        archive.addfile(info, io.BytesIO(GOOD["good.png"]))
    source = open_originals(str(tmp_path / "set.tar"))
    assert source.names == ["good.png"] and "links and devices are left out (1)" in source.notes[0]
    source.close()


def test_links_out_of_a_folder(tmp_path: pathlib.Path):
    write(tmp_path / "elsewhere", {"a.png": file_of(noise(1)), "b.png": file_of(noise(2))})
    folder = pathlib.Path(write(tmp_path / "set", {**GOOD, "sub/inner.png": file_of(noise(3))}))
    (folder / "out.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (folder / "outer").symlink_to(tmp_path / "elsewhere")
    (folder / "within.png").symlink_to(folder / "sub" / "inner.png")
    (folder / "broken.png").symlink_to(folder / "nowhere.png")
    report = run(str(folder), tmp_path / "out.zip")
    assert report.images == 3 and sorted(report.bad) == ["broken.png", "out.png", "outer/a.png", "outer/b.png"]
    assert "found a link that leads out of the folder" in report.bad["out.png"]
    followed = run(str(folder), tmp_path / "followed.zip", follow_links=True)
    assert followed.images == 6 and list(followed.bad) == ["broken.png"]


def test_several_members_of_one_name(tmp_path: pathlib.Path):
    first, second = file_of(noise(1)), file_of(noise(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            for content in (first, second):
                archive.writestr("a.png", content)
    with tarfile.open(tmp_path / "set.tar", "w") as archive_tar:
        for content in (first, second):
            info = tarfile.TarInfo("a.png")
            info.size = len(content)
            archive_tar.addfile(info, io.BytesIO(content))
    for name in ("set.zip", "set.tar"):
        source = open_originals(str(tmp_path / name))
        assert source.names == ["a.png"] and source.read(0) == second
        assert source.notes == [f"{tmp_path / name}: several files of one name, of which the last counts: 1 (a.png)"]
        source.close()


@pytest.mark.parametrize("destination", ["out.zip", "out", "out.lmdb", "out.tfrecords"])
def test_a_destination_that_exists_is_left_alone(destination: str, tmp_path: pathlib.Path):
    source = write(tmp_path / "set", GOOD)
    (tmp_path / destination).mkdir()
    with pytest.raises(FileExistsError, match=f"{destination}: found it there already, expected a new name"):
        run(source, tmp_path / destination)
    assert not list((tmp_path / destination).iterdir())


@pytest.mark.parametrize("destination", ["out", "out.lmdb", "out.tfrecords"])
def test_images_that_were_lost_meanwhile_are_made_again(destination: str, tmp_path: pathlib.Path):
    source = write(tmp_path / "set", classes_of_noise(20))

    def stop(progress: object) -> None:
        if getattr(progress, "stage", "") == "converting" and getattr(progress, "done", 0) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / destination, on_progress=stop)
    partial = partial_path(tmp_path / destination)
    for file in [file for file in partial.rglob("*") if file.is_file()]:
        file.unlink()
    report = run(source, tmp_path / destination)
    assert (report.images, report.continued_from) == (20, 0)
    with_images = open_originals(str(tmp_path / destination))
    assert len(with_images.names) == 20
    with_images.close()


def test_a_destination_that_appears_meanwhile(tmp_path: pathlib.Path):
    source = write(tmp_path / "set", GOOD)
    with pytest.raises(FileExistsError, match=r"out.zip: found it there already"):
        run(source, tmp_path / "out.zip", on_progress=lambda progress: (tmp_path / "out.zip").write_bytes(b"mine"))
    assert (tmp_path / "out.zip").read_bytes() == b"mine"


@pytest.mark.parametrize("destination", ["out.zip", "out", "out.tfrecords", "out.lmdb"])
def test_a_full_disk(destination: str, tmp_path: pathlib.Path):
    source = write(tmp_path / "set", classes_of_noise(20))
    place = tmp_path / "disk"
    place.mkdir()
    with injected([place]) as seen:
        run(source, place / destination)
    operations = list(dict.fromkeys(seen.seen))
    assert any(operation.event == "open for writing" for operation in operations)
    for number, operation in enumerate(operations):
        if operation.event not in ("open for writing", "os.mkdir", "os.rename"):
            continue
        folder = tmp_path / f"disk{number}"
        folder.mkdir()
        fails = Operation(operation.event, operation.path)
        with injected([folder], fails, errno.ENOSPC, lasting=True), pytest.raises(OSError) as caught:
            run(source, folder / destination)
        assert ": found " in str(caught.value) and "\n" not in str(caught.value), operation
        left = {file.name for file in folder.iterdir() if not file.name.startswith(".partial-")}
        assert left <= ({destination} if "report" in operation.path else set()), operation
        if destination not in left:
            report = run(source, folder / destination)
            assert report.images == 20 and not partial_path(folder / destination).exists()


@pytest.mark.parametrize("destination", ["out.zip", "out.tfrecords", "out.lmdb"])
def test_writing_that_fails_in_the_middle_of_a_file(destination: str, tmp_path: pathlib.Path):
    """As a full disk does: here the size of files is limited."""
    files = {f"{index:02d}.png": file_of(noise(index, 64, 64)) for index in range(40)}
    source = write(tmp_path / "set", files)
    code = (
        "import pathlib, resource\n"
        "from tests.curation.originals import run\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        f"try: run({source!r}, pathlib.Path({str(tmp_path / destination)!r}), size=(64, 64))\n"
        "except OSError as error: print(error)\n"
    )
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert f"{destination}: found that" in done.stdout and done.stdout.count("\n") == 1 and not done.stderr
    assert not (tmp_path / destination).exists()
    assert run(source, tmp_path / destination, size=(64, 64)).images == 40
    assert not list(tmp_path.glob(".partial-*"))
