"""One file examined as what it claims to be; where it is not that, as whatever it is."""

from tunegate.scan.weights.config import examine_settings, payloads_of
from tunegate.scan.weights.documents import DuplicateKeyError, StrictJsonError, strict_json
from tunegate.scan.weights.findings import FileReport
from tunegate.scan.weights.header import examine_safetensors
from tunegate.scan.weights.inside import Search, in_memory
from tunegate.scan.weights.kinds import Kind
from tunegate.scan.weights.probes import examine_data
from tunegate.scan.weights.reading import Ranges
from tunegate.scan.weights.signatures import EXECUTABLES, signature
from tunegate.scan.weights.templates import examine_template
from tunegate.scan.weights.tokenizer import is_tokenizer_model

_MIB = 1024**2
_MOST = {Kind.TEXT: 32 * _MIB, Kind.CONFIG: 4 * _MIB, Kind.SETTINGS: 4 * _MIB, Kind.TEMPLATE: _MIB}
_MOST_OTHERWISE = 64 * _MIB
"""Files of all kinds but weights are read whole, so they are bounded: tokenizers of real models stay below 40 MiB."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"


def examine(kind: Kind, ranges: Ranges, report: FileReport) -> None:
    """Add what is wrong with the file to its report. Raises what `Ranges` raises."""
    if kind is Kind.WEIGHTS:
        _weights(ranges, report)
    elif kind in (Kind.OTHER, Kind.CODE):
        _unsupported(kind, ranges, report)
    elif ranges.size > _MOST.get(kind, _MOST_OTHERWISE):
        report.malformed("too_large", f"{ranges.size} bytes are too many for such a file")
        Search(report).file(ranges)
    else:
        _whole(kind, ranges, report)


def _weights(ranges: Ranges, report: FileReport) -> None:
    examine_safetensors(ranges, report)
    if report.tensors is None:
        Search(report).file(ranges)
    else:
        examine_data(ranges, report.tensors, report)


def _unsupported(kind: Kind, ranges: Ranges, report: FileReport) -> None:
    if ranges.size == 0 and report.file.endswith("/"):
        return  # how S3's console writes a folder
    if kind is Kind.CODE:
        report.unsafe("custom_code", "a file of code: a model that Bedrock imports has none")
    elif "/" in report.file:
        report.malformed("nested_file", "a file in a folder: Bedrock imports those of the prefix itself")
    else:
        kind_of_content = signature(ranges.head())
        holds = f": it holds {kind_of_content}" if kind_of_content else ""
        report.malformed("unsupported_file", f"Bedrock imports no file of this name{holds}")
    Search(report).file(ranges)


def _whole(kind: Kind, ranges: Ranges, report: FileReport) -> None:
    data = ranges.read(0, ranges.size)
    if kind is Kind.SENTENCEPIECE:
        valid = is_tokenizer_model(data)
        if not valid:
            report.malformed("tokenizer", "neither a SentencePiece model nor a list of ranked tokens")
    elif kind in (Kind.TEXT, Kind.TEMPLATE):
        valid = _text(kind, data, report)
    else:
        valid = _json(kind, data, report)
    search = Search(report)
    if valid:
        search.anywhere(data)
        search.end(in_memory(data))
    else:
        search.file(ranges)


def _text(kind: Kind, data: bytes, report: FileReport) -> bool:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        report.malformed("text", "it is not UTF-8 text", error.start)
        return False
    if data.translate(None, _CONTROLS) != data:
        report.malformed("text", "it holds control characters")
        return False
    if signature(data[:512]) in EXECUTABLES:
        return False
    if kind is Kind.TEMPLATE:
        examine_template(text, report)
    return True


def _json(kind: Kind, data: bytes, report: FileReport) -> bool:
    try:
        document = strict_json(data)
    except DuplicateKeyError as fault:
        report.malformed("duplicate_keys", str(fault))
        return False
    except StrictJsonError as fault:
        report.malformed("json", str(fault))
        return False
    if not isinstance(document, dict):
        report.malformed("json", "it is no JSON object")
        return False
    report.document = document if kind in (Kind.CONFIG, Kind.INDEX) else None
    search = Search(report)
    search.strings(payloads_of(document), " in a string")
    if kind is not Kind.TOKENIZER:  # whose keys are the words of a vocabulary
        examine_settings(document, report)
    return True
