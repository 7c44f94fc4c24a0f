"""What kind of file the first bytes say it is."""

from enum import StrEnum

TAR_MAGIC_AT = 257
TAR_BLOCK = 512


class Signature(StrEnum):
    """Formats told apart by magic numbers. The value is the name shown to people."""

    ZIP = "zip"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"
    LZ4 = "lz4"
    SEVEN_ZIP = "7z"
    RAR = "rar"
    TAR = "tar"
    ELF = "ELF"
    PE = "PE"
    MACH_O = "Mach-O"
    SCRIPT = "script"
    BYTECODE = "Python bytecode"
    NUMPY = "NumPy array"
    HDF5 = "HDF5"
    GGUF = "GGUF"
    NONE = ""


ARCHIVES = frozenset(
    {
        Signature.ZIP,
        Signature.GZIP,
        Signature.BZIP2,
        Signature.XZ,
        Signature.ZSTD,
        Signature.LZ4,
        Signature.SEVEN_ZIP,
        Signature.RAR,
        Signature.TAR,
    }
)
EXECUTABLES = frozenset({Signature.ELF, Signature.PE, Signature.MACH_O, Signature.SCRIPT, Signature.BYTECODE})

_MAGICS = (
    (b"PK\x03\x04", Signature.ZIP),
    (b"PK\x05\x06", Signature.ZIP),
    (b"PK\x07\x08", Signature.ZIP),
    (b"\x1f\x8b", Signature.GZIP),
    (b"BZh", Signature.BZIP2),
    (b"\xfd7zXZ\x00", Signature.XZ),
    (b"\x28\xb5\x2f\xfd", Signature.ZSTD),
    (b"\x04\x22\x4d\x18", Signature.LZ4),
    (b"7z\xbc\xaf\x27\x1c", Signature.SEVEN_ZIP),
    (b"Rar!\x1a\x07", Signature.RAR),
    (b"\x7fELF", Signature.ELF),
    (b"\xfe\xed\xfa\xce", Signature.MACH_O),
    (b"\xfe\xed\xfa\xcf", Signature.MACH_O),
    (b"\xcf\xfa\xed\xfe", Signature.MACH_O),
    (b"\xce\xfa\xed\xfe", Signature.MACH_O),
    (b"\xca\xfe\xba\xbe", Signature.MACH_O),
    (b"#!/", Signature.SCRIPT),
    (b"\x93NUMPY", Signature.NUMPY),
    (b"\x89HDF\r\n\x1a\n", Signature.HDF5),
    (b"GGUF", Signature.GGUF),
)


MAGICS = tuple(magic for magic, _ in _MAGICS)


def signature(head: bytes) -> Signature:
    """The format that `head`, a file's first bytes (best 512 or more), shows; NONE for one that shows none."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    if head[2:4] == b"\r\n" and head[:2] > b"\x00\x00" and head[1:2] in b"\x0c\x0d\x0e":
        return Signature.BYTECODE
    if head.startswith(b"MZ") and _is_pe(head):
        return Signature.PE
    return Signature.TAR if _is_tar(head) else Signature.NONE


def _is_pe(head: bytes) -> bool:
    """MZ alone is two letters that text may begin with; a PE header is where the DOS header points."""
    at = int.from_bytes(head[60:64], "little")
    return head[at : at + 4] == b"PE\x00\x00"


def _is_tar(head: bytes) -> bool:
    """By `ustar`, or by the checksum that every tar header carries, also the old form without magic."""
    if len(head) < TAR_BLOCK:
        return False
    if head[TAR_MAGIC_AT : TAR_MAGIC_AT + 5] == b"ustar":
        return True
    field = head[148:156].strip(b" \0")
    if not field or len(field) > 7 or field.strip(b"01234567"):
        return False
    return int(field, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:TAR_BLOCK])
