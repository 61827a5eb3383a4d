"""Audits that were killed go on: they look at the rest, and say the same to the last bit."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys

import pytest

from sg_keras.curation import kept_looks
from sg_keras.curation.audit import Audit, audit
from sg_keras.curation.audit_page import audit_page
from sg_keras.curation.kept_looks import LookMemory
from sg_keras.curation.progress import Progress
from sg_keras.curation.quality import Looked, LookJob, look_at
from sg_keras.curation.sources import open_originals
from sg_keras.curation.work import Job
from tests.curation.drawn_set import Seen, audited, scene
from tests.curation.originals import file_of

ROOT = pathlib.Path(__file__).parents[2]
READABLE, BAD = 29, {"cat/zbroken.png", "dog/zcut.png"}  # the bad ones may be good another time


class Counted:
    """Looks, and counts whole and short ones (which add what networks see)."""

    def __init__(self) -> None:
        self.whole, self.short = list[str](), list[str]()

    def __call__(self, job: Job) -> Looked:
        known = job.known if isinstance(job, LookJob) else None
        (self.whole if known is None else self.short).append(job.name)
        return look_at(job)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counter = Counted()
    monkeypatch.setattr(kept_looks, "look_at", counter)
    return counter


class StopError(Exception):
    """In the middle of the work."""


def _stop_at(number: int):
    def on_progress(progress: Progress) -> None:
        if progress.done == number:
            raise StopError

    return on_progress


def _same(one: Audit, other: Audit) -> bool:
    return one.json() == other.json() and audit_page(one) == audit_page(other)


@pytest.mark.parametrize("stop", [1, 17, 30])
def test_the_rest_alone_is_looked_at(path: str, found: Audit, tmp_path: pathlib.Path, counted: Counted, stop: int):
    with pytest.raises(StopError):
        audited(path, extractor=Seen(), memory=LookMemory(tmp_path), on_progress=_stop_at(stop))
    first, lines, seen = counted.whole[:], list[str](), Seen()
    again = audited(path, extractor=seen, memory=LookMemory(tmp_path), tell=lines.append)
    assert _same(again, found)
    assert not {*first} & {*counted.whole[len(first) :]} - BAD
    assert {*counted.whole} == {*found.names} - {"cat/same.png"}  # which is cat/p02.png
    readable = len({*found.names[:stop]} - BAD)
    assert lines == [f"{path}: {readable} of 31 images were looked at before and are taken from the cache"]
    assert sum(seen.batches) == 2 * (READABLE - readable // 16 * 16)


def test_all_is_taken_where_nothing_changed(path: str, found: Audit, tmp_path: pathlib.Path, counted: Counted):
    audited(path, extractor=Seen(), memory=LookMemory(tmp_path))
    before, seen = len(counted.whole), Seen()
    del counted.short[:]  # of an image that is there twice
    again = audited(path, extractor=seen, memory=LookMemory(tmp_path), workers=1)
    assert len(counted.whole) == before + 2 and not counted.short and seen.batches == [] and _same(again, found)


def test_several_processes_keep_the_order(path: str, found: Audit, tmp_path: pathlib.Path):
    with pytest.raises(StopError):
        audited(path, extractor=Seen(), memory=LookMemory(tmp_path), on_progress=_stop_at(9))
    assert _same(audited(path, extractor=Seen(), memory=LookMemory(tmp_path), workers=2), found)


def test_a_network_that_comes_later_sees_without_another_measurement(
    path: str, found: Audit, tmp_path: pathlib.Path, counted: Counted
):
    audited(path, memory=LookMemory(tmp_path))
    del counted.whole[:]
    again = audited(path, extractor=Seen(), memory=LookMemory(tmp_path))
    assert len(counted.whole) == 2 and len(counted.short) == READABLE and _same(again, found)
    other = Seen()
    other.fingerprint = "1"
    audited(path, extractor=other, memory=LookMemory(tmp_path))
    assert len(counted.short) == 2 * READABLE and sum(other.batches) == 2 * READABLE


def test_a_set_that_changed_is_seen_for_what_it_holds(path: str, tmp_path: pathlib.Path, counted: Counted):
    """Also where features of other batches are kept."""
    copy = tmp_path / "set"
    for name in ("a", "b"):
        (copy / name).mkdir(parents=True)
    files = [file for file in sorted(pathlib.Path(path).rglob("*.*")) if file.stem not in ("zbroken", "zcut")]
    for number, file in enumerate(files):
        (copy / "ab"[number % 2] / f"{number:02d}{file.suffix}").write_bytes(file.read_bytes())
    audited(path, extractor=Seen(), memory=LookMemory(tmp_path / "cache"))
    (copy / "a" / "00.png").write_bytes(file_of(scene(50)))
    del counted.whole[:]
    again = audited(str(copy), extractor=Seen(), memory=LookMemory(tmp_path / "cache"))
    assert counted.whole == ["a/00.png"] and _same(again, audited(str(copy), extractor=Seen()))


_KILLED = """
import os, pathlib, signal, sys
from tests.curation.drawn_set import Seen, audited
from sg_keras.curation.kept_looks import LookMemory

def kill(progress):
    if progress.done == 23:
        os.kill(os.getpid(), signal.SIGKILL)

audited(sys.argv[1], extractor=Seen(), memory=LookMemory(pathlib.Path(sys.argv[2]), block=8), on_progress=kill)
"""


def test_killed_without_a_warning(path: str, found: Audit, tmp_path: pathlib.Path, counted: Counted):
    done = subprocess.run([sys.executable, "-c", _KILLED, path, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    again = audited(path, extractor=Seen(), memory=LookMemory(tmp_path, block=8))
    assert READABLE - 23 < len(counted.whole) - 2 <= READABLE - 16 and _same(again, found)


def test_damaged_blocks_are_looked_at_again(path: str, found: Audit, tmp_path: pathlib.Path, counted: Counted):
    audited(path, extractor=Seen(), memory=LookMemory(tmp_path, block=4))
    for file in tmp_path.rglob("*.npz"):
        file.write_bytes(file.read_bytes()[:-200])
    del counted.whole[:]
    assert _same(audited(path, extractor=Seen(), memory=LookMemory(tmp_path)), found)
    assert len(counted.whole) == 30


def test_versions_do_not_mix(path: str, tmp_path: pathlib.Path, counted: Counted, monkeypatch: pytest.MonkeyPatch):
    audited(path, memory=LookMemory(tmp_path))
    monkeypatch.setattr(kept_looks, "LOOK_VERSION", 1000)
    audited(path, memory=LookMemory(tmp_path))
    assert len(counted.whole) == 60


def test_what_was_kept_is_enough_without_the_file(path: str, tmp_path: pathlib.Path):
    """Only where a network must see it again is the file decoded, and then it may be gone."""
    audited(path, extractor=Seen(), memory=LookMemory(tmp_path))
    source = open_originals(path)
    first = source.read(0)
    calls: list[int] = []

    def read(index: int) -> bytes:
        calls.append(index)
        if calls.count(index) == 2:
            raise OSError("gone.png: found nothing there")
        return first

    source.read = read  # type: ignore[method-assign]
    with pytest.raises(OSError, match="gone"):  # 31 times the first image: batches that no network has seen
        audit(source, path, Seen(), memory=LookMemory(tmp_path), labels="none")
    source.close()
