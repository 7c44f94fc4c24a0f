"""Policy documents in every form AWS hands them out; a broken one is an error and no empty policy."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tunegate.errors import PermanentError
from tunegate.job_facts import Statement
from tunegate.observe.documents import parse_document

# IAM user guide, "IAM JSON policy elements: Condition" and "NotPrincipal", one statement of each form put together.
STATEMENT = {
    "Sid": "All",
    "Effect": "Deny",
    "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/a", "Service": ["macie.amazonaws.com"]},
    "NotAction": "s3:GetObject",
    "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::a/50%25"],
    "Condition": {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": [10]}},
}
PARSED = Statement(
    "Deny",
    not_actions=("s3:GetObject",),
    not_resources=("arn:aws:s3:::a", "arn:aws:s3:::a/50%25"),
    not_principals={"AWS": ("arn:aws:iam::111122223333:role/a",), "Service": ("macie.amazonaws.com",)},
    conditions={"Bool": {"aws:SecureTransport": ("false",)}, "NumericLessThan": {"s3:max-keys": ("10",)}},
    sid="All",
)
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}


@pytest.mark.parametrize("document", [DOCUMENT, json.dumps(DOCUMENT), quote(json.dumps(DOCUMENT, indent=1), safe="")])
def test_a_document_is_the_same_in_every_form(document: Any) -> None:
    assert parse_document(document) == (PARSED,)


def test_one_statement_needs_no_list_and_the_star_is_everybody() -> None:
    [statement] = parse_document({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
    assert statement == Statement("Allow", ("*",), resources=("*",), principals={"AWS": ("*",)})


@pytest.mark.parametrize(
    "broken",
    [
        None, "", "[]", "{", "{}", "null", "[" * 100_000, '{"Statement": ["Allow"]}', '{"Statement": [{}]}',
        '{"Statement": [{"Effect": "allow", "Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": ["*"]}]}',
        '{"Statement": [{"Effect": "Allow", "Condition": {"Bool": "yes"}}]}',
    ],
)  # fmt: skip
def test_a_broken_document_is_an_error(broken: str | None) -> None:
    with pytest.raises(PermanentError, match="policy document"):
        parse_document(broken)
