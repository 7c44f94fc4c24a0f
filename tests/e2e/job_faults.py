"""For each control of jobs, the one thing to change about a compliant job that breaks it and no other."""

import json
from collections.abc import Callable
from typing import Any

from e2e.job_world import RECORDS, JobWorld

type Change = dict[str, Any]
type Statement = dict[str, Any]

OTHER_BUCKET = "tunegate-e2e-elsewhere"
GRADER = "arn:aws:lambda:us-east-1:111122223333:function:grader"


class Faults:
    """The odd resources faulty jobs use; `allowed` is what the policy must name so that each breaks one rule only."""

    def __init__(self, world: JobWorld) -> None:
        self.world = world
        self.allowed: dict[str, list[str]] = {}
        world.client("s3").create_bucket(Bucket=OTHER_BUCKET)

    # --- Keys ---

    def key(self, *, rotates: bool = True, allowed: bool = True, anyone: bool = False) -> str:
        """A key for models like the stack's own, but for what is said."""
        kms = self.world.client("kms")
        root = {"AWS": f"arn:aws:iam::{self._account()}:root"}
        statements = [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}]
        if anyone:
            statements.append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"})
        arn = str(kms.create_key(Policy=_document(statements))["KeyMetadata"]["Arn"])
        if rotates:
            kms.enable_key_rotation(KeyId=arn)
        if allowed:
            self.allowed.setdefault("allowed_model_key_arns", []).append(arn)
        return arn

    # --- Roles ---

    def role(
        self,
        name: str,
        trust: Callable[[Statement], None] | None = None,
        permissions: Callable[[list[Statement]], None] | None = None,
    ) -> str:
        """The customization role again under another name, with a change to whom it trusts or what it may do."""
        iam, source = self.world.client("iam"), self.world.output("ModelCustomizationRoleArn").rsplit("/", 1)[1]
        document = iam.get_role(RoleName=source)["Role"]["AssumeRolePolicyDocument"]
        if trust:
            trust(document["Statement"][0])
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
        for policy in iam.list_role_policies(RoleName=source)["PolicyNames"]:
            granted = iam.get_role_policy(RoleName=source, PolicyName=policy)["PolicyDocument"]
            if permissions:
                permissions(granted["Statement"])
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(granted))
        return str(arn)

    # --- Networks ---

    def subnet(
        self, cidr: str, *, allowed: bool = True, way_out: bool = False, endpoint: str = "ours", dns: bool = True
    ) -> str:
        """A subnet in a VPC of its own like the stack's; `endpoint` is `ours`, `open` or `none`."""
        ec2 = self.world.client("ec2")
        vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": dns})
        subnet = str(ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"])
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        if way_out:
            gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        if endpoint != "none":
            self._endpoint(vpc, table, closed=endpoint == "ours")
        if allowed:
            self.allowed.setdefault("allowed_subnet_ids", []).append(subnet)
        return subnet

    def _endpoint(self, vpc: str, table: str, *, closed: bool) -> None:
        buckets = [f"arn:aws:s3:::{self.world.output(name)}" for name in ("ApprovedBucket", "OutputBucket")]
        resources = [*buckets, *(f"{bucket}/*" for bucket in buckets)] if closed else ["*"]
        policy = [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resources}]
        self.world.client("ec2").create_vpc_endpoint(
            VpcId=vpc,
            ServiceName="com.amazonaws.us-east-1.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=[table],
            PolicyDocument=_document(policy),
        )

    def security_group(self, subnet: str) -> str:
        """A security group in the VPC of a subnet that the policy does not name."""
        ec2 = self.world.client("ec2")
        vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
        return str(ec2.create_security_group(GroupName="faults", Description="For a test", VpcId=vpc)["GroupId"])

    def in_subnet(self, subnet: str) -> Change:
        """In a subnet, with a security group of its VPC that the policy does name."""
        group = self.security_group(subnet)
        self.allowed.setdefault("allowed_security_group_ids", []).append(group)
        return {"vpcConfig": {"subnetIds": [subnet], "securityGroupIds": [group]}}

    # --- Data ---

    def forged(self, key: str) -> Change:
        """An object the gate never saw, put into `approved` with the tag of a clean one by somebody no policy binds."""
        self.world.client("s3").put_object(
            Bucket=self.world.output("ApprovedBucket"), Key=key, Body=RECORDS, Tagging="tunegate-verdict=clean"
        )
        return self.trained_on(key)

    def without_findings(self, key: str) -> Change:
        """A file that tag and ledger call clean, and that nobody judged."""
        self.world.settle_by_hand(key, RECORDS, findings=False)
        return self.trained_on(key)

    def under_another_key(self, key: str) -> Change:
        """A file that was found clean, and is kept under another key than the gate's."""
        other = self.key(allowed=False)
        self.world.settle_by_hand(key, RECORDS, ServerSideEncryption="aws:kms", SSEKMSKeyId=other)
        return self.trained_on(key)

    def trained_on(self, key: str, bucket: str = "ApprovedBucket") -> Change:
        return {"trainingDataConfig": {"s3Uri": self.world.uri(key, bucket)}}

    def _account(self) -> str:
        return self.world.output("ModelKeyArn").split(":")[4]


def faulty_jobs(faults: Faults) -> dict[str, Change]:
    """By control, what to create a job with so that it breaks that one."""
    world, role = faults.world, faults.role
    return {
        "encryption.job_model_key": {"customModelKmsKeyId": None},
        "encryption.key_rotates": {"customModelKmsKeyId": faults.key(rotates=False)},
        "encryption.key_allowed": {"customModelKmsKeyId": faults.key(allowed=False)},
        "encryption.key_policy_closed": {"customModelKmsKeyId": faults.key(anyone=True)},
        "encryption.input_object_key": faults.under_another_key("faults/other-key.jsonl"),
        "identity.trust_bedrock_only": {"roleArn": role("fault-people", trust=_trust_people)},
        "identity.not_shared": {"roleArn": role("fault-shared", trust=_trust_lambda)},
        "identity.trust_conditions": {"roleArn": role("fault-trust", trust=_trust_any_job)},
        "identity.no_wildcards": {"roleArn": role("fault-wildcard", permissions=_wildcard)},
        "identity.needed_actions": {"roleArn": role("fault-actions", permissions=_deletes)},
        "identity.buckets_in_reach": {"roleArn": role("fault-bucket", permissions=_reaches_bucket)},
        "identity.keys_in_reach": {"roleArn": role("fault-key", permissions=_reaches_key)},
        "identity.network_in_reach": {"roleArn": role("fault-network", permissions=_reaches_subnet)},
        "network.job_in_vpc": {"vpcConfig": None},
        "network.subnets_allowed": faults.in_subnet(faults.subnet("10.81.0.0/24", allowed=False)),
        "network.security_groups_allowed": {
            "vpcConfig": world.vpc() | {"securityGroupIds": [faults.security_group(world.vpc()["subnetIds"][0])]}
        },
        "network.no_way_out": faults.in_subnet(faults.subnet("10.82.0.0/24", way_out=True)),
        "network.s3_endpoint": faults.in_subnet(faults.subnet("10.83.0.0/24", endpoint="none")),
        "network.s3_endpoint_policy": faults.in_subnet(faults.subnet("10.84.0.0/24", endpoint="open")),
        "network.dns_support": faults.in_subnet(faults.subnet("10.85.0.0/24", dns=False)),
        "lineage.inputs_in_approved": {"trainingDataConfig": {"s3Uri": f"s3://{OTHER_BUCKET}/train.jsonl"}},
        "lineage.inputs_found": faults.trained_on("faults/nothing-here.jsonl"),
        "lineage.inputs_scanned_clean": faults.forged("faults/forged.jsonl"),
        "lineage.verdict_evidenced": faults.without_findings("faults/no-findings.jsonl"),
        "lineage.output_in_place": {"outputDataConfig": {"s3Uri": f"s3://{OTHER_BUCKET}/out/"}},
        "lineage.invocation_logs_allowed": {
            "trainingDataConfig": {"invocationLogsConfig": {"invocationLogSource": {"s3Uri": f"s3://{OTHER_BUCKET}/logs/"}}}
        },
        "lineage.grader_allowed": {
            "customizationType": "REINFORCEMENT_FINE_TUNING",
            "customizationConfig": {"rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}}}},
        },
    }  # fmt: skip


def _trust_people(statement: Statement) -> None:
    statement["Principal"] = statement["Principal"] | {"AWS": "arn:aws:iam::111122223333:root"}


def _trust_lambda(statement: Statement) -> None:
    statement["Principal"] = {"Service": ["bedrock.amazonaws.com", "lambda.amazonaws.com"]}


def _trust_any_job(statement: Statement) -> None:
    statement["Condition"] = {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def _wildcard(statements: list[Statement]) -> None:
    statements.append({"Sid": "Any", "Effect": "Allow", "Action": "s3:Get*", "Resource": _resources(statements, "s3")})


def _deletes(statements: list[Statement]) -> None:
    statements.append(
        {"Sid": "Deletes", "Effect": "Allow", "Action": "s3:DeleteObject", "Resource": _resources(statements, "s3")}
    )


def _reaches_bucket(statements: list[Statement]) -> None:
    elsewhere = f"arn:aws:s3:::{OTHER_BUCKET}/*"
    statements.append({"Sid": "Reaches", "Effect": "Allow", "Action": "s3:GetObject", "Resource": elsewhere})


def _reaches_key(statements: list[Statement]) -> None:
    other = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000"
    statements.append({"Sid": "Reaches", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": other})


def _reaches_subnet(statements: list[Statement]) -> None:
    other = "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-0123456789abcdef0"
    statements.append({"Sid": "Reaches", "Effect": "Allow", "Action": "ec2:CreateNetworkInterface", "Resource": other})


def _resources(statements: list[Statement], service: str) -> list[str]:
    """The objects that the role's own statements of a service name."""
    found = []
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if any(action.startswith(f"{service}:") for action in actions):
            found += [resource for resource in resources if resource.endswith("/*")]
    return found


def _document(statements: list[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
