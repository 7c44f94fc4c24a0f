"""What the sieve's tables are made of, by which a sieve that was made of other rules is told."""

import hashlib
import unicodedata
from pathlib import Path

SCREEN = Path(__file__).parent.parent / "screen"


def digest() -> bytes:
    """SHA-256 of the screen's data and code, and of which Unicode folds characters."""
    found = hashlib.sha256(unicodedata.unidata_version.encode())
    for path in sorted((*SCREEN.glob("data/*"), *SCREEN.glob("*.py"))):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.digest()
