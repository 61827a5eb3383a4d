"""Options of `sg_keras.tools.project`."""

from __future__ import annotations

from sg_keras.config.options.kinds import Boolean, Choice, Integer, Number, PathName
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import ClassChoice, Vector, options_of_tool

LOSSES = ("effnet+pixel", "discriminator+pixel", "vgg16+pixel", "pixel")

PROJECT_OPTIONS: tuple[Option, ...] = (
    *options_of_tool("project")[:1],  # --network
    Option(
        REQUIRED,
        "target",
        PathName("an image, or a folder or file of images", in_utf8=False),
        "Image, or folder, zip or other source of images, each projected: the largest part of the network's shape is "
        "cut out of the middle and resized.",
    ),
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory"),
        "Where proj.png, comparison.png, projected_w.npz and distances.json go; of several images, in a folder each.",
        "DIR",
    ),
    Option(
        RUN,
        "space",
        Choice("w", "w+"),
        "w: one style for all layers; w+: a style for each layer, pulled towards one.",
        default="w",
    ),
    Option(
        RUN,
        "loss",
        Choice(*LOSSES),
        "How far images look apart: by EfficientNet-Lite0, by the run's own discriminator, by VGG16 (--vgg16), each "
        "with the pixels, or by the pixels alone.",
        default="effnet+pixel",
    ),
    BY_KEY["vgg16"],
    Option(
        RUN,
        "noise",
        Choice("stored", "fitted"),
        "StyleGAN2's images of noise: stored, those of the network, with which the styles are used afterwards; fitted "
        "beside the styles and then forgotten, as published.",
        default="stored",
    ),
    Option(RUN, "num-steps", Integer(1), "Steps of projection.", default_text="1000, with --tune 450"),
    Option(
        RUN,
        "stop-below",
        Number(positive=True),
        "End once the distance is below this, of several images at a time for all of them.",
        default_text="never",
    ),
    Option(
        RUN,
        "tune",
        Boolean(),
        "Then change the network a little so that it gives the image (pivotal tuning); tuned/ is its snapshot.",
        default=False,
        switch=True,
    ),
    Option(RUN, "tune-steps", Integer(1), "Steps of --tune, at most.", default=350),
    Option(RUN, "seed", Integer(0), "Of the noise.", default=0),
    Option(
        RUN,
        "class",
        ClassChoice(),
        "Class of all images, of a conditional network: its index, or its name where the training images had names.",
        default_text="asked for where there are classes",
    ),
    Option(
        RUN,
        "label",
        Vector(),
        "Label of all images, where labels are vectors of numbers.",
        default_text="asked for where there are such labels",
    ),
    Option(
        RUN,
        "align",
        Choice("ffhq"),
        "ffhq: the largest face is rotated and cut as in FFHQ, for networks trained on such images.",
        default_text="none",
    ),
    Option(RUN, "batch", Integer(1), "Images projected at a time.", default_text="as many as suit their size"),
    Option(RUN, "save-video", Boolean(), "Write the film of the way, way.webp, beside.", default=False, switch=True),
    BY_KEY["ops"],
    BY_KEY["debug"],
)
