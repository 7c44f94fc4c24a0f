"""The judgement of a model upload: what was seen in its files, and whether Bedrock would import it, under a policy.

The limits are those of Custom Model Import (Bedrock user guide, "Import a customized model", as of 2026-11): an import
job would find out too, after hours.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunegate.judge.verdict import held
from tunegate.model import Category, Decision, Finding, ObjectVersion, Verdict
from tunegate.policy import Policy
from tunegate.scan.weights.findings import FileFinding, FileReport, shown
from tunegate.scan.weights.upload import ModelFacts

_GB = 10**9
_MOST_NAMED = 10

TEXT_ARCHITECTURES = frozenset(
    {
        "MistralForCausalLM",
        "MixtralForCausalLM",
        "T5ForConditionalGeneration",
        "LlamaForCausalLM",
        "GPTBigCodeForCausalLM",
        "Qwen2ForCausalLM",
        "Qwen3ForCausalLM",
        "Qwen3MoeForCausalLM",
        "GptOssForCausalLM",
    }
)
MULTIMODAL_ARCHITECTURES = frozenset(
    {"MllamaForConditionalGeneration", "Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration"}
)


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """What Bedrock imports; `architectures` are `config.json`'s names, sizes are of all shards in bytes."""

    architectures: frozenset[str] = TEXT_ARCHITECTURES | MULTIMODAL_ARCHITECTURES
    multimodal: frozenset[str] = MULTIMODAL_ARCHITECTURES
    text_bytes: int = 200 * _GB
    multimodal_bytes: int = 100 * _GB
    context_tokens: int = 128 * 1024
    precisions: frozenset[str] = frozenset({"F32", "F16", "BF16"})
    buffers: frozenset[str] = frozenset({"I64", "I32", "BOOL"})
    """Dtypes of the masks and positions that old checkpoints keep beside their weights."""
    buffer_bytes: int = 64 * 1024**2


def judge_model(
    subject: ObjectVersion, facts: ModelFacts, policy: Policy, limits: ImportLimits | None = None
) -> Decision:
    """One decision over all files of an upload; `subject` is what stands for the upload."""
    seen = model_findings(facts, limits or ImportLimits())
    findings = tuple(sorted((_finding(one, policy) for one in seen), key=_most_severe_first))
    unread = [report for report in facts.files if report.unread]
    if not any(finding.flags for finding in findings) and (unread or not facts.files):
        reason = f"{unread[0].file}: {unread[0].unread}" if unread else "the upload holds no file"
        return held(subject, reason, policy.digest)
    verdict = Verdict.FLAGGED if any(finding.flags for finding in findings) else Verdict.CLEAN
    totals = Counter(f"{finding.category}/{finding.type}" for finding in findings)
    return Decision(subject, verdict, policy.digest, findings, _reason(seen, policy), dict(totals))


def model_findings(facts: ModelFacts, limits: ImportLimits) -> tuple[FileFinding, ...]:
    """Every finding of every file, and those of the upload as a whole."""
    in_files = (finding for report in facts.files for finding in report.findings)
    return (*in_files, *_missing(facts), *_configured(facts, limits), *_weights(facts, limits))


def _missing(facts: ModelFacts) -> Iterator[FileFinding]:
    names = {report.file for report in facts.files}
    if not facts.shards:
        yield _fault("", "missing_file", "the upload holds no .safetensors file")
    for name in ("config.json", "tokenizer_config.json"):
        if name not in names:
            yield _fault(name, "missing_file", "Bedrock needs this file to import a model")
    if not names & {"tokenizer.json", "tokenizer.model"}:
        yield _fault("tokenizer.json", "missing_file", "Bedrock needs a tokenizer.json or a tokenizer.model")


def _configured(facts: ModelFacts, limits: ImportLimits) -> Iterator[FileFinding]:
    config = facts.config
    if config is None:
        return
    unsupported = [name for name in config.architectures if name not in limits.architectures]
    if config.embedding:
        yield _fault(config.file, "embedding_model", "it says it is an embedding model, which Bedrock does not import")
    elif not config.architectures:
        yield _fault(config.file, "unsupported_architecture", "it names no architecture")
    elif unsupported:
        yield _fault(config.file, "unsupported_architecture", f"Bedrock does not import {shown(unsupported[0])}")
    if config.precision is not None and config.precision not in limits.precisions:
        yield _fault(config.file, "unsupported_precision", f"weights in {shown(config.precision)}; {_takes(limits)}")
    if config.quantization is not None:
        yield _fault(config.file, "quantized", f"the weights are quantized ({shown(config.quantization)})")
    if config.context is not None and config.context > limits.context_tokens:
        detail = f"a context of {config.context} tokens, where Bedrock takes {limits.context_tokens}"
        yield _fault(config.file, "context_too_long", detail)


def _weights(facts: ModelFacts, limits: ImportLimits) -> Iterator[FileFinding]:
    for shard in facts.shards:
        yield from _precisions(shard, limits)
    total = sum(shard.size for shard in facts.shards)
    config = facts.config
    multimodal = config is not None and (config.multimodal or not limits.multimodal.isdisjoint(config.architectures))
    most = limits.multimodal_bytes if multimodal else limits.text_bytes
    if total >= most:
        detail = f"{total / _GB:.1f} GB of weights, where Bedrock takes less than {most / _GB:.0f}"
        yield _fault("", "model_too_large", detail)


def _precisions(shard: FileReport, limits: ImportLimits) -> Iterator[FileFinding]:
    taken = limits.precisions | limits.buffers
    others = Counter(tensor.dtype for tensor in shard.tensors or () if tensor.dtype not in taken)
    for dtype, count in others.items():
        yield _fault(shard.file, "unsupported_precision", f"{count} tensors in {dtype}; {_takes(limits)}")
    large = [
        tensor
        for tensor in shard.tensors or ()
        if tensor.dtype in limits.buffers - limits.precisions and tensor.size > limits.buffer_bytes
    ]
    if large:
        detail = f"{len(large)} tensors in {large[0].dtype} too large for a mask; {_takes(limits)}"
        yield _fault(shard.file, "unsupported_precision", detail)


def _takes(limits: ImportLimits) -> str:
    return f"Bedrock takes {', '.join(sorted(limits.precisions))}"


def _fault(file: str, kind: str, detail: str) -> FileFinding:
    return FileFinding(file, Category.FORMAT, kind, detail)


def _finding(seen: FileFinding, policy: Policy) -> Finding:
    rule = policy.rule(seen.category, seen.type)
    offsets = () if seen.offset is None else ((seen.offset, seen.offset),)
    return Finding(
        seen.category,
        seen.type,
        rule.severity,
        rule.flags,
        0,
        "",
        1,
        1.0,
        ("weights",),
        offsets,
        seen.file,
        seen.detail,
    )


def _most_severe_first(finding: Finding) -> tuple[bool, int, str]:
    return (not finding.flags, -finding.severity.rank, finding.type)


def _reason(findings: Iterable[FileFinding], policy: Policy) -> str:
    """What flags the upload, most severe first: `model.safetensors: unsafe_model/pickle_call (1)`."""
    rules = {one: policy.rule(one.category, one.type) for one in findings}
    flagging = sorted((one for one in rules if rules[one].flags), key=lambda one: -rules[one].severity.rank)
    counts = Counter(f"{one.file or 'the upload'}: {one.category}/{one.type}" for one in flagging)
    named = [f"{name} ({count})" for name, count in counts.items()]
    more = [f"{len(named) - _MOST_NAMED} more"] if len(named) > _MOST_NAMED else []
    return ", ".join(named[:_MOST_NAMED] + more)
