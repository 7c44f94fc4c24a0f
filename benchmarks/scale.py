"""A file of any size through the deployed product as a distributed map, and the same file in one piece in this process.

    python benchmarks/scale.py [--megabytes 1000] [--shard-megabytes 1]

The verdict, the totals and every listed finding must be the same: exit 1 if not. Only the built-in screen takes
part, so that the time is the gate's own. It takes about twenty minutes for a gigabyte, and is no part of `make bench`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from latency import Account, deployed
from screen import corpora

from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.observe.policies import current_policy
from tunegate.policy import Policy, default_policy, parse_policy
from tunegate.preflight import scan_file
from tunegate.rows import DecisionRow, finding_from_json

MEGABYTE = 1_000_000
PLANTED_EVERY = 5_000
"""Lines between two that hold something."""
POLL_SECONDS = 1.0
SECONDS_A_MEGABYTE = 5


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--shard-megabytes", type=int, default=1)
    chosen = options.parse_args()
    size = chosen.megabytes * MEGABYTE
    policy = screen_only(chosen.shard_megabytes * 1024**2)
    with tempfile.TemporaryDirectory() as folder, deployed() as (account, outputs):
        path = Path(folder) / "scale.jsonl"
        write(path, size)
        put_in_force(account, outputs, policy)
        begun = time.monotonic()
        row = through_the_gate(account, outputs, path, begun + 60 + chosen.megabytes * SECONDS_A_MEGABYTE)
        mapped = time.monotonic() - begun
        begun = time.process_time()
        alone = scan_file(path, policy, frozenset({outputs["IntakeBucket"], outputs["ApprovedBucket"]}))
        single = time.process_time() - begun
        found = evidence(account, outputs, row)
    shards = -(-size // policy.limits.shard_bytes)
    print(f"{chosen.megabytes} MB in {shards} shards: {row.decision.verdict}, {row.decision.reason}")
    print(f"put to verdict {mapped:.0f} s of wall clock; in one piece {single:.0f} s of one processor")
    same = found == compared(alone)
    print("verdict, totals and findings are the same" if same else "THE VERDICTS DIFFER")
    return 0 if same else 1


def screen_only(shard_bytes: int) -> Policy:
    document = json.loads(default_policy().canonical())
    document["services"] |= {"comprehend_pii": False, "comprehend_toxicity": False, "prompt_attacks": "off"}
    document["limits"]["shard_bytes"] = shard_bytes
    return parse_policy(json.dumps(document))


def write(path: Path, size: int) -> None:
    """Real texts, each line its own by a number, with a made-up identifier now and then."""
    with path.open("w") as out:
        written = 0
        for line in lines():
            written += out.write(line)
            if written >= size:
                return


def lines() -> Iterator[str]:
    rows = [[text for _, text in sample.texts] for sample in corpora.instructions()]
    for number, row in enumerate(cycle(rows)):
        planted = f" My card is 4111 1111 1111 1111, order {number}." if number % PLANTED_EVERY == 0 else ""
        record = {"prompt": f"{row[0]} (question {number})", "completion": row[-1] + planted}
        yield json.dumps(record) + "\n"


def put_in_force(account: Account, outputs: dict[str, str], policy: Policy) -> None:
    s3, bucket = account.client("s3"), outputs["PolicyBucket"]
    s3.put_object(Bucket=bucket, Key="proposed/policy.json", Body=policy.canonical().encode())
    while current_policy(s3, bucket).digest != policy.digest:
        time.sleep(POLL_SECONDS)


def through_the_gate(account: Account, outputs: dict[str, str], path: Path, until: float) -> DecisionRow:
    s3, bucket, key = account.client("s3"), outputs["IntakeBucket"], f"scale/{path.name}"
    s3.upload_file(str(path), bucket, key)
    version = ObjectVersion(bucket, key, s3.head_object(Bucket=bucket, Key=key)["VersionId"])
    dynamodb, table = account.client("dynamodb"), outputs["LedgerTable"]
    while time.monotonic() < until:
        for row in decisions_of(dynamodb, table, key):
            if row.decision.subject == version:
                return row
        time.sleep(POLL_SECONDS)
    raise TimeoutError("there was no verdict in time")


def evidence(account: Account, outputs: dict[str, str], row: DecisionRow) -> Any:
    body = account.client("s3").get_object(Bucket=outputs["EvidenceBucket"], Key=row.evidence)["Body"].read()
    document = json.loads(body)
    findings = tuple(finding_from_json(finding) for finding in document["findings"])
    return Verdict(document["verdict"]), document["reason"], document["totals"], findings


def compared(decision: Decision) -> Any:
    return decision.verdict, decision.reason, dict(decision.totals), decision.findings


if __name__ == "__main__":
    sys.exit(main())
