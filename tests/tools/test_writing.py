"""What is said where a result cannot be written."""

import errno

import pytest
import tensorflow as tf

from sg_keras.tools.writing import StreamError, writing


@pytest.mark.parametrize(
    "error, text",
    [
        (OSError(errno.ENOSPC, "No space left on device", "out/a"), r"\(No space left on device\), expected enough sp"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), r"\(Disk quota exceeded\), expected enough space"),
        (PermissionError(errno.EACCES, "Permission denied"), r"\(Permission denied\), expected a folder that can be"),
        (OSError(errno.EROFS, "Read-only file system"), r"\(Read-only file system\), expected a folder that can"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), r"\(File name too long\), expected a shorter name"),
        (OSError("Can't write data (errno = 28, error message = 'No space left on device')"), r"No space left on dev"),
        (tf.errors.OutOfRangeError(None, None, "/x/variables; File too large [Op:SaveV2]"), r"\(File too large\)"),
        (RuntimeError('IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })'), "enough"),
    ],
)
def test_errors_of_the_system_are_one_line_with_the_option(error, text):
    with (
        pytest.raises(OSError, match=rf"^--outdir: found that out cannot be written .*{text}"),
        writing("--outdir", "out"),
    ):
        raise error


def test_other_errors_pass():
    with pytest.raises(KeyError), writing("--outdir", "out"):
        raise KeyError("a mistake")
    with pytest.raises(StreamError, match=r"^stdout: .*No space"), writing("--outdir", "out"):
        raise StreamError("stdout: found that it cannot be written (No space left on device)")
    with pytest.raises(OSError, match=r"^a line of ours$"), writing("--outdir", "out"):
        raise OSError("a line of ours")
