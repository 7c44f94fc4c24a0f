"""The checks of a scan in the cloud: the built-in screen and the managed services the policy names."""

from collections.abc import Callable
from typing import Any

from tunegate.errors import PermanentError
from tunegate.policy import Policy, PromptAttackService
from tunegate.scan.comprehend import PiiScan, ToxicityScan
from tunegate.scan.prompts import ApplyGuardrail, ComprehendPromptSafety, GuardrailChecks
from tunegate.scan.text import Checks, PromptCheck, RecordScreen, TextScan

ClientFactory = Callable[[str], Any]
"""Gives an AWS client by the service's name; only the services a policy names are asked for."""


def checks_for(
    policy: Policy, screen: RecordScreen, client: ClientFactory, guardrail: tuple[str, str] | None
) -> Checks:
    """`guardrail`: id and version of the account's own, needed only where the policy chooses `apply_guardrail`."""
    services = policy.services
    pii: dict[str, TextScan] = {}
    if services.comprehend_pii:
        pii = {language: PiiScan(client("comprehend"), language) for language in services.comprehend_languages}
    toxicity: dict[str, TextScan] = (
        {"en": ToxicityScan(client("comprehend"), policy)} if services.comprehend_toxicity else {}
    )
    return Checks(screen, pii, toxicity, _prompt_check(policy, client, guardrail))


def _prompt_check(policy: Policy, client: ClientFactory, guardrail: tuple[str, str] | None) -> PromptCheck | None:
    match policy.services.prompt_attacks:
        case PromptAttackService.GUARDRAIL_CHECKS:
            return GuardrailChecks(client("bedrock-runtime"))
        case PromptAttackService.APPLY_GUARDRAIL:
            if guardrail is None:
                raise PermanentError("the policy asks for a guardrail, and the deployment names none")
            return ApplyGuardrail(client("bedrock-runtime"), *guardrail)
        case PromptAttackService.COMPREHEND_PROMPT_SAFETY:
            return ComprehendPromptSafety(client("comprehend"))
        case PromptAttackService.OFF:
            return None
