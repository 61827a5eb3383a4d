"""Runs the instructions of a pickle on plain values. Nothing is imported, and nothing but an allow-list is called.

Python's own unpickler is not used, although its `find_class` can be overridden: it takes memory as a file says before
it knows whether the file is that long, and makes a table as long as the largest number that the file uses as a label.
Here, the instructions are decoded by the readers of `pickletools`, and `Budget` bounds what a file may cost.
"""

from __future__ import annotations

import dataclasses
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Protocol, cast, runtime_checkable

from sg_keras.files.bounded_reader import BoundedReader, Budget, RefusedPickleError

_MAX_INTEGER_BITS = 128  # the mark at the beginning of torch's streams has 77
_SCALAR_KEYS = (str, int, float, bytes, type(None))  # not tuples: hashing them can take forever


@dataclasses.dataclass(frozen=True)
class AllowedName:
    """A name that a file may use, and what takes its place.

    Attributes:
        name: with its module.
        make: makes a plain value from positional arguments; None where the file only refers to the name.
    """

    name: str
    make: Callable[..., Any] | None = None


@runtime_checkable
class Stateful(Protocol):
    """A plain value whose contents a file gives after it is made."""

    def set_state(self, state: Any) -> None:
        """Take the contents over."""


Names = Mapping[tuple[str, str], AllowedName]

#: What values that do not fit together raise, in an instruction or in a call.
_DAMAGES = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)


def _reason(error: Exception) -> str:
    return ascii(str(error))[1:120]


def unpickle(
    reader: BoundedReader,
    names: Names,
    persistent: Callable[[Any], Any] | None = None,
    what: str = "network file",
) -> Any:
    """The value of the pickle that starts here; the reader stands behind its end afterwards.

    Args:
        reader: of the file.
        names: the allow-list, by module and name.
        persistent: makes the value of a persistent id; None = there are none.
        what: kind of file that is expected, for messages.

    Raises:
        RefusedPickleError: the pickle is damaged, too long, or uses a name or an instruction that is not allowed.
    """
    machine = _Machine(names, persistent, reader.budget, what)
    try:
        while True:
            reader.budget.spend(1)
            name, argument = _next_instruction(reader, what)
            if name == "STOP":
                return machine.pop()
            machine.run(name, argument)
    except RefusedPickleError:
        raise
    except _DAMAGES as error:
        raise RefusedPickleError(
            f"found a damaged pickle at byte {reader.tell()} ({_reason(error)}), expected a {what}"
        ) from None


def _next_instruction(reader: BoundedReader, what: str) -> tuple[str, Any]:
    """Name and argument. Of instructions that are not allowed, arguments are not even decoded."""
    code = reader.read(1)
    opcode = _OPCODES.get(code)
    if not code or opcode is None:
        raise ValueError("unknown instruction" if code else "it ends too early")
    if opcode.name not in _ALLOWED:
        raise RefusedPickleError(f"found the instruction {opcode.name}, expected those of {what}s alone")
    if opcode.name == "GLOBAL":
        return opcode.name, tuple(reader.readline().removesuffix(b"\n").decode("utf-8") for _ in range(2))
    return opcode.name, None if opcode.arg is None else opcode.arg.reader(cast(BinaryIO, reader))


class _Machine:
    """Stack, marks and memo. Instructions are named as in `pickletools`."""

    def __init__(
        self, names: Names, persistent: Callable[[Any], Any] | None, budget: Budget, what: str = "network file"
    ) -> None:
        self._names, self._persistent, self._budget, self._what = names, persistent, budget, what
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, name: str, argument: Any) -> None:
        """Run one instruction."""
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            if isinstance(argument, int) and argument.bit_length() > _MAX_INTEGER_BITS:
                raise RefusedPickleError(f"found a number of {argument.bit_length()} bits, expected a {self._what}")
            self._stack.append(argument)
        elif name in _NEW_CONTAINERS:
            self._stack.append(_NEW_CONTAINERS[name]())
        elif name in _IGNORED:
            pass
        else:
            _INSTRUCTIONS[name](self, argument)

    def pop(self) -> Any:
        """Take the top of the stack, which belongs to no open mark."""
        if self._marks and len(self._stack) <= self._marks[-1]:
            raise LookupError("stack is empty")
        return self._stack.pop()

    def _top(self) -> Any:
        value = self.pop()
        self._stack.append(value)
        return value

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def _pop_to_mark(self) -> list[Any]:
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def _drop(self, _: Any) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self.pop()

    def _drop_to_mark(self, _: Any) -> None:
        self._pop_to_mark()

    def _duplicate(self, _: Any) -> None:
        self._stack.append(self._top())

    def _store(self, label: int) -> None:
        self._memo[label] = self._top()

    def _memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._top()

    def _fetch(self, label: int) -> None:
        self._stack.append(self._memo[label])

    def _tuple_of(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self._stack.append(tuple(reversed(values)))

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._pop_to_mark()))

    def _list(self, _: Any) -> None:
        self._stack.append(self._pop_to_mark())

    def _dict(self, _: Any) -> None:
        values = self._pop_to_mark()
        self._stack.append({})
        self._set_items(values)

    def _frozenset(self, _: Any) -> None:
        self._stack.append(frozenset(_checked_key(value) for value in self._pop_to_mark()))

    def _append(self, values: list[Any]) -> None:
        target = self._top()
        if type(target) is not list:
            raise RefusedPickleError(f"found items for a {type(target).__name__}, expected a list")
        target.extend(values)

    def _add(self, values: list[Any]) -> None:
        target = self._top()
        if type(target) is not set:
            raise RefusedPickleError(f"found items for a {type(target).__name__}, expected a set")
        target.update(_checked_key(value) for value in values)

    def _set_items(self, values: list[Any]) -> None:
        target = self._top()
        if type(target) is not dict or len(values) % 2:
            raise RefusedPickleError(f"found keys for a {type(target).__name__}, expected a dictionary")
        target.update(zip(map(_checked_key, values[::2]), values[1::2], strict=True))

    def _find(self, module: Any, name: Any) -> None:
        found = self._names.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if found is None:
            raise RefusedPickleError(
                f"found the name {ascii(f'{module}.{name}')[1:-1][:100]}, expected those of {self._what}s alone; "
                "nothing of the file was run"
            )
        self._stack.append(found)

    def _global(self, argument: tuple[str, str]) -> None:
        self._find(*argument)

    def _stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        self._find(module, name)

    def _reduce(self, _: Any) -> None:
        arguments, callee = self.pop(), self.pop()
        self._call(callee, arguments)

    def _new_object_with_keywords(self, _: Any) -> None:
        keywords = self.pop()
        if keywords != {}:
            raise RefusedPickleError("found an object made with keywords, expected none")
        self._reduce(None)

    def _call(self, callee: Any, arguments: Any) -> None:
        if not isinstance(callee, AllowedName) or callee.make is None or type(arguments) is not tuple:
            found = callee.name if isinstance(callee, AllowedName) else type(callee).__name__
            raise RefusedPickleError(f"found a call of {found}, expected calls of {self._what}s alone")
        self._budget.spend(sum(len(a) for a in arguments if isinstance(a, list | dict | set | tuple)))
        try:
            self._stack.append(callee.make(*arguments))
        except RefusedPickleError:
            raise
        except _DAMAGES as error:
            raise RefusedPickleError(
                f"found arguments that {callee.name} does not take ({_reason(error)}), expected its own"
            ) from None

    def _build(self, _: Any) -> None:
        state, target = self.pop(), self._top()
        if isinstance(target, Stateful):
            target.set_state(state)
        elif not isinstance(target, dict):  # attributes of dictionaries say nothing about networks
            raise RefusedPickleError(f"found a state for a {type(target).__name__}, expected an object")

    def _persistent_id(self, _: Any) -> None:
        value = self.pop()
        if self._persistent is None:
            raise RefusedPickleError("found a persistent id, expected none outside of torch's streams")
        self._stack.append(self._persistent(value))


def _checked_key(key: Any) -> Any:
    if not isinstance(key, _SCALAR_KEYS):
        raise RefusedPickleError(f"found a {type(key).__name__} as a key, expected text or a number")
    return key


_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_NEW_CONTAINERS: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set}
_LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINSTRING", "SHORT_BINSTRING"),  # Python 2: bytes or text, read as Latin-1
}
_IGNORED = {"PROTO", "FRAME", "READONLY_BUFFER"}
_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine._mark,
    "POP": _Machine._drop,
    "POP_MARK": _Machine._drop_to_mark,
    "DUP": _Machine._duplicate,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine._store),
    "MEMOIZE": _Machine._memoize,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine._fetch),
    "TUPLE1": lambda machine, _: machine._tuple_of(1),
    "TUPLE2": lambda machine, _: machine._tuple_of(2),
    "TUPLE3": lambda machine, _: machine._tuple_of(3),
    "TUPLE": _Machine._tuple,
    "LIST": _Machine._list,
    "DICT": _Machine._dict,
    "FROZENSET": _Machine._frozenset,
    "APPEND": lambda machine, _: machine._append([machine.pop()]),
    "APPENDS": lambda machine, _: machine._append(machine._pop_to_mark()),
    "ADDITEMS": lambda machine, _: machine._add(machine._pop_to_mark()),
    "SETITEM": lambda machine, _: machine._set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine._set_items(machine._pop_to_mark()),
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stack_global,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine._reduce),
    "NEWOBJ_EX": _Machine._new_object_with_keywords,
    "BUILD": _Machine._build,
    "BINPERSID": _Machine._persistent_id,
}
_ALLOWED = {"STOP", *_CONSTANTS, *_NEW_CONTAINERS, *_LITERALS, *_IGNORED, *_INSTRUCTIONS}
_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
