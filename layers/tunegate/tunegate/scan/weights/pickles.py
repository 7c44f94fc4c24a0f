"""Pickles read, never loaded: which globals the program imports and which of them it calls.

A pickle is a program for a stack machine. The machine here keeps the strings and globals on the stack and in the memo,
and nothing else, so that it knows what a STACK_GLOBAL names and what a REDUCE calls.
"""

import codecs
from dataclasses import dataclass, field
from typing import NamedTuple

from tunegate.scan.weights.opcodes import (
    GET_1,
    GET_4,
    LENGTH_BYTES,
    MARK,
    MEMOIZE,
    PACES,
    PUSH,
    PUT_1,
    PUT_4,
    SLOW,
    TABLE,
    TEXT_1,
    TEXT_4,
    TO_MARK,
    Act,
    Form,
    Op,
)

MOST_OPCODES = 1_000_000
MOST_NAMES = 200
MOST_STRINGS = 1_000
_NAME_BYTES = 1_024
"""A longer string names no global."""
_LOOKED_INTO = 8
"""A shorter string holds no pickle that does anything."""
_COMPUTED = "<computed>"


class Global(NamedTuple):
    """A module attribute that a pickle imports."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True)
class PickleTrace:
    """What one pickle in [start, end) would do. `fault` is why reading ended before STOP, empty where it did not.

    `sound` says that every opcode found on the stack what it needs: a program, not bytes that look like one. `calls`
    are made before the first unsound opcode; `invokes` where one is more than a BUILD, whose form words in a list have
    now and then. `strings` are the ranges of its longer strings, which may hold a pickle.
    """

    start: int
    end: int = 0
    fault: str = ""
    sound: bool = True
    header: bool = False
    invokes: bool = False
    opcodes: int = 0
    imports: dict[Global, None] = field(default_factory=dict)
    calls: dict[Global, None] = field(default_factory=dict)
    strings: list[tuple[int, int]] = field(default_factory=list)


def read_pickle(data: bytes, start: int = 0, most_opcodes: int = MOST_OPCODES) -> PickleTrace:
    """Follow the pickle at `start` to its STOP, to the first byte that is no opcode, or for `most_opcodes`."""
    return _Machine(data, start).run(most_opcodes)


class _FaultError(Exception):
    """The bytes are no pickle from here on."""


type _Item = int | Global | None
"""What is known of a stack item: the offset of the opcode that pushed a string, a tuple or another constant (below 0),
a global, or nothing."""
_TUPLE = -1
_OTHER = -2


class _Machine:
    """One run over one pickle."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start
        self._stack: list[_Item] = []
        self._marks: list[int] = []
        self._memo: dict[int, _Item] = {}
        self._trace = PickleTrace(start)

    def run(self, most_opcodes: int) -> PickleTrace:
        trace = self._trace
        try:
            while self._plain(most_opcodes) and self._slow():
                pass
        except _FaultError as fault:
            trace.fault = str(fault)
        except IndexError:
            trace.fault = "it ends before STOP"
        trace.end = min(self._at, len(self._data))
        return trace

    def _plain(self, most_opcodes: int) -> bool:
        """Do the opcodes up to the next slow one: most of a pickle, so in one loop over local names."""
        data, stack, marks, memo, trace = self._data, self._stack, self._marks, self._memo, self._trace
        at, count, fence, sound = self._at, trace.opcodes, marks[-1] if marks else 0, trace.sound
        strings, paces, steps, pushed = trace.strings, PACES, _STEPS, _PUSHED
        try:
            while count < most_opcodes:
                code = data[at]
                pace = paces[code]
                if pace == SLOW:
                    return True
                if pace == PUSH:
                    stack.append(pushed[code])
                    at += steps[code]
                elif pace == PUT_1:
                    memo[data[at + 1]] = stack[-1]
                    at += 2
                elif pace == PUT_4:
                    memo[int.from_bytes(data[at + 1 : at + 5], "little")] = stack[-1]
                    at += 5
                elif pace in (TEXT_1, TEXT_4):
                    begin = at + 2 if pace == TEXT_1 else at + 5
                    end = begin + (data[at + 1] if pace == TEXT_1 else int.from_bytes(data[at + 1 : begin], "little"))
                    if end - begin >= _LOOKED_INTO and len(strings) < MOST_STRINGS:
                        strings.append((begin, end))
                    stack.append(at)
                    at = end
                elif pace == MEMOIZE:
                    memo[len(memo)] = stack[-1]
                    at += 1
                elif pace in (GET_1, GET_4):
                    after = at + 2 if pace == GET_1 else at + 5
                    index = data[at + 1] if pace == GET_1 else int.from_bytes(data[at + 1 : after], "little")
                    sound &= index in memo
                    stack.append(memo.get(index))
                    at = after
                elif pace == MARK:
                    fence = len(stack)
                    marks.append(fence)
                    at += 1
                else:
                    op = _OPS[code]
                    if pace == TO_MARK:
                        sound &= bool(marks)
                        del stack[fence:]
                        if marks:
                            marks.pop()
                        fence = marks[-1] if marks else 0
                    pops = op.pops
                    if pops:
                        sound &= len(stack) - fence >= pops
                        del stack[-pops:]
                    if op.pushes:
                        stack.append(pushed[code])
                    at += steps[code]
                count += 1
        finally:
            self._at, trace.opcodes, trace.sound = at, count, sound
        raise _FaultError("it is too long to follow")

    def _slow(self) -> bool:
        """Do one opcode of the others; False after STOP."""
        op = TABLE[self._data[self._at]]
        if op is None:
            raise _FaultError("a byte is no opcode")
        opcode_at = self._at
        begin, end = self._argument(op)
        if op.line is not None and not op.line.fullmatch(self._data, begin, end):
            raise _FaultError("an argument is not of its opcode's form")
        self._trace.opcodes += 1
        self._do(op, opcode_at, begin, end)
        return op.act is not Act.STOP

    def _argument(self, op: Op) -> tuple[int, int]:
        """The range of the opcode's argument; moves on behind it."""
        begin = self._at + 1
        if op.width >= 0:
            end = after = begin + op.width
        elif op.width == Form.LINE:
            end = self._line_end(begin)
            after = end + 1
        elif op.width == Form.TWO_LINES:
            end = self._line_end(self._line_end(begin) + 1)
            after = end + 1
        else:
            prefix = LENGTH_BYTES[Form(op.width)]
            begin += prefix
            end = after = begin + int.from_bytes(self._data[begin - prefix : begin], "little")
        if after > len(self._data):
            raise _FaultError("it ends inside an argument")
        self._at = after
        return begin, end

    def _line_end(self, begin: int) -> int:
        end = self._data.find(b"\n", begin)
        if end < 0:
            raise _FaultError("it ends inside an argument")
        return end

    def _do(self, op: Op, opcode_at: int, begin: int, end: int) -> None:
        act, stack = op.act, self._stack
        if act is Act.PLAIN or act is Act.STOP:
            self._take(op)
            stack += [_OTHER] * op.pushes
        elif act is Act.STRING:
            if end - begin >= _LOOKED_INTO and len(self._trace.strings) < MOST_STRINGS:
                self._trace.strings.append((begin, end))
            stack.append(opcode_at)
        elif act is Act.PUT:
            self._remember(self._index(op, begin, end))
        elif act is Act.GET:
            self._recall(self._index(op, begin, end))
        elif act is Act.DUP:
            stack.append(stack[-1] if self._has(1) else None)
        elif act is Act.POP:
            self._pop()
        elif act is Act.PROTO:
            self._trace.header |= self._trace.opcodes == 1
            self._trace.sound &= self._data[begin] <= _PROTOCOL
        else:
            self._name_or_call(op, begin, end)

    def _name_or_call(self, op: Op, begin: int, end: int) -> None:
        if op.act is Act.GLOBAL:
            self._stack.append(self._import(*self._two_lines(begin, end)))
        elif op.act is Act.STACK_GLOBAL:
            self._trace.sound &= self._has(2)
            module, name = (self._text(item) for item in ([None, None, *self._stack])[-2:])
            del self._stack[-2:]
            self._stack.append(self._import(module, name))
        elif op.act is Act.EXTENSION:
            code = int.from_bytes(self._data[begin:end], "little")
            self._stack.append(self._import("copyreg", f"extension_{code}"))
        else:
            self._call(op, begin, end)

    def _call(self, op: Op, begin: int, end: int) -> None:
        """REDUCE, NEWOBJ, OBJ and INST call what they find; BUILD changes it, or calls its `__setstate__`."""
        target: _Item = None
        if op.act is Act.INST:
            target = self._import(*self._two_lines(begin, end))
        elif op.act is Act.OBJ:
            first = self._marks[-1] if self._marks else len(self._stack)
            target = self._stack[first] if first < len(self._stack) else None
        elif self._has(op.pops):
            target = self._stack[-op.pops]
            if op.pops == _CALL_OPERANDS and op.act is Act.CALL:
                self._trace.sound &= self._stack[-1] in (_TUPLE, None)  # no other arguments can be passed
        self._take(op)
        if isinstance(target, Global) and self._trace.sound and len(self._trace.calls) < MOST_NAMES:
            self._trace.calls[target] = None
            self._trace.invokes |= op.act is not Act.BUILD
        self._stack.append(target if op.act is Act.BUILD else None)

    def _take(self, op: Op) -> None:
        """Take the opcode's operands off the stack; what is missing makes the program unsound."""
        if op.to_mark:
            self._trace.sound &= bool(self._marks)
            if self._marks:
                del self._stack[self._marks.pop() :]
        if op.pops:
            self._trace.sound &= self._has(op.pops)
            del self._stack[-op.pops :]

    def _pop(self) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
            return
        self._trace.sound &= self._has(1)
        del self._stack[-1:]

    def _has(self, count: int) -> bool:
        """Whether so many items lie above the last mark, below which no opcode reaches."""
        return len(self._stack) - (self._marks[-1] if self._marks else 0) >= count

    def _remember(self, index: int) -> None:
        self._trace.sound &= self._has(1)
        self._memo[index] = self._stack[-1] if self._stack else None

    def _recall(self, index: int) -> None:
        self._trace.sound &= index in self._memo
        self._stack.append(self._memo.get(index))

    def _index(self, op: Op, begin: int, end: int) -> int:
        raw = self._data[begin:end]
        if op.width != Form.LINE:
            return int.from_bytes(raw, "little")
        return int(raw) if len(raw) < 20 else -1

    def _text(self, item: _Item) -> str:
        """The string that the opcode at this offset pushed."""
        if not isinstance(item, int) or item < 0:
            return _COMPUTED
        op = TABLE[self._data[item]]
        assert op is not None  # noqa: S101 - it was read as a string opcode before
        after, self._at = self._at, item
        begin, end = self._argument(op)
        self._at = after
        return _decoded(op.name, self._data[begin : min(end, begin + _NAME_BYTES)])

    def _two_lines(self, begin: int, end: int) -> tuple[str, str]:
        module, name = self._data[begin:end].split(b"\n", 1)
        return module[:_NAME_BYTES].decode("utf-8", "replace"), name[:_NAME_BYTES].decode("utf-8", "replace")

    def _import(self, module: str, name: str) -> Global:
        found = Global(module, name)
        if len(self._trace.imports) < MOST_NAMES:
            self._trace.imports[found] = None
        return found


def _decoded(opcode: str, raw: bytes) -> str:
    if opcode == "UNICODE":
        return raw.decode("raw-unicode-escape", "replace")
    if opcode == "STRING":
        try:
            raw = codecs.escape_decode(raw.strip()[1:-1])[0]  # as pickle itself does
        except ValueError:
            return _COMPUTED
    return raw.decode("utf-8", "replace")


_PROTOCOL = 5
_CALL_OPERANDS = 2
_OPS = {code: op for code, op in enumerate(TABLE) if op is not None}
_STEPS = tuple(op.width + 1 if op is not None and op.width >= 0 else 0 for op in TABLE)
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"}
_PUSHED = tuple(_TUPLE if op is not None and op.name in _TUPLES else _OTHER for op in TABLE)
