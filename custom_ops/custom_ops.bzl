"""How an op is built: `custom_op` in the folder of each, `custom_op_library` once for all."""

load("@tensorflow//:installed.bzl", "COMPILE_FLAGS", "CUDA", "PYTHON", "STAMP", "TENSORFLOW_VERSION")

COPTS = COMPILE_FLAGS

# The folders of the ops.
OPS = [
    "bias_act",
    "channel_scale",
    "filtered_lrelu",
    "upfirdn2d",
    "warp_affine",
]

def cuda_objects(name, headers):
    """Compiles the CUDA kernels (cc/kernels/*_cuda.cu) of the folder to objects; none where there is no CUDA.

    Args:
      name: name of the library to link them from.
      headers: file groups of the headers of other folders that the kernels include.
    """
    objects = []
    for source in native.glob(["cc/kernels/*_cuda.cu"]) if CUDA else []:
        object = source[:-len(".cu")] + ".cu.o"
        native.genrule(
            name = source + "_object",
            srcs = [source] + native.glob(["cc/kernels/*.h"]) + headers,
            outs = [object],
            cmd = " ".join([CUDA["nvcc"]] + CUDA["compile_flags"] + ["-I.", "-c", "$(location " + source + ")", "-o", "$@"]),
        )
        objects.append(object)
    native.cc_library(
        name = name,
        srcs = objects,
        alwayslink = True,
        visibility = ["//custom_ops:__subpackages__"],
    )

def custom_op(name, ops = []):
    """Registration, arithmetic and kernels of one op, from its cc/ops and cc/kernels folders.

    Args:
      name: name of the folder, and of the library to link into the ops.
      ops: other ops whose arithmetic is used.
    """
    sources_of_op()
    native.cc_library(
        name = name + "_arithmetic",
        srcs = native.glob(
            ["cc/kernels/*.cc"],
            exclude = ["cc/kernels/*_kernels.cc"],
        ),
        hdrs = native.glob(["cc/kernels/*.h"]),
        copts = COPTS,
        visibility = ["//custom_ops:__subpackages__"],
        deps = ["//custom_ops/common:arithmetic"] +
               ["//custom_ops/{op}:{op}_arithmetic".format(op = op) for op in ops],
    )
    cuda_objects(
        name = name + "_cuda",
        headers = ["//custom_ops/common:headers"] + ["//custom_ops/{}:headers".format(op) for op in ops],
    )
    native.cc_library(
        name = name,
        srcs = native.glob(
            ["cc/ops/*.cc", "cc/kernels/*_kernels.cc"],
            exclude = [] if CUDA else ["cc/kernels/*_gpu_kernels.cc"],
        ),
        alwayslink = True,  # registrations are not called by anyone
        copts = COPTS,
        visibility = ["//custom_ops:__pkg__"],
        deps = [
            ":" + name + "_arithmetic",
            ":" + name + "_cuda",
            "//custom_ops/common:kernel_helpers",
            "@tensorflow//:headers",
        ],
    )

def sources_of_op():
    """File groups of the folder: `sources`, of which the stamp has a digest, and `headers`."""
    native.filegroup(
        name = "sources",
        srcs = native.glob(["cc/**/*.cc", "cc/**/*.cu", "cc/**/*.h"]),
        visibility = ["//custom_ops:__subpackages__"],
    )
    native.filegroup(
        name = "headers",
        srcs = native.glob(["cc/**/*.h"]),
        visibility = ["//custom_ops:__subpackages__"],
    )

def build_stamp(name, sources):
    """The library's stamp: what it was built from and for.

    Args:
      name: name of the C++ library.
      sources: file groups of all sources.
    """
    values = " ".join(["'{}={}'".format(key, value) for key, value in STAMP.items()])
    native.genrule(
        name = name + "_values",
        srcs = sources,
        outs = ["build_stamp_values.h"],
        cmd = "{} $(location //custom_ops:stamp_header.py) {} -- $(SRCS) > $@".format(PYTHON, values),
        tools = ["//custom_ops:stamp_header.py"],
    )
    native.cc_library(
        name = name,
        srcs = [
            "build_stamp_values.h",
            "cc/build_stamp.cc",
        ],
        alwayslink = True,
        copts = COPTS,
        visibility = ["//custom_ops:__pkg__"],
        deps = ["@tensorflow//:headers"],  # for its C++ ABI
    )

def custom_op_library(name, ops):
    """The library that Python loads: sg_keras_ops-tf<version>.so, as sg_keras/ops/library.py looks for it.

    Args:
      name: name of a file group of the library.
      ops: `custom_op` targets.
    """
    library = "sg_keras_ops-tf" + TENSORFLOW_VERSION + ".so"
    native.cc_binary(
        name = library,
        copts = COPTS,
        linkopts = CUDA["link_flags"] if CUDA else [],
        linkshared = True,
        deps = ops + ["@tensorflow//:framework"],
    )
    native.filegroup(
        name = name,
        srcs = [":" + library],
        visibility = ["//visibility:public"],
    )
