"""The records of TFRecord files, and the `tf.train.Example` in each: enough of both formats for images with labels.

A record is its length (uint64), the masked CRC-32C of that, its bytes, and their masked CRC-32C, all little-endian.
An Example is a protocol buffer, a map from names to lists of bytes, floats or integers. TensorFlow is not needed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sg_keras.data.crc32c import masked_crc32c

HEAD_BYTES, FOOT_BYTES = 12, 4  # around a record
_BYTES_LIST, _FLOAT_LIST, _INT_LIST = 1, 2, 3  # fields of a Feature
_VARINT, _LENGTH, _FIXED32, _FIXED64 = 0, 2, 5, 1  # wire types


def framed(record: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(record))
    return b"".join(
        (
            length,
            struct.pack("<I", masked_crc32c(length)),
            record,
            struct.pack("<I", masked_crc32c(record)),
        )
    )


def record_places(data: Any) -> Iterator[tuple[int, int]]:
    """Start and length of each record of a file.

    Args:
        data: the file: bytes or a memory map.

    Raises:
        ValueError: it is no TFRecord file, or ends within a record; "found ..., expected ...".
    """
    position, size = 0, len(data)
    while position < size:
        head = data[position : position + HEAD_BYTES]
        if len(head) < HEAD_BYTES or masked_crc32c(head[:8]) != struct.unpack_from("<I", head, 8)[0]:
            raise ValueError(f"found no record at byte {position}, expected TFRecords, complete and not compressed")
        (length,) = struct.unpack_from("<Q", head)
        start = position + HEAD_BYTES
        if start + length + FOOT_BYTES > size:
            raise ValueError(f"found that it ends within the record at byte {position}, expected a complete file")
        yield start, length
        position = start + length + FOOT_BYTES


def checked_record(data: Any, start: int, length: int) -> memoryview:
    """A record's bytes. ValueError: they are not those of their check sum."""
    record = memoryview(data)[start : start + length]
    foot = data[start + length : start + length + FOOT_BYTES]
    if masked_crc32c(record) != struct.unpack("<I", foot)[0]:
        raise ValueError("found a wrong check sum, expected an intact record")
    return record


def encode_example(features: Mapping[str, bytes | list[int]]) -> bytes:
    """An Example of lists of integers and of single byte strings, in the order given."""
    return _field(1, b"".join(_field(1, _entry(name, value)) for name, value in features.items()))


def _entry(name: str, value: bytes | list[int]) -> bytes:
    if isinstance(value, bytes):
        feature = _field(_BYTES_LIST, _field(1, value))
    else:
        feature = _field(_INT_LIST, _field(1, b"".join(map(_varint, value))))
    return _field(1, name.encode()) + _field(2, feature)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes((*parts, value))


def decode_example(record: bytes | memoryview) -> dict[str, list[Any]]:
    """The features of an Example by name, each a list of bytes (as memory views of the record), floats or integers.

    Raises:
        ValueError: it is none.
    """
    features: dict[str, list[Any]] = {}
    try:
        for _, content in _fields(memoryview(record)):
            for _, entry in _fields(content):
                parts = dict(_fields(entry))
                features[bytes(parts[1]).decode()] = _values(parts.get(2, memoryview(b"")))
    except (IndexError, KeyError, TypeError, UnicodeDecodeError, struct.error) as error:
        raise ValueError("found a record that is no tf.train.Example, expected one with an image in it") from error
    return features


def _values(feature: memoryview) -> list[Any]:
    values: list[Any] = []
    for kind, content in _fields(feature):
        if kind == _BYTES_LIST:
            values += [value for _, value in _fields(content)]
        elif kind == _FLOAT_LIST:
            for _, value in _fields(content):
                values += np.frombuffer(value, "<f4").tolist()
        elif kind == _INT_LIST:
            for _, value in _fields(content):
                values += [_signed(value)] if isinstance(value, int) else _integers(value)
    return values


def _integers(packed: memoryview) -> list[int]:
    values, position = [], 0
    while position < len(packed):
        value, position = _read_varint(packed, position)
        values.append(_signed(value))
    return values


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Numbers and contents of a message's fields; integers are numbers, all else is bytes."""
    position = 0
    while position < len(data):
        key, position = _read_varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _read_varint(data, position)
            yield key >> 3, value
            continue
        if kind == _LENGTH:
            length, position = _read_varint(data, position)
        else:
            length = {_FIXED32: 4, _FIXED64: 8}[kind]
        if position + length > len(data):
            raise IndexError("a field ends beyond its message")
        yield key >> 3, data[position : position + length]
        position += length


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position += 1
        if byte < 128:
            return value, position
        shift += 7
        if shift > 63:
            raise IndexError("a number of more than 64 bits")
