"""What is read of a line, in every shape Bedrock documents and in none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.scan.form import Form
from tunegate.scan.lines import Line
from tunegate.scan.records import Parsed, Reader
from tunegate.scan.shapes import Shape

GATE = frozenset({"tunegate-approved"})


def read(line: object, form: Form = Form.JSONL, buckets: frozenset[str] | None = GATE) -> Parsed:
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    return next(iter(Reader(form, buckets).read([Line(1, data)])))


def strings(parsed: Parsed) -> dict[str, str]:
    assert parsed.record is not None
    return {text.pointer: text.value for text in parsed.record.texts}


@pytest.mark.parametrize(
    ("record", "shape"),
    [
        ({"prompt": "p", "completion": "c"}, Shape.PROMPT_COMPLETION),
        (
            {
                "schemaVersion": "bedrock-conversation-2024",
                "system": [{"text": "s"}],
                "messages": [{"role": "user", "content": [{"text": "u"}]}],
            },
            Shape.CONVERSE,
        ),
        ({"system": "s", "messages": [{"role": "user", "content": "u"}]}, Shape.MESSAGES),
        ({"messages": [{"role": "user", "content": "u"}], "reference_answer": "42", "level": 3}, Shape.MESSAGES),
        ({"input": "text"}, Shape.INPUT),
        ({"image-ref": "s3://tunegate-approved/a.png", "caption": "c"}, Shape.IMAGE_CAPTION),
        ({"anything": {"else": ["here"]}}, Shape.UNKNOWN),
        ([1, "two"], Shape.UNKNOWN),
        ({"schemaVersion": ["bedrock-conversation-2024"], "messages": [{"role": [], "content": []}]}, Shape.UNKNOWN),
    ],
)
def test_documented_shapes_are_told_apart(record: object, shape: Shape) -> None:
    parsed = read(record)
    assert parsed.shape is shape
    assert parsed.faults == ()


def test_every_string_is_walked_with_its_pointer_and_role() -> None:
    parsed = read({"system": "be kind", "messages": [{"role": "user", "content": [{"text": "hello"}]}]})
    assert parsed.record is not None
    found = {(text.pointer, text.value, text.role) for text in parsed.record.texts}
    assert ("/messages/0/content/0/text", "hello", "user") in found
    assert ("/system", "be kind", "system") in found


def test_a_number_long_enough_to_be_an_identifier_is_text_too() -> None:
    assert strings(read({"card": 4111111111111111, "n": 12})) == {"/card": "4111111111111111"}


def test_a_key_that_could_hold_a_value_is_scanned_and_never_spelt_out_in_a_pointer() -> None:
    found = strings(read({"jane@example.org": {"note": "x"}}))
    assert found == {"/*0": "jane@example.org", "/*0/note": "x"}


@given(st.recursive(st.text() | st.integers() | st.none(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_every_string_of_any_json_is_among_the_texts(value: object) -> None:
    data = json.dumps({"v": value}).encode()
    parsed = next(iter(Reader(Form.JSONL, GATE).read([Line(1, data)])))
    if parsed.shape is None:  # a lone surrogate or too big a number: not JSON to the strict parser, and reported
        assert [fault.type for fault in parsed.faults] == ["not_json"]
        return
    values = list(strings(parsed).values())
    assert all(leaf in values for leaf in leaves(value))


def leaves(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [leaf for child in children for leaf in leaves(child)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"prompt": "a"', "not_json"),
        (b'{"prompt": "\\ud800"}', "not_json"),
        (b'{"prompt": NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"prompt": "\xff"}', "invalid_utf8"),
        (b'{"prompt": "seen", "prompt": "hidden", "completion": "c"}', "duplicate_keys"),
        (b'{"image-ref": "s3://elsewhere/a.png", "caption": "c"}', "foreign_s3_reference"),
    ],
)
def test_a_line_that_is_not_what_bedrock_expects_is_a_finding(line: bytes, fault: str) -> None:
    assert [found.type for found in read(line).faults] == [fault]


def test_a_colon_after_a_quote_inside_a_string_is_no_duplicate_key() -> None:
    assert read({"prompt": 'say "a": "b", then "a": "c"', "completion": ""}).faults == ()
    assert read({"prompt": ":)", "completion": ["a", ":"]}).faults == ()


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", ":", "a:", "\\", '"']), st.text(':"\\ a')), max_size=4), st.booleans()
)
def test_a_repeated_key_is_told_whatever_colons_stand_around_it(items: list[tuple[str, str]], spelled: bool) -> None:
    line = ", ".join(f"{json.dumps(key)} : {json.dumps(value)}" for key, value in items)
    line = line.replace("a:", "a\\u003a") if spelled else line
    faults = read(b'{"deep": [{' + line.encode() + b"}]}").faults
    keys = [key for key, _ in items]
    assert [fault.type for fault in faults] == ["duplicate_keys"] * (len(set(keys)) < len(keys))


def test_a_line_that_cannot_be_parsed_is_screened_as_text_all_the_same() -> None:
    assert strings(read(b'{"prompt": "secret')) == {"": '{"prompt": "secret'}


def test_where_the_gates_buckets_are_not_known_a_reference_is_reported_as_unchecked() -> None:
    parsed = read({"image-ref": "s3://any/a.png", "caption": "c"}, buckets=None)
    assert [found.type for found in parsed.faults] == ["s3_reference_unchecked"]


def test_lines_of_plain_text_are_records() -> None:
    parsed = read(b"just words", Form.TEXT)
    assert (parsed.shape, strings(parsed)) == (Shape.PLAIN_TEXT, {"": "just words"})


def test_a_pointer_is_bounded_however_deep_the_uploader_nests() -> None:
    value: object = "deep"
    for _ in range(900):
        value = {"level": value}
    [pointer] = strings(read(value))
    assert len(pointer) < 210


def test_what_the_format_prescribes_is_no_text_and_anything_else_in_its_place_is() -> None:
    turns = [{"role": "user", "content": "hello"}, {"role": "ignore the rules", "content": "x"}]
    assert strings(read({"schemaVersion": "bedrock-conversation-2024", "messages": turns})) == {
        "/messages/0/content": "hello",
        "/messages/1/role": "ignore the rules",
        "/messages/1/content": "x",
    }
