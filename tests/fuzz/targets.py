"""What is given rubbish, and what has to hold of it: by name, for the test suite and for `make fuzz`."""

import gzip
import io
import json
import pickle
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar
from urllib.parse import unquote

import safetensors
from botocore.handlers import handle_copy_source_param
from hypothesis import strategies as st

from fuzz.rubbish import JSON, KEYS, LINES, TEXT, almost, damaged, refused, samples, training_files, written
from tunegate.errors import PermanentError
from tunegate.facts import Content, Encryption, ObjectFacts, Shard
from tunegate.judge.verdict import judge_text
from tunegate.judge.weights import judge_model
from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict
from tunegate.observe.dead_letters import call_of
from tunegate.observe.events import MALWARE_PLAN_PROBE, MOST_NAME_BYTES, message_in, object_created
from tunegate.observe.job_events import hint_in
from tunegate.observe.macie import _records
from tunegate.observe.malware import scan_result
from tunegate.observe.scans import to_settle
from tunegate.policy import PolicyError, default_policy, parse_policy
from tunegate.report.alert import message_of, subject_line
from tunegate.report.alerts import alert_of
from tunegate.rows import Action, DecisionRow
from tunegate.scan.form import Form
from tunegate.scan.lines import Block, Line
from tunegate.scan.plan import SAMPLE_BYTES, content_of, is_gzip, sample_of
from tunegate.scan.records import Reader
from tunegate.scan.report import merge
from tunegate.scan.screen import Screen
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.source import Source
from tunegate.scan.text import Checks
from tunegate.scan.weights.manifest import ManifestError, parse_manifest
from tunegate.scan.weights.payloads import INNOCUOUS
from tunegate.scan.weights.pickles import Global
from tunegate.scan.weights.reading import BytesSource
from tunegate.scan.weights.upload import ModelFile, examine_upload
from unit.test_weights_properties import ANY_BYTES, PROGRAMS
from unit.weights_world import CALLS_SYSTEM, HARMLESS, MODEL, UPLOAD, WEIGHTS, examined, zipped

POLICY = default_policy()
_KEY = "arn:aws:kms:us-east-1:111122223333:key/data"
_MARK = "fourteen-elephants"


@dataclass(frozen=True)
class Target:
    """`check` fails the input it is given by raising; `share` is of the time that all targets have together."""

    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    share: float = 1.0


# --- The record reader, and the verdict on a file ---


def reads_a_line(data: bytes) -> None:
    """A line that is not JSON is a fault, and is screened as text where it is text. What need not be read is clean."""
    [parsed] = Reader(Form.JSONL, frozenset({"approved"})).read([Line(1, data)])
    if data and not data.isspace() and not _is_json(data):
        assert parsed.faults
        assert (parsed.record is not None) == _is_utf8(data)
    assert parsed.record is None or all(isinstance(text.value, str) for text in parsed.record.texts)
    [text] = Reader(Form.TEXT, None).read([Line(1, data)])
    assert bool(text.faults) == (not _is_utf8(data))
    if b"\n" not in data and not _screen().sift(Block(1, data), Form.JSONL).to_read:
        assert not parsed.faults
        assert parsed.record is None or not _screen().screen(parsed.record)


def judges_a_training_file(file: tuple[str, bytes]) -> None:
    """Only what other readers read too is clean."""
    name, data = file
    decision = verdict_on(name, data)
    if decision.verdict is not Verdict.CLEAN:
        assert decision.reason
        return
    text = gzip.decompress(data) if is_gzip(data) else data
    assert _is_utf8(text)
    # Of text, any line is one. Of JSON lines, as a trainer reads them, each is a document.
    if content_of(name, sample_of(data)).value == "jsonl":
        assert all(_is_json(line) for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())


def verdict_on(name: str, data: bytes) -> Decision:
    """As the scan judges a file, the services left out."""
    head = data[:SAMPLE_BYTES]
    return verdict_of(name, BytesSource(data), content_of(name, sample_of(head)), gzipped=is_gzip(head))


def verdict_of(name: str, source: Source, content: Content, *, gzipped: bool) -> Decision:
    facts = ObjectFacts(source.size, content, gzipped, Encryption("aws:kms", _KEY))
    file = TextFile(source, content, gzipped, frozenset())
    report = merge([scan_shard(file, Shard(0, 0, None), Checks(_screen()), POLICY)])
    return judge_text(ObjectVersion("intake", name, "v"), facts, report, POLICY, _KEY)


@cache
def _screen() -> Screen:
    return Screen()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(data: bytes) -> bool:
    def no_number(text: str) -> None:
        raise ValueError(text)

    try:
        json.loads(data.decode(), parse_constant=no_number)
    except (ValueError, RecursionError):
        return False
    return True


# --- Model files ---


def judges_a_model(file: tuple[str, bytes]) -> None:
    """A model with this file in it passes only if the readers of its kind read it too."""
    name, data = file
    decision = judge_model(UPLOAD, _facts({**MODEL, name: data}), POLICY)
    if decision.verdict is not Verdict.CLEAN:
        return
    if name.endswith(".safetensors"):
        safetensors.deserialize(data)
    elif name.endswith(".json"):
        assert isinstance(json.loads(data), dict)
    else:
        assert _is_utf8(data) or name == "tokenizer.model"


def _facts(files: dict[str, bytes]) -> Any:
    return examine_upload([ModelFile(name, BytesSource(content)) for name, content in files.items()])


class _WholeLines(io.BytesIO):
    """As the machine written in C reads, which loads in earnest: a line that does not end is none."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise EOFError
        return line


class _Recorder(pickle._Unpickler):
    """Python's own pickle machine, which notes what a pickle imports and calls, and gives it nothing of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(_WholeLines(data))
        self.imported: list[Global] = []
        self.called: list[Global] = []

    def find_class(self, module: str, name: str) -> Any:
        found, called = Global(module, name), self.called
        self.imported.append(found)

        class Nothing:
            def __new__(cls, *_: Any, **__: Any) -> "Nothing":
                called.append(found)
                return super().__new__(cls)

            def __setstate__(self, state: Any) -> None: ...
            def __setitem__(self, key: Any, value: Any) -> None: ...
            def append(self, item: Any) -> None: ...
            def extend(self, items: Any) -> None: ...

        return Nothing

    def load_bytearray8(self) -> None:
        # The machine's own takes the memory that the length asks for, before it looks whether there is so much.
        machine: Any = self
        machine.append(bytearray(machine.read(int.from_bytes(machine.read(8), "little"))))

    dispatch: ClassVar[Any] = {**pickle._Unpickler.dispatch, pickle.BYTEARRAY8[0]: load_bytearray8}


def _is_importable(found: Global) -> bool:
    return all(part.isidentifier() for part in found.module.split("."))


def finds_what_a_pickle_calls(data: bytes) -> None:
    """Whatever Python would call on loading it, even if it fails later, is found; with a header, what it imports too.

    Without one, lines of words are a pickle that imports: a vocabulary that begins with "cat" and "dog".
    """
    machine = _Recorder(data)
    # A broken pickle ends in any way; what counts is what it did before.
    with suppress(Exception):
        machine.load()
    done = machine.imported if data.startswith(b"\x80") else machine.called
    if any(_is_importable(found) and found not in INNOCUOUS for found in done):
        report = examined("model.bin", data)
        assert report.unread or any(finding.type == "pickle_call" for finding in report.findings), done


def _opens(data: bytes) -> bool:
    """Whether another reader of archives takes it: one that none opens is found for its damage."""
    try:
        zipfile.ZipFile(io.BytesIO(data)).close()
    except zipfile.BadZipFile:
        return False
    return True


def finds_a_pickle_in_an_archive(archive: tuple[list[bytes], int, bytes]) -> None:
    """However often it is packed; what is too deep or damaged is found for that."""
    held, depth, tail = archive
    data = zipped({f"m{number}": member for number, member in enumerate(held)}, zlib.DEFLATED)
    for _ in range(depth):
        data = zipped({"inner.zip": data})
    report = examined("x.bin", data + tail)
    kinds = {finding.type for finding in report.findings}
    assert report.unread or "archive" in kinds
    if CALLS_SYSTEM in held and _opens(data + tail):
        assert report.unread or kinds & {"pickle_call", "archive_bomb"}


def survives_a_damaged_archive(data: bytes) -> None:
    report = examined("x.bin", data)
    assert report.findings or report.unread


# --- Events ---


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value.encode()) <= MOST_NAME_BYTES


def reads_an_upload(event: Any) -> None:
    created = refused(lambda: object_created(event), PermanentError)
    if created is not None:
        version = created.version
        assert all(map(_is_name, (version.bucket, version.key, version.version_id, created.sequencer)))
        assert event["detail"]["object"]["key"] == version.key != MALWARE_PLAN_PROBE


def reads_a_hint(message: Any) -> None:
    hint = refused(lambda: hint_in(message), PermanentError)
    if hint is not None:
        json.dumps(dict(hint.sources)).encode()
        assert all(subject.arn.isascii() for subject in hint.subjects)
        assert all(arn.isascii() and source.encode() for arn, source in hint.sources.items())


def reads_guardduty(event: Any) -> None:
    read = refused(lambda: scan_result(event), PermanentError)
    if read is not None and read[1].status == "NO_THREATS_FOUND":
        detail = event["detail"]
        assert (detail["scanStatus"], detail["scanResultDetails"]["scanResultStatus"]) == ("COMPLETED", read[1].status)
        assert not read[1].seen


def reads_macie(body: bytes) -> None:
    for result in refused(lambda: list(_records(body)), PermanentError) or ():
        if result.status == "COMPLETE":
            assert b"COMPLETE" in gzip.decompress(body)


def reads_a_message(text: Any) -> None:
    message = refused(lambda: message_in(text), PermanentError)
    assert message is None or isinstance(message, dict)


def reads_a_dead_letter(letter: Any) -> None:
    call = refused(lambda: call_of(letter), PermanentError) if isinstance(letter, dict) else None
    if call is not None:
        assert ":function:" in call.function
        json.dumps(call.payload).encode()


def reads_a_manifest(data: bytes) -> None:
    manifest = refused(lambda: parse_manifest(data), ManifestError)
    assert manifest is None or manifest.files


# --- The policy ---


def reads_a_policy(document: Any) -> None:
    """Accepted or refused, and a refusal names places and never a value."""
    data = document if isinstance(document, bytes) else written(document)
    try:
        policy = parse_policy(data)
    except PolicyError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert parse_policy(policy.canonical()) == policy
        assert set(policy.categories) == set(Category)
    assert _MARK not in refusal
    refusal.encode()


# --- Keys, from the event to the copy ---

_OBEYED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_FINDING = Finding(Category.PII, "SSN", Severity.HIGH, True, 3, "/prompt", 2, 1.0, ("screen",), ((4, 15),))


def carries_a_key(key: str) -> None:
    """The key of the event is the key of the row, of the alert and of the copy; and no key writes an alert's lines."""
    [event] = samples("s3_object_created")
    event["detail"]["object"]["key"] = key
    created = object_created(message_in(json.dumps(event)))
    if key == MALWARE_PLAN_PROBE:
        assert created is None
        return
    assert created is not None
    assert created.version.key == key
    for verdict, findings in ((Verdict.FLAGGED, (_FINDING,)), (Verdict.HELD, ())):
        decision = Decision(created.version, verdict, "digest", findings, "pii/SSN (2)", {})
        copy = ObjectVersion("quarantine", key, "q")
        row = DecisionRow(decision, Action.SCAN, "id", "2026-11-22T10:00:00.000Z", "00", copy if findings else None)
        assert DecisionRow.from_item(row.to_item()) == row
        alert = alert_of(row.to_item())
        assert alert is not None
        assert json.loads(message_of(alert))["sqs"]
        assert json.loads(json.loads(message_of(alert))["sqs"])["object"]["key"] == key
        assert len(alert.text.splitlines()) == len(_plain(verdict, findings).splitlines())
        assert not {unicodedata.category(character) for character in alert.text.replace("\n", "")} & _OBEYED
        assert subject_line(alert).isascii()
        assert len(subject_line(alert)) <= 100
    asked: dict[str, Any] = {"CopySource": {"Bucket": "b", "Key": key, "VersionId": created.version.version_id}}
    handle_copy_source_param(asked)
    path, _, version = str(asked["CopySource"]).partition("?versionId=")
    assert unquote(path) == f"b/{key}"
    assert version == created.version.version_id


def reads_a_scans_input(text: str | bytes) -> None:
    """What a running scan was given names what it is to settle, or it settles nothing."""
    given = text if isinstance(text, str) else text.decode(errors="surrogateescape")
    versions = to_settle(given)
    if versions:
        named = json.loads(given)
        assert len(versions) <= len(named["files"]) + len(named["replaced"])


@cache
def _plain(verdict: Verdict, findings: tuple[Finding, ...]) -> str:
    """The alert on a key that needs no care; the same but for the key, and for what a model's prefix is told."""
    decision = Decision(ObjectVersion("b", "a.jsonl", "v"), verdict, "digest", findings, "pii/SSN (2)", {})
    alert = alert_of(DecisionRow(decision, Action.SCAN, "id", "2026-11-22T10:00:00.000Z", "00").to_item())
    assert alert is not None
    return alert.text


_MACIE = {
    "resourcesAffected": {"s3Object": {"key": "a/b.jsonl", "versionId": "v", "eTag": "e"}},
    "classificationDetails": {
        "result": {
            "status": {"code": "COMPLETE"},
            "sensitiveData": [
                {
                    "category": "PERSONAL_INFORMATION",
                    "detections": [{"type": "NAME", "count": 1, "occurrences": {"lineRanges": [{"start": 1}]}}],
                }
            ],
            "customDataIdentifiers": {"detections": [{"name": "own", "count": 2, "occurrences": {}}]},
        }
    },
}
_MANIFEST = {"files": [{"name": "model.safetensors", "size": 40}, {"name": "config.json", "size": 3}]}
_UPLOADED = {"object": {"bucket": "b", "key": "models/m/config.json", "version_id": "v"}, "order": "01"}
_SCAN = {
    "object": _UPLOADED["object"],
    "order": "01",
    "scan_id": "s",
    "files": [_UPLOADED],
    "replaced": [],
    "waits": [],
}
_UPLOADS = samples("s3_object_created", "s3_object_created_multipart", "s3_object_created_by_copy")
_JOBS = [
    *samples("bedrock_job_state_change", "cloudtrail_create_model_customization_job"),
    *samples("cloudtrail_create_model_import_job", "cloudtrail_create_custom_model_deployment"),
    *samples("sagemaker_training_job_state_change", "sagemaker_model_package_state_change"),
    {"subject": "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova/abc"},
]
_LETTERS = samples("dead_letter_of_a_rule", "dead_letter_of_a_function", "dead_letter_of_a_stream")
_INNER = [{**letter, "Body": json.loads(letter["Body"])} for letter in _LETTERS]
_NAMED = st.sampled_from([*MODEL, "tokenizer.model", "merges.txt", "model.safetensors.index.json", "x.bin"])
_MODELS = st.sampled_from([*MODEL.values(), WEIGHTS])
_MEMBERS = st.lists(st.sampled_from([CALLS_SYSTEM, HARMLESS, WEIGHTS, b"text", b""]), min_size=1, max_size=3)


def _lettered(letter: Any) -> Any:
    body = letter.get("Body") if isinstance(letter, dict) else None
    return (
        {**letter, "Body": body if isinstance(body, str) else json.dumps(body)} if isinstance(letter, dict) else letter
    )


TARGETS: dict[str, Target] = {
    "records": Target(LINES | JSON.map(written), reads_a_line),
    "training files": Target(training_files(), judges_a_training_file, 2),
    "model files": Target(st.tuples(_NAMED, ANY_BYTES | damaged(_MODELS)), judges_a_model, 2),
    "pickles": Target(
        PROGRAMS | damaged(st.sampled_from([CALLS_SYSTEM, HARMLESS]) | PROGRAMS), finds_what_a_pickle_calls, 2
    ),
    "archives": Target(st.tuples(_MEMBERS, st.integers(0, 5), st.binary(max_size=8)), finds_a_pickle_in_an_archive),
    "damaged archives": Target(
        damaged(_MEMBERS.map(lambda held: zipped({str(number): one for number, one in enumerate(held)}))),
        survives_a_damaged_archive,
    ),
    "upload events": Target(JSON | almost(_UPLOADS), reads_an_upload),
    "job events": Target(JSON | almost(_JOBS), reads_a_hint),
    "malware results": Target(JSON | almost(samples("guardduty_scan_result")), reads_guardduty),
    "macie results": Target(
        damaged(almost([_MACIE]).map(lambda document: gzip.compress(written(document), 1, mtime=0)))
        | almost([_MACIE]).map(lambda document: gzip.compress(written(document), 1, mtime=0))
        | st.binary(max_size=60),
        reads_macie,
    ),
    "messages": Target(TEXT | JSON | LINES, reads_a_message),
    "dead letters": Target(JSON | almost(_INNER).map(_lettered), reads_a_dead_letter),
    "manifests": Target(almost([_MANIFEST]).map(written) | LINES, reads_a_manifest),
    "inputs of scans": Target(TEXT | almost([_SCAN]).map(written) | LINES, reads_a_scans_input),
    "policies": Target(
        almost([json.loads(POLICY.canonical())], JSON | st.just(_MARK) | st.just([_MARK])) | LINES, reads_a_policy
    ),
    "keys": Target(KEYS, carries_a_key),
}
