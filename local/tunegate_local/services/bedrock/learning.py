"""What stands for training here: a model that learns how often each byte occurs, so that its losses are the data's own.

The metrics files and their columns: https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-analyze.html
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

SAMPLE = 1024 * 1024
STEPS = 10
_BYTES = 256


@dataclass(frozen=True, slots=True)
class Step:
    """How well the model foretold a piece of the data before it learnt from it, in nats a byte."""

    number: int
    epoch: int
    loss: float


class Learner:
    """Learns from bytes; starts out knowing nothing."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def loss(self, sample: bytes) -> float:
        """The cross-entropy of a sample."""
        if not sample:
            return math.log(_BYTES)
        total = self._seen.total() + _BYTES
        surprise = sum(n * math.log(total / (self._seen[byte] + 1)) for byte, n in Counter(sample).items())
        return surprise / len(sample)

    def train(self, sample: bytes, epochs: int) -> Iterator[Step]:
        """Learns from the sample a piece at a time, as often as there are epochs."""
        size = max(1, math.ceil(len(sample) / STEPS))
        pieces = [sample[start : start + size] for start in range(0, len(sample), size)]
        for number in range(epochs * len(pieces)):
            epoch, piece = divmod(number, len(pieces))
            yield Step(number, epoch, self.loss(pieces[piece]))
            self._seen.update(pieces[piece])


def training_metrics(steps: list[Step]) -> bytes:
    """The content of step_wise_training_metrics.csv."""
    return _csv("training_loss", steps)


def validation_metrics(losses: list[float], last: Step) -> bytes:
    """The content of validation_metrics.csv."""
    return _csv("validation_loss", [Step(last.number, last.epoch, loss) for loss in losses])


def _csv(name: str, steps: list[Step]) -> bytes:
    rows = [f"{step.number},{step.epoch},{step.loss:.6f},{math.exp(step.loss):.6f}" for step in steps]
    return "\n".join([f"step_number,epoch_number,{name},perplexity", *rows, ""]).encode()
