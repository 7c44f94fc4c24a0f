"""The evidence bucket: what each shard reported, and the full findings behind each verdict."""

import json
from typing import TYPE_CHECKING, Any

from tunegate.errors import aws_call
from tunegate.model import Decision
from tunegate.rows import finding_to_json
from tunegate.scan.report import ShardReport

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def findings_key(scan_id: str) -> str:
    return f"findings/{scan_id}.json"


class Evidence:
    """Reads and writes the evidence of scans in one bucket. Writing again replaces the same with the same."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put_shard(self, scan_id: str, index: int, report: ShardReport) -> None:
        self._put(_shard_key(scan_id, index), report.to_json())

    def get_shard(self, scan_id: str, index: int) -> ShardReport:
        with aws_call("Reading a shard's report"):
            body = self._s3.get_object(Bucket=self._bucket, Key=_shard_key(scan_id, index))["Body"].read()
        return ShardReport.from_json(json.loads(body))

    def put_findings(self, scan_id: str, decision: Decision) -> str:
        """Write all findings of a decision; returns their key."""
        subject = decision.subject
        document = {
            "object": {"bucket": subject.bucket, "key": subject.key, "version_id": subject.version_id},
            "verdict": decision.verdict.value,
            "policy_digest": decision.policy_digest,
            "reason": decision.reason,
            "findings": [finding_to_json(finding) for finding in decision.findings],
            "totals": dict(decision.totals),
        }
        self._put(findings_key(scan_id), document)
        return findings_key(scan_id)

    def _put(self, key: str, document: dict[str, Any]) -> None:
        with aws_call("Writing evidence"):
            self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=json.dumps(document).encode(), ContentType="application/json"
            )


def _shard_key(scan_id: str, index: int) -> str:
    return f"scans/{scan_id}/{index}.json"
