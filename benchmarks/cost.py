"""What the search for sensitive data costs, against one DetectPiiEntities call a record, and whether it finds the same.

    python benchmarks/cost.py [--json build/bench.json] [--separators]

Both sides ask the embedded Comprehend, over its wire protocol; its meter counts characters and units, and prices are
those of tunegate/prices.py. Records are real benign text (see screen/corpora.py).

`as_it_comes`      prompts and answers as they are; the small model calls much of it a name
`sparse_pii`       those in which the baseline finds nothing, save one in a hundred that has something planted in it
`repeated_prompt`  conversations that all begin with the same system prompt, as they are

Ends with 1 where a target is missed, a text was not asked about, or a type that the baseline found in a record was not.
"""

import argparse
import json
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from faker import Faker
from screen import corpora, planted

from tunegate.facts import Content, Shard
from tunegate.model import Category
from tunegate.policy import Policy, default_policy
from tunegate.prices import PRICES, dollars
from tunegate.scan.language import language_of
from tunegate.scan.packs import split_text
from tunegate.scan.screen import Screen
from tunegate.scan.sensitive import named
from tunegate.scan.services import Cloud, checks_for
from tunegate.scan.shard import TextFile, scan_shard

SEED = 20261122
RECORDS, HOLDING_EVERY = 1_000, 100
PLANTS_OF_EACH_KIND = 3
AS_THEY_COME = 300
CONVERSATIONS = 250
TARGETS = {"sparse_pii": 1 / 25, "repeated_prompt": 1 / 50}
ROW = "{:16} {:>8} {:>10} {:>10} {:>9} {:>9} {:>7} {:>8} {:>7} {:>6}"
SEPARATORS = ("\n", "\n\n", " \n", ". ", ".\n", "\n---\n", "\n.\n")


type Turns = tuple[tuple[str, str], ...]
"""A record: who says what."""


@dataclass(frozen=True, slots=True)
class Found:
    """Types found in each record, and what the meter counted."""

    types: list[set[str]]
    meter: dict[str, Any]

    @property
    def price(self) -> float:
        return dollars({operation: tally["units"] for operation, tally in self.meter.items()})

    @property
    def requests(self) -> int:
        return sum(tally["requests"] for tally in self.meter.values())


@dataclass(frozen=True, slots=True)
class Service:
    """The embedded Comprehend, in a process of its own."""

    endpoint: str
    client: Any

    def detect(self, text: str) -> list[Any]:
        entities: list[Any] = self.client.detect_pii_entities(Text=text, LanguageCode="en")["Entities"]
        return entities

    def meter(self) -> dict[str, Any]:
        """What was counted since this was last asked."""
        with urllib.request.urlopen(f"{self.endpoint}/_meter") as answer:  # noqa: S310 - our own address
            operations: dict[str, Any] = json.load(answer)["operations"]
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/_meter", method="DELETE")).close()  # noqa: S310
        return operations


@contextmanager
def service() -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tunegate_local.detectors", "comprehend", "--port", str(port)]
    process = subprocess.Popen(command)  # noqa: S603 - our own arguments
    try:
        _wait_for(port, process)
        endpoint = f"http://127.0.0.1:{port}"
        config = Config(retries={"mode": "standard"}, read_timeout=300)
        session = boto3.Session("id", "secret", region_name="us-east-1")
        yield Service(endpoint, session.client("comprehend", endpoint_url=endpoint, config=config))
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the embedded Comprehend did not start")


def texts_of(least: int, most: int) -> list[str]:
    """Different real English texts of so many characters, in an order that a seed fixes."""
    texts = {value for sample in corpora.benign() for _, value in sample.texts if least <= len(value) <= most}
    ordered = sorted(text for text in texts if language_of(text, "") == "en")
    random.Random(SEED).shuffle(ordered)  # noqa: S311 - a sample, not a secret
    return ordered


def holding(count: int) -> list[str]:
    """Sentences with a made-up identifier or name, of as many kinds as can be."""
    Faker.seed(SEED)
    people = Faker("en_US")
    sentences = [item.text for item in planted.identifiers(PLANTS_OF_EACH_KIND)]
    random.Random(SEED).shuffle(sentences)  # noqa: S311
    return [f"Please ask {people.name()} about it." if n % 3 == 0 else sentences[n] for n in range(count)]


def pairs() -> Iterator[Turns]:
    """Records of a prompt and an answer, about 450 characters together."""
    for asked, answered in zip(texts_of(60, 400), texts_of(150, 800), strict=False):
        yield ("user", asked), ("assistant", answered)


def as_it_comes(comprehend: Service) -> tuple[list[Turns], Found]:
    records = list(islice(pairs(), AS_THEY_COME))
    return records, baseline(comprehend, records)


def sparse(comprehend: Service) -> tuple[list[Turns], Found]:
    """The records, and what the baseline says of them. Its units are counted while it chooses."""
    records: list[Turns] = []
    types: list[set[str]] = []
    metered, kept = 0, 0
    # More than are kept: some are of kinds that the model does not know.
    plants = iter(holding(6 * RECORDS // HOLDING_EVERY))
    for turns in pairs():
        found = comprehend.detect(joined(turns))
        metered += units_of(turns)
        if found:
            continue
        if len(records) % HOLDING_EVERY == HOLDING_EVERY // 2:
            turns = (("user", f"{turns[0][1]} {next(plants)}"), turns[1])
            found = comprehend.detect(joined(turns))
            metered += units_of(turns)
            if not counted(found):  # a kind that this model does not know
                continue
        records.append(turns)
        types.append(counted(found))
        kept += units_of(turns)
        if len(records) == RECORDS:
            break
    if comprehend.meter()["DetectPiiEntities"]["units"] != metered:
        raise RuntimeError("the meter and the price table count units differently")
    return records, Found(types, {"DetectPiiEntities": {"units": kept, "requests": RECORDS}})


def conversations(comprehend: Service) -> tuple[list[Turns], Found]:
    """Conversations under one system prompt, as they are, and what the baseline says of them."""
    prompt = "\n\n".join(texts_of(500, 800)[:3])
    asked, answered = texts_of(40, 160), texts_of(80, 320)
    records: list[Turns] = [
        (("system", prompt), ("user", asked[n]), ("assistant", answered[n])) for n in range(CONVERSATIONS)
    ]
    return records, baseline(comprehend, records)


def baseline(comprehend: Service, records: Sequence[Turns]) -> Found:
    """One DetectPiiEntities call for each whole record."""
    types = [counted(comprehend.detect(joined(turns))) for turns in records]
    return Found(types, comprehend.meter())


def counted(entities: Sequence[Any]) -> set[str]:
    """The types that the policy counts, as for the other side."""
    policy = default_policy()
    seen = {(*named(entity["Type"]), entity["Score"]) for entity in entities}
    return {kind for category, kind, score in seen if score >= policy.rule(category, kind).threshold}


def joined(turns: Turns) -> str:
    return "\n".join(text for _, text in turns)


def units_of(turns: Turns) -> int:
    return PRICES["DetectPiiEntities"].units(len(joined(turns)))


class Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        yield self._data[start:end]


def scanned(comprehend: Service, screen: Screen, records: Sequence[Turns]) -> Found:
    """The same records through a whole scan, with Comprehend's sensitive data as its only service."""
    lines = [json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]}) for turns in records]
    source = Bytes("".join(f"{line}\n" for line in lines).encode())
    policy = only_pii()
    cloud = Cloud(lambda _: comprehend.client)
    file = TextFile(source, Content.JSONL, gzipped=False)
    report = scan_shard(file, Shard(0, 0, None), checks_for(policy, screen, cloud), policy)
    types: list[set[str]] = [set() for _ in records]
    for subject in report.entries:
        if subject.category in (Category.PII, Category.SECRET):
            types[subject.line - 1].add(subject.type)
    return Found(types, comprehend.meter())


def only_pii() -> Policy:
    document = json.loads(default_policy().canonical())
    document["services"] |= {"comprehend_toxicity": False, "prompt_attacks": "off"}
    return Policy.model_validate(document)


def unasked(records: Sequence[Turns], found: Found) -> int:
    """Characters of different texts that no ContainsPiiEntities request can have held."""
    texts = {part for turns in records for _, text in turns for _, part in split_text(text, 100_000)}
    asked: int = found.meter["ContainsPiiEntities"]["characters"]
    return max(0, sum(map(len, texts)) - asked)


def compare(name: str, records: Sequence[Turns], base: Found, ours: Found) -> bool:
    missed = sum(len(theirs - mine) for theirs, mine in zip(base.types, ours.types, strict=True))
    more = sum(len(mine - theirs) for theirs, mine in zip(base.types, ours.types, strict=True))
    ratio = ours.price / base.price
    left_out = unasked(records, ours)
    characters = sum(len(text) for turns in records for _, text in turns)
    holding_share = sum(map(bool, base.types)) / len(records)
    print(
        ROW.format(
            name, f"{characters:,}", f"{holding_share:.1%}", f"${base.price:.4f}", f"${ours.price:.4f}",
            f"{ratio:.4f}", f"1/{1 / ratio:.0f}", f"{ours.requests / base.requests:.2f}", missed, more,
        )
    )  # fmt: skip
    faults = [
        f"{ratio:.4f} is over {TARGETS[name]}" if ratio > TARGETS.get(name, 1) else "",
        f"{left_out} characters were not asked about" if left_out else "",
        f"{missed} types of the baseline were not found" if missed else "",
    ]
    for fault in filter(None, faults):
        print(f"{name}: {fault}", file=sys.stderr)
    return not any(faults)


def separators() -> None:
    """What each separator makes of texts that are packed: types lost and gained against each text by itself."""
    from tunegate_local.detectors.pii import PiiAnalyzer

    analyzer = PiiAnalyzer()
    texts = texts_of(20, 600)[:600] + holding(15) + [item.text for item in planted.identifiers(8)]
    random.Random(SEED).shuffle(texts)  # noqa: S311
    alone = [{entity.type for entity in analyzer.find(text, "en")} for text in texts]
    print(f"{len(texts)} texts, something in {sum(map(bool, alone))}; types lost and gained by text, lost by pack")
    for separator in SEPARATORS:
        for size in (2, 8, 32):
            lost = gained = overlooked = 0
            for at in range(0, len(texts), size):
                together = _types_by_text(analyzer, separator, texts[at : at + size])
                each = alone[at : at + size]
                lost += sum(len(one - other) for one, other in zip(each, together, strict=True))
                gained += sum(len(other - one) for one, other in zip(each, together, strict=True))
                overlooked += len(set().union(*each) - set().union(*together))
            print(f"{separator!r:10} {size:3} texts a pack: {lost:4} {gained:4} {overlooked:4}")


def _types_by_text(analyzer: Any, separator: str, texts: Sequence[str]) -> list[set[str]]:
    types: list[set[str]] = [set() for _ in texts]
    begins = [sum(len(text) + len(separator) for text in texts[:at]) for at in range(len(texts))]
    for entity in analyzer.find(separator.join(texts), "en"):
        types[max(at for at, begin in enumerate(begins) if begin <= entity.begin)].add(entity.type)
    return types


CORPORA = {"as_it_comes": as_it_comes, "sparse_pii": sparse, "repeated_prompt": conversations}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="add the figures to this file")
    options.add_argument("--separators", action="store_true", help="measure what may stand between texts, and no cost")
    chosen = options.parse_args()
    if chosen.separators:
        separators()
        return 0
    screen = Screen()
    good, figures = True, {}
    print(ROW.format("corpus", "chars", "with PII", "baseline", "ours", "ratio", "", "requests", "missed", "more"))
    with service() as comprehend:
        for name, make in CORPORA.items():
            records, base = make(comprehend)
            ours = scanned(comprehend, screen, records)
            good = compare(name, records, base, ours) and good
            if name in TARGETS:
                figures[name] = round(ours.price / base.price, 5)
    if chosen.json:
        merge(chosen.json, {"cost_ratio": figures})
    return 0 if good else 1


def merge(path: Path, figures: dict[str, Any]) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known | figures, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
