"""Style mixing: coarse styles of one latent, fine ones of another (arXiv:1812.04948, section 3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sg_keras.inference.labels import labels_of
from sg_keras.inference.latents import latents, styles
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.models import Generator


def mix_styles(w: np.ndarray, other: np.ndarray, taken: Sequence[int]) -> np.ndarray:
    """Styles w with some of another's in their place.

    Args:
        w, other: [num_ws,w_dim].
        taken: which styles are the other's, 0 = the coarsest.

    Returns:
        [num_ws,w_dim].

    Raises:
        ValueError: there is no such style.

    Example:
        >>> sg_keras.inference.mix_styles(np.zeros([4, 1]), np.ones([4, 1]), [0, 1])[:, 0].tolist()
        [1.0, 1.0, 0.0, 0.0]
    """
    wrong = [index for index in taken if not 0 <= index < len(w)]
    if wrong:
        raise ValueError(f"styles: found {wrong[0]}, expected 0 to {len(w) - 1}, the styles of the network")
    mixed = np.array(w)
    mixed[list(taken)] = other[list(taken)]
    return mixed


def mix(
    G: Generator,
    rows: Sequence[int],
    columns: Sequence[int],
    taken: Sequence[int],
    classes: Sequence[int] | None = None,
    *,
    labels: np.ndarray | None = None,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
    noise_mode: str = "const",
) -> Iterator[np.ndarray]:
    """A table of images: those of a row have its seed's styles, but some of their column's in place of them.

    Args:
        G: generator, usually G_ema.
        rows, columns: seeds.
        taken: which styles are the column's, 0 = the coarsest.
        classes: class of each seed, those of the rows first, None for a network without labels.
        labels: [rows + columns, c_dim] in place of classes, for labels that are vectors of numbers.
        truncation_psi, truncation_cutoff: as in `generate`, of all styles before they are mixed.
        noise_mode: "const", "random" (from each row's seed, or a column's by itself) or "none".

    Yields:
        uint8 [H,W,C]: the images of the columns' seeds, then row by row that of the row's seed and the mixed ones.

    Raises:
        ValueError: an argument does not fit the network. Nothing has been yielded then.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> len(list(sg_keras.inference.mix(G, [1, 2], [3, 4, 5], range(4))))
        11
    """
    renderer = StyleRenderer(G, noise_mode=noise_mode)
    c = labels_of(G, len(rows) + len(columns), classes, labels)
    z = latents([*rows, *columns], G.z_dim)
    ws = styles(G, z, c, truncation_psi=truncation_psi, truncation_cutoff=truncation_cutoff)
    row_ws, column_ws = ws[: len(rows)], ws[len(rows) :]
    for row in row_ws[:1]:
        mix_styles(row, row, taken)  # refuses styles that there are not

    def table() -> Iterator[tuple[np.ndarray, int]]:
        yield from zip(column_ws, columns, strict=True)
        for row, seed in zip(row_ws, rows, strict=True):
            yield row, seed
            yield from ((mix_styles(row, column, taken), seed) for column in column_ws)

    return renderer.images((w for w, _ in table()), noise_seeds=(seed for _, seed in table()))
