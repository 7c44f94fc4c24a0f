"""`tunegate policy`: the document that says what flags a file."""

from pathlib import Path
from typing import Annotated

import typer

from tunegate.judge.controls.table import BY_ID
from tunegate.observe.policies import current_policy
from tunegate.policy import Policy, default_policy, parse_policy
from tunegate_cli.console import output, print_json, say
from tunegate_cli.stack import DEFAULT_NAME, StackName, find_stack
from tunegate_cli.tables import cell

PROPOSED_KEY = "proposed/policy.json"
Document = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A policy document (JSON).")
]

app = typer.Typer(help="The policy: what flags a file and what only reports.", rich_markup_mode="rich")


@app.command()
def show(
    shipped: Annotated[
        bool, typer.Option("--default", help="The one shipped with this version; needs no AWS.")
    ] = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Print the policy in force, as a document to change and propose.

    Example:

        tunegate policy show > policy.json
    """
    if shipped:
        policy = default_policy()
    else:
        found = find_stack(stack)
        policy = current_policy(found.s3, found.policies)
    document = policy.model_dump(mode="json")
    print_json(document | {"allowed_value_digests": sorted(document["allowed_value_digests"])})


@app.command()
def check(file: Document) -> None:
    """Check a policy document on this machine; each field at fault is named.

    Example:

        tunegate policy check policy.json
    """
    policy = read_policy(file)
    output().print(cell(f"{file} is valid; its digest is {policy.digest}."), soft_wrap=True)
    _say_unknown_controls(policy)


@app.command()
def put(file: Document, stack: StackName = DEFAULT_NAME) -> None:
    """Propose a policy document. The gate checks it too and puts it in force; scans that run keep theirs.

    Example:

        tunegate policy put policy.json
    """
    policy = read_policy(file)
    found = find_stack(stack)
    found.s3.put_object(
        Bucket=found.policies,
        Key=PROPOSED_KEY,
        Body=file.read_bytes(),
        ContentType="application/json",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=found.data_key,
    )
    output().print(cell(f"Proposed; once accepted, verdicts carry its digest {policy.digest}."), soft_wrap=True)
    _say_unknown_controls(policy)


def read_policy(file: Path) -> Policy:
    """The policy in a file. Raises `PolicyError` naming every field at fault."""
    return parse_policy(file.read_bytes())


def _say_unknown_controls(policy: Policy) -> None:
    """A control that is none has no effect, which is not what whoever named it meant; another version may have it."""
    unknown = sorted(policy.jobs.controls.keys() - BY_ID.keys())
    if unknown:
        say(f"No such control, so it has no effect: {', '.join(unknown)}. `tunegate controls` lists them.")
