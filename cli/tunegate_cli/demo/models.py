"""Two model uploads: one that Bedrock could import, and one whose weights are a pickle that calls the shell."""

import io
import json
import os
import pickle
import secrets
import struct
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunegate.model import Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.rows import DecisionRow
from tunegate_cli.console import output, say
from tunegate_cli.demo.evidence import received_alerts
from tunegate_cli.demo.roles import as_role
from tunegate_cli.errors import CommandError
from tunegate_cli.report import Check, ReceivedAlert
from tunegate_cli.stack import Stack
from tunegate_cli.tables import cell

if TYPE_CHECKING:
    from tunegate_local.cloud import Cloud

DECIDED_WITHIN_SECONDS = 240
ALERTED_WITHIN_SECONDS = 60
POLL_SECONDS = 0.5
WEIGHTS = "model.safetensors"
BESIDES = {
    "config.json": {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16"},
    "tokenizer.json": {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 1}}},
    "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer"},
}
"""What an import takes besides the weights."""


@dataclass(frozen=True, slots=True)
class UploadedModel:
    """A model's prefix in intake, what its weights are, and the verdict it should get."""

    prefix: str
    what: str
    expected: Verdict


def run_models(stack: Stack, cloud: "Cloud") -> Check:
    """Upload both as the uploader role, and look at what was decided of them and told of it."""
    run = secrets.token_hex(3)
    models = (
        UploadedModel(f"models/sound-{run}/", "safetensors", Verdict.CLEAN),
        UploadedModel(f"models/pickled-{run}/", f"a pickle that calls os.system, named {WEIGHTS}", Verdict.FLAGGED),
    )
    say(f"Uploading two models to s3://{stack.intake} ...")
    for model, weights in zip(models, (safetensors(), pickled()), strict=True):
        _put(stack, model.prefix, files_of(weights))
    rows = [_decided(stack, model) for model in models]
    return check_models(models, rows, _alerts(cloud, models))


def check_models(
    models: Sequence[UploadedModel], rows: Sequence[DecisionRow], alerts: Sequence[ReceivedAlert]
) -> Check:
    what = (
        "The sound model is approved as a whole; the one with a pickle for weights is quarantined as a whole, "
        "with the file and the call named, and on call heard of it once."
    )
    return Check("Models", what, tuple(_problems(models, rows, alerts)))


def files_of(weights: bytes) -> dict[str, bytes]:
    """A whole model with these weights."""
    return {WEIGHTS: weights} | {name: json.dumps(document).encode() for name, document in BESIDES.items()}


def _problems(
    models: Sequence[UploadedModel], rows: Sequence[DecisionRow], alerts: Sequence[ReceivedAlert]
) -> Iterator[str]:
    for model, row in zip(models, rows, strict=True):
        if row.decision.verdict is not model.expected:
            yield f"{model.prefix} should be {model.expected} and is {row.decision.verdict}"
        flagging = [finding for finding in row.decision.findings if finding.flags]
        named = any(finding.file == WEIGHTS and "system" in finding.detail for finding in flagging)
        if model.expected is Verdict.FLAGGED and not named:
            yield f"No finding on {model.prefix} names {WEIGHTS} and the call in it"
        heard = sum(alert.key == model.prefix for alert in alerts)
        due = int(model.expected is Verdict.FLAGGED)
        if heard != due:
            yield f"On call heard {heard} times of {model.prefix}; it should have heard {due} times"


def _put(stack: Stack, prefix: str, files: Mapping[str, bytes]) -> None:
    """All files, and last the manifest that says so: the upload need not be quiet for minutes to be complete."""
    s3 = as_role(stack, stack.output("UploaderRoleArn")).client("s3")
    listed = [{"name": name, "size": len(data)} for name, data in files.items()]
    manifest = json.dumps({"files": listed}).encode()
    for name, data in (*files.items(), ("manifest.json", manifest)):
        s3.put_object(
            Bucket=stack.intake,
            Key=prefix + name,
            Body=data,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=stack.data_key,
        )


def _decided(stack: Stack, model: UploadedModel) -> DecisionRow:
    deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if rows := decisions_of(stack.dynamodb, stack.ledger, model.prefix):
            decision = rows[0].decision
            line = f"{decision.verdict:<8}  {model.prefix}  {model.what}; {decision.reason or 'nothing found'}"
            output().print(cell(line), soft_wrap=True)
            return rows[0]
        time.sleep(POLL_SECONDS)
    raise CommandError(f"the decision on {model.prefix} did not come within {DECIDED_WITHIN_SECONDS} s")


def _alerts(cloud: "Cloud", models: Sequence[UploadedModel]) -> list[ReceivedAlert]:
    """What on call heard of the uploads and of their files, once there is something or the time is up."""
    deadline = time.monotonic() + ALERTED_WITHIN_SECONDS
    while True:
        heard = [
            alert
            for alert in received_alerts(cloud.oncall_url)
            if any(alert.key.startswith(model.prefix) for model in models)
        ]
        if heard or time.monotonic() > deadline:
            return heard
        time.sleep(POLL_SECONDS)


def safetensors() -> bytes:
    """Two small tensors as Safetensors lays them out: the header's length, the header, the data."""
    tensors = {
        name: {"dtype": "BF16", "shape": [4, 2], "data_offsets": [begin, begin + 16]}
        for name, begin in (("model.embed_tokens.weight", 0), ("lm_head.weight", 16))
    }
    header = json.dumps(tensors).encode()
    return struct.pack("<Q", len(header)) + header + bytes(32)


class _Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def pickled() -> bytes:
    """A checkpoint as PyTorch saves one, with an object in it that runs a command when it is loaded."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_Payload(), protocol=2))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()
