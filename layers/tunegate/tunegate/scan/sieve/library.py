"""The compiled sieve: which file it is, and what its functions take and give (native/root.zig)."""

import ctypes
import platform
import sys
from functools import cache
from pathlib import Path

from tunegate.scan.sieve.rules import digest


class SieveError(Exception):
    """The sieve is not there, or is not the one for the rules of this screen."""


def path_for(system: str, machine: str) -> Path:
    """Not `.so`: what is so named is no source, and `sam build` leaves it out."""
    return Path(__file__).parent / f"sieve-{system}-{machine}.lib"


def this_machine() -> tuple[str, str]:
    """Operating system and processor, as the files are named."""
    system = {"darwin": "macos"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    return system, {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)


class Asked(ctypes.Structure):
    """What may be in a text, as bits, whose it is, and where in the bytes it stands."""

    _fields_ = (
        ("owner", ctypes.c_uint32),
        ("kinds", ctypes.c_uint32),
        ("begin", ctypes.c_uint32),
        ("end", ctypes.c_uint32),
    )


class OfRule(ctypes.Structure):
    """Texts that one rule could match, joined to `size` bytes: where each begins and whose it is."""

    _fields_ = (
        ("rule", ctypes.c_size_t),
        ("joined", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("starts", ctypes.POINTER(ctypes.c_uint32)),
        ("owners", ctypes.POINTER(ctypes.c_uint32)),
        ("count", ctypes.c_size_t),
    )


@cache
def load() -> ctypes.CDLL:
    """The library for this machine; SieveError where there is none, or it was built of other rules."""
    path = path_for(*this_machine())
    if not path.exists():
        raise SieveError(f"{path.name} is not there: make setup builds it")
    library = ctypes.CDLL(str(path))
    library.sieve_digest.restype = ctypes.POINTER(ctypes.c_uint8)
    if bytes(library.sieve_digest()[:32]) != digest():
        raise SieveError(f"{path.name} was built of other rules than those of this screen: make setup builds it anew")
    library.sieve_rules.restype = ctypes.c_size_t
    library.sieve_new.restype = ctypes.c_void_p
    library.sieve_free.restype = None
    library.sieve_free.argtypes = [ctypes.c_void_p]
    library.sieve_sift.restype = ctypes.c_bool
    library.sieve_sift.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint8, ctypes.c_void_p]
    library.sieve_settle.restype = None
    library.sieve_settle.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), ctypes.c_size_t]
    library.sieve_forget.restype = None
    library.sieve_forget.argtypes = [ctypes.c_void_p]
    return library


@cache
def sifted_type() -> type[ctypes.Structure]:
    """What sieve_sift fills in, with room for all rules."""
    of_rule = OfRule * int(load().sieve_rules())

    class Sifted(ctypes.Structure):
        _fields_ = (
            ("lines", ctypes.c_void_p),
            ("starts", ctypes.POINTER(ctypes.c_uint32)),
            ("line_count", ctypes.c_size_t),
            ("texts", ctypes.POINTER(Asked)),
            ("text_count", ctypes.c_size_t),
            ("stretches", ctypes.POINTER(Asked)),
            ("stretch_count", ctypes.c_size_t),
            ("bytes", ctypes.c_void_p),
            ("rule_count", ctypes.c_size_t),
            ("of_rule", of_rule),
        )

    return Sifted
