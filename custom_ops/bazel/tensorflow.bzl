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

def _find_python(repository_ctx):
    """PYTHON_BIN_PATH, else the environment that `make install` makes, else python3."""
    chosen = repository_ctx.os.environ.get("PYTHON_BIN_PATH")
    if chosen:
        return chosen
    own = str(repository_ctx.path(Label("//:WORKSPACE")).dirname) + "/.venv/bin/python"
    return own if repository_ctx.path(own).exists else str(repository_ctx.which("python3"))

def _installed_tensorflow(repository_ctx):
    python = _find_python(repository_ctx)
    script = repository_ctx.path(Label("//custom_ops:compile_ops.py"))
    result = repository_ctx.execute([python, script, "--describe"])
    if result.return_code:
        fail("PYTHON_BIN_PATH: with {}: {}".format(python, result.stderr))
    found = json.decode(result.stdout)
    tensorflow = found["tensorflow"]
    defines = [flag[2:] for flag in tensorflow["compile_flags"] if flag.startswith("-D")]
    repository_ctx.symlink(tensorflow["include_folder"], "include")
    repository_ctx.symlink(tensorflow["library_folder"] + "/libtensorflow_framework.so.2", "libtensorflow_framework.so.2")
    repository_ctx.file("BUILD", _TENSORFLOW_BUILD.format(defines = repr(defines)))
    facts = {
        "COMPILE_FLAGS": [flag for flag in found["compile_flags"] if flag not in ["-fPIC", "-Wall"]],  # Bazel has its own
        "CUDA": found["cuda"],
        "PYTHON": python,
        "STAMP": found["stamp"],
        "TENSORFLOW_VERSION": tensorflow["version"],
    }
    text = "".join(["{} = {}\n".format(name, repr(value)) for name, value in facts.items()])
    repository_ctx.file("installed.bzl", text)

installed_tensorflow = repository_rule(
    implementation = _installed_tensorflow,
    doc = """The TensorFlow that PYTHON_BIN_PATH imports, its headers and framework library; and what compile_ops.py would use.

    So both builds agree on flags, CUDA and the stamp.""",
    environ = ["CUDA_HOME", "CUDA_PATH", "CXX", "NVCC", "PATH", "PYTHON_BIN_PATH", "SG_KERAS_CUDA", "SG_KERAS_CUDA_ARCHS"],
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
