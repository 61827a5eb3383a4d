"""What every module of the build raises."""


class BuildError(RuntimeError):
    """The ops could not be compiled; the message says why and what to do."""
