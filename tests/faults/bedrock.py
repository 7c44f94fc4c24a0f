"""One customization job or import and the model it makes, in an account that is as it should be."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from faults.injector import Operation, Params, Refusal, Reply
from tunegate.subject import Kind
from unit.policy_world import (
    APPROVED,
    ARNS,
    DATA_KEY,
    GATEWAY_STATEMENTS,
    GROUP,
    MODEL_KEY,
    OUTPUT,
    ROLE,
    S3_ENDPOINT,
    SUBNET,
    VPC_ID,
    key_statements,
    permission_statements,
    trust_statement,
)

JOB, MODEL, DEPLOYMENT = ARNS[Kind.CUSTOMIZATION_JOB], ARNS[Kind.CUSTOM_MODEL], ARNS[Kind.DEPLOYMENT]
IMPORT, IMPORTED = ARNS[Kind.IMPORT_JOB], ARNS[Kind.IMPORTED_MODEL]
BASE = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k"
VERDICT = "tunegate-verdict"


_DEPLOYED = {
    "customModelDeploymentArn": DEPLOYMENT,
    "modelDeploymentName": "support-tone",
    "modelArn": MODEL,
    "createdAt": datetime(2026, 11, 23, tzinfo=UTC),
    "status": "Active",
}


@dataclass
class Bedrock:
    """The job or import and its model; none is there until it begins. `tell` is Bedrock's event; imports have none."""

    job: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    importing: dict[str, Any] = field(default_factory=dict)
    imported: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    deployed: bool = False
    may_be_used: bool = True
    tell: Callable[[dict[str, Any]], None] = lambda _: None

    def begin(self, key: str) -> None:
        self.job |= {
            "jobArn": JOB,
            "jobName": "support-tone",
            "outputModelName": "support-tone",
            "roleArn": ROLE,
            "status": "InProgress",
            "creationTime": datetime.now(UTC),
            "baseModelArn": BASE,
            "outputModelKmsKeyArn": MODEL_KEY,
            "trainingDataConfig": {"s3Uri": f"s3://{APPROVED}/{key}"},
            "outputDataConfig": {"s3Uri": f"s3://{OUTPUT}/jobs/"},
            "vpcConfig": {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]},
        }

    def complete(self) -> None:
        now = datetime.now(UTC)
        self.job |= {"status": "Completed", "endTime": now, "outputModelArn": MODEL}
        self.model |= {
            "modelArn": MODEL,
            "modelName": "support-tone",
            "jobArn": JOB,
            "baseModelArn": BASE,
            "modelKmsKeyArn": MODEL_KEY,
            "creationTime": now,
            "modelStatus": "Active",
        }

    def import_model(self, prefix: str) -> None:
        """An import that began, and is already done."""
        now = datetime.now(UTC)
        source = {"s3DataSource": {"s3Uri": f"s3://{APPROVED}/{prefix}"}}
        self.importing |= {
            "jobArn": IMPORT,
            "jobName": "llama",
            "roleArn": ROLE,
            "status": "Completed",
            "creationTime": now,
            "endTime": now,
            "modelDataSource": source,
            "importedModelName": "llama",
            "importedModelArn": IMPORTED,
            "importedModelKmsKeyArn": MODEL_KEY,
            "vpcConfig": {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]},
        }
        self.imported |= {
            "modelArn": IMPORTED,
            "modelName": "llama",
            "jobArn": IMPORT,
            "modelDataSource": source,
            "modelKmsKeyArn": MODEL_KEY,
            "creationTime": now,
        }

    def tell_state(self) -> None:
        detail = {"jobArn": JOB, "jobStatus": self.job["status"]}
        kind = "Model Customization Job State Change"
        self.tell({"source": "aws.bedrock", "detail-type": kind, "detail": detail})

    def usable(self) -> bool:
        """Whether the invoker role could use a model."""
        return any(self._mark(model) in {"approved", "tolerated"} for model in (MODEL, IMPORTED))

    def states(self) -> dict[str, str]:
        """What has become of the jobs and of the models' marks."""
        return {
            JOB: str(self.job.get("status", "")),
            MODEL: self._mark(MODEL),
            DEPLOYMENT: "Active" if self.deployed else "gone",
            IMPORT: str(self.importing.get("status", "")),
            IMPORTED: self._mark(IMPORTED),
        }

    def replies(self) -> Mapping[Operation, Reply]:
        return {
            ("bedrock", "GetModelCustomizationJob"): lambda _: self._there(self.job),
            ("bedrock", "GetCustomModel"): lambda _: self._there(self.model),
            ("bedrock", "StopModelCustomizationJob"): self._stop,
            ("bedrock", "ListTagsForResource"): self._list_tags,
            ("bedrock", "TagResource"): self._tag,
            ("bedrock", "ListModelCustomizationJobs"): lambda _: {
                "modelCustomizationJobSummaries": [{"jobArn": JOB}] if self.job else []
            },
            ("bedrock", "ListCustomModels"): lambda _: {"modelSummaries": [{"modelArn": MODEL}] if self.model else []},
            ("bedrock", "GetModelImportJob"): lambda _: self._there(self.importing),
            ("bedrock", "GetImportedModel"): lambda _: self._there(self.imported),
            ("bedrock", "ListModelImportJobs"): lambda _: {
                "modelImportJobSummaries": [{"jobArn": IMPORT}] if self.importing else []
            },
            ("bedrock", "ListImportedModels"): lambda _: {
                "modelSummaries": [{"modelArn": IMPORTED}] if self.imported else []
            },
            ("bedrock", "ListCustomModelDeployments"): lambda _: {
                "modelDeploymentSummaries": [{"customModelDeploymentArn": DEPLOYMENT}] if self.deployed else []
            },
            ("bedrock", "GetCustomModelDeployment"): lambda _: self._there(_DEPLOYED if self.deployed else {}),
            ("bedrock", "DeleteCustomModelDeployment"): self._delete_deployment,
            ("iam", "GetRole"): lambda _: {"Role": _role(self._kind())},
            ("iam", "GetRolePolicy"): lambda _: {"PolicyDocument": _policy(*permission_statements(self._kind()))},
            **ACCOUNT,
        }

    def _kind(self) -> str:
        """What the role is for, as the ARNs of its jobs have it."""
        return "model-import-job" if self.importing else "model-customization-job"

    def _mark(self, model: str) -> str:
        return self.tags.get(model, {}).get(VERDICT, "")

    def _delete_deployment(self, _: Params) -> Any:
        self._there(_DEPLOYED if self.deployed else {})
        self.deployed = False
        return {}

    def _there(self, found: dict[str, Any]) -> dict[str, Any]:
        if not found:
            raise Refusal("ResourceNotFoundException", 404)
        return dict(found)

    def _stop(self, _: Params) -> Any:
        if self.job["status"] != "InProgress":
            raise Refusal("ConflictException")
        self.job |= {"status": "Stopped", "endTime": datetime.now(UTC)}
        self.tell_state()
        return {}

    def _list_tags(self, asked: Params) -> Any:
        tags = self.tags.get(asked["resourceARN"], {})
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _tag(self, asked: Params) -> Any:
        self.tags.setdefault(asked["resourceARN"], {}).update({tag["key"]: tag["value"] for tag in asked["tags"]})
        return {}


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _role(kind: str) -> dict[str, Any]:
    return {
        "Arn": ROLE,
        "RoleName": "tunegate-model-customization",
        "AssumeRolePolicyDocument": _policy(trust_statement(kind)),
    }


def _always(answer: Any) -> Reply:
    return lambda _: answer


_ENDPOINT = {
    "VpcEndpointId": S3_ENDPOINT,
    "VpcEndpointType": "Gateway",
    "ServiceName": "com.amazonaws.us-east-1.s3",
    "State": "available",
    "RouteTableIds": ["rtb-0aa"],
    "PolicyDocument": _policy(*GATEWAY_STATEMENTS),
    "VpcId": VPC_ID,
}
_ROUTES = {
    "RouteTableId": "rtb-0aa",
    "VpcId": VPC_ID,
    "Associations": [{"Main": True}],
    "Routes": [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
        {"DestinationPrefixListId": "pl-63a5400a", "GatewayId": S3_ENDPOINT, "State": "active"},
    ],
}
_ENCRYPTION = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": DATA_KEY}}
_FLOW_LOG = {"FlowLogStatus": "ACTIVE", "TrafficType": "ALL", "DeliverLogsStatus": "SUCCESS"}
ACCOUNT: Mapping[Operation, Reply] = {
    ("kms", "DescribeKey"): lambda asked: {
        "KeyMetadata": {
            "KeyId": asked["KeyId"],
            "Arn": asked["KeyId"],
            "KeyManager": "CUSTOMER",
            "KeyState": "Enabled",
        }
    },
    ("kms", "GetKeyRotationStatus"): _always({"KeyRotationEnabled": True}),
    ("kms", "GetKeyPolicy"): _always({"Policy": _policy(*key_statements())}),
    ("iam", "ListRolePolicies"): _always({"PolicyNames": ["inline"]}),
    ("iam", "ListAttachedRolePolicies"): _always({"AttachedPolicies": []}),
    ("ec2", "DescribeSubnets"): _always({"Subnets": [{"SubnetId": SUBNET, "VpcId": VPC_ID}]}),
    ("ec2", "DescribeRouteTables"): _always({"RouteTables": [_ROUTES]}),
    ("ec2", "DescribeVpcEndpoints"): _always({"VpcEndpoints": [_ENDPOINT]}),
    ("ec2", "DescribeVpcAttribute"): _always({"VpcId": VPC_ID, "EnableDnsSupport": {"Value": True}}),
    ("ec2", "DescribeFlowLogs"): _always({"FlowLogs": [_FLOW_LOG]}),
    ("s3", "GetBucketEncryption"): _always({"ServerSideEncryptionConfiguration": {"Rules": [_ENCRYPTION]}}),
}
