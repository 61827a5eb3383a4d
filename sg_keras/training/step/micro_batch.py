"""What a phase gets: one micro-batch, and the scalars that change from iteration to iteration."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple, TypeAlias

import tensorflow as tf

#: {"image": uint8 [B,H,W,C], "label": [B,c_dim], "gen_label": [B,num_phases,c_dim]}
Data: TypeAlias = dict[str, tf.Tensor]


class IterationScalars(NamedTuple):
    """What is new in every iteration, as tensors on the CPU: no new value needs a new graph.

    What is None is not in the graph.
    """

    cur_nimg: tf.Tensor  # int64, real images seen before this iteration
    r1_gamma: tf.Tensor  # float64
    pl_weight: tf.Tensor  # float64
    adam_beta2: dict[str, tf.Tensor]  # float64, of each network's optimizer, as corrected for lazy regularisation
    blur_sigma: tf.Tensor | None = None  # width of the blur before D in pixels, float64
    augment_p: tf.Tensor | None = None  # probability of augmentation before D, float32


@dataclasses.dataclass(frozen=True)
class MicroBatch:
    """One micro-batch of one replica."""

    images: tf.Tensor  # [N,H,W,C] reals, -1..1
    labels: tf.Tensor  # [N,c_dim] of the reals
    gen_labels: tf.Tensor  # [N,c_dim] for the fakes of this phase
    first_sample: tf.Tensor  # int64, global index of the first sample
    size: int
    scalars: IterationScalars
    phase: int = 0  # index of the phase
