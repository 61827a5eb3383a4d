"""Repository rules that find what is installed: TensorFlow, and Bazel's own definitions of platforms."""

_TENSORFLOW_BUILD = """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "headers",
    hdrs = glob(["include/**"]),
    defines = {defines},
    includes = ["include"],
)

cc_import(
    name = "framework",
    shared_library = "libtensorflow_framework.so.2",
)

exports_files(["installed.bzl"])
"""

_PRINT_TENSORFLOW = """
import tensorflow as tf
print("FOUND", tf.__version__, tf.sysconfig.get_include(), tf.sysconfig.get_lib(), *tf.sysconfig.get_compile_flags())
"""

def _find_python(repository_ctx):
    """PYTHON_BIN_PATH, else the environment that `make install` makes, else python3."""
    chosen = repository_ctx.os.environ.get("PYTHON_BIN_PATH")
    if chosen:
        return chosen
    own = str(repository_ctx.path(Label("//:WORKSPACE")).dirname) + "/.venv/bin/python"
    return own if repository_ctx.path(own).exists else str(repository_ctx.which("python3"))

def _installed_tensorflow(repository_ctx):
    python = _find_python(repository_ctx)
    result = repository_ctx.execute(
        [python, "-c", _PRINT_TENSORFLOW],
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    lines = [line for line in result.stdout.split("\n") if line.startswith("FOUND ")]
    if result.return_code or not lines:
        fail("PYTHON_BIN_PATH: {} cannot import TensorFlow:\n{}".format(python, result.stderr))
    words = lines[-1].split(" ")
    version, include, library = words[1:4]
    defines = [word[2:] for word in words[4:] if word.startswith("-D")]
    repository_ctx.symlink(include, "include")
    repository_ctx.symlink(library + "/libtensorflow_framework.so.2", "libtensorflow_framework.so.2")
    repository_ctx.file("BUILD", _TENSORFLOW_BUILD.format(defines = repr(defines)))
    facts = "TENSORFLOW_VERSION = {}\nPYTHON = {}\n".format(repr(version), repr(python))
    repository_ctx.file("installed.bzl", facts)

installed_tensorflow = repository_rule(
    implementation = _installed_tensorflow,
    doc = "The headers and the framework library of the TensorFlow that PYTHON_BIN_PATH imports.",
    environ = ["PYTHON_BIN_PATH"],
    local = True,
)

def _installed_platforms(repository_ctx):
    for folder in ["/usr/share/bazel/platforms", "/usr/share/bazel/tools/platforms", "/usr/share/bazel/embedded_tools/platforms"]:
        if repository_ctx.path(folder + "/os").exists and repository_ctx.path(folder + "/cpu").exists:
            for part in ["os", "cpu"]:
                repository_ctx.symlink(folder + "/" + part, part)
            return
    fail("platforms: found in none of Bazel's folders under /usr/share/bazel")

installed_platforms = repository_rule(
    implementation = _installed_platforms,
    doc = "The constraint values of @platforms that Debian's Bazel installs.",
    local = True,
)
