"""`upload`: files into intake with the gate's key, one failure not stopping the others."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tunegate_cli import upload
from unit.cli_world import KEY_ARN, World, refused, world


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        yield made


def keys(account: World) -> list[str]:
    return [entry["Key"] for entry in account.s3.list_objects_v2(Bucket="intake").get("Contents", [])]


def test_a_file_is_put_with_the_gates_key_and_its_version_is_told(account: World, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(b"{}\n")
    result = account.run("upload", str(tmp_path / "train.jsonl"), "--prefix", "bot/")
    answer = account.s3.head_object(Bucket="intake", Key="bot/train.jsonl")
    assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", KEY_ARN)
    assert result.stdout == f"s3://intake/bot/train.jsonl  {answer['VersionId']}\n"


def test_a_directory_is_taken_with_all_below_it(account: World, tmp_path: Path) -> None:
    for name in ("a.jsonl", "sub/b.jsonl", "sub/deeper/c.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")
    assert account.run("upload", str(tmp_path), "--prefix", "p/").exit_code == 0
    assert keys(account) == ["p/a.jsonl", "p/sub/b.jsonl", "p/sub/deeper/c.jsonl"]


def test_a_large_file_goes_in_parts_and_its_version_is_told(account: World, tmp_path: Path) -> None:
    (tmp_path / "big.jsonl").write_bytes(b"x" * (6 * 1024**2))
    with patch.object(upload, "MULTIPART_BYTES", 5 * 1024**2):
        result = account.run("upload", str(tmp_path / "big.jsonl"))
    answer = account.s3.head_object(Bucket="intake", Key="big.jsonl")
    assert answer["ETag"].endswith('-2"')
    assert result.stdout.split() == ["s3://intake/big.jsonl", answer["VersionId"]]
    assert answer["SSEKMSKeyId"] == KEY_ARN


def test_a_file_that_fails_does_not_stop_the_others(account: World, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
        (tmp_path / name).write_bytes(b"{}")

    def refuse_b(params: dict[str, str], **_: object) -> None:
        if params["Key"] == "b.jsonl":
            raise refused("PutObject", "AccessDenied")

    account.s3.meta.events.register("provide-client-params.s3.PutObject", refuse_b)
    result = account.run("upload", str(tmp_path))
    assert result.exit_code == 1
    assert keys(account) == ["a.jsonl", "c.jsonl"]
    assert "b.jsonl: AWS refused PutObject" in result.stderr
    assert "1 of 3 files were not uploaded" in result.stderr


def test_a_path_that_is_not_there_uploads_nothing(account: World, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    result = account.run("upload", str(tmp_path / "a.jsonl"), str(tmp_path / "typo.jsonl"))
    assert result.exit_code == 2
    assert "No such file" in result.stderr
    assert keys(account) == []
