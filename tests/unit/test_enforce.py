"""What Bedrock will not take away keeps its mark; what the gate could not take away is tried again."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tunegate.act.enforce import remove
from tunegate.errors import PermanentError, RetryableError
from tunegate.subject import Kind, Subject
from unit.policy_world import ARNS

DELETES = {
    Kind.DEPLOYMENT: "delete_custom_model_deployment",
    Kind.THROUGHPUT: "delete_provisioned_model_throughput",
    Kind.IMPORTED_MODEL: "delete_imported_model",
}


def removed(kind: Kind, refusal: str = "") -> str:
    bedrock: Any = boto3.client(
        "bedrock", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    with Stubber(bedrock) as stub:
        if refusal:
            stub.add_client_error(DELETES[kind], refusal)
        else:
            stub.add_response(DELETES[kind], {})
        return remove(bedrock, Subject(kind, ARNS[kind]))


@pytest.mark.parametrize("kind", DELETES)
def test_what_is_removed_or_was_already_gone_is_deleted(kind: Kind) -> None:
    assert removed(kind) == "deleted it"
    assert removed(kind, "ResourceNotFoundException") == "deleted it"


@pytest.mark.parametrize("kind", DELETES)
@pytest.mark.parametrize("refusal", ["ConflictException", "ValidationException"])
def test_what_bedrock_will_not_take_away_is_said_and_raises_nothing(kind: Kind, refusal: str) -> None:
    assert removed(kind, refusal) == f"could not delete it (Bedrock answered {refusal})"


@pytest.mark.parametrize("kind", DELETES)
@pytest.mark.parametrize(
    ("refusal", "raised"), [("AccessDeniedException", PermanentError), ("ThrottlingException", RetryableError)]
)
def test_what_the_gate_could_not_take_away_is_tried_again(kind: Kind, refusal: str, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        removed(kind, refusal)
