"""Many small uploads at once: each gets one verdict and one place, and no queue keeps anything."""

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from tunegate.observe.ledger import recent
from tunegate.rows import Entity

UPLOADS = int(os.environ.get("LOAD_UPLOADS", "60"))
"""`make faults` puts a thousand."""
SECONDS_EACH = 4.0
FLAGGED_EVERY = 20


@pytest.fixture(scope="module", autouse=True)
def screen_only(deployment: Deployment) -> Iterator[None]:
    """The built-in screen alone: what is under load is the gate, not the embedded Comprehend."""
    off = {"comprehend_pii": False, "comprehend_toxicity": False, "prompt_attacks": "off"}
    with deployment.policy(services=off):
        yield


def body(number: int) -> bytes:
    card = "4111 1111 1111 1111" if number % FLAGGED_EVERY == 0 else "not for you"
    return f'{{"prompt": "What is card {number}?", "completion": "My card is {card}."}}\n'.encode()


def test_a_burst_of_uploads_is_settled_none_twice_and_every_queue_drains(deployment: Deployment) -> None:
    prefix = f"load-{secrets.token_hex(3)}/"
    bodies = {f"{prefix}{number}.jsonl": body(number) for number in range(UPLOADS)}
    s3 = deployment.client("s3")
    with ThreadPoolExecutor(8) as pool:
        uploads = list(pool.map(lambda item: put(deployment, s3, *item), bodies.items()))

    def decided() -> list[dict[str, Any]] | None:
        rows = [row for row in decisions(deployment) if row["key"].startswith(prefix)]
        return rows if len({row["key"] for row in rows}) == UPLOADS else None

    rows = wait_for(f"{UPLOADS} verdicts", decided, UPLOADS * SECONDS_EACH + 120)
    assert {(row["key"], row["version_id"]) for row in rows} == set(uploads)
    assert len(rows) == UPLOADS, "an upload was decided on twice"
    flagged = -(-UPLOADS // FLAGGED_EVERY)
    assert Counter(row["reason"] for row in rows if row["verdict"] == "held") == {}
    assert Counter(row["verdict"] for row in rows) == {"clean": UPLOADS - flagged, "flagged": flagged}
    assert stored(deployment, s3, "IntakeBucket", prefix) == {}
    approved, quarantine = (stored(deployment, s3, name, prefix) for name in ("ApprovedBucket", "QuarantineBucket"))
    assert approved | quarantine == bodies
    assert len(quarantine) == flagged
    queues = ("tunegate-uploads", "tunegate-uploads-dead-letters", "tunegate-alert-failures")
    wait_for("every queue to drain", lambda: all(empty(deployment, queue) for queue in queues) or None)


def put(deployment: Deployment, s3: Any, key: str, data: bytes) -> tuple[str, str]:
    return key, s3.put_object(Bucket=deployment.outputs["IntakeBucket"], Key=key, Body=data)["VersionId"]


def decisions(deployment: Deployment) -> Iterator[dict[str, Any]]:
    return recent(deployment.client("dynamodb"), deployment.outputs["LedgerTable"], Entity.DECISION)


def stored(deployment: Deployment, s3: Any, bucket: str, prefix: str) -> dict[str, bytes]:
    """The bodies below a prefix by key; every version counts, so that a second copy is a second one."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=deployment.outputs[bucket], Prefix=prefix)
    entries = [entry for page in pages for entry in page.get("Versions", [])]
    keys = [entry["Key"] for entry in entries]
    assert len(keys) == len(set(keys)), f"{bucket} has a version twice"
    return {key: s3.get_object(Bucket=deployment.outputs[bucket], Key=key)["Body"].read() for key in keys}


def empty(deployment: Deployment, queue: str) -> bool:
    sqs = deployment.client("sqs")
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(counts))["Attributes"]
    return all(int(attributes[name]) == 0 for name in counts)
