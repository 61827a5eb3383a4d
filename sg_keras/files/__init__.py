"""Files and their names, below everything else."""

from sg_keras.files.plain_names import PlainPath, is_plain, plain_folder, plain_prefix

__all__ = ["PlainPath", "is_plain", "plain_folder", "plain_prefix"]
