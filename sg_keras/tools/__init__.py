"""Entry points: thin mains over the other rooms, one a console script."""

from sg_keras.tools.interrupts import leave_at_once, started_as_command

if started_as_command():  # before anything else is imported, which takes seconds
    leave_at_once()

from sg_keras.config.environment import settle_environment

settle_environment()  # before anything loads TensorFlow
