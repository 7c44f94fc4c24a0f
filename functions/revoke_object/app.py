"""Macie found something in approved files → they are revoked and kept in quarantine, and who read them judged again."""

from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.ledger import Ledger
from tunegate.act.promote import Destination
from tunegate.act.revoke import Revocation, revoke
from tunegate.errors import PermanentError
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.observe.macie import COMPLETE, ObjectResult, Repository, object_results, result_in
from tunegate.observe.policies import current_policy
from tunegate.policy import MacieService


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a finding of Macie's in the approved bucket, or `{"macie_job": ID}` for all that a job found there.

    Returns how many files were revoked.
    """
    policy = current_policy(clients("s3"), setting("POLICY_BUCKET"))
    if policy.services.macie is MacieService.OFF:
        return {"revoked": 0}
    revocation = Revocation(
        clients("s3"),
        clients("sqs"),
        Ledger(clients("dynamodb"), setting("LEDGER_TABLE")),
        policy,
        setting("APPROVED_BUCKET"),
        Destination(setting("QUARANTINE_BUCKET"), setting("QUARANTINE_KEY_ARN"), ranked=False),
        setting("EVIDENCE_BUCKET"),
        setting("JOBS_QUEUE_URL"),
    )
    revoked, failed = 0, []
    for result in _results(event):
        try:
            revoked += revoke(revocation, result) is not None
        except PermanentError as error:
            # One that cannot be revoked keeps none of the others readable.
            failed.append(error)
    count("Revoked", revoked)
    logger.info("Macie's findings weighed", revoked=revoked, failed=len(failed))
    if failed:
        raise failed[0]
    return {"revoked": revoked}


def _results(event: dict[str, Any]) -> Iterator[ObjectResult]:
    if "macie_job" not in event:
        found = result_in(event)
        yield from [found] if found else []
        return
    repository = Repository(
        setting("EVIDENCE_BUCKET"),
        setting("RESULTS_PREFIX"),
        "",
        setting("ACCOUNT_ID"),
        clients("s3").meta.region_name,
    )
    results = object_results(clients("s3"), repository, str(event["macie_job"]))
    count("MacieNotRead", sum(result.status != COMPLETE for result in results))
    yield from (result for result in results if result.seen)
