"""The pickle machine's opcodes, as `pickletools` documents them, in a table indexed by the opcode's byte."""

import pickletools
import re
from enum import IntEnum, auto
from typing import NamedTuple


class Act(IntEnum):
    """What the reader does about an opcode beyond keeping the stack's depth."""

    PLAIN = auto()
    STRING = auto()
    GLOBAL = auto()
    STACK_GLOBAL = auto()
    CALL = auto()
    OBJ = auto()
    INST = auto()
    BUILD = auto()
    EXTENSION = auto()
    PUT = auto()
    MEMOIZE = auto()
    GET = auto()
    MARK = auto()
    DUP = auto()
    POP = auto()
    PROTO = auto()
    STOP = auto()


class Form(IntEnum):
    """How an argument is written when its length is not fixed."""

    LINE = -1
    TWO_LINES = -2
    LENGTH_1 = -3
    LENGTH_4 = -4
    LENGTH_8 = -5


LENGTH_BYTES = {Form.LENGTH_1: 1, Form.LENGTH_4: 4, Form.LENGTH_8: 8}


class Op(NamedTuple):
    """`width` is the argument's bytes, or a `Form`; `pops` counts what leaves the stack, below a mark if `to_mark`.

    `line` is what a text argument must look like for the real machine to take it.
    """

    name: str
    act: Act
    width: int
    pops: int
    pushes: int
    to_mark: bool
    line: re.Pattern[bytes] | None


_ACTS = {
    "GLOBAL": Act.GLOBAL,
    "STACK_GLOBAL": Act.STACK_GLOBAL,
    "REDUCE": Act.CALL,
    "NEWOBJ": Act.CALL,
    "NEWOBJ_EX": Act.CALL,
    "OBJ": Act.OBJ,
    "INST": Act.INST,
    "BUILD": Act.BUILD,
    "EXT1": Act.EXTENSION,
    "EXT2": Act.EXTENSION,
    "EXT4": Act.EXTENSION,
    "PUT": Act.PUT,
    "BINPUT": Act.PUT,
    "LONG_BINPUT": Act.PUT,
    "MEMOIZE": Act.MEMOIZE,
    "GET": Act.GET,
    "BINGET": Act.GET,
    "LONG_BINGET": Act.GET,
    "MARK": Act.MARK,
    "DUP": Act.DUP,
    "POP": Act.POP,
    "PROTO": Act.PROTO,
    "STOP": Act.STOP,
}
_FORMS = {
    pickletools.UP_TO_NEWLINE: Form.LINE,
    pickletools.TAKEN_FROM_ARGUMENT1: Form.LENGTH_1,
    pickletools.TAKEN_FROM_ARGUMENT4: Form.LENGTH_4,
    pickletools.TAKEN_FROM_ARGUMENT4U: Form.LENGTH_4,
    pickletools.TAKEN_FROM_ARGUMENT8U: Form.LENGTH_8,
}
_STRINGS = {"string", "bytes", "bytes_or_str", "bytearray", "str"}
_LINES = {
    "INT": re.compile(rb"\s*[-+]?\d+\s*"),
    "LONG": re.compile(rb"\s*[-+]?\d+L?\s*"),
    "FLOAT": re.compile(rb"\s*[-+]?(?:[\d.]+(?:e[-+]?\d+)?|nan|inf|infinity)\s*", re.IGNORECASE),
    "STRING": re.compile(rb"\s*(?:'[^\n]*'|\"[^\n]*\")\s*"),
    "PUT": re.compile(rb"\d+"),
    "GET": re.compile(rb"\d+"),
}


def _op(info: pickletools.OpcodeInfo) -> Op:
    to_mark = pickletools.markobject in info.stack_before
    pops = info.stack_before.index(pickletools.markobject) if to_mark else len(info.stack_before)
    width = 0 if info.arg is None else _width(info.arg)
    act = _ACTS.get(info.name, Act.STRING if _pushes_its_string(info) else Act.PLAIN)
    return Op(info.name, act, width, pops, len(info.stack_after), to_mark, _LINES.get(info.name))


def _width(argument: pickletools.ArgumentDescriptor) -> int:
    if argument is pickletools.stringnl_noescape_pair:
        return Form.TWO_LINES
    return argument.n if argument.n >= 0 else _FORMS[argument.n]


def _pushes_its_string(info: pickletools.OpcodeInfo) -> bool:
    pushed = info.stack_after[:1]
    return info.arg is not None and bool(pushed) and pushed[0].name in _STRINGS


def _table() -> tuple[Op | None, ...]:
    ops = {ord(info.code): _op(info) for info in pickletools.opcodes}
    return tuple(ops.get(code) for code in range(256))


SLOW, PUSH, TAKE, TO_MARK, TEXT_1, TEXT_4, PUT_1, PUT_4, GET_1, GET_4, MEMOIZE, MARK = range(12)
"""How the reader's inner loop does an opcode; the SLOW ones it hands on. Plain integers, which compare fastest."""

_PACES = {
    "BINPUT": PUT_1,
    "LONG_BINPUT": PUT_4,
    "BINGET": GET_1,
    "LONG_BINGET": GET_4,
    "MEMOIZE": MEMOIZE,
    "MARK": MARK,
}


def _pace(op: Op | None) -> int:
    if op is None:
        return SLOW
    if op.act is Act.PLAIN and op.width >= 0:
        return TO_MARK if op.to_mark else TAKE if op.pops else PUSH if op.pushes == 1 else SLOW
    if op.act is Act.STRING and op.width in (Form.LENGTH_1, Form.LENGTH_4):
        return TEXT_1 if op.width == Form.LENGTH_1 else TEXT_4
    return _PACES.get(op.name, SLOW)


TABLE = _table()
PACES = tuple(_pace(op) for op in TABLE)
