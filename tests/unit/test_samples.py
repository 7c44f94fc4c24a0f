"""The samples: the same on every machine, and what the gate makes of them before any service has looked."""

import gzip
import json
import re
from pathlib import Path

import pytest
from stdnum import iban, luhn
from stdnum.es import dni
from stdnum.es import iban as spanish_iban
from stdnum.jp import in_ as my_number
from stdnum.us import ssn

from tunegate.preflight import scan_file
from tunegate_cli.samples import Expected, Sample, samples, values, write_samples

APPROVED = "tunegate-approved"
SAMPLES = samples(APPROVED)
SOURCES = Path(__file__).parents[2] / "cli" / "tunegate_cli" / "samples"
SEEDS = [f"seed/{i}" for i in range(200)]


def by_path(sample: Sample) -> str:
    return sample.path


def text_of(sample: Sample) -> str:
    content = gzip.decompress(sample.content) if sample.path.endswith(".gz") else sample.content
    return content.decode("utf-8-sig", "replace")


def test_they_are_made_the_same_every_time(tmp_path: Path) -> None:
    assert samples(APPROVED) == SAMPLES
    write_samples(tmp_path, APPROVED)
    assert all((tmp_path / "files" / sample.path).read_bytes() == sample.content for sample in SAMPLES)


def test_the_manifest_says_what_should_become_of_each(tmp_path: Path) -> None:
    write_samples(tmp_path, APPROVED)
    manifest = json.loads((tmp_path / "manifest.json").read_text())["samples"]
    assert [entry["path"] for entry in manifest] == [sample.path for sample in SAMPLES]
    assert {entry["expected"] for entry in manifest} == set(Expected)


def test_keys_are_unlike_one_another() -> None:
    assert len({sample.path for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=by_path)
def test_planted_values_are_really_in_the_file(sample: Sample) -> None:
    spelled = text_of(sample)
    assert all(json.dumps(value, ensure_ascii=False)[1:-1] in spelled for value in sample.planted)


def test_planted_values_are_in_no_source_file() -> None:
    written = "".join(path.read_text() for path in SOURCES.glob("*.py"))
    for sample in SAMPLES:
        assert not [value for value in sample.planted if value in written]
    assert not re.search(r"AKIA[A-Z2-7]{16}|ghp_\w{36}|BEGIN [A-Z ]*PRIVATE KEY", written)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.expected is not Expected.REFUSED], ids=by_path)
def test_the_pre_flight_already_judges_each_as_the_gate_should(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / Path(sample.path).name
    path.write_bytes(sample.content)
    decision = scan_file(path, trusted_buckets=frozenset({APPROVED}))
    assert decision.verdict.value == sample.expected, decision.reason
    assert set(sample.categories) <= {finding.category.value for finding in decision.findings if finding.flags}


def test_a_file_to_be_refused_holds_nothing_that_would_flag_it(tmp_path: Path) -> None:
    (refused,) = (sample for sample in SAMPLES if sample.expected is Expected.REFUSED)
    path = tmp_path / "a.jsonl"
    path.write_bytes(refused.content)
    assert scan_file(path).verdict.value == "clean"


def test_made_up_identifiers_have_valid_check_digits() -> None:
    for seed in SEEDS:
        assert luhn.is_valid(values.card(seed, "4539").replace(" ", ""))
        assert all(iban.is_valid(values.iban(seed, country)) for country in ("GB", "DE", "ES"))
        assert spanish_iban.is_valid(values.iban(seed, "ES"))
        assert ssn.is_valid(values.ssn(seed))
        assert dni.is_valid(values.dni(seed))
        assert my_number.is_valid(values.my_number(seed))
