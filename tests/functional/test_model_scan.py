"""The scan of a model upload settles the files it looked at, whatever files it was asked to settle."""

import pytest

from functional.conftest import Account
from tunegate.model import ObjectVersion, Verdict
from tunegate.model_scan import scan_upload
from tunegate.observe.model_uploads import ModelUpload, model_uploads
from tunegate.policy import default_policy
from tunegate.steps import ModelScanTask, ObjectRef, UploadedRef
from unit.weights_world import safetensors, tensor

POLICY = default_policy()
BODIES = {
    "config.json": b'{"architectures": ["LlamaForCausalLM"]}',
    "model.safetensors": safetensors({"w": tensor(0, 4)}),
}


def task(upload: ModelUpload, *versions: ObjectVersion) -> ModelScanTask:
    files = tuple(UploadedRef(object=ObjectRef.of(version), order="01") for version in versions)
    return ModelScanTask(
        object=ObjectRef.of(upload.subject), order="01", scan_id="scan", files=files, replaced=(), waits=()
    )


@pytest.fixture
def upload(account: Account) -> ModelUpload:
    for name, body in BODIES.items():
        account.upload(f"models/m/{name}", body)
    [found] = model_uploads(account.s3, "intake", POLICY.models, "models/m/")
    return found


def test_the_uploads_own_files_are_judged(account: Account, upload: ModelUpload) -> None:
    own = task(upload, *(file.version for file in upload.files))
    decision, _ = scan_upload(account.s3, upload, POLICY, "key", own)
    assert "not this upload's" not in decision.reason


def test_other_files_in_their_place_hold_the_upload(account: Account, upload: ModelUpload) -> None:
    other = account.upload("train.jsonl", b"anything").version
    first, *rest = (file.version for file in upload.files)
    for forged in ((other, *rest), (first, other), (*rest, first)):
        decision, read = scan_upload(account.s3, upload, POLICY, "key", task(upload, *forged))
        assert (decision.verdict, read) == (Verdict.HELD, 0)
        assert "not this upload's" in decision.reason
