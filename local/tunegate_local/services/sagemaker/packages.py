"""The model registry: groups of model packages, and who approved one.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-version.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.mounting import Caller
from tunegate_local.services.sagemaker.account import (
    NOT_FOUND,
    Answer,
    Operation,
    Records,
    arn_of,
    later,
    now,
    require,
)

EVENT = "SageMaker Model Package State Change"
_CHANGEABLE = ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri")


class Packages:
    """A package is complete after a stage; its changes of state and of approval are published."""

    def __init__(self, records: Records, stage_seconds: Callable[[], float]) -> None:
        self._records, self._stage_seconds = records, stage_seconds
        self.operations: Mapping[str, Operation] = {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": self._describe_group,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": self._describe,
            "UpdateModelPackage": self._update,
        }

    def _create_group(self, call: Call, caller: Caller) -> Answer:
        asked = call.parameters
        arn = arn_of(caller, "model-package-group", asked["ModelPackageGroupName"])
        if self._records.has(arn):
            raise ServiceError("ValidationException", "Model Package Group already exists.")
        described = {name: value for name, value in asked.items() if name != "Tags"} | {
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": now(),
            "CreatedBy": {},
        }
        self._records.add(caller, arn, described, asked)
        return {"ModelPackageGroupArn": arn}

    def _describe_group(self, call: Call, caller: Caller) -> Answer:
        arn = _arn(caller, "model-package-group", call.parameters["ModelPackageGroupName"])
        require(caller, "DescribeModelPackageGroup", arn, {})
        return dict(self._records.find(arn))

    def _create(self, call: Call, caller: Caller) -> Answer:
        asked = call.parameters
        named, group = asked.get("ModelPackageName"), asked.get("ModelPackageGroupName")
        if (named is None) == (group is None):
            raise ServiceError(
                "ValidationException", "Exactly one of ModelPackageName and ModelPackageGroupName must be given."
            )
        with self._records.lock:
            arn, numbered = self._next(caller, named, group)
            described = {name: value for name, value in asked.items() if name in _kept(call)} | {
                **numbered,
                "ModelPackageArn": arn,
                "ModelPackageStatus": "Pending",
                "ModelPackageStatusDetails": {"ValidationStatuses": []},
                "CreationTime": now(),
            }
            if group:
                described.setdefault("ModelApprovalStatus", "PendingManualApproval")
            self._records.add(caller, arn, described, asked)
        later(self._stage_seconds(), lambda: self._complete(arn))
        return {"ModelPackageArn": arn}

    def _next(self, caller: Caller, named: str | None, group: str | None) -> tuple[str, dict[str, Any]]:
        """The ARN of a new package; of a group's, the next version's."""
        if named is not None:
            arn = arn_of(caller, "model-package", named)
            if self._records.has(arn):
                raise ServiceError("ConflictException", "Model package already exists.")
            return arn, {"ModelPackageName": named}
        name = str(group).rsplit("/", 1)[-1]
        if not self._records.has(arn_of(caller, "model-package-group", name)):
            raise ServiceError("ValidationException", NOT_FOUND)
        mine = arn_of(caller, "model-package", name)
        version = 1 + sum(
            package["ModelPackageArn"].rpartition("/")[0] == mine
            for package in self._records.of(caller, "model-package")
        )
        numbered = {"ModelPackageName": name, "ModelPackageGroupName": name, "ModelPackageVersion": version}
        return f"{mine}/{version}", numbered

    def _complete(self, arn: str) -> None:
        with self._records.lock:
            self._records.find(arn)["ModelPackageStatus"] = "Completed"
        self._records.tell(EVENT, arn)

    def _describe(self, call: Call, caller: Caller) -> Answer:
        arn = _arn(caller, "model-package", call.parameters["ModelPackageName"])
        require(caller, "DescribeModelPackage", arn, {})
        return dict(self._records.find(arn))

    def _update(self, call: Call, caller: Caller) -> Answer:
        asked = call.parameters
        arn = asked["ModelPackageArn"]
        context = {"sagemaker:ModelApprovalStatus": asked.get("ModelApprovalStatus")}
        require(caller, "UpdateModelPackage", arn, {}, None, context)
        with self._records.lock:
            package = self._records.find(arn)
            package |= {name: asked[name] for name in _CHANGEABLE if name in asked}
            package["LastModifiedTime"] = now()
        self._records.tell(EVENT, arn)
        return {"ModelPackageArn": arn}


def _arn(caller: Caller, kind: str, name_or_arn: str) -> str:
    return name_or_arn if name_or_arn.startswith("arn:") else arn_of(caller, kind, name_or_arn)


def _kept(call: Call) -> frozenset[str]:
    """What Describe tells of what Create was asked."""
    model = call.operation.service_model.operation_model("DescribeModelPackage")
    return frozenset(model.output_shape.members)  # type: ignore[union-attr]
