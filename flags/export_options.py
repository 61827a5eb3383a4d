"""Options of `sg_keras.tools.export`."""

from __future__ import annotations

from sg_keras.config.choices import EXPORT_FORMATS, ONNX_OPSETS
from sg_keras.config.options.kinds import Boolean, Choice, Integer, Names, PathName
from sg_keras.flags.options import REQUIRED, RUN, Option
from sg_keras.flags.tool_options import options_of_tool

_OWN = (
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory"),
        "Where the export goes; of several formats each has a folder in it, called by the format. An older export of "
        "that format is replaced.",
        "DIR",
    ),
    Option(
        RUN,
        "format",
        Names(EXPORT_FORMATS),
        f"What is written: some of {', '.join(EXPORT_FORMATS)}.",
        default=("savedmodel",),
    ),
    Option(
        RUN,
        "check",
        Boolean(),
        "Open each export and compare it with the network: errors, equal pixels, time and size. Exit status 1 where "
        "one is not the same.",
        default=False,
        switch=True,
    ),
    Option(
        RUN,
        "noise-mode",
        Choice("const", "random", "none"),
        "Noise inputs: const is stored in the network; random is fresh with each call (savedmodel, onnx). StyleGAN3 "
        "has none.",
        "MODE",
        "const",
    ),
    Option(RUN, "opset", Integer(*ONNX_OPSETS), "Version of ONNX's operators.", default=ONNX_OPSETS[1]),
    Option(
        RUN,
        "runtime",
        PathName("a folder or file"),
        "Folder or archive of the npm package onnxruntime-web, for pages.",
        default_text="fetched by npm once, and kept",
    ),
    Option(
        RUN,
        "json",
        Boolean(),
        "The last line is a JSON object: of each format folder, size and, with --check, parity.",
        default=False,
        switch=True,
    ),
)
EXPORT_OPTIONS: tuple[Option, ...] = (*_OWN, *options_of_tool("export"))
