"""What the managed services bill: units of characters, and list prices in US dollars with where they were read.

Prices are those of the first volume tier in us-east-1, and AWS's to change; larger volumes cost less. Where AWS
publishes no price of an operation by itself, `note` says what was taken instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass

READ = "2026-11-22"
"""The day on which the sources were read."""
_COMPREHEND = "https://aws.amazon.com/comprehend/pricing/"
_BEDROCK = "https://aws.amazon.com/bedrock/pricing/"


@dataclass(frozen=True, slots=True)
class Price:
    """`characters` make a unit, a request bills at least `least` of them, and each costs `dollars`."""

    service: str
    characters: int
    least: int
    dollars: float
    source: str
    note: str = ""

    def units(self, length: int) -> int:
        """Units of one request, or of one content block, of `length` characters."""
        return max(self.least, -(-length // self.characters))

    def of(self, length: int) -> float:
        """Dollars for the same."""
        return self.units(length) * self.dollars


PRICES: Mapping[str, Price] = {
    "ContainsPiiEntities": Price("Amazon Comprehend", 100, 3, 0.000002, _COMPREHEND),
    "DetectPiiEntities": Price("Amazon Comprehend", 100, 3, 0.0001, _COMPREHEND),
    "DetectToxicContent": Price("Amazon Comprehend", 100, 3, 0.0001, _COMPREHEND, "as its other language operations"),
    "ClassifyDocument": Price("Amazon Comprehend", 100, 3, 0.0001, _COMPREHEND, "as its other language operations"),
    "InvokeGuardrailChecks/promptAttack": Price(
        "Amazon Bedrock Guardrails", 1_000, 1, 0.00015, _BEDROCK, "as content filters of ApplyGuardrail"
    ),
    "InvokeGuardrailChecks/sensitiveInformation": Price(
        "Amazon Bedrock Guardrails", 1_000, 1, 0.0001, _BEDROCK, "as sensitive information filters of ApplyGuardrail"
    ),
    "ApplyGuardrail/contentPolicy": Price("Amazon Bedrock Guardrails", 1_000, 1, 0.00015, _BEDROCK),
    "ApplyGuardrail/sensitiveInformationPolicy": Price("Amazon Bedrock Guardrails", 1_000, 1, 0.0001, _BEDROCK),
}
"""By operation, and by the check or filter within it where those are billed apart."""


def dollars(units: Mapping[str, int]) -> float:
    """The price of counted units by operation. Raises `KeyError` for one that has no price here."""
    return sum(PRICES[operation].dollars * count for operation, count in units.items())
