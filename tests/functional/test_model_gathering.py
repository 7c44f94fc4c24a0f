"""One scan of a model at a time: what a running one has yet to move, or an ended one has left, is no upload."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError

from functional.conftest import TABLE, Account
from tunegate.act.ledger import write_once
from tunegate.errors import PermanentError, RetryableError
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.model_gathering import Gathering, gather
from tunegate.policy import default_policy
from tunegate.rows import Action, DecisionRow
from tunegate.steps import ModelScanRequest

PREFIX = "models/llama/"
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tunegate-scan-model"
FILE_MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tunegate-scan"
QUIET = timedelta(hours=1)


@dataclass
class Executions:
    """Step Functions, as far as the names, states, starts and inputs of executions go."""

    inputs: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    described: list[str] = field(default_factory=list)
    told: dict[ObjectVersion, datetime] = field(default_factory=dict)
    """When the scan of a file was started by its event."""
    refuses: str = ""
    """The prefix whose scan is not to be started."""

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        self.described.append(executionArn)
        of_files = {f"{execution(FILE_MACHINE)}:{file.digest}": at for file, at in self.told.items()}
        if executionArn in of_files:
            return {"status": "SUCCEEDED", "startDate": of_files[executionArn]}
        name = executionArn.removeprefix(f"{execution(MACHINE)}:")
        if name not in self.inputs:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution")
        return {"status": "SUCCEEDED" if name in self.ended else "RUNNING", "input": self.inputs[name]}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        if self.refuses and self.refuses in input:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "StartExecution")
        self.inputs[name] = input

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_executions"
        return self

    def paginate(self, stateMachineArn: str, statusFilter: str) -> Iterator[dict[str, Any]]:
        assert (stateMachineArn, statusFilter) == (MACHINE, "RUNNING")
        for name in self.inputs.keys() - self.ended:
            yield {"executions": [{"executionArn": f"{execution(MACHINE)}:{name}"}]}


def execution(machine: str) -> str:
    return machine.replace(":stateMachine:", ":execution:")


@dataclass
class Parts:
    """S3, which also lists what is being put in parts."""

    s3: Any
    begun: list[tuple[str, datetime]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)

    def list_multipart_uploads(
        self, Bucket: str, Prefix: str, EncodingType: str, KeyMarker: str, UploadIdMarker: str
    ) -> dict[str, Any]:
        """One a page, its key as S3 encodes it."""
        assert (Bucket, EncodingType) == ("intake", "url")
        begun = sorted((key, at) for key, at in self.begun if key.startswith(Prefix))
        after = [(key, at) for key, at in begun if key > KeyMarker]
        shown = [{"Key": quote_plus(key), "Initiated": at} for key, at in after[:1]]
        page = {"EncodingType": EncodingType, "Uploads": shown, "IsTruncated": len(after) > 1}
        return page | ({"NextKeyMarker": shown[0]["Key"], "NextUploadIdMarker": "id"} if len(after) > 1 else {})


@dataclass
class Schedule:
    """`gather_models` as its schedule runs it, once nothing was added for an hour."""

    account: Account
    executions: Executions
    s3: Parts
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + QUIET)

    def run(self) -> list[ObjectVersion]:
        stepfunctions: Any = self.executions
        s3: Any = self.s3
        gathering = Gathering(
            s3, stepfunctions, self.account.dynamodb, TABLE, "intake", MACHINE, FILE_MACHINE, default_policy()
        )
        return list(gather(gathering, self.now))

    def scanned(self, upload: ObjectVersion) -> set[ObjectVersion]:
        """The versions that the scan of an upload is to settle."""
        request = ModelScanRequest.model_validate_json(self.executions.inputs[upload.digest])
        return {file.object.version() for file in request.files}


@pytest.fixture
def schedule(account: Account) -> Schedule:
    return Schedule(account, Executions(), Parts(account.s3))


def put(account: Account, *names: str) -> list[ObjectVersion]:
    return [account.upload(PREFIX + name, b"{}").version for name in names]


def moved(account: Account, version: ObjectVersion) -> None:
    """As settling ends, which takes a version out of intake."""
    account.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)


def held(account: Account, version: ObjectVersion, upload: str = PREFIX) -> None:
    decision = Decision(version, Verdict.HELD, "digest")
    row = DecisionRow(decision, Action.SCAN, "id", "2026-11-22T10:00:00.000Z", "01", upload=upload)
    write_once(account.dynamodb, TABLE, row.to_item())


def test_what_a_running_scan_has_yet_to_move_is_left_to_it(account: Account, schedule: Schedule) -> None:
    first, second = put(account, "config.json", "model.safetensors")
    [upload] = schedule.run()
    moved(account, first)
    assert schedule.run() == []
    schedule.executions.ended.add(upload.digest)
    [rest] = schedule.run()
    assert schedule.scanned(rest) == {second}, "what no scan settles is not forgotten"


def test_a_file_added_while_a_scan_runs_is_scanned_once_that_has_ended(account: Account, schedule: Schedule) -> None:
    old = put(account, "config.json")
    [upload] = schedule.run()
    new = put(account, "model.safetensors")
    assert schedule.run() == []
    schedule.executions.ended.add(upload.digest)
    [whole] = schedule.run()
    assert schedule.scanned(whole) == {*old, *new}


def test_a_running_scan_holds_back_no_other_upload(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    assert len(schedule.run()) == 1
    account.upload("models/other/config.json", b"{}")
    [other] = schedule.run()
    assert other.key == "models/other/"


def test_each_running_scan_is_read_once_a_round(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    [running] = schedule.run()
    for number in range(5):
        account.upload(f"models/m{number}/config.json", b"{}")
    schedule.executions.described.clear()
    assert len(schedule.run()) == 5
    read = [arn for arn in schedule.executions.described if arn.endswith(running.digest)]
    assert len(read) == 1


@pytest.mark.parametrize("rubbish", ["", "[]", "{", '{"object": 1}', '{"files": [{"object": "models/llama/"}]}'])
def test_an_execution_somebody_started_with_rubbish_stops_no_scan(
    account: Account, schedule: Schedule, rubbish: str
) -> None:
    schedule.executions.inputs["by-hand"] = rubbish
    put(account, "config.json")
    assert len(schedule.run()) == 1


def test_a_version_that_was_replaced_is_no_upload_once_its_successor_is_settled(
    account: Account, schedule: Schedule
) -> None:
    old, new = put(account, "config.json", "config.json")
    [upload] = schedule.run()
    moved(account, new)
    held(account, old)
    schedule.executions.ended.add(upload.digest)
    assert schedule.run() == []


def test_a_file_that_could_not_be_moved_is_no_upload_and_is_scanned_with_what_is_added(
    account: Account, schedule: Schedule
) -> None:
    first, stuck = put(account, "config.json", "model.safetensors")
    [upload] = schedule.run()
    moved(account, first)
    held(account, stuck)
    schedule.executions.ended.add(upload.digest)
    assert schedule.run() == []
    [added] = put(account, "config.json")
    [whole] = schedule.run()
    assert schedule.scanned(whole) == {stuck, added}


def test_what_was_held_as_a_training_file_is_scanned_as_a_model(account: Account, schedule: Schedule) -> None:
    [version] = put(account, "config.json")
    held(account, version, upload="")
    [upload] = schedule.run()
    assert schedule.scanned(upload) == {version}


def test_a_manifest_that_cannot_be_read_keeps_no_other_model_waiting(account: Account, schedule: Schedule) -> None:
    manifest = b'{"files": [{"name": "config.json", "size": 2}]}'
    for name in ("a", "b"):
        account.upload(f"models/{name}/config.json", b"{}")
    account.s3.put_object(Bucket="intake", Key="models/a/manifest.json", Body=manifest, StorageClass="GLACIER")
    account.upload("models/b/manifest.json", manifest)
    schedule.now = datetime.now(UTC)
    with pytest.raises(PermanentError, match="InvalidObjectState"):
        schedule.run()
    [started] = schedule.executions.inputs.values()
    assert ModelScanRequest.model_validate_json(started).object.key == "models/b/"
    schedule.now += QUIET
    assert [upload.key for upload in schedule.run()] == ["models/a/"], "its scan says why it is held"


def test_what_fails_for_one_model_fails_the_round_after_the_others(account: Account, schedule: Schedule) -> None:
    for name in ("a", "b"):
        account.upload(f"models/{name}/config.json", b"{}")
    schedule.executions.refuses = "models/a/"
    with pytest.raises(RetryableError):
        schedule.run()
    [started] = [ModelScanRequest.model_validate_json(given) for given in schedule.executions.inputs.values()]
    assert started.object.key == "models/b/"


def put_in_parts(account: Account, name: str) -> ObjectVersion:
    s3: Any = account.s3
    named = {"Bucket": "intake", "Key": PREFIX + name}
    begun = s3.create_multipart_upload(**named)["UploadId"]
    tag = s3.upload_part(**named, UploadId=begun, PartNumber=1, Body=b"{}")["ETag"]
    parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
    done = s3.complete_multipart_upload(**named, UploadId=begun, MultipartUpload=parts)
    return ObjectVersion("intake", PREFIX + name, done["VersionId"])


def test_a_model_is_not_quiet_while_a_file_of_it_is_being_put_in_parts(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    given_up = (f"{PREFIX}a given+up/%.safetensors", schedule.now - timedelta(days=2))
    schedule.s3.begun = [given_up, (f"{PREFIX}model.safetensors", schedule.now - timedelta(hours=5))]
    assert schedule.run() == []
    schedule.s3.begun = []
    assert len(schedule.run()) == 1


def test_parts_that_were_begun_anew_or_given_up_or_are_another_models_hold_nothing_back(
    account: Account, schedule: Schedule
) -> None:
    put(account, "config.json", "a+b %2F\x7f.json")
    schedule.s3.begun = [
        (f"{PREFIX}a+b %2F\x7f.json", schedule.now - QUIET - timedelta(minutes=1)),
        (f"{PREFIX}config.json", schedule.now - QUIET - timedelta(minutes=1)),
        (f"{PREFIX}model.safetensors", schedule.now - timedelta(hours=25)),
        ("models/other/model.safetensors", schedule.now),
    ]
    assert len(schedule.run()) == 1


def test_a_file_put_in_parts_was_added_when_all_of_it_was_there(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    version = put_in_parts(account, "model.safetensors")
    # As S3 lists it, it is an hour old: that is when its parts began to come.
    schedule.executions.told = {version: schedule.now - timedelta(minutes=9)}
    assert schedule.run() == []
    schedule.executions.told = {version: schedule.now - timedelta(minutes=11)}
    [upload] = schedule.run()
    assert version in schedule.scanned(upload)


def test_a_file_put_in_parts_whose_event_was_lost_is_scanned_all_the_same(account: Account, schedule: Schedule) -> None:
    version = put_in_parts(account, "model.safetensors")
    [upload] = schedule.run()
    assert schedule.scanned(upload) == {version}


def test_a_manifest_completes_an_upload_whatever_else_is_on_its_way(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    account.upload(f"{PREFIX}manifest.json", b'{"files": [{"name": "config.json", "size": 2}]}')
    schedule.s3.begun = [(f"{PREFIX}other.json", schedule.now)]
    assert len(schedule.run()) == 1
