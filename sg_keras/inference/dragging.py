"""Points of an image dragged to other places (arXiv:2305.10973): its styles change until their features have moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from sg_keras.inference.feature_maps import PlacedMaps, placed_maps
from sg_keras.models import Generator

Points = Sequence[tuple[float, float]]  # (x, y) in pixels, from the middle of the one at the top left


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DragSettings:
    """What dragging depends on beside network, style and points (section 3.2 of the paper, which has 512x512 images).

    Attributes:
        num_steps, learning_rate: of Adam, at most.
        layers: the first so many layers' styles change; StyleGAN3's first, which moves the whole image, never does.
        radius: of the disc round a handle that is moved, in pixels; None = 3 in 512, 1 at least.
        search: how far from its last place a handle is looked for, in pixels; None = 12 in 512, 2 at least.
        mask_factor: of the change outside of the mask.
        close: end when all handles are within so many pixels of their targets.

    Example:
        >>> DragSettings(num_steps=30).layers
        6
    """

    num_steps: int = 100
    learning_rate: float = 2e-3
    layers: int = 6
    radius: int | None = None
    search: int | None = None
    mask_factor: float = 20.0
    close: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class DragStep:
    """Where dragging is.

    Attributes:
        done, total: steps, of how many at most.
        ws: styles [num_ws,w_dim], those that the handles were found in.
        handles: where the handles are, [K,2], x and y.
        left: how far the farthest is from its target, in pixels.
    """

    done: int
    total: int
    ws: np.ndarray
    handles: np.ndarray
    left: float


def drag(
    G: Generator,
    ws: np.ndarray,
    handles: Points,
    targets: Points,
    *,
    mask: np.ndarray | None = None,
    settings: DragSettings | None = None,
    on_step: Callable[[DragStep], None] | None = None,
) -> DragStep:
    """Drag points of an image to other places.

    Args:
        G: generator, usually G_ema.
        ws: styles [num_ws,w_dim] of the image.
        handles, targets: from where to where, (x, y) in pixels of the image.
        mask: [H,W], not 0 where the image may change; None = everywhere.
        settings: None = the published ones.
        on_step: is told of each step.

    Returns:
        The last step: styles, where the handles are, and how far from their targets.

    Raises:
        ValueError: no points, points out of the image, or a mask of another size.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> ws = np.random.RandomState(0).randn(G.num_ws, G.w_dim)
        >>> drag(G, ws, [(4, 4)], [(9, 4)], settings=DragSettings(num_steps=2)).done
        2
    """
    for step in Dragger(G, settings).steps(ws, handles, targets, mask):
        if on_step is not None:
            on_step(step)
    return step


class Dragger:
    """Drags points of images, and tells of each step.

    Args:
        G: generator, usually G_ema.
        settings: None = the published ones.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> dragger = Dragger(G, DragSettings(num_steps=2))
        >>> ws = np.random.RandomState(0).randn(G.num_ws, G.w_dim)
        >>> [step.done for step in dragger.steps(ws, handles=[(4, 4)], targets=[(9, 4)])]
        [0, 1, 2]
    """

    def __init__(self, G: Generator, settings: DragSettings | None = None) -> None:
        self.G, self.settings = G, settings or DragSettings()
        side = min(G.image_shape[:2])
        self._search = _square(max(2, round(12 * side / 512)) if self.settings.search is None else self.settings.search)
        self._disc = _disc(max(1, round(3 * side / 512)) if self.settings.radius is None else self.settings.radius)
        self._first = 1 if G.takes_transform else 0
        self._end = min(self._first + self.settings.layers, G.num_ws)

    def steps(
        self, ws: np.ndarray, handles: Points, targets: Points, mask: np.ndarray | None = None
    ) -> Iterator[DragStep]:
        """Drag points; the first step is the image as it was, the last one what has become of it.

        Args:
            ws: styles [num_ws,w_dim] of the image.
            handles, targets: from where to where, in pixels of the image.
            mask: [H,W], not 0 where the image may change; None = everywhere.

        Raises:
            ValueError: no points, points out of the image, or a mask of another size.
        """
        height, width, _ = self.G.image_shape
        if not handles or len(handles) != len(targets):
            raise ValueError(
                f"points: found {len(handles)} handles, {len(targets)} targets, expected as many, 1 or more"
            )
        for x, y in [*handles, *targets]:
            if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
                raise ValueError(f"points: found {x:g},{y:g}, expected a point from 0,0 to {width - 1},{height - 1}")
        if mask is not None and mask.shape != (height, width):
            raise ValueError(f"mask: found {list(mask.shape)}, expected [{height}, {width}], the size of the images")
        return self._steps(ws, np.array(handles, float), np.array(targets, float), mask)

    def _steps(
        self, ws: np.ndarray, handles: np.ndarray, targets: np.ndarray, mask: np.ndarray | None
    ) -> Iterator[DragStep]:
        dtype, total = self.G.compute_dtype, self.settings.num_steps
        start = tf.constant(ws[np.newaxis], dtype)
        moved = tf.Variable(start[:, self._first : self._end])
        adam = keras.optimizers.Adam(self.settings.learning_rate, epsilon=1e-8)
        adam.build([moved])
        first = self._maps(start)
        points = tf.constant(handles, dtype)
        looks = first.at(points)  # [K,C]
        kept = None if mask is None else tf.constant(first.kept(mask == 0), dtype)  # [h,w]

        @tf.function(autograph=False)
        def step(points: tf.Tensor) -> tf.Tensor:
            """Finds the handles and takes a step."""
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(moved)
                maps = self._maps(self._styles(start, moved))
                found = self._found(maps, points, looks)
                loss = self._motion(maps, found, tf.constant(targets, dtype))
                if kept is not None:
                    change = tf.reduce_mean(tf.abs(maps.values - first.values), axis=3) * kept
                    loss += self.settings.mask_factor * tf.reduce_mean(change)
            adam.apply(tape.gradient(loss, [moved]), [moved])
            return found

        for done in range(total + 1):
            now = self._styles(start, moved).numpy()[0]
            points = step(points)
            left = float(np.linalg.norm(points.numpy() - targets, axis=1).max())
            yield DragStep(done, total, now, points.numpy(), left)
            if left <= self.settings.close:
                return

    def _styles(self, start: tf.Tensor, moved: tf.Variable) -> tf.Tensor:
        return tf.concat([start[:, : self._first], moved, start[:, self._end :]], axis=1)

    def _maps(self, ws: tf.Tensor) -> PlacedMaps:
        return placed_maps(self.G, ws)

    def _found(self, maps: PlacedMaps, points: tf.Tensor, looks: tf.Tensor) -> tf.Tensor:
        """Where the handles are now: near their last places, what looks most like them; [K,2]."""
        places = points[:, tf.newaxis] + tf.constant(self._search, points.dtype)  # [K,P,2]
        apart = tf.reduce_sum(tf.abs(maps.at(places) - looks[:, tf.newaxis]), axis=2)
        found = tf.gather(places, tf.argmin(apart, axis=1), batch_dims=1)
        height, width, _ = self.G.image_shape
        return tf.stop_gradient(tf.clip_by_value(found, [0.0, 0.0], [width - 1.0, height - 1.0]))

    def _motion(self, maps: PlacedMaps, points: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """How much features a pixel towards the targets differ from those round the handles (equation 1)."""
        way = targets - points
        length = tf.norm(way, axis=1, keepdims=True)
        ahead = way / tf.maximum(length, tf.ones_like(length))
        places = points[:, tf.newaxis] + tf.constant(self._disc, points.dtype)
        here = tf.stop_gradient(maps.at(places))
        return tf.reduce_sum(tf.reduce_mean(tf.abs(here - maps.at(places + ahead[:, tf.newaxis])), axis=[1, 2]))


def _square(radius: int) -> np.ndarray:
    """Whole offsets of a square, the middle first, so that it is kept where nothing is nearer: [P,2]."""
    x, y = np.meshgrid(range(-radius, radius + 1), range(-radius, radius + 1))
    offsets = np.stack([x.ravel(), y.ravel()], axis=1).astype(float)
    return offsets[np.argsort(np.square(offsets).sum(axis=1), kind="stable")]


def _disc(radius: int) -> np.ndarray:
    offsets = _square(radius)
    return offsets[np.square(offsets).sum(axis=1) <= radius**2 + 1e-9]
