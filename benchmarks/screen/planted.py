"""Made-up identifiers and credentials in plain sentences, for measuring: seeded, so every run plants the same."""

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from faker import Faker

SEED = 71
LOWER_HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
SENTENCES = (
    "{name}: {value}",
    "Please update my {name} to {value}, thank you.",
    "The {name} on file is {value}.",
    "hi, it's {value} ({name})",
    "Customer wrote: my {name} is {value} and I need help with the order.",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A text and the kind of thing planted in it."""

    kind: str
    text: str


def identifiers(count: int) -> list[Planted]:
    """`count` of each kind of identifier."""
    Faker.seed(SEED)
    us, gb, de, es, jp, fr, it, br, nl, pl = (
        Faker(name)
        for name in ("en_US", "en_GB", "de_DE", "es_ES", "ja_JP", "fr_FR", "it_IT", "pt_BR", "nl_NL", "pl_PL")
    )
    kinds: dict[str, tuple[str, Callable[[], str]]] = {
        "email": ("e-mail address", us.email),
        "email_company": ("email", de.company_email),
        "phone_us": ("phone number", us.phone_number),
        "phone_gb": ("phone number", gb.phone_number),
        "phone_de": ("phone", de.phone_number),
        "phone_fr": ("phone", fr.phone_number),
        "phone_jp": ("phone", jp.phone_number),
        "ssn": ("social security number", us.ssn),
        "ipv4": ("IP address", us.ipv4_public),
        "ipv6": ("IP address", us.ipv6),
        "mac": ("MAC address", us.mac_address),
        "nino": ("national insurance number", gb.ssn),
        "es_nif": ("DNI", es.nif),
        "es_nie": ("NIE", es.nie),
        "it_fiscal_code": ("codice fiscale", it.ssn),
        "br_cpf": ("CPF", br.cpf),
        "nl_bsn": ("BSN", nl.ssn),
        "pl_pesel": ("PESEL", pl.pesel),
        "my_number": ("My Number", lambda: _my_number(jp.random)),
        "card": ("card number", us.credit_card_number),
        "card_grouped": ("card", lambda: _grouped(us.credit_card_number("visa16"))),
        "card_mastercard": ("card", lambda: _grouped(us.credit_card_number("mastercard"), "-")),
        "iban_de": ("IBAN", de.iban),
        "iban_gb": ("IBAN", gb.iban),
        "iban_grouped": ("account", lambda: _grouped(fr.iban())),
    }
    chance = random.Random(SEED)  # noqa: S311 - made-up test data, the same every run
    return [
        Planted(kind, chance.choice(SENTENCES).format(name=name, value=make()))
        for kind, (name, make) in kinds.items()
        for _ in range(count)
    ]


def _grouped(number: str, separator: str = " ") -> str:
    return separator.join(number[at : at + 4] for at in range(0, len(number), 4))


def _my_number(chance: random.Random) -> str:
    digits = [chance.randrange(10) for _ in range(11)]
    weighted = sum(d * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(digits), 1))
    rest = weighted % 11
    number = "".join(map(str, digits)) + str(0 if rest <= 1 else 11 - rest)
    return _grouped(number) if chance.random() < 0.5 else number


def credentials(count: int) -> list[Planted]:
    """`count` of each kind of credential, in the forms their issuers document."""
    chance = random.Random(SEED)  # noqa: S311 - made-up test data, the same every run
    return [
        Planted(kind, chance.choice(SENTENCES).format(name=name, value=make(chance)))
        for kind, (name, make) in CREDENTIALS.items()
        for _ in range(count)
    ]


def _of(alphabet: str, length: int) -> Callable[[random.Random], str]:
    return lambda chance: "".join(chance.choices(alphabet, k=length))


def _after(prefix: str, alphabet: str, length: int, suffix: str = "") -> Callable[[random.Random], str]:
    tail = _of(alphabet, length)
    return lambda chance: prefix + tail(chance) + suffix


def _jwt(chance: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": str(chance.randrange(10**9)), "iat": chance.randrange(10**9)})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, _of(ALNUM + "-_", 43)(chance)])


def _private_key(kind: str) -> Callable[[random.Random], str]:
    def make(chance: random.Random) -> str:
        body = "\n".join(_of(ALNUM + "+/", 64)(chance) for _ in range(6))
        return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"

    return make


def _database_url(chance: random.Random) -> str:
    scheme = chance.choice(("postgresql", "mysql", "mongodb+srv", "redis", "amqp"))
    return f"{scheme}://app:{_of(ALNUM, 14)(chance)}@db{chance.randrange(99)}.internal.test:5432/main"


def _azure(chance: random.Random) -> str:
    key = base64.b64encode(chance.randbytes(64)).decode()
    account = f"AccountName=store{chance.randrange(99)};AccountKey={key}"
    return f"DefaultEndpointsProtocol=https;{account};EndpointSuffix=core.windows.net"


def _slack_webhook(chance: random.Random) -> str:
    upper = string.ascii_uppercase + string.digits
    return (
        f"https://hooks.slack.com/services/T{_of(upper, 8)(chance)}/B{_of(upper, 8)(chance)}/{_of(ALNUM, 24)(chance)}"
    )


UPPER32 = string.ascii_uppercase + "234567"
CREDENTIALS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "aws_key_id": ("access key", _after("AKIA", UPPER32, 16)),
    "aws_secret": ("aws_secret_access_key", _of(ALNUM + "/+", 40)),
    "github_classic": ("token", _after("ghp_", ALNUM, 36)),
    "github_fine": ("token", lambda c: f"github_pat_{_of(ALNUM, 22)(c)}_{_of(ALNUM, 59)(c)}"),
    "gitlab": ("token", _after("glpat-", ALNUM + "-_", 20)),
    "slack_bot": (
        "token",
        lambda c: f"xoxb-{c.randrange(10**11, 10**12)}-{c.randrange(10**12, 10**13)}-{_of(ALNUM, 24)(c)}",
    ),
    "slack_webhook": ("webhook", _slack_webhook),
    "stripe": ("key", _after("sk_live_", ALNUM, 24)),
    "twilio": ("sid", _after("SK", LOWER_HEX, 32)),
    "sendgrid": ("key", lambda c: f"SG.{_of(ALNUM + '-_', 22)(c)}.{_of(ALNUM + '-_', 43)(c)}"),
    "google_api": ("key", _after("AIza", ALNUM + "-_", 35)),
    "google_oauth": ("client secret", _after("GOCSPX-", ALNUM + "-_", 28)),
    "azure_storage": ("connection string", _azure),
    "openai": ("key", lambda c: f"sk-{_of(ALNUM, 20)(c)}T3BlbkFJ{_of(ALNUM, 20)(c)}"),
    "openai_project": ("key", _after("sk-proj-", ALNUM + "-_", 120)),
    "anthropic": ("key", _after("sk-ant-api03-", ALNUM + "-_", 93, "AA")),
    "huggingface": ("token", _after("hf_", string.ascii_letters, 34)),
    "npm": ("token", _after("npm_", ALNUM, 36)),
    "pypi": ("token", _after("pypi-AgEIcHlwaS5vcmc", ALNUM + "-_", 120)),
    "telegram": ("bot token", lambda c: f"{c.randrange(10**9, 10**10)}:AA{_of(ALNUM + '-_', 33)(c)}"),
    "discord": ("bot token", lambda c: f"M{_of(ALNUM, 25)(c)}.{_of(ALNUM, 6)(c)}.{_of(ALNUM + '-_', 38)(c)}"),
    "jwt": ("token", _jwt),
    "private_key_rsa": ("key", _private_key("RSA ")),
    "private_key_openssh": ("key", _private_key("OPENSSH ")),
    "private_key": ("key", _private_key("")),
    "basic_auth_url": ("feed", lambda c: f"https://user{c.randrange(99)}:{_of(ALNUM, 12)(c)}@files.test/data"),
    "database_url": ("database", _database_url),
    "mailchimp": ("key", _after("", LOWER_HEX, 32, "-us12")),
    "square": ("token", _after("sq0atp-", ALNUM + "-_", 22)),
    "digitalocean": ("token", _after("dop_v1_", LOWER_HEX, 64)),
    "databricks": ("token", _after("dapi", LOWER_HEX, 32)),
    "shopify": ("token", _after("shpat_", LOWER_HEX, 32)),
}
