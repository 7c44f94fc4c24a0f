"""How the lines of a file are read."""

from enum import StrEnum


class Form(StrEnum):
    JSONL = "jsonl"
    TEXT = "text"
