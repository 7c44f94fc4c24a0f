"""An account in which everything is as it should be, as answers of AWS."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from functional.aws_answers import Answers, Operation, Reply
from tunegate.estate_facts import Deployed
from tunegate.job_facts import Expected

REGION, ACCOUNT = "us-east-1", "111122223333"
BEDROCK, SAGEMAKER = f"arn:aws:bedrock:{REGION}:{ACCOUNT}", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tunegate-customization"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/reads"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tunegate-alerts"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/tunegate"
GRADER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:grader"

FOUNDATION = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-micro-v1:0"
JOB = f"{BEDROCK}:model-customization-job/amazon.nova-micro-v1:0/abcdefghijkl"
IMPORT = f"{BEDROCK}:model-import-job/abcdefghijkl"
COPY = f"{BEDROCK}:model-copy-job/abcdefghijkl"
MODEL = f"{BEDROCK}:custom-model/amazon.nova-micro-v1:0/abcdefghijkl"
OTHER_MODEL = f"{BEDROCK}:custom-model/amazon.nova-micro-v1:0/mnopqrstuvwx"
IMPORTED = f"{BEDROCK}:imported-model/abcdefghijkl"
THROUGHPUT = f"{BEDROCK}:provisioned-model/abcdefghijkl"
DEPLOYMENT = f"{BEDROCK}:custom-model-deployment/abcdefghijkl"
TRAINING = f"{SAGEMAKER}:training-job/tune"
PACKAGE = f"{SAGEMAKER}:model-package/models/1"

BEGAN, ENDED = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC), datetime(2026, 11, 23, 11, 0, 0, tzinfo=UTC)
VPC, SUBNET, GROUP, TABLE = "vpc-0a", "subnet-0a", "sg-0a", "rtb-0a"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


READS = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::approved/*"}
PUBLISHES = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sns:Publish", "Resource": "*"}
CLOSES = {"Sid": "Closes", "Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutItem", "Resource": LEDGER}
NO_HTTP = {
    "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": False}},
}  # fmt: skip
TRUST = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}

CUSTOMIZATION_JOB: dict[str, Any] = {
    "jobArn": JOB, "jobName": "tune", "outputModelName": "tuned", "outputModelArn": MODEL, "roleArn": ROLE,
    "status": "Completed", "creationTime": BEGAN, "lastModifiedTime": ENDED, "endTime": ENDED,
    "baseModelArn": FOUNDATION, "outputModelKmsKeyArn": KEY,
    "trainingDataConfig": {"s3Uri": "s3://approved/train.jsonl"},
    "validationDataConfig": {"validators": [{"s3Uri": "s3://approved/check.jsonl"}]},
    "outputDataConfig": {"s3Uri": "s3://output/jobs/tune/"},
    "vpcConfig": {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]},
}  # fmt: skip
IMPORT_JOB: dict[str, Any] = {
    "jobArn": IMPORT, "jobName": "import", "importedModelName": "imported", "importedModelArn": IMPORTED,
    "roleArn": ROLE, "modelDataSource": {"s3DataSource": {"s3Uri": "s3://approved/model/"}}, "status": "InProgress",
    "creationTime": BEGAN, "lastModifiedTime": ENDED, "importedModelKmsKeyArn": KEY,
    "vpcConfig": {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]},
}  # fmt: skip
COPY_JOB: dict[str, Any] = {
    "jobArn": COPY, "status": "Failed", "creationTime": BEGAN, "targetModelArn": OTHER_MODEL,
    "targetModelName": "copied", "sourceAccountId": ACCOUNT, "sourceModelArn": MODEL, "targetModelKmsKeyArn": KEY,
    "failureMessage": "why",
}  # fmt: skip
CUSTOM_MODEL: dict[str, Any] = {
    "modelArn": MODEL, "modelName": "tuned", "jobArn": JOB, "baseModelArn": FOUNDATION, "modelKmsKeyArn": KEY,
    "creationTime": ENDED, "modelStatus": "Active",
}  # fmt: skip
IMPORTED_MODEL: dict[str, Any] = {
    "modelArn": IMPORTED, "modelName": "imported", "jobArn": IMPORT, "creationTime": ENDED, "modelKmsKeyArn": KEY,
    "modelDataSource": {"s3DataSource": {"s3Uri": "s3://approved/model/"}},
}  # fmt: skip
PROVISIONED: dict[str, Any] = {
    "modelUnits": 1, "desiredModelUnits": 1, "provisionedModelName": "served", "provisionedModelArn": THROUGHPUT,
    "modelArn": MODEL, "desiredModelArn": MODEL, "foundationModelArn": FOUNDATION, "status": "InService",
    "creationTime": ENDED, "lastModifiedTime": ENDED,
}  # fmt: skip
DEPLOYED: dict[str, Any] = {
    "customModelDeploymentArn": DEPLOYMENT, "modelDeploymentName": "deployed", "modelArn": MODEL,
    "createdAt": ENDED, "status": "Active",
}  # fmt: skip
TRAINING_JOB: dict[str, Any] = {
    "TrainingJobName": "tune", "TrainingJobArn": TRAINING, "TrainingJobStatus": "Stopped",
    "SecondaryStatus": "Stopped", "ModelArtifacts": {"S3ModelArtifacts": "s3://output/model.tar.gz"},
    "StoppingCondition": {}, "CreationTime": BEGAN, "TrainingEndTime": ENDED, "RoleArn": ROLE,
    "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {
        "S3DataType": "S3Prefix", "S3Uri": "s3://approved/train/"}}}],
    "OutputDataConfig": {"S3OutputPath": "s3://output/", "KmsKeyId": KEY},
    "VpcConfig": {"Subnets": [SUBNET], "SecurityGroupIds": [GROUP]},
}  # fmt: skip
MODEL_PACKAGE: dict[str, Any] = {
    "ModelPackageName": "models", "ModelPackageArn": PACKAGE, "CreationTime": ENDED,
    "ModelPackageStatus": "Completed", "ModelPackageStatusDetails": {"ValidationStatuses": []},
    "InferenceSpecification": {"Containers": [
        {"ModelDataUrl": "s3://approved/model.tar.gz"},
        {"ModelDataSource": {"S3DataSource": {
            "S3Uri": "s3://approved/weights/", "S3DataType": "S3Prefix", "CompressionType": "None"}}},
    ]},
}  # fmt: skip

KEY_METADATA: dict[str, Any] = {"KeyId": KEY, "Arn": KEY, "KeyManager": "CUSTOMER", "KeyState": "Enabled"}
SUBNETS: dict[str, Any] = {"Subnets": [{"SubnetId": SUBNET, "VpcId": VPC}]}
ENDPOINT: dict[str, Any] = {
    "VpcEndpointId": "vpce-0a", "VpcEndpointType": "Gateway", "ServiceName": f"com.amazonaws.{REGION}.s3",
    "State": "available", "RouteTableIds": [TABLE], "PolicyDocument": policy(READS), "VpcId": VPC,
}  # fmt: skip
TO_S3 = {"DestinationPrefixListId": "pl-63a5400a", "GatewayId": "vpce-0a", "State": "active"}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}


def route_table(*routes: dict[str, Any], **association: Any) -> dict[str, Any]:
    return {
        "RouteTableId": TABLE,
        "VpcId": VPC,
        "Associations": [association or {"Main": True}],
        "Routes": [LOCAL, *routes],
    }


FLOW_LOG: dict[str, Any] = {"FlowLogStatus": "ACTIVE", "TrafficType": "ALL", "DeliverLogsStatus": "SUCCESS"}
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
VERSION: dict[str, Any] = {
    "Key": "train.jsonl", "VersionId": "v1", "ETag": '"e1"', "LastModified": BEGAN, "IsLatest": True,
}  # fmt: skip
UNDER_KEY = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}

REPLIES: dict[Operation, Reply] = {
    ("bedrock", "GetModelCustomizationJob"): CUSTOMIZATION_JOB,
    ("bedrock", "GetModelImportJob"): IMPORT_JOB,
    ("bedrock", "GetModelCopyJob"): COPY_JOB,
    ("bedrock", "GetCustomModel"): CUSTOM_MODEL,
    ("bedrock", "GetImportedModel"): IMPORTED_MODEL,
    ("bedrock", "GetProvisionedModelThroughput"): PROVISIONED,
    ("bedrock", "GetCustomModelDeployment"): DEPLOYED,
    ("bedrock", "ListTagsForResource"): {"tags": [{"key": "tunegate-verdict", "value": "approved"}]},
    ("bedrock", "ListCustomModelDeployments"): {
        "modelDeploymentSummaries": [
            {key: DEPLOYED[key] for key in DEPLOYED if key != "modelDeploymentName"}
            | {"customModelDeploymentName": "deployed"}
        ]
    },
    ("bedrock", "ListProvisionedModelThroughputs"): {"provisionedModelSummaries": [PROVISIONED]},
    ("bedrock", "GetModelInvocationLoggingConfiguration"): {
        "loggingConfig": {
            "cloudWatchConfig": {"logGroupName": "invocations", "roleArn": ROLE},
            "s3Config": {"bucketName": "logs"},
        }
    },
    ("sagemaker", "DescribeTrainingJob"): TRAINING_JOB,
    ("sagemaker", "DescribeModelPackage"): MODEL_PACKAGE,
    ("kms", "DescribeKey"): {"KeyMetadata": KEY_METADATA},
    ("kms", "GetKeyRotationStatus"): {"KeyRotationEnabled": True, "RotationPeriodInDays": 365},
    ("kms", "GetKeyPolicy"): {"Policy": policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})},
    ("iam", "GetRole"): {
        "Role": {
            "Path": "/", "RoleName": "tunegate-customization", "RoleId": "AROA" + "A" * 17, "Arn": ROLE,
            "CreateDate": BEGAN, "AssumeRolePolicyDocument": quote(policy(TRUST)),
            "PermissionsBoundary": {"PermissionsBoundaryArn": BOUNDARY},
        }
    },
    ("iam", "ListRolePolicies"): {"PolicyNames": ["inline"]},
    ("iam", "GetRolePolicy"): {
        "RoleName": "tunegate-customization", "PolicyName": "inline", "PolicyDocument": quote(policy(READS)),
    },
    ("iam", "ListAttachedRolePolicies"): {"AttachedPolicies": [{"PolicyName": "reads", "PolicyArn": POLICY}]},
    ("iam", "GetPolicy"): {"Policy": {"DefaultVersionId": "v2"}},
    ("iam", "GetPolicyVersion"): {"PolicyVersion": {"Document": quote(policy(READS))}},
    ("ec2", "DescribeSubnets"): SUBNETS,
    ("ec2", "DescribeRouteTables"): {"RouteTables": [route_table(TO_S3)]},
    ("ec2", "DescribeVpcEndpoints"): {"VpcEndpoints": [ENDPOINT]},
    ("ec2", "DescribeVpcAttribute"): {"VpcId": VPC, "EnableDnsSupport": {"Value": True}},
    ("ec2", "DescribeFlowLogs"): {"FlowLogs": [FLOW_LOG]},
    ("s3", "GetBucketEncryption"): {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]
        }
    },
    ("s3", "GetBucketVersioning"): {"Status": "Enabled"},
    ("s3", "GetPublicAccessBlock"): {"PublicAccessBlockConfiguration": BLOCKED},
    ("s3", "GetBucketPolicy"): {"Policy": policy(NO_HTTP)},
    ("s3", "GetBucketLogging"): {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "access/"}},
    ("s3", "GetBucketNotificationConfiguration"): {"EventBridgeConfiguration": {}},
    ("s3", "GetObjectLockConfiguration"): {
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}},
        }
    },
    ("s3", "GetBucketLifecycleConfiguration"): {
        "Rules": [
            {"ID": "Tidy", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}},
            {"ID": "Off", "Status": "Disabled", "Prefix": "", "Expiration": {"Days": 1}},
            {"ID": "Old", "Status": "Enabled", "Prefix": "", "NoncurrentVersionExpiration": {"NoncurrentDays": 90}},
        ]
    },
    ("s3", "ListObjectVersions"): {"Versions": [VERSION]},
    ("s3", "ListObjectsV2"): {"Contents": [{"Key": "jobs/tune/metrics.csv"}]},
    ("s3", "HeadObject"): UNDER_KEY,
    ("s3", "GetObjectTagging"): {"TagSet": [{"Key": "tunegate-verdict", "Value": "clean"}]},
    ("events", "DescribeRule"): {"Name": "uploads", "State": "ENABLED"},
    ("events", "ListTargetsByRule"): {"Targets": [{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"}]},
    ("sns", "GetTopicAttributes"): {"Attributes": {"TopicArn": TOPIC, "Policy": policy(PUBLISHES)}},
    ("sns", "ListSubscriptionsByTopic"): {
        "Subscriptions": [
            {"SubscriptionArn": f"{TOPIC}:1", "Protocol": "email"},
            {"SubscriptionArn": "PendingConfirmation", "Protocol": "email"},
        ]
    },
    ("lambda", "ListEventSourceMappings"): {"EventSourceMappings": [{"UUID": "0" * 36, "State": "Enabled"}]},
    ("cloudtrail", "DescribeTrails"): {"trailList": [{"TrailARN": TRAIL, "Name": "tunegate"}]},
    ("cloudtrail", "GetTrailStatus"): {"IsLogging": True},
    ("cloudtrail", "GetEventSelectors"): {
        "TrailARN": TRAIL,
        "EventSelectors": [
            {
                "ReadWriteType": "All", "IncludeManagementEvents": True,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::approved/"]}],
            }
        ],
    },
    ("logs", "DescribeLogGroups"): {"logGroups": [{"logGroupName": "invocations", "kmsKeyId": KEY}]},
    ("dynamodb", "GetResourcePolicy"): {"Policy": policy(CLOSES)},
    ("macie2", "GetMacieSession"): {"status": "ENABLED"},
}  # fmt: skip

EXPECTED = Expected(ACCOUNT, REGION, "approved", "output", KEY, KEY, frozenset({SUBNET}), frozenset({GROUP}), BOUNDARY)
STACK = Deployed(
    buckets={"approved": "approved"},
    bucket_keys={"approved": KEY},
    keys={"data": KEY},
    role_arns=(ROLE,),
    rule_names=("uploads",),
    vpc_id=VPC,
    exempt=(),
    gate_roles=(ROLE,),
    alerts_topic=TOPIC,
    ledger_arn=LEDGER,
    mapped_functions=("start-scan",),
)


def in_order() -> Answers:
    return Answers(dict(REPLIES))
