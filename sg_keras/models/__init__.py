"""Networks as Keras models. They know nothing of training."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.models.discriminator import Discriminator
from sg_keras.models.from_config import networks_from_config
from sg_keras.models.generator import Generator
from sg_keras.models.half_precision import computes_in_half, float32_variables, in_full_precision, set_half_resolutions
from sg_keras.models.layer_plan import SynthesisPlan, plan_synthesis
from sg_keras.models.mapping import Mapping

__all__ = [
    "Discriminator",
    "Generator",
    "Mapping",
    "SynthesisPlan",
    "computes_in_half",
    "float32_variables",
    "in_full_precision",
    "networks_from_config",
    "plan_synthesis",
    "set_half_resolutions",
]
