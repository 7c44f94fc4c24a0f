"""Who attacks: an uploader, people with more rights than sense, and every role the stack gives to a service."""

import json
from collections.abc import Iterator

from attacks.attacker import Attacker
from e2e.job_world import JobWorld
from e2e.test_iam import allowed_everything, s3_endpoint, trust_of_the_account

SCIENTIST = {"Effect": "Allow", "Action": ["bedrock:*", "iam:PassRole"], "Resource": "*"}


def attackers(world: JobWorld) -> Iterator[Attacker]:
    """All of them. The function roles are those the deployed functions have, not a list kept by hand."""
    for name in ("uploader", "operator", "launcher"):
        yield Attacker(name, world.output(f"{name.title()}RoleArn"), world)
    yield Attacker("invoker", world.output("InvokerRoleArn"), world, endpoint=world.output("InvokerEndpointId"))
    yield Attacker("data scientist with bedrock:*", scientist(world), world)
    # From the network for jobs, where such a role can do most.
    for name, output in (("customization", "ModelCustomizationRoleArn"), ("import", "ModelImportRoleArn")):
        yield Attacker(f"{name} role", world.output(output), world, endpoint=s3_endpoint(world.deployment))
    for name, role in sorted(function_roles(world).items()):
        yield Attacker(f"function {name}", role, world)
    for name, role in sorted(machine_roles(world).items()):
        yield Attacker(f"state machine {name}", role, world)
    yield Attacker("administrator", allowed_everything(world.deployment), world)


def scientist(world: JobWorld) -> str:
    """A role that may do everything in Bedrock and pass any role to it."""
    arn = world.output("OperatorRoleArn").rsplit("/", 1)[0] + "/scientist"
    iam = world.client("iam")
    if not any(role["RoleName"] == "scientist" for role in iam.list_roles()["Roles"]):
        iam.create_role(RoleName="scientist", AssumeRolePolicyDocument=trust_of_the_account(arn))
    document = json.dumps({"Version": "2012-10-17", "Statement": [SCIENTIST]})
    iam.put_role_policy(RoleName="scientist", PolicyName="scientist", PolicyDocument=document)
    return arn


def machine_roles(world: JobWorld) -> dict[str, str]:
    """The role of every state machine of the stack."""
    states = world.client("stepfunctions")
    machines = [
        states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        for machine in states.list_state_machines()["stateMachines"]
    ]
    return {machine["name"].removeprefix("tunegate-"): machine["roleArn"] for machine in machines}


def function_roles(world: JobWorld) -> dict[str, str]:
    """The role of every function of the stack, by the function's name without its prefix."""
    pages = world.client("lambda").get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    return {
        function["FunctionName"].removeprefix("tunegate-"): function["Role"]
        for function in functions
        if function["FunctionName"].startswith("tunegate-")
    }
