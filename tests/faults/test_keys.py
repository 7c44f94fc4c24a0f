"""Whatever S3 takes for a key names one upload, all the way: it is settled under that very key, and told of by it."""

import string
from collections.abc import Iterator

import pytest

from faults.flows import CLEAN, FLAGGED, Flow, told
from faults.run import Ground, ground

KEYS = {
    "dots": "../../team/../up.jsonl",
    "only dots": "..",
    "slashes": "/team//a.jsonl/",
    "plus and percent": "a+b%2Fc%%20 d.jsonl",
    "all of ASCII": string.ascii_letters + string.digits + string.punctuation + " ",
    "emoji": "🧪👩\u200d🔬.jsonl",
    "as long as can be, in bytes": "é" * 512,
    "one form of a letter": "caf\u00e9.jsonl",
    "the other form of it": "cafe\u0301.jsonl",
    "right to left": "\u202egnp.jsonl",
    "what looks like markup": "<b>&amp;\"'{{key}}$(id)`id`.jsonl",
    "blanks at both ends": "  a.jsonl  ",
    # Of the control characters those that XML holds: the account in memory lists no others.
    "what ends a line or is not seen": "a\n\t\x7f\x85\u2028\u200b.jsonl",
    "what Unicode assigns nothing to": "\ufdd0\u0378\U0010ffff.jsonl",
}


@pytest.fixture(scope="module")
def account() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.mark.parametrize(("body", "verdict"), [(CLEAN, "clean"), (FLAGGED, "flagged")], ids=["clean", "flagged"])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_an_upload_of_any_key_is_settled_under_it_and_told_of_by_it(
    account: Ground, key: str, body: bytes, verdict: str
) -> None:
    upload = Flow("", lambda world: world.upload(key, body, may_be_read=verdict == "clean"), told)
    ended = account.run(upload, None, None)
    assert ended.verdicts == {key: verdict}
    assert ended.alerts == ({key: 1} if verdict == "flagged" else {})
