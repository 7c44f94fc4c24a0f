"""What stands for a model: it says back what it was told last, in the form its family answers in.

The forms: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from typing import Any

from tunegate_local.detectors.wire import ServiceError


def converse(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer to a conversation, as Converse has it but for the metrics."""
    said = " ".join(block.get("text", "") for message in messages for block in message["content"])
    told = " ".join(block.get("text", "") for block in messages[-1]["content"]) if messages else ""
    text = _reply(told)
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn",
        "usage": _usage(said, text),
    }


def invoke(body: Any) -> dict[str, Any]:
    """The answer to InvokeModel's body: Nova's and Titan's forms, or that of the Llama models one imports."""
    match body:
        case {"messages": [*_, {"content": [*_]}] as messages}:
            return converse(messages)
        case {"inputText": str(told)}:
            text = _reply(told)
            result = {"tokenCount": _tokens(text), "outputText": text, "completionReason": "FINISH"}
            return {"inputTextTokenCount": _tokens(told), "results": [result]}
        case {"prompt": str(told)}:
            text = _reply(told)
            counts = {"prompt_token_count": _tokens(told), "generation_token_count": _tokens(text)}
            return {"generation": text, **counts, "stop_reason": "stop"}
    raise ServiceError("ValidationException", "Malformed input request, please reformat your input and try again.")


def _reply(told: str) -> str:
    return f"You said: {told}"


def _usage(said: str, text: str) -> dict[str, int]:
    asked, answered = _tokens(said), _tokens(text)
    return {"inputTokens": asked, "outputTokens": answered, "totalTokens": asked + answered}


def _tokens(text: str) -> int:
    return len(text.split())
