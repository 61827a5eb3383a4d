"""Conversion of images to a data set: a survey, the work in any number of processes, and what can be gone on from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sg_keras
from sg_keras.curation.destinations import Destination, destination_kind, open_destination
from sg_keras.curation.encode import suffix_of
from sg_keras.curation.faces import LEAST_CONFIDENCE, FaceMemory
from sg_keras.curation.journal import BAD, UNLABELLED, Entry, Journal
from sg_keras.curation.labels import OriginalLabels, dataset_json, read_labels
from sg_keras.curation.original_source import OriginalSource
from sg_keras.curation.partial_files import discard_partial, refuse_existing
from sg_keras.curation.progress import Progress, clock
from sg_keras.curation.recipe import PIXELS, Recipe
from sg_keras.curation.report import ConversionReport, make_report, report_path, write_report
from sg_keras.curation.survey import Survey, first_transparent, survey
from sg_keras.curation.transforms import output_size
from sg_keras.curation.work import ASKED, Job, Ready, Result, results
from sg_keras.data.faults import join_some
from sg_keras.files.errors import file_errors_explained

_FOLDER_IMAGES = 1000  # by the first five digits of eight, as published
_KEPT_EVERY = 16  # images


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, beside the recipe.

    Attributes:
        destination: NAME.zip, NAME.tfrecords, NAME.lmdb, or a folder; nothing is there yet.
        labels: folders, csv:FILE[:COLUMN,...], json:FILE, none, or auto: carried over where there are any.
        label_separator: between the classes of one image.
        drop_unlabelled: whether images without a label are left out, where others have one, or refused.
        max_images: how many images to take, from the first on; None = all.
        workers: processes.
        skip_bad: whether images that cannot be read are left out, or stop the conversion.
    """

    destination: str
    labels: str = "auto"
    label_separator: str | None = None
    drop_unlabelled: bool = False
    max_images: int | None = None
    workers: int = 1
    skip_bad: bool = True


def convert(
    source: OriginalSource,
    recipe: Recipe,
    request: Request,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda line: None,
    memory: FaceMemory | None = None,
) -> ConversionReport:
    """Convert all images of a source. Killed and called again with the same arguments, it goes on where it was.

    Args:
        source: of the images.
        recipe: what becomes of each; channels may be left open.
        request: the rest.
        on_progress: is told how far it is.
        tell: is told lines that people should see meanwhile.
        memory: finds faces, in this process; needed where the recipe asks for them.

    Returns:
        What was done. Where no image could be used there is no destination, but a report.

    Raises:
        OSError: something cannot be read or written, or with skip_bad=False an image cannot.
        ValueError: images, labels and recipe do not go together. Both one line, and nothing under the destination's
            name.
    """
    path = pathlib.Path(request.destination)
    destination_kind(path)
    with file_errors_explained(path):
        refuse_existing(path)
    count = len(source.names) if request.max_images is None else min(request.max_images, len(source.names))
    found = survey(source, count, clock("looking", count, 0, on_progress))
    if found.bad and not request.skip_bad:
        raise OSError(join_some([_named(source, index, found.bad[index]) for index in sorted(found.bad)], "images"))
    used = [index for index in range(count) if index not in found.bad]
    labels = read_labels(source, request.labels, request.label_separator, used, request.drop_unlabelled)
    found = found.without(frozenset(labels.unlabelled))
    recipe = _settled(source, found, recipe, request)
    for line in labels.notes:
        tell(line)
    with file_errors_explained(path):
        return _Conversion(source, found, recipe, request, labels, memory).run(on_progress, tell)


def _settled(source: OriginalSource, found: Survey, recipe: Recipe, request: Request) -> Recipe:
    """The recipe with nothing open. ValueError: the images do not go with it."""
    transparent = first_transparent(source, found) if recipe.alpha is None else None
    if transparent is not None and recipe.channels != 4:
        raise ValueError(_alpha_question(source, transparent))
    if recipe.channels == 4 and recipe.alpha is None:
        recipe = dataclasses.replace(recipe, alpha="keep")
    if recipe.channels is None:
        channels = found.channels(recipe.alpha == "keep")
        nothing_to_keep = recipe.alpha == "keep" and channels != 4
        recipe = dataclasses.replace(recipe, channels=channels, alpha=None if nothing_to_keep else recipe.alpha)
    sizes = found.sizes()
    if recipe.resolution is None and recipe.transform.name == "none" and len(sizes) > 1:
        raise ValueError(
            f"--resolution: found none and images of {len(sizes)} sizes ({sizes[0][0]} the most frequent, "
            f"{sizes[0][1]} of {sum(count for _, count in sizes)}), expected WIDTHxHEIGHT, and a --transform such as "
            "center-crop"
        )
    if destination_kind(pathlib.Path(request.destination)) == "tfrecords":
        if recipe.format != "png":
            raise ValueError(f"--format: found {recipe.format} with TFRecords, expected none: they hold pixels")
        recipe = dataclasses.replace(recipe, format=PIXELS)
    return recipe


def _alpha_question(source: OriginalSource, index: int) -> str:
    return _named(
        source,
        index,
        "found transparency (alpha), expected --alpha=keep, white, black, #rrggbb or drop-transparent to say what "
        "becomes of it",
    )


def _named(source: OriginalSource, index: int, reason: str) -> str:
    return reason if reason.startswith(source.path) else f"{source.path}/{source.names[index]}: {reason}"


class _Conversion:
    """One conversion, once all questions are answered."""

    def __init__(
        self,
        source: OriginalSource,
        found: Survey,
        recipe: Recipe,
        request: Request,
        labels: OriginalLabels,
        memory: FaceMemory | None,
    ) -> None:
        self._source, self._survey, self._recipe, self._request, self._labels = source, found, recipe, request, labels
        self._memory = memory if recipe.wants_faces else None
        self._path = pathlib.Path(request.destination)
        self._total = len(found.facts)
        sizes = [facts.size for facts in found.facts if facts is not None]
        self._size = output_size(recipe, sizes[0] if sizes else (0, 0))

    def run(self, on_progress: Callable[[Progress], None], tell: Callable[[str], None]) -> ConversionReport:
        """Do what is not done yet."""
        journal = Journal(self._path, self._plan())
        try:
            destination = self._opened(journal)
            start = len(journal.entries)
            if start:
                tell(f"{self._path}: {start} of {self._total} images were done before, going on from there")
            try:
                self._work(destination, journal, clock("converting", self._total, start, on_progress))
                report = self._report(journal, start)
                if report.images:
                    destination.finish(*self._last(journal, report))
            finally:
                destination.close()
        except ValueError:  # another recipe is asked for, which has nothing to go on from
            journal.remove()
            discard_partial(self._path)
            raise
        finally:
            journal.close()
        if not report.images:
            discard_partial(self._path)
        write_report(report)
        journal.remove()
        return report

    def _opened(self, journal: Journal) -> Destination:
        """The destination, where the journal ends; both anew where it is not as the journal says."""
        side = max(self._size)
        try:
            return open_destination(self._path, journal.receipts(), side)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno is not None:
                raise
        journal.restart(self._plan())
        return open_destination(self._path, [], side)

    def _plan(self) -> str:
        """A digest of all that the bytes of images follow from."""
        content: tuple[Any, ...] = (
            sg_keras.__version__,
            self._recipe.record(),
            self._survey.digest,
            self._request.skip_bad,
        )
        content = content if self._memory is None else (*content, self._memory.name)
        content = (*content, self._labels.unlabelled) if self._labels.unlabelled else content
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _work(self, destination: Destination, journal: Journal, on_done: Callable[[int], None]) -> None:
        kept: list[Entry] = []
        done = len(journal.entries)
        for result in results(self._jobs(done), self._recipe, self._request.workers):
            kept.append(self._write(destination, result))
            done += 1
            if len(kept) == _KEPT_EVERY:
                destination.flush()
                journal.add(kept)
                kept = []
            on_done(done)
        destination.flush()
        journal.add(kept)

    def _jobs(self, start: int) -> Iterator[Job | Ready[Result]]:
        unlabelled = frozenset(self._labels.unlabelled)
        for index in range(start, self._total):
            if index in unlabelled:
                yield Ready(Result(index, kind=UNLABELLED))
                continue
            name, reason = self._source.names[index], self._survey.bad.get(index, "")
            try:
                data = b"" if reason else self._source.read(index)
            except OSError as error:
                yield Job(index, name, reason=str(error))
                continue
            faces = self._memory.faces(data) if self._memory is not None and data else ()
            sure = [face for face in faces if face.confidence >= LEAST_CONFIDENCE]
            yield Job(index, name, data, reason, sure[0] if sure else None)

    def _write(self, destination: Destination, result: Result) -> Entry:
        if result.kind == ASKED:
            raise ValueError(_alpha_question(self._source, result.index))
        if result.kind == BAD and not self._request.skip_bad:
            raise OSError(_named(self._source, result.index, result.reason))
        several = self._recipe.transform.numbers
        images: list[list[Any]] = []
        for number, (content, box) in enumerate(result.images):
            name = image_name(result.index, number if several else None, suffix_of(self._recipe.format))
            images.append([name, box, destination.add(name, content)])
        return Entry(result.index, images, result.notes, result.kind, result.reason)

    def _report(self, journal: Journal, start: int) -> ConversionReport:
        report = make_report(
            self._source.names,
            journal.entries,
            self._survey.sizes(),
            destination=str(self._path),
            continued_from=start,
            path=str(report_path(self._path)),
        )
        return report if report.images else dataclasses.replace(report, destination="")

    def _last(self, journal: Journal, report: ConversionReport) -> tuple[Sequence[Any] | None, bytes]:
        """Labels of all images, and the content of dataset.json."""
        labelled = self._labels.by_index
        pairs = [
            [name, labelled[entry.index]]
            for entry in journal.entries
            for name, _, _ in entry.images
            if entry.index in labelled
        ]
        conversion = {
            "tool": f"sg-keras {sg_keras.__version__}",
            "source": self._source.path,
            "labels": self._request.labels,
            "max_images": self._request.max_images,
            "size": "x".join(map(str, self._size)),
            **self._recipe.record(),
            **report.counts(),
        }
        crops = {
            name: [self._source.names[entry.index], *box]
            for entry in journal.entries
            for name, box, _ in entry.images
            if box is not None
        }
        content = dataset_json(pairs or None, self._labels.class_names, conversion, crops)
        return [label for _, label in pairs] or None, content


def image_name(index: int, number: int | None, suffix: str) -> str:
    """The name of an image by its original's index, as published; `number` counts the images of one original."""
    part = "" if number is None else f"-{number:05d}"
    return f"{index // _FOLDER_IMAGES:05d}/img{index:08d}{part}{suffix}"
