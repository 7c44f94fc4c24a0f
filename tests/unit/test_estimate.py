"""The estimate of a scan's price: the very requests a scan makes, bounded from both sides."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.estimate import Meter, estimate_file
from tunegate.facts import Content, Shard
from tunegate.policy import Policy, default_policy
from tunegate.preflight import UnreadableError
from tunegate.scan.services import Cloud, checks_for
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.source import FileSource
from unit.cli_world import run
from unit.test_scan_services import NoScreen

SENTENCE = "This is a perfectly ordinary English sentence about customer order number {}."


def written(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"prompt": text, "completion": "ok"}) + "\n" for text in texts))
    return path


class Finding(Meter):
    """Finds sensitive data in just the texts that hold SECRETNAME."""

    def contains_pii_entities(self, Text: str, LanguageCode: str) -> dict[str, Any]:
        self._finds = "SECRETNAME" in Text
        return super().contains_pii_entities(Text, LanguageCode)


def billed(path: Path, policy: Policy) -> dict[str, int]:
    meter = Finding(finds=False)
    checks = checks_for(policy, NoScreen(), Cloud(lambda _: meter))
    scan_shard(TextFile(FileSource(path), Content.JSONL, gzipped=False), Shard(0, 0, None), checks, policy)
    return dict(meter.units)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_what_is_billed_lies_within_the_estimate(tmp_path_factory: pytest.TempPathFactory, holds: list[bool]) -> None:
    texts = [SENTENCE.format(at) + " SECRETNAME" * one for at, one in enumerate(holds)]
    path = written(tmp_path_factory.mktemp("estimate") / "a.jsonl", texts)
    estimate, units = estimate_file(path, default_policy()), billed(path, default_policy())
    for operation in estimate.most:
        assert estimate.least.get(operation, 0) <= units.get(operation, 0) <= estimate.most[operation]
    if not any(holds):
        assert units == estimate.least


def test_the_identical_text_is_counted_once(tmp_path: Path) -> None:
    once = estimate_file(written(tmp_path / "once.jsonl", [SENTENCE]), default_policy())
    often = estimate_file(written(tmp_path / "often.jsonl", [SENTENCE] * 500), default_policy())
    assert often == once


def test_what_a_policy_leaves_out_costs_nothing(tmp_path: Path) -> None:
    services = {"comprehend_pii": False, "comprehend_toxicity": False, "prompt_attacks": "off"}
    free = Policy.model_validate(json.loads(default_policy().canonical()) | {"services": services})
    estimate = estimate_file(written(tmp_path / "a.jsonl", [SENTENCE]), free)
    assert (estimate.least, estimate.most, estimate.dollars) == ({}, {}, (0, 0))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"none\.jsonl"):
        estimate_file(tmp_path / "none.jsonl", default_policy())


def test_the_command_prints_units_and_the_range_and_judges_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [f"{SENTENCE} SSN 078-05-1120"] * 3)
    result = run("scan", str(path), "--estimate")
    assert result.exit_code == 0
    assert "ContainsPiiEntities" in result.stdout
    assert "US dollars" in result.stdout
    document = json.loads(run("scan", str(path), "--estimate", "--json").stdout)
    [file] = document["files"]
    assert file["least"]["ContainsPiiEntities"] >= 3
    assert document["dollars"] == file["dollars"]
    assert 0 < document["dollars"][0] <= document["dollars"][1]


def test_what_no_scan_can_read_is_said_to_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "held.parquet"
    path.write_bytes(b"PAR1" + bytes(range(256)) * 40)
    result = run("scan", str(path), "--estimate")
    assert "cannot read its text" in result.stdout
    assert "All together: 0.0000 US dollars" in result.stdout
