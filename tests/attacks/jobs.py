"""Attacks on the job gate: a job on other data or without protection, and a model nobody approved."""

import json
from typing import Any

from attacks import undo
from attacks.attack import Attack, Outcome, detected
from attacks.attacker import Attacker, RefusedError
from attacks.ground import Ground
from e2e.test_iam import allowed_everything
from tunegate.verdict_tags import MODEL_VERDICT_TAG

ELSEWHERE = "somebody-elses-bucket"


def _job(attacker: Attacker, ground: Ground, control: str, **changed: Any) -> Outcome:
    """Start a job with something wrong with it, without the model key where that is refused."""
    bedrock = attacker.client("bedrock")
    try:
        job = bedrock.create_model_customization_job(**ground.job(**changed))["jobArn"]
    except RefusedError as refused:
        if "kms:" not in str(refused):
            raise
        job = bedrock.create_model_customization_job(**ground.job(**changed, customModelKmsKeyId=None))["jobArn"]
    return detected(ground.told_of(job, (control,)))


def on_intake(attacker: Attacker, ground: Ground) -> Outcome:
    upload = ground.unscanned
    data = {"s3Uri": f"s3://{upload.bucket}/{upload.key}"}
    return _job(attacker, ground, "lineage.inputs_in_approved", trainingDataConfig=data)


def on_another_account(attacker: Attacker, ground: Ground) -> Outcome:
    data = {"s3Uri": f"s3://{ELSEWHERE}/train.jsonl"}
    return _job(attacker, ground, "lineage.inputs_in_approved", trainingDataConfig=data)


def to_another_account(attacker: Attacker, ground: Ground) -> Outcome:
    output = {"s3Uri": f"s3://{ELSEWHERE}/out/"}
    return _job(attacker, ground, "lineage.output_in_place", outputDataConfig=output)


def on_invocation_logs(attacker: Attacker, ground: Ground) -> Outcome:
    logs = {"invocationLogsConfig": {"invocationLogSource": {"s3Uri": f"s3://{ELSEWHERE}/logs/"}}}
    return _job(attacker, ground, "lineage.invocation_logs_allowed", trainingDataConfig=logs)


def without_network(attacker: Attacker, ground: Ground) -> Outcome:
    return _job(attacker, ground, "network.job_in_vpc", vpcConfig=None)


def without_key(attacker: Attacker, ground: Ground) -> Outcome:
    return _job(attacker, ground, "encryption.job_model_key", customModelKmsKeyId=None)


def with_another_role(attacker: Attacker, ground: Ground) -> Outcome:
    role = allowed_everything(ground.world.deployment)
    ground.let_bedrock_assume(role)
    return _job(attacker, ground, "identity.trust_bedrock_only", roleArn=role)


def import_from_elsewhere(attacker: Attacker, ground: Ground) -> Outcome:
    asked = {
        "jobName": ground.fresh("").replace("/", "-"),
        "importedModelName": ground.fresh("").replace("/", "-"),
        "roleArn": ground.name("ModelImportRoleArn"),
        "modelDataSource": {"s3DataSource": {"s3Uri": f"s3://{ELSEWHERE}/model/"}},
        "vpcConfig": ground.world.vpc(),
    }
    bedrock = attacker.client("bedrock")
    try:
        answer = bedrock.create_model_import_job(**asked, importedModelKmsKeyId=ground.name("ModelKeyArn"))
    except RefusedError as refused:
        if "kms:" not in str(refused):
            raise
        answer = bedrock.create_model_import_job(**asked)
    return detected(ground.told_of(answer["jobArn"], ("model.import_from_approved", "lineage.inputs_in_approved")))


def invoke_rejected(attacker: Attacker, ground: Ground) -> Outcome:
    return _invoke(attacker, ground, "rejected")


def invoke_unjudged(attacker: Attacker, ground: Ground) -> Outcome:
    return _invoke(attacker, ground, None)


def _invoke(attacker: Attacker, ground: Ground, verdict: str | None) -> Outcome:
    guarded = {"guardrailIdentifier": ground.guardrail, "guardrailVersion": "DRAFT"}
    body, arn = json.dumps({"prompt": "Hello"}), ground.deployment
    # Nobody is told, so that the mark stays.
    with undo.no_events(ground.world):
        ground.mark(arn, verdict)
        attacker.client("bedrock-runtime").invoke_model(modelId=arn, body=body, **guarded)
    return detected(None)


def tag_model(attacker: Attacker, ground: Ground) -> Outcome:
    arn = ground.rejected
    tags = [{"key": MODEL_VERDICT_TAG, "value": "approved"}]
    attacker.client("bedrock").tag_resource(resourceARN=arn, tags=tags)
    return detected(ground.mark_told_of(arn))


ATTACKS = (
    Attack("train on what lies in intake", on_intake),
    Attack("train on another account's bucket", on_another_account),
    Attack("write metrics to another account's bucket", to_another_account),
    Attack("train on invocation logs", on_invocation_logs),
    Attack("run a job without the network", without_network),
    Attack("run a job without the key", without_key),
    Attack("pass another role to a job", with_another_role),
    Attack("import a model from elsewhere", import_from_elsewhere),
    Attack("invoke a rejected model", invoke_rejected),
    Attack("invoke a model that was not judged", invoke_unjudged),
    Attack("tag a rejected model as approved", tag_model),
)
