"""What lay at a job's inputs when it began, and what it read by its end: by version, key, verdict and standing."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functional.aws_answers import Answers, Refusal
from functional.aws_in_order import BEGAN, ENDED, KEY, UNDER_KEY, in_order
from functional.conftest import Account
from tunegate.job_facts import Input, InputObject, Unknown
from tunegate.observe.inputs import InputsSeen, inputs, output_keys

EARLIER, MEANWHILE, LATER = BEGAN - timedelta(hours=1), BEGAN + timedelta(minutes=1), ENDED + timedelta(minutes=1)


def standing(key: str, version_id: str) -> tuple[str, str, bool]:
    return "clean", f"policy of {key} {version_id}", True


def look(s3: Any, *uris: str, ended: datetime | None = ENDED) -> InputsSeen:
    seen = inputs(s3, uris or ("s3://approved/train.jsonl",), BEGAN, ended, standing)
    assert isinstance(seen, InputsSeen)
    return seen


def version(at: datetime, version_id: str, key: str = "train.jsonl", latest: bool = False) -> dict[str, Any]:
    return {"Key": key, "VersionId": version_id, "ETag": f'"{version_id}"', "LastModified": at, "IsLatest": latest}


def marker(at: datetime, key: str = "train.jsonl", latest: bool = False) -> dict[str, Any]:
    return {"Key": key, "VersionId": f"marker{at}", "LastModified": at, "IsLatest": latest}


def history(*versions: dict[str, Any], markers: tuple[dict[str, Any], ...] = ()) -> Answers:
    return in_order().but({("s3", "ListObjectVersions"): {"Versions": list(versions), "DeleteMarkers": list(markers)}})


def ids(seen: InputsSeen) -> tuple[list[str], list[str]]:
    """The version ids at the beginning and at the end."""
    return [item.version_id for item in seen.began_with], [item.object.version_id for item in seen.read]


class TestInABucket:
    def put(self, account: Account, key: str, **more: Any) -> str:
        return str(account.s3.put_object(Bucket="approved", Key=key, Body=key.encode(), **more)["VersionId"])

    def test_an_object_is_told_by_version_key_verdict_and_standing(self, account: Account) -> None:
        self.put(account, "train.jsonl")
        current = self.put(
            account, "train.jsonl", ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY, Tagging="tunegate-verdict=clean"
        )
        [item] = look(account.s3, ended=None).read
        etag = account.s3.head_object(Bucket="approved", Key="train.jsonl")["ETag"].strip('"')
        read = InputObject("approved", "train.jsonl", current, etag)
        assert item == Input(read, KEY, "clean", "clean", f"policy of train.jsonl {current}", True)

    def test_an_object_without_key_or_verdict_is_told_so(self, account: Account) -> None:
        self.put(account, "train.jsonl", ServerSideEncryption="AES256", Tagging="colour=red")
        [item] = look(account.s3, ended=None).read
        assert (item.key_arn, item.verdict) == ("", "")

    def test_a_prefix_is_read_whole(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = [f"set/{number:04}" for number in range(30)]
        for key in keys:
            self.put(account, key)
        self.put(account, "other/file")
        account.s3.delete_object(Bucket="approved", Key=keys.pop())
        [*found] = (item.object.key for item in look(account.s3, "s3://approved/set/", ended=None).read)
        assert found == keys

    def test_of_a_deleted_object_nothing_is_read(self, account: Account) -> None:
        self.put(account, "train.jsonl")
        account.s3.delete_object(Bucket="approved", Key="train.jsonl")
        assert look(account.s3, ended=None).read == ()

    def test_results_are_told_with_their_keys(self, account: Account) -> None:
        account.s3.put_object(
            Bucket="approved", Key="jobs/a/metrics.csv", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY
        )
        account.s3.put_object(Bucket="approved", Key="jobs/a/more.csv", Body=b"")
        account.s3.put_object(Bucket="approved", Key="jobs/b/metrics.csv", Body=b"")
        found = output_keys(account.s3, "s3://approved/jobs/a/")
        assert found == {"jobs/a/metrics.csv": KEY, "jobs/a/more.csv": ""}


@pytest.mark.parametrize(
    ("aws", "began", "read"),
    [
        (history(version(EARLIER, "v1", latest=True)), ["v1"], ["v1"]),
        (history(version(MEANWHILE, "v2", latest=True), version(EARLIER, "v1")), ["v1"], ["v2"]),
        (history(version(MEANWHILE, "v1", latest=True)), [], ["v1"]),
        (history(version(EARLIER, "v1"), markers=(marker(MEANWHILE, latest=True),)), ["v1"], []),
        (history(version(LATER, "v2", latest=True), version(EARLIER, "v1")), ["v1"], ["v1"]),
        (history(version(EARLIER, "v1"), markers=(marker(LATER, latest=True),)), ["v1"], ["v1"]),
        (
            history(version(LATER, "v3", latest=True), version(MEANWHILE, "v2"), markers=(marker(EARLIER),)),
            [],
            ["v2"],
        ),
        (history(), [], []),
    ],
    ids=[
        "unchanged", "replaced", "added", "removed", "replaced afterwards", "removed afterwards",
        "put back after a removal", "never there",
    ],
)  # fmt: skip
def test_both_moments_are_told_from_the_history(aws: Answers, began: list[str], read: list[str]) -> None:
    assert ids(look(aws.client("s3"))) == (began, read)


def test_a_job_that_runs_reads_what_is_current() -> None:
    aws = history(version(LATER, "v2", latest=True), version(EARLIER, "v1"))
    assert ids(look(aws.client("s3"), ended=None)) == (["v1"], ["v2"])


def test_what_is_put_within_the_second_a_job_begins_in_was_there() -> None:
    # S3 keeps whole seconds, Bedrock parts of them.
    aws = history(version(BEGAN, "v1", latest=True))
    seen = inputs(
        aws.client("s3"), ("s3://approved/train.jsonl",), BEGAN + timedelta(milliseconds=300), ENDED, standing
    )
    assert isinstance(seen, InputsSeen)
    assert ids(seen) == (["v1"], ["v1"])


def test_of_one_second_the_newest_counts() -> None:
    aws = history(version(EARLIER, "v2"), version(EARLIER, "v1"), version(LATER, "v3", latest=True))
    assert ids(look(aws.client("s3"))) == (["v2"], ["v2"])
    aws = history(version(EARLIER, "v1"), markers=(marker(EARLIER),))
    assert ids(look(aws.client("s3"))) == (["v1"], ["v1"])
    aws = history(version(EARLIER, "v1"), markers=(marker(EARLIER, latest=True),))
    assert ids(look(aws.client("s3"))) == ([], [])


def keys_at(uri: str, *keys: str) -> list[str]:
    """The keys read for a URI, of objects that were all there from the beginning."""
    asked: list[str] = []

    def listed(params: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(params["Prefix"])
        versions = [version(EARLIER, f"v of {key}", key, latest=True) for key in keys]
        return {"Versions": [entry for entry in versions if entry["Key"].startswith(params["Prefix"])]}

    seen = look(in_order().but({("s3", "ListObjectVersions"): listed}).client("s3"), uri)
    assert asked == [uri.removeprefix("s3://approved/")]
    return [item.object.key for item in seen.read]


def test_a_name_is_the_object_of_that_name() -> None:
    assert keys_at("s3://approved/a.jsonl", "a.jsonl", "a.jsonl.old") == ["a.jsonl"]


def test_a_name_without_an_object_is_a_prefix() -> None:
    assert keys_at("s3://approved/set", "set-2", "set/1") == ["set-2", "set/1"]


def test_a_name_that_is_an_objects_and_a_folders_is_both() -> None:
    assert keys_at("s3://approved/set", "set", "set-2", "set/1") == ["set", "set/1"]


def test_an_empty_object_that_stands_for_a_folder_hides_nothing_in_it() -> None:
    assert keys_at("s3://approved/set/", "set/", "set/1", "set/2") == ["set/", "set/1", "set/2"]


def test_a_whole_bucket_is_a_prefix() -> None:
    assert keys_at("s3://approved/", "a", "b/c") == ["a", "b/c"]


def test_an_object_that_was_only_there_at_the_beginning_is_still_the_one_meant() -> None:
    aws = history(
        version(EARLIER, "v1"), version(EARLIER, "v2", "train.jsonl.old", latest=True), markers=(marker(MEANWHILE),)
    )
    assert ids(look(aws.client("s3"))) == (["v1"], [])


def test_an_object_named_twice_is_read_once() -> None:
    aws = history(version(EARLIER, "v1", "set/1", latest=True))
    assert ids(look(aws.client("s3"), "s3://approved/set/", "s3://approved/set/1")) == (["v1"], ["v1"])


def test_the_history_is_read_to_the_last_page() -> None:
    def page(params: Mapping[str, Any]) -> dict[str, Any]:
        if "KeyMarker" in params:
            return {"Versions": [version(EARLIER, "v1")]}
        return {
            "Versions": [version(MEANWHILE, "v2", latest=True)],
            "IsTruncated": True,
            "NextKeyMarker": "train.jsonl",
            "NextVersionIdMarker": "v2",
        }

    assert ids(look(in_order().but({("s3", "ListObjectVersions"): page}).client("s3"))) == (["v1"], ["v2"])


def test_an_input_is_asked_for_by_version_and_not_for_a_checksum_that_takes_decryption() -> None:
    # S3 API Reference, HeadObject: x-amz-checksum-mode needs kms:Decrypt, which the job gate has not.
    asked: list[Mapping[str, Any]] = []

    def head(params: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(params)
        return dict(UNDER_KEY)

    aws = history(version(EARLIER, "v1"), version(LATER, "v2", latest=True)).but({("s3", "HeadObject"): head})
    look(aws.client("s3"))
    assert asked == [{"Bucket": "approved", "Key": "train.jsonl", "VersionId": "v1"}]


def test_a_version_that_is_gone_when_it_is_looked_at_is_unknown() -> None:
    aws = in_order().but({("s3", "HeadObject"): Refusal("404", status=404)})
    seen = inputs(aws.client("s3"), ("s3://approved/train.jsonl",), BEGAN, ENDED, standing)
    assert seen == Unknown("s3:GetObjectVersion", "approved/train.jsonl", "404")


def test_a_result_that_is_gone_again_is_none() -> None:
    aws = in_order().but({("s3", "HeadObject"): Refusal("404", status=404)})
    assert output_keys(aws.client("s3"), "s3://output/jobs/tune/") == {}


def test_times_are_compared_in_any_zone() -> None:
    assert BEGAN.tzinfo is UTC
    aws = history(version(EARLIER.astimezone(), "v1", latest=True))
    assert ids(look(aws.client("s3"))) == (["v1"], ["v1"])
