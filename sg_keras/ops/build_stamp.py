"""What a compiled library says of itself: the TensorFlow, C++ ABI and CUDA it was built for, and its sources.

The stamp is read from the library's file, not from the loaded library: loading one that does not fit may fail with a
riddle, and loading it by any way but TensorFlow's would hide its ops from TensorFlow.
"""

from __future__ import annotations

import dataclasses
import mmap
import pathlib

# Written by custom_ops/common/cc/build_stamp.cc; in two pieces, so that this module's own file does not hold it.
_BEGIN = b"sg_keras build " + b"stamp\n"


@dataclasses.dataclass(frozen=True)
class BuildStamp:
    """What a library was built from and for.

    Attributes:
        sg_keras: release of this package.
        tensorflow: release of TensorFlow.
        cxx11_abi: "1" or "0": libstdc++'s ABI, _GLIBCXX_USE_CXX11_ABI.
        compiler: name and release.
        cuda: release of CUDA, or "none" where the library has no GPU kernels.
        cuda_archs: compute capabilities without the point, such as "80 90", or "none".
        sanitizers: of the compiler, or "none".
        sources: digest of the C++ and CUDA sources.
    """

    sg_keras: str
    tensorflow: str
    cxx11_abi: str
    compiler: str
    cuda: str
    cuda_archs: str
    sanitizers: str
    sources: str

    @property
    def has_cuda(self) -> bool:
        """Whether the library has GPU kernels."""
        return self.cuda != "none"

    def supports(self, capability: tuple[int, int]) -> bool:
        """Whether the GPU kernels run on a device of this compute capability: by code of its own or of an older one."""
        if not self.has_cuda:
            return False
        oldest = min(int(arch.rstrip("af")) for arch in self.cuda_archs.split())
        return 10 * capability[0] + capability[1] >= oldest


def read_stamp(library: pathlib.Path) -> BuildStamp | None:
    """The stamp in a library's file; None where it has none, or one of another form.

    Raises:
        OSError: the file cannot be read.
    """
    if library.stat().st_size == 0:  # cannot be mapped
        return None
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin = content.find(_BEGIN)
        if begin < 0:
            return None
        text = content[begin + len(_BEGIN) : content.find(b"\0", begin)].decode("utf-8", errors="replace")
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    names = {field.name for field in dataclasses.fields(BuildStamp)}
    return BuildStamp(**values) if set(values) == names else None


def stamp_problem(stamp: BuildStamp | None, sg_keras: str, tensorflow: str, cxx11_abi: int) -> str:
    """What keeps a library from being used by these releases: what was found and what was expected, or ""."""
    if stamp is None:
        return "found no build stamp, expected one of this release"
    pairs = (
        ("TensorFlow", stamp.tensorflow, tensorflow),
        ("C++ ABI", stamp.cxx11_abi, str(cxx11_abi)),
        ("sg_keras", stamp.sg_keras, sg_keras),
    )
    wrong = [(f"{name} {found}", f"{name} {expected}") for name, found, expected in pairs if found != expected]
    if not wrong:
        return ""
    found, expected = (", ".join(words) for words in zip(*wrong, strict=True))
    return f"it was built for {found}, expected {expected}"
