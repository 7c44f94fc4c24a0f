"""Training records in the shapes Bedrock documents (user guide, "Prepare your training datasets"), as lines."""

import json
from collections.abc import Iterable
from typing import Any

from tunegate_cli.samples.dialogues import Exchange

Record = dict[str, Any]


def prompt_completion(exchange: Exchange) -> Record:
    return {"prompt": exchange.question, "completion": exchange.answer}


def conversation(exchange: Exchange, system: str) -> Record:
    """The Converse shape of Nova and of distillation: content is a list."""
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": system}],
        "messages": [
            {"role": "user", "content": [{"text": exchange.question}]},
            {"role": "assistant", "content": [{"text": exchange.answer}]},
        ],
    }


def claude(exchange: Exchange, system: str) -> Record:
    """Claude's shape: system and content are strings."""
    return {"system": system, "messages": turns(exchange.question, exchange.answer)}


def reinforcement(exchange: Exchange, number: int) -> Record:
    """OpenAI's chat shape with what a grader reads beside it."""
    return {
        "messages": turns(exchange.question),
        "reference_answer": exchange.answer,
        "task": "help_desk",
        "difficulty": ("easy", "medium", "hard")[number % 3],
        "grading": {"max_sentences": 2, "must_mention": ["order page"]},
    }


def turns(*texts: str) -> list[dict[str, str]]:
    """A conversation in which user and assistant take turns."""
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]


def lines(records: Iterable[Record], ending: str = "\n") -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + ending for record in records).encode()
