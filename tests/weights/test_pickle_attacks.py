"""Files that want to run something, to take all memory, or that are damaged: one line, and nothing happens."""

import pathlib
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sg_keras.files import bounded_reader
from sg_keras.weights.official import official_pickle, read_official_pickle
from sg_keras.weights.official.plain_values import plain_array
from tests.weights.official_files import (
    Call,
    Name,
    PersistentId,
    Raw,
    instructions,
    pickled,
    stream,
    tensor,
    torch_module,
)

SMALL = np.arange(6, dtype=np.float32)
MOST_BYTES = 30_000_000


class Touch:
    """Leaves a file behind when it is unpickled by Python itself."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def refused(tmp_path, content: bytes) -> str:
    """The line that says why a file was refused, without taking much memory."""
    path = tmp_path / "attack.pkl"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError) as caught:
            read_official_pickle(path)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith((f"{path}: found ", f"{path}: G: found ")) and "\n" not in line and len(line) < 400
    return line


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_run(protocol, tmp_path):
    target = tmp_path / "touched"
    refused(tmp_path, pickle.dumps({"G": Touch(target)}, protocol))
    assert not target.exists()


@pytest.mark.parametrize(
    "module, leaf",
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "__import__"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("collections", "OrderedDict.__class__"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "fromfile"),
        ("torch_utils.persistence", "import_hook"),
        ("torch", "load"),
        ("", ""),
        ("os", "system\n"),
    ],
)
def test_names_that_no_network_needs(module, leaf, tmp_path):
    by_stack = Raw(instructions(module) + instructions(leaf) + b"\x93" + instructions(("touch x",)) + b"R")
    nested = torch_module("Generator", {"_modules": Call("collections", "OrderedDict", ([["G", by_stack]],))})
    for value in (by_stack, {"G": nested}, [tensor(SMALL), by_stack]):
        assert "found the name " in refused(tmp_path, pickled(value))
    if "\n" not in leaf and leaf:
        assert f"found the name {module}.{leaf}" in refused(tmp_path, pickled(Call(module, leaf, ("touch x",))))


@pytest.mark.parametrize(
    "value, message",
    [
        (Raw(b"(cos\nsystem\nS'x'\no"), "found the name os.system"),
        (Raw(b"(S'x'\nios\nsystem\n"), "found the instruction STRING"),
        (Raw(b"(ios\nsystem\n"), "found the instruction INST"),
        (Raw(b"\x82\x01"), "found the instruction EXT1"),
        (Raw(b"P1\n"), "found the instruction PERSID"),
        (PersistentId(("storage",)), "found a persistent id"),
        (Raw(b"\x97"), "found the instruction NEXT_BUFFER"),
        (Call("numpy", "ndarray", ((10**9,),)), "found a call of numpy.ndarray"),
        (Raw(instructions("text") + b"(tR"), "found a call of str"),
        (Call("collections", "OrderedDict", (1, 2, 3)), "found arguments that collections.OrderedDict does not take"),
        (Raw(b"}]K\x01s"), "found a list as a key"),
        (Raw(b"\x8f(" + b"K\x01" + b"\x85" * 50 + b"\x90"), "found a tuple as a key"),
        (Raw(b"K\x01}b"), "found a state for a int"),
        (Raw(b"\x8b" + (2**20).to_bytes(4, "little") + b"\x01" * 2**20), "bits, expected"),
        (Raw(b"h\x07"), "found a damaged pickle"),
        (Raw(b"0"), "found a damaged pickle"),
        (Raw(b"(t" * 3 + b"R"), "found a call of tuple"),
    ],
)
def test_instructions(value, message, tmp_path):
    assert message in refused(tmp_path, pickled(value))


@pytest.mark.parametrize("code, width", [(b"B", 4), (b"X", 4), (b"\x8b", 4), (b"\x8e", 8), (b"\x8d", 8), (b"\x96", 8)])
def test_a_length_that_the_file_does_not_have(code, width, tmp_path):
    for length in (2**31 - 1, 2 ** (8 * width - 1) - 1):
        refused(tmp_path, b"\x80\x04" + code + length.to_bytes(width, "little") + b"abc")
    refused(tmp_path, b"\x80\x04\x95" + (2**62).to_bytes(8, "little") + b"N.")


def test_labels_of_the_memo_take_no_memory(tmp_path):
    labels = b"".join(b"r" + n.to_bytes(4, "little") for n in (2**31 - 1, 2**32 - 1))
    assert "found a pickle of a list" in refused(tmp_path, pickled(Raw(b"]" + labels)))


def test_values_that_contain_themselves_many_times(tmp_path):
    doubling = b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in range(100))
    assert "found a pickle of a tuple" in refused(tmp_path, pickled(Raw(b")q\x00" + doubling)))
    module = instructions(torch_module("Generator", {"_modules": {}}))
    around = b"".join(
        b"q\x01" + instructions(Name("torch_utils.persistence", "_reconstruct_persistent_obj"))
        + instructions({"type": "class", "class_name": "G"})[:-1]
        + instructions("state") + b"}(" + instructions("_modules") + b"}("
        + b"".join(instructions(name) + b"h\x01" for name in "abcdefgh") + b"uuu\x85R"
        for _ in range(12)
    )  # fmt: skip
    networks = b"}(" + b"".join(instructions(name) + b"h\x01" for name in ("G", "D", "G_ema")) + b"u"
    assert "modules without end" in refused(tmp_path, pickled(Raw(module + around + b"q\x01" + networks)))


def test_a_module_inside_itself(tmp_path):
    network = b"}q\x01" + instructions(torch_module("G", {"_modules": Raw(b"h\x01")})) + b"q\x02"
    networks = b"}(" + b"".join(instructions(name) + b"h\x02" for name in ("G", "D", "G_ema")) + b"u"
    inside = b"h\x01" + instructions("x") + b"h\x02s0"
    assert "modules without end" in refused(tmp_path, pickled(Raw(network + inside + networks)))


def test_more_instructions_than_any_network_has(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded_reader, "MAX_INSTRUCTIONS", 10_000)
    assert "more than 10000 instructions" in refused(tmp_path, pickled(Raw(b"N" * 20_000)))
    copies = b"](" + b"K\x01K\x02\x86" * 1000 + b"eq\x00" + (b"ccollections\nOrderedDict\nh\x00\x85R0") * 1000
    assert "more than 10000 instructions" in refused(tmp_path, pickled(Raw(copies)))


def test_the_same_stream_over_and_over(tmp_path):
    data = pickled(Raw(instructions(b"x" * 100_000) + b"0" + instructions(0x1950A86A20F9469CFC6C)))
    again = Raw(instructions(data) + b"q\x000" + b"ctorch.storage\n_load_from_bytes\nh\x00\x85R" * 100)
    assert "found " in refused(tmp_path, pickled(again))


def _array(shape, data: bytes, code: str = "f4", order: str = "<"):
    kind = Call("numpy", "dtype", (code, False, True), (3, order, None, None, None, -1, -1, 0))
    made = Call("numpy.core.multiarray", "_reconstruct", (Name("numpy", "ndarray"), (0,), b"b"))
    return Call(made.module, made.leaf, made.arguments, (1, shape, kind, False, data))


@pytest.mark.parametrize(
    "value, message",
    [
        (tensor(SMALL, (10**6, 10**6), (0, 0)), "found a tensor of shape"),
        (tensor(SMALL, (7,), (1,)), "found a tensor of shape [7] at 0 in a storage of 6 values"),
        (tensor(SMALL, (2,), (5,), offset=1), "expected it inside"),
        (tensor(SMALL, (2,), (-1,), offset=3), "found a tensor without sizes and strides"),
        (tensor(SMALL, (2**70,), (1,)), "found a tensor without sizes and strides"),
        (tensor(SMALL, (1,) * 40, (1,) * 40), "found a tensor without sizes and strides"),
        (Call("torch._utils", "_rebuild_tensor_v2", (SMALL.tobytes(), 0, (6,), (1,))), "found a tensor of a bytes"),
        (Call("torch.storage", "_load_from_bytes", (stream(SMALL, 10**12),)), "expected 1000000000000 values"),
        (Call("torch.storage", "_load_from_bytes", (stream(SMALL)[:-1],)), "found a storage of 6 values in 23 bytes"),
        (Call("torch.storage", "_load_from_bytes", (stream(SMALL, kind="UntypedStorage"),)), "found the name torch."),
        (Call("torch.storage", "_load_from_bytes", (b"PK\x03\x04",)), "found a tensor in torch's zip format"),
        (Call("torch.storage", "_load_from_bytes", (pickled(1),)), "without torch's magic number"),
        (_array((10**6, 10**6), b"1234"), "found 4 bytes for an array of shape [1000000, 1000000]"),
        (_array((2**61, 2**61), b"1234"), "found 4 bytes for an array"),
        (_array((-1,), b"1234"), "found an array without a shape"),
        (_array((1,), b"12345678", "O8", "|"), "found an array of type 'O8'"),
        (_array((1,), [1]), "found an array of list"),
    ],
)
def test_shapes_and_lengths_that_are_not_true(value, message, tmp_path):
    assert message in refused(tmp_path, pickled({"G": value}))


def test_views_of_a_storage(tmp_path):
    path = tmp_path / "views.pkl"
    parts = [
        tensor(SMALL, (3, 2), (1, 3)),
        tensor(SMALL, (2, 2), (3, 1), offset=1),
        tensor(SMALL, (), ()),
        _array((), b"\0\0\0\x3f"),
    ]
    path.write_bytes(pickled([*parts, tensor(SMALL, (0, 6), (6, 1)), tensor(SMALL.astype(">f4").view("<f4"))]))
    turned, inner, first, number, empty, _ = (plain_array(value) for value in official_pickle.read_records(path))
    np.testing.assert_array_equal(turned, SMALL.reshape(2, 3).T)
    np.testing.assert_array_equal(inner, [[1, 2], [4, 5]])
    assert (first.shape, first, number.shape, number, empty.shape) == ((), 0, (), 0.5, (0, 6))


def _file() -> bytes:
    """A small whole file, with every kind of value."""
    part = torch_module("SynthesisNetwork", {"_parameters": {"weight": tensor(SMALL.reshape(2, 3))}, "_buffers": {}})
    state = {"_parameters": {}, "_buffers": {"w_avg": tensor(SMALL)}, "_modules": {"synthesis": part}, "z_dim": 4}
    network = torch_module("Generator", {**state, "_init_kwargs": Call("dnnlib.util", "EasyDict")})
    number = Call("numpy.core.multiarray", "scalar", (Call("numpy", "dtype", ("f8", False, True)), b"12345678"))
    return pickled({"G": network, "D": network, "G_ema": network, "x": [_array((1, 1), b"1234"), number, {1, 2}]})


FILE = _file()


def test_the_file_that_is_mutated_is_read(tmp_path):
    (tmp_path / "file.pkl").write_bytes(FILE)
    assert set(official_pickle.read_records(tmp_path / "file.pkl")) == {"G", "D", "G_ema", "x"}


def harmless(content: bytes) -> None:
    """Read, or refused with one line."""
    folder = pathlib.Path(harmless.folder)
    (folder / "mutated.pkl").write_bytes(content)
    try:
        read_official_pickle(folder / "mutated.pkl")
    except ValueError as error:
        line = str(error)
        assert line.startswith(f"{folder / 'mutated.pkl'}: ") and line.isprintable()


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    harmless.folder = tmp_path_factory.mktemp("mutated")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FILE)))
def test_truncated_files(length):
    harmless(FILE[:length])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.binary(min_size=0, max_size=5)), min_size=1, max_size=6))
def test_mutated_files(changes):
    content = bytearray(FILE)
    for position, new in changes:
        content[position : position + max(len(new), 1)] = new
    harmless(bytes(content))


WORDS = [
    *(b"(", b")", b"t", b"]", b"}", b"e", b"a", b"u", b"s", b"0", b"1", b"2", b"l", b"d", b"N", b"\x88", b"R", b"b"),
    *(b"\x85", b"\x86", b"\x87", b"q\x00", b"q\x01", b"h\x00", b"h\x01", b"\x94", b"\x81", b"\x92", b"\x8f", b"\x90"),
    *(b"\x91", b"\x93", b"Q", b"K\x01", b"X\x01\x00\x00\x00a", b"C\x01a", b"cos\nsystem\n", b"G" + b"\x7f" * 8),
    *(instructions(Name(module, leaf)) for module, leaf in official_pickle.official_names(None)),
]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=4), max_size=40))
def test_programs(words):
    harmless(b"\x80\x03" + b"".join(words) + b".")
