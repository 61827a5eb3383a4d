"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), which TFRecords are framed with, by table in NumPy.

A check sum without its complements is linear over GF(2): that of two pieces is that of the first, moved on by the
length of the second, xor that of the second. So a record is cut into lanes that are worked on side by side.
"""

from __future__ import annotations

import functools

import numpy as np

_POLYNOMIAL = 0x82F63B78  # reflected
_ALL_ONES = np.uint32(0xFFFFFFFF)
_MOST_LANES = 1024
_SHORT = 64  # bytes that are done sooner one by one


def crc32c(data: bytes | memoryview) -> int:
    """The check sum of some bytes.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    size = len(data)
    if size <= _SHORT:
        return _short(data)
    power = max((-(-size // _MOST_LANES) - 1).bit_length(), 2)  # a lane has 2**power bytes
    lanes = 1 << (-(-size >> power) - 1).bit_length()
    padded = np.zeros(lanes << power, np.uint8)  # zeros in front change nothing
    padded[len(padded) - size :] = np.frombuffer(data, np.uint8)
    words = padded.view("<u4").reshape(lanes, -1)
    state = np.zeros(lanes, np.uint32)
    step = _moved_on(2)
    for column in range(words.shape[1]):
        state = _look_up(step, state ^ words[:, column])
    while len(state) > 1:
        state = _look_up(_moved_on(power), state[::2]) ^ state[1::2]
        power += 1
    return int(state[0] ^ _start(size) ^ _ALL_ONES)


def masked_crc32c(data: bytes | memoryview) -> int:
    """The check sum as TFRecords hold it, rotated and moved so that sums of records that hold sums stay apart."""
    found = crc32c(data)
    return ((found >> 15 | found << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _short(data: bytes | memoryview) -> int:
    table, state = _byte_table(), 0xFFFFFFFF
    for byte in bytes(data):
        state = table[(state ^ byte) & 255] ^ state >> 8
    return state ^ 0xFFFFFFFF


@functools.cache
def _byte_table() -> list[int]:
    return [int(value) for value in _moved_on(0)[0]]


def _start(size: int) -> np.uint32:
    """What the ones that a check sum begins with come to behind so many bytes."""
    state = np.array([_ALL_ONES])
    for power in range(size.bit_length()):
        if size >> power & 1:
            state = _look_up(_moved_on(power), state)
    return np.uint32(state[0])


def _look_up(tables: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Apply a linear map, given by the images of all values of each of the four bytes."""
    return (
        tables[0][values & 255]
        ^ tables[1][values >> np.uint32(8) & 255]
        ^ tables[2][values >> np.uint32(16) & 255]
        ^ tables[3][values >> np.uint32(24)]
    )


@functools.cache
def _moved_on(power: int) -> np.ndarray:
    """How 2**power bytes of zeros move a check sum on, uint32 [4,256]."""
    if power:
        once = _moved_on(power - 1)
        return _look_up(once, once.reshape(-1)).reshape(4, 256)
    tables = np.arange(256, dtype=np.uint32) << np.array([[0], [8], [16], [24]], np.uint32)
    for _ in range(8):
        tables = np.where(tables & 1, tables >> np.uint32(1) ^ np.uint32(_POLYNOMIAL), tables >> np.uint32(1))
    return tables
