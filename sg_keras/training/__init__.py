"""Training: the StyleGAN model, its phases and random numbers, the run around it."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
