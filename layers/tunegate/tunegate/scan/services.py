"""The checks of a scan in the cloud: the built-in screen and the managed services the policy names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunegate.errors import PermanentError
from tunegate.policy import Policy, PromptAttackService
from tunegate.scan.answers import Answers, NotShared, SharedAnswers, Tally, scope_of
from tunegate.scan.comprehend import PiiService, ToxicityService
from tunegate.scan.once import Interrupt, RecordsOnce, Service, TextsOnce
from tunegate.scan.prompts import ApplyGuardrail, ComprehendPromptSafety, GuardrailChecks
from tunegate.scan.text import Checks, PromptCheck, RecordScreen, TextScan

if TYPE_CHECKING:
    from mypy_boto3_comprehend.literals import LanguageCodeType

ClientFactory = Callable[[str], Any]
"""Gives an AWS client by the service's name; only the services a policy names are asked for."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """How services are reached. `guardrail`: id and version of the account's own, needed only where the policy
    chooses `apply_guardrail`. `interrupt` is called before each request."""

    client: ClientFactory
    guardrail: tuple[str, str] | None = None
    shared: SharedAnswers = field(default_factory=NotShared)
    tally: Tally = field(default_factory=Tally)
    interrupt: Interrupt = lambda: None


def checks_for(policy: Policy, screen: RecordScreen, cloud: Cloud) -> Checks:
    services = policy.services

    def once(service: Service, *settings: object) -> TextScan:
        return TextsOnce(service, _answers(policy, cloud, *settings), policy, cloud.interrupt)

    pii: dict[str, TextScan] = {
        language: once(_pii(cloud, language), "pii", language)
        for language in (services.comprehend_languages if services.comprehend_pii else ())
    }
    toxicity: dict[str, TextScan] = (
        {"en": once(ToxicityService(cloud.client("comprehend")), "toxicity")} if services.comprehend_toxicity else {}
    )
    return Checks(screen, pii, toxicity, _prompts(policy, cloud))


def _pii(cloud: Cloud, language: "LanguageCodeType") -> PiiService:
    return PiiService(cloud.client("comprehend"), language)


def _prompts(policy: Policy, cloud: Cloud) -> PromptCheck | None:
    check = _prompt_check(policy, cloud)
    if check is None:
        return None
    answers = _answers(policy, cloud, policy.services.prompt_attacks, cloud.guardrail)
    if cloud.guardrail is not None and cloud.guardrail[1] == "DRAFT":
        # A draft changes and keeps its name.
        answers.shared = NotShared()
    return RecordsOnce(check, answers, policy, cloud.interrupt)


def _answers(policy: Policy, cloud: Cloud, *settings: object) -> Answers:
    return Answers(scope_of(ANSWERS_VERSION, policy.digest, *settings), cloud.shared, cloud.tally)


ANSWERS_VERSION = 1
"""Raised whenever the code asks a service differently, so that no answer outlives the question."""


def _prompt_check(policy: Policy, cloud: Cloud) -> PromptCheck | None:
    match policy.services.prompt_attacks:
        case PromptAttackService.GUARDRAIL_CHECKS:
            return GuardrailChecks(cloud.client("bedrock-runtime"))
        case PromptAttackService.APPLY_GUARDRAIL:
            if cloud.guardrail is None:
                raise PermanentError("the policy asks for a guardrail, and the deployment names none")
            return ApplyGuardrail(cloud.client("bedrock-runtime"), *cloud.guardrail)
        case PromptAttackService.COMPREHEND_PROMPT_SAFETY:
            return ComprehendPromptSafety(cloud.client("comprehend"))
        case PromptAttackService.OFF:
            return None
