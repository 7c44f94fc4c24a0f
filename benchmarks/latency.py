"""How long an upload waits for its verdict, beside a bare EventBridge rule and an echo function in the same cloud.

    python benchmarks/latency.py [--json build/bench.json]

Deploys the whole product into the embedded cloud, puts files of 1 MB and waits for each decision; then puts the same
files into a bucket whose rule invokes a function that only writes one row. The ratio is of the wall-clock time from put
to decision to that of the echo plus the processor time the embedded detectors took for the file.
"""

import argparse
import io
import json
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import boto3
from results import merge
from screen import corpora

from tunegate.model import ObjectVersion
from tunegate.observe.ledger import decisions_of
from tunegate_local.cloud import Cloud, CloudError
from tunegate_local.deploy import up

MEGABYTE = 1_000_000
PUTS = 3  # the embedded Comprehend takes a minute for each, and make bench has fifteen
GIVE_UP_SECONDS = 240.0
ECHO = "latency-echo"
POLL_SECONDS = 0.02
ECHO_CODE = """
import boto3
table = boto3.client("dynamodb")
def handler(event, context):
    table.put_item(TableName="latency-echo", Item={"key": {"S": event["detail"]["object"]["key"]}})
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
WRITES = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": f"arn:aws:dynamodb:*:*:table/{ECHO}"}


@dataclass(frozen=True, slots=True)
class Account:
    """The embedded cloud as its administrator."""

    cloud: Cloud

    def client(self, service: str) -> Any:
        environment = self.cloud.environment()
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="merge the figures into this file")
    chosen = options.parse_args()
    body = file_of(MEGABYTE)
    try:
        with deployed() as (account, outputs):
            begun = detector_seconds(account.cloud)
            ours = waits(account.client("s3"), outputs["IntakeBucket"], body, decided(account, outputs))
            detectors = (detector_seconds(account.cloud) - begun) / (PUTS + 1)
            make_echo(account)
            echo = waits(account.client("s3"), ECHO, body, echoed(account))
    except (CloudError, TimeoutError) as error:
        print(f"latency could not be measured: {error}", file=sys.stderr)
        return 2
    figures = {
        name: round(at(ours, share) / (at(echo, share) + detectors), 2) for name, share in (("p50", 50), ("p99", 99))
    }
    for name, times in (("put to verdict", ours), ("put to echo", echo)):
        print(f"{name:16} p50 {at(times, 50):.2f} s, p99 {at(times, 99):.2f} s")
    print(f"detectors' own   {detectors:.2f} s a file")
    merge(chosen.json, {"latency_vs_echo": figures})
    return 0


def file_of(size: int) -> bytes:
    """Clean records of real text."""
    rows = [[text for _, text in sample.texts] for sample in corpora.instructions()]
    lines = [json.dumps({"prompt": row[0], "completion": row[-1]}) for row in rows]
    many = islice(cycle(lines), size * len(lines) // sum(map(len, lines)))
    return "\n".join(many).encode()[:size].rpartition(b"\n")[0] + b"\n"


@contextmanager
def deployed() -> Iterator[tuple[Account, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder:
        cloud, outputs = up(Path(folder))
        with cloud:
            yield Account(cloud), outputs


def waits(s3: Any, bucket: str, body: bytes, done: Callable[[ObjectVersion], bool]) -> list[float]:
    """Seconds from each put to its row; the first put, which wakes everything, does not count."""
    return [wait(s3, bucket, f"uploads/latency-{number}.jsonl", body, done) for number in range(PUTS + 1)][1:]


def wait(s3: Any, bucket: str, key: str, body: bytes, done: Callable[[ObjectVersion], bool]) -> float:
    begun = time.monotonic()
    version = ObjectVersion(bucket, key, s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId", ""))
    while not done(version):
        if time.monotonic() - begun > GIVE_UP_SECONDS:
            raise TimeoutError(f"nothing came of {key} in {bucket} within {GIVE_UP_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - begun


def decided(account: Account, outputs: dict[str, str]) -> Callable[[ObjectVersion], bool]:
    dynamodb, table = account.client("dynamodb"), outputs["LedgerTable"]
    return lambda version: any(row.decision.subject == version for row in decisions_of(dynamodb, table, version.key))


def echoed(account: Account) -> Callable[[ObjectVersion], bool]:
    dynamodb = account.client("dynamodb")
    return lambda version: "Item" in dynamodb.get_item(TableName=ECHO, Key={"key": {"S": version.key}})


def make_echo(account: Account) -> None:
    """A bucket, a rule on its puts, and a function behind it that writes the key to a table."""
    account.client("dynamodb").create_table(
        TableName=ECHO,
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    iam, function = account.client("iam"), account.client("lambda")
    role = iam.create_role(RoleName=ECHO, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ECHO, PolicyName="write", PolicyDocument=policy(WRITES))
    arn = function.create_function(
        FunctionName=ECHO,
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": zipped(ECHO_CODE)},
        Layers=boto3_layers(function),
    )["FunctionArn"]
    function.get_waiter("function_active_v2").wait(FunctionName=ECHO)
    s3, events = account.client("s3"), account.client("events")
    s3.create_bucket(Bucket=ECHO)
    s3.put_bucket_notification_configuration(Bucket=ECHO, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [ECHO]}}}
    rule = events.put_rule(Name=ECHO, EventPattern=json.dumps(pattern))["RuleArn"]
    function.add_permission(
        FunctionName=ECHO,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule=ECHO, Targets=[{"Id": "echo", "Arn": arn}])


def boto3_layers(function: Any) -> list[str]:
    """The layers of a deployed function: the embedded cloud's Python has no boto3 of its own."""
    functions = [one for page in function.get_paginator("list_functions").paginate() for one in page["Functions"]]
    return next([layer["Arn"] for layer in one["Layers"]] for one in functions if one.get("Layers"))


def detector_seconds(cloud: Cloud) -> float:
    """Processor time that the services' own detectors have taken so far."""
    ticks = 0
    for process in cloud.processes:
        if process.name not in ("emulator", "oncall"):
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def zipped(code: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.py", code)
    return out.getvalue()


def at(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    sys.exit(main())
