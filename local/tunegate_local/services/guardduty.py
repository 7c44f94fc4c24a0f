"""Amazon GuardDuty Malware Protection for S3: plans, and a result for each object put where one protects.

A plan's role reads the object: what it may not read is answered with ACCESS_DENIED. Detection is by the signatures of
`malware`. https://docs.aws.amazon.com/guardduty/latest/ug/gdu-malware-protection-s3.html
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import pin_request_origin
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services.cloudformation import provisioners

from tunegate_local.detectors.wire import ServiceError
from tunegate_local.services.bedrock.data import client
from tunegate_local.services.bedrock.roles import assume
from tunegate_local.services.malware import Answers, TooDeepError, threats

type Detail = dict[str, Any]
type Publish = Callable[[str, str, Detail, list[str]], None]

RESULT = "GuardDuty Malware Protection Object Scan Result"
PRINCIPAL = "malware-protection-plan.guardduty.amazonaws.com"
# Objects are read whole up to here; larger ones are UNSUPPORTED, as on AWS beyond 100 GB.
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What one plan protects, and with whose rights."""

    arn: str
    account: str
    region: str
    role: str
    bucket: str
    prefixes: tuple[str, ...]

    def protects(self, bucket: str, key: str) -> bool:
        """Whether objects of this key are scanned; a plan without prefixes protects the whole bucket."""
        return bucket == self.bucket and (not self.prefixes or key.startswith(self.prefixes))


class MalwareProtection:
    """The plans there are, and the scans they lead to."""

    def __init__(self, publish: Publish, answers: Answers) -> None:
        self._publish = publish
        self._answers = answers
        self._plans: dict[str, Plan] = {}

    def create(self, account: str, region: str, props: Mapping[str, Any]) -> Plan:
        """A plan as CloudFormation describes it."""
        name = secrets.token_hex(10)
        stored = props["ProtectedResource"]["S3Bucket"]
        arn = f"arn:aws:guardduty:{region}:{account}:malware-protection-plan/{name}"
        prefixes = tuple(stored.get("ObjectPrefixes") or ())
        self._plans[name] = Plan(arn, account, region, props["Role"], stored["BucketName"], prefixes)
        return self._plans[name]

    def delete(self, name: str) -> None:
        """No more scans by it."""
        self._plans.pop(name, None)

    def uploaded(self, event: Mapping[str, Any]) -> None:
        """A service's event: an object put where a plan protects is scanned, apart from whoever tells of it."""
        if event["detail-type"] != "Object Created":
            return
        bucket, stored = event["detail"]["bucket"]["name"], event["detail"]["object"]
        for plan in self._plans.values():
            if plan.protects(bucket, stored["key"]):
                threading.Thread(target=self._scan, args=(plan, stored), name="guardduty", daemon=True).start()

    def _scan(self, plan: Plan, stored: Mapping[str, Any]) -> None:
        answering = self._answers.of(stored["key"])
        pin_request_origin("127.0.0.1", secure_transport=True)
        with request_scope(plan.account, plan.region):
            status, found = _examined(plan, stored)
            time.sleep(answering.seconds)
            detail = _detail(plan, stored, answering.status or status, found)
            for _ in range(answering.copies):
                self._publish("aws.guardduty", RESULT, detail, [plan.arn])


def _examined(plan: Plan, stored: Mapping[str, Any]) -> tuple[str, list[str]]:
    try:
        session = assume(plan.role, plan.account, plan.region, plan.arn, PRINCIPAL)
        s3 = client("s3", plan.region, session)
        if stored["size"] > MOST_BYTES:
            return "UNSUPPORTED", []
        got = s3.get_object(Bucket=plan.bucket, Key=stored["key"], VersionId=stored["version-id"])
        # Only the first is told.
        found = list(threats(got["Body"].read()))[:1]
    except TooDeepError:
        return "UNSUPPORTED", []
    except ServiceError:
        return "ACCESS_DENIED", []
    except ClientError as error:
        return ("ACCESS_DENIED" if error.response["Error"]["Code"] == "AccessDenied" else "FAILED"), []
    return ("THREATS_FOUND" if found else "NO_THREATS_FOUND"), found


def _detail(plan: Plan, stored: Mapping[str, Any], status: str, found: list[str]) -> Detail:
    scanned = {"UNSUPPORTED": "SKIPPED", "ACCESS_DENIED": "SKIPPED", "FAILED": "FAILED"}.get(status, "COMPLETED")
    return {
        "schemaVersion": "1.0",
        "scanStatus": scanned,
        "resourceType": "S3_OBJECT",
        "s3ObjectDetails": {
            "bucketName": plan.bucket,
            "objectKey": stored["key"],
            "eTag": stored.get("etag", ""),
            "versionId": stored["version-id"],
            "s3Throttled": False,
        },
        "scanResultDetails": {
            "scanResultStatus": status,
            "threats": [{"name": name} for name in found] if status == "THREATS_FOUND" else None,
        },
    }


def plans_are_resources(protection: MalwareProtection) -> None:
    """`AWS::GuardDuty::MalwareProtectionPlan` in CloudFormation.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-guardduty-malwareprotectionplan.html
    """

    def create(_logical_id: str, props: Mapping[str, Any], _stack_name: str) -> tuple[str, dict[str, Any]]:
        plan = protection.create(get_account_id(), get_region(), props)
        name = plan.arn.rpartition("/")[2]
        return name, {"Arn": plan.arn, "MalwareProtectionPlanId": name, "Status": "ACTIVE"}

    def delete(physical_id: str, _props: Mapping[str, Any]) -> None:
        protection.delete(physical_id)

    provisioners._RESOURCE_HANDLERS["AWS::GuardDuty::MalwareProtectionPlan"] = {"create": create, "delete": delete}
