"""Directions in W along which images change: how they are found, and how styles are moved along them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sg_keras.inference.style_samples import sampled_styles
from sg_keras.layers import Dense
from sg_keras.models import Generator
from sg_keras.models.synthesis_stylegan3 import SynthesisStyleGAN3

CLOSED_FORM, PCA = "closed-form", "pca"  # how directions are found


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """One direction.

    Attributes:
        name: what people call it.
        vector: float32 [w_dim], of length 1.
        sigma: standard deviation of w along it, which is an amount of 1.
        layers: first and last of the num_ws styles that it moves.
        method: how it was found, "closed-form" or "pca".
    """

    name: str
    vector: np.ndarray
    sigma: float
    layers: tuple[int, int]
    method: str


def closed_form_directions(
    G: Generator, count: int = 10, *, layers: tuple[int, int] | None = None, w: np.ndarray | None = None
) -> list[Direction]:
    """Directions that change the features of some layers most: factorisation of what the layers make of w.

    They are the first right singular vectors of the stacked weights of the layers' affine maps from w to styles (Shen
    and Zhou, arXiv:2007.06600, equations 4 to 6). Layers that make the image of features and StyleGAN3's Fourier
    features have no part in it.

    Args:
        G: generator, usually G_ema.
        count: how many.
        layers: first and last of the styles whose layers are taken, and that are moved; None = all.
        w: styles [N,w_dim] whose spread gives sigma; None = `sampled_styles` of G.

    Returns:
        The directions, those that change most first, called closed-form-0 and so on.

    Raises:
        ValueError: there are no such layers, or fewer directions; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> [direction.name for direction in sg_keras.inference.closed_form_directions(G, 2)]
        ['closed-form-0', 'closed-form-1']
    """
    first, last = checked_layers(layers, G.num_ws)
    affines = [affine for index, affine in _affines_of_features(G) if first <= index <= last]
    if not affines:
        raise ValueError(f"layers: found {first} to {last}, which make no features, expected others among them")
    stacked = np.concatenate([np.asarray(affine.weight, np.float64).T for affine in affines])  # [styles,w_dim]
    _, _, vectors = np.linalg.svd(stacked, full_matrices=False)
    return _directions(vectors, count, sampled_styles(G) if w is None else w, (first, last), CLOSED_FORM)


def principal_directions(
    G: Generator, count: int = 10, *, layers: tuple[int, int] | None = None, w: np.ndarray | None = None
) -> list[Direction]:
    """Directions along which w varies most: its principal components (Härkönen et al., arXiv:2004.02546, section 2).

    Args, returns, raises: as of `closed_form_directions`; `layers` say what is moved alone.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> first, second = sg_keras.inference.principal_directions(G, 2)
        >>> first.sigma >= second.sigma
        True
    """
    layers, w = checked_layers(layers, G.num_ws), sampled_styles(G) if w is None else w
    _, vectors = np.linalg.eigh(np.cov(w.astype(np.float64), rowvar=False))  # the widest last
    return _directions(vectors.T[::-1], count, w, layers, PCA)


def moved_styles(ws: np.ndarray, directions: Sequence[Direction], amounts: np.ndarray | Sequence[float]) -> np.ndarray:
    """Styles moved along directions.

    Args:
        ws: [N,num_ws,w_dim]; they stay as they are.
        directions: K of them.
        amounts: [K] for all styles, or [N,K], in sigmas of the directions.

    Returns:
        [N,num_ws,w_dim] of the type of ws.

    Raises:
        ValueError: a direction is another network's, or there are more or fewer amounts; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> ws = sg_keras.inference.styles(G, sg_keras.inference.latents([0, 1], G.z_dim), np.zeros([2, 0]))
        >>> directions = sg_keras.inference.principal_directions(G, 3)
        >>> sg_keras.inference.moved_styles(ws, directions, [2, 0, -1]).shape
        (2, 6, 8)
    """
    count, num_ws, w_dim = ws.shape
    steps = np.asarray(amounts, np.float64)
    if steps.shape not in ((len(directions),), (count, len(directions))):
        raise ValueError(f"amounts: found {list(steps.shape)}, expected one for each of {len(directions)} directions")
    moved = ws.astype(np.float64)
    for number, direction in enumerate(directions):
        check_direction(direction, num_ws, w_dim)
        first, last = direction.layers
        step = steps[..., number].reshape([-1, 1, 1]) * direction.sigma
        moved[:, first : last + 1] += step * direction.vector.astype(np.float64)
    return moved.astype(ws.dtype)


def along_directions(
    directions: Sequence[Direction], amounts: Callable[[np.ndarray], np.ndarray]
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A change of a film's styles: at frames [n] they are moved by amounts(frames).

    Args:
        directions: K of them.
        amounts: gives [n,K] for frames [n], in sigmas, such as `swing` does.

    Returns:
        From frames [n] and styles [n,cells,num_ws,w_dim] to styles, as films take it. Errors as of `moved_styles`.

    Example:
        >>> up = Direction("up", np.array([0.0, 1.0], np.float32), 1.0, (0, 0), "pca")
        >>> change = along_directions([up], swing(4, [2.0]))
        >>> np.round(change(np.arange(4), np.zeros([4, 1, 1, 2]))[:, 0, 0, 1], 6).tolist()
        [0.0, 2.0, 0.0, -2.0]
    """

    def change(frames: np.ndarray, ws: np.ndarray) -> np.ndarray:
        count, cells, num_ws, w_dim = ws.shape
        each = np.repeat(amounts(frames), cells, axis=0)
        return moved_styles(ws.reshape([count * cells, num_ws, w_dim]), directions, each).reshape(ws.shape)

    return change


def swing(num_frames: int, amounts: Sequence[float], count: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Amounts [n,K] at frames [n]: from 0 to `amounts` [K], back, to their negatives and back, so often in a film.

    A count of 0 stays at `amounts` all the time. The frame after the last one is as the first, so that films close.
    """
    if count == 0:
        return lambda frames: np.repeat(np.array([amounts], np.float64), len(frames), axis=0)
    return lambda frames: np.sin(2 * np.pi * count * (frames % num_frames) / num_frames)[:, np.newaxis] * amounts


def check_direction(direction: Direction, num_ws: int, w_dim: int) -> None:
    """Refuse a direction that a network's styles cannot be moved along.

    Raises:
        ValueError: it has another width, or layers that the network lacks; one line.
    """
    if direction.vector.shape != (w_dim,) or direction.layers[1] >= num_ws:
        raise ValueError(
            f"direction {direction.name}: found a width of {len(direction.vector)} and layers up to "
            f"{direction.layers[1]}, expected {w_dim} and {num_ws - 1} at most, those of the network"
        )


def checked_layers(layers: tuple[int, int] | None, num_ws: int) -> tuple[int, int]:
    """First and last of a network's styles that are meant.

    Raises:
        ValueError: the network has no such layers; one line.
    """
    first, last = layers or (0, num_ws - 1)
    if not 0 <= first <= last < num_ws:
        raise ValueError(f"layers: found {first} to {last}, expected some of 0 to {num_ws - 1}, those of the network")
    return first, last


def _affines_of_features(G: Generator) -> Iterator[tuple[int, Dense]]:
    """The affine map of each layer that makes features of features, with the index of the style that it takes."""
    if isinstance(G.synthesis, SynthesisStyleGAN3):
        for index, layer in enumerate(G.synthesis.alias_free_layers, 1):  # 0 is that of the Fourier features
            if not layer.design.is_torgb:
                yield index, layer.affine
        return
    convolutions = [getattr(block, name) for block in G.synthesis.blocks for name in block.conv_names]
    for index, convolution in enumerate(convolutions):
        yield index, convolution.affine


def _directions(
    vectors: np.ndarray, count: int, w: np.ndarray, layers: tuple[int, int], method: str
) -> list[Direction]:
    """The first rows of vectors [n,w_dim], float64, each pointing to where its largest number is positive."""
    if not 1 <= count <= len(vectors):
        raise ValueError(f"count: found {count}, expected 1 to {len(vectors)}, as many directions as there are")
    vectors = vectors[:count]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, np.newaxis], axis=1)
    vectors = vectors * np.sign(largest)  # otherwise it would be up to the linear algebra library
    sigmas = np.std(w.astype(np.float64) @ vectors.T, axis=0)
    return [
        Direction(f"{method}-{number}", vector.astype(np.float32), float(sigma), layers, method)
        for number, (vector, sigma) in enumerate(zip(vectors, sigmas, strict=True))
    ]
