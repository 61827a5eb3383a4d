"""How an op is built: `custom_op` in the folder of each, `custom_op_library` once for all."""

load("@tensorflow//:installed.bzl", "TENSORFLOW_VERSION")

# The same as in compile_ops.py.
COPTS = [
    "-O3",
    "-std=c++17",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fopenmp-simd",
    "-fvisibility=hidden",
]

def custom_op(name, arithmetic, deps = []):
    """Registration, arithmetic and kernels of one op, from its cc/ops and cc/kernels folders.

    Args:
      name: name of the library to link into the ops.
      arithmetic: stem of the files in cc/kernels that are free of TensorFlow.
      deps: further C++ libraries.
    """
    native.cc_library(
        name = name + "_arithmetic",
        srcs = ["cc/kernels/" + arithmetic + ".cc"],
        hdrs = ["cc/kernels/" + arithmetic + ".h"],
        copts = COPTS,
        deps = ["//custom_ops/common:arithmetic"],
    )
    native.cc_library(
        name = name,
        srcs = native.glob(
            ["cc/ops/*.cc", "cc/kernels/*_kernels.cc"],
        ),
        alwayslink = True,  # registrations are not called by anyone
        copts = COPTS,
        visibility = ["//custom_ops:__pkg__"],
        deps = [
            ":" + name + "_arithmetic",
            "//custom_ops/common:kernel_helpers",
            "@tensorflow//:headers",
        ] + deps,
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
        linkshared = True,
        deps = ops + ["@tensorflow//:framework"],
    )
    native.filegroup(
        name = name,
        srcs = [":" + library],
        visibility = ["//visibility:public"],
    )
