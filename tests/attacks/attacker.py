"""Somebody with the credentials of one role, and what the cloud refuses them."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from e2e.job_world import JobWorld
from e2e.test_iam import trust_of_the_account
from tunegate_local.origin import through

_REFUSALS = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "KMS.AccessDeniedException",
        "UnauthorizedOperation",
    }
)
_ONCE = Config(retries={"max_attempts": 1})
_SESSIONS = itertools.count(1)


class RefusedError(Exception):
    """The cloud refused a call; the message says by what."""


@dataclass
class Attacker:
    """A role's session. `name` is who that is in the tables; `role` its ARN."""

    name: str
    role: str
    world: JobWorld
    session: str = field(default_factory=lambda: f"attack-{next(_SESSIONS)}")
    endpoint: str = ""
    _keys: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client whose refused calls raise `RefusedError`."""
        if service not in self._clients:
            self._clients[service] = _Refusing(self, self._raw(service))
        return self._clients[service]

    def refusal(self, error: ClientError) -> str:
        """What refused the last call: a bucket's, key's or topic's statement, or the lack of a permission."""
        refusals = self.world.control("GET", f"refusals?{self.session}")
        if not refusals:
            return f"{error.operation_name}: {error.response['Error']['Code']}"
        last = refusals[-1]
        if last["decision"] == "Deny":
            return f"{last['sid']} ({_place(last['policy']) if last['policy'] else 'identity policy'})"
        return f"no permission ({last['action']})"

    def _raw(self, service: str) -> Any:
        if not self._keys:
            self._keys = self._assume()
        environment = self.world.deployment.cloud.environment()
        client = boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_REGION"],
            config=_ONCE,
            **self._keys,
        )
        return through(client, self.endpoint) if self.endpoint else client

    def _assume(self) -> dict[str, str]:
        with trusted(self.world, self.role):
            sts = self.world.client("sts")
            answer = sts.assume_role(RoleArn=self.role, RoleSessionName=self.session)["Credentials"]
        return {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }


@dataclass
class _Refusing:
    attacker: Attacker
    client: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self.client, name)

        def call(**arguments: Any) -> Any:
            try:
                return operation(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _REFUSALS:
                    raise
                raise RefusedError(self.attacker.refusal(error)) from error

        return call


@contextmanager
def trusted(world: JobWorld, role: str) -> Iterator[None]:
    """The account may become the role for a moment: whoever runs its function has its credentials anyway.

    No event tells of it, for it is the test's doing and no attack.
    """
    iam, name = world.client("iam"), role.rsplit("/", 1)[1]
    own = json.dumps(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    world.drop_events("AWS API Call via CloudTrail")
    try:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust_of_the_account(role))
        yield
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=own)
        world.deliver_events()


def _place(arn: str) -> str:
    """`bucket approved` for an object of that bucket, `key …` and so on for others."""
    service, rest = arn.split(":")[2], arn.split(":", 5)[5]
    if service != "s3":
        return f"{service} {rest.split('/')[0]}"
    parts = rest.partition("/")[0].split("-")
    return f"bucket {parts[1] if parts[0] == 'tunegate' and len(parts) > 1 else parts[0]}"
