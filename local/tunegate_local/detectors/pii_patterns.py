"""Recognisers that Presidio does not bring: values that only their label gives away, addresses, cloud keys.

A nine-digit number is a Canadian social insurance number, a bank routing number or an order number, and a checksum
sorts out one in ten. So these types count only beside a label ("routing number: 021000021"), and the labelled value
alone is the entity. The table names Comprehend's types:
https://docs.aws.amazon.com/comprehend/latest/dg/how-pii.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from presidio_analyzer import LocalRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

ENGLISH, SPANISH, ANY = "en", "es", "xx"
_EVERY = (ENGLISH, SPANISH, ANY)

# What may stand between a label and its value: "number is: ", " = ", "#".
_IS = r"(?:\s*(?:number|no\.?|num\.?|code|id|n[ºo°]\.?|#))?\s*(?:is|es|was|:|=|#|-)?\s*[:\"'`]?\s*"
_STREET_KIND = (
    r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|"
    r"Way|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Gardens|Grove|Mews|Trail|Loop|Alley|Plaza"
)
_STREET_NAME = r"(?:[A-Z][A-Za-z'.-]+ |\d{1,3}(?:st|nd|rd|th) ){1,3}"
_ACCENTED = r"[A-ZÁÉÍÓÚÑ][\wáéíóúñ]+"
_TOWN = r"[A-Z][a-zA-Z.'-]+(?: [A-Z][a-zA-Z.'-]+){0,2}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression for one Comprehend type. The group `value` is the entity; `score` is what a match is worth."""

    type: str
    languages: tuple[str, ...]
    score: float
    expression: re.Pattern[str]


def _labelled(type_: str, label: str, value: str, score: float = 0.85, languages: Sequence[str] = _EVERY) -> Pattern:
    # Only the label is free of case: "Password" opens a sentence, but ABCD and abcd are different values.
    expression = re.compile(rf"(?<![A-Za-z])(?i:{label})(?i:{_IS})(?P<value>{value})")
    return Pattern(type_, tuple(languages), score, expression)


def _plain(type_: str, value: str, score: float, languages: Sequence[str] = _EVERY) -> Pattern:
    return Pattern(type_, tuple(languages), score, re.compile(rf"(?P<value>{value})"))


# Words that follow "password" or "PIN" in ordinary support talk and are not secrets: "your password is incorrect".
_SECRET = r"(?=\S*[\d!@#$%^&*_])[^\s\"'`,;]{5,64}(?<![.,:;!?])"  # noqa: S105
_LOGIN = r"(?=[\w.@-]*[\d_.@])[A-Za-z][\w.@-]{2,63}(?<![.])"

PATTERNS: tuple[Pattern, ...] = (
    _plain(
        "ADDRESS",
        rf"\b\d{{1,6}}[A-Za-z]? (?:[NSEW]\.? )?{_STREET_NAME}(?:{_STREET_KIND})\b\.?"
        rf"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Floor|#)\.? ?#?\w+)?"
        rf"(?:, {_TOWN})?(?:,? [A-Z]{{2}})?(?:,? (?:\d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}))?",
        0.85,
        (ENGLISH, ANY),
    ),
    # A street of any kind, told by the state and the ZIP code behind it.
    _plain(
        "ADDRESS",
        rf"\b\d{{1,6}} {_STREET_NAME}{_TOWN}(?: (?:Apt|Suite|Ste|Unit)\.? \d+)?(?:,|\n) ?{_TOWN}, [A-Z]{{2}} \d{{5}}"
        r"(?:-\d{4})?\b",
        0.85,
        (ENGLISH, ANY),
    ),
    # As Americans write a number, whether or not its area code is in use.
    _plain(
        "PHONE",
        r"(?<![\d-])(?:(?:\+|00)?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}(?: ?x\d{1,5})?(?![\d-])",
        0.75,
        (ENGLISH, ANY),
    ),
    _plain("ADDRESS", r"\bP\.?O\.? Box \d{1,6}\b", 0.85, (ENGLISH, ANY)),
    _plain(
        "ADDRESS",
        r"(?i:\b(?:calle|c/|avenida|avda\.?|av\.|plaza|paseo|ronda|carrer|camino|rambla|glorieta|cuesta"
        r"|v[íi]a|alameda|urbanizaci[óo]n|callej[óo]n|traves[íi]a)) ?(?:(?i:de|del|la|las|los|el) ){0,3}"
        rf"{_ACCENTED}(?: (?:(?i:de|del|la|las|los|el|y) ){{0,2}}{_ACCENTED}){{0,3}},? (?:n[ºo°.]* ?)?\d{{1,4}}"
        r"(?:,? ?\d{1,2}[ºª°]? ?[A-Za-z]?\b)?(?:,? \d{5})?(?:,? [A-ZÁÉÍÓÚÑ][a-záéíóúñ]+)?",
        0.85,
        (SPANISH,),
    ),
    _plain("AWS_ACCESS_KEY", r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b", 0.99),
    _labelled(
        "AWS_SECRET_KEY", r"(?:aws[_ ]?)?secret[_ ]?(?:access[_ ]?)?key", r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])", 0.99
    ),
    _labelled(
        "BANK_ACCOUNT_NUMBER",
        r"(?:bank|checking|chequing|savings?|deposit)\s+(?:account|acct\.?)|cuenta (?:bancaria|corriente)",
        r"\d(?:[ -]?\d){7,16}\b",
    ),
    _labelled("BANK_ROUTING", r"(?:routing|aba)(?: transit)?", r"\d{9}\b"),
    _labelled("CREDIT_DEBIT_CVV", r"(?:cvv2?|cvc2?|security code|c[óo]digo de seguridad)", r"\d{3,4}\b"),
    _labelled(
        "CREDIT_DEBIT_EXPIRY",
        r"(?:exp(?:iry|ires|iration)?(?: date)?|valid (?:thru|until)|caduca(?:[ -]el|d)?|caducidad)",
        r"(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?\d{2}\b",
    ),
    _labelled("PIN", r"(?:pin)", r"\d{4,8}\b"),
    _labelled("PASSWORD", r"(?:password|passwd|passphrase|pwd|contraseña|clave)", _SECRET),
    _labelled("USERNAME", r"(?:user ?name|user id|login|usuario)", _LOGIN),
    _labelled("PASSPORT_NUMBER", r"(?:passport|pasaporte)", r"(?:[A-Z]{1,3}\d{6,8}|\d{9})\b"),
    _labelled(
        "DRIVER_ID",
        r"(?:driver'?s? licen[cs]e|driving licen[cs]e|permiso de conducir)",
        r"(?=[A-Z\d-]*\d)[A-Z\d][A-Z\d-]{5,17}\b",
    ),
    _labelled(
        "LICENSE_PLATE",
        r"(?:licen[cs]e plate|number plate|registration plate|plate|matr[íi]cula)",
        r"(?=[A-Z\d -]*\d)[A-Z\d]{1,4}[ -]?[A-Z\d]{2,4}(?:[ -]?[A-Z\d]{1,3})?\b",
    ),
    _labelled("VEHICLE_IDENTIFICATION_NUMBER", r"(?:vin|chassis|bastidor)", r"(?=[A-Z\d]*\d)[A-HJ-NPR-Z\d]{17}\b"),
    _labelled("SWIFT_CODE", r"(?:swift|bic)(?:/bic)?", r"[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?\b"),
    _labelled("UK_NATIONAL_HEALTH_SERVICE_NUMBER", r"nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}\b", languages=(ENGLISH,)),
    _labelled(
        "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", r"(?:utr|unique taxpayer reference)", r"\d{10}\b", languages=(ENGLISH,)
    ),
    _labelled(
        "CA_SOCIAL_INSURANCE_NUMBER", r"(?:sin|social insurance)", r"\d{3}[ -]?\d{3}[ -]?\d{3}\b", languages=(ENGLISH,)
    ),
    _labelled(
        "CA_HEALTH_NUMBER",
        r"(?:health card|ohip)",
        r"\d{4}[ -]?\d{3}[ -]?\d{3}(?:[ -]?[A-Z]{2})?\b",
        languages=(ENGLISH,),
    ),
    _labelled("IN_AADHAAR", r"(?:aadhaar|aadhar)", r"\d{4}[ -]?\d{4}[ -]?\d{4}\b", languages=(ENGLISH,)),
    _labelled("IN_VOTER_NUMBER", r"(?:voter|epic)", r"[A-Z]{3}\d{7}\b", languages=(ENGLISH,)),
    _labelled(
        "IN_PERMANENT_ACCOUNT_NUMBER", r"(?:pan|permanent account)", r"[A-Z]{5}\d{4}[A-Z]\b", languages=(ENGLISH,)
    ),
    _labelled("SSN", r"(?:ssn|social security)", r"(?!000|666|9)\d{3}[ -]?(?!00)\d{2}[ -]?(?!0000)\d{4}\b", 0.95),
    _plain(
        "AGE", r"\b\d{1,3}[ -](?:years?|yrs?)[ -]old\b|(?<=\baged )\d{1,3}\b|(?<=\bage )\d{1,3}\b", 0.8, (ENGLISH, ANY)
    ),
    _plain("AGE", r"(?i:(?<=\btengo ))\d{1,3} años\b|\b\d{1,3} años de edad\b", 0.8, (SPANISH,)),
    # No public Spanish model of this size names people well: only a name that is introduced as one counts.
    _labelled(
        "NAME",
        r"(?:me llamo|mi nombre|nombre(?: completo)?|titular|atentamente,?|soy)",
        r"[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+(?: (?:de |del |la )?[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+){1,3}",
        0.85,
        (SPANISH,),
    ),
)


class LabelledRecognizer(LocalRecognizer):
    """All patterns of one language as one Presidio recogniser."""

    def __init__(self, language: str) -> None:
        self._patterns = tuple(pattern for pattern in PATTERNS if language in pattern.languages)
        super().__init__(
            supported_entities=sorted({pattern.type for pattern in self._patterns}),
            supported_language=language,
            name="LabelledRecognizer",
        )

    def load(self) -> None:
        """Nothing to load: the expressions are compiled with the module."""

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: NlpArtifacts | None = None,  # noqa: ARG002 - Presidio's signature
    ) -> list[RecognizerResult]:
        """Every match of every wanted pattern, spanning the value without its label."""
        return [
            RecognizerResult(pattern.type, match.start("value"), match.end("value"), pattern.score)
            for pattern in self._patterns
            if pattern.type in entities
            for match in pattern.expression.finditer(text)
        ]
