"""Every AWS operation, request field and response field we touch, held to botocore's own model.

The answers the command reads are typed by stubs made from that model, and mypy holds them to it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

ROOT = Path(__file__).parents[2]
LIBRARY, COMMAND = ROOT / "layers/tunegate/tunegate", ROOT / "cli/tunegate_cli"
SERVICES = (
    "s3", "dynamodb", "sns", "stepfunctions", "comprehend", "bedrock-runtime",
    "cloudformation", "iam", "lambda", "logs", "sts",
)  # fmt: skip

# Response fields the library reads, by operation: `[]` steps into a list's or a map's members.
RESPONSES = {
    ("s3", "HeadObject"): [
        "ContentLength", "LastModified", "ServerSideEncryption", "SSEKMSKeyId", "ChecksumType", "ChecksumCRC64NVME",
        "ChecksumSHA256", "ChecksumCRC32C", "ChecksumCRC32", "ChecksumSHA1", "ContentType", "ContentEncoding",
        "ContentLanguage", "ContentDisposition", "CacheControl", "Metadata",
    ],
    ("s3", "GetObject"): ["Body"],
    ("s3", "ListObjectVersions"): [
        "Versions.[].Key", "Versions.[].VersionId", "Versions.[].IsLatest", "Versions.[].LastModified",
    ],
    ("s3", "GetObjectTagging"): ["TagSet.[].Key", "TagSet.[].Value"],
    ("dynamodb", "GetItem"): ["Item"],
    ("dynamodb", "Query"): ["Items.[]"],
    ("comprehend", "ContainsPiiEntities"): ["Labels"],
    ("comprehend", "DetectPiiEntities"): [
        "Entities.[].Type", "Entities.[].Score", "Entities.[].BeginOffset", "Entities.[].EndOffset",
    ],
    ("comprehend", "DetectToxicContent"): ["ResultList.[].Labels.[].Name", "ResultList.[].Labels.[].Score"],
    ("comprehend", "ClassifyDocument"): ["Classes.[].Name", "Classes.[].Score"],
    ("bedrock-runtime", "InvokeGuardrailChecks"): [
        "results.promptAttack.results.[].category", "results.promptAttack.results.[].severityScore",
        "results.sensitiveInformation.results.[].type", "results.sensitiveInformation.results.[].confidenceScore",
        "results.sensitiveInformation.results.[].beginOffset", "results.sensitiveInformation.results.[].endOffset",
        "results.sensitiveInformation.results.[].messageIndex",
    ],
    ("bedrock-runtime", "ApplyGuardrail"): [
        "assessments.[].contentPolicy.filters.[].type", "assessments.[].contentPolicy.filters.[].confidence",
        "assessments.[].contentPolicy.filters.[].action", "assessments.[].contentPolicy.filters.[].detected",
        "assessments.[].sensitiveInformationPolicy.piiEntities.[].type",
    ],
}  # fmt: skip
# Operations whose answer is not read.
UNREAD = {
    ("s3", "DeleteObject"), ("s3", "PutObject"), ("s3", "PutObjectTagging"), ("dynamodb", "PutItem"),
    ("sns", "Publish"), ("stepfunctions", "StartExecution"),
}  # fmt: skip


@cache
def operations() -> dict[str, tuple[str, OperationModel]]:
    """Every operation of our services by its method name."""
    session = botocore.session.get_session()
    found = {}
    for service in SERVICES:
        model = session.get_service_model(service)
        for name in model.operation_names:
            found[xform_name(name)] = (service, model.operation_model(name))
    return found


def calls(*folders: Path) -> Iterator[tuple[str, int, OperationModel, str, list[str]]]:
    """(file, line, operation, service, keyword arguments) of each AWS call."""
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = _operation_name(node)
            if name in operations():
                service, operation = operations()[name]
                yield path.name, node.lineno, operation, service, [k.arg for k in node.keywords if k.arg]


def _operation_name(node: ast.Call) -> str:
    if not isinstance(node.func, ast.Attribute):
        return ""
    receiver = node.func.value
    if node.func.attr == "paginate" and isinstance(receiver, ast.Call) and isinstance(receiver.args[0], ast.Constant):
        return str(receiver.args[0].value)
    return node.func.attr if ast.unparse(receiver).split(".")[-1].strip("_") in CLIENTS else ""


CLIENTS = {"s3", "dynamodb", "sns", "stepfunctions", "client", "cloudformation", "iam", "lambda", "logs", "sts"}


def test_every_request_field_is_in_botocores_model() -> None:
    found = list(calls(LIBRARY, COMMAND))
    assert len(found) >= 30
    for file, line, operation, _, fields in found:
        assert operation.input_shape is not None
        assert set(fields) <= set(operation.input_shape.members), f"{file}:{line} {operation.name}"
        assert set(operation.input_shape.required_members) <= set(fields), f"{file}:{line} {operation.name}"


def test_the_table_of_answers_covers_the_calls_the_library_makes_and_no_others() -> None:
    called = {(service, operation.name) for _, _, operation, service, _ in calls(LIBRARY)}
    # boto3's managed copy looks at its source by itself.
    assert called == set(RESPONSES) | UNREAD


FIELDS = [(*operation, path) for operation, paths in RESPONSES.items() for path in paths]


@pytest.mark.parametrize(("service", "operation", "path"), FIELDS)
def test_every_response_field_is_in_botocores_model(service: str, operation: str, path: str) -> None:
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    shape: Shape | Any = model.output_shape
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

    request: Any = operations()["invoke_guardrail_checks"][1].input_shape
    checks = request.members["checks"]
    entity = checks.members["sensitiveInformation"].members["entities"].member.members["type"]
    attack = checks.members["promptAttack"].members["categories"].member.members["category"]
    assert set(PII_ENTITIES) <= set(entity.enum)
    assert set(ATTACKS) == set(attack.enum)


def test_the_names_findings_get_are_comprehends() -> None:
    from tunegate.scan.prompts import PII_ENTITIES

    model = botocore.session.get_session().get_service_model("comprehend")
    known: Any = model.shape_for("PiiEntityType")
    assert set(PII_ENTITIES.values()) <= set(known.enum)
