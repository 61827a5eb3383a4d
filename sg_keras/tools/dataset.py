"""Make data sets of images.

    python -m sg_keras.tools.dataset convert --source=photos --dest=photos-256.zip \\
        --resolution=256x256 --transform=center-crop
    python -m sg_keras.tools.dataset convert --source=photos --dest=cats.zip --resolution=128 \\
        --transform=fit --background=blur --labels=folders --alpha=white

convert makes all originals of a folder or file images of one size and kind: a zip file, a folder,
TFRecords or an LMDB, which --data of the training takes as they are. An image that cannot be read
stops nothing: the last line counts them, and DEST.report.json says why. Killed and repeated, the
command goes on where it was.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.cache import is_url
from sg_keras.files.printable import printable
from sg_keras.flags.convert_options import CONVERT_OPTIONS
from sg_keras.flags.tool_options import parse_tool_options, tool_help_text
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import named_errors
from sg_keras.tools.quiet_start import load_quietly

if TYPE_CHECKING:
    from sg_keras.curation.convert import Progress

_VERBS = ("convert",)
_LINE_SECONDS = 30.0  # between lines on progress where there is no terminal


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the first word says; returns the exit status."""
    return run_words(_run, lambda: tool_help_text(__doc__ or "", CONVERT_OPTIONS), argv)


def _run(words: list[str]) -> int:
    if not words or words[0] not in _VERBS:
        found = f"{words[0]!r}" if words else "nothing"
        raise ValueError(f"found {found}, expected {' or '.join(_VERBS)} and its options (see --help)")
    return _convert(parse_tool_options(words[1:], CONVERT_OPTIONS))


def _convert(values: dict[str, Any]) -> int:
    from sg_keras.curation.convert import Request, convert
    from sg_keras.curation.sources import open_originals

    if is_url(values["source"]):
        load_quietly("tensorflow")  # which has the file systems
    recipe = _recipe(values)
    request = Request(
        destination=values["dest"],
        labels=values["labels"],
        label_separator=values["label_separator"],
        max_images=values["max_images"],
        workers=values["workers"] or len(os.sched_getaffinity(0)),
        skip_bad=values["on_bad_image"] == "skip",
    )
    how = {"follow_links": values["follow_links"], "image_column": values["image_column"]}
    source = named_errors("--source", lambda: open_originals(values["source"], **how))
    try:
        for note in source.notes:
            _tell(note)
        with _Shown() as on_progress:
            report = convert(source, recipe, request, on_progress, _tell)
    finally:
        source.close()
    for line in report.lines():
        print(_one_line(line))
    return 0 if report.images else 1


def _tell(line: str) -> None:
    print(_one_line(line), file=sys.stderr)


def _one_line(text: str) -> str:
    """With what names of files may hold escaped, line breaks too."""
    return printable(text).replace("\n", "\\n")


def _recipe(values: dict[str, Any]) -> Any:
    from sg_keras.curation.recipe import Recipe, Transform

    name, numbers = values["transform"]
    names = ("resolution", "filter", "linear_light", "background", "alpha", "format", "seed", "draft")
    channels = None if values["channels"] == "auto" else values["channels"]
    return Recipe(
        transform=Transform(name=name, numbers=numbers), channels=channels, **{key: values[key] for key in names}
    )


class _Shown:
    """Shows progress on stderr: a bar on a terminal, or else a line now and then."""

    def __init__(self) -> None:
        import rich.console
        import rich.progress

        columns = (
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[rate]}"),
        )
        console = rich.console.Console(stderr=True)
        self._is_bar = sys.stderr.isatty()
        self._bar = rich.progress.Progress(*columns, console=console, transient=True, disable=not self._is_bar)
        self._task: rich.progress.TaskID | None = None
        self._stage, self._next_line = "", 0.0

    def __enter__(self) -> Callable[[Progress], None]:
        self._bar.start()
        return self._show

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def _show(self, progress: Progress) -> None:
        rate = f"{progress.per_sec:.0f} images/s, {_duration(progress.seconds_left)} left"
        if progress.stage != self._stage:
            self._stage, self._next_line = progress.stage, time.monotonic() + _LINE_SECONDS
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(progress.stage, total=progress.total, rate="")
        if self._task is not None:
            self._bar.update(self._task, completed=progress.done, rate=rate)
        if not self._is_bar and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LINE_SECONDS
            print(f"{progress.stage}: {progress.done} of {progress.total} images, {rate}", file=sys.stderr)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


if __name__ == "__main__":
    sys.exit(main())
