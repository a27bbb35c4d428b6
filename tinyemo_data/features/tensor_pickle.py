"""What a `torch.save`d tensor says about itself, read from its pickle without running any of it.

A pickle is a program for a stack machine, and loading one runs it. Here a machine with a dozen harmless
instructions walks the same program: it knows the one call by which torch rebuilds a plain tensor
(`torch._utils._rebuild_tensor_v2`, the format of `torch.save` since 1.6) and refuses everything else.
"""

import pickletools
from dataclasses import dataclass
from typing import Any

REBUILD = "torch._utils._rebuild_tensor_v2"
ORDERED_DICT = "collections.OrderedDict"
STORAGES = {
    "torch.HalfStorage": "float16",
    "torch.FloatStorage": "float32",
    "torch.BFloat16Storage": "bfloat16",
}
CONSTANTS = {"BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "NEWTRUE", "NEWFALSE"}
OTHER_OBJECTS = {"EMPTY_DICT": "a dictionary", "SETITEMS": "a dictionary", "SETITEM": "a dictionary"}
OTHER_OBJECTS |= {
    "EMPTY_LIST": "a list",
    "APPENDS": "a list",
    "APPEND": "a list",
    "BUILD": "an object with a state",
}
LARGEST_PICKLE = 1 << 16  # bytes; a plain tensor's has about 150
_MARK = object()


class UnexpectedPickleError(Exception):
    """The pickle holds something else than one plain tensor; the message says what."""


@dataclass(frozen=True)
class Global:
    """A name that the pickle asks for; it is never looked up."""

    name: str


@dataclass(frozen=True)
class Storage:
    """The bytes behind a tensor: their kind, their record in the archive, and how many values they hold."""

    dtype: str
    record: str
    values: int


@dataclass(frozen=True)
class TensorView:
    """A tensor's place in its storage; offset and strides count values."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensor_pickle(program: bytes) -> TensorView:
    """Return the one tensor that `program` describes. Raises UnexpectedPickleError for anything else."""
    if len(program) > LARGEST_PICKLE:
        raise UnexpectedPickleError(f"a pickle of {len(program):,} bytes, where one tensor's has about 150")
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(program):
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError) as exc:
        raise UnexpectedPickleError(f"a damaged pickle ({exc})") from exc
    if len(machine.stack) != 1 or not isinstance(machine.stack[0], TensorView):
        raise UnexpectedPickleError("no tensor")
    return machine.stack[0]


class _Machine:
    """The stack and the memo of a pickle; knows constants, tuples and the rebuilding of a tensor."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Follow one instruction."""
        if name in CONSTANTS:
            self.stack.append(argument if argument is not None else name == "NEWTRUE")
        elif name in {"BINPUT", "LONG_BINPUT", "MEMOIZE"}:
            self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]
        elif name in {"BINGET", "LONG_BINGET"}:
            self.stack.append(self.memo[argument])
        elif name == "MARK":
            self.stack.append(_MARK)
        elif name in {"GLOBAL", "STACK_GLOBAL"}:
            self.stack.append(self._global(argument))
        elif name in {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}:
            self.stack.append(self._tuple(name))
        elif name == "BINPERSID":
            self.stack.append(_storage(self.stack.pop()))
        elif name == "REDUCE":
            arguments = self.stack.pop()
            self.stack.append(_call(self.stack.pop(), arguments))
        elif name not in {"PROTO", "FRAME", "STOP"}:
            raise UnexpectedPickleError(OTHER_OBJECTS.get(name, f"the pickle instruction {name}"))

    def _global(self, argument: str | None) -> Global:
        if argument is None:
            member = self.stack.pop()
            argument = f"{self.stack.pop()} {member}"
        name = ".".join(argument.split(" ", 1))
        if name not in {REBUILD, ORDERED_DICT, *STORAGES}:
            raise UnexpectedPickleError(f"'{name}'")
        return Global(name)

    def _tuple(self, name: str) -> tuple[Any, ...]:
        if name == "EMPTY_TUPLE":
            return ()
        start = len(self.stack) - int(name[-1]) if name != "TUPLE" else self._last_mark() + 1
        if start < 0:
            raise IndexError("the stack is empty")
        items = tuple(self.stack[start:])
        del self.stack[start if name != "TUPLE" else start - 1 :]
        return items

    def _last_mark(self) -> int:
        return max(place for place, value in enumerate(self.stack) if value is _MARK)


def _storage(reference: Any) -> Storage:
    kind, storage_type, record, _, values = reference
    if kind != "storage" or not isinstance(storage_type, Global) or storage_type.name not in STORAGES:
        raise UnexpectedPickleError(f"a reference to {kind!r}")
    if not isinstance(record, str) or not record.isalnum() or not _is_count(values):
        raise UnexpectedPickleError(f"a storage named {record!r} of {values!r} values")
    return Storage(STORAGES[storage_type.name], record, values)


def _call(target: Any, arguments: Any) -> TensorView | Global:
    if target == Global(ORDERED_DICT) and arguments == ():
        return Global(ORDERED_DICT)  # the tensor's backward hooks: none
    if target != Global(REBUILD):
        raise UnexpectedPickleError(f"a call of {target!r}")
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage) or not all(map(_is_count, (offset, *shape, *strides))):
        raise UnexpectedPickleError("a tensor with no storage, shape or strides of its own")
    return TensorView(storage, offset, tuple(shape), tuple(strides))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
