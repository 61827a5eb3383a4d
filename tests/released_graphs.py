"""Graphs that nobody uses are freed while the tests go on.

TensorFlow registers the gradient of every tf.custom_gradient in a graph for as long as the process lives. The gradient
holds its tensors, they hold the graph, and each tiny model that a test trains would cost 45 MB for good.
"""

import ctypes
import gc
import pathlib
import sys
import weakref
from typing import Any

GROWTH = 96 * 2**20  # bytes after which it is worth the third of a second that a collection takes


class GradientsOfLivingGraphs(dict):
    """TensorFlow's table of gradients, in which those of tf.custom_gradient live as long as their graph."""

    def __setitem__(self, name: str, entry: dict[str, Any]) -> None:
        from tensorflow.python.framework import ops

        if name.startswith("CustomGradient-"):
            gradient = entry["type"]
            graph = ops.get_default_graph()
            graph._custom_gradients = [*getattr(graph, "_custom_gradients", ()), gradient]
            weakref.finalize(gradient, self.pop, name, None).atexit = False
            entry = {**entry, "type": weakref.proxy(gradient)}
        super().__setitem__(name, entry)


def release_with_their_graphs() -> None:
    """Let gradients that are registered from now on live as long as their graph. Imports TensorFlow."""
    from tensorflow.python.framework import ops

    registry = ops.gradient_registry
    if not isinstance(registry._registry, GradientsOfLivingGraphs):
        registry._registry = GradientsOfLivingGraphs(registry._registry)


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not say."""
    try:
        return int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096
    except OSError:
        return 0


class Collector:
    """Collects what is garbage whenever the process has grown."""

    def __init__(self) -> None:
        self.bytes_before = 0

    def after_test(self) -> None:
        """Called after each test. Does nothing before TensorFlow is there."""
        if "tensorflow" not in sys.modules:
            return
        now = resident_bytes()
        if not self.bytes_before:
            self.bytes_before = now
        if now > self.bytes_before + GROWTH:
            gc.collect()
            give_back()
            self.bytes_before = resident_bytes()


def give_back() -> None:
    """Hand what malloc keeps for later back to the system, where it is glibc's."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
