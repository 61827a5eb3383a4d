"""Options of `sg_keras.tools.dataset curate`."""

from __future__ import annotations

from sg_keras.config.face_conditions import FaceCondition, parse_face_conditions
from sg_keras.config.options.kinds import Boolean, Integer, Number, PathName, refusal
from sg_keras.files.cache import expand_home
from sg_keras.flags.audit_options import DATA, LABELS, NO_CACHE, WORKERS
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option


class ClassNames:
    """Classes by name or number, such as cat,dog."""

    metavar = "A,B,C"

    def parse(self, argument: str) -> tuple[str, ...]:
        """Return them, each once."""
        names = tuple(dict.fromkeys(part.strip() for part in argument.split(",")))
        if not all(names):
            raise refusal(argument, "names or numbers of classes such as cat,dog")
        return names


class FaceConditions:
    """Conditions on faces, such as eye_height<0.10; count=1."""

    metavar = "CONDITIONS"

    def parse(self, argument: str) -> tuple[FaceCondition, ...]:
        """Return them."""
        return parse_face_conditions(argument)


class Silhouette:
    """u2netp, or u2netp:FILE."""

    metavar = "u2netp[:FILE]"

    def parse(self, argument: str) -> str:
        """Return the file's path, "" where it is to be found."""
        name, colon, path = argument.partition(":")
        if name != "u2netp" or bool(colon) != bool(path.strip()):
            raise refusal(argument, "u2netp, or u2netp:FILE with u2netp.onnx or the wheel that has it")
        return expand_home(path)


def _switch(name: str, meaning: str) -> Option:
    return Option(RUN, name, Boolean(), meaning, default=False, switch=True)


CURATE_OPTIONS: tuple[Option, ...] = (
    DATA,
    Option(
        REQUIRED,
        "dest",
        PathName("the name of a new file or folder"),
        "What is written, and new: NAME.zip, NAME.tfrecords (images of one size), NAME.lmdb, or any other name for a "
        "folder.",
    ),
    Option(
        RUN,
        "max-brisque",
        Number(),
        "Drop images with a higher BRISQUE score: blurred, noisy or compressed ones. 45 is a start.",
        default_text="none by that",
    ),
    Option(
        RUN,
        "min-symmetry",
        Number(0, 1),
        "Drop images whose left and right are less alike than this, 0 to 1.",
        default_text="none by that",
    ),
    Option(
        RUN,
        "silhouette",
        Silhouette(),
        "Measure symmetry on the silhouette that this network sees where there is no alpha; FILE is u2netp.onnx or the "
        "wheel that has it.",
        default_text="what differs from the border's colour",
    ),
    _switch("drop-duplicates", "Of images that are, or look, the same keep the one with the most pixels."),
    _switch("outliers", "Drop images that are far from all others."),
    Option(
        RUN,
        "faces",
        FaceConditions(),
        "Keep images whose largest face meets all of these, separated by semicolons: eye_height (difference, in eye "
        "distances), centre (how far off, 0 to 1), size (of the image's shorter side), count and confidence, as in "
        "'eye_height<0.10; centre<0.90; count=1'.",
        default_text="none by that",
    ),
    Option(RUN, "classes", ClassNames(), "Keep these classes alone, by name or number.", default_text="all"),
    Option(RUN, "min-per-class", Integer(0), "Drop classes with fewer images than this.", default=0),
    _switch("balance", "Cut all classes down to the number of the rarest one."),
    Option(
        RUN,
        "list",
        PathName("a file"),
        "Decisions by name, above all measures: curation.json of the audit's page or of an earlier curate, or a text "
        "file of the names that may stay.",
        "FILE",
        default_text="none",
    ),
    LABELS,
    _switch("dry-run", "Print what would be dropped, with a histogram of each measure, and write nothing."),
    WORKERS,
    NO_CACHE,
    BY_KEY["debug"],
)
