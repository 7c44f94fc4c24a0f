"""Every attack as everybody, on the deployed product: `make attacks`. Exit code 1 where one is neither prevented nor
detected.

In a cloud of its own, or in the one of `tunegate up` with `--running`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from attacks.attack import NEITHER, carry_out, row
from attacks.ground import Ground
from attacks.principals import attackers
from attacks.table import ATTACKS, shown, write_page
from e2e.conftest import Deployment
from e2e.job_world import JobWorld
from tunegate_local.cloud import STATE_DIR, running
from tunegate_local.deploy import up

RESULTS = Path("build/attacks.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m attacks", description=__doc__)
    parser.add_argument("--running", action="store_true", help="use the cloud that runs from .tunegate")
    parser.add_argument("--as", dest="principal", default="", help="only as those whose name holds this")
    parser.add_argument("--only", default="", help="only attacks whose name holds this")
    parser.add_argument("--page", action="store_true", help="write the table of attacks in docs/security.md anew")
    arguments = parser.parse_args()
    began = time.monotonic()
    with deployed(running_already=arguments.running) as deployment:
        rows = list(results(deployment, arguments.principal, arguments.only))
    print(shown(rows))
    print(
        f"{len(rows)} attacks in {time.monotonic() - began:.0f} s; {sum(r['outcome'] == NEITHER for r in rows)} neither"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"attacks": rows}, indent=1) + "\n")
    if arguments.page:
        write_page(rows)
    return int(any(result["outcome"] == NEITHER for result in rows))


def results(deployment: Deployment, principal: str, only: str) -> Iterator[dict[str, str]]:
    world = JobWorld(deployment)
    world.stage_seconds(0.3)
    ground = Ground(world)
    world.data = ground.clean.key
    for attacker in attackers(world):
        if principal not in attacker.name:
            continue
        for attack in ATTACKS:
            if only not in attack.name:
                continue
            outcome = carry_out(attack, attacker, ground)
            if outcome is not None:
                result = row(attack, attacker, outcome)
                print(f"{result['outcome']:9} {result['as']}: {result['name']} — {result['by']}", file=sys.stderr)
                yield result


@contextmanager
def deployed(*, running_already: bool) -> Iterator[Deployment]:
    if not running_already:
        cloud, outputs = up(Path(".tunegate/attacks"))
        with cloud:
            yield Deployment(cloud, outputs)
        return
    found = running(STATE_DIR)
    if found is None:
        raise SystemExit("No embedded cloud runs: tunegate up")
    keys = found.environment()
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        region_name=keys["AWS_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    [stack] = cloudformation.describe_stacks(StackName="tunegate")["Stacks"]
    yield Deployment(found, {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]})


if __name__ == "__main__":
    sys.exit(main())
