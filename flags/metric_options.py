"""Options of `sg_keras.tools.calc_metrics`."""

from __future__ import annotations

from sg_keras.config.metric_specs import MetricSpec, parse_metric
from sg_keras.config.options.kinds import Boolean, Choice, Integer, PathName
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import FiniteNumber


class Scores:
    """Names of scores, separated by commas."""

    metavar = "A,B,C"

    def parse(self, argument: str) -> tuple[MetricSpec, ...]:
        """Return the scores, each once, in their order."""
        names = dict.fromkeys(name.strip() for name in argument.split(","))
        return tuple(parse_metric(name) for name in names)


CALC_METRICS_OPTIONS: tuple[Option, ...] = (
    Option(
        REQUIRED,
        "metrics",
        Scores(),
        "Scores and how many fakes each takes, such as fd5k,kd5k: fd, kd, mind, precision, recall, density, coverage, "
        "is, authpct. Or published ones, such as fid50k_full.",
    ),
    Option(
        RUN,
        "network",
        PathName("a run directory, a network snapshot, a checkpoint, a SavedModel, a file of networks or its address"),
        "Networks whose G_ema makes the fakes, as --network of generate has them. Given several times: a table.",
    ),
    Option(
        RUN,
        "images",
        PathName("a folder or file of images", in_utf8=False),
        "Images of any origin and size in place of a network's: of N, the first N are scored.",
    ),
    Option(
        RUN,
        "data",
        PathName("a folder or file of images, or its address", in_utf8=False),
        "The reals: all that are there.",
        default_text="what the network was trained on",
    ),
    BY_KEY["features"],
    BY_KEY["inception"],
    BY_KEY["vgg16"],
    Option(
        RUN,
        "reference",
        PathName("a file"),
        "Features of the reals in place of --data; it is made if it does not exist.",
        "STATS.npz",
        default_text="none",
    ),
    Option(
        RUN,
        "curve",
        PathName("a file"),
        "Write the scores of all networks to NAME.csv and draw them along the run in NAME.png.",
        "NAME",
        default_text="none",
    ),
    Option(
        RUN,
        "against",
        PathName("a file"),
        "Compare with what --json printed before; scores that cannot be compared are refused.",
        "FILE",
        default_text="nothing",
    ),
    Option(RUN, "mirror", Boolean(), "Mirrored copies of the reals count as reals.", default=False, switch=True),
    Option(RUN, "seed", Integer(0), "Of the fakes' latents, labels and noise.", default=0),
    Option(RUN, "trunc", FiniteNumber(), "Truncation of the fakes: 1 is none, as published.", "PSI", 1.0),
    Option(
        RUN,
        "noise-mode",
        Choice("const", "random", "none"),
        "Noise inputs; published scores have random.",
        "MODE",
        "random",
    ),
    Option(
        RUN,
        "cache_dir",
        PathName("a directory"),
        "Where features are kept, by content, so that none is computed twice.",
        "DIR",
        default_text="features in the cache folder",
    ),
    Option(RUN, "no_cache", Boolean(), "Keep no features and use none that were kept.", default=False, switch=True),
    Option(
        RUN,
        "json",
        Boolean(),
        "The last line is a JSON object, by score value, low, high and fingerprint.",
        default=False,
        switch=True,
    ),
    BY_KEY["ops"],
    BY_KEY["debug"],
)
