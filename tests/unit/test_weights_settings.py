"""The JSON, template and tokenizer files of a model: no code, no template that reaches out, nothing unreadable."""

import base64
import struct

import pytest

from unit.weights_world import CONFIG, TEMPLATE, as_json, details_of, examined, types_of

HONEST = [
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}",
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ messages[0].content | trim }}{% endif %}",
    "{%- set ns = namespace(found=false) %}{% for m in messages[1:] %}{% set ns.found = true %}{% endfor %}",
    "{{ raise_exception('roles must alternate') }}{{ strftime_now('%d %b %Y') }}{{ tools | tojson(indent=4) }}",
    "{% macro show(x) %}{{ x | upper }}{% endmacro %}{{ show(messages[-1].content.split('</think>')[-1].lstrip()) }}",
    "{% generation %}{{ messages | map(attribute='content') | join('\\n') }}{% endgeneration %}",
    "{% for k, v in tool.parameters.properties.items() %}{{ k ~ ': ' ~ props[k]['type'] }}{% break %}{% endfor %}",
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ loop.cycle(1, 2) }}{{ dict(a=1) }}",
    "{{ '{}: {}'.format(m.role, m.content) }}{% filter upper %}x{% endfilter %}{{ range(3) | sum }}",
    "The __init__ method is described here, and os.system is not called.",
    TEMPLATE,
    "",
]
HOSTILE = {
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": "__subclasses__",
    "{{ messages['__class__'] }}": "__class__",
    "{{ messages['__cla' ~ 'ss__'] }}": "__class__",
    "{{ messages['__cla' + 'ss__'] }}": "__class__",
    "{{ messages['\\x5f\\x5fclass\\x5f\\x5f'] }}": "__class__",
    "{{ messages | attr(name) }}": "filter attr",
    "{{ messages | map('attr', 'x') }}": "attr",
    "{{ messages | map(attribute='__class__') }}": "__class__",
    "{{ messages | map(attribute='content.__class__') }}": "by the filter map",
    "{{ messages | map(attribute=name) }}": "computes",
    "{{ messages | selectattr('__globals__') }}": "by the filter selectattr",
    "{{ cycler }}": "cycler",
    "{{ lipsum }}": "lipsum",
    "{{ self }}": "self",
    "{{ os.system('id') }}": "method system",
    "{{ x.popen('id') }}": "method popen",
    "{{ x.modules }}": "modules",
    "{{ (messages | select).gi_frame }}": "gi_frame",
    "{{ messages[name]('id') }}": "calls what it has computed",
    "{% set f = messages[name] %}{{ f('id') }}": "calls f",
    "{% for f in functions %}{{ f() }}{% endfor %}": "calls f",
    "{{ eval('1') }}": "eval",
    "{{ '{0.__class__}'.format(messages) }}": "formats",
    "{{ text.format(messages) }}": "formats",
    "{% include 'x' %}": "loads another template",
    "{% import 'x' as y %}": "loads another template",
    "{% extends 'x' %}": "loads another template",
    "{{ __builtins__ }}": "__builtins__",
    "{{ " + "(" * 5000 + ")" * 5000 + " }}": "too deep",
}


@pytest.mark.parametrize("template", HONEST)
def test_an_honest_template_is_no_finding(template: str) -> None:
    assert examined("chat_template.jinja", template.encode()).findings == []
    assert examined("tokenizer_config.json", as_json({"chat_template": template})).findings == []


@pytest.mark.parametrize("template", HOSTILE)
def test_a_template_that_reaches_out_is_told(template: str) -> None:
    named = {"chat_template": [{"name": "default", "template": template}]}
    for report in (
        examined("chat_template.jinja", template.encode()),
        examined("tokenizer_config.json", as_json({"chat_template": template})),
        examined("tokenizer_config.json", as_json(named)),
        examined("chat_template.json", as_json({"chat_template": template})),
        examined("generation_config.json", as_json({"watermark": template})),
    ):
        assert "unsafe_model/template" in types_of(report)
        assert HOSTILE[template] in details_of(report)


@pytest.mark.parametrize("template", ["{{ open", "{% for %}", "{{ a b }}", "{% nonsense %}", "{# "])
def test_a_template_that_cannot_be_parsed_is_told(template: str) -> None:
    assert "format/template" in types_of(examined("chat_template.jinja", template.encode()))


@pytest.mark.parametrize(
    "change",
    [
        {"auto_map": {"AutoConfig": "configuration_x.XConfig"}},
        {"custom_pipelines": {"p": {"impl": "p.P"}}},
        {"trust_remote_code": True},
        {"text_config": {"auto_map": {"AutoModel": "x.Y"}}},
        {"a": [{"trust_remote_code": True}]},
        {"_target_": "os.system"},
        {"custom_generate": "x"},
        {"processor": "processing_x.py"},
        {"model": "someone/model--modeling_x.XModel"},
    ],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "preprocessor_config.json"])
def test_code_that_settings_ask_for_is_told(name: str, change: dict[str, object]) -> None:
    assert "unsafe_model/custom_code" in types_of(examined(name, as_json({**CONFIG, **change})))


@pytest.mark.parametrize("change", [{"trust_remote_code": False}, {"auto_map": {}}, {"auto_map": None}])
def test_switches_that_are_off_are_no_finding(change: dict[str, object]) -> None:
    assert examined("config.json", as_json({**CONFIG, **change})).findings == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"a":NaN}',
        b'{"a":1}x',
        b"\xef\xbb\xbf{}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":-0}',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors.index.json"])
def test_what_is_no_strict_json_object_is_told(name: str, data: bytes) -> None:
    assert "format/json" in types_of(examined(name, data))


@pytest.mark.parametrize("data", [b'{"a":1,"a":2}', b'{"x":[{"a":1,"b":{"c":1,"c":1}}]}', b'{"a":1,"\\u0061":2}'])
def test_a_key_that_stands_twice_is_told(data: bytes) -> None:
    assert types_of(examined("tokenizer.json", data)) == {"format/duplicate_keys"}


def test_a_file_too_large_for_its_kind_is_told() -> None:
    assert "format/too_large" in types_of(examined("config.json", as_json({"a": "x" * 5 * 1024**2})))


@pytest.mark.parametrize("data", [b"caf\xe9\n", b"a\0b", b"a\x1cb"])
def test_a_text_that_is_none_is_told(data: bytes) -> None:
    assert "format/text" in types_of(examined("README.md", data))
    assert "format/text" in types_of(examined("merges.txt", data))


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def _piece(text: str) -> bytes:
    return _field(1, _field(1, text.encode()) + b"\x15" + struct.pack("<f", -1.5) + b"\x18\x01")


def test_the_two_forms_of_a_tokenizer_model_are_taken() -> None:
    pieces = b"".join(_piece(text) for text in ("<unk>", "▁the", "a"))
    assert examined("tokenizer.model", pieces + _field(2, b"x") + _field(3, b"y")).findings == []
    ranked = b"".join(base64.b64encode(bytes([n])) + b" %d\n" % n for n in range(256))
    assert examined("tokenizer.model", ranked).findings == []


@pytest.mark.parametrize("data", [b"x", _piece("a")[:-1], _field(1, _field(1, b"\xff")), _field(9, b"x"), b"\x0a\xff"])
def test_a_tokenizer_model_of_neither_form_is_told(data: bytes) -> None:
    assert "format/tokenizer" in types_of(examined("tokenizer.model", data))
