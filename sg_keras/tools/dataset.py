"""Make data sets of images, and see what they are like.

    python -m sg_keras.tools.dataset convert --source=photos --dest=photos-256.zip \\
        --resolution=256x256 --transform=center-crop
    python -m sg_keras.tools.dataset convert --source=photos --dest=cats.zip --resolution=128 \\
        --transform=fit --background=blur --labels=folders --alpha=white
    python -m sg_keras.tools.dataset audit --data=photos-256.zip --out=audit.html
    python -m sg_keras.tools.dataset curate --data=photos-256.zip --dest=good.zip --max_brisque=45 \\
        --drop_duplicates --list=curation.json --dry-run

convert makes all originals of a folder or file images of one size and kind: a zip file, a folder,
TFRecords or an LMDB, which --data of the training takes as they are. An image that cannot be read
stops nothing: the last line counts them, and DEST.report.json says why. Killed and repeated, the
command goes on where it was.

audit looks at all images of a set, prepared or not, and writes a page for the browser:
duplicates, blurred and dark images, outliers, a map, whether mirrored copies look natural, and
the options to train with. What is accepted or rejected there can be saved as curation.json.
What is seen of an image is kept in the cache folder by the content of its file, so that audit and
curate, killed and repeated, look at the images that are left.

curate writes a new set of the images that pass: by sharpness, symmetry, likeness, classes or a
list such as curation.json. It says why each other image is dropped, and touches no source.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.cache import cache_folder
from sg_keras.files.printable import printable
from sg_keras.files.processor import usable_cores
from sg_keras.flags.audit_options import AUDIT_OPTIONS
from sg_keras.flags.convert_options import CONVERT_OPTIONS
from sg_keras.flags.curate_options import CURATE_OPTIONS
from sg_keras.flags.options import Option
from sg_keras.flags.tool_options import parse_tool_options, tool_help_text
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import named_errors
from sg_keras.tools.quiet_start import load_quietly
from sg_keras.tools.scored_images import opened_originals
from sg_keras.tools.shown_progress import ShownProgress

if TYPE_CHECKING:
    from sg_keras.curation.audit import Audit
    from sg_keras.curation.original_source import OriginalSource
    from sg_keras.curation.progress import Progress

_NUMBERS_BEGIN = b'{\n "tool": "sg-keras'  # of audit.json


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the first word says; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    return run_words(_run, lambda: _help(words), argv)


def _run(words: list[str]) -> int:
    if not words or words[0] not in _VERBS:
        found = f"{words[0]!r}" if words else "nothing"
        raise ValueError(f"found {found}, expected {' or '.join(_VERBS)} and its options (see --help)")
    work, options = _VERBS[words[0]]
    return work(parse_tool_options(words[1:], options))


def _help(words: Sequence[str]) -> str:
    """The options of the verb that is there, or those of all."""
    asked = [verb for verb in _VERBS if verb in words] or list(_VERBS)
    texts = [tool_help_text(f"Options of {verb}:", _VERBS[verb][1]) for verb in asked]
    return "\n\n".join([(__doc__ or "").strip(), *texts])


def _convert(values: dict[str, Any]) -> int:
    from sg_keras.curation.convert import Request, convert

    recipe = _recipe(values)
    request = Request(
        destination=values["dest"],
        labels=values["labels"],
        label_separator=values["label_separator"],
        drop_unlabelled=values["unlabelled"] == "drop",
        max_images=values["max_images"],
        workers=_workers(values),
        skip_bad=values["on_bad_image"] == "skip",
    )
    memory = _face_memory("--align" if recipe.align else "--crop-box-from") if recipe.wants_faces else None
    how = {"follow_links": values["follow_links"], "image_column": values["image_column"]}
    with opened_originals("--source", values["source"], **how) as source, ShownProgress() as on_progress:
        for note in source.notes:
            _tell(note)
        report = convert(source, recipe, request, on_progress, _tell, memory)
    for line in report.lines():
        print(_one_line(line))
    return 0 if report.images else 1


def _audit(values: dict[str, Any]) -> int:
    from sg_keras.curation.audit import audit
    from sg_keras.curation.audit_page import audit_page
    from sg_keras.files.atomic import write_text

    page = _page(values["out"])
    memory = _look_memory(values)
    extractor = _extractor(values["features"])
    with opened_originals("--data", values["data"]) as source, ShownProgress() as on_progress:
        found = audit(
            source,
            values["data"],
            extractor,
            workers=_workers(values),
            max_images=values["max_images"],
            labels=values["labels"],
            map_method=values["map"],
            memory=memory,
            on_progress=on_progress,
            tell=_tell,
        )
    numbers = page.with_suffix(".json")
    write_text(numbers, found.json())
    write_text(page, audit_page(found))
    print("\n".join(found.lines()))
    print(f"{page} shows it all in a browser; the numbers are in {numbers}")
    return 0 if found.measures else 1


def _page(typed: str) -> pathlib.Path:
    """Where the page goes. ValueError: nothing can be written there, or the numbers would replace another file."""
    page = pathlib.Path(typed)
    if page.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--out: found {typed!r}, expected a name that ends in .html")
    if not page.parent.is_dir():
        raise ValueError(f"--out: {page.parent}: found no such folder, expected one that is there")
    numbers = page.with_suffix(".json")
    if numbers.exists() and not numbers.read_bytes()[:200].lstrip().startswith(_NUMBERS_BEGIN):
        raise ValueError(f"--out: {numbers}: found another file there, expected nothing or the numbers of an audit")
    return page


def _curate(values: dict[str, Any]) -> int:
    from sg_keras.curation.audit import audit
    from sg_keras.curation.curate import Listed, Rules, curate, read_list
    from sg_keras.curation.curated import check_curated, curation_path, write_curated
    from sg_keras.curation.histograms import histogram_lines
    from sg_keras.curation.silhouettes import silhouette_symmetries as silhouettes

    check_curated(values["dest"])
    path = values["list"]
    names = ("max_brisque", "min_symmetry", "drop_duplicates", "outliers", "min_per_class", "balance")
    rules = Rules(
        classes=values["classes"] or (),
        faces=values["faces"] or (),
        listed=Listed() if path is None else named_errors("--list", lambda: read_list(path)),
        **{name: values[name] for name in names},
    )
    masks = _masks(values)
    memory = _face_memory("--faces", not values["no_cache"]) if rules.faces else None
    looks = _look_memory(values)
    extractor = _extractor(rules.outliers or rules.drop_duplicates)
    with opened_originals("--data", values["data"]) as source, ShownProgress() as on_progress:
        how = {"labels": values["labels"], "map_method": "pca", "on_progress": on_progress, "tell": _tell}
        found = audit(source, values["data"], extractor, workers=_workers(values), memory=looks, **how)
        if masks is not None:
            found = found.with_symmetries(silhouettes(source.read, found.symmetries(), masks, on_progress, looks))
        curation = curate(found, rules, _faces(source, found, memory, on_progress))
        if curation.kept and not values["dry_run"]:
            write_curated(source, curation, values["dest"], on_progress)
    if values["dry_run"]:
        for label, limit, counts in curation.histograms:
            print("\n".join(histogram_lines(label, limit, counts)))
    print("\n".join([*found.notes, *curation.lines()]))
    if not curation.kept:
        return 1
    place = pathlib.Path(values["dest"])
    written = f"{place} holds them; {curation_path(place)} says why the others are not in it"
    print("nothing is written (--dry-run)" if values["dry_run"] else written)
    return 0


_VERBS: dict[str, tuple[Callable[[dict[str, Any]], int], tuple[Option, ...]]] = {
    "convert": (_convert, CONVERT_OPTIONS),
    "audit": (_audit, AUDIT_OPTIONS),
    "curate": (_curate, CURATE_OPTIONS),
}


def _extractor(wanted: bool) -> Any:
    """The network that sees, None where it is not wanted."""
    if not wanted:
        return None
    load_quietly("tensorflow", "keras")
    from sg_keras.features import EfficientNetLite0

    return EfficientNetLite0()


def _masks(values: dict[str, Any]) -> Any:
    """What finds silhouettes; None where nobody asks."""
    if values["silhouette"] is None:
        return None
    if values["min_symmetry"] is None:
        raise ValueError(
            "--silhouette: found it without --min_symmetry, expected both: it is symmetry that is measured"
        )
    from sg_keras.curation.silhouettes import U2NetP

    return U2NetP(values["silhouette"])


def _look_memory(values: dict[str, Any]) -> Any:
    """What was seen of images before."""
    from sg_keras.curation.kept_looks import LookMemory

    return LookMemory(None if values["no_cache"] else cache_folder() / "looks")


def _face_memory(option: str, keeps: bool = True) -> Any:
    """What finds faces, in this process alone, and remembers them."""
    load_quietly("tensorflow", "keras")
    from sg_keras.curation.faces import FaceMemory, MTCNNDetector

    return FaceMemory(MTCNNDetector(option), keeps)


def _faces(source: OriginalSource, found: Audit, memory: Any, on_progress: Callable[[Progress], None]) -> Any:
    """Measures of faces of all readable images; None where nobody asks."""
    if memory is None:
        return None
    from sg_keras.curation.faces import all_faces

    sizes = {index: (one.width, one.height) for index, one in found.measures.items()}
    return all_faces(source.read, sizes, memory, on_progress)


def _workers(values: dict[str, Any]) -> int:
    return int(values["workers"] or usable_cores())


def _tell(line: str) -> None:
    print(_one_line(line), file=sys.stderr)


def _one_line(text: str) -> str:
    """With what names of files may hold escaped, line breaks too."""
    return printable(text).replace("\n", "\\n")


def _recipe(values: dict[str, Any]) -> Any:
    from sg_keras.curation.recipe import Recipe, Transform

    name, numbers = values["transform"]
    names = ("resolution", "filter", "linear_light", "background", "alpha", "format", "seed", "draft")
    faces: dict[str, Any] = {name: values[name] or "" for name in ("crop_box_from", "align")}
    channels = None if values["channels"] == "auto" else values["channels"]
    return Recipe(
        transform=Transform(name=name, numbers=numbers),
        channels=channels,
        **faces,
        **{key: values[key] for key in names},
    )


if __name__ == "__main__":
    sys.exit(main())
