"""Model uploads: many files, one verdict; a bad one is flagged with the file and the reason named."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from models.fixtures import real_model

from e2e.conftest import Deployment, wait_for
from e2e.model_world import MANIFEST, decided, put_model, whereabouts
from tunegate.model import ObjectVersion
from tunegate.observe.subjects import decided as decided_on
from unit.weights_world import CALLS_SYSTEM, CONFIG, MODEL, as_json, safetensors, tensor, torch_zip

IMPORTABLE = as_json(CONFIG)
INDEX = as_json({"metadata": {"total_size": 32}, "weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}})


def test_a_real_model_is_approved_as_a_whole_and_nobody_is_told(deployment: Deployment) -> None:
    # Real weights and tokenizer of a package; Bedrock imports no BERT, so its config is of a kind that it does.
    packaged = real_model()
    names = {"model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"}
    model = {name: data for name, data in packaged.items() if name in names} | {"config.json": IMPORTABLE}
    uploads = put_model(deployment, "models/real/", model)
    row = decided(deployment, "models/real/")
    assert row.destination == ObjectVersion(deployment.outputs["ApprovedBucket"], "models/real/", "")
    assert (row.decision.verdict, row.decision.findings) == ("clean", ())
    for name, data in model.items():
        [file] = deployment.decisions(f"models/real/{name}")
        assert (file.decision.verdict, file.upload) == ("clean", "models/real/")
        assert file.destination is not None
        assert file.decision.subject == uploads[name]
        assert whereabouts(deployment, uploads[name], data) == {"ApprovedBucket"}
        ledger = deployment.client("dynamodb"), deployment.outputs["LedgerTable"]
        assert decided_on(*ledger, file.destination)[0] == "clean"
    assert deployment.alerts("models/real/") == []


FLAGGED: dict[str, tuple[dict[str, bytes], str, str]] = {
    "torch-zip": ({"pytorch_model.bin": torch_zip()}, "pytorch_model.bin", "system"),
    "renamed": ({"model.safetensors": torch_zip()}, "model.safetensors", "system"),
    "pickled-tokenizer": ({"tokenizer.json": CALLS_SYSTEM}, "tokenizer.json", "system"),
    "header-of-a-gigabyte": (
        {"model.safetensors": safetensors(b"{}", bytes(64), length=10**9)}, "model.safetensors", "header"),
    "header-beyond-the-file": (
        {"model.safetensors": safetensors(b"{}", bytes(8), length=4096)}, "model.safetensors", "header"),
    "overlapping-offsets": (
        {"model.safetensors": safetensors({"a": tensor(0, 16), "b": tensor(8, 24)}, bytes(24))},
        "model.safetensors", "b"),
    "hole": (
        {"model.safetensors": safetensors({"a": tensor(0, 16), "b": tensor(32, 48)}, bytes(48))},
        "model.safetensors", "b"),
    "truncated": ({"model.safetensors": safetensors({"a": tensor(0, 64)}, bytes(32))}, "model.safetensors", "data"),
    "duplicate-keys": (
        {"model.safetensors": safetensors(
            b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},'
            b'"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}', bytes(16))},
        "model.safetensors", "twice"),
    "missing-shard": ({"model.safetensors.index.json": INDEX}, "model.safetensors.index.json", "model-2.safetensors"),
    "auto-map": (
        {"config.json": as_json(CONFIG | {"auto_map": {"AutoModel": "modeling.Model"}})}, "config.json", "auto_map"),
}  # fmt: skip


@pytest.fixture(scope="module")
def flagged(deployment: Deployment) -> Mapping[str, Mapping[str, bytes]]:
    """Every bad model, uploaded at once."""
    models = {name: {**MODEL, **changes} for name, (changes, _, _) in FLAGGED.items()}
    for name, files in models.items():
        put_model(deployment, f"models/{name}/", files)
    return models


@pytest.mark.parametrize("name", FLAGGED)
def test_a_bad_model_is_quarantined_whole_with_the_file_and_the_reason_named(
    deployment: Deployment, flagged: Mapping[str, Mapping[str, bytes]], name: str
) -> None:
    _, file, reason = FLAGGED[name]
    prefix = f"models/{name}/"
    row = decided(deployment, prefix)
    assert row.decision.verdict == "flagged"
    named = [finding for finding in row.decision.findings if finding.flags and finding.file == file]
    assert any(reason in finding.detail for finding in named), named
    for path, data in flagged[name].items():
        [of_file] = deployment.decisions(prefix + path)
        assert whereabouts(deployment, of_file.decision.subject, data) == {"QuarantineBucket"}
    [alert] = wait_for("the alert", lambda: deployment.alerts(prefix) or None)
    assert file in alert["text"]


@pytest.fixture(scope="module")
def quiet(deployment: Deployment) -> None:
    """Uploads whose manifests do not say that they are complete; to one of them a file is added slowly, in parts."""
    for name, data in MODEL.items():
        deployment.put(f"models/quiet/{name}", data)
        deployment.put(f"models/lying/{name}", data)
    listed = {"files": [{"name": "model.safetensors", "size": 7}, {"name": "absent.safetensors", "size": 1}]}
    deployment.put(f"models/lying/{MANIFEST}", json.dumps(listed).encode())
    rest = {name: data for name, data in MODEL.items() if name != "model.safetensors"}
    for name, data in rest.items():
        deployment.put(f"models/slow/{name}", data)
    assert not gathered(deployment, "models/quiet/", "models/lying/", "models/slow/")
    assert deployment.decisions("models/quiet/") == deployment.decisions("models/lying/") == []
    # Only now: a slow machine can take longer than that from one put to the next.
    with deployment.policy(models={"quiet_seconds": 5}), coming_in_parts(deployment, "models/slow/model.safetensors"):
        wait_for("both verdicts", lambda: gathered(deployment, "models/quiet/", "models/lying/") or None)
        assert deployment.decisions("models/slow/") == []
    with deployment.policy(models={"quiet_seconds": 5}):
        wait_for("the last verdict", lambda: gathered(deployment, "models/slow/") or None)


@contextmanager
def coming_in_parts(deployment: Deployment, key: str) -> Iterator[None]:
    """A file of a model that is being put meanwhile, and is there at the end."""
    s3, named = deployment.client("s3"), {"Bucket": deployment.outputs["IntakeBucket"], "Key": key}
    begun = s3.create_multipart_upload(**named)["UploadId"]
    yield
    tag = s3.upload_part(**named, UploadId=begun, PartNumber=1, Body=MODEL["model.safetensors"])["ETag"]
    parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
    s3.complete_multipart_upload(**named, UploadId=begun, MultipartUpload=parts)


def gathered(deployment: Deployment, *prefixes: str) -> bool:
    """Whether all are decided; does what the schedule does every minute, without waiting for it."""
    deployment.client("lambda").invoke(FunctionName=deployment.outputs["GatherModelsFunction"])
    return all(deployment.decisions(prefix) for prefix in prefixes)


def test_a_model_without_a_manifest_is_scanned_once_it_is_quiet(deployment: Deployment, quiet: None) -> None:
    [row] = deployment.decisions("models/quiet/")
    assert (row.decision.verdict, row.decision.reason) == ("clean", "")
    assert deployment.alerts("models/quiet/") == []
    for name, data in MODEL.items():
        [file] = deployment.decisions(f"models/quiet/{name}")
        assert whereabouts(deployment, file.decision.subject, data) == {"ApprovedBucket"}


def test_a_model_is_not_scanned_without_what_is_still_being_put_in_parts(deployment: Deployment, quiet: None) -> None:
    [row] = deployment.decisions("models/slow/")
    assert (row.decision.verdict, row.decision.reason) == ("clean", "")
    [weights] = deployment.decisions("models/slow/model.safetensors")
    assert whereabouts(deployment, weights.decision.subject, MODEL["model.safetensors"]) == {"ApprovedBucket"}


def test_a_manifest_that_lies_is_a_finding(deployment: Deployment, quiet: None) -> None:
    [row] = deployment.decisions("models/lying/")
    assert row.decision.verdict == "flagged"
    details = {finding.detail for finding in row.decision.findings if finding.file == MANIFEST}
    assert "absent.safetensors is not there" in details


def test_files_replaced_before_the_scan_stay_in_intake_on_the_record(deployment: Deployment) -> None:
    prefix = "models/replaced/"
    first = deployment.put(prefix + "config.json", b"{}")
    put_model(deployment, prefix, MODEL)
    assert decided(deployment, prefix).decision.verdict == "clean"
    rows = {row.decision.subject: row.decision for row in deployment.decisions(prefix + "config.json")}
    assert rows[first].verdict == "held"
    assert "replaced" in rows[first].reason
    assert whereabouts(deployment, first, b"{}") == {"IntakeBucket"}
    assert deployment.alerts(prefix + "config.json") == []
