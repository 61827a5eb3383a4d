"""Options of `sg_keras.tools.dataset audit`."""

from __future__ import annotations

from sg_keras.config.options.kinds import Boolean, Choice, Integer, PathName
from sg_keras.flags.convert_options import LabelSource
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option

DATA = Option(
    REQUIRED,
    "data",
    PathName("a folder or file of images, or its address", in_utf8=False),
    "The set: whatever convert takes as --source, prepared or not.",
)
WORKERS = Option(RUN, "workers", Integer(1), "Processes that decode and measure.", default_text="all cores")
LABELS = Option(
    RUN,
    "labels",
    LabelSource(),
    "Classes: folders, csv:FILE[:COLUMN,...], json:FILE, none, or auto: those that the set has.",
    default="auto",
)

NO_CACHE = Option(
    RUN,
    "no-cache",
    Boolean(),
    "Keep nothing of what is seen of images, and use nothing that was kept.",
    default=False,
    switch=True,
)

AUDIT_OPTIONS: tuple[Option, ...] = (
    DATA,
    Option(
        REQUIRED,
        "out",
        PathName("the name of an HTML file"),
        "The page, which is replaced if it is there; what it says goes to a .json file of that name as well.",
        "FILE",
    ),
    LABELS,
    Option(
        RUN,
        "features",
        Boolean(),
        "Look with EfficientNet-Lite0 as well; 0 is faster, and map, outliers and near duplicates are coarser.",
        default=True,
    ),
    Option(
        RUN,
        "map",
        Choice("auto", "tsne", "pca"),
        "How the map is made; auto takes t-SNE where scikit-learn is installed, up to 5,000 images.",
        default="auto",
    ),
    Option(RUN, "max-images", Integer(1), "Look at the first N images.", default_text="all"),
    WORKERS,
    NO_CACHE,
    BY_KEY["debug"],
)
