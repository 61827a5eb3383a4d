"""The work on each image, and its distribution over processes: the results come in order, whatever their number."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Generic, TypeVar

from PIL import Image

from sg_keras.curation.alignment import aligned, box_around
from sg_keras.curation.decode import UnreadableOriginalError, decode_original
from sg_keras.curation.encode import encoded, is_transparent, with_channels, without_alpha
from sg_keras.curation.faces import Face
from sg_keras.curation.journal import BAD, LEFT_OUT, NO_FACE, TRANSPARENT
from sg_keras.curation.recipe import Recipe
from sg_keras.curation.transforms import Box, Piece, pieces

Done = TypeVar("Done")

ASKED = "asked"  # kind of a result: a transparent image, of which nobody said what becomes
_BATCH_ORIGINALS, _BATCH_BYTES = 8, 1 << 22
_WAITING = 3  # batches for each process that are under way at most
_WHOLE_DRAFTS = ("none", "center-crop", "fit")  # transforms that need no more than the image's size of each side


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """An image: its index and name in the source, the file, its largest face; or why it cannot be read."""

    index: int
    name: str
    data: bytes = b""
    reason: str = ""
    face: Face | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Ready(Generic[Done]):
    """What work would make of an image, where that is known without it."""

    result: Done


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """Images of an original as bytes, each with its box; or the kind of reason why there are none, as of a journal."""

    index: int
    images: list[tuple[bytes, Box | None]] = dataclasses.field(default_factory=list)
    notes: tuple[str, ...] = ()
    kind: str = ""
    reason: str = ""


def convert_original(job: Job, recipe: Recipe) -> Result:
    """The images of one original."""
    if job.reason:
        return Result(job.index, kind=BAD, reason=job.reason)
    drafts = recipe.draft and recipe.transform.name in _WHOLE_DRAFTS
    try:
        decoded = decode_original(job.data, recipe.resolution if drafts else None)
    except UnreadableOriginalError as error:
        return Result(job.index, kind=BAD, reason=str(error))
    image, notes = decoded.image, decoded.notes
    if recipe.wants_faces and job.face is None:
        return Result(job.index, kind=NO_FACE)
    transparent = is_transparent(image)
    if transparent and recipe.alpha is None:
        return Result(job.index, kind=ASKED)
    if transparent and recipe.alpha == "drop-transparent":
        return Result(job.index, kind=TRANSPARENT)
    if recipe.alpha != "keep":
        if transparent:
            notes = (*notes, f"transparency on {recipe.alpha}")
        image = without_alpha(image, recipe.alpha if transparent else None)
    made = _made(with_channels(image, recipe.channels or 3), recipe, job)
    images = [(encoded(piece.image, recipe.format), piece.box) for piece in made]
    return Result(job.index, images, notes, "" if images else LEFT_OUT)


def _made(image: Image.Image, recipe: Recipe, job: Job) -> list[Piece]:
    if job.face is None or not recipe.wants_faces:
        return pieces(image, recipe, job.name)
    if recipe.align:
        return pieces(aligned(image, job.face), recipe, job.name)
    left, top, width, height = box = box_around(job.face, image.size, recipe.resolution or (1, 1))
    cut = image.crop((left, top, left + width, top + height))
    return [piece._replace(box=box) for piece in pieces(cut, recipe, job.name)]


def results(jobs: Iterable[Job | Ready[Result]], recipe: Recipe, workers: int) -> Iterator[Result]:
    """The results of all jobs in their order. Arguments and errors as of `in_order`; the recipe is for all images."""
    return in_order(jobs, functools.partial(convert_original, recipe=recipe), workers)


def in_order(jobs: Iterable[Job | Ready[Done]], work: Callable[[Job], Done], workers: int) -> Iterator[Done]:
    """What `work` makes of all jobs, in their order.

    Args:
        jobs: taken as they are needed, so that few files are in memory at a time; what is ready keeps its place.
        work: a function that other processes can import.
        workers: processes; with 1 the work is done in this one.

    Raises:
        OSError: a process was ended by somebody else, as where memory is short.
    """
    if workers == 1:
        yield from (job.result if isinstance(job, Ready) else work(job) for job in jobs)
        return
    # Not forked: threads, of TensorFlow too, may hold locks. Nothing of TensorFlow is loaded there.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, _prepare_worker)
    waiting: collections.deque[Future[list[Done]] | Ready[Done]] = collections.deque()
    try:
        for batch in _batches(jobs):
            if isinstance(batch, Ready):
                waiting.append(batch)
            else:
                with _interrupts_held():
                    waiting.append(executor.submit(_work_on_batch, batch, work))
            if len(waiting) >= _WAITING * workers:
                yield from _finished(waiting.popleft())
        while waiting:
            yield from _finished(waiting.popleft())
    except BrokenProcessPool as error:
        raise OSError(
            f"--workers: found that one of {workers} processes was ended from outside, expected all to run on: is "
            "there enough memory? Lower --workers and repeat the command"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _finished(batch: Future[list[Done]] | Ready[Done]) -> list[Done]:
    return [batch.result] if isinstance(batch, Ready) else batch.result()


def _batches(jobs: Iterable[Job | Ready[Done]]) -> Iterator[list[Job] | Ready[Done]]:
    batch: list[Job] = []
    size = 0
    for job in jobs:
        if isinstance(job, Ready):
            if batch:
                yield batch
            batch, size = [], 0
            yield job
            continue
        batch.append(job)
        size += len(job.data)
        if len(batch) == _BATCH_ORIGINALS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _work_on_batch(jobs: list[Job], work: Callable[[Job], Done]) -> list[Done]:
    return [work(job) for job in jobs]


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Within, Ctrl-C waits: processes that start here are born deaf to it, and end with their parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def leave() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=leave, daemon=True).start()
