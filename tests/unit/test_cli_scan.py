"""`scan`: the pre-flight as a program sees it. What is found in which text is the screen's own tests' matter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunegate_cli.samples import values
from unit.cli_world import run

CLEAN = {"prompt": "How long do I have to return it?", "completion": "Thirty days from delivery."}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def write(name: str, *records: dict[str, Any], data: bytes = b"") -> str:
        path = tmp_path / name
        path.write_bytes(data or "".join(json.dumps(record) + "\n" for record in records).encode())
        return str(path)

    return write


@pytest.fixture
def clean(file: Callable[..., str]) -> str:
    return file("clean.jsonl", CLEAN)


@pytest.fixture
def flagged(file: Callable[..., str]) -> str:
    return file("flagged.jsonl", CLEAN, CLEAN | {"prompt": f"My SSN is {values.ssn('test')}."})


@pytest.fixture
def held(file: Callable[..., str]) -> str:
    return file("held.parquet", data=b"PAR1" + bytes(range(256)) * 40)


def test_the_exit_code_tells_clean_from_flagged_from_could_not_tell(clean: str, flagged: str, held: str) -> None:
    assert run("scan", clean).exit_code == 0
    assert run("scan", clean, flagged, held).exit_code == 1
    assert run("scan", clean, held).exit_code == 2


def test_json_is_one_object_with_every_file(clean: str, flagged: str, held: str) -> None:
    result = run("scan", "--json", clean, flagged, held)
    scanned = json.loads(result.stdout)
    assert list(scanned) == ["objects"]
    assert [(entry["key"], entry["verdict"]) for entry in scanned["objects"]] == [
        (clean, "clean"), (flagged, "flagged"), (held, "held"),
    ]  # fmt: skip
    (finding,) = scanned["objects"][1]["findings"]
    wanted = {"category": "pii", "type": "SSN", "severity": "high", "line": 2, "pointer": "/prompt", "count": 1}
    assert wanted.items() <= finding.items()
    assert result.stderr == ""


def test_the_value_found_is_never_printed(flagged: str) -> None:
    for arguments in ((flagged,), ("--json", flagged)):
        assert values.ssn("test") not in run("scan", *arguments).output


def test_people_are_told_what_is_only_found_after_the_upload(clean: str) -> None:
    assert "only found by Amazon Comprehend" in run("scan", clean).stderr


def test_a_directory_is_scanned_with_all_below_it(clean: str, flagged: str) -> None:
    scanned = json.loads(run("scan", "--json", str(Path(clean).parent)).stdout)["objects"]
    assert [entry["key"] for entry in scanned] == [clean, flagged]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = run("scan", str(tmp_path / "typo.jsonl"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such file" in result.stderr


def test_an_unreadable_file_could_not_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunegate import preflight

    def unreadable(path: Path, *_: object) -> None:
        raise preflight.UnreadableError(f"{path}: Permission denied")

    monkeypatch.setattr(preflight, "scan_file", unreadable)
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    result = run("scan", "--json", str(tmp_path / "a.jsonl"))
    assert result.exit_code == 2
    assert "Permission denied" in json.loads(result.stdout)["objects"][0]["reason"]


def test_references_are_checked_against_the_buckets_named(file: Callable[..., str]) -> None:
    images = file("images.jsonl", {"image-ref": "s3://approved/1.png", "caption": "A kettle"})
    assert run("scan", images, "--gate-bucket", "approved").exit_code == 0
    assert run("scan", images, "--gate-bucket", "another").exit_code == 1


def test_a_table_is_kept_short_and_says_so(file: Callable[..., str]) -> None:
    bad = file("bad.jsonl", data=b"{\n" * 25)
    assert "and 5 more" in run("scan", bad).stdout
    assert len(json.loads(run("scan", "--json", bad).stdout)["objects"][0]["findings"]) == 25


def test_another_policy_can_be_judged_by(flagged: str, tmp_path: Path) -> None:
    document = json.loads(run("policy", "show", "--default").stdout)
    document["types"]["pii/SSN"] = {"severity": "low", "flags": False, "threshold": 0.5}
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(document))
    assert run("scan", flagged, "--policy", str(policy)).exit_code == 0
