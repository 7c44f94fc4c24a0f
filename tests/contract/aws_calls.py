"""Where our code calls AWS, found in its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel

ROOT = Path(__file__).parents[2]
LIBRARY, COMMAND, FUNCTIONS = ROOT / "layers/tunegate/tunegate", ROOT / "cli/tunegate_cli", ROOT / "functions"

# Clients by the name of the variable that holds one.
CLIENTS: dict[str, tuple[str, ...]] = {
    name: (name,)
    for name in (
        "s3", "dynamodb", "sns", "sqs", "stepfunctions", "cloudformation", "iam", "lambda", "logs", "sts",
        "kms", "ec2", "bedrock", "sagemaker", "events", "cloudtrail", "cloudwatch",
    )
} | {
    "macie": ("macie2",),
    "mappings": ("lambda",),
    "client": ("comprehend", "bedrock-runtime", "stepfunctions"),
}  # fmt: skip

# The job gate's facts: all of the room but the ledger, what the data gate and redrive read, and what others make up.
_NOT_FACTS = {
    "dead_letters", "events", "facts", "inspect", "job_events", "ledger", "listings", "macie", "model_uploads",
    "objects", "policies", "scans", "subjects",
}  # fmt: skip
OBSERVED = tuple(path for path in (LIBRARY / "observe").glob("*.py") if path.stem not in _NOT_FACTS)


@dataclass(frozen=True)
class Call:
    """An AWS call. `whole` is whether all its arguments are written there, and none handed over in a mapping."""

    place: str
    service: str
    operation: OperationModel
    arguments: frozenset[str]
    whole: bool


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@cache
def operations(service: str) -> dict[str, OperationModel]:
    """A service's operations by method name."""
    return {xform_name(name): model(service).operation_model(name) for name in model(service).operation_names}


def calls(*places: Path) -> Iterator[Call]:
    """Each AWS call in these files, or in all below these folders."""
    for path, node in _nodes(*places):
        receiver, method = _called(node)
        for service in CLIENTS.get(receiver, ()):
            if method in operations(service):
                arguments = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
                whole = all(keyword.arg for keyword in node.keywords)
                yield Call(f"{path.name}:{node.lineno}", service, operations(service)[method], arguments, whole)


def other_methods(*places: Path) -> Iterator[tuple[str, str]]:
    """(place, method) of each call of a client that is no operation of its service."""
    for path, node in _nodes(*places):
        receiver, method = _called(node)
        services = CLIENTS.get(receiver, ())
        if services and not any(method in operations(service) for service in services):
            yield f"{path.name}:{node.lineno}", method


def _nodes(*places: Path) -> Iterator[tuple[Path, ast.Call]]:
    for place in places:
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield path, node


def _called(node: ast.Call) -> tuple[str, str]:
    """The variable a method is called on, and the method; for a paginator, the client and the operation of its pages.

    `sources.client("s3").head_object(…)` is called on `s3`.
    """
    if not isinstance(node.func, ast.Attribute):
        return "", ""
    receiver, method = node.func.value, node.func.attr
    if method == "paginate" and isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute):
        [operation] = receiver.args
        if isinstance(operation, ast.Constant):
            method = ast.literal_eval(operation)
        receiver = receiver.func.value
    if isinstance(receiver, ast.Call) and len(receiver.args) == 1 and isinstance(receiver.args[0], ast.Constant):
        return str(receiver.args[0].value), str(method)
    return ast.unparse(receiver).split(".")[-1].strip("_"), str(method)
