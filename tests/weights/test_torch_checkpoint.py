"""State dictionaries of older PyTorch files: tensors of any strides, and files that are something else."""

from __future__ import annotations

import pathlib
import pickle
from typing import Any

import numpy as np
import pytest

from sg_keras.weights.official.torch_checkpoint import read_torch_checkpoint
from tests.weights.official_files import Call, Name, PersistentId, pickled

VALUES = np.arange(24, dtype=np.float32)


def _tensor(key: str, shape: Any, strides: Any, offset: int = 0, kind: str = "FloatStorage", count: int = 24) -> Call:
    storage = PersistentId(("storage", Name("torch", kind), key, "cpu", count, None))
    no_hooks = Call("collections", "OrderedDict")
    return Call("torch._utils", "_rebuild_tensor_v2", (storage, offset, shape, strides, False, no_hooks))


def _write(folder: pathlib.Path, content: Any, **storages: np.ndarray) -> pathlib.Path:
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = b"".join(map(pickled, [0x1950A86A20F9469CFC6C, 1001, machine, content, list(storages)]))
    for values in storages.values():
        parts += values.size.to_bytes(8, "little") + values.tobytes()
    path = folder / "checkpoint.pth"
    path.write_bytes(parts)
    return path


def test_strides_and_offsets_are_honoured(tmp_path):
    content = {
        "plain": _tensor("a", (4, 6), (6, 1)),
        "moved": _tensor("a", (6, 4), (1, 6)),
        "part": _tensor("a", (2, 3), (6, 1), offset=7),
        "count": _tensor("b", (), (), kind="LongStorage", count=1),
    }
    path = _write(tmp_path, content, a=VALUES, b=np.array([5]))
    found = read_torch_checkpoint(path)
    rows = VALUES.reshape(4, 6)
    np.testing.assert_array_equal(found["plain"], rows)
    np.testing.assert_array_equal(found["moved"], rows.T)
    np.testing.assert_array_equal(found["part"], rows[1:3, 1:4])
    assert found["count"] == 5 and found["count"].dtype == np.int64
    assert not any(array.flags.writeable for array in found.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"w": Call("os", "system", ("touch x",))}, "found the name os.system"),
        ({"w": Call("numpy", "load", ("x",))}, "found the name numpy.load"),
        ({"w": 1}, "found a dict of other things than tensors"),
        (_tensor("a", (4,), (1,)), "found a _PendingTensor of other things than tensors"),
        ({"w": _tensor("a", (5, 6), (6, 1))}, "found a tensor of shape [5, 6] at 0"),
        ({"w": _tensor("a", (2, 100), (0, 0))}, "found a tensor of shape [2, 100] at 0"),
        ({"w": _tensor("a", 3, 1)}, "found values that no tensor has"),
        ({"w": _tensor("b", (4,), (1,))}, "found a tensor whose storage has no values"),
    ],
)
def test_what_no_state_dictionary_needs(tmp_path, content, message):
    path = _write(tmp_path, content, **({"a": VALUES} if "'a'" in repr(content) else {}))
    with pytest.raises(ValueError) as caught:
        read_torch_checkpoint(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: {message}") and ", expected " in line and "\n" not in line


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"<html>", pickle.dumps({"w": 1}), b"\x80\x02}."])
def test_other_files(tmp_path, content):
    path = tmp_path / "checkpoint.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^\S+checkpoint\.pth: found .*, expected "):
        read_torch_checkpoint(path)


def test_a_file_that_is_cut_off(tmp_path):
    path = _write(tmp_path, {"w": _tensor("a", (4, 6), (6, 1))}, a=VALUES)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"^\S+checkpoint\.pth: found .*, expected "):
            read_torch_checkpoint(path)
