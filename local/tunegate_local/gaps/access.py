"""Gaps in how requests are authorized."""

from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, s3


def principal_arn_is_the_roles() -> None:
    """On AWS `aws:PrincipalArn` of a role's session is the role's ARN; ministack gives the session's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn" and ":assumed-role/" in context.principal_arn:
            name = context.principal_arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
            role = iam._roles.get_scoped(context.principal_account, None, name)
            return role["Arn"] if role else f"arn:aws:iam::{context.principal_account}:role/{name}"
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key


def requests_say_whether_a_service_makes_them() -> None:
    """Every request has `aws:PrincipalIsAWSService` and `aws:ViaAWSService`; ministack knows neither.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalisawsservice
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        match key.lower():
            case "aws:principalisawsservice":
                return str(context.principal_type == "Service").lower()
            case "aws:viaawsservice":
                return str("kms:viaservice" in context.service_context).lower()
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key


def loopback_counts_as_tls() -> None:
    """The cloud here is reached over loopback without TLS; nothing leaves the machine, so such demands are met."""
    pin = iam_evaluator.pin_request_origin

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:
        pin(source_ip, secure_transport or source_ip == "127.0.0.1")

    app.pin_request_origin = pin_request_origin


def writes_carry_their_condition_keys() -> None:
    """Ministack tells policies a put's encryption, but not its KMS key, its SSE-C algorithm or its tag keys; AWS does.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (PutObject)
    """
    context_of = iam_actions._s3_object_context

    def s3_object_context(
        iam_action: str, query_params: dict[str, Any], path: str, headers: dict[str, str]
    ) -> dict[str, Any]:
        context: dict[str, Any] = context_of(iam_action, query_params, path, headers)
        if iam_action == "s3:PutObject":
            context |= _write_context(query_params, headers)
        return context

    iam_actions._s3_object_context = s3_object_context


def _write_context(query_params: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    upload = s3._multipart_uploads.get((query_params.get("uploadId") or [""])[0])
    if upload is not None:
        # The parts and the completion carry no such headers: what the upload began with counts.
        headers = upload["preserved_headers"] if upload.get("requested_sse") else {}
    context: dict[str, Any] = {}
    for name in ("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm"):
        if headers.get(name):
            context[f"s3:{name}"] = headers[name]
    if headers.get("x-amz-tagging"):
        context["s3:RequestObjectTagKeys"] = list(parse_qs(headers["x-amz-tagging"], keep_blank_values=True))
    return context


def tags_on_a_put_need_their_own_permission() -> None:
    """A put, copy or multipart upload that sets tags also needs s3:PutObjectTagging; ministack does not ask for it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html#tagging-and-policies
    """
    checks_of = iam_actions.s3_additional_checks

    def s3_additional_checks(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> list[tuple[str, str]]:
        checks: list[tuple[str, str]] = checks_of(method, path, headers, body, query_params)
        if headers.get("x-amz-tagging") and iam_actions._s3_action(method, path, query_params) == "PutObject":
            checks.append(("s3:PutObjectTagging", f"arn:aws:s3:::{path.lstrip('/')}"))
        return checks

    iam_actions.s3_additional_checks = s3_additional_checks
