"""A file of many shards through the distributed map: the same verdict and findings as of the file in one piece."""

import json
from pathlib import Path

import pytest
import scale

from e2e.conftest import Deployment
from tunegate.preflight import scan_file

LINES = 1_500


@pytest.mark.parametrize("shard_bytes", [7_919, 65_536])
def test_the_map_finds_what_one_piece_does_whatever_the_size_of_a_shard(
    deployment: Deployment, tmp_path: Path, shard_bytes: int
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(line(number) for number in range(LINES)))
    policy = scale.screen_only(shard_bytes)
    sections = json.loads(policy.canonical())
    with deployment.policy(services=sections["services"], limits=sections["limits"]):
        row = deployment.settled(deployment.put(f"scale/{shard_bytes}.jsonl", path.read_bytes()))
    buckets = frozenset({deployment.outputs["IntakeBucket"], deployment.outputs["ApprovedBucket"]})
    alone = scan_file(path, policy, buckets)
    assert (row.decision.verdict, row.decision.reason) == (alone.verdict, alone.reason)
    assert dict(row.decision.totals) == dict(alone.totals)
    assert row.decision.findings == alone.findings[: len(row.decision.findings)]
    assert dict(alone.totals) == {"pii/CREDIT_DEBIT_NUMBER": LINES // 50}


def line(number: int) -> str:
    planted = f" My card is 4111 1111 1111 1111, order {number}." if number % 50 == 0 else ""
    text = f"What is {number} plus one, in words and with \u201cquotes\u201d?" * (1 + number % 3)
    return json.dumps({"prompt": text, "completion": f"It is {number + 1}.{planted}"}, ensure_ascii=False) + "\n"
