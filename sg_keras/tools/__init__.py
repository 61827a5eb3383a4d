"""Entry points: thin mains over the other rooms, one a console script."""

from sg_keras.config.environment import settle_environment

settle_environment()  # before anything loads TensorFlow
