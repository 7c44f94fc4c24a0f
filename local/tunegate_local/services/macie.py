"""Amazon Macie: the account's session in a Region, where its results are exported to, and its jobs.

https://docs.aws.amazon.com/macie/latest/APIReference/macie.html
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, s3
from ministack.services.cloudformation import provisioners

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.macie_jobs import Jobs
from tunegate_local.services.mounting import Caller

type Answer = dict[str, Any]
type Operation = Callable[[Call, Caller], Answer]

_SERVICE_ROLE = "AWSServiceRoleForAmazonMacie"


class Macie:
    """Sessions by account and Region. Every call is refused where there is none, as by Macie."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._sessions: dict[tuple[str, str], Answer] = {}
        self._exports: dict[tuple[str, str], Answer] = {}
        acts: Mapping[str, Operation] = {
            "EnableMacie": self._enable,
            "GetMacieSession": self._get,
            "UpdateMacieSession": self._update,
            "DisableMacie": self._disable,
            "GetClassificationExportConfiguration": self._get_export,
            "PutClassificationExportConfiguration": self._put_export,
            "CreateClassificationJob": self._create_job,
            "DescribeClassificationJob": self._describe_job,
        }
        self.operations: Mapping[str, Operation] = {name: _permitted(name, act) for name, act in acts.items()}

    def enable(self, account: str, region: str, asked: Mapping[str, Any]) -> None:
        """Open the session; an account has one in a Region."""
        if (account, region) in self._sessions:
            raise ServiceError("ConflictException", "Macie has already been enabled")
        now = datetime.now(UTC)
        self._sessions[account, region] = {
            "createdAt": now,
            "updatedAt": now,
            "findingPublishingFrequency": asked.get("findingPublishingFrequency", "FIFTEEN_MINUTES"),
            "serviceRole": f"arn:aws:iam::{account}:role/aws-service-role/macie.amazonaws.com/{_SERVICE_ROLE}",
            "status": asked.get("status", "ENABLED"),
        }

    def update(self, account: str, region: str, asked: Mapping[str, Any]) -> None:
        """Pause or resume the session, or publish at another frequency."""
        self._session(account, region).update({**asked, "updatedAt": datetime.now(UTC)})

    def disable(self, account: str, region: str) -> None:
        """Close the session; what was configured in it is lost."""
        self._sessions.pop((account, region), None)
        self._exports.pop((account, region), None)

    def _enable(self, call: Call, caller: Caller) -> Answer:
        self.enable(caller.account, caller.region, call.parameters)
        return {}

    def _get(self, _: Call, caller: Caller) -> Answer:
        return dict(self._session(caller.account, caller.region))

    def _update(self, call: Call, caller: Caller) -> Answer:
        self.update(caller.account, caller.region, call.parameters)
        return {}

    def _disable(self, _: Call, caller: Caller) -> Answer:
        self._session(caller.account, caller.region)
        self.disable(caller.account, caller.region)
        return {}

    def _get_export(self, _: Call, caller: Caller) -> Answer:
        self._session(caller.account, caller.region)
        return {"configuration": self._exports.get((caller.account, caller.region), {})}

    def _put_export(self, call: Call, caller: Caller) -> Answer:
        self._session(caller.account, caller.region)
        destination = call.parameters["configuration"].get("s3Destination")
        if destination is not None:
            _require_destination(destination)
        self._exports[caller.account, caller.region] = dict(call.parameters["configuration"])
        return {"configuration": self._exports[caller.account, caller.region]}

    def _create_job(self, call: Call, caller: Caller) -> Answer:
        self._session(caller.account, caller.region)
        export = self._exports.get((caller.account, caller.region), {}).get("s3Destination", {})
        return self._jobs.create(caller.account, caller.region, call.parameters, export)

    def _describe_job(self, call: Call, caller: Caller) -> Answer:
        self._session(caller.account, caller.region)
        return self._jobs.describe(call.parameters["jobId"])

    def _session(self, account: str, region: str) -> Answer:
        try:
            return self._sessions[account, region]
        except KeyError:
            raise ServiceError("AccessDeniedException", "Macie is not enabled") from None


def sessions_are_resources(macie: Macie) -> None:
    """`AWS::Macie::Session` in CloudFormation: creating one fails where Macie is on already.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-macie-session.html
    """

    def create(_logical_id: str, props: Mapping[str, Any], _stack_name: str) -> tuple[str, Answer]:
        account = get_account_id()
        macie.enable(account, get_region(), _asked(props))
        return account, {"AwsAccountId": account}

    def update(
        physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any], _stack_name: str
    ) -> tuple[str, Answer]:
        macie.update(physical_id, get_region(), _asked(new))
        return physical_id, {"AwsAccountId": physical_id}

    def delete(physical_id: str, _props: Mapping[str, Any]) -> None:
        macie.disable(physical_id, get_region())

    provisioners._RESOURCE_HANDLERS["AWS::Macie::Session"] = {"create": create, "update": update, "delete": delete}


def _asked(props: Mapping[str, Any]) -> Answer:
    return {
        "findingPublishingFrequency": props.get("FindingPublishingFrequency", "SIX_HOURS"),
        "status": props.get("Status", "ENABLED"),
    }


def _require_destination(destination: Mapping[str, Any]) -> None:
    """Raises ValidationException unless the bucket and the key exist."""
    if s3._buckets.get(destination["bucketName"]) is None:
        raise ServiceError("ValidationException", "The request failed because the S3 bucket does not exist")
    key = kms._resolve_key(destination["kmsKeyArn"])
    if key is None or key["KeyState"] != "Enabled":
        raise ServiceError("ValidationException", "The request failed because the KMS key cannot be used")


def _permitted(name: str, act: Operation) -> Operation:
    def answer(call: Call, caller: Caller) -> Answer:
        caller.require(f"macie2:{name}", _resource(name, call, caller), service="macie2")
        return act(call, caller)

    return answer


def _resource(name: str, call: Call, caller: Caller) -> str:
    """Jobs are resources of their own; one that is to be created has no id yet."""
    if not name.endswith("ClassificationJob"):
        return "*"
    job_id = call.parameters.get("jobId", "*")
    return f"arn:aws:macie2:{caller.region}:{caller.account}:classification-job/{job_id}"
