"""The demo's checks: each fails when what it watches for happens."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunegate_cli.demo import checks, leaks
from tunegate_cli.demo.checks import check_alerts, check_places, check_readers, check_verdicts
from tunegate_cli.demo.evidence import Run, Uploaded
from tunegate_cli.demo.leaks import check_leaks, holds
from tunegate_cli.report import FileStory, Place, ReceivedAlert, Report, Step
from tunegate_cli.samples import Expected, Sample
from tunegate_cli.stack import Stack, find_stack
from unit.cli_world import SSN, World, refused, world

CLEAN = Sample("clean.jsonl", "w", b"{}")
FLAGGED = Sample("flagged.jsonl", "w", b'{"a": 1}', Expected.FLAGGED, ("pii",), ("536-90-4399",))
AT = "2026-11-22T10:00:00.000Z"


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        yield made


def stack_of(account: World) -> Stack:
    ec2 = account.session.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", VpcEndpointType="Gateway")
    account.fakes["ec2"] = ec2
    stacks = account.fakes["cloudformation"].stacks
    stacks["tunegate"] = stacks["tunegate"] | {"ModelCustomizationRoleArn": "arn:role", "VpcId": vpc}
    return find_stack("tunegate", account)  # type: ignore[arg-type]


def settled(account: World, sample: Sample, bucket: str, **tags: str) -> FileStory:
    """A sample as a run that went well leaves it."""
    tagging = "&".join(f"{name}={value}" for name, value in ({"tunegate-policy": "d"} | tags).items())
    put = account.s3.put_object(Bucket=bucket, Key=sample.path, Body=sample.content, Tagging=tagging)
    findings = (SSN,) if sample.expected is Expected.FLAGGED else ()
    return FileStory(
        sample.path, "w", 2, sample.expected.value, sample.expected.value, "", f"v-{sample.path}",
        Place(bucket, put["VersionId"]), (Step("Put", AT),), findings, "d",
    )  # fmt: skip


@pytest.fixture
def good(account: World) -> Run:
    files = [
        settled(account, CLEAN, "approved", **{"tunegate-verdict": "clean"}),
        settled(account, FLAGGED, "quarantine", **{"tunegate-verdict": "flagged"}),
    ]
    uploads = [Uploaded(sample, AT, f"v-{sample.path}") for sample in (CLEAN, FLAGGED)]
    return Run(stack_of(account), uploads, files, [alert(FLAGGED)])


def alert(sample: Sample) -> ReceivedAlert:
    return ReceivedAlert(sample.path, f"v-{sample.path}", "high", "pii", "flagged", "s", "t", AT, {})


def with_file(run: Run, index: int, **changes: Any) -> Run:
    files = list(run.files)
    files[index] = replace(files[index], **changes)
    return replace(run, files=files)


def test_a_good_run_has_no_problems(good: Run) -> None:
    assert [check(good).problems for check in (check_verdicts, check_places, check_alerts)] == [(), (), ()]


def test_another_verdict_is_a_problem(good: Run) -> None:
    (problem,) = check_verdicts(with_file(good, 1, state="clean")).problems
    assert "flagged.jsonl should be flagged and is clean" in problem


def test_the_right_verdict_for_another_reason_is_a_problem(good: Run) -> None:
    (problem,) = check_verdicts(with_file(good, 1, findings=())).problems
    assert "not for pii" in problem


def test_a_settled_file_still_in_intake_is_a_problem(good: Run, account: World) -> None:
    version = account.put("clean.jsonl")
    (problem,) = check_places(with_file(good, 0, version_id=version.version_id)).problems
    assert "still in intake" in problem


def test_a_copy_that_differs_is_a_problem(good: Run, account: World) -> None:
    tags = "tunegate-verdict=clean&tunegate-policy=d"
    other = account.s3.put_object(Bucket="approved", Key="clean.jsonl", Body=b"[]", Tagging=tags)
    (problem,) = check_places(with_file(good, 0, place=Place("approved", other["VersionId"]))).problems
    assert "differs" in problem


def test_a_copy_without_its_verdict_is_a_problem(good: Run, account: World) -> None:
    bare = account.s3.put_object(Bucket="approved", Key="clean.jsonl", Body=b"{}")
    (problem,) = check_places(with_file(good, 0, place=Place("approved", bare["VersionId"]))).problems
    assert "tags" in problem


def test_a_flagged_file_in_approved_is_a_problem(good: Run) -> None:
    (problem,) = check_places(with_file(good, 1, place=Place("approved", "x"))).problems
    assert problem == "flagged.jsonl is flagged and in approved"


@pytest.mark.parametrize("times", [0, 2])
def test_an_alert_too_few_or_too_many_is_a_problem(good: Run, times: int) -> None:
    (problem,) = check_alerts(replace(good, alerts=[alert(FLAGGED)] * times)).problems
    assert f"heard {times} times of flagged.jsonl" in problem


def test_an_alert_about_a_clean_file_is_a_problem(good: Run) -> None:
    assert check_alerts(replace(good, alerts=[alert(FLAGGED), alert(CLEAN)])).problems


def reading(
    account: World,
    monkeypatch: pytest.MonkeyPatch,
    refuse: set[str],
    code: str = "AccessDenied",
    *,
    public: bool = False,
) -> None:
    """Let the model customization role read all but these keys: from the network for jobs, or from anywhere."""
    reader = account.session.client("s3")
    came_by: list[str] = []

    def provide(params: dict[str, str], **_: object) -> None:
        if params["Key"] in refuse:
            raise refused("GetObject", code)
        if not public and not came_by:
            raise refused("GetObject", "AccessDenied")

    class Session:
        def client(self, _: str) -> Any:
            reader.meta.events.register("provide-client-params.s3.GetObject", provide)
            return reader

    monkeypatch.setattr(checks, "as_service_role", lambda *_: Session())
    monkeypatch.setattr(checks, "through", lambda _, endpoint: came_by.append(endpoint))


def test_a_role_that_reads_only_what_is_clean_is_as_it_should_be(
    good: Run, account: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(account, monkeypatch, {"flagged.jsonl", checks.UNTAGGED_KEY})
    assert check_readers(good).problems == ()
    assert "Versions" not in account.s3.list_object_versions(Bucket="approved", Prefix=checks.UNTAGGED_KEY)


def test_a_role_that_reads_everything_is_two_problems(
    good: Run, account: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(account, monkeypatch, set())
    assert len(check_readers(good).problems) == 2


def test_a_role_that_reads_from_anywhere_is_a_problem(
    good: Run, account: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(account, monkeypatch, {"flagged.jsonl", checks.UNTAGGED_KEY}, public=True)
    assert check_readers(good).problems == (
        "The model customization role can read approved files from outside the network for jobs",
    )


def test_a_role_that_reads_nothing_is_a_problem(good: Run, account: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reading(account, monkeypatch, {"clean.jsonl", "flagged.jsonl", checks.UNTAGGED_KEY})
    assert check_readers(good).problems == ("The model customization role cannot read clean.jsonl in approved",)


def test_a_read_that_fails_otherwise_does_not_count_as_refused(
    good: Run, account: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(account, monkeypatch, {"flagged.jsonl"}, "NoSuchKey")
    with pytest.raises(Exception, match="NoSuchKey"):
        check_readers(good)


@pytest.mark.parametrize(
    "text",
    [
        "the number 536-90-4399 in a log",
        '{"message": "536904399"}',
        '"{\\"line\\": \\"536-90-4399\\"}"',
    ],
)
def test_a_value_is_found_however_it_is_written(text: str) -> None:
    assert holds(text, "536-90-4399")


def test_a_value_with_quotes_is_found_in_nested_json() -> None:
    import json

    value = 'pass"word\\1'
    assert holds(json.dumps(json.dumps({"a": value})), value)
    assert not holds("nothing here", value)


def searching(monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Have the search find these texts instead of what the services hold."""
    found = [(place, "harmless") for place in leaks.SEARCHED]
    monkeypatch.setattr(
        leaks, "written", lambda *_: [*found, *((name.replace("_", " "), t) for name, t in texts.items())]
    )


def test_a_planted_value_anywhere_is_a_problem_that_does_not_repeat_it(
    good: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searching(monkeypatch, the_log_of_scan="seen 536-90-4399 here")
    (problem,) = check_leaks(good, Report(AT, AT, good.files, [], []), tmp_path).problems
    assert problem == "A value planted in flagged.jsonl stands in the log of scan"


def test_nothing_planted_anywhere_is_no_problem(good: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searching(monkeypatch)
    assert check_leaks(good, Report(AT, AT, good.files, [], []), tmp_path).problems == ()


def test_a_search_of_nothing_proves_nothing(good: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "SEARCHED", ("the log of",))
    monkeypatch.setattr(leaks, "written", lambda *_: [("the log of scan", "")])
    (problem,) = check_leaks(good, Report(AT, AT, good.files, [], []), tmp_path).problems
    assert "nothing to search" in problem
