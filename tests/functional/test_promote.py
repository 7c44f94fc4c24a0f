"""An upload moves once, verified, whatever goes wrong on the way; the newest clean upload is the current one."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from functional.conftest import Account
from tunegate.act import promote
from tunegate.act.promote import Upload, copies_in, settle, withdraw
from tunegate.act.tags import Tag
from tunegate.errors import PermanentError, RetryableError
from tunegate.model import Verdict

BODY = b'{"input": "hello"}\n'


def meanwhile(patch: pytest.MonkeyPatch, step: str, nth: int, act: Callable[[], None]) -> None:
    """Have something happen right before the nth time that a step of a settling is done."""
    original, times = getattr(promote, step), itertools.count(1)

    def stepped(*given: Any) -> Any:
        if next(times) == nth:
            act()
        return original(*given)

    patch.setattr(promote, step, stepped)


def fail() -> None:
    raise ConnectionError


def approve(account: Account, upload: Upload) -> None:
    settle(account.s3, upload, account.approved, Verdict.CLEAN, "digest")


def test_a_clean_upload_leaves_intake_and_arrives_bit_identical_with_its_verdict(account: Account) -> None:
    upload = account.upload("a.jsonl", BODY)
    settled = settle(account.s3, upload, account.approved, Verdict.CLEAN, "digest")
    assert account.bodies("intake", "a.jsonl") == []
    assert account.bodies("approved", "a.jsonl") == [BODY]
    assert account.tags(settled) == {
        Tag.VERDICT: "clean",
        Tag.POLICY: "digest",
        Tag.SOURCE: upload.version.version_id,
        Tag.ORDER: "01",
    }
    head = account.s3.head_object(Bucket="approved", Key="a.jsonl")
    assert head["ContentType"] == "application/jsonl"
    assert head["SSEKMSKeyId"] == account.key


def test_settling_again_after_it_was_done_changes_nothing(account: Account) -> None:
    upload = account.upload("a.jsonl", BODY)
    first = settle(account.s3, upload, account.approved, Verdict.CLEAN, "digest")
    assert settle(account.s3, upload, account.approved, Verdict.CLEAN, "digest") == first
    assert account.bodies("approved", "a.jsonl") == [BODY]


@pytest.mark.parametrize("step", ["_verify", "_tag", "keep_newest_current"])
def test_a_settling_cut_short_is_completed_by_the_next_without_a_second_copy(
    account: Account, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    upload = account.upload("a.jsonl", BODY)
    with monkeypatch.context() as broken:
        broken.setattr(promote, step, lambda *_: (_ for _ in ()).throw(ConnectionError()))
        with pytest.raises(ConnectionError):
            approve(account, upload)
    assert account.bodies("intake", "a.jsonl") == [BODY], "nothing leaves intake before its copy is in place"
    approve(account, upload)
    assert account.bodies("approved", "a.jsonl") == [BODY]
    assert account.bodies("intake", "a.jsonl") == []


def test_a_copy_is_not_readable_by_its_verdict_before_it_was_compared(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promote, "_same_checksum", lambda *_: False)
    monkeypatch.setattr(promote, "_sha256", lambda s3, version, facts: version.bucket)
    upload = account.upload("a.jsonl", BODY)
    with pytest.raises(PermanentError, match="differs"):
        approve(account, upload)
    [copy] = copies_in(account.s3, "approved", "a.jsonl")
    assert copy.tags[Tag.VERDICT] == "settling"
    assert account.bodies("intake", "a.jsonl") == [BODY]


@pytest.mark.parametrize("ending", list(itertools.permutations(range(3))))
def test_the_newest_upload_is_current_in_whatever_order_scans_end(account: Account, ending: tuple[int, ...]) -> None:
    uploads = [account.upload("a.jsonl", f"upload {n}".encode(), order=f"0{n}") for n in range(3)]
    for n in ending:
        approve(account, uploads[n])
    assert account.s3.get_object(Bucket="approved", Key="a.jsonl")["Body"].read() == b"upload 2"
    assert set(account.bodies("approved", "a.jsonl")) == {b"upload 0", b"upload 1", b"upload 2"}
    assert account.bodies("intake", "a.jsonl") == []


@pytest.mark.parametrize("moment", ["while it is copied", "before it is tagged", "after"])
def test_a_version_revoked_while_it_is_brought_forward_stays_unreadable(
    account: Account, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    older, newer = account.upload("a.jsonl", b"older"), account.upload("a.jsonl", b"newer", order="02")
    approve(account, newer)
    if moment == "while it is copied":
        meanwhile(monkeypatch, "_copy", 2, lambda: withdraw(account.s3, newer.version, "approved", Verdict.FLAGGED))
    if moment == "before it is tagged":
        # By then the older one's copy has been given its verdict.
        meanwhile(monkeypatch, "_tag", 2, lambda: withdraw(account.s3, newer.version, "approved", Verdict.FLAGGED))
    approve(account, older)
    if moment == "after":
        withdraw(account.s3, newer.version, "approved", Verdict.FLAGGED)
    verdicts = {copy.tags[Tag.SOURCE]: copy.tags[Tag.VERDICT] for copy in copies_in(account.s3, "approved", "a.jsonl")}
    assert verdicts == {older.version.version_id: "clean", newer.version.version_id: "flagged"}


def test_a_version_half_brought_forward_is_brought_forward_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = account.upload("a.jsonl", b"older"), account.upload("a.jsonl", b"newer", order="02")
    approve(account, newer)
    with monkeypatch.context() as patched:
        meanwhile(patched, "_tag", 2, fail)
        with pytest.raises(RetryableError):
            approve(account, older)
    approve(account, older)
    current = next(copy for copy in copies_in(account.s3, "approved", "a.jsonl") if copy.is_latest)
    assert current.tags[Tag.SOURCE] == newer.version.version_id
    assert current.tags[Tag.VERDICT] == "clean"


def test_keys_that_begin_alike_are_told_apart(account: Account) -> None:
    short, long = account.upload("a", b"short"), account.upload("a.jsonl", b"long")
    approve(account, long)
    approve(account, short)
    assert account.bodies("approved", "a.jsonl") == [b"long"]
    assert [copy.version.key for copy in copies_in(account.s3, "approved", "a")] == ["a"]


def test_a_withdrawn_copy_keeps_its_bytes_and_loses_its_verdict(account: Account) -> None:
    upload = account.upload("a.jsonl", BODY)
    settled = settle(account.s3, upload, account.approved, Verdict.CLEAN, "digest")
    withdraw(account.s3, upload.version, "approved", Verdict.HELD)
    assert account.tags(settled)[Tag.VERDICT] == "held"
    assert account.bodies("approved", "a.jsonl") == [BODY]


def test_an_upload_that_is_gone_and_was_never_settled_is_an_error(account: Account) -> None:
    upload = account.upload("a.jsonl", BODY)
    account.s3.delete_object(Bucket="intake", Key="a.jsonl", VersionId=upload.version.version_id)
    with pytest.raises(PermanentError, match="left intake"):
        approve(account, upload)
