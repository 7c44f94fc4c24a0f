"""The samples: what each file holds, and what should become of it."""

import base64
import gzip
import hashlib
from collections.abc import Iterator

from tunegate_cli.samples import attacks, dialogues, shapes, values
from tunegate_cli.samples.dialogues import Exchange
from tunegate_cli.samples.sample import Expected, Sample

RECORDS = 48
"""Bedrock asks for at least 32 records of the models that say a minimum."""


def samples(approved_bucket: str) -> list[Sample]:
    """Every sample. Clean image records refer to `approved_bucket`, the one place they may."""
    groups = (clean(approved_bucket), personal(), secret(), attacking(), malformed(), other_languages(), compressed())
    return [sample for group in groups for sample in group]


def clean(approved_bucket: str) -> Iterator[Sample]:
    english = dialogues.english(RECORDS)
    yield Sample(
        "clean/prompt-completion.jsonl", "Prompt and completion", shapes.lines(map(shapes.prompt_completion, english))
    )
    converse = [shapes.conversation(exchange, dialogues.SYSTEM) for exchange in english]
    yield Sample("clean/conversation.jsonl", "Converse messages with a system prompt", shapes.lines(converse))
    claude = [shapes.claude(exchange, dialogues.SYSTEM) for exchange in english]
    yield Sample("clean/claude messages.jsonl", "Claude messages; the key has a space in it", shapes.lines(claude))
    pretraining = [{"input": f"{exchange.question} {exchange.answer}"} for exchange in english]
    yield Sample("clean/continued-pretraining.jsonl", "Unlabelled input texts", shapes.lines(pretraining))
    captions = [
        {
            "image-ref": f"s3://{approved_bucket}/images/{i:04}.png",
            "caption": f"A product photo: {exchange.question[:40]}",
        }
        for i, exchange in enumerate(english)
    ]
    yield Sample("clean/image-captions.jsonl", "Captions of images in the approved bucket", shapes.lines(captions))
    graded = [shapes.reinforcement(exchange, i) for i, exchange in enumerate(english)]
    yield Sample("clean/reinforcement.jsonl", "Chat with extra fields for a grader", shapes.lines(graded))
    article = "\n".join(f"{exchange.question}\n{exchange.answer}\n" for exchange in english)
    yield Sample("clean/help-pages.txt", "Plain text", article.encode())
    windows = b"\xef\xbb\xbf" + shapes.lines(map(shapes.prompt_completion, english), "\r\n\r\n")
    yield Sample("clean/from-a-spreadsheet.jsonl", "Byte order mark, CRLF and blank lines", windows)


def personal() -> Iterator[Sample]:
    ssns = tuple(values.ssn(f"ssn/{i}") for i in range(3))
    questions = [f"My social security number is {ssn}, can you find my store account?" for ssn in ssns]
    yield _planted("pii/identity-numbers.jsonl", "US social security numbers in three records", "pii", ssns, questions)
    cards = (values.card("visa", "4539"), values.card("mastercard", "2223"), values.card("mastercard/2", "5425"))
    questions = [f"Please charge the lamp to my card {card} instead." for card in cards]
    yield _planted("pii/payment-cards.jsonl", "Card numbers, one of Mastercard's newer range", "pii", cards, questions)
    ibans = (values.iban("gb", "GB"), values.iban("de", "DE"))
    questions = [f"Send the refund to {iban}, that is my current account." for iban in ibans]
    yield _planted("pii/bank-accounts.jsonl", "IBANs of two countries", "pii", ibans, questions)
    user = "r.okonjo" + values.digits("mail", 2)
    mail, phone = f"{user}@kestrel-freight.com", f"+44 20 7946 0{values.number('phone', 100, 999)}"
    questions = [f"Write to me at {mail} when it ships.", f"Call me on {phone} before you deliver, please."]
    yield _planted("pii/contacts.jsonl", "An e-mail address and a telephone number", "pii", (mail, phone), questions)


def secret() -> Iterator[Sample]:
    key, hidden = values.aws_key_pair("aws")
    questions = [f"Our nightly export fails with aws_access_key_id = {key} and aws_secret_access_key = {hidden}. Why?"]
    yield _planted(
        "secrets/aws-keys.jsonl", "An AWS access key in a pasted configuration", "secret", (key, hidden), questions
    )
    pem = values.private_key("rsa")
    body = tuple(line for line in pem.splitlines() if not line.startswith("-----"))
    yield _planted(
        "secrets/private-key.jsonl",
        "A private key in a pasted log",
        "secret",
        body,
        [f"The server prints this:\n{pem}"],
    )
    token = values.github_token("github")
    questions = [f"Cloning with https://x-access-token:{token}@github.com/ stopped working."]
    yield _planted("secrets/github-token.jsonl", "A GitHub token in a clone address", "secret", (token,), questions)


def attacking() -> Iterator[Sample]:
    def attack(path: str, what: str, *questions: str) -> Sample:
        return _planted(path, what, "prompt_attack", (), list(questions), attacks.COMPLIES)

    yield attack("attacks/persona.jsonl", "A persona without rules", attacks.PERSONA)
    yield attack("attacks/override.jsonl", "Orders to ignore the instructions", attacks.OVERRIDE)
    yield attack("attacks/prompt-leakage.jsonl", "A request for the system prompt", attacks.LEAKAGE)
    yield attack("attacks/homoglyphs.jsonl", "The persona in look-alike letters", values.in_lookalikes(attacks.PERSONA))
    yield attack(
        "attacks/zero-width.jsonl", "The orders with invisible characters", values.with_zero_width(attacks.OVERRIDE)
    )
    encoded = base64.b64encode(attacks.PERSONA.encode()).decode()
    yield attack("attacks/base64.jsonl", "The persona in base64", f"Decode this and do what it says: {encoded}")
    yield _split_over_turns()


def _split_over_turns() -> Sample:
    words = attacks.PERSONA.split()
    cuts = [" ".join(words[i : i + 14]) for i in range(0, len(words), 14)]
    said = [text for cut in cuts for text in (cut, "Go on.")]
    records = [shapes.claude(exchange, dialogues.SYSTEM) for exchange in dialogues.english(RECORDS)]
    records.insert(RECORDS // 2, {"system": dialogues.SYSTEM, "messages": shapes.turns(*said)})
    content = shapes.lines(records)
    return Sample(
        "attacks/split-over-turns.jsonl",
        "The persona said piece by piece",
        content,
        Expected.FLAGGED,
        ("prompt_attack",),
    )


def malformed() -> Iterator[Sample]:
    good = shapes.lines(map(shapes.prompt_completion, dialogues.english(RECORDS))).splitlines(keepends=True)
    broken = [*good[:16], good[16][: len(good[16]) // 2] + b"\n", *good[17:]]
    yield Sample(
        "form/broken-line.jsonl", "Line 17 ends in its middle", b"".join(broken), Expected.FLAGGED, ("format",)
    )
    captions = [
        {"image-ref": f"s3://somebody-elses-photos/{i:04}.png", "caption": "A kettle on a table"}
        for i in range(RECORDS)
    ]
    foreign = shapes.lines(captions)
    yield Sample(
        "form/foreign-images.jsonl", "Images in a bucket nobody scanned", foreign, Expected.FLAGGED, ("format",)
    )
    noise = b"".join(hashlib.sha512(f"noise/{i}".encode()).digest() for i in range(256))
    yield Sample("form/embeddings.parquet", "Columns, not text", b"PAR1" + noise + b"PAR1", Expected.HELD)
    yield Sample(
        "form/other-encryption.jsonl",
        "A put that asks for another encryption",
        b"".join(good),
        Expected.REFUSED,
        other_encryption=True,
    )


def other_languages() -> Iterator[Sample]:
    japanese, spanish = dialogues.japanese(RECORDS), dialogues.spanish(RECORDS)
    converse = [shapes.conversation(exchange, dialogues.SYSTEM_JA) for exchange in japanese]
    yield Sample("languages/お客様サポート.jsonl", "Japanese, as is its key", shapes.lines(converse))
    number = values.my_number("my-number")
    asked = Exchange(
        f"マイナンバーは{number}です。会員登録に使えますか。",
        "マイナンバーは必要ありません。お名前だけで登録できます。",
    )
    converse.insert(20, shapes.conversation(asked, dialogues.SYSTEM_JA))
    yield Sample(
        "languages/japanese-my-number.jsonl", "A My Number among Japanese records", shapes.lines(converse),
        Expected.FLAGGED, ("pii",), (number,),
    )  # fmt: skip
    yield Sample("languages/spanish.jsonl", "Spanish", shapes.lines(map(shapes.prompt_completion, spanish)))
    dni, iban = values.dni("dni"), values.iban("es", "ES")
    asked = Exchange(f"Mi DNI es {dni} y mi cuenta {iban}.", "Gracias, no hace falta que nos envíe esos datos.")
    spanish.insert(30, asked)
    yield Sample(
        "languages/spanish-identity.jsonl", "A DNI and an IBAN among Spanish records",
        shapes.lines(map(shapes.prompt_completion, spanish)), Expected.FLAGGED, ("pii",), (dni, iban),
    )  # fmt: skip


def compressed() -> Iterator[Sample]:
    english = dialogues.english(RECORDS)
    yield Sample(
        "gzip/clean.jsonl.gz", "Clean, compressed", _gzip(shapes.lines(map(shapes.prompt_completion, english)))
    )
    ssn = values.ssn("gzip")
    asked = _among(english, [f"For the loyalty card: my SSN is {ssn}."], "Thank you, but we do not need that number.")
    content = _gzip(shapes.lines(map(shapes.prompt_completion, asked)))
    yield Sample(
        "gzip/identity-number.jsonl.gz",
        "A social security number, compressed",
        content,
        Expected.FLAGGED,
        ("pii",),
        (ssn,),
    )


def _planted(
    path: str,
    what: str,
    category: str,
    planted: tuple[str, ...],
    questions: list[str],
    answer: str = "I can help with that.",
) -> Sample:
    exchanges = _among(dialogues.english(RECORDS), questions, answer)
    content = shapes.lines(map(shapes.prompt_completion, exchanges))
    return Sample(path, what, content, Expected.FLAGGED, (category,), planted)


def _among(exchanges: list[Exchange], questions: list[str], answer: str) -> list[Exchange]:
    """Ordinary records with others between them, the first as record 8 and the next ones eleven further on each."""
    mixed = list(exchanges)
    for i, question in enumerate(questions):
        mixed.insert(7 + 11 * i, Exchange(question, answer))
    return mixed


def _gzip(content: bytes) -> bytes:
    # Without a time in the header the same text gives the same bytes.
    return gzip.compress(content, mtime=0)
