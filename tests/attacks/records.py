"""Attacks on what the gate goes by and what it writes down: policy, ledger, evidence, logs, and its own roles."""

import json
from collections.abc import Iterator

from attacks import undo
from attacks.attack import Attack, Outcome, detected, prevented
from attacks.attacker import Attacker, RefusedError
from attacks.data import LINEAGE
from attacks.ground import SECRETS, Ground
from e2e.test_iam import trust_of_the_account
from tunegate.subject_rows import subject_key


def policy_in_force(attacker: Attacker, ground: Ground) -> Outcome:
    attacker.client("s3").put_object(Bucket=ground.name("PolicyBucket"), Key="accepted/current.json", Body=b"{}")
    return detected(None)


def accepts(attacker: Attacker, ground: Ground) -> bool:
    """Whose duty it is to put a policy in force, by the bucket's policy."""
    return attacker.role in ground.spared("OnlyAcceptPolicyAccepts", ground.bucket_statements("PolicyBucket"))


def propose_policy(attacker: Attacker, ground: Ground) -> Outcome:
    """Have no secret flagged any more."""
    before, weaker = ground.world.policy(), ground.world.policy()
    weaker["categories"]["secret"]["flags"] = False
    body, named = json.dumps(weaker).encode(), {"Bucket": ground.name("PolicyBucket"), "Key": "proposed/policy.json"}
    version = attacker.client("s3").put_object(**named, Body=body)["VersionId"]
    try:
        return detected("alert: policy put in force" if ground.policy_told_of(version) else None)
    finally:
        ground.world.accept_policy(lambda document: document.update(before))


def decision(attacker: Attacker, ground: Ground) -> Outcome:
    """Write down that what is in approved was found clean, and let an accomplice tag it so."""
    copy = ground.tagged_clean()
    row = ground.clean_row(copy)
    attacker.client("dynamodb").put_item(TableName=ground.name("LedgerTable"), Item=row)
    return detected(ground.job_alert(copy.key, *LINEAGE))


def approval(attacker: Attacker, ground: Ground) -> Outcome:
    """Write down that a rejected model is approved."""
    arn = ground.rejected
    key = {name: {"S": value} for name, value in subject_key(arn).items()}
    attacker.client("dynamodb").update_item(
        TableName=ground.name("LedgerTable"),
        Key=key,
        UpdateExpression="SET approval = :approved",
        ExpressionAttributeValues={":approved": {"S": "approved"}},
    )
    if ground.is_marked(arn, "rejected"):
        return prevented("the model's tag is what it is used by")
    return detected(None)


def judges_jobs(attacker: Attacker, ground: Ground) -> bool:
    """Whose duty it is to say what a job or model is, by the bucket that keeps the manifests."""
    return attacker.role in ground.spared("OnlyVerifyJobWritesManifests", ground.bucket_statements("EvidenceBucket"))


def judges_files(attacker: Attacker, ground: Ground) -> bool:
    return attacker.role in ground.spared("OnlyJudgingWritesFindings", ground.bucket_statements("EvidenceBucket"))


def evidence(attacker: Attacker, ground: Ground) -> Outcome:
    attacker.client("s3").put_object(
        Bucket=ground.name("EvidenceBucket"), Key=f"findings/{ground.unscanned.digest}.json", Body=b"{}"
    )
    return detected(None)


def become_the_gate(attacker: Attacker, ground: Ground) -> Outcome:
    """Let oneself assume the role that settles files."""
    role, since = ground.function_role("settle-object"), ground.estate_alerts()
    with undo.trust(ground.world, role):
        attacker.client("iam").update_assume_role_policy(
            RoleName=role.rsplit("/", 1)[1], PolicyDocument=trust_of_the_account(role)
        )
        return detected(ground.estate_alert("estate.gate_roles", since))


def widen_the_gate(attacker: Attacker, ground: Ground) -> Outcome:
    """Give a function of the gate more rights."""
    role = ground.function_role("inspect-object")
    since = ground.estate_alerts()
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with undo.role_policy(ground.world, role, "more"):
        attacker.client("iam").put_role_policy(
            RoleName=role.rsplit("/", 1)[1],
            PolicyName="more",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        )
        return detected(ground.estate_alert("estate.gate_roles", since))


def secrets(attacker: Attacker, ground: Ground) -> Outcome:
    """Look for what was planted wherever the gate writes: logs, ledger, evidence, the history of scans."""
    ground.plant()
    refused: list[str] = []
    looked = 0
    for read in (_logs, _ledger, _evidence, _histories):
        try:
            for text in read(attacker, ground):
                looked += 1
                if any(secret in text for secret in SECRETS):
                    return detected(None)
        except RefusedError as error:
            refused.append(str(error))
    if not looked:
        return prevented(refused[0])
    return prevented(f"no record holds text of a file ({looked:,} read)")


def _logs(attacker: Attacker, ground: Ground) -> Iterator[str]:
    logs = attacker.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        if "bedrock" in group["logGroupName"]:
            continue
        answer = logs.filter_log_events(logGroupName=group["logGroupName"])
        while True:
            yield from (event["message"] for event in answer["events"])
            if not answer.get("nextToken"):
                break
            answer = logs.filter_log_events(logGroupName=group["logGroupName"], nextToken=answer["nextToken"])


def _ledger(attacker: Attacker, ground: Ground) -> Iterator[str]:
    dynamodb, table = attacker.client("dynamodb"), ground.name("LedgerTable")
    answer = dynamodb.scan(TableName=table)
    while True:
        yield from (json.dumps(item, default=str) for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        answer = dynamodb.scan(TableName=table, ExclusiveStartKey=answer["LastEvaluatedKey"])


def _evidence(attacker: Attacker, ground: Ground) -> Iterator[str]:
    s3, bucket = attacker.client("s3"), ground.name("EvidenceBucket")
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        yield s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode("utf-8", "replace")


def _histories(attacker: Attacker, ground: Ground) -> Iterator[str]:
    states, machine = attacker.client("stepfunctions"), ground.name("ScanStateMachineArn")
    for execution in states.list_executions(stateMachineArn=machine, maxResults=20)["executions"]:
        history = states.get_execution_history(executionArn=execution["executionArn"], includeExecutionData=True)
        yield json.dumps(history["events"], default=str)


ATTACKS = (
    Attack("replace the policy in force", policy_in_force, duty=accepts),
    Attack("propose a weaker policy", propose_policy),
    Attack("write down that a file is clean", decision),
    Attack("write down that a model is approved", approval, duty=judges_jobs),
    Attack("forge the findings behind a verdict", evidence, duty=judges_files),
    Attack("become a role of the gate", become_the_gate),
    Attack("give a role of the gate more rights", widen_the_gate),
    Attack("read secrets in logs and records", secrets),
)
