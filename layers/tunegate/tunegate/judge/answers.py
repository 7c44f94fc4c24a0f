"""The judgement of what services answered: what they found, and whether their word is one on which to pass a file."""

from collections.abc import Iterator, Sequence

from tunegate.model import Detection, Place
from tunegate.service_answers import Answer, Service, Wait

_PASSES = {Service.MALWARE: "NO_THREATS_FOUND", Service.MACIE: "COMPLETE"}
_TELLS = {Service.MALWARE: frozenset({"NO_THREATS_FOUND", "THREATS_FOUND"}), Service.MACIE: frozenset({"COMPLETE"})}
_NAMES = {Service.MALWARE: "GuardDuty", Service.MACIE: "Macie"}
_DETECTORS = {Service.MALWARE: "guardduty", Service.MACIE: "macie"}
_MOST_LINES = 100


def passes(answer: Answer) -> bool:
    """Whether an answer says that the service looked at all of the version and found nothing."""
    return answer.error is None and not answer.seen and answer.status == _PASSES[answer.service]


def told(answers: Sequence[Answer]) -> Iterator[Detection]:
    """What the services found, one detection for each line they name."""
    for answer in answers:
        for seen in answer.seen:
            lines = seen.lines[:_MOST_LINES] or (0,) * min(seen.count, _MOST_LINES)
            for line in lines:
                yield Detection(seen.category, seen.type, Place(line), detector=_DETECTORS[answer.service])


def not_told(waits: Sequence[Wait], answers: Sequence[Answer]) -> str:
    """Why a service's word is missing, in words; empty where each has told. Only a whole look counts as one."""
    for wait in waits:
        of_service = [answer for answer in answers if answer.service is wait.service]
        if not of_service:
            return f"{_NAMES[wait.service]} was not asked"
        for answer in of_service:
            if answer.error is not None and answer.error.Error == "States.Timeout":
                return f"{_NAMES[wait.service]} did not answer within {wait.seconds} seconds"
            if answer.error is not None:
                return f"{_NAMES[wait.service]} could not be asked"
            if answer.status not in _TELLS[wait.service]:
                return f"{_NAMES[wait.service]} could not tell: {answer.status or 'no status'}"
    return ""
