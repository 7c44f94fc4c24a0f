"""Every AWS operation, request field and response field we touch, held to botocore's own model.

The answers the command reads are typed by stubs made from that model, and mypy holds them to it.
"""

from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from contract.aws_calls import COMMAND, FUNCTIONS, LIBRARY, calls, model, operations, other_methods
from contract.aws_fields_read import RESPONSES, UNREAD
from tunegate.observe import listings
from tunegate.observe.answers import DONE, ENDED
from tunegate.observe.routes import TARGETS

# Methods that boto3 adds to the operations, and those of mappings that are called like a client.
OTHER_METHODS = {"get_paginator", "copy", "upload_file", "register", "unregister", "get"}


def test_every_request_field_is_in_botocores_model() -> None:
    found = list(calls(LIBRARY, FUNCTIONS, COMMAND))
    assert len(found) >= 80
    for call in found:
        assert call.operation.input_shape is not None
        members = set(call.operation.input_shape.members)
        assert call.arguments <= members, f"{call.place} {call.operation.name}"
        missing = set(call.operation.input_shape.required_members) - call.arguments
        assert not (call.whole and missing), f"{call.place} {call.operation.name}"


def test_no_operation_is_misspelt() -> None:
    # listings.py takes the names of its operations from a table, which is held to the model below.
    strays = {(place, name) for place, name in other_methods(LIBRARY, FUNCTIONS, COMMAND) if name not in OTHER_METHODS}
    assert {(place.partition(":")[0], name) for place, name in strays} <= {("listings.py", "paginate")}


def test_the_table_of_answers_covers_the_calls_the_library_makes_and_no_others() -> None:
    called = {(call.service, call.operation.name) for call in calls(LIBRARY, FUNCTIONS)}
    # boto3's managed copy looks at its source by itself.
    assert called == set(RESPONSES) | UNREAD


LISTINGS = {
    **dict.fromkeys(listings._JOBS, "creationTimeAfter"),
    **dict.fromkeys(listings._MODELS, ""),
    **dict.fromkeys((listings._DEPLOYMENTS, listings._THROUGHPUTS), "modelArnEquals"),
}


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing[0])
def test_every_listing_is_in_botocores_model(listing: tuple[str, str, str]) -> None:
    name, summaries, arn = listing
    operation: Any = operations("bedrock")[name]
    assert _member(_member(_member(operation.output_shape, summaries), "[]"), arn) is not None
    assert {LISTINGS[listing]} - {""} <= set(operation.input_shape.members)


def test_the_statuses_that_end_something_are_the_services() -> None:
    statuses = {
        "bedrock": (
            "ModelCustomizationJobStatus", "ModelImportJobStatus", "ModelCopyJobStatus", "ModelStatus",
            "ProvisionedModelStatus", "CustomModelDeploymentStatus",
        ),
        "sagemaker": ("TrainingJobStatus", "ModelPackageStatus"),
    }  # fmt: skip
    shapes: list[Any] = [model(service).shape_for(name) for service, names in statuses.items() for name in names]
    known = {status for shape in shapes for status in shape.enum}
    assert known >= DONE | ENDED
    going = known - DONE - ENDED
    assert going == {"InProgress", "Stopping", "Creating", "Updating", "Pending"}


def test_every_target_a_route_can_have_is_looked_at() -> None:
    route: Any = model("ec2").shape_for("Route")
    places = {"DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"}
    assert set(TARGETS) == set(route.members) - places - {"InstanceOwnerId", "Origin", "State"}


FIELDS = [(*operation, path) for operation, paths in RESPONSES.items() for path in paths]


@pytest.mark.parametrize(("service", "operation", "path"), FIELDS)
def test_every_response_field_is_in_botocores_model(service: str, operation: str, path: str) -> None:
    shape: Shape | Any = model(service).operation_model(operation).output_shape
    for step in path.split("."):
        shape = _member(shape, step)
    assert shape is not None


def _member(shape: Any, step: str) -> Any:
    if step == "[]":
        assert isinstance(shape, ListShape | MapShape)
        return shape.member if isinstance(shape, ListShape) else shape.value
    assert isinstance(shape, StructureShape)
    assert step in shape.members, step
    return shape.members[step]


def test_the_sensitive_information_asked_of_guardrails_is_what_the_service_knows() -> None:
    from tunegate.scan.prompts import ATTACKS, PII_ENTITIES

    request: Any = operations("bedrock-runtime")["invoke_guardrail_checks"].input_shape
    checks = request.members["checks"]
    entity = checks.members["sensitiveInformation"].members["entities"].member.members["type"]
    attack = checks.members["promptAttack"].members["categories"].member.members["category"]
    assert set(PII_ENTITIES) <= set(entity.enum)
    assert set(ATTACKS) == set(attack.enum)


def test_the_names_findings_get_are_comprehends() -> None:
    from tunegate.scan.prompts import PII_ENTITIES

    known: Any = model("comprehend").shape_for("PiiEntityType")
    assert set(PII_ENTITIES.values()) <= set(known.enum)
