"""Model invocation logging: set where the account has none, and taken away only where it is still the stack's."""

from typing import Any

from tunegate.act.invocation_logging import take_down, turn_on

GROUP, ROLE = "/aws/bedrock/tunegate-invocations", "arn:aws:iam::111122223333:role/tunegate-invocation-logging"


class Bedrock:
    """The one configuration that an account has in a Region."""

    def __init__(self, configured: dict[str, Any] | None = None) -> None:
        self.configured = configured

    def get_model_invocation_logging_configuration(self) -> dict[str, Any]:
        return {"loggingConfig": self.configured} if self.configured else {}

    def put_model_invocation_logging_configuration(self, loggingConfig: dict[str, Any]) -> None:
        self.configured = loggingConfig

    def delete_model_invocation_logging_configuration(self) -> None:
        self.configured = None


def test_it_is_set_where_there_is_none_and_taken_away_with_the_stack() -> None:
    bedrock = Bedrock()
    assert turn_on(bedrock, GROUP, ROLE)
    assert bedrock.configured is not None
    assert bedrock.configured["cloudWatchConfig"] == {"logGroupName": GROUP, "roleArn": ROLE}
    assert not turn_on(bedrock, GROUP, ROLE), "a second time changes nothing"
    assert take_down(bedrock, GROUP, ROLE)
    assert bedrock.configured is None


def test_somebody_elses_is_neither_replaced_nor_taken_away() -> None:
    theirs = {"s3Config": {"bucketName": "theirs"}}
    bedrock = Bedrock(theirs)
    assert not turn_on(bedrock, GROUP, ROLE)
    assert not take_down(bedrock, GROUP, ROLE)
    assert bedrock.configured == theirs
