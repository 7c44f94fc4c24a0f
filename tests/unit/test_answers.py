"""Answers are reused for identical texts only, hold no text, and a table that fails costs money and nothing else."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tunegate.model import Category
from tunegate.scan import answers as module
from tunegate.scan.answers import Answer, Answers, Seen, scope_of
from tunegate.scan.cache import KEPT_SECONDS, MOST_FAILURES, AnswersTable

LONG = "The customer's name is Ann Smith, and she lives in Leeds."
ANSWER: Answer = (Seen(Category.PII, "NAME", 0, 23, 32, 0.99, "comprehend"),)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.Session("id", "secret", region_name="us-east-1").client("dynamodb")
        client.create_table(
            TableName="answers",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield client


def items(dynamodb: Any) -> list[dict[str, Any]]:
    return list(dynamodb.scan(TableName="answers")["Items"])


def answers(table: AnswersTable, *settings: object) -> Answers:
    return Answers(scope_of("policy", *settings), table)


def kept(dynamodb: Any, text: str = LONG, answer: Answer = ANSWER) -> bytes:
    table = AnswersTable(dynamodb, "answers")
    known = answers(table)
    key = known.key(text)
    known.keep(key, answer, len(text))
    table.flush()
    return key


def found(dynamodb: Any, key: bytes, length: int = len(LONG)) -> Mapping[bytes, Answer]:
    return answers(AnswersTable(dynamodb, "answers")).find({key: length})


def test_another_scan_finds_what_one_kept(dynamodb: Any) -> None:
    key = kept(dynamodb)
    assert found(dynamodb, key) == {key: ANSWER}


def test_an_answer_that_nothing_was_found_is_kept_too(dynamodb: Any) -> None:
    key = kept(dynamodb, answer=())
    assert found(dynamodb, key) == {key: ()}


def test_no_text_and_no_value_is_in_the_table(dynamodb: Any) -> None:
    kept(dynamodb)
    [item] = items(dynamodb)
    assert set(item) == {"pk", "answer", "expires"}
    assert not any(word in str(item) for word in ("Ann", "Smith", "Leeds", "customer"))


def test_another_policy_service_or_language_is_another_question() -> None:
    scopes = [scope_of("policy", "pii", "en"), scope_of("other", "pii", "en"), scope_of("policy", "pii", "es")]
    keys = {Answers(scope).key(LONG) for scope in [*scopes, scope_of("policy", "toxicity")]}
    assert len(keys) == 4


def test_short_texts_stay_in_memory(dynamodb: Any) -> None:
    text = "x" * (module.LEAST_SHARED_CHARACTERS - 1)
    key = kept(dynamodb, text)
    assert items(dynamodb) == []
    assert found(dynamodb, key, len(text)) == {}


def test_an_answer_ends_with_its_month_whether_or_not_dynamodb_has_taken_it_away(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = kept(dynamodb)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + KEPT_SECONDS + 1)
    assert found(dynamodb, key) == {}


def test_a_very_long_answer_is_asked_for_again(dynamodb: Any) -> None:
    key = kept(dynamodb, answer=ANSWER * 200)
    assert found(dynamodb, key) == {}


def test_hundreds_of_answers_are_written_and_found(dynamodb: Any) -> None:
    table = AnswersTable(dynamodb, "answers")
    known = answers(table)
    keys = [known.key(f"{LONG} {number}") for number in range(230)]
    for key in keys:
        known.keep(key, (), 60)
    table.flush()
    assert set(answers(AnswersTable(dynamodb, "answers")).find(dict.fromkeys(keys, 60))) == set(keys)
    assert table.failures == 0


def test_an_item_that_makes_no_sense_is_not_an_answer(dynamodb: Any) -> None:
    key = kept(dynamodb)
    expires = {"N": str(int(time.time()) + 1000)}
    for answer in (
        "not json",
        '[["pii"]]',
        '[["no such category","NAME",0,0,1,0.9,"x"]]',
        '[["pii","A","0",0,1,1,"x"]]',
    ):
        dynamodb.put_item(
            TableName="answers", Item={"pk": {"S": key.hex()}, "answer": {"S": answer}, "expires": expires}
        )
        table = AnswersTable(dynamodb, "answers")
        assert table.find([key]) == {}
        assert table.failures == 1


def test_a_table_that_fails_answers_nothing_is_counted_and_soon_let_be() -> None:
    class Failing:
        calls = 0

        def batch_get_item(self, **_: Any) -> Any:
            self.calls += 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem")

        batch_write_item = batch_get_item

    failing: Any = Failing()
    table = AnswersTable(failing, "answers")
    known = answers(table)
    for number in range(20):
        key = known.key(f"{LONG}{number}")
        assert known.find({key: 60}) == {}
        known.keep(key, (), 60)
    table.flush()
    assert (failing.calls, table.failures, table.works) == (MOST_FAILURES, MOST_FAILURES, False)


def test_what_dynamodb_leaves_undone_is_counted(dynamodb: Any) -> None:
    class Partial:
        def batch_get_item(self, RequestItems: Any) -> Any:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}

        def batch_write_item(self, RequestItems: Any) -> Any:
            return {"UnprocessedItems": RequestItems}

    partial: Any = Partial()
    table = AnswersTable(partial, "answers")
    assert table.find([b"k"]) == {}
    table.keep(b"k", ())
    table.flush()
    assert (table.failures, table.works) == (2, True)


def test_a_deployment_without_a_table_asks_nobody() -> None:
    nobody: Any = None
    table = AnswersTable(nobody, "")
    table.keep(b"k", ())
    table.flush()
    assert (table.find([b"k"]), table.failures) == ({}, 0)


def test_memory_keeps_the_latest_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_MEMORY", 2)
    known = Answers(b"")
    known.keep(b"a", (), 1)
    known.keep(b"b", (), 1)
    known.recall(b"a")
    known.keep(b"c", (), 1)
    assert [known.recall(key) for key in (b"a", b"b", b"c")] == [(), None, ()]
